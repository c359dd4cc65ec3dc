"""Every request of the practice that waits: what must happen next, and by when where a clock runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from agent.cases import casefile
from agent.cases.followed import Followed, Way
from agent.cases.renewals import Soon, ending_soon, ends_first
from tools.domain.records import Patient, Plan
from tools.lifecycle.records import AuthorizationCase
from tools.lifecycle.running import Clock, clocks_of
from tools.lifecycle.states import full
from tools.store import panel
from tools.store.rows import DraftStatus, is_of, named
from tools.store.store import Store
from tools.store.worklists import RequestKey

VIEWS = {  # in the order in which a day is worked
    "late": "Late",
    "review": "To review",
    "send": "To send",
    "answer": "Payer asked",
    "denied": "Denied",
    "waiting": "With the payer",
    "approved": "Approved",
}
OF_STATE = {
    "draft": "review",
    "reviewed": "send",
    "submitted": "waiting",
    "appealed": "waiting",
    "pended": "answer",
    "denied": "denied",
    "upheld": "denied",
    "partly_approved": "denied",
    "approved": "approved",
    "renewal_due": "approved",
}
OF_DRAFT: dict[DraftStatus, tuple[str, str]] = {  # its view, and what is to be done
    "needs_review": ("review", "Review the draft"),
    "edited": ("review", "Review the new version"),
    "approved": ("send", "Open its case and send it"),
}
STEPS = {
    "draft": "Review it",
    "reviewed": "Send it, and record that it was sent",
}  # ours, where no clock runs
FURTHEST = timedelta(days=366)  # ahead, that an approval's end is kept


class Row(NamedTuple):
    """One request: what must happen next, and by when where a clock runs."""

    view: str  # a key of VIEWS
    link: str
    patient_id: str
    name: str
    drug: str
    plan_id: str
    state: str
    next: str
    ours: bool = True
    due: date | None = None
    days_left: int | None = None
    outcome: str = ""  # of a draft
    draft_id: int | None = None
    owner: str = ""
    clock: str = ""  # the kind of the clock that `next` ends

    @property
    def key(self) -> RequestKey:
        return RequestKey(self.patient_id, self.drug, self.plan_id)

    @property
    def late(self) -> bool:
        return self.days_left is not None and self.days_left < 0

    def is_in(self, view: str) -> bool:
        return not view or self.view == view or (view == "late" and self.late)


Choices = dict[str, list[tuple[str, int]]]


class Work(NamedTuple):
    """The requests with what has a day by its day, then what we can do, then the rest; how many there are of each
    plan, drug and owner, "" for nobody; and how many in each view."""

    rows: list[Row]
    choices: Choices
    counts: dict[str, int]


class Board:
    """The requests as they stand now, and the approvals that end.

    Args:
        day: tells on which day all are judged; None judges each on its patient's.
        folder: where both are kept for the next process; None for nowhere.
    """

    def __init__(self, store: Store, day: Callable[[], date | None], folder: Path | None = None) -> None:
        def days() -> tuple[date | None, date | None]:
            return day(), store.today() if store.today else None

        def ends(whose: Collection[str] | None) -> list[Soon]:
            return ending_soon(store, store.cases_listed(whose), day(), lambda one: one + FURTHEST, whose)

        def rows(whose: Collection[str] | None) -> Iterable[Row]:
            return _rows(store, day(), whose)

        self._rows = Followed(store, Way(Row, days, rows, _order), folder and folder / "requests")
        self._endings = Followed(store, Way(Soon, days, ends, ends_first), folder and folder / "endings")
        self._work = Work([], {}, {})

    def work(self) -> Work:
        rows = self._rows.now()
        if rows is not self._work.rows:
            self._work = _counted(rows)
        return self._work

    def endings(self, within: timedelta) -> list[Soon]:
        """The approvals that end so soon, at most `FURTHEST` ahead, the first at the top."""
        return [one for one in self._endings.now() if one.ending.approval.end <= one.day + within]


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """How many there are in each view."""
    of = Counter(row.view for row in rows)
    return {view: of[view] for view in VIEWS} | {"late": sum(row.late for row in rows)}


def _counted(rows: list[Row]) -> Work:
    names = {
        "plan": (row.plan_id for row in rows),
        "drug": (row.drug for row in rows),
        "owner": (row.owner for row in rows),
    }
    return Work(rows, {of: sorted(Counter(found).items()) for of, found in names.items()}, counts(rows))


def _order(row: Row) -> tuple[bool, date, bool, str]:
    return (row.due is None, row.due or date.max, not row.ours, row.link)


def _rows(store: Store, day: date | None, whose: Collection[str] | None) -> Iterator[Row]:
    cases, owners = store.cases_listed(whose), store.owners(whose)
    for row in (*_of_drafts(store, cases, whose), *_of_cases(store, day, cases)):
        yield row._replace(owner=owners[row.key]) if row.key in owners else row


def _of_drafts(
    store: Store, cases: Iterable[AuthorizationCase], whose: Collection[str] | None
) -> Iterator[Row]:
    """Drafts that wait for a person: those to review, and those that are approved and stand in no case yet."""
    filed = {event.facts.basis.draft_id for case in cases for event in case.events if event.facts.basis}
    for draft in store.draft_heads(tuple(OF_DRAFT), whose):
        if draft.status != "approved" or draft.id not in filed:
            view, step = OF_DRAFT[draft.status]
            yield Row(
                view, f"/drafts/{draft.id}", draft.patient_id, named(draft.person).partition(",")[0], draft.drug,
                draft.plan_id, draft.status, step, outcome=draft.outcome, draft_id=draft.id,
            )  # fmt: skip


def _of_cases(store: Store, day: date | None, cases: Iterable[AuthorizationCase]) -> Iterator[Row]:
    """Patient by patient; memory holds some of their charts."""
    theirs: dict[str, list[AuthorizationCase]] = defaultdict(list)
    plans: dict[str, Plan | None] = {}
    for case in cases:
        if case.open:
            theirs[case.head.patient_id].append(case)
    for patient in panel.unchanged(store, list(theirs)):
        for case in theirs.pop(patient.id):
            plan_id = case.head.plan_id
            if plan_id not in plans:
                plans[plan_id] = casefile.plan_of(store, case)
            yield _of_case(case, _first(store, case, patient, plans[plan_id], day))
    for case in (case for alone in theirs.values() for case in alone):  # the world was replaced since
        yield _of_case(case, None)


def _of_case(case: AuthorizationCase, ends: Clock | None) -> Row:
    head = case.head
    return Row(
        OF_STATE[case.state],
        f"/cases/{case.id}",
        head.patient_id,
        head.name,
        head.drug,
        head.plan_id,
        full(case.state, case.level),
        ends.what if ends else STEPS.get(case.state, ""),
        ends.ours if ends else case.state in STEPS,
        ends.due if ends else None,
        ends.days_left if ends else None,
        clock=ends.kind if ends else "",
    )


def _first(
    store: Store, case: AuthorizationCase, patient: Patient, plan: Plan | None, day: date | None
) -> Clock | None:
    """The clock that ends first; none of a case whose patient bears another's id now."""
    if not is_of(case.head.person, patient):
        return None
    return next(iter(clocks_of(case, plan, day or store.day_of(patient))), None)
