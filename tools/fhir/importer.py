"""A FHIR R4 record becomes a chart.

What the lists of a whole record do not hold is not so: an empty condition, medication or allergy list is
complete, because a record's system writes what it has. A List with an emptyReason other than nilknown says
that nobody knows, and a page of a search or a bulk export says nothing about what it lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import msgspec

from tools.errors import Invalid
from tools.fhir import clinical, documents, measurements, medications, ours, statements
from tools.fhir.context import Reading
from tools.fhir.elements import Element, day
from tools.fhir.grouping import NOBODYS, PatientRecord
from tools.fhir.people import address_of, identifiers_of, name_of, phone_of, prescriber
from tools.fhir.reading import Unit, bundle_unit
from tools.fhir.report import Entry, Ignored, ImportReport
from tools.fhir.sense import contradictions
from tools.fhir.versions import older_version
from tools.records import (
    Allergy,
    Attestation,
    Coverage,
    Diagnosis,
    Document,
    FamilyHistory,
    Fill,
    Medication,
    Note,
    Observation,
    Order,
    Patient,
    Plan,
    Procedure,
    Program,
    Record,
    Sex,
)

Reader = Callable[[Entry, Reading], Iterable[Record]]
READERS: dict[str, Reader] = {
    "Condition": clinical.condition,
    "AllergyIntolerance": clinical.allergy,
    "FamilyMemberHistory": clinical.family_member,
    "Procedure": clinical.procedure,
    "CarePlan": clinical.program,
    "Observation": measurements.observation,
    "QuestionnaireResponse": statements.questionnaire,
    "MedicationRequest": medications.request,
    "MedicationStatement": medications.statement,
    "MedicationDispense": medications.dispense,
    "DocumentReference": documents.document,
    "Composition": documents.composition,
    "DiagnosticReport": documents.diagnostic_report,
    "ClaimResponse": documents.payer_response,
    "CommunicationRequest": documents.payer_response,
    "Task": documents.payer_response,
    "Coverage": lambda entry, at: coverage(entry, at),
}
PARTS: dict[type[Record], str] = {
    Coverage: "coverages",
    Diagnosis: "conditions",
    Observation: "observations",
    Medication: "medications",
    Fill: "fills",
    Allergy: "allergies",
    FamilyHistory: "family_history",
    Program: "programs",
    Procedure: "procedures",
    Attestation: "attestations",
    Note: "notes",
    Document: "documents",
    Order: "orders",
}
_CLOSED = {
    "conditions": ("Condition",),
    "medications": ("Medication", "MedicationRequest", "MedicationStatement"),
    "allergies": ("AllergyIntolerance",),
}
_LISTS = {"11450-4": "conditions", "10160-0": "medications", "48765-2": "allergies"}  # LOINC sections
# What stands on a closed list stays there, however badly it is written; a list without it would deny it.
_STAYS = ("Condition", "AllergyIntolerance", "MedicationRequest", "MedicationStatement")
_NOT_NEEDED = NOBODYS | {
    "Appointment", "CareTeam", "Claim", "DeviceRequest", "Encounter", "EpisodeOfCare", "ExplanationOfBenefit", "Goal",
    "ImagingStudy", "Immunization", "List", "Media", "Provenance", "RelatedPerson", "ServiceRequest", "Specimen",
    "SupplyDelivery",
}  # fmt: skip
# Where a resource says when it happened; ends are left out, because they may be planned.
_WHEN = (
    "onsetDateTime",
    "abatementDateTime",
    "recordedDate",
    "effectiveDateTime",
    "effectiveInstant",
    "authoredOn",
    "performedDateTime",
    "whenHandedOver",
    "date",
    "occurrenceDateTime",
    "authored",
)  # fmt: skip
_SINCE = ("onsetPeriod", "effectivePeriod", "performedPeriod", "period")
_SEX: dict[str, Sex] = {"female": "female", "male": "male"}
ENROLLED = "enrolled-on-import"


class Imported(NamedTuple):
    """A chart as it was read; `identifiers` are what other systems call the patient, by system and value."""

    patient: Patient
    report: ImportReport
    identifiers: tuple[tuple[str, str], ...]


def import_bundle(
    bundle: dict[str, Any],
    *,
    as_of: date | None = None,
    patient_id: str | None = None,
    plan: Plan | None = None,
    latest: date | None = None,
    name: str = "bundle",
) -> Imported:
    """Read one patient's record.

    Args:
        bundle: a FHIR R4 bundle with one patient.
        as_of: the chart's default date; else that of its newest record.
        patient_id: the chart's id; else it is empty, unless the bundle is our own export.
        plan: enrols the patient from the day before the first record.
        latest: the last day that a record can be of; what is dated after it is not the newest.
        name: of the file, for errors and the report.

    Raises:
        Invalid: it cannot be read at all; names the file and the path of what is wrong.
    """
    unit = bundle_unit(msgspec.json.encode(bundle), name)
    found = list(import_unit(unit, as_of=as_of, plan=plan, latest=latest))
    if len(found) > 1:
        raise Invalid(f"{name}: {len(found)} patients, expected one")
    chart = found[0].patient
    return found[0]._replace(patient=msgspec.structs.replace(chart, id=patient_id or chart.id))


def import_unit(
    unit: Unit, *, as_of: date | None = None, plan: Plan | None = None, latest: date | None = None
) -> Iterator[Imported]:
    """The charts of a file or export, one by one; Invalid if there are none in it."""
    if why := unit.grouping.refusal():
        raise Invalid(f"{unit.name}: {why}")
    for record in unit.grouping.records():
        yield import_record(record, as_of=as_of, plan=plan, latest=latest)


def import_record(
    record: PatientRecord, *, as_of: date | None = None, plan: Plan | None = None, latest: date | None = None
) -> Imported:
    """Read one patient's entries, each once."""
    patient = record.patient
    _set_requests_aside(record)
    days = sorted({when for entry in record.entries if entry.fate is None for when in _days(entry)})
    newest = max((when for when in days if latest is None or when <= latest), default=None)
    at = Reading(record, as_of or newest)
    chart = _chart(record, at, as_of or newest)
    patient.taken()
    chart = _enrolled(chart, plan, days, at)
    _account_for_the_rest(record)
    for text in _remarks(record, chart, plan):
        at.notice(text)
    return Imported(chart, _report(chart, record, newest, at), tuple(identifiers_of(patient)))


