"""Measured values: the latest with its date, the ones before, and how it went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from agent.answers.chart.lists import document_told
from agent.answers.chart.page import Page, capitalised
from agent.answers.terms import label_directions
from tools.evidence.measurements import Value, values_of
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
        if page.ask.guessed:
            page.reply.lost = True
            page.say(f"I am not sure which result is meant; if it is {name}: none is on record.")
        else:
            page.say(f"{test_name(page, test, capital=True)} is not on record for this patient.")
        for paper in page.patient.documents:
            if paper.about == test:
                page.say(f"A paper about it is on file: {document_told(page, paper)}.")
        for rejected in values.rejected[:1]:
            note = page.words(rejected.evidence.note or rejected.reason, test, rejected.evidence.record_id)
            page.say(
                f"A value in record {_record(page, rejected.evidence.record_id)} does not count: {note}."
            )
        return
    latest, *before = _each_once(test, values.usable)
    value = value_slot(page, test, latest) + _paired(page, PAIRED.get(test, ""), latest)
    if page.ask.query == "value_age":
        page.say(
            f"The latest {name} is of {day_of(page, test, latest)}, {_age(page, test, latest)} old: {value}."
        )
    else:
        page.say(f"The latest {name} is {value}, on {day_of(page, test, latest)}{_from(page, latest)}.")
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
    for rejected in newer[:1]:
        note = page.words(rejected.evidence.note or rejected.reason, test, rejected.evidence.record_id)
        page.say(f"A later entry, {_record(page, rejected.evidence.record_id)}, does not count: {note}.")
    for drug in page.bound.drugs:
        if drug.name in page.ask.drugs and f"test:{test}" in {found.concept for found in matches(drug.sig)}:
            page.say(label_directions(drug, page.ledger))


_SOURCES = {"study": "a study", "form": "a form", "patient": "the patient's own report"}


def _from(page: Page, value: Value) -> str:
    """Where it comes from, unless from a laboratory or a measurement in the office."""
    ids = {seen.id for seen in value.seen}
    found = [
        _SOURCES[one.source] for one in page.patient.observations if one.id in ids and one.source in _SOURCES
    ]
    return f", from {found[0]}" if found else ""


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
    """A line for each test: the latest value with its date; those that are not on record together."""
    page.say("The latest on record:")
    for test in tests:
        values = values_of(page.patient, test, page.bound.as_of).usable
        if values:
            value = value_slot(page, test, values[0]) + _paired(page, PAIRED.get(test, ""), values[0])
            name = test_name(page, test, capital=True)
            page.say(f"{name} {value}, on {day_of(page, test, values[0])}", bullet=True)
        else:
            page.say(f"{test_name(page, test, capital=True)} is not on record", bullet=True)


def _say_trend(page: Page, test: str, latest: Value, before: list[Value]) -> None:
    if not before:
        page.say(f"No earlier {test_name(page, test)} is on record.")
        return
    if test in CHANGING:
        _say_change(page, test, before[0], latest)
    for value in before[: MOST_VALUES - 1]:
        name = test_name(page, test, capital=True)
        told = value_slot(page, test, value) + _paired(page, PAIRED.get(test, ""), value)
        page.say(f"{name} on {day_of(page, test, value)}: {told}", bullet=True)
    if test in CHANGING and len(before) > 1:
        _say_change(page, test, before[: MOST_VALUES - 1][-1], latest)


def _say_change(page: Page, test: str, first: Value, latest: Value) -> None:
    """By how much it rose or fell, or that it is the same."""
    change = Decimal(repr(latest.value)) - Decimal(repr(first.value))
    name, since, until = (
        test_name(page, test, capital=True),
        day_of(page, test, first),
        day_of(page, test, latest),
    )
    if not change:
        page.say(f"{name} is the same on {since} and on {until}.", verbatim=True)
        return
    unit = "points" if TESTS[test].unit == "%" else formats.unit(TESTS[test].unit)
    size = page.ledger.add(
        "value", float(abs(change)), shown=f"{formats.number(abs(change))} {unit}".strip(),
        unit=TESTS[test].unit, origin="derived", attribute=f"change:{test}", source=f"{_ids(first)},{_ids(latest)}",
        formula=f"{latest.value:g} - {first.value:g}",
    )  # fmt: skip
    page.say(f"{name} {'fell' if change < 0 else 'rose'} by {size} from {since} to {until}.", verbatim=True)


def value_told(page: Page, test: str, value: Value) -> str:
    return f"{test_name(page, test, capital=True)} {value_slot(page, test, value)}, on {day_of(page, test, value)}"


def value_slot(page: Page, test: str, value: Value) -> str:
    ids = _ids(value)
    shown = formats.measure(test, value.value)
    page.cite(ids.split(",")[0], f"{TESTS[test].name} {shown}, {value.date.isoformat()}")
    slot = page.ledger.add(
        "value", value.value, shown=shown, unit=TESTS[test].unit, on=value.date,
        origin="derived" if value.derived else "chart", attribute=test, source=ids,
        formula="weight / height²" if value.derived else "",
    )  # fmt: skip
    if test == "weight":
        pounds = float(formats.fixed(formats.pounds(Decimal(repr(value.value))), 1))
        in_pounds = page.ledger.add(
            "value", pounds, unit="lb", on=value.date, origin="derived", attribute=test, source=ids,
            formula=f"{value.value:g} kg / 0.45359237",
        )  # fmt: skip
        return f"{slot} ({in_pounds})"
    return slot


def _paired(page: Page, pair: str, value: Value) -> str:
    """The other blood pressure of the same day."""
    if not pair:
        return ""
    same = next(
        (one for one in values_of(page.patient, pair, page.bound.as_of).usable if one.date == value.date),
        None,
    )
    return f", {test_name(page, pair)} {value_slot(page, pair, same)}" if same else ""


def day_of(page: Page, test: str, value: Value) -> str:
    return page.day(value.date, test, _ids(value))


def _ids(value: Value) -> str:
    return ",".join(one.id for one in value.seen)


def test_name(page: Page, test: str, *, capital: bool = False) -> str:
    name = TESTS[test].name
    shown = capitalised(name) if capital else name
    return page.ledger.add("words", name, shown=shown, origin="chart", attribute=test, source=f"test:{test}")


def _record(page: Page, record_id: str) -> str:
    return page.ledger.add("code", record_id, origin="chart", attribute="record", source=record_id)
