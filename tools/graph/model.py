"""What stands in the graph, kinds of nodes and edges with their properties, and what an engine does with it.

    (Patient)-TOOK->(Medicine)     (Patient)-ASKS,ORDERED->(Benefit)-OFFERED_BY->(Payer)     (Cohort)-FITS->(Profile)
    (Patient)-SEES->(Prescriber)   (Patient)-ONLY->(Criterion)

A Benefit is a drug under a plan. ASKS is what the engine predicts for a drug whose label the patient fits; ORDERED is
an order that a rule decides, as predicted, or that a payer answered (`basis`); ONLY leads to the one thing that stands
between a request and ready. A Cohort is everyone of one payer with the same conditions who tried the same medicines
with the same ends: a question about people like one patient sums a few of them instead of walking through charts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Protocol

from tools.domain.records import Record

VERSION = 4  # of this model; another one makes every graph stale

Row = list[Any]  # of a node its properties; of an edge the two keys and its properties
Write = Callable[[str, Sequence[Row]], None]  # rows of one kind; nodes come before their edges

NODES: dict[str, tuple[str, ...]] = {  # the first property is the key
    "Payer": ("id", "name"),
    "Benefit": ("key", "plan", "drug"),
    "Medicine": ("name",),
    "Prescriber": ("npi", "name", "specialty"),
    "Criterion": ("key", "plan", "drug", "indication", "criterion", "text", "clause", "part", "kind"),
    "Patient": ("id", "payer", "profile", "path", "ends"),
    "Cohort": ("key", "payer", "path", "ends", "n"),
    "Profile": ("key",),
}
EDGES: dict[str, tuple[str, str, tuple[str, ...]]] = {  # from, to, properties
    "OFFERED_BY": ("Benefit", "Payer", ()),
    "TOOK": ("Patient", "Medicine", ("place", "start", "days", "response", "ended")),
    "SEES": ("Patient", "Prescriber", ()),
    "ASKS": ("Patient", "Benefit", ("outcome",)),
    "ORDERED": ("Patient", "Benefit", ("basis", "denied")),
    "ONLY": ("Patient", "Criterion", ("status", "ordered")),
    "FITS": ("Cohort", "Profile", ()),
}


class State(Record, frozen=True, kw_only=True):
    """A graph that is there, whole. `version` is the fingerprint of what it was built from (asking.version_of)."""

    version: str
    as_of: date
    patients: int
    counts: dict[str, int] = {}  # nodes and edges by kind
    seconds: float = 0.0


class Graph(Protocol):
    """An engine. Unavailable says what to do where it does not answer."""

    where: str  # for a person: a file, or an address without its password

    def states(self) -> list[State]:
        """The graphs that are there."""

    def ask(self, version: str, question: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a question of questions.py, in order; Unavailable if that graph is no longer there."""

    def replace(self, fill: Callable[[Write], State]) -> State:
        """Put what `fill` writes in the place of what was there. Nobody sees it before it is whole; if `fill` fails,
        nothing of it is left."""

    def close(self) -> None: ...


def in_order(rows: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Tuples, sorted: no engine promises an order. A sum of whole numbers is whole, though a server says 3.0."""
    plain = [
        tuple(int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in row)
        for row in rows
    ]
    return sorted(plain, key=lambda row: [(cell is not None, "" if cell is None else cell) for cell in row])
