"""Reads the terminology's files: one JSON object a line, so that a change of one name is a change of one line."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

Row = TypeVar("Row", bound=msgspec.Struct)

DATA = Path(__file__).parent / "data"


def read_rows(name: str, kind: type[Row]) -> tuple[Row, ...]:
    """The rows of `data/name.jsonl`."""
    return tuple(msgspec.json.Decoder(kind).decode_lines((DATA / f"{name}.jsonl").read_bytes()))
