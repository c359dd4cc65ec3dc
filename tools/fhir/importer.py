"""A FHIR R4 bundle becomes a chart.

What the lists of a whole record do not hold is not so: an empty condition, medication or allergy list is
complete, because a record's system writes what it has. A List with an emptyReason other than nilknown says
that nobody knows, and a page of a search (searchset, NDJSON) says nothing about what it lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

import msgspec

from tools.errors import Invalid
from tools.fhir import ours
from tools.fhir.bundle import Bundle, Entry, read
from tools.fhir.clinical import (
    allergies,
    authorizations,
    conditions,
    documents,
    family_history,
    notes,
    procedures,
    programs,
)
from tools.fhir.elements import Period, Reference, day
from tools.fhir.measurements import attestations, observations
from tools.fhir.medications import fills, medications, orders
from tools.fhir.people import address_of, name_of, phone_of, prescriber, source_of, used
from tools.fhir.r4 import FhirClaim, FhirCoverage, FhirList, FhirPatient
from tools.fhir.report import ImportReport, Tally
from tools.fhir.sense import contradictions
from tools.records import Coverage, Patient, Plan, Prescriber, Record, Sex

R = TypeVar("R", bound=Record)
_SEX: dict[str, Sex] = {"female": "female", "male": "male"}
_WHOLE = ("transaction", "batch", "collection", "document")
_KNOWN_EMPTY = "nilknown"
_LISTS = {"11450-4": "Condition", "10160-0": "Medication", "48765-2": "AllergyIntolerance"}  # LOINC sections
# fmt: off
_NOT_NEEDED = {
    "Appointment", "CareTeam", "Claim", "ClaimResponse", "Device", "DeviceRequest", "DiagnosticReport",
    "Encounter", "EpisodeOfCare", "ExplanationOfBenefit", "Goal", "ImagingStudy", "Immunization",
    "List", "Location", "Media", "Medication", "Organization", "Practitioner", "PractitionerRole",
    "Provenance", "Questionnaire", "RelatedPerson", "ServiceRequest", "Specimen", "SupplyDelivery",
}
# fmt: on
# Where a resource says when it happened; ends are left out, because they may be planned.
_WHEN = (
    "onset_date_time",
    "abatement_date_time",
    "recorded_date",
    "effective_date_time",
    "effective_instant",
    "authored_on",
    "performed_date_time",
    "when_handed_over",
    "date",
)
_SINCE = ("period", "onset_period", "effective_period", "performed_period")


class Imported(NamedTuple):
    patient: Patient
    report: ImportReport


def import_bundle(
    bundle: dict[str, Any],
    *,
    as_of: date | None = None,
    patient_id: str | None = None,
    plan: Plan | None = None,
    name: str = "bundle",
) -> Imported:
    """Read one patient's whole record. `as_of` becomes the day on which this chart is judged, whenever that is
    asked; `plan` enrols the patient from the day before its first. Without `patient_id` the id is empty, and the
    store gives one, unless the bundle is our own export. Raises Invalid, which names the file (`name`) and the path
    of what is wrong."""
    read_in, tally = read(bundle, name), Tally()
    entry, patient = _the_patient(read_in, name)
    tally.mapped(entry)
    _set_aside(read_in, patient, tally)
    days = sorted({when for e in read_in.entries if not tally.seen(e) for when in _days(e)})
    newest = days[-1] if days else None
    who = prescriber(read_in, patient, tally)
    base = _base(patient, entry, who, as_of)
    chart = _chart(base, read_in, tally, as_of or newest, whole=bundle.get("type") in _WHOLE)
    chart = _enrolled(chart, plan, days, tally)
    chart = msgspec.structs.replace(
        chart,
        id=patient_id or chart.id,
        as_of=as_of or chart.as_of,
    )
    _account_for_the_rest(read_in, who, tally)
    for text in _remarks(read_in, patient, chart, plan):
        tally.notice(text)
    return Imported(chart, _report(chart, read_in, patient, newest, tally))


def _the_patient(bundle: Bundle, name: str) -> tuple[Entry, FhirPatient]:
    found = list(bundle.of(FhirPatient))
    if not found:
        types = ", ".join(sorted({e.type for e in bundle.entries if e.type})) or "nothing"
        raise Invalid(f"{name}: $.entry: no Patient among {len(bundle.entries)} entries ({types})")
    if len(found) > 1:
        places = ", ".join(f"entry[{entry.place}]" for entry, _ in found[:3])
        raise Invalid(
            f"{name}: $.entry: {len(found)} Patients ({places}); import one patient's record at a time"
        )
    return found[0]


def _set_aside(bundle: Bundle, patient: FhirPatient, tally: Tally) -> None:
    """What must not be read as this patient's chart, whatever it says."""
    known: set[tuple[str, str]] = set()
    for entry in bundle.entries:
        resource = entry.resource
        identity = (entry.type, str(entry.raw.get("id")))
        if not entry.type:
            tally.skip(entry, "an entry without a resource")
        elif identity in known:
            tally.skip(entry, "the same resource again")
        elif entry.raw.get("modifierExtension"):
            tally.not_understood(entry, "a modifierExtension changes its meaning")
        elif ours.of_a_case(entry.raw):
            tally.not_needed(entry)
        elif resource is None:
            continue
        elif not _about(bundle, patient, resource):
            tally.skip(entry, "about another patient")
        known.add(identity)


