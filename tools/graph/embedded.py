"""The embedded graph: an SQLite file of its own, with a table for each kind of node and of edge. No server.

It is written beside the old one and takes its place at the end, so that a reader sees the one or the other.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tools.errors import Unavailable
from tools.graph.cypher import in_order
from tools.graph.engine import State
from tools.graph.model import EDGES, NODE, NODES, EdgeKind, Row
from tools.graph.questions import QUESTIONS


class Embedded:
    """The graph in this file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)

    def states(self) -> list[State]:
        if not self.path.is_file():
            return []
        with self._reading() as connection:
            rows = connection.execute("SELECT body FROM state").fetchall()
        return [msgspec.json.decode(body, type=State) for (body,) in rows]

    def ask(self, version: str, question: str, **values: Any) -> list[tuple[Any, ...]]:
        with self._reading() as connection:
            held = connection.execute("SELECT version FROM state").fetchone()
            if held != (version,):
                raise Unavailable("the graph was built anew while it was being asked; ask again")
            rows = connection.execute(QUESTIONS[question].sql, values).fetchall()
        return in_order([_read(cell) for cell in row] for row in rows)

    def writer(self, version: str) -> EmbeddedWriter:
        return EmbeddedWriter(self.path)

    def close(self) -> None:
        """Nothing is kept open."""

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                connection.execute("PRAGMA mmap_size = 1073741824")
                yield connection
        except sqlite3.ProgrammingError:  # a fault of ours, and not of the file
            raise
        except sqlite3.DatabaseError as error:
            raise Unavailable(
                f"the graph at {self.path} cannot be read: {error}; run `pa graph build`"
            ) from error


class EmbeddedWriter:
    """Fills a new file. Keys become numbers as their nodes come in; an edge without its nodes is a fault."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
        self.numbers: dict[str, dict[Any, int]] = {kind.label: {} for kind in NODES}
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(self.partial, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("BEGIN")
        self.connection.execute("CREATE TABLE state (version TEXT, body BLOB)")
        for kind in NODES:
            self.connection.execute(
                f"CREATE TABLE n_{kind.label} (rid INTEGER PRIMARY KEY, {', '.join(map(_quoted, kind.properties))})"
            )
        for edge in EDGES:
            columns = "".join(f", {_quoted(name)}" for name in edge.properties)
            self.connection.execute(f"CREATE TABLE e_{edge.type} (a INTEGER, b INTEGER{columns})")

    def nodes(self, label: str, rows: Sequence[Row]) -> None:
        numbers = self.numbers[label]
        first = len(numbers) + 1
        numbers.update((row[0], number) for number, row in enumerate(rows, first))
        marks = ", ?" * len(NODE[label].properties)
        self.connection.executemany(
            f"INSERT INTO n_{label} VALUES (?{marks})", ((numbers[row[0]], *row) for row in rows)
        )

    def edges(self, type: str, rows: Sequence[Row]) -> None:
        kind = next(kind for kind in EDGES if kind.type == type)
        sources, targets = self.numbers[kind.source], self.numbers[kind.target]
        marks = ", ?" * len(kind.properties)
        self.connection.executemany(
            f"INSERT INTO e_{type} VALUES (?, ?{marks})",
            ((sources[row[0]], targets[row[1]], *row[2:]) for row in rows),
        )

    def finish(self, state: State) -> None:
        for kind in NODES:
            self.connection.execute(
                f"CREATE UNIQUE INDEX k_{kind.label} ON n_{kind.label} ({_quoted(kind.properties[0])})"
            )
        for edge in EDGES:
            self._index(edge)
        self.connection.execute(
            "INSERT INTO state VALUES (?, ?)", (state.version, msgspec.json.encode(state))
        )
        self.connection.execute("COMMIT")
        self.connection.execute("ANALYZE")
        self.connection.close()
        self.partial.replace(self.path)

    def drop(self) -> None:
        self.connection.close()
        self.partial.unlink(missing_ok=True)

    def _index(self, edge: EdgeKind) -> None:
        """From the source; back from the target where there are few of them and a question comes from there."""
        self.connection.execute(f"CREATE INDEX a_{edge.type} ON e_{edge.type} (a)")
        if edge.type in ("FITS", "LISTS"):
            self.connection.execute(f"CREATE INDEX b_{edge.type} ON e_{edge.type} (b)")


def _quoted(name: str) -> str:
    return f'"{name}"'


def _read(cell: Any) -> Any:
    """The SQL gives lists as JSON; nothing else that is kept begins with a bracket."""
    return msgspec.json.decode(cell) if isinstance(cell, str) and cell.startswith("[") else cell
