"""Intervals and tests, against figures from elsewhere and against counting everything out."""

from __future__ import annotations

from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.common.statistics import Stratum, adjusted, exact_p, wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 45, 0.0, 0.0787),
        (80, 100, 0.7112, 0.8666),
        (10, 10, 0.7225, 1.0),
        (0, 300, 0.0, 0.0126),
        (0, 0, 0, 1),
    ],
)
def test_wilsons_interval_is_the_one_in_the_tables(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == pytest.approx((low, high), abs=1e-4)


def test_one_stratum_is_fishers_exact_test() -> None:
    # the lady tasting tea: 3 of 4 right, two-sided
    assert exact_p([Stratum(4, 3, 8, 4)]) == pytest.approx(0.4857, abs=1e-4)
    # 1/10 against 11/14 (Fisher's example in many texts): p = 0.00276
    assert exact_p([Stratum(10, 1, 24, 12)]) == pytest.approx(0.002759, abs=1e-6)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=2))
def test_strata_are_counted_out(shapes: list[tuple[int, int, int]]) -> None:
    strata = [
        Stratum(mine, min(mine, hits), mine + others, min(mine, hits) + others // 2)
        for mine, hits, others in shapes
    ]
    assert exact_p(strata) == pytest.approx(_counted(strata), rel=1e-6)


def _counted(strata: list[Stratum]) -> float:
    """Every way to deal the hits, stratum by stratum."""
    chances = {0: 1.0}
    for one in strata:
        ways: dict[int, int] = {}
        for dealt in combinations(range(one.all), one.all_hits):
            mine = sum(place < one.mine for place in dealt)
            ways[mine] = ways.get(mine, 0) + 1
        every = comb(one.all, one.all_hits)
        chances = {
            total: sum(
                chances.get(total - mine, 0) * count / every
                for mine, count in ways.items()
                if total - mine in chances
            )
            for total in {seen + mine for seen in chances for mine in ways}
        }
    seen = chances[sum(one.hits for one in strata)]
    return sum(chance for chance in chances.values() if chance <= seen * (1 + 1e-7))


def test_a_strict_payer_makes_no_prescriber_odd() -> None:
    alike = [Stratum(20, 18, 200, 180), Stratum(20, 2, 200, 20)]
    assert exact_p(alike) > 0.9
    assert exact_p([Stratum(20, 18, 200, 20)]) < 1e-9


def test_many_tests_are_adjusted_as_benjamini_and_hochberg_do() -> None:
    assert adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert adjusted([]) == []


@given(st.lists(st.floats(0, 1), max_size=30))
def test_a_q_is_never_below_its_p_and_keeps_the_order(ps: list[float]) -> None:
    qs = adjusted(ps)
    assert all(p <= q + 1e-12 and q <= 1 for p, q in zip(ps, qs, strict=True))
    assert sorted(qs) == [q for _, q in sorted(zip(ps, qs, strict=True))]
