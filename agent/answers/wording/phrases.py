"""Names of composites, and several steps as one."""

from __future__ import annotations

from itertools import takewhile

from agent.answers.wording.slots import lower

# Composites are named for what they are about: their text lists every branch.
NAMES = {
    "step": "step therapy",
    "metformin_path": "the metformin step",
    "second_oral": "a second oral drug",
    "preferred_first": "the preferred drug first",
    "preferred_list": "the preferred drugs first",
    "saxenda_first": "the preferred drug first",
    "weight_drug_first": "another weight drug first",
    "bmi_route": "the BMI requirement",
    "bmi_overweight": "the BMI requirement with a comorbidity",
    "bmi_30_and_one": "the BMI requirement with a comorbidity",
    "bmi_30_and_two": "the BMI requirement with comorbidities",
    "comorbidity": "a weight-related comorbidity",
    "two_comorbidities": "weight-related comorbidities",
    "lifestyle": "the lifestyle requirement",
    "pap": "positive airway pressure",
    "better": "improvement on the drug",
    "response": "the response to the drug",
    "established_cvd": "the cardiovascular requirement",
    "pad_shown": "peripheral arterial disease",
    "no_cirrhosis_now": "no cirrhosis",
    "diagnosis_proof": "proof of the diagnosis",
    "supports_diabetes": "support for the diagnosis",
    "ckd_risk": "the kidney risk",
    "duplicate_therapy": "duplicate therapy",
    "mtc_men2": "medullary thyroid carcinoma history",
    "diet_exercise": "the statement on diet and exercise",
    "cv_standard_of_care": "the statement on standard cardiovascular care",
    "pap_tried": "the statement on positive airway pressure",
}


def either(first: str, *others: str) -> str:
    """One of two steps: what both begin or end with is said once."""
    if not others:
        return first
    second = others[0]
    if after(second, first) != lower(second):
        return f"{first} or {after(second, first)}"
    one, two = first.split(" "), second.split(" ")
    if one[0] == two[0]:
        same = zip(reversed(one[1:]), reversed(two[1:]), strict=False)
        tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], same))
        if 2 < tail < min(len(one), len(two)) - 1:
            return " ".join((*one[:-tail], "or", *two[1:-tail], *one[-tail:]))
    return f"{first} or {lower(second)}"


def after(step: str, first: str) -> str:
    """The step as it is said after the first one, whose beginning it may share."""
    for head in _HEADS:
        if first.startswith(head) and step.startswith(head):
            return step.removeprefix(head)
    return lower(step)


_HEADS = ("Ask the clinician about ", "Ask the prescriber to state in the chart ")
