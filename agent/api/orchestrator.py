"""POST /api/orchestrator/process: one patient, one drug, and everything that follows."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Request
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.context import Context, context_of
from agent.api.drafts import DraftView, view
from agent.cases.casefile import correction
from agent.drafts.requests import DraftRequest, coverage, look_up, why_not
from tools.common.errors import Invalid, Refused
from tools.domain.records import ClauseRef, Determination, ExceptionKind, Kind
from tools.domain.records import Request as DrugRequest
from tools.engine.documents import walk
from tools.queries.check import Asked, decide

router = wire.Router(prefix="/api", tags=["orchestrator"])
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


@router.write(
    "/orchestrator/process", "Decide a case, and draft the payer's form and the letter",
    Processed, "The determination (as `pa check --json` prints it) and what follows from it.",
    Process, {"patient_id": "P001", "drug": "Ozempic"}, openapi_extra={"parameters": [DRAFT]},
)  # fmt: skip
async def process(request: Request) -> dict[str, Any]:
    given = await wire.body(request, Process)
    ctx = context_of(request)
    if given.draft and _draft_is_wanted(request):
        return await run_in_threadpool(_processed, ctx, given, draft=True)
    return _processed(ctx, given, draft=False)  # at once: to hand it to a thread takes longer


def _draft_is_wanted(request: Request) -> bool:
    said = request.query_params.get("draft", "true").lower()
    if said not in ("true", "false", "1", "0"):
        raise Invalid(f"draft={said} is neither true nor false")
    return said in ("true", "1")


def _processed(ctx: Context, given: Process, *, draft: bool) -> dict[str, Any]:
    wanted = _asking(ctx, given)
    asked = look_up(ctx.store, wanted)
    found = decide(ctx.store, asked)
    drafted, refusal = None, why_not(asked, found, given.force) if draft else ""
    if draft and not refusal:
        try:
            drafted = view(ctx.draft(msgspec.structs.replace(wanted, patient_id=asked.patient.id)).draft)
        except Refused as refused:
            refusal = str(refused)
    return {
        "determination": found,
        "coverage": coverage(asked),
        "citations": citations(ctx, asked, found),
        "draft": drafted,
        "refusal": refusal,
    }


def citations(ctx: Context, asked: Asked, found: Determination) -> list[Citation]:
    """The clauses that the findings answer, each once, in the findings' order."""
    policy = ctx.store.policy(asked.plan.id, asked.drug.name)
    sections = {clause.id: clause.section for clause in policy.clauses} if policy else {}
    cited: dict[str, tuple[ClauseRef, list[str]]] = {}
    for finding in walk(found.findings):
        if finding.clause:
            cited.setdefault(finding.clause.clause_id, (finding.clause, []))[1].append(finding.criterion)
    return [
        Citation(
            policy_id=clause.policy_id,
            clause_id=id,
            quote=clause.quote,
            section=sections.get(id, ""),
            criteria=tuple(criteria),
        )
        for id, (clause, criteria) in cited.items()
    ]


def _asking(ctx: Context, given: Process) -> DraftRequest:
    as_of = ctx.settings.day(given.as_of)
    corrects = given.corrects and correction(ctx.store, as_of, given.corrects, given.patient_id, given.drug)
    said = msgspec.structs.asdict(given) | {"corrects": corrects or None}
    request = DrugRequest(**{name: said[name] for name in DrugRequest.__struct_fields__ if name in said})
    return DraftRequest(
        patient_id=given.patient_id, request=request, plan_id=given.plan_id, as_of=as_of, force=given.force
    )
