"""`pa serve` in a process of its own, and an open-loop load generator: requests leave when they are due, whether or not
earlier ones have been answered.

Latency counts from the moment a request was due, so that a stalled server is seen in full. Connections are kept
alive; a request that finds none idle opens one. It shares the machine with the server, so it does little: the bytes
of every request are made beforehand, and of an answer only status and length are read.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE = 600_000  # ms that a page is waited for
UNLIMITED = {
    "PALADIN_CALLS_PER_SECOND": "1000000",
    "PALADIN_CONNECTIONS": "1000000",
}  # one caller asks for all


@contextmanager
def serving(environ: Mapping[str, str]) -> Iterator[int]:
    """`pa serve` in this environment, until the block ends; on which port."""
    port = free_port()
    command = [sys.executable, "-m", "agent.cli", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env={**environ, **UNLIMITED}, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens there, a minute at most."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no server on port {port} after 60 s")


def chromium_here() -> str | None:
    """Where the system has its browser."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser, driven by Playwright; it knows no other machine by name."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        here = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1"
        browser = started.chromium.launch(executable_path=chromium_here(), args=["--no-sandbox", here])
        yield browser
        browser.close()


def desktop(browser: Browser, base: str) -> Page:
    """A window of this browser, as on a desk, that is patient on a machine that has other work."""
    page = browser.new_page(base_url=base, viewport={"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE)
    return page


class Outcome(NamedTuple):
    """What came of a run: seconds per request in the order of arrival, and what went wrong."""

    latencies: list[float]
    errors: int
    seconds: float
    connections: int


def poisson(rate: float, seconds: float, seed: int) -> list[float]:
    """Moments of arrival with exponential gaps, in seconds from the start."""
    draw = random.Random(seed)
    moments, at = [], draw.expovariate(rate)
    while at < seconds:
        moments.append(at)
        at += draw.expovariate(rate)
    return moments


def request(method: str, path: str, head: Mapping[str, str], body: bytes = b"") -> bytes:
    """An HTTP/1.1 request as it goes over the wire, of JSON if it has a body."""
    sent = {"host": "localhost", **head}
    sent |= {"content-type": "application/json", "content-length": str(len(body))} if body else {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def run(port: int, requests: Sequence[bytes], moments: Sequence[float]) -> Outcome:
    """Send request i at moment i; returns when the last one was answered."""
    try:
        import uvloop

        return uvloop.run(_run(port, requests, moments))
    except ImportError:
        return asyncio.run(_run(port, requests, moments))


async def _run(port: int, requests: Sequence[bytes], moments: Sequence[float]) -> Outcome:
    loop = asyncio.get_running_loop()
    # the one that rested longest goes next, so that all processes get work
    idle: deque[_Connection] = deque()
    made: list[_Connection] = []
    latencies = [0.0] * len(moments)
    errors = 0

    async def send(index: int, due: float) -> None:
        nonlocal errors
        try:
            if idle:
                connection = idle.popleft()
            else:
                _, connection = await loop.create_connection(_Connection, "127.0.0.1", port)
                made.append(connection)
            status = await connection.ask(requests[index])
            latencies[index] = time.perf_counter() - due
            errors += status != 200
            idle.append(connection)
        except OSError:
            errors += 1

    start = time.perf_counter() + 0.1
    tasks = []
    for index, moment in enumerate(moments):
        wait = start + moment - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(send(index, start + moment)))
    await asyncio.gather(*tasks)
    seconds = time.perf_counter() - start
    for connection in made:
        connection.close()
    return Outcome(latencies, errors, seconds, len(made))


class _Connection(asyncio.Protocol):
    """One kept-alive connection with one request under way."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._answered: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, request: bytes) -> asyncio.Future[int]:
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answered

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        at = head.index(b"content-length:") + 15
        line = head.find(b"\r\n", at)
        length = int(head[at:] if line < 0 else head[at:line])
        if len(self._buffer) >= end + 4 + length and self._answered:
            self._answered.set_result(int(head[9:12]))
            self._buffer.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(exc or ConnectionResetError())

    def close(self) -> None:
        self._transport.close()
