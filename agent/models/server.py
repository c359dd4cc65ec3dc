"""A connection to a model's server: it stays on this machine, every wait on it ends, and it can be cut at any time.

httpx waits for each read by itself; here a wait has a meaning (the first token, the next one, the whole), and ends
within 50 ms once somebody has cancelled. So the connection is on an event loop of its own, in a thread that ends with
it, and whoever waits looks up now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import aclosing
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import httpx
from anyio.from_thread import start_blocking_portal

from agent.models.address import REMOTE, Address, is_here, source_address
from agent.models.model import ModelTrouble

SLICE = 0.05  # seconds between two looks at the clock
MOST_BYTES = 8_000_000  # of an answer that is no chat
T = TypeVar("T")


def options(
    where: Address, allow_remote: bool, connect: float, most_bytes: int = MOST_BYTES
) -> dict[str, Any]:
    """What an httpx client of this server is given."""
    return {
        "transport": httpx.AsyncHTTPTransport(local_address=source_address(where, allow_remote)),
        "timeout": httpx.Timeout(None, connect=connect),
        "event_hooks": {"response": [partial(_limit, most_bytes)]},
        "trust_env": False,
        "follow_redirects": False,  # a server here may not send us elsewhere
    }


def each(coming: AsyncGenerator[T, None], look: Callable[[], None]) -> Generator[T, None, None]:
    """All that comes, one after the other. `look` raises once it is not worth waiting for any longer; then, and when
    whoever listens leaves, the connection is cut."""
    come = SimpleQueue[T]()

    async def hear() -> None:
        async with aclosing(coming):
            async for one in coming:
                come.put(one)

    with start_blocking_portal() as portal:
        hearing = portal.start_task_soon(hear)
        while True:
            look()
            ended = hearing.done()
            try:
                one = come.get(timeout=0 if ended else SLICE)
            except Empty:
                if ended:
                    return hearing.result()
            else:
                yield one


async def _limit(most: int, response: httpx.Response) -> None:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    response.stream = _Limited(response.stream, most)


class _Limited(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, most: int) -> None:
        self._stream, self._left = stream, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            self._left -= len(data)
            if self._left < 0:
                raise ModelTrouble("endless", "the server sends more than any answer needs, and was cut off")
            yield data

    async def aclose(self) -> None:
        await self._stream.aclose()


# What a connection and what comes over it may raise, and what it means.
TROUBLES: tuple[type[Exception], ...] = (
    httpx.HTTPError,
    httpx.InvalidURL,
    OSError,
    ValueError,  # no JSON, no UTF-8, not the fields of an answer
    AttributeError,  # JSON that is no object
    RecursionError,  # JSON of a thousand brackets
    TypeError,
)


def trouble(error: Exception, who: str, where: Address, allow_remote: bool) -> ModelTrouble:
    """What happened on the connection, as one line."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | OSError):
        if not allow_remote and not is_here(where.host):
            return ModelTrouble("remote", REMOTE.format(where.host))
        return ModelTrouble("down", f"nothing answers at {where.where}: start it with `ollama serve`")
    if isinstance(error, httpx.RemoteProtocolError) and "illegal" in str(error):
        return stranger(where, "what it says is no HTTP")
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return ModelTrouble("refused", f"{where.url} is no address of a model's server")
    if isinstance(error, httpx.TransportError):
        return ModelTrouble(
            "closed", f"{who} hung up in the middle of the answer (its server's log says why)"
        )
    return ModelTrouble(
        "broken", f"{who} sent what is no line of an answer ({type(error).__name__}): is it Ollama?"
    )


def stranger(where: Address, why: str) -> ModelTrouble:
    return ModelTrouble("stranger", f"what answers at {where.where} is no Ollama: {why} (see OLLAMA_HOST)")


def fetch(
    where: Address,
    path: str,
    *,
    seconds: float,
    body: dict[str, Any] | None = None,
    allow_remote: bool = False,
) -> Any:
    """The JSON that the server answers with, within so many seconds; ModelTrouble otherwise."""
    who = f"the server at {where.where}"

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(base_url=where.url, **options(where, allow_remote, seconds)) as client:
            return await asyncio.wait_for(client.request("POST" if body else "GET", path, json=body), seconds)

    try:
        with start_blocking_portal() as portal:
            got = portal.call(asked)
        if got.status_code == 404 and body:
            raise ModelTrouble("missing", f"{who} has no {body.get('model')}")
        if got.status_code != 200:
            raise stranger(where, f"{path} answers with HTTP {got.status_code}")
        return got.json()
    except TimeoutError as error:
        raise ModelTrouble(
            "silent", f"{who} said nothing within {seconds:g} s: stuck, or no Ollama"
        ) from error
    except TROUBLES as error:
        raise trouble(error, who, where, allow_remote) from error
