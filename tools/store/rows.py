"""What the store hands out beside the records: list rows, what is loaded, added entries, drafts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import msgspec

from tools.common.printable import one_line
from tools.domain import records
from tools.domain.records import PARequest, Patient, Record
from tools.terminology.own_terms import OwnTerms

if TYPE_CHECKING:
    from sqlalchemy import Row

T = TypeVar("T", bound=msgspec.Struct)
DraftStatus = Literal["needs_review", "approved", "rejected", "edited"]
# Where an import's identifier is known as somebody else's.
OnConflict = Literal["refuse", "separate", "replace"]
Fate = Literal["new", "replaced", "unchanged"]  # of an imported chart
ADDED = "added-"  # how the ids of what people added to a chart begin

# The lists of a chart to which a person can add, and what stands in them.
PARTS: dict[str, type[Record]] = {
    "conditions": records.Diagnosis,
    "observations": records.Observation,
    "medications": records.Medication,
    "fills": records.Fill,
    "allergies": records.Allergy,
    "family_history": records.FamilyHistory,
    "programs": records.Program,
    "procedures": records.Procedure,
    "attestations": records.Attestation,
    "notes": records.Note,
    "documents": records.Document,
    "orders": records.Order,
}


class PatientRow(Record, frozen=True, kw_only=True):
    """A patient in a list."""

    id: str
    given: str
    family: str
    birth_date: date | None
    sex: str
    plan_id: str
    origin: Literal["dataset", "import"]

    @property
    def name(self) -> str:
        return one_line(f"{self.given} {self.family}")


class ChartVersion(Record, frozen=True, kw_only=True):
    """One import of a chart: when, and from what. `imported` is None where nobody wrote it down."""

    patient_id: str
    number: int
    imported: datetime | None
    taken_from: str
    sha256: str
    current: bool


class DatasetInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """dataset.json: what a generated world is. `files` maps a path to its SHA-256, `terms` are tests and conditions of
    its own; other keys are let be."""

    as_of: date
    seed: int
    version: str
    counts: dict[str, int] = {}
    files: dict[str, str] = {}
    labels: str = ""  # SHA-256 of the labels, which are kept elsewhere
    fingerprint: str = ""  # of all files as loaded; set by the store
    terms: OwnTerms = OwnTerms()
    also: tuple[int, ...] = ()  # numbers of patients beyond the first


class ChartEntry(Record, frozen=True, kw_only=True):
    """A record that a person added to a chart. `part` is a key of PARTS; the store gives the ids."""

    id: int = 0
    patient_id: str
    part: str
    record: msgspec.Raw
    by: str
    when: datetime
    undone_by: str | None = None
    undone_when: datetime | None = None

    @property
    def record_id(self) -> str:
        """The record's id in its chart."""
        return f"{ADDED}{self.id}"

    def read(self) -> Record:
        return msgspec.json.decode(self.record, type=PARTS[self.part])


class DraftFile(Record, frozen=True, kw_only=True):
    """A file that belongs to a draft, and its SHA-256 when it was written."""

    path: str
    sha256: str


class Edit(Record, frozen=True, kw_only=True):
    """What a person changed, by part of the request or field id, and where the draft contradicts the chart since."""

    by: str
    when: datetime
    why: str = ""
    values: dict[str, str]
    contradicts: tuple[str, ...] = ()


class Draft(Record, frozen=True, kw_only=True):
    """A drafted case, of one person. The three documents are JSON as their writers made it, and with the files of one
    version; the store gives `id`."""

    id: int = 0
    patient_id: str
    drug: str
    plan_id: str
    as_of: date
    thread_id: str
    status: DraftStatus = "needs_review"
    outcome: str
    determination: bytes
    pa_request: bytes
    letter: bytes
    files: dict[str, DraftFile] = {}  # "form", "form_pdf", "letter", "letter_pdf", … → file
    created: datetime
    updated: datetime
    person: str = ""  # whose it is (`whose`); "" where an older Paladin made it
    version: int = 1
    edits: tuple[Edit, ...] = ()

    @property
    def contradicts(self) -> tuple[str, ...]:
        """Where it says otherwise than the chart."""
        return self.edits[-1].contradicts if self.edits else ()

    def filled_form(self) -> PARequest:
        """The payer's form as it was filled, edits included."""
        return msgspec.json.decode(self.pa_request, type=PARequest)


class DraftHead(NamedTuple):
    """A draft as far as it can be read without its documents."""

    id: int
    patient_id: str
    drug: str
    plan_id: str
    status: DraftStatus
    outcome: str
    person: str  # whose it is (`whose`)


class Review(Record, frozen=True, kw_only=True):
    """What a person decided about a draft."""

    status: DraftStatus
    by: str
    reason: str = ""
    when: datetime


def person(patient: Patient) -> str:
    """Who a chart is about, so that an addition never moves to somebody else who got the same id."""
    who = f"{patient.given}|{patient.family}|{patient.birth_date or ''}"
    return who.replace(_MEMBER, " ")


def whose(patient: Patient, plan_id: str) -> str:
    """Whose a draft or a case is: the person, and by which member id the plan knows them."""
    member = next((one.member_id for one in reversed(patient.coverages) if one.plan_id == plan_id), "")
    return f"{person(patient)}{_MEMBER}{member}"


def is_of(kept: str, patient: Patient) -> bool:
    """Whether what was kept as somebody's is this patient's. A member has had more than one id, if the plan gave a new
    one; where none was kept, name and birth date say it."""
    who, _, member = kept.partition(_MEMBER)
    known = {one.member_id for one in patient.coverages}
    return not kept or (who == person(patient) and (not member or member in known))


def is_same(one: str, other: str) -> bool:
    """Whether two things were kept for the same person."""
    (who, _, member), (whom, _, id) = one.partition(_MEMBER), other.partition(_MEMBER)
    return who == whom and (not member or not id or member == id)


def named(kept: str) -> str:
    """How people call whom something was kept for."""
    who, _, born = kept.partition(_MEMBER)[0].rpartition("|")
    return one_line(f"{who.replace('|', ' ')}{f', born {born}' if born else ''}")


_MEMBER = "\n"  # between a person and the member id; `person` holds none


def decoded(kind: type[T], row: Row[Any], **values: Any) -> T:
    """A row as the record that it holds: each field from its column, or from `values` where that is no plain value.
    Moments are read from their text; columns that are no fields are left."""
    columns = {**row._mapping, **values}
    return msgspec.convert({name: columns[name] for name in kind.__struct_fields__ if name in columns}, kind)


def row_of(record: msgspec.Struct, *without: str, **values: Any) -> dict[str, Any]:
    """The columns of a record's row, the other way of `decoded`: moments as text, and `values` in the place of fields.

    Args:
        without: fields that are no columns, or that the database gives.
    """
    said = {name: value for name, value in msgspec.structs.asdict(record).items() if name not in without}
    said |= {name: moment(value) for name, value in said.items() if isinstance(value, datetime)}
    return said | values


def moment(when: datetime) -> str:
    """ISO 8601 in UTC, to the second. A moment without a zone is taken for UTC."""
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")


def patient_number(patient_id: str) -> int | None:
    """1 of P001, 1000 of P1000; None for what is no patient id. P1 and P0001 are not how an id is written."""
    digits = patient_id[1:]
    if patient_id[:1] != "P" or not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        return None
    return int(digits) if f"P{int(digits):03}" == patient_id else None


class MedicineName(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said that a medicine is which the terminology does not know."""

    name: str
    ingredients: tuple[str, ...]
    classes: tuple[str, ...]
    by: str
    when: datetime
