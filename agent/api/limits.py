"""How often one caller may call, how many connections there may be, and how long the head of a request may take.

Each process of the server counts by itself.
"""

from __future__ import annotations

import asyncio
import math
import time

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agent.api import wire
from agent.api.doorkeeper import with_headers

HEAD_SECONDS = 10.0  # for the head of a request to arrive


class RateLimit:
    """The generic cell rate algorithm: of each caller one moment is kept, at which it will have called no more than it
    may. What comes at once is let in; only what goes on faster waits.

    Args:
        calls: that one caller may make at once, and again in each `seconds`.
        seconds: in which they come to be free again, one after the other.
    """

    def __init__(self, calls: float, seconds: float) -> None:
        self._each, self._seconds = seconds / calls, seconds
        self._due: dict[str, float] = {}
        self._tidied = 0.0

    def wait(self, caller: str, now: float | None = None) -> int:
        """Whole seconds until this caller may call; 0 where it may, and then the call is counted.

        Args:
            now: seconds on a clock that never goes back; this process's, if left out.
        """
        now = time.monotonic() if now is None else now
        if now > self._tidied + self._seconds:
            self._tidied, self._due = now, {name: due for name, due in self._due.items() if due > now}
        due = max(self._due.get(caller, now), now) + self._each
        late = due - now - self._seconds
        if late > 1e-6:
            return math.ceil(late)
        self._due[caller] = due
        return 0

    def forget(self, *callers: str) -> None:
        """What these callers did, or where none is named, all of them."""
        for caller in callers or list(self._due):
            self._due.pop(caller, None)


class Connection(HttpToolsProtocol):
    """A connection to the server: closed where the head of a request does not arrive, answered with 429 where there are
    more than uvicorn's `limit_concurrency`, and not taken at all where there are twice as many."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        most, self.limit_concurrency = self.limit_concurrency, None  # uvicorn's own answer is no problem+json
        if most and len(self.connections) > most:
            self.app = _crowded
        if most and len(self.connections) > 2 * most:
            transport.abort()
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        """Until a request is under way, the connection has no more than HEAD_SECONDS."""
        if self.cycle is not None and not self.cycle.response_complete:  # type: ignore[redundant-expr]
            self._stop_waiting()
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


async def _crowded(scope: Scope, receive: Receive, send: Send) -> None:
    told = wire.full("as many connections as this server takes are open; try again in 1 s", 1)
    told.headers["connection"] = "close"
    await told(scope, receive, with_headers(send))
