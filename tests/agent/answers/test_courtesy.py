"""Greetings, help, questions back: short, kind, and without a fact that is none."""

from __future__ import annotations

import re

import pytest

from agent.answers import courtesy
from agent.answers.answer import Answer
from agent.dialogue.known import Known
from agent.dialogue.query import REFUSED, WANTS, Ask, Query, Reading
from agent.ledger import SLOT, Ledger
from tests.case_answers import bundled, rendered
from tools.queries.bound import Bound


def ask(
    query: Query,
    text: str = "",
    *,
    bound: bool = True,
    strangers: tuple[str, ...] = (),
    candidates: tuple[str, ...] = (),
    readings: tuple[Query, ...] = (),
) -> Answer:
    one = Ask(query=query, text=text)
    who = Bound(bundled(), "P001") if bound else None
    reading = Reading(asks=(one,), strangers=strangers, candidates=candidates, readings=readings)
    answer = courtesy.answer(one, who, Ledger(), reading)
    assert answer.said and len(rendered(answer)) < 700
    for said in answer.said:
        assert not re.search(r"\d", SLOT.sub("", said.text).replace("1. ", "").replace("2. ", "")), said.text
    return answer


@pytest.mark.parametrize("bound", [True, False])
@pytest.mark.parametrize(
    ("query", "text", "wanted"),
    [
        ("smalltalk", "good morning", "Glad to help."),
        ("help", "what can you do?", "I can tell you:"),
        ("off_topic", "write me a poem", "outside what I can help with"),
        ("panel", "how many of ours are ready?", "pa screen"),
        ("no_draft", "do not send anything", "Nothing was drafted or sent"),
        ("unclear", "asdf qwer", "I am not sure what you mean."),
        ("unclear", "", "I got no question."),
        ("advice", "should she take it?", "for the prescriber to decide"),  # the others: test_refusals.py
    ],
)
def test_each_gets_its_word(query: Query, text: str, wanted: str, bound: bool) -> None:
    answer = ask(query, text, bound=bound)
    assert wanted in rendered(answer)
    assert answer.refused is (query in REFUSED)


def test_too_much_is_said_to_be_too_much() -> None:
    assert "more than I can read at once" in rendered(courtesy.too_long(Ledger()))


def test_of_two_readings_that_are_near_it_is_asked_which() -> None:
    answer = ask("unclear", "and the pens?", readings=("limit", "copay"))
    assert rendered(answer) == f"I am not sure what you mean: 1. {WANTS['limit']}, or 2. {WANTS['copay']}?"
    assert answer.offered == ("limit", "copay")


def test_without_a_patient_it_is_asked_for_one() -> None:
    queries: tuple[Query, ...] = ("smalltalk", "help", "off_topic", "unclear")
    for query in queries:
        assert "Which patient is it about?" in rendered(ask(query, bound=False))


def test_a_stranger_is_said_to_be_unknown_and_what_is_near_is_offered() -> None:
    near = ask("eligible", "ozempik?", strangers=("ozempik",))
    assert (
        near.offered == ("Ozempic",)
        and rendered(near) == "I do not know a drug ozempik. Do you mean Ozempic?"
    )
    far = ask("eligible", "glucowonder?", strangers=("glucowonder",))
    assert not far.offered and "I know Ozempic, Trulicity" in rendered(far)


def test_before_a_patient_is_bound_near_names_come_from_what_is_known() -> None:
    one = Ask(query="eligible", text="ozempik?")
    reading = Reading(asks=(one,), strangers=("ozempik",))
    near = courtesy.answer(one, None, Ledger(), reading, Known.of(bundled()))
    assert near.offered == ("Ozempic",)


def test_a_description_that_fits_several_drugs_is_asked_back_once() -> None:
    answer = ask("eligible", "the weekly shot", candidates=("Ozempic", "Mounjaro"))
    assert answer.offered == ("Ozempic", "Mounjaro")
    assert rendered(answer) == "Which one do you mean: Ozempic or Mounjaro?"


def test_who_it_is_about_is_told() -> None:
    assert "about Antonio Nguyen (P001), born Apr 20, 1968" in rendered(ask("patient", "who is this?"))
