"""A model of an Ollama server: one call at a time, every one of which ends, and none of which is cut unseen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from agent.models.address import Address, address
from agent.models.loops import Loops
from agent.models.model import (
    TRANSPORT,
    ModelTrouble,
    Reply,
    Stopped,
    Stream,
    Timeouts,
    estimate,
    excerpt,
    fewest,
    settle,
)
from agent.models.wire import TROUBLES, Cancelled, Transport, Watch, fetch, stranger, trouble
from tools.errors import nearest

if TYPE_CHECKING:
    from ollama import ChatResponse, ResponseError

KEEP_ALIVE = "30m"
TELLING_TOKENS = 100  # of a shorter prompt the template is most
SPARE_TOKENS = 64  # that a server may send past its limit before it is cut off
BYTES_A_TOKEN = 2_048  # a line of the stream holds one, in some 200
FAILURES, WITHIN, REST = 2, 60.0, 30.0  # so many in so many seconds, and it is left alone for so many


class OllamaModel:
    """Implements Model. Safe to use from several threads; the server takes them one after the other."""

    def __init__(
        self,
        name: str,
        host: str | Address = "",
        *,
        num_ctx: int = 4096,
        timeouts: Timeouts | None = None,
        allow_remote: bool = False,
        keep_alive: str = KEEP_ALIVE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.num_ctx = name, num_ctx
        self.where = host if isinstance(host, Address) else address(host)
        self.timeouts = timeouts or Timeouts()
        self.allow_remote, self.keep_alive = allow_remote, keep_alive
        self._clock = clock
        self._breaker = Breaker(clock)
        self._scale = 1.0  # tokens that the server counts for one that we estimate, where it is more

    @property
    def who(self) -> str:
        return f"{self.name} at {self.where.where}"

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
        options = {
            "num_ctx": self.num_ctx, "num_predict": max_tokens, "temperature": temperature, "seed": seed
        }  # fmt: skip
        return Stream(self._guarded(system, user, schema, options, cancelled))

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        return self._estimated(system, user) + max_tokens <= self.num_ctx

    def _estimated(self, system: str, user: str) -> int:
        return int(estimate(system, user) * self._scale)

    def _guarded(
        self,
        system: str,
        user: str,
        schema: dict[str, Any] | None,
        options: dict[str, Any],
        cancelled: Callable[[], bool] | None,
    ) -> Generator[str, None, Reply]:
        """The answer's pieces; what goes wrong on the way is counted, so that a dead server costs nobody time."""
        if not self.fits(system, user, options["num_predict"]):
            raise ModelTrouble(
                "too_long",
                f"a prompt of about {self._estimated(system, user)} tokens and an answer of"
                f" {options['num_predict']} do not fit the {self.num_ctx} of {self.name}"
                " (PALADIN_NUM_CTX gives it more)",
            )
        self._breaker.look(self.who)
        try:
            reply = yield from self._asked(system, user, schema, options, cancelled)
        except ModelTrouble as error:
            if error.what in TRANSPORT:
                self._breaker.failed()
            raise
        if reply.stopped != "cancelled":
            self._breaker.worked()
        return settle(reply, schema, self.name, streamed=True)

    def _asked(
        self,
        system: str,
        user: str,
        schema: dict[str, Any] | None,
        options: dict[str, Any],
        cancelled: Callable[[], bool] | None,
    ) -> Generator[str, None, Reply]:
        from ollama import Client, ResponseError

        most = options["num_predict"]
        watch = Watch(self.who, self.timeouts, cancelled, 65_536 + most * BYTES_A_TOKEN, self._clock)
        answer = _Answer(self, watch, most)
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        try:
            watch.look()
            with Client(
                self.where.url,
                transport=Transport(watch, self.allow_remote),
                trust_env=False,
                follow_redirects=False,  # a server here may not send us elsewhere
            ) as client:
                parts = client.chat(
                    self.name,
                    messages[not system :],
                    stream=True,
                    think=False,
                    format=schema,
                    options=options,
                    keep_alive=self.keep_alive,
                )
                with closing(cast("Generator[ChatResponse, None, None]", parts)):
                    for part in parts:
                        piece = answer.add(part)
                        if piece:
                            yield piece
                            watch.token()
                            watch.look()
                        if part.done:
                            break
        except Cancelled:
            return answer.reply("cancelled", estimate(system, user))
        except ResponseError as error:
            raise self._said(error) from error
        except TROUBLES as error:
            raise trouble(error, self.who, self.where) from error
        return self._whole(answer, system, user)

    def _whole(self, answer: _Answer, system: str, user: str) -> Reply:
        """The reply, once it is sure that the server read all of the prompt and kept it to the end."""
        last, guess, least = answer.last, estimate(system, user), fewest(system, user)
        if last is None:
            raise ModelTrouble(
                "closed", f"{self.who} hung up in the middle of the answer (its server's log says why)"
            )
        read, said = last.prompt_eval_count or 0, last.eval_count or answer.pieces
        if read and read < least:
            raise ModelTrouble(
                "cut",
                f"{self.who} read {read} tokens of a prompt that has {least} words at least: it cut the prompt"
                f" (`pa models check {self.name}` tests that)",
            )
        if read + said > self.num_ctx:
            raise ModelTrouble(
                "cut",
                f"{self.who} ran over its {self.num_ctx} tokens and forgot what came first"
                " (PALADIN_NUM_CTX gives it more)",
            )
        if guess >= TELLING_TOKENS:
            self._scale = max(self._scale, read / guess)
        return answer.reply("length" if last.done_reason == "length" else "end", read or guess, said)

    def _said(self, error: ResponseError) -> ModelTrouble:
        """What the server says is wrong."""
        status, why = error.status_code, excerpt(str(error.error), 120)
        if status == 404 and "not found" in str(error.error) and "model" in str(error.error):
            return self._missing()
        if status in (429, 503):
            return ModelTrouble("busy", f"{self.who} has too much to do: {why}; ask again in a moment")
        if status in (400, 401, 403, 501):
            return ModelTrouble("refused", f"{self.who} refuses the call (HTTP {status}): {why}")
        if status >= 500 or status < 0:
            code = f" (HTTP {status})" if status > 0 else ""
            return ModelTrouble("failed", f"{self.who} failed{code}: {why}; its server's log says more")
        return stranger(self.where, f"it answers with HTTP {status}")

    def _missing(self) -> ModelTrouble:
        try:
            listed = fetch(self.where, "/api/tags", seconds=1.0, allow_remote=self.allow_remote)
            names = [str(entry["name"]) for entry in listed["models"]]
        except (ModelTrouble, LookupError, TypeError):
            names = []
        return ModelTrouble("missing", missing_line(self.name, names, self.where))


