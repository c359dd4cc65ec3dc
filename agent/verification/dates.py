"""The days that a text's dates can mean. A claim is a span of days: "April 2026" is any day of that month."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import NamedTuple

from tools.common.dates import months_between
from tools.terminology.dates import DateSpan, dates_in


class DayMention(NamedTuple):
    """The days that the words can mean; `exact` if it is one. A day that does not exist is date.min."""

    start: int
    end: int
    first: date
    last: date
    exact: bool

    def has(self, day: date) -> bool:
        return self.first <= day <= self.last


_LEADS_TO_YEAR = re.compile(
    r"\b(?:in|since|year|during|from|until|of|by|to|and|for|early|mid|late)[\s-]+$", re.IGNORECASE
)


_DIGITS = re.compile(r"(?<![\w.-])\d{8}(?![\w-]|\.\d)")


def compact_day(digits: str) -> date | None:
    """The day that eight digits write where a form has a box for each, MMDDYYYY; None if they write none."""
    try:
        day = datetime.strptime(digits, "%m%d%Y").date()
    except ValueError:
        return None
    return day if len(digits) == 8 and day.year >= 1900 else None


def days(text: str, as_of: date | None) -> list[DayMention]:
    """Every date of a text, in order; those that lean on today need `as_of` and are left out without it."""
    found = [
        DayMention(*match.span(), day, day, exact=True)
        for match in _DIGITS.finditer(text)
        if (day := compact_day(match[0]))
    ]
    for span in dates_in(text, as_of, impossible=True):
        if _is_number(span, text):
            continue
        first, last = _meant(span, text, as_of)
        found.append(DayMention(span.start, span.end, first, last, first == last))
    return sorted(found)


def _is_number(span: DateSpan, text: str) -> bool:
    """A year alone is one only where the words lead to it: a volume of a journal is none."""
    alone = span.end - span.start == 4 and text[span.start : span.end].isdigit()
    return alone and not _LEADS_TO_YEAR.search(text, max(0, span.start - 10), span.start)


def _meant(span: DateSpan, text: str, as_of: date | None) -> tuple[date, date]:
    """ "two weeks ago" leaves some days either way, "15 days ago" none."""
    if (
        not span.relative
        or span.day is None
        or as_of is None
        or not re.search("ago|hace", text[span.start : span.end])
    ):
        return span.first, span.last
    exact = text[span.start].isdigit()
    months = abs(months_between(span.day, as_of))
    days = {"day": 0 if exact else 2, "week": 4, "month": 16, "year": max(16, min(20 * months, 183))}[
        span.unit
    ]
    return span.day - timedelta(days=days), span.day + timedelta(days=days)
