"""What a span of a turn asks by its words and letters alone: a linear model over hashed n-grams.

The encoder knows what words mean; this knows which words people use. Each is wrong where the other is right, so their
likelihoods are multiplied. `python -m evals.train ngrams` makes the weights from evals/examples/questions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

WEIGHTS = Path(__file__).parent / "model" / "ngrams.npz"
BUCKETS = 1 << 15
_LEAST = 1e-6  # of a likelihood, before its logarithm


class NGrams(NamedTuple):
    """The weights, and how they join the encoder: `share` is the exponent of their likelihoods, `heat` divides the sum
    of the logarithms, so that the joint likelihoods say how often they are right."""

    weights: NDArray[np.float32]  # BUCKETS x labels
    offset: NDArray[np.float32]  # labels
    labels: tuple[str, ...]
    share: float
    heat: float

    def likelihoods(self, span: str, text: str, before: str) -> NDArray[np.float32]:
        """Of each label; they sum to one."""
        columns, values = features(span, text, before)
        return _softmax(np.array(values, np.float32) @ self.weights[columns] + self.offset)

    def joined(self, likely: NDArray[np.float32], span: str, text: str, before: str) -> NDArray[np.float32]:
        """The likelihoods of the encoder's query head (over the same labels) and these, as one."""
        own = self.likelihoods(span, text, before)
        logs = np.log(np.maximum(likely, _LEAST)) + self.share * np.log(np.maximum(own, _LEAST))
        return _softmax(logs / self.heat)


@cache
def ngrams() -> NGrams:
    """The weights that ship."""
    with np.load(WEIGHTS) as kept:
        return NGrams(
            kept["weights"].astype(np.float32) * kept["scale"],
            kept["offset"],
            tuple(str(kept["labels"]).split()),
            float(kept["share"]),
            float(kept["heat"]),
        )


def features(span: str, text: str, before: str) -> tuple[list[int], list[float]]:
    """Buckets and their values: words and letters of the span, and, half as heavy, words of its turn and of the turn
    before."""
    columns: list[int] = []
    values: list[float] = []
    words = span.lower().split()
    for kind, weight, grams in (
        ("S", 1.0, _runs(words, 3)),
        ("C", 1.0, _letters(words)),
        ("T", 0.5, _runs(text.lower().split(), 2)),
        ("B", 0.5, _runs(before.lower().split(), 2)),
    ):
        counts = Counter(crc32(f"{kind}{gram}".encode()) % BUCKETS for gram in grams)
        heavy = [1 + math.log(count) for count in counts.values()]
        norm = math.sqrt(sum(value * value for value in heavy)) or 1.0
        columns += counts
        values += [weight * value / norm for value in heavy]
    return columns, values


def _runs(words: Sequence[str], longest: int) -> Iterator[str]:
    for length in range(1, longest + 1):
        for at in range(len(words) - length + 1):
            yield " ".join(words[at : at + length])


def _letters(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        padded = f" {word} "
        for length in (3, 4, 5):
            for at in range(len(padded) - length + 1):
                yield padded[at : at + length]


def _softmax(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    raised = np.exp(scores - scores.max())
    shares: NDArray[np.float32] = (raised / raised.sum()).astype(np.float32)
    return shares
