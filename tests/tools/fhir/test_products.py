"""What a product's text says of its ingredients, class, strength and form."""

from __future__ import annotations

import pytest

from tools.fhir.products import named_drugs, product


@pytest.mark.parametrize(
    ("text", "ingredients", "classes"),
    [
        ("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", ("metformin",), ("biguanide",)),
        ("metFORMIN hydrochloride 500 MG Oral Tablet", ("metformin",), ("biguanide",)),
        ("sitagliptin 50 MG / metformin hydrochloride 1000 MG Oral Tablet [Janumet]", ("sitagliptin", "metformin"),
         ("dpp4", "biguanide")),
        ("insulin human, isophane 70 UNT/ML / insulin, regular, human 30 UNT/ML Injectable Suspension [Humulin]",
         ("insulin isophane", "insulin regular"), ("insulin",)),
        ("insulin glargine 100 UNT/ML Injectable Solution", ("insulin glargine",), ("insulin",)),
        ("3 ML liraglutide 6 MG/ML Pen Injector", ("liraglutide",), ("glp1",)),
        ("0.5 ML dulaglutide 3 MG/ML Auto-Injector [Trulicity]", ("dulaglutide",), ("glp1",)),
        ("Amlodipine 5 MG / Hydrochlorothiazide 12.5 MG / Olmesartan medoxomil 20 MG Oral Tablet",
         ("amlodipine", "hydrochlorothiazide", "olmesartan"), ("ccb", "diuretic", "acei_arb")),
        ("sacubitril 97 MG / valsartan 103 MG Oral Tablet", ("sacubitril", "valsartan"), ("heart_failure", "acei_arb")),
        ("Simvistatin 10 MG Oral Tablet", ("simvastatin",), ("statin",)),
        ("NDA020503 200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", ("albuterol",), ("respiratory",)),
        ("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet", ("amoxicillin", "clavulanate"), ("antibiotic",)),
        ("Janumet XR 50/1000", ("sitagliptin", "metformin"), ("dpp4", "biguanide")),
        ("", (), ()),
    ],
)  # fmt: skip
def test_ingredients_and_classes(text: str, ingredients: tuple[str, ...], classes: tuple[str, ...]) -> None:
    found = product(text)
    assert (found.ingredients, found.classes) == (ingredients, classes)


def test_strength_and_formulation_are_of_one_solid_dose() -> None:
    assert product("24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet")[4:] == (500, "ER")
    assert product("lisinopril 10 MG Oral Tablet")[4:] == (10, "IR")
    assert product("levothyroxine sodium 75 MCG Oral Tablet").strength == 0.075
    assert product("3 ML liraglutide 6 MG/ML Pen Injector")[4:] == (None, None)
    assert product("sitagliptin 50 MG / metformin hydrochloride 500 MG Oral Tablet").strength is None
    assert product("aspirin 81 MG Delayed Release Oral Tablet").formulation is None


def test_a_known_brand_names_the_drug_and_a_strange_one_does_not() -> None:
    assert product("1.5 ML semaglutide 1.34 MG/ML Pen Injector [Ozempic]").name == "Ozempic"
    assert product("1 ML Foozepam 4000 UNT/ML Injection [Foozela]").name.startswith("1 ML Foozepam")
    assert product("1 ML Foozepam 4000 UNT/ML Injection [Foozela]").ingredients == ()


def test_a_code_without_words_is_looked_up() -> None:
    assert product("", "860975").ingredients == ("metformin",)
    assert product("", "6809") == product("metformin", "6809")
    assert product("", "0").ingredients == ()


@pytest.mark.parametrize(
    ("phrase", "ingredients", "classes"),
    [
        ("Allergy to metformin", ("metformin",), ("biguanide",)),
        ("Sulfonylureas", (), ("sulfonylurea",)),
        ("Insulin glargine", ("insulin glargine",), ("insulin",)),
        ("Ozempic", ("semaglutide",), ("glp1",)),
        ("House dust mite", (), ()),
    ],
)
def test_an_allergy_names_its_drugs(
    phrase: str, ingredients: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    assert named_drugs(phrase) == (ingredients, classes)
