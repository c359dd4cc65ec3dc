"""How fast a world is made: whole charts with notes, as JSON lines, in two processes; and where the time goes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_gen import charts, parquet
from data_gen.catalog_loader import our_catalog
from data_gen.draws import BLOCK, block_rows
from data_gen.history import draw_record
from data_gen.notes import write_notes
from data_gen.people import Person, draw_person
from data_gen.setting import AS_OF
from data_gen.world import BATCH, Maker, Order, Span, generate
from evals.measuring import busy_seconds, machine, processor_seconds

COUNT = 100_000
RUNS = 3
GOAL = 25_000  # patients a second on two cores
PARQUET_GOAL = 40_000


def main(count: int = COUNT) -> dict[str, Any]:
    """Patients a second with two processes, the processor time that one takes, and its stages."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        lines = Order(count=count, out=place / "world", format="jsonl", workers=2)
        rows = Order(count=count, out=place / "rows", format="parquet", workers=2)
        return {
            **_made(lines, GOAL, "", ", writing included"),
            **_made(rows, PARQUET_GOAL, "as Parquet: ", ""),
            "machine": machine(),
            **stages(place),
        }


def _made(order: Order, goal: int, form: str, what: str) -> dict[str, Any]:
    """The figures of making these patients some times over."""
    began = processor_seconds()
    best = min((generate(order) for _ in range(RUNS)), key=lambda made: made.seconds)
    spent = (processor_seconds() - began) / RUNS
    patients = f"{order.count:,} whole charts with notes, {best.planted:,} of them planted"
    return {
        **({} if form else {"patients": patients}),
        f"{form}patients per second": round(best.added / best.seconds),
        f"{form}goal": goal,
        f"{form}processor time per patient{what}": f"{spent * 1e6 / order.count:.1f} µs",
        f"{form}so, with two cores of its own": f"{2 * order.count / spent:,.0f} patients per second",
        f"{form}bytes per patient": round(best.bytes / order.count),
    }


def stages(folder: Path) -> dict[str, str]:
    """Microseconds of processor time a patient, by stage, in one process (best of 20)."""
    maker = Maker(our_catalog(), 42, AS_OF, "jsonl")
    setting = maker.setting
    fine, coarse = block_rows(42, 1)

    def drawn() -> list[Person]:
        return [draw_person(BLOCK + row, fine[row], coarse[row]) for row in range(BLOCK)]

    people = drawn()
    for person in people:
        draw_record(person, setting)
    records = charts.write_charts(people, setting, charts.LINE)
    table = parquet.table(records)
    place = folder / "part.parquet"
    rows: dict[str, Callable[[], object]] = {
        "random integers": lambda: block_rows(42, 1),
        "body and history": drawn,
        "notes": lambda: [write_notes(person, setting) for person in people],
        "chart, notes included": lambda: [
            charts.write_charts(people[first : first + BATCH], setting, charts.LINE)
            for first in range(0, BLOCK, BATCH)
        ],
        "charts as a table": lambda: parquet.table(records),
        "the table compressed and written": lambda: parquet.save(table, place),
        "all, planted cases included": lambda: maker.text(Span(BLOCK, 2 * BLOCK)),
    }
    return {
        f"stage, in one process: {name}": f"{min(busy_seconds(work) for _ in range(20)) * 1e6 / BLOCK:.1f} µs"
        for name, work in rows.items()
    }
