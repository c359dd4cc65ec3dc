"""The published evidence that a letter may cite: citations.jsonl, each with the population it holds for.

Citations and results: domain reference §8. A letter cites by key, only for the drug that was studied and only
where this patient belongs to the population (SELECT and STEP 1 excluded diabetes, FLOW asks for kidney disease).
Trials of each drug stand first, then guidelines. Who belongs to a population is an expression of populations.json, over
what `Population` answers; nothing that is not measured is assumed.
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
    return msgspec.json.decode(Path(__file__).with_name("populations.json").read_bytes(), type=dict[str, str])


@cache
def _expression(name: str) -> Callable[..., Any]:
    return templates().compile_expression(_expressions()[name], undefined_to_none=False)


MOST = 4  # citations in one letter


class Citation(msgspec.Struct, frozen=True):
    """`drugs` and `indications` it may be cited for (no drugs: any); `population` is one of populations.json."""

    key: str
    source: str
    year: int
    result: str
    indications: tuple[str, ...]
    population: str
    drugs: tuple[str, ...] = ()

    @property
    def is_guideline(self) -> bool:
        """Its source names it already."""
        return self.key.startswith(("ADA", "AGA", "KDIGO", "HF ", "AASLD"))

    def holds(self, case: Case) -> bool:
        """Does the case belong to the population?"""
        return Population(case).of(self.population)


TABLE = msgspec.json.Decoder(Citation).decode_lines(
    (Path(__file__).with_name("citations.jsonl")).read_bytes()
)


def citations(case: Case) -> tuple[Citation, ...]:
    """At most four that hold for this patient and drug, trials of the drug before guidelines."""
    return tuple([citation for citation in TABLE if _fits(citation, case)][:MOST])


def _fits(citation: Citation, case: Case) -> bool:
    return (
        (not citation.drugs or case.drug.name in citation.drugs)
        and case.indication in citation.indications
        and citation.year <= case.as_of.year
        and citation.holds(case)
    )
