"""The documents that a rule wants beside the answers, and the records that fulfil them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

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
    past = [
        item for item in _candidates(paper, judge.patient) if item.date is None or item.date <= judge.as_of
    ]
    good = [item for item in past if item.date is not None and item.date >= first]
    shown = good if paper.of == "fills" and good else _newest(good or past)
    window = f" dated within {paper.within_days} days" if paper.within_days is not None else ""
    return Finding(
        criterion=paper.id,
        status="met" if good else "unknown",
        text=paper.text or paper.id,
        clause=clause_of(paper, judge.policy_id),
        evidence=tuple(
            Evidence(record_id=i.id, kind=i.kind, value=i.value, unit=i.unit, date=i.date) for i in shown
        ),
        detail="on file" if good else "too old" if past else "not on file",
        reason=None if good else "stale" if past else "missing",
        fix=None if good else f"Attach {paper.text or paper.id}{'' if window in paper.text else window}",
    )


class _Paper(NamedTuple):
    """A record that could fulfil a requirement."""

    id: str
    kind: str
    value: str | float
    date: date | None
    unit: str | None = None


def _newest(papers: list[_Paper]) -> list[_Paper]:
    return [max(papers, key=lambda item: item.date or date.min)] if papers else []


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


def _candidates(paper: Required, patient: Patient) -> list[_Paper]:
    found = [
        _Paper(item.id, "document", item.title, item.date)
        for item in patient.documents
        if item.of == paper.of
    ]
    if paper.of == "note":
        found += [_Paper(note.id, "note", note.type, note.date) for note in patient.notes]
    elif paper.of == "lab":
        results = patient.observations_by_test.get(paper.test, ())
        found += [_Paper(item.id, item.test, item.value, item.date, item.unit) for item in results]
    elif paper.of == "fills":
        found += [
            _Paper(fill.id, "fill", f"{fill.drug}, {fill.days_supply} days", fill.date)
            for fill in patient.fills
            if not paper.drugs or matches(fill, paper.drugs, (), fill.drug)
        ]
    elif paper.of == "programme":
        found += [
            _Paper(item.id, "program", item.name or item.type, item.end or item.start)
            for item in patient.programs
        ]
    elif paper.of == "study":
        found += [
            _Paper(item.id, "procedure", item.name, item.date)
            for item in patient.procedures
            if not paper.test or paper.test in item.name.casefold()
        ]
    elif paper.of == "medication":
        found += [
            _Paper(entry.id, "medication", entry.drug, entry.end or entry.start)
            for entry in patient.medications or ()
            if matches(entry, paper.drugs, (), entry.drug)
        ]
    return found
