"""Lets in only what this machine sent to itself by its own name, in a form that no other page can send unasked, and no
more of it than an answer needs.

The server listens on loopback, but a browser here also runs other people's pages. One of them could read from it under
a host name that it points at 127.0.0.1, and one on another port of this machine could post to it: both show in the
headers Host and Origin, and JSON is what no page sends to another without asking first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.api import wire

OURS = {"localhost", "127.0.0.1", "::1"}
READS = {"GET", "HEAD", "OPTIONS"}
LONGEST_URL = 8_000  # bytes
BODY_SECONDS = 30.0  # for a body to arrive
HEADERS = {
    "cache-control": "no-store",  # charts stay in no cache
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Accepts(NamedTuple):
    """What a path takes as a body: media types, and at most so many bytes."""

    media: frozenset[str] = frozenset({wire.JSON})
    most: int = 1_000_000


class Doorkeeper:
    """ASGI middleware.

    Args:
        app: what is behind the door.
        accepts: for paths that take more than JSON of a usual size; written as the router's.
        served_as: names of this server besides those of loopback.
    """

    def __init__(self, app: ASGIApp, accepts: Mapping[str, Accepts], served_as: Iterable[str] = ()) -> None:
        self.app = app
        self.names = OURS | {name.strip().lower() for name in served_as if name.strip()}
        self.accepts = [(compile_path(path)[0], one) for path, one in accepts.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = _stranger(scope, headers, self.names)
        if refusal is None and scope["method"] not in READS:
            path = scope["path"]
            accepts = next((one for pattern, one in self.accepts if pattern.match(path)), Accepts())
            read = _foreign_body(headers, accepts) or await _read(receive, accepts.most)
            if read is None:  # the caller hung up
                return
            refusal = read if isinstance(read, Response) else None
            receive = _again(read, receive) if isinstance(read, list) else receive
        await (self.app if refusal is None else refusal)(scope, receive, send)


def with_headers(send: Send) -> Send:
    """Sends an answer with what browsers are to do with it, whoever gives it: an endpoint, a refusal, a fault."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent


def _stranger(scope: Scope, headers: Headers, names: set[str]) -> Response | None:
    """403 for what came by another name, or from another page than one of this server; `null`, an opaque origin, is
    another page."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _is_one_of(names, hosts[0]):
        return wire.refuse("forbidden", f"host {', '.join(hosts)!r} is not this machine")
    here = f"{scope['scheme']}://{hosts[0]}".lower()
    for origin in headers.getlist("origin"):
        if origin.lower() != here:
            return wire.refuse("forbidden", f"origin {origin!r} is not {here}")
    site = headers.get("sec-fetch-site", "same-origin")
    if scope["method"] not in READS and site not in ("same-origin", "none"):
        return wire.refuse("forbidden", f"a page of another site ({site}) may write nothing here")
    length = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
    if length > LONGEST_URL:
        return wire.refuse("long-url", f"{length} bytes; at most {LONGEST_URL} are read")
    return None


def _is_one_of(names: set[str], host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in names
    except ValueError:
        return False


def _foreign_body(headers: Headers, accepts: Accepts) -> Response | None:
    """415 for a body that is not of these types, or does not say of which; 413 for one that says it is too long."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    length = headers.get("content-length", "0")
    brings = length != "0" or "transfer-encoding" in headers
    if (brings or media) and media not in accepts.media:
        wanted = " or ".join(sorted(accepts.media))
        return wire.refuse("media", f"content-type {media!r}; send {wanted}")
    if length.isdecimal() and (len(length) > 15 or int(length) > accepts.most):
        return _too_long(accepts.most)
    return None


def _too_long(most: int) -> Response:
    return wire.refuse("too-long", f"at most {most} bytes are read here")


async def _read(receive: Receive, most: int) -> list[Message] | Response | None:
    """The whole body, 413 or 408 as soon as it is too long or too slow, None if the caller is gone."""
    messages, length = list[Message](), 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while not messages or messages[-1].get("more_body", False):
                messages.append(await receive())
                if messages[-1]["type"] == "http.disconnect":
                    return None
                length += len(messages[-1].get("body", b""))
                if length > most:
                    return _too_long(most)
    except TimeoutError:
        late = f"the body did not arrive within {BODY_SECONDS:g} s"
        return wire.refuse("too-slow", late, headers={"connection": "close"})
    return messages


def _again(body: list[Message], receive: Receive) -> Receive:
    """Hands over a body that was read, and then whatever comes."""

    async def again() -> Message:
        return body.pop(0) if body else await receive()

    return again
