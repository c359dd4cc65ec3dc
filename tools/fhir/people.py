"""Who the patient is and who prescribes, from Patient, Practitioner, PractitionerRole and Organization."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from tools.domain.records import Address, Prescriber
from tools.fhir import ours
from tools.fhir.elements import Element, Reference
from tools.fhir.patient_records import PatientRecord, server_of
from tools.fhir.report import Entry
from tools.terminology.terms import NPI

_ID_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
_SHARED = {"MB", "SN", "AN", "VN", "GN", "GI"}  # numbers of a member, subscriber, account, visit, guarantor
SYNTHEA = "https://github.com/synthetichealth/synthea"
_STATES = (
    "Alabama AL,Alaska AK,Arizona AZ,Arkansas AR,California CA,Colorado CO,Connecticut CT,Delaware DE,"
    "District of Columbia DC,Florida FL,Georgia GA,Hawaii HI,Idaho ID,Illinois IL,Indiana IN,Iowa IA,Kansas KS,"
    "Kentucky KY,Louisiana LA,Maine ME,Maryland MD,Massachusetts MA,Michigan MI,Minnesota MN,Mississippi MS,"
    "Missouri MO,Montana MT,Nebraska NE,Nevada NV,New Hampshire NH,New Jersey NJ,New Mexico NM,New York NY,"
    "North Carolina NC,North Dakota ND,Ohio OH,Oklahoma OK,Oregon OR,Pennsylvania PA,Puerto Rico PR,"
    "Rhode Island RI,South Carolina SC,South Dakota SD,Tennessee TN,Texas TX,Utah UT,Vermont VT,Virginia VA,"
    "Washington WA,West Virginia WV,Wisconsin WI,Wyoming WY"
)
_STATE = {pair[:-3].casefold(): pair[-2:] for pair in _STATES.split(",")}


def identifiers_of(patient: Entry) -> list[tuple[str, str]]:
    """What identifies the patient anywhere, best first: Synthea's own id, a medical record number, any identifier
    with its system; then the resource's id together with the server that it is from. A member number is shared by
    a family, and a bare id is everybody's: they identify nobody."""
    known = [
        (system != SYNTHEA, kind.code(_ID_TYPE) != "MR", system, value)
        for system, value, use, kind in patient.element.identifiers()
        if system and value and system != ours.PATIENT and use != "old" and not kind.codes & _SHARED
    ]
    best = [(system, value) for *_, system, value in sorted(known, key=lambda one: one[:2])]
    return list(dict.fromkeys(best + _on_server(patient)))


def _on_server(patient: Entry) -> list[tuple[str, str]]:
    url = patient.full_url
    if url.startswith("urn:uuid:") and _is_uuid(url.removeprefix("urn:uuid:")):
        return [("urn:ietf:rfc:3986", url)]
    server = server_of(patient) or patient.element.one("meta").text("source").partition("#")[0]
    return [(server, f"Patient/{patient.id}")] if server and patient.element.text("id") else []


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def name_of(person: Element) -> tuple[str, str]:
    """Given names and family name as charted: Synthea's digits ("Renato123") are part of the name there."""
    names = person.many("name")
    current = [n for n in names if n.text("use") not in ("maiden", "old", "nickname", "anonymous")] or names
    best = next((n for n in current if n.text("use") == "official"), next(iter(current), Element({})))
    given, family = " ".join(filter(None, best.texts("given"))), best.text("family")
    if not given and not family:
        given, _, family = best.text("text").rpartition(" ")
    return given, family


def full_name(person: Element) -> str:
    """As it is written out, else with title and suffix; an organization's name."""
    if isinstance(person.raw.get("name"), str):
        return person.text("name")
    names = person.many("name")
    written = next((text for n in names if (text := n.text("text"))), "")
    title = next((p for n in names for p in n.texts("prefix") if p), "")
    suffix = next((s for n in names for s in n.texts("suffix") if s), "")
    return written or " ".join(filter(None, [title, *name_of(person)])) + (f", {suffix}" if suffix else "")


