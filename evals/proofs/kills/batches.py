"""A batch that is killed again and again, against the same batch undisturbed: SIGKILL at chosen points and at random
moments, then the comparison.

    python -m evals.proofs kills cases=200 kills=50

A batch is run once in peace. Then it is begun in another home, killed, resumed, killed again, until all kills are made,
and let finish; after `each` kills another batch is begun, in a home of its own. 0 lost: every request has a
result. 0 doubled: none has two, and no case has a second folder. Identical: every file of a batch has the same bytes as
the undisturbed one. No other end: each process, the parent's and those that draft, reports a fault of its own by
`faulthandler`, and no session dies of another signal than ours.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data_gen.world import Order
from evals.pages import Figures
from evals.proofs.kills.child import FINISHING, POINTS
from evals.proofs.kills.sessions import AT_RANDOM, lived
from evals.stores import filled

CHUNK = 5
FAULT = "Fatal Python error"  # how `faulthandler` begins
PATIENCE, TIMEOUT = 3, 600.0  # sessions that end badly by themselves; seconds of one


@dataclass
class Trial:
    """What came of the batches under fire, summed."""

    batches: int = 0
    kills: list[str] = field(default_factory=list)  # where each session died
    lost: int = 0
    doubled: int = 0
    different: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # what sessions or their processes died of by themselves
    drafted: int = 0  # how often a case was drafted, repeats included
    seconds: float = 0.0
    peaceful: float = 0.0


def main(
    cases: int = 200, kills: int = 50, each: int = 50, seed: int = 7, workers: int = 2
) -> Iterator[Figures]:
    """What came of it, after each batch.

    Args:
        cases: requests of a batch.
        kills: how often it is killed in all.
        each: how often one batch is killed at most; then another is begun.
        seed: of the points and moments.
        workers: processes that draft.
    """
    with TemporaryDirectory() as folder:
        for found in trials(Path(folder), cases, kills, each, seed, workers):
            faults = {
                "lost": found.lost,
                "doubled": found.doubled,
                "files that differ from the undisturbed batch": len(found.different),
                "other signals and faults": len(found.faults),
            }
            yield {
                "cases": cases,
                "batches": found.batches,
                "kills of a batch at most": each,
                "kills": len(found.kills),
                "kills by point": dict(Counter(found.kills).most_common()),
                "drafts made, repeats included": found.drafted,
                "seconds under fire": round(found.seconds, 1),
                "seconds in peace": round(found.peaceful, 1),
                "processes": workers,
                "seed": seed,
                **faults,
                "which": [*found.different, *found.faults][:10],
                "wrong": {fault: times for fault, times in faults.items() if times},
            }


def trials(folder: Path, cases: int, kills: int, each: int, seed: int, workers: int) -> Iterator[Trial]:
    """Homes with the same world in them: one batch in peace, and others under fire until all kills are made; what came
    of it until then, after each of them."""
    draw, found = random.Random(seed), Trial()
    requests = _world(folder, cases)
    peace = Session(folder, "peace", requests, workers)
    began = time.monotonic()
    if (ended := peace.run("", 1)).returncode:
        raise RuntimeError(f"the undisturbed batch failed: {ended.stderr[-2000:]}")
    found.peaceful = time.monotonic() - began
    began = time.monotonic()
    while len(found.kills) < kills and len(found.faults) <= PATIENCE:
        found.batches += 1
        fire = Session(folder, f"fire-{found.batches}", requests, workers)
        under_fire(fire, min(each, kills - len(found.kills)), draw, found)
        time.sleep(1.5)  # orphans of killed sessions, if there are any, are gone by now
        found.lost += cases - fire.done()
        found.doubled += fire.doubled()
        found.different += different(peace.out, fire.out)
        found.drafted += len(fire.log.read_text().splitlines())
        shutil.rmtree(fire.home)
        found.seconds = time.monotonic() - began
        yield found


def under_fire(fire: Session, kills: int, draw: random.Random, found: Trial) -> None:
    """Kill this batch so many times, or until it is done, and let it finish; what it met is added to `found`."""
    made = 0
    while fire.state() != "done":
        trap = _choose(draw, fire, made, kills, found.peaceful) if made < kills else ("", 1, None)
        ended, point = fire.run(*trap), trap[0] or AT_RANDOM
        if FAULT in ended.stderr or ended.returncode not in (0, -signal.SIGKILL):
            found.faults.append(f"{point}: {ended.returncode} {ended.stderr[-2000:]}")
            if len(found.faults) > PATIENCE:
                return
        if ended.returncode == -signal.SIGKILL:
            made += 1
            found.kills.append(point)
            print(f"kill {len(found.kills)}: {point}; {fire.done()} cases done", flush=True)


class Session:
    """A home, and `pa` in it, again and again."""

    def __init__(self, folder: Path, name: str, requests: Path, workers: int) -> None:
        self.home, self.log = folder / name, folder / f"{name}.log"
        self.requests, self.workers = requests, workers
        self.out = self.home / "out"
        shutil.copytree(folder / "loaded", self.home)

    def run(self, point: str, nth: int, moment: float | None = None) -> subprocess.CompletedProcess[str]:
        """One session: it begins the batch, or goes on with it; it dies at a point, at a moment, or not at all."""
        batch = self.ask("SELECT count(*) FROM batches")
        again = ("resume", "1") if batch else ("run", str(self.requests), "--out", str(self.out))
        module = [sys.executable, "-m", "evals.proofs.kills.child"]
        command = [*module, point or "-", str(nth), str(self.log), str(CHUNK), "10"]
        command += ["batch", *again, "--workers", str(self.workers), "--json"]
        environ = {**os.environ, "PALADIN_HOME": str(self.home), "PYTHONFAULTHANDLER": "1"}
        return lived(command, environ, moment or TIMEOUT)

    def done(self) -> int:
        return int(self.ask("SELECT count(*) FROM batch_results WHERE state = 'done'"))

    def doubled(self) -> int:
        """Requests with more than one result, and folders of cases that no result names."""
        twice = self.ask(
            "SELECT count(*) FROM (SELECT position FROM batch_results GROUP BY batch_id, position HAVING count(*) > 1)"
        )
        folders = sum(1 for path in (self.out / "cases").iterdir())
        named = self.ask("SELECT count(*) FROM batch_results WHERE CAST(body AS TEXT) LIKE '%packet.pdf%'")
        return int(twice) + folders - int(named)

    def state(self) -> str:
        return str(self.ask("SELECT coalesce(max(state), '') FROM batches"))

    def ask(self, query: str) -> Any:
        with sqlite3.connect(self.home / "paladin.db", timeout=30) as connection:
            return connection.execute(query).fetchone()[0]


def different(one: Path, other: Path) -> list[str]:
    """Files that are not in both folders with the same bytes."""
    left, right = (
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (one, other)
    )
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def _choose(
    draw: random.Random, fire: Session, made: int, kills: int, peaceful: float
) -> tuple[str, int, float | None]:
    """The next point, the how manieth time, or a moment. The first kills go through the points in their order, the
    last ones through those of the report; and what is left when every case has its result falls on it, too."""
    if fire.state() and fire.done() == fire.ask("SELECT coalesce(sum(total), -1) FROM batches"):
        return draw.choice(FINISHING), 1, None
    early = [point for point in POINTS if point not in FINISHING]
    if kills - made <= len(FINISHING):  # everything that is left is drafted, and the report's turn comes
        return FINISHING[made - kills], 1, None
    if made < len(early):
        return early[made], 1, None
    if draw.random() < 0.4:
        return "", 1, draw.uniform(0.2, 1.0) * peaceful
    return draw.choice(early[3:]), draw.randint(1, 4), None


def _world(folder: Path, cases: int) -> Path:
    """A home with the loaded world, and a file of requests, of which every kind of outcome is one."""
    patients = max(20, cases // 2)
    (folder / "loaded").mkdir()
    order = Order(count=patients, out=folder / "world", workers=1)
    store = filled(order, f"sqlite:///{folder / 'loaded' / 'paladin.db'}")
    drugs = [drug.name for drug in store.drugs()]
    people = [patient.id for patient in store.find_patients(limit=patients)]
    store.close()
    turns = product(range(len(drugs)), enumerate(people))
    pairs = ((person, drugs[(at + turn) % len(drugs)]) for turn, (at, person) in turns)
    requests = folder / "requests.csv"
    rows = "".join(f"{person},{drug}\n" for person, drug in islice(pairs, cases))
    requests.write_text(f"patient_id,drug\n{rows}")
    return requests
