"""The world agrees with itself: 10,000 charts, read as anybody reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from data_gen.catalog_loader import our_catalog
from data_gen.world import Order, generate
from tools.domain.records import Diagnosis, Medication, Patient
from tools.terminology.conditions import CONCEPTS

CHARTS = 10_000
# What a medicine of the class is taken for; the first list that a chart has an entry of is when it was known.
TAKEN_FOR = {
    "biguanide": ("E11", "R73.03"),
    "sulfonylurea": ("E11",),
    "sglt2": ("E11", "I50", "I11.0", "I13", "N18"),
    "dpp4": ("E11",),
    "glp1": ("E11", "E66", "I25", "I73", "Z86.73", "G47.33", "K75.81"),
    "statin": ("E78", "I25", "I73", "Z86.73", "E11.51"),
    "acei_arb": ("I10", "I11", "I12", "I13", "I50", "N18"),
    "anorectic": ("E66",),
}
CLASSES = {"E66.3": (25, 30), "E66.811": (30, 35), "E66.812": (35, 40), "E66.813": (40, 100)}


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> list[Patient]:
    out = tmp_path_factory.mktemp("world")
    generate(Order(count=CHARTS, out=out, workers=1))
    return msgspec.json.decode((out / "patients.json").read_bytes(), type=list[Patient])


def coded(patient: Patient, *codes: str) -> Iterator[Diagnosis]:
    return (entry for entry in patient.conditions or () if entry.code.startswith(codes))


def test_what_is_taken_for_a_disease_is_begun_after_it_was_diagnosed(charts: list[Patient]) -> None:
    early = [
        (patient.id, course.drug, course.start, known)
        for patient in charts
        for course in patient.medications or ()
        for known in [_known(patient, course)]
        if course.start and known and course.start < known
    ]
    assert early == []


def _known(patient: Patient, course: Medication) -> object:
    """The day from which the chart has a disease that this is taken for; None if it has none of them. A weight class
    that changed under treatment is as old as the measurement before it."""
    codes = [code for kind in course.classes for code in TAKEN_FOR.get(kind, ())]
    days = [entry.onset for entry in coded(patient, *codes) if codes and entry.onset]
    if days and "E66" in codes:
        days += [
            seen.date
            for seen in patient.observations
            if seen.test == "bmi" and seen.date and seen.value >= 25
        ]
    return min(days, default=None)


def test_a_coded_weight_class_agrees_with_the_bmi_of_its_day(charts: list[Patient]) -> None:
    checked, wrong = 0, []
    for patient in charts:
        measured = {seen.date: seen.value for seen in patient.observations if seen.test == "bmi"}
        for entry in coded(patient, "E66", "Z68"):
            bmi = measured.get(entry.onset)
            if bmi is None:
                continue
            checked += 1
            low, high = CLASSES.get(entry.code) or _decile(entry.code)
            if not low <= bmi < high:
                wrong.append((patient.id, entry.code, bmi))
    assert checked > CHARTS and wrong == []


def _decile(code: str) -> tuple[float, float]:
    whole = int(code.removeprefix("Z68."))
    return (40, 45) if whole == 41 else (whole, whole + 1)


def test_onset_dates_vary(charts: list[Patient]) -> None:
    for code in ("E11", "N18", "I10", "E78", "E66"):
        days = Counter(entry.onset for patient in charts for entry in coded(patient, code))
        (_, most), of = days.most_common(1)[0], days.total()
        assert most < 0.02 * of, (code, most, of)


def test_an_ordered_strength_is_one_that_the_label_has_for_its_use(charts: list[Patient]) -> None:
    drugs = our_catalog().drugs
    wrong = []
    for patient in charts:
        for order in patient.orders:
            drug = drugs[order.drug]
            use = order.indication or ("t2dm" if any(coded(patient, *CONCEPTS["t2dm"].codes)) else "")
            named = next((one for one in drug.indications if one.key == use), None)
            strength = next((one for one in drug.strengths if one.label == order.strength), None)
            fits = named is None or not named.doses or strength is None
            if not fits and strength and named and strength.dose not in (*named.doses, *named.starting_doses):
                wrong.append((patient.id, order.drug, order.strength, use))
    assert wrong == []
