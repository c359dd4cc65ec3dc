"""A model of one or several Ollama servers: every call ends, none is cut unseen, and a dead server is passed over."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from threading import Condition
from typing import TYPE_CHECKING, NamedTuple

from ollama import AsyncClient, ChatResponse, ResponseError

from agent.models.address import Address, addresses
from agent.models.client import CallCancelled, Client, PendingAnswer, Prompt
from agent.models.host import held, missing_line
from agent.models.model import TRANSPORT, ModelTrouble, Timeouts
from agent.models.server import TROUBLES, each, options, stranger, trouble
from agent.models.text import estimate, excerpt, fewest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator


KEEP_ALIVE = "30m"
TELLING_TOKENS = 100  # of a shorter prompt the template is most
BYTES_A_TOKEN = 2_048  # a line of the stream holds one, in some 200
FAILURES, WITHIN, REST = 2, 60.0, 30.0  # so many in so many seconds, and it is left alone for so many
LOOK = 0.1  # seconds between two looks whether a host is free
OF_THE_HOST = TRANSPORT | {"missing", "refused", "remote"}  # another host may do better


class HostState(NamedTuple):
    """How one host is doing in this process."""

    where: str
    up: bool
    busy: bool
    calls: int  # that it answered


class _Host:
    """A server, and what is known of it."""

    def __init__(self, where: Address) -> None:
        self.where = where
        self.turn = 0  # of the last call that it was given
        self.calls = self.under_way = 0
        self.failed = deque[float](maxlen=FAILURES)  # when, since it last answered
        self.rests_until = 0.0

    def fail(self, now: float) -> None:
        self.failed.append(now)
        if len(self.failed) == FAILURES and now - self.failed[0] <= WITHIN:
            self.rests_until = now + REST

    def answer(self) -> None:
        self.calls += 1
        self.failed.clear()
        self.rests_until = 0.0


class OllamaModel(Client):
    """One model, on one server or on several that share the work.

    A call goes to the free server that has rested longest; several take one call at a time each, one alone has a
    queue of its own. A server that fails before it has said anything is passed over, and after two failures within
    a minute it is left alone for half a minute. Safe to use from several threads.
    """

    def __init__(
        self,
        name: str,
        hosts: str | Sequence[Address] = "",
        *,
        num_ctx: int = 4096,
        timeouts: Timeouts | None = None,
        allow_remote: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.num_ctx = name, num_ctx
        self.timeouts = timeouts or Timeouts()
        self.allow_remote, self.clock = allow_remote, clock
        self._hosts = [_Host(where) for where in (addresses(hosts) if isinstance(hosts, str) else hosts)]
        self._changed = Condition()
        self._turn = 0
        self._scale = 1.0  # tokens that a server counts for one that we estimate, where it is more

    def states(self) -> list[HostState]:
        """How each host is doing."""
        with self._changed:
            now = self.clock()
            return [
                HostState(host.where.where, host.rests_until <= now, host.under_way > 0, host.calls)
                for host in self._hosts
            ]

    def _tokens(self, system: str, user: str) -> int:
        return int(estimate(system, user) * self._scale)

    def _pieces(self, answer: PendingAnswer) -> Generator[str, None, None]:
        tried: list[_Host] = []
        while True:
            with self._turn_at(tried, answer) as host:
                try:
                    yield from self._asked(host.where, answer)
                    host.answer()
                    return
                except ModelTrouble as error:
                    if error.what in TRANSPORT:
                        host.fail(self.clock())
                    tried.append(host)
                    if error.what not in OF_THE_HOST or answer.pieces or not self._awake(tried):
                        raise

    @contextmanager
    def _turn_at(self, tried: list[_Host], answer: PendingAnswer) -> Iterator[_Host]:
        """A free host that was not tried for this call. ModelTrouble if none is awake, or none comes free within
        the time that a whole answer is given."""
        until = self.clock() + self.timeouts.whole
        with self._changed:
            while not (free := self._free(tried)):
                if answer.cancelled():
                    raise CallCancelled
                if self.clock() >= until:
                    line = f"all {len(self._hosts)} hosts of {self.name} are at work; ask again in a moment"
                    raise ModelTrouble("busy", line)
                self._changed.wait(LOOK)
            host = min(free, key=lambda one: one.turn)
            self._turn += 1
            host.turn = self._turn
            host.under_way += 1
        answer.begin(self._at(host.where))
        try:
            yield host
        finally:
            with self._changed:
                host.under_way -= 1
                self._changed.notify_all()

    def _free(self, tried: list[_Host]) -> list[_Host]:
        awake = self._awake(tried)
        if not awake:
            first = min(self._hosts, key=lambda host: host.rests_until)
            left = first.rests_until - self.clock()
            raise ModelTrouble(
                "resting",
                f"{self._at(first.where)} failed {FAILURES} times just now; it is tried again in {left:.0f} s",
            )
        return [host for host in awake if not host.under_way or len(self._hosts) == 1]

    def _awake(self, tried: list[_Host]) -> list[_Host]:
        now = self.clock()
        return [host for host in self._hosts if host not in tried and host.rests_until <= now]

    def _at(self, where: Address) -> str:
        return f"{self.name} at {where.where}"

    # --- one call of one server

    def _asked(self, where: Address, answer: PendingAnswer) -> Generator[str, None, None]:
        last = None
        try:
            with closing(each(self._parts(where, answer.prompt), answer.look)) as parts:
                for part in parts:
                    if part.message.thinking:
                        answer.hear("", part.message.thinking)
                    yield part.message.content or ""
                    if part.done:
                        last = part
                        break
        except ResponseError as error:
            raise self._said(error, where) from error
        except TROUBLES as error:
            raise trouble(error, answer.who, where, self.allow_remote) from error
        self._read_it_all(last, answer)

    async def _parts(self, where: Address, prompt: Prompt) -> AsyncGenerator[ChatResponse, None]:
        most_bytes = 65_536 + prompt.max_tokens * BYTES_A_TOKEN
        limits = options(where, self.allow_remote, self.timeouts.connect, most_bytes)
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        async with AsyncClient(where.url, **limits) as client:
            coming = await client.chat(
                self.name,
                messages[not prompt.system :],
                stream=True,
                think=False,
                format=prompt.schema,
                options={
                    "num_ctx": self.num_ctx,
                    "num_predict": prompt.max_tokens,
                    "temperature": prompt.temperature,
                    "seed": prompt.seed,
                },
                keep_alive=KEEP_ALIVE,
            )
            async for part in coming:
                yield part

    def _read_it_all(self, last: ChatResponse | None, answer: PendingAnswer) -> None:
        """ModelTrouble unless the server read all of the prompt and kept it to the end; what the answer cost."""
        if last is None:
            raise ModelTrouble(
                "closed", f"{answer.who} hung up in the middle of the answer (its server's log says why)"
            )
        system, user = answer.prompt.system, answer.prompt.user
        guess, least = estimate(system, user), fewest(system, user)
        read, wrote = last.prompt_eval_count or 0, last.eval_count or answer.pieces
        if read and read < least:
            raise ModelTrouble(
                "cut",
                f"{answer.who} read {read} tokens of a prompt that has {least} words at least: it cut the prompt"
                f" (`pa models check {self.name}` tests that)",
            )
        if read + wrote > self.num_ctx:
            raise ModelTrouble(
                "cut",
                f"{answer.who} ran over its {self.num_ctx} tokens and forgot what came first"
                " (PALADIN_NUM_CTX gives it more)",
            )
        if guess >= TELLING_TOKENS:
            self._scale = max(self._scale, read / guess)
        answer.read, answer.wrote = read, wrote
        answer.stopped = "length" if last.done_reason == "length" else "end"

    def _said(self, error: ResponseError, where: Address) -> ModelTrouble:
        """What the server says is wrong."""
        who, status, why = self._at(where), error.status_code, excerpt(str(error.error), 120)
        if status == 404 and "not found" in str(error.error) and "model" in str(error.error):
            with suppress(ModelTrouble):
                names = [one.name for one in held(where, seconds=1.0, allow_remote=self.allow_remote)]
                return ModelTrouble("missing", missing_line(self.name, names, where))
            return ModelTrouble("missing", missing_line(self.name, [], where))
        if status in (429, 503):
            return ModelTrouble("busy", f"{who} has too much to do: {why}; ask again in a moment")
        if status in (400, 401, 403, 501):
            return ModelTrouble("refused", f"{who} refuses the call (HTTP {status}): {why}")
        if status >= 500 or status < 0:
            code = f" (HTTP {status})" if status > 0 else ""
            return ModelTrouble("failed", f"{who} failed{code}: {why}; its server's log says more")
        return stranger(where, f"it answers with HTTP {status}")
