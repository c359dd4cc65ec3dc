"""A graph of one state of the store: charts are read and judged in as many processes as there are cores, then written
in batches, all nodes before all edges.

What a chart gives to edges waits in a file beside, so that memory does not grow with the panel; only nodes that many
patients share (groups, situations) are kept while the charts are read.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import islice
from tempfile import TemporaryFile
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any

import msgspec

from tools.graph.charts import decided, version_of, world_of
from tools.graph.engine import Graph, State, Writer
from tools.graph.facts import GOING, RESPONSES, CaseFact, Facts, World, criteria_of, facts
from tools.graph.model import EDGES, NODES, Row
from tools.store.database import sqlite_file
from tools.store.panel import charts, numbers
from tools.store.store import Store
from tools.terminology.conditions import CONCEPTS

if TYPE_CHECKING:
    from tools.graph.ways import Way

Progress = Callable[[str, int, int], None]  # stage ("reading charts", "writing"), done, expected
CHARTS = 500  # that one process reads at a time
BATCH = 5_000  # rows in one write
WORTH_WORKERS = 4_000  # patients; below, a second process costs more than it brings


class Part(msgspec.Struct, array_like=True):
    """What some charts come to: nodes by label and key, of each group its profile and how many are in it, what is
    done in each situation, and edges by type."""

    patients: int = 0
    nodes: dict[str, dict[str, Row]] = msgspec.field(default_factory=dict)
    profiles: dict[str, str] = msgspec.field(default_factory=dict)  # of groups
    groups: dict[str, int] = msgspec.field(default_factory=dict)
    steps: dict[str, Row] = msgspec.field(default_factory=dict)
    edges: dict[str, list[Row]] = msgspec.field(default_factory=dict)


def build(
    store: Store,
    graph: Graph,
    as_of: date | None = None,
    *,
    workers: int = 0,
    progress: Progress = lambda stage, done, expected: None,
) -> State:
    """Build the graph of the store as it is now, in the place of the one that was there. `as_of` judges every chart
    on that day; by default it is each chart's own or the world's."""
    began = perf_counter()
    version = version_of(store, as_of)
    world = world_of(store, as_of)
    writer = graph.writer(version)
    try:
        counts, patients = _write(store, world, as_of, writer, workers, progress)
        state = State(
            version=version,
            as_of=as_of or world.as_of,
            patients=patients,
            counts=counts,
            seconds=round(perf_counter() - began, 1),
        )
        writer.finish(state)
    except BaseException:
        writer.drop()
        raise
    return state


def _write(
    store: Store, world: World, as_of: date | None, writer: Writer, workers: int, progress: Progress
) -> tuple[dict[str, int], int]:
    """Returns how many of each kind there are, and how many patients."""
    every = numbers(store)
    counts: Counter[str] = Counter()
    shared = _catalog(world)
    with TemporaryFile() as waiting:
        sizes = []
        done = 0
        for part in _parts(store, as_of, every, workers):
            _share(shared, part)
            sizes.append(_put_aside(waiting, part))
            done += part.patients
            progress("reading charts", done, len(every))
        _nodes(writer, shared, counts)
        for type, rows in shared.edges.items():
            _batches(lambda batch, type=type: writer.edges(type, batch), rows)  # type: ignore[misc]
            counts[type] += len(rows)
        done = 0
        for part in _taken_up(waiting, sizes):
            _batches(lambda batch: writer.nodes("Patient", batch), part.nodes["Patient"].values())
            counts["Patient"] += part.patients
        for part in _taken_up(waiting, sizes):
            for type, rows in part.edges.items():
                _batches(lambda batch, type=type: writer.edges(type, batch), rows)  # type: ignore[misc]
                counts[type] += len(rows)
            done += part.patients
            progress("writing", done, len(every))
        there = {f"P{number:03}" for number in every}
        answers = [
            [patient_id, f"{plan_id}/{drug}", answer]
            for patient_id, plan_id, drug, answer in decided(store)
            if patient_id in there and f"{plan_id}/{drug}" in shared.nodes["Benefit"]
        ]
        _batches(lambda batch: writer.edges("DECIDED", batch), answers)
        counts["DECIDED"] += len(answers)
    return dict(counts), done


def _share(shared: Part, part: Part) -> None:
    """Take over what other charts have as well; what is left is the charts' own."""
    for label, rows in part.nodes.items():
        if label != "Patient":
            shared.nodes.setdefault(label, {}).update(rows)
    for key, count in part.groups.items():
        shared.groups[key] = shared.groups.get(key, 0) + count
    shared.profiles.update(part.profiles)
    shared.steps.update(part.steps)


