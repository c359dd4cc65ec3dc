"""Observations: LOINC to our tests, units as UCUM spells them, panels taken apart, statements as attestations."""

from __future__ import annotations

from datetime import date
from typing import Literal

from tools.fhir import ours
from tools.fhir.bundle import Bundle, Entry
from tools.fhir.elements import CodeableConcept, Quantity, day
from tools.fhir.r4 import Component, FhirObservation
from tools.fhir.report import Tally
from tools.records import Attestation, Observation
from tools.terminology.observations import BY_LOINC, TESTS
from tools.terms import LOINC, SNOMED

Source = Literal["lab", "vital", "study", "form", "patient"]
# Other LOINC codes of the same quantity, beside those of terms.TESTS.
_ALSO = {
    "3142-7": "weight",  # stated
    "3137-7": "height",  # measured
    "8306-3": "height",  # lying
    "48642-3": "egfr",  # MDRD
    "77147-7": "egfr",  # MDRD
    "8806-2": "lvef",  # 2D echo
    "8808-8": "lvef",
    "26515-7": "platelets",
    "13705-9": "uacr",  # 24 h
}
_SPELLED = {
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "pounds": "[lb_av]",
    "in": "[in_i]",
    "[in_us]": "[in_i]",
    "inches": "[in_i]",
    "mmhg": "mm[Hg]",
    "mm hg": "mm[Hg]",
    "percent": "%",
    "%{hemoglobina1c}": "%",
    "% of total hgb": "%",
    "kg/m^2": "kg/m2",
    "kg/m²": "kg/m2",
    "kg/m2": "kg/m2",
    "ml/min/1.73m2": "mL/min/{1.73_m2}",
    "ml/min/1.73 m2": "mL/min/{1.73_m2}",
    "ml/min/1.73m²": "mL/min/{1.73_m2}",
    "ml/min/{1.73_m2}": "mL/min/{1.73_m2}",
    "ml/min/{1.73m2}": "mL/min/{1.73_m2}",
    "mg/g creat": "mg/g{creat}",
    "{events}/h": "/h",
    "events/h": "/h",
    "events/hour": "/h",
    "/hour": "/h",
    "10^3/ul": "10*3/uL",
    "k/ul": "10*3/uL",
}
_CATEGORY: dict[str, Source] = {
    "vital-signs": "vital",
    "laboratory": "lab",
    "imaging": "study",
    "procedure": "study",
    "survey": "patient",
}
_USUAL: dict[str, Source] = {
    **dict.fromkeys(("bmi", "weight", "height", "sbp", "dbp"), "vital"),
    **dict.fromkeys(("lvef", "ahi", "abi", "fibrosis_stage"), "study"),
}
_FINAL = ("final", "amended", "corrected", "unknown", "")
_PREGNANCY = "82810-3"
_PREGNANT = {"77386006": True, "60001007": False}


def observations(bundle: Bundle, tally: Tally) -> list[Observation]:
    listed: list[Observation] = []
    for entry, said in bundle.of(FhirObservation):
        if tally.seen(entry) or _states(said):
            continue
        if said.status not in _FINAL:
            tally.skip(entry, said.status.replace("-", " "), said.code)
            continue
        known = _components(said, tally) if said.component else _single(entry, said, tally)
        if known:
            tally.mapped(entry)
        tally.not_understood(entry, "no test that a rule names", said.code)
        listed += known
    return listed


def test_of(concept: CodeableConcept) -> tuple[str, str]:
    """The key of terms.TESTS and the LOINC that says so; our own exports name the key beside it."""
    if own := concept.code(ours.TEST):
        return own, concept.code(LOINC)
    for coding in concept.coding:
        test = BY_LOINC.get(coding.code) or _ALSO.get(coding.code)
        if test and coding.system in (LOINC, "urn:oid:2.16.840.1.113883.6.1", ""):
            return test, coding.code
    return "", ""


