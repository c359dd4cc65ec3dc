"""What figures are worth: intervals that are right where the answer is known, and pairs that are compared as pairs."""

from __future__ import annotations

import pytest

from evals.stats import clustered_share, macro_f1, paired, pass_hat, share, uplift


def test_nothing_wrong_of_many_is_not_never() -> None:
    found = share([False] * 300)
    assert found is not None
    assert found.low == pytest.approx(0)
    assert 0.012 < found.high < 0.013


def test_a_share_of_nothing_is_no_share() -> None:
    assert share([]) is None
    assert clustered_share({}) is None


def test_rows_of_one_patient_do_not_narrow_the_interval() -> None:
    alike = {str(n): [n % 2 == 0] * 20 for n in range(10)}
    single = {f"{n}/{at}": [n % 2 == 0] for n in range(10) for at in range(20)}
    wide, narrow = clustered_share(alike, resamples=400), clustered_share(single, resamples=400)
    assert wide is not None and narrow is not None
    assert wide.value == narrow.value == 0.5
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_all_right_in_few_clusters_is_not_certain() -> None:
    found = clustered_share({"a": [True] * 50, "b": [True] * 50})
    assert found is not None
    assert found.value == 1 and found.low < 0.4


@pytest.mark.parametrize(("k", "expected"), [(1, 0.75), (2, 0.5), (3, 0.25), (4, 0.0)])
def test_pass_hat_counts_the_ways_to_draw_only_right_tries(k: int, expected: float) -> None:
    assert pass_hat([[True, True, True, False]], k) == pytest.approx(expected)


def test_pass_hat_averages_over_items_and_needs_enough_tries() -> None:
    assert pass_hat([[True] * 4, [False] * 4], 4) == 0.5
    assert pass_hat([[True] * 4, [True] * 3], 4) is None


def test_mcnemar_looks_at_discordant_pairs_alone() -> None:
    first = dict.fromkeys(range(20), True)
    second = {n: n >= 8 for n in range(20)}
    found = paired(first, second)
    assert (found.both, found.only_first, found.only_second) == (12, 8, 0)
    assert found.p == pytest.approx(2 / 2**8)
    assert paired(first, first).p == 1.0


def test_uplift_is_of_the_items_that_both_were_asked() -> None:
    first, second = {"a": True, "b": True, "c": True}, {"a": False, "b": True}
    found = uplift(first, second, {name: name for name in first}, resamples=200)
    assert found is not None
    assert found.value == 0.5 and found.of == 2


def test_macro_f1_counts_a_status_that_is_never_given_and_one_that_is_not_said() -> None:
    right = [("met", "met"), ("unknown", "unknown"), ("not_met", "not_met")]
    assert macro_f1(right) == 1
    assert macro_f1([("met", "met")] * 98 + [("not_met", "met"), ("unknown", "")]) == pytest.approx(
        (2 * 98 / (98 + 99)) / 3
    )