def _about(bundle: Bundle, patient: FhirPatient, resource: Any) -> bool:
    for attribute in ("subject", "patient", "beneficiary"):
        said = getattr(resource, attribute, None)
        if isinstance(said, Reference) and said.reference:
            if "?" in said.reference:
                return any(i.value and said.reference.endswith(i.value) for i in patient.identifier)
            return bundle.find(said.reference, FhirPatient) is patient
    return True


def _days(entry: Entry) -> Iterator[date]:
    """When this record was made or became true."""
    yield from (when for text in _dates(entry) if (when := day(text)))


def _dates(entry: Entry) -> Iterator[str]:
    yield from (str(getattr(entry.resource, name, "")) for name in _WHEN)
    periods = (getattr(entry.resource, name, None) for name in _SINCE)
    yield from (period.start for period in periods if isinstance(period, Period))
    if entry.type == "Immunization":
        yield str(entry.raw.get("occurrenceDateTime", ""))


# --- the chart -------------------------------------------------------------------------------------------


def _base(patient: FhirPatient, entry: Entry, who: Prescriber | None, as_of: date | None) -> Patient:
    source = source_of(patient, entry.full_url)
    given, family = name_of(patient.name)
    named = Patient(
        id=patient.own(ours.PATIENT),
        given=given,
        family=family,
        birth_date=day(patient.birth_date),
        sex=_SEX.get(patient.gender, "unknown"),
        address=address_of(patient.address),
        phone=phone_of(patient.telecom),
        prescriber=who,
        as_of=as_of,
        source=source,
    )
    return ours.restored(named, patient.extended(ours.REST))


def _chart(base: Patient, bundle: Bundle, tally: Tally, over_by: date | None, *, whole: bool) -> Patient:
    unknown = _unknown_lists(bundle, tally)

    def closed(found: Sequence[R], *types: str) -> tuple[R, ...] | None:
        said = whole or any(entry.type in types for entry in bundle.entries)
        return tuple(found) if found or (said and types[0] not in unknown) else None

    return msgspec.structs.replace(
        base,
        coverages=tuple(_coverages(bundle, tally)),
        conditions=closed(conditions(bundle, tally, over_by), "Condition"),
        attestations=tuple(attestations(bundle, tally)),
        observations=tuple(observations(bundle, tally)),
        orders=tuple(orders(bundle, tally)),
        medications=closed(
            medications(bundle, tally), "Medication", "MedicationRequest", "MedicationStatement"
        ),
        fills=tuple(fills(bundle, tally)),
        allergies=closed(allergies(bundle, tally), "AllergyIntolerance"),
        family_history=tuple(family_history(bundle, tally)),
        programs=tuple(programs(bundle, tally)),
        procedures=tuple(procedures(bundle, tally)),
        notes=tuple(notes(bundle, tally)),
        documents=tuple(documents(bundle, tally)),
        authorizations=tuple(authorizations(bundle, tally)),
    )


def _unknown_lists(bundle: Bundle, tally: Tally) -> set[str]:
    unknown = set()
    for entry, listed in bundle.of(FhirList):
        section = next((_LISTS[c.code] for c in listed.code.coding if c.code in _LISTS), "")
        reason = next((c.code for c in listed.empty_reason.coding), "")
        if section and reason and not tally.seen(entry):
            tally.mapped(entry)
            if reason != _KNOWN_EMPTY:
                unknown.add(section)
    return unknown


