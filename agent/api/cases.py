"""Cases: list, open, read, enter what happened; what is due, as JSON and as a calendar; approvals that end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Response

from agent.api import wire
from agent.api.office import Desk, Office
from agent.cases import casefile
from agent.cases.calendar import calendar
from agent.cases.renewals import renewals as approvals_that_end
from agent.runtime.settings import BIGGEST
from tools.common.errors import Invalid
from tools.common.printable import one_line
from tools.domain.records import Kind
from tools.domain.records import Request as DrugRequest
from tools.lifecycle.records import Ask, AuthorizationCase, CaseEvent, Facts, What
from tools.lifecycle.renewals import Renewal
from tools.lifecycle.running import Clock

router = wire.Router(prefix="/api", tags=["cases"])
Within = Annotated[int, Query(ge=0, le=3660, description="Days ahead")]


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it stands on `as_of`. `possible` is what can happen to it next."""

    id: int
    patient_id: str
    name: str
    drug: str
    plan_id: str
    payer: str
    line: str
    internal_levels: int
    ask: Ask
    kind: Kind
    indication: str
    draft_id: int | None
    opened: str
    state: str
    since: str
    urgency: str
    as_of: str
    approval: dict[str, Any] | None
    possible: tuple[str, ...]
    clocks: tuple[Clock, ...]
    events: tuple[CaseEvent, ...] = ()


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reviewed draft; or patient and drug, for a request that went another way."""

    by: str
    draft_id: int | None = None
    patient_id: str = ""
    drug: str = ""
    plan_id: str = ""
    indication: str = ""
    kind: Kind | None = None
    ask: Ask = "pa"
    on: date | None = None


class Entering(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened, on which day, who says so, and what it states. `draft_id` goes with `reviewed`."""

    what: What
    by: str
    on: date | None = None
    at: str = ""
    why: str = ""
    facts: Facts = Facts()
    draft_id: int | None = None


class Due(Clock, frozen=True, kw_only=True):
    """A clock, and whose it is."""

    differs: bool
    patient_id: str
    name: str
    drug: str
    plan_id: str


@router.read(
    "/cases", "Cases, the one whose clock ends first at the top",
    wire.many(CaseView), "The cases, without their events.",
)  # fmt: skip
def cases(
    desk: Desk,
    patient_id: str | None = Query(None),
    state: str = Query("", description="Only in this state", examples=["denied"]),
    late: bool = Query(False, description="Only with a clock that has run out"),
    closed: bool = Query(False, description="Closed ones as well"),
    as_of: wire.AsOf = None,
    limit: int = Query(50, ge=1, le=500),
    offset: int = Query(0, ge=0, le=BIGGEST),
) -> list[dict[str, Any]]:
    days = desk.case_days(as_of)
    found = casefile.in_state(desk.store.authorization_cases(patient_id), state, closed=closed)
    first = casefile.first_clocks(desk.store, found, days)
    if late:
        found = [case for case in found if case.id in first and first[case.id].late]
    found.sort(key=lambda case: casefile.by_clock(case, first))
    page = found[offset : offset + limit]
    return [casefile.body(desk.store, case, days.of(case), events=False) for case in page]


@router.write(
    "/cases", "Open a case; the same draft, or the same matter by hand, finds the case that is open",
    CaseView, "The case.", Opening, {"by": "R. Lee, CPhT", "draft_id": 1},
)  # fmt: skip
def open_case(desk: Desk, given: Annotated[Opening, wire.sent(Opening)]) -> dict[str, Any]:
    if (given.draft_id is None) == (not (given.patient_id and given.drug)):
        raise Invalid("give draft_id, or patient_id and drug; not both")
    whose = given.patient_id or desk.store.draft(given.draft_id or 0).patient_id
    entry = _entry(desk, given.by, given.on, whose)
    if given.draft_id is not None:
        return _body(desk, casefile.open_from_draft(desk.store, given.draft_id, entry).case)
    asked = DrugRequest(drug=given.drug, indication=given.indication, kind=given.kind)
    kept = casefile.open_by_hand(desk.store, given.patient_id, asked, given.ask, entry, plan_id=given.plan_id)
    return _body(desk, kept.case)


