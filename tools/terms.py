"""Terminology: codes, units and names that the field shares, whatever the payer or the drug.

Payer rules and the ten drugs are data (the catalog); what a unit is worth, or which
ICD-10 codes mean hypertension is not a matter of opinion and stands here. Source, unless a line says
otherwise: domain reference §2 (ICD-10-CM FY2026, LOINC, UCUM).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

# --- systems ---------------------------------------------------------------------------------------------

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
UCUM = "http://unitsofmeasure.org"
NPI = "http://hl7.org/fhir/sid/us-npi"
SNOMED = "http://snomed.info/sct"


# --- observations ----------------------------------------------------------------------------------------


class Test(NamedTuple):
    """An observation: `units` maps every unit we read to (factor, offset) into the canonical one.
    `decimals` are shown at least; `low`/`high` bound what is possible."""

    name: str
    loinc: tuple[str, ...]  # the first is the one we write
    unit: str
    units: dict[str, tuple[str, str]]
    low: float
    high: float
    decimals: int | None = None
    names: tuple[str, ...] = ()


_SAME = ("1", "0")
TESTS: dict[str, Test] = {
    # IFCC → NGSP: % = 0.09148 · mmol/mol + 2.152 (NGSP master equation)
    "hba1c": Test(
        "HbA1c",
        ("4548-4", "17856-6", "59261-8"),
        "%",
        {"%": _SAME, "mmol/mol": ("0.09148", "2.152")},
        3.0,
        20.0,
        1,
        ("a1c", "hemoglobin a1c", "haemoglobin a1c", "glycated hemoglobin", "hba1c"),
    ),
    "bmi": Test(
        "BMI",
        ("39156-5",),
        "kg/m2",
        {"kg/m2": _SAME, "kg/m^2": _SAME, "kg/m²": _SAME},
        10.0,
        90.0,
        1,
        ("body mass index",),
    ),
    "weight": Test(
        "body weight",
        ("29463-7", "3141-9"),
        "kg",
        {
            "kg": _SAME,
            "g": ("0.001", "0"),
            "lb": ("0.45359237", "0"),
            "lbs": ("0.45359237", "0"),
            "[lb_av]": ("0.45359237", "0"),
        },
        20.0,
        400.0,
        None,
        ("body weight",),
    ),
    "height": Test(
        "body height",
        ("8302-2",),
        "cm",
        {
            "cm": _SAME,
            "m": ("100", "0"),
            "in": ("2.54", "0"),
            "[in_i]": ("2.54", "0"),
            "ft": ("30.48", "0"),
            "[ft_i]": ("30.48", "0"),
        },
        90.0,
        250.0,
        None,
        ("body height",),
    ),
    "egfr": Test(
        "eGFR",
        ("98979-8", "33914-3", "62238-1", "88293-6"),
        "mL/min/{1.73_m2}",
        {
            "mL/min/{1.73_m2}": _SAME,
            "mL/min/1.73m2": _SAME,
            "mL/min/1.73 m2": _SAME,
            "mL/min/1.73m²": _SAME,
            "mL/min": _SAME,
        },
        1.0,
        200.0,
        None,
        ("estimated gfr", "gfr"),
    ),
    "creatinine": Test(
        "serum creatinine",
        ("2160-0", "38483-4"),
        "mg/dL",
        {"mg/dL": _SAME, "umol/L": ("0.011312", "0"), "µmol/L": ("0.011312", "0")},
        0.1,
        25.0,
    ),
    "uacr": Test(
        "urine albumin/creatinine ratio",
        ("9318-7", "14959-1", "32294-1"),
        "mg/g",
        {
            "mg/g": _SAME,
            "mg/g{creat}": _SAME,
            "mg/mmol": ("8.8402", "0"),
            "ug/mg": _SAME,
        },
        0.0,
        30000.0,
        None,
        ("acr", "albumin/creatinine ratio", "urine acr"),
    ),
    "alt": Test("ALT", ("1742-6",), "U/L", {"U/L": _SAME, "IU/L": _SAME}, 1.0, 10000.0),
    "ast": Test("AST", ("1920-8",), "U/L", {"U/L": _SAME, "IU/L": _SAME}, 1.0, 10000.0),
    "sbp": Test(
        "systolic blood pressure",
        ("8480-6",),
        "mm[Hg]",
        {"mm[Hg]": _SAME, "mmHg": _SAME},
        50.0,
        300.0,
        None,
        ("systolic",),
    ),
    "dbp": Test(
        "diastolic blood pressure",
        ("8462-4",),
        "mm[Hg]",
        {"mm[Hg]": _SAME, "mmHg": _SAME},
        20.0,
        200.0,
        None,
        ("diastolic",),
    ),
    "tc": Test(
        "total cholesterol",
        ("2093-3",),
        "mg/dL",
        {"mg/dL": _SAME, "mmol/L": ("38.67", "0")},
        30.0,
        1500.0,
    ),
    "ldl": Test(
        "LDL cholesterol",
        ("13457-7", "18262-6", "2089-1"),
        "mg/dL",
        {"mg/dL": _SAME, "mmol/L": ("38.67", "0")},
        1.0,
        1000.0,
    ),
    "hdl": Test(
        "HDL cholesterol",
        ("2085-9",),
        "mg/dL",
        {"mg/dL": _SAME, "mmol/L": ("38.67", "0")},
        1.0,
        300.0,
    ),
    "tg": Test(
        "triglycerides",
        ("2571-8",),
        "mg/dL",
        {"mg/dL": _SAME, "mmol/L": ("88.57", "0")},
        10.0,
        10000.0,
    ),
    "glucose": Test(
        "fasting glucose",
        ("1558-6",),
        "mg/dL",
        {"mg/dL": _SAME, "mmol/L": ("18.016", "0")},
        10.0,
        2000.0,
        None,
        ("fasting plasma glucose", "fpg"),
    ),
    # Not known to be fasting: no evidence for a fasting threshold.
    "random_glucose": Test(
        "glucose",
        ("2345-7", "2339-0"),
        "mg/dL",
        {"mg/dL": _SAME, "mmol/L": ("18.016", "0")},
        10.0,
        2000.0,
        None,
        ("random glucose", "plasma glucose", "blood glucose"),
    ),
    "platelets": Test(
        "platelets",
        ("777-3",),
        "10*3/uL",
        {"10*3/uL": _SAME, "10*9/L": _SAME},
        1.0,
        2000.0,
    ),
    "lvef": Test("LVEF", ("10230-1",), "%", {"%": _SAME}, 5.0, 90.0, None, ("ejection fraction",)),
    "ahi": Test(
        "apnea-hypopnea index",
        ("69990-0",),
        "/h",
        {
            "/h": _SAME,
            "{events}/h": _SAME,
            "events/h": _SAME,
            "events/hour": _SAME,
            "/hour": _SAME,
        },
        0.0,
        200.0,
        None,
        ("apnoea-hypopnoea index",),
    ),
    "abi": Test(
        "ankle-brachial index",
        ("41979-6",),
        "{ratio}",
        {"{ratio}": _SAME, "1": _SAME, "ratio": _SAME},
        0.0,
        3.0,
    ),
    "fibrosis_stage": Test(
        "liver fibrosis stage",
        ("77267-9",),
        "{stage}",
        {"{stage}": _SAME, "1": _SAME, "stage": _SAME},
        0.0,
        4.0,
    ),
}
BY_LOINC: dict[str, str] = {code: key for key, test in TESTS.items() for code in test.loinc}


# --- diagnoses -------------------------------------------------------------------------------------------


class Concept(NamedTuple):
    """What a diagnosis is called and which codes prove it (prefixes); see rules.Condition for the rest."""

    label: str
    codes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    suggest_phrases: tuple[str, ...] = ()
    not_phrases: tuple[str, ...] = ()
    topic: str = ""
    status: str = "active"
    sex: str | None = None


CONCEPTS: dict[str, Concept] = {
    "t2dm": Concept(
        "type 2 diabetes",
        ("E11",),
        ("type 2 diabetes", "t2dm"),
        topic="type_2_diabetes",
    ),
    "t1dm": Concept(
        "type 1 diabetes",
        ("E10",),
        ("type 1 diabetes", "t1dm"),
        topic="type_1_diabetes",
    ),
    "prediabetes": Concept("prediabetes", ("R73.03",), ("prediabetes",)),
    "obesity": Concept(
        "obesity",
        ("E66.0", "E66.1", "E66.2", "E66.81", "E66.89", "E66.9"),
        ("obesity",),
    ),
    "overweight": Concept("overweight", ("E66.3",), ("overweight",)),
    "hypertension": Concept("hypertension", ("I10", "I11", "I12", "I13", "I15", "I16"), ("hypertension",)),
    "dyslipidemia": Concept(
        "dyslipidemia",
        ("E78.0", "E78.1", "E78.2", "E78.3", "E78.4", "E78.5"),
        ("dyslipidemia", "hyperlipidemia"),
    ),
    "osa": Concept("obstructive sleep apnea", ("G47.33",), ("obstructive sleep apnea",)),
    "central_apnea": Concept(
        "central sleep apnea",
        ("G47.31", "G47.37"),
        ("central sleep apnea",),
        topic="central_apnea",
    ),
    "ascvd": Concept(
        "atherosclerotic cardiovascular disease",
        (
            "I20",
            "I21",
            "I22",
            "I24",
            "I25",
            "I63",
            "I69.3",
            "I70",
            "I73.9",
            "Z86.73",
            "E11.51",
            "Z95.1",
            "Z95.5",
        ),
        (
            "coronary artery disease",
            "myocardial infarction",
            "ischemic stroke",
            "peripheral arterial disease",
        ),
        status="ever",
    ),
    "mi": Concept(
        "prior myocardial infarction",
        ("I21", "I22", "I25.2"),
        ("myocardial infarction",),
        status="ever",
    ),
    "stroke": Concept(
        "prior stroke",
        ("I63", "I69.3", "Z86.73"),
        ("ischemic stroke", "prior stroke"),
        status="ever",
    ),
    "pad": Concept(
        "symptomatic peripheral arterial disease",
        ("I70.21", "I70.22", "I73.9", "E11.51"),
        ("peripheral arterial disease", "intermittent claudication"),
        status="ever",
    ),
    "hf": Concept("heart failure", ("I50", "I11.0", "I13.0", "I13.2"), ("heart failure",)),
    "ckd": Concept(
        "chronic kidney disease",
        ("N18.1", "N18.2", "N18.3", "N18.4", "N18.5", "N18.9"),
        ("chronic kidney disease",),
    ),
    "dialysis": Concept(
        "dialysis or end-stage renal disease",
        ("N18.6", "Z99.2"),
        ("dialysis", "end-stage renal disease"),
        topic="dialysis",
    ),
    "polycystic_kidney": Concept(
        "polycystic kidney disease", ("Q61.1", "Q61.2", "Q61.3"), ("polycystic kidney",)
    ),
    "nash": Concept("MASH (NASH)", ("K75.81",), ("steatohepatitis", "nash", "mash")),
    "cirrhosis": Concept(
        "cirrhosis",
        ("K74.3", "K74.4", "K74.5", "K74.6", "K70.3"),
        ("cirrhosis",),
        topic="cirrhosis",
    ),
    # A thyroid cancer code does not say which type it is; only medullary counts.
    "mtc_men2": Concept(
        "medullary thyroid carcinoma or MEN 2",
        ("E31.22", "E31.23"),
        (
            "medullary thyroid",
            "medullary carcinoma of thyroid",
            "mtc",
            "men 2",
            "men2",
            "men-2",
            "men ii",
            "men-ii",
            "multiple endocrine neoplasia 2",
            "multiple endocrine neoplasia type ii",
            "multiple endocrine neoplasia type 2",
            "multiple endocrine neoplasia, type 2",
        ),
        ("C73", "Z85.850", "Z80.8"),
        (
            "thyroid cancer",
            "thyroid carcinoma",
            "cancer of thyroid",
            "malignant neoplasm of thyroid",
        ),
        (
            "papillary",
            "follicular",
            "anaplastic",
            "melanoma",
            "skin",
            "not medullary",
            "non-medullary",
            "nonmedullary",
        ),
        topic="mtc_men2",
        status="ever",
    ),
    "pancreatitis": Concept(
        "pancreatitis",
        ("K85", "K86.0", "K86.1"),
        ("pancreatitis",),
        topic="pancreatitis",
        status="ever",
    ),
    "gastroparesis": Concept("gastroparesis", ("K31.84",), ("gastroparesis",), topic="gastroparesis"),
    "ketoacidosis": Concept(
        "diabetic ketoacidosis",
        ("E11.1", "E10.1", "E13.1"),
        ("ketoacidosis",),
        topic="ketoacidosis",
        status="ever",
    ),
    "pregnancy": Concept(
        "pregnancy",
        (
            "O0",
            "O1",
            "O2",
            "O3",
            "O4",
            "O6",
            "O7",
            "O8",
            "O98",
            "O99",
            "O9A",
            "Z33.1",
            "Z34",
        ),
        ("pregnan",),
        topic="pregnancy",
        sex="female",
    ),
    "gallbladder": Concept("acute gallbladder disease", ("K80.0", "K81.0"), ("cholecystitis",)),
}

_ICD10_CODE = re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?", re.IGNORECASE)
# Words of a condition's name that do not tell it from another.
GENERAL_WORDS = frozenset(
    {
        "prior", "history", "disease", "syndrome", "chronic", "acute", "active", "symptomatic", "established", "type",
        "stage", "class", "other", "personal", "family", "with", "without", "disorder",
    }
)  # fmt: skip


@lru_cache(maxsize=8192)
def is_icd10(code: str) -> bool:
    """Has the code the form of ICD-10-CM? Not whether there is such a code."""
    return bool(_ICD10_CODE.fullmatch(code))


# Conditions that nobody has at once: one of two such codes is an error.
EXCLUSIVE: tuple[tuple[str, str], ...] = (("t1dm", "t2dm"),)


def exclusive_codes(concept: str) -> tuple[str, ...]:
    """ICD-10-CM prefixes of what nobody has beside this condition, a key of CONCEPTS."""
    others = [other for pair in EXCLUSIVE for one, other in (pair, pair[::-1]) if one == concept]
    return tuple(code for other in others for code in CONCEPTS[other].codes)


# What a study that reports a test is called.
STUDIES: dict[str, tuple[str, ...]] = {
    "ahi": ("sleep study", "sleep apnea test", "polysomnogra", "psg", "hsat", "sleep test"),
    "fibrosis_stage": ("liver biopsy", "elastogra", "fibroscan", "mre"),
    "lvef": ("echo", "ventriculogra", "cardiac mri"),
    "abi": ("ankle-brachial", "ankle brachial", "arterial doppler", "abi"),
}
# Words by which a note says of itself that nobody has signed it.
UNSIGNED: tuple[str, ...] = (
    "unsigned", "not signed", "not yet signed", "draft", "preliminary", "pending signature", "awaiting signature",
    "pending cosignature", "awaiting cosignature",
)  # fmt: skip

INDICATIONS: dict[str, str] = {
    "t2dm": "type 2 diabetes",
    "weight": "chronic weight management",
    "cv": "cardiovascular risk reduction",
    "osa": "obstructive sleep apnea with obesity",
    "hf": "heart failure",
    "ckd": "chronic kidney disease",
    "mash": "noncirrhotic MASH with fibrosis F2-F3",
}

TOPICS: dict[str, str] = {
    "mtc_men2": "medullary thyroid carcinoma or MEN 2",
    "type_1_diabetes": "type 1 diabetes",
    "pregnancy": "pregnancy",
    "pancreatitis": "pancreatitis",
    "gastroparesis": "gastroparesis",
    "dialysis": "dialysis",
    "central_apnea": "central sleep apnea",
    "ketoacidosis": "ketoacidosis",
    "cirrhosis": "cirrhosis",
    "adherent": "takes the drug as prescribed",
    "tolerating": "tolerates the drug",
    "diet_exercise": "follows a reduced-calorie diet and increased physical activity",
    "cv_standard_of_care": "receives standard-of-care cardiovascular therapy",
    "pap_tried": "has tried, or cannot use, positive airway pressure",
    "specialist_consult": "has been seen by a specialist",
    "low_alcohol": "drinks less than 20 g (women) or 30 g (men) of alcohol a day",
    "employer_programme": "is enrolled in the sponsor's weight program",
}

# --- drugs that charts name, beside those of the catalog --------------------------------------------------

CLASSES: dict[str, str] = {
    "biguanide": "metformin",
    "sulfonylurea": "a sulfonylurea",
    "tzd": "a thiazolidinedione",
    "dpp4": "a DPP-4 inhibitor",
    "glp1": "a GLP-1 receptor agonist",
    "sglt2": "an SGLT2 inhibitor",
    "insulin": "insulin",
    "anorectic": "another weight-loss drug",
    "statin": "a statin",
    "acei_arb": "an ACE inhibitor or ARB",
    "beta_blocker": "a beta blocker",
    "antiplatelet": "an antiplatelet",
    "diuretic": "a diuretic",
    "ccb": "a calcium channel blocker",
    "other": "another drug",
}

# ingredient → (class, ingredient RxCUI or "" where we have not confirmed one)
INGREDIENTS: dict[str, tuple[str, str]] = {
    "metformin": ("biguanide", "6809"),
    "glipizide": ("sulfonylurea", "4821"),
    "glimepiride": ("sulfonylurea", "25789"),
    "glyburide": ("sulfonylurea", ""),
    "pioglitazone": ("tzd", "33738"),
    "sitagliptin": ("dpp4", "593411"),
    "linagliptin": ("dpp4", "1100699"),
    "saxagliptin": ("dpp4", ""),
    "alogliptin": ("dpp4", ""),
    "canagliflozin": ("sglt2", "1373458"),
    "empagliflozin": ("sglt2", "1545653"),
    "dapagliflozin": ("sglt2", "1488564"),
    "ertugliflozin": ("sglt2", ""),
    "exenatide": ("glp1", "60548"),
    "semaglutide": ("glp1", "1991302"),
    "dulaglutide": ("glp1", "1551291"),
    "tirzepatide": ("glp1", "2601723"),
    "liraglutide": ("glp1", "475968"),
    "lixisenatide": ("glp1", ""),
    "insulin glargine": ("insulin", ""),
    "insulin lispro": ("insulin", ""),
    "insulin": ("insulin", ""),
    "phentermine": ("anorectic", ""),
    "topiramate": ("other", ""),
    "naltrexone": ("other", ""),
    "bupropion": ("other", ""),
    "orlistat": ("anorectic", ""),
    "atorvastatin": ("statin", ""),
    "rosuvastatin": ("statin", ""),
    "simvastatin": ("statin", ""),
    "lisinopril": ("acei_arb", ""),
    "losartan": ("acei_arb", ""),
    "amlodipine": ("ccb", ""),
    "hydrochlorothiazide": ("diuretic", ""),
    "furosemide": ("diuretic", ""),
    "metoprolol": ("beta_blocker", ""),
    "carvedilol": ("beta_blocker", ""),
    "clopidogrel": ("antiplatelet", ""),
    "aspirin": ("antiplatelet", ""),
}

# brand → ingredients, for charts; the ten drugs add theirs from the catalog
BRANDS: dict[str, tuple[str, ...]] = {
    "glucophage": ("metformin",),
    "glucotrol": ("glipizide",),
    "invokana": ("canagliflozin",),
    "actos": ("pioglitazone",),
    "amaryl": ("glimepiride",),
    "tradjenta": ("linagliptin",),
    "byetta": ("exenatide",),
    "bydureon": ("exenatide",),
    "victoza": ("liraglutide",),
    "janumet": ("sitagliptin", "metformin"),
    "synjardy": ("empagliflozin", "metformin"),
    "xigduo": ("dapagliflozin", "metformin"),
    "glyxambi": ("empagliflozin", "linagliptin"),
    "invokamet": ("canagliflozin", "metformin"),
    "jentadueto": ("linagliptin", "metformin"),
    "soliqua": ("insulin glargine", "lixisenatide"),
    "xultophy": ("insulin", "liraglutide"),
    "contrave": ("naltrexone", "bupropion"),
    "qsymia": ("phentermine", "topiramate"),
    "ozempic": ("semaglutide",),
    "wegovy": ("semaglutide",),
    "rybelsus": ("semaglutide",),
    "trulicity": ("dulaglutide",),
    "mounjaro": ("tirzepatide",),
    "zepbound": ("tirzepatide",),
    "saxenda": ("liraglutide",),
    "jardiance": ("empagliflozin",),
    "farxiga": ("dapagliflozin",),
    "januvia": ("sitagliptin",),
}

# --- policies --------------------------------------------------------------------------------------------

# The guide's seven sections of a policy document, in its order.
SECTIONS: dict[str, str] = {
    "criteria": "Coverage criteria",
    "documentation": "Clinical documentation requirements",
    "quantity": "Quantity limits",
    "authorization": "Authorization periods",
    "renewal": "Renewal criteria",
    "exclusions": "Exclusions",
    "appeal": "Appeal process",
}
