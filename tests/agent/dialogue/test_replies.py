"""A reply to a question back chooses what was offered, and nothing else is a reply."""

from __future__ import annotations

import pytest

from agent.dialogue import entities, replies
from agent.dialogue.known import Known
from agent.dialogue.query import Ask, Talk
from tests.case_answers import bundled

OFFERED = ("Ozempic", "Wegovy", "Rybelsus")


def chosen(text: str, offered: tuple[str, ...] = OFFERED) -> tuple[str, ...] | None:
    talk = Talk(patient_id="P001", offered=offered, asks=(Ask(query="missing"),))
    known = Known.of(bundled())
    reading = replies.reply(entities.find(text, talk, known), talk, known)
    return reading.asks[0].drugs if reading else None


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("Wegovy", ("Wegovy",)),
        ("the second one", ("Wegovy",)),
        ("3", ("Rybelsus",)),
        ("the last", ("Rybelsus",)),
        ("all of them", OFFERED),
        ("what is his weight", None),
        ("can he get the pen", None),
    ],
)
def test_by_name_by_place_or_all(text: str, drugs: tuple[str, ...] | None) -> None:
    assert chosen(text) == drugs


def test_a_yes_takes_what_alone_was_offered() -> None:
    assert chosen("yes please", ("Ozempic",)) == ("Ozempic",)
    assert chosen("yes please") is None


def test_the_last_question_is_asked_again_as_the_reading_that_was_chosen() -> None:
    known = Known.of(bundled())
    talk = Talk(
        patient_id="P001", offered=("copay", "tier"), asks=(Ask(query="unclear", drugs=("Ozempic",)),)
    )
    reading = replies.reply(entities.find("2", talk, known), talk, known)
    assert reading is not None and reading.asks[0].query == "tier" and reading.asks[0].drugs == ("Ozempic",)


def test_one_of_the_people_offered() -> None:
    known = Known.of(bundled())
    talk = Talk(offered=("P003", "P004"), asks=(Ask(query="eligible", drugs=("Wegovy",)),))
    reading = replies.reply(entities.find("the first", talk, known), talk, known)
    assert reading is not None and reading.person == "P003" and reading.asks[0].query == "eligible"


def test_a_yes_to_a_draft_that_was_not_surely_asked_for_is_that_draft_alone_and_sure() -> None:
    """What stood beside it was answered already, and it is not asked about again."""
    known = Known.of(bundled())
    asks = (Ask(query="value", tests=("bmi",)), Ask(query="draft", drugs=("Wegovy",), sure=0.8))
    talk = Talk(patient_id="P003", offered=("draft",), asks=asks)
    reading = replies.reply(entities.find("yes", talk, known), talk, known)
    assert reading is not None
    assert [(ask.query, ask.drugs, ask.sure) for ask in reading.asks] == [("draft", ("Wegovy",), 1.0)]
