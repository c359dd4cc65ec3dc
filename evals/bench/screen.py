"""How fast a panel is screened: every patient × every drug of the plan, needs and days ahead included.

    python -m evals.bench screen count=1000000 workers=2 --write     a size of one's own
    python -m evals.bench screen world=DIR                           a world that is there

Wall-clock time is what others leave of the machine; processor time a patient is what the screen itself needs, and
its stages are measured in one process, beside what `determine` needs for the same cases with all its findings.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from agent.screening import run, sources, table
from agent.screening.summary import summarize
from data_gen.world import Order, generate
from evals.measuring import busy_seconds, peak_mebibytes, processor_seconds
from evals.stores import read_drugs, read_plans
from tools.domain.records import Patient, Request
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.screening.panel import Panel, Screened

COUNT = 20_000
GOAL, AIM = 240, 120  # seconds for a million patients × ten drugs on two cores
MEMORY = 2.0  # GiB
STAGED = 1500  # patients whose stages are measured


def main(count: int = COUNT, workers: int = 2, world: str = "") -> dict[str, Any]:
    """Patients and cases a second, processor time a patient, memory, and the stages."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(world or f"{folder}/world")
        if not world:
            generate(Order(count=count, out=place, format="parquet", workers=workers))
        measured = _screened(place, Path(folder) / "screen.parquet", workers)
    return measured | {"stage, µs of a core a patient": stages()}


def _screened(world: Path, out: Path, workers: int) -> dict[str, Any]:
    parts = out.with_name("parts")
    parts.mkdir()
    began, spent, load = time.perf_counter(), processor_seconds(), os.getloadavg()[0]
    source = sources.from_folder(world, parts)
    done = run.screen(source, run.Wanted(), parts, workers=workers)
    decided = time.perf_counter() - began
    table.write(done.rows_of(), out)
    joined = time.perf_counter() - began
    summary = summarize(done.rows_of(), done.patients, done.skipped, 30)
    seconds = time.perf_counter() - began
    each = (processor_seconds() - spent) / done.patients
    return {
        "patients": done.patients,
        "cases": done.rows,
        "processes": workers,
        "seconds": round(seconds, 1),
        "of which joining the table": round(joined - decided, 1),
        "of which counting": round(seconds - joined, 1),
        "cases per second": round(done.rows / seconds),
        "processor time per patient": f"{each * 1e6:.0f} µs",
        "so, a million with two cores of their own": f"{each * 1e6 / 2:.0f} s (goal {GOAL}, aim {AIM})",
        "peak memory of any worker": f"{peak_mebibytes(resource.RUSAGE_CHILDREN) / 1024:.2f} GiB",
        "peak memory of the parent": f"{peak_mebibytes() / 1024:.2f} GiB (goal for all together {MEMORY})",
        "table": f"{out.stat().st_size / 1e6:.1f} MB",
        "load when it began and ended": f"{load:.1f}, {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        "outcomes": summary.outcomes,
        "worklists": summary.lists,
    }


def stages(count: int = STAGED) -> dict[str, float]:
    """In one process, the best of three: what each step adds, and `determine` with its findings for comparison."""
    with tempfile.TemporaryDirectory() as folder:
        order = Order(count=count, out=Path(folder) / "w", format="jsonl", seed=7, workers=1)
        generate(order)
        charts = (order.out / "patients.jsonl").read_bytes().splitlines()
        plans, drugs = read_plans(order.out).values(), read_drugs(order.out).values()
    decoder = msgspec.json.Decoder(Patient)
    today, ahead = Panel(plans, drugs, within=0), Panel(plans, drugs, within=30)

    def screen(panel: Panel) -> list[Screened]:
        patients = map(decoder.decode, charts)
        return [row for one in patients for row in panel.screen(one, one.plan_id, order.as_of)]

    def in_full() -> None:
        for patient in map(decoder.decode, charts):
            plan = today.plans[patient.plan_id]
            for name in plan.benefits:
                request = complete_request(patient, today.drugs[name], Request(drug=name))
                determine(patient, plan, request, order.as_of)

    rows = screen(ahead)
    steps: dict[str, Callable[[], object]] = {
        "the chart is decoded": lambda: [decoder.decode(chart) for chart in charts],
        "… and ten drugs decided, with what each waits for": lambda: screen(today),
        "… and looked at again for 30 days": lambda: screen(ahead),
        "rows as a table": lambda: table.frame(rows),
        "for comparison: ten determinations with their findings": in_full,
    }
    return {
        name: round(min(busy_seconds(step) for _ in range(3)) * 1e6 / count, 1)
        for name, step in steps.items()
    }
