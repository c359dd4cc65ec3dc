"""What a cache does for those who ask, and the one that keeps nothing.

An answer is kept under a digest of everything that it follows from: the records, the rule, the day, the request and
the code. What changes makes another key, so nothing has to be taken out when a chart grows or a policy is replaced.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar, get_args

T = TypeVar("T")
Kind = Literal["determination", "coverage", "retrieval"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PAYS: tuple[Kind, ...] = (
    "retrieval",
)  # the others are made sooner than fetched; evals/bench_cache.py measures it


class Counts(NamedTuple):
    """How often a kind was asked for, by every process that shares the cache."""

    hits: int = 0
    misses: int = 0

    @property
    def ratio(self) -> float:
        return self.hits / (self.hits + self.misses) if self.hits or self.misses else 0.0


class Cache(ABC):
    """Safe to share between threads. It never fails: where it can't help, the answer is made."""

    @abstractmethod
    def remember(self, kind: Kind, content: tuple[object, ...], answer: Any, make: Callable[[], T]) -> T:
        """The answer of type `answer` that was made from this very content before, else a new one, which is kept
        unless it is None. `content` is records and plain values, all that the answer follows from."""

    @abstractmethod
    def counts(self) -> Mapping[Kind, Counts] | None:
        """By kind; None while the cache does not answer."""


class NoCache(Cache):
    """Makes every answer."""

    def remember(self, kind: Kind, content: tuple[object, ...], answer: Any, make: Callable[[], T]) -> T:
        return make()

    def counts(self) -> Mapping[Kind, Counts]:
        return {}
