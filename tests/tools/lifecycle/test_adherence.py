from __future__ import annotations

from datetime import date

import pytest

from tests import worlds
from tools.domain.records import Fill
from tools.lifecycle.renewals import covered

DRUG = next(drug for drug in worlds.tiny_world().drugs if drug.name == "Ozempic")
JULY, END = date(2026, 7, 1), date(2026, 9, 28)


def fill(day: date, supply: int = 30, drug: str = "Ozempic") -> Fill:
    return Fill(id=f"F-{day}", drug=drug, date=day, days_supply=supply)


@pytest.mark.parametrize(
    ("days", "end", "found"),
    [
        ((date(2026, 7, 1), date(2026, 7, 31), date(2026, 8, 30)), END, (90, 90)),
        ((date(2026, 7, 1), date(2026, 8, 30)), END, (60, 90)),
        (
            (date(2026, 7, 1), date(2026, 7, 21)),
            date(2026, 8, 29),
            (60, 60),
        ),  # collected early, used afterwards
    ],
)
def test_the_days_that_fills_cover_are_counted(
    days: tuple[date, ...], end: date, found: tuple[int, int]
) -> None:
    covers = covered([fill(day) for day in days], DRUG, JULY, end)
    assert covers and (covers.days, covers.of) == found and covers.share == found[0] / found[1]


@pytest.mark.parametrize("fills", [[], [fill(JULY, drug="metformin")], [fill(JULY, drug="Wegovy")]])
def test_no_fill_of_the_very_drug_on_record_is_unknown_and_not_zero(fills: list[Fill]) -> None:
    assert covered(fills, DRUG, JULY, END) is None
