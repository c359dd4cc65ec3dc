"""Suppositions change a copy, and only what they say."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.case_answers import bundled
from tests.worlds import AS_OF, ozempic, p001, p002, p003, plan, wegovy
from tools.common.errors import Invalid, NotFound
from tools.domain.records import Attestation, Determination, Medication, Observation, Patient, Request
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.engine.what_if import (
    Aged,
    Asked,
    Change,
    Diagnosed,
    Enrolled,
    Filed,
    Insured,
    Later,
    On,
    Removed,
    Repeated,
    Scenario,
    Started,
    Stated,
    Stopped,
    Tried,
    Value,
    suppose,
)
from tools.evidence.courses import daily_dose
from tools.queries.bound import Bound

DRUGS = (ozempic(), wegovy())
ANYONE = st.sampled_from([p001(), p002(), p003()])


def supposed(patient: Patient, *changes: Change, as_of: date = AS_OF) -> Scenario:
    request = complete_request(patient, ozempic(), Request(drug="Ozempic"))
    return suppose(patient, plan(), request, as_of, changes, DRUGS, (plan(),))


def then(patient: Patient, *changes: Change) -> Determination:
    return determine(*supposed(patient, *changes))


def status(found: Determination, criterion: str) -> str:
    return next(finding.status for finding in found.findings if finding.criterion == criterion)


def on_metformin(days: int, **more: Any) -> Patient:
    course = Medication(
        id="med-1", drug="metformin", ingredients=("metformin",), classes=("biguanide",),
        start=AS_OF - timedelta(days=days), status="active", **more,
    )  # fmt: skip
    return msgspec.structs.replace(p001(), medications=(course,))


@given(ANYONE)
def test_no_change_and_no_time_are_the_same_determination(patient: Patient) -> None:
    request = complete_request(patient, ozempic(), Request(drug="Ozempic"))
    assert then(patient) == determine(patient, plan(), request, AS_OF)
    assert then(patient, Later()) == then(patient) == then(patient, On(date=AS_OF))


@given(st.sampled_from([p001(), p003()]), st.sampled_from(["hba1c", "bmi"]))
def test_the_value_that_the_chart_has_changes_no_status(patient: Patient, test: str) -> None:
    known = [item for item in patient.observations if item.test == test]
    if known:
        now, later = then(patient), then(patient, Value(test=test, value=known[-1].value))
        assert [f.status for f in later.findings] == [f.status for f in now.findings]


SOON = st.dates(date(2025, 1, 1), date(2028, 1, 1))
CHANGES = st.one_of(
    st.builds(Value, test=st.just("hba1c"), value=st.floats(3, 20).map(lambda value: round(value, 1))),
    st.builds(Value, test=st.sampled_from(["bmi", "weight"]), value=st.integers(30, 90).map(float)),
    st.builds(Later, days=st.integers(0, 400), months=st.integers(0, 24)),
    st.builds(On, date=st.dates(date(2024, 1, 1), date(2030, 1, 1))),
    st.builds(Started, drug=st.sampled_from(["metformin", "Ozempic", "glipizide"]), days=st.integers(0, 900)),
    st.builds(Tried, drug=st.sampled_from(["metformin", "sitagliptin"]), days=st.integers(0, 900)),
    st.builds(Started, drug=st.just("metformin"), on=SOON, daily=st.just(2e3)),
    st.builds(Tried, drug=st.just("sitagliptin"), on=SOON),
    st.builds(Removed, drug=st.just("metformin")),
    st.builds(Repeated, test=st.sampled_from(["hba1c", "bmi"])),
    st.builds(Filed, of=st.sampled_from(["note", "programme"])),
    st.builds(Enrolled, on=SOON),
    st.builds(Stopped, drug=st.sampled_from(["metformin", "Ozempic"])),
    st.builds(Diagnosed, concept=st.sampled_from(["t2dm", "t1dm", "mtc_men2"]), present=st.booleans()),
    st.builds(Stated, topic=st.sampled_from(["type_1_diabetes", "mtc_men2"]), present=st.booleans()),
    st.builds(Enrolled, months=st.integers(1, 24)),
    st.builds(Aged, years=st.integers(0, 110)),
    st.builds(Asked, quantity=st.floats(0.5, 30), days_supply=st.integers(7, 90)),
    st.just(Insured(plan_id="CASCADE-GOLD")),
)


@settings(max_examples=150)
@given(ANYONE, st.lists(CHANGES, min_size=1, max_size=4))
def test_any_suppositions_leave_the_chart_as_it_is_and_can_be_determined(
    patient: Patient, changes: list[Change]
) -> None:
    before = msgspec.json.encode(patient)
    try:
        found = then(patient, *changes)
    except (Invalid, NotFound):
        found = None
    assert msgspec.json.encode(patient) == before
    if found is not None:
        assert then(patient, *changes) == found


@given(st.floats(3, 20).map(lambda value: round(value, 1)))
def test_a_supposed_value_governs_whatever_the_chart_has(value: float) -> None:
    assert status(then(p001(), Value(test="hba1c", value=value)), "a1c") == (
        "met" if value >= 7 else "not_met"
    )


@given(st.integers(0, 200))
def test_a_course_that_goes_on_grows_with_the_days(days: int) -> None:
    patient = on_metformin(60, outcome="Inadequate response")
    answer = status(then(patient, Later(days=days, drug="metformin")), "metformin")
    assert answer == ("met" if 60 + days >= 90 else "not_met")


@given(st.integers(0, 400))
def test_a_longer_trial_never_unmeets(days: int) -> None:
    shorter = status(then(p002(), Tried(drug="metformin", days=days)), "metformin")
    longer = status(then(p002(), Tried(drug="metformin", days=days + 30)), "metformin")
    assert (shorter, longer) != ("met", "not_met")


def test_a_supposed_trial_does_not_shorten_the_one_that_is_charted() -> None:
    patient = on_metformin(300)
    course = supposed(patient, Tried(drug="metformin", days=90)).patient.medications
    assert course is not None and len(course) == 1
    assert (course[0].start, course[0].end) == (AS_OF - timedelta(days=300), AS_OF)
    assert course[0].outcome == "Inadequate response" and course[0].id == "med-1"


@given(st.integers(0, 200))
def test_a_course_with_a_first_day_goes_on_to_the_day_that_is_judged(days: int) -> None:
    """And is not there before it."""
    begun = Tried(drug="metformin", on=AS_OF)
    answer = status(
        then(msgspec.structs.replace(p001(), medications=()), Later(days=days), begun), "metformin"
    )
    assert answer == ("met" if days >= 90 else "not_met")
    before = supposed(p001(), Started(drug="glipizide", on=AS_OF + timedelta(days=1))).patient
    assert before.medications == p001().medications


def test_a_dose_that_is_raised_ends_the_course_at_the_old_one() -> None:
    patient = on_metformin(300, dose=500.0, dose_unit="mg", per_day=2.0)
    raised = supposed(patient, Later(days=30), Started(drug="metformin", on=AS_OF, daily=2000)).patient
    old, new = raised.medications or ()
    assert (old.end, old.status, new.start, new.end) == (AS_OF, "stopped", AS_OF, None)
    assert (daily_dose(old), daily_dose(new)) == (1000.0, 2000.0)
    assert [(one.date, one.days_supply) for one in raised.fills if one.id.startswith("supposed")] == [
        (AS_OF, 30)
    ]


def test_what_is_left_out_takes_its_claims_along() -> None:
    patient, removed = on_metformin(300, outcome="Inadequate response"), Removed(drug="metformin")
    assert status(then(patient), "metformin") == "met"
    assert status(then(patient, removed), "metformin") == "not_met"
    assert "metformin" not in [one.drug for one in supposed(patient, removed).patient.fills]


def test_a_statement_that_is_put_in_says_what_the_rule_asks_for() -> None:
    bound = Bound(bundled(), "P011")
    by_itself = bound.scenario(
        "Jardiance", [Stated(topic="ketoacidosis", present=None)]
    ).patient.attestations[-1]
    assert by_itself.topic == "ketoacidosis" and not by_itself.present


@pytest.mark.parametrize(
    ("changes", "criterion", "expected"),
    [
        ((Later(days=70),), "a1c", "met"),
        ((Later(days=71),), "a1c", "unknown"),
        ((Later(days=71), Repeated(test="hba1c")), "a1c", "met"),
        ((Value(test="hba1c", value=7.4), Later(months=6)), "a1c", "met"),  # the day moves first
        ((Aged(years=18),), "age", "met"),
        ((Aged(years=17),), "age", "not_met"),
        ((Diagnosed(concept="t2dm", present=False),), "t2dm", "not_met"),
    ],
)
def test_what_is_supposed_is_judged(changes: tuple[Change, ...], criterion: str, expected: str) -> None:
    assert status(then(p001(), *changes), criterion) == expected


def test_a_value_of_a_day_to_come_moves_the_day() -> None:
    coming = AS_OF + timedelta(days=200)
    case = supposed(p001(), Value(test="hba1c", value=7.4, on=coming))
    assert case.as_of == coming and status(determine(*case), "a1c") == "met"


def test_the_day_moves_first_whatever_was_said_first() -> None:
    value, later = Value(test="hba1c", value=7.4), Later(months=6)
    assert supposed(p001(), value, later)[1:] == supposed(p001(), later, value)[1:]


@pytest.mark.parametrize("going", ["active", None])
def test_a_stop_ends_what_goes_on_and_what_may_have_ended(going: Any) -> None:
    course = Medication(id="m", drug="Victoza", ingredients=("liraglutide",), classes=("glp1",), status=going)
    patient = msgspec.structs.replace(p001(), medications=(course,))
    stop = Stopped(drug="liraglutide", outcome="Intolerance - other")
    (stopped,) = supposed(patient, stop).patient.medications or ()
    assert (stopped.end, stopped.status, stopped.outcome) == (AS_OF, "stopped", "Intolerance - other")


def test_one_brand_is_not_the_other_of_the_same_ingredient() -> None:
    both = tuple(
        Medication(id=name, drug=name, ingredients=("semaglutide",), classes=("glp1",), status="active")
        for name in ("Ozempic", "Wegovy")
    )
    patient = msgspec.structs.replace(p001(), medications=both)
    after = supposed(patient, Stopped(drug="Wegovy")).patient.medications
    assert {entry.drug: entry.status for entry in after or ()} == {"Ozempic": "active", "Wegovy": "stopped"}


def test_a_diagnosis_answers_a_denial() -> None:
    said = Attestation(id="T1", topic="type_1_diabetes", present=False, date=AS_OF)
    denied = msgspec.structs.replace(p001(), attestations=(said,))
    assert status(then(denied, Diagnosed(concept="t1dm")), "t1dm") == "not_met"


def test_a_supposed_bmi_and_that_days_weight_agree() -> None:
    weighed = (
        Observation(id="w", test="weight", value=100, unit="kg", date=AS_OF),
        Observation(id="h", test="height", value=170, unit="cm", date=AS_OF),
    )
    patient = msgspec.structs.replace(p001(), observations=weighed)
    case = supposed(patient, Value(test="bmi", value=29))
    weight = next(item for item in case.patient.observations if item.test == "weight")
    assert round(weight.value / 1.7**2, 1) == 29.0


def test_another_strength_brings_its_own_package() -> None:
    assert supposed(p001(), Asked(strength="1mg")).request.quantity == 3
    assert then(p001(), Asked(quantity=9)).outcome == "quantity_exception"


def test_a_list_that_is_not_recorded_is_not_completed_by_one_supposed_entry() -> None:
    with pytest.raises(Invalid, match="medication list is not recorded"):
        supposed(p003(), Tried(drug="metformin"))
    bare = msgspec.structs.replace(p001(), conditions=None)
    with pytest.raises(Invalid, match="problem list is not recorded"):
        supposed(bare, Diagnosed(concept="t2dm"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Value(test="hba1c", value=float("nan")), "not possible"),
        (Value(test="hba1c", value=float("inf")), "not possible"),
        (Value(test="hba1c", value=70), "between 3 and 20"),
        (Value(test="hba1c", value=7, unit="mg"), "no unit"),
        (Value(test="shoes", value=7), "shoes"),
        (Later(days=-3), "later day"),
        (Later(months=10**6), "10 years"),
        (On(date=date(1960, 1, 1)), "1960"),
        (On(date=date(9999, 1, 1)), "too far"),
        (Stopped(drug="metformin"), "ended already"),
        (Stopped(drug="Januvia"), "not on the medication list"),
        (Started(drug="metformin", days=-1), "cannot be supposed"),
        (Tried(drug="moonlight"), "moonlight"),
        (Diagnosed(concept="gout"), "gout"),
        (Stated(topic="weather", present=True), "weather"),
        (Enrolled(months=0), "0 months"),
        (Aged(years=-1), "not possible"),
        (Asked(strength="9 mg"), "known: 1 mg"),
        (Asked(quantity=-2), "at least 0.01"),
        (Insured(plan_id="X"), "CASCADE-GOLD"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(change: Change, why: str) -> None:
    with pytest.raises((Invalid, NotFound), match=why):
        supposed(p001(), change)


def test_every_change_is_read_back_from_json() -> None:
    for change in (Value(test="bmi", value=29), Asked(kind="renewal"), On(date=AS_OF), Later(days=1)):
        assert msgspec.json.decode(msgspec.json.encode(change), type=Change) == change


def test_a_course_in_another_formulation_is_another_course() -> None:
    bound = Bound(bundled(), "P006")
    (listed,) = (one for one in bound.patient.medications or () if one.ingredients == ("metformin",))
    outcome: Any = "Intolerance - GI side effects"
    plain = bound.supposed("Ozempic", [Tried(drug="metformin", outcome=outcome)])
    extended = bound.supposed("Ozempic", [Tried(drug="metformin", outcome=outcome, formulation="ER")])
    status = {
        name: next(one.status for one in found.findings if one.criterion == "step")
        for name, found in (("plain", plain), ("extended", extended))
    }
    assert listed.formulation == "IR" and status["extended"] == "met" != status["plain"]
