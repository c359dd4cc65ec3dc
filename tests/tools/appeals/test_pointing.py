"""What a stated reason is about."""

import pytest

from tests.tools.appeals.made import denial, quote, ready
from tools.appeals.reason_findings import pointed_at
from tools.denials.records import Cited, StatedReason


def about(code: str, words: str, *clauses: str) -> tuple[list[str], bool, tuple[str, ...]]:
    letter = denial({code: words}, clauses=clauses)
    found = pointed_at(letter.reasons[0], letter, ready())
    return sorted(finding.criterion for finding in found.findings), found.baseless, found.beside


ALL = ["a1c", "age", "dx", "metformin"]


@pytest.mark.parametrize(
    ("code", "words", "clauses", "expected"),
    [
        ("step_therapy", "No trial of metformin.", (), (["metformin"], False, ())),
        ("step_therapy", "The step was not taken.", (), (["metformin"], False, ())),
        ("step_therapy", "Ozempic needs metformin before it.", (), (["metformin"], False, ())),
        ("medical_necessity", "The A1c is too low.", (), (["a1c"], False, ())),
        ("medical_necessity", "The A1c is too low.", ("1.1",), (["a1c", "age"], False, ())),
        ("medical_necessity", "Criteria are not met.", (), (ALL, False, ())),
        ("age", "Too young.", (), (["age"], False, ())),
        ("diagnosis_mismatch", "The diagnosis does not fit.", (), (["dx"], False, ())),
        ("exclusion", "Medullary thyroid carcinoma.", (), (["mtc"], False, ())),
        ("quantity_limit", "Too much.", (), (["quantity"], False, ())),
        ("insufficient_documentation", "The chart notes did not come.", (), (["note"], False, ())),
        # of what the policy does not ask for
        ("medical_necessity", "The AHI is below 15.", (), (ALL, True, ())),
    ],
)
def test_a_reason_is_about_what_its_kind_its_words_and_its_clauses_name(
    code: str, words: str, clauses: tuple[str, ...], expected: tuple[list[str], bool, tuple[str, ...]]
) -> None:
    assert about(code, words, *clauses) == expected


@pytest.mark.parametrize(
    ("code", "words", "beside"),
    [
        ("insufficient_documentation", "No sleep study was received.", ("apnea-hypopnea index", "study")),
        ("exclusion", "A current pregnancy.", ("pregnancy",)),
    ],
)
def test_a_paper_or_exclusion_that_the_policy_does_not_have_is_named(
    code: str, words: str, beside: tuple[str, ...]
) -> None:
    assert about(code, words)[2] == beside


def test_a_clause_that_the_letter_cites_belongs_to_its_only_reason() -> None:
    letter = denial(
        {"medical_necessity": "Not met."}, cited=(Cited(id="1.3", quote=quote("1.3"), known=True),)
    )
    assert [f.criterion for f in pointed_at(letter.reasons[0], letter, ready()).findings] == ["a1c"]


def test_a_clause_cited_beside_two_reasons_belongs_to_neither() -> None:
    cited = (Cited(id="1.1", quote=quote("1.1"), known=True),)
    letter = denial(
        {"step_therapy": "No metformin.", "medical_necessity": "The A1c is too low."}, cited=cited
    )
    found = [f.criterion for reason in letter.reasons for f in pointed_at(reason, letter, ready()).findings]
    assert found == ["metformin", "a1c"]


def test_no_reason_points_beyond_the_determination() -> None:
    every = {finding.criterion for finding in ready().determination.findings}
    reason = StatedReason(code="medical_necessity", quote=quote("x"), clauses=("99.9",))
    letter = denial({})
    assert {f.criterion for f in pointed_at(reason, letter, ready()).findings} <= every
