"""The embedded graph: an SQLite file of its own, with a table for each kind of node and of edge. No server.

It is written beside the old one and takes its place at the end, so that a reader sees the one or the other.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tools.common import sealed
from tools.common.errors import Unavailable
from tools.graph.model import EDGES, NODES, Row, State, Write, in_order
from tools.graph.questions import QUESTIONS

TABLES = {**NODES, **{kind: ("source", "target", *names) for kind, (_, _, names) in EDGES.items()}}


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
            if connection.execute("SELECT version FROM state").fetchone() != (version,):
                raise Unavailable("the graph was built anew while it was being asked; ask again")
            return in_order(connection.execute(QUESTIONS[question].sql, values))

    def replace(self, fill: Callable[[Write], State]) -> State:
        partial = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.partial")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sealed.connected(partial, isolation_level=None)) as connection:
                state = _filled(connection, fill)
            partial.replace(self.path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return state

    def close(self) -> None:
        """Nothing is kept open."""

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        try:
            key = sealed.key_of(self.path, "databases")
            with closing(sealed.connected(address, key, uri=True)) as connection:
                connection.execute("PRAGMA mmap_size = 1073741824")
                yield connection
        except sqlite3.ProgrammingError:  # a fault of ours, and not of the file
            raise
        except sealed.errors() as error:
            raise Unavailable(
                f"the graph at {self.path} cannot be read: {error}; run `pa graph build`"
            ) from error


def _filled(connection: sqlite3.Connection, fill: Callable[[Write], State]) -> State:
    run = connection.execute
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")
    run("CREATE TABLE state (version TEXT, body BLOB)")
    for kind, columns in TABLES.items():
        run(f"CREATE TABLE {kind} ({', '.join(columns)})")

    def write(kind: str, rows: Sequence[Row]) -> None:
        connection.executemany(f"INSERT INTO {kind} VALUES ({', '.join('?' * len(TABLES[kind]))})", rows)

    state = fill(write)
    for kind, (first, *_) in TABLES.items():
        run(f"CREATE {'UNIQUE ' if kind in NODES else ''}INDEX by_{kind} ON {kind} ({first})")
    run("CREATE INDEX back_FITS ON FITS (target)")  # the one that a question follows from its target
    run("INSERT INTO state VALUES (?, ?)", (state.version, msgspec.json.encode(state)))
    connection.commit()
    run("ANALYZE")
    return state
