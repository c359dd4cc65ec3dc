"""What stands in the graph: kinds of nodes and edges with their properties, the same for every engine.

    (Patient)-HAS->(Condition)                 (Patient)-ON->(Plan)-OF->(Payer)
    (Patient)-TOOK->(Medicine)                 (Patient)-SEES->(Prescriber)
    (Patient)-ASKS->(Benefit)<-LISTS-(Plan)    (Patient)-LACKS,ONLY->(Criterion)-PART->(Benefit)
    (Patient)-DECIDED->(Benefit)
    (Patient)-IN->(Group)-FITS->(Profile)      (Patient)-STANDS->(Situation)-DO->(Situation)

A Group is everyone of one payer with the same conditions who tried the same medicines with the same ends, so that a
question about people like one patient sums a few groups and never walks through thousands of charts. A Situation is
what is still to be done for one drug under one plan; a DO is one action, and nothing is left at the end of the way.
ONLY is a LACKS beside which nothing else is open. ASKS is what the engine predicts, DECIDED what a payer answered.
"""

from __future__ import annotations

from typing import Any, NamedTuple

VERSION = 3  # of this model; another one makes every graph stale

Row = list[Any]  # of a node its properties; of an edge the two keys and its properties


class NodeKind(NamedTuple):
    """`properties` of nodes with one label; the first is the key."""

    label: str
    properties: tuple[str, ...]


class EdgeKind(NamedTuple):
    """Edges of one type between nodes of two labels."""

    type: str
    source: str
    target: str
    properties: tuple[str, ...] = ()


NODES = (
    NodeKind("Condition", ("name",)),
    NodeKind("Medicine", ("name",)),
    NodeKind("Payer", ("id", "name")),
    NodeKind("Plan", ("id", "name")),
    NodeKind("Prescriber", ("npi", "name", "specialty")),
    NodeKind("Benefit", ("key", "plan", "drug", "tier", "pa")),
    NodeKind("Criterion", ("key", "plan", "drug", "indication", "criterion", "text", "clause", "part")),
    NodeKind("Profile", ("key",)),
    NodeKind("Group", ("key", "payer", "path", "ends", "n")),
    NodeKind("Situation", ("key", "plan", "drug", "indication", "left")),
    NodeKind("Patient", ("id",)),
)
EDGES = (
    EdgeKind("OF", "Plan", "Payer"),
    EdgeKind("LISTS", "Plan", "Benefit"),
    EdgeKind("PART", "Criterion", "Benefit"),
    EdgeKind("FITS", "Group", "Profile"),
    EdgeKind("DO", "Situation", "Situation", ("kind", "what", "text", "days", "criterion")),
    EdgeKind("HAS", "Patient", "Condition"),
    EdgeKind("TOOK", "Patient", "Medicine", ("place", "start", "days", "response", "ended")),
    EdgeKind("ON", "Patient", "Plan"),
    EdgeKind("SEES", "Patient", "Prescriber"),
    EdgeKind("ASKS", "Patient", "Benefit", ("outcome", "indication", "open", "ordered", "on_label")),
    EdgeKind("LACKS", "Patient", "Criterion", ("status",)),
    EdgeKind("ONLY", "Patient", "Criterion", ("status", "ordered")),
    EdgeKind("DECIDED", "Patient", "Benefit", ("answer",)),
    EdgeKind("IN", "Patient", "Group"),
    EdgeKind("STANDS", "Patient", "Situation"),
)
NODE = {kind.label: kind for kind in NODES}
EDGE = {kind.type: kind for kind in EDGES}

# The conditions by which patients are alike: what the drugs are for, and the diabetes that they are not for.
LIKE = ("t2dm", "t1dm", "prediabetes", "obesity", "ascvd", "hf", "ckd", "osa", "nash")
# What lowers glucose or weight; a statin tells nothing of what was tried before.
TRIED = ("biguanide", "sulfonylurea", "tzd", "dpp4", "glp1", "sglt2", "insulin", "anorectic")
