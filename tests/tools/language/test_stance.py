from __future__ import annotations

import pytest

from tools.language.stance import denied, words


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("It was approved.", "approved"),
        ("A denial is likely.", "likely_denial"),
        ("It is ready to submit.", "ready"),
        ("All criteria are met.", "all_met"),
    ],
)
def test_an_outcome_is_read_in_its_words(text: str, key: str) -> None:
    assert [word.key for word in words(text, "outcome")] == [key]


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("She does not yet qualify", True),
        ("She qualifies", False),
        ("No nausea, and she may well qualify", False),
    ],
)
def test_a_negation_reaches_two_words(text: str, negated: bool) -> None:
    (word,) = words(text, "outcome")
    assert word.key == "eligible"
    assert denied(text, word.start, word.end) == negated
