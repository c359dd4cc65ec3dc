"""FHIR's JSON, read leniently: what is of a wrong type counts as absent and is named by its path, never the whole.

Dates stay text, because FHIR allows `2019`, `2019-05` and instants; `day` reads them. Extensions are never read.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from tools.common.printable import one_line, printable

Json = dict[str, Any]
# What changes the meaning of all that stands around it: if it cannot be read, neither can that be relied on.
_MODIFIERS = frozenset({
    "status", "clinicalStatus", "verificationStatus", "docStatus", "intent", "comparator", "doNotPerform",
    "asNeededBoolean", "abatementDateTime", "abatementPeriod", "abatementBoolean", "end", "frequencyMax",
})  # fmt: skip
_KINDS = {
    str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object",
}  # fmt: skip
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")


class Coding(NamedTuple):
    system: str
    code: str
    display: str


class Concept(NamedTuple):
    """A CodeableConcept."""

    codings: tuple[Coding, ...] = ()
    text: str = ""

    def code(self, *systems: str) -> str:
        """The first code of one of these systems."""
        return next((c.code for c in self.codings if c.system in systems and c.code), "")

    @property
    def first(self) -> str:
        """The first code of any system, else the text in lower case: for FHIR's own small lists."""
        return next((c.code for c in self.codings if c.code), self.text.lower())

    @property
    def codes(self) -> set[str]:
        return {coding.code for coding in self.codings}

    @property
    def name(self) -> str:
        """What a person calls it: the text, else the first display, else the first code."""
        displays = (c.display for c in self.codings if c.display)
        return self.text or next(displays, "") or next((c.code for c in self.codings if c.code), "")

    @property
    def label(self) -> str:
        """`system|code` of the first coding, for a report."""
        return next((f"{c.system}|{c.code}" for c in self.codings if c.code), "")


class Quantity(NamedTuple):
    value: float
    unit: str = ""
    code: str = ""
    comparator: str = ""


class Reference(NamedTuple):
    reference: str = ""
    display: str = ""
    system: str = ""  # of its logical identifier
    value: str = ""


class Period(NamedTuple):
    start: date | None = None
    end: date | None = None


class Element:
    """One object of a resource. A reader asks for an element by its name and type. `problems` of the whole resource
    are shared by its parts: path and complaint, and whether they change the meaning of the rest."""

    __slots__ = ("_path", "_problems", "raw")

    def __init__(self, raw: Json, path: str = "", problems: dict[str, bool] | None = None) -> None:
        self.raw = raw
        self._path = path
        self._problems: dict[str, bool] = {} if problems is None else problems

    def __bool__(self) -> bool:
        return bool(self.raw)

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(self._problems)

    @property
    def doubtful(self) -> str:
        """The first complaint that changes the meaning of the resource; "" if there is none."""
        if self.raw.get("modifierExtension"):
            return "a modifierExtension changes its meaning"
        return next((said for said, changes in self._problems.items() if changes), "")

    # --- primitives

    def text(self, name: str) -> str:
        """A string on one line; "" if it is absent."""
        return one_line(self._typed(name, str, "a text") or "")

    def prose(self, name: str) -> str:
        """A string of several lines."""
        return printable(self._typed(name, str, "a text") or "")

    def texts(self, name: str) -> list[str]:
        """The strings of a list."""
        listed = self.raw.get(name)
        if not isinstance(listed, list):
            return [said] if (said := self.text(name)) else []
        return [one_line(item) for item in listed if isinstance(item, str)]

    def number(self, name: str) -> float | None:
        value = self._typed(name, int | float, "a number")
        try:
            found = None if value is None else float(value)
        except OverflowError:
            found = math.inf
        if found is not None and not math.isfinite(found):
            self._remark(name, "is no number that can be held")
            return None
        return found

    def flag(self, name: str) -> bool | None:
        value: bool | None = self._typed(name, bool, "true or false")
        return value

    def day(self, name: str) -> date | None:
        """The date part, in the record's own offset; None for a bare year or month, which is a complaint."""
        said = self.text(name)
        found = day(said)
        if said and found is None:
            self._remark(name, f"{said[:40]!r} is no exact day")
        return found

    # --- objects

    def one(self, name: str) -> Element:
        """An object; an empty one if it is absent. A list of one is that one."""
        value = self.raw.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if value is not None and not isinstance(value, dict):
            self._mistyped(name, value, "an object")
        return Element(value if isinstance(value, dict) else {}, f"{self._path}{name}.", self._problems)

    def many(self, name: str) -> list[Element]:
        """The objects of a list; an object alone is a list of one."""
        value = self.raw.get(name)
        listed = value if isinstance(value, list) else [] if value is None else [value]
        found = []
        for place, item in enumerate(listed):
            if isinstance(item, dict):
                found.append(Element(item, f"{self._path}{name}[{place}].", self._problems))
            else:
                self._mistyped(f"{name}[{place}]", item, "an object")
        return found

    def concept(self, name: str) -> Concept:
        """A CodeableConcept; a bare string, as older versions write some of them, is its text."""
        value = self.raw.get(name)
        if isinstance(value, str):
            self._remark(name, "is a text where a coded concept belongs, and was read as its text")
            return Concept(text=one_line(value))
        return self.one(name).as_concept()

    def concepts(self, name: str) -> list[Concept]:
        return [element.as_concept() for element in self.many(name)]

    def as_concept(self) -> Concept:
        codings = (Coding(c.text("system"), c.text("code"), c.text("display")) for c in self.many("coding"))
        return Concept(tuple(codings), self.text("text"))

    def quantity(self, name: str) -> Quantity | None:
        """A Quantity with a value."""
        said = self.one(name)
        value = said.number("value")
        units = said.text("unit"), said.text("code"), said.text("comparator")
        return Quantity(value, *units) if value is not None else None

    def period(self, name: str) -> Period:
        said = self.one(name)
        return Period(said.day("start"), said.day("end"))

    def reference(self, name: str) -> Reference:
        return self.one(name).as_reference()

    def references(self, name: str) -> list[Reference]:
        return [element.as_reference() for element in self.many(name)]

    def as_reference(self) -> Reference:
        said = self.one("identifier")
        return Reference(
            self.text("reference"), self.text("display"), said.text("system"), said.text("value")
        )

    def identifiers(self) -> Iterator[tuple[str, str, str, Concept]]:
        """System, value, use and type of each."""
        for one in self.many("identifier"):
            yield one.text("system"), one.text("value"), one.text("use"), one.concept("type")

    def own(self, system: str) -> str:
        """The first identifier of that system."""
        return next((value for found, value, _, _ in self.identifiers() if found == system), "")

    def _typed(self, name: str, kind: Any, expected: str) -> Any:
        value = self.raw.get(name)
        if value is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
            return value
        self._mistyped(name, value, expected)
        return None

    def _mistyped(self, name: str, value: Any, expected: str) -> None:
        kind = _KINDS.get(type(value), "null")
        self._problems[f"{self._path}{name} is {kind}, expected {expected}"] = name in _MODIFIERS

    def _remark(self, name: str, what: str) -> None:
        self._problems[f"{self._path}{name} {what}"] = False


def last_day(text: str) -> date | None:
    """The last day of a bare year or month."""
    year, _, month = text.partition("-")
    if not re.fullmatch(r"\d{4}(-\d{2})?", text):
        return None
    try:
        return date(int(year), int(month or 12), calendar.monthrange(int(year), int(month or 12))[1])
    except ValueError:
        return None


def day(text: str) -> date | None:
    """The day of a FHIR date or instant; None for a bare year or month, or what is no date."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
