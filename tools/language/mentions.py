"""What a text names: drugs, classes of drugs, conditions, tests and procedures, with where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from tools.terminology.conditions import conditions
from tools.terminology.matcher import Span, matches, telling_words
from tools.terminology.medicines import terminology
from tools.terminology.vocabulary import vocabulary


class Mention(NamedTuple):
    """A concept named at [start, end): an ingredient in lower case, or a key of the terminology ("contrary:adherent"
    for what speaks against that statement). It is `implied` by a narrower one ("old MI" is ASCVD, and no MI is not no
    ASCVD), left open by what it `may_be`, or what the positive `result` of a procedure shows."""

    concept: str
    start: int
    end: int
    how: Literal["named", "implied", "may_be", "result"] = "named"


@lru_cache(maxsize=16384)
def mentions(text: str) -> tuple[Mention, ...]:
    """Every mention, in the order of the text; a combination is one mention of each ingredient, and a condition is
    one of each that it implies or may be meant by it."""
    return tuple(mention for span in matches(text) for mention in _of(span))


@cache
def _words_by_concept() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for concept, words in telling_words().items():
        span = Span(0, 0, concept.partition(":")[0], concept)
        for mention in _of(span):
            found.setdefault(mention.concept, set()).update(words)
    return {concept: frozenset(words) for concept, words in found.items()}


def words_naming(concepts: Iterable[str]) -> frozenset[str]:
    """Words of which a text must hold one to name any of the concepts."""
    by_concept = _words_by_concept()
    return frozenset().union(*[by_concept.get(concept, frozenset()) for concept in concepts])


def _of(span: Span) -> Iterator[Mention]:
    if span.kind == "medicine":
        row = terminology().row(span.key)
        for name in (row.ingredients or (span.key,)) if row else ():
            yield Mention(name.casefold(), span.start, span.end)
    elif span.kind == "condition":
        row_of = conditions()[span.key]
        yield Mention(span.key, span.start, span.end)
        for key in row_of.implies:
            yield Mention(key, span.start, span.end, "implied")
        for key in row_of.may_be:
            yield Mention(key, span.start, span.end, "may_be")
    elif span.kind == "procedure":
        kind, _, key = vocabulary("procedures")[span.key].evidence_of.partition(":")
        shows = kind == "condition"
        yield Mention(key if shows else span.key, span.start, span.end, "result" if shows else "named")
    elif span.kind == "contrary":
        yield Mention(span.concept, span.start, span.end)
    else:
        yield Mention(span.key, span.start, span.end)
