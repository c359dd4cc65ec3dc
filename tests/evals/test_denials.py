"""The labelled letters and their scorer."""

from __future__ import annotations

from collections import Counter

import pytest

from evals.denials.generated import labelled
from evals.denials.gold import SETS, Label, load
from evals.denials.score import fields, reasons, wrong_reasons
from evals.report.markdown import macro
from evals.report.table import summed
from tools.denials.reader import read_letter
from tools.denials.records import Denial


def read(one: Label) -> Denial:
    return read_letter(one.text, policy=one.policy)


def test_there_are_forty_letters_in_twelve_voices_and_each_label_fits() -> None:
    kept = [one for name in ("dev", "heldout") for one in load(name)]
    assert len(kept) >= 40
    assert len({one.voice for one in kept}) >= 12


@pytest.mark.parametrize("name", SETS)
def test_no_two_letters_of_a_set_are_the_same(name: str) -> None:
    assert max(Counter(one.text for one in load(name)).values()) == 1


@pytest.mark.slow
def test_generated_letters_of_an_unseen_seed_are_read() -> None:
    letters = [(one, read(one)) for one in labelled(77, 30)]
    hits, of = summed(reasons(one, got) for one, got in letters)["F1 of reasons"]
    assert hits / of >= 0.95
    right = [{name: same for name, (_, _, same) in fields(one, got).items()} for one, got in letters]
    assert all(one["member id"] for one in right)
    assert sum(one["deadline as a day"] for one in right) >= 0.95 * len(right)


def test_a_reader_that_reads_nothing_scores_nothing() -> None:
    nothing = Denial(kind="unclear")
    tally = summed(reasons(one, nothing) for one in load("dev"))
    assert tally["reasons, recall"][0] == 0 and macro(tally) == 0.0
    assert not any(fields(one, nothing)["kind"][2] for one in load("dev"))


def test_an_extra_reason_costs_precision_and_one_that_is_missed_recall() -> None:
    one = next(label for label in load("dev") if label.reasons and not label.either)
    got = read(one)
    assert reasons(one, got)["reasons, precision"][0] > 0 and not [*wrong_reasons(one, got)]
    other = one._replace(reasons={"age": one.text[:9]}, either=frozenset())
    tally = reasons(other, got)
    assert tally["reasons, precision"] == (0, len(got.codes)) and tally["reasons, recall"] == (0, 1)
    assert tally["F1 of age"] == (0, 1)
    assert {line.partition(":")[0] for line in wrong_reasons(other, got)} == {"reason missed", "reason extra"}


def test_letters_of_approval_give_no_reason() -> None:
    labels = [one for one in load("dev") if one.kind == "approval"]
    assert labels and not [line for one in labels for line in wrong_reasons(one, read(one))]
