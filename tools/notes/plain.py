"""A note's text made plain enough to be searched: typos, number words and odd characters gone, offsets kept.

Everything is looked for in the plain text; what is found is quoted from the note itself.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import groupby
from typing import Literal, NamedTuple

import msgspec
from rapidfuzz.distance import OSA

from tools.terminology.medicines import STEP_CLASSES, exact_names, medicines_of
from tools.terminology.quantities import SMALL_NUMBERS
from tools.terminology.rows import read_rows

_TOKEN = re.compile(r"[A-Za-z]+|\d+|\s+|.", re.DOTALL)
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]")
_LIKE = {"’": "'", "‘": "'", "–": "-", "—": "-", "“": '"', "”": '"', "→": "->", "•": "*", "≤": "<", "≥": ">"}
_DIGITS = {word: str(number) for number, word in enumerate(SMALL_NUMBERS[:15])}


class _Spelling(msgspec.Struct, frozen=True):
    """A line of spelling.jsonl: `right` are words of a clinic that people misspell, `other` are real words that are one
    letter away from one of these or of a drug."""

    kind: Literal["right", "other"]
    words: tuple[str, ...]


class Plain(NamedTuple):
    """The plain text, and for every piece of it where it begins there and where in the note."""

    text: str
    at: list[int]
    starts: list[int]
    ends: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in the note the words stand that are [start, end) of the plain text."""
        first = bisect_right(self.at, start) - 1
        last = bisect_right(self.at, max(start, end - 1)) - 1
        return self.starts[first], self.ends[last]


def plain_of(text: str) -> Plain:
    """The note's text, piece by piece."""
    tokens = [(match[0], match.start(), match.end()) for match in _TOKEN.finditer(text)]
    pieces: list[str] = []
    at, starts, ends, length, index = [], [], [], 0, 0
    while index < len(tokens):
        word, start, end = tokens[index]
        taken = 1
        if word.isalpha():
            taken, piece = _words(tokens, index)
            end = tokens[index + taken - 1][2]
        else:
            piece = (
                _space(word) if word.isspace() else "" if _INVISIBLE.match(word) else _LIKE.get(word, word)
            )
        if piece:
            pieces.append(piece)
            at.append(length)
            starts.append(start)
            ends.append(end)
            length += len(piece)
        index += taken
    return Plain("".join(pieces), at, starts, ends)


def _space(blank: str) -> str:
    """However much of it there is, it is a blank, the end of a line or an empty line."""
    return "\n" * min(2, blank.count("\n")) or " "


def _words(tokens: list[tuple[str, int, int]], index: int) -> tuple[int, str]:
    """How many tokens this word takes, and what it becomes: "eight point four" is 8.4, "a one c" a1c."""
    word = tokens[index][0]
    fold = word.casefold()
    if fold in _DIGITS or fold == "a":
        following = [token[0].casefold() for token in tokens[index : index + 5]]
        if fold == "a" and following[2:5:2] == ["one", "c"]:
            return 5, "a1c"
        if fold != "a" and len(following) == 5 and following[2] == "point" and following[4] in _DIGITS:
            return 5, f"{_DIGITS[fold]}.{_DIGITS[following[4]]}"
    return 1, spelled(word)


@lru_cache(maxsize=65536)
def spelled(word: str) -> str:
    """The word as it is written right, if it is one letter away from a drug or a word of the clinic."""
    fold = word.casefold()
    if len(fold) < 5 or fold in _KNOWN or fold in _OTHER_WORDS or fold.removesuffix("s") in _KNOWN:
        return word
    near = (known for known in _BY_INITIAL.get(fold[0], ()) if OSA.distance(fold, known, score_cutoff=1) < 2)
    return next(near, word)  # one letter more, less or other, or two neighbours swapped


_SPELLING = {row.kind: row.words for row in read_rows("spelling", _Spelling)}
_OTHER_WORDS = frozenset(_SPELLING["other"])
_NOTED = (*STEP_CLASSES, "statin", "acei_arb", "beta_blocker", "antiplatelet", "diuretic", "ccb", "other")
_KNOWN = frozenset(
    word
    for name in (*(row.name for row in medicines_of(_NOTED)), *_SPELLING["right"])
    for word in name.casefold().split()
    if len(word) >= 6 and word.isalpha() and word != "insulin" and word not in exact_names()
)
_BY_INITIAL = {first: tuple(words) for first, words in groupby(sorted(_KNOWN), key=lambda word: word[0])}
