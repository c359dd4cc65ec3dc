"""How the store grows: load, look-up, search by name, check, sizes and memory, on SQLite and PostgreSQL.

    python -m evals.bench_growth --sizes 20,100,1000,10000,100000 --databases sqlite,postgresql --screen --graph

writes evals/results/growth.{json,md,svg}; a size that was measured before keeps its figures unless it is measured
again. PostgreSQL is the server that PALADIN_TEST_POSTGRES or PALADIN_DATABASE_URL names (`make services` starts one),
in a database of its own that is dropped afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evals.growth import commands, report
from evals.measuring import machine
from evals.pages import described, keep

RESULTS = Path(__file__).parent / "results" / "growth.json"
SIZES = (20, 100, 1_000, 10_000)  # what `make bench` has time for
DATABASES = ("sqlite", "postgresql")
PARQUET_FROM = 100_000  # below it a world is read by people, too


def main(
    sizes: Sequence[int] = SIZES,
    databases: Sequence[str] = DATABASES,
    hooks: Sequence[str] = (),
    worlds: Path | None = None,
    scratch: Path | None = None,
) -> dict[str, Any]:
    """Measure these sizes on these databases, write the report, and give the figures by size and database."""
    with TemporaryDirectory(dir=scratch) as folder:
        for size in sizes:
            world = (worlds or Path(folder)) / str(size)
            made = commands.generate(size, world, "parquet" if size >= PARQUET_FROM else "jsonl")
            for name in databases:
                with _database(name, Path(folder)) as url:
                    if url:
                        _keep(
                            {
                                "patients": size,
                                "database": name,
                                **made,
                                **_measured(url, world, hooks, Path(folder)),
                            }
                        )
    return {f"{row['patients']} on {row['database']}": row for row in _kept() if row["patients"] in sizes}


def _measured(url: str, world: Path, hooks: Sequence[str], folder: Path) -> dict[str, Any]:
    found = _child("load", url, str(world)) | _child("ask", url)
    for hook in hooks:
        with TemporaryDirectory(dir=folder) as home:
            found |= commands.run(hook, url, Path(home))
    return found


def _child(*args: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "evals.growth.measuring", *args]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


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
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url

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


def _kept() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(RESULTS.read_text())["rows"] if RESULTS.is_file() else []
    return rows


def _keep(row: dict[str, Any]) -> None:
    """Put the row in the place of the one of its size and database, and write the report anew."""
    print(json.dumps(row), flush=True)
    place = row["patients"], row["database"]
    rows = [one for one in _kept() if (one["patients"], one["database"]) != place]
    rows.append(row | {"machine": machine()})
    rows.sort(key=lambda one: (one["patients"], DATABASES.index(one["database"])))
    report.plot(rows, RESULTS.with_suffix(".svg"))
    keep(RESULTS, {"rows": rows}, report.markdown(rows, RESULTS.with_suffix(".svg").name), indent=1)


def _arguments() -> argparse.Namespace:
    parser = described(argparse.ArgumentParser(prog="python -m evals.bench_growth"), __doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="patients, with commas")
    parser.add_argument("--databases", default=",".join(DATABASES), help="sqlite, postgresql")
    parser.add_argument(
        "--worlds", type=Path, help="keep the generated worlds here, and take those that are there"
    )
    parser.add_argument(
        "--scratch", type=Path, help="where databases lie meanwhile; default the temporary folder"
    )
    for hook in commands.HOOKS:
        parser.add_argument(f"--{hook}", action="store_true", help=f"time `pa {hook}` on each, too")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    main(
        [int(size) for size in given.sizes.split(",")],
        given.databases.split(","),
        [hook for hook in commands.HOOKS if getattr(given, hook)],
        given.worlds,
        given.scratch,
    )
