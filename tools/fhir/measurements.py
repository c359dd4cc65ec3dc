"""Observations: LOINC to our tests, units as UCUM spells them, panels taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Literal

from tools.domain.records import Attestation, Observation
from tools.fhir.context import Reading
from tools.fhir.elements import Concept, Element, Quantity
from tools.fhir.report import Entry, Ignored
from tools.fhir.statements import statement_of
from tools.terminology.observations import TESTS, tests
from tools.terminology.observations import unit_of as unit_row
from tools.terminology.terms import LOINC

Source = Literal["lab", "vital", "study", "form", "patient"]
_CATEGORY: dict[str, Source] = {
    "vital-signs": "vital",
    "laboratory": "lab",
    "imaging": "study",
    "procedure": "study",
    "survey": "patient",
}
FINAL = ("final", "amended", "corrected", "unknown", "")
_LOINCS = (LOINC, "urn:oid:2.16.840.1.113883.6.1", "")


def observation(entry: Entry, at: Reading) -> Iterator[Observation | Attestation]:
    """A measured value, the values of a panel, or a statement that something is or is not so."""
    said = entry.element
    status = said.text("status")
    if status not in FINAL:
        raise Ignored(status.replace("-", " "))
    stated = statement_of(entry, at)
    if stated is not None:
        yield stated
        return
    found, why = 0, ""
    for part in (*said.many("component"), said):
        test, loinc = test_of(part.concept("code"))
        quantity = part.quantity("valueQuantity")
        why = _unusable(part, quantity) if test else "no test that a rule names"
        if quantity is not None and not why:
            yield _measured(at.id(entry, Observation, found), test, loinc, quantity, said)
            found += 1
        elif part is not said:
            entry.partly(f"{part.concept('code').name} left out: {why}")
    if not found:
        raise Ignored(why)


def test_of(concept: Concept) -> tuple[str, str]:
    """The key of terms.TESTS and the LOINC that says so; none where two of its codes say different things."""
    found = {
        known: coding.code
        for coding in reversed(concept.codings)
        if coding.system in _LOINCS and (known := _tests().get(coding.code))
    }
    return next(iter(found.items())) if len(found) == 1 else ("", "")


def _measured(id: str, test: str, loinc: str, quantity: Quantity, said: Element) -> Observation:
    on = said.day("effectiveDateTime") or said.day("effectiveInstant") or said.period("effectivePeriod").start
    return Observation(
        id=id,
        test=test,
        value=quantity.value,
        unit=unit_of(quantity, test),
        date=on,  # never `issued`, which is when it was told
        loinc=loinc,
        source=_source(said, test),
    )


def _unusable(said: Element, quantity: Quantity | None) -> str:
    if absent := said.concept("dataAbsentReason").name:
        return f"no value: {absent}"
    if quantity is None:
        return "no numeric value"
    return f"not a value but a bound ({quantity.comparator})" if quantity.comparator else ""


@cache
def _tests() -> dict[str, str]:
    """Every LOINC of the tests that a rule may ask for."""
    return {
        code: key for key, row in tests().items() if key in TESTS for code in (*row.loinc, *row.more_loinc)
    }


def unit_of(quantity: Quantity, test: str) -> str | None:
    """The unit in UCUM's spelling if the test can be read in it, else as charted; None if none is stated. Where the
    code and what people see are different units of the test, neither is known."""
    known = TESTS[test].units
    stated = [spelling for text in (quantity.code, quantity.unit) for spelling in (spelled_out(text), text)]
    usable = [unit for unit in stated if unit in known]
    if len({known[unit] for unit in usable}) > 1:
        return None
    return usable[0] if usable else quantity.code or quantity.unit or None


def spelled_out(unit: str) -> str:
    """As UCUM spells it."""
    row = unit_row(unit)
    return row.unit if row else unit


def _source(said: Element, test: str) -> Source:
    stated = (_CATEGORY.get(c.code) for concept in said.concepts("category") for c in concept.codings)
    source = next((s for s in stated if s), tests()[test].kind if test in tests() else "lab")
    displayed = any(performer.display for performer in said.references("performer"))
    return "form" if source == "patient" and displayed else source  # a person's name, or a form's
