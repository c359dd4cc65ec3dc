"""A text as it has been read: what it names, and how that is meant."""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Set as AbstractSet
from functools import lru_cache

from tools.language.assertion import Assertion, assertion, is_cued
from tools.language.mentions import Mention, mentions


class Reading:
    """What a text says. It never changes; how a mention is meant is looked for when it is first asked."""

    __slots__ = ("_meant", "concepts", "mentions", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.mentions = mentions(text)
        self.concepts = frozenset([mention.concept for mention in self.mentions])
        self._meant: dict[tuple[Mention, bool], Assertion] = {}

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

    def is_cued(self, concepts: AbstractSet[str], senses: Container[str]) -> bool:
        """Whether a sentence that names one of the concepts has a cue of one of these senses."""
        return any(is_cued(self.text, mention.start, senses) for mention in self.naming(concepts))


@lru_cache(maxsize=4096)
def reading(text: str) -> Reading:
    """The text, read once however many ask."""
    return Reading(text)
