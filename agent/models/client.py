"""What every client of a model does alike: it waits no longer than it may, shows the pieces as they come, and
takes no answer that is empty, garbage, endless, or not the JSON that was asked for."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, NamedTuple, Unpack

import msgspec

from agent.models.model import CallOptions, ModelTrouble, Reply, Stopped, Stream, Timeouts
from agent.models.text import Loops, estimate, excerpt, fitting, is_garbage

SPARE_TOKENS = 64  # that a server may send past its limit before it is cut off
OPEN, CLOSE = "<think>", "</think>"


class CallCancelled(Exception):
    """Whoever asked does not want the answer any more."""


class Prompt(NamedTuple):
    """One call of a model, as the protocol has it."""

    system: str
    user: str
    max_tokens: int
    schema: dict[str, Any] | None = None
    temperature: float = 0.0
    seed: int = 1
    cancelled: Callable[[], bool] | None = None


class PendingAnswer:
    """What has come of one answer, and when it is not worth waiting for any longer. Whoever asks the server says what
    it cost: tokens `read` and `wrote`."""

    def __init__(self, prompt: Prompt, who: str, timeouts: Timeouts, clock: Callable[[], float]) -> None:
        self.prompt, self.timeouts, self.clock = prompt, timeouts, clock
        self.text = ""
        self.pieces = self.read = self.wrote = 0
        self.stopped: Stopped = "end"
        self.loops: Loops | None = Loops()
        self._held: str | None = ""  # what may be a thought
        self.begin(who)

    def begin(self, who: str) -> None:
        """The waiting begins now; `who` is named in the line that says that it is over."""
        self.who, self._started = who, self.clock()
        self._first: float | None = None
        self._last: float | None = None

    def cancelled(self) -> bool:
        """Does nobody want the answer any more?"""
        return self.prompt.cancelled is not None and self.prompt.cancelled()

    @property
    def seconds(self) -> float:
        return self.clock() - self._started

    def token(self) -> None:
        """A token came, or whoever listens is ready for the next."""
        self._last = self.clock()

    def look(self) -> None:
        """Cancelled or a ModelTrouble if it is not worth waiting any longer."""
        if self.cancelled():
            raise CallCancelled
        times = self.timeouts
        if self._last is None and self.seconds > times.first_token:
            raise ModelTrouble(
                "silent",
                f"{self.who} said nothing within {times.first_token:g} s: still loading, or stuck (`ollama ps`"
                " shows it; PALADIN_FIRST_TOKEN_SECONDS gives it longer)",
            )
        if self._last is not None and self.clock() - self._last > times.between:
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

    def hear(self, said: str, thought: str = "") -> str:
        """Take in a piece, and return what there is to show of it; ModelTrouble if the answer goes nowhere."""
        self.token()
        if said or thought:
            self.pieces += 1
            if self._first is None:
                self._first = self.seconds
        if self.pieces > self.prompt.max_tokens + SPARE_TOKENS:
            limit = self.prompt.max_tokens
            raise ModelTrouble(
                "endless", f"{self.who} went on past its limit of {limit} tokens and was cut off"
            )
        if self.loops and self.loops.in_a(said or thought):
            raise ModelTrouble("loop", f"{self.who} went round in circles and was cut off: {self.loops.seen}")
        return self._show(self._without_thoughts(said))

    def end(self) -> str:
        """What was held back and is no thought."""
        held, self._held = self._held or "", None
        return self._show("" if held.lstrip().startswith(OPEN) else held)

    def reply(self, stopped: Stopped | None = None) -> Reply:
        """The answer as far as it came."""
        return Reply(
            text=self.text,
            prompt_tokens=self.read or estimate(self.prompt.system, self.prompt.user),
            output_tokens=self.wrote or self.pieces,
            seconds=round(self.seconds, 4),
            first_token_seconds=None if self._first is None else round(self._first, 4),
            stopped=stopped or self.stopped,
        )

    def _show(self, text: str) -> str:
        self.text += text
        return text

    def _without_thoughts(self, piece: str) -> str:
        """Holds back what a model thinks aloud before it answers, `<think> … </think>`."""
        if self._held is None:
            return piece
        self._held += piece
        begun = self._held.lstrip()
        if begun.startswith(OPEN):
            _, closed, begun = begun.partition(CLOSE)
            if not closed:
                return ""
            begun = begun.lstrip()
        elif not begun or OPEN.startswith(begun):
            return ""
        else:
            begun = self._held
        self._held = None
        return begun


class Client(ABC):
    """Implements Model for a class that can say one answer piece by piece. `checked` is False for a model whose
    words are taken as they are."""

    name: str
    num_ctx: int
    timeouts = Timeouts()
    clock: Callable[[], float] = staticmethod(time.monotonic)
    checked = True

    @abstractmethod
    def _pieces(self, answer: PendingAnswer) -> Generator[str, None, None]:
        """The pieces of the answer to `answer.prompt`; what it cost is put into `answer`."""

    def complete(self, system: str, user: str, **options: Unpack[CallOptions]) -> Reply:
        """As the protocol says."""
        reply = self.stream(system, user, **options).drain()
        return settle(reply, options.get("schema"), self.name) if self.checked else reply

    def stream(self, system: str, user: str, **options: Unpack[CallOptions]) -> Stream:
        """As the protocol says."""
        return Stream(self._answered(Prompt(system, user, **options)))

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        """As the protocol says."""
        return self._tokens(system, user) + max_tokens <= self.num_ctx

    def _tokens(self, system: str, user: str) -> int:
        return estimate(system, user)

    def _answered(self, prompt: Prompt) -> Generator[str, None, Reply]:
        if not self.fits(prompt.system, prompt.user, prompt.max_tokens):
            raise ModelTrouble(
                "too_long",
                f"a prompt of about {self._tokens(prompt.system, prompt.user)} tokens and an answer of"
                f" {prompt.max_tokens} do not fit the {self.num_ctx} of {self.name}"
                " (PALADIN_NUM_CTX gives it more)",
            )
        answer = PendingAnswer(prompt, self.name, self.timeouts, self.clock)
        if not self.checked:
            answer.loops = None
        try:
            answer.look()
            with closing(self._pieces(answer)) as pieces:
                for piece in pieces:
                    if shown := answer.hear(piece):
                        yield shown
                        answer.token()
                    answer.look()
        except CallCancelled:
            return answer.reply("cancelled")
        if rest := answer.end():
            yield rest
        reply = answer.reply()
        return settle(reply, prompt.schema, self.name, streamed=True) if self.checked else reply


def settle(reply: Reply, schema: dict[str, Any] | None, who: str, *, streamed: bool = False) -> Reply:
    """The reply if it is one: text, and with a schema JSON that fits; ModelTrouble otherwise.

    One that was streamed keeps its text as it was said, and may have been cut.
    """
    if reply.stopped == "cancelled":
        return reply
    text = reply.text
    if not text.strip():
        raise ModelTrouble("empty", f"{who} answered nothing")
    if is_garbage(text):
        raise ModelTrouble("garbage", f"{who} answered what is no text: {excerpt(text)}")
    if schema is None:
        return reply
    found = fitting(text, schema)
    if found is not None:
        return reply if streamed else msgspec.structs.replace(reply, text=found)
    if reply.stopped == "length":
        if streamed:
            return reply
        raise ModelTrouble(
            "unfinished", f"{who} did not finish within {reply.output_tokens} tokens: …{excerpt(text[-40:])}"
        )
    raise ModelTrouble(
        "schema",
        f"{who} does not keep to the JSON schema it was given: {excerpt(text)} (`pa models check` tests that)",
    )
