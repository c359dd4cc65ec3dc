"""`pa draft` and `pa review`: from a decided case to papers that a person has approved."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec
from typer import Argument, Option

from agent.cases import casefile
from agent.drafts import drafting, papers
from agent.drafts.body import body
from agent.drafts.decision import Action, Decision
from agent.drafts.requests import DraftRequest
from agent.runtime.home import now
from agent.runtime.settings import BIGGEST
from agent.terminal import review_screen
from agent.terminal.common import (
    AskPlan,
    AsOf,
    DaysSupply,
    Json,
    PatientId,
    Quantity,
    RequestKind,
    Strength,
    Use,
    Why,
    model_of,
    opened,
)
from agent.terminal.lines import answer, print_json
from tools.common.errors import Invalid
from tools.domain.records import Determination, ExceptionKind, Kind, Request
from tools.store.rows import Draft
from tools.store.store import Store

LISTED = (  # of a draft
    "id", "patient_id", "drug", "plan_id", "as_of", "status", "outcome", "ready", "missing", "warning",
)  # fmt: skip


def draft(
    patient_id: PatientId,
    drug: str = Argument(..., metavar="DRUG", help="Brand, or a generic name that only one brand has."),
    out: Path | None = Option(None, metavar="DIR", help="Also put the papers into this folder."),
    force: bool = Option(False, "--force", help="Draft even though a criterion is not met."),
    again: bool = Option(False, "--again", help="A new draft of a case that was approved or rejected."),
    plan: AskPlan = "",
    as_of: AsOf = "",
    indication: Use = "",
    strength: Strength = "",
    quantity: Quantity = None,
    days_supply: DaysSupply = None,
    kind: RequestKind = "",
    exception: str = Option(
        "", metavar="KIND", help="Ask for an exception: quantity_limit, step_therapy, formulary or tier."
    ),
    statement: str = Option(
        "", metavar="WORDS", help="The prescriber's own statement in support of the exception."
    ),
    expedited: str | None = Option(
        None, metavar="WHY", help="Ask for an expedited review: the prescriber's reason why it cannot wait."
    ),
    corrects: int | None = Option(
        None, metavar="CASE", min=1, max=BIGGEST, help="Correct the request of this case, which is pended."
    ),
    form: str = Option(
        "", metavar="MAPPING", help="Write it on this payer's PDF; see `pa form`. Default: the plan's form."
    ),
    model: str = Option(
        "", metavar="NAME", help="Let this model word the letter's prose; default: code words it."
    ),
    as_json: bool = Option(False, "--json", help="Print the draft as one JSON object."),
) -> None:
    """Fill the payer's form and write the letter of medical necessity.

    Stops for review: nothing is approved until a person says so, and nothing is
    ever sent. Interrupted, the same command makes it, and makes it once.
    """
    if expedited is not None and not expedited.strip():
        raise Invalid("--expedited wants the prescriber's reason why it cannot wait")
    settings, store = opened()
    words = model_of(model, settings) if model else None
    day = settings.day(as_of)
    asking = DraftRequest(
        patient_id=patient_id,
        request=Request(
            drug=drug,
            strength=strength,
            quantity=quantity,
            days_supply=days_supply,
            kind=cast("Kind | None", kind or None),
            indication=indication,
            exception=cast("ExceptionKind | None", exception or None),
            statement=statement,
            expedited=expedited or "",
            corrects=casefile.correction(store, day, corrects, patient_id, drug) if corrects else None,
            form=Path(form).stem if form.endswith((".yaml", ".yml")) else form,
        ),
        plan_id=plan,
        as_of=day,
        force=force,
        attempt=drafting.decided_before(store, patient_id) if again else 0,
        model=words.name if words else "",
    )
    drafted = drafting.draft_alone(store, settings, asking, words)
    kept = {name: Path(file.path) for name, file in drafted.draft.files.items()}
    files = papers.copy(drafted.draft, out) if out else kept
    whole = {**_body(drafted.draft), "files": {name: str(path) for name, path in files.items()}}
    answer(whole, as_json, lambda: review_screen.drafted(drafted.draft, store, files, new=drafted.new))


def review(
    draft_id: int | None = Argument(
        None, metavar="ID", min=1, max=BIGGEST, help="Number of the draft; without it, the list."
    ),
    approve: bool = Option(False, "--approve", help="It is right; a person may sign and send it."),
    reject: bool = Option(False, "--reject", help="It is not to be sent; needs --reason."),
    edit: list[str] = Option(
        [], "--set", metavar="FIELD=VALUE", help="Change the request, or fill a field; repeatable."
    ),
    reason: Why = "",
    by: str = Option("", metavar="NAME", help="Who decides."),
    all_of_them: bool = Option(False, "--all", help="List decided drafts as well."),
    as_json: Json = False,
) -> None:
    """List the drafts that wait; approve, edit or reject one."""
    settings, store = opened()
    chosen = [name for name, said in (("approve", approve), ("reject", reject), ("set", bool(edit))) if said]
    if draft_id is None:
        if chosen:
            raise Invalid(f"--{chosen[0]} needs the number of the draft; `pa review` lists them")
        _list(store, all_of_them, as_json)
        return
    if len(chosen) > 1:
        raise Invalid(f"{' and '.join(f'--{name}' for name in chosen)} exclude each other; choose one")
    found = store.draft(draft_id)
    if chosen:
        action = cast("Action", "edit" if edit else chosen[0])
        decision = Decision(action=action, by=by, when=now(), reason=reason, edits=_edits(edit))
        found = drafting.decide_alone(store, settings, draft_id, decision)
    if as_json:
        print_json(_body(found) | {"reviews": store.reviews(draft_id)})
    else:
        show = review_screen.decided if chosen else review_screen.one
        show(found, store)


def _body(draft: Draft) -> dict[str, Any]:
    """A draft as JSON shows it: the filled form and the determination as objects, the papers as paths."""
    form = draft.filled_form()
    return body(draft, form) | {
        "exceptions": list(form.exceptions),
        "expedited": form.expedited,
        "wording": papers.wording(draft),
        "files": {name: file.path for name, file in draft.files.items()},
        "form": form,
        "determination": msgspec.json.decode(draft.determination, type=Determination),
    }


def _edits(given: list[str]) -> dict[str, str]:
    edits: dict[str, str] = {}
    for edit in given:
        field, sign, value = edit.partition("=")
        if not sign or not field.strip():
            raise Invalid(f"--set {edit!r} is not FIELD=VALUE, e.g. --set 'Office contact=R. Lee'")
        edits[field.strip()] = value
    return edits


def _list(store: Store, every: bool, as_json: bool) -> None:
    found = [draft for draft in store.drafts(limit=1000) if every or draft.status in review_screen.WAITING]
    if as_json:
        bodies = (body(draft, draft.filled_form()) for draft in found)
        print_json([{key: shown[key] for key in LISTED} for shown in bodies])
    else:
        review_screen.waiting(found, store)
