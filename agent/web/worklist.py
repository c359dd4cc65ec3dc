"""The worklist: every request of the practice by what must happen next, and by when."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from agent import case_desk
from agent.api.office import Desk, Office, office
from agent.desk import now
from agent.renewal_desk import renewals as approvals_that_end
from agent.web.page import Form, PageRoute, Sent, go, render
from tools.common.errors import Invalid, NotFound, Refused, Unavailable
from tools.lifecycle.records import AuthorizationCase
from tools.lifecycle.states import full
from tools.store.rows import DraftStatus, named
from tools.store.store import Store
from tools.store.worklists import RequestKey

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
AHEAD = 60  # days within which an approval's end is shown
NOBODY = "-"  # as the owner that is filtered by


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
    missing: int = 0
    owner: str = ""

    @property
    def key(self) -> RequestKey:
        return RequestKey(self.patient_id, self.drug, self.plan_id)

    @property
    def late(self) -> bool:
        return self.days_left is not None and self.days_left < 0

    def is_in(self, view: str) -> bool:
        return not view or self.view == view or (view == "late" and self.late)


Typed = Annotated[str, Query(max_length=100)]


class Filters(BaseModel):
    """Which requests are shown, as the address of the worklist has it."""

    view: Typed = ""
    plan: Typed = ""
    drug: Typed = ""
    owner: Typed = ""

    @property
    def any(self) -> bool:
        return any(self.model_dump().values())

    def admits(self, row: Row) -> bool:
        """Whether they let a row through, whatever its view."""
        owned = self.owner in ("", row.owner) or (self.owner == NOBODY and not row.owner)
        return owned and self.plan in ("", row.plan_id) and self.drug in ("", row.drug)

    def query(self, **changed: str | int) -> str:
        wanted = {key: value for key, value in {**self.model_dump(), **changed}.items() if value}
        return urlencode(wanted)

    def link(self, **changed: str | int) -> str:
        """The worklist with one filter set otherwise, from its first page on."""
        query = self.query(**changed)
        return f"/?{query}" if query else "/"


@router.get("/")
def worklist(
    request: Request,
    desk: Desk,
    filters: Annotated[Filters, Query()],
    page: int = Query(1, ge=1, le=10_000),
) -> Response:
    view = filters.view
    if view and view not in VIEWS:
        raise NotFound("view", view, hint=f"there are {', '.join(VIEWS)}")
    every = _rows(desk)
    chosen = [row for row in every if filters.admits(row)]
    shown = sorted((row for row in chosen if row.is_in(view)), key=_order)
    first = (page - 1) * PAGE
    owners = _most(row.owner for row in every if row.owner)
    return render(
        request,
        "worklist.html",
        rows=[_filled(desk.store, row) for row in shown[first : first + PAGE]],
        total=len(shown),
        first=first,
        page=page,
        views=VIEWS,
        counts={key: sum(row.is_in(key) for row in chosen) for key in VIEWS},
        all=len(chosen),
        filters=filters,
        choices={
            "plan": _most(row.plan_id for row in every),
            "drug": _most(row.drug for row in every),
            "owner": [(NOBODY, sum(not row.owner for row in every)), *owners],
        },
        people=sorted({name for name, _ in owners} | {user.name for user in desk.store.users()}),
        saved=desk.store.saved_views(),
        patients=desk.store.count_patients(),
        as_of=desk.settings.day() or desk.store.dataset().as_of,
    )


@router.post("/setup")
def setup(request: Request) -> Response:
    """Bring the demo world into a store that holds nothing, as `pa setup` does; what is there is left as it is."""
    desk = office(request)
    try:
        many = desk.store.count_patients()
    except Unavailable:
        many = 0
    if many:
        raise Refused(f"the store holds {many} patients; the demo world is made in an empty one")
    command = [sys.executable, "-m", "agent.cli", "setup"]
    done = subprocess.run(command, env=desk.settings.environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"the demo world could not be made: {done.stderr.strip()[-300:]}")
    return go("/")


@router.post("/assign")
def assign(desk: Desk, form: Sent) -> Response:
    """Give the requests that were ticked to somebody, and come back to the same filters."""
    by = form.by("assigns it")
    links = form.every("request")
    if not links:
        raise Invalid("tick the requests that you assign")
    desk.store.assign([_key_at(desk.store, link) for link in links], form.text("to"), by=by, when=now())
    page = form.whole("page") or 0
    return go(_filters(form).link(page=page if page > 1 else 0), by)


@router.post("/views")
def save_view(desk: Desk, form: Sent) -> Response:
    """Keep the filters under a name for everybody here, or take a name away."""
    name, filters = form.text("name"), _filters(form)
    if form.text("remove"):
        desk.store.remove_view(name)
    else:
        desk.store.save_view(name, filters.query(), by=form.text("by"), when=now())
    return go(filters.link())


def _filters(form: Form) -> Filters:
    """The filters of the page that a form stood on."""
    return Filters(**{name: form.text(name)[:100] for name in Filters.model_fields})


def _key_at(store: Store, link: str) -> RequestKey:
    """The request to which a row of the worklist leads."""
    kind, _, number = link.strip("/").partition("/")
    if kind not in ("drafts", "cases") or not number.isdecimal():
        raise NotFound("request", link[:100])
    about = store.draft(int(number)) if kind == "drafts" else store.authorization_case(int(number)).head
    return RequestKey(about.patient_id, about.drug, about.plan_id)


@router.get("/renewals")
def renewals(request: Request, desk: Desk, within: int = Query(AHEAD, ge=1, le=366)) -> Response:
    found = approvals_that_end(desk.store, desk.settings.day(), lambda day: day + timedelta(days=within))
    return render(request, "renewals.html", rows=found, within=within)


def _most(names: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(names).items())


def _order(row: Row) -> tuple[bool, date, bool, str]:
    """What has a day by its day, then what we can do, then the rest."""
    return (row.due is None, row.due or date.max, not row.ours, row.link)


def _rows(desk: Office) -> list[Row]:
    """Every request that waits; `_filled` has the rest of those that are shown."""
    cases, owners = desk.store.authorization_cases(), desk.store.owners()
    rows = [*_of_drafts(desk.store, cases), *_of_cases(desk, cases)]
    return [row._replace(owner=owners[row.key]) if row.key in owners else row for row in rows]


def _of_drafts(store: Store, cases: Iterable[AuthorizationCase]) -> Iterator[Row]:
    """Drafts that wait for a person: those to review, and those that are approved and stand in no case yet."""
    filed = {event.facts.basis.draft_id for case in cases for event in case.events if event.facts.basis}
    steps: dict[DraftStatus, tuple[str, str]] = {
        "needs_review": ("review", "Review the draft"),
        "edited": ("review", "Review the new version"),
        "approved": ("send", "Open its case and send it"),
    }
    for draft in store.draft_heads(tuple(steps)):
        if draft.status != "approved" or draft.id not in filed:
            view, step = steps[draft.status]
            yield Row(
                view, f"/drafts/{draft.id}", draft.patient_id, "", draft.drug,
                draft.plan_id, draft.status, step, outcome=draft.outcome, draft_id=draft.id,
            )  # fmt: skip


def _filled(store: Store, row: Row) -> Row:
    """The row with what stands in its draft's documents: whose it is, and how much its form lacks."""
    if row.draft_id is None:
        return row
    draft = store.draft(row.draft_id)
    return row._replace(name=named(draft.person).partition(",")[0], missing=len(draft.filled_form().missing))


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
