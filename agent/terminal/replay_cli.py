"""`pa replay`: decide again what was decided, from what was known then."""

from __future__ import annotations

import typer
from typer import Argument, Option

from agent.runtime.settings import BIGGEST
from agent.terminal.common import JsonObject, opened
from agent.terminal.lines import answer, tell
from tools.common.errors import Invalid, NotFound
from tools.queries.replay import Replayed, replay
from tools.store.provenance import digest
from tools.store.store import Store


def decide_again(
    draft_id: int = Argument(0, metavar="DRAFT", min=0, max=BIGGEST, help="Number of the draft."),
    case_id: int = Option(0, "--case", metavar="CASE", min=0, max=BIGGEST, help="A case instead."),
    as_json: JsonObject = False,
) -> None:
    """Decide a draft or a case again from what was known then, and say what has changed since."""
    if (draft_id > 0) == (case_id > 0):
        raise Invalid("name a draft, e.g. `pa replay 1`, or a case with --case 1")
    _, store = opened()
    what, determination = _kept(store, draft_id, case_id)
    found = replay(store, determination)
    answer(found, as_json, lambda: _show(what, found))
    raise typer.Exit(0 if found.same else 1)


def _kept(store: Store, draft_id: int, case_id: int) -> tuple[str, str]:
    """What it is called, and the SHA-256 of the determination that it rests on."""
    if draft_id:
        draft = store.draft(draft_id)
        about = f"draft {draft_id}: {draft.drug} for {draft.patient_id} on {draft.as_of}"
        return about, digest(draft.determination)
    case = store.authorization_case(case_id)
    basis = next((event.facts.basis for event in case.events if event.facts.basis), None)
    if basis is None:
        raise NotFound("determination of this case", str(case_id), hint="it was opened without one")
    return f"case {case_id}: {case.head.drug} for {case.head.patient_id}", basis.determination


def _show(what: str, found: Replayed) -> None:
    tell(what)
    if found.same:
        tell(f"= decided again from what was known then: {found.again}, word for word the same")
    elif found.differing or found.outcome != found.again:
        tell(f"≠ decided again from what was known then: {found.again}, and then it was {found.outcome}")
        for line in found.differing:
            tell(f"  {line}")
    else:
        tell(f"≈ decided again from what was known then: {found.again} by the same findings, in other words")
    tell(f"  engine then {found.decided_by}; now {found.engine}")
    tell(f"  changed since: {', '.join(found.changed) or 'nothing'}")
    for line in found.since:
        tell(f"  {line}")