def address_of(person: Element) -> Address | None:
    now = [a for a in person.many("address") if a.text("use") not in ("old", "temp")]
    best = next((a for a in now if a.text("use") in ("home", "work")), next(iter(now), None))
    if best is None:
        return None
    state = best.text("state")
    return Address(
        line=", ".join(filter(None, best.texts("line"))),
        city=best.text("city"),
        state=_STATE.get(state.casefold(), state),
        zip=best.text("postalCode"),
    )


def phone_of(person: Element, system: str = "phone") -> str:
    numbers = [
        (t.text("use"), t.text("value"))
        for t in person.many("telecom")
        if t.text("system") == system and t.text("use") != "old" and t.text("value")
    ]
    preferred = (value for use, value in numbers if use in ("home", "work"))
    return next(preferred, numbers[0][1] if numbers else "")


def is_npi(number: str) -> bool:
    """Ten digits that pass Luhn with the prefix 80840 of US health identifiers."""
    if not re.fullmatch(r"\d{10}", number):
        return False
    total = 0
    for place, digit in enumerate(reversed("80840" + number)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


# --- the prescriber --------------------------------------------------------------------------------------


def prescriber(record: PatientRecord) -> tuple[Prescriber | None, str]:
    """The patient's general practitioner, else who wrote the newest prescription, else who saw the patient
    last; with the practice of that practitioner's role or last visit. And what is wrong with the NPI."""
    for reference in _candidates(record):
        found = record.find(reference, "Practitioner", "PractitionerRole")
        if found is not None and found.type == "PractitionerRole":
            found.taken()
            found = record.find(found.element.reference("practitioner"), "Practitioner")
        if found is not None:
            return _from_practitioner(record, found)
        if reference.display:
            npi = reference.value if reference.system == NPI else _conditional_npi(reference)
            return Prescriber(name=reference.display, npi=npi if is_npi(npi) else None), ""
    return None, ""


def _candidates(record: PatientRecord) -> Iterator[Reference]:
    listed = record.patient.element.references("generalPractitioner")
    yield from (r for r in listed if "Organization" not in r.reference)
    requests = record.of("MedicationRequest")
    written = sorted(requests, key=lambda entry: entry.element.text("authoredOn"), reverse=True)
    yield from (r for entry in written if (r := entry.element.reference("requester")).reference)
    for visit in _visits(record):
        yield from (p.reference("individual") for p in visit.many("participant"))


def _from_practitioner(record: PatientRecord, practitioner: Entry) -> tuple[Prescriber, str]:
    practitioner.taken()
    who = practitioner.element
    role = record.role_of(practitioner)
    practice = _practice(record, practitioner, role)
    at_practice = practice.element if practice else Element({})
    for entry in filter(None, (role, practice)):
        entry.taken()
    name, stated = full_name(who), who.own(NPI)
    specialties = role.element.concepts("specialty") if role else []
    wrong = f"NPI {stated!r} of {name} fails its check digit and is not kept"
    found = Prescriber(
        name=name,
        npi=stated if is_npi(stated) else None,
        specialty=next((c.name.lower() for c in specialties if c.name), None),
        practice=at_practice.text("name") or None,
        address=address_of(who) or address_of(at_practice),
        phone=phone_of(who) or phone_of(at_practice) or None,
        fax=phone_of(who, "fax") or phone_of(at_practice, "fax") or None,
        contact=next((full_name(c) for c in at_practice.many("contact")), "") or None,
    )
    return found, wrong if stated and not found.npi else ""


def _practice(record: PatientRecord, practitioner: Entry, role: Entry | None) -> Entry | None:
    if role is not None:
        return record.find(role.element.reference("organization"), "Organization")
    for visit in _visits(record):
        seen_by = (p.reference("individual") for p in visit.many("participant"))
        if any(record.find(r, "Practitioner") is practitioner for r in seen_by):
            return record.find(visit.reference("serviceProvider"), "Organization")
    return None


def _visits(record: PatientRecord) -> list[Element]:
    """Newest first."""
    visits = [entry.element for entry in record.of("Encounter")]
    return sorted(visits, key=lambda visit: visit.one("period").text("start"), reverse=True)


def _conditional_npi(reference: Reference) -> str:
    """`Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999946590`, as newer Synthea writes it."""
    system, _, value = reference.reference.partition("identifier=")[2].partition("|")
    return value if system == NPI else ""
