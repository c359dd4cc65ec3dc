"""The resources of one file or export, grouped by the patient whom they are about.

Their text waits in a temporary database, which stays in memory while it is small and is gone when it is closed; so an
export of any size can be grouped, whatever the order of its files.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from tools.common.structs import UNREADABLE
from tools.fhir.elements import Element, Reference
from tools.fhir.report import Entry
from tools.fhir.versions import ADVICE, other_version

_ABOUT = ("subject", "patient", "beneficiary", "for")
NOBODYS = {
    "Binary", "Bundle", "Device", "Endpoint", "Group", "HealthcareService", "Location", "Medication",
    "OperationOutcome", "Organization", "Practitioner", "PractitionerRole", "Questionnaire", "Substance",
}  # fmt: skip


class Raw(NamedTuple):
    """A resource as it stands in a file; `place` counts from 0 in a bundle, from 1 in a file of lines."""

    file: str
    place: int
    full_url: str
    body: bytes


class PatientRecord:
    """All that a file or export says of one patient. `whole`: what its lists do not hold is not so."""

    def __init__(self, patient: Entry, entries: list[Entry], grouping: Grouping) -> None:
        self.patient, self.entries, self.whole = patient, entries, grouping.whole
        self._grouping = grouping
        self._by_name = {name: entry for entry in reversed(entries) for name in _names(entry)}

    def find(self, reference: Reference, *types: str) -> Entry | None:
        """The resource of one of these types that a reference means, among this patient's and nobody's."""
        return self._named((reference.reference, _tail(reference.reference)), types)

    def role_of(self, practitioner: Entry) -> Entry | None:
        """The PractitionerRole of a practitioner."""
        return self._named([f"role of {name}" for name in _names(practitioner)], ("PractitionerRole",))

    def about(self, reference: Reference) -> bool:
        """Whether a reference means the patient."""
        return self.find(reference, "Patient") is self.patient

    def of(self, *types: str) -> Iterator[Entry]:
        """The patient's entries of these types that are not ignored."""
        yield from (entry for entry in self.entries if entry.type in types and entry.fate != "ignored")

    def _named(
        self, names: Iterator[str] | tuple[str, ...] | list[str], types: tuple[str, ...]
    ) -> Entry | None:
        for name in filter(None, names):
            found = self._by_name.get(name) or self._grouping.nobodys(name)
            if found is not None and found.type in types:
                return found
        return None


