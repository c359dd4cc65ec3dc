"""The FastAPI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

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
    oidc,
    orchestrator,
    records,
    session,
    wire,
)
from agent.api.context import Context, Ctx
from agent.api.doorkeeper import Doorkeeper, with_headers
from agent.api.identity import Identity
from agent.api.limits import RateLimit
from agent.runtime.settings import Settings
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


BURST = 10.0  # seconds of a caller's rate that it may use at once, as a page does that loads


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is `ok`, or the request fails with 503 and says what to do."""

    status: str
    version: str
    as_of: str
    seed: int
    patients: int


status = wire.Router(tags=["health"])


@status.read("/health", "Is the store there, and which world is it?", Health, "The store can be read.")
async def health(ctx: Ctx) -> dict[str, Any]:
    dataset = ctx.store.dataset()
    return {
        "status": "ok",
        "version": version("paladin-pa"),
        "as_of": dataset.as_of,
        "seed": dataset.seed,
        "patients": ctx.store.count_patients(),
    }


ROUTERS = (  # in the order in which /docs shows them
    orchestrator.router, records.router, attachments.router, fhir.router, drafts.router, batches.router, cases.router,
    appeals.router, denials.router, chat.router, metrics.router, graph.router, session.router, oidc.router, status,
)  # fmt: skip


class Application(FastAPI):
    """Sends everything with the headers of the door, also what answers before and after all middleware."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, with_headers(send))


def create_app(settings: Settings) -> FastAPI:
    """The application over the store that these settings name; it is opened with the first request."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        structs.build()  # before requests are answered by threads
        yield
        app.state.context.close()

    app = Application(
        title="Paladin",
        version=version("paladin-pa"),
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages fetch their scripts from another machine
        redoc_url=None,
        redirect_slashes=False,  # an address is one of those that /docs shows, or is not there
        license_info={"name": "Apache-2.0"},
    )
    app.state.context = Context(settings)
    app.add_middleware(Doorkeeper, accepts=ACCEPTS, served_as=settings.served_as.split(","))
    app.add_middleware(Identity, limit=RateLimit(BURST * settings.calls_per_second, BURST))
    for router in ROUTERS:
        app.include_router(router)
    wire.install(app)
    wire.document(app)
    app.add_api_route("/docs", lambda: HTMLResponse(docs.page(app.openapi())), include_in_schema=False)
    workspace.install(app)
    return app
