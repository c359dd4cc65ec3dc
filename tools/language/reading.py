"""A text as it has been read: what it names, and how that is meant."""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property, lru_cache
from typing import NamedTuple

from tools.language.assertion import Assertion, assertion, senses_of, sentence_at, sentences
from tools.language.mentions import Mention, mentions
from tools.terminology.matcher import matcher, words_of


class Reading:
    """What a text says. It never changes; where it names a thing, and how that is meant, is looked for when it is
    first asked. `named` are the concepts that it names."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = [(start, part) for start, part in _parts(text) if part.concepts]
        self.named = frozenset[str]().union(*[part.concepts for _, part in self._parts])
        self._meant: dict[tuple[Mention, bool], Assertion] = {}
        self._cued: dict[str, frozenset[str]] = {}

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """All that it names, in the order of the text."""
        return tuple(
            [
                Mention(concept, start + begin, start + end, how)
                for start, part in self._parts
                for concept, begin, end, how in part.mentions
            ]
        )

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

    def is_cued(self, concepts: frozenset[str], senses: frozenset[str]) -> bool:
        """Whether a sentence that names one of the concepts has a cue of one of these senses."""
        return any(not senses.isdisjoint(self._senses_beside(one)) for one in concepts & self.named)

    def _senses_beside(self, concept: str) -> frozenset[str]:
        """The senses of the cues in the sentences that name it."""
        known = self._cued.get(concept)
        if known is None:
            here = [senses_of(part.text) for _, part in self._parts if concept in part.concepts]
            known = self._cued[concept] = frozenset[str]().union(*here)
        return known


@lru_cache(maxsize=4096)
def reading(text: str) -> Reading:
    """The text, read once however many ask."""
    return Reading(text)


class _Part(NamedTuple):
    """A sentence, what it names, and its first and last word."""

    text: str
    mentions: tuple[Mention, ...]
    concepts: frozenset[str]
    first: str
    last: str


def _parts(text: str) -> list[tuple[int, _Part]]:
    """Its sentences, each with its offset; they are read by themselves, unless a name may go on in the next one."""
    parts = [(start, _part(text[start:end])) for start, end in sentences(text)]
    joints, last = matcher().joints, ""
    for _, part in parts:
        if (last, part.first) in joints:
            return [_alone(text, mention) for mention in mentions(text)]
        last = part.last or last
    return parts


@lru_cache(maxsize=16384)
def _part(sentence: str) -> _Part:
    """Read once: charts write the same sentences again and again."""
    found, words = mentions(sentence), words_of(sentence) or [""]
    return _Part(sentence, found, frozenset([mention.concept for mention in found]), words[0], words[-1])


def _alone(text: str, mention: Mention) -> tuple[int, _Part]:
    """A mention by itself, with the sentence in which it begins."""
    start, end = sentence_at(text, mention.start)
    return 0, _Part(text[start:end], (mention,), frozenset((mention.concept,)), "", "")
