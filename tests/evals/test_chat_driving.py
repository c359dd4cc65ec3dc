"""The evals drive the chat as a door does, and read what code, model and both understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.models.model import ModelTrouble
from agent.models.scripted import Scripted
from agent.understanding.reading import Reading
from evals.chat import understanding
from evals.chat.driving import Setup, chat, understood
from evals.chat.questions import Asking, Expect, Question
from tools.store.load import load
from tools.store.store import Store

SETUP = Setup(agent="chat", model="scripted", understanding="joined", seed=1)
QUESTIONS = [
    Question(
        id="q",
        kind="follow_up",
        set="open",
        patient="P001",
        turns=[
            Asking(ask="Can he get Ozempic?", expect=Expect(intent="eligibility", drugs=["Ozempic"])),
            Asking(ask="And Wegovy?", expect=Expect(intent="eligibility", drugs=["Wegovy"])),
        ],
    )
]
SAYS_WEGOVY = '{"intents": ["eligibility"], "drugs": ["Wegovy"]}'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from evals.chat.world import MOCK_DATA

    made = Store.create(f"sqlite:///{tmp_path_factory.mktemp('store') / 'paladin.db'}")
    load(made, MOCK_DATA)
    yield made
    made.close()


def test_a_follow_up_is_read_with_what_was_talked_of_before() -> None:
    first, second = understanding.cases(QUESTIONS)
    assert first.talk.drugs == () and first.talk.patient_id == "P001" and first.talk.sex == "male"
    assert second.talk.drugs == ("Ozempic",) and [ask.intent for ask in second.talk.asks] == ["eligibility"]


def test_the_model_s_readings_are_scored_logged_and_not_asked_for_again(store: Store, tmp_path: Path) -> None:
    from agent.understanding.known import Known

    model, asked = Scripted(SAYS_WEGOVY), [*understanding.cases(QUESTIONS)]
    for _ in range(2):
        replies = understanding._ask_all(model, Known.of(store), asked, tmp_path / "log.jsonl", "scripted")
    assert len(model.calls) == 2
    readings = [msgspec.convert(reply["reading"], Reading) for reply in replies]
    scores = understanding._scores(asked, readings)["open"]
    assert scores["intents"]["right"] == 2
    assert scores["drugs"]["right"] == 1  # it says Wegovy of Ozempic too


def test_a_model_that_gives_no_reading_is_wrong(store: Store, tmp_path: Path) -> None:
    from agent.understanding.known import Known

    asked = [*understanding.cases(QUESTIONS)]
    model = Scripted(ModelTrouble("down", "nothing answers"))
    replies = understanding._ask_all(model, Known.of(store), asked, tmp_path / "log.jsonl", "down")
    assert [reply["reading"] for reply in replies] == [None, None]
    assert understanding._scores(asked, [None, None])["all"]["intents"]["right"] == 0


def test_the_chat_is_driven_with_a_conversation_for_each_question(store: Store, tmp_path: Path) -> None:
    from agent.settings import read_settings

    settings = read_settings({"PALADIN_HOME": str(tmp_path)})
    drive = chat(store, settings, SETUP, None)
    turns = drive(QUESTIONS[0])
    assert [turn["drugs"] for turn in turns] == [("Ozempic",), ("Wegovy",)]
    assert all(turn["path"] == "template" and turn["model_calls"] == 0 for turn in turns)


def test_who_understands_can_be_chosen_and_is_put_back() -> None:
    from agent import chat as module

    graph: Any = module
    before = graph.SURE, graph.join
    with understood("code"):
        assert graph.SURE == 0.0
    with understood("model"):
        assert graph.SURE > 1.0 and graph.join is not before[1]
    assert (graph.SURE, graph.join) == before
