"""A model that says what a test tells it to: the truth, lies, nonsense, the same for ever, or nothing at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from agent.models.loops import Loops
from agent.models.model import ModelTrouble, Reply, Stream, estimate, settle

Line = str | Exception
PIECE = 7  # characters of a streamed piece: it ends in the middle of words, as tokens do


class Call(dict[str, Any]):
    """What one call was asked: system, user, schema, max_tokens, temperature, seed."""


class Scripted:
    """Implements Model. `replies` are said in turn, the last one again and again; an exception among them is
    raised; a function of (system, user, schema) is asked each time. Each piece takes `delay` seconds.

    What a server's client would find wrong with an answer (empty, no such JSON, an endless loop) is found here
    too, unless `raw`.
    """

    def __init__(
        self,
        replies: Line | Sequence[Line] | Callable[[str, str, dict[str, Any] | None], Line],
        *,
        name: str = "scripted",
        num_ctx: int = 4096,
        delay: float = 0.0,
        raw: bool = False,
    ) -> None:
        self.name, self.num_ctx = name, num_ctx
        self.delay, self.raw = delay, raw
        self.calls: list[Call] = []
        self.closed = 0  # calls that were ended early
        if callable(replies):
            self._say: Callable[[str, str, dict[str, Any] | None], Line] = replies
        else:
            lines = [replies] if isinstance(replies, str | Exception) else list(replies)
            self._say = lambda system, user, schema: lines[min(len(self.calls), len(lines)) - 1]

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
        reply = stream.drain()
        return reply if self.raw else settle(reply, schema, self.name)

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
        asked = Call(
            system=system, user=user, schema=schema, max_tokens=max_tokens, temperature=temperature, seed=seed
        )
        return Stream(self._pieces(asked, cancelled or (lambda: False)))

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        return estimate(system, user) + max_tokens <= self.num_ctx

    def _pieces(self, asked: Call, cancelled: Callable[[], bool]) -> Generator[str, None, Reply]:
        started, first, said, loops = time.monotonic(), None, "", Loops()
        stopped = "end"
        self.calls.append(asked)
        if not self.fits(asked["system"], asked["user"], asked["max_tokens"]):
            raise ModelTrouble("too_long", f"the prompt does not fit {self.name}'s {self.num_ctx} tokens")
        line = self._say(asked["system"], asked["user"], asked["schema"])
        if isinstance(line, Exception):
            raise line
        most = asked["max_tokens"] * 4  # characters
        try:
            for at in range(0, min(len(line), most), PIECE):
                if self.delay:
                    time.sleep(self.delay)
                if cancelled():
                    stopped = "cancelled"
                    break
                piece = line[at : min(at + PIECE, most)]
                first = first or time.monotonic() - started
                said += piece
                if not self.raw and loops.in_a(piece):
                    raise ModelTrouble("loop", f"{self.name} went round in circles: {loops.seen}")
                yield piece
        except GeneratorExit:
            self.closed += 1
            raise
        reply = Reply(
            text=said,
            prompt_tokens=estimate(asked["system"], asked["user"]),
            output_tokens=-(-len(said) // 4),
            seconds=time.monotonic() - started,
            first_token_seconds=first,
            stopped="cancelled" if stopped == "cancelled" else "length" if len(line) > most else "end",
        )
        return reply if self.raw else settle(reply, asked["schema"], self.name, streamed=True)
