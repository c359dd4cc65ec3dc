"""Patients, plans, drugs, coverage and policies: what the store knows, to read."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.office import office
from agent.casework import coverage
from agent.settings import BIGGEST
from tools.domain.records import Drug, Patient, Plan, Policy
from tools.domain.records import Request as DrugRequest
from tools.queries.check import ask
from tools.store.rows import PatientRow

router = APIRouter(prefix="/api")


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


@router.get(
    "/patients",
    tags=["patients"],
    summary="Search patients and page through them",
    responses=wire.gives(PatientPage, "A page of patients."),
)
async def patients(
    request: Request,
    q: str = Query("", description="Beginnings of names, or an id", examples=["garcia"]),
    plan_id: str | None = Query(None, description="Plan on file"),
    member_id: str | None = Query(None, description="Member id of any enrolment"),
    birth_date: date | None = Query(None),
    limit: int = Query(20, ge=1, le=200),
    offset: int = Query(0, ge=0, le=BIGGEST),
) -> Response:
    store = office(request).store
    match: dict[str, Any] = {"plan_id": plan_id, "member_id": member_id, "birth_date": birth_date}
    items = store.find_patients(q, **match, limit=limit, offset=offset)
    total = store.count_patients(q, **match)
    following = offset + limit if offset + limit < total else None
    return wire.answer({"items": items, "total": total, "limit": limit, "offset": offset, "next": following})


@router.get(
    "/patients/{patient_id}",
    tags=["patients"],
    summary="A whole chart",
    responses=wire.gives(Patient, "The chart, with what people added to it."),
)
async def patient(request: Request, patient_id: str) -> Response:
    return wire.answer(office(request).store.patient(patient_id))


@router.get(
    "/plans", tags=["plans"], summary="All plans", responses=wire.gives(wire.many(PlanRow), "The plans.")
)
async def plans(request: Request) -> Response:
    return wire.answer([_row(plan) for plan in office(request).store.plans()])


@router.get(
    "/plans/{plan_id}",
    tags=["plans"],
    summary="A plan with its rule for every drug",
    responses=wire.gives(Plan, "The plan."),
)
async def plan(request: Request, plan_id: str) -> Response:
    return wire.answer(office(request).store.plan(plan_id))


@router.get(
    "/drugs/{name}",
    tags=["plans"],
    summary="A drug, by brand or generic",
    responses=wire.gives(Drug, "The drug."),
)
async def drug(request: Request, name: str) -> Response:
    return wire.answer(office(request).store.drug(name))


@router.get(
    "/coverage",
    tags=["plans"],
    summary="Is the patient enrolled on the day, and what does the plan say of the drug?",
    responses=wire.gives({"type": "object"}, "Enrolment and benefit."),
)
async def coverage_of(
    request: Request,
    patient_id: str = Query(examples=["P001"]),
    drug: str = Query(examples=["Ozempic"]),
    plan_id: str = Query("", description="Another plan than the one on file"),
    as_of: date | None = Query(
        None, description="Default: today; the day of its world for a chart that was made"
    ),
) -> Response:
    desk = office(request)
    day = desk.settings.day(as_of)
    asked = ask(desk.store, patient_id, DrugRequest(drug=drug), plan_id=plan_id, as_of=day)
    return wire.answer({"patient_id": asked.patient.id, "as_of": asked.as_of, **coverage(asked)})


@router.get(
    "/policies/search",
    tags=["policies"],
    summary="Search the clauses of one plan's policy for one drug",
    responses=wire.gives(Clauses, "The clauses, best first; never of another plan or drug."),
)
async def search(
    request: Request,
    plan_id: str = Query(examples=["CASCADE-GOLD"]),
    drug: str = Query(examples=["Ozempic"]),
    q: str = Query(min_length=1, max_length=500, examples=["how recent must the A1c be"]),
    k: int = Query(3, ge=1, le=50),
) -> Response:
    store = office(request).store
    plan, found = store.plan(plan_id), store.drug(drug)

    def look() -> Response:
        from tools.queries.policies import search as search_policies

        hits = search_policies(store, plan.id, found.name, q, k)
        return wire.answer({"plan_id": plan.id, "drug": found.name, "query": q, "items": list(hits)})

    return await run_in_threadpool(look)


@router.get(
    "/policies/{plan_id}/{drug}",
    tags=["policies"],
    summary="A policy document with its clauses",
    responses=wire.gives(Policy, "The document."),
)
async def policy(request: Request, plan_id: str, drug: str) -> Response:
    from tools.common.errors import NotFound

    store = office(request).store
    plan, found = store.plan(plan_id), store.drug(drug)
    document = store.policy(plan.id, found.name)
    if document is None:
        raise NotFound(
            "policy", f"{plan.id} {found.name}", hint="the plan asks for no PA for it, or does not cover it"
        )
    return wire.answer(document)


def _row(plan: Plan) -> dict[str, Any]:
    benefits = plan.benefits.values()
    return {
        "id": plan.id,
        "payer": plan.payer,
        "name": plan.name,
        "line_of_business": plan.line_of_business,
        "channel": plan.channel,
        "covered": [benefit.drug for benefit in benefits if benefit.covered],
        "pa_required": [benefit.drug for benefit in benefits if benefit.covered and benefit.pa_required],
    }