def _single(entry: Entry, said: FhirObservation, tally: Tally) -> list[Observation]:
    test, loinc = test_of(said.code)
    if not test:
        return []
    why = _unusable(said.value_quantity, said.data_absent_reason)
    if why:
        tally.not_understood(entry, why, said.code)
        return []
    record = _observation(ours.record_id(said, Observation), test, loinc, said.value_quantity, said)
    return [ours.restored(record, said.extended(ours.REST))]


def _components(said: FhirObservation, tally: Tally) -> list[Observation]:
    """The parts of a panel that we know, each with the panel's day; ids end in the test's name."""
    listed, left_out = [], []
    for part in said.component:
        test, loinc = test_of(part.code)
        why = _unusable(part.value_quantity, part.data_absent_reason) if test else "no test that a rule names"
        if why:
            left_out.append(f"{part.code.name} ({why})")
        else:
            listed.append(_part(said, part, test, loinc))
    if listed and left_out:
        tally.notice(f"{said.code.name} of {_date(said)}: left out {', '.join(left_out)}")
    return listed


def _part(said: FhirObservation, part: Component, test: str, loinc: str) -> Observation:
    record = _observation(
        f"{ours.record_id(said, Observation)}-{test}", test, loinc, part.value_quantity, said
    )
    return ours.restored(record, part.extended(ours.REST))


def _observation(
    id: str, test: str, loinc: str, quantity: Quantity | None, said: FhirObservation
) -> Observation:
    assert quantity is not None and quantity.value is not None  # _unusable has said so
    return Observation(
        id=id,
        test=test,
        value=quantity.value,
        unit=unit_of(quantity, test),
        date=_date(said),
        loinc=loinc,
        source=_source(said, test),
    )


def _unusable(quantity: Quantity | None, absent: CodeableConcept | None) -> str:
    if absent is not None and absent.name:
        return f"no value: {absent.name}"
    if quantity is None or quantity.value is None:
        return "no numeric value"
    if quantity.comparator:
        return f"not a value but a bound ({quantity.comparator})"
    return ""


def unit_of(quantity: Quantity, test: str) -> str | None:
    """The unit in UCUM's spelling if the test can be read in it, else as charted; None if none is stated."""
    known = TESTS[test].units if test in TESTS else {}
    for stated in (quantity.code, quantity.unit):
        spelled = spelled_out(stated)
        if spelled in known:
            return spelled
    return quantity.code or quantity.unit or None


def spelled_out(unit: str) -> str:
    """As UCUM spells it."""
    return _SPELLED.get(unit.casefold(), unit)


def _date(said: FhirObservation) -> date | None:
    """When it was so; never `issued`, which is when it was told."""
    return day(said.effective_date_time) or day(said.effective_instant) or day(said.effective_period.start)


def _source(said: FhirObservation, test: str) -> Source:
    stated = (_CATEGORY.get(c.code) for concept in said.category for c in concept.coding)
    return next((s for s in stated if s), _USUAL.get(test, "lab"))


# --- statements ------------------------------------------------------------------------------------------


def _states(said: FhirObservation) -> bool:
    return ours.is_ours(said, Attestation) or said.code.code(LOINC) == _PREGNANCY


def attestations(bundle: Bundle, tally: Tally) -> list[Attestation]:
    """Our own attestations, and a pregnancy status that says yes or no."""
    listed: list[Attestation] = []
    for entry, said in bundle.of(FhirObservation):
        if tally.seen(entry) or not _states(said):
            continue
        present = _present(said)
        if said.status not in _FINAL:
            tally.skip(entry, said.status.replace("-", " "), said.code)
        elif present is None:
            tally.not_understood(entry, "states neither yes nor no", said.code)
        else:
            tally.mapped(entry)
            record = Attestation(
                id=ours.record_id(said, Attestation),
                topic=said.code.code(ours.TOPIC) or "pregnancy",
                present=present,
                date=_date(said),
                by=next((p.display for p in said.performer if p.display), ""),
                text=next((n.text for n in said.note), ""),
            )
            listed.append(ours.restored(record, said.extended(ours.REST)))
    return listed


def _present(said: FhirObservation) -> bool | None:
    if said.value_boolean is not None:
        return said.value_boolean
    value = said.value_codeable_concept
    return _PREGNANT.get(value.code(SNOMED)) if value else None
