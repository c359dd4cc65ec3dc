"""What a text names: drugs, classes of drugs and conditions, with where they stand."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Mention(NamedTuple):
    """A concept named at [start, end): an ingredient, or a key of terms.CLASSES or terms.CONCEPTS."""

    concept: str
    start: int
    end: int


@lru_cache(maxsize=16384)
def mentions(text: str) -> tuple[Mention, ...]:
    """Every mention, in the order of the text; a combination is one mention of each ingredient."""
    from tools.notes.lexicon import diagnoses_in, drugs_in

    found = [
        Mention(name.replace("_", " "), hit.start, hit.end)
        for hit in drugs_in(text, 0, len(text))
        for name in hit.of.split("+")
    ]
    found += [Mention(hit.of, hit.start, hit.end) for hit in diagnoses_in(text, 0, len(text))]
    return tuple(sorted(found, key=lambda hit: (hit.start, hit.end)))


@lru_cache(maxsize=16384)
def concepts(text: str) -> frozenset[str]:
    """What the text names."""
    return frozenset([hit.concept for hit in mentions(text)])
