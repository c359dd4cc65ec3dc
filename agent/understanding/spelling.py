# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""The words that ask, where they are cut short or misspelt."""

from __future__ import annotations

import re
from functools import lru_cache

from agent.understanding import wordlists
from agent.understanding.known import ordinary
from agent.understanding.pieces import Item, overlaps

_LETTERS = re.compile(r"(?<![\w'])[a-z']+(?![\w'])")
# "dose the patient meet the criteria": slipped from "does", and no dose.
_BEGINS = re.compile(r"(?:^|[.?!,;:]|\b(?:and|or|but|so|ok|please|hi))\W*$")
_DOES = re.compile(
    r"\s+(?:(?:she|he|it|they|this|that)|(?:the|this|our|my|her|his) \w+)\s+(?:\w+ly )?(?:meet|mete|qualif|need|have|get|fit|satisf|pass|cover|requir|fulfil|stand|take|seem|look)"
)


def respell(low: str, taken: list[tuple[int, int]]) -> list[tuple[int, int, Item]]:
    """The words of asking, where they are cut short or misspelt."""
    found = []
    for match in _LETTERS.finditer(low):
        word = match.group()
        if overlaps(match.start(), match.end(), taken):
            continue
        right = wordlists.pairs("short").get(word, "")
        if not right and len(word) > 4 and word not in ordinary():
            right = correction(word)
        if (
            word == "dose"
            and _BEGINS.search(low, 0, match.start())
            and _DOES.match(low, match.end(), match.end() + 40)
        ):
            right = "does"
        if right and right != word:
            if word == "y" and not re.match(
                r"\s+(?:is|not|was|would|does|did|can't|isn't|denied)\b", low[match.end() : match.end() + 10]
            ):
                continue
            found.append((match.start(), match.end(), Item("", said=right)))
    return found


@lru_cache(maxsize=4096)
def correction(word: str) -> str:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    if len(word) < 5 or len(word) > 20:
        return ""
    right = wordlists.listed("asking")
    near = process.extractOne(word, right, scorer=OSA.normalized_similarity, score_cutoff=0.74)
    if near is None or near[0][0] != word[0] or near[0].startswith(word) or word.startswith(near[0]):
        return ""
    return str(near[0])
