"""The papers that go with a form: each document that it names, copied out of the chart by the office."""

from __future__ import annotations

from datetime import date
from typing import Any

from evals.payer.papers import Paper
from tools.domain import records
from tools.domain.records import Observation, PARequest, Patient
from tools.papers import formats
from tools.terminology.observations import TESTS

_LISTS = ("notes", "observations", "fills", "programs", "procedures", "documents", "medications")


def enclosures(form: PARequest, patient: Patient, as_of: date) -> tuple[Paper, ...]:
    """One paper for each document that the form names and the chart has."""
    charted: dict[str, Any] = {
        record.id: record for name in _LISTS for record in getattr(patient, name) or ()
    }
    named = [
        (charted[paper.record_id], paper.label) for paper in form.attachments if paper.record_id in charted
    ]
    return tuple(paper_of(_shown(record, patient), patient, as_of, label) for record, label in named)


def _shown(record: Any, patient: Patient) -> Any:
    """What a scan shows: the record of its day that came on it."""
    same: list[Any] = []
    match record:
        case records.Document(pages=pages) if not pages:
            pass
        case records.Document(of="lab"):
            same = [
                one for one in patient.observations if (one.test, one.date) == (record.about, record.date)
            ]
        case records.Document(of="note"):
            same = [one for one in patient.notes if one.date == record.date]
        case records.Document(of="fills"):
            same = [one for one in patient.fills if one.drug == record.about]
        case records.Document(of="programme"):
            same = [one for one in patient.programs if not one.end]
    return same[-1] if same else record


def paper_of(record: Any, patient: Patient, as_of: date, title: str = "") -> Paper:
    """The copy of one record; of a drug's fills, all of them."""
    match record:
        case records.Note():
            return _paper(f"Chart note: {record.type}", record.date, record.text)
        case records.Observation():
            return _paper(f"Laboratory report or measurement: {record.test}", record.date, _line(record))
        case records.Fill():
            made_of = set(record.ingredients)
            same = [
                fill for fill in patient.fills if made_of.intersection(fill.ingredients) or fill is record
            ]
            lines = [f"{fill.drug}, {fill.days_supply} days ({fill.date.isoformat()})" for fill in same]
            return _paper(f"Pharmacy fill history: {record.drug}", as_of, *lines)
        case records.Program():
            last = min(record.end, as_of) if record.end else as_of
            days = f"{record.start} to {record.end or 'now'}"
            return _paper(f"Program record: {record.name or record.type}", last, days)
        case records.Procedure():
            return _paper(f"Study report: {record.name}", record.date, record.result)
        case records.Document():
            return _paper(f"{_KIND.get(record.of, 'Document')}: {record.title}", record.date)
    return _paper(title, as_of)


_KIND = {
    "note": "Chart note", "lab": "Laboratory report", "fills": "Pharmacy fill history", "programme": "Program record",
    "study": "Study report",
}  # fmt: skip


def _line(record: Observation) -> str:
    value = f"{formats.number(record.value, 4)} {formats.unit(record.unit or '')}".strip()
    day = f" ({record.date.isoformat()})" if record.date else ""
    return f"{TESTS[record.test].name if record.test in TESTS else record.test} {value}{day}"


def _paper(title: str, day: date | None, *lines: str) -> Paper:
    head = [f"Date: {day.isoformat()}"] if day else []
    return Paper(title, "\n".join([*head, *filter(None, lines)]))
