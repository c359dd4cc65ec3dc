"""Reads a file of requests, CSV, JSON lines or Parquet, row by row: what a row is wrong in is that row's affair."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tools.common.errors import Invalid, nearest
from tools.common.extras import Extra
from tools.queries.check import LONGEST_STATEMENT

if TYPE_CHECKING:
    import polars as pl
else:
    pl = Extra("polars")

NEEDED = ("patient_id", "drug")
STATED = ("statement", "expedited")  # in the prescriber's own words
OPTIONAL = (
    "strength", "quantity", "days_supply", "kind", "urgency", "indication", "plan_id", "exception", *STATED,
)  # fmt: skip
COLUMNS = (*NEEDED, *OPTIONAL)
LONGEST_CELL = 200  # characters; nothing that is asked for is longer, but for what is stated
LONGEST_RECORD = 50  # lines that a quoted cell may run over
RUNS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet may run a cell that begins so
# Names under which exports bring these columns.
ALIASES = {
    "patient_id": ("patient", "patientid", "mrn"),
    "drug": ("medication", "drug_name", "brand"),
    "strength": ("dose",),
    "quantity": ("qty",),
    "days_supply": ("days", "dayssupply"),
    "kind": ("type", "request_type"),
    "urgency": ("priority",),
    "plan_id": ("plan",),
}


class RequestRow(NamedTuple):
    """One row as text by column; `number` is its line in a file of lines, its place in another, from 1."""

    number: int
    cells: dict[str, str]


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not worked on, why, and the value that may have been meant."""

    row: int
    reason: str
    near: str = ""
    cells: dict[str, str] = {}


class Requests(NamedTuple):
    """What a file holds: rows to look at, rows that cannot be read, and columns that say nothing here."""

    rows: list[RequestRow]
    rejected: list[RejectedRow]
    unused: list[str]


def read(content: bytes, name: str) -> Requests:
    """The rows of a file; Invalid if it is wrong as a whole. `name` tells the format by its ending."""
    read = FORMATS.get(_ending(name))
    if read is None:
        raise Invalid(f"{name} is none of {', '.join(FORMATS)}: save the requests as one of these")
    if not content.strip():
        raise _empty(name)
    return _checked(name, *read(content, name))


def _empty(name: str) -> Invalid:
    return Invalid(f"{name} is empty; its first line names the columns: {', '.join(COLUMNS)}")


def from_records(records: Iterable[Any], name: str) -> Requests:
    """The same of objects that came as JSON."""
    rows, rejected = list[RequestRow](), list[RejectedRow]()
    for number, record in enumerate(records, 1):
        _of_object(number, record, rows, rejected)
    return _checked(name, _columns_of(rows), rows, rejected)


def runs(cell: str) -> bool:
    """Would a spreadsheet take it for a formula? A plain number is none."""
    return cell.startswith(RUNS) and not re.fullmatch(r"[+-]?\d+([.,]\d+)?", cell)


def harmless(cell: str) -> str:
    """The cell as it may stand in a CSV: a spreadsheet shows it and runs nothing."""
    return f"'{cell}" if cell.lstrip(" \n").startswith(RUNS) else cell


# --- what holds for every format -------------------------------------------------------------------------


def _checked(
    name: str, columns: Sequence[str], rows: list[RequestRow], rejected: list[RejectedRow]
) -> Requests:
    _check_columns(name, columns)
    if not rows and not rejected:
        raise Invalid(f"{name} names its columns and has no request below them")
    good = list[RequestRow]()
    for row in rows:
        if reason := _unfit(row):
            rejected.append(RejectedRow(row=row.number, reason=reason, cells=_legible(row.cells)))
        else:
            good.append(row)
    rejected.sort(key=lambda one: one.row)
    return Requests(good, rejected, [column for column in columns if column not in COLUMNS])


def _check_columns(name: str, columns: Sequence[str]) -> None:
    for needed in NEEDED:
        if needed not in columns:
            said = [column for column in columns if column]
            near = [*(a for a in ALIASES[needed] if a in said), *nearest(needed, said)]
            guess = f"; rename {near[0]!r}, if that is it" if near else ""
            shown = ", ".join(said[:12]) or "nothing"
            raise Invalid(f"{name} has no column {needed!r} but {shown}{guess}")
    twice = sorted({column for column in columns if column in COLUMNS and list(columns).count(column) > 1})
    if twice:
        raise Invalid(f"{name} has the column {twice[0]!r} twice; leave one")


def _unfit(row: RequestRow) -> str:
    """Why no cell of this row is to be believed; "" if they may be looked at."""
    for column in COLUMNS:
        cell = row.cells.get(column, "")
        if any("\udc80" <= char <= "\udcff" for char in cell):
            return f"{column} is not UTF-8; save the file as UTF-8"
        if "\ufffd" in cell:
            return f"{column} has a character that was lost when the file was saved; save it as UTF-8"
        if runs(cell):
            return f"{column} begins with {cell[0]!r}, as a spreadsheet's formula does"
        if any(ord(char) < 32 or ord(char) == 127 for char in cell):
            return f"{column} has a control character in it"
        if len(cell) > _longest(column):
            return f"{column} has {len(cell)} characters; at most {_longest(column)} are read"
    for needed in NEEDED:
        if not row.cells.get(needed):
            return f"{needed} is empty"
    return ""


