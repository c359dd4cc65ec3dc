"""The few figures that a count needs before anybody may lean on it: an interval, an exact test, and many tests; and
counts of people as they may be shown, none that is so small that it tells of somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, lgamma, sqrt
from typing import NamedTuple

import numpy as np

Z = 1.959963984540054  # of a normal distribution, two-sided 95 %
LEAST = 5  # people in a cell that is shown


class Stratum(NamedTuple):
    """`mine` cases and `hits` of them, among `all` cases of the stratum and `all_hits` of them."""

    mine: int
    hits: int
    all: int
    all_hits: int

    @property
    def expected(self) -> float:
        """Hits among mine, if mine were as the stratum is."""
        return self.mine * self.all_hits / self.all if self.all else 0.0


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share; all of it for a share of nothing."""
    if not of:
        return 0.0, 1.0
    share, square = hits / of, Z * Z
    middle = share + square / (2 * of)
    spread = Z * sqrt(share * (1 - share) / of + square / (4 * of * of))
    below = 1 + square / of
    return max(0.0, (middle - spread) / below), min(1.0, (middle + spread) / below)


def exact_p(strata: Sequence[Stratum]) -> float:
    """Two-sided p of the exact conditional test over strata: how likely hits this far from what the strata expect
    are, by chance alone. With one stratum this is Fisher's exact test."""
    chances = np.ones(1)
    seen = 0
    for stratum in strata:
        least = max(0, stratum.mine + stratum.all_hits - stratum.all)
        seen += stratum.hits - least
        chances = np.convolve(chances, _hypergeometric(stratum, least))
    chances /= chances.sum()
    return float(min(1.0, chances[chances <= chances[seen] * (1 + 1e-7)].sum()))


def _hypergeometric(stratum: Stratum, least: int) -> Sequence[float]:
    """The chance of each number of hits among mine, from the least that there can be."""
    mine, total, hits = stratum.mine, stratum.all, stratum.all_hits
    whole = _log_choose(total, mine)
    return [
        exp(_log_choose(hits, count) + _log_choose(total - hits, mine - count) - whole)
        for count in range(least, min(mine, hits) + 1)
    ]


def _log_choose(of: int, count: int) -> float:
    return lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)


def adjusted(ps: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q of each p: the share of false finds among those up to it."""
    order = sorted(range(len(ps)), key=lambda place: ps[place], reverse=True)
    found, least = [0.0] * len(ps), 1.0
    for rank, place in zip(range(len(ps), 0, -1), order, strict=True):
        least = min(least, ps[place] * len(ps) / rank)
        found[place] = least
    return found


def shown(count: int) -> int | None:
    """The count; None for one from 1 to 4. Nobody is nobody, and may be said."""
    return count if count == 0 or count >= LEAST else None


def shown_together(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Cells of which the sum is known: where just one would be hidden, the smallest other one is hidden with it,
    since it could be found out from the rest."""
    cells = {name: shown(count) for name, count in counts.items()}
    if list(cells.values()).count(None) == 1:
        others = [name for name, count in cells.items() if count]
        if others:
            cells[min(others, key=lambda name: (counts[name], name))] = None
    return cells
