"""Runs of words from the likelihoods of tokens: whole words, in order, none begun for a flicker."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tools.language.spans import runs

TEXT = "can he get it and who calls"
OFFSETS = [(0, 3), (4, 6), (7, 10), (11, 13), (14, 17), (18, 21), (22, 26), (26, 27)]  # "call", "s"
OUTSIDE, BEGINS, GOES_ON = np.eye(3) * 0.96 + 0.02


def found(*rows: np.ndarray) -> list[str]:
    return [TEXT[start:end] for start, end in runs(TEXT, OFFSETS, np.array(rows, np.float32))]


def test_each_question_is_a_run() -> None:
    rows = (BEGINS, GOES_ON, GOES_ON, GOES_ON, OUTSIDE, BEGINS, GOES_ON, GOES_ON)
    assert found(*rows) == ["can he get it", "who calls"]


def test_a_run_ends_with_a_word_and_not_within_it() -> None:
    rows = (OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, BEGINS, GOES_ON, OUTSIDE)
    assert found(*rows) in (["who calls"], ["who"])


def test_one_word_that_wavers_neither_ends_a_run_nor_begins_one() -> None:
    unsure = np.array([0.5, 0.1, 0.4])
    rows = (BEGINS, GOES_ON, unsure, GOES_ON, OUTSIDE, np.array([0.5, 0.5, 0.0]), OUTSIDE, OUTSIDE)
    assert found(*rows) == ["can he get it"]


def test_no_token_is_no_run() -> None:
    assert runs("", [], np.zeros((0, 3), np.float32)) == []


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=8, max_size=8))
def test_runs_are_in_order_apart_and_of_whole_words(rows: list[tuple[float, float, float]]) -> None:
    made = runs(TEXT, OFFSETS, np.array(rows, np.float32))
    edges = [edge for run in made for edge in run]
    assert edges == sorted(edges)
    for start, end in made:
        assert (
            start < end and (start == 0 or TEXT[start - 1] == " ") and (end == len(TEXT) or TEXT[end] == " ")
        )
