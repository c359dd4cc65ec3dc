"""Reads the short lines of a case file: one record each, as a person jots it down; chartfile.py puts them together.

`metformin 1000 mg bid, 2025-01-01 to 2026-02-05, inadequate` becomes the fields of a record in records.py.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from tools.common.dates import add_months
from tools.rulebook.located import Map, Place
from tools.terminology.conditions import CONCEPTS, condition_named
from tools.terminology.frequencies import frequencies
from tools.terminology.observations import TESTS

ICD10 = r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?"
_DATE = r"\d{4}-\d{2}-\d{2}"
_PERIOD = re.compile(
    rf"(?:(?:from\s+)?(?P<start>{_DATE})\s*(?:to|until|-|–|through)\s*(?P<end>{_DATE}|now|present))"
    rf"|(?:since\s+(?P<since>{_DATE}))|(?:(?:until|stopped|ended)\s+(?P<until>{_DATE}))"
    r"|(?:for\s+)?(?P<count>\d+)\s*(?P<unit>d|days?|weeks?|months?)\b",
    re.IGNORECASE,
)
DOSE = re.compile(r"(?P<dose>\d+(?:\.\d+)?)\s*(?P<unit>mg|mcg|g|units?)\b", re.IGNORECASE)
# The first of these in a line tells its outcome; that it was not tolerated, only where nothing says how.
_OUTCOMES = (
    ("Inadequate response", ("ineffective", "not effective", "insufficient")),
    ("Inadequate response", ("not at goal", "did not reach", "above goal")),
    ("Intolerance - hypoglycemia", ("hypoglyc",)),
    ("Intolerance - genital infection", ("genital",)),
    ("Intolerance - GI side effects", ("gi side effects", "vomit", "nausea", "diarrh")),
    ("Inadequate response", ("inadequate", "fail", "didn't work", "did not work")),
    ("Partial response", ("partial",)),
    ("Effective", ("effective",)),
    ("Intolerance - other", ("intoleran",)),
)


def read_date(value: object, place: Place) -> date:
    """A date as YYYY-MM-DD (YAML's own dates too)."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise place.error(f"cannot read the date {value!r}; write YYYY-MM-DD") from None


def test_key(word: str) -> str | None:
    """The measured value that a word names, by its key, name or LOINC; None if it names none."""
    fold = word.strip().casefold()
    for key, test in TESTS.items():
        if fold in (key, test.name.casefold(), *test.names, *test.loinc):
            return key
    return None


def value_line(text: str, test: str, as_of: date, place: Place) -> Map:
    """`8.4 % on 2026-02-13`, `68 mmol/mol (2026-08-01)`, `28.5, 12 days ago`. Where only one unit is in use
    (BMI, eGFR, AHI) it may be left out; of a value in another way without a unit, nobody guesses it."""
    match = re.fullmatch(
        rf"\s*(?P<value>-?\d+(?:\.\d+)?)\s*(?P<unit>x?10[*^]\d[^\s,(@]*|[^\s,(@\d][^\s,(@]*)?"
        rf"\s*[,(@]?\s*(?:on\s+|of\s+)?"
        rf"(?:(?P<date>{_DATE})|(?P<ago>\d+)\s*days?\s+ago)?\s*\)?\s*(?:\[(?P<source>\w+)\])?\s*",
        text,
    )
    if match is None:
        raise place.error(f"cannot read the value {text!r}; write e.g. 8.4 % on 2026-02-13")
    unit = None if match["unit"] == "on" else match["unit"]
    if unit is None and len(set(TESTS[test].units.values())) == 1:
        unit = TESTS[test].unit
    fields = Map.of(place, value=float(match["value"]), unit=unit)
    if match["date"]:
        fields["date"] = match["date"]
    elif match["ago"]:
        fields["date"] = as_of - timedelta(days=int(match["ago"]))
    if match["source"]:
        fields["source"] = match["source"]
    return fields


def diagnosis_line(text: str, as_of: date, place: Place) -> Map:
    """`E11.9`, `I10 hypertension since 2019-01-01`, `type 2 diabetes (E11.9)`, `t2dm`; the code is never guessed."""
    fields = Map(Place("", 0))
    since = re.search(rf"[,(]?\s*(?:since|onset)\s+({_DATE})\)?", text)
    if since:
        fields["onset"], text = since[1], text.replace(since[0], "")
    for word in ("provisional", "suspected", "refuted"):
        if word in text.lower():
            fields["verification"] = "provisional" if word == "suspected" else word
            text = re.sub(rf"[,(]?\s*{word}\)?:?", "", text, flags=re.IGNORECASE)
    code = re.search(rf"^\s*({ICD10})\b|\(({ICD10})\)\s*$", text)
    name = (text.replace(code[0], "") if code else text).strip(" ,:()")
    concept = CONCEPTS.get(condition_named(name))
    fields["code"] = (code[1] or code[2]) if code else ""
    fields["name"] = concept.label if concept else name
    return fields


def medication_line(text: str, as_of: date, place: Place) -> Map:
    """`metformin ER 500 mg bid, 2025-10-13 to 2025-11-03, intolerance: vomiting`."""
    fields = Map(place)
    drug = re.match(
        r"\s*([A-Za-z][\w /+&.'-]*?)(?=\s+(?:ER|XR|IR|\d|for\b|since\b|from\b|until\b|stopped\b)|\s*[,(:]|\s*$)",
        text,
    )
    if drug is None:
        raise place.error(f"cannot read the medication {text!r}; begin with the drug's name")
    fields["drug"], rest = drug[1].strip(), text[drug.end() :]
    if form := re.search(r"\b(ER|XR|IR)\b", rest):
        fields["formulation"] = "IR" if form[1] == "IR" else "ER"
    if dose := DOSE.search(rest):
        fields["dose"], fields["dose_unit"] = float(dose["dose"]), dose["unit"].lower()
        rest = rest.replace(dose[0], " ", 1)
    for word, per_day in frequencies().items():
        if re.search(rf"\b{re.escape(word)}(?!\w)", rest, re.IGNORECASE):
            fields["per_day"] = per_day
            rest = re.sub(rf"\b{re.escape(word)}(?!\w)", " ", rest, flags=re.IGNORECASE)
            break
    if period := _PERIOD.search(rest):
        fields |= period_fields(period, as_of, place)
        rest = rest.replace(period[0], " ", 1)
    elif re.search(r"\b(now|current(ly)?|ongoing|active)\b", rest, re.IGNORECASE):
        fields["status"] = "active"
    elif re.search(r"\b(unknown|tried|previous(ly)?|past|history|no dates|prior)\b", text, re.IGNORECASE):
        fields["status"] = None
    if re.search(r"\bstopped\b", rest, re.IGNORECASE):
        fields.setdefault("status", "stopped")
    if outcome := outcome_of(rest):
        fields["outcome"] = outcome
        reason = rest.strip(" ,.;:")
        if outcome.startswith("Intolerance") and reason:
            fields["reason"] = reason
    return fields


def coverage_line(text: str, as_of: date, place: Place) -> Map:
    """`BLUESTEM-PPO, 2025-01-01 to 2026-12-31`; without a period, the plan alone."""
    period = _PERIOD.search(text)
    fields = Map.of(place, plan_id=(text[: period.start()] if period else text).strip(" ,"))
    fields |= period_fields(period, as_of, place) if period else {}
    fields.pop("status", None)
    return fields


def fill_line(text: str, as_of: date, place: Place) -> Map:
    """`metformin 2026-01-05, 30 days`"""
    match = re.fullmatch(
        rf"(.+?),?\s+(?:on\s+)?({_DATE}),?\s+(?:for\s+)?(\d+)\s*(?:d|days?)(?:\s+supply)?", text
    )
    if match is None:
        raise place.error(f"cannot read the fill {text!r}; write e.g. metformin 2026-01-05, 30 days")
    return Map.of(place, drug=match[1], date=match[2], days_supply=int(match[3]))


def allergy_line(text: str, as_of: date, place: Place) -> Map:
    """`sulfa (rash)`, `metformin: intolerance, diarrhea`"""
    match = re.fullmatch(r"\s*([^(:]+?)\s*(?:[(:]\s*(.*?)\)?)?\s*", text)
    assert match is not None
    fields = Map.of(place, substance=match[1], reaction=match[2] or "")
    if "intoleran" in (match[2] or "").lower():
        fields["type"] = "intolerance"
    return fields


def relative_line(text: str, as_of: date, place: Place) -> Map:
    """`mother: type 2 diabetes`, `sister - C73 thyroid cancer`"""
    relation, _, condition = re.sub(r"\s+[-–—]\s+", ": ", text, count=1).partition(":")
    code = re.search(r"\b([A-Z]\d[0-9A-Z](?:\.[0-9A-Z]+)?)\b", condition)
    return Map.of(place, relation=relation.strip(), condition=condition.strip(), code=code[1] if code else "")


def program_line(text: str, as_of: date, place: Place) -> Map:
    """`for 6 months`, `since 2026-01-10`"""
    period = _PERIOD.search(text)
    fields = Map.of(place, name="lifestyle program")
    if period:
        fields |= period_fields(period, as_of, place) | ({"reckoned": True} if period["count"] else {})
    return fields


def note_line(text: str, as_of: date, place: Place) -> Map:
    """`2026-05-03: metformin stopped for vomiting`, or a date alone."""
    match = re.match(rf"\s*({_DATE})\s*:?\s*", text)
    return Map.of(place, date=match[1] if match else None, text=text[match.end() if match else 0 :])


def outcome_of(text: str) -> str | None:
    fold = text.casefold()
    if fold.strip().startswith("no "):
        return None
    return next((outcome for outcome, words in _OUTCOMES if any(word in fold for word in words)), None)


def period_fields(period: re.Match[str], as_of: date, place: Place) -> Map:
    fields = Map(place)
    if period["start"]:
        fields["start"] = period["start"]
        if period["end"].lower() in ("now", "present"):
            fields["status"] = "active"
        else:
            fields["end"] = period["end"]
    elif period["since"]:
        fields["start"], fields["status"] = period["since"], "active"
    elif period["until"]:
        fields["end"] = period["until"]
    else:
        unit = period["unit"].lower()
        count = int(period["count"]) * (7 if unit.startswith("week") else 1)
        count_back(fields, count, "months" if unit.startswith("month") else "days", as_of)
    return fields


def count_back(fields: Map, count: int, unit: str, as_of: date) -> None:
    """The missing one of start and end; with neither, the course goes on today."""

    def moved(day: date, sign: int) -> date:
        return add_months(day, sign * count) if unit == "months" else day + timedelta(days=sign * count)

    start, end = fields.get("start"), fields.get("end")
    if start and not end:
        fields["end"] = moved(read_date(start, fields.at("start")), 1)
    elif not start:
        if not end:
            fields.setdefault("status", "active")
        fields["start"] = moved(read_date(end, fields.at("end")) if end else as_of, -1)
