"""Claims about brands and ingredients: which product is charted, and whether it is the one asked for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.judging import evaluate_chart
from tools.domain.records import Fill, Finding, Medication, Patient, Request
from tools.domain.rules import NoneOf, OnDrug, Taking, Trial
from tools.evidence.products import goes_by_ingredient, is_product

AS_OF = date(2026, 9, 1)
OZEMPIC = Request(drug="Ozempic", ingredients=("semaglutide",), classes=("glp1",))
DUPLICATE = NoneOf(id="none", children=(Taking(id="now", label="any GLP-1", classes=("glp1",)),))


def taken(drug: str, **more: Any) -> Medication:
    fields: dict[str, Any] = {"start": date(2026, 1, 1), "status": "active", **more}
    return Medication(id=f"med-{drug}", drug=drug, ingredients=("semaglutide",), classes=("glp1",), **fields)


def found(node: Any, *entries: Medication, fills: tuple[Fill, ...] = ()) -> Finding:
    return evaluate_chart(node, Patient(id="P001", medications=entries, fills=fills), OZEMPIC, AS_OF)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ozempic", True),
        ("OZEMPIC 1 mg pen", True),
        ("Ozempic (semaglutide)", True),
        ("Wegovy", False),
        ("Rybelsus 14 mg", False),
        ("semaglutide", None),
        ("semaglutide 1 mg weekly", None),
    ],
)
def test_a_name_is_the_product_asked_for_another_brand_or_either(name: str, expected: Any) -> None:
    assert is_product(taken(name), OZEMPIC) is expected
    assert goes_by_ingredient(taken(name)) is (expected is None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ozempic 1 mg pen", "met"), ("Wegovy", "not_met"), ("semaglutide 1 mg weekly", "unknown")],
)
def test_what_goes_by_its_ingredient_may_be_the_product_asked_for_or_a_duplicate(
    name: str, expected: str
) -> None:
    assert found(DUPLICATE, taken(name)).status == expected


def test_both_possibilities_are_named_and_who_can_settle_them() -> None:
    finding = found(DUPLICATE, taken("semaglutide"))
    assert finding.reason == "ambiguous"
    assert finding.detail == "semaglutide may be Ozempic, which is asked for, or Rybelsus or Wegovy"
    assert finding.fix == "Record which product semaglutide is: Ozempic itself, or Rybelsus or Wegovy"


def test_a_sister_brand_beside_it_is_a_duplicate_all_the_same() -> None:
    assert found(DUPLICATE, taken("semaglutide"), taken("Wegovy")).status == "not_met"


def test_an_ingredient_that_was_stopped_is_no_duplicate_whatever_brand_it_was() -> None:
    stopped = taken("semaglutide", end=date(2026, 3, 1), status="stopped")
    assert found(DUPLICATE, stopped).status == "met"


def test_months_on_the_drug_may_stand_under_its_ingredient() -> None:
    node = OnDrug(id="on", min_months=3)
    assert found(node, taken("semaglutide")).reason == "ambiguous"
    assert found(node, taken("Ozempic")).status == "met"
    assert found(node, taken("Wegovy")).status == "not_met"
    assert found(node, taken("semaglutide", start=date(2026, 8, 1))).status == "not_met"


def test_a_trial_of_a_brand_may_stand_under_its_ingredient() -> None:
    node = Trial(id="t", label="Wegovy", drugs=("wegovy",), min_days=90)
    assert found(node, taken("semaglutide")).reason == "ambiguous"
    assert found(node, taken("Ozempic")).status == "not_met"


def test_an_answer_for_one_request_is_not_kept_for_another() -> None:
    chart = Patient(id="P001", medications=(taken("semaglutide"),))
    other = Request(drug="Mounjaro", ingredients=("tirzepatide",), classes=("glp1",))
    assert evaluate_chart(DUPLICATE, chart, other, AS_OF).status == "not_met"
    assert evaluate_chart(DUPLICATE, chart, OZEMPIC, AS_OF).status == "unknown"
    assert evaluate_chart(DUPLICATE, chart, other, AS_OF).status == "not_met"
