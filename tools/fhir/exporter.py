"""A chart becomes a FHIR R4 collection bundle, shaped after US Core, in FHIR's own elements alone.

Importing it gives the same chart, but for what FHIR has no element for; `losses` says what that is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from tools.domain.records import Coverage, Patient, Plan, Prescriber, Record
from tools.fhir import ours, resources
from tools.fhir.importer import import_bundle
from tools.fhir.resource_parts import (
    TERMINOLOGY,
    ExportContext,
    Json,
    coding,
    compact,
    concept,
    provenance,
    resource,
    term,
)
from tools.terminology.terms import LOINC, NPI

_SECTIONS = {
    "conditions": ("11450-4", "Problem list"),
    "medications": ("10160-0", "History of medication use"),
    "allergies": ("48765-2", "Allergies"),
}


def export_patient(patient: Patient, plan: Plan | None = None, *, as_of: date | None = None) -> Json:
    """The whole chart; `plan` names the payer of its coverage. `as_of` dates the Provenance, else the chart's
    own date does; without either there is none."""
    at = context(patient)
    return bundle(chart_resources(patient, plan, at, as_of or patient.as_of))


def context(patient: Patient) -> ExportContext:
    return ExportContext(f"{patient.source or patient.id}/{patient.name}/{patient.birth_date}")


def bundle(listed: list[Json]) -> Json:
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in listed]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def chart_resources(
    patient: Patient, plan: Plan | None, at: ExportContext, recorded: date | None
) -> list[Json]:
    who = at.reference("prescriber") if patient.prescriber else None
    listed: list[Json] = [_patient(patient, at), *_prescriber(patient.prescriber, at)]
    if plan is not None:
        listed.append(payer(plan, at))
    listed += [_coverage(coverage, patient, plan, at) for coverage in patient.coverages]
    listed += resources.observations(at, patient.observations)
    listed += [resources.medication_request(at, order, who) for order in patient.orders]
    for part, write in _WRITERS.items():
        listed += [write(at, record) for record in getattr(patient, part) or ()]
    for part, (code, title) in _SECTIONS.items():
        if not getattr(patient, part):
            known = getattr(patient, part) is not None
            listed.append(_empty_list(at, part, code, title, known))
    if recorded is not None:
        made_by = "exported by Paladin from its record of this patient"
        listed.append(provenance(at.new_id("provenance"), [at.subject()], recorded, made_by))
    made: list[Json] = compact(listed)
    return made


def losses(patient: Patient, exported: Json) -> list[str]:
    """What FHIR's elements did not hold of a chart, in words: found by reading the bundle back."""
    understood = import_bundle(exported).patient
    lost: Counter[str] = Counter()
    for name in patient.__struct_fields__:
        said, read = getattr(patient, name), getattr(understood, name)
        if name in ("as_of", "source") or said == read:
            continue
        if not isinstance(said, tuple) or not all(hasattr(record, "id") for record in said):
            lost[f"the {name.replace('_', ' ')}"] += 1
            continue
        for place, record in enumerate(said):
            back = next((one for one in read or () if one.id == record.id), None)
            if back is None and read and len(read) == len(said):
                back = msgspec.structs.replace(read[place], id=record.id)  # what people added gets another id
            lost.update(f"{name.replace('_', ' ')}: {what}" for what in _differences(record, back))
    return [what if count == 1 else f"{what} ({count})" for what, count in lost.items()]


def _differences(said: Record, read: Record | None) -> Iterator[str]:
    """Fields of a record that came back otherwise; one that was empty, and that its name fills in, is not lost."""
    if read is None:
        yield "whole records"
        return
    for name in said.__struct_fields__:
        if getattr(said, name) and getattr(said, name) != getattr(read, name):
            yield name.replace("_", " ")


_WRITERS: dict[str, Any] = {
    "conditions": resources.condition,
    "medications": resources.medication_statement,
    "allergies": resources.allergy,
    "fills": resources.medication_dispense,
    "family_history": resources.family_member,
    "programs": resources.care_plan,
    "procedures": resources.procedure,
    "attestations": resources.attestation,
    "notes": resources.note,
    "documents": resources.document,
    "authorizations": resources.authorization,
}


