"""What the neo4j adapter sends, by a driver that plays the server. That a Neo4j takes it is not shown here."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import pytest
from neo4j.exceptions import ServiceUnavailable

from tools.errors import Refused, Unavailable
from tools.graph.engine import State
from tools.graph.model import EDGES, NODES
from tools.graph.neo4j import Neo4j
from tools.graph.questions import QUESTIONS

STATE = State(version="v" * 64, as_of=date(2026, 9, 1), patients=1, counts={"Patient": 1, "HAS": 1})


class Answer(NamedTuple):
    records: list[dict[str, Any]]


class Rows:
    """Keeps what it was sent, and answers by what stands in the text; else as a database that holds nothing."""

    def __init__(self, **answers: list[list[Any]]) -> None:
        self.answers = {key.replace("_", " "): rows for key, rows in answers.items()}
        self.sent: list[tuple[str, dict[str, Any], str | None]] = []

    def execute_query(self, text: str, parameters_: dict[str, Any], database_: str | None) -> Answer:
        self.sent.append((text, parameters_, database_))
        for part, rows in self.answers.items():
            if part in text:
                return Answer([dict(enumerate(row)) for row in rows])
        return Answer([{"0": 0}] if "count(" in text else [])


def graph(driver: Rows) -> Neo4j:
    return Neo4j("bolt://neo4j:secret@127.0.0.1:7687?database=pa", driver)


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_text_that_falkordb_runs_goes_over_unchanged(name: str) -> None:
    driver = Rows()
    graph(driver).ask("v", name, id="P001")
    assert driver.sent == [(QUESTIONS[name].cypher, {"id": "P001"}, "pa")]


def test_a_graph_goes_in_by_batches_nodes_before_edges_and_its_state_last() -> None:
    driver = Rows()
    driver.answers = {"WHERE NOT n:State": [[1]], "MATCH ()-[e]->()": [[1]]}
    writer = graph(driver).writer("v")
    writer.nodes("Patient", [["P001"]])
    writer.edges("HAS", [["P001", "t2dm"]])
    writer.finish(STATE)
    texts = [text for text, _, _ in driver.sent]
    nodes = texts.index("UNWIND $rows AS r CREATE (:Patient {id: r[0]})")
    edges = texts.index(
        "UNWIND $rows AS r MATCH (a:Patient {id: r[0]}) MATCH (b:Condition {name: r[1]}) CREATE (a)-[:HAS]->(b)"
    )
    assert nodes < edges < len(texts) - 1
    assert texts[-1] == "MATCH (s:State) SET s.body = $body"
    assert driver.sent[edges][1] == {"rows": [["P001", "t2dm"]]}
    indexed = [text for text in texts if text.startswith("CREATE INDEX IF NOT EXISTS FOR")]
    assert len(indexed) == len(NODES)
    assert {database for _, _, database in driver.sent} == {"pa"}


def test_a_state_is_read_back_and_half_a_graph_is_none() -> None:
    import msgspec

    body = msgspec.json.encode(STATE).decode()
    assert graph(Rows(RETURN_s=[[body]])).states() == [STATE]
    assert graph(Rows(RETURN_s=[[None]])).states() == []


def test_a_database_that_holds_something_else_is_left_alone() -> None:
    driver = Rows()
    driver.answers = {"MATCH (n) RETURN count(n)": [[7]]}
    with pytest.raises(Refused, match="holds 7 nodes and no graph of Paladin"):
        graph(driver).writer("v")
    assert not any("DELETE" in text or "CREATE" in text for text, _, _ in driver.sent)


def test_a_graph_that_lost_something_is_not_finished() -> None:
    driver = Rows()
    writer = graph(driver).writer("v")
    with pytest.raises(Unavailable, match="build again"):
        writer.finish(STATE)
    assert not any("SET s.body" in text for text, _, _ in driver.sent)


def test_a_server_that_is_away_is_said_in_one_line_without_the_password() -> None:
    class Away(Rows):
        def execute_query(self, text: str, parameters_: dict[str, Any], database_: str | None) -> Answer:
            raise ServiceUnavailable("no route")

    with pytest.raises(Unavailable, match="PALADIN_GRAPH_URL") as told:
        graph(Away()).states()
    assert "secret" not in str(told.value)


def test_every_kind_has_its_ends() -> None:
    labels = {kind.label for kind in NODES}
    assert all(kind.source in labels and kind.target in labels for kind in EDGES)
