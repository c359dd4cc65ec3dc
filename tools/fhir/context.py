"""What the readers of one patient's entries share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tools.domain.records import Record
from tools.fhir import ours
from tools.fhir.elements import Reference
from tools.fhir.patient_records import PatientRecord
from tools.fhir.people import full_name
from tools.fhir.report import Entry
from tools.store.rows import ADDED


class Reading:
    """`over_by` is the day by which what is over without a date was over."""

    def __init__(self, record: PatientRecord, over_by: date | None) -> None:
        self.record, self.over_by = record, over_by
        self.notices: dict[str, None] = {}
        self._ids: set[tuple[type[Record], str]] = set()

    def notice(self, text: str) -> None:
        """Something about the chart as a whole, for the person who is to trust it."""
        self.notices[text] = None

    def id(self, entry: Entry, kind: type[Record], place: int = 0) -> str:
        """The id of the entry's record of that place: ours where it is one of ours and no other has it yet, nor could
        an addition of this store; else the FHIR reference, numbered where one entry makes several."""
        mine = [value for system, value, *_ in entry.element.identifiers() if system == ours.system(kind)]
        wanted = mine[place] if place < len(mine) and not mine[place].startswith(ADDED) else ""
        while not wanted or (kind, wanted) in self._ids:
            wanted = f"{entry.type}/{entry.id}" + (f"-{place + 1}" if place else "")
            place += 1
        self._ids.add((kind, wanted))
        return wanted

    def first_name(self, references: Iterable[Reference]) -> str:
        """Who is the first of these that has a name."""
        return next(filter(None, map(self.name_of, references)), "")

    def name_of(self, reference: Reference) -> str:
        """Whom a reference means, by its own words or by the resource."""
        if reference.display or not reference.reference:
            return reference.display
        found = self.record.find(reference, "Practitioner", "Patient", "Organization", "PractitionerRole")
        if found is not None and found.type == "PractitionerRole":
            return self.name_of(found.element.reference("practitioner"))
        if found is None:
            return ""
        found.taken()
        return full_name(found.element)
