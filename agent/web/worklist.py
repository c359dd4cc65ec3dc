"""The worklist: every request of the practice by what must happen next, and by when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from agent import case_desk
from agent.api.office import Desk, Office
from agent.renewal_desk import renewals as approvals_that_end
from agent.web.page import PageRoute, render
from tools.common.errors import NotFound
from tools.lifecycle.records import AuthorizationCase
from tools.lifecycle.states import full
from tools.store.rows import Draft, DraftStatus, named
from tools.store.store import Store

router = APIRouter(route_class=PageRoute, include_in_schema=False)
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
PAGE = 100  # rows
CHUNK = 200  # drafts that are read at once: they bring their papers along
AHEAD = 60  # days within which an approval's end is shown


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

    @property
    def late(self) -> bool:
        return self.days_left is not None and self.days_left < 0

    def is_in(self, view: str) -> bool:
        return not view or self.view == view or (view == "late" and self.late)


@router.get("/")
def worklist(
    request: Request,
    desk: Desk,
    view: str = Query("", max_length=20),
    plan: str = Query("", max_length=100),
    drug: str = Query("", max_length=100),
    page: int = Query(1, ge=1, le=10_000),
) -> Response:
    if view and view not in VIEWS:
        raise NotFound("view", view, hint=f"there are {', '.join(VIEWS)}")
    every = _rows(desk)
    chosen = [row for row in every if plan in ("", row.plan_id) and drug in ("", row.drug)]
    counts = {key: sum(row.is_in(key) for row in chosen) for key in VIEWS}
    shown = sorted((row for row in chosen if row.is_in(view)), key=_order)
    first = (page - 1) * PAGE
    return render(
        request,
        "worklist.html",
        rows=shown[first : first + PAGE],
        missing=_missing(desk.store, shown[first : first + PAGE]),
        total=len(shown),
        first=first,
        page=page,
        more=first + PAGE < len(shown),
        views=VIEWS,
        counts=counts,
        all=len(chosen),
        chosen={"view": view, "plan": plan, "drug": drug},
        plans=_most(row.plan_id for row in every),
        drugs=_most(row.drug for row in every),
        link=_link,
        patients=desk.store.count_patients(),
        as_of=desk.settings.day() or desk.store.dataset().as_of,
    )


@router.get("/renewals")
def renewals(request: Request, desk: Desk, within: int = Query(AHEAD, ge=1, le=366)) -> Response:
    found = approvals_that_end(desk.store, desk.settings.day(), lambda day: day + timedelta(days=within))
    return render(request, "renewals.html", rows=found, within=within)


def _link(chosen: dict[str, str], **changed: str | int) -> str:
    """The worklist with one filter set otherwise, from its first page on."""
    wanted = {key: value for key, value in {**chosen, **changed}.items() if value}
    return f"/?{urlencode(wanted)}" if wanted else "/"


def _most(names: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(names).items())


def _order(row: Row) -> tuple[bool, date, bool, str]:
    """What has a day by its day, then what we can do, then the rest."""
    return (row.due is None, row.due or date.max, not row.ours, row.link)


def _rows(desk: Office) -> list[Row]:
    cases = desk.store.authorization_cases()
    return [*_of_drafts(desk.store, cases), *_of_cases(desk, cases)]


def _of_drafts(store: Store, cases: Iterable[AuthorizationCase]) -> Iterator[Row]:
    """Drafts that wait for a person: those to review, and those that are approved and stand in no case yet."""
    filed = {event.facts.basis.draft_id for case in cases for event in case.events if event.facts.basis}
    steps: dict[DraftStatus, tuple[str, str]] = {
        "needs_review": ("review", "Review the draft"),
        "edited": ("review", "Review the new version"),
        "approved": ("send", "Open its case and send it"),
    }
    for status, (view, step) in steps.items():
        for draft in _drafts(store, status):
            if status != "approved" or draft.id not in filed:
                name = named(draft.person).partition(",")[0]
                yield Row(
                    view, f"/drafts/{draft.id}", draft.patient_id, name, draft.drug, draft.plan_id, status, step,
                    outcome=draft.outcome, draft_id=draft.id,
                )  # fmt: skip


def _drafts(store: Store, status: DraftStatus) -> Iterator[Draft]:
    for offset in count(0, CHUNK):
        found = store.drafts(status, limit=CHUNK, offset=offset)
        yield from found
        if len(found) < CHUNK:
            return


def _missing(store: Store, rows: Iterable[Row]) -> dict[str, int]:
    """How much the forms of these drafts lack, by where they lead."""
    drafts = {row.link: store.draft(row.draft_id) for row in rows if row.draft_id is not None}
    return {link: len(draft.filled_form().missing) for link, draft in drafts.items()}


def _of_cases(desk: Office, cases: Iterable[AuthorizationCase]) -> Iterator[Row]:
    running = [case for case in cases if case.open]
    store = cast("Store", _ReadOnce(desk.store))
    first = case_desk.first_clocks(store, running, case_desk.CaseDays(store, desk.settings.day()))
    for case in running:
        head, ends = case.head, first.get(case.id)
        yield Row(
            OF_STATE[case.state],
            f"/cases/{case.id}",
            head.patient_id,
            head.name,
            head.drug,
            head.plan_id,
            full(case.state, case.level),
            ends.what if ends else _step(case),
            ends.ours if ends else case.state in ("draft", "reviewed"),
            ends.due if ends else None,
            ends.days_left if ends else None,
        )


class _ReadOnce:
    """The store, which reads a chart once where it is asked for twice at once: for whose a case is, and for its day."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.patient = lru_cache(maxsize=1)(store.patient)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _step(case: AuthorizationCase) -> str:
    return {"draft": "Review it", "reviewed": "Send it, and record that it was sent"}.get(case.state, "")
