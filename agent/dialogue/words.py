# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""Plain text out of what was typed, numbers out of number words, and dates in the forms that people write."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import NamedTuple

from tools.common.dates import add_months
from tools.terminology.dates import dates_in

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


class Dated(NamedTuple):
    """A date and where it stands; `year` says whether the year was written."""

    start: int
    end: int
    date: date
    year: bool


def clean(text: str) -> str:
    """One line, straight quotes, no invisible characters; case is kept."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    text = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text)
    return " ".join(text.split())


def plain(text: str) -> str:
    """Clean text with number words as digits."""
    return numbers(clean(text))


def low(text: str) -> str:
    """In lower case, with every character where it was."""
    return "".join(lower if len(lower := c.lower()) == 1 else c for c in text)


def numbers(text: str) -> str:
    """Number words as digits: "seven point four" → 7.4, "two months" → 2 months; "that one" stays."""
    for pattern, instead in _PHRASES:
        text = pattern.sub(instead, text)
    return _NUMBER_WORD.sub(_digits, text)


def dates(text: str, after: date | None = None) -> list[Dated]:
    """Every day, month first where the order is open; one without a year is the next such day after `after`."""
    found = []
    for span in dates_in(text, after):
        if span.relative or span.day is None:
            continue
        day = span.day if span.year or after is None or span.day >= after else add_months(span.day, 12)
        found.append(Dated(span.start, span.end, day, span.year))
    return found


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
