"""A world's charts as Parquet, made by many processes: parts of ten blocks, each written whole by one of them.

    world/patients/part-00000.parquet …      one row a patient: the columns by which one filters, and `record`, its JSON

A part is the same bytes whoever makes it, since it is a function of seed and block alone; so is the world, whatever
the number of processes. `polars.scan_parquet("world/patients/*.parquet")` reads all of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from data_gen import charts
from data_gen.draws import BLOCK
from data_gen.workers import in_order

if TYPE_CHECKING:
    import polars as pl

    from data_gen.world import Maker

PART = 10 * BLOCK  # patients


class Part(NamedTuple):
    """Patients first … last-1, and the name of their file within the world."""

    first: int
    last: int

    @property
    def name(self) -> str:
        return f"patients/part-{self.first // PART:05d}.parquet"


class _Home(msgspec.Struct):
    state: str


class _Head(msgspec.Struct):
    """What a chart begins with."""

    id: str
    family: str
    given: str
    birth_date: date
    sex: str
    plan_id: str
    address: _Home


def parts(first: int, last: int) -> Iterator[Part]:
    """The parts that hold patients first … last-1, each from its own first patient on."""
    for start in range(first // PART * PART, last, PART):
        yield Part(start, min(start + PART, last))


def write_parts(
    maker: Maker, first: int, last: int, folder: Path, workers: int
) -> Iterator[tuple[Part, bytes]]:
    """Write the parts that hold patients first … last-1, and hand out each with the labels of these patients, in
    order. Processes work a few parts ahead."""
    wanted = parts(first, last)
    workers = workers or min(os.cpu_count() or 1, (last - first) // PART)
    if workers < 2:
        for part in wanted:
            yield part, _write(maker, part, folder, first)
        return
    # A fork is the quickest start, and safe as long as the library with its threads is not yet there.
    context = get_context("spawn" if "polars" in sys.modules else "fork")
    yield from in_order(wanted, partial(_write, folder=folder, since=first), maker, workers, context)


def _write(maker: Maker, part: Part, folder: Path, since: int) -> bytes:
    """Write the part's file; returns the labels of its patients from `since` on."""
    labels: list[bytes] = []
    records: list[str] = []
    new = min(max(part.first, since), part.last)
    for first, last, found in ((part.first, new, []), (new, part.last, labels)):
        for people in maker.people(first, last, found):
            records += charts.write_charts(people, maker.setting, charts.LINE)
    place = folder / part.name
    place.parent.mkdir(exist_ok=True)
    save(table(records), place)
    return b"".join(labels)


def table(records: list[str]) -> pl.DataFrame:
    """A row for each chart: what one filters by, and the chart."""
    import polars as pl

    head = msgspec.json.Decoder(_Head)
    heads = [head.decode(f"{text[: text.index(_AFTER_HEAD)]}}}") for text in records]
    columns = {name: [getattr(item, name) for item in heads] for name in _COLUMNS}
    columns["state"] = [item.address.state for item in heads]
    return pl.DataFrame(columns | {"record": records}, schema=_schema())


def save(rows: pl.DataFrame, place: Path) -> None:
    rows.write_parquet(place, compression="zstd", compression_level=1, row_group_size=PART)


_AFTER_HEAD = ',"coverages":'
_COLUMNS = ("id", "family", "given", "birth_date", "sex", "plan_id")


def _schema() -> dict[str, Any]:
    import polars as pl

    return {name: pl.Date if name == "birth_date" else pl.String for name in (*_COLUMNS, "state", "record")}
