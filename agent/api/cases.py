"""Cases: list, open, read, enter what happened; what is due, as JSON and as a calendar; approvals that end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from agent import case_desk
from agent.api import wire
from agent.api.office import Office, office
from agent.case_calendar import calendar
from agent.desk import now
from agent.settings import BIGGEST
from tools.common.errors import Invalid, NotFound, nearest
from tools.common.printable import one_line
from tools.domain.records import Kind
from tools.domain.records import Request as DrugRequest
from tools.lifecycle.records import Ask, AuthorizationCase, CaseEvent, Facts, What
from tools.lifecycle.renewals import Renewal
from tools.lifecycle.running import Clock
from tools.lifecycle.states import STATES

router = APIRouter(prefix="/api", tags=["cases"])


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


@router.get("/cases", summary="Cases, the one whose clock ends first at the top",
            responses=wire.gives(wire.many(CaseView), "The cases, without their events."))  # fmt: skip
async def cases(
    request: Request,
    patient_id: str | None = Query(None),
    state: str = Query("", description="Only in this state", examples=["denied"]),
    late: bool = Query(False, description="Only with a clock that has run out"),
    closed: bool = Query(False, description="Closed ones as well"),
    as_of: date | None = Query(
        None, description="Default: today; the day of its world for a chart that was made"
    ),
    limit: int = Query(50, ge=1, le=500),
    offset: int = Query(0, ge=0, le=BIGGEST),
) -> Response:
    if state and state not in STATES:
        raise NotFound("state", state, nearest(state, STATES), f"there are {', '.join(STATES)}")
    desk = office(request)
    days = _days(desk, as_of)

    def look() -> Response:
        found = [
            case
            for case in desk.store.authorization_cases(patient_id)
            if (closed or case.open or state == "closed") and state in ("", case.state)
        ]
        first: dict[int, Clock] = {}
        for case, clock in case_desk.due(desk.store, found, days):
            first.setdefault(case.id, clock)
        if late:
            found = [case for case in found if case.id in first and first[case.id].late]
        found.sort(key=lambda case: ((c.due if (c := first.get(case.id)) else None) or date.max, case.id))
        page = found[offset : offset + limit]
        return wire.answer([case_desk.body(desk.store, case, days.of(case), events=False) for case in page])

    return await run_in_threadpool(look)


@router.post("/cases", summary="Open a case; the same draft, or the same matter by hand, finds the case that is open",
             responses=wire.gives(CaseView, "The case."),
             openapi_extra=wire.takes(Opening, {"by": "R. Lee, CPhT", "draft_id": 1}))  # fmt: skip
async def open_case(request: Request) -> Response:
    given, desk = await wire.body(request, Opening), office(request)
    if (given.draft_id is None) == (not (given.patient_id and given.drug)):
        raise Invalid("give draft_id, or patient_id and drug; not both")
    whose = given.patient_id or desk.store.draft(given.draft_id or 0).patient_id
    entry = _entry(desk, given.by, given.on, whose)

    def begin() -> AuthorizationCase:
        if given.draft_id is not None:
            return case_desk.open_from_draft(desk.store, given.draft_id, entry).case
        asked = DrugRequest(drug=given.drug, indication=given.indication, kind=given.kind)
        return case_desk.open_by_hand(
            desk.store, given.patient_id, asked, given.ask, entry, plan_id=given.plan_id
        ).case

    return wire.answer(_body(desk, await run_in_threadpool(begin)))


@router.get("/cases/{case_id}", summary="One case with its clocks and all that happened",
            responses=wire.gives(CaseView, "The case."))  # fmt: skip
async def case(
    request: Request,
    case_id: wire.DraftNumber,
    as_of: date | None = Query(
        None, description="Default: today; the day of its world for a chart that was made"
    ),
) -> Response:
    desk = office(request)
    return wire.answer(_body(desk, desk.store.authorization_case(case_id), as_of))


@router.get("/cases/{case_id}/events", summary="What happened to a case, in order; undone entries too",
            responses=wire.gives(wire.many(CaseEvent), "The entries."))  # fmt: skip
async def events(request: Request, case_id: wire.DraftNumber) -> Response:
    return wire.answer(list(office(request).store.authorization_case(case_id).events))


@router.post("/cases/{case_id}/events", summary="Enter what happened; 409 names what is possible where it is not",
             responses=wire.gives(CaseView, "The case as it is now; nothing is sent."),
             openapi_extra=wire.takes(Entering, {
                 "what": "denied", "by": "R. Lee, CPhT", "on": "2026-09-01",
                 "facts": {"notice": {"dated": "2026-09-01", "reasons": ["step_therapy"], "deadline": "2026-12-01"}},
             }))  # fmt: skip
async def enter(request: Request, case_id: wire.DraftNumber) -> Response:
    given, desk = await wire.body(request, Entering), office(request)
    if given.what == "opened":
        raise Invalid("a case is opened by POST /api/cases")
    entry = _entry(desk, given.by, given.on, desk.store.authorization_case(case_id).head.patient_id)

    def write() -> AuthorizationCase:
        if given.what == "reviewed":
            kept = case_desk.review(
                desk.store, case_id, entry, draft_id=given.draft_id, why=one_line(given.why)
            )
        else:
            kept = case_desk.record(
                desk.store,
                case_id,
                given.what,
                entry,
                at=given.at,
                why=one_line(given.why),
                facts=given.facts,
            )
        return kept.case

    return wire.answer(_body(desk, await run_in_threadpool(write)))


@router.get("/due", summary="What must happen by when, over all open cases",
            responses=wire.gives(wire.many(Due), "The clocks, the earliest first."))  # fmt: skip
async def due(
    request: Request,
    within: int = Query(7, ge=0, le=3660, description="Days ahead"),
    whose: Literal["all", "ours"] = Query("all", description="`ours` leaves out what the payer owes"),
    patient_id: str | None = Query(None),
    as_of: date | None = Query(
        None, description="Default: today; the day of its world for a chart that was made"
    ),
) -> Response:
    desk = office(request)
    rows = await run_in_threadpool(_rows, desk, _days(desk, as_of), within, whose, patient_id)
    return wire.answer([case_desk.due_body(case, clock) for case, clock in rows])


@router.get("/due.ics", summary="The same as a calendar; entries keep their UIDs",
            responses=wire.gives({"type": "string"}, "iCalendar.", media="text/calendar"))  # fmt: skip
async def due_calendar(
    request: Request,
    within: int = Query(60, ge=0, le=3660, description="Days ahead"),
    whose: Literal["all", "ours"] = Query("all"),
    names: bool = Query(False, description="Name patients and drugs: calendars travel"),
    as_of: date | None = Query(
        None, description="Default: today; the day of its world for a chart that was made"
    ),
) -> Response:
    desk = office(request)
    rows = await run_in_threadpool(_rows, desk, _days(desk, as_of), within, whose, None)
    return Response(calendar(rows, names=names), media_type="text/calendar; charset=utf-8")


@router.get("/renewals", summary="Approvals that end, and whether today's record will renew them",
            responses=wire.gives(wire.many(Renewal), "The renewals, the most urgent first."))  # fmt: skip
async def renewals(
    request: Request,
    within: int = Query(60, ge=0, le=366, description="Days ahead"),
    patient_id: str = Query(""),
    as_of: date | None = Query(
        None, description="Default: today; the day of its world for a chart that was made"
    ),
) -> Response:
    from agent.renewal_desk import renewals as look

    desk = office(request)
    day = desk.settings.day(as_of)
    return wire.answer(
        await run_in_threadpool(look, desk.store, day, lambda day: day + timedelta(days=within), patient_id)
    )


def _rows(
    desk: Office, days: case_desk.CaseDays, within: int, whose: str, patient_id: str | None
) -> list[tuple[AuthorizationCase, Clock]]:
    cases = [case for case in desk.store.authorization_cases(patient_id) if case.open]
    ahead = timedelta(days=within)
    return [
        (case, clock)
        for case, clock in case_desk.due(desk.store, cases, days)
        if (clock.due is None or clock.due <= days.of(case) + ahead) and (clock.ours or whose == "all")
    ]


def _days(desk: Office, as_of: date | None = None) -> case_desk.CaseDays:
    return case_desk.CaseDays(desk.store, desk.settings.day(as_of))


def _body(desk: Office, case: AuthorizationCase, as_of: date | None = None) -> dict[str, Any]:
    return case_desk.body(desk.store, case, _days(desk, as_of).of(case))


def _entry(desk: Office, by: str, on: date | None, patient_id: str) -> case_desk.Entry:
    name = one_line(by)
    if not name:
        raise Invalid("by: say who enters it")
    judged = _days(desk).of_patient(patient_id)
    return case_desk.Entry(name, case_desk.checked_day(on, judged), now())
