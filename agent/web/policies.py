"""Policies as their payers print them, what they were before, and whom a change moves."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, Query, Request, Response

from agent.api import records, wire
from agent.api.office import Desk, Office
from agent.web.page import PageRoute, is_part, render
from tools.domain.records import Plan, Policy
from tools.queries.policies import search
from tools.rulebook.versions import differences
from tools.screening.moves import Move, moves
from tools.store import panel

router = APIRouter(prefix="/policies", route_class=PageRoute, include_in_schema=False)
HITS = 5
MOST_MOVED = 200  # rows


@router.get("")
def policies(request: Request, desk: Desk) -> Response:
    store = desk.store
    return render(request, "policies.html", plans=store.plans(), drugs=[drug.name for drug in store.drugs()])


@router.get("/{plan_id}/{drug}")
def policy(
    request: Request, desk: Desk, plan_id: str, drug: str, q: str = Query("", max_length=500)
) -> Response:
    plan, found = _policy(desk, plan_id, drug)
    hits = search(desk.store, plan.id, found.drug, q, HITS) if q.strip() else []
    earlier = desk.store.policy_versions(found.id)
    return render(request, "policy.html", plan=plan, policy=found, q=q, hits=hits, earlier=earlier)


@router.get("/{plan_id}/{drug}/versions/{number}")
def version(request: Request, desk: Desk, plan_id: str, drug: str, number: wire.Number) -> Response:
    """What another version said, and what is said in its place."""
    plan, found = _policy(desk, plan_id, drug)
    before, _ = desk.store.policy_version(found.id, number)
    return render(
        request,
        "policy_change.html",
        plan=plan,
        policy=found,
        before=before,
        number=number,
        earlier=desk.store.policy_versions(found.id),
        differences=differences(before, found),
        moved=None,
    )


@router.get("/{plan_id}/{drug}/versions/{number}/moved")
def moved(request: Request, desk: Desk, plan_id: str, drug: str, number: wire.Number) -> Response:
    """For whom the drug is determined otherwise than that version had it, the ones who want it first."""
    plan, found = _policy(desk, plan_id, drug)
    before, old = desk.store.policy_version(found.id, number)
    given: dict[str, Any] = {
        "plan": plan,
        "policy": found,
        "number": number,
        "moved": _moved(desk, old, plan, found),
    }
    if is_part(request):
        return render(request, "moved.html", **given)
    changes = differences(before, found)
    earlier = desk.store.policy_versions(found.id)
    return render(request, "policy_change.html", before=before, differences=changes, earlier=earlier, **given)


def _policy(desk: Office, plan_id: str, drug: str) -> tuple[Plan, Policy]:
    plan, name = desk.store.plan(plan_id), desk.store.drug(drug).name
    return plan, records.policy(desk, plan.id, name)


def _moved(desk: Office, old: Plan, plan: Plan, policy: Policy) -> dict[str, Any]:
    store, drug, day = desk.store, desk.store.drug(policy.drug), desk.settings.day()
    looked = list(moves(panel.of_plan(store, plan.id), old, plan, drug, lambda one: day or store.day_of(one)))
    found = sorted((one for one in looked if one), key=_wanted)
    store.note("panel.read", of=f"{len(looked)} charts")
    open_ones = {
        (row.patient_id, row.plan_id): row for row in desk.board.work().rows if row.drug == drug.name
    }
    return {
        "looked": len(looked),
        "count": len(found),
        "turns": Counter((one.before.outcome, one.after.outcome) for one in found).most_common(),
        "rows": [(one, open_ones.get((one.patient.id, plan.id))) for one in found[:MOST_MOVED]],
    }


def _wanted(move: Move) -> tuple[bool, str]:
    return (not move.after.asked, move.patient.id)