class Grouping:
    """Add every resource, then read the records one by one; `left` are the entries of no patient."""

    def __init__(self, whole: bool) -> None:
        self.whole = whole
        self.types: Counter[str] = Counter()
        self.left: list[Entry] = []
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("CREATE TABLE entries (number INTEGER PRIMARY KEY, file, place, full_url, body)")
        self._db.execute("BEGIN")
        self._others: dict[str, Counter[str]] = defaultdict(Counter)
        self._patients: list[int] = []
        self._by_url: dict[str, set[int]] = defaultdict(set)  # patients
        self._by_id: dict[str, set[tuple[int, str]]] = defaultdict(set)  # patients, with their server
        self._people: set[tuple[str, str, str]] = set()
        self._about: dict[str, list[int]] = defaultdict(list)
        self._nobodys: dict[str, int] = {}
        self._used: dict[int, Entry] = {}

    def close(self) -> None:
        self._db.close()

    def add(self, raw: Raw) -> None:
        """A resource that cannot be read is left, with the reason; the others come in."""
        try:
            said = msgspec.json.decode(raw.body)
        except UNREADABLE as error:
            self.leave(raw, f"not JSON: {error}")
            return
        if not isinstance(said, dict):
            self.leave(raw, "expected an object")
            return
        entry = Entry(raw.file, raw.place, raw.full_url, said)
        self.types[entry.type or "(none)"] += 1
        if not entry.type:
            self._left(entry, "names no type of resource" if said else "an entry without a resource")
            return
        if other := other_version(said):
            self._others[entry.type][other] += 1
        row = self._db.execute("INSERT INTO entries VALUES (NULL, ?, ?, ?, ?)", raw)
        assert row.lastrowid is not None
        self._place(entry, row.lastrowid)

    def leave(self, raw: Raw, why: str) -> None:
        self._left(Entry(raw.file, raw.place, raw.full_url, {}), why)

    def refusal(self) -> str:
        """Why this is not read at all; "" if it is."""
        for kind, shown in self._others.items():
            if 2 * shown.total() > self.types[kind]:
                return f"written in {', '.join(sorted(shown))}; Paladin reads FHIR R4: {ADVICE}"
        if not self._patients:
            return f"no Patient among {self.types.total()} entries ({', '.join(sorted(self.types)) or 'nothing'})"
        return ""

    def __len__(self) -> int:
        """How many patients there are."""
        return len(self._patients)

    def records(self) -> Iterator[PatientRecord]:
        """Each patient's, in the order of the file. What stands beside an only patient is theirs."""
        owned = self._owned()
        for number in self._patients:
            patient = self._entry(number)
            alone = len(self) == 1
            numbers = sorted(owned.pop(number, []) + (self._about.pop("", []) if alone else []))
            entries = [patient, *map(self._entry, numbers), *(self.left if alone else [])]
            _set_versions_aside(entries)
            yield PatientRecord(patient, entries, self)
        if len(self) != 1:
            self._leave_nobodys()

    def nobodys(self, name: str) -> Entry | None:
        """A practitioner, organization, medication … that several records share."""
        number = self._nobodys.get(name)
        if number is not None and number not in self._used:
            self._used[number] = self._entry(number)
        return None if number is None else self._used[number]

    def _place(self, entry: Entry, number: int) -> None:
        base = server_of(entry)
        if entry.type == "Patient" and self._is_new(entry, base):
            self._patients.append(number)
            for url in (entry.full_url, f"{base}/Patient/{entry.id}" if base else "", *_conditional(entry)):
                self._by_url[url].add(number)
            self._by_id[f"Patient/{entry.id}"].add((number, base))
            return
        about = f"Patient/{entry.id}" if entry.type == "Patient" else _patient_of(entry)
        if base and about.startswith("Patient/"):
            about = f"{base}/{about}"
        self._about[about].append(number)
        if entry.type in NOBODYS:
            self._nobodys.update(dict.fromkeys(_names(entry), number))

    def _is_new(self, patient: Entry, base: str) -> bool:
        """Whether this person is not there yet; somebody else of the same id and server is a person too."""
        raw = patient.element.raw
        person = (base, patient.id, f"{raw.get('name')} {raw.get('birthDate')} {raw.get('identifier')}")
        there = person in self._people
        self._people.add(person)
        return not there

    def _owned(self) -> dict[int, list[int]]:
        """The entries of each patient; what is about nobody that is here is left."""
        owned: dict[int, list[int]] = defaultdict(list)
        for about in [about for about in self._about if about]:
            meant = self._meant(about)
            if len(meant) == 1:
                owned[meant.pop()] += self._about.pop(about)
                continue
            why = f"{about} is {len(meant)} people here" if meant else "about another patient"
            for number in self._about.pop(about):
                self._left(self._entry(number), why)
        return owned

    def _meant(self, about: str) -> set[int]:
        tail = _tail(about)
        there = {number for number, base in self._by_id.get(tail, ()) if about == tail or not base}
        return set(self._by_url.get(about, ())) or there

    def _leave_nobodys(self) -> None:
        for number in self._about.pop("", []):
            entry = self._entry(number)
            if number in self._used:
                entry.taken()
                self.left.append(entry)
            else:
                nobodys = entry.type in NOBODYS
                self._left(entry, "not needed" if nobodys else "names no patient, and there are several")

    def _left(self, entry: Entry, why: str) -> None:
        entry.ignore(why)
        self.left.append(entry)

    def _entry(self, number: int) -> Entry:
        wanted = "SELECT file, place, full_url, body FROM entries WHERE number = ?"
        file, place, full_url, body = self._db.execute(wanted, (number,)).fetchone()
        return Entry(file, place, full_url, msgspec.json.decode(body))


def server_of(entry: Entry) -> str:
    """The base URL of the server that an entry's fullUrl names; "" for a urn or none."""
    base, found, rest = entry.full_url.rpartition(f"/{entry.type}/")
    return base if found and rest == entry.id and "://" in base else ""


def _patient_of(entry: Entry) -> str:
    quiet = Element(entry.element.raw)
    said = (
        quiet.reference(name).reference for name in _ABOUT if isinstance(entry.element.raw.get(name), dict)
    )
    reference = next(filter(None, said), "").partition("/_history/")[0]
    return unquote(reference) if "?" in reference else reference


def _conditional(patient: Entry) -> Iterator[str]:
    """As a transaction names a patient whom the server knows: `Patient?identifier=system|value`."""
    identifiers = Element(patient.element.raw).identifiers()
    yield from (f"Patient?identifier={system}|{value}" for system, value, *_ in identifiers)


def _names(entry: Entry) -> Iterator[str]:
    """By what a reference may name it."""
    yield from filter(None, (entry.full_url, f"{entry.type}/{entry.id}"))
    if entry.type == "PractitionerRole":
        said = Element(entry.element.raw).reference("practitioner").reference
        yield from (f"role of {name}" for name in {said, _tail(said)})


def _tail(reference: str) -> str:
    """`Type/id` of a reference, whatever base URL stands before it."""
    return "/".join(reference.split("/")[-2:]) if "/" in reference else reference


def _set_versions_aside(entries: list[Entry]) -> None:
    """Of what comes twice the newest version stays, by its own date, else the first."""
    newest: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        first = newest.setdefault((entry.type, entry.id), entry)
        if first is entry or not entry.named:
            continue
        older, kept = (first, entry) if _updated(entry) > _updated(first) else (entry, first)
        same = older.element.raw == kept.element.raw
        older.ignore("the same resource again" if same else "another version of the same resource")
        newest[entry.type, entry.id] = kept


def _updated(entry: Entry) -> str:
    return Element(entry.element.raw).one("meta").text("lastUpdated")
