"""Screens a source piece by piece, in as many processes as there are cores, and joins the parts.

Each piece becomes a part beside the table, put in its place when it is whole. A run that was stopped goes on with the
pieces that have no part yet, if source, day, filters and version are still the same; otherwise it begins again.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agent.screening import table
from agent.screening.sources import Piece, Source, charts
from tools.common.errors import Invalid, NotFound, Unavailable, nearest
from tools.common.extras import Extra
from tools.domain.records import Outcome, Patient
from tools.queries.check import plan_on_file
from tools.screening.panel import Panel, Screened

if TYPE_CHECKING:
    import polars as pl
else:
    pl = Extra("polars")

VERSION = 1  # of what a part holds
Progress = Callable[[int, int], None]  # patients done, of how many


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a screen. No plans, drugs or outcomes are all; `as_of` None is the day of each chart
    (Patient.judged_on)."""

    as_of: date | None = None
    within: int = 30
    plans: frozenset[str] = frozenset()
    drugs: frozenset[str] = frozenset()
    outcomes: frozenset[Outcome] = frozenset()
    limit: int = 0


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one piece came to. `skipped` says why charts were not screened, and of how many."""

    patients: int
    rows: int
    skipped: dict[str, int]


class Done(Part, frozen=True, kw_only=True):
    """What a whole screen came to; `reused` parts were there from a run that had been stopped."""

    parts: tuple[Path, ...]
    reused: int

    def rows_of(self) -> pl.LazyFrame:
        """All rows, in the source's order, not yet read."""
        if not self.parts:
            return pl.LazyFrame(schema=table.schema())
        return pl.scan_parquet(list(self.parts))


def filtered(source: Source, plans: Iterable[str], payers: Iterable[str], drugs: Iterable[str]) -> Wanted:
    """What is asked for, in the catalog's own words; NotFound names what is near."""
    ids, names = set[str](), set[str]()
    for plan in plans:
        ids.add(_one_of("plan", plan, {item.id: item.id for item in source.plans}))
    for payer in payers:
        known = {item.payer: item.payer_id for item in source.plans}
        known |= {payer_id: payer_id for payer_id in known.values()}
        found = _one_of("payer", payer, known)
        ids |= {item.id for item in source.plans if item.payer_id == found}
    for drug in drugs:
        known = {item.name: item.name for item in source.drugs}
        known |= {alias: item.name for item in source.drugs for alias in item.aliases if alias not in known}
        names.add(_one_of("drug", drug, known))
    return Wanted(plans=frozenset(ids), drugs=frozenset(names))


def _one_of(what: str, value: str, known: dict[str, str]) -> str:
    by_fold = {name.casefold(): name for name in known}
    name = by_fold.get(value.strip().casefold())
    if name is None:
        raise NotFound(what, value, nearest(value, known), f"known: {', '.join(known)}")
    return known[name]


def screen(
    source: Source,
    wanted: Wanted,
    folder: Path,
    *,
    workers: int = 0,
    progress: Progress = lambda done, total: None,
) -> Done:
    """Screen the source into parts in `folder`."""
    pieces = _limited(source.pieces, wanted.limit)
    _same_order(folder, source, wanted)
    places = {number: folder / f"part-{number:05d}.parquet" for number in range(len(pieces))}
    found = {number: part for number, place in places.items() if (part := _kept(place)) is not None}
    reused, patients = len(found), sum(part.patients for part in found.values())
    total = min(source.patients, wanted.limit) if wanted.limit else source.patients
    progress(patients, total)
    todo = [(number, pieces[number], place) for number, place in places.items() if number not in found]
    with _pool(source, wanted, min(workers or os.cpu_count() or 1, len(todo))) as submit:
        for number, part in submit(todo):
            found[number] = part
            patients += part.patients
            progress(patients, total)
    return Done(
        parts=tuple(places.values()),
        patients=patients,
        rows=sum(part.rows for part in found.values()),
        skipped=dict(sum((Counter(part.skipped) for part in found.values()), Counter[str]())),
        reused=reused,
    )


def _limited(pieces: Iterable[Piece], limit: int) -> list[tuple[Piece, int]]:
    """Each piece with how many charts to take of it, 0 for all."""
    if not limit:
        return [(piece, 0) for piece in pieces]
    taken: list[tuple[Piece, int]] = []
    for piece in pieces:
        if limit <= 0:
            break
        taken.append((piece, limit))
        limit -= sum(1 for _ in charts(piece))
    return taken


