"""Additions to a chart: what is entered is checked, counts at once, and can be taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tools.charts import additions
from tools.charts.additions import Entering
from tools.common.errors import Invalid, NotFound, Refused
from tools.store import ChartEntry, Store

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = date(2026, 8, 30)


@pytest.fixture
def store(tiny: Store) -> Store:
    return tiny


@pytest.fixture
def to(store: Store) -> Entering:
    return Entering(store=store, patient_id="P002", by="kim", when=NOON)


@pytest.mark.parametrize("name", ["hba1c", "A1c", "Hemoglobin A1c", "4548-4"])
def test_a_value_counts_as_soon_as_it_is_entered_under_any_name_of_its_test(
    to: Entering, store: Store, name: str
) -> None:
    entry = additions.add_observation(to, name, 7.4, "%", DAY)
    added = store.patient("P002").observations[-1]
    assert added.id == f"added-{entry.id}"
    assert (added.test, added.loinc, added.source) == ("hba1c", "4548-4", "lab")
    assert (added.value, added.unit, added.date) == (7.4, "%", DAY)
    assert (entry.by, entry.when) == ("kim", NOON)


def but(to: Entering, **changes: Any) -> Entering:
    return replace(to, **changes)


def test_the_missing_lab_changes_the_determination(to: Entering, store: Store) -> None:
    """Case 1 of the reference: the HbA1c is 200 days old; a new one makes the criterion met."""
    from tools.queries.check import check

    begun, ended = date(2025, 1, 1), date(2025, 12, 1)
    additions.add_trial(
        to, "metformin", start=begun, end=ended, dose="1000 mg", frequency="bid", outcome="inad"
    )
    assert check(store, "P002", "Ozempic").outcome == "needs_documentation"
    additions.add_observation(to, "hba1c", 8.1, "%", DAY)
    after = check(store, "P002", "Ozempic")
    shown = {evidence.record_id for finding in after.findings for evidence in finding.evidence}
    assert after.outcome == "ready"
    assert {"added-1", "added-2"} <= shown


METFORMIN = "metformin"
WRONG: dict[str, tuple[Callable[[Entering], ChartEntry], type[Exception], str]] = {
    "a unit that the test does not have": (
        lambda to: additions.add_observation(to, "hba1c", 7.4, "mg/dL", DAY), Invalid, r"no unit 'mg/dL'; write % or"),
    "a value that no body has": (
        lambda to: additions.add_observation(to, "hba1c", 74, "%", DAY), Invalid, r"HbA1c 74 % is not possible"),
    "a value that is impossible once converted": (
        lambda to: additions.add_observation(to, "height", 70, "cm", DAY), Invalid, r"between 90 and 250 cm"),
    "a test that there is not": (
        lambda to: additions.add_observation(to, "hba1", 7.4, "%", DAY), NotFound, r"did you mean hba1c"),
    "a day that has not come": (
        lambda to: additions.add_observation(to, "hba1c", 7.4, "%", date(2026, 9, 2)), Invalid,
        r"2026-09-02 lies in the future; the latest possible date is 2026-09-01"),
    "a day before the birth": (
        lambda to: additions.add_note(to, "text", date(1960, 1, 1)), Invalid, r"before the birth of P002 on 1965"),
    "a misspelt drug": (lambda to: additions.add_trial(to, "metfrxmn"), NotFound, r"did you mean metformin"),
    "an end before the start": (
        lambda to: additions.add_trial(to, METFORMIN, start=date(2025, 2, 1), end=date(2025, 1, 1)), Invalid,
        r"the end, 2025-01-01, lies before the start"),
    "a course that ended and goes on": (
        lambda to: additions.add_trial(to, METFORMIN, end=DAY, ongoing=True), Invalid, r"not ongoing"),
    "an outcome that could be several": (
        lambda to: additions.add_trial(to, METFORMIN, outcome="Intolerance"), Invalid,
        r"several outcomes; write Intolerance - GI side effects, "),
    "an outcome that is none": (
        lambda to: additions.add_trial(to, METFORMIN, outcome="meh"), Invalid,
        r"'meh' is no outcome; write Inadequate response"),
    "a dose without a unit": (
        lambda to: additions.add_trial(to, METFORMIN, dose="1000"), Invalid,
        r"cannot read the dose '1000'; write it like '1000 mg'"),
    "a frequency that is none": (
        lambda to: additions.add_trial(to, METFORMIN, frequency="often"), Invalid,
        r"cannot read the frequency 'often'; write daily"),
    "a topic that there is not": (
        lambda to: additions.add_attestation(to, "mtc", present=False, on=DAY), NotFound, r"no topic 'mtc'.*mtc_men2"),
    "a subject that is none": (
        lambda to: additions.add_attestation(to, "mtc_men2", present=False, subjects=("aunt",), on=DAY), Invalid,
        r"'aunt' is no subject; write self, family"),
    "a code that is none": (
        lambda to: additions.add_diagnosis(to, "diabetes"), Invalid, r"'diabetes' is no ICD-10-CM code; .*E11\.65"),
    "a fill that lasts no days": (
        lambda to: additions.add_fill(to, METFORMIN, DAY, 0), Invalid, r"does not last 0 days"),
    "a note without words": (lambda to: additions.add_note(to, "  ", DAY), Invalid, r"needs a text"),
    "nobody who says who they are": (lambda to: additions.add_note(but(to, by=" "), "text", DAY), Invalid, "say who"),
    "nobody of that id": (lambda to: additions.add_note(but(to, patient_id="P777"), "text", DAY), NotFound, "P777"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_is_refused_and_nothing_is_added(to: Entering, store: Store, wrong: str) -> None:
    enter, kind, said = WRONG[wrong]
    with pytest.raises(kind, match=said):
        enter(to)
    assert store.chart_entries() == []


def test_one_entry_does_not_make_an_unrecorded_list_complete(to: Entering, store: Store) -> None:
    """P003's medications are not recorded: with metformin alone on the list, no other drug would be taken."""
    to = but(to, patient_id="P003")
    with pytest.raises(Refused, match=r"medication list of P003 is not recorded.*--list-complete"):
        additions.add_trial(to, "metformin", ongoing=True)
    additions.add_trial(but(to, complete=True), "metformin", ongoing=True)
    assert [course.drug for course in store.patient("P003").medications or ()] == ["metformin"]


