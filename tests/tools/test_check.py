from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import worlds
from tools.common.errors import Invalid, NotFound, Unavailable
from tools.domain.records import Coverage, Observation, Order, Patient, Request
from tools.queries import check
from tools.store import Store


def test_what_is_left_out_is_filled_in(tiny: Store) -> None:
    asked = check.ask(tiny, "P001", Request(drug="ozempic"))
    assert (asked.plan.id, asked.drug.name, asked.as_of) == ("CASCADE-GOLD", "Ozempic", worlds.AS_OF)
    assert (asked.request.strength, asked.request.quantity, asked.request.days_supply) == ("1 mg", 3, 28)


def test_the_charts_own_order_comes_before_the_label(tiny: Store) -> None:
    order = Order(id="ord-1", drug="Ozempic", strength="1 mg", quantity=6, days_supply=56)
    worlds.imported(tiny, chart(orders=(order,)))
    asked = check.ask(tiny, IMPORTED, Request(drug="Ozempic"))
    assert (asked.request.quantity, asked.request.days_supply, asked.request.order_id) == (6, 56, "ord-1")


def test_a_request_comes_before_the_order(tiny: Store) -> None:
    found = check.check(tiny, "P001", "Ozempic", quantity=9, days_supply=28)
    assert found.outcome == "quantity_exception"


def test_an_imported_chart_is_judged_on_its_own_day(tiny: Store) -> None:
    worlds.imported(tiny, chart(as_of=date(2025, 3, 1)))
    assert check.check(tiny, IMPORTED, "Ozempic").as_of == date(2025, 3, 1)
    assert check.check(tiny, IMPORTED, "Ozempic", as_of=date(2026, 9, 1)).as_of == date(2026, 9, 1)


def test_an_imported_chart_without_a_day_is_judged_on_that_of_the_door(tiny: Store) -> None:
    worlds.imported(tiny, chart(as_of=None))
    with pytest.raises(Invalid, match="no day is named"):
        check.check(tiny, IMPORTED, "Ozempic")
    tiny.today = lambda: date(2026, 10, 1)
    assert check.check(tiny, IMPORTED, "Ozempic").as_of == date(2026, 10, 1)
    assert check.check(tiny, "P001", "Ozempic").as_of == worlds.AS_OF


def test_a_value_of_a_later_day_is_listed_as_ignored(tiny: Store) -> None:
    later = Observation(id="late", test="hba1c", value=7.9, unit="%", date=date(2026, 12, 3))
    known = worlds.p001().observations
    worlds.imported(tiny, chart(observations=(*known, later)))
    found = check.check(tiny, IMPORTED, "Ozempic", as_of=date(2026, 11, 30))
    assert [(seen.record_id, seen.value) for seen in found.ignored] == [("late", 7.9)]
    assert check.check(tiny, IMPORTED, "Ozempic", as_of=date(2026, 12, 3)).ignored == ()


def test_without_a_plan_on_file_the_newest_enrolment_is_asked(tiny: Store) -> None:
    old = Coverage(id="c1", plan_id="GONE", start=date(2020, 1, 1), end=date(2024, 12, 31))
    new = Coverage(id="c2", plan_id="CASCADE-GOLD", start=date(2025, 1, 1))
    worlds.imported(tiny, chart(plan_id="", coverages=(new, old)))
    assert check.check(tiny, IMPORTED, "Ozempic").plan_id == "CASCADE-GOLD"


def test_a_patient_without_any_plan_needs_one_named(tiny: Store) -> None:
    worlds.imported(tiny, chart(plan_id="", coverages=()))
    with pytest.raises(Invalid, match="no plan on file; name the plan"):
        check.check(tiny, IMPORTED, "Ozempic")
    assert check.check(tiny, IMPORTED, "Ozempic", plan_id="CASCADE-GOLD").outcome == "wrong_plan"


@pytest.mark.parametrize("strength", ["1 mg", "1mg", "1 MG"])
def test_a_strength_is_known_however_it_is_spaced(tiny: Store, strength: str) -> None:
    asked = check.ask(tiny, "P001", Request(drug="Ozempic", strength=strength))
    assert asked.request.strength == "1 mg"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"strength": "3 mg"}, "no strength of Ozempic '3 mg'"),
        ({"indication": "gout"}, "no indication 'gout'"),
        ({"kind": "old"}, "no kind of request 'old'"),
        ({"quantity": 0}, "a quantity of 0 cannot be"),
        ({"quantity": float("nan")}, "cannot be"),
        ({"days_supply": -28}, "a days' supply of -28 cannot be"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(tiny: Store, given: dict[str, Any], says: str) -> None:
    with pytest.raises((NotFound, Invalid), match=says):
        check.check(tiny, "P001", "Ozempic", **given)


def test_in_an_empty_store_nobody_is_missing_but_the_world(tmp_path: Path) -> None:
    store = Store.create(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(Unavailable, match="pa setup"):
        check.check(store, "P001", "Ozempic")


IMPORTED = "P900001"


def chart(**changes: Any) -> Patient:
    imported = {"id": "", "source": "fhir:1", "as_of": worlds.AS_OF}
    return msgspec.structs.replace(worlds.p001(), **imported | changes)
