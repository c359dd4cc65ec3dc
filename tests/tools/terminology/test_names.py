import pytest

from tools.terminology.names import Roster, names_in

ROSTER = Roster(
    [
        ("P001", "Sarah J. Blair"),
        ("P002", "Miguel O'Brien-Santos"),
        ("P003", "Nguyen, Antonio"),
        ("P004", "Sam Blair"),
    ]
)


@pytest.mark.parametrize(
    ("text", "given", "family"),
    [
        ("Seen by Dr. Blair today", "", "Blair"),
        ("Mrs. Blair asks", "", "Blair"),
        ("Ms. Sarah Blair asks", "Sarah", "Blair"),
        ("Sarah J. Blair was seen", "Sarah", "Blair"),
        ("Sarah Blair, MD", "Sarah", "Blair"),
        ("Patient: Blair, Sarah", "Sarah", "Blair"),
        ("Blair, Sarah J.", "Sarah", "Blair"),
        ("Dr. Miguel O'Brien", "Miguel", "O'Brien"),
    ],
)
def test_a_person_is_found_by_title_degree_initial_or_order(text: str, given: str, family: str) -> None:
    (found,) = names_in(text)
    assert (found.given, found.family) == (given, family)


@pytest.mark.parametrize(
    "text", ["Ozempic, Wegovy and Januvia", "Prior authorization is required", "Type 2 diabetes", ""]
)
def test_what_is_no_person_is_not_found_as_one(text: str) -> None:
    assert names_in(text) == []


@pytest.mark.parametrize(
    ("text", "ids", "words"),
    [
        ("can sarah blair get ozempic", ("P001",), "sarah blair"),
        ("Blair, Sarah", ("P001",), "Blair, Sarah"),
        ("SARAH J BLAIR", ("P001",), "SARAH J BLAIR"),
        ("Sarah Jane Blair", ("P001",), "Sarah Jane Blair"),
        ("antonio nguyen's a1c", ("P003",), None),
        ("miguel o'brien-santos", ("P002",), "miguel o'brien-santos"),
        ("mrs. blair", ("P001", "P004"), "mrs. blair"),
    ],
)
def test_the_people_of_a_roster_are_found_in_any_case_and_order(
    text: str, ids: tuple[str, ...], words: str | None
) -> None:
    (found,) = ROSTER.find(text)
    assert found.ids == ids
    assert words is None or text[found.start : found.end] == words


@pytest.mark.parametrize("text", ["sarah nguyen", "blair witch", "sam and antonio", "the sarah house"])
def test_half_a_name_is_nobody(text: str) -> None:
    assert ROSTER.find(text) == []