def _coverages(bundle: Bundle, tally: Tally) -> Iterator[Coverage]:
    for entry, said in bundle.of(FhirCoverage):
        if tally.seen(entry):
            continue
        if not ours.is_ours(said, Coverage):
            payer = next((p.display for p in said.payor if p.display), said.type.name or "a payer")
            tally.not_understood(entry, f"coverage by {payer}: none of our plans", said.type)
            continue
        tally.mapped(entry)
        classes = {c.code: part.value for part in said.class_ for c in part.type.coding}
        record = Coverage(
            id=ours.record_id(said, Coverage),
            plan_id=classes.get("plan", ""),
            member_id=said.subscriber_id,
            group=classes.get("group", ""),
            bin=classes.get("rxbin", ""),
            pcn=classes.get("rxpcn", ""),
            start=day(said.period.start),
            end=day(said.period.end),
        )
        yield ours.restored(record, said.extended(ours.REST))


def _enrolled(chart: Patient, plan: Plan | None, days: list[date], tally: Tally) -> Patient:
    """In the plan asked for since before the records begin, with a member id that nobody knows."""
    if plan is None:
        return chart
    already = any(c.plan_id == plan.id for c in chart.coverages)
    first = min([*days[:1], *([chart.as_of] if chart.as_of else [])], default=None)
    since = first - timedelta(days=1) if first else None
    enrolled = Coverage(
        id="enrolled-on-import", plan_id=plan.id, group=plan.group, bin=plan.bin, pcn=plan.pcn, start=since
    )
    if not already:
        tally.notice(f"enrolled in {plan.id} from {since}, as asked; the member id is not known")
    coverages = chart.coverages if already else (*chart.coverages, enrolled)
    return msgspec.structs.replace(chart, plan_id=plan.id, coverages=coverages)


# --- the report ------------------------------------------------------------------------------------------


def _account_for_the_rest(bundle: Bundle, who: Prescriber | None, tally: Tally) -> None:
    for entry in bundle.entries:
        if tally.seen(entry):
            continue
        if used(entry, who):
            tally.mapped(entry)
        elif entry.type in _NOT_NEEDED:
            tally.not_needed(entry)
        elif entry.type == "MedicationAdministration":
            tally.not_understood(entry, "a dose given in the clinic; its order, if any, is on the list")
        else:
            tally.not_understood(entry, "a type of resource that we do not read")


def _remarks(bundle: Bundle, patient: FhirPatient, chart: Patient, plan: Plan | None) -> Iterator[str]:
    if patient.deceased_boolean or patient.deceased_date_time:
        yield f"the patient has died ({patient.deceased_date_time[:10] or 'day not stated'})"
    payers = Counter(
        name
        for _, claim in bundle.of(FhirClaim)
        for name in {i.coverage.display for i in claim.insurance if i.coverage.display}
    )
    if payers:
        named = ", ".join(f"{payer} ({count})" for payer, count in payers.most_common(4))
        yield f"claims name as payer: {named}; none is a plan of ours"
    if plan is None and not chart.coverages:
        yield "enrolled in no plan: import with --plan to decide a case"
    if chart.birth_date is None:
        yield "no birth date: every age criterion stays unknown"
    vague = Counter(
        entry.type for entry in bundle.entries for text in _dates(entry) if text and not day(text)
    )
    if vague:
        named = ", ".join(f"{kind} {count}" for kind, count in sorted(vague.items()))
        yield f"dates less exact than a day, or none at all, are left out: {named}"
    undated = sum(o.date is None for o in chart.observations)
    if undated:
        yield f"{undated} measured values have no exact day and prove nothing"
    yield from contradictions(chart)


def _report(
    chart: Patient, bundle: Bundle, patient: FhirPatient, newest: date | None, tally: Tally
) -> ImportReport:
    listed = {
        name: len(value)
        for name in chart.__struct_fields__
        if isinstance(value := getattr(chart, name), tuple) and name != "coverages"
    }
    return ImportReport(
        source=chart.source,
        name=chart.name,
        birth_date=chart.birth_date,
        deceased=patient.deceased_date_time[:10] or ("yes" if patient.deceased_boolean else ""),
        as_of=chart.as_of,
        newest=newest,
        resources=len(bundle.entries),
        mapped=tally.mapped_by_type,
        records=listed,
        kept_by_name=tally.lines("kept_by_name"),
        not_understood=tally.lines("not_understood"),
        skipped=tally.lines("skipped"),
        not_needed=tally.not_needed_by_type,
        notices=tally.notices,
    )
