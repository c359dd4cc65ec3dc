# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""What a question supposes, as changes of the record: values, time, courses, diagnoses, statements, plan, request.

Each is read from a sentence that supposes something; what has no number or name that we know is left out, and
nothing is filled in that was not said, but for a trial's length and outcome, which have the defaults of what_if.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from agent.understanding import words
from agent.understanding.known import Known
from tools.records import TrialOutcome
from tools.terminology.observations import TESTS
from tools.terms import TOPICS
from tools.what_if import (
    Aged,
    Asked,
    Change,
    Diagnosed,
    Enrolled,
    Insured,
    Later,
    On,
    Started,
    Stated,
    Stopped,
    Tried,
    Value,
)

Drug = Callable[[int], str]  # the medicine whose marker begins there, as charts would name it

M = r"(?:MED|DRUG)"
_NUMBER = r"(?<![\w.-])(?P<n>\d{1,4}(?:[.,]\d{1,2})?)"
_UNIT = r"\s?(?P<unit>%|percent|per cent|kg/m2|kg|kilos?|kilograms?|lbs?|pounds?|mmol/mol|mmol/l|mg/dl|mg/g|cm|in\b|inches)?"
_AFTER_TEST = re.compile(
    rf"^(?:'s)?(?:\s+(?!and\b(?! (?:was|is|were|came|it|be)\b)|or\b|but\b|if\b)[a-z':-]+){{0,7}}?\s*[:=>]?\s*{_NUMBER}{_UNIT}(?!\s*(?:days?|weeks?|months?|years?|more)\b)(?![\w])"
)
_BEFORE_TEST = re.compile(rf"{_NUMBER}{_UNIT}\s+(?:for\s+(?:the|her|his|an?)\s+)?$")
_SPAN = r"(?P<count>\d{1,4})(?:\s+|-)(?:more\s+|full\s+|additional\s+|extra\s+|other\s+)?(?P<span>days?|weeks?|wks?|months?|mos?|years?|yrs?)\b"
_LATER = re.compile(
    rf"\b(?:after|in|within|wait(?:s|ed|ing)?(?: for)?(?: another)?|another|for another|give it|hold off(?: for)?|come back in|"
    rf"until|stays?(?: on [A-Z]+)?(?: for)?|continues?(?: [A-Z]+)?(?: for)?|keeps? (?:taking|on|going)(?: [A-Z]+)?(?: for)?|"
    rf"remains? on [A-Z]+(?: for)?|takes? [A-Z]+ for|en|dentro de)\s+(?:about\s+|at least\s+|another\s+|an?other\s+|the next\s+)?{_SPAN}"
)
_FROM_NOW = re.compile(rf"{_SPAN}\s+(?:from now|later|from today|down the road|more|longer|mas|más)")
_MORE = re.compile(
    r"(?P<count>\d{1,4})\s+(?:more|additional|extra|further)\s+(?P<span>days?|weeks?|wks?|months?|mos?|years?|yrs?)\b"
)
_NEXT = re.compile(r"\bnext (?P<span>week|month|year)\b")
_LENGTH = re.compile(_SPAN)
_TRIED = re.compile(
    rf"\b(?:tried|failed|trying|try|tries|fails?|trialed|completes?|completed|finish(?:ed|es)?|took|taken|used|had (?:a|an)|did|"
    rf"inadequate response to|no response to|intoleran(?:t|ce) (?:to|of)|couldn't tolerate|could not tolerate|not tolerate|"
    rf"side effects (?:on|from|with)|been on)\b[^?.;]*?\b{M}\b|\b{M}\s+(?:trial|failure|intolerance|hadn't worked|didn't work|had failed|failed)\b|"
    rf"\btrial of {M}\b|\b{M} (?:was|were|had been) (?:tried|ineffective|not tolerated)"
)
_STOPPED = re.compile(
    rf"\b(?:stop(?:s|ped|ping)?|discontinu(?:e|es|ed|ing)|quit(?:s|ting)?|d/c(?:'?d)?|dc'?d|come(?:s)? off|came off|coming off|taken off|takes? (?:him|her|them) off|"
    rf"get(?:s)? off|go(?:es)? off|went off|drop(?:s|ped)?|end(?:s|ed)?|were off|was off|is off)\s+(?:taking\s+|using\s+|of\s+)?(?:the\s+|her\s+|his\s+)?(?P<d>{M})\b"
    rf"|\b(?P<e>{M})\b(?:'s)?\s+(?:stop|discontinuation|end date|(?:were|was|is|gets?|got|had been|has been|be)\s+(?:stopped|discontinued|ended))\b"
    rf"|\b(?:stop|discontinuation|end(?: date)?)\s+(?:date\s+)?(?:of|for)\s+(?:the\s+|her\s+|his\s+)?(?P<f>{M})\b"
)
_STARTED = re.compile(
    rf"\b(?:start(?:s|ed|ing)?|beg[ia]ns?|begun|goes on|went on|go on|put (?:him|her|them) on|were on|was on|adds?|added|"
    rf"gets? on|initiat(?:e|es|ed)|takes|resum(?:e|es|ed))\s+(?:taking\s+|on\s+)?(?:the\s+|a\s+)?(?P<d>{M})\b"
)
_ABSENT = re.compile(
    r"\b(?:no|not|never|without|didn't|did not|doesn't|does not|isn't|wasn't|weren't|hasn't|hadn't|don't|denies|denied|deny|negative for|rules? out|ruled out|"
    r"free of|absence of|excluded?)\b[^,;.?]{0,60}$"
)
_HAVING = re.compile(
    r"\b(?:had|has|have|having|were|was|is|with|gets?|develop(?:s|ed)?|diagnos(?:is|ed|e|es)|documented?|confirm(?:s|ed)?|history of|turns? out|becomes?|"
    r"no|not|denie[sd]|coded?|add(?:s|ed)?|didn't|doesn't|isn't|wasn't|weren't|hadn't|state[sd]?|attest(?:s|ed)?|note[sd]?|report(?:s|ed)?)\b[^,;.?]{0,60}$"
)
_STATING = re.compile(
    r"\b(?:document(?:s|ed)?|state[sd]?|attest(?:s|ed)?|confirm(?:s|ed)?|note[sd]?|writes?|wrote|statement|says?|den(?:y|ies|ied)|history|chart(?:s|ed)?|record(?:s|ed)?)\b"
)
_TOPIC_WORDS: dict[str, str] = {
    "adherent": r"\badheren(?:t|ce)\b|\btak(?:es|ing) (?:it|[A-Z]+) as prescribed",
    "tolerating": r"\btolerat(?:es|ing) (?:it|[A-Z]+|the drug) well|\btolerating (?:it|[A-Z]+)",
    "diet_exercise": r"\b(?:diet and exercise|reduced[- ]calorie diet|diet & exercise|calorie deficit)\b",
    "cv_standard_of_care": r"\bstandard[- ]of[- ]care (?:cv|cardiovascular|cardiac)|\bstandard cardiovascular therapy",
    "pap_tried": r"\b(?:cpap|pap therapy|positive airway)\b",
    "specialist_consult": r"\b(?:specialist|endocrinolog\w+|cardiolog\w+|nephrolog\w+|hepatolog\w+)\s*(?:consult|visit|saw|sees|seen)?|\bseen by (?:a|an) \w*olog\w+",
    "low_alcohol": r"\b(?:alcohol|drinks? less|low alcohol)\b",
    "employer_programme": r"\b(?:employer|sponsor)'?s? (?:weight )?program(?:me)?",
}
_PROGRAMME = re.compile(
    r"\b(?:lifestyle|weight[- ](?:management|loss)|diet|behaviou?ral|exercise|structured|wellness|nutrition)\b[^,;.?]{0,40}?\b(?:program(?:me)?s?|counsel(?:l)?ing|modification|intervention|plan|classes)\b|\bdpp program"
)
_AGE = re.compile(
    r"\b(?:(?:she|he|they|WHO|the patient|patient|pt)\s+(?:were|was|is|turns?|turned|'s|were to turn|had been)\s+(?:only\s+|already\s+|over\s+|at least\s+)?(?P<a>\d{1,3})"
    r"|(?:she|he)'s (?P<e>\d{1,3})|age[d]?\s*(?:of|were|was|is|:)?\s*(?P<b>\d{1,3})|(?P<c>\d{1,3})[ -]years?[ -]old|(?P<d>\d{1,3}) y/?o\b|(?:turns?|turned|turning) (?P<f>\d{1,3}))"
    r"(?![\d.]|\s*(?:%|kg|lb|pound|mg|days?|weeks?|months?|more))"
)
_STRENGTH = re.compile(r"(?<![\w.])(?P<mg>\d{1,3}(?:\.\d{1,2})?)\s?(?:mg|milligrams?)\b(?!/)")
_DAYS_SUPPLY = re.compile(r"\b(?P<n>\d{2,3})[- ]days?(?:'s?)?[ -](?:supply|supplies|fill|quantity|script)")
_QUANTITY = re.compile(
    r"\b(?:quantity (?:of|were|was|is)|qty(?: of)?)\s*(?P<n>\d{1,4}(?:\.\d+)?)|\b(?P<m>\d{1,4}(?:\.\d+)?)\s?(?:tablets?|tabs?|ml)\b"
)
_KIND = re.compile(
    r"\bas (?:an? )?(?P<kind>renewal|continuation|new (?:start|request))\b|\b(?P<other>renewal|continuation) request"
)
_BARE = re.compile(
    rf"(?:^|\b(?:about|were|was|is|be|it's|at|with|say|if|than|and|to|of)\s+|\bor\s+){_NUMBER}{_UNIT}(?:\s+(?:instead|then|now))?\s*(?:$|[?,.!]|\b(?:instead|then|would)\b)"
)

