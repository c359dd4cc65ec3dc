"""The reasons that payers give, as data: their codes in the field's lists, and what usually answers them.

Sources: NCPDP telecommunication reject codes, X12 claim adjustment reason codes (CARC) and X12 278 HCR01, as in the
domain's reference on appeals. A code that the field uses for several reasons stands with each.
"""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """`title` completes "denied: …". `answer` is what usually answers it; the strategy of a case decides."""

    title: str
    ncpdp: tuple[str, ...]
    carc: tuple[str, ...]
    hcr01: str
    answer: str


REASONS: dict[str, Reason] = {
    "pa_required": Reason(
        "prior authorization is required and absent", ("75",), ("197",), "A3", "submit the request"
    ),
    "non_formulary": Reason(
        "the drug is not on the formulary", ("70",), ("204",), "A3", "formulary exception, or an alternative"
    ),
    "benefit_exclusion": Reason(
        "the benefit excludes the drug or its use",
        ("70", "MR"),
        ("96", "204"),
        "A3",
        "usually not clinical: another indication that is covered, or none",
    ),
    "step_therapy": Reason(
        "another drug is to be tried first",
        ("608",),
        (),
        "A3",
        "fills, intolerance, contraindication or a step exception",
    ),
    "medical_necessity": Reason(
        "a clinical criterion is not met",
        (),
        ("50",),
        "A3",
        "evidence criterion by criterion, or a peer-to-peer",
    ),
    "insufficient_documentation": Reason(
        "documents or facts are missing", (), ("16", "252"), "A4", "supply what is missing and resubmit"
    ),
    "quantity_limit": Reason(
        "quantity or dose is over the limit", ("76", "7X"), ("198",), "A2", "titration schedule or label dose"
    ),
    "diagnosis_mismatch": Reason(
        "the diagnosis does not support the use",
        ("80",),
        ("11", "167"),
        "A3",
        "correct a wrong code; never recode to fit",
    ),
    "age": Reason("age is outside the limits", ("60",), ("6",), "A3", "the label's age"),
    "duplicate_therapy": Reason(
        "a drug of the same kind is taken", ("88",), (), "A3", "the day on which the old drug was stopped"
    ),
    "not_eligible": Reason(
        "not covered by the plan on the day", ("65", "69"), ("27",), "A3", "the right plan and dates"
    ),
    "refill_too_soon": Reason(
        "it is too early for a refill", ("79",), (), "A3", "the day on which it is payable"
    ),
    "exclusion": Reason(
        "the patient's state rules the drug out",
        ("88",),
        ("50",),
        "A3",
        "correct the record if it is wrong; otherwise another drug",
    ),
    "administrative": Reason(
        "the request was not made in the way that it must be",
        (),
        ("16",),
        "A3",
        "mend the form and send it again",
    ),
}
REJECTS: dict[str, str] = {  # NCPDP, as pharmacies see it; the first that it stands for
    "75": "pa_required",
    "70": "non_formulary",
    "MR": "benefit_exclusion",
    "608": "step_therapy",
    "76": "quantity_limit",
    "7X": "quantity_limit",
    "80": "diagnosis_mismatch",
    "60": "age",
    "88": "duplicate_therapy",
    "65": "not_eligible",
    "69": "not_eligible",
    "79": "refill_too_soon",
}
