"""What a text names: drugs, classes of drugs, conditions, tests and procedures, with where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from tools.terminology.conditions import conditions
from tools.terminology.matcher import Span, matches
from tools.terminology.medicines import terminology
from tools.terminology.vocabulary import vocabulary


class Mention(NamedTuple):
    """A concept named at [start, end): an ingredient in lower case, or a key of the terminology ("contrary:adherent"
    for what speaks against that statement). It is `implied` by a narrower one ("old MI" is ASCVD, and no MI is not no
    ASCVD), or is what the positive `result` of a procedure shows, which says nothing without one."""

    concept: str
    start: int
    end: int
    how: Literal["named", "implied", "result"] = "named"


@lru_cache(maxsize=16384)
def mentions(text: str) -> tuple[Mention, ...]:
    """Every mention, in the order of the text; a combination is one mention of each ingredient, and a condition is
    one of each that it implies or may be meant by it."""
    return tuple(mention for span in matches(text) for mention in _of(span))


@lru_cache(maxsize=16384)
def concepts(text: str) -> frozenset[str]:
    """What the text names."""
    return frozenset([mention.concept for mention in mentions(text)])


def _of(span: Span) -> Iterator[Mention]:
    if span.kind == "medicine":
        row = terminology().row(span.key)
        for name in (row.ingredients or (span.key,)) if row else ():
            yield Mention(name.casefold(), span.start, span.end)
    elif span.kind == "condition":
        row_of = conditions()[span.key]
        yield Mention(span.key, span.start, span.end)
        for key in (*row_of.implies, *row_of.may_be):
            yield Mention(key, span.start, span.end, "implied")
    elif span.kind == "procedure":
        kind, _, key = vocabulary("procedures")[span.key].evidence_of.partition(":")
        shows = kind == "condition"
        yield Mention(key if shows else span.key, span.start, span.end, "result" if shows else "named")
    elif span.kind == "contrary":
        yield Mention(span.concept, span.start, span.end)
    else:
        yield Mention(span.key, span.start, span.end)
