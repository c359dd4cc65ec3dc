"""What became of every entry of a file, and of the chart that it made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from datetime import date
from typing import Literal

from tools.domain.records import Record
from tools.fhir.elements import Concept, Element, Json

EntryFate = Literal["taken", "partly", "ignored"]
_ABOUT = ("code", "medicationCodeableConcept", "type", "category", "vaccineCode", "relationship")


class EntryReport(Record, frozen=True, kw_only=True):
    """One entry: taken whole, partly (`why` says what was left out or is not known), or ignored."""

    file: str
    place: int  # in the bundle from 0, in a file of lines from 1
    type: str
    id: str = ""
    code: str = ""  # "system|code"
    display: str = ""
    fate: EntryFate
    why: tuple[str, ...] = ()


class ImportReport(Record, frozen=True, kw_only=True):
    """Each entry once; `records` counts what stands in the chart now."""

    source: str
    name: str
    birth_date: date | None
    as_of: date | None
    newest: date | None  # of its records
    records: dict[str, int]
    entries: tuple[EntryReport, ...]
    notices: tuple[str, ...] = ()

    @property
    def fates(self) -> Counter[EntryFate]:
        return Counter(entry.fate for entry in self.entries)


class Ignored(Exception):
    """Raised by who reads an entry: it says nothing that the chart could hold, and why."""


def refuse(void: Container[str], *statuses: str) -> None:
    """Ignored, by the first of these statuses that is void."""
    for stated in statuses:
        if stated in void:
            raise Ignored(stated.replace("-", " "))


class Entry:
    """One resource of a file, and what becomes of it. `type` is "" where there is no resource."""

    __slots__ = ("element", "fate", "file", "full_url", "id", "named", "place", "type", "why")

    def __init__(self, file: str, place: int, full_url: str, raw: Json) -> None:
        self.file, self.place, self.full_url = file, place, full_url
        self.element = Element(raw)
        self.type = self.element.text("resourceType")
        # a transaction may leave ids to the server
        named = self.element.text("id") or full_url.rpartition("/")[2].rpartition(":")[2]
        self.named, self.id = bool(named and self.type), named or f"entry-{place}"
        self.fate: EntryFate | None = None
        self.why: dict[str, None] = {}

    def partly(self, why: str) -> None:
        """It is in the chart, and this of it is not, or only a person can say what it means for a rule."""
        self.why[why] = None

    def taken(self) -> None:
        self.why |= dict.fromkeys(self.element.problems)
        self.fate = self.fate or ("partly" if self.why else "taken")

    def ignore(self, why: str) -> None:
        if self.fate is None:
            self.fate, self.why = "ignored", dict.fromkeys((why, *self.why, *self.element.problems))

    @property
    def concept(self) -> Concept:
        """What it is about, for a report."""
        quiet = Element(self.element.raw)  # whose complaints nobody hears
        found = [concept for name in _ABOUT for concept in quiet.concepts(name) if concept.name]
        in_words = (concept for concept in found if concept.name not in concept.codes)
        return next(in_words, found[0] if found else Concept())

    def report(self) -> EntryReport:
        about = self.concept
        return EntryReport(
            file=self.file,
            place=self.place,
            type=self.type,
            id=self.id,
            code=about.label,
            display=about.name,
            fate=self.fate or "ignored",
            why=tuple(self.why),
        )
