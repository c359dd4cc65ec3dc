"""Batches: a file of requests is looked at row by row before anything is drafted, then worked on by a process of its
own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any, get_args
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from agent.api import batches as api
from agent.api import wire
from agent.api.office import Desk, Office
from agent.batch import lifecycle as batching
from agent.batch import requests, results
from agent.batch.lifecycle import Plan
from agent.batch.worklist import STAGES, urgent_first
from agent.runtime.home import now
from agent.web.kept import keep, kept
from agent.web.page import PageRoute, Sent, go, is_part, render
from tools.common.errors import Invalid, NotFound, Unavailable
from tools.domain.records import Kind

router = APIRouter(prefix="/batches", route_class=PageRoute, include_in_schema=False)
FILES = "/batches"
PAGE = 100  # rows of one list
RECENT = 50  # batches


class Terms(BaseModel):
    """What holds for all rows of a file, as the page's form and its address have it."""

    kind: Annotated[str, Query(max_length=20)] = ""
    as_of: Annotated[str, Query(max_length=10)] = ""
    force: Annotated[str, Query(max_length=5)] = ""


@router.get("")
def batches(request: Request, desk: Desk) -> Response:
    found = [batching.standing(desk.store, one) for one in desk.store.batches(limit=RECENT)]
    return render(
        request,
        "batches.html",
        rows=found,
        kinds=get_args(Kind),
        columns=requests.COLUMNS,
        needed=requests.NEEDED,
    )


@router.post("")
def upload(desk: Desk, form: Sent) -> Response:
    """Keep the file, and show what a batch of it would be; nothing is begun."""
    name, content = form.file("file")
    if not content:
        raise Invalid(f"choose the file of requests: {', '.join(requests.FORMATS)}")
    api.require_size(requests.read(content, name))
    terms = {key: form.text(key) for key in Terms.model_fields if form.text(key)}
    api.terms_of(terms.get("kind", ""), terms.get("as_of", ""), "", bool(terms.get("force")))
    digest = keep(uploads(desk), name, content)
    return go(f"/batches/new/{digest}" + (f"?{urlencode(terms)}" if terms else ""))


@router.get("/new/{digest}")
def dry_run(request: Request, desk: Desk, digest: str, terms: Annotated[Terms, Query()]) -> Response:
    """Row by row, what would be drafted and what would not, and why."""
    planned = _planned(desk, digest, terms)
    return render(
        request, "batch_plan.html", planned=planned, digest=digest, terms=terms, most=PAGE,
        seconds=round(planned.seconds(processes=1)),
    )  # fmt: skip


@router.post("/new/{digest}")
def begin(desk: Desk, digest: str, form: Sent) -> Response:
    """Begin it; the file is not needed any more, since the batch holds its rows."""
    planned = _planned(desk, digest, Terms(**{name: form.text(name)[:10] for name in Terms.model_fields}))
    if wait := api.seconds_until_room(desk.store, len(planned.checked)):
        raise Unavailable(f"{api.MOST_WAITING} requests wait already; try again in {wait} s")
    batch, _ = batching.begin(desk.store, desk.settings, planned, out=None, when=now())
    api.ensure_worker(desk.store, desk.settings)
    shutil.rmtree(uploads(desk) / digest, ignore_errors=True)
    return go(f"/batches/{batch.id}")


@router.get("/{batch_id}")
def batch(
    request: Request,
    desk: Desk,
    batch_id: wire.Number,
    stage: str = Query("", max_length=20),
    page: int = Query(1, ge=1, le=10_000),
) -> Response:
    """How it goes, and what came of it so far."""
    if stage and stage not in STAGES:
        raise NotFound("stage", stage, hint=f"there are {', '.join(STAGES)}")
    found = desk.store.batch(batch_id)
    standing = batching.standing(desk.store, found)
    if standing.state == "running":
        api.ensure_worker(desk.store, desk.settings)
    if is_part(request):
        part = render(request, "batch_standing.html", standing=standing)
        if standing.state != "running":
            part.headers["hx-refresh"] = "true"
        return part
    outcome = results.outcome_of(desk.store, found)
    shown = [line for line in urgent_first(outcome.lines) if stage in ("", line.stage)]
    first = (page - 1) * PAGE
    return render(
        request,
        "batch.html",
        standing=standing,
        stages={key: (title, outcome.stages[key]) for key, title in STAGES.items() if outcome.stages[key]},
        stage=stage,
        rows=shown[first : first + PAGE],
        first=first,
        page=page,
        total=len(shown),
        rejected=outcome.rejected,
        most=PAGE,
        files=_files(Path(found.folder)),
        papers=f"{api.PATH}/{batch_id}/files",
    )


@router.post("/{batch_id}/{step}")
def change(desk: Desk, batch_id: wire.Number, step: str) -> Response:
    """Cancel it, go on with it, or try again what failed."""
    steps: dict[str, Any] = {"cancel": api.cancel, "resume": api.resume, "retry": api.retry}
    if step not in steps:
        raise NotFound("step of a batch", step, hint=f"there are {', '.join(steps)}")
    steps[step](desk, batch_id)
    return go(f"/batches/{batch_id}")


def _planned(desk: Office, digest: str, terms: Terms) -> Plan:
    file = kept(uploads(desk), digest, "file of requests")
    asked = api.require_size(requests.read(file.read_bytes(), file.name))
    given = api.terms_of(terms.kind, terms.as_of, "", bool(terms.force))
    return batching.plan(desk.store, asked, file.name, given._replace(as_of=desk.settings.day(given.as_of)))


def uploads(desk: Office) -> Path:
    """Where files wait that are not begun yet."""
    return desk.settings.home / "uploads"


def _files(folder: Path) -> list[str]:
    """What the batch left beside its cases, as paths below its folder."""
    there = [*(folder / name for name in results.NOTED), *sorted((folder / results.MERGED).glob("*.pdf"))]
    return [quote(path.relative_to(folder).as_posix()) for path in there if path.is_file()]
