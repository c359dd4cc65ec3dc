"""Where LangGraph keeps its checkpoints: a file beside an SQLite store, a schema of its own in a PostgreSQL one.

Whoever works on one PostgreSQL sees the same checkpoints, so a case that one machine drafted waits for its review
on all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filelock import FileLock
from sqlalchemy.engine import make_url

from agent.runtime.home import make_home
from agent.runtime.settings import Settings
from tools.common import sealed
from tools.common.errors import Unavailable

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.checkpoint.sqlite import SqliteSaver

MOST_CONNECTIONS = 8
SECONDS = 5.0  # to reach the server
SETUP_LOCK = 7_252_347  # beside the one of the store's writers


class Place(NamedTuple):
    """What is kept: its name in a message, its file, and its schema on a server."""

    what: str
    file: Path
    schema: str


@contextmanager
def checkpointer(settings: Settings, place: Place) -> Iterator[BaseCheckpointSaver[Any]]:
    """The saver for this place, closed at the end; Unavailable if it can't be opened or used."""
    make_home(settings.home)
    on_server = make_url(settings.database_url).get_backend_name() in ("postgresql", "postgres")
    with _on_server(settings.database_url, place) if on_server else _in_file(place) as saver:
        yield saver


def recent_threads(saver: Any, limit: int) -> list[str]:
    """The threads that were worked on last, newest first."""
    asked = "SELECT thread_id FROM checkpoints GROUP BY thread_id ORDER BY MAX(checkpoint_id) DESC LIMIT {}"
    if _is_file(saver.conn):
        saver.setup()  # nothing may have been said yet
        return [row[0] for row in saver.conn.execute(asked.format("?"), (limit,))]
    with saver.conn.connection() as connection:
        return [row["thread_id"] for row in connection.execute(asked.format("%s"), (limit,))]


@contextmanager
def alone(saver: Any, thread_id: str) -> Iterator[None]:
    """Nobody else works on this thread meanwhile, in whatever process: a lock beside the file, or on the server."""
    connection = getattr(saver, "conn", None)
    if connection is None:  # in memory, in this process alone
        yield
    elif _is_file(connection):
        name = sha256(thread_id.encode()).hexdigest()[:16]
        with saver.lock:
            file = connection.execute("PRAGMA database_list").fetchone()[2]
        folder = Path(f"{file}.turns")
        folder.mkdir(mode=0o700, exist_ok=True)
        with FileLock(folder / name, mode=0o600):
            yield
    else:
        with connection.connection() as held:
            held.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (thread_id,))
            try:
                yield
            finally:
                held.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (thread_id,))


def _set_up_sealed(saver: SqliteSaver) -> SqliteSaver:
    """The saver; its own set-up knows a column that is there by an error of Python's module alone."""
    if type(saver.conn).__module__ != "sqlite3":
        try:
            saver.setup()
        except sealed.errors() as error:
            if "duplicate column name" not in str(error):
                raise
            saver.is_setup = True
    return saver


def _is_file(connection: Any) -> bool:
    """Of an SQLite database, by whichever module it was opened; else it is a pool of a server's."""
    return hasattr(connection, "cursor")


@contextmanager
def _in_file(place: Place) -> Iterator[BaseCheckpointSaver[Any]]:
    from langgraph.checkpoint.sqlite import SqliteSaver

    try:
        connection = sealed.connected(place.file, check_same_thread=False, timeout=10)
        connection.execute("PRAGMA secure_delete = ON")  # what goes is overwritten
    except sealed.errors() as error:
        raise Unavailable(f"the {place.what} at {place.file} cannot be opened: {error}") from error
    try:
        yield _set_up_sealed(SqliteSaver(connection))
    except sealed.errors() as error:
        raise Unavailable(f"the {place.what} at {place.file} cannot be used: {error}") from error
    finally:
        connection.close()


@contextmanager
def _on_server(url: str, place: Place) -> Iterator[BaseCheckpointSaver[Any]]:
    try:
        import psycopg
        from langgraph.checkpoint.postgres import PostgresSaver
        from psycopg.rows import dict_row
        from psycopg_pool import ConnectionPool, PoolTimeout
    except ModuleNotFoundError as error:
        said = f"checkpoints on PostgreSQL need {error.name}: pip install 'paladin-pa[postgres]'"
        raise Unavailable(said) from None
    parsed = make_url(url).set(drivername="postgresql")
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    options["options"] = f"-c search_path={place.schema}"
    pool = ConnectionPool(
        parsed.render_as_string(hide_password=False),
        kwargs=options,
        min_size=1,
        max_size=MOST_CONNECTIONS,
        timeout=SECONDS,
        reconnect_timeout=SECONDS,
        check=ConnectionPool.check_connection,
        open=False,
    )
    shown = parsed.render_as_string()
    try:
        pool.open(wait=True, timeout=SECONDS)
        saver = PostgresSaver(pool)  # type: ignore[arg-type]
        _set_up(pool, saver, place.schema)
    except (psycopg.Error, PoolTimeout) as error:
        pool.close()
        raise Unavailable(f"the {place.what} at {shown} cannot be opened: {_one_line(error)}") from error
    try:
        yield saver
    except (psycopg.Error, PoolTimeout) as error:
        raise Unavailable(f"the {place.what} at {shown} cannot be used: {_one_line(error)}") from error
    finally:
        pool.close()


def _set_up(pool: Any, saver: Any, schema: str) -> None:
    """Make or migrate the tables, one process at a time. The lock is tried and not waited for: LangGraph builds an
    index beside the running work, which waits for every statement that is going on, this one too."""
    with pool.connection() as connection:
        if _is_current(connection, saver, schema):
            return
        while not connection.execute(f"SELECT pg_try_advisory_lock({SETUP_LOCK}) AS got").fetchone()["got"]:
            time.sleep(0.05)
        try:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            saver.setup()
        finally:
            connection.execute(f"SELECT pg_advisory_unlock({SETUP_LOCK})")


def _is_current(connection: Any, saver: Any, schema: str) -> bool:
    made, table = "SELECT to_regclass(%s) IS NOT NULL AS made", f"{schema}.checkpoint_migrations"
    if not connection.execute(made, (table,)).fetchone()["made"]:
        return False
    newest = connection.execute("SELECT max(v) AS v FROM checkpoint_migrations").fetchone()["v"]
    return newest is not None and newest >= len(saver.MIGRATIONS) - 1


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
