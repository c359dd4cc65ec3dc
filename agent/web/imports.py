"""Charts of another system: a file of FHIR is looked at patient by patient before anything is kept."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Annotated, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from agent.api.context import Context, Ctx
from agent.api.fhir import read_import
from agent.fhir_import import FhirImport
from agent.web.batches import uploads
from agent.web.kept import keep, kept
from agent.web.page import PageRoute, Sent, go, render
from tools.common.errors import Invalid, NotFound
from tools.store.rows import OnConflict

router = APIRouter(prefix="/import", route_class=PageRoute, include_in_schema=False)
FILES = "/import"
MOST_ROWS = 200


class Terms(BaseModel):
    """What holds for all patients of a file, as the page's form and its address have it."""

    plan: Annotated[str, Query(max_length=100)] = ""
    on_conflict: Annotated[str, Query(max_length=10)] = "refuse"


@router.get("")
def bring(request: Request, ctx: Ctx) -> Response:
    plans = ctx.store.plans()
    return render(request, "import.html", plans=plans, conflicts=get_args(OnConflict))


@router.post("")
def upload(ctx: Ctx, form: Sent) -> Response:
    """Keep the file, and show what would become of it; nothing is imported yet."""
    name, content = form.file("file")
    if not content:
        raise Invalid("choose the file: a FHIR R4 bundle as JSON, or lines of NDJSON")
    terms = Terms(plan=form.text("plan"), on_conflict=form.text("on_conflict") or "refuse")
    _run(ctx, name, content, terms, dry_run=True)
    return go(f"/import/{keep(uploads(ctx), name, content)}?{urlencode(terms.model_dump())}")


@router.get("/{digest}")
def dry_run(request: Request, ctx: Ctx, digest: str, terms: Annotated[Terms, Query()]) -> Response:
    """Patient by patient, what would come in and what would not, and why."""
    file = _kept(ctx, digest)
    run = _run(ctx, file.name, file.read_bytes(), terms, dry_run=True)
    return _shown(request, run, file.name, digest, terms)


@router.post("/{digest}")
def begin(request: Request, ctx: Ctx, digest: str, form: Sent) -> Response:
    """Import it, and show what became of each patient."""
    file, terms = _kept(ctx, digest), Terms(plan=form.text("plan"), on_conflict=form.text("on_conflict"))
    run = _run(ctx, file.name, file.read_bytes(), terms, dry_run=False)
    shutil.rmtree(uploads(ctx) / digest, ignore_errors=True)
    return _shown(request, run, file.name, digest, terms)


def _run(ctx: Context, name: str, content: bytes, terms: Terms, *, dry_run: bool) -> FhirImport:
    if terms.on_conflict not in get_args(OnConflict):
        raise NotFound("way with a conflict", terms.on_conflict, get_args(OnConflict))
    plan = ctx.store.plan(terms.plan) if terms.plan else None
    how: OnConflict = terms.on_conflict  # type: ignore[assignment]
    run = FhirImport(ctx.store, plan=plan, on_conflict=how, dry_run=dry_run)
    read_import(run, name, content)
    return run


def _shown(request: Request, run: FhirImport, name: str, digest: str, terms: Terms) -> Response:
    return render(
        request,
        "imported.html",
        run=run,
        name=name,
        digest=digest,
        terms=terms,
        fates=Counter(one.fate for one in run.kept),
        rows=run.kept[:MOST_ROWS],
        unread=Counter(
            why for one in run.kept for entry in one.report.entries for why in entry.why
        ).most_common(8),
    )


def _kept(ctx: Context, digest: str) -> Path:
    return kept(uploads(ctx), digest, "file of charts")
