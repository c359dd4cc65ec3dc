"""What every engine can do: hold graphs, each of one state of the store, and answer questions about one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from tools.errors import Invalid
from tools.graph.model import Write
from tools.records import Record


class State(Record, frozen=True, kw_only=True):
    """A graph that is there, whole. `version` is the fingerprint of what it was built from (asking.version_of)."""

    version: str
    as_of: date
    patients: int
    counts: dict[str, int] = {}  # nodes and edges by kind
    seconds: float = 0.0


class Graph(Protocol):
    """An engine. Unavailable says what to do where it does not answer."""

    where: str  # for a person: a file, or an address without its password

    def states(self) -> list[State]:
        """The graphs that are there."""

    def ask(self, version: str, question: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a question of questions.py, in order; Unavailable if that graph is no longer there."""

    def replace(self, fill: Callable[[Write], State]) -> State:
        """Put what `fill` writes in the place of what was there. Nobody sees it before it is whole; if `fill` fails,
        nothing of it is left."""

    def close(self) -> None: ...


def open_graph(url: str, path: Path, owner: str) -> Graph:
    """The engine at this URL, imported only then.

    Args:
        url: falkor://[:password@]host:port; the embedded engine where it is empty.
        path: the file of the embedded engine.
        owner: names the store whose graphs are meant, on a server that holds those of several.

    Raises:
        Invalid: the URL is of no engine.
    """
    if not url:
        from tools.graph.embedded import Embedded

        return Embedded(path)
    if urlsplit(url).scheme in ("falkor", "falkors"):
        from tools.graph.falkor import Falkor

        return Falkor(url, owner)
    raise Invalid(
        f"{url!r} is no graph database: write falkor://127.0.0.1:56380; unset PALADIN_GRAPH_URL for the embedded one"
    )


def in_order(rows: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Tuples, sorted: no engine promises an order. A sum of whole numbers is whole, though a server says 3.0."""
    plain = [
        tuple(int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in row)
        for row in rows
    ]
    return sorted(plain, key=lambda row: [(cell is not None, "" if cell is None else cell) for cell in row])
