"""What a figure is worth: shares with their intervals, paired comparisons, and how often something holds every time."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import comb
from typing import NamedTuple, TypeVar

import numpy

from tools.common.statistics import wilson

T = TypeVar("T")
RESAMPLES = 1000
STATUSES = ("met", "not_met", "unknown")


class Interval(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float
    of: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def proportion(hits: int, of: int) -> Interval | None:
    """A share with Wilson's interval; None of nothing."""
    return Interval(hits / of, *wilson(hits, of), of) if of else None


def share(hits: Sequence[bool]) -> Interval | None:
    """The share of hits with Wilson's interval; None of nothing."""
    return proportion(sum(hits), len(hits))


def clustered(
    groups: Mapping[str, Sequence[T]],
    figure: Callable[[Sequence[T]], float | None],
    *,
    resamples: int,
) -> Interval | None:
    """A figure over all rows, its interval from resampling whole clusters: rows of one patient are not independent."""
    names, draw = sorted(groups), random.Random(1)

    def of(chosen: Sequence[str]) -> float | None:
        return figure([row for name in chosen for row in groups[name]]) if chosen else None

    value = of(names)
    if value is None:
        return None
    drawn = (of(draw.choices(names, k=len(names))) for _ in range(resamples))
    low, high = _middle([one for one in drawn if one is not None])
    return Interval(value, low, high, sum(map(len, groups.values())))


def clustered_share(groups: Mapping[str, Sequence[bool]], *, resamples: int = RESAMPLES) -> Interval | None:
    """The share of hits, its interval clustered; where resampling shows no spread (0 of n, n of n), Wilson's over the
    clusters, for a bootstrap of equal values is no interval."""
    counts = [(sum(hits), len(hits)) for _, hits in sorted(groups.items()) if hits]
    hit, of = sum(h for h, _ in counts), sum(n for _, n in counts)
    if not counts:
        return None
    low, high = _resampled([h for h, _ in counts], [n for _, n in counts], resamples)
    if low == high:
        low, high = wilson(round(hit / of * len(counts)), len(counts))
    return Interval(hit / of, low, high, of)


def _resampled(parts: Sequence[int], wholes: Sequence[int], resamples: int) -> tuple[float, float]:
    """The middle 95 % of sum(parts) / sum(wholes) over clusters drawn again with replacement."""
    drawn = numpy.random.default_rng(1).integers(0, len(parts), (resamples, len(parts)))
    shares = numpy.array(parts)[drawn].sum(axis=1) / numpy.array(wholes)[drawn].sum(axis=1)
    return _middle(shares.tolist())


def pass_hat(outcomes: Sequence[Sequence[bool]], k: int) -> float | None:
    """pass^k: the chance that k tries of one item are all right, C(c,k)/C(n,k), averaged over items; None if an item
    was tried less than k times."""
    if not outcomes or any(len(tries) < k for tries in outcomes):
        return None
    return sum(comb(sum(tries), k) / comb(len(tries), k) for tries in outcomes) / len(outcomes)


class Paired(NamedTuple):
    """The same items by two arms: how often only one of them was right, and McNemar's exact p."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def p(self) -> float:
        """Two-sided and exact: the binomial of the discordant pairs."""
        n, k = self.only_first + self.only_second, min(self.only_first, self.only_second)
        return min(1.0, 2 * sum(comb(n, at) for at in range(k + 1)) / 2**n) if n else 1.0


def paired(first: Mapping[T, bool], second: Mapping[T, bool]) -> Paired:
    """Over the items that both have."""
    common = Counter((first[name], second[name]) for name in first if name in second)
    return Paired(*(common[one, two] for one in (True, False) for two in (True, False)))


def uplift(
    first: Mapping[T, bool], second: Mapping[T, bool], cluster: Mapping[T, str], *, resamples: int = RESAMPLES
) -> Interval | None:
    """How much more often the first is right than the second, on the same items; resampled by cluster."""
    groups = defaultdict[str, list[int]](list)
    for name in first:
        if name in second:
            groups[cluster[name]].append(first[name] - second[name])
    if not groups:
        return None
    parts, wholes = [sum(rows) for rows in groups.values()], [len(rows) for rows in groups.values()]
    low, high = _resampled(parts, wholes, resamples)
    return Interval(sum(parts) / sum(wholes), low, high, sum(wholes))


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float | None:
    """The mean F1 of the statuses that occur among the true ones; pairs are (true, given). Another word, or nothing,
    is given wrongly."""
    true, given = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    both = Counter(pairs)
    found = [2 * both[name, name] / (true[name] + given[name]) for name in STATUSES if true[name]]
    return sum(found) / len(found) if found else None


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """The bounds of the middle 95 %."""
    return percentile(values, 0.025), percentile(values, 0.975)


def percentile(values: Sequence[float], at: float) -> float:
    """The value below which so great a share lies, one of them; 0 of nothing."""
    return sorted(values)[round(at * (len(values) - 1))] if values else 0.0
