"""The workspace as one thing to mount: its routes, its files, and what its forms may send."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from agent.web import (
    batches,
    cases,
    chats,
    checks,
    drafts,
    imports,
    models,
    patients,
    policies,
    screen,
    wording,
    worklist,
)
from agent.web.page import FORM, UPLOAD

ROUTERS: tuple[APIRouter, ...] = (
    worklist.router, chats.router, checks.router, patients.router, drafts.router, cases.router, batches.router,
    screen.router, imports.router, policies.router, models.router, wording.router,
)  # fmt: skip
FOR_GOOD = "max-age=31536000, immutable"
UPLOADS = {patients.ATTACHMENTS, cases.LETTERS, batches.FILES, imports.FILES}
ACCEPTS = {  # of each route that takes a form
    route.path: UPLOAD if route.path in UPLOADS else FORM
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and "POST" in (route.methods or ())
}


class OurFiles(StaticFiles):
    """Style, scripts and the icon: kept by the browser for good under the address that a page gives them, and else
    asked for again only whether they changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        found = await super().get_response(path, scope)
        found.headers["cache-control"] = FOR_GOOD if scope["query_string"] else "no-cache"
        return found


def install(app: FastAPI) -> None:
    """Put the pages at `/` and their files at `/static`."""
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", OurFiles(directory=wording.HERE / "static"))