_OUTCOMES: tuple[tuple[str, TrialOutcome], ...] = (
    (r"hypoglyc|low sugars?|lows\b", "Intolerance - hypoglycemia"),
    (r"genital|yeast|mycotic", "Intolerance - genital infection"),
    (r"\bgi\b|nausea|vomit|diarrh|stomach|gastro", "Intolerance - GI side effects"),
    (r"intoleran|tolerate|side effects?|adverse|reaction|rash", "Intolerance - other"),
    (r"partial", "Partial response"),
    (r"(?<!not )(?:\beffective|worked|success(?:ful|fully)\b)(?!.*without)", "Effective"),
)
_UNITS = {
    "%": "%", "percent": "%", "per cent": "%", "kg/m2": "kg/m2", "kg": "kg", "kilo": "kg", "kilos": "kg",
    "kilogram": "kg", "kilograms": "kg", "lb": "lb", "lbs": "lb", "pound": "lb", "pounds": "lb",
    "mmol/mol": "mmol/mol", "mmol/l": "mmol/L", "mg/dl": "mg/dL", "mg/g": "mg/g", "cm": "cm", "in": "in", "inches": "in",
}  # fmt: skip


def find(
    text: str, drug_at: Drug, known: Known, plan_id: str = "", before: tuple[Change, ...] = ()
) -> list[Change]:
    """What `text` (in lower case, with medicines as MED and DRUG, a plan as PLAN) supposes, in the order read.
    `before` is what the last turn supposed: "and if it were 8?" changes its value."""
    found: list[Any] = [*_values(text, known)]
    found += _courses(text, drug_at)
    if not any(isinstance(c, Tried | Started) and c.drug for c in found if _has_length(text)):
        found += _later(text, drug_at, known)
    found += _diagnoses(text, known)
    found += _statements(text, found)
    found += _programmes(text)
    found = _without_programme_time(found)
    if not any(isinstance(c, Value) for c in found):
        found += _age(text)
    found += _request(text)
    if plan_id:
        found.append(Insured(plan_id=plan_id))
    if not found and before:
        found += _again(text, before)
    return list(dict.fromkeys(found))


