"""What the field shares beside its terminology: code systems, uses, topics, sections of a policy.

Medicines, conditions, tests and units are data and stand in tools/terminology.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tools.terminology.vocabulary import vocabulary

# --- systems ---------------------------------------------------------------------------------------------

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
UCUM = "http://unitsofmeasure.org"
NPI = "http://hl7.org/fhir/sid/us-npi"
SNOMED = "http://snomed.info/sct"


# --- diagnoses -------------------------------------------------------------------------------------------


_ICD10_CODE = re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?", re.IGNORECASE)
# Words of a condition's name that do not tell it from another.
GENERAL_WORDS = frozenset(
    {
        "prior", "history", "disease", "syndrome", "chronic", "acute", "active", "symptomatic", "established", "type",
        "stage", "class", "other", "personal", "family", "with", "without", "disorder",
    }
)  # fmt: skip


_TAG = re.compile(
    r"\s*\((?:disorder|event|finding|morphologic abnormality|organism|product|situation|substance)\)$"
)


def without_tag(name: str) -> str:
    """A name without SNOMED's semantic tag: "Hyperglycemia (disorder)" is Hyperglycemia."""
    return _TAG.sub("", name)


@lru_cache(maxsize=8192)
def is_icd10(code: str) -> bool:
    """Has the code the form of ICD-10-CM? Not whether there is such a code."""
    return bool(_ICD10_CODE.fullmatch(code))


# What drugs are labeled and judged for.
INDICATIONS: dict[str, str] = {key: use.label for key, use in vocabulary("uses").items()}

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
