from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.terminology.dates import coming_days, dates_in, read_date

ANCHOR = date(2026, 9, 15)  # a Tuesday
SEP_4 = date(2026, 9, 4)

ONE_DAY = {
    SEP_4: (
        "2026-09-04", "2026/09/04", "2026.09.04", "20260904", "2026-09-04T10:30:00Z", "09/04/2026", "9/4/2026",
        "9/4/26", "09-04-2026", "9.4.2026", "9/04", "4-Sep-2026", "04-Sep-26", "04SEP2026", "4 Sep 2026",
        "4 September 2026", "4th September 2026", "4th of September, 2026", "the 4th of September", "Sept. 4, 2026",
        "Sept 4 2026", "Sep 4, 2026", "SEPTEMBER 4, 2026", "September 4th, 2026", "September the 4th",
        "Sep-04-2026", "September 4", "sept. 4", "Friday, September 4, 2026", "Fri 9/4/26",
        "4 de septiembre de 2026", "4 septiembre 2026", "el 4 de septiembre",
    ),
    date(2026, 5, 3): ("3rd May 26", "May 3 '26"),
    date(2025, 12, 20): ("12/20", "December 20"),
    date(2026, 4, 13): ("13/4/26",),
    date(2024, 2, 29): ("2/29/2024",),
    date(1961, 7, 4): ("7/4/1961", "7/4/61"),
    ANCHOR: ("today", "hoy"),
    date(2026, 9, 14): ("yesterday", "ayer", "last Monday"),
    date(2026, 9, 16): ("tomorrow",),
    date(2026, 9, 13): ("the day before yesterday",),
    date(2026, 8, 25): ("3 weeks ago", "three weeks ago", "hace 3 semanas"),
    date(2026, 9, 5): ("10 days ago",),
    date(2026, 9, 8): ("a week ago",),
    date(2026, 9, 1): ("2 wks ago", "a couple of weeks ago"),
    date(2026, 7, 15): ("hace dos meses",),
    date(2026, 3, 15): ("6 months ago", "6 mo ago"),
    date(2025, 9, 15): ("a year ago",),
    date(2024, 9, 15): ("two years ago",),
    date(2026, 9, 29): ("in two weeks", "2 weeks from now"),
    date(2026, 9, 18): ("next Friday",),
}  # fmt: skip
SPANS = {
    (date(2026, 9, 1), date(2026, 9, 30)): (
        "September 2026", "Sept 2026", "Sep. 2026", "Sep-2026", "September of 2026", "09/2026", "9/2026", "2026-09",
        "Sep '26", "septiembre de 2026", "this month",
    ),
    (date(2026, 6, 1), date(2026, 6, 30)): ("in June", "since June", "en junio"),
    (date(2026, 6, 9), date(2026, 6, 21)): ("mid-June",),
    (date(2026, 6, 1), date(2026, 6, 12)): ("early June 2026",),
    (date(2021, 1, 1), date(2021, 12, 31)): ("(2021)",),
    (date(2026, 3, 1), date(2026, 3, 31)): ("last March",),
    (date(2025, 11, 1), date(2025, 11, 30)): ("last November",),
    (date(2027, 1, 1), date(2027, 1, 31)): ("next January",),
    (date(2025, 6, 1), date(2025, 6, 30)): ("June 2025",),
    (date(2024, 1, 1), date(2024, 12, 31)): ("in 2024",),
    (date(2019, 1, 1), date(2019, 12, 31)): ("since 2019",),
    (date(2025, 1, 1), date(2025, 12, 31)): ("last year", "el año pasado"),
    (date(2026, 1, 1), date(2026, 12, 31)): ("this year",),
    (date(2026, 8, 1), date(2026, 8, 31)): ("last month", "el mes pasado"),
    (date(2026, 10, 1), date(2026, 10, 31)): ("next month",),
    (date(2026, 9, 7), date(2026, 9, 13)): ("last week", "la semana pasada"),
    (date(2026, 6, 15), ANCHOR): ("the past 3 months",),
    (date(2026, 6, 17), ANCHOR): ("last 90 days",),
    (date(2025, 6, 1), date(2025, 8, 31)): ("summer 2025",),
    (date(2025, 9, 1), date(2025, 11, 30)): ("last fall",),
    (date(2024, 12, 1), date(2025, 2, 28)): ("winter of 2024",),
    (date(2026, 7, 1), date(2026, 9, 30)): ("Q3 2026",),
}  # fmt: skip
NO_DATES = (
    "BP 120/80", "Humulin 70/30", "1500 mg daily", "metformin 1000 mg twice daily", "pain 7/10", "1/2 tablet",
    "5/10 mg", "BMI 32.1", "A1c 7.9", "may increase the dose", "he may need insulin", "phone 206-555-0142",
    "MRN 20991345", "2,000 IU", "CPT 95810", "E11.65", "march in place", "every 3 months", "13/45/2026", "2/30/2026",
    "for 3 weeks", "2000 units", "1 in 4 weeks of the month", "May's weight is stable", "a second fall", "98104-2026",
)  # fmt: skip


