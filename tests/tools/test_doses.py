"""Claims about doses: what is taken now, what is ordered, and what the label allows for the use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data_gen.catalog_loader import CATALOG, load_catalog, our_catalog
from tests.judging import Claim, claims, criterion, found
from tools.common.errors import Invalid
from tools.domain.records import Patient, Request
from tools.domain.rules import Use
from tools.engine.label import dose_finding, is_label_dose
from tools.engine.request import complete_request, for_use

METFORMIN = "{taking: metformin, min_dose: 500, max_dose: 1000}"
WITHIN = Use(id="use", uses=("t2dm",), label="type 2 diabetes", max_dose=1.0)


def metformin(*doses: str, since: str = "2026-01-01") -> str:
    """A chart of a course of each of these doses."""
    return f"medications: [{', '.join(f'{{drug: metformin, start: {since}, {dose}}}' for dose in doses)}]"


@claims(
    *[
        Claim(f"the dose taken now is compared in mg per dose: {dose}", METFORMIN, metformin(dose), answer)
        for dose, answer in {
            "dose: 499, dose_unit: mg": "not_met",
            "dose: 500, dose_unit: mg": "met",
            "dose: 1.0, dose_unit: g": "met",
            "dose: 1.001, dose_unit: g": "not_met",
            "dose_unit: mg": "unknown",
            "dose: '500'": "unknown",
            "dose: 10, dose_unit: '[iU]'": "unknown",
        }.items()
    ],
    Claim("another dose that is past does not show today's", METFORMIN,
          metformin("dose: 500, end: 2026-03-01", "dose: 250"), "not_met"),
    Claim("an unknown dose is asked for, and a short course beside it does not fail",
          "{taking: metformin, min_dose: 500, max_dose: 1000, days: 90}",
          "medications: ['metformin 500 mg since 2026-08-01', 'metformin since 2026-01-01']", "unknown",
          "Document the dose of metformin"),
)  # fmt: skip
def test_the_dose_that_is_taken(claim: Claim) -> None:
    claim.holds()


@pytest.mark.parametrize(("dose", "expected"), [(1.0, "met"), (1.5, "not_met"), (None, "unknown")])
def test_the_dose_ordered_is_held_against_the_ceiling(dose: Any, expected: str) -> None:
    finding = found(WITHIN, dose=dose, strength=f"{dose} mg" if dose else "", indication="t2dm")
    assert finding.status == expected
    assert expected == "met" or "Ask the prescriber about the dose" in (finding.fix or "")


def test_another_use_is_another_use_at_any_dose() -> None:
    assert found(WITHIN, dose=1.0, indication="weight").status == "not_met"


def test_a_dose_below_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="min_dose: Expected `float` >= 0"):
        criterion("{taking: metformin, min_dose: -5}")


# --- the label ---------------------------------------------------------------------------------------------

DRUGS = our_catalog().drugs


def asked(drug: str, use: str, strength: str = "", kind: Any = "new") -> Request:
    request = Request(drug=drug, strength=strength, indication=use, kind=kind)
    return complete_request(Patient(id="P001", medications=()), DRUGS[drug], request)


@pytest.mark.parametrize(
    ("drug", "use", "strength", "kind", "question"),
    [
        ("Farxiga", "ckd", "5 mg", "new", True),
        ("Farxiga", "hf", "5 mg", "new", True),
        ("Farxiga", "hf", "10 mg", "new", False),
        ("Farxiga", "t2dm", "5 mg", "renewal", False),
        ("Jardiance", "ckd", "25 mg", "new", True),
        ("Zepbound", "osa", "5 mg", "new", False),
        ("Zepbound", "osa", "5 mg", "renewal", False),
        ("Zepbound", "weight", "5 mg", "renewal", False),
        ("Wegovy", "weight", "0.25 mg", "new", False),
        ("Wegovy", "cv", "1 mg", "renewal", False),
        ("Januvia", "t2dm", "25 mg", "new", False),
    ],
)
def test_the_dose_ordered_is_held_against_the_label_for_the_use(
    drug: str, use: str, strength: str, kind: Any, question: bool
) -> None:
    request = asked(drug, use, strength, kind)
    finding = dose_finding(request)
    assert (finding is not None) is question is not is_label_dose(request)
    if finding is not None:
        assert (finding.status, finding.reason, finding.criterion) == ("unknown", "ambiguous", "label_dose")
        assert (finding.fix or "").startswith("Ask the prescriber about the dose")


def test_every_drug_of_ours_has_doses_for_each_use_and_begins_at_one_of_them() -> None:
    for drug in DRUGS.values():
        for label in drug.indications:
            assert label.doses, (drug.name, label.key)
            assert drug.starting_package(label.key).dose in (*label.doses, *label.starting_doses)


def test_a_strength_that_nobody_named_is_that_of_the_use() -> None:
    assert asked("Farxiga", "ckd").strength == "10 mg"
    tried = asked("Farxiga", "")
    strengths = tried.strength, for_use(tried, "ckd").strength, for_use(tried, "t2dm").strength
    assert strengths == ("5 mg", "10 mg", "5 mg")
    named = asked("Farxiga", "", "5 mg")
    assert for_use(named, "ckd").strength == "5 mg"


def test_a_dose_that_the_drug_does_not_come_in_is_refused_with_its_line(tmp_path: Path) -> None:
    text = (CATALOG / "drugs.yaml").read_text().replace("doses: [10, 15]", "doses: [10, 16]")
    (tmp_path / "drugs.yaml").write_text(text)
    with pytest.raises(Invalid, match="unknown dose of Zepbound for osa '16'"):
        load_catalog(tmp_path)


def test_nothing_is_held_against_a_strength_that_nobody_named() -> None:
    assert dose_finding(asked("Farxiga", "ckd")) is None
    assert dose_finding(asked("Farxiga", "ckd", "5 mg")) is not None
    assert dose_finding(asked("Wegovy", "weight", "0.25 mg", "renewal")) is None  # on the label's way
