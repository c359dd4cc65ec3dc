"""What a stated reason is about."""

import pytest

from tests.tools.appeals.made import denial, quote, ready
from tools.appeals.reason_findings import pointed_at
from tools.denials.records import Cited, StatedReason


def about(code: str, words: str, *clauses: str) -> tuple[list[str], bool, tuple[str, ...]]:
    letter = denial({code: words}, clauses=clauses)
    found = pointed_at(letter.reasons[0], letter, ready())
    return sorted(finding.criterion for finding in found.findings), found.baseless, found.beside


@pytest.mark.parametrize(
    ("code", "words", "criteria"),
    [
        ("step_therapy", "No trial of metformin.", ["metformin"]),
        ("step_therapy", "The step was not taken.", ["metformin"]),
        ("medical_necessity", "The A1c is too low.", ["a1c"]),
        ("medical_necessity", "Criteria are not met.", ["a1c", "age", "dx", "metformin"]),
        ("age", "Too young.", ["age"]),
        ("diagnosis_mismatch", "The diagnosis does not fit.", ["dx"]),
        ("exclusion", "Medullary thyroid carcinoma.", ["mtc"]),
        ("quantity_limit", "Too much.", ["quantity"]),
    ],
)
def test_a_reason_is_about_what_its_kind_and_its_words_name(
    code: str, words: str, criteria: list[str]
) -> None:
    assert about(code, words) == (criteria, False, ())


def test_the_requested_drug_is_no_step() -> None:
    assert about("step_therapy", "Ozempic needs metformin before it.")[0] == ["metformin"]


def test_a_clause_that_is_named_counts_beside_the_words() -> None:
    assert about("medical_necessity", "The A1c is too low.", "1.1")[0] == ["a1c", "age"]


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


def test_a_test_that_the_policy_does_not_ask_for_makes_the_reason_baseless() -> None:
    assert about("medical_necessity", "The AHI is below 15.") == (["a1c", "age", "dx", "metformin"], True, ())


def test_a_paper_that_the_policy_does_not_ask_for_is_named() -> None:
    criteria, _, beside = about("insufficient_documentation", "No sleep study was received.")
    assert beside == ("apnea-hypopnea index", "study") and criteria


def test_an_exclusion_that_the_policy_does_not_have_is_named() -> None:
    assert about("exclusion", "A current pregnancy.")[2] == ("pregnancy",)


def test_documents_that_are_named_are_those() -> None:
    assert about("insufficient_documentation", "The chart notes did not come.")[0] == ["note"]


def test_no_reason_points_beyond_the_determination() -> None:
    every = {finding.criterion for finding in ready().determination.findings}
    reason = StatedReason(code="medical_necessity", quote=quote("x"), clauses=("99.9",))
    letter = denial({})
    assert {f.criterion for f in pointed_at(reason, letter, ready()).findings} <= every
