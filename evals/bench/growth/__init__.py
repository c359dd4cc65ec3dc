"""How the store grows: load, look-up, search by name, check, sizes and memory, on SQLite and PostgreSQL. Times in ms
are p50 / p99 of the quickest of three rounds; an empty round trip is what the engine takes to say 1. Memory is the peak
of the process that loads or reads; a PostgreSQL server's own comes on top. Seconds are as they were beside whatever
else ran, processor seconds of the loading process alone.

    python -m evals.bench growth 'sizes=[20,100000]' 'databases=["sqlite"]' 'hooks=["screen","batch","graph"]' --write

A size that was measured before keeps its figures unless it is measured again. PostgreSQL is the server that
PALADIN_TEST_POSTGRES or PALADIN_DATABASE_URL names (`make services` starts one), in a database of its own that is
dropped afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from evals.bench.growth import commands, plot
from evals.measuring import machine
from evals.pages import RESULTS

KEPT = RESULTS / "growth.json"
SIZES = (20, 100, 1_000, 10_000)  # what `make bench` has time for
DATABASES = ("sqlite", "postgresql")
PARQUET_FROM = 100_000  # below it a world is read by people, too


def main(
    sizes: Sequence[int] = SIZES,
    databases: Sequence[str] = DATABASES,
    hooks: Sequence[str] = (),
    worlds: str = "",
    scratch: str | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of all sizes and databases, each time that one more was measured.

    Args:
        sizes: patients.
        databases: sqlite, postgresql.
        hooks: commands over the whole population that are timed as well.
        worlds: a folder where generated worlds are kept, and taken from if they are there.
        scratch: a folder where databases lie meanwhile; the temporary one if left out.
    """
    rows = _kept()
    with TemporaryDirectory(dir=scratch) as folder:
        for size in sizes:
            world = Path(worlds or folder) / str(size)
            made = commands.generate(size, world, "parquet" if size >= PARQUET_FROM else "jsonl")
            for name in databases:
                with _database(name, Path(folder)) as url:
                    if url:
                        place = {"patients": size, "database": name}
                        found = (
                            place | made | _measured(url, world, hooks, Path(folder)) | {"machine": machine()}
                        )
                        rows = [one for one in rows if not place.items() <= one.items()] + [found]
                        rows.sort(key=lambda one: (one["patients"], DATABASES.index(one["database"])))
                        plot.draw(rows, KEPT.with_suffix(".svg"))
                        yield {"rows": rows}


def _measured(url: str, world: Path, hooks: Sequence[str], folder: Path) -> dict[str, Any]:
    found = _child("load", url, str(world)) | _child("ask", url)
    for hook in hooks:
        with TemporaryDirectory(dir=folder) as home:
            found |= commands.run(hook, url, Path(home))
    return found


def _child(*args: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "evals.bench.growth.store", *args]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _kept() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    if KEPT.is_file():
        rows = json.loads(KEPT.read_text(encoding="utf-8"))["growth"]["measured"]["rows"]
    return rows


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str]:
    """The URL of a new, empty database; "" and a line where there is no server."""
    if name == "sqlite":
        with TemporaryDirectory(dir=folder) as place:
            yield f"sqlite:///{place}/growth.db"
        return
    server = os.environ.get("PALADIN_TEST_POSTGRES") or os.environ.get("PALADIN_DATABASE_URL", "")
    if not server.startswith("postgres"):
        print("no PostgreSQL is named (PALADIN_TEST_POSTGRES); left out", file=sys.stderr)
        yield ""
        return
    engine = create_engine(make_url(server), isolation_level="AUTOCOMMIT")
    own = f"paladin_growth_{os.getpid()}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {own}")
    try:
        yield make_url(server).set(database=own).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {own} WITH (FORCE)")
        engine.dispose()
