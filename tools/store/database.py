"""The connection: SQLite by default, any SQLAlchemy URL otherwise; the schema and its migrations."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from tools.common import sealed
from tools.common.errors import Invalid, Unavailable
from tools.common.private import keep_private
from tools.store.tables import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

SETUP = "run `pa setup`"
CONNECT_SECONDS = 5


def connect(url: str) -> Engine:
    """An engine for this URL. SQLite: WAL, five seconds of patience, and writers that queue at BEGIN. PostgreSQL:
    a reader's statement is its own transaction there too, and a connection that was cut is made again."""
    parsed = _parse(url)
    more: dict[str, Any] = {}
    if parsed.get_backend_name() == "postgresql":
        more = {"isolation_level": "AUTOCOMMIT", "pool_pre_ping": True, "pool_size": 10, "max_overflow": 30}
        if "connect_timeout" not in parsed.query:
            more["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
    file = sqlite_file(parsed)
    if file and (key := sealed.key_of(file, "databases")):
        opened = partial(sealed.connected, file, key, check_same_thread=False)
        more = {"module": sealed.driver(True), "creator": opened}
    if file and _is_fixed(file):
        more["creator"] = lambda: _open_fixed(file)
    try:
        engine = create_engine(parsed, **more)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise Unavailable(f"no driver for {parsed.drivername!r} is installed: {error}") from error
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def check(engine: Engine) -> None:
    """Raise Unavailable unless the schema is there and is the one that this code was written for."""
    shown = engine.url.render_as_string(hide_password=True)
    file = sqlite_file(engine.url)
    if file and not file.exists():
        raise Unavailable(f"there is no store at {file}; {SETUP}")
    if file:
        keep_private(file)
    try:
        found = revision(engine)
    except DBAPIError as error:
        raise Unavailable(f"the store at {shown} cannot be read: {error.orig}") from error
    if found is None:
        raise Unavailable(f"the store at {shown} is empty; {SETUP}")
    if found < SCHEMA:
        raise Unavailable(
            f"the store at {shown} has the older schema {found}; {SETUP} to bring it to {SCHEMA}"
        )
    if found > SCHEMA:
        newer = f"was made by a newer Paladin (schema {found}, this one knows {SCHEMA})"
        raise Unavailable(f"the store at {shown} {newer}")


def revision(engine: Engine) -> str | None:
    """The schema's revision; None if there is no schema."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":  # an inspector costs a cold command 10 ms
            tables = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
            there = bool(connection.exec_driver_sql(tables).scalar())
        else:
            from sqlalchemy import inspect

            there = inspect(connection).has_table("alembic_version")
        return connection.scalar(text("SELECT version_num FROM alembic_version")) if there else None


def migrate(engine: Engine, to: str = "head") -> None:
    """Bring the schema to the newest revision, or this one; creates the file and its folder if need be."""
    file = sqlite_file(engine.url)
    if to == "head" and (not file or file.exists()) and _is_current(engine):
        if file:
            keep_private(file)
        return
    from alembic import command
    from alembic.config import Config

    if file:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)  # SQLite gives the files beside it the same mode
        keep_private(file)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    except DBAPIError as error:
        raise Unavailable(
            f"the store at {engine.url.render_as_string()} cannot be made: {error.orig}"
        ) from error


def _is_current(engine: Engine) -> bool:
    """Whether the schema is the newest; what is wrong with a store that cannot be read, a migration says."""
    try:
        return revision(engine) == SCHEMA
    except DBAPIError:
        return False


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: all of it, or nothing. Writers queue, whatever the database."""
    with passing_by(engine, writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")
        yield connection


@contextmanager
def passing_by(engine: Engine, **options: Any) -> Iterator[Connection]:
    """A connection for a statement that brings more rows than memory should hold (`yield_per`): PostgreSQL hands
    them out by a cursor, which lives in a transaction."""
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "READ COMMITTED"
    with engine.connect().execution_options(**options) as connection:
        yield connection


_WRITERS = 7_252_346  # PALADIN on a telephone's keys; any number would do that nobody else takes


def settle(engine: Engine) -> None:
    """After much was written: let PostgreSQL count what it holds, so that it plans by that. SQLite plans by the
    indexes alone, the same for every size."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:  # a vacuumed table's index answers alone
            connection.exec_driver_sql("VACUUM (ANALYZE) patients, members, name_words")
            connection.exec_driver_sql("ANALYZE charts")


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite URL; None for other databases and for one in memory."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)


def folder_beside(engine: Engine, kind: str, *, is_cache: bool = False) -> Path | None:
    """Where files of a store lie: beside an SQLite file, in this user's data or cache for a server, nowhere for a store
    in memory."""
    file = sqlite_file(engine.url)
    if file:
        return file.with_name(f"{file.name}.{kind}")
    if engine.dialect.name == "sqlite":
        return None
    from platformdirs import user_cache_path, user_data_path

    home = (user_cache_path if is_cache else user_data_path)("paladin")
    shown = engine.url.render_as_string(hide_password=True)
    return home / f"{kind}-{sha256(shown.encode()).hexdigest()[:16]}"


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Invalid(f"{url!r} is not a database URL; an example is sqlite:///var/paladin.db") from error
    if parsed.drivername in ("postgres", "postgresql"):  # as other programs write it
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def _is_fixed(file: Path) -> bool:
    """Does the file lie where nothing can be written, with all of it in the file itself?

    SQLite keeps what it shares between processes in files beside, and opens none of a folder that it cannot write.
    """
    log = file.with_name(file.name + "-wal")
    whole = not (log.exists() and log.stat().st_size)
    return file.exists() and not os.access(file.parent, os.W_OK) and whole


def _open_fixed(file: Path) -> sqlite3.Connection:
    address, key = f"file:{quote(str(file.absolute()))}?immutable=1", sealed.key_of(file, "databases")
    return sealed.connected(address, key, uri=True, check_same_thread=False)


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # the driver would begin late and silently; _begin_sqlite does it
    for pragma in ("busy_timeout = 5000", "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A reader needs no transaction: each of its statements is one. A writer takes the lock first, so that
    # two of them wait for each other and neither fails half way.
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