def _patient(patient: Patient, at: ExportContext) -> Json:
    return resource("Patient", at.new_id("patient"), "us-core-patient") | {
        "identifier": [{"system": ours.PATIENT, "value": patient.id}],
        "name": [{"use": "official", "family": patient.family, "given": [patient.given]}],
        "gender": patient.sex,
        "birthDate": patient.birth_date,
        "generalPractitioner": [at.reference("prescriber")] if patient.prescriber else None,
        **_reached(patient, "home"),
    }


def _reached(who: Patient | Prescriber | Plan, use: str) -> Json:
    """Telephone, fax and address."""
    numbers = {"phone": who.phone, "fax": getattr(who, "fax", None)}
    telecom = [{"system": name, "value": value, "use": use} for name, value in numbers.items() if value]
    if (at := who.address) is None:
        return {"telecom": telecom}
    place = {"line": [at.line], "city": at.city, "state": at.state, "postalCode": at.zip, "country": "US"}
    return {"telecom": telecom, "address": [{"use": use} | place]}


def _prescriber(who: Prescriber | None, at: ExportContext) -> Iterator[Json]:
    if who is None:
        return
    title, name, suffix = _parts(who.name)
    given, _, family = name.rpartition(" ")
    named = {"text": who.name, "family": family, "given": [given], "prefix": [title], "suffix": [suffix]}
    yield resource("Practitioner", at.new_id("prescriber"), "us-core-practitioner") | {
        "identifier": [{"system": NPI, "value": who.npi}] if who.npi else None,
        "name": [named],
        **_reached(who, "work"),
    }
    if who.practice:
        kind = term("organization-type", "prov", "Healthcare Provider")
        contact = [{"name": {"text": who.contact}}] if who.contact else None
        yield _organization(at.new_id("practice"), who.practice, kind, who) | {"contact": contact}
    if who.practice or who.specialty:
        yield resource("PractitionerRole", at.new_id("role")) | {
            "practitioner": at.reference("prescriber"),
            "organization": at.reference("practice") if who.practice else None,
            "specialty": [concept(who.specialty or "")],
        }


def _organization(id: str, name: str, kind: Json, who: Prescriber | Plan) -> Json:
    told = {"active": True, "type": [kind], "name": name}
    return resource("Organization", id, "us-core-organization") | told | _reached(who, "work")


def _parts(name: str) -> tuple[str, str, str]:
    """ "Dr. Jane Roe, MD" → ("Dr.", "Jane Roe", "MD")."""
    found = re.fullmatch(r"(Dr\.)? ?([^,]*),? ?(.*)", name)
    return (found[1] or "", found[2], found[3]) if found else ("", name, "")


def payer(plan: Plan, at: ExportContext) -> Json:
    kind = term("organization-type", "pay", "Payer")
    identifier = [{"system": ours.PLAN, "value": plan.payer_id}]
    return _organization(at.new_id("payer", plan.payer_id), plan.payer, kind, plan) | {
        "identifier": identifier
    }


def _coverage(said: Coverage, patient: Patient, plan: Plan | None, at: ExportContext) -> Json:
    by_name = {
        "display": said.plan_id or resources.UNSTATED,
        "identifier": {"system": ours.PLAN, "value": said.plan_id},
    }
    here = plan is not None and plan.id == said.plan_id
    classes = {"plan": said.plan_id, "group": said.group, "rxbin": said.bin, "rxpcn": said.pcn}
    return at.start("Coverage", said, "us-core-coverage", status="active", owner="beneficiary") | {
        "type": concept("", coding(f"{TERMINOLOGY}/v3-ActCode", "DRUGPOL", "drug policy")),
        "subscriberId": said.member_id,
        "relationship": term("subscriber-relationship", "self"),
        "period": {"start": said.start, "end": said.end},
        "payor": [at.reference("payer", plan.payer_id) if plan and here else by_name],
        "order": 1 if said.plan_id == patient.plan_id else 2,
        "class": [
            {"type": term("coverage-class", kind), "value": value} for kind, value in classes.items() if value
        ],
    }


def _empty_list(at: ExportContext, part: str, code: str, title: str, known: bool) -> Json:
    """A list that is complete without entries, or that nobody has."""
    return resource("List", at.new_id("list", part)) | {
        "status": "current",
        "mode": "snapshot",
        "title": title,
        "code": concept(title, coding(LOINC, code, title)),
        "subject": at.subject(),
        "emptyReason": term("list-empty-reason", "nilknown" if known else "unavailable"),
    }
