"""Days as notes write them: 2026-05-03, 5/3/26, 5/3, May 3, April 2023."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from tools.terminology.dates import dates_in


class When(NamedTuple):
    """A day, or None where only its month or year is said; where its words stand."""

    day: date | None
    start: int
    end: int
    words: str


def days_in(text: str, written: date | None, start: int = 0, end: int | None = None) -> list[When]:
    """All days that are named. One without a year is the last such day up to the note's own."""
    return [
        When(
            span.day if span.year or written else None,
            start + span.start,
            start + span.end,
            said[span.start : span.end],
        )
        for said in (text[start:end],)
        for span in dates_in(said, written or date.max.replace(year=2049))
        if not span.relative
    ]
