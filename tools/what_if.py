"""Suppositions: a changed copy of a chart, put to the same determination. Pure; nothing is ever kept.

"if her BMI were 29"                    Value(test="bmi", value=29)
"after 16 more days on metformin"       Later(days=16)
"if we document the sitagliptin stop"   Stopped(drug="sitagliptin")
"if he had failed metformin for 3 months" Tried(drug="metformin", days=90, outcome="Inadequate response")
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from tools.records import TrialOutcome


class Supposed(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
):
    """Base of all suppositions."""


class Value(Supposed, frozen=True, kw_only=True, tag="value"):
    """A new measured value, on `on` or the day of the determination; in the test's own unit if none is named."""

    test: str  # a key of terms.TESTS
    value: float
    unit: str = ""
    on: date | None = None


class Later(Supposed, frozen=True, kw_only=True, tag="later"):
    """The same chart so many days or months later, with what is ongoing going on: `drug` names the course that is
    meant, if one is."""

    days: int = 0
    months: int = 0
    drug: str = ""


class On(Supposed, frozen=True, kw_only=True, tag="on"):
    """The same chart on another day."""

    date: date


class Stopped(Supposed, frozen=True, kw_only=True, tag="stopped"):
    """An ongoing course has ended, on `on` or the day of the determination."""

    drug: str
    on: date | None = None
    outcome: TrialOutcome | None = None


class Started(Supposed, frozen=True, kw_only=True, tag="started"):
    """A course that is ongoing, begun `days` before the day of the determination."""

    drug: str
    days: int = 0


class Tried(Supposed, frozen=True, kw_only=True, tag="tried"):
    """A finished course of so many days with this outcome."""

    drug: str
    days: int = 90
    outcome: TrialOutcome = "Inadequate response"


class Diagnosed(Supposed, frozen=True, kw_only=True, tag="diagnosed"):
    """A confirmed diagnosis, by a key of terms.CONCEPTS; or that there is none (`present=False`)."""

    concept: str
    present: bool = True


class Stated(Supposed, frozen=True, kw_only=True, tag="stated"):
    """The prescriber's statement in the chart, e.g. that there is no personal or family history of MTC or MEN 2."""

    topic: str
    present: bool


class Enrolled(Supposed, frozen=True, kw_only=True, tag="enrolled"):
    """A structured lifestyle programme of so many months, up to the day of the determination."""

    months: int


class Aged(Supposed, frozen=True, kw_only=True, tag="aged"):
    """Another age, in years."""

    years: int


class Asked(Supposed, frozen=True, kw_only=True, tag="asked"):
    """Another request: strength, quantity (billing units), days' supply or kind."""

    strength: str = ""
    quantity: float | None = None
    days_supply: int | None = None
    kind: Literal["", "new", "continuation", "renewal"] = ""


class Insured(Supposed, frozen=True, kw_only=True, tag="insured"):
    """Enrolled in another plan, from long before."""

    plan_id: str


Change = (
    Value | Later | On | Stopped | Started | Tried | Diagnosed | Stated | Enrolled | Aged | Asked | Insured
)
