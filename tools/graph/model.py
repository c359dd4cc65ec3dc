"""What stands in the graph: kinds of nodes and edges with their properties, the same for every engine.

    (Patient)-TOOK->(Medicine)     (Patient)-ASKS,ORDERED->(Benefit)-OFFERED_BY->(Payer)     (Cohort)-FITS->(Profile)
    (Patient)-SEES->(Prescriber)   (Patient)-ONLY->(Criterion)

A Benefit is a drug under a plan. ASKS is what the engine predicts for a drug whose label the patient fits; ORDERED is
an order that a rule decides, as predicted, or that a payer answered (`basis`); ONLY leads to the one thing that stands
between a request and ready. A Cohort is everyone of one payer with the same conditions who tried the same medicines
with the same ends: a question about people like one patient sums a few of them instead of walking through charts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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
