"""Relationship questions: what patients alike tried, the shortest way, unusual patterns, policy changes.

A graph that is stale is never answered from: 503 says how to build it. A small panel's is built by who asks.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Query

from agent.api import wire
from agent.api.context import Context, Ctx
from tools.graph.asking import Asked, current, version_of
from tools.graph.pathways import Pathways
from tools.graph.pathways import pathways as find_pathways
from tools.graph.patterns import Patterns, patterns
from tools.graph.policy_change import PolicyChanges, policy_changes
from tools.ways.shortest import Shortest
from tools.ways.shortest import shortest as find_shortest

router = wire.Router(prefix="/api/graph", tags=["graph"])
AsOf = Annotated[
    date | None,
    Query(
        description="Judge every chart on this day; default: today; the day of its world for a chart that was made"
    ),
]


@router.read(
    "/status", "Where the graph is, and whether it is of the store as it is",
    {"type": "object"}, "Place, freshness, and what it holds.",
)  # fmt: skip
def status(ctx: Ctx, as_of: AsOf = None) -> dict[str, Any]:
    wanted, found = version_of(ctx.store, ctx.settings.day(as_of)), ctx.graph.states()
    fresh = any(state.version == wanted for state in found)
    return {"where": ctx.graph.where, "fresh": fresh, "states": found}


@router.read(
    "/pathways/{patient_id}", "What was tried by patients like this one, and how it went: counts, never people",
    Pathways, "Circles of patients alike with their N, and what they tried.",
)  # fmt: skip
def pathways(ctx: Ctx, patient_id: str, as_of: AsOf = None) -> Pathways:
    return find_pathways(_asked(ctx, as_of), patient_id)


@router.read(
    "/shortest/{patient_id}",
    "The fewest actions to a complete request, for each drug of the plan; never an approval",
    Shortest, "Ways, shortest first, and drugs that have none.",
)  # fmt: skip
def shortest(
    ctx: Ctx,
    patient_id: str,
    drug: str = Query("", description="Only this drug", examples=["Ozempic"]),
    as_of: AsOf = None,
) -> Shortest:
    name = ctx.store.drug(drug).name if drug else ""
    return find_shortest(ctx.store, patient_id, drug=name, as_of=ctx.settings.day(as_of))


@router.read(
    "/prescribers", "Prescribers with unusual patterns of denials, as answered or predicted",
    Patterns, "The unusual ones, with N, p and q.",
)  # fmt: skip
def prescribers(ctx: Ctx, as_of: AsOf = None) -> Patterns:
    return patterns(_asked(ctx, as_of), "prescribers")


@router.read(
    "/payers", "Payers with unusual patterns of denials, as answered or predicted",
    Patterns, "The unusual ones, with N, p and q.",
)  # fmt: skip
def payers(ctx: Ctx, as_of: AsOf = None) -> Patterns:
    return patterns(_asked(ctx, as_of), "payers")


@router.read(
    "/policy-change", "Which criterion, were it not asked, would let most patients through",
    PolicyChanges, "Criteria, most patients first.",
)  # fmt: skip
def policy_change(
    ctx: Ctx,
    plan_id: str = Query("", description="Only this plan"),
    drug: str = Query("", description="Only this drug"),
    most: int = Query(20, ge=1, le=500),
    as_of: AsOf = None,
) -> PolicyChanges:
    asked = _asked(ctx, as_of)
    plan = ctx.store.plan(plan_id).id if plan_id else ""
    name = ctx.store.drug(drug).name if drug else ""
    return policy_changes(asked, plan_id=plan, drug=name, most=most)


def _asked(ctx: Context, as_of: date | None) -> Asked:
    return current(ctx.store, ctx.graph, ctx.settings.day(as_of))
