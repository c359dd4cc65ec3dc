"""Runs of words of a text, from what a tagger says of each token: the likeliest sequence, never a part of a word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

OUTSIDE, BEGINS, GOES_ON = range(3)
BEGIN = 1.0  # what it costs, in log likelihood, to begin a run; tuned on authors held out
_NEVER = -50.0
_LEAST = 1e-4  # of a likelihood, before its logarithm
_BINDING = "'’-."  # marks that may stand within a word


def runs(
    text: str, offsets: Sequence[tuple[int, int]], likely: NDArray[np.float32], begin: float = BEGIN
) -> list[tuple[int, int]]:
    """The characters of each run, in order.

    Args:
        text: the text that was tagged.
        offsets: the characters of each token.
        likely: tokens x (outside, begins, goes on), likelihoods.
        begin: what it costs to begin a run.
    """
    words = _words(text, offsets)
    if not words:
        return []
    logs = np.log(np.maximum(likely, _LEAST))
    scores = np.array([_of_a_word(logs[first:last]) for first, last in words])
    scores[:, BEGINS] -= begin
    tags = _likeliest(scores)
    found: list[tuple[int, int]] = []
    start = -1
    for at, tag in enumerate((*tags, OUTSIDE)):
        if start >= 0 and tag != GOES_ON:
            found.append((offsets[words[start][0]][0], offsets[words[at - 1][1] - 1][1]))
            start = -1
        if tag != OUTSIDE and start < 0:
            start = at
    return found


def _words(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Tokens of one word, as [first, last); a mark behind a word stands alone, as one run ends there and another may
    begin."""
    words: list[tuple[int, int]] = []
    for at, (start, _) in enumerate(offsets):
        if at > 0 and start == offsets[at - 1][1] and _is_within_a_word(text, start):
            words[-1] = (words[-1][0], at + 1)
        else:
            words.append((at, at + 1))
    return words


def _is_within_a_word(text: str, at: int) -> bool:
    """Whether the characters before and at this place are of one word: letters, digits, or a mark between such."""
    before, here = text[at - 1], text[at]
    if here in _BINDING:
        return before.isalnum() and text[at + 1 : at + 2].isalnum()
    if before in _BINDING:
        return here.isalnum() and text[max(at - 2, 0) : at - 1].isalnum()
    return before.isalnum() and here.isalnum()


def _of_a_word(logs: NDArray[np.float32]) -> tuple[float, float, float]:
    """The mean over its tokens; a word that begins a run goes on with it."""
    inside = np.logaddexp(logs[1:, BEGINS], logs[1:, GOES_ON]).sum()
    begins = (logs[0, BEGINS] + inside) / len(logs)
    return float(logs[:, OUTSIDE].mean()), float(begins), float(logs[:, GOES_ON].mean())


def _likeliest(scores: NDArray[np.float64]) -> list[int]:
    """The sequence of tags with the best sum of scores in which nothing goes on that has not begun (Viterbi)."""
    barred = np.zeros((3, 3))
    barred[OUTSIDE, GOES_ON] = _NEVER
    best, came = scores[0] + np.array([0, 0, _NEVER]), []
    for row in scores[1:]:
        ways = best[:, None] + barred
        came.append(ways.argmax(0))
        best = ways.max(0) + row
    tags = [int(best.argmax())]
    for before in reversed(came):
        tags.append(int(before[tags[-1]]))
    return tags[::-1]
