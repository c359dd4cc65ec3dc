"""A batch of 1,000 cases offline, with every PDF, on two processes: from the file to the report.

Measured by the clock, and by the processor time of all processes together: where others use the machine as well, the
second says what two cores of one's own would do.

Drawn from a fresh world: the first cases of every kind, as a clinic's panel has them, and apart from them 1,000 that
can all be drafted, which is the most that papers can cost. The queue's share is what a batch takes per case when
nothing has to be drafted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from agent.batch import lifecycle, requests
from agent.batch.checking import Terms
from agent.batch.worker import Worker
from agent.drafts.requests import MAY_DRAFT
from agent.runtime.home import now
from agent.runtime.settings import Settings, read_settings
from agent.terminal.batch_screen import watch
from data_gen.world import Order
from evals.measuring import processor_seconds
from evals.stores import filled
from tools.queries.check import check
from tools.store.store import Store

CASES, PROCESSES = 1000, 2
PATIENTS = 700


def main(cases: int = CASES) -> dict[str, Any]:
    """Cases per second, whole and by part."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        settings = read_settings({"PALADIN_HOME": str(home / "home"), "PALADIN_DATA": str(home / "world")})
        store = filled(Order(count=PATIENTS, out=settings.data, workers=1), settings.database_url)
        every = list(islice(_pairs(store), cases))
        draftable = (pair for pair in _pairs(store) if check(store, *pair).outcome in MAY_DRAFT)
        others = list(islice((pair for pair in draftable if pair not in every), cases))
        figures = {
            "cases": cases,
            "processes": PROCESSES,
            "a panel as it comes, cases/s": _run(store, settings, every, home / "mixed"),
            "every case with papers, cases/s": _run(store, settings, others, home / "papers"),
            "the same again, nothing changed, cases/s": _run(store, settings, others, home / "again"),
        }
        store.close()
        return figures


def _run(store: Store, settings: Settings, pairs: list[tuple[str, str]], out: Path) -> dict[str, Any]:
    rows = ["patient_id,drug", *(f"{patient},{drug}" for patient, drug in pairs)]
    began, used = perf_counter(), processor_seconds()
    asked = requests.read("\n".join(rows).encode(), "bench.csv")
    planned = lifecycle.plan(store, asked, "bench.csv", Terms())
    batch, _ = lifecycle.begin(store, settings, planned, out=out, when=now())
    kept = perf_counter()
    with Worker(settings, PROCESSES) as worker:
        drafted = 0.0

        def tend() -> None:
            nonlocal drafted
            worker.beat()
            if not drafted and not lifecycle.standing(store, store.batch(batch.id)).waiting:
                drafted = perf_counter()

        done = watch(store, batch, quiet=True, tend=tend)
        ended = perf_counter()
    assert done.done == len(pairs), done
    used = processor_seconds() - used
    files = [path for path in out.rglob("*") if path.is_file()]
    return {
        "by the clock": round(len(pairs) / (ended - began), 1),
        "by processor time, on two cores": round(2 * len(pairs) / used, 1),
        "processor ms per case": round(1000 * used / len(pairs), 1),
        "seconds to check the rows": round(kept - began, 2),
        "seconds to draft": round((drafted or ended) - kept, 2),
        "seconds to merge and report": round(ended - (drafted or ended), 2),
        "outcomes": " ".join(f"{name}={count}" for name, count in sorted(done.outcomes.items())),
        "unchanged": done.reused,
        "files": len(files),
        "MB": round(sum(path.stat().st_size for path in files) / 1e6, 1),
    }


def _pairs(store: Store) -> Iterator[tuple[str, str]]:
    drugs = [drug.name for drug in store.drugs()]
    patients = store.find_patients(limit=PATIENTS)
    for turn in range(len(drugs)):
        for number, patient in enumerate(patients):
            yield patient.id, drugs[(number + turn) % len(drugs)]
