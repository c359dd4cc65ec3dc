import pytest

from tools.denials.codes import REASONS, codes_in, table
from tools.denials.sentences import sentences_of


def found(text: str) -> list[tuple[str, str, str]]:
    sentences = sentences_of(text)
    return [
        (row.table, row.code, row.reason) for at in range(len(sentences)) for row in codes_in(sentences, at)
    ]


def test_every_code_has_a_known_reason_and_a_source() -> None:
    assert all(row.reason in {*REASONS, ""} and row.words and row.source for row in table().values())


def test_several_codes_follow_one_name_of_a_table() -> None:
    assert [code for _, code, _ in found("NCPDP 75; 76; 79")] == ["75", "76", "79"]


def test_not_covered_and_not_on_the_formulary_are_told_apart() -> None:
    assert [reason for *_, reason in found("Reject codes: 70, MR")] == ["benefit_exclusion", "non_formulary"]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("Line 1 paid 0.00 CO-197", ("carc", "197", "pa_required")),
        ("PR 27 expenses after coverage ended", ("carc", "27", "not_eligible")),
        ("Remark M62", ("rarc", "M62", "pa_required")),
    ],
)
def test_a_code_is_looked_up_in_the_table_that_is_named(line: str, row: tuple[str, str, str]) -> None:
    assert found(line) == [row]


def test_a_code_of_one_table_is_none_of_another() -> None:
    assert found("CARC 79 and CARC 75") == []


def test_what_stands_behind_an_empty_box_is_no_code() -> None:
    assert found("NCPDP:\n[x] 60 not covered for age\n[ ] 70 plan exclusion\n[ ] MR not on formulary") == [
        ("ncpdp", "60", "age")
    ]


def test_a_number_without_the_name_of_a_table_is_none() -> None:
    assert found("You have 75 days, and 79 tablets are left.") == []
