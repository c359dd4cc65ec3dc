"""A text as it has been read: what it names, and how that is meant."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import lru_cache

from tools.language.assertion import Assertion, assertion, senses_around
from tools.language.mentions import Mention, mentions


class Reading:
    """What a text says. It never changes; how a mention is meant is looked for when it is first asked."""

    __slots__ = ("_meant", "_senses", "concepts", "mentions", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.mentions = mentions(text)
        self.concepts = frozenset([mention.concept for mention in self.mentions])
        self._meant: dict[tuple[Mention, bool], Assertion] = {}
        self._senses: dict[int, frozenset[str]] = {}  # of the cues around an offset

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

    def is_cued(self, concepts: Container[str], senses: Iterable[str]) -> bool:
        """Whether a sentence that names one of the concepts has a cue of one of these senses."""
        for mention in self.mentions:
            if mention.concept in concepts and not self._senses_at(mention.start).isdisjoint(senses):
                return True
        return False

    def _senses_at(self, at: int) -> frozenset[str]:
        known = self._senses.get(at)
        if known is None:
            known = self._senses[at] = senses_around(self.text, at)
        return known


@lru_cache(maxsize=4096)
def reading(text: str) -> Reading:
    """The text, read once however many ask."""
    return Reading(text)
