"""A FHIR R4 record becomes a chart.

What the lists of a whole record do not hold is not so: an empty condition, medication or allergy list is
complete, because a record's system writes what it has. A List with an emptyReason other than nilknown says
that nobody knows, and a page of a search or a bulk export says nothing about what it lacks. What in it cannot
all be true is said, never mended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

import msgspec

from tools.common.errors import Invalid
from tools.domain.records import Coverage, Note, Observation, Patient, Plan, Record, Sex
from tools.fhir import clinical, documents, measurements, medications, ours, statements
from tools.fhir.bundle_files import Unit, bundle_unit
from tools.fhir.context import Reading
from tools.fhir.coverage import coverage, enrolled, plan_on_file
from tools.fhir.elements import day
from tools.fhir.patient_records import NOBODYS, PatientRecord
from tools.fhir.people import address_of, identifiers_of, name_of, phone_of, prescriber
from tools.fhir.report import Entry, Ignored, ImportReport
from tools.fhir.versions import other_version
from tools.store import rows
from tools.terminology.conditions import conditions, conditions_of


def contradictions(chart: Patient) -> Iterator[str]:
    """One sentence each, for the person who is to trust this chart."""
    standing = [d for d in chart.conditions or () if d.abated is None and d.verification == "confirmed"]
    codes = {key: d.code for d in standing for key in conditions_of(d.code)}
    for key, code in codes.items():
        for other in conditions()[key].excludes:
            if other in codes and (key < other or key not in conditions()[other].excludes):
                yield f"{conditions()[key].label} ({code}) beside {conditions()[other].label} ({codes[other]})"
    yield from _renal(chart)


def _renal(chart: Patient) -> Iterator[str]:
    """eGFR more than 30 % away from what CKD-EPI 2021 makes of the same day's creatinine."""
    if chart.birth_date is None or chart.sex == "unknown":
        return
    creatinine = {o.date: o for o in chart.observations_by_test.get("creatinine", ()) if o.unit == "mg/dL"}
    off = [
        (said, expected)
        for said in chart.observations_by_test.get("egfr", ())
        if said.date in creatinine
        and (expected := _ckd_epi(creatinine[said.date], chart.birth_date, chart.sex)) is not None
        and abs(said.value - expected) > 0.3 * expected
    ]
    if off:
        said, expected = off[-1]
        yield (
            f"{len(off)} eGFR values do not agree with the creatinine of their day "
            f"({said.date}: {said.value:.0f} charted, {expected:.0f} by CKD-EPI 2021)"
        )


def _ckd_epi(creatinine: Observation, born: date, sex: str) -> float | None:
    if creatinine.date is None or creatinine.value <= 0:
        return None
    female = sex == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio, age = creatinine.value / kappa, (creatinine.date - born).days / 365.25
    at = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age
    return float(at * 1.012 if female else at)


READERS: dict[str, Callable[[Entry, Reading], Iterable[Record]]] = {
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
    "Coverage": coverage,
}
PARTS: dict[type[Record], str] = {kind: part for part, kind in rows.PARTS.items()} | {Coverage: "coverages"}
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
    "onsetDateTime", "abatementDateTime", "recordedDate", "effectiveDateTime", "effectiveInstant", "authoredOn",
    "performedDateTime", "whenHandedOver", "date", "occurrenceDateTime", "authored",
)  # fmt: skip
_SINCE = ("onsetPeriod", "effectivePeriod", "performedPeriod", "period")
_SEX: dict[str, Sex] = {"female": "female", "male": "male"}


class Imported(NamedTuple):
    """A chart as it was read; `identifiers` are what other systems call the patient, by system and value."""

    patient: Patient
    report: ImportReport
    identifiers: tuple[tuple[str, str], ...]


def import_bundle(bundle: dict[str, Any], **how: Any) -> Imported:
    """Read the bundle of one patient, as `import_unit` does. The chart's id is empty, unless the bundle is our own
    export. Invalid, with the path of what is wrong, if it cannot be read at all."""
    found = list(import_unit(bundle_unit(msgspec.json.encode(bundle), "bundle"), **how))
    if len(found) > 1:
        raise Invalid(f"bundle: {len(found)} patients, expected one")
    return found[0]


def import_unit(
    unit: Unit, *, as_of: date | None = None, plan: Plan | None = None, latest: date | None = None
) -> Iterator[Imported]:
    """The charts of a file or export, one by one; Invalid if there are none in it.

    Args:
        as_of: the day on which these charts are judged, whenever that is asked.
        plan: enrols the patients from the day before their first record.
        latest: the last day that a record can be of; what is dated after it is not the newest.
    """
    if why := unit.grouping.refusal():
        raise Invalid(f"{unit.name}: {why}")
    for record in unit.grouping.records():
        yield _import_record(record, as_of, plan, latest or date.max)


def _import_record(record: PatientRecord, as_of: date | None, plan: Plan | None, latest: date) -> Imported:
    """Read one patient's entries, each once."""
    _set_requests_aside(record)
    days = [when for entry in record.entries if entry.fate is None for when in _days(entry)]
    newest = max((when for when in days if when <= latest), default=None)
    at = Reading(record, as_of or newest)
    chart = msgspec.structs.replace(_chart(record, at), as_of=as_of)
    record.patient.taken()
    if plan is not None:
        chart = enrolled(chart, plan, min([*days, *filter(None, [as_of])], default=None), at)
    _account_for_the_rest(record)
    for text in _remarks(record, chart):
        at.notice(text)
    return Imported(chart, _report(chart, record, at, newest), tuple(identifiers_of(record.patient)))


