"""What became of every entry of a bundle: counted once, and what was not understood listed by code and name."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Literal

from tools.fhir.bundle import Entry
from tools.fhir.elements import CodeableConcept
from tools.records import Record

Fate = Literal["mapped", "skipped", "not_understood", "not_needed"]


class Line(Record, frozen=True, kw_only=True):
    """Entries of one type and code that shared a fate, and why."""

    type: str
    code: str = ""  # "system|code"
    display: str = ""
    why: str
    count: int


class ImportReport(Record, frozen=True, kw_only=True):
    """`resources` = mapped + skipped + not_understood + not_needed, each entry once; `kept_by_name` are mapped
    ones whose code or drug class we don't know. `records` counts what stands in the chart now."""

    source: str
    name: str
    birth_date: date | None
    deceased: str = ""
    as_of: date | None
    newest: date | None = None
    resources: int
    mapped: dict[str, int]
    records: dict[str, int]
    kept_by_name: tuple[Line, ...] = ()
    not_understood: tuple[Line, ...] = ()
    skipped: tuple[Line, ...] = ()
    not_needed: dict[str, int]
    notices: tuple[str, ...] = ()


class Tally:
    """Counts while a bundle is read. The first fate of an entry is its last."""

    def __init__(self) -> None:
        self._fate: dict[int, Fate] = {}
        self._mapped: Counter[str] = Counter()
        self._not_needed: Counter[str] = Counter()
        self._lines: dict[str, Counter[tuple[str, str, str, str]]] = {}
        self._notices: dict[str, None] = {}

    def mapped(self, entry: Entry) -> None:
        if self._first(entry, "mapped"):
            self._mapped[entry.type] += 1

    def skip(self, entry: Entry, why: str, concept: CodeableConcept | None = None) -> None:
        if self._first(entry, "skipped"):
            self._list("skipped", entry, why, concept)

    def not_understood(self, entry: Entry, why: str, concept: CodeableConcept | None = None) -> None:
        if self._first(entry, "not_understood"):
            self._list("not_understood", entry, why, concept)

    def not_needed(self, entry: Entry) -> None:
        if self._first(entry, "not_needed"):
            self._not_needed[entry.type] += 1

    def by_name(self, entry: Entry, why: str, concept: CodeableConcept) -> None:
        """It is in the chart, but only a person can say what it means for a rule."""
        self._list("kept_by_name", entry, why, concept)

    def notice(self, text: str) -> None:
        self._notices[text] = None

    def seen(self, entry: Entry) -> bool:
        return entry.place in self._fate

    def _first(self, entry: Entry, fate: Fate) -> bool:
        if entry.place in self._fate:
            return False
        self._fate[entry.place] = fate
        return True

    def _list(self, group: str, entry: Entry, why: str, concept: CodeableConcept | None) -> None:
        code, display = (concept.label, concept.name) if concept else ("", "")
        self._lines.setdefault(group, Counter())[(entry.type, code, display, why)] += 1

    def lines(self, group: str) -> tuple[Line, ...]:
        """Most frequent first."""
        counted = self._lines.get(group, Counter())
        return tuple(
            Line(type=kind, code=code, display=display, why=why, count=count)
            for (kind, code, display, why), count in sorted(counted.items(), key=lambda i: (-i[1], i[0]))
        )

    @property
    def mapped_by_type(self) -> dict[str, int]:
        return dict(sorted(self._mapped.items()))

    @property
    def not_needed_by_type(self) -> dict[str, int]:
        return dict(sorted(self._not_needed.items()))

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(self._notices)
