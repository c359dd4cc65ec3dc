"""The populations of the trials and guidelines that a letter may cite, asked of one case."""

from __future__ import annotations

from tools.evidence.measurements import values_of
from tools.papers.case import Case


def type_2(case: Case) -> bool:
    return case.has("t2dm") is not None and case.has("t1dm") is None


def no_diabetes(case: Case) -> bool:
    """A whole problem list without diabetes of any kind, and no HbA1c that says otherwise."""
    if case.patient.conditions is None:
        return False
    coded = any(d.code.startswith(("E08", "E09", "E10", "E11", "E13")) for d in case.patient.conditions)
    latest = case.newest("hba1c")
    return not coded and (latest is None or latest.value < 6.5)


def aged(case: Case, years: int) -> bool:
    return case.age is not None and case.age >= years


def adult(case: Case) -> bool:
    return aged(case, 18)


def highest_bmi(case: Case) -> float:
    """Before or during treatment: losing weight under it takes nobody out of the population."""
    return max((v.value for v in values_of(case.patient, "bmi", case.as_of).usable), default=0.0)


def between(case: Case, test: str, low: float, high: float) -> bool:
    """The newest value is known and low <= value < high."""
    latest = case.newest(test)
    return latest is not None and low <= latest.value < high


def vascular(case: Case) -> bool:
    return case.has("ascvd") is not None


def kidney(case: Case) -> bool:
    return case.has("ckd") is not None and case.has("dialysis") is None


def type_2_vascular(case: Case) -> bool:
    return type_2(case) and vascular(case)


def type_2_vascular_past_fifty(case: Case) -> bool:
    return type_2_vascular(case) and aged(case, 50)


def flow(case: Case) -> bool:
    """eGFR 50-75 with UACR over 300, or 25-<50 with UACR over 100 (mg/g); nothing unmeasured is assumed."""
    high = between(case, "egfr", 50, 75.01) and between(case, "uacr", 300.01, 5000)
    low = between(case, "egfr", 25, 50) and between(case, "uacr", 100.01, 5000)
    return type_2(case) and kidney(case) and (high or low)


def rewind(case: Case) -> bool:
    risks = [case.has("hypertension"), case.has("dyslipidemia"), case.has("obesity")]
    several = aged(case, 60) and sum(risk is not None for risk in risks) >= 2
    return type_2_vascular_past_fifty(case) or (type_2(case) and several)


def soul(case: Case) -> bool:
    return type_2(case) and aged(case, 50) and (vascular(case) or kidney(case))


def on_metformin(case: Case) -> bool:
    return type_2(case) and any("metformin" in m.ingredients for m in case.patient.medications or ())


def weight_no_diabetes(case: Case) -> bool:
    related = case.has("hypertension", "dyslipidemia", "osa", "ascvd") is not None
    bmi = highest_bmi(case)
    return adult(case) and no_diabetes(case) and (bmi >= 30 or (bmi >= 27 and related))


def weight_type_2(case: Case) -> bool:
    return adult(case) and type_2(case) and highest_bmi(case) >= 27


def select(case: Case) -> bool:
    event = case.has("mi", "stroke", "pad") is not None
    return event and aged(case, 45) and highest_bmi(case) >= 27 and no_diabetes(case)


def apnea(case: Case) -> bool:
    severe = any(v.value >= 15 for v in values_of(case.patient, "ahi", case.as_of).usable)
    known = case.has("osa") is not None and case.has("central_apnea") is None
    return known and severe and highest_bmi(case) >= 30 and no_diabetes(case)


def essence(case: Case) -> bool:
    """Biopsy-proven stage 2 or 3, no cirrhosis."""
    return (
        case.has("nash") is not None
        and case.has("cirrhosis") is None
        and between(case, "fibrosis_stage", 2, 4)
    )


def reduced_ejection(case: Case) -> bool:
    return case.has("hf") is not None and between(case, "lvef", 0, 40.01)


def preserved_ejection(case: Case) -> bool:
    return case.has("hf") is not None and between(case, "lvef", 40.01, 101)


def empa_kidney(case: Case) -> bool:
    albumin = between(case, "egfr", 45, 90) and between(case, "uacr", 200, 5000.01)
    return kidney(case) and (between(case, "egfr", 20, 45) or albumin)


def dapa_ckd(case: Case) -> bool:
    return kidney(case) and between(case, "egfr", 25, 75.01) and between(case, "uacr", 200, 5000.01)


def renews_weight(case: Case) -> bool:
    return case.renewal and weight_no_diabetes(case)


def two_milligrams(case: Case) -> bool:
    return on_metformin(case) and case.request.strength == "2 mg"


def overweight(case: Case) -> bool:
    return weight_no_diabetes(case) or weight_type_2(case)


def type_2_adult(case: Case) -> bool:
    return type_2(case) and adult(case)


def above_goal(case: Case) -> bool:
    return type_2_adult(case) and case.has("pregnancy") is None and between(case, "hba1c", 7, 20)


def heart_failure(case: Case) -> bool:
    return case.has("hf") is not None and adult(case)


def type_2_kidney(case: Case) -> bool:
    return type_2(case) and kidney(case) and between(case, "egfr", 20, 1000)
