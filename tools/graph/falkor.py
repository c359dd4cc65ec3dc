"""FalkorDB by its own client. Each build is a graph of its own, named by its store and a number of its own; it counts
once its State stands in it, and then the older ones go. Bolt stays off: it is slower, and reads another graph.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tools.common.errors import Unavailable
from tools.graph.model import EDGES, NODES, Row, State, Write, in_order
from tools.graph.questions import QUESTIONS

PATIENCE = 30.0  # seconds for one answer; a batch is written without a limit


class Falkor:
    """The server at this URL: falkor://[:password@]host:port. `owner` keeps the graphs of several stores apart."""

    def __init__(self, url: str, owner: str) -> None:
        try:
            from falkordb import FalkorDB
        except ModuleNotFoundError as error:
            raise Unavailable(
                "the FalkorDB client is not installed: pip install 'paladin-pa[graph]', or unset PALADIN_GRAPH_URL"
            ) from error
        parts = urlsplit(url)
        self.prefix = f"paladin-{owner}-"
        self._named: dict[str, str] = {}  # graphs by their version
        self.where = f"FalkorDB at {parts.hostname}:{parts.port or 6379}"
        self._db = self._answer(lambda: FalkorDB.from_url(url, socket_connect_timeout=3.0))

    def states(self) -> list[State]:
        found = {
            name: msgspec.json.decode(body, type=State)
            for name in self.names()
            for (body,) in self._rows(name, "MATCH (s:State) RETURN s.body")
        }
        self._named = {state.version: name for name, state in found.items()}
        return list(found.values())

    def ask(self, version: str, question: str, **values: Any) -> list[tuple[Any, ...]]:
        if version not in self._named and version not in {state.version for state in self.states()}:
            raise Unavailable("the graph was built anew while it was being asked; ask again")
        return in_order(self._rows(self._named[version], QUESTIONS[question].cypher, **values))

    def replace(self, fill: Callable[[Write], State]) -> State:
        name = self.prefix + secrets.token_hex(6)

        def write(kind: str, rows: Sequence[Row]) -> None:
            self._run(name, _text(kind), rows=rows)

        try:
            for label, (key, *_) in NODES.items():
                self._run(name, f"CREATE INDEX FOR (n:{label}) ON (n.{key})")
            state = fill(write)
            counted = ("MATCH (n) RETURN count(n)", "MATCH ()-[e]->() RETURN count(e)")
            if sum(self._rows(name, text)[0][0] for text in counted) != sum(state.counts.values()):
                raise Unavailable(
                    f"{self.where} lost a part of the graph, perhaps to another build; build again"
                )
            older = [one for one in self.names() if one != name]
            self._run(name, "CREATE (:State {body: $body})", body=msgspec.json.encode(state).decode())
        except BaseException:
            self.delete(name)
            raise
        for one in older:
            self.delete(one)
        return state

    def close(self) -> None:
        self._db.connection.close()

    def names(self) -> list[str]:
        """Of all graphs of this store, whole or not."""
        return [name for name in map(str, self._answer(self._db.list_graphs)) if name.startswith(self.prefix)]

    def delete(self, name: str) -> None:
        """A graph, if it is there."""
        if name in self.names():
            self._answer(self._db.select_graph(name).delete)

    def _run(self, name: str, text: str, **values: Any) -> None:
        """Write."""
        self._answer(lambda: self._db.select_graph(name).query(text, values))

    def _rows(self, name: str, text: str, **values: Any) -> list[list[Any]]:
        graph, limit = self._db.select_graph(name), int(PATIENCE * 1000)
        rows: list[list[Any]] = self._answer(lambda: graph.ro_query(text, values, timeout=limit)).result_set
        return rows

    def _answer(self, ask: Callable[[], Any]) -> Any:
        """What the server says; Unavailable where it does not, or says that it cannot."""
        from redis.exceptions import RedisError

        try:
            return ask()
        except RedisError as error:
            raise Unavailable(
                f"{self.where} does not answer: {error}; start it (`pa services`), or unset PALADIN_GRAPH_URL"
                " for the embedded graph"
            ) from error


def _text(kind: str) -> str:
    """The text that writes `$rows` of this kind."""
    source, target, names = EDGES.get(kind, ("", "", NODES.get(kind, ())))
    of = ", ".join(f"{name}: r[{place}]" for place, name in enumerate(names, 2 if source else 0))
    if not source:
        return f"UNWIND $rows AS r CREATE (:{kind} {{{of}}})"
    ends = f"MATCH (a:{source} {{{NODES[source][0]}: r[0]}}) MATCH (b:{target} {{{NODES[target][0]}: r[1]}})"
    return f"UNWIND $rows AS r {ends} CREATE (a)-[:{kind} {{{of}}}]->(b)"
