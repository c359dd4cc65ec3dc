"""The windows in which a note is shown to the encoder."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.notes.encoded import LABELS, LONGEST, WINDOW, encode, windows

WORDS = st.lists(st.sampled_from(["a", "metformin", "no.", "yes;", "x\n", "went?"]), max_size=400)


@given(WORDS)
def test_every_token_is_kept_once_and_no_window_is_longer_than_a_sentence_may_be(words: list[str]) -> None:
    text, offsets = "", []
    for word in words:
        offsets.append((len(text), len(text) + len(word)))
        text += word + " "
    found = windows(text, offsets)
    assert [place for _, own, last in found for place in range(own, last)] == list(range(len(offsets)))
    assert all(shown <= own < last and last - shown <= max(WINDOW, LONGEST) for shown, own, last in found)


def test_a_label_has_a_likelihood_and_all_of_a_head_sum_to_one() -> None:
    read = encode("She takes metformin. Her mother had medullary thyroid cancer.")
    for head, labels in LABELS.items():
        shares = read.shares(head, 10, 19)
        assert set(shares) == set(labels) and abs(sum(shares.values()) - 1) < 1e-5


def test_a_text_without_words_has_rows_too() -> None:
    assert abs(sum(encode(" \n").shares("sense", 0, 1).values()) - 1) < 1e-5
