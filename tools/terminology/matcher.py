"""One matcher over every name of the terminology: where a text names what.

The longest name wins from the left, whole words only, whatever the case and whichever of space, hyphen, slash or
line break stands between the words ("type-2  diabetes"). An abbreviation of up to three letters counts only in
capitals (MI is an infarction, "mi" is not).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from tools.terminology.conditions import conditions
from tools.terminology.medicines import ClassRow, fold, fold_lines, terminology
from tools.terminology.observations import tests
from tools.terminology.rows import read_rows
from tools.terminology.vocabulary import Vocabulary, vocabulary


class Span(NamedTuple):
    """text[start:end] names `concept`, "kind:key": medicine:sitagliptin, condition:t2dm, test:hba1c. A medicine's
    key is its row's name in lower case; a brand is its own concept (medicine:ozempic)."""

    start: int
    end: int
    kind: str
    concept: str

    @property
    def key(self) -> str:
        return self.concept.partition(":")[2]


class Name(NamedTuple):
    """A name of a concept, or of none ("weight management" is no weight); `exact`: only in this case."""

    name: str
    concept: str
    exact: bool = False


class Matcher:
    """Finds the given names; immutable, so that it can be shared. `names` are by their folded form."""

    def __init__(self, names: Iterable[Name]) -> None:
        listed = list(names)
        folded = fold_lines("\n".join([name for name, _, _ in listed]))
        self.names: dict[str, list[Name]] = {}
        for pattern, name in zip(folded, listed, strict=True):
            self.names.setdefault(pattern, []).append(name)

    @cached_property
    def _tree(self) -> dict[str, Any]:
        """The names word by word: each word leads to those that may follow it, "" to what is named so far."""
        tree: dict[str, Any] = {}
        for pattern, names in self.names.items():
            node = tree
            for word in pattern.split():
                node = node.setdefault(word, {})
            node[""] = names
        return tree

    def _hits(self, words: list[str]) -> list[tuple[int, int, list[Name]]]:
        """The names that stand in the words, each with its first word and its last."""
        tree, hits, free = self._tree, [], 0
        for first, word in enumerate(words):
            node = tree.get(word)
            if node is None or first < free:
                continue
            found, last = node.get(""), first
            for place in range(first + 1, len(words)):
                node = node.get(words[place])
                if node is None:
                    break
                if "" in node:
                    found, last = node[""], place
            if found is not None:
                hits.append((first, last, found))
                free = last + 1
        return hits

    @cached_property
    def joints(self) -> frozenset[tuple[str, str]]:
        """Words that follow one another in a name."""
        return frozenset(
            [pair for pattern in self.names if " " in pattern for pair in pairwise(pattern.split())]
        )

    def matches(self, text: str) -> list[Span]:
        """What a text names, from left to right; one span for each concept that a name stands for."""
        low = text.casefold()
        if len(low) != len(text):  # a letter that folds to two would move the offsets
            low = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
        folded = words_of(low)
        hits = self._hits(folded)
        if not hits:
            return []
        spans = _spans(low, folded[: hits[-1][1] + 1])
        if spans is None:
            spans = [match.span() for match in _WORD.finditer(low)]
            if len(spans) != len(folded):  # "a''b", which nobody writes, parts otherwise
                hits = self._hits([fold_word(low[start:end]) for start, end in spans])
        found = []
        for first, last, names in hits:
            start, end = spans[first][0], spans[last][1]
            if first < last and _BREAK.search(text, start, end):
                continue
            for name, concept, exact in names:
                if concept and (not exact or text[start:end] == name):
                    found.append(Span(start, end, concept.partition(":")[0], concept))
        return found


def _spans(low: str, words: list[str]) -> list[tuple[int, int]] | None:
    """Where the words stand in the text that they are of; None where an apostrophe in it may have joined two, or a
    letter is folded to others, as ß is."""
    if "'" in low or "’" in low:
        return None
    spans, end = [], 0
    for word in words:
        start = low.find(word, end)
        if start < 0:
            return None
        end = start + len(word)
        spans.append((start, end))
    return spans


def matches(text: str) -> list[Span]:
    """What a text names, by every name of the terminology."""
    return matcher().matches(text)


def loose_matches(text: str) -> list[Span]:
    """What a text names that speaks of one patient's chart: "she is type 2" too."""
    return _loose_matcher().matches(text)


@cache
def _loose_matcher() -> Matcher:
    loose = [Name(name, f"condition:{key}") for key, row in conditions().items() for name in row.loose_names]
    return Matcher([*loose, *_names()])


