"""What kind of document a letter is, by an encoder that was fine-tuned on letters and sees each token in the light of
the others. `python -m evals.train letter-kinds --write` makes its weights.

    sentences → tokens, and a separator where a line ends → windows of whole sentences → encoder → one row a token

A letter of up to one and a half pages is one window. A longer one is several; each begins with the last sentences of
the one before, so that none is read without what stands ahead of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.denials.sentences import Sentence
from tools.denials.slips import legible
from tools.language.encoder import SEPARATOR, START, WIDTH, Encoded, heads, hidden_rows, tokenizer

MODEL = Path(__file__).parent / "model" / "encoder.onnx"
HEADS = Path(__file__).parent / "model" / "heads.npz"

LONGEST = 508  # tokens of a window
AHEAD = 64  # tokens, at most, of the window before


class Window(NamedTuple):
    """The tokens that go through the encoder together; `own` gives of each token that is read here first its place and
    its characters [start, end) in the letter."""

    ids: list[int]
    own: list[tuple[int, int, int]]


def windows_of(text: str, sentences: Sequence[Sentence]) -> list[Window]:
    """Whole sentences, as many as go into one; of a sentence that is longer, its beginning."""
    read = tokenizer().encode_batch(
        [legible(text[one.start : one.end]) for one in sentences], add_special_tokens=False
    )
    lines = [*(one.line for one in sentences), -1]
    ids = [
        [*tokens.ids[: LONGEST - 2], *([SEPARATOR] if lines[at] != lines[at + 1] else [])]
        for at, tokens in enumerate(read)
    ]
    made: list[Window] = []
    first = 0
    while first < len(ids):
        begin, last = _back(ids, first), first
        room = LONGEST - sum(map(len, ids[begin:first]))
        while last < len(ids) and (room := room - len(ids[last])) >= 0:
            last += 1
        if last == first:  # does not fit behind what is ahead of it
            begin, last = first, first + 1
        window = Window([START], [])
        for at in range(begin, last):
            if at >= first:
                window.own.extend(
                    (len(window.ids) + place, sentences[at].start + start, sentences[at].start + end)
                    for place, (start, end) in enumerate(read[at].offsets[: LONGEST - 2])
                )
            window.ids.extend(ids[at])
        made.append(window)
        first = last
    return made


def _back(ids: Sequence[Sequence[int]], first: int) -> int:
    """The sentence from which those before `first` have no more than AHEAD tokens."""
    begin, taken = first, 0
    while begin and taken + len(ids[begin - 1]) <= AHEAD:
        begin -= 1
        taken += len(ids[begin])
    return begin


def kinds_of(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """How likely the letter is of each of KINDS: by the rows of its sentences, each as much as it is worth notice."""
    notice = np.exp(heads(HEADS)["notice"].scores(rows)[:, 0])
    return heads(HEADS)["kind"].likelihoods(notice @ rows / notice.sum())


def sentence_rows(encoded: Encoded, sentences: Sequence[Sentence]) -> NDArray[np.float32]:
    """A row for each sentence."""
    return np.array([encoded.mean(one.start, one.end) for one in sentences])


@cache
def fingerprint() -> str:
    """Of the weights of the encoder. What is trained on its rows carries it, for with other weights they are others."""
    return hashlib.sha256(MODEL.read_bytes()).hexdigest()[:16]


def encode(text: str, sentences: Sequence[Sentence]) -> Encoded:
    """The rows of the letter's tokens.

    Raises:
        Unavailable: ONNX Runtime or the weights are not installed.
    """
    rows, places = [np.zeros((1, WIDTH), np.float32)], [(0, 0)]  # for a letter that has no token
    for window in windows_of(text, sentences):
        if window.own:
            hidden = hidden_rows(MODEL, window.ids)
            rows.append(hidden[[place for place, _, _ in window.own]])
            places += [(start, end) for _, start, end in window.own]
    return Encoded(np.concatenate(rows), tuple(places))
