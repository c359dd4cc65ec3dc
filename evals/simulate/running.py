"""One simulated year, from nothing: its world, Paladin's clinic, the baseline, and what came of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from evals.simulate.baseline import Baseline
from evals.simulate.clinic import Clinic
from evals.simulate.figures import figures
from evals.simulate.records import Year
from evals.simulate.world import START, arrivals, furnish, payer_of

Tick = Callable[[int, int], None]  # days done, of how many


def simulate(
    patients: int, months: int, seed: int, mistakes: float, tick: Tick = lambda done, of: None
) -> Year:
    """The year in a folder of its own that is thrown away; the same arguments give the same year."""
    year = Year(seed=seed, patients=patients, months=months, mistakes=mistakes)
    days = int(months * 30.4375)
    last = START + timedelta(days=days)
    coming = arrivals(patients, months, seed)
    with tempfile.TemporaryDirectory(prefix="paladin-year-") as name:
        folder = Path(name)
        store = furnish(folder, coming, seed)
        try:
            # Before the clinic writes into the charts: the baseline has the same patients.
            year.baseline = Baseline(store, payer_of(store, folder / "world", seed, mistakes), seed).play(
                coming, last
            )
            done = iter(range(1, days + 2))
            clinic = Clinic(store, payer_of(store, folder / "world", seed, mistakes), year, folder)
            clinic.play(coming, last, lambda: tick(next(done), days + 1))
        finally:
            store.close()
    year.figures = figures(year)
    return year
