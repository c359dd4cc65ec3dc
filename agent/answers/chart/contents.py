"""What the chart holds: the part of it that is asked for, and what is not on record.

What is not on record is said to be that, never that it is not so: only a list that is complete, of diagnoses,
medicines or allergies, shows that something is not on it. What a note says is quoted, and is data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from agent.answers import dates
from agent.answers.answer import Answer
from agent.answers.chart.courses import (
    GLUCOSE_OR_WEIGHT,
    classes_of,
    course_told,
    say_course,
    say_medications,
)
from agent.answers.chart.diagnoses import say_concept, say_diagnoses, say_family
from agent.answers.chart.lists import say_allergies, say_documents, say_programs, say_statements
from agent.answers.chart.notes import say_notes, search_notes
from agent.answers.chart.page import MOST_QUOTES, Page
from agent.answers.chart.person import say_person, say_prescriber, say_who
from agent.answers.chart.supply import fill_told, fills_of, order_told, say_fills, say_orders, supplied
from agent.answers.chart.values import PAIRED, say_latest, say_test, test_name
from agent.answers.eligibility import standing
from agent.answers.plan import coverage_told
from agent.answers.wording import Words, drugs_meant
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.evidence.measurements import values_of
from tools.queries.bound import Bound
from tools.terminology.observations import TESTS

MOST_IN_FULL = 2  # tests that are told with what was before
USUAL = ("hba1c", "bmi", "weight", "egfr", "ldl", "uacr")  # where labs are asked for as a whole


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """What is on record about each thing that is asked for, and what is not."""
    reply = Answer(ledger=ledger, drugs=tuple(ask.drugs))
    _SAY[ask.query](Page(ask, bound, ledger, reply))
    return reply


def _say_values(page: Page) -> None:
    tests = [*page.ask.tests]
    if set(PAIRED) & set(tests):  # one pressure is said with the other
        tests = [*(test for test in tests if test not in PAIRED), "sbp"]
    if not tests and not page.ask.names_something:  # the whole list is meant
        page.reply.general = True
        tests = [test for test in USUAL if page.patient.observations_by_test.get(test)]
        if not tests:
            page.say("No lab value or measurement is on record.")
            return
    if page.ask.query == "value" and page.ask.form == "list" and len(tests) == 1:  # all of them, then
        page = page._replace(ask=msgspec.structs.replace(page.ask, query="trend"))
    if not tests:
        _say_unresolved(page)
    elif len(tests) > MOST_IN_FULL:
        say_latest(page, tests)
        if page.reply.general:
            _say_other_tests(page, tests)
    else:
        for test in tests:
            say_test(page, test)
    meant = [one for one in drugs_meant(page.ask, page.bound) if page.bound.policy(one) is not None]
    if page.ask.query == "value_age" and tests and meant:  # old for what?
        window = msgspec.structs.replace(page.ask, tests=tuple(tests))
        page.reply.said += dates.answer(window, page.bound, page.ledger).said


def _say_other_tests(page: Page, told: Sequence[str]) -> None:
    """Of which other tests there is a result, so that there is none of any that is not named."""
    others = [test for test in page.patient.observations_by_test if test in TESTS and test not in told]
    also = f"Also on record: {', '.join(test_name(page, test) for test in others)}; of" if others else "Of"
    page.say(f"{also} any other test no result is on record.", must=False)


def _say_unresolved(page: Page) -> None:
    """What was asked could not be tied to any test: notes that hold the words, else that, and no absence."""
    page.reply.general = True
    if search_notes(page):
        return
    page.reply.lost = True
    said = page.asked("words", page.ask.text[:80], "question")
    page.say(f"I did not understand which test “{said}” means; name it as the chart would", verbatim=True)


def _say_course(page: Page) -> None:
    for name in page.ask.medicines:
        if say_course(page, name):
            _say_supply(page, name)
    if not page.ask.medicines:
        page.reply.general = True
        say_medications(page)


def _say_supply(page: Page, name: str) -> None:
    """When a medicine that is charted was filled last, and how far its fills reach; that it never was."""
    fills = fills_of(page, [name])
    if not fills:
        page.say("No pharmacy fill of it is on record.", must=False, leans=True)
        return
    page.say(f"Last fill: {fill_told(page, fills[0])}.", must=False)
    if len(fills) > 1:
        page.say(supplied(page, fills), must=False, leans=True)


def _say_diagnosis(page: Page) -> None:
    """What is named; where no condition of ours is, the medicines, the notes that hold the words, or the whole list."""
    for key in page.ask.conditions:
        say_concept(page, key)
    if page.ask.conditions:
        return
    if page.ask.medicines:
        say_medications(page)
        return
    page.reply.general = True
    if not search_notes(page):
        say_diagnoses(page)


def _say_note(page: Page) -> None:
    """The notes, and until when the latest counts."""
    say_notes(page)
    page.reply.said += dates.note_window(page.bound, page.ledger)


def _say_summary(page: Page) -> None:
    """Who it is, the values and drugs that requests turn on, and how the request that is ordered stands."""
    say_who(page)
    for coverage in page.patient.coverages:
        page.say(coverage_told(coverage, page.bound, page.ledger))
    for test in ("hba1c", "weight", "bmi"):
        if values_of(page.patient, test, page.bound.as_of).usable:
            say_test(page, test)
    taken = [one for one in page.patient.medications or () if GLUCOSE_OR_WEIGHT & set(classes_of(page, one))]
    page.bullets(taken, course_told, MOST_QUOTES)
    for order in page.patient.orders[:1]:
        page.say(f"Ordered: {order_told(page, order)}.")
        if order.drug in page.bound.plan.benefits:
            found = page.bound.determination(order.drug)
            page.reply.determinations.append(found)
            page.reply.said += standing(Words(page.bound, page.ledger, found))


def _say_allergy(page: Page) -> None:
    """The allergy list, and what of it is taken nevertheless."""
    listed = say_allergies(page)
    if listed and not any(one.date for one in listed):
        page.say("The chart does not say who entered it, or when.")
    for one in listed:
        for course in page.patient.medications or ():
            taken = course.status == "active" and {*one.ingredients} & {*course.ingredients}
            if taken:
                page.say(f"The medication list has it too: {course_told(page, course)}.")
                page.say("The chart does not say which entry is right; that is for the prescriber to settle.")


_SAY: dict[Query, Callable[[Page], None]] = {
    "value": _say_values,
    "trend": _say_values,
    "value_age": _say_values,
    "medication": _say_course,
    "medications": say_medications,
    "diagnosis": _say_diagnosis,
    "diagnoses": say_diagnoses,
    "allergy": _say_allergy,
    "family": say_family,
    "statement": say_statements,
    "program": say_programs,
    "document": say_documents,
    "note": _say_note,
    "fills": say_fills,
    "order": say_orders,
    "person": say_person,
    "prescriber": say_prescriber,
    "summary": _say_summary,
}
