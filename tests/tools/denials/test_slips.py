import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.denials.reader import read_letter
from tools.denials.slips import legible


def test_a_nought_or_a_one_that_makes_no_word_is_the_letter_that_makes_one() -> None:
    scanned = "N0T1CE: y0ur request f0r Januv1a was DEN1ED. The Hea1th P1an wi11 n0t pay."
    assert legible(scanned) == "NOTICE: your request for Januvia was DENIED. The Health Plan will not pay."


@pytest.mark.parametrize(
    "written", ["A1c", "HbA1c", "FEV1", "T1DM", "1st", "1mg", "0.5 mg", "KX10-0O1", "10/01/2026"]
)
def test_what_is_known_as_it_stands_or_as_nothing_else_stays(written: str) -> None:
    assert legible(written) == written


@given(st.text(alphabet="01oOlIinmİé -\n", max_size=30))
def test_every_character_keeps_its_place(text: str) -> None:
    assert len(legible(text)) == len(text)


def test_a_drug_that_was_scanned_badly_is_told_by_its_name_and_quoted_as_it_stands() -> None:
    letter = "March 2, 2026\nDrug: 0zempic 0.5 mg\n\nThe request is denied. Metf0rmin was n0t tried."
    drug = read_letter(letter).drugs[0]
    assert (drug.name, drug.quote.text[:7]) == ("Ozempic", "0zempic")
