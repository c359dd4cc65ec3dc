"""Drafts: list, read, fetch the papers, and hand in what a person decided."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.office import office
from agent.decision import Action, Decision
from agent.desk import now
from agent.dump import plain
from agent.integrity import orphaned, read_recorded, require_unaltered
from agent.settings import BIGGEST
from tools.common.errors import NotFound
from tools.common.printable import one_line
from tools.domain.records import PARequest
from tools.store.rows import Draft, DraftStatus, Edit

router = APIRouter(prefix="/api/drafts", tags=["drafts"])
MEDIA = {
    ".pdf": "application/pdf",
    ".json": wire.JSON,
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """A drafted case: the filled form, what is missing, and links to its papers."""

    id: int
    patient_id: str
    drug: str
    plan_id: str
    as_of: str
    status: DraftStatus
    version: int
    edits: tuple[Edit, ...]
    contradicts: tuple[str, ...]
    to_attach: tuple[str, ...]
    outcome: str
    ready: bool
    missing: tuple[str, ...]
    warning: str
    created: str
    updated: str
    links: dict[str, str]
    form: PARequest


class ReviewApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who approves; a draft that is not complete also needs the reason why it may go as it is."""

    by: str
    reason: str = ""


class Rejection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who rejects, and why."""

    by: str
    reason: str


class DraftEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New values by part of the request (strength, quantity, days_supply, kind, indication), field id or label; decided
    anew, and the draft waits for review again."""

    by: str
    edits: dict[str, str]
    reason: str = ""


def view(draft: Draft) -> dict[str, Any]:
    """A draft as it is shown."""
    form = draft.filled_form()
    return {
        "id": draft.id,
        "patient_id": draft.patient_id,
        "drug": draft.drug,
        "plan_id": draft.plan_id,
        "as_of": draft.as_of.isoformat(),
        "status": draft.status,
        "version": draft.version,
        "edits": plain(draft.edits),
        "contradicts": list(draft.contradicts),
        "to_attach": list(form.to_attach),
        "outcome": draft.outcome,
        "ready": form.ready,
        "missing": list(form.missing),
        "warning": form.warning,
        "created": draft.created.isoformat(),
        "updated": draft.updated.isoformat(),
        "links": {name: f"/api/drafts/{draft.id}/files/{name}" for name in draft.files},
        "form": plain(form),
    }


@router.get("", summary="Drafts, oldest first", responses=wire.gives(wire.many(DraftView), "The drafts."))
async def drafts(
    request: Request,
    status: Literal["needs_review", "edited", "approved", "rejected"] | None = Query(None),
    patient_id: str | None = Query(None),
    limit: int = Query(20, ge=1, le=200),
    offset: int = Query(0, ge=0, le=BIGGEST),
) -> Response:
    found = office(request).store.drafts(status, patient_id, limit=limit, offset=offset)
    return wire.answer([view(draft) for draft in found])


@router.get("/{draft_id}", summary="One draft", responses=wire.gives(DraftView, "The draft."))
async def draft(request: Request, draft_id: wire.DraftNumber) -> Response:
    store = office(request).store
    found = store.draft(draft_id)
    alone = orphaned(store, found.person, found.patient_id)
    return wire.answer(view(found) | {"orphaned": alone, "reviews": store.reviews(draft_id)})


@router.get(
    "/{draft_id}/files/{name}",
    summary="One of its papers: the form, the letter, the cover",
    responses=wire.gives({"type": "string", "format": "binary"}, "The file.", media="application/pdf"),
)
async def paper(request: Request, draft_id: wire.DraftNumber, name: str) -> Response:
    found = office(request).store.draft(draft_id)
    if name not in found.files:
        raise NotFound("paper of this draft", name, sorted(found.files))
    path = Path(found.files[name].path)
    content = read_recorded(path, found.files[name].sha256)
    if content is None:
        require_unaltered(found)
    shown = {"content-disposition": f'inline; filename="{path.name}"'}
    return Response(content, media_type=MEDIA.get(path.suffix, "application/octet-stream"), headers=shown)


@router.post(
    "/{draft_id}/approve",
    summary="Approve a draft; nothing is sent",
    responses=wire.gives(DraftView, "The draft as it is now."),
    openapi_extra=wire.takes(ReviewApproval, {"by": "R. Lee, CPhT"}),
)
async def approve(request: Request, draft_id: wire.DraftNumber) -> Response:
    given = await wire.body(request, ReviewApproval)
    return await _decide(request, draft_id, "approve", given.by, given.reason)


@router.post(
    "/{draft_id}/reject",
    summary="Reject a draft",
    responses=wire.gives(DraftView, "The draft as it is now."),
    openapi_extra=wire.takes(
        Rejection, {"by": "R. Lee, CPhT", "reason": "the patient changed to another drug"}
    ),
)
async def reject(request: Request, draft_id: wire.DraftNumber) -> Response:
    given = await wire.body(request, Rejection)
    return await _decide(request, draft_id, "reject", given.by, given.reason)


@router.post(
    "/{draft_id}/edit",
    summary="Change the request, or what the office knows of itself; all papers are printed of it anew",
    responses=wire.gives(DraftView, "The draft as it is now; it waits for review again."),
    openapi_extra=wire.takes(DraftEdit, {"by": "R. Lee, CPhT", "edits": {"Office contact": "R. Lee"}}),
)
async def edit(request: Request, draft_id: wire.DraftNumber) -> Response:
    given = await wire.body(request, DraftEdit)
    return await _decide(request, draft_id, "edit", given.by, given.reason, given.edits)


async def _decide(
    request: Request, draft_id: int, action: Action, by: str, reason: str, edits: dict[str, str] | None = None
) -> Response:
    decision = Decision(
        action=action, by=one_line(by), when=now(), reason=one_line(reason), edits=edits or {}
    )
    decided = await run_in_threadpool(office(request).decide, draft_id, decision)
    return wire.answer(view(decided))
