"""Claims about brands and ingredients: which product is charted, and whether it is the one asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.judging import OZEMPIC, Claim, chart, claims, criterion, found, status
from tools.evidence.products import goes_by_ingredient, is_product

DUPLICATE = criterion("none_of: [taking: any glp1]")
ON_IT = "on_drug: 3 months"
OF_WEGOVY = "{trial: wegovy, days: 90}"


def taken(*drugs: str, since: str = "2026-01-01") -> str:
    entries = [
        f"{{drug: {drug}, start: {since}, ingredients: [semaglutide], classes: [glp1]}}" for drug in drugs
    ]
    return f"medications: [{', '.join(entries)}]"


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
    (entry,) = chart(taken(name)).medications or ()
    assert is_product(entry, OZEMPIC) is expected
    assert goes_by_ingredient(entry) is (expected is None)
    assert status(DUPLICATE, taken(name)) == {True: "met", False: "not_met", None: "unknown"}[expected]


@claims(
    Claim("a sister brand beside it is a duplicate all the same", DUPLICATE, taken("semaglutide", "Wegovy"), "not_met"),
    Claim("an ingredient that was stopped is no duplicate, whatever brand it was", DUPLICATE,
          "medications: ['semaglutide 2026-01-01 to 2026-03-01']", "met"),
    Claim("months on the drug may stand under its ingredient", ON_IT, taken("semaglutide"), "unknown ambiguous"),
    Claim("stand under its name", ON_IT, taken("Ozempic"), "met"),
    Claim("and not under another's", ON_IT, taken("Wegovy"), "not_met"),
    Claim("if there are enough", ON_IT, taken("semaglutide", since="2026-08-01"), "not_met"),
    Claim("a trial of a brand may stand under its ingredient", OF_WEGOVY, taken("semaglutide"), "unknown ambiguous"),
    Claim("and not under another brand", OF_WEGOVY, taken("Ozempic"), "not_met"),
)  # fmt: skip
def test_a_product_under_the_name_of_its_ingredient(claim: Claim) -> None:
    claim.holds()


def test_both_possibilities_are_named_and_who_can_settle_them() -> None:
    finding = found(DUPLICATE, taken("semaglutide"))
    assert finding.reason == "ambiguous"
    assert finding.detail == "semaglutide may be Ozempic, which is asked for, or Rybelsus or Wegovy"
    assert finding.fix == "Record which product semaglutide is: Ozempic itself, or Rybelsus or Wegovy"


def test_an_answer_for_one_request_is_not_kept_for_another() -> None:
    patient, other = chart(taken("semaglutide")), {"drug": "Mounjaro", "ingredients": ("tirzepatide",)}
    assert status(DUPLICATE, patient, **other) == "not_met"
    assert status(DUPLICATE, patient) == "unknown"
    assert status(DUPLICATE, patient, **other) == "not_met"
