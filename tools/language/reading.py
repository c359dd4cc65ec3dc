"""A text as it has been read: what it names, and how that is meant."""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache
from typing import NamedTuple

from tools.language.assertion import Assertion, assertion, senses_of, sentence_at, sentences
from tools.language.mentions import Mention, Names, mentions
from tools.terminology.matcher import words_of


class Sentence(NamedTuple):
    """Its words, folded, and the senses of its cues."""

    words: frozenset[str]
    senses: frozenset[str]


class Reading:
    """What a text says. It never changes; what it names, and how that is meant, is looked for when it is first asked:
    the words of its sentences often tell that it says nothing of a thing."""

    __slots__ = ("_cued", "_meant", "_mentions", "_senses", "sentences", "text", "words")

    def __init__(self, text: str) -> None:
        self.text = text
        self.sentences = [_sentence(text[start:end]) for start, end in sentences(text)]
        self.words = frozenset[str]().union(*[sentence.words for sentence in self.sentences])
        self._cued: dict[
            frozenset[str], frozenset[str]
        ] = {}  # words of the sentences with a cue of these senses
        self._mentions: tuple[Mention, ...] | None = None
        self._meant: dict[tuple[Mention, bool], Assertion] = {}
        self._senses: dict[int, frozenset[str]] = {}  # of the cues around an offset

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """All that it names, in the order of the text."""
        if self._mentions is None:
            self._mentions = mentions(self.text)
        return self._mentions

    def names(self, names: Names) -> bool:
        """Whether it names one of the concepts."""
        if names.telling.isdisjoint(self.words):
            return False
        return any(mention.concept in names.concepts for mention in self.mentions)

    def naming(self, concepts: Container[str]) -> list[Mention]:
        """The mentions of these concepts, in the order of the text."""
        return [mention for mention in self.mentions if mention.concept in concepts]

    def meant(self, mention: Mention, *, thing: bool) -> Assertion:
        """How the mention is meant; `thing` as `assertion` takes it."""
        known = self._meant.get((mention, thing))
        if known is None:
            later = [(other.start, other.end) for other in self.mentions if other.start >= mention.end]
            known = assertion(self.text, mention.start, mention.end, later, thing=thing)
            self._meant[mention, thing] = known
        return known

    def is_cued(self, names: Names, senses: frozenset[str]) -> bool:
        """Whether a sentence that names one of the concepts has a cue of one of these senses."""
        words = self._cued.get(senses)
        if words is None:
            cued = [one.words for one in self.sentences if not senses.isdisjoint(one.senses)]
            words = self._cued[senses] = frozenset[str]().union(*cued)
        if names.first.isdisjoint(words):
            return False
        for mention in self.mentions:
            if mention.concept in names.concepts and not self._senses_at(mention.start).isdisjoint(senses):
                return True
        return False

    def _senses_at(self, at: int) -> frozenset[str]:
        known = self._senses.get(at)
        if known is None:
            start, end = sentence_at(self.text, at)
            known = self._senses[at] = _sentence(self.text[start:end]).senses
        return known


@lru_cache(maxsize=16384)
def _sentence(text: str) -> Sentence:
    """Read once: charts write the same sentences again and again."""
    return Sentence(frozenset(words_of(text)), senses_of(text))


@lru_cache(maxsize=4096)
def reading(text: str) -> Reading:
    """The text, read once however many ask."""
    return Reading(text)
