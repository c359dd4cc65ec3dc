"""A cold process, as a person meets it: `pa check`, `pa draft` and `pa setup`, from the shell's fork to its exit."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

from evals.measuring import Ran, ms, run_pa, set_up

RUNS, PATIENTS = 15, 1000
GOAL = "pa check P001 Ozempic: median at most 700 ms"


def main() -> dict[str, Any]:
    """Milliseconds over a store of 1,000 patients; `pa setup` again is what `make demo` pays before the draft."""
    with TemporaryDirectory() as folder:
        home, first = set_up(folder, PATIENTS)
        check = [run_pa(home, "check", "P001", "Ozempic") for _ in range(RUNS)]
        check_json = [run_pa(home, "check", "P001", "Ozempic", "--json") for _ in range(RUNS)]
        # the same case again would only be found again, so each run has a day of its own
        days = [f"2026-09-{day:02}" for day in range(1, 6)]
        draft = [run_pa(home, "draft", "P001", "Ozempic", "--force", "--as-of", day) for day in days]
        again = run_pa(home, "setup")
    return {
        "goal": GOAL,
        "pa check": _spread(check),
        "pa check --json": _spread(check_json),
        "pa draft, PDFs and letter included": _spread(draft),
        f"pa setup, first ({PATIENTS} patients loaded, every clause embedded), ms": ms(first.wall, None),
        "pa setup, again, ms": ms(again.wall, None),
    }


def _spread(runs: Sequence[Ran]) -> dict[str, float]:
    walls = [run.wall for run in runs]
    return {
        "runs": len(runs),
        "median ms": ms(statistics.median(walls), None),
        "processor time, median ms": ms(statistics.median(run.cpu for run in runs), None),
        "min ms": ms(min(walls), None),
        "max ms": ms(max(walls), None),
    }
