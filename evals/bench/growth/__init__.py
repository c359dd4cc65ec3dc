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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from evals.measuring import machine, run_pa
from evals.pages import RESULTS

BATCH = 200  # cases


def generate(size: int, world: Path, form: str) -> dict[str, Any]:
    """Make the world unless it is there."""
    made: dict[str, Any] = {}
    if not (world / "dataset.json").is_file():
        made["generate s"], _ = _run({}, "generate", str(size), "--format", form, "--out", str(world))
    size_of = sum(path.stat().st_size for path in world.rglob("*") if path.is_file())
    return made | {"world MB": round(size_of / 1e6, 1)}


def _screen(environment: dict[str, str], home: Path) -> dict[str, Any]:
    took, peak = _run(environment, "screen", "--out", str(home / "screen.parquet"))
    return {"screen s": took, "screen peak MB": peak}


def _batch(environment: dict[str, str], home: Path) -> dict[str, Any]:
    _run(environment, "index")
    requests, rows = home / "requests.csv", (f"P{number:03},Ozempic\n" for number in range(1, BATCH + 1))
    requests.write_text("patient_id,drug\n" + "".join(rows))
    took, peak = _run(environment, "batch", "run", str(requests), "--out", str(home / "batch"))
    return {f"batch of {BATCH} s": took, "batch peak MB": peak}


def _graph(environment: dict[str, str], home: Path) -> dict[str, Any]:
    built, peak = _run(environment, "graph", "build")
    one, _ = _run(environment, "graph", "pathways", "P001")
    panel, _ = _run(environment, "graph", "policy-change")
    return {
        "graph build s": built,
        "graph build peak MB": peak,
        "graph pathways, cold command s": one,
        "graph policy-change, cold command s": panel,
    }


def _run(environment: dict[str, str], *args: str) -> tuple[float, int]:
    """Seconds, and the peak of memory in megabytes."""
    ran = run_pa(environment, *args)
    return round(ran.wall, 2), ran.peak


HOOKS = {"screen": _screen, "batch": _batch, "graph": _graph}
PLOTTED = (("lookup", "look-up by id"), ("full name", "search by full name"), ("check", "check"))
COLOURS = {"sqlite": "#0b5394", "postgresql": "#b45f06"}


def plot(figures: Mapping[str, Any], path: Path) -> None:
    """Milliseconds (p50 and p99) against patients, both logarithmic."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "growth"  # the same figures are the same file
    figure, axes = pyplot.subplots(1, len(PLOTTED) + 1, figsize=(15, 4.2), layout="constrained")
    for name, colour in COLOURS.items():
        of_engine = [row for row in figures["rows"] if row["database"] == name]
        sizes = [row["patients"] for row in of_engine]
        if not sizes:
            continue
        for axis, (key, title) in zip(axes, PLOTTED, strict=False):
            for part, style in (("p50", "-"), ("p99", "--")):
                axis.plot(
                    sizes, [row[key][part] for row in of_engine], style, color=colour, marker="o", markersize=3,
                    label=f"{name} {part}",
                )  # fmt: skip
            axis.set_title(f"{title}, ms")
            axis.set_ylim(0.02, 100)  # one scale for all, so that what is flat looks flat
        axes[-1].plot(sizes, [row["load s"] for row in of_engine], color=colour, marker="o", label=name)
    axes[-1].set_title("load, s")
    for axis in axes:
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel("patients")
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=7, loc="upper left")
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)


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
    rows: list[dict[str, Any]] = []
    if KEPT.is_file():
        rows = json.loads(KEPT.read_text(encoding="utf-8"))["growth"]["measured"]["rows"]
    with TemporaryDirectory(dir=scratch) as folder:
        for size in sizes:
            world = Path(worlds or folder) / str(size)
            made = generate(size, world, "parquet" if size >= PARQUET_FROM else "jsonl")
            for name in databases:
                with _database(name, Path(folder)) as url:
                    if url:
                        place: dict[str, Any] = {"patients": size, "database": name}
                        found = place | made | _measured(url, world, hooks, Path(folder))
                        found["machine"] = machine()
                        rows = [one for one in rows if not place.items() <= one.items()] + [found]
                        rows.sort(key=lambda one: (one["patients"], DATABASES.index(one["database"])))
                        yield {"rows": rows}


def _measured(url: str, world: Path, hooks: Sequence[str], folder: Path) -> dict[str, Any]:
    found = _child("load", url, str(world)) | _child("ask", url)
    for hook in hooks:
        with TemporaryDirectory(dir=folder) as home:
            environment = {"PALADIN_DATABASE_URL": url, "PALADIN_HOME": home}
            try:
                found |= HOOKS[hook](environment, Path(home))
            except subprocess.CalledProcessError as error:
                found[f"{hook} failed"] = " ".join(error.stderr.split())[-200:]
    return found


def _child(*args: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "evals.bench.growth.store", *args]
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
