"""Synthea's own bundles, unchanged; they lie in the folder $FHIR_SAMPLES, and what they say is looked at as a
specialist would."""

from __future__ import annotations

import json
import timeit
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import worlds
from tests.tools.fhir.conftest import samples
from tests.tools.fhir.test_exporter import check, through_json
from tools.fhir.exporter import export_patient, losses
from tools.fhir.importer import Imported, import_bundle

pytestmark = pytest.mark.skipif(not samples(), reason="$FHIR_SAMPLES names no folder of Synthea bundles")


def imported(family: str, **more: Any) -> Imported:
    file = next((f for f in samples() if f"_{family}_" in f.name), None)
    if file is None:
        pytest.skip(f"no bundle of {family} among the samples")
    return import_bundle(json.loads(file.read_bytes()), **more)


@pytest.mark.parametrize("file", samples(), ids=lambda file: file.name.partition("_")[0])
def test_a_whole_record_is_read_accounted_for_and_comes_back(file: Path) -> None:
    bundle = json.loads(file.read_bytes())
    found = import_bundle(bundle, plan=worlds.plan())
    assert min(timeit.repeat(lambda: import_bundle(bundle), number=1, repeat=3)) < 0.15
    assert sorted(entry.place for entry in found.report.entries) == list(range(len(bundle["entry"])))
    chart = msgspec.structs.replace(found.patient, id="P900001")
    assert chart.observations and chart.coverages
    exported = through_json(export_patient(chart, worlds.plan()))
    check(exported)
    assert losses(chart, exported) == []


def test_diabetes_with_neuropathy_and_metformin_since_2007() -> None:
    chart, report, _ = imported("Dare")
    codes = {d.code: d for d in chart.conditions or ()}
    assert codes["E11.9"].onset == date(2001, 11, 19)
    assert {"E11.40", "E78.1", "E88.810", "R73.03", "D64.9"} <= set(codes)
    metformin = next(m for m in chart.medications or () if "metformin" in m.ingredients)
    assert (metformin.start, metformin.end, metformin.status) == (date(2007, 11, 26), None, "active")
    assert (metformin.dose, metformin.formulation, metformin.source_code) == (None, "ER", "RxNorm 860975")
    assert [round(o.value, 1) for o in chart.observations_by_test["hba1c"]] == [5.5, 5.9, 6.1, 6.1, 6.1]
    assert len(chart.observations_by_test["egfr"]) == 5
    assert report.newest == date(2020, 9, 7)
    assert any("do not agree with the creatinine" in notice for notice in report.notices)


def test_a_bmi_keeps_its_decimals() -> None:
    chart, *_ = imported("Maggio")
    assert chart.observations_by_test["bmi"][-1].value == pytest.approx(29.9949116)
    assert not any("metformin" in m.ingredients for m in chart.medications or ())


def test_prediabetes_that_became_diabetes_and_an_npi_that_is_none() -> None:
    chart, report, _ = imported("Schimmel")
    onset = {d.code: d.onset for d in chart.conditions or ()}
    assert onset["R73.03"] == date(2015, 12, 1) and onset["E11.9"] == date(2019, 6, 25)
    assert len(chart.allergies or ()) == 5
    assert chart.prescriber and chart.prescriber.npi is None
    assert any("fails its check digit" in notice for notice in report.notices)


def test_obesity_and_a_week_old_diabetes() -> None:
    chart, *_ = imported("Murray")
    codes = {d.code for d in chart.conditions or ()}
    assert {"E11.9", "E66.9", "R73.03", "I46.9"} <= codes
    assert (chart.allergies, chart.programs) == ((), ())
