"""Randomness that is the same on every machine: integers keyed by (seed, block), and integer tables.

A block is a thousand patients. Its draws are a matrix of raw 64-bit integers from Philox, a row for each,
so a patient is a function of (seed, index) alone, whoever makes it, in a run of whatever size. Every quantity
is the look-up of some bits of its row in a table that was rounded to integers (tenths, days); no vectorised
float reaches a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import exp
from statistics import NormalDist

BLOCK = 1000
FINE = 24  # columns of 12-bit draws, for measured quantities
COARSE = 160  # bytes, for choices
STEPS = 4096  # of a 12-bit draw

NORMAL = NormalDist()


def block_rows(seed: int, block: int) -> tuple[list[list[int]], list[bytes]]:
    """For each of the block's thousand patients: FINE draws below 4096, and COARSE bytes."""
    import numpy as np

    key = np.random.SeedSequence((seed, block)).generate_state(2, np.uint64)
    raw = np.random.Philox(key=key).random_raw(BLOCK * _WORDS_ALL).reshape(BLOCK, _WORDS_ALL)
    fine = (raw[:, :_FINE_WORDS].astype("<u8").view("<u2").reshape(BLOCK, -1)[:, :FINE] >> 4).tolist()
    coarse = raw[:, _FINE_WORDS:].astype("<u8").tobytes()
    return fine, [coarse[start : start + COARSE] for start in range(0, BLOCK * COARSE, COARSE)]


_FINE_WORDS = FINE // 4
_WORDS_ALL = _FINE_WORDS + COARSE // 8


def table(quantile: Callable[[float], float], scale: int = 1) -> tuple[int, ...]:
    """The quantile function at the middle of each of 4096 steps, in units of 1/scale, rounded."""
    return tuple(round(quantile((step + 0.5) / STEPS) * scale) for step in range(STEPS))


@cache
def normal_table(mean: float, sd: float, scale: int = 1) -> tuple[int, ...]:
    """N(mean, sd)."""
    return table(lambda p: mean + sd * NORMAL.inv_cdf(p), scale)


def log_table(middle: float, spread: float, low: float, high: float) -> tuple[int, ...]:
    """Around the middle as N(0, spread) of the logarithm, from low to high."""
    return table(lambda p: min(high, max(low, middle * exp(spread * NORMAL.inv_cdf(p)))))


def truncated(mean: float, sd: float, low: float, high: float) -> Callable[[float], float]:
    """Quantiles of N(mean, sd) between low and high."""
    at_low, at_high = (NORMAL.cdf((bound - mean) / sd) for bound in (low, high))
    return lambda p: mean + sd * NORMAL.inv_cdf(at_low + p * (at_high - at_low))


def avoiding(values: Sequence[int], *avoid: int) -> tuple[int, ...]:
    """The same table with the values to avoid moved by one step, to either side in turn."""
    out = []
    for place, value in enumerate(values):
        out.append(value + (1 if place % 2 else -1) if value in avoid else value)
    return tuple(out)


def weighted(*choices: tuple[int, int]) -> bytes:
    """A 256-entry table for one byte: (value, weight) with weights that sum to 256."""
    out = b"".join(bytes([value]) * weight for value, weight in choices)
    if len(out) != 256:
        raise ValueError(f"weights sum to {len(out)}, not 256")
    return out
