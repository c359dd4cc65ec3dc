"""Claims about doses: what is taken now, what is ordered, and what the label allows for the use."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from data_gen.catalog_loader import CATALOG, load_catalog, our_catalog
from tests.judging import evaluate_chart
from tools.common.errors import Invalid
from tools.domain.records import Finding, Medication, Patient, Request
from tools.domain.rules import Node, Taking, Use
from tools.engine.label import dose_finding, is_label_dose
from tools.engine.request import complete_request, for_use
from tools.rulebook.located import parse_yaml
from tools.rulebook.rule_yaml import Reader

AS_OF = date(2026, 9, 1)
METFORMIN = Taking(id="now", label="metformin", drugs=("metformin",), min_dose=500.0, max_dose=1000.0)
WITHIN = Use(id="use", uses=("t2dm",), label="type 2 diabetes", max_dose=1.0)


def metformin(dose: float | None, unit: str | None = "mg", **more: Any) -> Medication:
    fields: dict[str, Any] = {"start": date(2026, 1, 1), "status": "active", **more}
    return Medication(
        id="med-1", drug="metformin", ingredients=("metformin",), dose=dose, dose_unit=unit, **fields
    )


def found(node: Node, *taken: Medication, **request: Any) -> Finding:
    asked = msgspec.structs.replace(Request(drug="Ozempic", indication="t2dm"), **request)
    return evaluate_chart(node, Patient(id="P001", medications=taken), asked, AS_OF)


@pytest.mark.parametrize(
    ("dose", "unit", "expected"),
    [
        (499.0, "mg", "not_met"),
        (500.0, "mg", "met"),
        (1.0, "g", "met"),
        (1.001, "g", "not_met"),
        (None, "mg", "unknown"),
        (500.0, None, "unknown"),
        (10.0, "[iU]", "unknown"),
    ],
)
def test_the_dose_taken_now_is_compared_in_mg_per_dose(dose: Any, unit: Any, expected: str) -> None:
    assert found(METFORMIN, metformin(dose, unit)).status == expected


def test_another_dose_that_is_past_does_not_show_the_dose_of_today() -> None:
    past = metformin(500.0, status="stopped", end=date(2026, 3, 1))
    assert found(METFORMIN, past, metformin(250.0)).status == "not_met"


def test_an_unknown_dose_is_asked_for_and_a_short_course_beside_it_does_not_fail() -> None:
    node = msgspec.structs.replace(METFORMIN, min_days=90)
    short = metformin(500.0, start=date(2026, 8, 1))
    finding = found(node, short, metformin(None))
    assert (finding.status, finding.fix) == ("unknown", "Document the dose of metformin")


@pytest.mark.parametrize(("dose", "expected"), [(1.0, "met"), (1.5, "not_met"), (None, "unknown")])
def test_the_dose_ordered_is_held_against_the_ceiling(dose: Any, expected: str) -> None:
    finding = found(WITHIN, dose=dose, strength=f"{dose} mg" if dose else "")
    assert finding.status == expected
    assert expected == "met" or "Ask the prescriber about the dose" in (finding.fix or "")


def test_another_use_is_another_use_at_any_dose() -> None:
    assert found(WITHIN, dose=1.0, indication="weight").status == "not_met"


def test_a_dose_below_nothing_is_refused() -> None:
    written = parse_yaml("{taking: metformin, min_dose: -5}", "own")
    with pytest.raises(Invalid, match="min_dose: Expected `float` >= 0"):
        Reader().node(written, written.place)


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
    assert (tried.strength, for_use(tried, "ckd").strength, for_use(tried, "t2dm").strength) == (
        "5 mg",
        "10 mg",
        "5 mg",
    )
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
