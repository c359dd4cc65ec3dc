from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.ledger import Ledger
from agent.verification.checker import Checker, verifier, verify
from agent.verification.known_facts import enter_bound, enter_patient
from tools.domain.records import (
    Allergy,
    Attestation,
    Diagnosis,
    FamilyHistory,
    Medication,
    Observation,
    Patient,
    Prescriber,
)
from tools.papers.letters import letter
from tools.queries.bound import Bound
from tools.store import Store

AS_OF = date(2026, 9, 1)
PATIENT = Patient(
    id="P901",
    given="Ada",
    family="Quill",
    birth_date=date(1970, 5, 4),
    sex="female",
    prescriber=Prescriber(name="Iris Novak, MD", npi="2626175030", practice="Elm Street Family Practice"),
    conditions=(
        Diagnosis(id="C1", code="E11.9", name="Type 2 diabetes mellitus without complications", onset=date(2020, 2, 3)),
    ),
    observations=(
        Observation(id="O1", test="hba1c", value=9.1, unit="%", date=date(2025, 11, 3)),
        Observation(id="O2", test="hba1c", value=8.4, unit="%", date=date(2026, 8, 17)),
        Observation(id="O3", test="bmi", value=33.4, unit="kg/m2", date=date(2026, 8, 21)),
        Observation(id="O4", test="weight", value=103.7, unit="kg", date=date(2026, 8, 21)),
    ),
    medications=(
        Medication(
            id="M1", drug="metformin", ingredients=("metformin",), classes=("biguanide",), dose=500, dose_unit="mg",
            per_day=2, formulation="IR", start=date(2024, 3, 10), end=date(2024, 3, 31), status="stopped",
            outcome="Intolerance - GI side effects",
        ),
        Medication(
            id="M2", drug="glipizide", ingredients=("glipizide",), classes=("sulfonylurea",), dose=10, dose_unit="mg",
            per_day=2, start=date(2025, 7, 26), status="active", outcome="Partial response",
        ),
    ),
    allergies=(Allergy(id="A1", substance="lisinopril", ingredients=("lisinopril",), reaction="cough"),),
    family_history=(FamilyHistory(id="H1", relation="mother", condition="type 2 diabetes"),),
    attestations=(
        Attestation(id="T1", topic="mtc_men2", present=False, subjects=("self", "family"), date=date(2026, 8, 21)),
    ),
)  # fmt: skip


def chart() -> Ledger:
    ledger = Ledger()
    enter_patient(ledger, PATIENT, AS_OF)
    ledger.add("value", 7.0, unit="%", origin="policy", attribute="hba1c", source="X § 1", shown="7.0 %")
    ledger.add(
        "outcome",
        "needs_documentation",
        origin="determination",
        attribute="Ozempic",
        source="determination:X/Ozempic",
    )
    ledger.add("status", "not_met", origin="determination", attribute="§ 1(a)", source="X § 1(a)")
    ledger.add("drug", "Ozempic", origin="request", attribute="order", source="R1", aliases=("semaglutide",))
    return ledger


CHECKER = Checker(chart())


def kinds(text: str) -> list[str]:
    return [issue.kind for one in CHECKER.check(text) for issue in one.issues]


@pytest.mark.parametrize(
    "text",
    [
        "The latest HbA1c is 8.4 %, of August 17, 2026.",
        "A1c was nine point one percent last November.",
        "Her BMI is 33.4 and she weighs 228.6 lb.",
        "Ms. Quill, 56, has type 2 diabetes (E11.9).",
        "She could not tolerate metformin IR 500 mg bid, March 10 to March 31, 2024.",
        "Metformin was not tolerated, stopped on March 31, 2024.",
        "Glipizide 10 mg twice daily since 26 July 2025, with a partial response.",
        "The plan requires an HbA1c of at least 7.0 %.",
        "Her mother had type 2 diabetes.",
        "There is no family history of medullary thyroid carcinoma.",
        "Clause § 1(a) is not met.",
        "Ozempic needs documentation.",
        "If her HbA1c were 6.2 %, that would change.",
        "The A1c is 15 days old.",
        "Dr. Novak of Elm Street Family Practice prescribes.",
        "The A1c dropped by 0.7 points.",
        "Letter of medical necessity: pages 5 to 6",
        "Page 2 of 3",
    ],
)
def test_what_the_chart_shows_passes(text: str) -> None:
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The latest HbA1c is 8.9 %.", "number"),
        ("Her BMI is 8.4.", "attribute"),
        ("HbA1c 9.1 % on August 17, 2026.", "date"),
        ("Her HbA1c is 7.0 %.", "attribute"),
        ("Her HbA1c is 8.4 kg.", "unit"),
        ("Type 2 diabetes (E11.65).", "code"),
        ("She takes glimepiride 10 mg twice daily.", "drug"),
        ("Glipizide 5 mg twice daily.", "dose"),
        ("Glipizide 10 mcg twice daily.", "dose"),
        ("Glipizide 10 mg once daily.", "dose"),
        ("Glipizide since July 26, 2024.", "date"),
        ("She stopped glipizide.", "negation"),
        ("She no longer takes glipizide, begun in May 2025.", "negation"),
        ("Glipizide 5 mg twice daily until [PRESCRIBER TO COMPLETE: end of glipizide].", "dose"),
        ("A denial of Ozempic is likely.", "status"),
        ("Isn't her HbA1c 12.3 %?", "number"),
        ("She is followed at Lakeside Mutual Insurance.", "name"),
        ("She tolerated metformin without any problems.", "negation"),
        ("She does not have diabetes.", "negation"),
        ("She has a history of pancreatitis.", "negation"),
        ("Her father had type 2 diabetes.", "attribute"),
        ("My patient, Ada Quigley, needs it.", "name"),
        ("Dr. Howard prescribes.", "name"),
        ("The SURPASS-4 trial supports it.", "citation"),
        ("Ozempic has been approved.", "status"),
        ("Ozempic is ready to submit.", "status"),
        ("Clause § 1(a) is met.", "status"),
        ("Clause § 9(z) applies.", "code"),
        ("A 56-year-old man.", "attribute"),
        ('The policy says "any patient shall receive the drug at once".', "quote"),
    ],
)
def test_what_the_chart_does_not_show_is_found(text: str, kind: str) -> None:
    assert kind in kinds(text)


