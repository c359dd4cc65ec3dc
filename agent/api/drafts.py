"""Drafts: list, read, fetch the papers, and hand in what a person decided."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Header, Query, Response

from agent.api import wire
from agent.api.context import Context, Ctx
from agent.drafts.body import DraftHead, body
from agent.drafts.decision import Action, Decision
from agent.drafts.integrity import orphaned, require_unaltered
from agent.runtime.home import now
from agent.runtime.settings import BIGGEST
from tools.common.errors import NotFound
from tools.common.printable import one_line
from tools.common.sealed import read_recorded
from tools.domain.records import PARequest
from tools.store.rows import Draft

router = wire.Router(prefix="/api/drafts", tags=["drafts"])
IF_MATCH = "The ETag of the draft that was read; 412, and nothing is done, if it has changed since"
IfMatch = Annotated[str, Header(description=IF_MATCH)]
OUTDATED = wire.problems(["outdated"])


class DraftView(DraftHead, frozen=True, kw_only=True):
    """A drafted case: the filled form, what is missing, and links to its papers."""

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


Approved = Annotated[ReviewApproval, wire.sent(ReviewApproval)]
Rejected = Annotated[Rejection, wire.sent(Rejection)]
Edited = Annotated[DraftEdit, wire.sent(DraftEdit)]


def view(draft: Draft) -> dict[str, Any]:
    """A draft as it is shown."""
    form = draft.filled_form()
    return body(draft, form) | {
        "created": draft.created.isoformat(),
        "updated": draft.updated.isoformat(),
        "links": {name: f"/api/drafts/{draft.id}/files/{name}" for name in draft.files},
        "form": form,
    }


@router.read("", "Drafts, oldest first", wire.many(DraftView), "The drafts.")
def drafts(
    ctx: Ctx,
    status: Literal["needs_review", "edited", "approved", "rejected"] | None = Query(None),
    patient_id: str | None = Query(None),
    limit: int = Query(20, ge=1, le=200),
    offset: int = Query(0, ge=0, le=BIGGEST),
) -> list[dict[str, Any]]:
    return [view(draft) for draft in ctx.store.drafts(status, patient_id, limit=limit, offset=offset)]


@router.read("/{draft_id}", "One draft", DraftView, "The draft.")
def draft(ctx: Ctx, draft_id: wire.Number) -> Response:
    found = ctx.store.draft(draft_id)
    alone = orphaned(ctx.store, found.person, found.patient_id)
    return _tagged(found, view(found) | {"orphaned": alone, "reviews": ctx.store.reviews(draft_id)})


@router.read(
    "/{draft_id}/files/{name}", "One of its papers: the form, the letter, the cover",
    wire.FILE, "The file.", media=wire.PDF,
)  # fmt: skip
def paper(ctx: Ctx, draft_id: wire.Number, name: str) -> Response:
    found = ctx.store.draft(draft_id)
    if name not in found.files:
        raise NotFound("paper of this draft", name, sorted(found.files))
    path = Path(found.files[name].path)
    content = read_recorded(path, found.files[name].sha256)
    if content is None:
        require_unaltered(found)
    return wire.file(content or b"", path.name)


@router.write(
    "/{draft_id}/approve", "Approve a draft; nothing is sent",
    DraftView, "The draft as it is now.", ReviewApproval, {"by": "R. Lee, CPhT"}, responses=OUTDATED,
)  # fmt: skip
def approve(ctx: Ctx, draft_id: wire.Number, given: Approved, if_match: IfMatch = "*") -> Response:
    return _decide(ctx, draft_id, "approve", given, if_match)


@router.write(
    "/{draft_id}/reject", "Reject a draft",
    DraftView, "The draft as it is now.", Rejection,
    {"by": "R. Lee, CPhT", "reason": "the patient changed to another drug"}, responses=OUTDATED,
)  # fmt: skip
def reject(ctx: Ctx, draft_id: wire.Number, given: Rejected, if_match: IfMatch = "*") -> Response:
    return _decide(ctx, draft_id, "reject", given, if_match)


@router.write(
    "/{draft_id}/edit",
    "Change the request, or what the office knows of itself; all papers are printed of it anew",
    DraftView, "The draft as it is now; it waits for review again.", DraftEdit,
    {"by": "R. Lee, CPhT", "edits": {"Office contact": "R. Lee"}}, responses=OUTDATED,
)  # fmt: skip
def edit(ctx: Ctx, draft_id: wire.Number, given: Edited, if_match: IfMatch = "*") -> Response:
    return _decide(ctx, draft_id, "edit", given, if_match)


def _decide(
    ctx: Context, draft_id: int, action: Action, given: ReviewApproval | Rejection | DraftEdit, if_match: str
) -> Response:
    edits, seen = given.edits if isinstance(given, DraftEdit) else {}, _version(if_match)
    who, why = one_line(given.by), one_line(given.reason)
    decision = Decision(action=action, by=who, when=now(), reason=why, edits=edits, seen=seen)
    found = ctx.decide(draft_id, decision)
    return _tagged(found, view(found))


def _tagged(found: Draft, shown: dict[str, Any]) -> Response:
    """What is shown of a draft, with the ETag by which a decision names what it is about."""
    told = wire.answer(shown)
    told.headers["etag"] = f'"{found.version}-{found.status}"'
    return told


def _version(if_match: str) -> int | None:
    """Of a draft's ETag; None for `*`, and 0, which none has, for what is no tag of a draft."""
    number = if_match.strip().strip('"').partition("-")[0]
    return None if if_match.strip() == "*" else int(number[:9]) if number.isdecimal() else 0
