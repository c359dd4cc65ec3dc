"""Dates in all the usual forms. A claim is a span of days: "April 2026" is any day of that month."""

from __future__ import annotations

import itertools
import re
from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

from agent.claims.numbers import WORDS, value_of
from tools.dates import add_months


class Day(NamedTuple):
    """The days that the words can mean; `exact` if it is one. `both` are two readings of 03/04/2026, never mixed."""

    start: int
    end: int
    first: date
    last: date
    exact: bool

    def has(self, day: date) -> bool:
        return self.first <= day <= self.last


MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sept sep", "october oct", "november nov", "december dec"),
        1,
    )
    for name in names.split()
}  # fmt: skip
_month = "|".join(sorted(MONTHS, key=len, reverse=True))
_day = r"(?:[0-3]?\d)(?:st|nd|rd|th)?"
SEASONS = {"spring": (3, 5), "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11)}
PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![\d-])(?P<y>(?:19|20)\d\d)-(?P<m>\d\d?)-(?P<d>\d\d?)(?![\d-])",
        r"(?<![\d/.])(?P<m>\d\d?)/(?P<d>\d\d?)/(?P<y>(?:19|20)?\d\d)(?![\d/])",
        r"(?<![\d.])(?P<m>\d\d?)[.-](?P<d>\d\d?)[.-](?P<y>(?:19|20)\d\d)(?![\d-])",
        rf"\b(?P<month>{_month})\b\.?\s+(?:the\s+)?(?P<d>{_day})\s*,?\s+(?P<y>(?:19|20)\d\d)\b",
        rf"\b(?P<d>{_day})\s+(?:of\s+)?(?P<month>{_month})\b\.?\s*,?\s*(?P<y>(?:19|20)\d\d)\b",
        rf"\b(?P<month>{_month})\b\.?\s+(?:the\s+)?(?P<d>{_day})\b(?!\s*(?:mg|%|/|\.\d))",
        rf"\b(?P<d>{_day})\s+(?:of\s+)?(?P<month>{_month})\b",
        rf"\b(?:(?P<part>early|mid|late)[- ])?(?P<month>{_month})\b\.?\s*,?\s*(?:of\s+)?(?P<y>(?:19"
        rf"|20)\d\d)\b",
        rf"\b(?P<which>last|this|past|next)\s+(?P<month>{_month})\b",
        rf"\b(?:in|since|until|by|during|from|to|of|and|\()\s*(?P<month>{_month})\b(?!\s+be\b)",
        rf"(?<=\()(?P<month>{_month})\b\.?(?=\))",
        r"\b(?P<m>\d\d?)/(?P<y>(?:19|20)\d\d)\b",
        r"\b(?:in|since|year|during|from|until|of|by|to|and|for)\s+(?P<y>(?:19|20)\d\d)\b(?![-/.,]?\d"
        r"|;\d|\s+(?:mg|kg))",
        r"\b(?P<which>last|this|past)\s+(?P<season>spring|summer|autumn|fall)\b",
        r"\b(?:in|since)\s+(?:the\s+)?(?P<season>spring|summer|autumn|fall)\b",
        r"\b(?P<which>last|this)\s+(?P<span>week|month|year)\b",
        r"\b(?P<near>today|yesterday)\b",
        rf"\b(?P<n>\d+|{WORDS}|an?|a\s+couple\s+of)\s+(?P<unit>day|week|month|year)s?\s+(?P<ago>ago"
        rf"|old|prior|earlier)\b",
    )
)


def days(text: str, as_of: date | None) -> list[Day]:
    """Every date of a text, in order; those that lean on today need `as_of` and are left out without it."""
    found: list[Day] = []
    for pattern in PATTERNS:
        for match in pattern.finditer(text):
            if any(d.start < match.end() and match.start() < d.end for d in found):
                continue
            meant = _meant(match, text, as_of)
            if meant is not None:
                start, first, last = _start(match), *meant
                found.append(Day(start, match.end(), first, last, first == last))
    return _of_the_same_year(sorted(found), text)


THROUGH = re.compile(r"\s*(?:to|through|until|till|and|-)\s*", re.IGNORECASE)


