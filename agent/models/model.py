"""What a language model is here: a prompt in, text out, what it cost, and one kind of trouble.

A model reads and writes; it decides nothing. So whatever goes wrong with one is a ModelTrouble of one line,
and the caller goes on in code.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, Literal, Protocol, Required, TypedDict, Unpack

import msgspec

from tools.common.errors import Unavailable

Stopped = Literal["end", "length", "cancelled"]
What = Literal[
    "down",  # nothing answers there
    "silent",  # connected, and no first token in time
    "stalled",  # no next token in time
    "slow",  # tokens come, and the whole took too long
    "closed",  # the connection ended in the middle of the answer
    "failed",  # the server says that it failed
    "stranger",  # what answers is no such server
    "broken",  # what it sends is not the protocol
    "busy",  # the server has too much to do
    "resting",  # it failed twice just now, and is left alone for a while
    "missing",  # the server doesn't have this model
    "refused",  # the server doesn't do what is asked
    "remote",  # it is not on this machine, and that is not allowed
    "too_long",  # the prompt doesn't fit
    "cut",  # the server read less than it was given, or forgot some of it
    "unfinished",  # it stopped at its limit in the middle of what a schema asks for
    "empty",  # it said nothing
    "garbage",  # what it said is no text
    "loop",  # it says the same thing again and again
    "endless",  # it goes on past its limit
    "schema",  # it answered, and not as the schema says
]
# What tells of the server and not of what was asked: after two of these in a row it is left alone for a while.
TRANSPORT: frozenset[What] = frozenset(
    ("down", "silent", "stalled", "closed", "failed", "stranger", "broken", "slow", "busy")
)


class ModelTrouble(Unavailable):
    """A model that could not be used; one line: what happened, and the next step."""

    def __init__(self, what: What, line: str) -> None:
        self.what = what
        super().__init__(" ".join(line.split()))


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that are waited: for a connection, the first token, any other token, and the whole answer.

    A small model on two slow cores takes half a minute to load, and another one to read 1,500 tokens.
    """

    connect: float = 2.0
    first_token: float = 90.0
    between: float = 20.0
    whole: float = 180.0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said and what it cost. `first_token_seconds` is None if there was none."""

    text: str
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    first_token_seconds: float | None = None
    stopped: Stopped = "end"


class Stream:
    """The pieces of an answer as they come; `last` is the whole once they have ended, None after a trouble.

    Closing it early, or letting it go, ends the call and frees the model.
    """

    def __init__(self, pieces: Generator[str, None, Reply]) -> None:
        self._pieces = pieces
        self.last: Reply | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            self.last = end.value or self.last
            raise StopIteration from None

    def close(self) -> None:
        self._pieces.close()

    def drain(self) -> Reply:
        """The whole answer, with nobody listening to the pieces."""
        for _ in self:
            pass
        assert self.last is not None
        return self.last


class CallOptions(TypedDict, total=False):
    """How a prompt is to be answered."""

    schema: dict[str, Any] | None  # the answer is JSON that fits it
    max_tokens: Required[int]
    temperature: float
    seed: int
    cancelled: Callable[[], bool] | None  # looked at while the answer is waited for


class Model(Protocol):
    """One language model with its settings. `num_ctx` is the tokens that a prompt and its answer have together."""

    @property
    def name(self) -> str: ...

    @property
    def num_ctx(self) -> int: ...

    def complete(self, system: str, user: str, **options: Unpack[CallOptions]) -> Reply:
        """The answer; with a schema, JSON that fits it. ModelTrouble if there is none.

        Without a schema an answer that was cut at max_tokens is a Reply that `stopped` at "length"; a call that
        was cancelled is a Reply that says so, with what there was.
        """
        ...

    def stream(self, system: str, user: str, **options: Unpack[CallOptions]) -> Stream:
        """The same piece by piece. A ModelTrouble comes from the iteration; an answer that was cut at max_tokens
        is none, for its pieces were good."""
        ...

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        """Whether prompt and answer have room in num_ctx, by a careful estimate."""
        ...
