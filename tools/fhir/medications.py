"""Prescriptions, statements, draft orders and fills: what was taken, and no more about it than is stated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Literal, NamedTuple, get_args

from tools.fhir.context import Reading
from tools.fhir.elements import Concept, Element
from tools.fhir.products import Product, product
from tools.fhir.report import Entry, Ignored
from tools.records import Fill, Medication, Order, TrialOutcome
from tools.terms import INDICATIONS, NDC, RXNORM

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
OUTCOMES: tuple[TrialOutcome, ...] = get_args(TrialOutcome)
SAMPLE = "a sample"
_PER_DAY = {"h": 24.0, "d": 1.0, "wk": 1 / 7, "min": 1440.0}
_CODED = {"QD": 1.0, "BID": 2.0, "TID": 3.0, "QID": 4.0, "AM": 1.0, "PM": 1.0, "QOD": 0.5, "BED": 1.0}
_COUNTED = re.compile(r"^(\{?(tab|tablet|tbl|cap|capsule|pill|each|1)s?\}?|)$", re.IGNORECASE)
_TO_MG = {"mg": 1.0, "ug": 0.001, "mcg": 0.001, "g": 1000.0}


def request(entry: Entry, at: Reading) -> Iterator[Medication | Order]:
    """A draft order is what is to be asked for; any other prescription is a medicine of the chart."""
    said = entry.element
    intent, reported = said.text("intent"), said.flag("reportedBoolean")
    if said.flag("doNotPerform"):
        raise Ignored("says what not to give")
    if intent == "proposal" or (intent == "plan" and not reported):
        raise Ignored(f"a {intent}, not an order")
    if said.text("status") == "draft":
        yield _order(entry, at)
        return
    reasons = [said.concept("statusReason").name]
    yield _medication(
        entry,
        at,
        said.many("dosageInstruction"),
        reasons,
        Course(said.day("authoredOn"), None, bool(reported)),
    )


def statement(entry: Entry, at: Reading) -> Iterator[Medication]:
    said = entry.element
    period, source = said.period("effectivePeriod"), said.reference("informationSource")
    reported = at.record.about(source) or "RelatedPerson" in source.reference
    course = Course(period.start or said.day("effectiveDateTime"), period.end, reported)
    reasons = [concept.name for concept in said.concepts("statusReason")]
    yield _medication(entry, at, said.many("dosage"), reasons, course)


class Course(NamedTuple):
    """When it was taken, and whether a lay person says so."""

    start: date | None
    end: date | None
    reported: bool


def _medication(
    entry: Entry, at: Reading, dosages: list[Element], reasons: list[str], course: Course
) -> Medication:
    said = entry.element
    stated = said.text("status")
    if why := _NEVER_TAKEN.get(stated):
        raise Ignored(why)
    concept, named = _product(entry, at)
    if not named.ingredients:
        entry.partly("a medicine that nobody knows" if concept.name else "names no medicine")
    dose, dose_unit, per_day = _dosage(dosages, named)
    notes = {note.text("text") for note in said.many("note")}
    why = next(filter(None, reasons), "")
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
        status=None if said.doubtful else _STATUS.get(stated),
        outcome=_outcome(notes, why),
        reason=why,
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
    if not concept.name and reference.display:
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
    if found is not None:
        found.taken()
    return found.element if found is not None else None


def _outcome(notes: set[str], why: str) -> TrialOutcome | None:
    """As our own export notes it, else from the reason for stopping."""
    noted = next((outcome for outcome in OUTCOMES if f"Outcome: {outcome}" in notes), None)
    return noted or next((outcome for words, outcome in _OUTCOME if words.search(why)), None)


def _source_code(concept: Concept, named: Product) -> str:
    """The code as charted, with the product's text where the chart now shows only its brand; none if it is the
    ingredient's."""
    coding = next((c for c in concept.codings if c.system == RXNORM and c.code), None)
    text = (coding.display if coding else "") or concept.name
    code = (
        f"RxNorm {coding.code}" if coding and coding.code != named.rxnorm else "" if coding else concept.label
    )
    return (
        f"{code} {text}".strip() if text not in (named.name, concept.label, coding and coding.code) else code
    )


def _dosage(dosages: list[Element], named: Product) -> tuple[float | None, str | None, float | None]:
    """Dose in its unit and administrations a day, only from one structured instruction that states them.
    As needed has no daily number; a count of tablets is milligrams if the product states its strength."""
    if len(dosages) != 1:
        return None, None, None
    said = dosages[0]
    needed = said.flag("asNeededBoolean") or said.one("asNeededCodeableConcept")
    quantity = next(filter(None, (d.quantity("doseQuantity") for d in said.many("doseAndRate"))), None)
    dose, unit = None, None
    if quantity is not None:
        stated = quantity.code or quantity.unit
        if stated in _TO_MG:
            dose, unit = quantity.value * _TO_MG[stated], "mg"
        elif _COUNTED.match(stated) and named.strength:
            dose, unit = quantity.value * named.strength, "mg"
        elif stated and not _COUNTED.match(stated):
            dose, unit = quantity.value, stated
    return dose, unit, None if needed else _per_day(said.one("timing"))


def _per_day(timing: Element) -> float | None:
    repeat = timing.one("repeat")
    frequency, period = repeat.number("frequency"), repeat.number("period")
    days = _PER_DAY.get(repeat.text("periodUnit"))
    if frequency and period and days:
        return None if repeat.number("frequencyMax") else round(frequency * days / period, 6)
    return next((_CODED[c.code] for c in timing.concept("code").codings if c.code in _CODED), None)


# --- draft orders and fills ------------------------------------------------------------------------------


def _order(entry: Entry, at: Reading) -> Order:
    """What the prescriber means to order."""
    said = entry.element
    concept, _ = _product(entry, at)
    if not concept.name:
        raise Ignored("a draft that names no medicine")
    supply, dosages = said.one("dispenseRequest"), said.many("dosageInstruction")
    quantity, days = supply.quantity("quantity"), supply.quantity("expectedSupplyDuration")
    doses = (d.quantity("doseQuantity") for dosage in dosages for d in dosage.many("doseAndRate"))
    dose, reasons = next(filter(None, doses), None), {c.name for c in said.concepts("reasonCode")}
    return Order(
        id=at.id(entry, Order),
        drug=concept.name,
        strength=f"{dose.value:g} {dose.unit or dose.code}" if dose else "",
        quantity=quantity.value if quantity else None,
        unit=quantity.unit or None if quantity else None,
        days_supply=_whole(days.value) if days else None,
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
    supply, quantity = said.quantity("daysSupply"), said.quantity("quantity")
    days = _whole(supply.value) if supply else None
    if handed is None or not days:
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


def _whole(number: float) -> int | None:
    return int(number) if number == int(number) and 0 < number < 10_000 else None
