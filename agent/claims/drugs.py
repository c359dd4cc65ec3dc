"""Drugs and drug classes by any name they go by: brand, ingredient, short form, a slip of the pen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from tools.terminology.matcher import Matcher, Name, Span, matches, medicines_in
from tools.terminology.medicines import (
    STEP_CLASSES,
    exact_names,
    ingredients_of,
    is_brand,
    medicines_of,
)


class Drug(NamedTuple):
    """`name` in lower case as it is known; a brand keeps its name, because two brands of one ingredient are not one
    drug. `form` is ER or IR where it is said."""

    start: int
    end: int
    name: str
    ingredients: tuple[str, ...]
    brand: bool
    form: str = ""


class Class(NamedTuple):
    """A drug class as a key of terms.CLASSES."""

    start: int
    end: int
    key: str


FORM = re.compile(
    r"\s*[,(]?\s*(?P<er>\b(?:er|xr|extended[- ]release|sr)\b)|\s*[,(]?\s*(?P<ir>\b(?:ir|immediate[- ]release)\b)",
    re.IGNORECASE,
)
FORM_BEFORE = re.compile(
    r"(?P<er>(?:extended[- ]release|\ber|\bxr))\s+(?:form\s+of\s+)?$|(?P<ir>(?:immediate[- ]release"
    r"|plain|regular|\bir))\s+$",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z][A-Za-z]{3,}")


class Lexicon:
    """The drugs that are known, with those of one catalog added."""

    def __init__(self, more: Mapping[str, tuple[str, ...]] | None = None) -> None:
        own = {name.casefold(): made_of for name, made_of in (more or {}).items() if not ingredients_of(name)}
        self._own = own
        self._own_names = Matcher(Name(name, f"medicine:{name}") for name in own) if own else None

    def made_of(self, name: str) -> tuple[str, ...]:
        """The ingredients of a drug by its name in lower case; () if nobody knows it."""
        return self._own.get(name) or ingredients_of(name)

    def is_brand(self, name: str) -> bool:
        """Is this a brand's name, in lower case?"""
        return name in self._own or is_brand(name)

    def drugs(self, text: str) -> list[Drug]:
        """Every drug of the text, in order."""
        own = self._own_names.matches(text) if self._own_names else []
        taken = [*own, *(span for span in medicines_in(text) if not _overlap(span, own))]
        found = [self._drug(span.start, span.end, span.key, text) for span in taken]
        for match in WORD.finditer(text):
            if any(d.start < match.end() and match.start() < d.end for d in found):
                continue
            if meant := slip(match[0].casefold()):
                found.append(self._drug(match.start(), match.end(), meant, text))
        return sorted(found)

    def _drug(self, start: int, end: int, name: str, text: str) -> Drug:
        form = ""
        if said := FORM.search(text, start, end):
            form = "ER" if said["er"] else "IR"
        elif after := FORM.match(text, end):
            form, end = ("ER" if after["er"] else "IR"), after.end()
        elif before := FORM_BEFORE.search(text[max(0, start - 28) : start]):
            form = "ER" if before["er"] else "IR"
        return Drug(start, end, name, self.made_of(name), self.is_brand(name), form)


def _overlap(span: Span, others: list[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def classes(text: str) -> list[Class]:
    """Every drug class of the text that a policy may ask for, in order."""
    return [
        Class(span.start, span.end, span.key)
        for span in matches(text)
        if span.key in _ASKED_FOR
        and (span.kind == "class" or (span.kind, span.key) == ("medicine", "insulin"))
    ]


_ASKED_FOR = frozenset((*STEP_CLASSES, "statin", "acei_arb", "beta_blocker"))


@lru_cache(maxsize=4096)
def slip(word: str) -> str:
    """The drug that a misspelt word means; "" if it is none, or could be two."""
    if len(word) < 6 or matches(word):
        return ""
    from rapidfuzz.distance import DamerauLevenshtein

    most = 1 if len(word) < 8 else 2
    near = {
        name
        for name in _slips()
        if name[0] == word[0]
        and abs(len(name) - len(word)) <= most
        and DamerauLevenshtein.distance(name, word, score_cutoff=most) <= most
    }
    return near.pop() if len(near) == 1 else ""


@cache
def _slips() -> frozenset[str]:
    """Names that a slip may stand for: of what payers ask an authorization for or want tried before."""
    names = {row.name.casefold() for row in medicines_of(STEP_CLASSES)}
    return frozenset(name for name in names if name.isalpha() and len(name) > 5) - exact_names()
