"""Days and spans of time in a letter: as they are written, in every order and with a scanner's slips."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from statistics import mode
from typing import NamedTuple

from tools.terminology.dates import DateSpan, dates_in, month_abbreviation
from tools.terminology.quantities import quantities_in

# A number, or a word before one, with what a scanner reads for a digit and for a letter.
_SLIP = re.compile(r"(?<![A-Za-z])[\dOolI]*\d[\dOolI]*(?![A-Za-z])|\b[^\W_]{3,10}(?=\.?\s+[OolI]?\d)")
_DIGITS = str.maketrans("OolI", "0011")
_LETTERS = str.maketrans("01I", "oll")
_HALF_A_YEAR = timedelta(weeks=26)  # a date without its year is the last before its anchor; weekdays stay
_SPANS = {"d": (1, "days"), "wk": (7, "days"), "{business day}": (1, "business days"), "mo": (1, "months")}


class Day(NamedTuple):
    """A day at [start, end)."""

    day: date
    start: int
    end: int


class Span(NamedTuple):
    """A stretch of time at [start, end): so many days, business days or months."""

    amount: int
    unit: str
    start: int
    end: int


def spans_in(text: str) -> Iterator[Span]:
    """Every stretch of days, weeks or months of a letter."""
    for one in quantities_in(_cleaned(text)):
        if one.unit in _SPANS and one.high == int(one.high):
            times, unit = _SPANS[one.unit]
            yield Span(times * int(one.high), unit, one.start, one.end)


def days_in(text: str) -> Iterator[Day]:
    """Every day of a letter; one that does not exist is none. One without its year is the nearest to the letter's own
    day, and "today" and the like are seen from that."""
    own = _own(text)
    for span in _dates(text, own and own + _HALF_A_YEAR):
        if not span.relative and span.day:
            yield Day(span.day, span.start, span.end)
        elif span.unit == "day" and span.day and not any(spans_in(text[span.start : span.end])):
            yield Day(span.day - _HALF_A_YEAR, span.start, span.end)


def _own(text: str) -> date | None:
    """The letter's day, as far as it can be told before it is read: the first of about the year that it names most."""
    days = [span.day for span in _dates(text, None) if span.day and span.day.year > 2000]
    usual = mode(day.year for day in days) if days else 0
    return next((day for day in days if abs(day.year - usual) < 2), None)


def _dates(text: str, anchor: date | None) -> list[DateSpan]:
    return dates_in(_cleaned(text), anchor)


def _cleaned(text: str) -> str:
    """Without a scanner's slips in numbers and months; every character stays in its place."""
    return _SLIP.sub(lambda match: _unslipped(match[0]), text)


def _unslipped(written: str) -> str:
    """As it was before it was scanned or mistyped, in as many characters."""
    if not re.search("[a-zA-Z]{2}", written):
        return written.translate(_DIGITS)
    month = month_abbreviation(written.translate(_LETTERS).replace("rn", "m"))
    return month.ljust(len(written)) if month else written
