"""Prescriptions, statements, draft orders and fills: what was taken, and no more about it than is stated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import chain
from typing import Literal, NamedTuple, get_args

from tools.domain.records import Fill, Medication, Order, TrialOutcome
from tools.fhir.context import Reading
from tools.fhir.elements import Concept, Element, Quantity
from tools.fhir.products import Product, product
from tools.fhir.report import Entry, Ignored
from tools.terminology.effects import intolerance_of
from tools.terminology.frequencies import frequencies
from tools.terminology.observations import unit_of
from tools.terminology.quantities import convert
from tools.terminology.terms import INDICATIONS, NDC, RXNORM

_TAKEN: dict[str, Literal["active", "stopped"]] = {
    "active": "active",
    **dict.fromkeys(("completed", "stopped", "ended"), "stopped"),
}
_NEVER_TAKEN = {
    "entered-in-error": "entered in error",
    "cancelled": "cancelled before anything was taken",
    "intended": "intended, not taken",
    "not-taken": "not taken",
}
_RESPONSE: dict[TrialOutcome, re.Pattern[str]] = {
    "Intolerance - other": re.compile(r"intoleran|side effect|adverse|allerg", re.I),
    "Partial response": re.compile(r"partial response", re.I),
    "Inadequate response": re.compile(
        r"ineffective|inadequate|lack of (effect|efficacy)|treatment fail", re.I
    ),
}
OUTCOMES: tuple[TrialOutcome, ...] = get_args(TrialOutcome)
SAMPLE = "a sample"
MOST_DAYS = 1000  # of one fill


class _Course(NamedTuple):
    """When it was taken, whether a lay person says so, and why it is in its state."""

    start: date | None
    end: date | None
    reported: bool
    why: str


def request(entry: Entry, at: Reading) -> Iterator[Medication | Order]:
    """A draft order is what is to be asked for; any other prescription is a medicine of the chart."""
    said = entry.element
    intent, reported = said.text("intent"), bool(said.flag("reportedBoolean"))
    if said.flag("doNotPerform"):
        raise Ignored("says what not to give")
    if intent == "proposal" or (intent == "plan" and not reported):
        raise Ignored(f"a {intent}, not an order")
    if said.text("status") == "draft":
        yield _order(entry, at)
        return
    course = _Course(said.day("authoredOn"), None, reported, said.concept("statusReason").name)
    yield _medication(entry, at, said.many("dosageInstruction"), course)


def statement(entry: Entry, at: Reading) -> Iterator[Medication]:
    said = entry.element
    period, source = said.period("effectivePeriod"), said.reference("informationSource")
    reported = at.record.about(source) or "RelatedPerson" in source.reference
    why = next((concept.name for concept in said.concepts("statusReason") if concept.name), "")
    course = _Course(period.start or said.day("effectiveDateTime"), period.end, reported, why)
    yield _medication(entry, at, said.many("dosage"), course)


def _medication(entry: Entry, at: Reading, dosages: list[Element], course: _Course) -> Medication:
    said = entry.element
    stated, notes = said.text("status"), {note.text("text") for note in said.many("note")}
    if why := _NEVER_TAKEN.get(stated):
        raise Ignored(why)
    concept, named = _product(entry, at)
    if not named.ingredients:
        entry.partly("a medicine that nobody knows" if concept.name else "names no medicine")
    dose, dose_unit, per_day = _dosage(dosages, named)
    if said.doubtful:
        entry.partly("whether it is taken cannot be read")
    return Medication(
        id=at.id(entry, Medication),
        drug=named.name,
        ingredients=named.ingredients,
        classes=named.classes,
        rxnorm=named.rxnorm,
        dose=dose,
        dose_unit=dose_unit,
        per_day=per_day,
        formulation=named.formulation,
        start=course.start,
        end=course.end,
        status=None if said.doubtful else _TAKEN.get(stated),
        outcome=_outcome(notes, course.why),
        reason=course.why,
        source="sample" if SAMPLE in notes else "reported" if course.reported else "prescribed",
        source_code=_source_code(concept, named),
    )


def _product(entry: Entry, at: Reading) -> tuple[Concept, Product]:
    """What is given, with its form, which may stand apart; an unnamed medicine is still one that nobody knows."""
    said = entry.element
    concept, reference = said.concept("medicationCodeableConcept"), said.reference("medicationReference")
    form = ""
    if not concept.name and (medicine := _referenced(entry, at)):
        concept, form = medicine.concept("code"), medicine.concept("form").name
    if not concept.name:
        concept = Concept(text=reference.display)
    rxcui = concept.code(RXNORM)
    name = concept.name if concept.name != rxcui else ""
    named = product(name, rxcui)
    if form and named.formulation is None:
        named = named._replace(formulation=product(f"{name} {form}").formulation)
    if not named.name:
        named = named._replace(name=f"unnamed medicine ({reference.reference or entry.id})")
    return concept, named


def _referenced(entry: Entry, at: Reading) -> Element | None:
    reference = entry.element.reference("medicationReference")
    if reference.reference.startswith("#"):
        inner = entry.element.many("contained")
        return next((one for one in inner if one.text("id") == reference.reference[1:]), None)
    found = at.record.find(reference, "Medication")
    if found is None:
        return None
    found.taken()
    return found.element


def _outcome(notes: set[str], why: str) -> TrialOutcome | None:
    """As our own export notes it, else from the reason for stopping."""
    noted = (outcome for outcome in OUTCOMES if f"Outcome: {outcome}" in notes)
    effects = (effect for effect in (intolerance_of(why),) if effect)
    responses = (outcome for outcome, words in _RESPONSE.items() if words.search(why))
    return next(chain(noted, effects, responses), None)


def _source_code(concept: Concept, named: Product) -> str:
    """The code as charted, with the product's text where the chart now shows only its brand; none if it is the
    ingredient's."""
    coding = next((c for c in concept.codings if c.system == RXNORM and c.code), None)
    text = (coding.display if coding else "") or concept.name
    code = concept.label
    if coding:
        code = f"RxNorm {coding.code}" if coding.code != named.rxnorm else ""
    said_already = text in (named.name, concept.label, coding and coding.code)
    return code if said_already else f"{code} {text}".strip()


