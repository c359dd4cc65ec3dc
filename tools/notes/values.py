"""Measured values in a note, with the day that belongs to each. Goals, thresholds and ranges are none.

A number belongs to the test that is named nearest before it in its sentence, if it can be a value of it; a blood
pressure and a body weight need no name. Whether a result is told there at all, and whose, is learned (`encoded`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from tools.evidence.measurements import canonical
from tools.language.assertion import sentences
from tools.language.stance import words
from tools.notes.encoded import Encoded
from tools.notes.extraction import Extract, subjects_of
from tools.terminology.dates import DateSpan, dates_in
from tools.terminology.matcher import Span, loose_matches
from tools.terminology.observations import TESTS
from tools.terminology.quantities import Quantity, quantities_in

_FAR = 70  # characters between a test and its value
_NEXT = 14  # characters between a value and another one of the same test without a unit
_AFTER = 14  # characters between a value and the test named behind it
_BESIDE_A_DRUG = 4  # characters between a medicine and a number that is its dose
_RESULTS = ("present", "past", "uncertain")
_RESULT = 0.4  # likelihood of these from which a result is told, and no goal, order or plan
_PRESSURE = ("sbp", "dbp")
_LEAST_WEIGHT = 35.0  # kg that a patient weighs, where no word says that it is a weight
_BESIDE = 18  # characters before a bare weight in which a word of change or of a goal makes it none
_DAYLESS = date(2049, 12, 31)  # of a note without a day: so that a day with its year is read


class Value(NamedTuple):
    """A number that is a value of a test, and where what names it stands: the test, or the number itself."""

    number: Quantity
    test: str
    value: float
    named: tuple[int, int]


def values_in(encoded: Encoded, written: date | None) -> Iterator[Extract]:
    """All values that a note of that day tells, in their order."""
    text = encoded.text
    spans = loose_matches(text)
    tests = [span for span in spans if span.kind == "test"]
    doses = [span.end for span in spans if span.kind == "medicine"]
    conditions = [span for span in spans if span.kind == "condition"]
    for first, last in sentences(text):
        days = [_moved(day, first) for day in dates_in(text[first:last], written or _DAYLESS)]
        named = [span for span in tests if first <= span.start < last]
        numbers = [one for one in _numbers(text, first, last, days) if not _is_a_dose(one, doses)]
        numbers = [one for one in numbers if not _is_named(one, conditions)]
        found = list(_values(encoded, numbers, named))
        for place, one in enumerate(found):
            day, when = _day_of(text, found[place:], days, written)
            sense = encoded.meant("sense", *one.named, "test")
            fields = {
                "value": one.value,
                "unit": one.number.unit,
                "date": day,
                "when": when,
                "status": "done",
                "subjects": subjects_of(encoded, *one.named, "test"),
                "hedged": max(sense, key=sense.__getitem__) == "uncertain",
            }
            start, end = min(one.named[0], one.number.start), max(one.named[1], one.number.end)
            yield Extract("value", one.test, start, end, fields)


def _numbers(text: str, first: int, last: int, days: Sequence[DateSpan]) -> list[Quantity]:
    """The numbers of a sentence that could be values: part of no day, without a limit, not for a time."""
    moved = [
        one._replace(start=one.start + first, end=one.end + first) for one in quantities_in(text[first:last])
    ]
    return [
        one
        for one in moved
        if not one.compare
        and not one.per
        and one.dimension != "age"
        and not any(day.start < one.end and one.start < day.end for day in days)
    ]


def _is_a_dose(number: Quantity, medicines: Sequence[int]) -> bool:
    """Whether it stands right behind a medicine, without a unit: "LDL too high on pravastatin 40"."""
    return not number.unit and any(0 <= number.start - end <= _BESIDE_A_DRUG for end in medicines)


def _is_named(number: Quantity, conditions: Sequence[Span]) -> bool:
    """Whether it is part of a condition's name: "type 1"."""
    return any(span.start <= number.start and number.end <= span.end for span in conditions)


def _moved(day: DateSpan, by: int) -> DateSpan:
    return day._replace(start=day.start + by, end=day.end + by)


def _values(encoded: Encoded, numbers: Sequence[Quantity], named: Sequence[Span]) -> Iterator[Value]:
    """Each number with the test that it is a value of; the two of a range or of a change are two values."""
    pressures, taken = 0, 0
    for number in numbers:
        if number.unit == "mm[Hg]":
            yield Value(number, _PRESSURE[pressures % 2], number.low, (number.start, number.end))
            pressures, taken = pressures + 1, number.end
            continue
        if number.low < number.high:
            continue  # a range, and no value; "from 9.7 to 7.1" is two
        for value in dict.fromkeys((number.low, number.high)):
            test = _test_of(encoded.text, number, value, named, taken)
            place = (test.start, test.end) if test else (number.start, number.end)
            key = test.key if test else "weight" if _is_a_weight(encoded.text, number, value) else ""
            if key and (not test or _is_told(encoded, place)):
                yield Value(number, key, value, place)
                taken = number.end


def _test_of(text: str, number: Quantity, value: float, named: Sequence[Span], taken: int) -> Span | None:
    """The test named last before the number, or right behind it where none is and no comma parts them; None if it is of
    neither."""
    before = [span for span in named if span.end <= number.start]
    nearest = [span for span in before if span.end == before[-1].end]
    behind = [
        span
        for span in named
        if 0 <= span.start - number.end <= _AFTER and "," not in text[number.end : span.start]
    ]
    for span in nearest or behind:
        since = number.start - max(span.end, taken)
        near = span in behind or since <= (_FAR if taken <= span.end or number.unit else _NEXT)
        if span.key in TESTS and near and _fits(span.key, value, number.unit):
            return span
    return None


def _fits(test: str, value: float, unit: str) -> bool:
    """Whether the test can have this value in this unit; in its own, or a customary one, where none stands there."""
    known = TESTS[test]
    read = [
        canonical(test, value, one)
        for one in ((unit,) if unit else (known.unit, known.customary or known.unit))
    ]
    return any(one is not None and known.low <= one <= known.high for one in read)


def _is_a_weight(text: str, number: Quantity, value: float) -> bool:
    """A body weight that nothing names: "she was 231 lb", and not "lost 40 lb", "goal 180 lb"."""
    weight = canonical("weight", value, number.unit) if number.unit else None
    ahead = text[max(0, number.start - _BESIDE) : number.start]
    return weight is not None and weight >= _LEAST_WEIGHT and not words(ahead, "change")


def _is_told(encoded: Encoded, place: tuple[int, int]) -> bool:
    shares = encoded.meant("sense", *place, "test")
    return sum(shares[sense] for sense in _RESULTS) >= _RESULT * sum(shares.values())


def _day_of(
    text: str, found: Sequence[Value], days: Sequence[DateSpan], written: date | None
) -> tuple[date | None, str]:
    """The day that belongs to the first of the values, and its words: the next one behind it, which may be of several
    values together, else the last one ahead; a vital sign without one is of the visit."""
    one, *later = found
    behind = [day for day in days if one.number.end <= day.start]
    ahead = [day for day in days if day.end <= one.number.start]
    between = [value for value in later if behind and value.number.start < behind[0].start]
    alike = all(value.test != one.test and _kind(value) == _kind(one) for value in between)
    for day in (*behind[: not between], *ahead[-1:], *behind[:alike]):
        return day.day if written or day.year else None, text[day.start : day.end]
    return (written if _kind(one) == "vital" else None), ""


def _kind(value: Value) -> str:
    return TESTS[value.test].kind
