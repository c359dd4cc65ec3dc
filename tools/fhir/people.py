"""Who the patient is and who prescribes, from Patient, Practitioner, PractitionerRole and Organization."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from tools.fhir import ours
from tools.fhir.bundle import Bundle, Entry
from tools.fhir.elements import FhirAddress, HumanName, Reference, Telecom
from tools.fhir.r4 import (
    Encounter,
    FhirPatient,
    MedicationRequest,
    Organization,
    Practitioner,
    PractitionerRole,
)
from tools.fhir.report import Tally
from tools.records import Address, Prescriber
from tools.terms import NPI

_ID_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
_SHARED = ("MB", "SN", "AN", "VN", "GN", "GI")  # numbers of a member, subscriber, account, visit, guarantor
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


def identifiers_of(patient: FhirPatient, full_url: str, meta_source: str) -> list[tuple[str, str]]:
    """What identifies the patient anywhere, best first: Synthea's own id, a medical record number, any identifier
    with its system; else the resource's id together with the server that it is from. A member number is shared by
    a family, and a bare id is everybody's: they identify nobody."""
    known = [i for i in patient.identifier if i.system and i.value and i.system != ours.PATIENT]
    known = [i for i in known if i.type.code(_ID_TYPE) not in _SHARED]
    known.sort(key=lambda i: (i.system != SYNTHEA, i.type.code(_ID_TYPE) != "MR"))
    base, _, last = full_url.removesuffix(f"/{patient.id}").rpartition("/")
    if last != "Patient" or not patient.id:
        base = meta_source.partition("#")[0] if patient.id else ""
    if _is_uuid(full_url.removeprefix("urn:uuid:")):
        base, patient_id = "urn:ietf:rfc:3986", full_url
    else:
        patient_id = patient.id
    here = [(base, patient_id)] if base else []
    return list(dict.fromkeys([*((i.system, i.value) for i in known), *here]))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def name_of(names: tuple[HumanName, ...]) -> tuple[str, str]:
    """Given names and family name as charted: Synthea's digits ("Renato123") are part of the name there."""
    current = [n for n in names if n.use not in ("maiden", "old", "nickname", "anonymous")] or list(names)
    best = next((n for n in current if n.use == "official"), next(iter(current), HumanName()))
    given = " ".join(g for g in best.given if g)
    if not given and not best.family:
        first, _, last = best.text.rpartition(" ")
        return first, last
    return given, best.family


def address_of(addresses: tuple[FhirAddress, ...]) -> Address | None:
    now = [a for a in addresses if a.use not in ("old", "temp")]
    best = next((a for a in now if a.use == "home"), next(iter(now), None))
    if best is None:
        return None
    state = _STATE.get(best.state.casefold(), best.state)
    line = ", ".join(part for part in best.line if part)
    return Address(line=line, city=best.city, state=state, zip=best.postal_code)


def phone_of(telecoms: tuple[Telecom, ...], system: str = "phone") -> str:
    numbers = [t for t in telecoms if t.system == system and t.use != "old" and t.value]
    return next((t.value for t in numbers if t.use in ("home", "work")), next((t.value for t in numbers), ""))


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


def prescriber(bundle: Bundle, patient: FhirPatient, tally: Tally) -> Prescriber | None:
    """The patient's general practitioner, else who wrote the newest prescription, else who saw the patient
    last; with the practice of that practitioner's role or last visit."""
    for reference in _candidates(bundle, patient):
        found = bundle.find(reference.reference, Practitioner)
        if found is not None:
            return _from_practitioner(bundle, found, tally)
        if reference.display:
            return Prescriber(name=reference.display, npi=_conditional_npi(reference) or None)
    return None


def _candidates(bundle: Bundle, patient: FhirPatient) -> Iterator[Reference]:
    yield from (r for r in patient.general_practitioner if "Organization" not in r.reference)
    requests = sorted((r for _, r in bundle.of(MedicationRequest)), key=lambda r: r.authored_on)
    yield from (r.requester for r in reversed(requests) if r.requester.reference)
    for visit in _visits(bundle):
        yield from (p.individual for p in visit.participant if p.individual.reference)


def _from_practitioner(bundle: Bundle, practitioner: Practitioner, tally: Tally) -> Prescriber:
    given, family = name_of(practitioner.name)
    stated = practitioner.own(NPI)
    if stated and not is_npi(stated):
        tally.notice(f"NPI {stated!r} of {given} {family} fails its check digit and is not kept")
    role = next(
        (r for _, r in bundle.of(PractitionerRole) if _means(bundle, r.practitioner, practitioner)), None
    )
    practice = _practice(bundle, practitioner, role)
    title = next((p for n in practitioner.name for p in n.prefix if p), "")
    return Prescriber(
        name=f"{title} {given} {family}".strip() if title else f"{given} {family}".strip(),
        npi=stated if is_npi(stated) else None,
        specialty=next((s.name.lower() for s in role.specialty if s.name), None) if role else None,
        practice=practice.name if practice else None,
        address=address_of(practitioner.address) or (address_of(practice.address) if practice else None),
        phone=phone_of(practitioner.telecom) or (phone_of(practice.telecom) if practice else "") or None,
        fax=phone_of(practitioner.telecom, "fax")
        or (phone_of(practice.telecom, "fax") if practice else "")
        or None,
    )


def _practice(
    bundle: Bundle, practitioner: Practitioner, role: PractitionerRole | None
) -> Organization | None:
    if role is not None:
        return bundle.find(role.organization.reference, Organization)
    for visit in _visits(bundle):
        if any(_means(bundle, p.individual, practitioner) for p in visit.participant):
            return bundle.find(visit.service_provider.reference, Organization)
    return None


def _visits(bundle: Bundle) -> list[Encounter]:
    """Newest first."""
    return sorted((e for _, e in bundle.of(Encounter)), key=lambda e: e.period.start, reverse=True)


def _means(bundle: Bundle, reference: Reference, practitioner: Practitioner) -> bool:
    return bundle.find(reference.reference, Practitioner) is practitioner


def _conditional_npi(reference: Reference) -> str:
    """`Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999946590`, as newer Synthea writes it."""
    _, _, asked = reference.reference.partition("identifier=")
    system, _, value = asked.partition("|")
    return value if system == NPI and is_npi(value) else ""


def used(entry: Entry, who: Prescriber | None) -> bool:
    """Whether a practitioner or organization has told us who prescribes."""
    if who is None:
        return False
    if isinstance(entry.resource, Practitioner):
        given, family = name_of(entry.resource.name)
        return who.name.endswith(f"{given} {family}".strip())
    return isinstance(entry.resource, Organization) and entry.resource.name == who.practice