def _dosage(dosages: list[Element], named: Product) -> tuple[float | None, str | None, float | None]:
    """Dose in its unit and administrations a day, only from one structured instruction that states them.
    As needed has no daily number; a count of tablets is milligrams if the product states its strength."""
    if len(dosages) != 1:
        return None, None, None
    said = dosages[0]
    needed = said.flag("asNeededBoolean") or said.one("asNeededCodeableConcept")
    dose, unit = _dose(_first_dose(said), named)
    return dose, unit, None if needed else _per_day(said.one("timing"))


def _first_dose(dosage: Element) -> Quantity | None:
    return next(filter(None, (rate.quantity("doseQuantity") for rate in dosage.many("doseAndRate"))), None)


def _dose(quantity: Quantity | None, named: Product) -> tuple[float | None, str | None]:
    stated = (quantity.code or quantity.unit) if quantity else ""
    unit = unit_of(stated)
    if quantity is None:
        return None, None
    if (weight := convert(quantity.value, unit.unit if unit else "", "mg")) is not None:
        return weight, "mg"
    if not stated or (unit and unit.dimension == "count"):
        return (quantity.value * named.strength, "mg") if named.strength else (None, None)
    return quantity.value, stated


def _per_day(timing: Element) -> float | None:
    repeat = timing.one("repeat")
    frequency, period = repeat.number("frequency"), repeat.number("period")
    days = convert(period or 0, repeat.text("periodUnit"), "d")
    if frequency and days:
        return None if repeat.number("frequencyMax") else round(frequency / days, 6)
    codes = (coding.code.casefold() for coding in timing.concept("code").codings)
    return next((often for code in codes if (often := frequencies().get(code))), None)


# --- draft orders and fills ------------------------------------------------------------------------------


def _order(entry: Entry, at: Reading) -> Order:
    """What the prescriber means to order."""
    said = entry.element
    concept, _ = _product(entry, at)
    if not concept.name:
        raise Ignored("a draft that names no medicine")
    supply, dosages = said.one("dispenseRequest"), said.many("dosageInstruction")
    quantity, reasons = supply.quantity("quantity"), {c.name for c in said.concepts("reasonCode")}
    dose = next(filter(None, map(_first_dose, dosages)), None)
    return Order(
        id=at.id(entry, Order),
        drug=concept.name,
        strength=f"{dose.value:g} {dose.unit or dose.code}" if dose else "",
        quantity=quantity.value if quantity else None,
        unit=(quantity.unit or None) if quantity else None,
        days_supply=_days(supply.quantity("expectedSupplyDuration")),
        indication=next((key for key, label in INDICATIONS.items() if label in reasons), ""),
        sig=next((text for d in dosages if (text := d.text("text"))), ""),
        date=said.day("authoredOn"),
    )


def dispense(entry: Entry, at: Reading) -> Iterator[Fill]:
    said = entry.element
    status = said.text("status")
    if status not in ("completed", "unknown", ""):
        raise Ignored(status.replace("-", " "))
    concept, named = _product(entry, at)
    handed = said.day("whenHandedOver") or said.day("whenPrepared")
    days, quantity = _days(said.quantity("daysSupply")), said.quantity("quantity")
    if handed is None or days is None:
        raise Ignored("a fill without its day or its days' supply")
    yield Fill(
        id=at.id(entry, Fill),
        drug=named.name,
        ingredients=named.ingredients,
        classes=named.classes,
        date=handed,
        days_supply=days,
        quantity=quantity.value if quantity else None,
        ndc=concept.code(NDC),
    )


def _days(supply: Quantity | None) -> int | None:
    """A whole number of days; none at all is no supply."""
    whole = supply is not None and supply.value.is_integer() and 0 < supply.value < MOST_DAYS
    return int(supply.value) if supply and whole else None
