"""`python -m evals.kills --cases 200 --kills 50`: SIGKILL at chosen points and at random moments, then the comparison.

A batch is run once in peace. Then it is begun in another home, killed, resumed, killed again, until all kills are made,
and let finish. 0 lost: every request has a result. 0 doubled: none has two, and no case has a second folder. Identical:
every file of the two batches has the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import typer

from evals.kills.child import FINISHING, POINTS
from evals.measuring import machine
from evals.pages import keep, table

RESULTS = Path(__file__).parent.parent / "results" / "kills.json"
AT_RANDOM = "at a random moment"
CHUNK = 5
FAULTS = ("lost", "doubled", "files that differ from the undisturbed batch")
PATIENCE = 600.0


class Kill(NamedTuple):
    """Where a session died, or after how many seconds, and how many cases had a result then."""

    point: str
    done: int


class Trial(NamedTuple):
    """What came of it."""

    cases: int
    kills: list[Kill]
    lost: int
    doubled: int
    different: list[str]
    drafted: int  # how often a case was drafted, repeats included
    seconds: float
    peaceful: float


def main(
    cases: int = typer.Option(200, help="Requests of the batch."),
    kills: int = typer.Option(50, help="How often it is killed."),
    seed: int = typer.Option(7, help="Of the points and moments."),
    workers: int = typer.Option(2, help="Processes that draft."),
    write: bool = typer.Option(True, help="Write evals/results/kills.json and kills.md."),
) -> None:
    """Kill a batch again and again, and compare."""
    with TemporaryDirectory() as folder:
        found = trial(Path(folder), cases, kills, seed, workers, say=lambda line: print(line, flush=True))
    body = report(found, seed, workers)
    print(json.dumps(body, indent=2))
    if write:
        keep(RESULTS, body, markdown(body))
    if found.lost or found.doubled or found.different:
        raise typer.Exit(1)


def trial(
    folder: Path,
    cases: int,
    kills: int,
    seed: int,
    workers: int,
    *,
    patients: int = 0,
    say: Any = lambda line: None,
) -> Trial:
    """Two homes with the same world in them: one batch in peace, one under fire."""
    draw = random.Random(seed)
    requests = _world(folder, cases, patients or max(20, cases // 2))
    peace = Session(folder / "peace", folder / "peace.log", requests, workers)
    began = time.monotonic()
    ended = peace.run("", 1)
    peaceful = time.monotonic() - began
    if ended.returncode:
        raise RuntimeError(f"the undisturbed batch failed: {ended.stderr[-2000:]}")
    fire = Session(folder / "fire", folder / "fire.log", requests, workers)
    made = list[Kill]()
    began = time.monotonic()
    while len(made) < kills:
        point, nth, moment = _choose(draw, fire, len(made), kills, peaceful)
        ended = fire.run(point, nth, moment)
        if ended.returncode == -signal.SIGKILL:
            made.append(Kill(point or AT_RANDOM, fire.done()))
            say(f"kill {len(made)}: {made[-1].point}; {made[-1].done} of {cases} cases have a result")
        elif ended.returncode:
            raise RuntimeError(f"a session failed by itself: {ended.stderr[-2000:]}")
        elif fire.state() == "done":
            say(f"done after {len(made)} kills, before the others were made")
            break
    while fire.state() != "done":
        ended = fire.run("", 1)
        if ended.returncode:
            raise RuntimeError(f"the last session failed: {ended.stderr[-2000:]}")
    time.sleep(1.5)  # orphans of killed sessions, if there are any, are gone by now
    return Trial(
        cases=cases,
        kills=made,
        lost=cases - fire.done(),
        doubled=fire.doubled(),
        different=different(peace.out, fire.out),
        drafted=len(fire.log.read_text().splitlines()),
        seconds=time.monotonic() - began,
        peaceful=peaceful,
    )


class Session:
    """A home, and `pa` in it, again and again."""

    def __init__(self, home: Path, log: Path, requests: Path, workers: int) -> None:
        self.home, self.log, self.requests, self.workers = home, log, requests, workers
        self.out = home / "out"

    def run(self, point: str, nth: int, moment: float | None = None) -> subprocess.CompletedProcess[str]:
        """One session: it begins the batch, or goes on with it; it dies at a point, at a moment, or not at all."""
        batch = self._ask("SELECT count(*) FROM batches")
        again = ("resume", "1") if batch else ("run", str(self.requests), "--out", str(self.out))
        command = [
            sys.executable,
            "-m",
            "evals.kills.child",
            point or "-",
            str(nth),
            str(self.log),
            str(CHUNK),
            "10",
        ]
        command += ["batch", *again, "--workers", str(self.workers), "--json"]
        environ = {**os.environ, "PALADIN_HOME": str(self.home)}
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=moment or PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()  # the parent alone: its processes are orphans for a moment, and late
                out, err = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def done(self) -> int:
        return int(self._ask("SELECT count(*) FROM batch_results WHERE state = 'done'"))

    def doubled(self) -> int:
        """Requests with more than one result, and folders of cases that no result names."""
        twice = self._ask(
            "SELECT count(*) FROM (SELECT position FROM batch_results GROUP BY batch_id, position HAVING count(*) > 1)"
        )
        folders = sum(1 for path in (self.out / "cases").iterdir())
        named = self._ask("SELECT count(*) FROM batch_results WHERE CAST(body AS TEXT) LIKE '%packet.pdf%'")
        return int(twice) + folders - int(named)

    def state(self) -> str:
        return str(self._ask("SELECT coalesce(max(state), '') FROM batches"))

    def _ask(self, query: str) -> Any:
        import sqlite3

        with sqlite3.connect(self.home / "paladin.db", timeout=30) as connection:
            return connection.execute(query).fetchone()[0]


def different(one: Path, other: Path) -> list[str]:
    """Files that are not in both folders with the same bytes."""
    left, right = _digests(one), _digests(other)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def report(found: Trial, seed: int, workers: int) -> dict[str, Any]:
    return {
        "cases": found.cases,
        "kills": len(found.kills),
        "kills by point": dict(Counter(kill.point for kill in found.kills).most_common()),
        "lost": found.lost,
        "doubled": found.doubled,
        "files that differ from the undisturbed batch": len(found.different),
        "which": found.different[:10],
        "drafts made, repeats included": found.drafted,
        "seconds under fire": round(found.seconds, 1),
        "seconds in peace": round(found.peaceful, 1),
        "processes": workers,
        "seed": seed,
        "machine": machine(),
    }


def markdown(body: dict[str, Any]) -> Iterator[str]:
    yield "# A batch that is killed again and again"
    yield ""
    yield (
        f"`python -m evals.kills --cases {body['cases']} --kills {body['kills']}`: a batch of {body['cases']} cases in"
        f" chunks of {CHUNK}, killed with SIGKILL {body['kills']} times and resumed each time, against the same batch"
        " undisturbed."
    )
    yield ""
    yield from table([("", ""), *((name, body[name]) for name in (*FAULTS, "drafts made, repeats included"))])
    yield ""
    yield from table([("killed when", "times"), *body["kills by point"].items()])
    yield ""
    yield f"{body['machine']}; {body['seconds under fire']} s under fire, {body['seconds in peace']} s in peace"


def _choose(
    draw: random.Random, fire: Session, made: int, kills: int, peaceful: float
) -> tuple[str, int, float | None]:
    """The next point, the how manieth time, or a moment. The first kills go through the points in their order, the
    last ones through those of the report; and what is left when every case has its result falls on it, too."""
    if fire.state() and fire.done() == fire._ask("SELECT coalesce(sum(total), -1) FROM batches"):
        return draw.choice(FINISHING), 1, None
    early = [point for point in POINTS if point not in FINISHING]
    if kills - made <= len(FINISHING):  # everything that is left is drafted, and the report's turn comes
        return FINISHING[made - kills], 1, None
    if made < len(early):
        return early[made], 1, None
    if draw.random() < 0.4:
        return "", 1, draw.uniform(0.2, 1.0) * peaceful
    return draw.choice(early[3:]), draw.randint(1, 4), None


def _world(folder: Path, cases: int, patients: int) -> Path:
    """The homes, and a file of requests, of which every kind of outcome is one."""
    from data_gen.world import Order, generate
    from tools.store.load import load
    from tools.store.store import Store

    generate(Order(count=patients, out=folder / "world", workers=1))
    (folder / "peace").mkdir()
    store = Store.create(f"sqlite:///{folder / 'peace' / 'paladin.db'}")
    load(store, folder / "world")
    drugs = [drug.name for drug in store.drugs()]
    people = [patient.id for patient in store.find_patients(limit=patients)]
    store.close()
    shutil.copytree(folder / "peace", folder / "fire")
    pairs = (
        (person, drugs[(at + turn) % len(drugs)])
        for turn in range(len(drugs))
        for at, person in enumerate(people)
    )
    rows = ["patient_id,drug", *(f"{person},{drug}" for person, drug in islice(pairs, cases))]
    requests = folder / "requests.csv"
    requests.write_text("\n".join(rows) + "\n")
    return requests


def _digests(folder: Path) -> dict[str, str]:
    files: Sequence[Path] = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


if __name__ == "__main__":
    typer.run(main)
