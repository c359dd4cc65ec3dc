import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.denials.sentences import sentences_of


def words(text: str) -> list[str]:
    return [one.words for one in sentences_of(text)]


def test_a_wrapped_line_goes_on_and_a_label_does_not() -> None:
    text = "We denied this since the notes that we have do not show to us\nthat metformin was tried.\nDate: May 3, 2026"
    assert len(words(text)) == 2


def test_a_line_on_which_the_next_word_would_have_fitted_was_ended_on_purpose() -> None:
    note = "rep says it was turned down this morning, reason\nthey want a note from the doctor on how long it was tried"
    assert len(words(note)) == 2


@pytest.mark.parametrize(
    "said",
    [
        ["Dr. Prewitt asked on Jan. 3, 2026.", "We said no."],
        ["Write to P.O. Box 71, under no. 12-33.", "You may appeal."],
        ["Obesity, class 3.", "No drug for weight loss is covered."],
        ["You asked for Rybelsus 7 mg.", "Farxiga: no.", "It was not tried."],
    ],
)
def test_a_short_form_ends_no_sentence_and_a_number_or_a_unit_does(said: list[str]) -> None:
    assert words(" ".join(said)) == said


def test_a_heading_governs_the_lines_below_it() -> None:
    found = sentences_of("WHY\nMetformin was not tried.\nWHAT YOU CAN DO\nYou may appeal.")
    assert [one.heading for one in found] == ["", "WHY", "WHY", "WHAT YOU CAN DO"]


def test_an_option_that_is_not_ticked_says_nothing_where_another_is() -> None:
    assert words("STATUS: [ ] Denied   [X] Approved [ ] Pended\n( ) other\n[x] 12 months") == [
        "STATUS:",
        "[X] Approved",
        "[x] 12 months",
    ]
    assert words("Please send:\n[ ] the chart note\n[ ] the A1c") == [
        "Please send:",
        "[ ] the chart note",
        "[ ] the A1c",
    ]


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="aB. \n!?[]|:-1", max_size=120))
def test_no_word_is_lost_and_none_comes_twice(text: str) -> None:
    found = sentences_of(text)
    assert "".join("".join(text[one.start : one.end].split()) for one in found) == "".join(text.split())
