"""A cold process, as a person meets it: `pa check`, `pa draft` and `pa setup`, from the shell's fork to its exit."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

RUNS, PATIENTS = 15, 1000
GOAL = "pa check P001 Ozempic: median at most 700 ms"
PA = str(Path(sys.executable).with_name("pa"))


def main() -> dict[str, Any]:
    """Milliseconds over a store of 1,000 patients; `pa setup` again is what `make demo` pays before the draft."""
    with TemporaryDirectory() as folder:
        home = {**os.environ, "PALADIN_HOME": f"{folder}/home", "PALADIN_DATA": f"{folder}/world"}
        run(home, "generate", str(PATIENTS), "--out", f"{folder}/world")
        first = run(home, "setup")
        check = [run(home, "check", "P001", "Ozempic") for _ in range(RUNS)]
        check_json = [run(home, "check", "P001", "Ozempic", "--json") for _ in range(RUNS)]
        # the same case again would only be found again, so each run has a day of its own
        days = [f"2026-09-{day:02}" for day in range(1, 6)]
        draft = [run(home, "draft", "P001", "Ozempic", "--force", "--as-of", day) for day in days]
        again = run(home, "setup")
    return {
        "goal": GOAL,
        "pa check": _spread(check),
        "pa check --json": _spread(check_json),
        "pa draft, PDFs and letter included": _spread(draft),
        f"pa setup, first ({PATIENTS} patients loaded, every clause embedded), ms": round(first.wall),
        "pa setup, again, ms": round(again.wall),
    }


class Run(NamedTuple):
    """Milliseconds of one process: on the clock, and of the processor."""

    wall: float
    cpu: float


def run(environment: dict[str, str], *args: str) -> Run:
    """Run one command that must succeed."""
    before, began = _cpu(), time.perf_counter()
    subprocess.run([PA, *args], env=environment, check=True, capture_output=True)
    return Run((time.perf_counter() - began) * 1000, _cpu() - before)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def _spread(runs: list[Run]) -> dict[str, float]:
    ordered = sorted(run.wall for run in runs)
    return {
        "runs": len(runs),
        "median ms": round(statistics.median(ordered)),
        "processor time, median ms": round(statistics.median(run.cpu for run in runs)),
        "min ms": round(ordered[0]),
        "max ms": round(ordered[-1]),
    }
