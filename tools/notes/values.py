"""Measured values in a note, with the day that belongs to each. Goals, thresholds and ranges are none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import NamedTuple

from tools.notes.context import subjects_of
from tools.notes.days import days_in
from tools.notes.facts import Subject
from tools.notes.lexicon import test_names
from tools.notes.passages import Sentence
from tools.terminology.dates import month_names
from tools.terminology.observations import TESTS

_UNITS = {
    "hba1c": r"%|percent|mmol/mol",
    "bmi": r"kg/m2|kg/m\^2|kg/m²",
    "weight": r"kgs?|lbs?|pounds|#",
    "height": r"cm|m|in(?:ches)?|ft",
    "egfr": r"ml/min(?:/1\.73\s?m2)?",
    "uacr": r"mg/g|mg/mmol",
    "creatinine": r"mg/dl|umol/l",
    "alt": r"i?u/l",
    "ast": r"i?u/l",
    "platelets": r"k|x?10[\^*]?\d/u?l",
    "lvef": r"%",
    "ahi": r"(?:events)?/?\s?(?:/h(?:r|our)?|per hour)",
}
_SPELLED = {
    "percent": "%", "lbs": "lb", "pounds": "lb", "#": "lb", "kgs": "kg", "inches": "in", "ml/min": "mL/min/{1.73_m2}",
    "mg/dl": "mg/dL", "umol/l": "umol/L", "mmol/l": "mmol/L", "u/l": "U/L", "iu/l": "U/L", 
    "kg/m^2": "kg/m2", "kg/m²": "kg/m2",
}  # fmt: skip
_NUMBER = r"\d{1,3}(?:,\d{3})*(?:\.\d+)?"
_FILL = (
    r"(?:\s*(?:of|was|is|are|were|at|has|reads?|came back(?: at)?|back at|measured|level|result|value|"
    r"(?:from|at|per) (?:the |our |an? )?(?:outside )?(?:lab|hospital|clinic|pharmacy)|poc|today|now|"
    r"this am|this morning|in clinic|up to|down to|"
    r"about|around|approx\w*|roughly|average|averag\w+|avg|unchanged|stable|at home|at discharge|by echo|"
    r"still|done|drawn|checked|remains?|remained|(?:rose|fell|dropped|climbed|went up|came down|increased|decreased|"
    r"improved) to|"
    r"(?:on|at) (?:admission|baseline|arrival|discharge|presentation|intake|last visit)|suggests?|=|:|~|"
    r"-(?=\s)|,(?=\s*\d)|\((?=\s*\d)|"
    r"(?:on|from|in|dated|of)?\s*\(?DAY\)?:?))*"
)
_NO_GOAL = re.compile(
    r"\b(?:goal|target|below|under|above|over|less than|at least|greater than|if|until|wants? to|limit|"
    r"threshold|when|once|aim)\b[^,;.(]{0,25}$|[<>]\s*$",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:around|about|approx\w*|roughly|thinks?|suggests?|maybe|possibly|unsure)\b|~", re.IGNORECASE
)
_SAME_DAY = re.compile(r"\b(?:today|now|poc|in clinic|this (?:am|morning))\b", re.IGNORECASE)
_VITALS = ("bmi", "weight", "height", "sbp", "dbp")


class Measured(NamedTuple):
    """A value at [start, end) of the plain text; `day` is None if the note does not say which."""

    test: str
    value: float
    unit: str
    start: int
    end: int
    day: date | None
    when: str
    hedged: bool
    subjects: tuple[Subject, ...]


@cache
def _pattern() -> re.Pattern[str]:
    names = "|".join(f"(?P<{key}>{words})" for key, words in test_names().items())
    fill = _FILL.replace("DAY", _ANY_DAY)
    return re.compile(
        rf"(?<![A-Za-z])(?:{names})(?![A-Za-z])(?P<fill>{fill})\s*"
        rf"\(?(?P<f>[Ff](?=[0-4]\b))?(?P<number>{_NUMBER})(?P<tail>(?:\s*(?:->|"
        rf""
        rf"to|=>)\s*{_NUMBER})?)(?P<low>\s?/\s?\d{{2,3}})?",
        re.IGNORECASE,
    )


_ANY_DAY = (
    r"(?:20\d\d-\d\d-\d\d|\d\d?/\d\d?(?:/\d\d(?:\d\d)?)?"
    rf"|(?:{month_names()})\.?\s+\d\d?(?:,?\s+20\d\d)?)"
)
_BARE = re.compile(
    rf"(?<![\d./A-Za-z])(?P<number>{_NUMBER})\s?(?P<unit>kg|lbs?|cm)\b(?!\s*(?:/|per|down|weight loss|"
    rf"in all|lost|plan))",
    re.IGNORECASE,
)
_NOT_BARE = re.compile(
    r"\b(?:lost|loses?|lose|losing|gain\w*|up|down|goal|under|below|over|above|target|another|per|by|"
    r"drop\w*|loss of|than|want\w*|last|highest|lowest|max(?:imum)?|peak|was|from|at|waist|hip|neck|"
    r"circumference|tumou?r|lesion|nodule)\s*(?:of|about|to|another|an?)?\s*$",
    re.IGNORECASE,
)
_LATER = re.compile(
    rf"\s*,?\s*(?:and |but )?(?:now|today)\s+(?P<number>{_NUMBER})(?![\d/])\s*(?P<unit>%)?", re.IGNORECASE
)
_FROM_TO = re.compile(
    rf"\b(?:from)\s+(?P<old>{_NUMBER})\s*%?(?P<between>[^;.]{{0,40}}?)\bto\s+(?P<new>{_NUMBER})\s*(?P<unit>%)?",
    re.IGNORECASE,
)
_EARLIER = re.compile(
    rf"\b(?:(?:up|down) )?from\s+(?P<number>{_NUMBER})\s*(?P<unit>%)?(?![\d/])", re.IGNORECASE
)


def values_told(text: str, sentences: Sequence[Sentence], written: date | None) -> list[Measured]:
    """All values, in their order."""
    found: list[Measured] = []
    for sentence in sentences:
        found += _values(text, sentence, written)
    return found


def _values(text: str, sentence: Sentence, written: date | None) -> list[Measured]:
    found: list[Measured] = []
    matches = list(_pattern().finditer(text, sentence.start, sentence.end))
    found += [*_stages(text, sentence, written), *_from_to(text, sentence, written)]
    bare = (
        []
        if matches and any(m["weight"] for m in matches)
        else list(_BARE.finditer(text, sentence.start, sentence.end))
    )
    ends = [*(match.start() for match in matches[1:]), sentence.end]
    for match, limit in zip(matches, ends, strict=False):
        found += _measured(text, sentence, match, limit, written)
    for match in bare:
        test = "height" if match["unit"].casefold() == "cm" else "weight"
        if not _NOT_BARE.search(text, max(sentence.start, match.start() - 25), match.start()) and _fits(
            test, match["number"], match["unit"]
        ):
            whose = subjects_of(text, sentence, *match.span(), "test")
            unit = _SPELLED.get(match["unit"].casefold(), match["unit"].casefold())
            value = float(match["number"])
            found.append(Measured(test, value, unit, *match.span(), written, "", False, whose))
    return sorted(found, key=lambda item: item.start)


_STAGE = re.compile(r"(?<![A-Za-z0-9])(?-i:F)(?P<number>[0-4])(?!\w|\.\d)")


def _stages(text: str, sentence: Sentence, written: date | None) -> list[Measured]:
    """F2, as the liver's fibrosis is staged."""
    found = []
    for match in _STAGE.finditer(text, sentence.start, sentence.end):
        lead = text[max(sentence.start, match.start() - 20) : match.start()]
        if re.match(r"\s*(?:-|/|to)\s*F?[0-4]", text[match.end() : match.end() + 8]) or re.search(
            r"F[0-4]\s*(?:-|/|to)\s*$", lead
        ):
            continue
        opening = days_in(text, written, sentence.start, match.start())
        whose = subjects_of(text, sentence, *match.span(), "test")
        day, when = (opening[0].day, opening[0].words) if opening else (None, "")
        stage, hedged = float(match["number"]), bool(_HEDGE.search(lead))
        found.append(Measured("fibrosis_stage", stage, "{stage}", *match.span(), day, when, hedged, whose))
    return found


