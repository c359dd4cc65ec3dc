"""Appeals: what to do about a payer's letter, the letter that answers it, the sheet for a call, the packet."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Response

from agent.api import wire
from agent.api.context import Context, Ctx
from agent.cases import appeals
from agent.runtime.dump import plain
from agent.runtime.settings import BIGGEST, read_as_of
from tools.appeals.letter import Filing
from tools.appeals.records import Strategy
from tools.appeals.sheet import call_sheet
from tools.common.errors import Invalid
from tools.papers.letter_pdf import letter_pdf

router = wire.Router(prefix="/api/appeals", tags=["appeals"])
EXAMPLE = {
    "patient_id": "P001",
    "drug": "Ozempic",
    "letter": "Date: 08/25/2026\nMember: Antonio Nguyen\nDrug: Ozempic\nDenied: the member has not tried metformin.",
}


class Received(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payer's letter as text, and whom it is about: a case by its number, or patient and drug. `level` is
    the level that decided, `received` the day on which it came in; `expedited` is the prescriber's own
    statement that delay would harm."""

    letter: str
    case_id: int | None = None
    patient_id: str = ""
    drug: str = ""
    plan_id: str = ""
    level: str = ""
    received: str = ""
    as_of: str = ""
    indication: str = ""
    expedited: str = ""


Sent = Annotated[Received, wire.sent(Received)]


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """The letter, unsigned, with what only the prescriber can complete."""

    text: str
    markdown: str
    gaps: tuple[str, ...]
    strategy: Strategy


@router.write(
    "/plan", "What to do about the letter, in what order and by when",
    Strategy, "The strategy; `refusal` says why no appeal is drafted, if none is.", Received, EXAMPLE,
)  # fmt: skip
def plan(ctx: Ctx, given: Sent) -> Strategy:
    return _look(ctx, given).found


@router.write(
    "/draft", "The letter of appeal; 409 with what to do instead where none is right",
    Drafted, "The letter.", Received, EXAMPLE,
)  # fmt: skip
def draft(ctx: Ctx, given: Sent) -> dict[str, Any]:
    made = _look(ctx, given)
    letter = appeals.compose(made, _filing(given)).letter
    said = {name: getattr(letter, name) for name in ("text", "markdown", "gaps")}
    return {**said, "strategy": plain(made.found)}


@router.write(
    "/packet", "The letter with all that it encloses, as one PDF",
    wire.FILE, "The packet.", Received, EXAMPLE, media=wire.PDF,
)  # fmt: skip
def packet(ctx: Ctx, given: Sent) -> Response:
    made = _look(ctx, given)
    return _pdf(made, "packet", appeals.bind(made, appeals.compose(made, _filing(given))))


@router.write(
    "/sheet", "One page for a peer-to-peer call; 409 where none is advised",
    wire.FILE, "The sheet.", Received, EXAMPLE, media=wire.PDF,
)  # fmt: skip
def sheet(ctx: Ctx, given: Sent) -> Response:
    made = _look(ctx, given)
    return _pdf(made, "call", letter_pdf(call_sheet(made.case, made.denial, made.found)))


def _pdf(made: appeals.AppealAssessment, name: str, content: bytes) -> Response:
    return wire.file(content, f"{made.case.patient.id}-{made.case.drug.name}-{name}.pdf")


def _filing(given: Received) -> Filing:
    return Filing(expedited=" ".join(given.expedited.split()))


def _look(ctx: Context, given: Received) -> appeals.AppealAssessment:
    if given.case_id is not None and not 1 <= given.case_id <= BIGGEST:
        raise Invalid(f"a case's number is from 1 to {BIGGEST}, not {given.case_id}")
    said: dict[str, Any] = msgspec.structs.asdict(given)
    said |= {"as_of": ctx.settings.day(given.as_of), "received": read_as_of(given.received)}
    asked = appeals.AppealQuery(**{name: said[name] for name in appeals.AppealQuery._fields})
    return appeals.assess(ctx.store, asked, appeals.PayerLetter(given.letter))
