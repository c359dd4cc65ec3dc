"""What words of a policy are called in a chart's JSON, and how its sentences are worded: the tables of vocabulary.yaml
and reading.yaml, which say what each one is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Names = dict[str, str]
Phrases = dict[str, list[str]]


@dataclass(frozen=True)
class Vocabulary:
    """The tables of vocabulary.yaml."""

    uses: Names
    tests: Names
    classes: Names
    statements: Names
    topics: Names
    specialties: list[str]
    relatives: dict[int, list[str]]
    spoken: Phrases
    untyped: list[str]
    other_type: list[str]
    units: dict[str, dict[str, tuple[str, str]]]  # factor and offset
    possible: dict[str, tuple[int, int]]
    types: Names
    vague: list[str]
    studies: Phrases
    contains: Names


def _read(name: str) -> dict[str, Any]:
    tables: dict[str, Any] = yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return tables


TERMS = Vocabulary(**_read("vocabulary.yaml"))
WORDS = _read("reading.yaml")
