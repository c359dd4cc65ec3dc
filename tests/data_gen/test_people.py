"""A thousand patients that nobody planted: the guide's derivations, the physiology and the coding rules hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from hashlib import sha256
from statistics import mean

import msgspec
import pytest

from data_gen import charts, people
from data_gen.catalog_loader import our_catalog
from data_gen.draws import BLOCK, block_rows, weighted
from data_gen.history import draw_record
from data_gen.people import before, creatinine, draw_person, weight
from data_gen.pools import draw_pools, npi, pools
from data_gen.setting import AS_OF, Setting
from tools.common.dates import age_on
from tools.domain.records import Medication, Observation, Patient
from tools.terminology.medicines import ndc11
from tools.terminology.observations import TESTS

GUIDE_OUTCOMES = {"Inadequate response", "Partial response", "Intolerance - GI side effects"}
ANTIDIABETICS = {"biguanide", "sulfonylurea", "sglt2"}


@cache
def lines() -> list[str]:
    setting = Setting(our_catalog().plans, our_catalog().drugs)
    fine, coarse = block_rows(42, 3)
    made = []
    for row in range(BLOCK):
        person = draw_person(3 * BLOCK + row, fine[row], coarse[row])
        draw_record(person, setting)
        made.append(person)
    return charts.write_charts(made, setting, charts.LINE)


@cache
def patients() -> list[Patient]:
    return [msgspec.json.decode(line, type=Patient) for line in lines()]


def series(patient: Patient, test: str) -> list[Observation]:
    return sorted(
        (seen for seen in patient.observations if seen.test == test), key=lambda seen: seen.date or date.min
    )


def latest(patient: Patient, test: str) -> float:
    return series(patient, test)[-1].value


def codes(patient: Patient) -> set[str]:
    return {entry.code for entry in patient.conditions or ()}


def has(patient: Patient, *prefixes: str) -> bool:
    return any(code.startswith(prefixes) for code in codes(patient))


def trials(patient: Patient) -> list[Medication]:
    return [entry for entry in patient.medications or () if set(entry.classes) & ANTIDIABETICS]


def diabetics() -> list[Patient]:
    return [patient for patient in patients() if has(patient, "E11")]


def share(people: list[Patient], of: Callable[[Patient], bool]) -> float:
    return sum(map(of, people)) / len(people)


# --- the bytes -------------------------------------------------------------------------------------------


def test_every_chart_is_what_msgspec_would_write_of_it() -> None:
    for line, patient in zip(lines(), patients(), strict=True):
        assert msgspec.json.encode(patient).decode() == line


def test_a_chart_has_about_as_many_lines_as_the_guide_says() -> None:
    setting = Setting(our_catalog().plans, our_catalog().drugs)
    fine, coarse = block_rows(42, 3)
    counts = []
    for row in range(100):
        person = draw_person(3 * BLOCK + row, fine[row], coarse[row])
        draw_record(person, setting)
        counts.append(charts.write_charts([person], setting, charts.BLOCK)[0].count("\n") + 1)
    assert 55 <= mean(counts) <= 90


# --- the guide -------------------------------------------------------------------------------------------


def test_a_bmi_above_30_is_obesity_of_its_class() -> None:
    for patient in patients():
        bmi = latest(patient, "bmi")
        expected = "E66.813" if bmi >= 40 else "E66.812" if bmi >= 35 else "E66.811" if bmi > 30 else ""
        assert {code for code in codes(patient) if code.startswith("E66.8")} == ({expected} - {""})


def test_hypertension_is_for_those_over_50_and_nash_for_those_over_a_bmi_of_35() -> None:
    for patient in patients():
        assert patient.birth_date is not None
        if has(patient, "I10", "I11", "I12", "I13"):
            assert age_on(patient.birth_date, AS_OF) > 50
        if has(patient, "K75.81"):
            assert latest(patient, "bmi") > 35


def test_every_diabetic_has_had_metformin_and_about_60_percent_a_second_line() -> None:
    people = diabetics()
    assert all("metformin" in trials(patient)[0].ingredients for patient in people)
    second = [trials(patient)[1] for patient in people if len(trials(patient)) > 1]
    assert 0.55 <= len(second) / len(people) <= 0.66
    assert {entry.drug for entry in second} == {"glipizide", "Jardiance", "Invokana"}
    assert {entry.outcome for patient in people for entry in trials(patient)} == GUIDE_OUTCOMES


def test_boundaries_that_a_rule_may_sit_on_are_left_to_planted_cases() -> None:
    for patient in patients():
        assert latest(patient, "hba1c") not in (6.5, 7.0)
        assert latest(patient, "bmi") != 30.0


# --- physiology ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("female", "age", "level", "egfr"),
    [
        (False, 55, 1.2, 71.4), (True, 50, 0.8, 89.7), (True, 60, 1.0, 64.5), (False, 68, 2.0, 35.7),
        (True, 70, 2.1, 24.9), (True, 40, 0.6, 116.3), (False, 45, 0.85, 109.2),
    ],
)  # fmt: skip
def test_creatinine_is_ckd_epi_2021_read_backwards(female: bool, age: int, level: float, egfr: float) -> None:
    assert creatinine(female, age, round(egfr)) / 100 == pytest.approx(level, abs=0.02)


def test_weight_is_bmi_times_height_squared_and_gives_the_bmi_back() -> None:
    for patient in patients():
        height = series(patient, "height")[0].value / 100
        for seen, heavy in zip(series(patient, "bmi"), series(patient, "weight"), strict=True):
            assert seen.date == heavy.date
            assert round(heavy.value / height**2 + 1e-9, 1) == seen.value
    assert weight(285, 1700) == 824


def test_cholesterol_adds_up() -> None:
    for patient in patients():
        total, ldl, hdl, tg = (latest(patient, test) for test in ("tc", "ldl", "hdl", "tg"))
        assert ldl == total - hdl - tg / 5
        assert tg < 400


def test_fib_4_does_not_claim_fibrosis_that_nobody_has() -> None:
    for patient in patients():
        assert patient.birth_date is not None
        age = age_on(patient.birth_date, AS_OF)
        alt, ast, platelets = (latest(patient, test) for test in ("alt", "ast", "platelets"))
        fib4 = age * ast / (platelets * alt**0.5)
        if platelets < 400 and not has(patient, "K74"):
            assert fib4 < (2.0 if age >= 65 else 1.3) + 0.01


def test_chronic_kidney_disease_is_of_the_stage_that_the_egfr_says_for_three_months() -> None:
    stages = ((90, "N18.1"), (60, "N18.2"), (45, "N18.31"), (30, "N18.32"), (15, "N18.4"))
    for patient in patients():
        first, last = series(patient, "egfr")
        found = {code for code in codes(patient) if code.startswith("N18")}
        if found:
            assert found == {next(code for bound, code in stages if last.value >= bound)}
        if last.value < 60:
            assert found and first.value < 60
            assert first.date and last.date and (last.date - first.date).days >= 90


def test_hba1c_before_and_after_a_trial_agrees_with_its_outcome() -> None:
    for patient in diabetics():
        values = {seen.date: seen.value for seen in series(patient, "hba1c")}
        taken = trials(patient)
        for place, entry in enumerate(taken):
            assert entry.start is not None
            start = max(day for day in values if day and day <= entry.start)
            later = taken[place + 1].start if place + 1 < len(taken) else AS_OF
            assert later is not None
            after = [value for day, value in values.items() if day and start < day <= later]
            if entry.outcome == "Intolerance - GI side effects":
                assert entry.end is not None and 7 <= (entry.end - entry.start).days <= 60
                continue
            fall = round(values[start] - after[-1], 1)
            if entry.outcome == "Partial response":
                assert fall >= 0.5
            else:
                assert fall < 0.5 or after[-1] >= 7.0
            assert ((entry.end or AS_OF) - entry.start).days >= 90


def test_the_drug_effect_model_reads_backwards() -> None:
    for after in range(66, 100, 3):
        start = before("metformin", after, 100)
        if start < 110:
            fall = 1.2 * (0.5 + 0.33 * (start / 10 - 6.5))
            assert start / 10 - fall == pytest.approx(after / 10, abs=0.06)


# --- coding ----------------------------------------------------------------------------------------------


def test_codes_that_may_not_stand_together_do_not() -> None:
    for patient in patients():
        found = codes(patient)
        if has(patient, "N18", "I50"):
            assert "I10" not in found
        if has(patient, "E11"):
            assert not has(patient, "E10", "R73.03")
        if "E11.9" in found:
            assert not [code for code in found if code.startswith("E11") and code != "E11.9"]
        if has(patient, "Z68"):
            assert has(patient, "E66")
        assert ("E11.65" in found) == (has(patient, "E11") and latest(patient, "hba1c") >= 9)
        assert has(patient, "E11.22") == (has(patient, "E11") and has(patient, "N18"))
        assert "E66.81" not in found and "E66.8" not in found
        assert len(found) == len(patient.conditions or ())


def test_long_term_codes_follow_what_is_taken() -> None:
    for patient in diabetics():
        taking = any(entry.status == "active" for entry in trials(patient))
        assert ("Z79.84" in codes(patient)) == taking


# --- the record ------------------------------------------------------------------------------------------


def record_dates(patient: Patient) -> Iterator[date | None]:
    for seen in patient.observations:
        yield seen.date
    for entry in patient.medications or ():
        yield from (entry.start, entry.end)
    for fill in patient.fills:
        yield fill.date
    for note in patient.notes:
        yield note.date
    for problem in patient.conditions or ():
        yield problem.onset


def test_no_record_is_dated_after_as_of_or_before_birth() -> None:
    for patient in patients():
        assert patient.birth_date is not None
        assert all(patient.birth_date < day <= AS_OF for day in record_dates(patient) if day)


def test_every_observation_has_its_loinc_and_its_unit_and_is_possible() -> None:
    for patient in patients():
        for seen in patient.observations:
            spec = TESTS[seen.test]
            assert (seen.loinc, seen.unit) == (spec.loinc[0], spec.unit)
            assert spec.low <= seen.value <= spec.high


def test_there_are_two_to_four_notes_and_they_tell_values_of_the_record() -> None:
    for patient in patients():
        assert 2 <= len(patient.notes) <= 4
        newest = max(patient.notes, key=lambda note: note.date or date.min)
        assert f"BMI {latest(patient, 'bmi')}" in newest.text


def test_everybody_is_enrolled_in_one_plan_on_as_of_and_all_ten_plans_have_members() -> None:
    plans = set()
    for patient in patients():
        active = [
            period
            for period in patient.coverages
            if period.start and period.start <= AS_OF and (period.end is None or period.end >= AS_OF)
        ]
        assert len(active) == 1
        plans.add(active[0].plan_id)
    assert plans == set(our_catalog().plans)
    former = share(patients(), lambda patient: len(patient.coverages) > 1)
    assert 0.11 <= former <= 0.19


def test_prescribers_have_fictitious_npis_that_pass_luhn() -> None:
    for doctor in pools().doctors:
        assert doctor.npi[0] == "2" and npi(doctor.npi[:9]) == doctor.npi
        assert "555-01" in doctor.phone and "555-01" in doctor.fax
    assert npi("123456789") == "1234567893"  # the example of CMS


def test_fills_carry_eleven_digits_or_nothing() -> None:
    assert ndc11("0169-4181-13") == "00169418113"
    assert all(len(fill.ndc) in (0, 11) for patient in patients() for fill in patient.fills)
    assert any(fill.ndc for patient in patients() for fill in patient.fills)


# --- shares ----------------------------------------------------------------------------------------------


def test_the_tables_are_the_same_on_every_machine() -> None:
    """Seen with CPython 3.11 to 3.13; another C library could at most move a value that lies on a tie."""
    levels = [
        creatinine(female, age, egfr)
        for female in (False, True)
        for age in (34, 50, 76)
        for egfr in range(15, 116)
    ]
    made = (people.Z, people.BMI, people.A1C_DIABETIC, people.A1C_OTHER, people.UACR, people.TG, levels)
    assert sha256(repr(made).encode()).hexdigest()[:16] == "eda47e13c2952330"


def test_a_table_of_a_byte_has_256_places() -> None:
    assert weighted((0, 200), (1, 56)).count(1) == 56
    with pytest.raises(ValueError, match="sum to 3"):
        weighted((0, 1), (1, 2))


def test_faker_draws_pools_of_the_same_shape_as_the_frozen_ones() -> None:
    drawn, frozen = draw_pools(), pools()
    assert [len(pool) for pool in msgspec.structs.astuple(drawn)] == [
        len(pool) for pool in msgspec.structs.astuple(frozen)
    ]
    assert all(npi(doctor.npi[:9]) == doctor.npi for doctor in drawn.doctors)
    assert {doctor.specialty for doctor in drawn.doctors} == {doctor.specialty for doctor in frozen.doctors}
