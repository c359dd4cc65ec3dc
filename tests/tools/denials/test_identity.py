from __future__ import annotations

from datetime import date

import pytest

from tools.common.errors import Refused
from tools.denials.identity import compare, require_same, same_name
from tools.denials.reader import read_letter
from tools.domain.records import Coverage, Patient

ADA = Patient(
    id="P009",
    given="Ada",
    family="Quill-Moreno",
    birth_date=date(1970, 1, 2),
    coverages=(Coverage(id="V1", plan_id="X", member_id="HMI-2210-77"),),
)


@pytest.mark.parametrize(
    "other",
    [
        "ADA QUILL-MORENO",
        "Quill-Moreno, Ada",
        "Ada M. Quill-Moreno",
        "Mrs. Ada Quill Moreno",
        "A. Quill-Moreno",
        "Ada",
        "Mr. Moreno",
    ],
)
def test_a_name_is_the_same_however_it_is_written(other: str) -> None:
    assert same_name("Ada Quill-Moreno", other)


@pytest.mark.parametrize("other", ["Ada Quinn", "Adam Quill-Moreno", "Bea Quill-Moreno", "Moreno Blake", ""])
def test_another_name_differs(other: str) -> None:
    assert not same_name("Ada Quill-Moreno", other)


def test_accents_do_not_matter() -> None:
    assert same_name("José Peña", "JOSE PENA")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("Member: Bea Stone   Member ID: HMI-2210-77", "name"),
        ("Member: Ada Quill-Moreno   Member ID: HMI-9999-11", "member id"),
        ("Member: Ada Quill-Moreno   Date of birth: 01/03/1970", "birth date"),
    ],
)
def test_a_letter_about_somebody_else_is_refused(line: str, what: str) -> None:
    read = read_letter(
        f"Harvest Mutual\nMarch 2, 2026\n{line}\nDrug: Ozempic\nDenied. Metformin was not tried."
    )
    with pytest.raises(Refused, match=f"its {what} is"):
        require_same(read, ADA)


def test_an_unknown_is_said_and_not_assumed() -> None:
    read = read_letter(
        "Harvest Mutual\nMarch 2, 2026\nMember: Ada Quill-Moreno\nDenied. Metformin was not tried."
    )
    assert [one.agreement for one in compare(read, ADA)] == ["same", "unknown", "unknown"]
    assert require_same(read, ADA)


def test_a_letter_that_names_nobody_is_refused() -> None:
    with pytest.raises(Refused, match="no name"):
        require_same(read_letter("We denied the request. Metformin was not tried."), ADA)
