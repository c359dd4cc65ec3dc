"""Planted cases are what their labels say, by the engine's own verdict."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest

from data_gen.cases import OUTCOMES, Label, Planter, slots
from data_gen.catalog_loader import our_catalog
from data_gen.setting import AS_OF, Setting
from data_gen.sketch import Sketch
from data_gen.wanted import Infeasible, wants
from data_gen.world import Maker, Span
from tools.determine import complete_request, determine
from tools.documents import walk
from tools.records import Determination, Patient, Request
from tools.rules import Age, AnyOf, Condition, Lab, Trial


@cache
def block(number: int) -> tuple[dict[str, Patient], list[Label]]:
    text = Maker(our_catalog(), 42, AS_OF, "jsonl").text(Span(number * 1000, number * 1000 + 1000))
    patients = [msgspec.json.decode(line, type=Patient) for line in text.patients.split(b"\n")]
    labels = [msgspec.json.decode(line, type=Label) for line in text.labels.splitlines()]
    return {patient.id: patient for patient in patients}, labels


def verdict(patient: Patient, label: Label) -> Determination:
    catalog = our_catalog()
    request = complete_request(patient, catalog.drugs[label.drug], Request(drug=label.drug))
    return determine(patient, catalog.plans[label.plan_id], request, AS_OF)


@pytest.mark.parametrize("number", [0, 1, 7])
def test_every_label_is_what_the_engine_says(number: int) -> None:
    patients, labels = block(number)
    wrong = {}
    for label in labels:
        case = verdict(patients[label.patient_id], label)
        found = {finding.criterion: finding.status for finding in walk(case.findings)}
        differs = {key: found[key] for key, status in label.truth.items() if found.get(key, status) != status}
        if case.outcome != label.outcome or differs:
            wrong[label.patient_id] = (label.kind, label.why, case.outcome, differs)
    assert wrong == {}


def test_a_label_s_truth_names_criteria_that_the_engine_judged() -> None:
    patients, labels = block(0)
    for label in labels:
        if label.kind in ("ready", "renewing", "one_document_away", "not_met", "excluded"):
            judged = {
                finding.criterion for finding in walk(verdict(patients[label.patient_id], label).findings)
            }
            assert set(label.truth) <= judged, label


def test_the_first_thousand_hold_every_kind_of_every_cell() -> None:
    _, labels = block(0)
    planted = {(label.plan_id, label.drug, label.kind) for label in labels}
    wanted = {(slot.plan.id, slot.benefit.drug, slot.kind) for slot in slots(our_catalog().plans.values())}
    assert wanted <= planted
    assert {(plan, drug) for plan, drug, _ in planted} == {
        (plan.id, drug) for plan in our_catalog().plans.values() for drug in our_catalog().drugs
    }


def test_the_first_twenty_hold_all_seven_outcomes() -> None:
    _, labels = block(0)
    first = {label.outcome for label in labels if int(label.patient_id[1:]) <= 20}
    assert first == set(OUTCOMES.values())
    assert len(first) == 7


def test_who_is_planted_depends_on_the_index_alone() -> None:
    planter = Planter(Setting(our_catalog().plans, our_catalog().drugs))
    _, labels = block(7)
    assert {int(label.patient_id[1:]) - 1 for label in labels} == {
        index for index in range(7000, 8000) if planter.is_planted(index)
    }


def test_p001_is_a_ready_case_with_a_past() -> None:
    patients, labels = block(0)
    first, label = patients["P001"], labels[0]
    assert (label.patient_id, label.drug, label.outcome) == ("P001", "Ozempic", "ready")
    plan = our_catalog().plans[first.plan_id]
    assert plan.channel == "fax" and plan.benefits["Ozempic"].pa_required
    assert len(first.coverages) == 2 and first.coverages[0].plan_id != first.plan_id
    outcomes = [entry.outcome for entry in first.medications or () if entry.outcome]
    assert outcomes == ["Intolerance - GI side effects", "Inadequate response", "Partial response"]
    ages = sorted(
        (AS_OF - seen.date).days for seen in first.observations if seen.test == "hba1c" and seen.date
    )
    assert ages[0] <= 90 < ages[1] < 180


def test_truth_is_read_backwards_through_any_of() -> None:
    step = AnyOf(
        id="step",
        children=(
            Trial(id="trial", label="metformin", drugs=("metformin",), min_days=90),
            Lab(id="egfr", test="egfr", op="<", value=30, unit="mL/min/{1.73_m2}", within_days=180),
        ),
    )
    assert [want.shown for want in wants(step, "not_met", False, 0)] == [False, False]
    assert sorted(str(want.shown) for want in wants(step, "unknown", False, 0)) == ["False", "None"]
    assert [want.leaf.id for want in wants(step, "met", False, 1)] == ["egfr"]


def test_an_exclusion_is_met_by_what_is_absent() -> None:
    leaf = Condition(id="t1dm", label="type 1 diabetes", codes=("E10",), topic="type_1_diabetes")
    assert wants(leaf, "met", True, 0)[0].shown is False
    assert wants(leaf, "not_met", True, 0)[0].shown is True


def test_what_no_chart_of_this_world_can_show_is_infeasible() -> None:
    with pytest.raises(Infeasible):
        wants(Age(id="adult", op=">=", years=18), "not_met", False, 0)
    low = Lab(id="low", test="hba1c", op="<", value=7.0, unit="%", within_days=90)
    high = Lab(id="high", test="hba1c", op=">=", value=8.0, unit="%", within_days=90)
    with pytest.raises(Infeasible):
        Sketch(False).take(wants(low, "met", False, 0)).take(wants(high, "met", False, 0))
