"""Days and spans of time in a letter: as they are written, in every order and with a scanner's slips."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tools.terminology.dates import DateSpan, dates_in, month_abbreviation
from tools.terminology.quantities import SMALL_NUMBERS

# A number, or a word before one, with what a scanner reads for a digit and for a letter.
_SLIP = re.compile(r"(?<![A-Za-z])[\dOolI]*\d[\dOolI]*(?![A-Za-z])|\b[^\W_]{3,10}(?=\.?\s+[\dOolI])")
_DIGITS = str.maketrans("OolI", "0011")
_LETTERS = str.maketrans("01I", "oll")
_NUMBERS = {word: number for number, word in enumerate(SMALL_NUMBERS)} | {
    "twenty": 20, "thirty": 30, "forty-five": 45, "sixty": 60, "sixty-five": 65, "ninety": 90,
    "one hundred eighty": 180, "one hundred and eighty": 180, "one hundred twenty": 120,
    "one hundred and twenty": 120,
}  # fmt: skip
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


def days_in(text: str, start: int = 0, end: int | None = None) -> Iterator[Day]:
    """Every date that is written in full; a day that does not exist is none."""
    for span in _dates(text, start, end, None):
        if span.year and span.day:
            yield Day(span.day, start + span.start, start + span.end)


def short_days_in(text: str, year: int, start: int, end: int) -> Iterator[Day]:
    """Month and day without a year, as of this year."""
    for span in _dates(text, start, end, date(year, 12, 31)):
        if not span.year and not span.relative and span.day:
            yield Day(span.day, start + span.start, start + span.end)


def _dates(text: str, start: int, end: int | None, anchor: date | None) -> list[DateSpan]:
    said = text[start:end]
    return dates_in(_SLIP.sub(lambda match: _unslipped(match[0]), said), anchor)


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
