"""Where Spanish is asked for, an answer begins with what is decided in Spanish, each value of it a fact."""

from __future__ import annotations

import re

import pytest

from agent.answers.answer import Said
from agent.answers.translated import translated
from agent.ledger import SLOT, Ledger
from tests.agent.chats import talk
from tools.messages import language_named, language_of
from tools.queries.check import check
from tools.store import Store

FOLLOWS = "La respuesta, en inglés:"


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Can he get Ozempic? In Spanish, please", "es"),
        ("dígamelo en español", "es"),
        ("What is missing for Ozempic?", ""),
        ("Is she on Spanishia?", ""),
    ],
)
def test_a_language_is_named_by_its_own_word(question: str, language: str) -> None:
    assert language_named(question) == language


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("¿Qué le falta al señor Nguyen para el Ozempic?", "es"),
        ("última A1c del paciente, por favor", "es"),
        ("What is missing for Mr. de la Cruz?", ""),
        ("Ozempic, Mounjaro y/n/y", ""),
        ("", ""),
    ],
)
def test_a_language_is_known_by_the_words_of_its_catalogue(question: str, language: str) -> None:
    assert language_of(question) == language


def test_a_question_in_spanish_is_decided_in_spanish_first(tiny: Store) -> None:
    said = talk(tiny, patient_id="P002").ask("¿Le van a aprobar el Ozempic al paciente?")
    assert said.answer.startswith("Denegación probable: Ozempic") and FOLLOWS in said.answer


def test_the_summary_reads_as_in_spanish(tiny: Store) -> None:
    found, ledger = check(tiny, "P002", "Ozempic"), Ledger()
    lines = [ledger.render(one.text) for one in translated("es", [found], tiny.patient("P002"), ledger)]
    assert lines[0] == (
        "Denegación probable: Ozempic para diabetes tipo 2 con el plan CASCADE-GOLD al 1 de septiembre de 2026; no se "
        "cumple: metformina por al menos 90 días, con respuesta inadecuada o respuesta parcial (no consta que se haya "
        "probado metformina)."
    )
    assert "Lo que falta o no se cumple:" in lines and "Lo que sigue:" in lines and lines[-1] == FOLLOWS
    step = "Si el médico lo quiere de todos modos, solicite una excepción con el motivo"
    assert lines[-2] == step


def test_every_number_is_a_slot_over_the_ledger(tiny: Store) -> None:
    ledger = Ledger()
    for patient_id in ("P001", "P002", "P003"):
        for line in translated("es", [check(tiny, patient_id, "Ozempic")], tiny.patient(patient_id), ledger):
            assert line.verbatim and not re.search(r"\d", SLOT.sub("", line.text)), line.text


def test_the_chat_answers_in_spanish_first_and_in_english_below(tiny: Store) -> None:
    turn = talk(tiny, "P002").ask("What is missing for Ozempic? In Spanish, please")
    spanish, _, english = turn.answer.partition(FOLLOWS)
    assert spanish.startswith("Denegación probable: Ozempic")
    assert "HbA1c" in english
    assert "Denegación" not in talk(tiny, "P002").ask("What is missing for Ozempic?").answer


def test_what_is_no_determination_says_that_it_is_in_english(tiny: Store) -> None:
    turn = talk(tiny, "P002").ask("What is his latest HbA1c? In Spanish, please")
    assert turn.answer.startswith("Esta respuesta solo está disponible en inglés:")


def test_what_is_no_decision_comes_before_what_the_determination_comes_to(tiny: Store) -> None:
    patient, found = tiny.patient("P002"), check(tiny, "P002", "Ozempic")
    ledger, asked = Ledger(), Said(text="Tier 3.")
    lines = [
        ledger.render(one.text) for one in translated("es", [found], patient, ledger, [asked], decides=False)
    ]
    assert lines[1] == "Tier 3." and lines[2].startswith("Denegación probable: Ozempic") and len(lines) == 3


def test_the_last_answer_is_said_again_in_spanish(tiny: Store) -> None:
    spoken = talk(tiny, "P002")
    spoken.ask("Can he get Ozempic?")
    for again in ("Say that again in Spanish", "en español, por favor"):
        assert spoken.ask(again).answer.startswith("Denegación probable: Ozempic"), again
