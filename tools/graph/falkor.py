"""FalkorDB by its own client. Each build is a graph of its own, named by its store and a number of its own.

Bolt stays off: through it the server answers slower and under another graph's name.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from tools.errors import Unavailable
from tools.graph.cypher import edge_text, in_order, index_texts, node_text
from tools.graph.engine import State
from tools.graph.model import Row
from tools.graph.questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self._db = self._spoken(
            lambda: FalkorDB.from_url(url, socket_connect_timeout=3.0, socket_timeout=None)
        )

    def states(self) -> list[State]:
        found = {}
        for name in self.names():
            for (body,) in self._rows(name, "MATCH (s:State) RETURN s.body", {}):
                found[name] = msgspec.json.decode(body, type=State)
        self._named = {state.version: name for name, state in found.items()}
        return list(found.values())

    def ask(self, version: str, question: str, **values: Any) -> list[tuple[Any, ...]]:
        if version not in self._named and version not in {state.version for state in self.states()}:
            raise Unavailable("the graph was built anew while it was being asked; ask again")
        return in_order(self._rows(self._named[version], QUESTIONS[question].cypher, values))

    def writer(self, version: str) -> FalkorWriter:
        return FalkorWriter(self)

    def close(self) -> None:
        self._db.connection.close()

    def run(self, name: str, text: str, values: dict[str, Any]) -> None:
        """Write."""
        self._spoken(lambda: self._db.select_graph(name).query(text, values))

    def delete(self, name: str) -> None:
        """A graph, if it is there."""
        if name in self._spoken(self._db.list_graphs):
            self._spoken(self._db.select_graph(name).delete)

    def names(self) -> list[str]:
        """Of all graphs of this store, whole or not."""
        return [name for name in map(str, self._spoken(self._db.list_graphs)) if name.startswith(self.prefix)]

    def sizes(self, name: str) -> int:
        """How many nodes and edges the graph holds."""
        ((nodes,),) = self._rows(name, "MATCH (n) RETURN count(n)", {})
        ((edges,),) = self._rows(name, "MATCH ()-[e]->() RETURN count(e)", {})
        return int(nodes) + int(edges)

    def _rows(self, name: str, text: str, values: dict[str, Any]) -> list[list[Any]]:
        graph = self._db.select_graph(name)
        answer = self._spoken(lambda: graph.ro_query(text, values, timeout=int(PATIENCE * 1000)))
        rows: list[list[Any]] = answer.result_set
        return rows

    def _spoken(self, ask: Callable[[], Any]) -> Any:
        """What the server says; Unavailable where it does not, or says that it cannot."""
        from redis.exceptions import RedisError

        try:
            return ask()
        except RedisError as error:
            raise Unavailable(
                f"{self.where} does not answer: {error}; start it (`pa services`), or unset PALADIN_GRAPH_URL"
                " for the embedded graph"
            ) from error


class FalkorWriter:
    """Fills a graph of its own, which counts once its State stands in it; then the older ones go."""

    def __init__(self, server: Falkor) -> None:
        self.server, self.name = server, server.prefix + secrets.token_hex(6)
        for text in index_texts():
            server.run(self.name, text, {})

    def nodes(self, label: str, rows: Sequence[Row]) -> None:
        self.server.run(self.name, node_text(label), {"rows": rows})

    def edges(self, type: str, rows: Sequence[Row]) -> None:
        self.server.run(self.name, edge_text(type), {"rows": rows})

    def finish(self, state: State) -> None:
        """Counted first: another build that ended meanwhile has taken this one for an older graph."""
        if self.server.sizes(self.name) != sum(state.counts.values()):
            raise Unavailable(
                f"{self.server.where} lost a part of the graph, perhaps to another build; build again"
            )
        older = [name for name in self.server.names() if name != self.name]
        body = msgspec.json.encode(state).decode()
        self.server.run(self.name, "CREATE (:State {body: $body})", {"body": body})
        for name in older:
            self.server.delete(name)

    def drop(self) -> None:
        self.server.delete(self.name)
