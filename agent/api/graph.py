"""Relationship questions: what patients alike tried, the shortest way, unusual patterns, policy changes.

A graph that is stale is never answered from: 503 says how to build it. A small panel's is built by who asks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.office import Office, office
from tools.graph.asking import Asked, current, version_of
from tools.graph.pathways import Pathways
from tools.graph.pathways import pathways as find_pathways
from tools.graph.patterns import Patterns, patterns
from tools.graph.policy_change import PolicyChanges, policy_changes
from tools.ways.shortest import Shortest
from tools.ways.shortest import shortest as find_shortest

router = APIRouter(prefix="/api/graph", tags=["graph"])
AS_OF = Query(
    None,
    description="Judge every chart on this day; default: today; the day of its world for a chart that was made",
)


@router.get(
    "/status",
    summary="Where the graph is, and whether it is of the store as it is",
    responses=wire.gives({"type": "object"}, "Place, freshness, and what it holds."),
)
async def status(request: Request, as_of: date | None = AS_OF) -> Response:
    desk = office(request)

    def look() -> Response:
        wanted = version_of(desk.store, desk.settings.day(as_of))
        found = desk.graph.states()
        fresh = any(state.version == wanted for state in found)
        return wire.answer({"where": desk.graph.where, "fresh": fresh, "states": found})

    return await run_in_threadpool(look)


@router.get(
    "/pathways/{patient_id}",
    summary="What was tried by patients like this one, and how it went: counts, never people",
    responses=wire.gives(Pathways, "Circles of patients alike with their N, and what they tried."),
)
async def pathways(request: Request, patient_id: str, as_of: date | None = AS_OF) -> Response:
    return await _answer(request, as_of, lambda asked, _: find_pathways(asked, patient_id))


@router.get(
    "/shortest/{patient_id}",
    summary="The fewest actions to a complete request, for each drug of the plan; never an approval",
    responses=wire.gives(Shortest, "Ways, shortest first, and drugs that have none."),
)
async def shortest(
    request: Request,
    patient_id: str,
    drug: str = Query("", description="Only this drug", examples=["Ozempic"]),
    as_of: date | None = AS_OF,
) -> Response:
    desk = office(request)

    def find() -> Response:
        name = desk.store.drug(drug).name if drug else ""
        return wire.answer(find_shortest(desk.store, patient_id, drug=name, as_of=desk.settings.day(as_of)))

    return await run_in_threadpool(find)


@router.get(
    "/prescribers",
    summary="Prescribers with unusual patterns of denials, as answered or predicted",
    responses=wire.gives(Patterns, "The unusual ones, with N, p and q."),
)
async def prescribers(request: Request, as_of: date | None = AS_OF) -> Response:
    return await _answer(request, as_of, lambda asked, _: patterns(asked, "prescribers"))


@router.get(
    "/payers",
    summary="Payers with unusual patterns of denials, as answered or predicted",
    responses=wire.gives(Patterns, "The unusual ones, with N, p and q."),
)
async def payers(request: Request, as_of: date | None = AS_OF) -> Response:
    return await _answer(request, as_of, lambda asked, _: patterns(asked, "payers"))


@router.get(
    "/policy-change",
    summary="Which criterion, were it not asked, would let most patients through",
    responses=wire.gives(PolicyChanges, "Criteria, most patients first."),
)
async def policy_change(
    request: Request,
    plan_id: str = Query("", description="Only this plan"),
    drug: str = Query("", description="Only this drug"),
    most: int = Query(20, ge=1, le=500),
    as_of: date | None = AS_OF,
) -> Response:
    def find(asked: Asked, desk: Office) -> PolicyChanges:
        plan = desk.store.plan(plan_id).id if plan_id else ""
        name = desk.store.drug(drug).name if drug else ""
        return policy_changes(asked, plan_id=plan, drug=name, most=most)

    return await _answer(request, as_of, find)


async def _answer(request: Request, as_of: date | None, find: Callable[[Asked, Office], Any]) -> Response:
    desk = office(request)

    def look() -> Response:
        asked = current(desk.store, desk.graph, desk.settings.day(as_of))
        return wire.answer(find(asked, desk))

    return await run_in_threadpool(look)
