"""Drugs by any name they go by, those of one catalog and slips of the pen among them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz.distance import DamerauLevenshtein

from tools.language.stance import words
from tools.terminology.matcher import Matcher, Name, Span, matches, medicines_in
from tools.terminology.medicines import STEP_CLASSES, exact_names, ingredients_of, is_brand, medicines_of

_BESIDE = 4  # characters at most between a drug and its release form


class DrugMention(NamedTuple):
    """`name` in lower case as it is known; a brand keeps its name, because two brands of one ingredient are not one
    drug. `release` is ER or IR where it is said."""

    start: int
    end: int
    name: str
    ingredients: tuple[str, ...]
    brand: bool
    release: str = ""


class Lexicon:
    """The drugs that are known, with those of one catalog added: name in lower case → ingredients."""

    def __init__(self, more: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._own = {name: made_of for name, made_of in (more or {}).items() if not ingredients_of(name)}
        self._matcher = Matcher(Name(name, f"medicine:{name}") for name in self._own) if self._own else None

    def made_of(self, name: str) -> tuple[str, ...]:
        """The ingredients of a drug by its name in lower case; () if nobody knows it."""
        return self._own.get(name) or ingredients_of(name)

    def is_brand(self, name: str) -> bool:
        """Is this a brand's name, in lower case?"""
        return name in self._own or is_brand(name)

    def drugs(self, text: str) -> list[DrugMention]:
        """Every drug of the text, in order."""
        own = self._matcher.matches(text) if self._matcher else []
        spans = [*own, *(span for span in medicines_in(text) if not _overlap(span, own))]
        spans += [span for span in _slips_in(text) if not _overlap(span, spans)]
        spans.sort()
        releases = words(text, "release")
        found = []
        for span, after in pairwise([*spans, Span(len(text) + _BESIDE, 0, "", "")]):
            near = (w for w in releases if span.start - _BESIDE <= w.end and w.start <= span.end + _BESIDE)
            release = next((w.key for w in near if w.end <= after.start), "")
            found.append(
                DrugMention(*span[:2], span.key, self.made_of(span.key), self.is_brand(span.key), release)
            )
        return found


def _overlap(span: Span, others: list[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def _slips_in(text: str) -> list[Span]:
    """Words that misspell the name of a drug for which payers ask an authorization or a trial."""
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        bare = word.strip(".,;:()")
        if bare.isalpha() and (meant := _slip(bare.casefold())):
            start = at + word.index(bare)
            found.append(Span(start, start + len(bare), "medicine", f"medicine:{meant}"))
        at += len(word)
    return found


@lru_cache(maxsize=16384)
def _slip(word: str) -> str:
    """The drug that a misspelt word means; "" if it is none, or could be two."""
    if len(word) < 6 or matches(word):
        return ""
    most = 1 if len(word) < 8 else 2
    near = {
        name
        for name in _slips()
        if name[0] == word[0] and DamerauLevenshtein.distance(name, word, score_cutoff=most) <= most
    }
    return near.pop() if len(near) == 1 else ""


@cache
def _slips() -> frozenset[str]:
    names = {row.name.casefold() for row in medicines_of(STEP_CLASSES)}
    return frozenset(name for name in names if name.isalpha() and len(name) > 5) - exact_names()
