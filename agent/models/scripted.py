"""A model that says what a test tells it to: the truth, lies, nonsense, the same for ever, or nothing at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from agent.models.client import Client, PendingAnswer

Line = str | Exception
PIECE = 7  # characters of a streamed piece: it ends in the middle of words, as tokens do


class Scripted(Client):
    """`replies` are said in turn, the last one again and again; an exception among them is raised; a function of
    (system, user, schema) is asked each time. Each piece takes `delay` seconds.

    What a server's client would find wrong with an answer (empty, no such JSON, an endless loop) is found here
    too, unless `raw`. `calls` are what was asked; `closed` counts those that were ended early.
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
        self.delay, self.checked = delay, not raw
        self.calls: list[dict[str, Any]] = []
        self.closed = 0
        if callable(replies):
            self._say: Callable[[str, str, dict[str, Any] | None], Line] = replies
        else:
            lines = [replies] if isinstance(replies, str | Exception) else list(replies)
            self._say = lambda system, user, schema: lines[min(len(self.calls), len(lines)) - 1]

    def _pieces(self, answer: PendingAnswer) -> Generator[str, None, None]:
        asked = answer.prompt._asdict()
        del asked["cancelled"]
        self.calls.append(asked)
        line = self._say(asked["system"], asked["user"], asked["schema"])
        if isinstance(line, Exception):
            raise line
        said = line[: asked["max_tokens"] * 4]
        answer.stopped = "end" if said == line else "length"
        answer.wrote = -(-len(said) // 4)
        try:
            for at in range(0, len(said), PIECE):
                time.sleep(self.delay)
                yield said[at : at + PIECE]
        except GeneratorExit:
            self.closed += 1
            raise
