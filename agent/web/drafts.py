"""A draft: its form with the source of each field, its papers, and what a person decides about it."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

from fastapi import APIRouter, Request, Response

from agent.api import drafts as api
from agent.api import wire
from agent.api.context import Context, Ctx
from agent.cases import casefile
from agent.drafts.decision import Action, Decision
from agent.drafts.integrity import altered_papers, orphaned
from agent.drafts.papers import titled
from agent.drafts.revision import PARTS, values_of
from agent.runtime.home import now
from agent.web.page import FRAMED, Form, PageRoute, Sent, go, render
from agent.web.patients import KINDS
from tools.common.errors import Correctable, Invalid, NotFound
from tools.domain.records import FilledField, FormTemplate, PARequest, Signature
from tools.store.rows import Draft, named
from tools.store.store import Store

router = APIRouter(prefix="/drafts", route_class=PageRoute, include_in_schema=False)
OPEN = ("needs_review", "edited")


class Box(NamedTuple):
    """A field of the form; one that rests on the chart is mended there."""

    field: FilledField
    editable: bool
    edited: bool

    @property
    def missing(self) -> bool:
        return self.field.required and not self.field.value


@router.get("/{draft_id}")
def draft(request: Request, ctx: Ctx, draft_id: wire.Number) -> Response:
    return render(request, "draft.html", **_shown(ctx.store, ctx.store.draft(draft_id)))


@router.get("/{draft_id}/papers/{name}")
def paper(ctx: Ctx, draft_id: wire.Number, name: str) -> Response:
    """One of its papers, which a page of ours may show inside itself."""
    found = api.paper(ctx, draft_id, name)
    found.headers.update(FRAMED)
    return found


@router.post("/{draft_id}/edit")
def edit(ctx: Ctx, draft_id: wire.Number, form: Sent) -> Response:
    """Change what was changed on the page, and nothing else."""
    before = {field.id: field.value for field in ctx.store.draft(draft_id).filled_form().fields}
    given = form.starting("field.")
    edits = {name: value for name, value in given.items() if value != before.get(name, "")}
    edits |= {part: value for part in PARTS if (value := form.text(f"part.{part}"))}
    if not edits:
        raise Invalid("nothing was changed")
    return _decide(ctx, draft_id, "edit", form, edits)


@router.post("/{draft_id}/approve")
def approve(ctx: Ctx, draft_id: wire.Number, form: Sent) -> Response:
    return _decide(ctx, draft_id, "approve", form)


@router.post("/{draft_id}/reject")
def reject(ctx: Ctx, draft_id: wire.Number, form: Sent) -> Response:
    return _decide(ctx, draft_id, "reject", form)


@router.post("/{draft_id}/case")
def open_case(ctx: Ctx, draft_id: wire.Number, form: Sent) -> Response:
    """Open the case that this draft begins, or find it."""
    by, whose = form.by("opens the case"), ctx.store.draft(draft_id).patient_id
    entry = casefile.entry_of(ctx.case_days(), by, None, whose)
    opened = casefile.open_from_draft(ctx.store, draft_id, entry)
    return go(f"/cases/{opened.case.id}", by)


def _decide(
    ctx: Context, draft_id: int, action: Action, form: Form, edits: dict[str, str] | None = None
) -> Response:
    """Hand in what was decided about the version that was seen; where somebody else was first, nothing is done."""
    by, reason = form.text("by"), form.text("reason")
    seen = form.whole("version") or 0  # a page names the version that it shows
    decision = Decision(action=action, by=by, when=now(), reason=reason, edits=edits or {}, seen=seen)
    ctx.decide(draft_id, decision)
    return go(f"/drafts/{draft_id}", by)


def _shown(store: Store, found: Draft) -> dict[str, Any]:
    form = found.filled_form()
    alone = orphaned(store, found.person, found.patient_id)
    cases = [case for case in store.authorization_cases(found.patient_id) if case.head.draft_id == found.id]
    return {
        "draft": found,
        "form": form,
        "patient": None if alone else store.patient(found.patient_id),
        "whose": named(found.person),
        "alone": alone,
        "is_open": found.status in OPEN and not alone,
        "boxes": _boxes(store, found, form),
        "papers": titled(found.files),
        "altered": altered_papers(found),
        "reviews": store.reviews(found.id),
        "cases": cases,
        "kinds": KINDS,
        "signatures": get_args(Signature),
    }


def _boxes(store: Store, found: Draft, form: PARequest) -> list[Box]:
    """What is missing first, then what people changed, then the form's order."""
    try:
        template = store.form(found.plan_id)
    except NotFound:
        template = None

    def box(one: FilledField) -> Box:
        editable = template is not None and _is_editable(form, template, one)
        return Box(one, editable, one.record_id.startswith("review:"))

    return sorted(map(box, form.fields), key=lambda box: (not box.missing, not box.edited))


def _is_editable(form: PARequest, template: FormTemplate, field: FilledField) -> bool:
    """Whether an edit of this field is taken, asked of what takes edits."""
    try:
        values_of(form, template, {field.id: field.value})
    except (Correctable, KeyError):
        return False
    return True
