"""Days and spans of time in a letter: as they are written, in every order and with a scanner's slips."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_M = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:i[l1])?|may|june?|ju[l1]y?|aug(?:ust)?|sept?(?:ember)?|"
    r"[o0]ct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_Y = r"(?:[12][0-9OolI]{3})"
_D = r"(?:[0-3]?[0-9OlI])"
_DATE = re.compile(
    rf"\b(?P<mdy>(?P<m1>{_M}) (?P<d1>{_D})(?:st|nd|rd|th)?,? +(?P<y1>{_Y}))\b|"
    rf"\b(?P<dmy>(?P<d2>{_D})(?:st|nd|rd|th)?(?: day of)? (?P<m2>{_M}),? (?P<y2>{_Y}))\b|"
    rf"\b(?P<iso>(?P<y3>{_Y})[-/](?P<m3>[01]?\d)[-/](?P<d3>{_D}))\b|"
    rf"(?<![\d/-])(?P<us>(?P<m4>[01]?[0-9OlI])(?P<sep>[/.-])(?P<d4>{_D})(?P=sep)(?P<y4>{_Y}|\d\d))(?![\d/-])",
    re.IGNORECASE,
)
_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen",
)  # fmt: skip
_NUMBERS = {word: number for number, word in enumerate(_SMALL)} | {
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
    for match in _DATE.finditer(text, start, len(text) if end is None else end):
        index = next(i for i, name in ((1, "mdy"), (2, "dmy"), (3, "iso"), (4, "us")) if match[name])
        found = _day(match[f"y{index}"], match[f"m{index}"], match[f"d{index}"])
        if found is not None:
            yield Day(found, match.start(), match.end())


def short_days_in(text: str, year: int, start: int, end: int) -> Iterator[Day]:
    """Month and day without a year, as of this year."""
    for match in re.finditer(
        rf"(?<![\d/])([01]?\d)/([0-3]?\d)(?![\d/])|\b({_M}) ([0-3]?\d)\b(?!,? +\d{{4}})",
        text[start:end],
        re.I,
    ):
        found = _day(str(year), match[1] or match[3], match[2] or match[4])
        if found is not None:
            yield Day(found, start + match.start(), start + match.end())


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


def _day(year: str, month: str, day: str) -> date | None:
    years, days = int(_digits(year)), int(_digits(day))
    named = month.casefold().rstrip(".").replace("1", "l").replace("0ct", "oct")
    months = next((i for i, name in enumerate(_MONTHS, 1) if name.startswith(named[:3])), 0)
    if not months:
        months = int(_digits(month)) if _digits(month).isdigit() else 0
    try:
        return date(years + 2000 if years < 100 else years, months, days)
    except ValueError:
        return None


def _digits(written: str) -> str:
    return written.translate(str.maketrans("OolI", "0011"))
