"""Lets in only what was sent from this machine to this machine by its own name.

The server listens on loopback, but a browser here also runs other people's pages: one of them could post to it, or
read from it under a host name that it points at 127.0.0.1. Both show in the headers Origin and Host.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from agent.api.wire import refuse

OURS = {"localhost", "127.0.0.1", "::1"}


class Doorkeeper:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if (name == b"host" and not _is_ours(b"//" + value)) or (
                    name == b"origin" and not _is_ours(value)
                ):
                    told = refuse(f"{name.decode()} {value.decode('latin-1')!r} is not this machine")
                    await told(scope, receive, send)
                    return
        await self.app(scope, receive, send)


def _is_ours(address: bytes) -> bool:
    """Is the host of this URL a name of this machine? `null`, an opaque origin, is not."""
    try:
        return urlsplit(address.decode("latin-1")).hostname in OURS
    except ValueError:
        return False