def _values(text: str, known: Known) -> list[Change]:
    found: list[Change] = []
    used: list[tuple[int, int]] = []
    tests = list(known.test_pattern.finditer(text))
    for at, match in enumerate(tests):
        key = known.tests[match.group()]
        until = tests[at + 1].start() if at + 1 < len(tests) else len(text)
        value = _AFTER_TEST.match(text[match.end() : until])
        offset = match.end()
        if value is None:
            begin = max(0, match.start() - 30)
            value = _BEFORE_TEST.search(text[begin : match.start()])
            offset = begin
        if value is None or any(s <= offset + value.start("n") < e for s, e in used):
            continue
        used.append((offset + value.start("n"), offset + value.end("n")))
        made = _value(key, value)
        if made:
            found.append(made)
    if not any(isinstance(c, Value) and c.test == "weight" for c in found):
        scale = re.search(rf"{_NUMBER}\s?(?P<unit>kg|kilos?|lbs?|pounds?)\b", text)
        if scale and not re.search(
            r"\b(?:los(?:e|es|t|ing)|gain(?:s|ed)?|drop(?:s|ped)?|down|another)\s*(?:\b(?!to\b)\w+\s+)?$",
            text[: scale.start()],
        ):
            made = _value("weight", scale)
            if made:
                found.append(made)
    return found


