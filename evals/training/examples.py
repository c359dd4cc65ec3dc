"""Labelled examples as the trainers read them: line by line, and with whole authors left out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

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


def authors_of(examples: Iterable[Authored]) -> list[str]:
    """By name, each once."""
    return sorted({example.author for example in examples})


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
