"""Numbers with their units as people write them: values, doses, heights, durations, rates and frequencies.

`quantities_in` finds every one in a text, in digits or in words. The unit is UCUM as `data/units.jsonl` spells it;
what the number is a value of is for the matcher's names beside it to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from tools.terminology.observations import UnitRow, units


class Quantity(NamedTuple):
    """text[start:end] is `low` to `high` of `unit` (UCUM; "" where none stands beside it); the two are the same
    unless it is a range. `dimension` is the unit's, or age. `compare` is <, <=, > or >= where the words say so
    ("at least", "over"), `about` where they leave it open. `per`: the amount and unit that it is for, (28, "d") in
    "2 mL per 28 days"."""

    start: int
    end: int
    low: float
    high: float
    unit: str = ""
    dimension: str = ""
    compare: str = ""
    about: bool = False
    per: tuple[float, str] | None = None

    @property
    def value(self) -> float | None:
        """The number, if it is one and no range."""
        return self.low if self.low == self.high else None


def quantities_in(text: str) -> list[Quantity]:
    """Every number of a text with its unit, left to right."""
    return [*each_quantity(text)]


def each_quantity(text: str) -> Iterator[Quantity]:
    """… one by one: what stands first costs no more than that."""
    for match in _pattern().finditer(text):
        yield from _READERS[match.lastgroup or ""](match)


def read_quantity(text: str) -> Quantity | None:
    """The quantity that a text is, if it is nothing but one."""
    found = quantities_in(text.strip())
    return found[0] if len(found) == 1 and found[0][:2] == (0, len(text.strip())) else None


def dispensed_in(text: str) -> list[Quantity]:
    """Amounts to dispense as prescriptions write them, "#30"."""
    return [
        Quantity(match.start(), match.end(), float(match[1]), float(match[1]))
        for match in re.finditer(r"(?<![\w#])#\s?(\d{1,4})(?![\w.])", text)
    ]


def convert(value: float, unit: str, to: str) -> float | None:
    """A value in another unit of the same dimension; None if the two have none in common."""
    one, other = units().get(unit.casefold()), units().get(to.casefold())
    if one is None or other is None or one.dimension != other.dimension or one.dimension == "temperature":
        return None
    return value * float(one.factor) / float(other.factor)


def _quantity(match: re.Match[str]) -> Iterator[Quantity]:
    row, age = _unit(match), match["q_age"] is not None
    low = _number(match["q_low"])
    high = _number(match["q_high"]) if match["q_high"] else low
    fraction = 0.5 if match["q_half"] else 0.0
    about = bool(match["q_about"])
    yield Quantity(
        match.start("q"),
        match.end("q"),
        low + fraction,
        high + fraction,
        "a" if age else row.unit if row else "",
        "age" if age else row.dimension if row else "",
        _COMPARE.get(" ".join((match["q_compare"] or "").casefold().split()), ""),
        about,
        _per(match, "q"),
    )


def _unit(match: re.Match[str]) -> UnitRow | None:
    said = match["q_unit"]
    return units().get(" ".join(said.casefold().split())) if said else None


def _per(match: re.Match[str], group: str) -> tuple[float, str] | None:
    said = match[f"{group}_per_unit"]
    if not said:
        return None
    number = match[f"{group}_per"]
    return (_number(number) if number else 1.0), units()[" ".join(said.casefold().split())].unit


def _height(match: re.Match[str]) -> Iterator[Quantity]:
    inches = 12 * float(match["h_ft"]) + float(match["h_in"] or 0)
    yield Quantity(match.start(), match.end(), inches, inches, "[in_i]", "length")


def _pounds(match: re.Match[str]) -> Iterator[Quantity]:
    pounds = float(match["p_lb"].replace(",", "")) + float(match["p_oz"]) / 16
    yield Quantity(match.start(), match.end(), pounds, pounds, "[lb_av]", "mass")


def _pressure(match: re.Match[str]) -> Iterator[Quantity]:
    high, low = int(match["b_sys"]), int(match["b_dia"])
    if 60 <= high <= 300 and 30 <= low < high:
        for name, value in (("b_sys", high), ("b_dia", low)):
            yield Quantity(match.start(name), match.end(name), value, value, "mm[Hg]", "pressure")


def _money(match: re.Match[str]) -> Iterator[Quantity]:
    value = float(match["m_value"].replace(",", ""))
    yield Quantity(match.start(), match.end(), value, value, "[USD]", "money", per=_per(match, "m"))


def _often(match: re.Match[str]) -> Iterator[Quantity]:
    """How often: bid, q12h, three times a day, every 8 hours, 2x/week."""
    words = re.sub(r"[.\s]", "", match["f"].casefold())
    if words in _LATIN:
        times, unit = _LATIN[words]
    elif match["f_every"]:
        times, unit = (
            1 / (2.0 if match["f_other"] else _number(match["f_every_n"] or "1")),
            _period(match["f_every"]),
        )
    elif match["f_q"]:
        times, unit = 1 / _number(match["f_q"]), _period(match["f_q_unit"])
    elif match["f_alone"]:
        times, unit = 1.0, _period(match["f_alone"])
    else:
        times, unit = _number(match["f_times"]), _period(match["f_period"])
    if unit == "/h":
        times, unit = 24 * times, "/d"
    yield Quantity(match.start("f"), match.end("f"), times, times, unit, "frequency")


def _period(said: str) -> str:
    return _PERIODS[said.casefold()[0]]


def _number(said: str) -> float:
    if said.endswith(")"):
        said = said[said.index("(") + 1 : -1]
    words = said.casefold().replace("-", " ").split()
    if re.search(r"\d", said):
        whole, _, fraction = said.replace(",", "").rpartition(" ")
        if "/" in fraction:
            top, bottom = fraction.split("/")
            return float(whole or 0) + float(top) / float(bottom)
        return float(said.replace(",", "")) if not whole else float(whole)
    if "point" in words:
        at = words.index("point")
        whole, digits = " ".join(words[:at]), "".join(f"{_WORDS[word]:.0f}" for word in words[at + 1 :])
        return float(f"{_number(whole):.0f}.{digits}")
    total = 0.0
    for word in words:
        total = total * _TIMES[word] if word in _TIMES else total + _WORDS.get(word, 0)
    return total


_PERIODS = {"d": "/d", "n": "/d", "w": "/wk", "s": "/wk", "m": "/mo", "h": "/h"}
_LATIN = {
    "qd": (1.0, "/d"), "od": (1.0, "/d"), "qday": (1.0, "/d"), "qam": (1.0, "/d"), "qpm": (1.0, "/d"),
    "qhs": (1.0, "/d"), "bid": (2.0, "/d"), "tid": (3.0, "/d"), "qid": (4.0, "/d"), "qod": (0.5, "/d"),
    "qwk": (1.0, "/wk"), "qweek": (1.0, "/wk"), "qw": (1.0, "/wk"), "biw": (2.0, "/wk"), "tiw": (3.0, "/wk"),
    "qmonth": (1.0, "/mo"), "qhour": (1.0, "/h"),
}  # fmt: skip
SMALL_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPANISH = {  # but for "once", which is English too
    "dos": 2.0, "tres": 3.0, "cuatro": 4.0, "cinco": 5.0, "seis": 6.0, "siete": 7.0, "ocho": 8.0, "nueve": 9.0,
    "diez": 10.0, "doce": 12.0, "trece": 13.0, "catorce": 14.0, "quince": 15.0, "veinte": 20.0, "treinta": 30.0,
    "cuarenta": 40.0, "cincuenta": 50.0, "sesenta": 60.0, "setenta": 70.0, "ochenta": 80.0, "noventa": 90.0,
    "cien": 100.0, "ciento": 100.0,
}  # fmt: skip
_WORDS: dict[str, float] = {
    **{word: float(number) for number, word in enumerate(SMALL_NUMBERS)},
    **{word: 10.0 * number for number, word in enumerate(_TENS, start=2)},
    **_SPANISH,
    **dict.fromkeys(("a", "an", "once", "un", "una"), 1.0),
    "twice": 2.0,
    "thrice": 3.0,
    "half": 0.5,
}
_TIMES = {"hundred": 100, "thousand": 1000}
_COMPARE = {
    **dict.fromkeys(("<", "less than", "under", "below", "fewer than"), "<"),
    **dict.fromkeys(
        ("<=", "≤", "=<", "at most", "up to", "no more than", "not more than", "maximum of"), "<="
    ),
    **dict.fromkeys((">", "more than", "over", "above", "greater than", "exceeds", "exceeding"), ">"),
    **dict.fromkeys((">=", "≥", "=>", "at least", "no less than", "not less than", "minimum of"), ">="),
}
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\s+\d/\d(?!\d)|[1-3]/[2-4](?![\d/])|\d+(?:\.\d+)?|\.\d+)"
_HEIGHT_FORM = (
    r"(?P<h>(?P<h_ft>[3-8])\s?(?:'|’|′|ft\.?|feet|foot)\s*"
    r"(?:(?P<h_in>\d{1,2}(?:\.\d+)?)\s?(?:\"|”|″|''|in\.?\b|inch(?:es)?)?)?(?![\w.]?\d))"
)
_POUNDS_FORM = (
    r"(?P<p>(?P<p_lb>\d[\d,]*)\s?(?:lbs?|pounds?)\.?\s+(?P<p_oz>\d{1,2}(?:\.\d+)?)\s?(?:oz|ounces?))"
)
_PRESSURE_FORM = (
    r"(?P<b>(?P<b_sys>\d{2,3})\s?/\s?(?P<b_dia>\d{2,3})(?:\s?mm\s?\[?hg\]?)?"
    r"(?![\d/]|\s?(?:mg|mcg|ml|units?)))"
)
_READERS = {"q": _quantity, "h": _height, "p": _pounds, "b": _pressure, "m": _money, "f": _often}


@cache
def _pattern() -> re.Pattern[str]:
    ones, longest = (
        "|".join(SMALL_NUMBERS[1:10]),
        "|".join(sorted((*SMALL_NUMBERS, *_SPANISH), key=len, reverse=True)),
    )
    words = rf"(?:{'|'.join(_TENS)})(?:[- ](?:{ones}))?|{longest}"
    spoken = (
        rf"(?:(?:a|{words})\s+(?:hundred|thousand)(?:\s+and)?(?:\s+(?:{words}))?|ciento\s+(?:{words})|{words})"
        rf"(?:\s+point(?:\s+(?:zero|{ones}))+)?"
    )
    number = rf"(?:{_DIGITS}|\b{spoken}\b(?:\s*\(\d{{1,3}}\))?)"  # "sixty (60)"
    forms = (
        _money_form(),
        _HEIGHT_FORM,
        _POUNDS_FORM,
        _PRESSURE_FORM,
        _often_form(number),
        _quantity_form(number),
    )
    return re.compile(rf"(?<![\w.$#/])(?:{'|'.join(forms)})(?![^\W_])(?!\.\d|,\d{{3}})", re.IGNORECASE)


def _money_form() -> str:
    return r"(?P<m>\$\s?(?P<m_value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)" + _per_form("m") + ")"


def _often_form(number: str) -> str:
    return (
        rf"(?P<f>(?P<f_times>{number}|once|twice|thrice)\s*"
        r"(?:(?:x|×|(?:more\s+)?times?)\s*(?:[/]|\b(?:a|per|each|every)\b)?|[/]|\b(?:a|per|each|every)\b"
        r"|(?=daily|weekly|monthly|nightly))\s*(?P<f_period>day|daily|week|weekly|month|monthly|night|nightly)(?!s)"
        rf"|every\s+(?P<f_other>other\s+)?(?P<f_every_n>{number})?\s*-?"
        r"(?P<f_every>days?|weeks?|wks?|months?|hours?|hrs?|nights?)"
        r"|q\s*(?P<f_q>\d+)\s*-?(?P<f_q_unit>hours?|hrs?|h|days?|d|weeks?|wks?|w|months?|mo)"
        r"|(?P<f_alone>daily|weekly|monthly|nightly)"
        r"|q\.?\s?(?:d|day|am|pm|hs|od|wk|week|w|month)\b\.?|b\.?i\.?[dw]\b\.?|t\.?i\.?[dw]\b\.?|q\.?i\.?d\b\.?|od)"
    )


def _quantity_form(number: str) -> str:
    compare = "|".join(sorted(map(re.escape, _COMPARE), key=len, reverse=True)).replace(r"\ ", r"\s+")
    return (
        rf"(?P<q>(?:(?<!-)(?P<q_compare>{compare})\s*)?"
        r"(?P<q_about>(?:about|around|approximately|approx\.?|roughly|almost|nearly|~|≈|ca\.)\s*)?"
        rf"(?P<q_low>{number})(?:\s*(?:-|–|—|to|through)\s*(?P<q_high>{_DIGITS}))?(?P<q_half>\s+and\s+a\s+half)?"
        r"(?:(?P<q_age>[-\s]?(?:years?|yrs?|y)[-\s]?(?:old|of\s+age)|\s?y[./]?o\b\.?)"
        rf"|(?:\s?-?\s?)(?P<q_unit>{_units()})(?![^\W_]))?" + _per_form("q") + ")"
    )


def _per_form(group: str) -> str:
    time = r"days?|d|weeks?|wks?|months?|mos?|years?|yrs?|hours?|hrs?|h|minutes?|min"
    return (
        rf"(?:\s*(?:/|per|every|each|in|for|a)\s*(?P<{group}_per>\d+(?:\.\d+)?)?\s*-?"
        rf"(?P<{group}_per_unit>{time})(?![^\W_]))?"
    )


def _units() -> str:
    """Spellings that may stand after a number; a lone letter only where it is no word ("a", "s")."""
    spelled = [
        name for name in units() if name not in ("a", "s", "m", "'", '"', "’", "′", "”", "″", "$", "in.", "1")
    ]
    joined = "|".join(
        re.escape(name).replace(r"\ ", r"\s+") for name in sorted(spelled, key=len, reverse=True)
    )
    return joined.replace("|in|", r"|in(?!\s+[a-z])|")
