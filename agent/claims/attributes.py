"""What a number is a value of, and which conditions a text speaks of, by the words that people use."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.terminology.conditions import CONCEPTS
from tools.terminology.observations import TESTS


class Cue(NamedTuple):
    """Words that name an attribute: a key of terms.TESTS, or one of OTHER below."""

    start: int
    end: int
    key: str


class Condition(NamedTuple):
    """`key` of terms.CONCEPTS, or "diabetes" for either type."""

    start: int
    end: int
    key: str


MORE: dict[str, str] = {
    "hba1c": r"hb\s?a1c|hgb\s?a1c|a1c|hemoglobin\s+a1c|haemoglobin\s+a1c|glycated\s+h(?:a)?emoglobin"
    r"|glycohemoglobin",
    "bmi": r"bmi|body[- ]mass[- ]index",
    "weight": r"body\s+weight|weigh(?:t|s|ed|ing)(?!\s+(?:management|loss|program|reduction))|wt\b",
    "height": r"body\s+height|height|ht\b|tall",
    "egfr": r"e-?gfr|estimated\s+gfr|gfr|estimated\s+glomerular\s+filtration(?:\s+rate)?|kidney\s+function"
    r"|renal\s+function",
    "creatinine": r"(?:serum\s+)?creatinine(?!\s+ratio)|scr\b",
    "uacr": r"u-?acr|acr|(?:urine\s+)?albumin\s?[/-]\s?(?:to[- ])?creatinine(?:\s+ratio)?"
    r"|albumin-to-creatinine(?:\s+ratio)?",
    "alt": r"alt|alanine\s+aminotransferase",
    "ast": r"ast|aspartate\s+aminotransferase",
    "sbp": r"systolic(?:\s+(?:blood\s+)?pressure)?|sbp",
    "dbp": r"diastolic(?:\s+(?:blood\s+)?pressure)?|dbp",
    "tc": r"total\s+cholesterol",
    "ldl": r"ldl(?:-c)?(?:\s+cholesterol)?",
    "hdl": r"hdl(?:-c)?(?:\s+cholesterol)?",
    "tg": r"triglycerides?|tgs?\b",
    "glucose": r"fasting\s+(?:plasma\s+|blood\s+)?(?:glucose|sugar)|fpg",
    "random_glucose": r"(?:random\s+|plasma\s+|blood\s+)?glucose|blood\s+sugars?",
    "platelets": r"platelets?(?:\s+count)?|plt\b",
    "lvef": r"lvef|(?:left\s+ventricular\s+)?ejection\s+fraction|ef\b",
    "ahi": r"ahi|apn(?:o)?ea[- ]hypopn(?:o)?ea\s+index",
    "abi": r"abi|ankle[- ]brachial\s+index",
    "fibrosis_stage": r"(?:liver\s+)?fibrosis(?:\s+stage)?",
    # beside the tests
    "age": r"aged?|years\s+old",
    "copay": r"co-?pay(?:ment)?|cost[- ]share|coinsurance",
    "tier": r"tier",
    "blood_pressure": r"blood\s+pressure|bp\b",
    "stage": r"stage",
    "class": r"class",
    "type": r"type",
}
OTHER = frozenset(("age", "copay", "tier", "blood_pressure", "stage", "class", "type"))
CUES = re.compile(
    "|".join(rf"(?<![\w-])(?P<{key}>{pattern})(?![\w])" for key, pattern in MORE.items()), re.IGNORECASE
)

CONDITIONS: dict[str, str] = {
    "t2dm": r"type[- ](?:2|ii|two)[- ](?:diabet\w+|dm)(?:\s+mellitus)?|t2dm?|dm\s?2|dmii|niddm",
    "t1dm": r"type[- ](?:1|i|one)[- ](?:diabet\w+|dm)(?:\s+mellitus)?|t1dm?",
    "prediabetes": r"pre-?diabet\w+",
    "diabetes": r"diabet(?:es|ic)(?!\s+(?:care|association|drug|med|education|chronic\s+kidney|ckd|ketoacid"
    r"|nephro|neuro|retino))",
    "obesity": r"obes(?:ity|e)(?!\s+(?:society|medicine))",
    "overweight": r"overweight",
    "hypertension": r"hypertensi(?:on|ve)(?!\s+chronic)|htn|high\s+blood\s+pressure",
    "dyslipidemia": r"dyslipid(?:a)?emia|hyperlipid(?:a)?emia|high\s+cholesterol|hypercholesterol(?:a)?emia",
    "osa": r"(?:obstructive\s+)?sleep\s+apn(?:o)?ea|osa",
    "central_apnea": r"central\s+sleep\s+apn(?:o)?ea",
    "mi": r"myocardial\s+infarct\w*|heart\s+attacks?|(?-i:MI)",
    "stroke": r"(?:ischemic\s+)?strokes?|cva",
    "pad": r"peripheral\s+arter(?:y|ial)\s+disease|claudication|(?-i:PAD)",
    "ascvd": r"atherosclerotic\s+(?:cardiovascular|heart)\s+disease|ascvd|coronary\s+artery\s+disease"
    r"|(?-i:CAD)|cardiovascular\s+disease",
    "hf": r"(?:congestive\s+)?heart\s+failure|chf|hfref|hfpef",
    "ckd": r"chronic\s+kidney\s+disease|ckd|kidney\s+disease",
    "dialysis": r"dialysis|end[- ]stage\s+(?:renal|kidney)\s+disease|esrd",
    "nash": r"(?-i:MASH|NASH)|steatohepatitis",
    "cirrhosis": r"cirrhosis|cirrhotic",
    "mtc_men2": r"medullary\s+(?:thyroid\s+)?(?:carcinoma|cancer)|mtc|men[- ]?(?:2|ii)"
    r"|multiple\s+endocrine\s+neoplasia\w*",
    "pancreatitis": r"pancreatitis",
    "gastroparesis": r"gastroparesis",
    "ketoacidosis": r"(?:diabetic\s+)?ketoacidosis|dka",
    "pregnancy": r"pregnan(?:t|cy)",
    "gallbladder": r"cholecystitis|gallbladder\s+disease|gallstones?",
    "polycystic_kidney": r"polycystic\s+kidney\s+disease",
}
SPOKEN = re.compile(
    "|".join(rf"(?<![\w-])(?P<{key}>{pattern})(?![\w])" for key, pattern in CONDITIONS.items()), re.IGNORECASE
)
assert set(CONDITIONS) - {"diabetes"} <= set(CONCEPTS)
assert set(MORE) - OTHER == set(TESTS)


def cues(text: str) -> list[Cue]:
    """Every word that names what a number is of, in order."""
    return [Cue(m.start(), m.end(), str(m.lastgroup)) for m in CUES.finditer(text)]


def conditions(text: str) -> list[Condition]:
    """Every condition that the text speaks of, in order."""
    return [Condition(m.start(), m.end(), str(m.lastgroup)) for m in SPOKEN.finditer(text)]


_KEYS = {name.lower(): key for key, test in TESTS.items() for name in (test.name, *test.names)} | {
    key: key for key in MORE
}


def attribute_key(attribute: str) -> str:
    """The key that an attribute's name means: "HbA1c" and "a1c" are hba1c; any other name stands for itself."""
    folded = attribute.strip().lower()
    return _KEYS.get(folded, folded)