def test_a_course_keeps_dose_frequency_and_class(to: Entering, store: Store) -> None:
    additions.add_trial(
        to, "Glucophage", start=date(2026, 1, 1), dose="1 g", frequency="BID", formulation="er", ongoing=True
    )
    course = (store.patient("P002").medications or ())[-1]
    assert (course.ingredients, course.classes, course.rxnorm) == (("metformin",), ("biguanide",), "6809")
    assert (course.dose, course.dose_unit, course.per_day, course.formulation) == (1000, "mg", 2, "ER")
    assert (course.status, course.end) == ("active", None)


def test_a_course_of_which_the_end_is_not_known_is_neither_active_nor_stopped(
    to: Entering, store: Store
) -> None:
    entry = additions.add_trial(to, "metformin", start=date(2026, 1, 1))
    assert (store.patient("P002").medications or ())[-1].status is None
    assert store.patient("P002").typed == (entry.record_id,), "what was typed is known as that"


def test_statements_fills_programs_diagnoses_allergies_and_relatives_reach_their_lists(
    to: Entering, store: Store
) -> None:
    additions.add_attestation(to, "mtc_men2", present=False, subjects=("self", "family"), on=DAY)
    additions.add_fill(to, "metformin", DAY, 90, 180)
    additions.add_program(to, "Step by step", date(2026, 1, 1))
    additions.add_diagnosis(to, "i10", "hypertension")
    additions.add_allergy(to, "metformin", reaction="hives")
    additions.add_relative(to, "mother", "medullary thyroid carcinoma")
    kept = store.patient("P002")
    assert (kept.attestations[0].subjects, kept.attestations[0].by) == (("self", "family"), "kim")
    assert (kept.fills[0].classes, kept.fills[0].days_supply) == (("biguanide",), 90)
    assert kept.programs[0].end is None
    assert (kept.conditions or ())[-1].code == "I10"
    assert (kept.allergies or ())[-1].ingredients == ("metformin",)
    assert kept.family_history[0].relation == "mother"
    assert len({entry.id for entry in store.chart_entries()}) == 6


def test_a_world_that_lies_ahead_of_the_clock_takes_its_own_dates(to: Entering) -> None:
    early = but(to, when=datetime(2026, 3, 1, tzinfo=UTC))
    assert additions.add_observation(early, "hba1c", 7.4, "%", DAY).id == 1
