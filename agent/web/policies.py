"""Policies as their payers print them."""

from __future__ import annotations

from fastapi import APIRouter, Query, Request, Response

from agent.api.office import Desk
from agent.web.page import PageRoute, render
from tools.common.errors import NotFound
from tools.queries.policies import search

router = APIRouter(prefix="/policies", route_class=PageRoute, include_in_schema=False)
HITS = 5


@router.get("")
def policies(request: Request, desk: Desk) -> Response:
    store = desk.store
    return render(request, "policies.html", plans=store.plans(), drugs=[drug.name for drug in store.drugs()])


@router.get("/{plan_id}/{drug}")
def policy(
    request: Request, desk: Desk, plan_id: str, drug: str, q: str = Query("", max_length=500)
) -> Response:
    store = desk.store
    plan, name = store.plan(plan_id), store.drug(drug).name
    found = store.policy(plan.id, name)
    if found is None:
        raise NotFound(
            "policy", f"{plan.id} {name}", hint="the plan asks for no PA for it, or does not cover it"
        )
    hits = search(store, plan.id, name, q, HITS) if q.strip() else []
    return render(request, "policy.html", plan=plan, policy=found, q=q, hits=hits)
