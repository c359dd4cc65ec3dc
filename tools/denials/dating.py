"""The days of a letter: its own, the birth date, when the request came in and was decided."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.denials.days import days_in
from tools.denials.found import TOP
from tools.denials.records import StatedDate
from tools.denials.words import Letter

_BIRTH = re.compile(r"(?:d\.?o\.?b\.?|birth\s?date|date of birth|born(?: on)?|birth)\W*$", re.IGNORECASE)
_RECEIVED = re.compile(r"(?:received|receipt|got|came in|reached us)\b[^.\n]{0,60}$", re.IGNORECASE)
_DECIDED = re.compile(
    r"(?:decided|decision (?:date|made|of)|date of (?:decision|determination)|determined|determination"
    r" date)[^.\n]{0,25}$",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"(?:date(?: (?:of (?:this )?(?:notice|letter|discussion|fax)|sent|posted|issued|printed|mailed))?"
    r"|dated|posted|sent|mailed|issued|notice date|letter date|call log|log)\W*(?:\w{3}, )?$",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"(?:fill(?:ed)?|by|until|from|through|to|since|on|before|ends?|ended|due|claim of|study of|since"
    r"|denied|drawn|\bof)\W*$",
    re.IGNORECASE,
)


class Dates(NamedTuple):
    dated: StatedDate | None
    born: StatedDate | None
    received: StatedDate | None
    decided: StatedDate | None


def dates_of(letter: Letter) -> Dates:
    """The letter's day is one that it names so, or the first that stands by itself."""
    text = letter.plain
    dated: tuple[int, StatedDate] | None = None
    born = received = decided = None
    for day in days_in(text):
        before = text[max(0, day.start - 80) : day.start]
        stated = StatedDate(value=day.day, quote=letter.quote(day.start, day.end))
        if _BIRTH.search(before):
            born = born or stated
        elif _RECEIVED.search(before):
            received = received or stated
        elif _DECIDED.search(before):
            decided = decided or stated
        else:
            rank = _rank_of_date(before, text, day.start, day.end, day.day.year)
            if dated is None or rank < dated[0]:
                dated = (rank, stated)
    if born is None and dated is not None:
        born = _lone_birth(letter, dated[1])
    chosen = dated[1] if dated and dated[0] < 8 else None
    if (
        decided
        and (dated is None or dated[0] > 0)
        and (chosen is None or decided.quote.start < chosen.quote.start)
    ):
        chosen = decided
    return Dates(chosen, born, received, decided)


def _rank_of_date(before: str, text: str, start: int, end: int, year: int) -> int:
    if year < 2000:
        return 9
    if _DATED.search(before):
        return 0
    line_start, line_end = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    line = text[line_start : line_end if line_end != -1 else len(text)]
    if line.strip() == text[start:end] or (
        start < TOP and len(line.strip()) < 90 and not re.search(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", line)
    ):
        return 2
    if _ELSEWHERE.search(before):
        return 8
    return 5 if start < TOP else 7


def _lone_birth(letter: Letter, dated: StatedDate) -> StatedDate | None:
    """A day of the heading that is years before the letter is a birth date only beside a patient's label."""
    for day in days_in(letter.plain, 0, min(TOP, len(letter.plain))):
        line = letter.plain[letter.plain.rfind("\n", 0, day.start) + 1 : day.start]
        if day.day.year <= dated.value.year - 10 and re.match(
            r"\s*(?:pt|patient|member|enrollee)\b", line, re.IGNORECASE
        ):
            return StatedDate(value=day.day, quote=letter.quote(day.start, day.end))
    return None
