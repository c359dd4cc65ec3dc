from hypothesis import given, settings
from hypothesis import strategies as st

from tools.denials.sentences import sentences_of


def words(text: str) -> list[str]:
    return [one.words for one in sentences_of(text)]


def test_a_wrapped_line_goes_on_and_a_label_does_not() -> None:
    text = "We denied this since the notes that we have do not show to us\nthat metformin was tried.\nDate: May 3, 2026"
    assert len(words(text)) == 2


def test_a_short_form_ends_no_sentence() -> None:
    assert words("Dr. Prewitt asked on Jan. 3, 2026. We said no.") == [
        "Dr. Prewitt asked on Jan. 3, 2026.",
        "We said no.",
    ]


def test_a_heading_governs_the_lines_below_it() -> None:
    found = sentences_of("WHY\nMetformin was not tried.\nWHAT YOU CAN DO\nYou may appeal.")
    assert [one.heading for one in found] == ["", "WHY", "WHY", "WHAT YOU CAN DO"]


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="aB. \n!?[]x|:-1", max_size=120))
def test_no_word_is_lost_and_none_comes_twice(text: str) -> None:
    found = sentences_of(text)
    assert "".join("".join(text[one.start : one.end].split()) for one in found) == "".join(text.split())
