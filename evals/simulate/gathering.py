"""What the office gathers for what is open: a lab, a statement, a paper, each of a drawn day and with a drawn result.

The truth is drawn, not the wish: most of what is asked for turns out in the patient's favour, some of it does not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from tools.domain.records import (
    Allergy,
    Attestation,
    Diagnosis,
    Document,
    Fill,
    Finding,
    Medication,
    Note,
    Observation,
    Program,
    Record,
)
from tools.domain.rules import (
    AllergyTo,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    NoneOf,
    Programme,
    Required,
    Specialist,
    Taking,
    Trial,
)
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
    if isinstance(node, AnyOf):
        open_ones = [child for child in node.children if _open(parts.get(child.id))]
        for child in sorted(open_ones, key=_ease)[:1]:
            yield from _for_node(child, parts.get(child.id, finding), case, draw, excluded)
    elif isinstance(node, AllOf | AtLeast | NoneOf):
        for child in node.children:
            if _open(parts.get(child.id)):
                none = excluded or isinstance(node, NoneOf)
                yield from _for_node(child, parts.get(child.id, finding), case, draw, none)
    else:
        good = draw.random() < (1 - RARE if excluded else FAVOURABLE)
        yield from _for_leaf(node, case, draw, good != excluded, good)


def _open(part: Finding | None) -> bool:
    return part is None or part.status == "unknown"


def _ease(node: Node) -> int:
    """What is got most easily comes first: a measurement, a statement, a history, a composite."""
    order: tuple[type, ...] = (Lab, Measured, Attested, Specialist, Condition, Programme, Trial, Intolerance)
    return order.index(type(node)) if type(node) in order else len(order)


def _for_leaf(node: Node, case: Case, draw: random.Random, present: bool, good: bool) -> Iterator[Coming]:
    """`present`: what the leaf names is so."""
    lab, word = _day(case, draw, _LAB_DAYS), _day(case, draw, _WORD_DAYS)
    by = case.patient.prescriber.name if case.patient.prescriber else "Prescriber"
    if isinstance(node, Lab):
        yield _measured(node.test, _value(node, present, draw), lab)
    elif isinstance(node, Measured):
        for test in node.tests:
            newest = case.newest(test)
            yield _measured(test, newest.value if newest else _USUAL.get(test, 100.0), lab)
    elif isinstance(node, Change):
        yield from _changed(node, case, draw, present, lab)
    elif isinstance(node, Attested):
        said = Attestation(id="", topic=node.topic, present=present, date=word, by=by)
        yield Coming(word, "attestations", said)
    elif isinstance(node, Specialist):
        said = Attestation(
            id="", topic="specialist_consult", present=present, date=word, by=by, specialty=node.specialties[0]
        )  # fmt: skip
        yield Coming(word, "attestations", said)
    elif isinstance(node, Condition) and (node.topic or not present):
        said = Attestation(
            id="", topic=node.topic or node.label, present=present, subjects=node.who, date=word, by=by
        )
        yield Coming(word, "attestations", said)
    elif isinstance(node, Condition):
        yield Coming(word, "conditions", Diagnosis(id="", code=node.codes[0], name=node.label, onset=word))
    elif isinstance(node, Programme):
        begun = node.min_duration.before(word) - timedelta(days=31 if present else -31)
        program = Program(id="", name="structured diet and exercise program", start=begun)
        yield Coming(word, "programs", program)
    elif isinstance(node, Trial | Intolerance) and node.drugs:
        yield _tried(node, case, word, good)
    elif isinstance(node, AllergyTo):
        yield Coming(word, "allergies", Allergy(id="", substance="penicillin", reaction="rash"))
    elif isinstance(node, Taking):
        taken = Medication(
            id="", drug="lisinopril", ingredients=("lisinopril",), classes=("acei_arb",), start=word, status="active"
        )  # fmt: skip
        yield Coming(word, "medications", taken)


_USUAL = {"height": 170.0, "weight": 98.0, "hba1c": 7.9, "egfr": 78.0, "bmi": 33.0}


def _value(leaf: Lab, present: bool, draw: random.Random) -> float:
    """On the side of the threshold that is drawn; stages are whole numbers."""
    above = (leaf.op in (">=", ">", "==")) == present
    if leaf.test == "fibrosis_stage":
        return leaf.value if present else leaf.value + (1 if above else -1)
    step = max(round(abs(leaf.value) * draw.uniform(0.02, 0.15), 1), 0.1)
    return round(leaf.value + (step if above else -step), 1)


def _changed(leaf: Change, case: Case, draw: random.Random, present: bool, day: date) -> Iterator[Coming]:
    start = case.therapy_start
    seen = case.patient.observations_by_test.get(leaf.test, [])
    before = [o for o in seen if o.date and start and o.date <= start]
    if not before:
        return
    base = max(before, key=lambda o: o.date or date.min)
    wanted = base.value * (leaf.percent or 0) / 100 if leaf.percent is not None else (leaf.amount or 0.0)
    fall = wanted * (draw.uniform(1.15, 2.0) if present else draw.uniform(0.1, 0.7))
    value = round(base.value - fall if leaf.direction == "fall" else base.value + fall, 1)
    now = Observation(id="", test=leaf.test, value=value, unit=base.unit, date=day, source="vital")
    yield Coming(day, "observations", now)


def _tried(leaf: Trial | Intolerance, case: Case, day: date, good: bool) -> Coming:
    """A course of which the papers of an earlier practice tell."""
    days = (leaf.min_days if isinstance(leaf, Trial) else 20) or 90
    ended = case.as_of - timedelta(days=45)
    taken = Medication(
        id="", drug=leaf.drugs[0], ingredients=(leaf.drugs[0],), dose=1000.0, dose_unit="mg", per_day=2.0,
        formulation=leaf.formulation,
        start=ended - timedelta(days=days + 20 if good else max(days - 40, 10)), end=ended,
        status="stopped",
        outcome="Intolerance - GI side effects" if isinstance(leaf, Intolerance) else "Inadequate response",
    )  # fmt: skip
    return Coming(day, "medications", taken)


def _measured(test: str, value: float, day: date) -> Coming:
    source = "vital" if test in ("weight", "height", "bmi") else "lab"
    seen = Observation(
        id="", test=test, value=value, unit=TESTS[test].unit, date=day, loinc=TESTS[test].loinc[0],
        source=source,  # type: ignore[arg-type]
    )  # fmt: skip
    return Coming(day, "observations", seen)


def _paper(wanted: Required, case: Case, draw: random.Random) -> Coming:
    day = _day(case, draw, _PAPER_DAYS)
    if wanted.of == "note":
        author = case.patient.prescriber.name if case.patient.prescriber else ""
        note = Note(id="", date=day, author=author, text=f"Visit about {case.drug.name}. Chart reviewed.")
        return Coming(day, "notes", note)
    if wanted.of == "lab" and wanted.test in TESTS:
        newest = case.newest(wanted.test)
        return _measured(wanted.test, newest.value if newest else _USUAL.get(wanted.test, 100.0), day)
    return Coming(day, "documents", Document(id="", title=wanted.text or wanted.of, of=wanted.of, date=day))


_PAPERS: dict[type, str] = {
    Observation: "lab", Program: "programme", Note: "note", Fill: "fills", Medication: "medication",
}  # fmt: skip


def paper_of(record: Record, today: date) -> Document | None:
    """The paper on which a record came; None for what the prescriber said or the office knew."""
    if isinstance(record, Document):
        return record
    of = _PAPERS.get(type(record))
    if of is None:
        return None
    about = record.test if isinstance(record, Observation) else getattr(record, "drug", "")
    day = getattr(record, "date", None) or today
    return Document(id="", title=f"Scan of {day}", of=of, about=about, date=day, status="signed")


def _day(case: Case, draw: random.Random, days: tuple[int, int]) -> date:
    return case.as_of + timedelta(days=draw.randint(*days))
