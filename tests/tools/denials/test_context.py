from __future__ import annotations

import pytest

from tools.denials.boxes import boxed, with_signs
from tools.denials.marks import result_of
from tools.denials.reader import read_letter

HEAD = "Harvest Mutual\nMarch 2, 2026\nMember: Ada Quill, ID HM-22\nDrug: Ozempic 0.5 mg\n\n"


@pytest.mark.parametrize(
    "line",
    [
        "[x] Step",
        "\u2612 Step",
        "(X) Step",
        "X ___ Step",
        "_X_ Step",
        "\u2713 Step",
        "[ X ] Step",
        "(*) Step",
    ],
)
def test_ticks_of_every_shape_are_one_sign(line: str) -> None:
    assert with_signs(line).startswith("\u2611") and len(with_signs(line)) == len(line)


@pytest.mark.parametrize("line", ["[ ] Step", "\u2610 Step", "( ) Step", "___ Step", "[] Step"])
def test_empty_boxes_of_every_shape_are_one_sign(line: str) -> None:
    assert with_signs(line).startswith("\u2610") and len(with_signs(line)) == len(line)


def test_a_box_may_stand_behind_its_words() -> None:
    line = with_signs("Approved ___   Denied X   Modified ___")
    assert [line[a:b].split()[0] for a, b in boxed(line)] == ["Approved", "Denied", "Modified"]


@pytest.mark.parametrize(
    ("row", "mark"),
    [
        ("Is the age right?   YES", "passed"),
        ("Any contraindication?   NO", "passed"),
        ("Exceeds the plan limit?   YES", "failed"),
        ("Metformin tried?   NO - one month only", "failed"),
        ("Age   18   44   MET", "passed"),
    ],
)
def test_a_row_comes_out_by_what_was_asked(row: str, mark: str) -> None:
    assert result_of(row) == mark


@pytest.mark.parametrize(
    "aside",
    [
        "No exclusion applies.",
        "Nothing was missing from the file.",
        "He has no history of pancreatitis.",
        "The quantity does not exceed the plan limit.",
        "In 2023 a request was refused because weight-loss drugs were excluded.",
        "The drug is covered where all of these are shown:\n a. age of 18 or older\n b. no history of pancreatitis",
    ],
)
def test_what_is_taken_back_recited_or_past_is_no_reason(aside: str) -> None:
    read = read_letter(f"{HEAD}Denied. Metformin was not tried.\n\n{aside}")
    assert read.codes == ("step_therapy",)


def test_a_letter_of_approval_has_no_reason_for_a_denial() -> None:
    text = (
        "Your plan has approved this drug. Why we were able to approve it: you tried metformin; the quantity does not"
        " exceed the limit.\nAn earlier claim was rejected for want of prior authorization."
    )
    read = read_letter(HEAD + text)
    assert (read.kind, read.codes) == ("approval", ())
