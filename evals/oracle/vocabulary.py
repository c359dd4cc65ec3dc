"""What words of a policy are called in a chart's JSON."""

from __future__ import annotations

# indications as policies spell them, and as a request names them
USES = {
    "type 2 diabetes": "t2dm",
    "chronic weight management": "weight",
    "cardiovascular risk reduction": "cv",
    "obstructive sleep apnea with obesity": "osa",
    "heart failure": "hf",
    "chronic kidney disease": "ckd",
    "noncirrhotic mash with fibrosis f2-f3": "mash",
}

# measurements: the longest name is looked for first
TESTS = {
    "hemoglobin a1c": "hba1c",
    "hba1c": "hba1c",
    "a1c": "hba1c",
    "bmi percentile": "bmi_percentile",
    "body-mass index": "bmi",
    "body mass index": "bmi",
    "bmi": "bmi",
    "body weight": "weight",
    "weight": "weight",
    "body height": "height",
    "height": "height",
    "kidney filtration rate": "egfr",
    "estimated gfr": "egfr",
    "egfr": "egfr",
    "urine albumin-to-creatinine ratio": "uacr",
    "urine albumin/creatinine ratio": "uacr",
    "uacr": "uacr",
    "index of apneas and hypopneas": "ahi",
    "apnea-hypopnea index": "ahi",
    "ahi": "ahi",
    "left ventricular ejection fraction": "lvef",
    "ankle-brachial index": "abi",
    "liver fibrosis stage": "fibrosis_stage",
    "fibrosis stage": "fibrosis_stage",
    "fasting plasma glucose": "glucose",
    "fasting glucose": "glucose",
}

# drug classes
CLASSES = {
    "any glp-1 receptor agonist (tirzepatide included)": "glp1",
    "any other weight-loss drug (phentermine or orlistat)": "anorectic",
    "any weight-loss drug (phentermine or orlistat)": "anorectic",
    "any dpp-4 inhibitor": "dpp4",
    "any sglt2 inhibitor": "sglt2",
    "any biguanide": "biguanide",
    "any sulfonylurea": "sulfonylurea",
    "any thiazolidinedione": "tzd",
    "any insulin product": "insulin",
    "any statin": "statin",
}

# what a prescriber states, and what has a topic of its own among the chart's explicit statements
STATEMENTS = {
    "takes the drug as prescribed": "adherent",
    "tolerates the drug": "tolerating",
    "receives standard-of-care cardiovascular therapy": "cv_standard_of_care",
    "follows a reduced-calorie diet and increased physical activity": "diet_exercise",
    "is enrolled in the sponsor's weight program": "employer_programme",
    "drinks less than 20 g (women) or 30 g (men) of alcohol a day": "low_alcohol",
    "has tried, or cannot use, positive airway pressure": "pap_tried",
}
TOPICS = {
    "medullary thyroid carcinoma or MEN 2": "mtc_men2",
    "type 1 diabetes": "type_1_diabetes",
    "type 2 diabetes": "type_2_diabetes",
    "pregnancy": "pregnancy",
    "pancreatitis": "pancreatitis",
    "gastroparesis": "gastroparesis",
    "cirrhosis": "cirrhosis",
    "central sleep apnea": "central_apnea",
    "dialysis or end-stage renal disease": "dialysis",
    "diabetic ketoacidosis": "ketoacidosis",
}
SPECIALTIES = (
    "cardiology",
    "endocrinology",
    "gastroenterology",
    "hepatology",
    "neurology",
    "otolaryngology",
    "pulmonology",
    "sleep medicine",
    "nephrology",
    "internal medicine",
    "family medicine",
    "obesity medicine",
    "bariatric surgery",
    "pediatrics",
)

