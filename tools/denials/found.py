"""A place in a letter that was found, and what it states."""

from __future__ import annotations

from typing import NamedTuple

from tools.denials.records import Stated
from tools.denials.words import Letter

TOP = 1600  # characters of a letter in which its heading is looked for


class Found(NamedTuple):
    start: int
    end: int
    rank: int


def stated_at(letter: Letter, found: Found | None, value: str = "") -> Stated | None:
    if found is None:
        return None
    quote = letter.quote(found.start, found.end)
    return Stated(
        value=value or " ".join(letter.plain[found.start : found.end].split()).strip(" .,"), quote=quote
    )
