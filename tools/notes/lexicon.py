"""How notes call things: drugs, diagnoses and tests, by the names of the terminology."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from tools.terminology.conditions import conditions
from tools.terminology.matcher import Span, loose_matches
from tools.terminology.medicines import ingredients_of
from tools.terminology.observations import TESTS, TestRow, tests


class Mention(NamedTuple):
    """Something that is named at [start, end) of the plain text."""

    of: str
    start: int
    end: int


# --- drugs ----------------------------------------------------------------------------------------------


def drugs_in(text: str, start: int, end: int) -> list[Mention]:
    """Drugs and classes of drugs, in their order; `of` is ingredients joined by +, or a key of CLASSES."""
    return [
        Mention(span.key if span.kind == "class" else _of(span.key), span.start, span.end)
        for span in _named(text)
        if start <= span.start and span.end <= end and span.kind in ("medicine", "class")
    ]


@lru_cache(maxsize=512)
def _named(text: str) -> tuple[Span, ...]:
    return tuple(
        span for span in loose_matches(text) if span.kind in ("medicine", "class", "condition", "test")
    )


def _of(name: str) -> str:
    return "+".join(sorted(one.replace(" ", "_") for one in ingredients_of(name)))


# Of such a thing, a note says when it was.
ACUTE = frozenset(("mi", "stroke", "pancreatitis", "ketoacidosis", "gallbladder", "ascvd_event"))


def diagnoses_in(text: str, start: int, end: int) -> list[Mention]:
    """Conditions that a rule may ask for, and what may be one of them or shows one, by their key."""
    found = [
        Mention(key, span.start, span.end)
        for span in _named(text)
        if start <= span.start and span.end <= end and (key := _condition(span))
    ]
    found += [Mention("pregnancy", *match.span()) for match in _GRAVIDA.finditer(text, start, end)]
    return sorted(found, key=lambda mention: mention.start)


_GRAVIDA = re.compile(r"\bG\d\s?P\d\w*\s+at\s+\d+\s+weeks")


def _condition(span: Span) -> str:
    if span.kind == "test":
        return tests()[span.key].evidence_of
    row = conditions()[span.key] if span.kind == "condition" else None
    return span.key if row and (row.criterion or (row.codes and row.may_be)) else ""


@cache
def test_names() -> dict[str, str]:
    """Every test that notes give values of → the pattern of its names, longer ones first."""
    return {key: _pattern_of(row) for key, row in tests().items() if key in TESTS or key == "blood_pressure"}


def _pattern_of(row: TestRow) -> str:
    """Names in any case, abbreviations in their own; a blank may be any white space."""
    names = sorted({row.name, *row.names, *row.synonyms}, key=len, reverse=True)
    words = [re.escape(name).replace(r"\ ", r"[\s-]?\s*") for name in names]
    words += [f"(?-i:{re.escape(name)})" for name in row.abbreviations if name.casefold() not in names]
    return "|".join(words)
