"""Labelled examples as the trainers read them: line by line, and with whole authors left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

FOLDER = Path(__file__).parents[1] / "examples"


class Authored(Protocol):
    """An example that says whose it is."""

    @property
    def author(self) -> str: ...


T = TypeVar("T", bound=Authored)


def lines(pattern: str) -> Iterator[tuple[str, Any]]:
    """Author and record of each line of the files of evals/examples that match the pattern, file by file."""
    for path in sorted(FOLDER.glob(pattern)):
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield path.stem, json.loads(line)


def mentions(row: dict[str, Any]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Where each labelled mention of a passage stands; the second of two alike is the second there."""
    seen = Counter[str]()
    for mention in row.get("mentions", ()):
        thing, start = mention["thing"], -1
        for _ in range(seen[thing] + 1):
            start = row["text"].find(thing, start + 1)
        seen[thing] += 1
        if start >= 0:
            yield start, start + len(thing), mention


def authors_of(examples: Iterable[Authored]) -> list[str]:
    """By name, each once."""
    return sorted({example.author for example in examples})


def hashed(rows: Sequence[Sequence[int]], buckets: int, values: Any = None, dtype: type = np.float64) -> Any:
    """A sparse matrix of examples by hashed features: in it their values, or how often each stands there."""
    from scipy.sparse import csr_matrix

    ends = np.cumsum([0, *map(len, rows)])
    columns = [column for row in rows for column in row]
    values = np.ones(len(columns), dtype) if values is None else values
    return csr_matrix((values, columns, ends), shape=(len(rows), buckets))


def held_out(
    examples: Sequence[T], groups: Iterable[Collection[str]] | None = None
) -> Iterator[tuple[list[T], list[T]]]:
    """The examples to learn from and those to score on, with each group of authors left out in turn;
    without groups each author alone."""
    for group in groups if groups is not None else [{author} for author in authors_of(examples)]:
        yield (
            [example for example in examples if example.author not in group],
            [example for example in examples if example.author in group],
        )
