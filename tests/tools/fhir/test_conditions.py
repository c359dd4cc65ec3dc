"""The table from SNOMED CT to ICD-10-CM can be trusted as a table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from importlib.resources import files

from tools.fhir.clinical import icd10, plain
from tools.fhir.elements import Coding, Concept
from tools.terminology.conditions import CONCEPTS
from tools.terminology.terms import SNOMED


def rows() -> list[dict[str, str]]:
    text = files("tools.fhir").joinpath("snomed_icd10.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_each_concept_stands_once() -> None:
    assert [code for code, times in Counter(row["snomed"] for row in rows()).items() if times > 1] == []


def test_codes_have_the_shape_of_icd10cm() -> None:
    wrong = [
        row
        for row in rows()
        for code in row["icd10"].split()
        if not re.fullmatch(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", code)
    ]
    assert wrong == []


def test_snomed_identifiers_pass_their_own_check_digit() -> None:
    """Verhoeff, the last digit of every SCTID; a typing error would not pass."""
    assert [row["snomed"] for row in rows() if not verhoeff(row["snomed"])] == []
    assert not verhoeff("44054007") and not verhoeff("44045006")


def test_each_concept_that_a_rule_names_can_be_imported() -> None:
    codes = [code for row in rows() for code in row["icd10"].split()]
    cannot = {key for key, c in CONCEPTS.items() if not any(code.startswith(c.codes) for code in codes)}
    assert cannot <= {"mtc_men2"}  # ICD-10-CM has no code for the carcinoma: its name proves it


def test_the_name_of_a_medullary_carcinoma_survives_its_code() -> None:
    said = Concept((Coding(SNOMED, "255032005", "Medullary thyroid carcinoma (disorder)"),))
    assert icd10(said).codes == ("C73",)
    assert any(phrase in plain(said.name) for phrase in CONCEPTS["mtc_men2"].phrases)


def test_diabetes_of_unstated_type_is_said_to_be_that() -> None:
    assert "unstated type" in icd10(Concept((Coding(SNOMED, "73211009", ""),))).notice


def verhoeff(number: str) -> bool:
    multiply = [[(i + j) % 5 if i < 5 and j < 5 else (i - j) % 5 if i >= 5 and j >= 5 else
                 5 + (i + j) % 5 if i < 5 else 5 + (i - j) % 5 for j in range(10)] for i in range(10)]  # fmt: skip
    once = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for place, digit in enumerate(reversed(number)):
        permuted = int(digit)
        for _ in range(place % 8):
            permuted = once[permuted]
        check = multiply[check][permuted]
    return check == 0
