"""What the chart shows for an exception: that a drug which is asked for first is contraindicated, did harm or failed,
or that the patient is stable on the drug. Of the grounds that states name, those that a record can show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.appeals.reason_findings import leaves
from tools.appeals.records import Ground, GroundKind
from tools.domain.records import Alternative, Finding, Medication
from tools.domain.rules import AllOf, Trial
from tools.evidence.courses import matches
from tools.papers.case import Case
from tools.papers.formats import measure

STABLE_DAYS = 90
METFORMIN_EGFR = 30  # its label: contraindicated below; mL/min/1.73 m2


def unmet_steps(case: Case) -> tuple[Finding, ...]:
    """The criteria that fail by a treatment that is to come first."""
    return tuple(f for f in case.determination.findings if not f.exclusion and is_unmet_step(f, case))


def is_unmet_step(finding: Finding, case: Case) -> bool:
    """Would the criterion be met if what is to be tried first had been? Of several ways one of which is a trial, yes;
    where all parts are wanted, only if each that fails is such a one."""
    node = case.nodes.get(finding.criterion)
    if finding.status != "not_met" or node is None:
        return False
    if not finding.parts:
        return isinstance(node, Trial)
    failing = [part for part in finding.parts if part.status == "not_met"]
    steps = [is_unmet_step(part, case) for part in failing]
    return all(steps) if isinstance(node, AllOf) else any(steps)


def step_grounds(failing: Iterable[Finding], case: Case) -> tuple[Ground, ...]:
    """Why the drugs of these step criteria need not be tried first."""
    steps = [leaf for f in failing for leaf in leaves(case.nodes.get(f.criterion)) if isinstance(leaf, Trial)]
    found = [ground for step in steps for ground in _against(step, case)]
    if steps:
        found += _stable(case)
    return tuple(dict.fromkeys(found))


def _against(step: Trial, case: Case) -> Iterator[Ground]:
    yield from _allergies(step.drugs, step.classes, case)
    kidneys = case.newest("egfr")
    if kidneys and kidneys.value < METFORMIN_EGFR and "metformin" in (*step.drugs, step.label.casefold()):
        value = measure("egfr", kidneys.value)
        text = f"metformin is contraindicated: eGFR {value} on {kidneys.date}"
        yield Ground(kind="contraindicated", text=text, record_id=",".join(kidneys.record_ids))
    for course in _courses(step.drugs, step.classes, case):
        yield from _of_course(course, step, case)


def _of_course(course: Medication, step: Trial, case: Case) -> Iterator[Ground]:
    if (course.outcome or "").startswith("Intolerance"):
        yield _harmed(course)
    elif (course.outcome or "").startswith(("Inadequate", "Partial")):
        days = _days(course, case)
        daily = (course.dose or 0) * (course.per_day or 0)
        enough = step.min_daily_dose is None or daily >= step.min_daily_dose
        if days is not None and days >= step.min_days and enough:
            yield _failed(course, days)


def _stable(case: Case) -> Iterator[Ground]:
    """Treated with the very drug for a while, by prescription."""
    for course in case.patient.medications or ():
        same = course.drug.casefold() == case.drug.name.casefold()
        taken, days = (course.status, course.source) == ("active", "prescribed"), _days(course, case)
        if same and taken and (days or 0) >= STABLE_DAYS:
            text = f"stable on {case.drug.name} since {course.start} ({days} days)"
            yield Ground(kind="stable", text=text, record_id=course.id)


def formulary_grounds(case: Case) -> tuple[Ground, ...]:
    """Covered drugs for the same use that the chart shows to have failed or done harm."""
    found = (ground for name in covered_for_use(case) for ground in against_drug(name, case))
    return tuple(dict.fromkeys(found))


def covered_for_use(case: Case) -> tuple[str, ...]:
    """What else the plan covers for this use."""
    others = {name: b for name, b in case.plan.benefits.items() if b.covered and name != case.drug.name}
    return tuple(name for name, b in others.items() if not b.indications or case.indication in b.indications)


def fitting(alternatives: Iterable[Alternative], case: Case) -> tuple[Alternative, ...]:
    """Alternatives that the chart does not show to have failed or done harm."""
    return tuple(option for option in alternatives if not against_drug(option.drug, case))


def against_drug(name: str, case: Case) -> list[Ground]:
    """What the chart shows against this drug."""
    drugs = (name.casefold(),)
    found = list(_allergies(drugs, (), case))
    for course in _courses(drugs, (), case):
        outcome = course.outcome or "" if course.drug.casefold() in drugs else ""
        if outcome.startswith("Intolerance"):
            found.append(_harmed(course))
        elif outcome.startswith("Inadequate"):
            found.append(_failed(course, _days(course, case)))
    return found


def _allergies(drugs: tuple[str, ...], classes: tuple[str, ...], case: Case) -> Iterator[Ground]:
    for entry in case.patient.allergies or ():
        if matches(entry, drugs, classes, entry.substance):
            reaction = f" ({entry.reaction})" if entry.reaction else ""
            kind: GroundKind = "contraindicated" if entry.type == "allergy" else "harmed"
            yield Ground(kind=kind, text=f"{entry.type} to {entry.substance}{reaction}", record_id=entry.id)


def _courses(drugs: tuple[str, ...], classes: tuple[str, ...], case: Case) -> Iterator[Medication]:
    for course in case.patient.medications or ():
        if matches(course, drugs, classes, course.drug) and course.source != "sample":
            yield course


def _harmed(course: Medication) -> Ground:
    when = f", stopped on {course.end}" if course.end else ""
    reason = f": {course.reason}" if course.reason else ""
    return Ground(kind="harmed", text=f"{course.drug} was not tolerated{when}{reason}", record_id=course.id)


def _failed(course: Medication, days: int | None) -> Ground:
    long = f" for {days} days" if days is not None else ""
    text = f"{course.drug} was taken{long} with {(course.outcome or '').casefold()}"
    return Ground(kind="failed", text=text, record_id=course.id)


def _days(course: Medication, case: Case) -> int | None:
    end = course.end or (case.as_of if course.status == "active" else None)
    return (end - course.start).days if end and course.start else None