def _set_requests_aside(record: PatientRecord) -> None:
    """What a drafted request rests on is not the chart: its draft order, its form's answers, its unsigned letter."""
    for claim in record.of("Claim"):
        said = claim.element
        if said.text("use") != "preauthorization" or said.text("status") != "draft":
            continue
        enclosed = [said.reference("prescription")]
        enclosed += [info.reference("valueReference") for info in said.many("supportingInfo")]
        for reference in enclosed:
            found = record.find(reference, "MedicationRequest", "QuestionnaireResponse", "DocumentReference")
            if found is not None and _is_draft(found):
                found.ignore("part of a request that is only drafted")


def _is_draft(entry: Entry) -> bool:
    if entry.type == "DocumentReference":
        return entry.element.text("docStatus") == "preliminary"
    return entry.type == "QuestionnaireResponse" or entry.element.text("status") == "draft"


def _days(entry: Entry) -> Iterator[date]:
    """When this record was made or became true."""
    raw = entry.element.raw
    periods = (raw.get(name) for name in _SINCE)
    texts = [*(raw.get(name) for name in _WHEN), *(p.get("start") for p in periods if isinstance(p, dict))]
    if entry.type != "Patient":
        yield from (when for text in texts if isinstance(text, str) and (when := day(text)))


# --- the chart -------------------------------------------------------------------------------------------


def _chart(record: PatientRecord, at: Reading, as_of: date | None) -> Patient:
    person = record.patient.element
    unknown = _unknown_lists(record)
    found: dict[str, list[Record]] = {part: [] for part in PARTS.values()}
    for entry in record.entries:
        reader = READERS.get(entry.type)
        if reader is not None and entry.fate is None:
            for read in _read(entry, reader, at):
                found[PARTS[type(read)]].append(read)
    lists: dict[str, Any] = {part: tuple(read) for part, read in found.items()}
    for part, types in _CLOSED.items():
        said = record.whole or any(record.of(*types))
        if not lists[part] and (part in unknown or not said):
            lists[part] = None
    lists["notes"] = _told_once(lists["notes"])
    given, family = name_of(person)
    who, wrong = prescriber(record)
    if wrong:
        at.notice(wrong)
    known = identifiers_of(record.patient)
    return Patient(
        id=person.own(ours.PATIENT),
        given=given,
        family=family,
        birth_date=person.day("birthDate"),
        sex=_SEX.get(person.text("gender"), "unknown"),
        address=address_of(person),
        phone=phone_of(person),
        plan_id=_plan_on_file(record),
        prescriber=who,
        as_of=as_of,
        source="fhir:" + ("|".join(known[0]) if known else record.patient.id),
        **lists,
    )


def _read(entry: Entry, reader: Reader, at: Reading) -> list[Record]:
    if older := older_version(entry.element.raw):
        entry.partly(f"written in {older}, read as R4")
    try:
        found = list(reader(entry, at))
        if entry.element.doubtful and entry.type not in _STAYS:
            raise Ignored(entry.element.doubtful)
    except Ignored as why:
        entry.ignore(str(why))
        return []
    if doubtful := entry.element.doubtful:
        entry.partly(doubtful)
    entry.taken()
    return found


