"""Days as notes write them: 2026-05-03, 5/3/26, 5/3, May 3, April 2023, since last fall."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
DAY = re.compile(
    rf"(?<![\d/.])(?:(?P<y>20\d\d|19\d\d)-(?P<m>\d\d?)-(?P<d>\d\d?)"
    rf"|(?P<um>\d\d?)/(?P<ud>\d\d?)/(?P<uy>20\d\d|19\d\d|\d\d)"
    rf"|(?P<my>\d\d?)/(?P<myy>20\d\d)"
    rf"|(?P<sm>\d\d?)/(?P<sd>\d\d?)"
    rf"|\b(?P<nm>{_MONTH})\.?\s+(?P<nd>\d\d?)(?:st|nd|rd|th)?(?:,?\s+(?P<ny>20\d\d|19\d\d))?(?!\d|/|:)"
    rf"|\b(?P<on>{_MONTH})\.?,?\s+(?:of\s+)?(?P<oy>20\d\d|19\d\d)"
    rf"|\b(?P<bm>(?-i:J)an(?:uary)?|feb(?:ruary)?|(?-i:M)arch|april|june|july|august|sept(?:ember)?|"
    rf"october|november|december)\b"
    rf"|\b(?P<yo>(?:19[5-9]|20[0-4])\d)\b)(?![\d/])",
    re.IGNORECASE,
)


class When(NamedTuple):
    """A day, or None where only its month or year is said; where its words stand."""

    day: date | None
    start: int
    end: int
    words: str


def days_in(text: str, written: date | None, start: int = 0, end: int | None = None) -> list[When]:
    """All days that are named. One without a year is the last such day up to the note's own."""
    found = []
    for match in DAY.finditer(text, start, len(text) if end is None else end):
        named = match.groupdict()
        try:
            day = _day(named, written)
        except ValueError:
            if not (named["y"] or named["um"]):
                continue
            day = None
        found.append(When(day, match.start(), match.end(), match[0]))
    return found


def _day(named: dict[str, str | None], written: date | None) -> date | None:
    if named["y"]:
        return date(int(named["y"]), int(named["m"] or 0), int(named["d"] or 0))
    if named["um"]:
        year = int(named["uy"] or 0)
        return date(year + 2000 if year < 100 else year, int(named["um"]), int(named["ud"] or 0))
    if named["nm"] and named["ny"]:
        return date(int(named["ny"]), _month(named["nm"]), int(named["nd"] or 0))
    if named["sm"] or named["nm"]:
        month = int(named["sm"]) if named["sm"] else _month(named["nm"] or "")
        return _last(month, int(named["sd"] or named["nd"] or 0), written)
    return None


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].casefold()) + 1


def _last(month: int, day: int, written: date | None) -> date | None:
    """The last such day up to the note's own; ValueError if there is none such."""
    date(2024, month, day)
    if written is None:
        return None
    for year in (written.year, written.year - 1):
        try:
            found = date(year, month, day)
        except ValueError:
            return None
        if found <= written:
            return found
    return None
