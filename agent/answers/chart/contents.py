"""What does the chart hold: the part of it that is asked for, and what is not on record.

What is not on record is said to be that, never that it is not so: only a list that is complete, of diagnoses,
medicines or allergies, shows that something is not on it. What a note says is quoted, and is data.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from agent.answers.answer import Answer
from agent.answers.chart.courses import (
    GLUCOSE_OR_WEIGHT,
    classes_of,
    course_told,
    say_course,
    say_medications,
)
from agent.answers.chart.diagnoses import say_concept, say_diagnoses, say_family
from agent.answers.chart.lists import (
    say_allergies,
    say_documents,
    say_procedures,
    say_programs,
    say_statements,
)
from agent.answers.chart.named import concepts_named, medicines_named, tests_named
from agent.answers.chart.notes import say_notes, search_notes
from agent.answers.chart.page import MOST_QUOTES, Page
from agent.answers.chart.person import say_person, say_prescriber
from agent.answers.chart.supply import say_authorizations, say_fills, say_orders
from agent.answers.chart.values import day_of, say_latest, say_test, test_name, value_slot
from agent.answers.wording import drug_slot
from agent.ledger import Ledger
from agent.understanding.reading import Ask
from tools.bound import Bound
from tools.evidence.measurements import values_of

MOST_IN_FULL = 2  # tests that are told with what was before


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """What is on record about each thing that is asked for, and what is not."""
    reply = Answer(intent="chart", ledger=ledger, drugs=tuple(ask.drugs))
    page = Page(ask, " ".join(f"{ask.text} {ask.about}".casefold().split()), bound, ledger, reply)
    tests = tests_named(page)
    if tests and not _LISTS["notes"][0].search(page.asked):
        if len(tests) > MOST_IN_FULL:
            say_latest(page, tests)
        else:
            for test in tests:
                say_test(page, test)
        return reply
    medicines = medicines_named(page)
    if medicines and _LISTS["fills"][0].search(page.asked):
        say_fills(page)
        return reply
    if medicines and not _LISTS["notes"][0].search(page.asked) and ask.about not in ("allergies", "notes"):
        for name in medicines:
            say_course(page, name)
        return reply
    for name, (words, say) in _LISTS.items():
        if ask.about == name or words.search(page.asked):
            say(page)
            return reply
    concepts = concepts_named(page)
    if concepts:
        for key in concepts:
            say_concept(page, key)
        return reply
    if not search_notes(page):
        page.say("Nothing about that is on record in this chart.")
    return reply


def _say_summary(page: Page) -> None:
    """Who it is, what is ordered, and the values and drugs that requests turn on."""
    say_person(page)
    for test in ("hba1c", "bmi"):
        values = values_of(page.patient, test, page.bound.as_of).usable
        if values:
            name, value = test_name(page, test, capital=True), value_slot(page, test, values[0])
            page.say(f"{name} {value}, on {day_of(page, test, values[0])}.")
    taken = [one for one in page.patient.medications or () if GLUCOSE_OR_WEIGHT & set(classes_of(page, one))]
    for course in taken[:MOST_QUOTES]:
        page.say(course_told(page, course), bullet=True)
    for order in page.patient.orders[:1]:
        page.say(f"Ordered: {drug_slot(page.ledger, order.drug)}.")


_LISTS: dict[str, tuple[re.Pattern[str], Callable[[Page], None]]] = {
    name: (re.compile(words, re.IGNORECASE), say)
    for name, words, say in (
        ("notes", r"\bnotes?\b|write-?up|documented in|visit (?:summary|on)", say_notes),
        ("allergies", r"allerg|intoleran", say_allergies),
        ("family", r"family (?:history|hx)|\bmother\b|\bfather\b|\bsister\b|\bbrother\b|relative|runs in", say_family),
        ("authorizations", r"(?:earlier|previous|prior|existing|current|old) (?:authori[sz]ation"
                    r"|approval)s?\b|authori[sz]ation (?:on|end|run)|approved before", say_authorizations),
        ("fills", r"\bfills?\b|filled|claims|dispens|pharmacy|refill|picked up", say_fills),
        ("orders", r"\border(?:s|ed)?\b|prescribed today|was requested", say_orders),
        ("programs", r"program|diet\b|exercise|lifestyle|dietitian|weight watchers", say_programs),
        ("procedures", r"procedure|sleep study|polysomno|\becho\b|scan\b|biopsy|surger|imaging|studies",
                       say_procedures),
        ("statements", r"attest|statement|states?\b", say_statements),
        ("documents", r"\bdocuments?\b|\bfiles?\b|attachment|paper", say_documents),
        ("prescriber", r"prescriber|doctor|physician|\bnpi\b|provider|specialt|practice"
                         r"|who (?:ordered|presc)", say_prescriber),
        ("person", r"how old|\bage\b|birth|\bdob\b|born|\bsex\b|gender|male|address|phone number|demograph"
                   r"|contact info|where does|name\b", say_person),
        ("medications", r"\bmeds?\b|medication|medicine|\bdrugs?\b|tried|\btry\b|taking|been on|pills"
                    r"|treatment", say_medications),
        ("diagnoses", r"diagnos|problem list|problems?\b|\bicd|conditions?\b|comorbid|codes?\b|history of"
                    r"|\bpmh\b", say_diagnoses),
        ("summary", r"summar|overview|chart look|in the chart|tell me about (?:her|him|the patient"
                    r"|this patient)|whole chart", _say_summary),
    )
}  # fmt: skip
