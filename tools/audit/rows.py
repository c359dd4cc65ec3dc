"""Hashes of rows, and of sets of rows in no order, so that what was written can be known again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256, shake_256
from typing import Any

BITS = 2048  # of a sum of hashes; as few as a hash has, and somebody could find rows that make up for others


def row_hash(row: Mapping[Any, Any]) -> bytes:
    """SHA-256 of a row's values by their columns' names."""
    digest = sha256()
    for name in sorted(row):
        value = row[name]
        said = value if isinstance(value, bytes) else b"" if value is None else str(value).encode()
        digest.update(f"{name}:{'-' if value is None else len(said)}:".encode() + said)
    return digest.digest()


class RowSet:
    """A set of rows by the sum of their hashes: rows are added and taken out, in any order."""

    def __init__(self, rows: Iterable[Mapping[Any, Any]] = (), *, told: str = "0") -> None:
        self.sum = int(told, 16)
        self.add(rows)

    def add(self, rows: Iterable[Mapping[Any, Any]]) -> None:
        for row in rows:
            self.sum = (self.sum + _spread(row_hash(row))) % (1 << BITS)

    def take_out(self, rows: Iterable[Mapping[Any, Any]]) -> None:
        for row in rows:
            self.sum = (self.sum - _spread(row_hash(row))) % (1 << BITS)

    def __str__(self) -> str:
        return f"{self.sum:x}"


def _spread(digest: bytes) -> int:
    return int.from_bytes(shake_256(digest).digest(BITS // 8))