def _value(key: str, match: re.Match[str]) -> Value | None:
    number = float(match.group("n").replace(",", "."))
    unit = _UNITS.get((match.group("unit") or "").strip(), "")
    test = TESTS[key]
    if unit not in test.units:
        unit = ""
    if not unit and not (test.low <= number <= test.high):
        return None
    return Value(test=key, value=number, unit=unit)


def _courses(text: str, drug_at: Drug) -> list[Change]:
    found: list[Change] = []
    markers = list(re.finditer(rf"\b{M}\b", text))
    if not markers:
        return found
    stopped = {m.start(g) for m in _STOPPED.finditer(text) for g in ("d", "e", "f") if m.group(g)}
    started = {m.start("d") for m in _STARTED.finditer(text)}
    tried: set[int] = set()
    for match in _TRIED.finditer(text):
        inside = [m.start() for m in markers if match.start() <= m.start() < match.end()]
        tried.update(inside)
        end = match.end()
        while follow := re.match(
            rf"\s*(?:,|and|and then|or|plus|/)\s*({M})\b", text[end:]
        ):  # "metformin and glipizide"
            tried.add(end + follow.start(1))
            end += follow.end()
    for marker in markers:
        name, at = drug_at(marker.start()), marker.start()
        if not name:
            continue
        if at in stopped:
            found.append(Stopped(drug=name, outcome=_outcome(text)))
        elif at in tried and not re.search(r"\bmore\b|\banother\b|\badditional\b", text):
            outcome = _outcome(text) or "Inadequate response"
            found.append(Tried(drug=name, days=_length(text) or 90, outcome=outcome))
        elif at in started:
            found.append(Started(drug=name, days=_length(text)))
    return found


def _outcome(text: str) -> TrialOutcome | None:
    return next((outcome for pattern, outcome in _OUTCOMES if re.search(pattern, text)), None)


def _has_length(text: str) -> bool:
    return bool(_LENGTH.search(text)) and not _MORE.search(text)


def _length(text: str) -> int:
    """Days of the first length of time in the text, months as 30; 0 if there is none."""
    match = _LENGTH.search(text)
    if not match:
        return 0
    days, months = _days_months(int(match.group("count")), match.group("span"))
    return days + 30 * months


def _later(text: str, drug_at: Drug, known: Known) -> list[Change]:
    for pattern in (_MORE, _FROM_NOW, _LATER):
        match = pattern.search(text)
        if match:
            if re.search(r"\b(?:last|past|previous)\s*$", text[: match.start("count")]):
                continue
            days, months = _days_months(int(match.group("count")), match.group("span"))
            return [Later(days=days, months=months, drug=_course(text, match, drug_at))]
    match = _NEXT.search(text)
    if match and not known.test_pattern.search(text):
        days, months = _days_months(1, match.group("span"))
        return [Later(days=days, months=months)]
    for dated in words.dates(text, known.as_of):
        if re.search(
            r"\b(?:until|till|on|by|in|to|after|before|as of|wait(?:ed|ing)?(?: for)?|were|was|dated?)\s+(?:the\s+)?$",
            text[: dated.start],
        ):
            return [On(date=dated.date)]
    return []


