import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tools.domain.records import Drug
from tools.terminology.medicines import (
    CLASSES,
    Medicine,
    MedicineRow,
    fold,
    formulation_of,
    resolve_medicine,
    terminology,
)
from tools.terminology.rows import DATA, read_rows

ROWS = read_rows("medicines", MedicineRow)

AS_CHARTED = {
    "Lantus SoloStar 100 unit/mL (3 mL) pen": ("insulin glargine",),
    "insulin glargine-yfgn": ("insulin glargine",),
    "insulin aspart 100 unit/mL (U-100) subcutaneous solution": ("insulin aspart",),
    "Humulin 70/30 KwikPen": ("insulin isophane", "insulin regular"),
    "metformin HCl ER 500 mg 24 hr tab": ("metformin",),
    "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet [Glucophage]": ("metformin",),
    "3 ML semaglutide 0.68 MG/ML Pen Injector [Ozempic]": ("semaglutide",),
    "OZEMPIC 0.25-0.5 MG/DOSE PEN": ("semaglutide",),
    "GLIPIZIDE-METFORMIN 5-500": ("glipizide", "metformin"),
    "sitagliptin/metformin": ("sitagliptin", "metformin"),
    "Januvia + metformin": ("sitagliptin", "metformin"),
    "semaglutide, compounded w/ B12": ("semaglutide", "cyanocobalamin"),
    "semaglutide (compounded)": ("semaglutide",),
    "compounded tirzepatide": ("tirzepatide",),
    "sema": ("semaglutide",),
    "tirz 5 mg weekly": ("tirzepatide",),
    "Wegovy 7.2 mg": ("semaglutide",),
    "Foundayo": ("orforglipron",),
    "Losartan-HCTZ 100-25 mg": ("losartan", "hydrochlorothiazide"),
    "losartan potassium 50mg": ("losartan",),
    "lisinopril and potassium": ("lisinopril", "potassium"),
    "Lantus insulin": ("insulin glargine",),
    "  aspirin   EC 81mg daily ": ("aspirin",),
    "Mounjaro®": ("tirzepatide",),
    "metfornin": ("metformin",),
    "Onglyza": ("saxagliptin",),
    "lisinopril 10 mg daily for high blood pressure": ("lisinopril",),
    "metformin for insulin resistance": ("metformin",),
    "tirzepatide for weight management": ("tirzepatide",),
    "Trijardy XR": ("empagliflozin", "linagliptin", "metformin"),
}


@pytest.mark.parametrize(("name", "ingredients"), AS_CHARTED.items())
def test_a_charted_name_is_read_as_it_stands(name: str, ingredients: tuple[str, ...]) -> None:
    found = resolve_medicine(name)
    assert found is not None
    assert found.ingredients == ingredients


@pytest.mark.parametrize(
    "name",
    [
        "foozepam",
        "sitagliptin/foozepam",
        "metformin + foozepam 5 mg",
        "no insulin",
        "metformin (stopped)",
        "metformin for foozepam",
        "for diabetes",
        "",
        "Novolon",
    ],
)
def test_a_word_that_nobody_knows_leaves_the_name_unknown(name: str) -> None:
    assert resolve_medicine(name) is None


@pytest.mark.parametrize(
    "name", ["OneTouch Verio test strips", "BD Ultra-Fine pen needles 32G x 4mm", "CPAP"]
)
def test_a_supply_is_known_and_is_no_medicine(name: str) -> None:
    found = resolve_medicine(name)
    assert found is not None
    assert (found.kind, found.ingredients, found.classes) == ("supply", (), ())


def test_every_name_stands_for_its_row_in_any_casing() -> None:
    for row in ROWS:
        for name in row.names():
            for written in (name, name.upper(), name.lower(), f" {name}  "):
                assert terminology().row(written) == row, written


def test_every_name_is_found_under_dose_and_form() -> None:
    lost = []
    for row in ROWS:
        for written in (
            f"{row.name} 10 mg tablet",
            f"{row.name.upper()} 5 MG/ML PEN",
            f"{row.name} 1x daily",
        ):
            found = resolve_medicine(written)
            if found is None or not set(row.ingredients) <= set(found.ingredients):
                lost.append(written)
    assert not lost


def test_no_name_stands_for_two_things() -> None:
    seen: dict[str, MedicineRow] = {}
    for row in ROWS:
        for name in row.names():
            assert seen.setdefault(fold(name), row) == row, name


def test_rows_name_known_ingredients_and_classes_and_have_a_source() -> None:
    made_of = {row.name for row in ROWS if row.kind == "ingredient"}
    for row in ROWS:
        assert set(row.ingredients) <= made_of, row.name
        assert set(row.classes) <= set(CLASSES), row.name
        assert row.source and row.kind in ("ingredient", "brand", "supply"), row.name
        assert bool(row.ingredients) == (row.kind == "brand"), row.name


def test_a_clinic_answers_once_what_a_name_is() -> None:
    ours = terminology().with_medicines([MedicineRow("foozepam", classes=("other",))])
    assert resolve_medicine("Foozepam 5 mg tab", terms=ours) == Medicine(
        "foozepam", ("foozepam",), ("other",), ""
    )
    assert resolve_medicine("Foozepam 5 mg tab") is None


@pytest.mark.parametrize(
    ("name", "formulation"),
    [
        ("metformin ER", "ER"),
        ("Fortamet 500 mg", "ER"),
        ("metformin", ""),
        ("aspirin EC", "DR"),
        ("tramadol IR", "IR"),
    ],
)
def test_the_formulation_is_read_from_words_or_brand(name: str, formulation: str) -> None:
    assert formulation_of(name) == formulation


def test_the_data_is_one_json_object_a_line() -> None:
    for path in Path(DATA).glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert isinstance(json.loads(line), dict), path.name


def test_the_catalog_s_drugs_are_known_here_as_they_are_there() -> None:
    drugs = msgspec.json.decode(
        (Path(__file__).parents[3] / "mock_data" / "drugs.json").read_bytes(), type=list[Drug]
    )
    assert len(drugs) >= 10
    for drug in drugs:
        for name in (drug.name, drug.generic, *drug.aliases):
            found = resolve_medicine(name)
            assert found is not None, name
            assert (found.ingredients, found.classes) == (drug.ingredients, drug.classes), name
            assert "" in (found.rxnorm, drug.rxnorm) or found.rxnorm == drug.rxnorm, name


def test_a_first_answer_costs_a_cold_start_little() -> None:
    code = (
        "import time, tools.domain.records; t = time.process_time();"
        "from tools.terminology.medicines import resolve_medicine as r; r('Lantus SoloStar 100 unit/mL pen');"
        "print(time.process_time() - t)"
    )
    best = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(5)
    )
    assert best < 0.04  # 0.015 on an idle machine
