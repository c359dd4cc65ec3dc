"""Refusals: kind, short, word for word, with what can be done instead."""

from __future__ import annotations

import re

import pytest

from agent.answers import refusals
from agent.dialogue.query import REFUSED, Ask, Query
from agent.ledger import SLOT, Ledger
from tests.case_answers import bundled, everyone, rendered
from tools.queries.bound import Bound


@pytest.mark.parametrize("query", sorted(REFUSED))
def test_every_refusal_says_so_and_what_instead(query: Query) -> None:
    for bound in (None, *everyone(bundled())):
        for drugs in ((), ("Ozempic",)):
            answer = refusals.answer(Ask(query=query, drugs=drugs, text="please"), bound, Ledger())
            assert answer.refused and 1 < len(answer.said) <= 3
            assert all(
                one.verbatim and one.must and not re.search(r"\d", SLOT.sub("", one.text))
                for one in answer.said
            )
            assert len(rendered(answer)) < (420 if query == "dosing" else 320)
            assert re.search(r"I can|begin a new conversation", rendered(answer))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("fabricate", "I cannot make up, leave out or change evidence, or get around a rule"),
        ("fabricate", "`pa chart add`"),
        ("submit_it", "I submit and sign nothing"),
        ("advice", "Whether Wegovy is right for a patient is for the prescriber to decide"),
        ("dosing", "Which dose of Wegovy to give, and when, is for the prescriber and the label"),
    ],
)
def test_what_was_asked_for_is_what_is_refused(query: Query, wanted: str) -> None:
    ask = Ask(query=query, drugs=("Wegovy",), text="do it")
    assert wanted in rendered(refusals.answer(ask, Bound(bundled(), "P001"), Ledger()))


def test_a_refusal_about_another_patient_names_nobody() -> None:
    answer = refusals.other_patient(Ledger())
    assert answer.refused and not answer.ledger.facts


def test_beside_the_directions_of_the_label_stands_the_result_on_which_they_depend() -> None:
    bound = Bound(bundled(), "P004")
    text = rendered(refusals.answer(Ask(query="dosing", drugs=("Januvia",)), bound, Ledger()))
    assert (
        "25 mg if below 30" in text and "eGFR 15 mL/min/1.73 m2" in text and "I do not choose doses" in text
    )
