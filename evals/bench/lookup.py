"""A whole patient by id, as the store grows: p50 and p99 of `Store.patient` at 1,000, 10,000 and 100,000 patients.

Ids are drawn at random over the whole store, each look-up decodes the whole chart, and two of a hundred charts have
an addition laid over them.
"""

from __future__ import annotations

import random
import statistics
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from data_gen.world import Order, generate
from evals.measuring import seconds, spread
from tools.domain.records import Observation
from tools.store import ChartEntry, Store
from tools.store.load import load

SIZES = (1_000, 10_000, 100_000)
LOOKUPS = 5_000
WHEN = datetime(2026, 9, 1, tzinfo=UTC)


def main(sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """Milliseconds by the number of patients, and what loading them took."""
    return {f"{size} patients": _measured(size) for size in sizes}


def _measured(size: int) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        generate(Order(count=size, out=Path(folder) / "world", format="jsonl"))
        store = Store.create(f"sqlite:///{folder}/bench.db")
        loading = seconds(load, store, Path(folder) / "world")
        draw = random.Random(1)
        ids = [f"P{draw.randint(1, size):03}" for _ in range(LOOKUPS)]
        value = Observation(id="", test="hba1c", value=7.4, unit="%", date=date(2026, 8, 30))
        record = msgspec.Raw(msgspec.json.encode(value))
        for patient in ids[: LOOKUPS // 50]:
            entry = ChartEntry(patient_id=patient, part="observations", record=record, by="bench", when=WHEN)
            store.add_chart_entry(entry)
        for patient_id in ids[:200]:
            store.patient(patient_id)
        times = [seconds(store.patient, patient_id) for patient_id in ids]
        names = [store.patient(patient_id).name for patient_id in ids[:100]]
        searches = [seconds(store.find_patients, name) for name in names]
        store.close()
    return {
        **spread(times),
        "by name, p50 ms": round(statistics.median(searches) * 1000, 2),
        "load s": round(loading, 1),
        "loaded per second": round(size / loading),
    }