def _longest(column: str) -> int:
    return LONGEST_STATEMENT if column in STATED else LONGEST_CELL


def _legible(cells: dict[str, str]) -> dict[str, str]:
    """The columns that are known, with marks where a cell was no text, and no longer than somebody reads."""
    known = {column: cells[column][: _longest(column)] for column in COLUMNS if column in cells}
    return {
        column: cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for column, cell in known.items()
    }


def _column(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def _text(value: Any) -> str:
    """A value of JSON or Parquet as a cell would have it."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def _ending(name: str) -> str:
    at = name.rfind(".")
    return name[at:].casefold() if at >= 0 else ""


# --- CSV -------------------------------------------------------------------------------------------------


def _csv(content: bytes, name: str) -> tuple[list[str], list[RequestRow], list[RejectedRow]]:
    text = _decoded(content, name)
    if "\x00" in text:
        raise Invalid(f"{name} is no CSV: it holds zero bytes; export it as CSV, UTF-8")
    if not text.strip():
        raise _empty(name)
    lines = [line.rstrip("\r\n") for line in io.StringIO(text, newline=None)]
    head = next(at for at, line in enumerate(lines) if line.strip())
    delimiter = max(",;\t", key=lines[head].count)
    columns = [_column(cell) for cell in _cells(lines[head], delimiter) or []]
    if not columns:
        raise Invalid(f"{name} has a first line that is no CSV: {lines[head][:60]!r}")
    rows, rejected = list[RequestRow](), list[RejectedRow]()
    for number, cells, reason in _records(lines, head + 1, delimiter, len(columns)):
        named = {
            column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column in COLUMNS
        }
        if reason:
            rejected.append(RejectedRow(row=number, reason=reason, cells=_legible(named)))
        elif any(cell.strip() for cell in cells):
            rows.append(RequestRow(number, named))
    return columns, rows, rejected


def _decoded(content: bytes, name: str) -> str:
    """The file's text. A byte that is not UTF-8 stays as a mark, so that only its own row is lost."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise Invalid(f"{name} begins as UTF-16 and is not: {error.reason}; save it as UTF-8") from None
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _records(
    lines: Sequence[str], at: int, delimiter: str, width: int
) -> Iterator[tuple[int, list[str], str]]:
    """(line, cells, reason if it is malformed). A quote that is never closed costs its own line, not the rest."""
    while at < len(lines):
        number, used = at + 1, 1
        cells = _cells(lines[at], delimiter)
        while cells is None and used < LONGEST_RECORD and at + used < len(lines):
            used += 1
            cells = _cells("\n".join(lines[at : at + used]), delimiter)
        why = ""
        if cells is None or (used > 1 and len(cells) != width):
            why = "a quote is opened and not closed, or stands inside a cell"
            cells, used = lines[at].split(delimiter), 1
        elif len(cells) != width and any(cell.strip() for cell in cells):
            why = f"{len(cells)} cells where the first line names {width}"
        yield number, cells, why
        at += used


def _cells(record: str, delimiter: str) -> list[str] | None:
    """The cells of one record; None if its quotes don't close."""
    try:
        return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


# --- JSON lines and Parquet ------------------------------------------------------------------------------


def _jsonl(content: bytes, name: str) -> tuple[list[str], list[RequestRow], list[RejectedRow]]:
    rows, rejected = list[RequestRow](), list[RejectedRow]()
    read = 0
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            line.decode("utf-8")
            _of_object(number, msgspec.json.decode(line), rows, rejected)
            read += 1
        except UnicodeDecodeError:
            rejected.append(RejectedRow(row=number, reason="the line is not UTF-8; save the file as UTF-8"))
        except (msgspec.DecodeError, RecursionError) as error:
            rejected.append(RejectedRow(row=number, reason=f"the line is no JSON: {error}"))
    if not read:
        raise Invalid(f"{name} has no line that is JSON; each line is one object with {', '.join(NEEDED)}")
    return _columns_of(rows), rows, rejected


def _of_object(number: int, record: Any, rows: list[RequestRow], rejected: list[RejectedRow]) -> None:
    if not isinstance(record, dict):
        rejected.append(RejectedRow(row=number, reason="it is no object with patient_id and drug"))
        return
    named = {_column(str(key)): value for key, value in record.items()}
    if nested := next((key for key in COLUMNS if isinstance(named.get(key), dict | list | bool)), ""):
        rejected.append(RejectedRow(row=number, reason=f"{nested} is neither a text nor a number"))
        return
    cells = {key: "" if isinstance(value, dict | list) else _text(value) for key, value in named.items()}
    rows.append(RequestRow(number, cells))


def _columns_of(rows: Sequence[RequestRow]) -> list[str]:
    """Every key that occurs; what a single object lacks is that row's affair."""
    return list(dict.fromkeys(key for row in rows for key in row.cells))


def _parquet(content: bytes, name: str) -> tuple[list[str], list[RequestRow], list[RejectedRow]]:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).strip().splitlines()
        raise Invalid(f"{name} cannot be read as Parquet: {first[0] if first else 'it is none'}") from None
    columns = [_column(column) for column in frame.columns]
    rows, rejected = list[RequestRow](), list[RejectedRow]()
    for number, values in enumerate(frame.iter_rows(), 1):
        _of_object(number, dict(zip(columns, values, strict=True)), rows, rejected)
    return columns, rows, rejected


FORMATS = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": _parquet}
