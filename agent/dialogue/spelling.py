"""Words that are an ordinary one but for a slip of the finger."""

from __future__ import annotations

from functools import lru_cache

from agent.dialogue import wordlists
from agent.dialogue.known import ordinary


@lru_cache(maxsize=4096)
def correction(word: str) -> str:
    """The word of asking that this one is a slip of; empty if it is none."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    if len(word) < 5 or len(word) > 20:
        return ""
    right = wordlists.listed("asking")
    near = process.extractOne(word, right, scorer=OSA.normalized_similarity, score_cutoff=0.74)
    if near is None or near[0][0] != word[0] or near[0].startswith(word) or word.startswith(near[0]):
        return ""
    return str(near[0])


@lru_cache(maxsize=4096)
def is_slip(word: str) -> bool:
    """Whether the word is an ordinary one but for a letter."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    return process.extractOne(word, _long_words(), scorer=OSA.distance, score_cutoff=1) is not None


@lru_cache(maxsize=1)
def _long_words() -> tuple[str, ...]:
    return tuple(sorted(word for word in ordinary() if len(word) > 4))