_MOVED = re.compile(
    r"\ba1c\b(?: has| had)? (?:only |\w+ly )?(?:gone|climbed|rose|risen|increased|went up|fell|fallen|"
    r"dropped|decreased|went down|improved|came down|went)\s+$",
    re.IGNORECASE,
)


def _from_to(text: str, sentence: Sentence, written: date | None) -> list[Measured]:
    """HbA1c climbed from 7.5% in January to 8.6% on April 27: both."""
    found = []
    for match in _FROM_TO.finditer(text, sentence.start, sentence.end):
        if not _MOVED.search(text, sentence.start, match.start()):
            continue
        whose = subjects_of(text, sentence, *match.span(), "test")
        for name, stop in (("old", match.end("between")), ("new", sentence.end)):
            if not _fits("hba1c", match[name], "%"):
                continue
            end = match.end(name) + (text[match.end(name) : match.end(name) + 1] == "%")
            beside = [day for day in days_in(text, written, end, stop) if _beside(text[end : day.start])]
            day, when = (beside[0].day, beside[0].words) if beside else (None, "earlier")
            span = match.start(name), end
            found.append(Measured("hba1c", float(match[name]), "%", *span, day, when, False, whose))
    return found


def _measured(
    text: str, sentence: Sentence, match: re.Match[str], limit: int, written: date | None
) -> list[Measured]:
    test = next(key for key in test_names() if match[key] is not None)
    number, end = match["number"].replace(",", ""), match.end("number")
    lead = text[max(sentence.start, match.start() - 30) : match.start()]
    if (
        match["low"] is None
        and re.match(r"\s*(?:-|\s-\s)\s*\d|\s*(?:s\b|or (?:above|below|less|more))", text[end : end + 12])
        and not match["tail"]
    ):
        return []
    if _NO_GOAL.search(lead) or _NO_GOAL.search(match["fill"]) or re.search(r"[<>]", match["fill"]):
        return []
    if match["tail"]:
        last = re.search(rf"{_NUMBER}$", match["tail"])
        assert last is not None
        if not match["tail"].strip().startswith(("->", "=>")):
            return []
        number, end = last[0].replace(",", ""), match.end("tail")
    unit = _unit_after(text, test, end, sentence.end)
    if unit:
        end = unit[1]
    hedged = bool(
        _HEDGE.search(match["fill"])
        or _HEDGE.search(lead[-14:])
        or re.match(r"[^,;.]{0,6}\b(?:she|he|pt) thinks", text[end:])
    )
    day, when = _day_of(text, sentence, match, end, limit, written)
    subjects = subjects_of(text, sentence, match.start(), end, "test")
    if test == "blood_pressure":
        if match["low"] is None:
            return []
        day, span = day or (None if when else written), (match.start(), match.end("low"))
        return [
            Measured(name, float(value), "mm[Hg]", *span, day, when, hedged, subjects)
            for name, value in (("sbp", number), ("dbp", match["low"].strip(" /")))
            if _fits(name, value, "mm[Hg]")
        ]
    if unit and unit[0] == "ft":
        return []
    if match["low"] is not None or not _fits(test, number, unit[0] if unit else ""):
        return []
    if day is None and not when and test in _VITALS:
        day = written
    named = Measured(
        test, float(number), unit[0] if unit else "", match.start(), end, day, when, hedged, subjects
    )
    later = _LATER.match(text[end : min(limit, sentence.end)])
    if later is not None and _fits(test, later["number"], later["unit"] or ""):
        named = named._replace(value=float(later["number"]), end=end + later.end(), day=None, when="now")
    earlier = (
        _EARLIER.search(text, end, min(limit, sentence.end)) if test in ("hba1c", "bmi", "weight") else None
    )
    if earlier is None or not _fits(test, earlier["number"], earlier["unit"] or ""):
        return [named]
    value, start = float(earlier["number"]), earlier.start("number")
    return [named, named._replace(value=value, start=start, end=earlier.end(), day=None, when="earlier")]


