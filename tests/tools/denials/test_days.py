"""Days in a letter: those without a year, and those that are told from the letter's own."""

from __future__ import annotations

import pytest

from tools.denials.days import days_in, spans_in


def days(text: str) -> list[tuple[str, str]]:
    return [(text[one.start : one.end], one.day.isoformat()) for one in days_in(text)]


@pytest.mark.parametrize(
    ("letter", "said", "day"),
    [
        ("December 3, 2026", "January 15", "2027-01-15"),
        ("January 20, 2026", "December 30", "2025-12-30"),
        ("January 20, 2026", "February 3", "2026-02-03"),
    ],
)
def test_a_day_without_a_year_is_the_nearest_to_the_letters_own(letter: str, said: str, day: str) -> None:
    assert days(f"{letter}\n\nYour request is about {said}, and no other day.") == [
        (letter, days(letter)[0][1]),
        (said, day),
    ]


@pytest.mark.parametrize(
    ("said", "day"), [("today", "2026-02-03"), ("yesterday", "2026-02-02"), ("hoy", "2026-02-03")]
)
def test_what_is_relative_is_seen_from_the_letters_own_day(said: str, day: str) -> None:
    text = f"Member's date of birth: 06/30/2009\nFebruary 3, 2026\n\nCovered from {said} until 12/31/2026."
    assert (said, day) in days(text)


def test_without_a_day_of_its_own_a_letter_has_neither() -> None:
    assert not days("You may call us today, or by March 3.")


def test_a_stretch_of_days_is_no_day() -> None:
    assert days("February 3, 2026: sent 30 days ago.") == [("February 3, 2026", "2026-02-03")]


def test_a_months_name_before_a_sentence_that_begins_with_an_i_is_whole() -> None:
    assert days("January 20, 2026. We had it on 12 January. It was refused.")[1][0].startswith("12 January")


@pytest.mark.parametrize(
    ("said", "amount", "unit"),
    [
        ("180 days", 180, "days"),
        ("l80 days", 180, "days"),
        ("sixty (60) calendar days", 60, "days"),
        ("one hundred eighty days", 180, "days"),
        ("two weeks", 14, "days"),
        ("four months", 4, "months"),
        ("ten business days", 10, "business days"),
        ("60 días", 60, "days"),
        ("sesenta (60) días calendario", 60, "days"),
        ("diez (10) días hábiles", 10, "business days"),
    ],
)
def test_a_stretch_of_time_is_read_in_both_languages(said: str, amount: int, unit: str) -> None:
    text = f"Usted o su médico: within {said} of this notice, in 72 hours, 30 tablets."
    assert [(text[s.start : s.end], s.amount, s.unit) for s in spans_in(text)] == [(said, amount, unit)]
