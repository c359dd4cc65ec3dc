"""Prescriptions, statements and fills: what was taken, and no more about it than is stated."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from tools.fhir import ours
from tools.fhir.bundle import Bundle, Entry
from tools.fhir.elements import CodeableConcept, Dosage, Reference, day
from tools.fhir.products import Product, product
from tools.fhir.r4 import (
    FhirMedication,
    FhirPatient,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
)
from tools.fhir.report import Tally
from tools.records import Fill, Medication, Order, TrialOutcome
from tools.terms import NDC, RXNORM

Status = Literal["active", "stopped"] | None
_STATUS: dict[str, Status] = {
    "active": "active",
    "completed": "stopped",
    "stopped": "stopped",
    "ended": "stopped",
    "on-hold": None,
    "unknown": None,
    "": None,
}
_NEVER_TAKEN = {
    "entered-in-error": "entered in error",
    "cancelled": "cancelled before anything was taken",
    "draft": "a draft",
    "intended": "intended, not taken",
    "not-taken": "not taken",
}
_OUTCOME: tuple[tuple[re.Pattern[str], TrialOutcome], ...] = (
    (re.compile(r"hypoglyc", re.I), "Intolerance - hypoglycemia"),
    (re.compile(r"genital|mycotic|yeast|candid", re.I), "Intolerance - genital infection"),
    (re.compile(r"nausea|vomit|diarrh|gastro|abdominal|\bGI\b", re.I), "Intolerance - GI side effects"),
    (re.compile(r"intoleran|side effect|adverse|allerg", re.I), "Intolerance - other"),
    (re.compile(r"partial response", re.I), "Partial response"),
    (
        re.compile(r"ineffective|inadequate|lack of (effect|efficacy)|treatment fail", re.I),
        "Inadequate response",
    ),
)
_PER_DAY = {"h": 24.0, "d": 1.0, "wk": 1 / 7, "min": 1440.0}
_CODED = {"QD": 1.0, "BID": 2.0, "TID": 3.0, "QID": 4.0, "AM": 1.0, "PM": 1.0, "QOD": 0.5, "BED": 1.0}
_COUNTED = re.compile(r"^(\{?(tab|tablet|tbl|cap|capsule|pill|each|1)s?\}?|)$", re.IGNORECASE)
_TO_MG = {"mg": 1.0, "ug": 0.001, "mcg": 0.001, "g": 1000.0}


def medications(bundle: Bundle, tally: Tally) -> list[Medication]:
    """In the bundle's order, requests and statements alike."""
    listed: list[Medication] = []
    for entry in bundle.entries:
        said = entry.resource
        if tally.seen(entry) or not isinstance(said, MedicationRequest | MedicationStatement):
            continue
        if isinstance(said, MedicationRequest) and ours.is_ours(said, Order):
            continue
        concept = _concept(said, bundle)
        if why := _not_taken(said):
            tally.skip(entry, why, concept)
        elif not concept.name:
            tally.not_understood(entry, "names no medication", concept)
        else:
            tally.mapped(entry)
            listed.append(_medication(entry, said, concept, bundle, tally))
    return listed


def _not_taken(said: MedicationRequest | MedicationStatement) -> str:
    if isinstance(said, MedicationRequest):
        if said.do_not_perform:
            return "says what not to give"
        if said.intent == "proposal" or (said.intent == "plan" and not said.reported_boolean):
            return f"a {said.intent}, not an order"
    return _NEVER_TAKEN.get(said.status, "")


def _concept(
    said: MedicationRequest | MedicationStatement | MedicationDispense, bundle: Bundle
) -> CodeableConcept:
    if said.medication_codeable_concept is not None:
        return said.medication_codeable_concept
    reference = said.medication_reference or Reference()
    if reference.reference.startswith("#"):
        inner = next((c for c in said.contained if c.get("id") == reference.reference[1:]), None)
        found = _contained(inner) if inner else None
    else:
        found = bundle.find(reference.reference, FhirMedication)
    return found.code if found else CodeableConcept(text=reference.display)


def _contained(raw: dict[str, Any]) -> FhirMedication | None:
    try:
        return msgspec.convert(raw, FhirMedication)
    except msgspec.ValidationError:
        return None


