"""Which plans a patient is in on a day: an enrolment holds on its first and on its last day."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from tools.domain.records import Coverage, Evidence, Finding, Patient, Plan
from tools.messages import Message, action, iso, message, render


def active_coverage(patient: Patient, plan_id: str, as_of: date) -> Coverage | None:
    """The enrolment in this plan that holds on the day; first and last day included."""
    for period in patient.coverages:
        if period.plan_id == plan_id and _holds(period, as_of):
            return period
    return None


def plans_on(patient: Patient, as_of: date) -> list[str]:
    """Plans in which the patient is enrolled on the day."""
    return [period.plan_id for period in patient.coverages if _holds(period, as_of)]


def successor(patient: Patient, plan_id: str, as_of: date) -> str:
    """The only plan that holds on the day, where this one does not; empty if this one holds, none or several do."""
    now = plans_on(patient, as_of)
    return now[0] if len(now) == 1 and plan_id not in now else ""


def eligibility_finding(patient: Patient, plan: Plan, as_of: date) -> Finding:
    """What shows that the patient is not in the plan on the day."""
    periods = [period for period in patient.coverages if period.plan_id == plan.id]
    seen = tuple(
        Evidence(
            record_id=period.id,
            kind="coverage",
            value=f"{period.plan_id}, {period.start or '?'} to {period.end or 'open'}",
            date=period.end or period.start,
        )
        for period in patient.coverages
    )
    found = message("plan.not_enrolled", plan=plan.id)
    if periods:
        last = periods[-1]
        found = message("plan.begins", plan=plan.id, day=iso(last.start))
        if last.end is not None and last.end < as_of:
            found = message("plan.ended", plan=plan.id, day=iso(last.end))
    now = plans_on(patient, as_of)
    enrolled = _enrolled(plan.id, as_of)
    return Finding(
        criterion="eligibility",
        kind="eligibility",
        status="not_met",
        text=render(enrolled),
        asks=enrolled,
        evidence=seen,
        found=found,
        action=action("check_under", plans=tuple(now)) if now else action("find_plan"),
    )


@lru_cache(maxsize=1024)
def _enrolled(plan_id: str, as_of: date) -> Message:
    return message("plan.enrolled", plan=plan_id, day=iso(as_of))


def _holds(period: Coverage, as_of: date) -> bool:
    return (period.start is None or period.start <= as_of) and (period.end is None or as_of <= period.end)
