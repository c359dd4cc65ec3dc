"""The documents that a rule wants beside the answers, and the records that fulfil them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from tools.criteria import Ready, asked_by, clause_of
from tools.evidence.courses import matches
from tools.evidence.judge import BARE, Judge, Shown
from tools.records import (
    Document,
    Evidence,
    Fill,
    Finding,
    Medication,
    Note,
    Observation,
    Procedure,
    Program,
    Request,
)
from tools.rules import Required, Rule
from tools.terms import TESTS


def document(paper: Required, judge: Judge, findings: Sequence[Finding]) -> Finding | None:
    """The finding on one required document; None where the case does not rely on `for_criterion`: it is met in
    another way, or is no criterion of the renewal that is asked for."""
    if paper.for_criterion and not _relies_on(paper.for_criterion, findings):
        return None
    found = _on_file(paper, judge)
    good = found.shown is True
    return Finding(
        criterion=paper.id,
        status="met" if good else "unknown",
        text=paper.text or paper.id,
        clause=clause_of(paper, judge.policy_id),
        evidence=found.records,
        detail=found.detail,
        reason=found.reason,
        fix=None if good else f"Attach {paper.text or paper.id}",
    )


def wanted_papers(rule: Rule, judge: Judge) -> Iterator[Required]:
    """The papers that the case needs, as `document` has it, without their findings."""
    for paper in rule.documents:
        if not paper.for_criterion:
            yield paper
            continue
        relied_on = _criterion(paper, rule, judge.request)
        if relied_on is not None and relied_on.status(judge) == "met":
            yield paper


def is_on_file(paper: Required, judge: Judge) -> bool:
    """Does the chart have it?"""
    return _on_file(paper, judge).shown is True


def asked_for(paper: Required) -> object:
    """What the paper asks, one object for all that ask the same; by it a judge knows the answer."""
    asked = paper.__dict__.get("asked")
    if asked is None:
        asked = paper.__dict__["asked"] = _asked(paper.of, paper.test, paper.drugs, paper.within_days)
    return asked


def _on_file(paper: Required, judge: Judge) -> Shown:
    """What the chart has of it. Many rules want the same papers, so the answer stays with the day."""
    asked = asked_for(paper)
    known = judge.answers.get(asked)
    if known is None:
        known = judge.answers[asked] = _look_up(paper, judge)
    return known


@lru_cache(maxsize=4096)
def _asked(*what: object) -> object:
    """One object for all papers that ask the same."""
    return object()


def _look_up(paper: Required, judge: Judge) -> Shown:
    first = judge.as_of - timedelta(days=paper.within_days) if paper.within_days is not None else date.min
    past = [item for item in _candidates(paper, judge) if item[0] is None or item[0] <= judge.as_of]
    good = [item for item in past if item[0] is not None and item[0] >= first]
    if judge.brief:
        return BARE[True if good else None]
    shown = good if paper.of == "fills" and good else _newest(good or past)
    records = tuple([_as_evidence(item, day) for day, item in shown])
    if good:
        return Shown(True, records, "on file")
    if past:
        return Shown(None, records, "too old", "stale")
    void = judge.values(paper.test).rejected if paper.of == "lab" and paper.test in TESTS else ()
    if void:
        records = tuple([item.evidence for item in void])
        return Shown(None, records, f"no valid entry: {void[0].evidence.note}", void[0].reason)
    return Shown(None, (), "not on file", "missing")


_Paper = tuple[date | None, Any]  # when it is from, and the record
_TELLS: dict[type, Callable[[Any], tuple[str, str]]] = {
    Document: lambda item: ("document", item.title),
    Note: lambda item: ("note", item.type),
    Fill: lambda item: ("fill", f"{item.drug}, {item.days_supply} days"),
    Program: lambda item: ("program", item.name or item.type),
    Procedure: lambda item: ("procedure", item.name),
    Medication: lambda item: ("medication", item.drug),
}


def _newest(papers: list[_Paper]) -> list[_Paper]:
    return [max(papers, key=lambda item: item[0] or date.min)] if papers else []


def _as_evidence(item: Any, day: date | None) -> Evidence:
    """The record as evidence of a document; what goes on is shown with the day on which it began."""
    if isinstance(item, Program | Medication):
        day = item.end or item.start
    if isinstance(item, Observation):
        return Evidence(record_id=item.id, kind=item.test, value=item.value, unit=item.unit, date=day)
    kind, value = _TELLS[type(item)](item)
    return Evidence(record_id=item.id, kind=kind, value=value, date=day)


def _relies_on(criterion: str, findings: Iterable[Finding]) -> bool:
    for finding in findings:
        if finding.criterion == criterion:
            return finding.status == "met"
        if finding.parts and any(part.criterion == criterion for part in walk(finding.parts)):
            return _relies_on(criterion, finding.parts)
    return False


def _criterion(paper: Required, rule: Rule, request: Request) -> Ready | None:
    """The first criterion or exclusion of that name, outer ones before their parts."""
    place = "renewing" if request.kind == "renewal" else "beginning"
    known: dict[str, Ready] | None = rule.__dict__.get(place)
    if known is None:
        known = rule.__dict__[place] = {}
        criteria, exclusions = asked_by(rule, request)
        for ready in _every((*criteria, *exclusions)):
            known.setdefault(ready.criterion, ready)
    return known.get(paper.for_criterion)


def _every(nodes: Iterable[Ready]) -> Iterator[Ready]:
    for ready in nodes:
        yield ready
        yield from _every(ready.children)


def walk(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Findings and all their parts, outer first."""
    for finding in findings:
        yield finding
        yield from walk(finding.parts)


def _candidates(paper: Required, judge: Judge) -> list[_Paper]:
    """The records that can be the paper, each with its day. A value that is no evidence is no report of one."""
    patient = judge.patient
    found: list[_Paper] = [(item.date, item) for item in patient.documents if item.of == paper.of]
    if paper.of == "note":
        found += [(note.date, note) for note in patient.notes]
    elif paper.of == "lab":
        values = judge.values(paper.test).usable if paper.test in TESTS else ()
        found += [(value.date, value.seen[0]) for value in values if not value.derived]
    elif paper.of == "fills":
        fills = patient.fills
        found += [(f.date, f) for f in fills if not paper.drugs or matches(f, paper.drugs, (), f.drug)]
    elif paper.of == "programme":
        found += [(_last_day(item, item.end is None, judge.as_of), item) for item in patient.programs]
    elif paper.of == "study":
        done = patient.procedures
        found += [(item.date, item) for item in done if not paper.test or paper.test in item.name.casefold()]
    elif paper.of == "medication":
        taken = patient.medications or ()
        found += [
            (_last_day(entry, entry.end is None and entry.status == "active", judge.as_of), entry)
            for entry in taken
            if matches(entry, paper.drugs, (), entry.drug)
        ]
    return found


def _last_day(item: Program | Medication, ongoing: bool, as_of: date) -> date | None:
    """What has begun and goes on is of today."""
    begun = item.start is not None and item.start <= as_of
    if begun and (ongoing or (item.end is not None and item.end > as_of)):
        return as_of
    return item.end or item.start
