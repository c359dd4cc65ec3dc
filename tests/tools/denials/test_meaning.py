from __future__ import annotations

import numpy as np
import pytest
import yaml

from tools.denials.codes import REASONS
from tools.denials.meaning import EXAMPLES, WEIGHTS, made_of, opinions


def test_the_kept_weights_are_of_these_examples_and_this_model() -> None:
    with np.load(WEIGHTS) as kept:
        assert str(kept["of"]) == made_of(), "run python -m tools.denials.meaning"
        assert {str(code) for code in kept["codes"]} == set(REASONS) | {"none"}


def test_every_reason_has_examples_and_none_stands_twice() -> None:
    examples = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    assert set(examples) == set(REASONS) | {"none"}
    said = [text for many in examples.values() for text in many]
    assert len(said) == len(set(said)) and min(map(len, examples.values())) >= 8


@pytest.mark.parametrize(
    ("clause", "code"),
    [
        ("The plan wants a course of metformin to be finished before it will pay.", "step_therapy"),
        ("Half of the pages you faxed never came through.", "insufficient_documentation"),
        ("The person has been with another insurer since May.", "not_eligible"),
    ],
)
def test_new_words_are_told_by_their_meaning(clause: str, code: str) -> None:
    assert opinions([clause])[0].code == code


def test_what_is_no_reason_is_not_ahead() -> None:
    assert opinions(["Please call us if you have questions."])[0].lead < 0
