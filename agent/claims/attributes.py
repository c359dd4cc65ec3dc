"""What a number is a value of, and which conditions a text speaks of, by the words that people use."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.terminology.conditions import CONCEPTS
from tools.terminology.matcher import matches
from tools.terminology.observations import TESTS


class Cue(NamedTuple):
    """Words that name an attribute: a key of TESTS, or one of OTHER below."""

    start: int
    end: int
    key: str


class Condition(NamedTuple):
    """`key` of CONCEPTS, or "diabetes" for either type."""

    start: int
    end: int
    key: str


# What numbers are of beside tests.
_OTHER = {
    "age": r"aged?|years\s+old",
    "copay": r"co-?pay(?:ment)?|cost[- ]share|coinsurance",
    "tier": r"tier",
    "stage": r"stage",
    "class": r"class",
    "type": r"type",
}
OTHER = frozenset((*_OTHER, "blood_pressure"))
_OTHER_CUES = re.compile(
    "|".join(rf"(?<![\w-])(?P<{key}>{pattern})(?![\w])" for key, pattern in _OTHER.items()), re.IGNORECASE
)
_CONDITIONS = frozenset((*CONCEPTS, "diabetes"))


def cues(text: str) -> list[Cue]:
    """Every word that names what a number is of, in order."""
    found = [
        Cue(span.start, span.end, span.key)
        for span in matches(text)
        if span.kind == "test" and (span.key in TESTS or span.key in OTHER)
    ]
    others = [Cue(m.start(), m.end(), str(m.lastgroup)) for m in _OTHER_CUES.finditer(text)]
    found += [one for one in others if not any(one.start < cue.end and cue.start < one.end for cue in found)]
    return sorted(found)


def conditions(text: str) -> list[Condition]:
    """Every condition that the text speaks of, in order."""
    return [
        Condition(span.start, span.end, span.key)
        for span in matches(text)
        if span.kind == "condition" and span.key in _CONDITIONS
    ]


def attribute_key(attribute: str) -> str:
    """The key that an attribute's name means: "HbA1c" and "a1c" are hba1c; any other name stands for itself."""
    folded = attribute.strip().casefold()
    known = folded in TESTS or folded in OTHER
    named = [] if known else [span for span in matches(folded) if span.kind == "test" and span.key in TESTS]
    whole = len(named) == 1 and (named[0].start, named[0].end) == (0, len(folded))
    return named[0].key if whole else folded
