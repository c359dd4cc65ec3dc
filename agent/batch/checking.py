"""Holds each row against the store: which request it is, or why it is none and what may have been meant."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple, get_args

import msgspec

from agent.batch.requests import COLUMNS, RejectedRow, RequestRow
from agent.drafts.requests import DraftRequest, complete_request
from tools.common.errors import Invalid, NotFound, nearest
from tools.domain.records import Kind, Request
from tools.papers.exceptions import refusal
from tools.queries.check import Asked, ask, decide
from tools.store.store import Store

URGENT = dict.fromkeys(("", "standard", "routine", "normal"), "standard")
URGENT |= dict.fromkeys(("urgent", "expedited", "stat"), "expedited")
KINDS = dict.fromkeys(("new start", "start", "initial"), "new")
KINDS |= dict.fromkeys(("renew", "reauthorization"), "renewal")


class BatchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it is kept: the question with nothing left out, and how soon it is needed."""

    asking: DraftRequest
    urgency: str = "standard"
    folder: str = ""  # of its papers, in the batch's folder of cases


class CheckedRequest(NamedTuple):
    """A row that is a request; two of the same `key` ask the same of the same plan."""

    row: int
    key: str
    wanted: BatchRequest


class Terms(NamedTuple):
    """What holds for every row of a batch, unless the row says otherwise."""

    kind: Kind | None = None
    as_of: date | None = None
    force: bool = False
    model: str = ""


def check_rows(
    store: Store, rows: Iterable[RequestRow], terms: Terms, tell: Callable[[], None] = lambda: None
) -> tuple[list[CheckedRequest], list[RejectedRow]]:
    """The requests in the order of their rows, each once, and the rows that are none. `tell` is called per row."""
    checked, rejected = list[CheckedRequest](), list[RejectedRow]()
    first: dict[str, int] = {}
    for row in rows:
        tell()
        try:
            found = _check(store, row, terms)
        except (Invalid, NotFound) as error:
            rejected.append(_rejected(row, str(error), next(iter(getattr(error, "near", ())), "")))
            continue
        before = first.setdefault(found.key, found.row)
        if before == found.row:
            checked.append(found)
        else:
            why = f"asks the same as row {before}, which is drafted"
            rejected.append(_rejected(row, why, f"row {before}"))
    return checked, rejected


def _check(store: Store, row: RequestRow, terms: Terms) -> CheckedRequest:
    cells = defaultdict(str, row.cells)
    given = Request(
        drug=cells["drug"],
        strength=cells["strength"],
        quantity=_number("quantity", cells["quantity"]),
        days_supply=_whole("days_supply", cells["days_supply"]),
        kind=_kind(cells["kind"]) or terms.kind,
        indication=cells["indication"],
        exception=_exception(cells["exception"]),
        statement=cells["statement"],
        expedited=cells["expedited"],
    )
    urgency = _urgency(cells["urgency"], given.expedited)
    asked = ask(store, cells["patient_id"], given, plan_id=cells["plan_id"], as_of=terms.as_of)
    if (given.exception or given.statement) and (why := refusal(asked.case(decide(store, asked)))):
        raise Invalid(why)
    like = DraftRequest(patient_id="", request=given, force=terms.force, model=terms.model)
    wanted = BatchRequest(asking=complete_request(asked, like), urgency=urgency)
    return CheckedRequest(row.number, key_of(asked), wanted)


def key_of(asked: Asked) -> str:
    """What tells this request from every other of the batch."""
    parts = (asked.patient.id, asked.plan.id, asked.request, asked.as_of)
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:24]


def _rejected(row: RequestRow, reason: str, near: str = "") -> RejectedRow:
    cells = {column: row.cells.get(column, "") for column in COLUMNS}
    return RejectedRow(row=row.number, reason=reason, near=near, cells=cells)


def _kind(text: str) -> Any:
    said = " ".join(text.casefold().replace("_", " ").split())
    kind = KINDS.get(said, said)
    if kind and kind not in get_args(Kind):
        raise NotFound("kind of request", text, nearest(text, get_args(Kind)), "new, continuation or renewal")
    return kind or None


def _exception(text: str) -> Any:
    """The kind as the rules name it, whatever parts its words: "Step therapy" is step_therapy."""
    return "_".join(text.casefold().replace("_", " ").split()) or None


def _urgency(text: str, expedited: str) -> str:
    """How soon an answer is needed; the prescriber's reason for an expedited review asks for it."""
    said = URGENT.get(text.casefold().strip())
    if said is None:
        raise NotFound("urgency", text, nearest(text, URGENT), "standard or expedited")
    if expedited and text and said == "standard":
        raise Invalid(f"urgency says {text}, and expedited gives a reason why it cannot wait; leave one")
    return "expedited" if expedited else said


def _number(column: str, text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"{column} {text!r} is no number; write it as 3 or 1.5") from None


def _whole(column: str, text: str) -> int | None:
    number = _number(column, text)
    if number is not None and not number.is_integer():
        raise Invalid(f"{column} {text!r} is no whole number of days")
    return None if number is None else int(number)
