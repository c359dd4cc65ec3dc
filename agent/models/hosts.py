"""Several servers of one model that share the work: one call on each at a time, and a dead one is passed over.

It is a Model like any other. A call goes to the free host that has rested longest. A host that fails before it has
said anything is left alone for a while, and the call goes on to the next; then it is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from threading import Condition
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.models.model import TRANSPORT, ModelTrouble, Reply, Stream, settle

if TYPE_CHECKING:
    from agent.models.ollama_model import OllamaModel

REST = 15.0  # seconds
LOOK = 0.1  # seconds between two looks whether the caller has given up
OF_THE_HOST = TRANSPORT | {"resting", "missing", "refused", "remote"}


class HostState(NamedTuple):
    """How one host is doing in this process."""

    where: str
    up: bool
    busy: bool
    calls: int  # that it answered


class _Host:
    """A server's model, and what is known of the server."""

    def __init__(self, model: OllamaModel) -> None:
        self.model = model
        self.busy = False
        self.turn = 0  # of the last call that it was given
        self.away_until = 0.0
        self.calls = 0


class Hosts:
    """Implements Model. Safe to use from as many threads as there are hosts; more of them wait."""

    def __init__(self, models: Sequence[OllamaModel], clock: Callable[[], float] = time.monotonic) -> None:
        self._hosts = [_Host(model) for model in models]
        self._clock = clock
        self._changed = Condition()
        self._turn = 0

    @property
    def name(self) -> str:
        return self._first.name

    @property
    def num_ctx(self) -> int:
        return self._first.num_ctx

    @property
    def who(self) -> str:
        return f"{self.name} at {', '.join(host.model.where.where for host in self._hosts)}"

    @property
    def _first(self) -> OllamaModel:
        return self._hosts[0].model

    def states(self) -> list[HostState]:
        with self._changed:
            now = self._clock()
            return [
                HostState(host.model.where.where, host.away_until <= now, host.busy, host.calls)
                for host in self._hosts
            ]

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        return all(host.model.fits(system, user, max_tokens) for host in self._hosts)

    def complete(
        self,
        system: str,
        user: str,
        *,
        schema: dict[str, Any] | None = None,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 1,
        cancelled: Callable[[], bool] | None = None,
    ) -> Reply:
        stream = self.stream(
            system, user, schema=schema, max_tokens=max_tokens, temperature=temperature, seed=seed,
            cancelled=cancelled,
        )  # fmt: skip
        return settle(stream.drain(), schema, self.name)

    def stream(
        self,
        system: str,
        user: str,
        *,
        schema: dict[str, Any] | None = None,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 1,
        cancelled: Callable[[], bool] | None = None,
    ) -> Stream:
        def ask(model: OllamaModel) -> Stream:
            return model.stream(
                system, user, schema=schema, max_tokens=max_tokens, temperature=temperature, seed=seed,
                cancelled=cancelled,
            )  # fmt: skip

        return Stream(self._served(ask, cancelled))

    def _served(
        self, ask: Callable[[OllamaModel], Stream], cancelled: Callable[[], bool] | None
    ) -> Generator[str, None, Reply]:
        tried: list[_Host] = []
        while True:
            host = self._take(tried, cancelled)
            said = False
            try:
                with closing(ask(host.model)) as stream:
                    for piece in stream:
                        said = True
                        yield piece
                assert stream.last is not None
                self._worked(host)
                return stream.last
            except ModelTrouble as trouble:
                if trouble.what not in OF_THE_HOST:
                    raise
                self._failed(host)
                tried.append(host)
                if said or len(tried) == len(self._hosts):
                    raise
            finally:
                self._give_back(host)

    def _take(self, tried: list[_Host], cancelled: Callable[[], bool] | None) -> _Host:
        """A free host that was not tried for this call: one that rests only if all of them do. ModelTrouble if none
        comes free within the time that a whole answer is given."""
        until = self._clock() + self._first.timeouts.whole
        with self._changed:
            while True:
                left = [host for host in self._hosts if host not in tried]
                awake = [host for host in left if host.away_until <= self._clock()] or left
                free = [host for host in awake if not host.busy]
                given_up = cancelled is not None and cancelled()
                if free or given_up:  # a call that was given up ends at once, wherever it goes
                    host = min(free or awake, key=lambda one: one.turn)
                    self._turn += 1
                    host.turn, host.busy = self._turn, True
                    return host
                if self._clock() >= until:
                    raise ModelTrouble(
                        "busy",
                        f"all {len(self._hosts)} hosts of {self.name} are at work; ask again in a moment",
                    )
                self._changed.wait(LOOK)

    def _worked(self, host: _Host) -> None:
        with self._changed:
            host.calls += 1
            host.away_until = 0.0

    def _failed(self, host: _Host) -> None:
        with self._changed:
            host.away_until = self._clock() + REST

    def _give_back(self, host: _Host) -> None:
        with self._changed:
            host.busy = False
            self._changed.notify_all()
