"""The published evidence that a letter may cite: a fixed table, each with the population it holds for.

Citations and results: domain reference §8. A letter cites by key, only for the drug that was studied and only
where this patient belongs to the population (SELECT and STEP 1 excluded diabetes, FLOW asks for kidney disease).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tools.cases import Case
from tools.measurements import values_of

MOST = 4  # citations in one letter


class Citation(NamedTuple):
    """`drugs` and `indications` it may be cited for (no drugs: any), and whom it holds for."""

    key: str
    source: str
    year: int
    result: str
    drugs: tuple[str, ...]
    indications: tuple[str, ...]
    holds: Callable[[Case], bool]


def citations(case: Case) -> tuple[Citation, ...]:
    """At most four that hold for this patient and drug, trials of the drug before guidelines."""
    hits = [c for c in TABLE if _fits(c, case)]
    return tuple(hits[:MOST])


def _fits(citation: Citation, case: Case) -> bool:
    return (
        (not citation.drugs or case.drug.name in citation.drugs)
        and case.indication in citation.indications
        and citation.year <= case.as_of.year
        and citation.holds(case)
    )


# --- populations -----------------------------------------------------------------------------------------


def _type_2(case: Case) -> bool:
    return case.has("t2dm") is not None and case.has("t1dm") is None


def _no_diabetes(case: Case) -> bool:
    """A whole problem list without diabetes of any kind, and no HbA1c that says otherwise."""
    if case.patient.conditions is None:
        return False
    coded = any(d.code.startswith(("E08", "E09", "E10", "E11", "E13")) for d in case.patient.conditions)
    latest = case.newest("hba1c")
    return not coded and (latest is None or latest.value < 6.5)


def _aged(case: Case, years: int) -> bool:
    return case.age is not None and case.age >= years


def _adult(case: Case) -> bool:
    return _aged(case, 18)


def _highest_bmi(case: Case) -> float:
    """Before or during treatment: losing weight under it takes nobody out of the population."""
    return max((v.value for v in values_of(case.patient, "bmi", case.as_of).usable), default=0.0)


def _between(case: Case, test: str, low: float, high: float) -> bool:
    """The newest value is known and low <= value < high."""
    latest = case.newest(test)
    return latest is not None and low <= latest.value < high


def _vascular(case: Case) -> bool:
    return case.has("ascvd") is not None


def _kidney(case: Case) -> bool:
    return case.has("ckd") is not None and case.has("dialysis") is None


def _type_2_vascular(case: Case) -> bool:
    return _type_2(case) and _vascular(case) and _aged(case, 50)


def _flow(case: Case) -> bool:
    """eGFR 50-75 with UACR over 300, or 25-<50 with UACR over 100 (mg/g); nothing unmeasured is assumed."""
    high = _between(case, "egfr", 50, 75.01) and _between(case, "uacr", 300.01, 5000)
    low = _between(case, "egfr", 25, 50) and _between(case, "uacr", 100.01, 5000)
    return _type_2(case) and _kidney(case) and (high or low)


def _rewind(case: Case) -> bool:
    risks = [case.has("hypertension"), case.has("dyslipidemia"), case.has("obesity")]
    several = _aged(case, 60) and sum(risk is not None for risk in risks) >= 2
    return _type_2_vascular(case) or (_type_2(case) and several)


def _soul(case: Case) -> bool:
    return _type_2(case) and _aged(case, 50) and (_vascular(case) or _kidney(case))


def _on_metformin(case: Case) -> bool:
    return _type_2(case) and any("metformin" in m.ingredients for m in case.patient.medications or ())


def _weight_no_diabetes(case: Case) -> bool:
    related = case.has("hypertension", "dyslipidemia", "osa", "ascvd") is not None
    bmi = _highest_bmi(case)
    return _adult(case) and _no_diabetes(case) and (bmi >= 30 or (bmi >= 27 and related))


def _weight_type_2(case: Case) -> bool:
    return _adult(case) and _type_2(case) and _highest_bmi(case) >= 27


def _select(case: Case) -> bool:
    event = case.has("mi", "stroke", "pad") is not None
    return event and _aged(case, 45) and _highest_bmi(case) >= 27 and _no_diabetes(case)


def _apnea(case: Case) -> bool:
    severe = any(v.value >= 15 for v in values_of(case.patient, "ahi", case.as_of).usable)
    known = case.has("osa") is not None and case.has("central_apnea") is None
    return known and severe and _highest_bmi(case) >= 30 and _no_diabetes(case)


def _essence(case: Case) -> bool:
    """Biopsy-proven stage 2 or 3, no cirrhosis."""
    return (
        case.has("nash") is not None
        and case.has("cirrhosis") is None
        and _between(case, "fibrosis_stage", 2, 4)
    )


def _failing(low: float, high: float) -> Callable[[Case], bool]:
    return lambda case: case.has("hf") is not None and _between(case, "lvef", low, high)


def _empa_kidney(case: Case) -> bool:
    albumin = _between(case, "egfr", 45, 90) and _between(case, "uacr", 200, 5000.01)
    return _kidney(case) and (_between(case, "egfr", 20, 45) or albumin)


def _dapa_ckd(case: Case) -> bool:
    return _kidney(case) and _between(case, "egfr", 25, 75.01) and _between(case, "uacr", 200, 5000.01)


def _renews_weight(case: Case) -> bool:
    return case.renewal and _weight_no_diabetes(case)


def _two_milligrams(case: Case) -> bool:
    return _on_metformin(case) and case.request.strength == "2 mg"


def _overweight(case: Case) -> bool:
    return _weight_no_diabetes(case) or _weight_type_2(case)


def _type_2_adult(case: Case) -> bool:
    return _type_2(case) and _adult(case)


def _above_goal(case: Case) -> bool:
    return _type_2_adult(case) and case.has("pregnancy") is None and _between(case, "hba1c", 7, 20)


def _heart_failure(case: Case) -> bool:
    return case.has("hf") is not None and _adult(case)


def _type_2_kidney(case: Case) -> bool:
    return _type_2(case) and _kidney(case) and _between(case, "egfr", 20, 1000)


# --- the table: trials of each drug, then guidelines -------------------------------------------------------

TABLE: tuple[Citation, ...] = (
    Citation(
        "SUSTAIN-6",
        "N Engl J Med 2016;375:1834",
        2016,
        "In adults with type 2 diabetes at high cardiovascular risk, semaglutide reduced major adverse"
        " cardiovascular events compared with placebo (hazard ratio 0.74).",
        ("Ozempic",),
        ("t2dm",),
        _type_2_vascular,
    ),
    Citation(
        "FLOW",
        "N Engl J Med 2024;391:109",
        2024,
        "In type 2 diabetes with chronic kidney disease, semaglutide reduced major kidney disease events"
        " (hazard ratio 0.76).",
        ("Ozempic",),
        ("t2dm", "ckd"),
        _flow,
    ),
    Citation(
        "SUSTAIN FORTE",
        "Lancet Diabetes Endocrinol 2021;9:563",
        2021,
        "In type 2 diabetes not controlled on metformin, semaglutide 2 mg lowered HbA1c further than 1 mg.",
        ("Ozempic",),
        ("t2dm",),
        _two_milligrams,
    ),
    Citation(
        "REWIND",
        "Lancet 2019;394:121",
        2019,
        "In type 2 diabetes with cardiovascular disease or risk factors, dulaglutide reduced major adverse"
        " cardiovascular events (hazard ratio 0.88).",
        ("Trulicity",),
        ("t2dm",),
        _rewind,
    ),
    Citation(
        "SURPASS-2",
        "N Engl J Med 2021;385:503",
        2021,
        "In type 2 diabetes treated with metformin, tirzepatide lowered HbA1c by 2.0 to 2.3 percentage points,"
        " against 1.9 with semaglutide 1 mg.",
        ("Mounjaro",),
        ("t2dm",),
        _on_metformin,
    ),
    Citation(
        "SOUL",
        "N Engl J Med 2025;392:2001",
        2025,
        "In type 2 diabetes with atherosclerotic cardiovascular disease, chronic kidney disease or both, oral"
        " semaglutide reduced major adverse cardiovascular events (hazard ratio 0.86).",
        ("Rybelsus",),
        ("t2dm",),
        _soul,
    ),
    Citation(
        "PIONEER 6",
        "N Engl J Med 2019;381:841",
        2019,
        "In type 2 diabetes at high cardiovascular risk, oral semaglutide was non-inferior to placebo for major"
        " adverse cardiovascular events (hazard ratio 0.79).",
        ("Rybelsus",),
        ("t2dm",),
        _soul,
    ),
    Citation(
        "STEP 1",
        "N Engl J Med 2021;384:989",
        2021,
        "In adults with overweight or obesity without diabetes, semaglutide 2.4 mg with lifestyle intervention"
        " reduced body weight by 14.9 %.",
        ("Wegovy",),
        ("weight",),
        _weight_no_diabetes,
    ),
    Citation(
        "STEP 4",
        "JAMA 2021;325:1414",
        2021,
        "Adults who were switched from semaglutide 2.4 mg to placebo regained weight; those who continued it"
        " went on losing.",
        ("Wegovy",),
        ("weight",),
        _renews_weight,
    ),
    Citation(
        "STEP 2",
        "Lancet 2021;397:971",
        2021,
        "In adults with overweight or obesity and type 2 diabetes, semaglutide 2.4 mg reduced body weight by 9.6 %.",
        ("Wegovy",),
        ("weight",),
        _weight_type_2,
    ),
    Citation(
        "SELECT",
        "N Engl J Med 2023;389:2221",
        2023,
        "In adults with cardiovascular disease and overweight or obesity without diabetes, semaglutide 2.4 mg"
        " reduced major adverse cardiovascular events (hazard ratio 0.80).",
        ("Wegovy",),
        ("cv", "weight"),
        _select,
    ),
    Citation(
        "ESSENCE",
        "N Engl J Med 2025;392:2089",
        2025,
        "In MASH with fibrosis stage 2 or 3, steatohepatitis resolved in 63 % with semaglutide 2.4 mg and in 34 %"
        " with placebo.",
        ("Wegovy",),
        ("mash",),
        _essence,
    ),
    Citation(
        "SURMOUNT-1",
        "N Engl J Med 2022;387:205",
        2022,
        "In adults with overweight or obesity without diabetes, tirzepatide 15 mg reduced body weight by 20.9 %.",
        ("Zepbound",),
        ("weight",),
        _weight_no_diabetes,
    ),
    Citation(
        "SURMOUNT-5",
        "N Engl J Med 2025;393:26",
        2025,
        "In adults with obesity without diabetes, tirzepatide reduced body weight by about 20 %, semaglutide by"
        " about 14 %.",
        ("Zepbound",),
        ("weight",),
        _weight_no_diabetes,
    ),
    Citation(
        "SURMOUNT-2",
        "Lancet 2023;402:613",
        2023,
        "In adults with overweight or obesity and type 2 diabetes, tirzepatide 15 mg reduced body weight by 14.7 %.",
        ("Zepbound",),
        ("weight",),
        _weight_type_2,
    ),
    Citation(
        "SURMOUNT-OSA",
        "N Engl J Med 2024;391:1193",
        2024,
        "In adults with obesity and moderate to severe obstructive sleep apnea, tirzepatide reduced the"
        " apnea-hypopnea index by 25 to 29 events an hour.",
        ("Zepbound",),
        ("osa",),
        _apnea,
    ),
    Citation(
        "SCALE",
        "N Engl J Med 2015;373:11",
        2015,
        "In adults with overweight or obesity without diabetes, liraglutide 3 mg reduced body weight by 8.0 %.",
        ("Saxenda",),
        ("weight",),
        _weight_no_diabetes,
    ),
    Citation(
        "EMPA-REG OUTCOME",
        "N Engl J Med 2015;373:2117",
        2015,
        "In type 2 diabetes with established cardiovascular disease, empagliflozin reduced major adverse"
        " cardiovascular events (hazard ratio 0.86) and cardiovascular death (0.62).",
        ("Jardiance",),
        ("t2dm",),
        lambda case: _type_2(case) and _vascular(case),
    ),
    Citation(
        "EMPEROR-Reduced",
        "N Engl J Med 2020;383:1413",
        2020,
        "In heart failure with reduced ejection fraction, empagliflozin reduced cardiovascular death or"
        " hospitalization for heart failure (hazard ratio 0.75).",
        ("Jardiance",),
        ("hf",),
        _failing(0, 40.01),
    ),
    Citation(
        "EMPEROR-Preserved",
        "N Engl J Med 2021;385:1451",
        2021,
        "In heart failure with an ejection fraction over 40 %, empagliflozin reduced cardiovascular death or"
        " hospitalization for heart failure (hazard ratio 0.79).",
        ("Jardiance",),
        ("hf",),
        _failing(40.01, 101),
    ),
    Citation(
        "EMPA-KIDNEY",
        "N Engl J Med 2023;388:117",
        2023,
        "In chronic kidney disease at risk of progression, empagliflozin reduced progression of kidney disease"
        " or cardiovascular death (hazard ratio 0.72).",
        ("Jardiance",),
        ("ckd",),
        _empa_kidney,
    ),
    Citation(
        "DAPA-HF",
        "N Engl J Med 2019;381:1995",
        2019,
        "In heart failure with reduced ejection fraction, dapagliflozin reduced worsening heart failure or"
        " cardiovascular death (hazard ratio 0.74).",
        ("Farxiga",),
        ("hf",),
        _failing(0, 40.01),
    ),
    Citation(
        "DELIVER",
        "N Engl J Med 2022;387:1089",
        2022,
        "In heart failure with an ejection fraction over 40 %, dapagliflozin reduced worsening heart failure or"
        " cardiovascular death (hazard ratio 0.82).",
        ("Farxiga",),
        ("hf",),
        _failing(40.01, 101),
    ),
    Citation(
        "DAPA-CKD",
        "N Engl J Med 2020;383:1436",
        2020,
        "In chronic kidney disease with albuminuria, dapagliflozin reduced sustained loss of kidney function,"
        " end-stage kidney disease or death from renal or cardiovascular causes (hazard ratio 0.61).",
        ("Farxiga",),
        ("ckd",),
        _dapa_ckd,
    ),
    Citation(
        "TECOS",
        "N Engl J Med 2015;373:232",
        2015,
        "In type 2 diabetes with established cardiovascular disease, sitagliptin did not raise the rate of major"
        " adverse cardiovascular events (hazard ratio 0.98).",
        ("Januvia",),
        ("t2dm",),
        _type_2_vascular,
    ),
    Citation(
        "ADA Section 9",
        "American Diabetes Association, Standards of Care, Section 9, Diabetes Care 2025;48(Suppl 1)",
        2025,
        "The Standards of Care ask that glucose-lowering drugs be chosen by the person's comorbidities, glycemic"
        " goal and experience with earlier treatment.",
        (),
        ("t2dm",),
        _type_2_adult,
    ),
    Citation(
        "ADA Section 10",
        "American Diabetes Association, Standards of Care, Section 10, Diabetes Care 2025;48(Suppl 1)",
        2025,
        "For type 2 diabetes with established cardiovascular disease the Standards of Care recommend a GLP-1"
        " receptor agonist or an SGLT2 inhibitor with proven cardiovascular benefit.",
        ("Ozempic", "Trulicity", "Jardiance"),
        ("t2dm",),
        _type_2_vascular,
    ),
    Citation(
        "ADA Section 6",
        "American Diabetes Association, Standards of Care, Section 6, Diabetes Care 2025;48(Suppl 1)",
        2025,
        "The Standards of Care give an HbA1c below 7 % as an appropriate goal for many nonpregnant adults.",
        (),
        ("t2dm",),
        _above_goal,
    ),
    Citation(
        "KDIGO 2022",
        "KDIGO 2022 guideline for diabetes in chronic kidney disease, Kidney Int 2022;102(5S):S1",
        2022,
        "For type 2 diabetes with chronic kidney disease the guideline recommends an SGLT2 inhibitor where eGFR"
        " is at least 20.",
        ("Jardiance", "Farxiga"),
        ("t2dm", "ckd"),
        _type_2_kidney,
    ),
    Citation(
        "ADA Section 8",
        "American Diabetes Association, Standards of Care, Section 8, Diabetes Care 2025;48(Suppl 1)",
        2025,
        "For people with diabetes and overweight or obesity the Standards of Care recommend considering drug"
        " treatment of obesity beside nutrition, activity and behavior.",
        (),
        ("weight",),
        _weight_type_2,
    ),
    Citation(
        "AGA 2022",
        "AGA guideline on pharmacological interventions for adults with obesity, Gastroenterology 2022;163:1198",
        2022,
        "For adults with obesity, or overweight with weight-related complications, who have not responded enough"
        " to lifestyle intervention, the guideline recommends adding drug treatment.",
        (),
        ("weight", "osa"),
        _overweight,
    ),
    Citation(
        "HF guideline 2022",
        "AHA/ACC/HFSA guideline for the management of heart failure, Circulation 2022;145:e895",
        2022,
        "The guideline gives SGLT2 inhibitors a place in the treatment of heart failure across the range of"
        " ejection fraction.",
        ("Jardiance", "Farxiga"),
        ("hf",),
        _heart_failure,
    ),
    Citation(
        "AASLD 2023",
        "AASLD practice guidance on nonalcoholic fatty liver disease, Hepatology 2023;77:1797",
        2023,
        "The guidance asks that people with steatohepatitis and significant fibrosis be identified and treated"
        " before cirrhosis.",
        (),
        ("mash",),
        _essence,
    ),
)
BY_KEY = {citation.key: citation for citation in TABLE}
