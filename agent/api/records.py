"""Patients, plans, drugs, coverage and policies: what the store knows, to read."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from fastapi import Query

from agent.api import wire
from agent.api.context import Ctx
from agent.drafts.requests import coverage
from agent.runtime.settings import BIGGEST
from tools.common.errors import NotFound
from tools.domain.records import Drug, Patient, Plan, Policy
from tools.domain.records import Request as DrugRequest
from tools.queries import policies
from tools.queries.check import ask
from tools.store.rows import PatientRow

router = wire.Router(prefix="/api")


class PatientPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of patients; `next` is the offset of the next page, or null."""

    items: tuple[PatientRow, ...]
    total: int
    limit: int
    offset: int
    next: int | None


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in a list."""

    id: str
    payer: str
    name: str
    line_of_business: str
    channel: str
    covered: tuple[str, ...]
    pa_required: tuple[str, ...]


class Clauses(msgspec.Struct, frozen=True, kw_only=True):
    """Clauses of one plan's policy for one drug, best first."""

    plan_id: str
    drug: str
    query: str
    items: tuple[dict[str, Any], ...]


@router.read(
    "/patients", "Search patients and page through them",
    PatientPage, "A page of patients.", tags=["patients"],
)  # fmt: skip
def patients(
    ctx: Ctx,
    q: str = Query("", description="Beginnings of names, or an id", examples=["garcia"]),
    plan_id: str | None = Query(None, description="Plan on file"),
    member_id: str | None = Query(None, description="Member id of any enrolment"),
    birth_date: date | None = Query(None),
    limit: int = Query(20, ge=1, le=200),
    offset: int = Query(0, ge=0, le=BIGGEST),
) -> dict[str, Any]:
    match: dict[str, Any] = {"plan_id": plan_id, "member_id": member_id, "birth_date": birth_date}
    items = ctx.store.find_patients(q, **match, limit=limit, offset=offset)
    total = ctx.store.count_patients(q, **match)
    following = offset + limit if offset + limit < total else None
    return {"items": items, "total": total, "limit": limit, "offset": offset, "next": following}


@router.read(
    "/patients/{patient_id}", "A whole chart",
    Patient, "The chart, with what people added to it.", tags=["patients"],
)  # fmt: skip
def patient(ctx: Ctx, patient_id: str) -> Patient:
    return ctx.store.patient(patient_id)


@router.read("/plans", "All plans", wire.many(PlanRow), "The plans.", tags=["plans"])
def plans(ctx: Ctx) -> list[dict[str, Any]]:
    return [_row(plan) for plan in ctx.store.plans()]


@router.read("/plans/{plan_id}", "A plan with its rule for every drug", Plan, "The plan.", tags=["plans"])
def plan(ctx: Ctx, plan_id: str) -> Plan:
    return ctx.store.plan(plan_id)


@router.read("/drugs/{name}", "A drug, by brand or generic", Drug, "The drug.", tags=["plans"])
def drug(ctx: Ctx, name: str) -> Drug:
    return ctx.store.drug(name)


@router.read(
    "/coverage", "Is the patient enrolled on the day, and what does the plan say of the drug?",
    {"type": "object"}, "Enrolment and benefit.", tags=["plans"],
)  # fmt: skip
def coverage_of(
    ctx: Ctx,
    patient_id: str = Query(examples=["P001"]),
    drug: str = Query(examples=["Ozempic"]),
    plan_id: str = Query("", description="Another plan than the one on file"),
    as_of: wire.AsOf = None,
) -> dict[str, Any]:
    day = ctx.settings.day(as_of)
    asked = ask(ctx.store, patient_id, DrugRequest(drug=drug), plan_id=plan_id, as_of=day)
    return {"patient_id": asked.patient.id, "as_of": asked.as_of, **coverage(asked)}


@router.read(
    "/policies/search", "Search the clauses of one plan's policy for one drug",
    Clauses, "The clauses, best first; never of another plan or drug.", tags=["policies"],
)  # fmt: skip
def search(
    ctx: Ctx,
    plan_id: str = Query(examples=["CASCADE-GOLD"]),
    drug: str = Query(examples=["Ozempic"]),
    q: str = Query(min_length=1, max_length=500, examples=["how recent must the A1c be"]),
    k: int = Query(3, ge=1, le=50),
) -> dict[str, Any]:
    plan, found = ctx.store.plan(plan_id), ctx.store.drug(drug)
    hits = policies.search(ctx.store, plan.id, found.name, q, k)
    return {"plan_id": plan.id, "drug": found.name, "query": q, "items": list(hits)}


@router.read(
    "/policies/{plan_id}/{drug}", "A policy document with its clauses",
    Policy, "The document.", tags=["policies"],
)  # fmt: skip
def policy(ctx: Ctx, plan_id: str, drug: str) -> Policy:
    plan, name = ctx.store.plan(plan_id), ctx.store.drug(drug).name
    document = ctx.store.policy(plan.id, name)
    if document is None:
        hint = "the plan asks for no PA for it, or does not cover it"
        raise NotFound("policy", f"{plan.id} {name}", hint=hint)
    return document


def _row(plan: Plan) -> dict[str, Any]:
    said = {name: getattr(plan, name) for name in ("id", "payer", "name", "line_of_business", "channel")}
    covered = [benefit for benefit in plan.benefits.values() if benefit.covered]
    asked = [benefit.drug for benefit in covered if benefit.pa_required]
    return said | {"covered": [benefit.drug for benefit in covered], "pa_required": asked}
