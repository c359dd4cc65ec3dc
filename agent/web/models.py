"""Models: which was measured here, with what result, and so what it is trusted with."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from agent.api.context import Ctx
from agent.models.host import read_evaluated
from agent.web.page import PageRoute, render
from tools.common.errors import NotFound

router = APIRouter(prefix="/models", route_class=PageRoute, include_in_schema=False)
OWN_STYLE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # a report is one page with all in it


@router.get("")
def models(request: Request, ctx: Ctx) -> Response:
    found, reports = read_evaluated(ctx.settings.evaluated), ctx.settings.evaluated.parent / "evals"
    rows = [(one, (reports / one.report).is_file()) for one in found]
    return render(request, "models.html", rows=rows, chosen=ctx.settings.model)


@router.get("/{name}")
def report(ctx: Ctx, name: str) -> Response:
    """The report of the evals of one model, as it was published."""
    known, page = read_evaluated(ctx.settings.evaluated), ctx.settings.evaluated.parent / "evals" / name
    if all(one.report != name for one in known) or not page.is_file():
        raise NotFound("report of a model", name[:100], hint="`pa eval report --publish` leaves one")
    return HTMLResponse(page.read_text("utf-8"), headers={"content-security-policy": OWN_STYLE})
