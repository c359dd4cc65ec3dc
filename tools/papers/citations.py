"""The published evidence that a letter may cite: citations.jsonl, each with the population it holds for.

Citations and results: domain reference §8. A letter cites by key, only for the drug that was studied and only
where this patient belongs to the population (SELECT and STEP 1 excluded diabetes, FLOW asks for kidney disease).
Trials of each drug stand first, then guidelines.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from tools.papers.case import Case
from tools.papers.populations import Population

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
