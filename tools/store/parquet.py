"""A world's charts as Parquet: one row a patient, its JSON in the column `record`, read as JSON lines are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tools.common.errors import Invalid
from tools.common.extras import Extra

if TYPE_CHECKING:
    import polars as pl
else:
    pl = Extra("polars")

ROWS = 1000  # read at a time


class RecordLines:
    """The column `record` as a file of JSON lines, open for reading."""

    def __init__(self, path: Path) -> None:
        self.blocks = _blocks(path)

    def read(self, size: int = -1) -> bytes:
        """The lines of the next rows, however many bytes they have; nothing after the last."""
        return next(self.blocks, b"")


def count_rows(path: Path) -> int:
    """How many rows a file with the column has; Invalid for what is none."""
    try:
        if "record" not in pl.read_parquet_schema(path):
            raise Invalid(f"{path.name} has no column `record` with the charts' JSON")
        count: int = pl.scan_parquet(path).select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Invalid(f"{path.name} cannot be read as Parquet: {error}") from error
    return count


def records(path: Path, first: int, length: int) -> list[str]:
    """The column's values, from row `first` on."""
    rows = pl.scan_parquet(path).slice(first, length).select(pl.col("record").cast(pl.String))
    found: list[str] = rows.collect()["record"].to_list()
    return found


def _blocks(path: Path) -> Iterator[bytes]:
    for first in range(0, count_rows(path), ROWS):
        yield "".join([f"{record or ''}\n" for record in records(path, first, ROWS)]).encode()
