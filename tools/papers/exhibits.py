"""The records that an appeal rests on, each as the chart has it: what is enclosed, and what the packet shows of it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from tools.domain.records import Document, Finding, Note, Observation, Procedure, Record
from tools.engine.documents import walk
from tools.evidence.measurements import canonical
from tools.papers import formats
from tools.papers.case import Case
from tools.papers.environment import said
from tools.terminology.observations import TESTS


class Exhibit(Record, frozen=True, kw_only=True):
    """One enclosure: what it is, the records that it holds, and their words, one line each."""

    label: str
    record_ids: tuple[str, ...]
    lines: tuple[str, ...]
    day: date | None = None


class Charted(NamedTuple):
    """Records, and lists that are empty, which shows what is not on them."""

    records: tuple[Any, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return (*(record.id for record in self.records), *self.empty)


_PARTS = ("orders", "conditions", "observations", "medications", "fills", "allergies", "programs", "procedures",
          "attestations", "notes", "documents", "coverages")  # fmt: skip


WORDS = "exhibits.j2"
_LISTS = ("conditions", "medications", "allergies")  # whole lists, which show what is not on them


def exhibits(case: Case, findings: Iterable[Finding], also: Iterable[str] = ()) -> tuple[Exhibit, ...]:
    """What shows these findings, and records beside them, by kind and in the order of a chart; a branch that
    does not decide is left out."""
    wanted = {e.record_id for f in _deciding(findings) for e in f.evidence} | set(also)
    return in_words(charted(case, wanted))


def charted(case: Case, wanted: Container[str]) -> Charted:
    """What the chart has under these ids and names of lists, in its order."""
    records = tuple(
        record
        for part in _PARTS
        for record in getattr(case.patient, part) or ()
        if record.id in wanted or (part in _LISTS and part in wanted)
    )
    empty = tuple(part for part in _LISTS if part in wanted and getattr(case.patient, part) == ())
    return Charted(records, empty)


def in_words(found: Charted) -> tuple[Exhibit, ...]:
    """By kind."""
    none = (Exhibit(label=_NAMES[part], record_ids=(part,), lines=("none",)) for part in found.empty)
    return (*_by_kind(found.records), *none)


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


def _by_kind(records: Iterable[Any]) -> Iterator[Exhibit]:
    """Claims of one drug are one paper, and so are entries of one list; a result or a note stands alone."""
    grouped: dict[str, list[Any]] = {}
    for record in records:
        title = said(WORDS, f"{type(record).__name__}_title", record)
        grouped.setdefault(title, []).append(record)
    for title, group in grouped.items():
        days = [day for record in group if (day := _day(record)) is not None]
        dated = len(days) == 1 and isinstance(group[0], Observation | Note | Document | Procedure)
        yield Exhibit(
            label=title,
            record_ids=tuple(record.id for record in group),
            lines=tuple(dict.fromkeys(line for record in group for line in _lines(record))),
            day=days[0] if dated else None,
        )


def _day(record: Any) -> date | None:
    day = getattr(record, "date", None)
    return day if isinstance(day, date) else None


def _lines(record: Any) -> Iterator[str]:
    """The record in words, nothing left out that dates or names it."""
    if isinstance(record, Note):
        yield from (line for line in record.text.splitlines() if line.strip())
    value = (_value(record),) if isinstance(record, Observation) else ()
    yield said(WORDS, f"{type(record).__name__}_line", record, *value)


def _value(record: Observation) -> str:
    """As charted; in the test's own unit with its decimals, and weight and height as people say them too."""
    known = TESTS.get(record.test)
    if known is None or canonical(record.test, 1.0, record.unit or "") != 1.0:
        return f"{formats.number(record.value)} {formats.unit(record.unit or '')}".strip()
    shown = formats.measure(record.test, record.value)
    return f"{shown} ({formats.measure(record.test, record.value, 'us')})" if known.customary else shown
