"""Papers that are drafted, edited, attached and submitted, in sessions that are killed.

`python -m evals.proofs papers-killed` runs it. A session does the steps of every case in one process: attach a paper,
draft, edit, approve, open the case, submit it. In the end every case has one attached paper, one draft in its second
version with whole files, one approval, and one case that was submitted once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from agent.drafts.integrity import altered_papers
from agent.runtime.settings import read_settings
from agent.runtime.stores import open_store
from evals.proofs.homes import cases_to_draft, open_world
from evals.proofs.kills.sessions import Campaign, Points, main, pa, trial
from tools.common import sealed
from tools.papers.paper import Page, pdf_of
from tools.store.store import Store

FILES_A_DRAFT = 8
BY = ("--by", "R. Lee, CPhT")
EDIT = ("--set", "npi=2345678902")
POINTS: Points = {
    "file is to be kept": (Store, "keep_file", "before"),
    "file is kept": (Store, "keep_file", "after"),
    "paper is recorded": (Store, "add_chart_entry", "after"),
    "a paper or attachment is to be written": (sealed, "write", "before"),
    "a paper or attachment is written": (sealed, "write", "after"),
    "file takes its place": (Path, "replace", "before"),
    "draft is to be saved": (Store, "save_draft", "before"),
    "draft is saved": (Store, "save_draft", "after"),
    "edit is to be kept": (Store, "revise_draft", "before"),
    "edit is kept": (Store, "revise_draft", "after"),
    "decision is to be recorded": (Store, "set_draft_status", "before"),
    "decision is recorded": (Store, "set_draft_status", "after"),
    "case is opened": (Store, "open_case", "after"),
    "event is to be entered": (Store, "enter", "before"),
    "event is entered": (Store, "enter", "after"),
}


class Work(NamedTuple):
    """What a session is to do for one case."""

    patient_id: str
    drug: str
    paper: str


def left_behind(store: Store, unit: Sequence[str]) -> Iterator[str]:
    """What is lost, doubled or half-written of one case."""
    work = Work(*unit)
    attached = [one for one in store.patient(work.patient_id).documents if one.pages]
    if len(attached) != 1 or store.file(attached[0].sha256) != Path(work.paper).read_bytes():
        yield f"{len(attached)} attached papers"
    drafts = store.drafts(patient_id=work.patient_id)
    if len(drafts) != 1:
        yield f"{len(drafts)} drafts"
    for draft in drafts:
        if altered_papers(draft):
            yield "papers of a draft that are not whole"
        if (draft.status, draft.version, len(draft.edits)) != ("approved", 2, 1):
            yield f"a draft {draft.status} in version {draft.version}"
        if sorted(review.status for review in store.reviews(draft.id)) != ["approved", "edited"]:
            yield "reviews lost or doubled"
    cases = store.authorization_cases(work.patient_id)
    sent = [sum(event.what == "submitted" for event in case.events) for case in cases]
    if sent != [1]:
        yield f"cases submitted {sent} times"


def prepare(home: Path, kills: int) -> list[Work]:
    """A store with ready cases, one of a person, and what is to be done with them."""
    cases = max(4, kills)
    store = open_world(home, cases * 4)
    work: dict[str, Work] = {}
    for case in cases_to_draft(store):
        person = case.patient.id
        if case.determination.outcome == "ready" and case.patient.prescriber and len(work) < cases:
            work.setdefault(person, Work(person, case.drug.name, str(home / f"{person}.pdf")))
            Path(work[person].paper).write_bytes(pdf_of([sheet(f"Paper of {person}")], ""))
    store.close()
    return list(work.values())


def sheet(said: str) -> Page:
    """A page with these words on it."""
    return lambda pen: pen.drawString(80, 400, said)


def do(unit: Sequence[str]) -> None:
    """Attach, draft, edit, approve, open and submit, as far as that is not done."""
    one = Work(*unit)
    store = open_store(read_settings())
    if not any(paper.pages for paper in store.patient(one.patient_id).documents):
        signed = ("--kind", "note", "--date", "2026-08-30", "--status", "signed")
        pa("attach", one.patient_id, one.paper, *signed, *BY)
    drafts = store.drafts(patient_id=one.patient_id)
    if not drafts or drafts[0].status == "needs_review":
        pa("draft", one.patient_id, one.drug)
    number = str(store.drafts(patient_id=one.patient_id)[0].id)
    if store.draft(int(number)).version == 1:
        pa("review", number, *EDIT, *BY)
    if store.draft(int(number)).status != "approved":
        approve = ("review", number, "--approve", "--reason", "as the office has it", *BY)
        if pa(*approve, may_fail=True):  # an edit was finished only now, and wants to be read first
            pa(*approve)
    if not store.authorization_cases(one.patient_id):
        pa("case", "open", "--draft", number, *BY)
    (case,) = store.authorization_cases(one.patient_id)
    if not any(event.what == "submitted" for event in case.events):
        pa("case", "submit", str(case.id), "--why", "sent as it is", *BY)
    store.close()


CAMPAIGN = Campaign(
    module="evals.proofs.kills.papers",
    points=POINTS,
    often={point: FILES_A_DRAFT for point in POINTS if "or attachment" in point or "file takes" in point},
    prepare=prepare,
    do=do,
    left_behind=left_behind,
)

killed = partial(trial, CAMPAIGN)


if __name__ == "__main__":
    main(CAMPAIGN)
