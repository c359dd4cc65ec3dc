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
from tools.domain.records import Benefit, Determination, Patient, QuantityLimit, Request
from tools.domain.rules import Age, AnyOf, Condition, Lab, Period, Trial
from tools.engine.determine import determine
from tools.engine.documents import walk
from tools.engine.request import complete_request
from tools.rulebook.located import Place, as_map, parse_yaml
from tools.rulebook.rule_yaml import Reader


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


@pytest.mark.slow
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


OWN_RULE = """
indication: t2dm
criteria:
  - age >= 40
  - condition: t2dm
  - hba1c > 8.0 % within 60 days
  - {trial: metformin, days: 120, formulation: ER, min_daily_dose: 1500, responses: [inadequate, partial]}
  - id: two_of_three
    at_least: 2
    of: [{trial: any sulfonylurea, days: 60}, {condition: hypertension}, {lab: "uacr >= 30 within 180 days"}]
  - none_of: [{condition: nash}, {lab: "egfr < 45 within 180 days"}]
  - {specialist: endocrinology}
exclusions:
  - {condition: mtc_men2, who: [self, family], evidence: attestation}
  - {condition: pancreatitis, evidence: attestation}
  - {id: duplicate, taking: [any glp1, any dpp4, any insulin]}
renewal:
  - {on_drug: 6 months, min_dose: 1}
  - any_of: [{change: hba1c, amount: 0.8, within_days: 90}, "hba1c <= 6.8 % within 90 days"]
documents:
  - {document: note, within_days: 45}
"""


def test_a_rule_of_somebody_s_own_gets_cases_of_every_kind() -> None:
    catalog = our_catalog()
    rule = Reader({}, catalog.drugs).rule(
        as_map(parse_yaml(OWN_RULE, "own"), Place("own", 1), "a rule"), "own"
    )
    benefit = Benefit(
        drug="Ozempic",
        covered=True,
        pa_required=True,
        rules=(rule,),
        quantity_limit=QuantityLimit(quantity=3, unit="mL", days=28),
    )
    plan = msgspec.structs.replace(catalog.plans["CASCADE-GOLD"], benefits={"Ozempic": benefit})
    own = catalog._replace(plans={plan.id: plan, "ALDER-TRUST": catalog.plans["ALDER-TRUST"]})
    maker = Maker(own, 5, AS_OF, "jsonl")
    texts = [maker.text(Span(first, first + 1000)) for first in range(0, 4000, 1000)]
    lines = [line for text in texts for line in text.patients.split(b"\n")]
    patients = {chart.id: chart for chart in map(msgspec.json.Decoder(Patient).decode, lines)}
    labels = [msgspec.json.decode(line, type=Label) for text in texts for line in text.labels.splitlines()]
    ours = [label for label in labels if label.plan_id == plan.id]
    assert {label.kind for label in ours} == {
        kind for kind in OUTCOMES if kind not in ("no_pa", "not_covered", "excluded_use")
    }
    for label in ours:
        chart = patients[label.patient_id]
        request = complete_request(chart, catalog.drugs[label.drug], Request(drug=label.drug))
        assert determine(chart, plan, request, AS_OF).outcome == label.outcome, label


def test_truth_is_read_backwards_through_any_of() -> None:
    step = AnyOf(
        id="step",
        children=(
            Trial(id="trial", label="metformin", drugs=("metformin",), min_days=90),
            Lab(id="egfr", test="egfr", op="<", value=30, unit="mL/min/{1.73_m2}", within=Period(180)),
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
    low = Lab(id="low", test="hba1c", op="<", value=7.0, unit="%", within=Period(90))
    high = Lab(id="high", test="hba1c", op=">=", value=8.0, unit="%", within=Period(90))
    with pytest.raises(Infeasible):
        Sketch(False).take(wants(low, "met", False, 0)).take(wants(high, "met", False, 0))
