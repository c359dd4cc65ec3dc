"""What else is on record lowers a criterion's certainty, and decides nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.judging import evaluate_chart
from tools.domain.records import (
    Allergy,
    Attestation,
    Diagnosis,
    Fill,
    Finding,
    Medication,
    Note,
    Observation,
    Patient,
    Procedure,
    Program,
    Request,
)
from tools.domain.rules import (
    AllergyTo,
    Attested,
    Condition,
    Intolerance,
    Lab,
    Node,
    NoneOf,
    OnDrug,
    Period,
    Programme,
    Taking,
    Trial,
)
from tools.terminology.conditions import CONCEPTS

AS_OF = date(2026, 9, 1)
OZEMPIC = Request(drug="Ozempic", ingredients=("semaglutide",), classes=("glp1",))
DPP4 = Taking(id="dpp4", label="a DPP-4 inhibitor", classes=("dpp4",))
NO_DPP4 = NoneOf(id="no_dpp4", children=(DPP4,))
TRIED = Trial(id="trial", label="metformin", drugs=("metformin",), min_days=90, responses=("inadequate",))
NOT_TOLERATED = Intolerance(id="intolerance", label="metformin", drugs=("metformin",))


def condition(key: str, **more: Any) -> Condition:
    return Condition(id=key, **(CONCEPTS[key]._asdict() | more))


def chart(**fields: Any) -> Patient:
    lists = {"conditions": (), "medications": (), "allergies": ()}
    return Patient(id="P1", birth_date=date(1970, 1, 1), sex="female", **(lists | fields))


def found(node: Node, **fields: Any) -> Finding:
    return evaluate_chart(node, chart(**fields), OZEMPIC, AS_OF)


def verdict(node: Node, **fields: Any) -> tuple[str, str | None]:
    finding = found(node, **fields)
    return finding.status, finding.reason


def med(drug: str, *ingredients: str, classes: tuple[str, ...] = (), **fields: Any) -> Medication:
    return Medication(id=f"m-{drug}", drug=drug, ingredients=ingredients, classes=classes, **fields)


def note(text: str, day: date = AS_OF - timedelta(days=10)) -> tuple[Note, ...]:
    return (Note(id="n1", date=day, text=text),)


# --- medicines that nobody can identify -------------------------------------------------------------------


def test_an_active_medicine_that_nobody_knows_may_be_of_the_excluded_class() -> None:
    assert verdict(NO_DPP4, medications=(med("Foozepam", status="active"),)) == ("unknown", "unrecognised")


def test_one_that_was_stopped_is_not_taken_now_whatever_it_was() -> None:
    gone = med("Foozepam", start=date(2025, 1, 1), end=date(2025, 3, 1), status="stopped")
    assert verdict(NO_DPP4, medications=(gone,)) == ("met", None)


def test_a_known_medicine_of_another_class_leaves_the_exclusion_met() -> None:
    assert verdict(NO_DPP4, medications=(med("lisinopril", "lisinopril", status="active"),)) == ("met", None)


def test_an_unknown_medicine_taken_long_enough_may_have_been_the_trial() -> None:
    long = med("Foozepam", start=date(2026, 1, 1), status="active", outcome="Inadequate response")
    assert verdict(TRIED, medications=(long,)) == ("unknown", "unrecognised")


def test_an_unknown_medicine_of_ten_days_can_have_been_no_trial_of_ninety() -> None:
    short = med("Foozepam", start=date(2026, 1, 1), end=date(2026, 1, 11), outcome="Inadequate response")
    assert verdict(TRIED, medications=(short,)) == ("not_met", None)


def test_an_allergy_to_something_illegible_may_be_one_to_the_drug_asked_for() -> None:
    own = NoneOf(id="no", children=(AllergyTo(id="own", label="the drug", requested=True),))
    illegible = Allergy(id="a1", substance="weekly pen, name illegible", reaction="hives")
    assert verdict(own, allergies=(illegible,)) == ("unknown", "unrecognised")
    assert verdict(own, allergies=(Allergy(id="a1", substance="shellfish"),)) == ("met", None)


# --- diagnoses --------------------------------------------------------------------------------------------


def test_both_types_of_diabetes_are_a_conflict_for_either() -> None:
    both = (Diagnosis(id="d1", code="E11.9"), Diagnosis(id="d2", code="E10.9"))
    assert verdict(condition("t2dm"), conditions=both) == ("unknown", "conflict")
    assert verdict(NoneOf(id="no", children=(condition("t1dm"),)), conditions=both) == ("unknown", "conflict")


def test_a_diagnosis_dated_after_the_day_is_unknown_in_both_directions() -> None:
    later = (Diagnosis(id="d1", code="E11.9", onset=date(2062, 1, 1)),)
    assert verdict(condition("t2dm"), conditions=later) == ("unknown", "ambiguous")


def test_a_code_of_another_system_may_be_any_diagnosis_unless_the_chart_denies_it() -> None:
    old = (Diagnosis(id="d1", code="250.00"),)
    assert verdict(condition("t2dm"), conditions=old) == ("unknown", "unrecognised")
    denied = (Attestation(id="t1", topic="type_1_diabetes", present=False, date=AS_OF),)
    excluded = NoneOf(id="no", children=(condition("t1dm"),))
    assert verdict(excluded, conditions=old, attestations=denied) == ("met", None)


# --- the list against the pharmacy, and against itself -----------------------------------------------------


def januvia(days_ago: int) -> tuple[Fill, ...]:
    day = AS_OF - timedelta(days=days_ago)
    fill = Fill(
        id="f1", drug="Januvia", ingredients=("sitagliptin",), classes=("dpp4",), date=day, days_supply=30
    )
    return (fill,)


def test_supply_at_hand_of_a_drug_that_the_list_lacks_is_a_conflict() -> None:
    assert verdict(NO_DPP4, fills=januvia(29)) == ("unknown", "conflict")
    assert verdict(NO_DPP4, fills=januvia(30)) == ("met", None)


def test_what_was_not_tolerated_and_dispensed_again_is_a_conflict() -> None:
    gone = med("metformin", "metformin", end=date(2026, 1, 1), outcome="Intolerance - other")
    again = Fill(id="f1", drug="metformin", ingredients=("metformin",), date=date(2026, 3, 1), days_supply=90)
    assert verdict(NOT_TOLERATED, medications=(gone,)) == ("met", None)
    assert verdict(NOT_TOLERATED, medications=(gone,), fills=(again,)) == ("unknown", "conflict")


def test_what_is_listed_as_not_tolerated_and_dispensed_after_that_is_a_conflict() -> None:
    listed = Allergy(
        id="a1", substance="metformin", ingredients=("metformin",), type="intolerance", date=date(2025, 8, 10)
    )
    again = Fill(id="f1", drug="metformin", ingredients=("metformin",), date=date(2026, 3, 1), days_supply=90)
    assert verdict(NOT_TOLERATED, allergies=(listed,)) == ("met", None)
    finding = found(NOT_TOLERATED, allergies=(listed,), fills=(again,))
    assert (finding.status, finding.reason) == ("unknown", "conflict")
    assert [seen.record_id for seen in finding.evidence] == ["f1", "a1"]
    before = Fill(
        id="f1", drug="metformin", ingredients=("metformin",), date=date(2025, 8, 1), days_supply=30
    )
    assert verdict(NOT_TOLERATED, allergies=(listed,), fills=(before,)) == ("met", None)


def test_two_records_of_one_course_that_decide_otherwise_are_shown_as_both_sides() -> None:
    one = med("Januvia", "sitagliptin", classes=("dpp4",), start=date(2026, 1, 1), status="active")
    other = med("Januvia", "sitagliptin", classes=("dpp4",), start=date(2026, 1, 1), end=date(2026, 5, 1))
    finding = found(NO_DPP4, medications=(one, other))
    assert (finding.status, finding.parts[0].reason) == ("unknown", "conflict")
    assert "now" in finding.detail and "2026-05-01" in finding.detail


def test_overlapping_programs_that_disagree_are_a_conflict() -> None:
    leaf = Programme(id="program", min_duration=Period(count=6, unit="months"))
    long = Program(id="g1", start=date(2026, 1, 1), end=date(2026, 8, 1))
    short = Program(id="g2", start=date(2026, 4, 1), end=date(2026, 8, 1))
    assert verdict(leaf, programs=(long,)) == ("met", None)
    assert verdict(leaf, programs=(long, short)) == ("unknown", "conflict")


# --- free text --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (NO_DPP4, "Currently taking sitagliptin from an outside clinic."),
        (NO_DPP4, "Janumet 50/1000 bid, says he never told us."),
        (NoneOf(id="no", children=(condition("pregnancy"),)), "Patient is pregnant."),
        (
            NoneOf(id="no", children=(condition("mtc_men2", who=("self", "family")),)),
            "Mother had medullary thyroid carcinoma.",
        ),
    ],
)
def test_a_sentence_that_says_otherwise_makes_unknown_and_is_shown(node: Node, text: str) -> None:
    assert verdict(node) == ("met", None)
    finding = found(node, notes=note(text))
    assert (finding.status, finding.reason) == ("unknown", "contradicted")
    assert text.rstrip(".") in finding.detail


@pytest.mark.parametrize(
    "text",
    [
        "Husband takes Januvia.",
        "Husb takes Januvia.",
        "Coworker does well on Januvia.",
        "No Januvia now or ever.",
        "I mentioned Januvia, pt declines.",
        "Stopped Januvia in 2024.",
        "Discussed Januvia as an option.",
        "Not taking Januvia.",
        "Denies use of DPP-4 inhibitors.",
    ],
)
def test_what_is_another_s_over_planned_or_denied_lowers_nothing(text: str) -> None:
    assert verdict(NO_DPP4, notes=note(text)) == ("met", None)


def test_a_note_of_two_years_ago_says_nothing_of_what_is_taken_now() -> None:
    assert verdict(NO_DPP4, notes=note("Taking Januvia.", AS_OF - timedelta(days=800))) == ("met", None)


def test_a_later_note_that_agrees_with_the_list_settles_an_earlier_one() -> None:
    notes = (
        Note(id="n1", date=date(2026, 5, 1), text="Taking Januvia."),
        Note(id="n2", date=date(2026, 8, 1), text="Not taking Januvia."),
    )
    assert verdict(NO_DPP4, notes=notes) == ("met", None)


def test_a_note_never_raises_certainty() -> None:
    assert verdict(condition("t2dm"), notes=note("Has type 2 diabetes."))[0] == "unknown"
    assert verdict(TRIED, notes=note("Metformin for a year, no response."))[0] == "unknown"


def test_a_positive_procedure_contradicts_and_a_negative_one_does_not() -> None:
    node = NoneOf(id="no", children=(condition("pregnancy"),))

    def tested(result: str) -> tuple[Procedure, ...]:
        return (Procedure(id="s1", name="Pregnancy test (hCG)", date=AS_OF, result=result),)

    assert verdict(node, procedures=tested("positive")) == ("unknown", "contradicted")
    assert verdict(node, procedures=tested("negative")) == ("met", None)


def test_a_value_that_a_note_takes_back_is_no_value() -> None:
    leaf = Lab(id="a1c", test="hba1c", op=">=", value=7.0, unit="%")
    value = (Observation(id="o1", test="hba1c", value=8.6, unit="%", date=date(2026, 8, 11)),)
    assert verdict(leaf, observations=value, notes=note("A1c 8.6 reviewed.")) == ("met", None)
    taken_back = note("The HbA1c specimen was mislabelled.", date(2026, 8, 14))
    assert verdict(leaf, observations=value, notes=taken_back) == ("unknown", "contradicted")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("The BMI of 31.2 entered 8/11 is not this patient's, it belongs to his brother.", "unknown"),
        ("The height entered 8/11 was incorrect.", "unknown"),
        ("BMI 31.2 on 8/11, same as last year.", "met"),
        ("His brother's BMI is 41.", "met"),
        ("No change in height, measured again 8/11.", "met"),
    ],
)
def test_a_value_that_a_note_gives_to_another_or_whose_parts_it_takes_back_is_no_value(
    text: str, status: str
) -> None:
    leaf = Lab(id="bmi", test="bmi", op=">=", value=30.0, unit="kg/m2")
    day = date(2026, 8, 11)
    values = (
        Observation(id="o1", test="bmi", value=31.2, unit="kg/m2", date=day),
        Observation(id="o2", test="height", value=172.0, unit="cm", date=day),
    )
    finding = found(leaf, observations=values, notes=note(text, date(2026, 8, 20)))
    assert (finding.status, finding.reason) == (status, None if status == "met" else "contradicted")


def test_a_study_that_a_note_gives_to_another_is_no_evidence_of_its_test() -> None:
    leaf = Lab(id="ahi", test="ahi", op=">=", value=15, unit="/h")
    value = (Observation(id="o1", test="ahi", value=31, unit="/h", date=date(2026, 7, 18)),)
    theirs = note("The sleep study of 7/18 is not this patient's, the name on it is his brother's.")
    assert verdict(leaf, observations=value, notes=note("Sleep study of 7/18 reviewed.")) == ("met", None)
    assert verdict(leaf, observations=value, notes=theirs) == ("unknown", "contradicted")


def test_a_note_that_tells_fewer_doses_than_the_list_opens_whether_it_is_taken_as_prescribed() -> None:
    leaf = Attested(id="adherent", topic="adherent", statement="takes it as prescribed")
    taken = med("Ozempic", "semaglutide", per_day=0.142857, status="active")
    stated = (Attestation(id="t1", topic="adherent", present=True, date=date(2026, 6, 1)),)

    def told(text: str) -> tuple[str, str | None]:
        return verdict(leaf, medications=(taken,), attestations=stated, notes=note(text))

    assert told("Takes her Ozempic once a week.") == ("met", None)
    assert told("Says she takes Ozempic every other week.") == ("unknown", "contradicted")


def test_a_drug_that_a_note_calls_never_tried_is_nothing_to_a_trial_of_another() -> None:
    either = Trial(id="trial", label="either", drugs=("metformin", "sitagliptin"), min_days=90)
    taken = med("Januvia", "sitagliptin", start=date(2026, 1, 1), end=date(2026, 6, 30), status="stopped")
    told = note("Never tried metformin, does not want it.")
    assert verdict(either, medications=(taken,), notes=told) == ("met", None)
    told = note("Never tried Januvia.")
    assert verdict(either, medications=(taken,), notes=told) == ("unknown", "contradicted")


def test_a_statement_is_contradicted_by_a_note_of_its_day_or_later() -> None:
    leaf = Attested(id="adherent", topic="adherent", statement="takes it as prescribed")
    stated = (Attestation(id="t1", topic="adherent", present=True, date=date(2026, 8, 1)),)
    assert verdict(leaf, attestations=stated, notes=note("Skips doses most weeks.")) == (
        "unknown",
        "contradicted",
    )
    before = note("Skips doses most weeks.", date(2026, 6, 1))
    assert verdict(leaf, attestations=stated, notes=before) == ("met", None)


def test_a_person_who_has_settled_the_sentence_raises_certainty_again() -> None:
    notes = note("Taking Januvia.")
    shown = found(NO_DPP4, notes=notes).evidence[0]
    settled = Attestation(id="t1", topic=f"note:{shown.note}", present=False, date=AS_OF, by="R. Lee")
    assert verdict(NO_DPP4, notes=notes, attestations=(settled,)) == ("met", None)


ON_ONE_MG = OnDrug(id="on", min_months=3, min_dose=1.0)
SINCE_JANUARY = Medication(
    id="M1", drug="Ozempic", ingredients=("semaglutide",), dose=1.0, dose_unit="mg", status="active",
    start=date(2026, 1, 5),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Ozempic 1 mg weekly, no complaints.", "met"),
        ("Ozempic: went from 0.5 mg to 1 mg in January, doing well.", "met"),
        ("Ozempic 0.5 mg weekly, never took 1 mg.", "unknown"),
        ("Remains on Ozempic 0.5 mg weekly.", "unknown"),
        ("Ran out of Ozempic in June and quit it, none since.", "unknown"),
        ("Ozempic tolerated; metformin 500 mg at supper.", "met"),
    ],
)
def test_a_note_that_tells_another_dose_or_the_end_opens_whether_it_is_taken(text: str, status: str) -> None:
    notes = (Note(id="N1", date=date(2026, 8, 20), text=text),)
    assert found(ON_ONE_MG, medications=(SINCE_JANUARY,), notes=notes).status == status


def test_a_diagnosis_confirmed_and_refuted_is_a_conflict_unless_the_refutation_is_older() -> None:
    confirmed = Diagnosis(id="D1", code="E11.9", name="type 2 diabetes", onset=date(2024, 1, 1))
    refuted = Diagnosis(id="D2", code="E11.9", name="type 2 diabetes", verification="refuted")
    finding = found(condition("t2dm"), conditions=(confirmed, refuted))
    assert (finding.status, finding.reason) == ("unknown", "conflict")
    older = Diagnosis(
        id="D3", code="E11.9", name="type 2 diabetes", onset=date(2020, 1, 1), verification="refuted"
    )
    assert found(condition("t2dm"), conditions=(confirmed, older)).status == "met"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Takes it as prescribed.", "met"),
        ("He is not taking Ozempic as prescribed.", "unknown"),
        ("She is not compliant.", "unknown"),
    ],
)
def test_a_statement_denied_in_a_note_is_its_contrary(text: str, status: str) -> None:
    said = Attestation(id="A1", topic="adherent", present=True, date=date(2026, 8, 1), subjects=("self",))
    leaf = Attested(id="adherent", topic="adherent", statement="adherent")
    notes = (Note(id="N1", date=date(2026, 8, 20), text=text),)
    assert found(leaf, attestations=(said,), notes=notes).status == status
