"""A graph of one state of the store: charts are read and judged in as many processes as there are cores, and written as
they come, so that memory does not grow with the panel; what many patients share is written once, cohorts at the end."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import date
from functools import cache
from itertools import islice, repeat
from time import perf_counter

from tools.common.errors import NotFound
from tools.graph.asking import version_of
from tools.graph.facts import ANSWERED, World, rows_of
from tools.graph.model import EDGES, NODES, Graph, Row, State, Write
from tools.lifecycle.records import standing
from tools.store.database import sqlite_file
from tools.store.panel import charts, numbers
from tools.store.rows import is_of
from tools.store.store import Store

Progress = Callable[[int, int], None]  # charts that are in it, and all of them
Part = defaultdict[str, list[Row]]  # rows by kind
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
    """Build the graph of the store as it is now, in the place of the one that was there. `as_of` judges every chart
    on that day, by default each chart's own or the world's; `workers` processes do so, 0 is one for each core."""
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
    plans = {plan.id: plan for plan in store.plans()}
    drugs = {drug.name: drug for drug in store.drugs()}
    return World(plans, drugs, store.dataset().as_of, asked, store.today() if store.today else None)


def _rows(
    store: Store, world: World, workers: int, progress: Progress
) -> Iterator[tuple[str, Iterator[Row]]]:
    """All rows of the graph by kind, no node twice and each before its edges."""
    seen: set[tuple[str, str]] = set()
    cohorts: Counter[tuple[str, ...]] = Counter()
    expected, done = numbers(store), 0
    yield from _in_order(_part(_catalog(world)), seen)
    for part in _parts(store, world, expected, workers):
        yield from _in_order(part, seen)
        cohorts.update(tuple(alike) for _, *alike in part["Patient"] if alike[0] is not None)
        done += len(part["Patient"])
        progress(done, len(expected))
    yield from _in_order(_part(_counted(cohorts)), seen)
    yield "ORDERED", (row for row in _answered(store) if ("Benefit", row[1]) in seen)


def _in_order(part: Part, seen: set[tuple[str, str]]) -> Iterator[tuple[str, Iterator[Row]]]:
    for kind in NODES:
        new = {row[0]: row for row in part[kind] if (kind, row[0]) not in seen}
        if kind != "Patient":
            seen.update((kind, key) for key in new)
        yield kind, iter(new.values())
    yield from ((kind, iter(part[kind])) for kind in EDGES)


def _catalog(world: World) -> Iterator[tuple[str, Row]]:
    """What is there without any patient: payers, and the drugs of their plans."""
    for plan in world.plans.values():
        yield "Payer", [plan.payer_id, plan.payer]
        for drug in plan.benefits:
            yield "Benefit", [f"{plan.id}/{drug}", plan.id, drug]
            yield "OFFERED_BY", [f"{plan.id}/{drug}", plan.payer_id]


def _counted(cohorts: Counter[tuple[str, ...]]) -> Iterator[tuple[str, Row]]:
    for key, ((payer, profile, path, ends), n) in enumerate(cohorts.items()):
        yield "Profile", [profile]
        yield "Cohort", [key, payer, path, ends, n]
        yield "FITS", [key, profile]


def _answered(store: Store) -> Iterator[Row]:
    """The payer's first answer of every case that has one. A case of somebody whose id is now another person's is
    nobody's."""
    for case in store.authorization_cases():
        head, answers = case.head, [ANSWERS[one.what] for one in standing(case) if one.what in ANSWERS]
        with suppress(NotFound):
            if answers and is_of(head.person, store.patient(head.patient_id)):
                yield [head.patient_id, f"{head.plan_id}/{head.drug}", ANSWERED, answers[0]]


# --- charts ----------------------------------------------------------------------------------------------


def _parts(store: Store, world: World, every: list[int], workers: int) -> Iterator[Part]:
    spans = [(every[at], every[min(at + CHARTS, len(every)) - 1]) for at in range(0, len(every), CHARTS)]
    wanted = workers or (os.cpu_count() or 1 if len(every) >= WORTH_WORKERS else 1)
    in_memory = store.engine.dialect.name == "sqlite" and sqlite_file(store.engine.url) is None
    if wanted < 2 or in_memory:
        yield from (_read(store, world, span) for span in spans)
        return
    with ProcessPoolExecutor(wanted) as pool:
        try:
            yield from pool.map(_read, repeat(store.url), repeat(world), spans)
        finally:
            pool.shutdown(cancel_futures=True)


_opened = cache(Store.open)  # once in a worker


def _read(store: Store | str, world: World, span: tuple[int, int]) -> Part:
    """From a store, or in a worker from the one at this URL."""
    opened = _opened(store) if isinstance(store, str) else store
    return _part(row for patient in charts(opened, *span) for row in rows_of(patient, world))


def _part(rows: Iterable[tuple[str, Row]]) -> Part:
    part: Part = defaultdict(list)
    for kind, row in rows:
        part[kind].append(row)
    return part
