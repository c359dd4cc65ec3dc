from __future__ import annotations

from datetime import date

import pytest

from agent.verification.codes import codes
from agent.verification.dates import days
from agent.verification.drugs import Lexicon
from agent.verification.names import citations, names
from agent.verification.text import sentences

AS_OF = date(2026, 9, 1)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("in April 2024", date(2024, 4, 30), date(2024, 5, 1)),
        ("last March", date(2026, 3, 2), date(2025, 3, 2)),
        ("last October", date(2025, 10, 5), date(2026, 10, 5)),
        ("three months ago", date(2026, 6, 3), date(2026, 7, 15)),
        ("in 2023", date(2023, 1, 1), date(2024, 1, 1)),
    ],
)
def test_a_span_of_days(text: str, inside: date, outside: date) -> None:
    (day,) = days(text, AS_OF)
    assert day.has(inside) and not day.has(outside)


def test_a_day_that_does_not_exist_is_never_so() -> None:
    (day,) = days("February 30, 2026", AS_OF)
    assert not day.has(date(2026, 3, 2))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(E11.22)", "E11.22"), ("NPI 2909261192", "2909261192"), ("clause § 1(a)(3)", "1(a)(3)"),
        ("criterion A1e", "a1e"),
        ("BLUESTEM-PPO-OZEMPIC", "BLUESTEM-PPO-OZEMPIC"), ("member ID BLU014710886", "BLU014710886"),
        ("NDC 0169-4181-13", "0169-4181-13"),
    ],
)  # fmt: skip
def test_codes(text: str, value: str) -> None:
    assert value.casefold() in [c.value.casefold() for c in codes(text)]


def test_an_a1c_is_no_clause() -> None:
    assert codes("an A1c of 8.4 by GLP-1") == []


@pytest.mark.parametrize(
    ("text", "name", "form"),
    [
        ("metformin ER", "metformin", "ER"),
        ("extended-release metformin", "metformin", "ER"),
        ("semaglutid", "semaglutide", ""),
        ("HCTZ", "hydrochlorothiazide", ""),
    ],
)
def test_drugs_by_any_name(text: str, name: str, form: str) -> None:
    assert [(d.name, d.release) for d in Lexicon().drugs(text)] == [(name, form)]


def test_ordinary_words_are_no_drugs() -> None:
    assert Lexicon().drugs("A diabetic person was selected; the section on insurance is missing.") == []


def test_names_and_citations() -> None:
    assert [n.words for n in names("My patient, Walter McBride, was seen by Dr. Howard.")] == [
        ("Walter", "McBride"),
        ("Howard",),
    ]
    assert names("Prior Authorization for Type 2 Diabetes") == []
    assert [c.kind for c in citations("SUSTAIN-6, N Engl J Med 2016;375:1834, and the ADA.")] == [
        "trial",
        "journal",
        "society",
    ]


def test_a_wrapped_line_goes_on_and_abbreviations_end_nothing() -> None:
    text = "Dr. Smith saw Mr. Nguyen on Aug. 17, 2026, and found that the value was\nabove goal. He agreed.\n- an item"
    assert [text[s.start : s.end].split()[0] for s in sentences(text)] == ["Dr.", "He", "-"]


def test_a_quotation_goes_on_over_lines() -> None:
    text = "§ 2  “No dialysis or end-stage renal disease is on the list (ICD-10\ncodes: N18.6;\nZ99.2).”\nEnclosures"
    assert [text[s.start : s.end].split()[0] for s in sentences(text)] == ["§", "Enclosures"]