def _same_order(folder: Path, source: Source, wanted: Wanted) -> None:
    """An empty folder, or one with parts of this very screen."""
    said = [source.version, source.today, VERSION, msgspec.to_builtins(wanted, order="sorted")]
    order = sha256(msgspec.json.encode(said)).hexdigest()
    note = folder / "order"
    if folder.is_dir() and not (note.is_file() and note.read_text() == order):
        for old in (*folder.glob("part-*"), note):
            old.unlink(missing_ok=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(order)
    except OSError as error:
        raise Unavailable(f"can't write to {folder}: {error.strerror or error}") from error


def _kept(place: Path) -> Part | None:
    """The part that a former run finished; its note is written last."""
    note = place.with_suffix(".json")
    return msgspec.json.decode(note.read_bytes(), type=Part) if note.is_file() and place.is_file() else None


# --- one piece -------------------------------------------------------------------------------------------

_Task = tuple[int, tuple[Piece, int], Path]
_screener: _Screener | None = None


class _Screener:
    """The panel made ready; one a process."""

    def __init__(self, source: Source, wanted: Wanted) -> None:
        self.panel = Panel(source.plans, source.drugs, within=wanted.within, only=wanted.drugs)
        self.source, self.wanted = source, wanted

    def part(self, piece: Piece, most: int, place: Path) -> Part:
        """Screen a piece into its place."""
        rows, skipped, patients = list[Screened](), Counter[str](), 0
        for patient in islice(charts(piece), most or None):
            patients += 1
            rows += self._rows(patient, skipped)
        beside = place.with_suffix(".partial")
        table.frame(rows).write_parquet(beside, compression="lz4")
        beside.replace(place)
        part = Part(patients=patients, rows=len(rows), skipped=dict(skipped))
        place.with_suffix(".json").write_bytes(msgspec.json.encode(part))
        return part

    def _rows(self, patient: Patient, skipped: Counter[str]) -> Iterator[Screened]:
        wanted = self.wanted
        try:
            plan_id = plan_on_file(patient)
        except Invalid:
            skipped["no plan on file"] += 1
            return
        if plan_id not in self.panel.plans:
            skipped[f"plan {plan_id} is not in the catalog"] += 1
        elif not wanted.plans or plan_id in wanted.plans:
            as_of = wanted.as_of or patient.judged_on(self.source.as_of, self.source.today)
            for row in self.panel.screen(patient, plan_id, as_of):
                if not wanted.outcomes or row.outcome in wanted.outcomes:
                    yield row


def _start(source: Source, wanted: Wanted) -> None:
    """A worker makes no cycles while it screens, so the collector need not look through its tables."""
    global _screener
    _screener = _Screener(source, wanted)
    gc.freeze()
    gc.disable()


def _part(piece: Piece, most: int, place: Path) -> Part:
    assert _screener is not None
    return _screener.part(piece, most, place)


@contextmanager
def _pool(
    source: Source, wanted: Wanted, workers: int
) -> Iterator[Callable[[list[_Task]], Iterator[tuple[int, Part]]]]:
    """What screens pieces and hands out each as it is done. Processes are spawned: threads of the table's library
    do not survive a fork."""
    if workers < 2:
        here = _Screener(source, wanted)
        yield lambda tasks: ((number, here.part(*piece, place)) for number, piece, place in tasks)
        return
    os.environ["POLARS_MAX_THREADS"] = "1"  # of each process, which reads it as it imports Polars
    with ProcessPoolExecutor(workers, get_context("spawn"), _start, (source, wanted)) as pool:
        try:
            yield lambda tasks: _as_done(pool, tasks, 2 * workers)
        finally:
            pool.shutdown(cancel_futures=True)


def _as_done(pool: ProcessPoolExecutor, tasks: list[_Task], ahead: int) -> Iterator[tuple[int, Part]]:
    waiting: dict[Future[Part], int] = {}
    left = iter(tasks)
    while True:
        for number, piece, place in left:
            waiting[pool.submit(_part, *piece, place)] = number
            if len(waiting) >= ahead:
                break
        if not waiting:
            return
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield waiting.pop(future), future.result()
