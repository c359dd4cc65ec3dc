"""Questions about a request that was made are known as such, and nobody else's questions are taken by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.understanding import code
from agent.understanding.of_cases import might
from agent.understanding.reading import Talk
from tests.agent.understanding.sets import known

SETS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("of_cases.yaml").read_text(encoding="utf-8"))


def _each(name: str) -> list[tuple[str, str]]:
    return [(side, question) for side, questions in SETS[name].items() for question in questions]


def _read(question: str) -> tuple[str, str]:
    ask = code.read(question, Talk(patient_id="P001"), known()).asks[0]
    return ask.intent, ask.about


@pytest.mark.parametrize(("side", "question"), [*_each("built"), *_each("held_out")])
def test_a_question_about_a_case_is_read_with_its_side(side: str, question: str) -> None:
    assert _read(question) == ("cases", side)


@pytest.mark.parametrize(("side", "question"), _each("either"))
def test_what_rules_are_asked_as_well_is_left_to_them_and_may_be_a_cases(side: str, question: str) -> None:
    assert _read(question)[0] != "cases"
    assert might(question.lower()) == side


@pytest.mark.parametrize("question", SETS["others"])
def test_questions_of_others_are_not_taken(question: str) -> None:
    assert _read(question)[0] != "cases"


def test_most_questions_by_another_hand_are_read() -> None:
    """52 of 70 with their side, and 1 of 40 that are not a case's, when they were first asked."""
    blind = yaml.safe_load(Path(__file__).with_name("of_cases_blind.yaml").read_text(encoding="utf-8"))
    others = blind.pop("others")
    right = 0
    for side, questions in blind.items():
        for question in questions:
            intent, about = _read(question)
            right += (about if intent == "cases" else might(question.lower())) == side
    assert right >= 50
    assert sum(_read(question)[0] == "cases" for question in others) <= 1
