"""The wire to a model's server: it stays on this machine, every wait on it ends, and it can be cut at any time.

httpx waits for each read by itself; here a wait has a meaning (the first token, the next one, the whole), ends
within 50 ms once somebody has cancelled, and needs no thread for it. Where a connection leads is looked at
once it stands and before anything is sent, so no name that resolves to something else later gets around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore
import httpx

from agent.models.address import REMOTE, Address, is_loopback
from agent.models.model import ModelTrouble, Timeouts

SLICE = 0.05  # seconds between two looks at the clock
MOST_BYTES = 8_000_000  # of an answer that is no chat


class Cancelled(Exception):
    """Whoever asked does not want the answer any more."""


class Watch:
    """Knows when waiting is over. `who` is named in the line that says so."""

    def __init__(
        self,
        who: str,
        timeouts: Timeouts,
        cancelled: Callable[[], bool] | None = None,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.who, self.timeouts = who, timeouts
        self._cancelled, self._clock = cancelled or (lambda: False), clock
        self._left = most_bytes
        self._started = clock()
        self._last: float | None = None

    @property
    def seconds(self) -> float:
        return self._clock() - self._started

    def token(self) -> None:
        """A token came, or whoever listens is ready for the next."""
        self._last = self._clock()

    def took(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise ModelTrouble("endless", f"{self.who} sends more than any answer needs, and was cut off")

    def look(self) -> None:
        """Cancelled or a ModelTrouble if it is not worth waiting any longer."""
        if self._cancelled():
            raise Cancelled
        times = self.timeouts
        if self._last is None and self.seconds > times.first_token:
            raise ModelTrouble(
                "silent",
                f"{self.who} said nothing within {times.first_token:g} s: still loading, or stuck (`ollama ps`"
                " shows it; PALADIN_FIRST_TOKEN_SECONDS gives it longer)",
            )
        if self._last is not None and self._clock() - self._last > times.between:
            raise ModelTrouble(
                "stalled",
                f"{self.who} stopped in the middle: no further word for {times.between:g} s (`ollama ps` shows"
                " whether it is stuck)",
            )
        if self.seconds > times.whole:
            raise ModelTrouble(
                "slow",
                f"{self.who} did not finish within {times.whole:g} s (PALADIN_MODEL_SECONDS gives it longer;"
                " a smaller model is faster)",
            )


class Transport(httpx.BaseTransport):
    """One call's connections, each watched; none leads off this machine unless that is allowed."""

    def __init__(self, watch: Watch, allow_remote: bool = False) -> None:
        self._pool = httpcore.ConnectionPool(network_backend=_Backend(watch, allow_remote))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        url = request.url
        got = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(got.status, headers=got.headers, stream=_Body(got), extensions=got.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self, watch: Watch, allow_remote: bool) -> None:
        self._watch, self._allow_remote = watch, allow_remote
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._plain.connect_tcp(
            host, port, self._watch.timeouts.connect, local_address, socket_options
        )
        if not self._allow_remote and not is_loopback(str(stream.get_extra_info("server_addr")[0])):
            stream.close()
            raise ModelTrouble("remote", REMOTE.format(host))
        return _Watched(stream, self._watch)


class _Watched(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, watch: Watch) -> None:
        self._stream, self._watch = stream, watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            self._watch.look()
            try:
                data = self._stream.read(max_bytes, SLICE)
            except httpcore.ReadTimeout:
                continue
            self._watch.took(len(data))
            return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._watch.look()
        self._stream.write(buffer, self._watch.timeouts.between)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        connect = self._watch.timeouts.connect
        return _Watched(self._stream.start_tls(ssl_context, server_hostname, connect), self._watch)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


# What a wire and what comes over it may raise, and what it means.
TROUBLES: tuple[type[Exception], ...] = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    httpx.HTTPError,
    httpx.InvalidURL,
    ValueError,  # no JSON, no UTF-8, not the fields of an answer
    AttributeError,  # JSON that is no object
    RecursionError,  # JSON of a thousand brackets
    TypeError,
)


def trouble(error: Exception, who: str, where: Address) -> ModelTrouble:
    """What happened on the wire, as one line."""
    if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout):
        return ModelTrouble("down", f"nothing answers at {where.where}: start it with `ollama serve`")
    if isinstance(error, httpcore.RemoteProtocolError) and "illegal" in str(error):
        return stranger(where, "what it says is no HTTP")
    if isinstance(error, httpcore.NetworkError | httpcore.ProtocolError | httpcore.TimeoutException):
        return ModelTrouble(
            "closed", f"{who} hung up in the middle of the answer (its server's log says why)"
        )
    if isinstance(error, httpcore.UnsupportedProtocol | httpx.InvalidURL):
        return ModelTrouble("refused", f"{where.url} is no address of a model's server")
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
    cancelled: Callable[[], bool] | None = None,
) -> Any:
    """The JSON that the server answers with, within so many seconds; ModelTrouble otherwise."""
    times = Timeouts(connect=seconds, first_token=seconds, between=seconds, whole=seconds)
    watch = Watch(f"the server at {where.where}", times, cancelled)
    try:
        with httpx.Client(
            transport=Transport(watch, allow_remote), trust_env=False, follow_redirects=False
        ) as client:
            got = client.request("POST" if body else "GET", f"{where.url}{path}", json=body)
            if got.status_code == 404 and body:
                raise ModelTrouble("missing", f"the server at {where.where} has no {body.get('model')}")
            if got.status_code != 200:
                raise stranger(where, f"{path} answers with HTTP {got.status_code}")
            return got.json()
    except TROUBLES as error:
        raise trouble(error, watch.who, where) from error