def _medication(
    entry: Entry,
    said: MedicationRequest | MedicationStatement,
    concept: CodeableConcept,
    bundle: Bundle,
    tally: Tally,
) -> Medication:
    rxcui = concept.code(RXNORM)
    named = product(concept.name if concept.name != rxcui else "", rxcui)
    mine = ours.is_ours(said, Medication)
    if not named.classes and not mine:
        tally.by_name(entry, "no drug class that a rule names", concept)
    if isinstance(said, MedicationRequest):
        start, end, dosages = day(said.authored_on), None, said.dosage_instruction
        why = said.status_reason.name
        reported = bool(said.reported_boolean)
    else:
        start = day(said.effective_period.start) or day(said.effective_date_time)
        end, dosages = day(said.effective_period.end), said.dosage
        why = next((r.name for r in said.status_reason if r.name), "")
        teller = said.information_source.reference
        reported = bundle.find(teller, FhirPatient) is not None or "RelatedPerson" in teller
    dose, dose_unit, per_day = _dosage(dosages, named)
    status = _STATUS.get(said.status)
    record = Medication(
        id=ours.record_id(said, Medication),
        drug=named.name,
        ingredients=named.ingredients,
        classes=named.classes,
        rxnorm=named.rxnorm,
        dose=dose,
        dose_unit=dose_unit,
        per_day=per_day,
        formulation=named.formulation,
        start=start,
        end=end,
        status=status,
        outcome=next((outcome for words, outcome in _OUTCOME if words.search(why)), None) if why else None,
        reason=why,
        source="reported" if reported else "prescribed",
        source_code=_source_code(concept, named),
    )
    return ours.restored(record, said.extended(ours.REST))


def _source_code(concept: CodeableConcept, named: Product) -> str:
    """The code as charted, with the product's text where the chart now shows only its brand."""
    rxcui = concept.code(RXNORM)
    code = f"RxNorm {rxcui}" if rxcui else concept.label
    return f"{code} {concept.name}".strip() if named.name != concept.name else code


def _dosage(dosages: tuple[Dosage, ...], named: Product) -> tuple[float | None, str | None, float | None]:
    """Dose in its unit and administrations a day, only from one structured instruction that states them.
    As needed has no daily number; a count of tablets is milligrams if the product states its strength."""
    if len(dosages) != 1:
        return None, None, None
    said = dosages[0]
    needed = said.as_needed_boolean or said.as_needed_codeable_concept is not None
    quantity = next((d.dose_quantity for d in said.dose_and_rate if d.dose_quantity), None)
    dose, unit = None, None
    if quantity is not None and quantity.value is not None:
        stated = quantity.code or quantity.unit
        if stated in _TO_MG:
            dose, unit = quantity.value * _TO_MG[stated], "mg"
        elif _COUNTED.match(stated) and named.strength:
            dose, unit = quantity.value * named.strength, "mg"
        elif stated and not _COUNTED.match(stated):
            dose, unit = quantity.value, stated
    return dose, unit, None if needed else _per_day(said)


def _per_day(said: Dosage) -> float | None:
    timing = said.timing
    if timing is None:
        return None
    if (
        timing.repeat
        and timing.repeat.frequency
        and timing.repeat.period
        and timing.repeat.period_unit in _PER_DAY
    ):
        if timing.repeat.frequency_max:
            return None
        return timing.repeat.frequency * _PER_DAY[timing.repeat.period_unit] / timing.repeat.period
    return next((_CODED[c.code] for c in timing.code.coding if c.code in _CODED), None)


# --- fills and our own orders ----------------------------------------------------------------------------


def fills(bundle: Bundle, tally: Tally) -> list[Fill]:
    listed: list[Fill] = []
    for entry, said in bundle.of(MedicationDispense):
        if tally.seen(entry):
            continue
        concept = _concept(said, bundle)
        handed = day(said.when_handed_over) or day(said.when_prepared)
        days = said.days_supply.value if said.days_supply else None
        if said.status not in ("completed", "unknown", ""):
            tally.skip(entry, said.status.replace("-", " "), concept)
        elif handed is None or days is None or days != int(days):
            tally.not_understood(entry, "a fill without its day or its days' supply", concept)
        else:
            tally.mapped(entry)
            named = product(concept.name, concept.code(RXNORM))
            record = Fill(
                id=ours.record_id(said, Fill),
                drug=named.name,
                ingredients=named.ingredients,
                classes=named.classes,
                date=handed,
                days_supply=int(days),
                quantity=said.quantity.value if said.quantity else None,
                ndc=concept.code(NDC),
            )
            listed.append(ours.restored(record, said.extended(ours.REST)))
    return listed


def orders(bundle: Bundle, tally: Tally) -> list[Order]:
    """Only our own; a prescription of elsewhere is a medication of the chart."""
    listed: list[Order] = []
    for entry, said in bundle.of(MedicationRequest):
        if tally.seen(entry) or not ours.is_ours(said, Order):
            continue
        tally.mapped(entry)
        supply = said.dispense_request
        days = supply.expected_supply_duration.value if supply.expected_supply_duration else None
        record = Order(
            id=ours.record_id(said, Order),
            drug=_concept(said, bundle).name,
            quantity=supply.quantity.value if supply.quantity else None,
            unit=(supply.quantity.unit or None) if supply.quantity else None,
            days_supply=int(days) if days is not None else None,
            sig=next((d.text for d in said.dosage_instruction), ""),
            date=day(said.authored_on),
        )
        listed.append(ours.restored(record, said.extended(ours.REST)))
    return listed
