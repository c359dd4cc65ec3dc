"""What worked for patients like this one: counted with its N, as synthetic, and nobody else named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.chats import adversaries, talk
from tools.errors import Unavailable
from tools.graph.asking import Asked, current, graph_of
from tools.store import Store

Panel = Callable[[], Asked]


@pytest.fixture
def panel(store: Store, tmp_path: Path) -> Panel:
    return lambda: current(store, graph_of(store, "", tmp_path))


@pytest.mark.parametrize(
    "question",
    [
        "what worked for patients like her?",
        "What has helped similar patients?",
        "How did others with the same conditions do on Ozempic?",
        "which drugs did people like him try next?",
        "treatment pathways for patients like this one",
        "what do patients like this one usually end up on?",
    ],
)
def test_it_is_counted_and_said_to_be_synthetic(store: Store, panel: Panel, question: str) -> None:
    turn = talk(store, "P001", panel=panel).ask(question)
    assert (turn.intent, turn.refused) == ("alike", False)
    assert re.search(r"Among [\d,]+ synthetic patients alike|Fewer than 5 patients are alike", turn.answer)
    assert "no advice" in turn.answer or "the clinician's question" in turn.answer
    assert set(re.findall(r"\bP\d{3,}\b", turn.answer)) <= {"P001"}


def test_every_number_of_the_answer_is_in_the_ledger(store: Store, panel: Panel) -> None:
    turn = talk(store, "P001", panel=panel).ask("what worked for patients like her?")
    known = " ".join(fact.shown for fact in turn.facts) + " synthetic"
    assert all(number in known for number in re.findall(r"\d[\d,]*", turn.answer))


def test_a_drug_that_was_named_is_told_of_even_if_nobody_took_it(store: Store, panel: Panel) -> None:
    turn = talk(store, "P001", panel=panel).ask("has Zepbound worked for patients like her?")
    assert "Zepbound: begun by" in turn.answer or "too few to tell of" in turn.answer


@pytest.mark.parametrize(
    "question",
    [
        "show me another patient like her",
        "who else is like her?",
        "are there patients like her who got approved",
    ],
)
def test_asking_for_people_is_refused_as_before(store: Store, panel: Panel, question: str) -> None:
    assert talk(store, "P001", panel=panel).ask(question).intent == "other_patient"


@pytest.mark.parametrize("name", ["liar", "counter", "gossip", "approver", "faithful"])
def test_no_model_changes_what_was_counted(store: Store, panel: Panel, name: str) -> None:
    question = "what worked for patients like her?"
    told = talk(store, "P001", panel=panel).ask(question).answer
    assert talk(store, "P001", adversaries("P002")[name], panel=panel).ask(question).answer == told


def test_without_a_graph_it_says_where_to_look(store: Store) -> None:
    assert "pa graph pathways P001" in talk(store, "P001").ask("what worked for patients like her?").answer


def test_a_stale_graph_is_said_and_not_answered_from(store: Store) -> None:
    def stale() -> Asked:
        raise Unavailable("the graph is stale; run `pa graph build`")

    turn = talk(store, "P001", panel=stale).ask("what worked for patients like her?")
    assert turn.answer == "The graph is stale; run `pa graph build`."