# what relatives are called, by how near they are
RELATIVES = {
    1: ("mother", "father", "parent", "sister", "brother", "sibling", "son", "daughter", "child"),
    2: (
        "grandmother", "grandfather", "aunt", "uncle", "niece", "nephew", "half-sister", "half-brother",
        "grandson", "granddaughter",
    ),
    3: ("cousin", "great-aunt", "great-uncle", "stepmother", "stepfather", "husband", "wife"),
}  # fmt: skip
# a condition in a clinician's words, where an entry has no code
SPOKEN = {
    "medullary thyroid carcinoma or MEN 2": (
        "medullary thyroid",
        "men 2",
        "men2",
        "multiple endocrine neoplasia type 2",
    ),
    "dyslipidemia": ("dyslipidemia", "hyperlipidemia"),
    "pregnancy": ("pregnan",),
    "diabetic ketoacidosis": ("ketoacidosis",),
    "dialysis or end-stage renal disease": ("dialysis", "end-stage renal"),
    "prior myocardial infarction": ("myocardial infarction",),
    "prior stroke": ("stroke",),
    "symptomatic peripheral arterial disease": ("peripheral arterial", "claudication"),
    "MASH (NASH)": ("steatohepatitis", "mash", "nash"),
    "atherosclerotic cardiovascular disease": (
        "atherosclerotic cardiovascular",
        "coronary artery disease",
        "myocardial infarction",
        "ischemic stroke",
        "peripheral arterial disease",
    ),
    "polycystic kidney disease": ("polycystic kidney",),
}
# a tumor of the thyroid whose type is not said, in words; and words that do say another type
UNTYPED = (
    "thyroid cancer",
    "thyroid carcinoma",
    "cancer of thyroid",
    "cancer of the thyroid",
    "malignant neoplasm of thyroid",
)
OTHER_TYPE = ("papillary", "follicular", "anaplastic", "not medullary", "non-medullary")

# units, and what one of them is in the first of its kind: (factor, offset)
UNITS: dict[str, dict[str, tuple[str, str]]] = {
    "hba1c": {"%": ("1", "0"), "mmol/mol": ("0.09148", "2.152")},
    "bmi_percentile": {"%": ("1", "0"), "{percentile}": ("1", "0")},
    "bmi": {"kg/m2": ("1", "0"), "kg/m^2": ("1", "0")},
    "weight": {
        "kg": ("1", "0"),
        "g": ("0.001", "0"),
        "lb": ("0.45359237", "0"),
        "lbs": ("0.45359237", "0"),
        "[lb_av]": ("0.45359237", "0"),
    },
    "height": {
        "cm": ("1", "0"),
        "m": ("100", "0"),
        "in": ("2.54", "0"),
        "[in_i]": ("2.54", "0"),
    },
    "egfr": {
        "mL/min/{1.73_m2}": ("1", "0"),
        "mL/min/1.73m2": ("1", "0"),
        "mL/min": ("1", "0"),
    },
    "uacr": {"mg/g": ("1", "0"), "mg/g{creat}": ("1", "0"), "mg/mmol": ("8.8402", "0")},
    "glucose": {"mg/dL": ("1", "0"), "mmol/L": ("18.016", "0")},
    "ahi": {"/h": ("1", "0")},
    "lvef": {"%": ("1", "0")},
    "abi": {"{ratio}": ("1", "0")},
    "fibrosis_stage": {"{stage}": ("1", "0")},
}
POSSIBLE = {
    "hba1c": (3, 20),
    "bmi": (10, 90),
    "bmi_percentile": (0, 100),
    "fibrosis_stage": (0, 4),
    "lvef": (1, 100),
}  # beyond: a slip of the pen
# The types of diabetes, of which nobody has two, with their ICD-10-CM categories.
TYPES = {"type 2 diabetes": "E11", "type 1 diabetes": "E10"}
# Words of a diagnosis that do not tell it from another.
VAGUE = frozenset(
    {
        "prior",
        "history",
        "disease",
        "syndrome",
        "chronic",
        "acute",
        "active",
        "symptomatic",
        "established",
        "disorder",
    }
)
# Titles under which a study reports a test.
STUDIES = {
    "ahi": ("sleep", "polysomno", "psg", "ahi"),
    "fibrosis_stage": ("biopsy", "elastogra", "fibroscan", "fibrosis"),
    "lvef": ("echo", "ventricul", "lvef"),
    "abi": ("ankle", "abi"),
}

# What a brand contains: a chart that names only that may mean any brand of it.
CONTAINS = {
    "ozempic": "semaglutide",
    "wegovy": "semaglutide",
    "rybelsus": "semaglutide",
    "mounjaro": "tirzepatide",
    "zepbound": "tirzepatide",
    "trulicity": "dulaglutide",
    "saxenda": "liraglutide",
    "victoza": "liraglutide",
    "jardiance": "empagliflozin",
    "farxiga": "dapagliflozin",
    "invokana": "canagliflozin",
    "januvia": "sitagliptin",
}
