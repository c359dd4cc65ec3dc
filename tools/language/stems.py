"""Words without their commonest English endings, to compare texts by the words that they share."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("ing", "ies", "es", "ed", "s")
_SHORTEST = 3  # letters of a stem


def stems(text: str) -> frozenset[str]:
    """The stems of all words and numbers of a text, in lower case."""
    return frozenset(_stem(word) for word in _WORD.findall(text.casefold()))


def _stem(word: str) -> str:
    ending = next((end for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= _SHORTEST), "")
    return word.removesuffix(ending)
