"""The FastAPI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.middleware.sessions import SessionMiddleware

from agent.api import (
    appeals,
    attachments,
    batches,
    cases,
    chat,
    denials,
    docs,
    drafts,
    fhir,
    graph,
    metrics,
    orchestrator,
    records,
    session,
    wire,
)
from agent.api.doorkeeper import Doorkeeper
from agent.api.identity import COOKIE, IDLE_SECONDS, Identity
from agent.api.office import Office, office
from agent.settings import Settings
from agent.web import workspace
from tools.common import structs

ABOUT = """Prior authorization for diabetes and obesity drugs, decided, drafted and traced on this machine.

Every answer names the date on which it was judged (`as_of`): the world's own date, unless you send another.
Errors are `application/problem+json` and name the value, what is near, and the next step. Nothing is submitted,
signed or denied here; the payer decides.
"""


ACCEPTS = {
    attachments.PATH: attachments.ACCEPTS,
    batches.PATH: batches.ACCEPTS,
    fhir.IMPORT: fhir.ACCEPTS,
    **workspace.ACCEPTS,
    **session.ACCEPTS,
}


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is `ok`, or the request fails with 503 and says what to do."""

    status: str
    version: str
    as_of: str
    seed: int
    patients: int


def create_app(settings: Settings) -> FastAPI:
    """The application over the store that these settings name; it is opened with the first request."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        structs.build()  # before requests are answered by threads
        yield
        app.state.office.close()

    app = FastAPI(
        title="Paladin",
        version=version("paladin-pa"),
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages fetch their scripts from another machine
        redoc_url=None,
        license_info={"name": "Apache-2.0"},
    )
    app.state.office = Office(settings)
    app.add_middleware(Doorkeeper, accepts=ACCEPTS)
    app.add_middleware(Identity)
    app.add_middleware(
        SessionMiddleware,
        secret_key=session.secret(settings),
        session_cookie=COOKIE,
        max_age=IDLE_SECONDS,
        same_site="strict",
    )
    app.include_router(orchestrator.router)
    app.include_router(records.router)
    app.include_router(attachments.router)
    app.include_router(fhir.router)
    app.include_router(drafts.router)
    app.include_router(batches.router)
    app.include_router(cases.router)
    app.include_router(appeals.router)
    app.include_router(denials.router)
    app.include_router(chat.router)
    app.include_router(metrics.router)
    app.include_router(graph.router)
    app.include_router(session.router)
    app.add_api_route(
        "/health", health, summary="Is the store there, and which world is it?", tags=["health"],
        responses=wire.gives(Health, "The store can be read."),
    )  # fmt: skip
    wire.install(app)
    wire.document(app)
    app.add_api_route("/docs", lambda: HTMLResponse(docs.page(app.openapi())), include_in_schema=False)
    workspace.install(app)
    return app


async def health(request: Request) -> Response:
    store = office(request).store
    dataset = store.dataset()
    told: dict[str, Any] = {
        "status": "ok",
        "version": version("paladin-pa"),
        "as_of": dataset.as_of,
        "seed": dataset.seed,
        "patients": store.count_patients(),
    }
    return wire.answer(told)
