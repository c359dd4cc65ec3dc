"""Word lists, one file each in vocabulary/: words apart by blanks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

HERE = Path(__file__).parent / "vocabulary"


@cache
def words(name: str) -> frozenset[str]:
    return frozenset(listed(name))


@cache
def listed(name: str) -> tuple[str, ...]:
    """The words in their order."""
    return tuple(word for line in _lines(name) for word in line.split())


def _lines(name: str) -> list[str]:
    text = (HERE / f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("# ")]