@lru_cache(maxsize=512)
def medicines_in(text: str) -> tuple[Span, ...]:
    """The medicines that a text names; `key` is the row's name in lower case."""
    return tuple(span for span in matches(text) if span.kind == "medicine")


@lru_cache(maxsize=512)
def products_in(text: str) -> tuple[Span, ...]:
    """The medicines and supplies that a text names; `key` is the row's name in lower case."""
    return tuple(span for span in matches(text) if span.kind in ("medicine", "supply"))


@cache
def telling_words() -> dict[str, frozenset[str]]:
    """The longest word of every name of a concept, folded: a text without any of them does not name it."""
    found: dict[str, set[str]] = {}
    for pattern, names in matcher().names.items():
        longest = max(pattern.split(" "), key=len) if " " in pattern else pattern
        for _, concept, _ in names:
            found.setdefault(concept, set()).add(longest)
    return {concept: frozenset(words) for concept, words in found.items()}


def words_of(text: str) -> list[str]:
    """The words of a text, folded as names are."""
    parted = text.casefold().translate(_PARTED)
    return (parted.replace("%", "% ") if "%" in parted else parted).split()


class _Parted(dict[int, int | None]):
    """What each character comes to where a text is parted into words: itself, a blank, or nothing (an apostrophe)."""

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        kept = code if char.isalnum() or char == "%" else None if char in "'’" else ord(" ")
        self[code] = kept
        return kept


_PARTED = _Parted()


@cache
def matcher() -> Matcher:
    """The matcher over the terminology that is shipped."""
    return Matcher(_names())


def _names() -> Iterator[Name]:
    yield from _medicines()
    for row in read_rows("classes", ClassRow):
        yield from (_abbreviation(name, f"class:{row.key}") for name in row.names)
    yield from _conditions()
    for key, test in tests().items():
        for name in (test.name, *test.names, *test.synonyms):
            yield Name(name, f"test:{key}")
        yield from (_abbreviation(name, f"test:{key}") for name in test.abbreviations)
        yield from (Name(name, "") for name in test.not_names)
    for kind, file in _KINDS.items():
        for key, term in vocabulary(file).items():
            yield from (Name(name, f"{kind}:{key}") for name in (term.label, *term.names))


def _medicines() -> Iterator[Name]:
    for row in terminology().rows():
        kind = "supply" if row.kind == "supply" else "medicine"
        concept = f"{kind}:{row.name.casefold()}"
        for name in (row.name, *row.synonyms, *row.misspellings):
            if name not in row.list_only:
                yield Name(name, concept)
        yield from (_abbreviation(name, concept) for name in row.abbreviations if name not in row.list_only)


def _conditions() -> Iterator[Name]:
    """A phrase that proves a wider condition too (a myocardial infarction, ASCVD) names the narrower one."""
    own = {fold(name) for row in conditions().values() for name in (row.label, *row.names)}
    own |= {fold(phrase) for row in conditions().values() if row.implies for phrase in row.phrases}
    for key, row in conditions().items():
        phrases = [one for one in row.phrases if fold(one) not in own or row.implies]
        names = (row.label, row.title or row.label, *row.names, *phrases)
        if row.criterion:  # that it is over is for the reader of the sentence to say
            names = tuple(_HISTORY.sub("", name) for name in names)
        yield from (Name(name, f"condition:{key}") for name in dict.fromkeys(names))
        yield from (_abbreviation(name, f"condition:{key}") for name in row.abbreviations)
        yield from (Name(name, "") for name in row.not_names)


def _abbreviation(name: str, concept: str) -> Name:
    """In capitals, or as it is written if it has any; four letters and more in any case ("sema", "hctz")."""
    if name != name.lower():
        return Name(name, concept, exact=True)
    return Name(name.upper(), concept, exact=True) if len(name) < 4 else Name(name, concept)


def fold_word(word: str) -> str:
    """A word in the form in which words are compared."""
    return word.casefold().replace("'", "").replace("’", "")


_BREAK = re.compile(r"[:;]\s|[|•]|\n\s*\n")  # no name goes over it
_HISTORY = re.compile(r"^(?:prior|old|previous|(?:personal )?history of|hx of|h/o)\s+", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*%?|%")
_KINDS: dict[str, Vocabulary] = {
    "specialty": "specialties",
    "document": "document_kinds",
    "procedure": "procedures",
    "allergen": "allergens",
    "contrary": "statements",
    "affirms": "affirmations",
    "status": "document_statuses",
}