def test_an_issue_names_its_place_in_the_whole_text() -> None:
    text = "Glipizide 10 mg twice daily.\nHer HbA1c is 8.9 %.\n"
    issue = next(i for one in verify(text, chart()) for i in one.issues)
    assert text[issue.start : issue.end] == issue.text == "8.9 %"
    assert "8.4" in issue.why


def test_what_is_supposed_is_no_fact_without_an_if() -> None:
    ledger = chart()
    ledger.add("value", 6.2, unit="%", origin="supposed", attribute="hba1c", source="what if")
    assert not verify("If her HbA1c were 6.2 %, she would fall below it.", ledger)[0].issues
    assert verify("Her HbA1c is 6.2 %.", ledger)[0].issues


@settings(max_examples=60)
@given(st.data())
def test_another_digit_in_a_value_is_found(data: st.DataObject) -> None:
    test, value, unit = data.draw(
        st.sampled_from([("HbA1c", "8.4", "%"), ("BMI", "33.4", "kg/m2"), ("weight", "103.7", "kg")])
    )
    at = data.draw(st.sampled_from([i for i, c in enumerate(value) if c.isdigit()]))
    digit = data.draw(st.sampled_from("0123456789"))
    changed = value[:at] + digit + value[at + 1 :]
    known = {"8.4", "9.1", "33.4", "103.7"}
    wrong = changed not in known
    assert bool(kinds(f"The latest {test} is {changed} {unit}.")) == wrong


@settings(max_examples=40)
@given(st.dates(date(2020, 1, 1), date(2026, 9, 1)))
def test_another_day_of_a_value_is_found(day: date) -> None:
    assert bool(kinds(f"HbA1c 8.4 % on {day:%B} {day.day}, {day.year}.")) == (day != date(2026, 8, 17))


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_any_text_can_be_checked(text: str) -> None:
    for one in CHECKER.check(text):
        assert text[one.start : one.end] == one.text


@pytest.mark.slow
def test_deterministic_letters_pass(store: Store) -> None:
    checked = []
    for patient in store.find_patients(limit=8):
        bound = Bound(store, patient.id)
        for drug in ("Ozempic", "Wegovy", "Jardiance"):
            ledger = Ledger()
            enter_bound(ledger, bound, [drug])
            checked += verify(letter(bound.case(drug)).text, ledger)
    flagged = [(one.text, one.issues) for one in checked if one.issues]
    assert len(flagged) <= 0.01 * len(checked), flagged[:5]


def test_another_patients_true_value_is_found(store: Store) -> None:
    one, other = (Bound(store, p.id) for p in store.find_patients(limit=2))
    ledger = Ledger()
    enter_bound(ledger, one, ["Ozempic"])
    assert verify(f"My patient is {other.patient.name}.", ledger)[0].issues
    assert not verify(f"My patient is {one.patient.name}.", ledger)[0].issues


def test_a_verifier_takes_the_answers_own_facts_too(store: Store) -> None:
    bound = Bound(store, store.find_patients(limit=1)[0].id)
    ledger = Ledger()
    assert verifier(bound, [], Ledger())("The ledger says 4711 of it.")
    slot = ledger.add("count", 4711, origin="derived", attribute="things", formula="counted")
    assert verifier(bound, [], ledger)(ledger.render(f"The ledger says {slot} of it.")) == []
