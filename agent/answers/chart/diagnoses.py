"""Diagnoses, and the family's: on the problem list or not, and what else the chart says of one."""

from __future__ import annotations

import re

from agent.answers.chart.lists import say_stated
from agent.answers.chart.notes import quote_notes
from agent.answers.chart.page import MOST_LINES, MOST_QUOTES, Page, capitalised
from tools.domain.records import Diagnosis
from tools.terminology.conditions import CONCEPTS


def say_diagnoses(page: Page) -> None:
    conditions = page.patient.conditions
    if conditions is None:
        page.say("The problem list is not on record.")
    elif not conditions:
        page.say("The problem list is on record and empty.")
    else:
        page.say(f"The problem list has {page.number(len(conditions), 'diagnoses')} entries:")
        page.bullets(conditions, diagnosis_told, MOST_LINES + 4, "diagnoses not shown")


def say_concept(page: Page, key: str) -> None:
    """Whether a diagnosis is on the problem list, what the prescriber states of it, and the family's history."""
    concept, patient = CONCEPTS[key], page.patient
    label, capital = (
        page.asked("words", concept.label, f"condition:{key}", shown)
        for shown in (concept.label, capitalised(concept.label))
    )
    mine = [one for one in patient.conditions or () if _means(one, key)]
    for one in mine[:MOST_QUOTES]:
        page.say(f"On the problem list: {diagnosis_told(page, one)}.")
    if patient.conditions is None:
        page.say(f"The problem list is not on record, so {label} is neither shown nor ruled out.")
    elif not mine:
        page.say(f"{capital} is not on the problem list.")
    for said in patient.attestations:
        if said.topic and said.topic == concept.topic and said.text:
            say_stated(page, said)
    words = [*concept.phrases, *concept.suggest_phrases, concept.label.casefold()]
    for member in patient.family_history:
        if any(word in member.condition.casefold() for word in words):
            page.say(f"Family history: {relative_told(page, member.id)}.")
    if not mine:
        named = re.compile("|".join(rf"\b{re.escape(word)}" for word in words))
        quote_notes(page, lambda sentence: bool(named.search(sentence.casefold())), "A note mentions it")


def _means(one: Diagnosis, key: str) -> bool:
    concept, name = CONCEPTS[key], one.name.casefold()
    if concept.codes and one.code.startswith(concept.codes):
        return True
    is_named = any(phrase in name for phrase in concept.phrases)
    return not one.code and is_named and not any(phrase in name for phrase in concept.not_phrases)


def diagnosis_told(page: Page, one: Diagnosis) -> str:
    page.cite(one.id, f"{one.code} {one.name}".strip())
    name = page.words(one.name or one.code, "diagnosis", one.id)
    parts = []
    if one.code and one.name:
        parts.append(page.fact("code", one.code, "diagnosis", one.id))
    if one.verification != "confirmed":
        parts.append(page.fact("status", one.verification, "verification", one.id))
    if one.onset:
        parts.append(f"since {page.day(one.onset, 'onset', one.id)}")
    if one.abated:
        parts.append(f"until {page.day(one.abated, 'abated', one.id)}")
    return f"{name} ({', '.join(parts)})" if parts else name


def say_family(page: Page) -> None:
    if not page.patient.family_history:
        page.say("No family history is on record.")
        return
    page.say("Family history on record:")
    page.bullets(page.patient.family_history, lambda page, one: relative_told(page, one.id))


def relative_told(page: Page, member_id: str) -> str:
    one = next(item for item in page.patient.family_history if item.id == member_id)
    page.cite(one.id, f"{one.relation}: {one.condition}")
    return f"{page.words(one.relation, 'family', one.id)}, {page.words(one.condition, 'family', one.id)}"
