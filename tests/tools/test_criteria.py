"""Claims about single criteria: boundaries, windows, units, conflicts, courses, statements."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from tests.judging import evaluate_chart
from tools.domain.records import (
    Allergy,
    Attestation,
    Diagnosis,
    FamilyHistory,
    Fill,
    Finding,
    Medication,
    Observation,
    Patient,
    Prescriber,
    Program,
    Request,
)
from tools.domain.rules import (
    Age,
    AllergyTo,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    NoneOf,
    OnDrug,
    Period,
    Programme,
    Specialist,
    Taking,
    Trial,
    Use,
)

AS_OF = date(2026, 9, 1)
A1C = Lab(id="a1c", test="hba1c", op=">=", value=7.0, unit="%", within=Period(90))
METFORMIN = Trial(
    id="trial", label="metformin", drugs=("metformin",), min_days=90, responses=("inadequate", "partial")
)
MTC = Condition(
    id="mtc",
    label="medullary thyroid carcinoma or MEN 2",
    codes=("E31.22",),
    phrases=("medullary thyroid",),
    suggests=("C73", "Z80.8"),
    suggest_phrases=("thyroid cancer",),
    not_phrases=("papillary",),
    topic="mtc_men2",
    who=("self", "family"),
    evidence="attestation",
    status="ever",
)


def days_ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def obs(test: str, value: float, unit: str | None, day: date | None, n: int = 1) -> Observation:
    return Observation(id=f"obs-{test}-{n}", test=test, value=value, unit=unit, date=day)


def a1c(value: float, day: date | None, unit: str | None = "%", n: int = 1) -> Observation:
    return obs("hba1c", value, unit, day, n)


def metformin(**fields: Any) -> Medication:
    return Medication(
        id="med-1", drug="metformin", ingredients=("metformin",), classes=("biguanide",), **fields
    )


def patient(**fields: Any) -> Patient:
    return Patient(id="P001", birth_date=date(1970, 9, 2), **fields)


def found(node: Node, chart: Patient, start: date | None = None, **request: Any) -> Finding:
    asked = msgspec.structs.replace(Request(drug="Ozempic"), **request)
    return evaluate_chart(node, chart, asked, AS_OF, therapy_start=start)


def status(node: Node, chart: Patient, start: date | None = None, **request: Any) -> str:
    return found(node, chart, start, **request).status


# --- values ----------------------------------------------------------------------------------------------


def test_day_ninety_of_ninety_still_counts() -> None:
    assert status(A1C, patient(observations=(a1c(7.0, days_ago(90)),))) == "met"


def test_day_ninety_one_is_stale_and_not_failed() -> None:
    finding = found(A1C, patient(observations=(a1c(9.9, days_ago(91)),)))
    assert (finding.status, finding.reason) == ("unknown", "stale")
    assert "91 days old" in (finding.fix or "")


def test_a_low_value_in_the_window_fails() -> None:
    assert status(A1C, patient(observations=(a1c(6.9, days_ago(5)),))) == "not_met"


def test_no_value_is_missing() -> None:
    assert found(A1C, patient()).reason == "missing"


@pytest.mark.parametrize(("value", "expected"), [(6.95, "met"), (6.94, "not_met"), (6.949999, "not_met")])
def test_a_value_is_rounded_half_up_where_the_rule_says_so(value: float, expected: str) -> None:
    rounded = msgspec.structs.replace(A1C, rounded="tenths")
    assert status(rounded, patient(observations=(a1c(value, days_ago(1)),))) == expected


def test_a_value_is_compared_as_recorded_where_the_rule_says_nothing() -> None:
    assert status(A1C, patient(observations=(a1c(6.95, days_ago(1)),))) == "not_met"
    bmi = Lab(id="bmi", test="bmi", op=">=", value=30, unit="kg/m2")
    finding = found(bmi, patient(observations=(obs("bmi", 29.95, "kg/m2", AS_OF),)))
    assert finding.status == "not_met"
    assert finding.detail.startswith("BMI 29.95 kg/m2 on")


def test_a_bmi_that_follows_from_weight_and_height_is_not_rounded_up_to_the_bound() -> None:
    bmi = Lab(id="bmi", test="bmi", op=">=", value=30, unit="kg/m2")
    vitals = (obs("weight", 86.69, "kg", AS_OF), obs("height", 170, "cm", AS_OF))  # 29.9965
    finding = found(bmi, patient(observations=vitals))
    assert finding.status == "not_met"
    assert finding.detail.startswith("BMI 29.99 kg/m2 on")


def test_a_recorded_bmi_is_no_conflict_with_the_exact_one_that_it_rounds() -> None:
    bmi = Lab(id="bmi", test="bmi", op=">=", value=30, unit="kg/m2")
    vitals = (obs("weight", 86.69, "kg", AS_OF), obs("height", 170, "cm", AS_OF))
    assert status(bmi, patient(observations=(*vitals, obs("bmi", 30.0, "kg/m2", AS_OF, 2)))) == "met"


def test_the_newest_value_governs_even_if_an_older_one_is_better() -> None:
    chart = patient(observations=(a1c(8.4, days_ago(60)), a1c(6.8, days_ago(10), n=2)))
    assert status(A1C, chart) == "not_met"


def test_values_of_one_day_that_decide_differently_conflict() -> None:
    chart = patient(observations=(a1c(7.4, days_ago(5)), a1c(6.8, days_ago(5), n=2)))
    finding = found(A1C, chart)
    assert (finding.status, finding.reason) == ("unknown", "conflict")
    assert {item.record_id for item in finding.evidence} == {"obs-hba1c-1", "obs-hba1c-2"}


def test_values_of_one_day_that_agree_do_not_conflict() -> None:
    chart = patient(observations=(a1c(7.4, days_ago(5)), a1c(8.8, days_ago(5), n=2)))
    assert status(A1C, chart) == "met"


def test_a_value_without_a_unit_is_no_evidence_and_the_finding_says_so() -> None:
    finding = found(A1C, patient(observations=(a1c(8.4, days_ago(5), unit=None),)))
    assert (finding.status, finding.reason) == ("unknown", "unit")
    assert "no unit" in finding.detail


def test_a_newer_value_without_a_unit_leaves_the_older_one_governing_and_is_mentioned() -> None:
    chart = patient(observations=(a1c(8.4, days_ago(30)), a1c(6.0, days_ago(5), unit=None, n=2)))
    finding = found(A1C, chart)
    assert finding.status == "met"
    assert "no unit" in finding.detail


@pytest.mark.parametrize("day", [AS_OF + timedelta(days=1), date(1950, 1, 1), None])
def test_a_value_with_an_impossible_date_is_no_evidence(day: date | None) -> None:
    finding = found(A1C, patient(observations=(a1c(8.4, day),)))
    assert finding.status == "unknown"
    assert finding.evidence[0].note


def test_mmol_per_mol_is_converted() -> None:
    # 53 mmol/mol = 7.0 % (NGSP): 0.09148 · 53 + 2.152 = 7.0004
    assert status(A1C, patient(observations=(a1c(53, days_ago(1), unit="mmol/mol"),))) == "met"
    assert status(A1C, patient(observations=(a1c(52, days_ago(1), unit="mmol/mol"),))) == "not_met"


def test_an_impossible_value_is_ambiguous() -> None:
    finding = found(A1C, patient(observations=(a1c(84, days_ago(1)),)))
    assert (finding.status, finding.reason) == ("unknown", "ambiguous")


def test_a_reported_bmi_that_its_own_vitals_contradict_conflicts() -> None:
    bmi = Lab(id="bmi", test="bmi", op=">=", value=30, unit="kg/m2", at="baseline")
    day = days_ago(17)
    chart = patient(
        observations=(
            obs("bmi", 31.0, "kg/m2", day),
            obs("height", 170, "cm", day),
            obs("weight", 85, "kg", day),
        )
    )
    assert found(bmi, chart).reason == "conflict"


def test_bmi_follows_from_weight_in_pounds_and_height_in_inches() -> None:
    bmi = Lab(id="bmi", test="bmi", op=">=", value=30, unit="kg/m2")
    chart = patient(
        observations=(obs("weight", 215, "lb", days_ago(3)), obs("height", 70, "in", days_ago(400)))
    )
    finding = found(bmi, chart)
    assert finding.status == "met"  # 215 lb, 70 in → 30.8
    assert {item.record_id for item in finding.evidence} == {"obs-weight-1", "obs-height-1"}


def test_a_baseline_is_the_value_at_therapy_start_not_the_present_one() -> None:
    bmi = Lab(id="bmi", test="bmi", op=">=", value=30, unit="kg/m2", at="baseline", within=Period(90))
    chart = patient(
        observations=(obs("bmi", 31.2, "kg/m2", days_ago(280)), obs("bmi", 26.1, "kg/m2", AS_OF, 2))
    )
    assert status(bmi, chart, start=days_ago(270)) == "met"
    assert status(bmi, chart) == "not_met"


def test_measured_is_never_failed() -> None:
    node = Measured(id="m", tests=("height", "weight"), within=Period(90))
    assert found(node, patient()).reason == "missing"
    chart = patient(observations=(obs("height", 170, "cm", AS_OF), obs("weight", 90, "kg", days_ago(91))))
    assert found(node, chart).reason == "stale"


# --- change ----------------------------------------------------------------------------------------------

LOSS = Change(id="loss", test="weight", percent=5.0)


@pytest.mark.parametrize(
    ("now", "unit", "expected"),
    [(99.9, "kg", "not_met"), (98.8, "kg", "met"), (98.80001, "kg", "not_met"), (217.8, "lb", "met")],
)
def test_weight_loss_is_never_rounded(now: float, unit: str, expected: str) -> None:
    chart = patient(
        observations=(obs("weight", 104.0, "kg", days_ago(200)), obs("weight", now, unit, AS_OF, 2))
    )
    assert status(LOSS, chart, start=days_ago(199)) == expected


def test_weight_loss_without_a_baseline_is_unknown() -> None:
    chart = patient(observations=(obs("weight", 99.9, "kg", AS_OF),))
    assert found(LOSS, chart, start=days_ago(199)).reason == "missing"
    assert found(LOSS, chart).reason == "missing"


@pytest.mark.parametrize(("now", "expected"), [(7.95, "met"), (7.96, "not_met")])
def test_a_fall_in_hba1c_is_not_rounded(now: float, expected: str) -> None:
    fall = Change(id="fall", test="hba1c", amount=1.0)
    chart = patient(observations=(a1c(8.95, days_ago(200)), a1c(now, days_ago(5), n=2)))
    finding = found(fall, chart, start=days_ago(190))
    assert finding.status == expected
    assert "percentage points" in finding.detail


def test_a_bmi_that_its_vitals_confirm_is_shown_once() -> None:
    bmi = Lab(id="bmi", test="bmi", op=">=", value=29, unit="kg/m2")
    day = days_ago(17)
    chart = patient(
        observations=(
            obs("bmi", 29.4, "kg/m2", day),
            obs("height", 170, "cm", day),
            obs("weight", 85, "kg", day),
        )
    )
    assert [item.record_id for item in found(bmi, chart).evidence] == ["obs-bmi-1"]


# --- courses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "expected"), [(89, "not_met"), (90, "met"), (400, "met")])
def test_trial_days_are_end_minus_start(days: int, expected: str) -> None:
    course = metformin(
        start=days_ago(days + 30), end=days_ago(30), status="stopped", outcome="Inadequate response"
    )
    assert status(METFORMIN, patient(medications=(course,))) == expected


def test_an_ongoing_trial_says_how_many_days_are_left() -> None:
    course = metformin(start=days_ago(74), status="active", outcome="Partial response")
    finding = found(METFORMIN, patient(medications=(course,)))
    assert finding.status == "not_met"
    assert "16 more days, until 2026-09-17" in (finding.fix or "")


def test_a_trial_without_dates_is_unknown() -> None:
    assert (
        found(METFORMIN, patient(medications=(metformin(outcome="Inadequate response"),))).reason == "missing"
    )


def test_a_trial_without_an_outcome_is_unknown() -> None:
    course = metformin(start=days_ago(300), end=days_ago(100), status="stopped")
    assert status(METFORMIN, patient(medications=(course,))) == "unknown"


def test_fills_stand_in_for_missing_dates() -> None:
    fills = tuple(
        Fill(
            id=f"fill-{n}",
            drug="metformin",
            ingredients=("metformin",),
            date=days_ago(200 - 30 * n),
            days_supply=30,
        )
        for n in range(4)
    )
    course = metformin(outcome="Inadequate response")
    assert status(METFORMIN, patient(medications=(course,), fills=fills)) == "met"
    assert status(METFORMIN, patient(medications=(course,), fills=fills[:2])) == "unknown"


def test_a_rule_that_wants_claims_is_not_met_by_the_chart_alone() -> None:
    node = msgspec.structs.replace(METFORMIN, proof="fills")
    course = metformin(
        start=days_ago(300), end=days_ago(100), status="stopped", outcome="Inadequate response"
    )
    assert status(node, patient(medications=(course,))) == "unknown"


def test_a_titration_is_one_course() -> None:
    steps = (
        metformin(dose=500.0, start=days_ago(120), end=days_ago(60), status="stopped"),
        msgspec.structs.replace(
            metformin(dose=1000.0, start=days_ago(60), status="active", outcome="Inadequate response"),
            id="med-2",
        ),
    )
    assert status(METFORMIN, patient(medications=steps)) == "met"


def test_a_change_of_formulation_goes_on_with_the_trial() -> None:
    plain = metformin(start=days_ago(100), end=days_ago(55), status="stopped", formulation="IR")
    extended = msgspec.structs.replace(
        metformin(start=days_ago(54), end=days_ago(5), status="stopped", outcome="Inadequate response"),
        id="med-2",
        drug="metformin ER",
        formulation="ER",
    )
    finding = found(METFORMIN, patient(medications=(plain, extended)))
    assert (finding.status, {item.record_id for item in finding.evidence}) == ("met", {"med-1", "med-2"})
    only = msgspec.structs.replace(METFORMIN, formulation="ER")
    assert status(only, patient(medications=(plain, extended))) == "not_met"


def test_what_came_of_a_later_part_does_not_undo_a_trial() -> None:
    plain = metformin(start=days_ago(300), end=days_ago(100), outcome="Inadequate response")
    extended = msgspec.structs.replace(
        metformin(start=days_ago(99), end=days_ago(80), outcome="Intolerance - GI side effects"),
        id="med-2",
        drug="metformin ER",
    )
    assert status(METFORMIN, patient(medications=(plain, extended))) == "met"


def test_an_absent_list_is_unknown_and_an_empty_one_is_complete() -> None:
    assert status(METFORMIN, patient(medications=None)) == "unknown"
    assert status(METFORMIN, patient(medications=())) == "not_met"


def test_intolerance_does_not_need_days() -> None:
    node = Intolerance(id="i", label="metformin", drugs=("metformin",))
    course = metformin(
        start=days_ago(40), end=days_ago(19), status="stopped", outcome="Intolerance - GI side effects"
    )
    assert status(node, patient(medications=(course,))) == "met"
    assert status(node, patient(medications=(metformin(start=days_ago(40), end=days_ago(19)),))) == "unknown"


NOT_TOLERATED = Intolerance(id="i", label="metformin", drugs=("metformin",))
LISTED = Allergy(id="al-1", substance="metformin", ingredients=("metformin",), type="intolerance")


@pytest.mark.parametrize(("allergies", "expected"), [(None, "unknown"), ((), "not_met"), ((LISTED,), "met")])
def test_an_intolerance_may_stand_on_a_list_that_is_not_there(allergies: Any, expected: str) -> None:
    assert status(NOT_TOLERATED, patient(medications=(), allergies=allergies)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"start": days_ago(400)}, "unknown"),
        ({"start": days_ago(400), "status": "active"}, "not_met"),
        ({"start": days_ago(400), "outcome": "Inadequate response"}, "not_met"),
        ({"start": days_ago(-5)}, "not_met"),
    ],
)
def test_a_course_of_unknown_end_may_have_ended_for_an_intolerance(fields: Any, expected: str) -> None:
    assert status(NOT_TOLERATED, patient(medications=(metformin(**fields),), allergies=())) == expected


@pytest.mark.parametrize(("form", "expected"), [("IR", "not_met"), ("ER", "unknown"), (None, "unknown")])
def test_a_listed_intolerance_may_be_of_any_formulation_that_was_taken(form: Any, expected: str) -> None:
    node = msgspec.structs.replace(NOT_TOLERATED, formulation="ER")
    course = metformin(start=days_ago(300), status="active", formulation=form)
    for allergies in ((LISTED,), None):
        assert status(node, patient(medications=(course,), allergies=allergies)) == expected
    assert status(node, patient(medications=(), allergies=None)) == "not_met"


def test_an_allergy_needs_the_list() -> None:
    node = AllergyTo(id="a", label="metformin", drugs=("metformin",))
    listed = Allergy(id="al-1", substance="metformin", ingredients=("metformin",))
    assert status(node, patient(allergies=None)) == "unknown"
    assert status(node, patient(allergies=())) == "not_met"
    assert status(node, patient(allergies=(listed,))) == "met"


DUPLICATE = NoneOf(id="none", children=(Taking(id="now", label="a GLP-1", classes=("glp1",)),))


def glp1(drug: str, **fields: Any) -> Medication:
    return Medication(id=f"med-{drug}", drug=drug, ingredients=("semaglutide",), classes=("glp1",), **fields)


def test_the_requested_brand_is_no_duplicate_of_itself_but_its_sister_is() -> None:
    assert (
        status(DUPLICATE, patient(medications=(glp1("Ozempic", start=days_ago(90), status="active"),)))
        == "met"
    )
    assert (
        status(DUPLICATE, patient(medications=(glp1("Wegovy", start=days_ago(90), status="active"),)))
        == "not_met"
    )


def test_a_duplicate_that_was_stopped_is_none() -> None:
    stopped = glp1("Wegovy", start=days_ago(90), end=AS_OF, status="stopped")
    assert status(DUPLICATE, patient(medications=(stopped,))) == "met"


def test_a_duplicate_of_which_nobody_knows_whether_it_was_stopped_is_unknown() -> None:
    assert status(DUPLICATE, patient(medications=(glp1("Wegovy", start=days_ago(90)),))) == "unknown"


def test_months_on_the_drug_are_calendar_months_at_the_dose() -> None:
    node = OnDrug(id="on", min_months=3, min_dose=2.0)
    short = glp1("Ozempic", dose=2.0, start=date(2026, 6, 2), status="active")
    long = glp1("Ozempic", dose=2.0, start=date(2026, 6, 1), status="active")
    low = glp1("Ozempic", dose=1.0, start=date(2026, 1, 1), status="active")
    assert status(node, patient(medications=(short,))) == "not_met"
    assert status(node, patient(medications=(long,))) == "met"
    assert status(node, patient(medications=(low,))) == "not_met"
    assert (
        status(node, patient(medications=(glp1("Ozempic", start=date(2026, 1, 1), status="active"),)))
        == "unknown"
    )


@pytest.mark.parametrize(("ended", "expected"), [(200, "not_met"), (1, "not_met"), (0, "met"), (-5, "met")])
def test_a_course_that_ended_is_no_therapy_to_renew(ended: int, expected: str) -> None:
    node = OnDrug(id="on", min_months=3)
    course = glp1("Ozempic", start=days_ago(500), end=days_ago(ended))
    assert status(node, patient(medications=(course,))) == expected


# --- diagnoses and statements ----------------------------------------------------------------------------


def excluded(chart: Patient) -> Finding:
    from tools.engine.criteria import evaluate
    from tools.evidence.context import EvaluationContext

    return evaluate(MTC, EvaluationContext(chart, Request(drug="Ozempic"), AS_OF), exclude=True)


def denies(*who: Any) -> Attestation:
    return Attestation(id="att-1", topic="mtc_men2", present=False, subjects=who, date=days_ago(10))


def test_silence_is_unknown_where_the_policy_wants_a_denial() -> None:
    assert excluded(patient(conditions=())).status == "unknown"


def test_a_denial_for_the_patient_alone_leaves_the_family_open() -> None:
    assert excluded(patient(conditions=(), attestations=(denies("self"),))).status == "unknown"
    assert excluded(patient(conditions=(), attestations=(denies("self", "family"),))).status == "met"


def test_thyroid_cancer_of_unknown_type_is_ambiguous_and_papillary_is_something_else() -> None:
    aunt = FamilyHistory(id="f-1", relation="aunt", condition="thyroid cancer, type unknown", code="Z80.8")
    papillary = FamilyHistory(id="f-1", relation="aunt", condition="papillary thyroid cancer")
    assert excluded(patient(conditions=(), family_history=(aunt,))).reason == "ambiguous"
    denied = denies("self", "family")
    assert (
        excluded(patient(conditions=(), family_history=(papillary,), attestations=(denied,))).status == "met"
    )


def test_a_proven_exclusion_that_is_also_denied_conflicts() -> None:
    mother = FamilyHistory(id="f-1", relation="mother", condition="medullary thyroid carcinoma")
    assert excluded(patient(conditions=(), family_history=(mother,))).status == "not_met"
    both = patient(conditions=(), family_history=(mother,), attestations=(denies("self", "family"),))
    assert excluded(both).reason == "conflict"


def test_what_one_person_denies_does_not_speak_for_another() -> None:
    sister = FamilyHistory(id="f-1", relation="sister", condition="medullary thyroid carcinoma")
    own = Diagnosis(id="dx-1", code="C73", name="malignant neoplasm of thyroid gland")
    proven = excluded(patient(conditions=(), family_history=(sister,), attestations=(denies("self"),)))
    assert (proven.status, [item.record_id for item in proven.evidence]) == ("not_met", ["f-1"])
    assert excluded(patient(conditions=(own,), attestations=(denies("family"),))).reason == "ambiguous"
    family_open = excluded(patient(conditions=(own,), attestations=(denies("self"),)))
    assert (family_open.status, family_open.reason) == ("unknown", "missing")
    assert "whether the family has" in (family_open.fix or "")


@pytest.mark.parametrize("first", [True, False])
def test_a_condition_stated_and_denied_on_one_day_conflicts_in_whatever_order(first: bool) -> None:
    said = tuple(
        Attestation(
            id=f"t-{n}", topic="mtc_men2", present=present, date=days_ago(5), subjects=("self", "family")
        )
        for n, present in enumerate((first, not first))
    )
    assert excluded(patient(conditions=(), attestations=said)).reason == "conflict"
    newer = Attestation(
        id="t-9", topic="mtc_men2", present=False, date=days_ago(4), subjects=("self", "family")
    )
    assert excluded(patient(conditions=(), attestations=(newer, *said))).status == "met"


T2DM = Condition(id="t2dm", label="type 2 diabetes", codes=("E11",), phrases=("type 2 diabetes",))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Atherosclerotic cardiovascular disease", "met"),
        ("atherosclerotic cardiovascular disease of native vessels", "met"),
        ("no atherosclerotic cardiovascular disease", "not_met"),
        ("cardiovascular disease", "unknown"),
    ],
)
def test_the_policy_s_own_words_name_a_condition(name: str, expected: str) -> None:
    ascvd = Condition(id="a", label="atherosclerotic cardiovascular disease", codes=("I25",))
    assert status(ascvd, patient(conditions=(Diagnosis(id="dx-1", code="", name=name),))) == expected


def test_a_provisional_diagnosis_proves_nothing() -> None:
    maybe = Diagnosis(id="dx-1", code="E11.9", verification="provisional")
    assert (
        status(T2DM, patient(conditions=(maybe,))) == "not_met"
        or found(T2DM, patient(conditions=(maybe,))).reason
    )
    assert status(T2DM, patient(conditions=(maybe,))) != "met"


def test_a_diagnosis_of_the_future_is_unknown_and_one_that_abated_does_not_count() -> None:
    future = Diagnosis(id="dx-1", code="E11.9", onset=AS_OF + timedelta(days=1))
    gone = Diagnosis(id="dx-1", code="E11.9", abated=AS_OF)
    assert status(T2DM, patient(conditions=(future,))) == "unknown"
    assert status(T2DM, patient(conditions=(gone,))) == "not_met"


def test_pregnancy_does_not_apply_to_men() -> None:
    node = NoneOf(
        id="n",
        children=(
            Condition(
                id="p",
                label="pregnancy",
                codes=("O0",),
                topic="pregnancy",
                evidence="attestation",
                sex="female",
            ),
        ),
    )
    assert status(node, patient(sex="male")) == "met"
    assert status(node, patient(sex="female", conditions=())) == "unknown"


def test_a_statement_can_be_missing_stale_denied_or_made() -> None:
    node = Attested(id="a", topic="adherent", statement="takes it", within=Period(90))

    def said(present: bool, days: int) -> Patient:
        return patient(
            attestations=(Attestation(id="t-1", topic="adherent", present=present, date=days_ago(days)),)
        )

    assert found(node, patient()).reason == "missing"
    assert found(node, said(True, 91)).reason == "stale"
    assert status(node, said(False, 5)) == "not_met"
    assert status(node, said(True, 90)) == "met"


def test_a_program_counts_calendar_months() -> None:
    node = Programme(id="p", min_duration=Period(6, "months"))
    assert found(node, patient()).reason == "missing"
    assert status(node, patient(programs=(Program(id="g-1", start=date(2026, 3, 1)),))) == "met"
    short = found(node, patient(programs=(Program(id="g-1", start=date(2026, 3, 2)),)))
    assert short.status == "not_met"
    assert "until 2026-09-02 (1 more day" in (short.fix or "")


def test_a_specialist_prescribes_or_was_consulted() -> None:
    node = Specialist(id="s", specialties=("endocrinology",))
    nameless = Attestation(id="t-1", topic="specialist_consult", present=True, date=days_ago(20))
    consult = msgspec.structs.replace(nameless, specialty="endocrinology")
    family = Prescriber(name="Dr A", specialty="family medicine")
    assert status(node, patient()) == "unknown"
    assert found(node, patient(prescriber=family, attestations=(nameless,))).reason == "ambiguous"
    assert status(node, patient(prescriber=Prescriber(name="Dr B", specialty="Endocrinology"))) == "met"
    assert status(node, patient(prescriber=family, attestations=(consult,))) == "met"


def test_a_consultation_that_nobody_recorded_is_missing_and_not_failed() -> None:
    node = Specialist(id="s", specialties=("endocrinology",))
    family = Prescriber(name="Dr A", specialty="family medicine")
    none = Attestation(id="t-1", topic="specialist_consult", present=False, date=days_ago(20))
    finding = found(node, patient(prescriber=family))
    assert (finding.status, finding.reason) == ("unknown", "missing")
    assert "consultation with endocrinology" in (finding.fix or "")
    assert status(node, patient(prescriber=family, attestations=(none,))) == "not_met"
    assert status(node, patient(attestations=(none,))) == "unknown"


def test_age_is_in_completed_years() -> None:
    assert status(Age(id="a", op=">=", years=56), patient()) == "not_met"  # 56 tomorrow
    assert status(Age(id="a", op=">=", years=55), patient()) == "met"
    assert status(Age(id="a", op=">=", years=18), Patient(id="P001")) == "unknown"


def test_a_use_is_what_the_request_says() -> None:
    node = Use(id="u", uses=("weight",), label="weight only")
    assert status(node, patient(), indication="weight") == "met"
    assert status(node, patient(), indication="t2dm") == "not_met"


# --- Kleene ----------------------------------------------------------------------------------------------

MET = Age(id="met", op=">=", years=18)
NOT = Age(id="not", op="<", years=18)
UNKNOWN = A1C


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (AllOf(id="n", children=(MET, UNKNOWN)), "unknown"),
        (AllOf(id="n", children=(NOT, UNKNOWN)), "not_met"),
        (AnyOf(id="n", children=(MET, UNKNOWN)), "met"),
        (AnyOf(id="n", children=(NOT, UNKNOWN)), "unknown"),
        (AnyOf(id="n", children=(NOT, NOT)), "not_met"),
        (NoneOf(id="n", children=(NOT, UNKNOWN)), "unknown"),
        (NoneOf(id="n", children=(MET, UNKNOWN)), "not_met"),
        (NoneOf(id="n", children=(NOT, NOT)), "met"),
        (AtLeast(id="n", k=2, children=(MET, UNKNOWN, NOT)), "unknown"),
        (AtLeast(id="n", k=2, children=(MET, MET, NOT)), "met"),
        (AtLeast(id="n", k=2, children=(NOT, UNKNOWN, NOT)), "not_met"),
        (NoneOf(id="n", children=(AllOf(id="m", children=(MET, NOT)),)), "met"),
        (NoneOf(id="n", children=(NoneOf(id="m", children=(NOT,)),)), "not_met"),
        (NoneOf(id="n", children=(AtLeast(id="m", k=2, children=(MET, UNKNOWN, NOT)),)), "unknown"),
    ],
)
def test_three_valued_logic(node: Node, expected: str) -> None:
    assert status(node, patient()) == expected
