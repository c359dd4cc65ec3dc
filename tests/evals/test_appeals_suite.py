"""The suite of denial letters: its labels, and a scorer that fails what must fail."""

from __future__ import annotations

import pytest

from evals.making.makers import make
from evals.scores.rows import Row
from evals.scores.scoring import _appeal
from evals.suites.items import Item


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return make(3, {"appeals": 20}).items


def test_half_of_the_letters_are_mistaken_and_those_alone_are_appealed(items: list[Item]) -> None:
    assert sum(item.kind == "mistaken" for item in items) == 10
    assert all((item.fields["draft"] == "yes") == (item.kind == "mistaken") for item in items)


@pytest.mark.parametrize(
    ("changed", "fails"),
    [
        ({}, set()),
        ({"codes": ["refill_too_soon"]}, {"reason"}),
        ({"deadline": "2030-01-01"}, {"deadline"}),
        ({"steps": ["appeal"]}, {"strategy"}),
        ({"steps": []}, {"strategy"}),
    ],
)
def test_what_is_wrong_fails_and_nothing_else(
    items: list[Item], changed: dict[str, object], fails: set[str]
) -> None:
    item = next(one for one in items if one.kind == "rightly")
    first = item.fields["first"].split("|")[0]
    turn = {
        "codes": item.labels,
        "steps": [first],
        "deadline": item.fields["deadline"],
        "letter": "",
        **changed,
    }
    row = Row(key="k", suite="appeals", arm="engine", item=item.id)
    _appeal(row, item, None, [turn])  # type: ignore[arg-type]  # without a letter no world is looked at
    assert {name for name, holds in row.checks.items() if not holds} == fails
