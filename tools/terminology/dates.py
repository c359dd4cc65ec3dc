"""Days, months, years and stretches of time as people write them, in English and Spanish.

`dates_in` finds every one in a text; each has a first and a last day, the same for a day and a month apart for a
month. What is relative ("3 weeks ago", "last March", "9/4") is so to the anchor that is passed in. In a slashed
date the month stands first, as in the US; where the day could stand there too, the other reading is given beside.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

import msgspec
from rapidfuzz.distance.Levenshtein import distance

from tools.common.dates import add_months
from tools.terminology.rows import read_rows

Days = tuple[date, date]


class DateSpan(NamedTuple):
    """text[start:end] names the days `first` to `last`. `other`: what it may mean as well (4/9 by day first, May
    2026 for "May 26"). `year`: whether the text says the year. `relative`: counted from the anchor; `unit` is then
    what in (day, week, month, year), and all but days are not meant to the day."""

    start: int
    end: int
    first: date
    last: date
    other: Days | None = None
    year: bool = True
    relative: bool = False
    unit: str = ""

    @property
    def day(self) -> date | None:
        """The day, if it is one."""
        return self.first if self.first == self.last else None


class CalendarRow(msgspec.Struct, frozen=True):
    """A line of calendar.jsonl: `number` is the month, the weekday (Monday 0) or the season's first month;
    `also_words` are the names that are ordinary words too (may, march)."""

    kind: str
    number: int
    name: str
    names: tuple[str, ...]
    also_words: tuple[str, ...] = ()
    source: str = ""


def dates_in(text: str, anchor: date | None, impossible: bool = False) -> list[DateSpan]:
    """Every date of a text, left to right; relative ones as seen from `anchor`, or left out without it. With
    `impossible`, February 30 is found too, as a day that never is: date.min."""
    found: list[DateSpan] = []
    seen_from = anchor or _CENTURY
    for match in _pattern().finditer(text):
        form = next(name for name in _FORMS if match[name] is not None)
        try:
            span = _FORMS[form].read(match, seen_from)
        except (ValueError, OverflowError):
            span = _span(match, date.min) if impossible else None
        if span:
            found.append(span)
    found = _with_years(text, found)
    return found if anchor else [span for span in found if span.year]


def coming_days(text: str, anchor: date) -> list[DateSpan]:
    """Weekdays, federal holidays and days of a month of a text that are named without their date, each the next one
    after `anchor`; a weekday with its day of the month is the next such one ("Friday the 4th", "by the 21st")."""
    found = []
    for match in _coming_pattern().finditer(text):
        if match["holiday"]:
            name = " ".join(match["holiday"].casefold().replace("’", "'").split())
            day = min((d for d in _holidays(anchor.year)[name] if d > anchor), default=None)
        elif match["day"]:
            number = _numbers("weekday")[match["day"].casefold()]
            first = anchor + timedelta(days=(number - anchor.weekday() - 1) % 7 + 1)
            day = _first_such(first, 7, _ordinal(match["nth"], match["nth_word"]))
        else:
            wanted = _ordinal(match["by"] or match["then"], match["by_word"] or match["then_word"])
            day = _first_such(anchor + timedelta(days=1), 1, wanted)
        if day is not None:
            found.append(_span(match, day, relative="day"))
    return found


def _ordinal(number: str | None, word: str | None) -> int:
    return int(number or 0) or _ORDINALS.get((word or "").casefold(), 0)


def _first_such(first: date, step: int, day_of_month: int) -> date | None:
    """The first day, of every `step` days from `first` on, that is this one of its month; the first where it is 0."""
    days = (first + timedelta(days=step * n) for n in range(371 // step))
    return next((one for one in days if day_of_month in (0, one.day)), None)


@cache
def _coming_pattern() -> re.Pattern[str]:
    weekdays = "|".join(name for name in _numbers("weekday") if len(name) > 4)
    holidays = "|".join(re.escape(name) for name in sorted(_holidays(2026), key=len, reverse=True))

    def nth(name: str, least: int = 1) -> str:
        words = "|".join(word for word, number in _ORDINALS.items() if number >= least)
        return rf"(?:(?P<{name}>\d\d?)(?:st|nd|rd|th)\b|(?P<{name}_word>{words})\b)"

    lead = r"\b(?:on|by|before|until|till|after|from)\s+the\s+"
    end = r"(?=\s*(?:[.,;:!?)]|$))"  # "no, the fourteenth", and neither "the third one" nor "the third."
    return re.compile(
        rf"\b(?:(?:this|coming|next)\s+)?(?:(?P<day>{weekdays})\b(?:,?\s+(?:the\s+)?{nth('nth')})?"
        rf"|(?P<holiday>{holidays})\b)|{lead}{nth('by', 11)}|\bthe\s+{nth('then', 11)}{end}",
        re.IGNORECASE,
    )


@cache
def _holidays(year: int) -> dict[str, tuple[date, ...]]:
    """The federal holidays of two years by their names in lower case, with and without "day"."""
    from holidays import country_holidays

    found: dict[str, tuple[date, ...]] = {}
    for day, named in sorted(country_holidays("US", years=(year, year + 1), observed=False).items()):
        for name in named.casefold().split("; "):
            for known in {name, name.removesuffix(" day")}:
                found[known] = (*found.get(known, ()), day)
    return found


def read_date(text: str, anchor: date | None) -> date | None:
    """The day that a text is, if it is nothing but one."""
    found = dates_in(text.strip(), anchor)
    return found[0].day if len(found) == 1 and found[0].end - found[0].start == len(text.strip()) else None


def month_number(name: str) -> int | None:
    """1 to 12 for the name of a month or its abbreviation, in English or Spanish."""
    return _numbers("month").get(name.casefold().rstrip("."))


def month_abbreviation(written: str) -> str:
    """Three letters for the name of a month, also with one slip in five letters or more; "" if it is none."""
    name = written.casefold()
    number = month_number(name)
    if number is None and len(name) > 4:
        near = (one for one in _numbers("month") if len(one) > 4 and distance(name, one, score_cutoff=1) < 2)
        number = month_number(next(near, ""))
    return calendar.month_abbr[number] if number else ""


def month_names() -> str:
    """An alternation of all names and abbreviations of months, longer ones first."""
    return _names("month")


@cache
def calendar_words() -> frozenset[str]:
    """Names of months, weekdays and seasons, in lower case."""
    return frozenset(name for kind in ("month", "weekday", "season") for name in _numbers(kind))


@cache
def _numbers(kind: str) -> dict[str, int]:
    return {
        name.casefold(): row.number
        for row in read_rows("calendar", CalendarRow)
        if row.kind == kind
        for name in (row.name, *row.names)
    }


@cache
def _also_words() -> frozenset[str]:
    return frozenset(word for row in read_rows("calendar", CalendarRow) for word in row.also_words)


def _names(kind: str) -> str:
    return "|".join(sorted(map(re.escape, _numbers(kind)), key=len, reverse=True))


class _Form(NamedTuple):
    pattern: str
    read: Callable[[re.Match[str], date], DateSpan | None]


def _span(
    match: re.Match[str],
    first: date,
    last: date | None = None,
    other: Days | None = None,
    year: bool = True,
    relative: str = "",
) -> DateSpan:
    """`relative` is the unit in which the words count from the anchor."""
    said = year and not relative
    return DateSpan(match.start(), match.end(), first, last or first, other, said, bool(relative), relative)


def _month(year: int, month: int) -> Days:
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def _year(said: str, anchor: date) -> int:
    """Two digits are of this century unless that lies more than ten years ahead."""
    year = int(said.lstrip("'’"))
    if year >= 100:
        return year
    year += anchor.year // 100 * 100
    return year - 100 if year > anchor.year + 10 else year


def _last_such(month: int, day: int, anchor: date) -> date:
    """The last such day up to the anchor; leap days go back to the last leap year."""
    for year in range(anchor.year, anchor.year - 9, -1):
        if day <= calendar.monthrange(year, month)[1] and date(year, month, day) <= anchor:
            return date(year, month, day)
    raise ValueError(f"no {month}/{day} before {anchor}")


def _iso(match: re.Match[str], anchor: date) -> DateSpan:
    return _span(match, date(int(match["iy"]), int(match["im"]), int(match["id"])))


def _compact(match: re.Match[str], anchor: date) -> DateSpan:
    return _span(match, date(int(match["cy"]), int(match["cm"]), int(match["cd"])))


def _numeric(match: re.Match[str], anchor: date) -> DateSpan:
    a, b, year = int(match["na"]), int(match["nb"]), _year(match["ny"], anchor)
    if a > 12:
        return _span(match, date(year, b, a))
    swapped = date(year, b, a) if b <= 12 and a != b else None
    return _span(match, date(year, a, b), other=(swapped, swapped) if swapped else None)


def _month_and_day(match: re.Match[str], anchor: date) -> DateSpan | None:
    month, day = int(match["sm"]), int(match["sd"])
    if day == 10 and _RATED.search(match.string, max(0, match.start() - 30), match.start()):
        return None
    year = anchor.year // 100 * 100 + day
    near = day > 12 and abs(year - anchor.year) <= 10 and len(match["sd"]) == 2
    return _span(
        match, _last_such(month, day, anchor), other=_month(year, month) if near else None, year=False
    )


def _day_first(match: re.Match[str], anchor: date) -> DateSpan:
    return _named(match, anchor, match["dd"] or match["dw"], match["dm"], match["dy"])


def _month_first(match: re.Match[str], anchor: date) -> DateSpan:
    return _named(match, anchor, match["md"] or match["mw"], match["mm"], match["my"])


def _named(match: re.Match[str], anchor: date, day: str, month: str, year: str | None) -> DateSpan:
    number = _numbers("month")[month.casefold()]
    day = str(_ORDINALS.get(day.casefold(), day))
    if year:
        return _span(match, date(_year(year, anchor), number, int(day)))
    short = _year(day, anchor) if len(day) == 2 and int(day) > 12 and match.end() == match.end("md") else 0
    near = short and abs(short - anchor.year) <= 10
    return _span(
        match, _last_such(number, int(day), anchor), other=_month(short, number) if near else None, year=False
    )


def _month_of_year(match: re.Match[str], anchor: date) -> DateSpan:
    month = _numbers("month")[match["om"].casefold()]
    first, last = _part(match["op"], *_month(_year(match["oy"], anchor), month))
    return DateSpan(match.start("om"), match.end(), first, last)


def _slashed_month(match: re.Match[str], anchor: date) -> DateSpan:
    return _span(match, *_month(int(match["ty"]), int(match["tm"])))


def _iso_month(match: re.Match[str], anchor: date) -> DateSpan:
    return _span(match, *_month(int(match["xy"]), int(match["xm"])))


def _bare_month(match: re.Match[str], anchor: date) -> DateSpan | None:
    """A month alone. What is an ordinary word too counts only after "in", "since", "last" and their like, and an
    abbreviation only with its capital."""
    said, which = match["bm"], (match["bw"] or "").casefold()
    if not (which or _SINCE.search(match.string, max(0, match.start() - 12), match.start("bm"))) and (
        said.casefold() in _also_words() or (len(said) < 4 and said.islower())
    ):
        return None
    month = _numbers("month")[said.casefold()]
    year = anchor.year if month <= anchor.month else anchor.year - 1
    if which == "next":
        year = anchor.year if month > anchor.month else anchor.year + 1
    elif which == "this":
        year = anchor.year
    elif which in ("last", "this past") and month == anchor.month:
        year = anchor.year - 1
    return DateSpan(match.start("bm"), match.end(), *_part(match["bp"], *_month(year, month)), year=False)


def _part(said: str | None, first: date, last: date) -> Days:
    """Early, mid and late in a month overlap, as people use them."""
    if not said:
        return first, last
    low, high = {"early": (1, 12), "mid": (9, 21), "late": (18, last.day)}[said.casefold()]
    return first.replace(day=low), first.replace(day=high)


def _bare_year(match: re.Match[str], anchor: date) -> DateSpan:
    year = int(match["yy"])
    return DateSpan(match.start("yy"), match.end(), date(year, 1, 1), date(year, 12, 31))


def _season(match: re.Match[str], anchor: date) -> DateSpan | None:
    first_month = _numbers("season")[match["se"].casefold()]
    if match["sy"]:
        year = int(match["sy"])
    elif not match["sw"]:
        return None  # a fall, a spring: not a season
    else:
        year = (
            anchor.year
            if match["sw"].casefold() == "this" or first_month + 2 < anchor.month
            else anchor.year - 1
        )
    first = date(year, first_month, 1)
    return _span(match, first, add_months(first, 3) - timedelta(days=1))


def _quarter(match: re.Match[str], anchor: date) -> DateSpan:
    first = date(int(match["qy"]), 3 * int(match["qn"]) - 2, 1)
    return _span(match, first, add_months(first, 3) - timedelta(days=1))


def _near(match: re.Match[str], anchor: date) -> DateSpan:
    words = " ".join(match["near"].casefold().split())
    return _span(match, anchor + timedelta(days=_NEAR[words]), relative="day")


def _weekday(match: re.Match[str], anchor: date) -> DateSpan:
    number = _numbers("weekday")[match["wd"].casefold()]
    if match["ww"].casefold() == "next":
        return _span(match, anchor + timedelta(days=(number - anchor.weekday() - 1) % 7 + 1), relative="day")
    return _span(match, anchor - timedelta(days=(anchor.weekday() - number - 1) % 7 + 1), relative="day")


def _ago(match: re.Match[str], anchor: date) -> DateSpan:
    number = match["an"] or match["hn"] or match["fn"] or match["gn"]
    unit = match["au"] or match["hu"] or match["fu"] or match["gu"]
    sign = -1 if match["an"] or match["hn"] else 1
    return _span(match, _moved(anchor, sign * _count(number), unit), relative=_kind(unit))


def _past(match: re.Match[str], anchor: date) -> DateSpan:
    return _span(
        match, _moved(anchor, -_count(match["pn"]), match["pu"]), anchor, relative=_kind(match["pu"])
    )


def _this_unit(match: re.Match[str], anchor: date) -> DateSpan:
    words = match.group().casefold()
    step = (
        1 if re.search(r"next|pr[oó]xim", words) else 0 if re.search(r"this|current|est[ea]", words) else -1
    )
    kind = _kind(match["lu"] or match["lv"])
    if kind == "week":
        monday = anchor - timedelta(days=anchor.weekday() - 7 * step)
        return _span(match, monday, monday + timedelta(days=6), relative=kind)
    if kind == "month":
        moved = add_months(anchor.replace(day=1), step)
        return _span(match, *_month(moved.year, moved.month), relative=kind)
    return _span(match, date(anchor.year + step, 1, 1), date(anchor.year + step, 12, 31), relative=kind)


def _moved(anchor: date, count: int, unit: str) -> date:
    kind = _kind(unit)
    if kind in ("day", "week"):
        return anchor + timedelta(days=count * (7 if kind == "week" else 1))
    return add_months(anchor, count * (12 if kind == "year" else 1))


def _kind(unit: str) -> str:
    letter = unit.casefold()[0]
    return {"d": "day", "w": "week", "s": "week", "y": "year", "a": "year"}.get(letter, "month")


def _count(said: str) -> int:
    words = " ".join(said.casefold().split())
    return int(words) if words.isdigit() else _COUNTS[words]


def _with_years(text: str, found: list[DateSpan]) -> list[DateSpan]:
    """The first end of a range takes the year of the second: "March 1 to May 30, 2025"."""
    for index in range(len(found) - 2, -1, -1):
        one, then = found[index], found[index + 1]
        if one.year or one.relative or not then.year or not _TO.fullmatch(text[one.end : then.start]):
            continue
        years = then.last.year - one.first.year
        if (one.first.month, one.first.day) > (then.last.month, then.last.day):
            years -= 1
        first = add_months(one.first, 12 * years)
        last = first if one.day else _month(first.year, first.month)[1]
        found[index] = one._replace(first=first, last=last, other=None, year=True)
    return found


_CENTURY = date(2039, 12, 31)  # two digits up to 49 are then of this century
_TO = re.compile(r"\s*(?:-|–|—|to|through|thru|until|till|and|a|al|hasta)\s*", re.IGNORECASE)
_RATED = re.compile(r"pain|scale|score|severity|rated|rating", re.IGNORECASE)
_SINCE = re.compile(
    r"\b(?:in|since|of|by|until|till|from|to|through|during|early|mid|late|en|desde|hasta)[\s-]*$",
    re.IGNORECASE,
)
_NEAR = {
    "today": 0,
    "this morning": 0,
    "this afternoon": 0,
    "this evening": 0,
    "tonight": 0,
    "yesterday": -1,
    "last night": -1,
    "tomorrow": 1,
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
    "hoy": 0,
    "esta mañana": 0,
    "esta tarde": 0,
    "esta noche": 0,
    "anoche": -1,
    "ayer": -1,
    "anteayer": -2,
    "mañana": 1,
    "pasado mañana": 2,
}
_COUNTS = {
    word: number
    for number, words in enumerate(
        (
            "a an one un una", "two dos a_couple_of couple_of a_couple", "three tres", "four cuatro", "five cinco",
            "six seis half_a_dozen", "seven siete", "eight ocho", "nine nueve", "ten diez", "eleven once",
            "twelve doce",
        ),
        start=1,
    )
    for word in (w.replace("_", " ") for w in words.split())
}  # fmt: skip
_TO_TWENTIETH = re.findall(
    r"\w+",
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth",
)
_ORDINALS = {  # longer ones first
    **{f"twenty-{word}": 20 + n for n, word in enumerate(_TO_TWENTIETH[:9], start=1)},
    "thirty-first": 31,
    "thirtieth": 30,
    **{word: n for n, word in enumerate(_TO_TWENTIETH, start=1)},
}
_UNIT = r"(?:days?|d|weeks?|wks?|w|months?|mos?|mths?|years?|yrs?|y|d[ií]as?|semanas?|mes(?:es)?|a[nñ]os?)(?![^\W_])"


@cache
def _pattern() -> re.Pattern[str]:
    forms = "|".join(f"(?P<{name}>{form.pattern.format(**_pieces())})" for name, form in _FORMS.items())
    starts, ends = (
        r"(?<![\w./$#])(?:(?<!-)|(?<=\d{4}-)(?=\d\d?/))",
        r"(?![\w%]|[/.,]\d|-\d(?!\d?/))",
    )  # 1/2/26-3/4/26
    return re.compile(rf"{starts}(?:{forms}){ends}", re.IGNORECASE)


def _pieces() -> dict[str, str]:
    counts = "|".join(sorted(map(re.escape, _COUNTS), key=len, reverse=True)).replace(r"\ ", r"\s+")
    near = "|".join(sorted(_NEAR, key=len, reverse=True)).replace(" ", r"\s+")
    weekday = _names("weekday")
    return {
        "month": _names("month"),
        "weekday": weekday,
        "season": _names("season"),
        "lead": rf"(?:(?:{weekday})\.?,?\s+)?",
        "count": rf"\d{{1,3}}|{counts}",
        "unit": _UNIT,
        "near": near,
        "ordinal": "|".join(_ORDINALS),
        "year": r"(?:19|20)\d\d",
        "short": r"(?:19|20)\d\d|['’]?\d\d",
        "no_dose": r"(?!\s*(?:mg|mcg|ug|g|ml|units?|iu|kcal|cal|calories|tab\w*|pills?|caps?\w*|of|steps|%|lbs?|kg|mm"
        r"|cups?)\b)",
    }


# The order is that of trying; longer forms stand before those that they begin with.
_FORMS: dict[str, _Form] = {
    "iso": _Form(
        r"(?P<iy>{year})(?P<is>[-/.])(?P<im>\d\d?)(?P=is)(?P<id>\d\d?)(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?",
        _iso,
    ),
    "compact": _Form(r"(?P<cy>{year})(?P<cm>0[1-9]|1[0-2])(?P<cd>0[1-9]|[12]\d|3[01])", _compact),
    "numeric": _Form(r"{lead}(?P<na>\d\d?)(?P<ns>[-/.])(?P<nb>\d\d?)(?P=ns)(?P<ny>{short})", _numeric),
    "day_first": _Form(
        r"(?:{lead}|(?:the|el)\s+)(?:(?P<dd>\d\d?)(?:st|nd|rd|th|º)?(?:[ ]*-[ ]*|[ ]*)(?:(?:of|de)\s+)?"
        r"|(?P<dw>{ordinal})\s+of\s+)"
        r"(?P<dm>{month})\.?(?:(?:\s*-\s*|,?\s*)(?:(?:of|de|del)\s+)?(?P<dy>{short}))?",
        _day_first,
    ),
    "month_of_year": _Form(
        r"(?:(?P<op>early|mid|late)[-\s]+)?(?P<om>{month})\.?(?:\s*-\s*|,?\s+)"
        r"(?:(?:of|de|del)\s+)?(?P<oy>{year}|['’]\d\d)",
        _month_of_year,
    ),
    "month_first": _Form(
        r"{lead}(?P<mm>{month})\.?(?:\s*-\s*|\s+)(?:the\s+)?"
        r"(?:(?P<md>\d\d?)(?:st|nd|rd|th)?(?!\s*(?::|am\b|pm\b))|(?P<mw>{ordinal})\b)"
        r"(?:(?:\s*-\s*|,?\s+)(?P<my>{year}|['’]?\d\d(?!\s*(?::|am\b|pm\b|%|mg\b|kg\b|lb))))?",
        _month_first,
    ),
    "slashed_month": _Form(r"(?P<tm>0?[1-9]|1[0-2])[-/](?P<ty>{year})", _slashed_month),
    "iso_month": _Form(r"(?P<xy>{year})-(?P<xm>0[1-9]|1[0-2])", _iso_month),
    "month_and_day": _Form(
        r"{lead}(?P<sm>0?[1-9]|1[0-2])/(?P<sd>0?[1-9]|[12]\d|3[01]){no_dose}", _month_and_day
    ),
    "season_form": _Form(
        r"(?:(?P<sw>last|this|this\s+past)\s+)?(?P<se>{season})(?:\s+(?:of|de)\s+|\s+(?=\d))?(?P<sy>{year})?",
        _season,
    ),
    "quarter": _Form(r"Q(?P<qn>[1-4])\s*(?:of\s+)?(?P<qy>{year})", _quarter),
    "weekday_form": _Form(r"(?P<ww>last|next|this\s+past)\s+(?P<wd>{weekday})", _weekday),
    "near": _Form(r"{near}", _near),
    "ago": _Form(
        r"(?P<an>{count})\s*(?P<au>{unit})\s+(?:ago|back)|hace\s+(?P<hn>{count})\s+(?P<hu>{unit})"
        r"|in\s+(?P<fn>{count})\s*(?P<fu>{unit})(?!\s+of)|(?P<gn>{count})\s*(?P<gu>{unit})\s+from\s+(?:now|today)",
        _ago,
    ),
    "past": _Form(r"(?:the\s+)?(?:past|last|previous)\s+(?P<pn>{count})\s*(?P<pu>{unit})", _past),
    "this_unit": _Form(
        r"(?:last|this|next|past|current)\s+(?P<lu>week|month|year)"
        r"|(?:el|la|est[ea])\s+(?P<lv>semana|mes|a[nñ]o)(?:\s+(?:pasad[oa]|pr[oó]xim[oa]))?",
        _this_unit,
    ),
    "bare_month": _Form(
        r"(?:(?P<bw>last|this|next|this\s+past)\s+)?(?:(?P<bp>early|mid|late)[-\s]+)?(?P<bm>{month})(?!['’]|\.?\s+\d)",
        _bare_month,
    ),
    "bare_year": _Form(
        r"(?P<yy>19[4-9]\d|20[0-4]\d)(?![;:]\d){no_dose}(?!\s*(?:people|patients|points|\())",
        _bare_year,
    ),
}
