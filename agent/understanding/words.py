# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""Plain text out of what was typed, numbers out of number words, and dates in the forms that people write."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import NamedTuple

_QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "´": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": " - ", "¿": " ", "¡": " "}
)
_UNITS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_COUNTED = r"(?=[\s-]+(?:more\s+|full\s+|additional\s+|extra\s+)?(?:days?|weeks?|wks?|months?|mos?|years?|yrs?|mg|kg|pounds?|lbs?|percent|point\b))"
_DIGIT = "|".join(_UNITS)
_NUMBER_WORD = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[\s-]+(?P<ones>{'|'.join(list(_UNITS)[:9])}))?"
    rf"|(?P<single>{'|'.join(list(_UNITS)[2:])})|(?P<small>one|two|an?){_COUNTED})\b"
    rf"(?:\s+point\s+(?P<tenth>{_DIGIT}|zero)\b)?",
    re.IGNORECASE,
)
_PHRASES = (
    (re.compile(r"\bhalf a year\b", re.I), "6 months"),
    (re.compile(r"\ba couple (?:of )?(?:more )?(?=days|weeks|months|years)", re.I), "2 "),
    (re.compile(r"\ba year and a half\b", re.I), "18 months"),
    (re.compile(r"\b(?:one|a) hundred (?:and )?(?=kg|kilo|pounds|lbs)", re.I), "100 "),
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan enero", "february feb febrero", "march mar marzo", "april apr abril", "may mayo", "june jun junio",
            "july jul julio", "august aug agosto", "september sep sept septiembre", "october oct octubre",
            "november nov noviembre", "december dec diciembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATE = re.compile(
    r"\b(?:(?P<y1>\d{4})[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})"
    r"|(?P<m2>\d{1,2})[-/.](?P<d2>\d{1,2})[-/.](?P<y2>\d{4}|\d{2})"
    rf"|(?P<n3>{_MONTH})\.?\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<y3>\d{{4}}))?"
    rf"|(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<n4>{_MONTH})\.?(?:,?\s+(?P<y4>\d{{4}}))?)\b",
    re.IGNORECASE,
)


class Dated(NamedTuple):
    """A date and where it stands; `year` says whether the year was written."""

    start: int
    end: int
    date: date
    year: bool


def plain(text: str) -> str:
    """One line, straight quotes, no invisible characters, number words as digits; case is kept."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    text = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text.replace("\n", " ; "))
    return numbers(" ".join(text.split()))


def low(text: str) -> str:
    """In lower case, with every character where it was."""
    return "".join(lower if len(lower := c.lower()) == 1 else c for c in text)


def numbers(text: str) -> str:
    """Number words as digits: "seven point four" → 7.4, "two months" → 2 months; "that one" stays."""
    for pattern, instead in _PHRASES:
        text = pattern.sub(instead, text)
    return _NUMBER_WORD.sub(_digits, text)


def dates(text: str, after: date | None = None) -> list[Dated]:
    """Every date, month first where the order is open; one without a year is the next such day after `after`."""
    found = []
    for match in _DATE.finditer(text):
        part = match.groupdict()
        year = part["y1"] or part["y2"] or part["y3"] or part["y4"]
        name = (part["n3"] or part["n4"] or "").lower()
        month = _MONTHS[name] if name else int(part["m1"] or part["m2"])
        day = int(part["d1"] or part["d2"] or part["d3"] or part["d4"])
        if month > 12 >= day:
            month, day = day, month
        read = _date(year, month, day, after)
        if read:
            found.append(Dated(match.start(), match.end(), read, bool(year)))
    return found


def _date(year: str | None, month: int, day: int, after: date | None) -> date | None:
    try:
        if year:
            number = int(year)
            if number < 100:
                number += 1900 if number > 30 else 2000
            return date(number, month, day)
        if after is None:
            return None
        here = date(after.year, month, day)
        return here if here >= after else date(after.year + 1, month, day)
    except ValueError:
        return None


def _digits(match: re.Match[str]) -> str:
    part = match.groupdict()
    if part["tens"]:
        number = _TENS[part["tens"].lower()] + _UNITS.get((part["ones"] or "").lower(), 0)
    else:
        word = (part["single"] or part["small"]).lower()
        number = _UNITS.get(word, 1)
    if part["tenth"]:
        return f"{number}.{_UNITS.get(part['tenth'].lower(), 0)}"
    return str(number)
