"""Where a screen's charts come from: the store, or a world's folder (Parquet, JSON lines, JSON), in pieces.

A piece is a range that any process can read by itself, so that memory holds a few pieces however many charts there
are. The same source is always cut into the same pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from agent.runtime.access import watch
from tools.common.errors import Invalid, Unavailable
from tools.domain.records import Drug, Patient, Plan
from tools.store import DatasetInfo, panel
from tools.store.load import patients_files
from tools.store.parquet import count_rows, records
from tools.store.record_files import read_record, read_records
from tools.store.store import Store

PIECE = 5_000  # patients, or as many bytes as they may have
BYTES_EACH = 8_000


class Piece(msgspec.Struct, frozen=True):
    """Rows of a Parquet file, bytes of a file of JSON lines, or numbers of the store's patients: first, how many."""

    kind: Literal["parquet", "jsonl", "store"]
    path: str
    first: int
    length: int


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What is screened. `version` is another one once a chart or a rule is."""

    name: str
    plans: tuple[Plan, ...]
    drugs: tuple[Drug, ...]
    as_of: date
    today: date | None = None  # on which charts are judged that were imported
    version: str
    patients: int
    pieces: tuple[Piece, ...]


def from_folder(folder: Path, spool: Path, today: date | None = None) -> Source:
    """A world's folder as `pa generate` writes it. A patients.json cannot be cut; its lines go to `spool` first."""
    if not (folder / "dataset.json").is_file():
        raise Invalid(f"{folder} holds no dataset.json; `pa generate` makes a world there")
    info = read_record(folder / "dataset.json", DatasetInfo)
    pieces = tuple(_pieces(folder, spool))
    stamps = [(*msgspec.structs.astuple(piece)[1:], Path(piece.path).stat().st_mtime_ns) for piece in pieces]
    plans = tuple(item.record for item in read_records(folder / "plans.json", Plan))
    drugs = tuple(item.record for item in read_records(folder / "drugs.json", Drug))
    return Source(
        name=str(folder),
        plans=plans,
        drugs=drugs,
        as_of=info.as_of,
        today=today,
        version=_hash(stamps, plans, drugs),
        patients=info.counts.get("patients", 0),
        pieces=pieces,
    )


def from_store(url: str, today: date | None = None) -> Source:
    """Every chart of the store, with what people added."""
    store = watch(Store.open(url))
    info = store.dataset()
    numbers = panel.numbers(store)
    store.note("panel.read", of=f"{len(numbers)} charts")
    plans, drugs = tuple(store.plans()), tuple(store.drugs())
    return Source(
        name="the store",
        plans=plans,
        drugs=drugs,
        as_of=info.as_of,
        today=today,
        version=_hash(panel.state(store), plans, drugs),
        patients=len(numbers),
        pieces=tuple(
            Piece("store", url, numbers[at], numbers[min(at + PIECE, len(numbers)) - 1] - numbers[at] + 1)
            for at in range(0, len(numbers), PIECE)
        ),
    )


def charts(piece: Piece) -> Iterator[Patient]:
    """The charts of a piece; Invalid at the first that is none."""
    if piece.kind == "store":
        yield from panel.charts(Store.open(piece.path), piece.first, piece.first + piece.length - 1)
        return
    decoder = msgspec.json.Decoder(Patient)
    for number, record in enumerate(_records(piece), 1):
        try:
            yield decoder.decode(record)
        except msgspec.DecodeError as error:
            place = f"row {piece.first + number}" if piece.kind == "parquet" else f"byte {piece.first} and on"
            raise Invalid(f"{piece.path}, {place}, chart {number} from there: {error}") from error


def _records(piece: Piece) -> Iterator[str | bytes]:
    if piece.kind == "parquet":
        yield from records(Path(piece.path), piece.first, piece.length)
        return
    with Path(piece.path).open("rb") as file:
        file.seek(piece.first)
        yield from (line for line in file.read(piece.length).splitlines() if line.strip())


# --- cutting ---------------------------------------------------------------------------------------------


def _pieces(folder: Path, spool: Path) -> Iterator[Piece]:
    for path in patients_files(folder):
        if path.suffix == ".parquet":
            count = count_rows(path)
            for first in range(0, count, PIECE):
                yield Piece("parquet", str(path), first, min(PIECE, count - first))
        else:
            yield from _lines(path if path.suffix == ".jsonl" else _as_lines(path, spool))


def _lines(path: Path) -> Iterator[Piece]:
    """Cut at the first end of a line after each so many bytes."""
    size, first = path.stat().st_size, 0
    with path.open("rb") as file:
        while first < size:
            file.seek(first + PIECE * BYTES_EACH)
            file.readline()
            end = min(file.tell(), size)
            yield Piece("jsonl", str(path), first, end - first)
            first = end


def _as_lines(path: Path, spool: Path) -> Path:
    lines = spool / f"{path.stem}-{path.stat().st_mtime_ns}.jsonl"
    if not lines.is_file():
        beside = lines.with_suffix(".partial")
        try:
            with beside.open("wb") as file:
                for item in read_records(path, Patient):
                    file.write(item.body + b"\n")
        except OSError as error:
            raise Unavailable(f"can't write {beside}: {error.strerror or error}") from error
        beside.replace(lines)
    return lines


def _hash(charts: object, plans: tuple[Plan, ...], drugs: tuple[Drug, ...]) -> str:
    parts = (charts, msgspec.json.encode(plans), msgspec.json.encode(drugs))
    return sha256(repr(parts).encode()).hexdigest()
