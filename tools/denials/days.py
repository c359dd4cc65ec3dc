"""Days and spans of time in a letter: as they are written, in every order and with a scanner's slips."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from statistics import mode
from typing import NamedTuple

from tools.terminology.dates import DateSpan, dates_in, month_abbreviation
from tools.terminology.quantities import SMALL_NUMBERS

# A number, or a word before one, with what a scanner reads for a digit and for a letter.
_SLIP = re.compile(r"(?<![A-Za-z])[\dOolI]*\d[\dOolI]*(?![A-Za-z])|\b[^\W_]{3,10}(?=\.?\s+[OolI]?\d)")
_DIGITS = str.maketrans("OolI", "0011")
_LETTERS = str.maketrans("01I", "oll")
_NUMBERS = {word: number for number, word in enumerate(SMALL_NUMBERS)} | {
    "twenty": 20, "thirty": 30, "forty-five": 45, "sixty": 60, "sixty-five": 65, "ninety": 90,
    "one hundred eighty": 180, "one hundred and eighty": 180, "one hundred twenty": 120,
    "one hundred and twenty": 120,
}  # fmt: skip
_HALF_A_YEAR = timedelta(weeks=26)  # a date without its year is the last before its anchor; weekdays stay
_WORDS = "|".join(sorted(_NUMBERS, key=len, reverse=True)).replace(" ", r"\s+")
SPAN = re.compile(
    rf"\b(?:(?P<number>\d{{1,3}}|1[8B][0Oo]|\d{{1,2}}[Oo])"
    rf"|(?P<word>{_WORDS}))(?:\s*\((?P<again>\d{{1,3}})\))?[\s-]*"
    r"(?P<unit>(?:consecutive |calendar )?(?:days?|d\b)|(?:business|working) days?|(?:calendar )?months?"
    r"|hours?|hrs?|h\b)",
    re.IGNORECASE,
)


class Day(NamedTuple):
    """A day at [start, end)."""

    day: date
    start: int
    end: int


def days_in(text: str) -> Iterator[Day]:
    """Every day of a letter; one that does not exist is none. One without its year is the nearest to the letter's own
    day, and "today" and the like are seen from that."""
    own = _own(text)
    for span in _dates(text, own and own + _HALF_A_YEAR):
        if not span.relative and span.day:
            yield Day(span.day, span.start, span.end)
        elif span.unit == "day" and span.day and not SPAN.search(text, span.start, span.end):
            yield Day(span.day - _HALF_A_YEAR, span.start, span.end)


def _own(text: str) -> date | None:
    """The letter's day, as far as it can be told before it is read: the first of about the year that it names most."""
    days = [span.day for span in _dates(text, None) if span.day and span.day.year > 2000]
    usual = mode(day.year for day in days) if days else 0
    return next((day for day in days if abs(day.year - usual) < 2), None)


def _dates(text: str, anchor: date | None) -> list[DateSpan]:
    return dates_in(_SLIP.sub(lambda match: _unslipped(match[0]), text), anchor)


def _unslipped(written: str) -> str:
    """As it was before it was scanned or mistyped, in as many characters."""
    if not re.search("[a-zA-Z]{2}", written):
        return written.translate(_DIGITS)
    month = month_abbreviation(written.translate(_LETTERS).replace("rn", "m"))
    return month.ljust(len(written)) if month else written


def amount_of(match: re.Match[str]) -> tuple[int, str]:
    """The number and unit of a SPAN."""
    said = match["again"] or match["number"]
    number = int(_digits(said)) if said else _NUMBERS[" ".join(match["word"].casefold().split())]
    unit = match["unit"].casefold()
    if "month" in unit:
        return number, "months"
    if "business" in unit or "working" in unit:
        return number, "business days"
    return number, "hours" if unit.startswith("h") else "days"


def _digits(written: str) -> str:
    return written.translate(_DIGITS)
