"""The published evidence that a letter may cite: a fixed table, each with the population it holds for.

Citations and results: domain reference §8. A letter cites by key, only for the drug that was studied and only
where this patient belongs to the population (SELECT and STEP 1 excluded diabetes, FLOW asks for kidney disease).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tools.papers import populations
from tools.papers.case import Case

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
        populations.type_2_vascular,
    ),
    Citation(
        "FLOW",
        "N Engl J Med 2024;391:109",
        2024,
        "In type 2 diabetes with chronic kidney disease, semaglutide reduced major kidney disease events"
        " (hazard ratio 0.76).",
        ("Ozempic",),
        ("t2dm", "ckd"),
        populations.flow,
    ),
    Citation(
        "SUSTAIN FORTE",
        "Lancet Diabetes Endocrinol 2021;9:563",
        2021,
        "In type 2 diabetes not controlled on metformin, semaglutide 2 mg lowered HbA1c further than 1 mg.",
        ("Ozempic",),
        ("t2dm",),
        populations.two_milligrams,
    ),
    Citation(
        "REWIND",
        "Lancet 2019;394:121",
        2019,
        "In type 2 diabetes with cardiovascular disease or risk factors, dulaglutide reduced major adverse"
        " cardiovascular events (hazard ratio 0.88).",
        ("Trulicity",),
        ("t2dm",),
        populations.rewind,
    ),
    Citation(
        "SURPASS-2",
        "N Engl J Med 2021;385:503",
        2021,
        "In type 2 diabetes treated with metformin, tirzepatide lowered HbA1c by 2.0 to 2.3 percentage points,"
        " against 1.9 with semaglutide 1 mg.",
        ("Mounjaro",),
        ("t2dm",),
        populations.on_metformin,
    ),
    Citation(
        "SOUL",
        "N Engl J Med 2025;392:2001",
        2025,
        "In type 2 diabetes with atherosclerotic cardiovascular disease, chronic kidney disease or both, oral"
        " semaglutide reduced major adverse cardiovascular events (hazard ratio 0.86).",
        ("Rybelsus",),
        ("t2dm",),
        populations.soul,
    ),
    Citation(
        "PIONEER 6",
        "N Engl J Med 2019;381:841",
        2019,
        "In type 2 diabetes at high cardiovascular risk, oral semaglutide was non-inferior to placebo for major"
        " adverse cardiovascular events (hazard ratio 0.79).",
        ("Rybelsus",),
        ("t2dm",),
        populations.soul,
    ),
    Citation(
        "STEP 1",
        "N Engl J Med 2021;384:989",
        2021,
        "In adults with overweight or obesity without diabetes, semaglutide 2.4 mg with lifestyle intervention"
        " reduced body weight by 14.9 %.",
        ("Wegovy",),
        ("weight",),
        populations.weight_no_diabetes,
    ),
    Citation(
        "STEP 4",
        "JAMA 2021;325:1414",
        2021,
        "Adults who were switched from semaglutide 2.4 mg to placebo regained weight; those who continued it"
        " went on losing.",
        ("Wegovy",),
        ("weight",),
        populations.renews_weight,
    ),
    Citation(
        "STEP 2",
        "Lancet 2021;397:971",
        2021,
        "In adults with overweight or obesity and type 2 diabetes, semaglutide 2.4 mg reduced body weight by 9.6 %.",
        ("Wegovy",),
        ("weight",),
        populations.weight_type_2,
    ),
    Citation(
        "SELECT",
        "N Engl J Med 2023;389:2221",
        2023,
        "In adults with cardiovascular disease and overweight or obesity without diabetes, semaglutide 2.4 mg"
        " reduced major adverse cardiovascular events (hazard ratio 0.80).",
        ("Wegovy",),
        ("cv", "weight"),
        populations.select,
    ),
    Citation(
        "ESSENCE",
        "N Engl J Med 2025;392:2089",
        2025,
        "In MASH with fibrosis stage 2 or 3, steatohepatitis resolved in 63 % with semaglutide 2.4 mg and in 34 %"
        " with placebo.",
        ("Wegovy",),
        ("mash",),
        populations.essence,
    ),
    Citation(
        "SURMOUNT-1",
        "N Engl J Med 2022;387:205",
        2022,
        "In adults with overweight or obesity without diabetes, tirzepatide 15 mg reduced body weight by 20.9 %.",
        ("Zepbound",),
        ("weight",),
        populations.weight_no_diabetes,
    ),
    Citation(
        "SURMOUNT-5",
        "N Engl J Med 2025;393:26",
        2025,
        "In adults with obesity without diabetes, tirzepatide reduced body weight by about 20 %, semaglutide by"
        " about 14 %.",
        ("Zepbound",),
        ("weight",),
        populations.weight_no_diabetes,
    ),
    Citation(
        "SURMOUNT-2",
        "Lancet 2023;402:613",
        2023,
        "In adults with overweight or obesity and type 2 diabetes, tirzepatide 15 mg reduced body weight by 14.7 %.",
        ("Zepbound",),
        ("weight",),
        populations.weight_type_2,
    ),
    Citation(
        "SURMOUNT-OSA",
        "N Engl J Med 2024;391:1193",
        2024,
        "In adults with obesity and moderate to severe obstructive sleep apnea, tirzepatide reduced the"
        " apnea-hypopnea index by 25 to 29 events an hour.",
        ("Zepbound",),
        ("osa",),
        populations.apnea,
    ),
    Citation(
        "SCALE",
        "N Engl J Med 2015;373:11",
        2015,
        "In adults with overweight or obesity without diabetes, liraglutide 3 mg reduced body weight by 8.0 %.",
        ("Saxenda",),
        ("weight",),
        populations.weight_no_diabetes,
    ),
    Citation(
        "EMPA-REG OUTCOME",
        "N Engl J Med 2015;373:2117",
        2015,
        "In type 2 diabetes with established cardiovascular disease, empagliflozin reduced major adverse"
        " cardiovascular events (hazard ratio 0.86) and cardiovascular death (0.62).",
        ("Jardiance",),
        ("t2dm",),
        lambda case: populations.type_2(case) and populations.vascular(case),
    ),
    Citation(
        "EMPEROR-Reduced",
        "N Engl J Med 2020;383:1413",
        2020,
        "In heart failure with reduced ejection fraction, empagliflozin reduced cardiovascular death or"
        " hospitalization for heart failure (hazard ratio 0.75).",
        ("Jardiance",),
        ("hf",),
        populations.failing(0, 40.01),
    ),
    Citation(
        "EMPEROR-Preserved",
        "N Engl J Med 2021;385:1451",
        2021,
        "In heart failure with an ejection fraction over 40 %, empagliflozin reduced cardiovascular death or"
        " hospitalization for heart failure (hazard ratio 0.79).",
        ("Jardiance",),
        ("hf",),
        populations.failing(40.01, 101),
    ),
    Citation(
        "EMPA-KIDNEY",
        "N Engl J Med 2023;388:117",
        2023,
        "In chronic kidney disease at risk of progression, empagliflozin reduced progression of kidney disease"
        " or cardiovascular death (hazard ratio 0.72).",
        ("Jardiance",),
        ("ckd",),
        populations.empa_kidney,
    ),
    Citation(
        "DAPA-HF",
        "N Engl J Med 2019;381:1995",
        2019,
        "In heart failure with reduced ejection fraction, dapagliflozin reduced worsening heart failure or"
        " cardiovascular death (hazard ratio 0.74).",
        ("Farxiga",),
        ("hf",),
        populations.failing(0, 40.01),
    ),
    Citation(
        "DELIVER",
        "N Engl J Med 2022;387:1089",
        2022,
        "In heart failure with an ejection fraction over 40 %, dapagliflozin reduced worsening heart failure or"
        " cardiovascular death (hazard ratio 0.82).",
        ("Farxiga",),
        ("hf",),
        populations.failing(40.01, 101),
    ),
    Citation(
        "DAPA-CKD",
        "N Engl J Med 2020;383:1436",
        2020,
        "In chronic kidney disease with albuminuria, dapagliflozin reduced sustained loss of kidney function,"
        " end-stage kidney disease or death from renal or cardiovascular causes (hazard ratio 0.61).",
        ("Farxiga",),
        ("ckd",),
        populations.dapa_ckd,
    ),
    Citation(
        "TECOS",
        "N Engl J Med 2015;373:232",
        2015,
        "In type 2 diabetes with established cardiovascular disease, sitagliptin did not raise the rate of major"
        " adverse cardiovascular events (hazard ratio 0.98).",
        ("Januvia",),
        ("t2dm",),
        populations.type_2_vascular,
    ),
    Citation(
        "ADA Section 9",
        "American Diabetes Association, Standards of Care, Section 9, Diabetes Care 2026;49(Suppl 1)",
        2026,
        "The Standards of Care ask that glucose-lowering drugs be chosen by the person's comorbidities, glycemic"
        " goal and experience with earlier treatment.",
        (),
        ("t2dm",),
        populations.type_2_adult,
    ),
    Citation(
        "ADA Section 10",
        "American Diabetes Association, Standards of Care, Section 10, Diabetes Care 2026;49(Suppl 1)",
        2026,
        "For type 2 diabetes with established cardiovascular disease the Standards of Care recommend a GLP-1"
        " receptor agonist or an SGLT2 inhibitor with proven cardiovascular benefit.",
        ("Ozempic", "Trulicity", "Jardiance"),
        ("t2dm",),
        populations.type_2_vascular,
    ),
    Citation(
        "ADA Section 6",
        "American Diabetes Association, Standards of Care, Section 6, Diabetes Care 2026;49(Suppl 1)",
        2026,
        "The Standards of Care give an HbA1c below 7 % as an appropriate goal for many nonpregnant adults.",
        (),
        ("t2dm",),
        populations.above_goal,
    ),
    Citation(
        "KDIGO 2022",
        "KDIGO 2022 guideline for diabetes in chronic kidney disease, Kidney Int 2022;102(5S):S1",
        2022,
        "For type 2 diabetes with chronic kidney disease the guideline recommends an SGLT2 inhibitor where eGFR"
        " is at least 20.",
        ("Jardiance", "Farxiga"),
        ("t2dm", "ckd"),
        populations.type_2_kidney,
    ),
    Citation(
        "ADA Section 8",
        "American Diabetes Association, Standards of Care, Section 8, Diabetes Care 2026;49(Suppl 1)",
        2026,
        "For people with diabetes and overweight or obesity the Standards of Care recommend considering drug"
        " treatment of obesity beside nutrition, activity and behavior.",
        (),
        ("weight",),
        populations.weight_type_2,
    ),
    Citation(
        "AGA 2022",
        "AGA guideline on pharmacological interventions for adults with obesity, Gastroenterology 2022;163:1198",
        2022,
        "For adults with obesity, or overweight with weight-related complications, who have not responded enough"
        " to lifestyle intervention, the guideline recommends adding drug treatment.",
        (),
        ("weight",),
        populations.overweight,
    ),
    Citation(
        "HF guideline 2022",
        "AHA/ACC/HFSA guideline for the management of heart failure, Circulation 2022;145:e895",
        2022,
        "The guideline gives SGLT2 inhibitors a place in the treatment of heart failure across the range of"
        " ejection fraction.",
        ("Jardiance", "Farxiga"),
        ("hf",),
        populations.heart_failure,
    ),
    Citation(
        "AASLD 2023",
        "AASLD practice guidance on nonalcoholic fatty liver disease, Hepatology 2023;77:1797",
        2023,
        "The guidance asks that people with steatohepatitis and significant fibrosis be identified and treated"
        " before cirrhosis.",
        (),
        ("mash",),
        populations.essence,
    ),
)
BY_KEY = {citation.key: citation for citation in TABLE}
