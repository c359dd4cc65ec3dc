"""The engine's phrases as a specialist says them.

Findings speak in codes and signs, and in the imperative of a rule book: exact, but not for the phone.
"""

from __future__ import annotations

import re
from itertools import takewhile

from agent.answers.wording.slots import lower
from tools.records import Finding

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


def criterion_said(text: str, she: str) -> str:
    """A criterion's text as it is said."""
    text = re.sub(
        r"^prescriber states: ", "the prescriber's statement that {she} ".replace("{she}", she), text
    )
    text = re.sub(r"^(lifestyle program .+?)( ended within|$)", r"a \1 that\2", text).removesuffix(" that")
    return _signs(text)


def limit_of(text: str) -> str:
    """ "at least 7.0 % within 90 days" of "HbA1c ≥ 7.0 % within 90 days"."""
    match = re.search(r"[≥≤><].*", text) or re.search(r"at least.*", text)
    return match[0] if match else text


def finding_said(text: str, she: str) -> str:
    """What was found, as it is said."""
    for pattern, words in _TOLD:
        text = re.sub(pattern, words.replace("{she}", she), text)
    return _signs(text)


_TOLD: tuple[tuple[str, str], ...] = (
    (
        r"^newest (.+?) is (.+) of (\S+), (\d+) days before (\S+); the window is (\d+)$",
        r"\1 \2 of \3, \4 days old where the policy accepts \6 days",
    ),
    (r"not on the problem list: ([^;]+)", r"\1 is not on the problem list"),
    (r"never tried: ([^;]+)", r"no trial of \1 is charted"),
    (
        r"^no course of (.+?) at ([\d.]+ mg) a day$",
        r"\1 is charted, but below the \2 a day that the policy asks for",
    ),
    (r"^no course of (.+)$", r"no course of \1 is charted"),
    (r"not stated: ([^;]+)", r"the chart does not state that {she} \1"),
    (r"^stated: ", r"the chart states that {she} "),
    (r"^denied: ", r"the chart denies that {she} "),
    (r"^age (\d+)$", r"age \1"),
    (r" for (\d+) of (\d+) days", r" for \1 days of the \2 days asked for"),
    (r"Intolerance - ([\w ]*\w)", r"intolerance (\1)"),
    (r"\bInadequate response\b", "inadequate response"),
    (r"\bPartial response\b", "partial response"),
    (r", Effective\b", ", effective"),
    (r"^no intolerance of ", "no intolerance charted of "),
    (r"^does not apply \((\w+)\)$", r"does not apply to a \1 patient"),
    (r"^takes ", "{she} takes "),
    (r"^does not take ", "{she} does not take "),
    (r"^requested for ", "asked for "),
    (r"^prescribed by ", "the prescriber's specialty is "),
    (r"^too old$", "the one on file is too old"),
    (r"^(.+) does not settle (.+)$", r"“\1” does not settle \2"),
    (r"has pregnancy$", "is pregnant"),
    (r"^(\w+ program) (\S+) to now$", r"\1 going on since \2"),
    (r"^(\w+ program) (\S+) to (\S+)$", r"\1 from \2 to \3"),
    (
        r"^(.+?) ([\d.]+ [^→]*?) → ([\d.]+ .*?) \((\S+) to (\S+)\): (fall|rise) of (.+)$",
        r"\1 \2 on \4 and \3 on \5, a \6 of \7",
    ),
)


def step_said(text: str, she: str) -> str:
    for pattern, words in _STEPS:
        text = re.sub(pattern, words.replace("{she}", she), text)
    return _signs(text)


_STEPS: tuple[tuple[str, str], ...] = (
    (r"has pregnancy$", "is pregnant"),
    (r"^Stop (.+) and record the stop date$",
     r"Ask the clinician whether \1 is to be stopped, and record the stop date if so"),
    (r"^Ask the prescriber to state whether this is (.+?): (.+)$",
     r"Ask the prescriber to state whether “\2” is \1"),
    (r"^Ask the prescriber to state in the chart: (.+)", r"Ask the prescriber to state in the chart that {she} \1"),
    (r"^No (.+) in the chart; code only what the clinician has diagnosed$",
     r"Code \1 only if the clinician has diagnosed it"),
    (r"^Only (a newer|a baseline) (.+?) ([≥≤><]) (.+) would meet it$", r"Only \1 \2 of \3 \4 would do"),
    (r"^Only a newer (.+) would lift this exclusion$", r"Only a newer \1 would lift this exclusion"),
    (r"^Only with (.+) on board$", r"Ask the clinician about adding \1"),
    (r"^Attach (signed|lab|study|medication) ", r"Attach a \1 "),
    (r"^Attach (pharmacy|program) ", r"Attach the \1 "),
    (r"^(Attach .*) within (\d+ days)$", r"\1 (the policy accepts the last \2)"),
    (r"^(Obtain a new .+): the last, of (.+), is (\d+ days) old$", r"\1 (the last, of \2, is \3 old)"),
    (r"^Excluded by (.+); consider another drug$", r"Offer the clinician another drug: \1 excludes this one"),
    (r"^The chart denies it: (.+)$", r"Ask the prescriber to confirm whether {she} \1"),
    (r"\ba (?=HbA1c|eGFR|ankle|apnea|ALT|AST|LVEF|LDL|HDL)", "an "),
    (r"^Try (.+)$", r"Ask the clinician about a trial of \1"),
    (r"^Age \d+ is outside the rule \((.+)\); only an exception can help$",
     r"Only an exception can help, since the rule asks for an age of \1"),
)  # fmt: skip


def with_dose(finding: Finding) -> str:
    """A trial that lacks the dose is to be tried at it."""
    dose = re.search(r"^no course of .+( at [\d.]+ mg a day)$", finding.detail)
    fix = finding.fix or ""
    return f"{fix}{dose[1]}" if dose and fix.startswith("Try ") else fix


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


def _signs(text: str) -> str:
    for sign, words in _SIGNS:
        text = text.replace(sign, words)
    return text


_SIGNS = (("≥ ", "at least "), ("≤ ", "at most "), ("> ", "above "), ("< ", "below "))
