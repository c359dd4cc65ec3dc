from __future__ import annotations

from collections import Counter

import pytest

from evals.denials.__main__ import first_sight, read, report
from evals.denials.generated import labelled
from evals.denials.gold import SETS, load
from evals.denials.score import score
from tools.denials.records import Denial


def test_there_are_forty_letters_in_twelve_voices_and_each_label_fits() -> None:
    kept = [one for name in ("dev", "heldout") for one in load(name)]
    assert len(kept) >= 40
    assert len({one.voice for one in kept}) >= 12


@pytest.mark.parametrize("name", SETS)
def test_no_two_letters_of_a_set_are_the_same(name: str) -> None:
    assert max(Counter(one.text for one in load(name)).values()) == 1


def test_generated_letters_of_an_unseen_seed_are_read() -> None:
    scored = score(labelled(77, 30), read).summary()
    assert scored["reasons"]["f1"] >= 0.95
    assert scored["exact"]["member id"]["rate"] == 1.0
    assert scored["exact"]["deadline as a day"]["rate"] >= 0.95


def test_a_reader_that_reads_nothing_scores_nothing() -> None:
    scored = score(load("dev"), lambda one: Denial(kind="unclear")).summary()
    assert scored["reasons"]["recall"] == 0.0 and scored["macro f1"] == 0.0
    assert scored["exact"]["kind"]["right"] == 0


def test_an_extra_reason_costs_precision() -> None:
    labels = [one for one in load("dev") if one.kind == "approval"]
    scored = score(labels, read).summary()
    assert scored["reasons"]["extra"] == 0


def test_the_report_says_what_was_scored_at_first_sight() -> None:
    rows = first_sight()
    assert {row["set"] for row in rows} <= set(SETS)
    assert "## First sight" in report({"aims": "", "first sight": rows, "now": {}})
