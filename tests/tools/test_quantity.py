"""Claims about how much is asked for: rates, starting strengths, years and lifetimes, and what was had before."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from data_gen.catalog_loader import our_catalog
from tools.common.errors import Invalid
from tools.domain.records import Benefit, Fill, Finding, Medication, Order, Patient, Request
from tools.domain.rules import AllOf, Limits, QuantityLimit, Rule, StartingLimit, SupplyLimit
from tools.engine.history import history_of_strength
from tools.engine.quantity import Quantity, quantity_finding, quantity_status
from tools.engine.request import check_amounts, complete_request
from tools.rulebook.limits_yaml import read_limits
from tools.rulebook.located import parse_yaml
from tools.terminology.medicines import ndc11

AS_OF = date(2026, 9, 1)
MOUNJARO = our_catalog().drugs["Mounjaro"]
RATE = QuantityLimit(quantity=2, unit="mL", days=28, clause_id="3.1")
START = StartingLimit(days=28, clause_id="3.2")
CELL = Benefit(drug="Mounjaro", covered=True, quantity_limit=RATE, starting_limits={"2.5 mg": START})


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def taken(first: int, last: int | None, dose: float | None = 2.5, **more: Any) -> Medication:
    fields = {"drug": "Mounjaro", "ingredients": ("tirzepatide",), "dose": dose, "dose_unit": "mg"} | more
    end, status = (None, "active") if last is None else (ago(last), "stopped")
    return msgspec.convert(
        {"id": f"med-{first}", "start": ago(first), "end": end, "status": status, **fields}, Medication
    )


def fill(day: int, supply: int = 28, **more: Any) -> Fill:
    fields = {"drug": "Mounjaro", "ingredients": ("tirzepatide",), "quantity": 2.0, **more}
    return Fill(id=f"fill-{day}", date=ago(day), days_supply=supply, **fields)


def asked(chart: Patient, cell: Benefit = CELL, rule: Rule | None = None, **request: Any) -> Quantity:
    wanted = Request(drug="Mounjaro", **{"strength": "2.5 mg", **request})
    return Quantity(chart, AS_OF, cell, complete_request(chart, MOUNJARO, wanted), rule)


def found(*had: Medication | Fill, cell: Benefit = CELL, **request: Any) -> Finding:
    """The finding for somebody who has had these courses and fills."""
    courses = tuple(one for one in had if isinstance(one, Medication))
    fills = tuple(one for one in had if isinstance(one, Fill))
    case = asked(Patient(id="P001", medications=courses, fills=fills), cell, **request)
    finding = quantity_finding(case)
    assert finding.status == quantity_status(case)
    return finding


# --- a starting strength ---------------------------------------------------------------------------------


def test_what_was_had_is_shown_and_what_is_left_is_said() -> None:
    finding = found(taken(70, 42), fill(70))
    assert finding.clause is not None and finding.clause.clause_id == "3.2"
    assert {item.record_id for item in finding.evidence} == {"request", "med-70", "fill-70"}
    assert finding.detail == "2 mL per 28 days asked for, after 28 days before, 28 days over the limit"
    assert "for 28 days, of which 0 days are left; order the next strength" in (finding.fix or "")


OWN_NDC, OTHER_NDC = ndc11("0002-1506-80"), "00002999900"


@pytest.mark.parametrize(
    ("had", "request_", "expected"),
    [
        ((), {}, "met"),
        ((taken(28, 0),), {}, "not_met"),
        ((taken(14, None),), {}, "not_met"),
        ((taken(14, None),), {"days_supply": 14, "quantity": 1.0}, "met"),
        ((taken(70, 42),), {"strength": "5 mg"}, "met"),
        # only what is known to be the strength uses up its days
        ((taken(70, 42, dose=5.0),), {}, "met"),
        ((taken(70, 42, source="sample"),), {}, "met"),
        ((taken(70, 42, dose=None),), {}, "unknown"),
        ((taken(70, 42, drug="tirzepatide"),), {}, "unknown"),
        ((taken(70, 42, drug="Zepbound"),), {}, "met"),
        ((fill(60),), {}, "unknown"),
        ((fill(60, ndc=OWN_NDC),), {}, "not_met"),
        ((fill(60, ndc=OTHER_NDC),), {}, "met"),
        ((taken(90, 30, dose=5.0), fill(60)), {}, "met"),
        ((taken(90, 30), fill(60)), {}, "not_met"),
        ((fill(-3, ndc=OWN_NDC),), {}, "met"),
    ],
)
def test_the_days_of_a_starting_strength_are_those_in_all(
    had: tuple[Medication | Fill, ...], request_: dict[str, Any], expected: str
) -> None:
    finding = found(*had, **request_)
    assert finding.status == expected
    assert expected != "unknown" or finding.reason == "ambiguous"


def test_courses_and_fills_of_the_same_days_count_once() -> None:
    request = complete_request(Patient(id="P001"), MOUNJARO, Request(drug="Mounjaro", strength="2.5 mg"))
    chart = Patient(id="P001", medications=(taken(60, 40),), fills=(fill(60, 14, ndc=request.ndc),))
    assert history_of_strength(chart, request, AS_OF).days == 20


# --- a year and a lifetime -------------------------------------------------------------------------------

YEAR = SupplyLimit(quantity=84, unit="day", days=365, clause_id="3.3")
LIFETIME = SupplyLimit(quantity=10, unit="mL", clause_id="3.4")


FOUR = tuple(fill(day) for day in (2000, 1500, 900, 30))


@pytest.mark.parametrize(
    ("limit", "had", "days", "expected"),
    [
        (YEAR, (fill(365), fill(100)), 28, "met"),
        (YEAR, (fill(365), fill(100)), 29, "not_met"),
        (YEAR, (fill(366), fill(365), fill(100)), 28, "met"),
        (YEAR, (taken(100, 43),), 28, "not_met"),
        # a lifetime's units are those that claims count
        (LIFETIME, FOUR, 28, "met"),
        (LIFETIME, (*FOUR, fill(10)), 28, "not_met"),
        (LIFETIME, (fill(900, quantity=None),), 28, "unknown"),
        (LIFETIME, (taken(900, 800),), 28, "unknown"),
    ],
)
def test_what_was_had_before_and_what_is_asked_for_are_counted_together(
    limit: SupplyLimit, had: tuple[Medication | Fill, ...], days: int, expected: str
) -> None:
    cell = Benefit(drug="Mounjaro", covered=True, supply_limits=(limit,))
    finding = found(*had, cell=cell, days_supply=days)
    assert finding.status == expected
    assert expected != "unknown" or finding.reason == "ambiguous"


def test_no_list_and_no_claim_leave_a_limit_of_years_open() -> None:
    cell = Benefit(drug="Mounjaro", covered=True, supply_limits=(YEAR,))
    finding = quantity_finding(asked(Patient(id="P001"), cell))
    assert (finding.status, finding.fix) == ("unknown", "Obtain the medication list")


# --- a rule's own ----------------------------------------------------------------------------------------


def test_a_rule_s_limit_holds_in_place_of_the_benefit_s() -> None:
    own = Limits(quantity=QuantityLimit(quantity=4, unit="mL", days=28, clause_id="3.5"))
    rule = Rule(id="r", indication="t2dm", criteria=AllOf(id="c", children=()), limits=own)
    chart = Patient(id="P001", medications=())
    assert quantity_status(asked(chart, strength="5 mg", quantity=4.0)) == "not_met"
    assert quantity_status(asked(chart, rule=rule, strength="5 mg", quantity=4.0)) == "met"
    assert quantity_status(asked(chart, rule=rule, strength="5 mg", quantity=5.0)) == "not_met"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("quantity_limit: 0 mL per 28 days", "cannot read quantity limit"),
        ("quantity_limit: 3 mL", "cannot read quantity limit"),
        (
            "strength_limits: {2.6 mg: 3 mL per 28 days}",
            "unknown strength of Mounjaro '2.6 mg'; did you mean",
        ),
        ("starting_limits: {2.5 mg: 2 mL}", "cannot read the limit"),
        ("yearly_limit: often", "cannot read the limit"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_with_its_line(said: str, why: str) -> None:
    with pytest.raises(Invalid, match=f"own:1: {why}"):
        read_limits(parse_yaml(said, "own"), MOUNJARO)


# --- amounts that no order can have ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "days"), [(0, None), (-3, None), (5e-324, None), (1e300, None), (None, 0), (None, 10**400)]
)
def test_an_amount_that_cannot_be_is_refused_in_one_line(quantity: Any, days: Any) -> None:
    with pytest.raises(Invalid, match="cannot be; it is at least") as caught:
        check_amounts(quantity, days)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(("quantity", "days"), [(0.0, 28), (-2.0, 28), (5e-324, 28), (2.0, -28)])
def test_an_order_of_such_an_amount_leaves_it_open(quantity: float, days: int) -> None:
    order = Order(id="R1", drug="Mounjaro", strength="5 mg", quantity=quantity, days_supply=days)
    case = asked(Patient(id="P001", medications=(), orders=(order,)), strength="")
    finding = quantity_finding(case)
    assert (finding.status, finding.fix) == ("unknown", "State the quantity and the days' supply")