def _course(text: str, match: re.Match[str], drug_at: Drug) -> str:
    """The medicine that goes on meanwhile: "16 more days on metformin", "stays on metformin another 2 months"."""
    after = re.match(
        rf"\s*(?:more |longer )?(?:of|on|with|taking)\s+(?:the\s+|her\s+|his\s+)?(?P<d>{M})\b",
        text[match.end() :],
    )
    if after:
        return drug_at(match.end() + after.start("d"))
    before = re.search(
        rf"\b(?:on|continu\w+|tak\w+|keep\w*|with)\s+(?:the\s+|her\s+|his\s+)?(?P<d>{M})\b[^,;?]{{0,30}}$",
        text[: match.start("count")],
    )
    return drug_at(before.start("d")) if before else ""


def _days_months(count: int, span: str) -> tuple[int, int]:
    if span.startswith(("day",)):
        return count, 0
    if span.startswith(("week", "wk")):
        return 7 * count, 0
    if span.startswith(("year", "yr")):
        return 0, 12 * count
    return 0, count


def _diagnoses(text: str, known: Known) -> list[Change]:
    found: list[Change] = []
    for match in known.concept_pattern.finditer(text):
        key = known.concepts[match.group()]
        before = text[max(0, match.start() - 70) : match.start()]
        if not _HAVING.search(before) or re.search(r"\b(?:for|about)\s+(?:her|his|the|their)?\s*$", before):
            continue
        absent = bool(_ABSENT.search(before))
        if key == "mtc_men2":
            if absent or _STATING.search(before):
                if not any(isinstance(c, Stated) and c.topic == key for c in found):
                    found.append(Stated(topic=key, present=not absent))
                continue
        elif (
            absent
            and key not in ("t2dm", "obesity", "osa")
            and _STATING.search(before)
            and _topic(key) in TOPICS
        ):
            found.append(Stated(topic=_topic(key), present=False))
            continue
        found.append(Diagnosed(concept=key, present=not absent))
    return found


def _topic(key: str) -> str:
    from tools.terminology.conditions import CONCEPTS

    return CONCEPTS[key].topic


def _statements(text: str, found: list[Any]) -> list[Change]:
    made: list[Change] = []
    for topic, pattern in _TOPIC_WORDS.items():
        match = re.search(pattern, text)
        if match and not (topic == "diet_exercise" and _PROGRAMME.search(text)):
            if topic in ("specialist_consult",) and not re.search(r"\b(?:consult|seen|saw|sees|visit)", text):
                continue
            absent = bool(_ABSENT.search(text[max(0, match.start() - 40) : match.start()]))
            made.append(Stated(topic=topic, present=not absent))
    return made


def _programmes(text: str) -> list[Change]:
    if not _PROGRAMME.search(text):
        return []
    match = _LENGTH.search(text)
    if not match:
        return []
    days, months = _days_months(int(match.group("count")), match.group("span"))
    months = months or days // 30
    return [Enrolled(months=months)] if months else []


def _without_programme_time(found: list[Any]) -> list[Any]:
    if any(isinstance(c, Enrolled) for c in found):
        return [c for c in found if not isinstance(c, Later) or c.drug]
    return found


def _age(text: str) -> list[Change]:
    match = _AGE.search(text)
    if not match:
        return []
    years = int(next(v for v in match.groups() if v))
    return [Aged(years=years)] if 0 < years <= 120 else []


def _request(text: str) -> list[Change]:
    strength = _STRENGTH.search(text)
    supply = _DAYS_SUPPLY.search(text)
    quantity = _QUANTITY.search(text)
    kind = _KIND.search(text)
    said = (kind.group("kind") or kind.group("other") or "") if kind else ""
    made = Asked(
        strength=f"{strength.group('mg')} mg" if strength else "",
        quantity=float(next(v for v in quantity.groups() if v)) if quantity else None,
        days_supply=int(supply.group("n")) if supply else None,
        kind="new"
        if said.startswith("new")
        else "renewal"
        if said == "renewal"
        else "continuation"
        if said
        else "",
    )
    return [made] if made != Asked() else []


def _again(text: str, before: tuple[Change, ...]) -> list[Change]:
    """Another number for what was supposed last: "and if it were 8?"."""
    match = _BARE.search(text)
    if not match:
        return []
    number = float(match.group("n").replace(",", "."))
    for change in before:
        if isinstance(change, Value):
            return [Value(test=change.test, value=number, unit=change.unit)]
        if isinstance(change, Aged) and number <= 120:
            return [Aged(years=int(number))]
    return []
