"""Which plans a patient is in on a day: an enrolment holds on its first and on its last day."""

from __future__ import annotations

from datetime import date

from tools.records import Coverage, Evidence, Finding, Patient, Plan


def active_coverage(patient: Patient, plan_id: str, as_of: date) -> Coverage | None:
    """The enrolment in this plan that holds on the day; first and last day included."""
    for period in patient.coverages:
        if period.plan_id == plan_id and _holds(period, as_of):
            return period
    return None


def plans_on(patient: Patient, as_of: date) -> list[str]:
    """Plans in which the patient is enrolled on the day."""
    return [period.plan_id for period in patient.coverages if _holds(period, as_of)]


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
    detail = f"not enrolled in {plan.id}"
    if periods:
        last = periods[-1]
        ended = last.end is not None and last.end < as_of
        detail = f"{plan.id} ended {last.end}" if ended else f"{plan.id} begins {last.start}"
    now = plans_on(patient, as_of)
    fix = f"Check again under {' or '.join(now)}" if now else "Find out which plan covers the patient"
    return Finding(
        criterion="eligibility",
        kind="eligibility",
        status="not_met",
        text=f"enrolled in {plan.id} on {as_of}",
        evidence=seen,
        detail=detail,
        fix=fix,
    )


def _holds(period: Coverage, as_of: date) -> bool:
    return (period.start is None or period.start <= as_of) and (period.end is None or as_of <= period.end)