def _set_requests_aside(record: PatientRecord) -> None:
    """What a drafted request rests on is not the chart: its draft order, its form's answers, its unsigned letter."""
    for claim in record.of("Claim"):
        said = claim.element
        if (said.text("use"), said.text("status")) != ("preauthorization", "draft"):
            continue
        enclosed = [info.reference("valueReference") for info in said.many("supportingInfo")]
        for reference in (said.reference("prescription"), *enclosed):
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
    yield from (when for text in texts if isinstance(text, str) and (when := day(text)))


# --- the chart -------------------------------------------------------------------------------------------


def _chart(record: PatientRecord, at: Reading) -> Patient:
    person, known = record.patient.element, identifiers_of(record.patient)
    given, family = name_of(person)
    who, wrong = prescriber(record)
    if wrong:
        at.notice(wrong)
    return Patient(
        id=person.own(ours.PATIENT),
        given=given,
        family=family,
        birth_date=person.day("birthDate"),
        sex=_SEX.get(person.text("gender"), "unknown"),
        address=address_of(person),
        phone=phone_of(person),
        plan_id=plan_on_file(record),
        prescriber=who,
        source="fhir:" + ("|".join(known[0]) if known else record.patient.id),
        **_lists(record, at),
    )


def _lists(record: PatientRecord, at: Reading) -> dict[str, Any]:
    """The lists of the chart; a closed one is None if nobody says that it is empty."""
    found: dict[str, list[Any]] = {part: [] for part in PARTS.values()}
    for entry in (one for one in record.entries if one.type in READERS and one.fate is None):
        for read in _read(entry, at):
            found[PARTS[type(read)]].append(read)
    lists: dict[str, Any] = {part: tuple(records) for part, records in found.items()}
    lists["notes"] = _told_once(lists["notes"])
    unknown = set(_unknown_lists(record))
    for part, types in _CLOSED.items():
        if not lists[part] and (part in unknown or not (record.whole or any(record.of(*types)))):
            lists[part] = None
    return lists


def _read(entry: Entry, at: Reading) -> list[Record]:
    said = entry.element
    if other := other_version(said.raw):
        entry.partly(f"written in {other}, read as R4")
    try:
        found = list(READERS[entry.type](entry, at))
        if said.doubtful and entry.type not in _STAYS:
            raise Ignored(said.doubtful)
    except Ignored as why:
        entry.ignore(str(why))
        return []
    if said.doubtful:
        entry.partly(said.doubtful)
    entry.taken()
    return found


def _told_once(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Newer Synthea writes each note twice, as a document and as a report: once is enough, signed if one of them is."""
    best: dict[str, Note] = {}
    for note in notes:
        known = best.setdefault(note.text, note)
        if known.status == "unsigned":
            best[note.text] = msgspec.structs.replace(known, status=note.status)
    return tuple(best.values())


def _unknown_lists(record: PatientRecord) -> Iterator[str]:
    for entry in record.of("List"):
        codes, reason = entry.element.concept("code").codes, entry.element.concept("emptyReason").first
        section = next((part for code, part in _LISTS.items() if code in codes), "")
        if section and reason:
            entry.taken()
            if reason != "nilknown":
                yield section


# --- the report ------------------------------------------------------------------------------------------


def _account_for_the_rest(record: PatientRecord) -> None:
    for entry in record.entries:
        if entry.type == "MedicationAdministration":
            entry.ignore("a dose given in the clinic; its order, if any, is on the list")
        needed = entry.type not in _NOT_NEEDED
        entry.ignore("a type of resource that we do not read" if needed else "not needed")


def _remarks(record: PatientRecord, chart: Patient) -> Iterator[str]:
    person = record.patient.element
    stated = "day not stated" if person.flag("deceasedBoolean") else ""
    if died := person.text("deceasedDateTime")[:10] or stated:
        yield f"the patient has died ({died})"
    claims = [entry.element for entry in record.entries if entry.type == "Claim"]
    insured = ({one.reference("coverage").display for one in claim.many("insurance")} for claim in claims)
    payers = Counter(name for names in insured for name in names if name)
    if payers:
        named = ", ".join(f"{payer} ({count})" for payer, count in payers.most_common(4))
        yield f"claims name as payer: {named}; none is a plan of ours"
    if not chart.coverages:
        yield "enrolled in no plan: import with --plan to decide a case"
    if chart.birth_date is None:
        yield "no birth date: every age criterion stays unknown"
    if undated := sum(o.date is None for o in chart.observations):
        yield f"{undated} measured values have no exact day and prove nothing"
    yield from contradictions(chart)


def _report(chart: Patient, record: PatientRecord, at: Reading, newest: date | None) -> ImportReport:
    return ImportReport(
        source=chart.source,
        name=chart.name,
        birth_date=chart.birth_date,
        as_of=chart.as_of,
        newest=newest,
        records={part: len(getattr(chart, part) or ()) for part in PARTS.values() if part != "coverages"},
        entries=tuple(entry.report() for entry in record.entries),
        notices=tuple(at.notices),
    )
