"""The populations of the trials and guidelines that a letter may cite, asked of one case.

Who belongs to each is an expression of populations.json, over what `Population` answers; nothing that is not measured
is assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from tools.evidence.measurements import values_of
from tools.papers.case import Case
from tools.papers.environment import templates

DIABETES = ("E08", "E09", "E10", "E11", "E13")  # ICD-10-CM, of any kind


class Population:
    """What may be asked of a case."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def of(self, name: str) -> bool:
        """Does the case belong to this population? KeyError if there is none of this name."""
        asked = {name: getattr(self, name) for name in _ASKED}
        return bool(_expression(name)(case=self.case, **asked))

    def has(self, *concepts: str) -> bool:
        """Any of these conditions."""
        return self.case.has(*concepts) is not None

    def count(self, *concepts: str) -> int:
        return sum(map(self.has, concepts))

    def aged(self, years: int) -> bool:
        return self.case.age is not None and self.case.age >= years

    def between(self, test: str, low: float, high: float) -> bool:
        """The newest value is known and low <= value < high."""
        latest = self.case.newest(test)
        return latest is not None and low <= latest.value < high

    def highest(self, test: str) -> float:
        """Before or during treatment: losing weight under it takes nobody out of the population."""
        return max((v.value for v in values_of(self.case.patient, test, self.case.as_of).usable), default=0.0)

    def has_taken(self, ingredient: str) -> bool:
        return any(ingredient in m.ingredients for m in self.case.patient.medications or ())

    def no_diabetes(self) -> bool:
        """A whole problem list without diabetes of any kind, and no HbA1c that says otherwise."""
        if self.case.patient.conditions is None:
            return False
        coded = any(d.code.startswith(DIABETES) for d in self.case.patient.conditions)
        latest = self.case.newest("hba1c")
        return not coded and (latest is None or latest.value < 6.5)


_ASKED = [name for name in vars(Population) if not name.startswith("_")]


@cache
def _expressions() -> dict[str, str]:
    return msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes(), type=dict[str, str])


@cache
def _expression(name: str) -> Callable[..., Any]:
    return templates().compile_expression(_expressions()[name], undefined_to_none=False)
