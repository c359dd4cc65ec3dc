"""What the office gathers for what is open: a lab, a statement, a paper, each of a drawn day and with a drawn result.

The truth is drawn, not the wish: most of what is asked for turns out in the patient's favour, some of it does not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from tools.domain import records, rules
from tools.domain.records import Finding, Record
from tools.domain.rules import Node
from tools.papers.attachments import attachments
from tools.papers.case import Case
from tools.terminology.observations import TESTS

FAVOURABLE = 0.88
RARE = 0.02  # of what an exclusion asks about
_LAB_DAYS, _WORD_DAYS, _PAPER_DAYS = (2, 12), (1, 6), (1, 10)


class Coming(NamedTuple):
    """A record that comes into the chart on a day: which list, and the record."""

    on: date
    part: str
    record: Record


def gathering(case: Case, draw: random.Random) -> list[Coming]:
    """Everything that is asked for today, each thing once."""
    found: list[Coming] = []
    for finding in case.determination.findings:
        node = case.nodes.get(finding.criterion)
        if finding.status == "unknown" and node is not None:
            found += _for_node(node, finding, case, draw, excluded=finding.exclusion)
    if not found and case.rule is not None:
        papers = {paper.clause_id: paper for paper in case.rule.documents}
        for wanted in attachments(case):
            if not wanted.record_id and wanted.clause_id in papers:
                found.append(_paper(papers[wanted.clause_id], case, draw))
    return found


def _for_node(
    node: Node, finding: Finding, case: Case, draw: random.Random, excluded: bool
) -> Iterator[Coming]:
    parts = {part.criterion: part for part in finding.parts}
    if isinstance(node, rules.AnyOf | rules.AllOf | rules.AtLeast | rules.NoneOf):
        settled = {criterion for criterion, part in parts.items() if part.status != "unknown"}
        wanted = [child for child in node.children if child.id not in settled]
        if isinstance(node, rules.AnyOf):
            wanted = sorted(wanted, key=_ease)[:1]
        for child in wanted:
            none = excluded or isinstance(node, rules.NoneOf)
            yield from _for_node(child, parts.get(child.id, finding), case, draw, none)
    else:
        good = draw.random() < (1 - RARE if excluded else FAVOURABLE)
        yield from _for_leaf(node, case, draw, good != excluded, good)


_EASE: tuple[type, ...] = (
    rules.Lab, rules.Measured, rules.Attested, rules.Specialist, rules.Condition, rules.Programme, rules.Trial,
    rules.Intolerance,
)  # fmt: skip


def _ease(node: Node) -> int:
    """What is got most easily comes first: a measurement, a statement, a history, a composite."""
    return _EASE.index(type(node)) if type(node) in _EASE else len(_EASE)


def _for_leaf(node: Node, case: Case, draw: random.Random, present: bool, good: bool) -> Iterator[Coming]:
    """`present`: what the leaf names is so."""
    lab, word = _day(case, draw, _LAB_DAYS), _day(case, draw, _WORD_DAYS)
    by = case.patient.prescriber.name if case.patient.prescriber else "Prescriber"
    said = partial(records.Attestation, id="", present=present, date=word, by=by)
    match node:
        case rules.Lab():
            yield _measured(node.test, _value(node, present, draw), lab)
        case rules.Measured():
            yield from (_usual(test, case, lab) for test in node.tests)
        case rules.Change():
            yield from _changed(node, case, draw, present, lab)
        case rules.Attested():
            yield Coming(word, "attestations", said(topic=node.topic))
        case rules.Specialist():
            consulted = said(topic="specialist_consult", specialty=node.specialties[0])
            yield Coming(word, "attestations", consulted)
        case rules.Condition() if node.topic or not present:
            yield Coming(word, "attestations", said(topic=node.topic or node.label, subjects=node.who))
        case rules.Condition():
            coded = records.Diagnosis(id="", code=node.codes[0], name=node.label, onset=word)
            yield Coming(word, "conditions", coded)
        case rules.Programme():
            begun = node.min_duration.before(word) - timedelta(days=31 if present else -31)
            program = records.Program(id="", name="structured diet and exercise program", start=begun)
            yield Coming(word, "programs", program)
        case rules.Trial() | rules.Intolerance() if node.drugs:
            yield _tried(node, case, word, good)
        case rules.AllergyTo():
            rash = records.Allergy(id="", substance="penicillin", reaction="rash")
            yield Coming(word, "allergies", rash)
        case rules.Taking():
            taken = records.Medication(
                id="", drug="lisinopril", ingredients=("lisinopril",), classes=("acei_arb",), start=word,
                status="active",
            )  # fmt: skip
            yield Coming(word, "medications", taken)


_USUAL = {"height": 170.0, "weight": 98.0, "hba1c": 7.9, "egfr": 78.0, "bmi": 33.0}


def _value(leaf: rules.Lab, present: bool, draw: random.Random) -> float:
    """On the side of the threshold that is drawn; stages are whole numbers."""
    above = (leaf.op in (">=", ">", "==")) == present
    if leaf.test == "fibrosis_stage":
        return leaf.value if present else leaf.value + (1 if above else -1)
    step = max(round(abs(leaf.value) * draw.uniform(0.02, 0.15), 1), 0.1)
    return round(leaf.value + (step if above else -step), 1)


def _changed(node: rules.Change, case: Case, draw: random.Random, present: bool, day: date) -> list[Coming]:
    start = case.therapy_start
    seen = case.patient.observations_by_test.get(node.test, [])
    before = [o for o in seen if o.date and start and o.date <= start]
    if not before:
        return []
    base = max(before, key=lambda o: o.date or date.min)
    wanted = base.value * (node.percent or 0) / 100 if node.percent is not None else (node.amount or 0.0)
    fall = wanted * (draw.uniform(1.15, 2.0) if present else draw.uniform(0.1, 0.7))
    value = round(base.value - fall if node.direction == "fall" else base.value + fall, 1)
    now = records.Observation(id="", test=node.test, value=value, unit=base.unit, date=day, source="vital")
    return [Coming(day, "observations", now)]


def _tried(leaf: rules.Trial | rules.Intolerance, case: Case, day: date, good: bool) -> Coming:
    """A course of which the papers of an earlier practice tell."""
    days = (leaf.min_days if isinstance(leaf, rules.Trial) else 20) or 90
    ended = case.as_of - timedelta(days=45)
    taken = records.Medication(
        id="", drug=leaf.drugs[0], ingredients=(leaf.drugs[0],), dose=1000.0, dose_unit="mg", per_day=2.0,
        formulation=leaf.formulation,
        start=ended - timedelta(days=days + 20 if good else max(days - 40, 10)), end=ended,
        status="stopped",
        outcome="Intolerance - GI side effects" if isinstance(leaf, rules.Intolerance) else "Inadequate response",
    )  # fmt: skip
    return Coming(day, "medications", taken)


def _usual(test: str, case: Case, day: date) -> Coming:
    """The newest value again, or a usual one."""
    newest = case.newest(test)
    return _measured(test, newest.value if newest else _USUAL.get(test, 100.0), day)


def _measured(test: str, value: float, day: date) -> Coming:
    source = "vital" if test in ("weight", "height", "bmi") else "lab"
    seen = records.Observation(
        id="", test=test, value=value, unit=TESTS[test].unit, date=day, loinc=TESTS[test].loinc[0],
        source=source,  # type: ignore[arg-type]
    )  # fmt: skip
    return Coming(day, "observations", seen)


def _paper(wanted: rules.Required, case: Case, draw: random.Random) -> Coming:
    day = _day(case, draw, _PAPER_DAYS)
    if wanted.of == "note":
        author = case.patient.prescriber.name if case.patient.prescriber else ""
        text = f"Visit about {case.drug.name}. Chart reviewed."
        return Coming(day, "notes", records.Note(id="", date=day, author=author, text=text))
    if wanted.of == "lab" and wanted.test in TESTS:
        return _usual(wanted.test, case, day)
    document = records.Document(id="", title=wanted.text or wanted.of, of=wanted.of, date=day)
    return Coming(day, "documents", document)


_PAPERS: dict[type, str] = {
    records.Observation: "lab", records.Program: "programme", records.Note: "note", records.Fill: "fills",
    records.Medication: "medication",
}  # fmt: skip


def paper_of(record: Record, today: date) -> records.Document | None:
    """The paper on which a record came; None for what the prescriber said or the office knew."""
    if isinstance(record, records.Document):
        return record
    of = _PAPERS.get(type(record))
    if of is None:
        return None
    about = record.test if isinstance(record, records.Observation) else getattr(record, "drug", "")
    day = getattr(record, "date", None) or today
    return records.Document(id="", title=f"Scan of {day}", of=of, about=about, date=day, status="signed")


def _day(case: Case, draw: random.Random, days: tuple[int, int]) -> date:
    return case.as_of + timedelta(days=draw.randint(*days))