def each(table: dict[Any, tuple[str, ...]]) -> Any:
    """Each text of a table with what it is read as."""
    return pytest.mark.parametrize(
        ("text", "meant"), [(text, as_) for as_, texts in table.items() for text in texts]
    )


@each(ONE_DAY)
def test_a_day_is_read_in_every_form(text: str, meant: date) -> None:
    for around in ("{}", "seen {}.", "A1c 7.9 ({}), stable"):
        (found,) = dates_in(around.format(text), ANCHOR)
        assert (found.first, found.last, found.day) == (meant, meant, meant)


@each(SPANS)
def test_a_month_or_year_has_a_first_and_a_last_day(text: str, meant: tuple[date, date]) -> None:
    for around in ("{}", "weight was higher {}, then stable"):
        (found,) = dates_in(around.format(text), ANCHOR)
        assert (found.first, found.last, found.day) == (*meant, None)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("by the 21st", date(2026, 9, 21)),
        ("not the nineteenth, the twenty-first", date(2026, 9, 21)),
        ("on the 9th", date(2026, 10, 9)),
        ("Monday the 5th", date(2026, 10, 5)),
        ("Thanksgiving", date(2026, 11, 26)),
    ],
)
def test_a_day_to_come_is_named_without_its_month(text: str, day: date) -> None:
    assert coming_days(text, ANCHOR)[-1].day == day


@pytest.mark.parametrize(
    "text", ["the first one", "after the second week", "take the third.", "the 5th line"]
)
def test_what_is_counted_is_no_day_to_come(text: str) -> None:
    assert coming_days(text, ANCHOR) == []


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_is_not_read_as_one(text: str) -> None:
    assert dates_in(text, ANCHOR) == []


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("9/4/26", date(2026, 4, 9)),
        ("3/5/2026", date(2026, 5, 3)),
        ("Sep 26", date(2026, 9, 1)),
        ("5/26", date(2026, 5, 1)),
    ],
)
def test_an_ambiguous_date_says_so(text: str, other: date) -> None:
    (found,) = dates_in(text, ANCHOR)
    assert found.other is not None
    assert found.other[0] == other


@pytest.mark.parametrize(
    "text", ["2026-09-04", "9/14/26", "4 Sep 2026", "Sept. 4, 2026", "September 2026", "9/9/2026"]
)
def test_a_plain_date_is_not_ambiguous(text: str) -> None:
    (found,) = dates_in(text, ANCHOR)
    assert found.other is None


def test_a_range_gives_both_ends_and_the_first_takes_the_year_of_the_second() -> None:
    text = "metformin from March 1 to May 30, 2025"
    assert [found.day for found in dates_in(text, ANCHOR)] == [date(2025, 3, 1), date(2025, 5, 30)]
    joined = dates_in("program 05/04/2026-07/27/2026", ANCHOR)
    assert [found.day for found in joined] == [date(2026, 5, 4), date(2026, 7, 27)]
    months = dates_in("Nov to Jan 2025", ANCHOR)
    assert [found.first for found in months] == [date(2024, 11, 1), date(2025, 1, 1)]


def test_a_day_that_never_is_can_be_asked_for() -> None:
    assert [one.first for one in dates_in("on 2/30/2026", ANCHOR, impossible=True)] == [date.min]


def test_without_an_anchor_only_what_says_its_year_is_read() -> None:
    assert [one.day for one in dates_in("9/4/26, in June, 3 weeks ago, 9/5", None)] == [SEP_4]


def test_what_is_counted_from_the_anchor_says_in_which_unit() -> None:
    assert [(one.relative, one.unit) for one in dates_in("3 weeks ago, on 9/4/2026", ANCHOR)] == [
        (True, "week"),
        (False, ""),
    ]


def test_the_words_stand_where_the_span_says() -> None:
    text = "A1c 7.9 on Sept. 4, 2026; 8.4 in June"
    assert [text[found.start : found.end] for found in dates_in(text, ANCHOR)] == ["Sept. 4, 2026", "June"]


@pytest.mark.slow
@given(st.dates(date(1930, 1, 1), date(2049, 12, 31)))
def test_every_day_is_read_back_from_every_style(day: date) -> None:
    styles = ("%Y-%m-%d", "%m/%d/%Y", "%d-%b-%Y", "%b %d, %Y", "%B %d %Y", "%d %B %Y", "%d%b%Y")
    assert {read_date(day.strftime(style), ANCHOR) for style in styles} == {day}


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    for found in dates_in(text, ANCHOR):
        assert 0 <= found.start < found.end <= len(text)
        assert found.first <= found.last
