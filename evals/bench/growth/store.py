"""What one store of one size costs: `python -m evals.bench.growth.store load|ask URL …` prints its figures as JSON.

Each runs in a process of its own, so that its peak of memory is its own. Reads go three rounds, and the quickest round
counts: what else a machine does makes a look-up slower and never quicker. Where the system allows it, they also go
before what else runs, and so does the PostgreSQL process that answers them.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from evals.measuring import peak_mebibytes, seconds, spread
from tools.common.errors import PaladinError
from tools.queries.check import check, plan_on_file
from tools.store import Store, database
from tools.store.load import load

LOOKUPS, SEARCHES, CHECKS, ROUNDS = 2_000, 200, 600, 3


def main(what: str, url: str, *rest: str) -> dict[str, Any]:
    return measure_load(url, Path(rest[0])) if what == "load" else measure_asking(url)


def measure_load(url: str, world: Path) -> dict[str, Any]:
    """Seconds, and processor seconds of this process."""
    store = Store.create(url)
    began, used = time.perf_counter(), time.process_time()
    report = load(store, world)
    took, cpu = time.perf_counter() - began, time.process_time() - used
    store.close()
    return {
        "patients": report.patients,
        "load s": round(took, 2),
        "load cpu s": round(cpu, 2),
        "loaded per s": round(report.patients / took),
        "load peak MB": round(peak_mebibytes()),
    }


def measure_asking(url: str) -> dict[str, Any]:
    """Milliseconds of look-ups by id, of searches by name and of whole checks, and megabytes of the database."""
    store = Store.open(url)
    size = round(_size(store) / 1e6, 1)
    first = _first_in_line(store)
    draw = random.Random(1)
    count = store.count_patients()
    ids = [f"P{draw.randint(1, count):03}" for _ in range(LOOKUPS)]
    people = [store.patient(patient_id) for patient_id in ids[: max(SEARCHES, CHECKS)]]
    drugs = [draw.choice(sorted(store.plan(plan_on_file(patient)).benefits)) for patient in people[:CHECKS]]
    some = people[:SEARCHES]
    figures = {
        "lookup": _spread(store.patient, ids),
        "full name": _spread(store.find_patients, [patient.name for patient in some]),
        "family name": _spread(store.find_patients, [patient.family for patient in some]),
        "3 letters": _spread(store.find_patients, [patient.family[:3] for patient in some]),
        "1 letter": _spread(store.find_patients, [patient.family[:1] for patient in some]),
        "count by name": _spread(store.count_patients, [patient.name for patient in some]),
        "check": _spread(lambda case: _checked(store, *case), [*zip(ids, drugs, strict=False)]),
        "round trip": _spread(lambda _: _number(store, "SELECT 1"), range(500)),
    }
    store.close()
    return {"database MB": size, **figures, "first in line": first, "ask peak MB": round(peak_mebibytes())}


def _first_in_line(store: Store) -> bool:
    """Whether this process, and the server's end of its only connection, may go before others."""
    processes = [0]
    if store.engine.dialect.name == "postgresql":
        processes.append(_number(store, "SELECT pg_backend_pid()"))
    try:
        for process in processes:
            os.setpriority(os.PRIO_PROCESS, process, -20)
    except OSError:  # not ours to say, or on another machine
        return False
    return True


def _checked(store: Store, patient_id: str, drug: str) -> None:
    with suppress(PaladinError):
        check(store, patient_id, drug)


def _number(store: Store, query: str) -> int:
    with store.engine.connect() as connection:
        return int(connection.exec_driver_sql(query).scalar_one())


def _spread(ask: Callable[[Any], object], values: Sequence[Any]) -> dict[str, float]:
    """p50 and p99 in milliseconds of the quickest round."""
    rounds = [spread([seconds(ask, value) for value in values]) for _ in range(ROUNDS)]
    best = min(rounds, key=lambda times: times["p99 ms"])
    return {"p50": best["p50 ms"], "p99": best["p99 ms"]}


def _size(store: Store) -> int:
    file = database.sqlite_file(store.engine.url)
    if file:
        return sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*") if path.is_file())
    return _number(store, "SELECT pg_database_size(current_database())")


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
