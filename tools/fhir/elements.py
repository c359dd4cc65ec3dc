"""The data types of FHIR R4 that we read; all other elements are ignored, a wrong type is named with its path.

Dates stay text, because FHIR allows `2019`, `2019-05` and instants; `day` reads them.
"""

from __future__ import annotations

import re
from datetime import date

import msgspec


class Element(msgspec.Struct, frozen=True, rename="camel"):
    """Base: unknown elements are ignored, names are camel case in JSON."""


class Extension(Element, frozen=True):
    url: str = ""
    value_string: str | None = None


class Coding(Element, frozen=True):
    system: str = ""
    code: str = ""
    display: str = ""


class CodeableConcept(Element, frozen=True):
    coding: tuple[Coding, ...] = ()
    text: str = ""

    def code(self, *systems: str) -> str:
        """The first code of one of these systems."""
        return next((c.code for c in self.coding if c.system in systems and c.code), "")

    @property
    def name(self) -> str:
        """What a person calls it: the text, else the first display, else the first code."""
        displays = (c.display for c in self.coding if c.display)
        codes = (c.code for c in self.coding if c.code)
        return self.text or next(displays, "") or next(codes, "")

    @property
    def label(self) -> str:
        """`system|code` of the first coding, for a report."""
        first = next((c for c in self.coding if c.code), None)
        return f"{first.system}|{first.code}" if first else ""


class Identifier(Element, frozen=True):
    system: str = ""
    value: str = ""
    type: CodeableConcept = CodeableConcept()


class Reference(Element, frozen=True):
    reference: str = ""
    display: str = ""
    identifier: Identifier | None = None


class Quantity(Element, frozen=True):
    value: float | None = None
    unit: str = ""
    code: str = ""
    system: str = ""
    comparator: str = ""


class Period(Element, frozen=True):
    start: str = ""
    end: str = ""


class HumanName(Element, frozen=True):
    use: str = ""
    family: str = ""
    given: tuple[str | None, ...] = ()
    text: str = ""
    prefix: tuple[str | None, ...] = ()


class Telecom(Element, frozen=True):
    system: str = ""
    value: str = ""
    use: str = ""


class FhirAddress(Element, frozen=True):
    use: str = ""
    line: tuple[str | None, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""


class Annotation(Element, frozen=True):
    text: str = ""


class Attachment(Element, frozen=True):
    content_type: str = ""
    data: str = ""
    title: str = ""
    creation: str = ""


class Repeat(Element, frozen=True):
    frequency: float | None = None
    period: float | None = None
    period_unit: str = ""
    frequency_max: float | None = None


class Timing(Element, frozen=True):
    repeat: Repeat | None = None
    code: CodeableConcept = CodeableConcept()


class DoseAndRate(Element, frozen=True):
    dose_quantity: Quantity | None = None


class Dosage(Element, frozen=True):
    text: str = ""
    timing: Timing | None = None
    as_needed_boolean: bool | None = None
    as_needed_codeable_concept: CodeableConcept | None = None
    dose_and_rate: tuple[DoseAndRate, ...] = ()


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def day(text: str) -> date | None:
    """The date part, in the record's own offset; None for a bare year or month, or what is no date."""
    if not _DAY.match(text):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
