"""Numbers in digits and in words, with their unit: values, percentages, money, durations, ages, frequencies."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

What = Literal["value", "money", "duration", "age", "bare"]


class Number(NamedTuple):
    """`unit` as in UNITS ("%", "mg", "days", …), "" if none stands beside it. `compare` is "<", "<=", ">", ">=" where
    the words say so ("at least", "over"); `about` where they leave it open ("about", "almost"). `signed` is +1 or -1
    where it is a change ("up by", "lost")."""

    start: int
    end: int
    value: float
    unit: str
    what: What
    compare: str = ""
    about: bool = False
    change: int = 0
    decimals: int = 0


ONES = {
    w: i
    for i, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS = {
    w: 10 * i
    for i, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_one, _ten = "|".join(sorted(ONES, key=len, reverse=True)), "|".join(TENS)
_small = rf"(?:(?:{_ten})(?:[- ](?:{_one}))?|(?:{_one}))"
WORDS = (
    rf"(?:(?:a|{_one})\s+hundred(?:\s+and)?(?:\s+{_small})?|{_small})"
    rf"(?:\s+point\s+(?:{_one})(?:\s+(?:{_one}))?|\s+and\s+a\s+half)?"
)
DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
# Spelled out by what they are called here; the order is that of trying.
UNITS: dict[str, str] = {
    "kg/m2": r"kgs?\s?/\s?m\^?2|kg\s+per\s+(?:m2|square\s+met(?:er|re))",
    "mL/min/1.73 m2": r"ml\s?/\s?min(?:ute)?(?:\s?/\s?(?:\{1\.73_m2\}|1\.73\s?(?:m\^?2)?))?",
    "mmol/mol": r"mmol\s?/\s?mol",
    "mmol/L": r"mmol\s?/\s?l",
    "umol/L": r"umol\s?/\s?l",
    "mg/mmol": r"mg\s?/\s?mmol",
    "mg/dL": r"mgs?\s?/\s?dl|mg%",
    "mg/g": r"mgs?\s?/\s?g(?:\{creat\})?",
    "U/L": r"i?u\s?/\s?l",
    "mmHg": r"mm\s?\[?hg\]?",
    "events/h": r"(?:events?|/)\s?(?:/|per|an)?\s?h(?:our|r)?",
    "10^3/uL": r"(?:x\s?)?10[\^*]?[39]\s?/\s?u?l|k\s?/\s?ul",
    "percentage points": r"percentage\s+points?",
    "%": r"%|percent\b|per\s+cent\b|pct\b",
    "mcg": r"mcg|ug|micrograms?",
    "mg": r"mgs?|milligrams?",
    "mL": r"mls?|millilit(?:er|re)s?|cc",
    "kg": r"kgs?|kilos?|kilograms?",
    "lb": r"lbs?|pounds?",
    "cm": r"cms?|centimet(?:er|re)s?",
    "ft": r"ft|feet",
    "in": r"inch(?:es)?",
    "g": r"gm?|grams?",
    "tablets": r"tab(?:let)?s?|pills?|capsules?",
    "pens": r"pens?|syringes?|packages?|boxes|box",
    "units": r"units?|iu",
    "hours": r"hours?|hrs?",
    "days": r"days?|d",
    "weeks": r"weeks?|wks?|w",
    "months": r"months?|mos?|mths?",
    "years": r"years?|yrs?|y",
    "USD": r"dollars?|usd",
    "cups": r"oz",
}
_unit = "|".join(f"(?P<u{i}>{pattern})" for i, pattern in enumerate(UNITS.values()))
NAMES = tuple(UNITS)
AGED = r"(?:[- ]?\s?(?:years?|yrs?|yr|y)[- ]?\s?(?:old|of\s+age)|[- ]?y[./]?o\.?)\b"
NUMBER = re.compile(
    rf"(?<![\w.])(?P<money>\$\s?)?(?P<n>{DIGITS}|\b{WORDS}\b)(?:(?P<age>{AGED})|(?:\s?-?\s?)(?:{_unit})(?![\w/^])"
    rf"|(?P<sex>\s?(?:[mf]|male|female)\b))?"
    r"(?![\w]|\.\d|,\d{3})",
    re.IGNORECASE,
)
A_UNIT = re.compile(
    r"\b(?:an?|one)\s+(?:full\s+|whole\s+)?(?P<half>half\s+)?(?P<unit>day|week|month|year|fortnight)s?\b"
    r"(?!\s+(?:ago|before|later)|s)",
    re.IGNORECASE,
)
TIMES = re.compile(
    r"\b(?:(?:(?P<n>once|twice|one|two|three|four|1|2|3|4)(?:\s+(?:time|tablet|dose|injection)s?)?(?:[- ]x)?\s*[/-]?\s*"
    r"(?P<per>daily|weekly|a\s+day|per\s+day|each\s+day|every\s+day|a\s+week|per\s+week|each\s+week"
    r"|day|week))"
    r"|(?P<short>b\.?i\.?d\.?|t\.?i\.?d\.?|q\.?i\.?d\.?|q\.?\s?d\.?|q\.?\s?day|q\.?\s?week|q\.?\s?wk"
    r"|qhs|qam|qpm|od)"
    r"|(?P<plain>daily|weekly|(?:every|each|a|per)\s+(?:single\s+)?(?:day|morning|evening|night"
    r"|week)|nightly)"
    r")(?!\w)",
    re.IGNORECASE,
)
PER_DAY = {
    "once": 1, "one": 1, "1": 1, "twice": 2, "two": 2, "2": 2, "three": 3, "3": 3, "four": 4, "4": 4,
    "bid": 2, "tid": 3, "qid": 4,
}  # fmt: skip
COMPARED = re.compile(
    r"(?P<ge>at\s+least|no\s+less\s+than|no\s+fewer\s+than|not\s+less\s+than|minimum(?:\s+of)?"
    r"|greater\s+than\s+or"
    r"\s+equal\s+to|not\s+below|>=|≥|from)"
    r"|(?P<le>at\s+most|no\s+more\s+than|not\s+more\s+than|maximum(?:\s+of)?|up\s+to|less\s+than\s+or\s+equal\s+to"
    r"|not\s+above|not\s+over|within(?:\s+the\s+(?:last|past))?|<=|≤)"
    r"|(?P<gt>more\s+than|greater\s+than|over|above|exceed(?:s|ed|ing)?|higher\s+than|older\s+than|>)"
    r"|(?P<lt>less\s+than|fewer\s+than|below|under|lower\s+than|younger\s+than|beneath|<)",
    re.IGNORECASE,
)
AFTER = re.compile(
    r"\s*,?\s*(?:(?P<ge>or\s+(?:more|above|higher|greater|older|over)|\(inclusive\)\s+or\s+above"
    r"|and\s+(?:above|up))"
    r"|(?P<le>or\s+(?:less|below|lower|under)|\(inclusive\)\s+or\s+below))",
    re.IGNORECASE,
)
ABOUT = re.compile(
    r"(?:about|around|approximately|roughly|nearly|almost|some|circa|ca\.|~|just\s+(?:under"
    r"|over)|a\s+little\s+(?:over|under)"
    r"|close\s+to|more\s+or\s+less|barely|good)\s*$",
    re.IGNORECASE,
)
CHANGED = re.compile(
    r"(?P<up>(?:up|rose|risen|increased|gained|gain|increase|went\s+up|rise)(?:\s+(?:by|of))?)\s*$"
    r"|(?P<down>(?:down|fell|fallen|dropped|decreased|lost|loss|lowered|decrease|drop|went\s+down"
    r"|reduction|reduced)"
    r"(?:\s+(?:by|of))?)\s*$",
    re.IGNORECASE,
)


def numbers(text: str) -> list[Number]:
    """Every number of a text in plain characters, in order; "a year" is one year."""
    found: list[Number] = []
    for match in NUMBER.finditer(text):
        if not match["n"][-1:].isdigit() and not match["n"][0].isdigit() and not _means_a_number(match, text):
            continue
        found.append(_number(match, text))
    taken = [(n.start, n.end) for n in found] + [(start, end) for start, end, _ in frequencies(text)]
    for match in A_UNIT.finditer(text):
        if not any(a < match.end() and match.start() < b for a, b in taken):
            days = match["unit"].lower() == "fortnight"
            value, unit = (
                (14.0, "days") if days else (0.5 if match["half"] else 1.0, f"{match['unit'].lower()}s")
            )
            compare, _ = _compared(text, match.start(), match.end())
            found.append(Number(match.start(), match.end(), value, unit, "duration", compare, True))
    return sorted(found)


def value_of(text: str) -> float:
    """8.4, 1,200, "nine point four", "fourteen", "two and a half"."""
    if any(character.isdigit() for character in text):
        return float(text.replace(",", ""))
    words = re.split(r"[\s-]+", text.lower())
    whole, point = 0.0, ""
    at = 0
    while at < len(words):
        word = words[at]
        if word == "point":
            point = "".join(str(ONES[w]) for w in words[at + 1 :] if w in ONES)
            break
        if word == "half":
            whole += 0.5
        elif word == "hundred":
            whole = (whole or 1) * 100
        elif word in TENS or (word in ONES and word != "a"):
            whole += TENS.get(word, ONES.get(word, 0))
        at += 1
    return float(f"{whole:g}.{point}") if point else whole


def frequencies(text: str) -> list[tuple[int, int, float]]:
    """Where a frequency stands and how many times a day it is."""
    found = []
    for match in TIMES.finditer(text):
        short = re.sub(r"[^a-z]", "", (match["short"] or "").lower())
        if short:
            rate = PER_DAY.get(short, 1 / 7 if "w" in short else 1.0)
        elif match["plain"]:
            rate = 1 / 7 if "week" in match["plain"].lower() else 1.0
        else:
            rate = PER_DAY[match["n"].lower()] / (7 if "week" in match["per"].lower() else 1)
        found.append((match.start(), match.end(), rate))
    return found


def _means_a_number(match: re.Match[str], text: str) -> bool:
    """A number word counts with a unit, as an age, or where a value is expected."""
    if match["age"] or match["money"] or any(match[f"u{i}"] for i in range(len(NAMES))):
        return True
    if "point" in match["n"].lower() or match["n"].lower() in TENS or "-" in match["n"]:
        return True
    return bool(
        re.search(r"\b(?:is|was|of|at|to|from|were|aged?)\s*$", text[: match.start()], re.IGNORECASE)
    ) and (not re.match(r"\s+(?:of|or|more|other|the)\b|\s+[a-z]+(?:s|ed)\b", text[match.end() :]))


def _number(match: re.Match[str], text: str) -> Number:
    shown = match["n"]
    value = value_of(shown)
    unit = next((NAMES[i] for i in range(len(NAMES)) if match[f"u{i}"]), "")
    compare, about = _compared(text, match.start(), match.end())
    change = 0
    if found := CHANGED.search(text[max(0, match.start() - 24) : match.start()]):
        change = 1 if found["up"] else -1
    what: What = "bare"
    if match["money"] or unit == "USD":
        unit, what = "USD", "money"
    elif match["age"] or (match["sex"] and 0 < value < 120):
        unit, what = "years", "age"
    elif unit in ("days", "weeks", "months", "years", "hours"):
        what = "duration"
    elif unit:
        what = "value"
    end = match.end()
    decimals = len(shown.partition(".")[2]) if "." in shown else 0
    return Number(match.start(), end, value, unit, what, compare, about, change, decimals)


def _compared(text: str, start: int, end: int) -> tuple[str, bool]:
    """What the words before and after make of a number."""
    before = text[max(0, start - 32) : start]
    last = None
    for last in COMPARED.finditer(before):  # noqa: B007 - the nearest one counts
        pass
    compare = ""
    if (
        last is not None
        and not before[last.end() :].strip(" $(=").replace("the", "").replace("last", "").strip()
    ):
        compare = {"ge": ">=", "le": "<=", "gt": ">", "lt": "<"}[str(last.lastgroup)]
        if last[0].lower() == "from":
            compare = ""
    after = AFTER.match(text, end)
    if after:
        compare = {"ge": ">=", "le": "<="}[str(after.lastgroup)]
    return compare, bool(ABOUT.search(before))
