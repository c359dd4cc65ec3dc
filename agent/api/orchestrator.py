"""POST /api/orchestrator/process: one patient, one drug, and everything that follows."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.drafts import DraftView, view
from agent.api.office import Office, office
from agent.case_desk import correction
from agent.casework import Asking, coverage, why_not
from tools.common.errors import Invalid, Refused
from tools.domain.records import Determination, ExceptionKind, Kind
from tools.domain.records import Request as DrugRequest
from tools.engine.documents import walk
from tools.queries.check import Asked, ask, decide

router = APIRouter(prefix="/api", tags=["orchestrator"])
DRAFT = {
    "name": "draft",
    "in": "query",
    "description": "false decides and drafts nothing, as does `draft` in the body",
    "schema": {"type": "boolean", "default": True},
}


class Process(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case by patient and drug; what is left out is filled in from the chart, the plan on file and the label."""

    patient_id: str
    drug: str
    draft: bool = True
    force: bool = False
    plan_id: str = ""
    as_of: str = ""  # YYYY-MM-DD or today
    indication: str = ""
    strength: str = ""
    quantity: float | None = None
    days_supply: int | None = None
    kind: Kind | None = None
    exception: ExceptionKind | None = None
    statement: str = ""  # the prescriber's own, in support of the exception
    expedited: str = ""  # the prescriber's reason why it cannot wait
    corrects: int | None = None  # the case whose pended request this one corrects


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """A clause that a finding rests on, verbatim."""

    policy_id: str
    clause_id: str
    quote: str
    section: str = ""
    criteria: tuple[str, ...] = ()


class Processed(msgspec.Struct, frozen=True, kw_only=True):
    """`draft` is null if none was asked for, or if a PA is not the way: `refusal` says what to do instead."""

    determination: Determination
    coverage: dict[str, Any]
    citations: tuple[Citation, ...]
    draft: DraftView | None = None
    refusal: str = ""


@router.post(
    "/orchestrator/process",
    summary="Decide a case, and draft the payer's form and the letter",
    responses=wire.gives(
        Processed, "The determination (as `pa check --json` prints it) and what follows from it."
    ),
    openapi_extra=wire.takes(Process, {"patient_id": "P001", "drug": "Ozempic"}) | {"parameters": [DRAFT]},
)
async def process(request: Request) -> Response:
    given = await wire.body(request, Process)
    desk = office(request)
    if given.draft and _draft_is_wanted(request):
        return await run_in_threadpool(_with_draft, desk, given)
    asked = look_up(desk, given)
    return wire.answer(_processed(desk, asked, decide(desk.store, asked)))


def _draft_is_wanted(request: Request) -> bool:
    said = request.query_params.get("draft", "true").lower()
    if said not in ("true", "false", "1", "0"):
        raise Invalid(f"draft={said} is neither true nor false")
    return said in ("true", "1")


def look_up(desk: Office, given: Process) -> Asked:
    return ask(
        desk.store, given.patient_id, _request(desk, given), plan_id=given.plan_id, as_of=_as_of(desk, given)
    )


def _with_draft(desk: Office, given: Process) -> Response:
    asked = look_up(desk, given)
    determination = decide(desk.store, asked)
    refusal = why_not(asked, determination, given.force)
    if refusal:
        return wire.answer(_processed(desk, asked, determination) | {"refusal": refusal})
    asking = Asking(
        patient_id=asked.patient.id,
        request=_request(desk, given),
        plan_id=given.plan_id,
        as_of=_as_of(desk, given),
        force=given.force,
    )
    try:
        drafted = desk.draft(asking)
    except Refused as refused:
        return wire.answer(_processed(desk, asked, determination) | {"refusal": str(refused)})
    return wire.answer(_processed(desk, asked, determination) | {"draft": view(drafted.draft)})


def _processed(desk: Office, asked: Asked, found: Determination) -> dict[str, Any]:
    return {
        "determination": found,
        "coverage": coverage(asked),
        "citations": citations(desk, asked, found),
        "draft": None,
        "refusal": "",
    }


def citations(desk: Office, asked: Asked, found: Determination) -> list[dict[str, Any]]:
    """The clauses that the findings answer, each once, in the findings' order."""
    policy = desk.store.policy(asked.plan.id, asked.drug.name)
    sections = {clause.id: clause.section for clause in policy.clauses} if policy else {}
    cited: dict[str, dict[str, Any]] = {}
    for finding in walk(found.findings):
        if finding.clause:
            clause = finding.clause
            entry = cited.setdefault(
                clause.clause_id,
                {
                    "policy_id": clause.policy_id,
                    "clause_id": clause.clause_id,
                    "quote": clause.quote,
                    "section": sections.get(clause.clause_id, ""),
                    "criteria": [],
                },
            )
            entry["criteria"].append(finding.criterion)
    return list(cited.values())


def _request(desk: Office, given: Process) -> DrugRequest:
    return DrugRequest(
        drug=given.drug,
        strength=given.strength,
        quantity=given.quantity,
        days_supply=given.days_supply,
        kind=given.kind,
        indication=given.indication,
        exception=given.exception,
        statement=given.statement,
        expedited=given.expedited,
        corrects=correction(desk.store, _as_of(desk, given), given.corrects, given.patient_id, given.drug)
        if given.corrects
        else None,
    )


def _as_of(desk: Office, given: Process) -> date | None:
    return desk.settings.day(given.as_of)
