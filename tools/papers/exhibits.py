"""The records that an appeal rests on, each as the chart has it: what is enclosed, and what the packet shows
of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from tools.domain.records import (
    Allergy,
    Attestation,
    Coverage,
    Diagnosis,
    Document,
    Fill,
    Finding,
    Medication,
    Note,
    Observation,
    Order,
    Procedure,
    Program,
    Record,
)
from tools.engine.documents import walk
from tools.evidence.measurements import canonical
from tools.papers import formats
from tools.papers.case import Case
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS


class Exhibit(Record, frozen=True, kw_only=True):
    """One enclosure: what it is, the records that it holds, and their words, one line each."""

    label: str
    record_ids: tuple[str, ...]
    lines: tuple[str, ...]
    day: date | None = None


_PARTS = ("orders", "conditions", "observations", "medications", "fills", "allergies", "programs", "procedures",
          "attestations", "notes", "documents", "coverages")  # fmt: skip


_LISTS = ("conditions", "medications", "allergies")  # whole lists, which show what is not on them


def exhibits(case: Case, findings: Iterable[Finding], also: Iterable[str] = ()) -> tuple[Exhibit, ...]:
    """What shows these findings, and records beside them, by kind and in the order of a chart; a branch that
    does not decide is left out."""
    wanted = {e.record_id for f in _deciding(findings) for e in f.evidence} | set(also)
    found = [
        record
        for part in _PARTS
        for record in getattr(case.patient, part) or ()
        if record.id in wanted or (part in _LISTS and part in wanted)
    ]
    empty = [part for part in _LISTS if part in wanted and getattr(case.patient, part) == ()]
    return (
        *_by_kind(found),
        *(Exhibit(label=_NAMES[part], record_ids=(part,), lines=("none",)) for part in empty),
    )


_NAMES = {"conditions": "Problem list", "medications": "Medication list", "allergies": "Allergy list"}


def _deciding(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        parts = [part for part in finding.parts if part.status == finding.status]
        if parts:
            yield from _deciding(parts)
        else:
            yield finding


def evidence_of(findings: Iterable[Finding]) -> frozenset[str]:
    """The ids of all records behind these findings."""
    return frozenset(e.record_id for f in walk(findings) for e in f.evidence)


def _by_kind(records: list[Any]) -> Iterator[Exhibit]:
    """Claims of one drug are one paper, and so are entries of one list; a result or a note stands alone."""
    grouped: dict[str, list[Any]] = {}
    for record in records:
        grouped.setdefault(_title(record), []).append(record)
    for title, group in grouped.items():
        days = [day for record in group if (day := _day(record)) is not None]
        lines = tuple(dict.fromkeys(line for record in group for line in _lines(record)))
        yield Exhibit(
            label=title,
            record_ids=tuple(record.id for record in group),
            lines=lines,
            day=days[0]
            if len(days) == 1 and isinstance(group[0], Observation | Note | Document | Procedure)
            else None,
        )


def _title(record: Any) -> str:
    if isinstance(record, Observation):
        name = TESTS[record.test].name if record.test in TESTS else record.test
        kind = {"lab": "Laboratory report", "study": "Study report"}.get(record.source, "Vital signs")
        return f"{kind}: {name}{f' of {formats.long_date(record.date)}' if record.date else ''}"
    if isinstance(record, Fill):
        return f"Pharmacy claims: {record.drug}"
    if isinstance(record, Note):
        written = f" of {formats.long_date(record.date)}" if record.date else ""
        return f"{record.type[:1].upper()}{record.type[1:]}{written}"
    if isinstance(record, Document):
        return record.title
    if isinstance(record, Procedure):
        return f"Report: {record.name}"
    return next(title for kind, title in _TITLES if isinstance(record, kind))


_TITLES: tuple[tuple[type[Record], str], ...] = (
    (Diagnosis, "Problem list"),
    (Medication, "Medication list"),
    (Allergy, "Allergy list"),
    (Attestation, "Statements in the chart"),
    (Program, "Program record"),
    (Coverage, "Enrollment record"),
    (Order, "Order"),
)


def _day(record: Any) -> date | None:
    day = getattr(record, "date", None)
    return day if isinstance(day, date) else None


def _lines(record: Any) -> Iterator[str]:
    """The record in words, nothing left out that dates or names it."""
    if isinstance(record, Observation):
        name = TESTS[record.test].name if record.test in TESTS else record.test
        yield _dated(f"{name} {_value(record)}", record.date)
    elif isinstance(record, Fill):
        amount = f", quantity {formats.number(record.quantity)}" if record.quantity else ""
        yield _dated(f"{record.drug}, {record.days_supply} days{amount}", record.date)
    elif isinstance(record, Note):
        yield from (line for line in record.text.splitlines() if line.strip())
        by = ", ".join(filter(None, (record.author, record.specialty)))
        yield f"{record.status.capitalize()}{f' by {by}' if by else ''}"
    elif isinstance(record, Diagnosis):
        onset = f", since {formats.long_date(record.onset)}" if record.onset else ""
        yield f"{record.code} {formats.diagnosis(record)}{onset} ({record.verification})"
    elif isinstance(record, Medication):
        yield _course(record)
    elif isinstance(record, Allergy):
        yield _dated(
            f"{record.type}: {record.substance}{f', {record.reaction}' if record.reaction else ''}",
            record.date,
        )
    elif isinstance(record, Attestation):
        yield _dated(_statement(record), record.date)
    elif isinstance(record, Program):
        yield f"{record.name or 'lifestyle program'}, {_period(record.start, record.end, going_on=True)}"
    elif isinstance(record, Procedure):
        yield _dated(f"{record.name}{f': {record.result}' if record.result else ''}", record.date)
    elif isinstance(record, Coverage):
        until = formats.long_date(record.end) if record.end else "open"
        begun = formats.long_date(record.start) if record.start else "?"
        yield f"{record.plan_id}, member {record.member_id}, {begun} to {until}"
    elif isinstance(record, Order):
        amount = (
            formats.amount(record.quantity, record.unit or "units")
            if record.quantity
            else "quantity not stated"
        )
        yield _dated(
            f"{record.drug} {record.strength}, {amount} for {record.days_supply or '?'} days: {record.sig}",
            record.date,
        )
    elif isinstance(record, Document):
        yield _dated(record.title, record.date)


def _course(record: Medication) -> str:
    said = "; ".join(filter(None, (record.outcome, record.reason)))
    what = " ".join(filter(None, (record.drug, formats.dose(record))))
    period = _period(record.start, record.end, going_on=record.status == "active")
    return f"{what}, {period}{f': {said}' if said else ''}"


def _period(start: date | None, end: date | None, *, going_on: bool) -> str:
    begun = formats.long_date(start) if start else "start not charted"
    if end is None and going_on:
        return f"since {begun}" if start else "ongoing, start not charted"
    return f"{begun} to {formats.long_date(end) if end else 'end not charted'}"


def _value(record: Observation) -> str:
    """As charted; in the test's own unit with its decimals, and weight and height as people say them too."""
    known = TESTS.get(record.test)
    if known is None or canonical(record.test, 1.0, record.unit or "") != 1.0:
        return f"{formats.number(record.value)} {formats.unit(record.unit or '')}".strip()
    shown = formats.measure(record.test, record.value)
    return f"{shown} ({formats.measure(record.test, record.value, 'us')})" if known.customary else shown


def _statement(record: Attestation) -> str:
    if record.text:
        return record.text
    who = " and ".join(record.subjects)
    return f"{TOPICS.get(record.topic, record.topic)}: {'stated' if record.present else 'denied'} ({who})"


def _dated(text: str, day: date | None) -> str:
    return f"{text} ({formats.long_date(day)})" if day else text