def missing_line(name: str, names: list[str], where: Address) -> str:
    near = nearest(name, names) or names[:3]
    guess = f"; near: {', '.join(near)}" if near else ""
    return f"no model {name!r} at {where.where}{guess}; `ollama pull {name}` fetches it"


class _Answer:
    """What has come of one answer, and when."""

    def __init__(self, model: OllamaModel, watch: Watch, most: int) -> None:
        self._model, self._watch, self._most = model, watch, most
        self._loops, self._thoughts = Loops(), _Thoughts()
        self.texts: list[str] = []
        self.pieces = 0
        self.first: float | None = None
        self.last: ChatResponse | None = None

    def add(self, part: ChatResponse) -> str:
        """What there is to show of it; a ModelTrouble if it goes nowhere."""
        said = part.message.content or ""
        self._watch.token()
        if said or part.message.thinking:
            self.pieces += 1
            if self.first is None:
                self.first = self._watch.seconds
        if self.pieces > self._most + SPARE_TOKENS:
            raise ModelTrouble(
                "endless", f"{self._model.who} went on past its limit of {self._most} tokens and was cut off"
            )
        if self._loops.in_a(said or part.message.thinking or ""):
            raise ModelTrouble(
                "loop", f"{self._model.name} went round in circles and was cut off: {self._loops.seen}"
            )
        shown = self._thoughts.out(said)
        if part.done:
            self.last = part
            shown += self._thoughts.rest()
        if shown:
            self.texts.append(shown)
        return shown

    def reply(self, stopped: Stopped, prompt_tokens: int, output_tokens: int | None = None) -> Reply:
        return Reply(
            text="".join(self.texts),
            prompt_tokens=prompt_tokens,
            output_tokens=self.pieces if output_tokens is None else output_tokens,
            seconds=round(self._watch.seconds, 4),
            first_token_seconds=None if self.first is None else round(self.first, 4),
            stopped=stopped,
        )


class _Thoughts:
    """Holds back what a model thinks aloud before it answers, `<think> … </think>`."""

    OPEN, CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._held: str | None = ""

    def out(self, piece: str) -> str:
        if self._held is None:
            return piece
        self._held += piece
        begun = self._held.lstrip()
        if not begun or self.OPEN.startswith(begun):
            return ""
        if begun.startswith(self.OPEN):
            _, closed, said = begun.partition(self.CLOSE)
            if not closed:
                return ""
            begun = said.lstrip()
        else:
            begun = self._held
        self._held = None
        return begun

    def rest(self) -> str:
        """What was held back and is no thought."""
        held, self._held = self._held or "", None
        return "" if held.lstrip().startswith(self.OPEN) else held


class Breaker:
    """After two failures of a server within a minute it is left alone for half a minute, then tried once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._lock = Lock()
        self._until = 0.0

    def look(self, who: str) -> None:
        with self._lock:
            left = self._until - self._clock()
            if left > 0:
                raise ModelTrouble(
                    "resting", f"{who} failed {FAILURES} times just now; it is tried again in {left:.0f} s"
                )

    def failed(self) -> None:
        with self._lock:
            now = self._clock()
            self._failures.append(now)
            if len(self._failures) == FAILURES and now - self._failures[0] <= WITHIN:
                self._until = now + REST

    def worked(self) -> None:
        with self._lock:
            self._failures.clear()
            self._until = 0.0