def _put_aside(waiting: IO[bytes], part: Part) -> int:
    own = Part(patients=part.patients, nodes={"Patient": part.nodes["Patient"]}, edges=part.edges)
    return waiting.write(msgspec.msgpack.encode(own))


def _taken_up(waiting: IO[bytes], sizes: Iterable[int]) -> Iterator[Part]:
    waiting.seek(0)
    decoder = msgspec.msgpack.Decoder(Part)
    for size in sizes:
        yield decoder.decode(waiting.read(size))


def _nodes(writer: Writer, shared: Part, counts: Counter[str]) -> None:
    for key, count in shared.groups.items():
        shared.nodes["Group"][key][-1] = count
    for kind in NODES:
        if kind.label != "Patient":
            rows = shared.nodes.get(kind.label, {}).values()
            _batches(lambda batch, label=kind.label: writer.nodes(label, batch), rows)  # type: ignore[misc]
            counts[kind.label] += len(rows)
    shared.edges["DO"] = list(shared.steps.values())
    shared.edges["FITS"] = [[key, profile] for key, profile in shared.profiles.items()]


def _batches(write: Callable[[list[Row]], None], rows: Iterable[Row]) -> None:
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        write(batch)


# --- charts ----------------------------------------------------------------------------------------------


def _parts(store: Store, as_of: date | None, every: list[int], workers: int) -> Iterator[Part]:
    spans = [(every[at], every[min(at + CHARTS, len(every)) - 1]) for at in range(0, len(every), CHARTS)]
    wanted = workers or (os.cpu_count() or 1 if len(every) >= WORTH_WORKERS else 1)
    if wanted < 2 or (store.engine.dialect.name == "sqlite" and sqlite_file(store.engine.url) is None):
        world = world_of(store, as_of)
        for first, last in spans:
            yield part_of((facts(chart, world) for chart in charts(store, first, last)), world)
        return
    today = store.today() if store.today else None
    with ProcessPoolExecutor(wanted, initializer=_start, initargs=(store.url, as_of, today)) as pool:
        try:
            decoder = msgspec.msgpack.Decoder(Part)
            for encoded in pool.map(_read, spans):
                yield decoder.decode(encoded)
        finally:
            pool.shutdown(cancel_futures=True)


_here: tuple[Store, World] | None = None  # of a worker


def _start(url: str, as_of: date | None, today: date | None) -> None:
    global _here
    store = Store.open(url)
    store.today = (lambda: today) if today else None
    _here = store, world_of(store, as_of)


def _read(span: tuple[int, int]) -> bytes:
    assert _here is not None
    store, world = _here
    return msgspec.msgpack.encode(part_of((facts(chart, world) for chart in charts(store, *span)), world))


# --- nodes and edges -------------------------------------------------------------------------------------


