"""The table that a screen makes: one row for each patient and drug, in whichever format its name asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agent.batch.requests import RUNS
from tools.common.errors import Invalid
from tools.common.extras import Extra
from tools.screening.needs import told
from tools.screening.panel import Screened

if TYPE_CHECKING:
    import polars as pl
else:
    pl = Extra("polars")

COLUMNS = (  # `pa screen --help` says what each of them holds
    "patient_id", "plan_id", "payer", "drug", "as_of", "outcome", "stopped_by", "kind", "indication", "rule_id",
    "asked", "needs", "waits_for", "approved_until", "changes_on", "changes_to",
)  # fmt: skip
SUFFIXES = (".parquet", ".csv", ".arrow", ".jsonl")
_BETWEEN = "\x1f"
_DATES = ("as_of", "approved_until", "changes_on")


def schema() -> dict[str, Any]:
    """The columns' types."""
    types: dict[str, Any] = dict.fromkeys(COLUMNS, pl.String)
    return types | dict.fromkeys(_DATES, pl.Date) | {"needs": pl.List(pl.String)}


def frame(rows: Sequence[Screened]) -> pl.DataFrame:
    """The rows as a table."""
    cells = zip(*map(msgspec.structs.astuple, rows), strict=True)
    columns: dict[str, Any] = dict(zip(Screened.__struct_fields__, cells, strict=False))
    needs: tuple[tuple[str, ...], ...] = columns.get("needs", ())
    columns["waits_for"] = [told(of[0]) if of else "" for of in needs]
    # Lists are built from texts, since from Python's own it takes as long as all other columns together.
    columns["needs"] = [_BETWEEN.join(of) for of in needs]
    types = schema() | {"needs": pl.String}
    made = pl.DataFrame({name: pl.Series(name, columns.get(name, ()), types[name]) for name in COLUMNS})
    return made.with_columns(pl.col("needs").str.split(_BETWEEN).list.filter(pl.element() != ""))


def check_suffix(path: Path) -> None:
    """Invalid for a name whose format is not known."""
    if path.suffix not in SUFFIXES:
        raise Invalid(f"--out {path}: its name ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")


def write(table: pl.LazyFrame, path: Path) -> None:
    """The table as its name asks for, streamed: beside the old file first, then in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    try:
        if path.suffix == ".parquet":
            table.sink_parquet(beside, compression="zstd", row_group_size=250_000)
        elif path.suffix == ".arrow":
            table.sink_ipc(beside, compression="zstd")
        elif path.suffix == ".jsonl":
            table.sink_ndjson(beside)
        else:
            listed = table.with_columns(pl.col("needs").list.join(" | "))
            texts = [name for name, kind in listed.collect_schema().items() if kind == pl.String]
            listed.with_columns(map(_harmless, texts)).sink_csv(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _harmless(name: str) -> pl.Expr:
    """The column with a mark before what a spreadsheet would run."""
    cell = pl.col(name)
    runs = pl.any_horizontal([cell.str.starts_with(mark) for mark in RUNS])
    return pl.when(runs).then(pl.lit("'") + cell).otherwise(cell).alias(name)
