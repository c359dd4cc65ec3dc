from __future__ import annotations

from datetime import date

from tests import worlds
from tools.domain.records import Fill
from tools.lifecycle.renewals import covered

DRUG = next(drug for drug in worlds.tiny_world().drugs if drug.name == "Ozempic")
JULY, END = date(2026, 7, 1), date(2026, 9, 28)


def fill(day: date, supply: int = 30, drug: str = "Ozempic") -> Fill:
    return Fill(id=f"F-{day}", drug=drug, date=day, days_supply=supply)


def test_three_fills_on_time_cover_every_day() -> None:
    found = covered(
        [fill(date(2026, 7, 1)), fill(date(2026, 7, 31)), fill(date(2026, 8, 30))], DRUG, JULY, END
    )
    assert found and (found.days, found.of, found.share) == (90, 90, 1.0)


def test_a_gap_is_not_covered() -> None:
    found = covered([fill(date(2026, 7, 1)), fill(date(2026, 8, 30))], DRUG, JULY, END)
    assert found and (found.days, found.of) == (60, 90)


def test_what_is_collected_early_is_used_afterwards() -> None:
    found = covered([fill(date(2026, 7, 1)), fill(date(2026, 7, 21))], DRUG, JULY, date(2026, 8, 29))
    assert found and (found.days, found.of, found.last_until) == (60, 60, date(2026, 8, 29))


def test_no_fill_on_record_is_unknown_and_not_zero() -> None:
    assert covered([], DRUG, JULY, END) is None
    assert covered([fill(JULY, drug="metformin")], DRUG, JULY, END) is None


def test_another_brand_of_the_same_ingredient_does_not_count() -> None:
    assert covered([fill(JULY, drug="Wegovy")], DRUG, JULY, END) is None
