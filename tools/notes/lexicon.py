"""How notes call things: drugs, tests, diagnoses, statements, programmes and procedures.

Every pattern finds its topic in the plain text (plain.py). Names of drugs come from terms; what is added here is how
people abbreviate.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from tools.terminology.matcher import Span, matches
from tools.terminology.medicines import ingredients_of


class Mention(NamedTuple):
    """Something that is named at [start, end) of the plain text."""

    of: str
    start: int
    end: int


# --- drugs ----------------------------------------------------------------------------------------------


def drugs_in(text: str, start: int, end: int) -> list[Mention]:
    """Drugs and classes of drugs, in their order; `of` is ingredients joined by +, or a key of CLASSES."""
    return [
        Mention(span.key if span.kind == "class" else _of(span.key), span.start, span.end)
        for span in _named(text)
        if start <= span.start and span.end <= end
    ]


@lru_cache(maxsize=512)
def _named(text: str) -> tuple[Span, ...]:
    return tuple(span for span in matches(text) if span.kind in ("medicine", "class"))


def _of(name: str) -> str:
    return "+".join(sorted(one.replace(" ", "_") for one in ingredients_of(name)))


# --- diagnoses ------------------------------------------------------------------------------------------

_DIAGNOSES = {
    "mtc_men2": r"medullary\s+(?:thyroid\s+)?(?:cancer|carcinoma|ca)\b|(?-i:MTC)\b|mtc\b|"
    r"multiple\s+endocrine\s+neoplasia(?:\s+syndrome)?"
    r",?\s*(?:type\s*)?(?:2|ii)[ab]?\b|men[\s-]?(?:2|ii)\s?[ab]?\b|men\s+syndrome\s+type\s+2",
    "thyroid_cancer": r"thyroid\s+(?:cancer|carcinoma|ca\b|malignancy)|papillary\s+(?:thyroid\s+)?(?:cancer|carcinoma)",
    "prediabetes": r"pre-?\s?diabet\w+",
    "t2dm": r"(?:diabetes(?:\s+mellitus)?|dm)\s*,?\s*(?:type|typ|t)?\s*(?:2|ii)\b|(?:type|typ)\s*(?:2|"
    r"ii)\s*(?:diabet\w+(?:\s+mellitus)?|dm)?|"
    r"t2dm?\b|dm-?2|niddm",
    "t1dm": r"(?:diabetes(?:\s+mellitus)?|dm)\s*,?\s*(?:type|typ)\s*(?:1|i)\b|type\s*(?:1|"
    r"i)\b(?!\.\d)\s*(?:diabet\w+(?:\s+mellitus)?|dm)?|t1dm?\b|dm1",
    "obesity": r"(?<!central )obes(?:ity|e)\b",
    "overweight": r"overweight",
    "hypertension": r"(?-i:HTN)|htn|hypertensi(?:on|ve)|high blood pressure",
    "dyslipidemia": r"(?-i:HLD)|hld|hyperlipid\w+|dyslipid\w+|hypercholesterol\w+|high cholesterol",
    "central_apnea": r"central\s+(?:sleep\s+)?apn(?:o?e)a",
    "osa": r"(?-i:OSA)|osa\b|(?:obstructive\s+)?sleep\s+apn(?:o?e)a(?!\s+test)",
    "mi": r"(?-i:N?STEMI|MI)\b|myocardial\s+infarct\w*|heart attacks?",
    "stroke": r"(?-i:CVA)\b|(?<!heat )strokes?\b",
    "pad": r"(?-i:PAD)\b|peripheral\s+(?:arter\w+|vascular)\s+disease|claudication",
    "ascvd": r"(?-i:CAD|ASCVD)\b|coronary(?:\s+artery)?\s+disease",
    "hf": r"(?-i:HFp?r?EF|CHF|HF)\b|(?:congestive\s+)?heart\s+failure",
    "dialysis": r"(?:hemo)?dialysis|(?-i:ESRD)\b|end[-\s]stage\s+(?:renal|kidney)",
    "polycystic_kidney": r"polycystic\s+kidney(?:\s+disease)?|(?-i:(?:AD)?PKD)",
    "ckd": r"(?-i:CKD)|ckd\b|chronic\s+kidney\s+disease",
    "nash": r"(?-i:NASH|MASH)\b|steatohepatitis",
    "cirrhosis": r"cirrhosis|cirrhotic",
    "pancreatitis": r"pancreatitis|panc\b",
    "gastroparesis": r"gastroparesis",
    "ketoacidosis": r"(?-i:DKA)\b|dka\b|ketoacidosis",
    "pregnancy": r"pregnan(?:t|cy|cies)|(?-i:UPT)|(?:u|urine )?hcg|G\d\s?P\d\w*\s+at\s+\d+\s+weeks|weeks? gestation",
    "gallbladder": r"cholecystitis",
}
ACUTE = frozenset(("mi", "stroke", "pancreatitis", "ketoacidosis", "gallbladder", "ascvd_event"))


@cache
def _diagnosis_pattern() -> re.Pattern[str]:
    joined = "|".join(f"(?P<{key}>{words})" for key, words in _DIAGNOSES.items())
    return re.compile(rf"(?<![A-Za-z])(?:{joined})(?![A-Za-z])", re.IGNORECASE)


def diagnoses_in(text: str, start: int, end: int) -> list[Mention]:
    """Diagnoses by their key."""
    return [
        Mention(match.lastgroup or "", match.start(), match.end())
        for match in _diagnosis_pattern().finditer(text, start, end)
    ]


# --- tests ----------------------------------------------------------------------------------------------

TEST_NAMES = {
    "hba1c": r"(?:hb|hgb|hemoglobin|haemoglobin|glyc\w+ (?:hemoglobin|haemoglobin))?\s?a1c|hba1c|hgba1c|"
    r"hemoglobin a 1 c",
    "bmi": r"bmi|body mass index",
    "weight": r"(?:body )?(?:weight|wt)\.?",
    "height": r"height|ht\.?",
    "bp": r"bp|blood pressure",
    "egfr": r"e?gfr",
    "uacr": r"u?acr|(?:urine )?(?:micro)?albumin\s?/\s?creatinine(?: ratio)?|urine acr",
    "creatinine": r"(?:serum )?creatinine|(?-i:Cr|sCr)",
    "alt": r"(?-i:ALT)",
    "ast": r"(?-i:AST)",
    "ldl": r"ldl(?:-c)?(?: cholesterol)?",
    "hdl": r"hdl(?:-c)?(?: cholesterol)?",
    "tg": r"tg|trigs?|triglycerides?",
    "tc": r"total cholesterol",
    "glucose": r"fasting (?:plasma |blood )?glucose|fpg|fbs|fbg",
    "random_glucose": r"(?:random |blood |plasma )?glucose",
    "platelets": r"plt|platelets?(?: count)?",
    "lvef": r"(?:lv)?ef|(?:lv )?ejection fraction",
    "ahi": r"ahi|apno?ea-hypopno?ea index",
    "abi": r"abi|ankle-brachial index",
    "fibrosis_stage": r"fibrosis(?: stage)?",
}