def _unit_after(text: str, test: str, at: int, end: int) -> tuple[str, int] | None:
    pattern = _UNITS.get(test, r"mg/dl|mmol/l")
    match = re.match(rf"\s?({pattern})(?![A-Za-z])", text[at : min(end, at + 20)], re.IGNORECASE)
    if match is None:
        return None
    said = match[1].casefold()
    if said.startswith("ml/min"):
        said = "ml/min"
    known = _SPELLED.get(said, said)
    if test in ("ahi", "platelets"):
        known = TESTS[test].unit
    return known, at + match.end()


def _fits(test: str, number: str, unit: str) -> bool:
    """A value that the test can have, in its own unit where none is named."""
    known = TESTS[test]
    scales = {name.casefold(): scale for name, scale in known.units.items()}
    factor, offset = scales.get(_SPELLED.get(unit.casefold(), unit).casefold(), ("1", "0"))
    if test == "weight" and not unit:
        factor, offset = "0.45359237", "0"
    value = float(number.replace(",", "")) * float(factor) + float(offset)
    return known.low <= value <= known.high


def _day_of(
    text: str, sentence: Sentence, match: re.Match[str], end: int, limit: int, written: date | None
) -> tuple[date | None, str]:
    """The day that belongs to a value: within its words, right after it, or that of the whole sentence."""
    fill = days_in(text, written, match.start("fill"), match.end("fill"))
    after = [
        day for day in days_in(text, written, end, min(limit, end + 40)) if _beside(text[end : day.start])
    ]
    if fill or after:
        first = (fill or after)[0]
        return first.day, first.words
    if _SAME_DAY.search(match["fill"]) or re.search(
        r"\b(?:poc|today'?s?)\s*$", text[max(0, match.start() - 8) : match.start()], re.IGNORECASE
    ):
        return written, ""
    opening = days_in(text, written, max(0, sentence.start - 14), match.start())
    if opening and (opening[0].start <= sentence.start + 28):
        return opening[0].day, opening[0].words
    closing = days_in(text, written, end, sentence.end)
    if len(closing) == 1 and re.search(r"\bon\s*$", text[end : closing[0].start]):
        return closing[0].day, closing[0].words
    return None, ""


def _beside(between: str) -> bool:
    return bool(
        re.fullmatch(
            r"\s*[,(@]*\s*(?:as of|on|from|in|of|dated|drawn|done|back in|at)?\s*", between, re.IGNORECASE
        )
    )