def _of_the_same_year(found: list[Day], text: str) -> list[Day]:
    """ "March 10 to March 31, 2024" is all of 2024."""
    for at, (one, other) in enumerate(itertools.pairwise(found)):
        bare = not re.search(r"\d{4}|\d/\d\d?/\d|ago|last|this", text[one.start : one.end], re.IGNORECASE)
        if (
            bare
            and THROUGH.fullmatch(text, one.end, other.start)
            and re.search(r"\d{4}", text[other.start : other.end])
        ):
            years = other.last.year - one.first.year - (one.first.replace(year=other.last.year) > other.last)
            found[at] = one._replace(
                first=add_months(one.first, 12 * years), last=add_months(one.last, 12 * years)
            )
    return found


def _start(match: re.Match[str]) -> int:
    """Without the word that led to it."""
    groups = [match.start(name) for name, value in match.groupdict().items() if value is not None]
    return min(groups)


def _meant(match: re.Match[str], text: str, as_of: date | None) -> tuple[date, date] | None:
    got = match.groupdict()
    month = int(got["m"]) if got.get("m") else MONTHS.get((got.get("month") or "").lower(), 0)
    day = int(re.sub(r"\D", "", got["d"])) if got.get("d") else 0
    year = _year(got.get("y"))
    if got.get("ago"):
        return _ago(got, text[: match.start()], as_of) if as_of else None
    if got.get("near"):
        return _near(got["near"], as_of) if as_of else None
    if got.get("span"):
        return _span(got["which"].lower(), got["span"].lower(), as_of) if as_of else None
    if not year:
        if as_of is None or not (month or got.get("season")):
            return None
        year = _usual_year(
            month or SEASONS[got["season"].lower()][0], (got.get("which") or "").lower(), as_of
        )
    try:
        if got.get("season"):
            low, high = SEASONS[got["season"].lower()]
            return date(year, low, 1), date(year, high, monthrange(year, high)[1])
        if day and month > 12 >= day:
            month, day = day, month
        if day:
            return date(year, month, day), date(year, month, day)
        if month:
            return _part(year, month, (got.get("part") or "").lower())
        return date(year, 1, 1), date(year, 12, 31)
    except ValueError:
        return date(1, 1, 1), date(1, 1, 1)  # no such day: none is ever so


def _year(text: str | None) -> int:
    if not text:
        return 0
    year = int(text)
    return year if year > 99 else year + (2000 if year < 50 else 1900)


def _usual_year(month: int, which: str, as_of: date) -> int:
    """A month without a year is the last one of that name; "next" is the one to come."""
    if which == "next":
        return as_of.year + (month <= as_of.month)
    if which == "this":
        return as_of.year
    return as_of.year - (month > as_of.month or (which == "last" and month == as_of.month))


def _part(year: int, month: int, part: str) -> tuple[date, date]:
    end = monthrange(year, month)[1]
    low, high = {"early": (1, 12), "mid": (9, 21), "late": (18, end)}.get(part, (1, end))
    return date(year, month, low), date(year, month, high)


def _near(word: str, as_of: date) -> tuple[date, date]:
    day = as_of - timedelta(days=word.lower() == "yesterday")
    return day, day


def _span(which: str, span: str, as_of: date) -> tuple[date, date]:
    if span == "week":
        monday = as_of - timedelta(days=as_of.weekday() + (7 if which == "last" else 0))
        return monday, monday + timedelta(days=6)
    if span == "month":
        first = add_months(as_of.replace(day=1), -1 if which == "last" else 0)
        return first, add_months(first, 1) - timedelta(days=1)
    year = as_of.year - (which == "last")
    return date(year, 1, 1), date(year, 12, 31)


def _ago(got: dict[str, str], before: str, as_of: date) -> tuple[date, date] | None:
    """ "two weeks ago" leaves some days either way, "15 days ago" none."""
    shown = got["n"].lower()
    if got["ago"].lower() == "old" and got["unit"].lower() == "year":
        return None  # an age
    count = 1.0 if shown in ("a", "an") else 2.0 if "couple" in shown else value_of(shown)
    unit = got["unit"].lower()
    if unit == "day":
        slack = 0 if shown.isdigit() else 2
        day = as_of - timedelta(days=round(count))
        return day - timedelta(days=slack), day + timedelta(days=slack)
    if unit == "week":
        day = as_of - timedelta(days=round(7 * count))
        return day - timedelta(days=4), day + timedelta(days=4)
    months = round(count * (12 if unit == "year" else 1))
    slack = max(16, min(20 * months, 183) if unit == "year" else 16)
    day = add_months(as_of, -months)
    return day - timedelta(days=slack), day + timedelta(days=slack)
