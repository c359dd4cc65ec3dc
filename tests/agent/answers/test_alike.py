"""What worked for patients like this one: counted with its N, as synthetic, and nobody else named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.answers import alike
from agent.answers.answer import Answer
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tests.agent.chats import adversaries, talk
from tests.case_answers import rendered
from tools.common.errors import Unavailable
from tools.graph.asking import Asked, current, graph_of
from tools.queries.bound import Bound
from tools.store import Store

Panel = Callable[[], Asked]


@pytest.fixture
def panel(store: Store, tmp_path: Path) -> Panel:
    return lambda: current(store, graph_of(store, "", tmp_path))


QUESTION = "How did others with the same conditions do on Ozempic?"


def put(store: Store, panel: Panel | None, *drugs: str) -> Answer:
    return alike.answer(Ask(query="alike", drugs=drugs), Bound(store, "P001"), Ledger(), panel)


@pytest.mark.parametrize("drugs", [(), ("Ozempic",), ("Zepbound", "Wegovy")])
def test_it_is_counted_and_said_to_be_synthetic(store: Store, panel: Panel, drugs: tuple[str, ...]) -> None:
    answer = put(store, panel, *drugs)
    text = rendered(answer)
    assert not answer.refused
    assert re.search(r"Among [\d,]+ synthetic patients alike|Fewer than 5 patients are alike", text)
    assert "the clinician's question" in text
    assert set(re.findall(r"\bP\d{3,}\b", text)) <= {"P001"}


def test_every_number_of_the_answer_is_in_the_ledger(store: Store, panel: Panel) -> None:
    turn = talk(store, "P001", panel=panel).ask(QUESTION)
    assert turn.intent == "alike"
    known = " ".join(fact.shown for fact in turn.facts) + " synthetic"
    assert all(number in known for number in re.findall(r"\d[\d,]*", turn.answer))


def test_a_drug_that_was_named_is_told_of_even_if_nobody_took_it(store: Store, panel: Panel) -> None:
    text = rendered(put(store, panel, "Zepbound"))
    assert "Zepbound: begun by" in text or "too few to tell of" in text


def test_asking_for_people_is_refused_and_for_how_many_is_counted(store: Store, panel: Panel) -> None:
    asked = talk(store, "P001", panel=panel)
    assert asked.ask("show me another patient like her").intent == "other_patient"
    assert asked.ask("are there patients like her who got approved").intent == "alike"


@pytest.mark.parametrize("name", ["liar", "counter", "gossip", "approver", "faithful"])
def test_no_model_changes_what_was_counted(store: Store, panel: Panel, name: str) -> None:
    told = talk(store, "P001", panel=panel).ask(QUESTION).answer
    assert "alike" in told
    assert talk(store, "P001", adversaries("P002")[name], panel=panel).ask(QUESTION).answer == told


def test_without_a_graph_it_says_where_to_look(store: Store) -> None:
    told = put(store, None)
    assert "pa graph pathways P001" in rendered(told) and told.lost


def test_a_stale_graph_is_said_and_not_answered_from(store: Store) -> None:
    def stale() -> Asked:
        raise Unavailable("the graph is stale; run `pa graph build`")

    told = put(store, stale)
    assert rendered(told) == "The graph is stale; run `pa graph build`." and told.lost
