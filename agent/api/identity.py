"""Who calls over HTTP: each request is one access in the audit, and what was refused is recorded too."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent import access
from tools.audit.events import Actor, system_user
from tools.errors import PaladinError

REFUSED = {401, 403, 409}


class Acting:
    """ASGI middleware: what a request reads and writes is recorded as done by whom the door let in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        where, via = (scope["client"] or ("",))[0], f"{scope['method']} {scope['path']}"
        access.begin(Actor(who=system_user(), where=where, via=via))

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in REFUSED:
                _note_refusal(scope["app"], via, message["status"])
            await send(message)

        await self.app(scope, receive, sent)


def _note_refusal(app: Starlette, via: str, status: int) -> None:
    with suppress(PaladinError, SQLAlchemyError):  # there may be no store yet
        app.state.office.store.note("refused", of=via, why=str(status))
