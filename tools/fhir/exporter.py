"""A chart becomes a FHIR R4 collection bundle, shaped after US Core; importing it gives the same chart."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, TypeVar

from tools.fhir import ours, resources
from tools.fhir.importer import import_bundle
from tools.fhir.writing import TERMINOLOGY, US_CORE, Context, Json, coding, compact, concept, instant, term
from tools.records import Address, Coverage, Patient, Plan, Prescriber, Record
from tools.terms import LOINC, NPI

R = TypeVar("R", bound=Record)
_SECTIONS = {
    "conditions": ("11450-4", "Problem list"),
    "medications": ("10160-0", "History of medication use"),
    "allergies": ("48765-2", "Allergies"),
}


class Carried:
    """Resources in order, and for each record the element that stands for it."""

    def __init__(self) -> None:
        self.resources: list[Json] = []
        self.of: dict[str, list[Json]] = {}

    def add(self, part: str, resource: Json, carriers: list[Json] | None = None) -> None:
        self.resources.append(resource)
        self.of.setdefault(part, []).extend(carriers or [resource])


def export_patient(patient: Patient, plan: Plan | None = None, *, as_of: date | None = None) -> Json:
    """The whole chart; `plan` names the payer of its coverage. `as_of` dates the Provenance, else the chart's
    own date does; without either there is none."""
    at = context(patient)
    return bundle(chart_resources(patient, plan, at, as_of or patient.as_of))


def context(patient: Patient) -> Context:
    return Context(patient.source or patient.id)


def bundle(listed: list[Json]) -> Json:
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in listed]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def chart_resources(patient: Patient, plan: Plan | None, at: Context, recorded: date | None) -> list[Json]:
    carried = _carried(patient, plan, at)
    if recorded is not None:
        carried.resources.append(_provenance(at, recorded))
    listed: list[Json] = compact(carried.resources)
    _add_the_rest(patient, carried, listed)
    return listed


def _add_the_rest(patient: Patient, carried: Carried, listed: list[Json]) -> None:
    """Read the bundle back, and write beside each record what was lost on the way."""
    understood = import_bundle(bundle(listed)).patient
    compacted = dict(zip((id(r) for r in carried.resources), listed, strict=True))
    for part, carriers in carried.of.items():
        said, read = getattr(patient, part), getattr(understood, part)
        for record, seen, carrier in zip(said, read, carriers, strict=True):
            _attach(_element(carrier, carried.resources, compacted), ours.rest_of(record, seen))
    scalars = Patient(**{f: getattr(patient, f) for f in patient.__struct_fields__ if f not in PARTS})
    read_back = Patient(**{f: getattr(understood, f) for f in patient.__struct_fields__ if f not in PARTS})
    _attach(listed[0], ours.rest_of(scalars, read_back))


def _element(carrier: Json, before: list[Json], compacted: dict[int, Json]) -> Json:
    """The compacted twin of a resource, or of a component of one."""
    if id(carrier) in compacted:
        return compacted[id(carrier)]
    owner = next(r for r in before if any(part is carrier for part in r.get("component", ())))
    place = next(n for n, part in enumerate(owner["component"]) if part is carrier)
    twin: Json = compacted[id(owner)]["component"][place]
    return twin


def _attach(element: Json, rest: str) -> None:
    if rest:
        element.setdefault("extension", []).append({"url": ours.REST, "valueString": rest})


# --- what stands in the bundle ---------------------------------------------------------------------------

PARTS = (
    "coverages",
    "conditions",
    "observations",
    "medications",
    "fills",
    "allergies",
    "family_history",
    "programs",
    "procedures",
    "attestations",
    "notes",
    "documents",
    "authorizations",
    "orders",
)


def _carried(patient: Patient, plan: Plan | None, at: Context) -> Carried:
    carried = Carried()
    carried.resources.append(_patient(patient, at))
    carried.resources += _prescriber(patient.prescriber, at)
    if plan is not None:
        carried.resources.append(payer(plan, at))
    for coverage in patient.coverages:
        carried.add("coverages", _coverage(coverage, plan, at))
    for diagnosis in patient.conditions or ():
        carried.add("conditions", resources.condition(at, diagnosis))
    for resource, carriers in resources.observations(at, patient.observations):
        carried.add("observations", resource, carriers)
    for medication in patient.medications or ():
        carried.add("medications", resources.medication_statement(at, medication))
    for allergy in patient.allergies or ():
        carried.add("allergies", resources.allergy(at, allergy))
    who = at.reference("prescriber") if patient.prescriber else None
    for order in patient.orders:
        carried.add("orders", resources.medication_request(at, order, who))
    for part, write in _WRITERS.items():
        for record in getattr(patient, part):
            carried.add(part, write(at, record))
    for part, (code, title) in _SECTIONS.items():
        if not getattr(patient, part):
            carried.resources.append(_empty_list(at, part, code, title, getattr(patient, part) is not None))
    return carried


_WRITERS: dict[str, Any] = {
    "fills": resources.medication_dispense,
    "family_history": resources.family_member,
    "programs": resources.care_plan,
    "procedures": resources.procedure,
    "attestations": resources.attestation,
    "notes": resources.note,
    "documents": resources.document,
    "authorizations": resources.authorization,
}


def _patient(patient: Patient, at: Context) -> Json:
    return {
        "resourceType": "Patient",
        "id": at.new_id("patient"),
        "meta": {"profile": [f"{US_CORE}/us-core-patient"]},
        "identifier": [{"system": ours.PATIENT, "value": patient.id}],
        "name": [{"use": "official", "family": patient.family, "given": [patient.given]}],
        "telecom": [_phone("phone", patient.phone, "home")],
        "gender": patient.sex,
        "birthDate": patient.birth_date,
        "address": [_address(patient.address, "home")],
        "generalPractitioner": [at.reference("prescriber")] if patient.prescriber else None,
    }


def _phone(system: str, value: str | None, use: str) -> Json | None:
    return {"system": system, "value": value, "use": use} if value else None


def _address(address: Address | None, use: str) -> Json | None:
    if address is None:
        return None
    return {
        "use": use,
        "line": [address.line],
        "city": address.city,
        "state": address.state,
        "postalCode": address.zip,
        "country": "US",
    }


def _prescriber(who: Prescriber | None, at: Context) -> list[Json]:
    if who is None:
        return []
    title, name, suffix = _parts(who.name)
    given, _, family = name.rpartition(" ")
    practitioner = {
        "resourceType": "Practitioner",
        "id": at.new_id("prescriber"),
        "meta": {"profile": [f"{US_CORE}/us-core-practitioner"]},
        "identifier": [{"system": NPI, "value": who.npi}] if who.npi else None,
        "name": [
            {"text": who.name, "family": family, "given": [given], "prefix": [title], "suffix": [suffix]}
        ],
        "telecom": [_phone("phone", who.phone, "work"), _phone("fax", who.fax, "work")],
        "address": [_address(who.address, "work")],
    }
    practice = {
        "resourceType": "Organization",
        "id": at.new_id("practice"),
        "meta": {"profile": [f"{US_CORE}/us-core-organization"]},
        "active": True,
        "type": [term("organization-type", "prov", "Healthcare Provider")],
        "name": who.practice,
        "telecom": [_phone("phone", who.phone, "work"), _phone("fax", who.fax, "work")],
        "address": [_address(who.address, "work")],
    }
    role = {
        "resourceType": "PractitionerRole",
        "id": at.new_id("role"),
        "practitioner": at.reference("prescriber"),
        "organization": at.reference("practice") if who.practice else None,
        "specialty": [concept(who.specialty or "")],
    }
    return [
        practitioner,
        *([practice] if who.practice else []),
        *([role] if who.practice or who.specialty else []),
    ]


def _parts(name: str) -> tuple[str, str, str]:
    """ "Dr. Jane Roe, MD" → ("Dr.", "Jane Roe", "MD")."""
    found = re.fullmatch(r"(Dr\.)? ?([^,]*),? ?(.*)", name)
    return (found.group(1) or "", found.group(2), found.group(3)) if found else ("", name, "")


def payer(plan: Plan, at: Context) -> Json:
    return {
        "resourceType": "Organization",
        "id": at.new_id("payer", plan.payer_id),
        "meta": {"profile": [f"{US_CORE}/us-core-organization"]},
        "identifier": [{"system": ours.PLAN, "value": plan.payer_id}],
        "active": True,
        "type": [term("organization-type", "pay", "Payer")],
        "name": plan.payer,
        "telecom": [_phone("phone", plan.phone, "work"), _phone("fax", plan.fax, "work")],
        "address": [_address(plan.address, "work")],
    }


def _coverage(said: Coverage, plan: Plan | None, at: Context) -> Json:
    ours_to_name = plan is not None and plan.id == said.plan_id
    classes = (
        ("plan", said.plan_id, plan.name if plan and ours_to_name else ""),
        ("group", said.group, ""),
        ("rxbin", said.bin, ""),
        ("rxpcn", said.pcn, ""),
    )
    return at.start("Coverage", said, "us-core-coverage") | {
        "status": "active",
        "type": concept("", coding(f"{TERMINOLOGY}/v3-ActCode", "DRUGPOL", "drug policy")),
        "subscriberId": said.member_id,
        "beneficiary": at.subject(),
        "relationship": term("subscriber-relationship", "self"),
        "period": {"start": said.start, "end": said.end},
        "payor": [
            at.reference("payer", plan.payer_id)
            if plan and ours_to_name
            else {"display": said.plan_id or resources.UNSTATED}
        ],
        "class": [
            {"type": term("coverage-class", kind), "value": value, "name": name}
            for kind, value, name in classes
            if value
        ],
    }


def _empty_list(at: Context, part: str, code: str, title: str, known: bool) -> Json:
    """A list that is complete without entries, or that nobody has."""
    return {
        "resourceType": "List",
        "id": at.new_id("list", part),
        "status": "current",
        "mode": "snapshot",
        "title": title,
        "code": concept(title, coding(LOINC, code, title)),
        "subject": at.subject(),
        "emptyReason": term("list-empty-reason", "nilknown" if known else "unavailable"),
    }


def _provenance(at: Context, recorded: date) -> Json:
    return {
        "resourceType": "Provenance",
        "id": at.new_id("provenance"),
        "meta": {"profile": [f"{US_CORE}/us-core-provenance"]},
        "target": [at.subject()],
        "recorded": instant(recorded),
        "activity": concept("exported by Paladin from its record of this patient"),
        "agent": [
            {
                "type": term("provenance-participant-type", "assembler", "Assembler"),
                "who": {"display": "Paladin"},
            }
        ],
    }
