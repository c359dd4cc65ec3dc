"""What every engine can do: hold graphs, each of one state of the store, and answer questions about one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

from tools.graph.model import Row
from tools.records import Record


class State(Record, frozen=True, kw_only=True):
    """A graph that is there, whole. `version` is the fingerprint of what it was built from (see building.py)."""

    version: str
    as_of: date
    patients: int
    counts: dict[str, int] = {}  # nodes and edges by kind
    seconds: float = 0.0


class Writer(Protocol):
    """Takes a graph in, batch by batch: all nodes, then all edges. Nobody sees it before `finish`."""

    def nodes(self, label: str, rows: Sequence[Row]) -> None: ...

    def edges(self, type: str, rows: Sequence[Row]) -> None: ...

    def finish(self, state: State) -> None:
        """It is whole; it takes the place of what was there before."""

    def drop(self) -> None:
        """Leave nothing of it."""


class Graph(Protocol):
    """An engine. Unavailable says what to do where it does not answer."""

    where: str  # for a person: a file, or an address without its password

    def states(self) -> list[State]:
        """The graphs that are there; an embedded file or a database holds one at most."""

    def ask(self, version: str, question: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a question of questions.py, in order; Stale if that graph is no longer there."""

    def writer(self, version: str) -> Writer: ...

    def close(self) -> None: ...
