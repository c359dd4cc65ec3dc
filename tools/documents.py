"""The documents that a rule wants beside the answers, and the records that fulfil them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from tools.courses import matches
from tools.criteria import clause_of
from tools.judge import Judge
from tools.records import Evidence, Finding, Patient
from tools.rules import Required


def document(paper: Required, judge: Judge, findings: Sequence[Finding]) -> Finding | None:
    """The finding on one required document; None where the case does not need it (`for_criterion` is met
    in another way)."""
    if paper.for_criterion and not _relies_on(paper.for_criterion, findings):
        return None
    first = judge.as_of - timedelta(days=paper.within_days) if paper.within_days is not None else date.min
    dated = sorted(_candidates(paper, judge.patient), key=lambda item: item.date or date.min, reverse=True)
    usable = [item for item in dated if item.date is None or item.date <= judge.as_of]
    good = [item for item in usable if item.date is not None and item.date >= first]
    old = bool(usable) and not good
    window = f" dated within {paper.within_days} days" if paper.within_days is not None else ""
    return Finding(
        criterion=paper.id,
        status="met" if good else "unknown",
        text=paper.text or paper.id,
        clause=clause_of(paper, judge.policy_id),
        evidence=tuple(good[:1] if paper.of != "fills" else good) or tuple(usable[:1]),
        detail="on file" if good else "too old" if old else "not on file",
        reason=None if good else "stale" if old else "missing",
        fix=None if good else f"Attach {paper.text or paper.id}{'' if window in paper.text else window}",
    )


def _relies_on(criterion: str, findings: Iterable[Finding]) -> bool:
    for finding in findings:
        if finding.criterion == criterion:
            return finding.status == "met"
        if finding.parts and any(part.criterion == criterion for part in walk(finding.parts)):
            return _relies_on(criterion, finding.parts)
    return True


def walk(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Findings and all their parts, outer first."""
    for finding in findings:
        yield finding
        yield from walk(finding.parts)


def _candidates(paper: Required, patient: Patient) -> list[Evidence]:
    found = [
        Evidence(record_id=item.id, kind="document", value=item.title, date=item.date)
        for item in patient.documents
        if item.of == paper.of
    ]
    if paper.of == "note":
        found += [
            Evidence(record_id=note.id, kind="note", value=note.type, date=note.date)
            for note in patient.notes
        ]
    elif paper.of == "lab":
        found += [
            Evidence(record_id=item.id, kind=item.test, value=item.value, unit=item.unit, date=item.date)
            for item in patient.observations_by_test.get(paper.test, ())
        ]
    elif paper.of == "fills":
        found += [
            Evidence(
                record_id=fill.id, kind="fill", value=f"{fill.drug}, {fill.days_supply} days", date=fill.date
            )
            for fill in patient.fills
            if not paper.drugs or matches(fill, paper.drugs, paper.drugs, fill.drug)
        ]
    elif paper.of == "programme":
        found += [
            Evidence(
                record_id=item.id, kind="program", value=item.name or item.type, date=item.end or item.start
            )
            for item in patient.programs
        ]
    elif paper.of == "study":
        found += [
            Evidence(record_id=item.id, kind="procedure", value=item.name, date=item.date)
            for item in patient.procedures
            if not paper.test or paper.test in item.name.casefold()
        ]
    elif paper.of == "medication":
        found += [
            Evidence(record_id=entry.id, kind="medication", value=entry.drug, date=entry.end or entry.start)
            for entry in patient.medications or ()
            if matches(entry, paper.drugs, paper.drugs, entry.drug)
        ]
    return found
