"""Greetings, help, questions back: short, kind, and without a fact that is none."""

from __future__ import annotations

import re

import pytest

from agent.answers import courtesy
from agent.answers.answer import Answer
from agent.ledger import SLOT, Ledger
from agent.understanding.known import Known
from agent.understanding.reading import Ask, Intent, Reading
from tests.case_answers import bundled, rendered
from tools.bound import Bound


def ask(
    intent: Intent,
    text: str = "",
    *,
    bound: bool = True,
    about: str = "",
    strangers: tuple[str, ...] = (),
    candidates: tuple[str, ...] = (),
) -> Answer:
    one = Ask(intent=intent, text=text, about=about)
    who = Bound(bundled(), "P001") if bound else None
    reading = Reading(asks=(one,), strangers=strangers, candidates=candidates)
    answer = courtesy.answer(one, who, Ledger(), reading)
    assert answer.said and len(rendered(answer)) < 600
    for said in answer.said:
        assert not re.search(r"\d", SLOT.sub("", said.text)), said.text
    return answer


@pytest.mark.parametrize("bound", [True, False])
@pytest.mark.parametrize(
    ("intent", "text", "wanted"),
    [
        ("smalltalk", "good morning", "Hello."),
        ("smalltalk", "thank you so much", "You are welcome."),
        ("smalltalk", "bye now", "Goodbye"),
        ("smalltalk", "are you a bot?", "I am Paladin"),
        ("help", "what can you do?", "I can tell you:"),
        ("off_topic", "write me a poem", "outside what I can help with"),
        ("unclear", "asdf qwer", "I am not sure what you mean."),
        ("unclear", "¿puede la paciente tener el medicamento?", "Por ahora solo respondo en inglés"),
        ("unclear", "was fehlt noch?", "nur auf Englisch"),
        ("unclear", "que manque-t-il pour le dossier ?", "qu'en anglais"),
        ("unclear", "¿qué falta?", "en inglés"),
        ("unclear", "was she told what to do with the form", "I am not sure what you mean."),
        ("unclear", "она может получить это?", "English only"),
        ("advice", "should she take it?", "for the prescriber to decide"),
        ("dosing", "what dose?", "I do not choose doses"),
        ("fabricate", "make an a1c up", "I cannot make up"),
        ("other_patient", "and P003?", "one patient only"),
    ],
)
def test_each_gets_its_word(intent: Intent, text: str, wanted: str, bound: bool) -> None:
    answer = ask(intent, text, bound=bound)
    assert wanted in rendered(answer)
    assert answer.refused is (intent in ("advice", "dosing", "fabricate", "other_patient"))


@pytest.mark.parametrize(
    ("about", "wanted"), [("empty", "I got no question."), ("long", "more than I can read at once")]
)
def test_nothing_and_too_much(about: str, wanted: str) -> None:
    assert wanted in rendered(ask("unclear", about=about))


def test_without_a_patient_it_is_asked_for_one() -> None:
    intents: tuple[Intent, ...] = ("smalltalk", "help", "off_topic", "unclear")
    for intent in intents:
        assert "Which patient is it about?" in rendered(ask(intent, bound=False))


def test_a_stranger_is_said_to_be_unknown_and_what_is_near_is_offered() -> None:
    near = ask("eligibility", "ozempik?", strangers=("ozempik",))
    assert (
        near.offered == ("Ozempic",)
        and rendered(near) == "I do not know a drug ozempik. Do you mean Ozempic?"
    )
    far = ask("eligibility", "glucowonder?", strangers=("glucowonder",))
    assert not far.offered and "I know Ozempic, Trulicity" in rendered(far)


def test_before_a_patient_is_bound_near_names_come_from_what_is_known() -> None:
    one = Ask(intent="eligibility", text="ozempik?")
    reading = Reading(asks=(one,), strangers=("ozempik",))
    near = courtesy.answer(one, None, Ledger(), reading, Known.of(bundled()))
    assert near.offered == ("Ozempic",)


def test_a_description_that_fits_several_drugs_is_asked_back_once() -> None:
    answer = ask("eligibility", "the weekly shot", candidates=("Ozempic", "Mounjaro"))
    assert answer.offered == ("Ozempic", "Mounjaro")
    assert rendered(answer) == "Which one do you mean: Ozempic or Mounjaro?"


def test_who_it_is_about_is_told() -> None:
    assert "about Antonio Nguyen (P001), born Apr 20, 1968" in rendered(ask("patient", "who is this?"))
