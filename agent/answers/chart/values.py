"""Measured values: the latest with its date, the ones before, and how it went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import partial

from agent.answers.chart.lists import document_told
from agent.answers.chart.page import Page, capitalised
from agent.answers.terms import label_directions
from tools.evidence.measurements import Rejected, Value, values_of
from tools.papers import formats
from tools.terminology.matcher import matches
from tools.terminology.observations import TESTS

MOST_VALUES = 6
CHANGING = ("hba1c", "weight", "bmi")  # whose change people speak of
PAIRED = {"sbp": "dbp", "dbp": "sbp"}


def say_test(page: Page, test: str) -> None:
    """The latest value with its date; how it went before where that is asked, and its age where that is."""
    name = test_name(page, test)
    values = values_of(page.patient, test, page.bound.as_of)
    if not values.usable:
        _say_none(page, test, name, values.rejected)
        return
    latest, *before = _each_once(test, values.usable)
    value, day = _paired(page, test, latest), day_of(page, test, latest)
    if page.ask.query == "value_age":
        page.say(f"The latest {name} is of {day}, {_age(page, test, latest)} old: {value}.")
    else:
        page.say(f"The latest {name} is {value}, on {day}{_from(page, latest)}.")
    for other in before:
        if other.date == latest.date and not other.derived:
            page.say(f"Another {name} of the same day is {value_slot(page, test, other)}.")
    before = [one for one in before if one.date < latest.date]
    if page.ask.query == "trend":
        _say_trend(page, test, latest, before)
    elif before and test in CHANGING:
        day = day_of(page, test, before[0])
        page.say(f"The {name} before that was {value_slot(page, test, before[0])}, on {day}.", must=False)
    newer = [one for one in values.rejected if one.date and one.date >= latest.date]
    _say_rejected(page, test, "A later entry, {record}, does not count: {note}.", newer)
    for drug in page.bound.drugs:
        if drug.name in page.ask.drugs and f"test:{test}" in {found.concept for found in matches(drug.sig)}:
            page.say(label_directions(drug, page.ledger))


def _say_none(page: Page, test: str, name: str, rejected: Sequence[Rejected]) -> None:
    """That there is no value that counts; what there is in its place."""
    if page.ask.guessed:
        page.reply.lost = True
        page.say(f"I am not sure which result is meant; if it is {name}: none is on record.")
    else:
        page.say(f"{test_name(page, test, capital=True)} is not on record for this patient.")
    for paper in page.patient.documents:
        if paper.about == test:
            page.say(f"A paper about it is on file: {document_told(page, paper)}.")
    _say_rejected(page, test, "A value in record {record} does not count: {note}.", rejected)


def _say_rejected(page: Page, test: str, text: str, rejected: Sequence[Rejected]) -> None:
    """Why the first of these does not count."""
    for one in rejected[:1]:
        source = one.evidence.record_id
        note = page.words(one.evidence.note or one.reason, test, source)
        page.say(text.format(record=page.fact("code", source, "record", source), note=note))


_SOURCES = {"study": "a study", "form": "a form", "patient": "the patient's own report"}


def _from(page: Page, value: Value) -> str:
    """Where it comes from, unless from a laboratory or a measurement in the office."""
    ids = {seen.id for seen in value.seen}
    seen = (one.source for one in page.patient.observations if one.id in ids)
    return next((f", from {_SOURCES[source]}" for source in seen if source in _SOURCES), "")


def _age(page: Page, test: str, value: Value) -> str:
    """Its days up to the day of judgement."""
    days = (page.bound.as_of - value.date).days
    return page.ledger.add(
        "duration", days, unit="day" if days == 1 else "days", origin="derived", attribute=test, source=_ids(value),
        formula=f"{page.bound.as_of} - {value.date}",
    )  # fmt: skip


def _each_once(test: str, values: Sequence[Value]) -> list[Value]:
    """A value that stands twice on one day, as a BMI that is charted and one that follows from the weight, is one."""
    once: dict[tuple[date, str], Value] = {}
    for value in values:
        once.setdefault((value.date, formats.measure(test, value.value)), value)
    return [*once.values()]


def say_latest(page: Page, tests: Sequence[str]) -> None:
    """A line for each test: the latest value with its date, or that it is not on record."""
    page.say("The latest on record:")
    for test in tests:
        values = values_of(page.patient, test, page.bound.as_of).usable
        shown, name = _paired(page, test, values[0]) if values else "", test_name(page, test, capital=True)
        told = f"{shown}, on {day_of(page, test, values[0])}" if values else "is not on record"
        page.say(f"{name} {told}", bullet=True)


def _say_trend(page: Page, test: str, latest: Value, before: list[Value]) -> None:
    if not before:
        page.say(f"No earlier {test_name(page, test)} is on record.")
        return
    told = before[: MOST_VALUES - 1]
    if test in CHANGING:
        _say_change(page, test, told[-1], latest)
    for value in told:
        name, shown = test_name(page, test, capital=True), _paired(page, test, value)
        page.say(f"{name} on {day_of(page, test, value)}: {shown}", bullet=True)
    if test in CHANGING and len(told) > 1:
        _say_change(page, test, told[0], latest)


def _say_change(page: Page, test: str, first: Value, latest: Value) -> None:
    """By how much it rose or fell, or that it is the same."""
    change = Decimal(repr(latest.value)) - Decimal(repr(first.value))
    name = test_name(page, test, capital=True)
    since, until = day_of(page, test, first), day_of(page, test, latest)
    if not change:
        page.say(f"{name} is the same on {since} and on {until}.", verbatim=True)
        return
    unit = "points" if TESTS[test].unit == "%" else formats.unit(TESTS[test].unit)
    formula = f"{latest.value:g} - {first.value:g}"
    add = partial(
        page.ledger.add,
        "value",
        origin="derived",
        attribute=f"change:{test}",
        source=f"{_ids(first)},{_ids(latest)}",
    )
    shown = f"{formats.number(abs(change))} {unit}".strip()
    size = add(float(abs(change)), shown=shown, unit=TESTS[test].unit, formula=formula)
    if test == "weight":
        pounds = float(formats.fixed(formats.pounds(abs(change)), 1))
        size += f" ({add(pounds, unit='lb', formula=f'({formula}) / 0.45359237')})"
    page.say(f"{name} {'fell' if change < 0 else 'rose'} by {size} from {since} to {until}.", verbatim=True)


def value_told(page: Page, test: str, value: Value) -> str:
    return f"{test_name(page, test, capital=True)} {value_slot(page, test, value)}, on {day_of(page, test, value)}"


def value_slot(page: Page, test: str, value: Value) -> str:
    ids = _ids(value)
    shown = formats.measure(test, value.value)
    page.cite(value.seen[0].id, f"{TESTS[test].name} {shown}, {value.date.isoformat()}")
    add = partial(page.ledger.add, "value", on=value.date, attribute=test, source=ids)
    slot = add(
        value.value, shown=shown, unit=TESTS[test].unit, origin="derived" if value.derived else "chart",
        formula="weight / height²" if value.derived else "",
    )  # fmt: skip
    if test != "weight":
        return slot
    pounds = float(formats.fixed(formats.pounds(Decimal(repr(value.value))), 1))
    in_pounds = add(pounds, unit="lb", origin="derived", formula=f"{value.value:g} kg / 0.45359237")
    return f"{slot} ({in_pounds})"


def _paired(page: Page, test: str, value: Value) -> str:
    """The value, with the other blood pressure of the same day."""
    told, pair = value_slot(page, test, value), PAIRED.get(test)
    if pair is None:
        return told
    of_the_pair = values_of(page.patient, pair, page.bound.as_of).usable
    same = next((one for one in of_the_pair if one.date == value.date), None)
    return f"{told}, {test_name(page, pair)} {value_slot(page, pair, same)}" if same else told


def day_of(page: Page, test: str, value: Value) -> str:
    return page.day(value.date, test, _ids(value))


def _ids(value: Value) -> str:
    return ",".join(one.id for one in value.seen)


def test_name(page: Page, test: str, *, capital: bool = False) -> str:
    name = TESTS[test].name
    return page.fact("words", name, test, f"test:{test}", shown=capitalised(name) if capital else name)
