"""A turn in numbers: what it means by itself and after the turn before it, and how likely it asks each query."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from tools.language.encoder import Encoded, encode, head
from tools.language.spans import runs
from tools.store.embedding import bundled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Row = NDArray[np.float32]


BEGIN = 0.8  # what it costs a span that asks something to begin, see `runs`


class Question(NamedTuple):
    """What was typed, what was typed before it, and the keys of the passages that were shown then."""

    text: str
    before: str = ""
    shown: frozenset[str] = frozenset()


class Turn(NamedTuple):
    """A turn in numbers."""

    alone: Row  # 384, the meaning of its words, a unit vector
    parts: Row  # spans x 384, the same of each span that asks something; of the whole where none does
    in_context: Row  # the same with the turn before it
    asked: Row  # 384, the mean row of the encoder that was trained on questions
    queries: Row  # of each query: how likely the turn as a whole asks it, then how likely some word does

    @property
    def meaning(self) -> Row:
        """3 x 384 numbers."""
        import numpy as np

        return np.concatenate((self.alone, self.in_context, self.asked / 8))  # of like size


@lru_cache(maxsize=16)  # the linking of drugs and the passages need it of the same turn
def turn_of(question: Question) -> Turn:
    """The turn in numbers.

    Raises:
        Unavailable: the encoder is not installed.
    """
    import numpy as np

    read, asks = encode(question.text, question.before), head("query")
    spans = [question.text[start:end] for start, end in asking(question.text, read)] or [question.text]
    rows = bundled().embed([question.text, f"{question.before} {question.text}", *spans])
    alone, in_context, parts = rows[0], rows[1], np.array(rows[2:])
    if not read.offsets:
        return Turn(
            alone, parts, in_context, np.zeros_like(alone), np.zeros(2 * len(asks.labels), np.float32)
        )
    asked = read.mean(0, len(question.text))
    some = asks.likelihoods(read.rows).max(0)
    return Turn(alone, parts, in_context, asked, np.concatenate((asks.likelihoods(asked), some)))


def asking(text: str, read: Encoded) -> list[tuple[int, int]]:
    """The characters of each span of a turn that asks something, in order."""
    return runs(text, read.offsets, head("tag").likelihoods(read.rows), BEGIN) if read.offsets else []
