"""A graph of one state of the store: charts are read and judged in as many processes as there are cores, and written as
they come, so that memory does not grow with the panel; what many patients share is written once, cohorts at the end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import islice
from time import perf_counter

from tools.errors import NotFound
from tools.graph.asking import version_of
from tools.graph.engine import Graph, State
from tools.graph.facts import ANSWERED, World, rows_of
from tools.graph.model import EDGES, NODES, Row, Write
from tools.lifecycle.fold import standing
from tools.store.database import sqlite_file
from tools.store.panel import charts, numbers
from tools.store.rows import person
from tools.store.store import Store

Progress = Callable[[int, int], None]  # charts that are in it, and all of them
Part = dict[str, list[Row]]  # rows by kind
CHARTS = 1_000  # that one process reads at a time
BATCH = 5_000  # rows in one write
WORTH_WORKERS = 4_000  # patients; below, a second process costs more than it brings
ANSWERS = {"approved": 0, "partly_approved": 0, "denied": 1}


def build(
    store: Store,
    graph: Graph,
    as_of: date | None = None,
    *,
    workers: int = 0,
    progress: Progress = lambda done, expected: None,
) -> State:
    """Build the graph of the store as it is now, in the place of the one that was there.

    Args:
        store: whose charts.
        graph: the engine that is to hold it.
        as_of: judges every chart on that day; by default it is each chart's own or the world's.
        workers: processes that judge charts; 0 is one for each core.
        progress: is told how far it is.
    """
    began = perf_counter()
    version, world = version_of(store, as_of), world_of(store, as_of)

    def fill(write: Write) -> State:
        counts: Counter[str] = Counter()
        for kind, rows in _rows(store, world, workers, progress):
            while batch := list(islice(rows, BATCH)):
                write(kind, batch)
                counts[kind] += len(batch)
        return State(
            version=version,
            as_of=as_of or world.as_of,
            patients=counts["Patient"],
            counts=dict(counts),
            seconds=round(perf_counter() - began, 1),
        )

    return graph.replace(fill)


def world_of(store: Store, asked: date | None = None) -> World:
    """What all charts of the store share."""
    plans, drugs = ({plan.id: plan for plan in store.plans()}, {drug.name: drug for drug in store.drugs()})
    return World(plans, drugs, store.dataset().as_of, asked, store.today() if store.today else None)


def _rows(
    store: Store, world: World, workers: int, progress: Progress
) -> Iterator[tuple[str, Iterator[Row]]]:
    """All rows of the graph by kind, no node twice and each before its edges."""
    seen: set[tuple[str, str]] = set()
    cohorts: Counter[tuple[str, ...]] = Counter()
    expected, done = numbers(store), 0
    yield from _in_order(_catalog(world), seen)
    for part in _parts(store, world, expected, workers):
        yield from _in_order(part, seen)
        cohorts.update(tuple(who) for _, *who in part.get("Patient", ()) if who[0] is not None)
        done += len(part.get("Patient", ()))
        progress(done, len(expected))
    yield from _in_order(_cohorts(cohorts), seen)
    yield "ORDERED", (row for row in _answered(store) if ("Benefit", row[1]) in seen)


def _in_order(part: Part, seen: set[tuple[str, str]]) -> Iterator[tuple[str, Iterator[Row]]]:
    for kind in NODES:
        new = {row[0]: row for row in part.get(kind, ()) if (kind, row[0]) not in seen}
        if kind != "Patient":
            seen.update((kind, key) for key in new)
        yield kind, iter(new.values())
    yield from ((kind, iter(part.get(kind, ()))) for kind in EDGES)


def _catalog(world: World) -> Part:
    """What is there without any patient: payers, and the drugs of their plans."""
    every = [(plan, f"{plan.id}/{drug}", drug) for plan in world.plans.values() for drug in plan.benefits]
    return {
        "Payer": [[plan.payer_id, plan.payer] for plan in world.plans.values()],
        "Benefit": [[key, plan.id, drug] for plan, key, drug in every],
        "OFFERED_BY": [[key, plan.payer_id] for plan, key, _ in every],
    }


def _cohorts(cohorts: Counter[tuple[str, ...]]) -> Part:
    counted = [(str(key), *who, n) for key, (who, n) in enumerate(cohorts.items())]
    return {
        "Profile": [[profile] for _, _, profile, *_ in counted],
        "Cohort": [[key, payer, path, ends, n] for key, payer, _, path, ends, n in counted],
        "FITS": [[key, profile] for key, _, profile, *_ in counted],
    }


def _answered(store: Store) -> Iterator[Row]:
    """The payer's first answer of every case that has one. A case of somebody whose id is now another person's is
    nobody's."""
    for case in store.authorization_cases():
        answers = [ANSWERS[event.what] for event in standing(case) if event.what in ANSWERS]
        head = case.head
        if answers and head.person == _person(store, head.patient_id):
            yield [head.patient_id, f"{head.plan_id}/{head.drug}", ANSWERED, answers[0]]


def _person(store: Store, patient_id: str) -> str:
    try:
        return person(store.patient(patient_id))
    except NotFound:
        return ""


# --- charts ----------------------------------------------------------------------------------------------


def _parts(store: Store, world: World, every: list[int], workers: int) -> Iterator[Part]:
    spans = [(every[at], every[min(at + CHARTS, len(every)) - 1]) for at in range(0, len(every), CHARTS)]
    wanted = workers or (os.cpu_count() or 1 if len(every) >= WORTH_WORKERS else 1)
    in_memory = store.engine.dialect.name == "sqlite" and sqlite_file(store.engine.url) is None
    if wanted < 2 or in_memory:
        yield from (_read(store, world, span) for span in spans)
        return
    with ProcessPoolExecutor(wanted, initializer=_start, initargs=(store.url, world)) as pool:
        try:
            yield from pool.map(_read_here, spans)
        finally:
            pool.shutdown(cancel_futures=True)


_here: tuple[Store, World] | None = None  # of a worker


def _start(url: str, world: World) -> None:
    global _here
    _here = Store.open(url), world


def _read_here(span: tuple[int, int]) -> Part:
    assert _here is not None
    return _read(*_here, span)


def _read(store: Store, world: World, span: tuple[int, int]) -> Part:
    part: Part = {}
    for patient in charts(store, *span):
        for kind, row in rows_of(patient, world):
            part.setdefault(kind, []).append(row)
    return part
