"""Words by which a text says how it means what it names: outcomes, statuses, how a drug did, who speaks of whom.

They are data, `stance.jsonl`: a row is a kind and a key ("outcome:ready") with the words for it. A row whose names are
written in capitals is read only as written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from tools.language.assertion import cues_around
from tools.terminology.dates import calendar_words
from tools.terminology.matcher import Matcher, Name, matcher


class Word(NamedTuple):
    """text[start:end] says `key` of its kind: "ready" of the outcomes."""

    start: int
    end: int
    key: str


class _Row(msgspec.Struct, frozen=True):
    key: str
    names: tuple[str, ...]


_REACH = 2  # words between a negation and what it denies


@lru_cache(maxsize=4096)
def words(text: str, kind: str) -> tuple[Word, ...]:
    """The words of one kind in a text, from left to right; where one could be two keys, both."""
    return tuple([Word(span.start, span.end, span.key) for span in _matchers()[kind].matches(text)])


def denied(text: str, start: int, end: int, reach: int = _REACH) -> bool:
    """Does a negation stand before text[start:end], with no more than so many words between?"""
    return any(
        side == "<" and gap <= reach and sense in ("negated", "never") and way == "after"
        for side, gap, sense, way in cues_around(text, start, end)
    )


@cache
def _matchers() -> dict[str, Matcher]:
    kinds: dict[str, list[Name]] = {}
    for line in (Path(__file__).parent / "stance.jsonl").read_bytes().splitlines():
        row = msgspec.json.decode(line, type=_Row)
        names = (Name(name, row.key, name.isupper()) for name in row.names)
        kinds.setdefault(row.key.partition(":")[0], []).extend(names)
    kinds["course"] += list(_by_degrees(kinds["course"], [name.name for name in kinds["degree"]]))
    return {kind: Matcher(names) for kind, names in kinds.items()}


def _by_degrees(names: Iterable[Name], degrees: Sequence[str]) -> Iterator[Name]:
    """With a word of degree before the last: "worked very well"."""
    for name in names:
        first, _, last = name.name.rpartition(" ")
        if first:
            yield from (name._replace(name=f"{first} {degree} {last}") for degree in degrees)


@cache
def ordinary_words() -> frozenset[str]:
    """Words, in lower case, that a letter may write with a capital and that are nobody's name."""
    said = (n for kind, m in _matchers().items() if kind not in _CITED for n in m.names)
    named = (
        n for n, all_ in matcher().names.items() if any(o.concept.partition(":")[0] in _TERMS for o in all_)
    )
    return frozenset(word for name in (*said, *named) for word in name.split()) | calendar_words()


_CITED = frozenset(("trial", "society", "journal", "payer"))
_TERMS = frozenset(("test", "condition", "class", "specialty", "document", "procedure"))
