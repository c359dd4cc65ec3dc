"""Conditions by their codes and names: `data/conditions.jsonl`.

A policy prints `label`, `codes`, `phrases` and what stands beside them in `Concept`; `more_codes`, `names` and
`abbreviations` are how charts say the same and are never printed. ICD-10-CM FY2026.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import msgspec

from tools.terminology.medicines import fold
from tools.terminology.rows import read_rows


class Concept(NamedTuple):
    """What a diagnosis is called and which codes prove it (prefixes); see rules.Condition for the rest."""

    label: str
    codes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    suggest_phrases: tuple[str, ...] = ()
    not_phrases: tuple[str, ...] = ()
    topic: str = ""
    status: str = "active"
    sex: str | None = None


class ConditionRow(msgspec.Struct, frozen=True, gc=False):
    """A line of conditions.jsonl. `criterion`: a rule may ask for it by its key. `implies` are true with it,
    `excludes` cannot be true with it, `may_be` could be meant by it and is neither shown nor ruled out. `not_names`
    contain one of its names and mean something else; `loose_names` mean it in a chart's notes ("she is type 2"),
    `asked_names` where somebody asks ("her diabetes"), and nowhere else."""

    key: str
    label: str
    criterion: bool = False
    codes: tuple[str, ...] = ()
    more_codes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    suggest_phrases: tuple[str, ...] = ()
    not_phrases: tuple[str, ...] = ()
    topic: str = ""
    status: str = "active"
    sex: str | None = None
    title: str = ""
    names: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    not_names: tuple[str, ...] = ()
    loose_names: tuple[str, ...] = ()
    asked_names: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    may_be: tuple[str, ...] = ()
    source: str = ""

    def concept(self) -> Concept:
        return Concept(*(getattr(self, field) for field in Concept._fields))


def conditions() -> dict[str, ConditionRow]:
    """Every condition by its key."""
    return _CONDITIONS


def conditions_of(code: str) -> tuple[str, ...]:
    """The keys of the conditions that an ICD-10-CM code is a code of."""
    bare = code.strip().upper()
    return _of_code(bare if "." in bare or len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}") if bare else ()


def condition_named(name: str) -> str:
    """The key of the condition that a problem list calls so, in any case; "" if none is called so."""
    folded = fold(name)
    return _by_name().get(folded) or _by_name().get(_HISTORY.sub("", folded), "")


@cache
def _by_name() -> dict[str, str]:
    """Every name of every condition, folded; a name of a narrower one before a wider one's."""
    found: dict[str, str] = {}
    for row in sorted(_CONDITIONS.values(), key=lambda row: (not row.implies, not row.criterion)):
        names = (row.key, row.label, row.title or row.key, *row.phrases, *row.names, *row.abbreviations)
        for name in (*names, *row.loose_names):
            found.setdefault(fold(name), row.key)
    return found


_HISTORY = re.compile(r"^(?:prior|old|previous|(?:personal )?history of|hx of|h o|symptomatic) ")


def exclusive_codes(concept: str) -> tuple[str, ...]:
    """ICD-10-CM prefixes of what nobody has beside this condition: one of two such codes is an error."""
    return tuple(code for other in _CONDITIONS[concept].excludes for code in _CONDITIONS[other].codes)


@cache
def _of_code(code: str) -> tuple[str, ...]:
    return tuple(
        row.key for row in _CONDITIONS.values() if code.startswith((*row.codes, *row.more_codes) or ("-",))
    )


_CONDITIONS = {row.key: row for row in read_rows("conditions", ConditionRow)}
CONCEPTS: dict[str, Concept] = {key: row.concept() for key, row in _CONDITIONS.items() if row.criterion}