def _catalog(world: World) -> Part:
    """What is there without any patient: plans, payers, what they cover, the criteria of their rules."""
    shared = Part()
    payers, plans, benefits, criteria = {}, {}, {}, {}
    of, lists, parts = [], [], []
    for plan in world.plans.values():
        payers[plan.payer_id] = [plan.payer_id, plan.payer]
        plans[plan.id] = [plan.id, plan.name]
        of.append([plan.id, plan.payer_id])
        for benefit in plan.benefits.values():
            key = f"{plan.id}/{benefit.drug}"
            benefits[key] = [key, plan.id, benefit.drug, benefit.tier, int(benefit.pa_required)]
            lists.append([plan.id, key])
        for row in criteria_of(plan):
            criteria[row[0]] = row
            parts.append([row[0], f"{plan.id}/{row[2]}"])
    conditions = {key: [key] for key in CONCEPTS}
    shared.nodes = {
        "Payer": payers, "Plan": plans, "Benefit": benefits, "Criterion": criteria, "Condition": conditions,
    }  # fmt: skip
    shared.edges = {"OF": of, "LISTS": lists, "PART": parts}
    return shared


def part_of(read: Iterable[Facts], world: World) -> Part:
    """The nodes and edges of these charts."""
    part = Part()
    part.nodes = {kind.label: {} for kind in NODES}
    part.edges = {kind.type: [] for kind in EDGES if kind.source == "Patient"}
    for one in read:
        part.patients += 1
        part.nodes["Patient"][one.id] = [one.id]
        _about_person(part, one)
        _about_group(part, one, world)
        for case in one.cases:
            _about_case(part, one, case)
    return part


def _about_person(part: Part, one: Facts) -> None:
    part.edges["HAS"] += [[one.id, key] for key in one.conditions or ()]
    if one.plan_id:
        part.edges["ON"].append([one.id, one.plan_id])
    if one.prescriber:
        part.nodes["Prescriber"][one.prescriber[0]] = list(one.prescriber)
        part.edges["SEES"].append([one.id, one.prescriber[0]])
    for course in one.courses or ():
        part.nodes["Medicine"][course.medicine] = [course.medicine]
        start = course.start.isoformat() if course.start else None
        response, going = RESPONSES[course.end[0]], GOING[course.end[1]]
        part.edges["TOOK"].append(
            [one.id, course.medicine, course.place, start, course.days, response, going]
        )


def _about_group(part: Part, one: Facts, world: World) -> None:
    """Nobody whose lists are not recorded is like anybody."""
    if one.profile is None or one.courses is None or not one.plan_id:
        return
    payer = world.plans[one.plan_id].payer_id
    key = _short("group", payer, one.profile, one.path, one.ends)
    part.nodes["Profile"][one.profile] = [one.profile]
    part.nodes["Group"][key] = [key, payer, one.path, one.ends, 0]
    part.profiles[key] = one.profile
    part.groups[key] = part.groups.get(key, 0) + 1
    part.edges["IN"].append([one.id, key])


def _about_case(part: Part, one: Facts, case: CaseFact) -> None:
    benefit = f"{one.plan_id}/{case.drug}"
    ordered, fits = int(case.ordered), int(case.on_label)
    part.edges["ASKS"].append([one.id, benefit, case.outcome, case.indication, case.open, ordered, fits])
    for lack in case.lacks:
        part.edges["LACKS"].append([one.id, lack.criterion, lack.status])
        if lack.alone:
            part.edges["ONLY"].append([one.id, lack.criterion, lack.status, ordered])
    if case.on_label:
        part.edges["STANDS"] += [
            [one.id, _situation(part, one.plan_id, case.drug, use, way)] for use, way in case.ways
        ]


def _situation(part: Part, plan_id: str, drug: str, use: str, way: Way) -> str:
    """What is left to do; its first action leads to what is left then. Those that end alike are one."""
    done = (f"{step.kind} {step.what} {step.criterion}" for step in way)
    key = _short("situation", plan_id, drug, use, *done)
    if key not in part.nodes["Situation"]:
        part.nodes["Situation"][key] = [key, plan_id, drug, use, len(way)]
        if way:
            then = _situation(part, plan_id, drug, use, way[1:])
            step = way[0]
            part.steps[key] = [key, then, step.kind, step.what, step.text, step.days, step.criterion]
    return key


def _short(*parts: Any) -> str:
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=10).hexdigest()
