"""Claims about how the days of a trial are counted: gaps, fills, drugs in a row and at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from tools.criteria import judge
from tools.errors import Invalid
from tools.records import Fill, Finding, Medication, Patient, Request
from tools.rulebook.located import parse_yaml
from tools.rulebook.rule_yaml import Reader
from tools.rules import Node, Trial

AS_OF = date(2026, 9, 1)
METFORMIN = Trial(id="trial", label="metformin", drugs=("metformin",), min_days=90)


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def course(
    drug: str, first: int, last: int | None, outcome: Any = "Inadequate response", **more: Any
) -> Medication:
    """A course from so many days ago to so many days ago, or going on."""
    return Medication(
        id=f"{drug}-{first}",
        drug=drug,
        ingredients=(drug,),
        classes=(CLASSES[drug],),
        start=ago(first),
        end=None if last is None else ago(last),
        status="active" if last is None else "stopped",
        outcome=outcome,
        **more,
    )


CLASSES = {"metformin": "biguanide", "glipizide": "sulfonylurea", "glimepiride": "sulfonylurea"}


def fill(drug: str, day: int, supply: int = 30) -> Fill:
    return Fill(
        id=f"fill-{drug}-{day}",
        drug=drug,
        ingredients=(drug,),
        classes=(CLASSES[drug],),
        date=ago(day),
        days_supply=supply,
    )


def found(node: Node, *taken: Medication, fills: tuple[Fill, ...] = ()) -> Finding:
    chart = Patient(id="P001", birth_date=date(1970, 1, 1), medications=taken, fills=fills)
    return judge(node, chart, Request(drug="Ozempic"), AS_OF)


def status(node: Node, *taken: Medication, fills: tuple[Fill, ...] = ()) -> str:
    return found(node, *taken, fills=fills).status


def but(**changes: Any) -> Trial:
    return msgspec.structs.replace(METFORMIN, **changes)


def read(text: str) -> Node:
    found = parse_yaml(text, "own")
    return Reader().node(found, found.place)


# --- gaps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "expected"), [(6, "not_met"), (7, "met"), (8, "met")])
def test_what_follows_within_the_gap_goes_on_with_the_course(gap: int, expected: str) -> None:
    parts = course("metformin", 200, 150), course("metformin", 143, 100)
    assert status(but(gap_days=gap), *parts) == expected


@pytest.mark.parametrize(("next_day", "expected"), [(150, "met"), (149, "met"), (148, "not_met")])
def test_by_default_nothing_is_bridged_but_the_next_day(next_day: int, expected: str) -> None:
    parts = course("metformin", 200, 150), course("metformin", next_day, 100)
    assert status(METFORMIN, *parts) == expected


def test_a_part_that_begins_before_the_one_before_it_ended_is_of_the_same_course() -> None:
    parts = course("metformin", 200, 150), course("metformin", 170, 100)
    assert status(METFORMIN, *parts) == "met"
    inside = course("metformin", 200, 100), course("metformin", 170, 150)
    assert "metformin for 100 days" in found(METFORMIN, *inside).detail


def test_a_gap_is_not_bridged_to_another_drug() -> None:
    node = but(drugs=(), classes=("sulfonylurea",), gap_days=30)
    assert status(node, course("glipizide", 200, 150), course("glimepiride", 149, 104)) == "not_met"


def test_a_negative_gap_is_refused_with_its_line() -> None:
    with pytest.raises(Invalid, match=r"own:1: gap_days: Expected `int` >= 0"):
        read("{trial: metformin, days: 90, gap_days: -1}")