@router.read("/cases/{case_id}", "One case with its clocks and all that happened", CaseView, "The case.")
def case(desk: Desk, case_id: wire.Number, as_of: wire.AsOf = None) -> dict[str, Any]:
    return _body(desk, desk.store.authorization_case(case_id), as_of)


@router.read(
    "/cases/{case_id}/events", "What happened to a case, in order; undone entries too",
    wire.many(CaseEvent), "The entries.",
)  # fmt: skip
def events(desk: Desk, case_id: wire.Number) -> list[CaseEvent]:
    return list(desk.store.authorization_case(case_id).events)


@router.write(
    "/cases/{case_id}/events", "Enter what happened; 409 names what is possible where it is not",
    CaseView, "The case as it is now; nothing is sent.", Entering, {
        "what": "denied", "by": "R. Lee, CPhT", "on": "2026-09-01",
        "facts": {"notice": {"dated": "2026-09-01", "reasons": ["step_therapy"], "deadline": "2026-12-01"}},
    },
)  # fmt: skip
def enter(
    desk: Desk, case_id: wire.Number, given: Annotated[Entering, wire.sent(Entering)]
) -> dict[str, Any]:
    if given.what == "opened":
        raise Invalid("a case is opened by POST /api/cases")
    entry = _entry(desk, given.by, given.on, desk.store.authorization_case(case_id).head.patient_id)
    why = one_line(given.why)
    if given.what == "reviewed":
        kept = casefile.review(desk.store, case_id, entry, draft_id=given.draft_id, why=why)
    else:
        kept = casefile.record(
            desk.store, case_id, given.what, entry, at=given.at, why=why, facts=given.facts
        )
    return _body(desk, kept.case)


@router.read(
    "/due", "What must happen by when, over all open cases",
    wire.many(Due), "The clocks, the earliest first.",
)  # fmt: skip
def due(
    desk: Desk,
    within: Within = 7,
    whose: Literal["all", "ours"] = Query("all", description="`ours` leaves out what the payer owes"),
    patient_id: str | None = Query(None),
    as_of: wire.AsOf = None,
) -> list[dict[str, Any]]:
    return [casefile.due_body(case, clock) for case, clock in _rows(desk, within, whose, as_of, patient_id)]


@router.read(
    "/due.ics", "The same as a calendar; entries keep their UIDs",
    {"type": "string"}, "iCalendar.", media="text/calendar",
)  # fmt: skip
def due_calendar(
    desk: Desk,
    within: Within = 60,
    whose: Literal["all", "ours"] = Query("all"),
    names: bool = Query(False, description="Name patients and drugs: calendars travel"),
    as_of: wire.AsOf = None,
) -> Response:
    rows = _rows(desk, within, whose, as_of)
    return Response(calendar(rows, names=names), media_type="text/calendar; charset=utf-8")


@router.read(
    "/renewals", "Approvals that end, and whether today's record will renew them",
    wire.many(Renewal), "The renewals, the most urgent first.",
)  # fmt: skip
def renewals(
    desk: Desk,
    within: int = Query(60, ge=0, le=366, description="Days ahead"),
    patient_id: str = Query(""),
    as_of: wire.AsOf = None,
) -> list[Renewal]:
    day = desk.settings.day(as_of)
    return approvals_that_end(desk.store, day, lambda day: day + timedelta(days=within), patient_id)


def _rows(
    desk: Office, within: int, whose: str, as_of: date | None, patient_id: str | None = None
) -> list[tuple[AuthorizationCase, Clock]]:
    cases = [case for case in desk.store.authorization_cases(patient_id) if case.open]
    ahead = timedelta(days=within)
    return casefile.due_within(
        desk.store, cases, desk.case_days(as_of), lambda day: day + ahead, ours=whose == "ours"
    )


def _body(desk: Office, case: AuthorizationCase, as_of: date | None = None) -> dict[str, Any]:
    return casefile.body(desk.store, case, desk.case_days(as_of).of(case))


def _entry(desk: Office, by: str, on: date | None, patient_id: str) -> casefile.Entry:
    name = one_line(by)
    if not name:
        raise Invalid("by: say who enters it")
    return casefile.entry_of(desk.case_days(), name, on, patient_id)
