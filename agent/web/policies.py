"""Policies as their payers print them, what they were before, and whom a change moves."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, Query, Request, Response

from agent.api import records, wire
from agent.api.context import Context, Ctx
from agent.web.page import PageRoute, is_part, render
from tools.domain.records import Plan, Policy
from tools.queries.policies import search
from tools.rulebook.versions import differences
from tools.screening.moves import moves
from tools.store import panel
from tools.store.versions import PolicyVersion

router = APIRouter(prefix="/policies", route_class=PageRoute, include_in_schema=False)
HITS = 5
MOST_MOVED = 200  # rows


@router.get("")
def policies(request: Request, ctx: Ctx) -> Response:
    store = ctx.store
    return render(request, "policies.html", plans=store.plans(), drugs=[drug.name for drug in store.drugs()])


@router.get("/{plan_id}/{drug}")
def policy(
    request: Request, ctx: Ctx, plan_id: str, drug: str, q: str = Query("", max_length=500)
) -> Response:
    if gone := _gone(ctx, plan_id, drug):
        return _as_it_was(request, ctx, plan_id, gone, gone.number)
    plan, found = _policy(ctx, plan_id, drug)
    hits = search(ctx.store, plan.id, found.drug, q, HITS) if q.strip() else []
    earlier = ctx.store.policy_versions(found.id)
    return render(
        request, "policy.html", plan=plan, policy=found, q=q, hits=hits, earlier=earlier, until=None, number=0
    )


@router.get("/{plan_id}/{drug}/versions/{number}")
def version(request: Request, ctx: Ctx, plan_id: str, drug: str, number: wire.Number) -> Response:
    """What another version said, and what is said in its place; where nothing is, it alone."""
    if gone := _gone(ctx, plan_id, drug):
        return _as_it_was(request, ctx, plan_id, gone, number)
    plan, found = _policy(ctx, plan_id, drug)
    return _change(request, ctx, plan, found, number, None)


@router.get("/{plan_id}/{drug}/versions/{number}/moved")
def moved(request: Request, ctx: Ctx, plan_id: str, drug: str, number: wire.Number) -> Response:
    """For whom the drug is determined otherwise than that version had it, the ones who want it first."""
    plan, found = _policy(ctx, plan_id, drug)
    _, old = ctx.store.policy_version(found.id, number)
    movement = _moved(ctx, old, plan, found)
    if is_part(request):
        return render(request, "moved.html", plan=plan, policy=found, number=number, moved=movement)
    return _change(request, ctx, plan, found, number, movement)


def _change(
    request: Request, ctx: Context, plan: Plan, found: Policy, number: int, moved: dict[str, Any] | None
) -> Response:
    before, _ = ctx.store.policy_version(found.id, number)
    return render(
        request, "policy_change.html", plan=plan, policy=found, before=before, number=number, moved=moved,
        earlier=ctx.store.policy_versions(found.id), differences=differences(before, found),
    )  # fmt: skip


def _gone(ctx: Context, plan_id: str, drug: str) -> PolicyVersion | None:
    """The last version of a policy that went away: the plan asks for no authorization any more, or covers nothing."""
    plan, name = ctx.store.plan(plan_id).id, ctx.store.drug(drug).name
    return None if ctx.store.policy(plan, name) else ctx.store.last_version(plan, name)


def _as_it_was(request: Request, ctx: Context, plan_id: str, gone: PolicyVersion, number: int) -> Response:
    was, plan = ctx.store.policy_version(gone.policy_id, number)
    earlier = ctx.store.policy_versions(gone.policy_id)
    until = next(one.until for one in earlier if one.number == number)
    return render(
        request,
        "policy.html",
        plan=plan,
        policy=was,
        q="",
        hits=[],
        earlier=earlier,
        until=until,
        number=number,
    )


def _policy(ctx: Context, plan_id: str, drug: str) -> tuple[Plan, Policy]:
    plan, name = ctx.store.plan(plan_id), ctx.store.drug(drug).name
    return plan, records.policy(ctx, plan.id, name)


def _moved(ctx: Context, old: Plan, plan: Plan, policy: Policy) -> dict[str, Any]:
    store, drug, day = ctx.store, ctx.store.drug(policy.drug), ctx.settings.day()
    looked = list(moves(panel.of_plan(store, plan.id), old, plan, drug, lambda one: day or store.day_of(one)))
    # The ones who want it first.
    found = sorted((one for one in looked if one), key=lambda one: (not one.after.asked, one.patient.id))
    store.note("panel.read", of=f"{len(looked)} charts")
    open_ones = {(row.patient_id, row.plan_id): row for row in ctx.board.work().rows if row.drug == drug.name}
    return {
        "looked": len(looked),
        "count": len(found),
        "turns": Counter((one.before.outcome, one.after.outcome) for one in found).most_common(),
        "rows": [(one, open_ones.get((one.patient.id, plan.id))) for one in found[:MOST_MOVED]],
    }