def _told_once(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Newer Synthea writes each note twice, as a document and as a report: the one that is signed stays."""
    best: dict[str, Note] = {}
    for note in notes:
        known = best.setdefault(note.text, note)
        if known.status == "unsigned" and note.status != "unsigned":
            best[note.text] = msgspec.structs.replace(known, status=note.status)
    return tuple(best.values())


def _unknown_lists(record: PatientRecord) -> set[str]:
    unknown = set()
    for entry in record.of("List"):
        codes = entry.element.concept("code").codes
        section = next((part for code, part in _LISTS.items() if code in codes), "")
        reason = entry.element.concept("emptyReason").first
        if section and reason:
            entry.taken()
            if reason != "nilknown":
                unknown.add(section)
    return unknown


def coverage(entry: Entry, at: Reading) -> Iterator[Coverage]:
    """In one of our plans, if the payer is named in our own namespace."""
    said = entry.element
    payors = said.references("payor")
    if not any(reference.system == ours.PLAN or _is_plans(reference, at) for reference in payors):
        payer = next(filter(None, map(at.name_of, payors)), said.concept("type").name or "a payer")
        raise Ignored(f"coverage by {payer}: none of our plans")
    classes = {c.code: one.text("value") for one in said.many("class") for c in one.concept("type").codings}
    period = said.period("period")
    yield Coverage(
        id=at.id(entry, Coverage),
        plan_id=classes.get("plan", ""),
        member_id=said.text("subscriberId"),
        group=classes.get("group", ""),
        bin=classes.get("rxbin", ""),
        pcn=classes.get("rxpcn", ""),
        start=period.start,
        end=period.end,
    )


def _is_plans(reference: Any, at: Reading) -> bool:
    found = at.record.find(reference, "Organization")
    return found is not None and bool(found.element.own(ours.PLAN))


def _plan_on_file(record: PatientRecord) -> str:
    """Of the coverage that is to be billed first, where the record says which."""
    ordered = [
        (order, one.text("value"))
        for entry in record.of("Coverage")
        if (order := entry.element.number("order")) is not None
        for one in entry.element.many("class")
        if "plan" in one.concept("type").codes
    ]
    return min(ordered, default=(0, ""))[1]


def _enrolled(chart: Patient, plan: Plan | None, days: list[date], at: Reading) -> Patient:
    """In the plan asked for since before the records begin, with a member id that nobody knows."""
    if plan is None:
        return chart
    already = any(c.plan_id == plan.id for c in chart.coverages)
    first = min([*days[:1], *([chart.as_of] if chart.as_of else [])], default=None)
    since = first - timedelta(days=1) if first else None
    enrolled = Coverage(
        id=ENROLLED, plan_id=plan.id, group=plan.group, bin=plan.bin, pcn=plan.pcn, start=since
    )
    if not already:
        at.notice(f"enrolled in {plan.id} from {since}, as asked; the member id is not known")
    coverages = chart.coverages if already else (*chart.coverages, enrolled)
    return msgspec.structs.replace(chart, plan_id=plan.id, coverages=coverages)


# --- the report ------------------------------------------------------------------------------------------


def _account_for_the_rest(record: PatientRecord) -> None:
    for entry in record.entries:
        if entry.type in _NOT_NEEDED:
            entry.ignore("not needed")
        elif entry.type == "MedicationAdministration":
            entry.ignore("a dose given in the clinic; its order, if any, is on the list")
        else:
            entry.ignore("a type of resource that we do not read")


def _remarks(record: PatientRecord, chart: Patient, plan: Plan | None) -> Iterator[str]:
    if died := _deceased(record.patient.element):
        yield f"the patient has died ({died if died != 'yes' else 'day not stated'})"
    payers = Counter(
        name
        for entry in record.entries
        if entry.type == "Claim"
        for name in {i.reference("coverage").display for i in entry.element.many("insurance")}
        if name
    )
    if payers:
        named = ", ".join(f"{payer} ({count})" for payer, count in payers.most_common(4))
        yield f"claims name as payer: {named}; none is a plan of ours"
    if plan is None and not chart.coverages:
        yield "enrolled in no plan: import with --plan to decide a case"
    if chart.birth_date is None:
        yield "no birth date: every age criterion stays unknown"
    undated = sum(o.date is None for o in chart.observations)
    if undated:
        yield f"{undated} measured values have no exact day and prove nothing"
    yield from contradictions(chart)


def _deceased(person: Element) -> str:
    return person.text("deceasedDateTime")[:10] or ("yes" if person.flag("deceasedBoolean") else "")


def _report(chart: Patient, record: PatientRecord, newest: date | None, at: Reading) -> ImportReport:
    listed = {
        name: len(value)
        for name in chart.__struct_fields__
        if isinstance(value := getattr(chart, name), tuple) and name != "coverages"
    }
    return ImportReport(
        source=chart.source,
        name=chart.name,
        birth_date=chart.birth_date,
        deceased=_deceased(record.patient.element),
        as_of=chart.as_of,
        newest=newest,
        records=listed,
        entries=tuple(entry.report() for entry in record.entries),
        notices=tuple(at.notices),
    )
