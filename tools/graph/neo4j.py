"""Neo4j, or a server that speaks Bolt as it does, by the neo4j driver. One database holds one graph.

The database must be empty or hold a graph of Paladin: nothing that anybody else keeps in it is ever deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from tools.errors import Refused, Unavailable
from tools.graph.cypher import edge_text, in_order, index_texts, node_text
from tools.graph.engine import State
from tools.graph.model import NODES, Row
from tools.graph.questions import QUESTIONS

DELETED_AT_ONCE = 10_000  # nodes in one transaction


class Neo4j:
    """The server at this URL: bolt://user:password@host:port?database=name, or neo4j://…. `driver` is for tests."""

    def __init__(self, url: str, driver: Any = None) -> None:
        parts = urlsplit(url)
        self.where = f"{parts.scheme} server at {parts.hostname}:{parts.port or 7687}"
        self.database = parse_qs(parts.query).get("database", [None])[0]
        self.driver = driver or self._connect(url)

    def states(self) -> list[State]:
        rows = self.rows("MATCH (s:State) RETURN s.body", {})
        return [msgspec.json.decode(body, type=State) for (body,) in rows if isinstance(body, str)]

    def ask(self, version: str, question: str, **values: Any) -> list[tuple[Any, ...]]:
        return in_order(self.rows(QUESTIONS[question].cypher, values))

    def writer(self, version: str) -> Neo4jWriter:
        return Neo4jWriter(self)

    def close(self) -> None:
        self.driver.close()

    def rows(self, text: str, values: dict[str, Any]) -> list[list[Any]]:
        """Run a text in a transaction of its own."""
        from neo4j.exceptions import DriverError, Neo4jError

        try:
            answer = self.driver.execute_query(text, parameters_=values, database_=self.database)
        except (DriverError, Neo4jError) as error:
            raise Unavailable(
                f"the {self.where} does not answer: {error}; unset PALADIN_GRAPH_URL for the embedded graph"
            ) from error
        return [list(record.values()) for record in answer.records]

    def _connect(self, url: str) -> Any:
        try:
            from neo4j import GraphDatabase
        except ModuleNotFoundError as error:
            raise Unavailable(
                "the neo4j driver is not installed: pip install 'paladin-pa[graph]', or unset PALADIN_GRAPH_URL"
            ) from error
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.hostname}:{parts.port or 7687}"
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        return GraphDatabase.driver(address, auth=auth, connection_timeout=3.0)


class Neo4jWriter:
    """Empties the database of the graph that was there, and fills it; it counts once its State stands in it."""

    def __init__(self, server: Neo4j) -> None:
        self.server = server
        ((nodes,),) = server.rows("MATCH (n) RETURN count(n)", {})
        ((ours,),) = server.rows("MATCH (s:State) RETURN count(s)", {})
        if nodes and not ours:
            raise Refused(
                f"the database of the {server.where} holds {nodes} nodes and no graph of Paladin; name an empty one"
                " (?database=…)"
            )
        self._empty()
        server.rows("CREATE (:State {body: null})", {})  # whose it is, should this end half way
        for text in index_texts(" IF NOT EXISTS"):
            server.rows(text, {})

    def nodes(self, label: str, rows: Sequence[Row]) -> None:
        self.server.rows(node_text(label), {"rows": rows})

    def edges(self, type: str, rows: Sequence[Row]) -> None:
        self.server.rows(edge_text(type), {"rows": rows})

    def finish(self, state: State) -> None:
        """Counted first: another build may have emptied the database meanwhile."""
        ((nodes,),) = self.server.rows("MATCH (n) WHERE NOT n:State RETURN count(n)", {})
        ((edges,),) = self.server.rows("MATCH ()-[e]->() RETURN count(e)", {})
        if nodes + edges != sum(state.counts.values()):
            raise Unavailable(
                f"the {self.server.where} lost a part of the graph, perhaps to another build; build again"
            )
        body = msgspec.json.encode(state).decode()
        self.server.rows("MATCH (s:State) SET s.body = $body", {"body": body})

    def drop(self) -> None:
        self._empty()

    def _empty(self) -> None:
        """The State goes last: until then the database is known for ours."""
        for label in (*(kind.label for kind in NODES), "State"):
            text = f"MATCH (n:{label}) WITH n LIMIT {DELETED_AT_ONCE} DETACH DELETE n RETURN count(n)"
            while self.server.rows(text, {}) not in ([[0]], []):
                pass
