"""What in an imported chart cannot all be true, or may not be coded together; said, never mended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tools.records import Diagnosis, Observation, Patient

_HYPERTENSION_WITH = ("N18", "I50")


def contradictions(chart: Patient) -> Iterator[str]:
    """One sentence each, for the person who is to trust this chart."""
    standing = [d for d in chart.conditions or () if d.abated is None and d.verification == "confirmed"]
    diabetes = _first(standing, "E11")
    if diabetes and (first := _first(standing, "E10")):
        yield f"type 1 and type 2 diabetes together ({first.code}, {diabetes.code})"
    if diabetes and _first(standing, "R73.0"):
        yield f"prediabetes (R73.03) beside type 2 diabetes ({diabetes.code})"
    if diabetes and _first(standing, "R73.9"):
        yield "hyperglycemia (R73.9) beside type 2 diabetes: ICD-10-CM would code E11.65"
    others = sorted({d.code for d in standing if d.code.startswith("E11.") and d.code != "E11.9"})
    if _first(standing, "E11.9") and others:
        yield f"E11.9 (without complications) beside {', '.join(others)}"
    together = sorted({d.code for d in standing if d.code.startswith(_HYPERTENSION_WITH)})
    if _first(standing, "I10") and together:
        yield f"I10 beside {', '.join(together)}: ICD-10-CM would code I11-I13"
    yield from _renal(chart)


def _first(standing: list[Diagnosis], prefix: str) -> Diagnosis | None:
    return next((d for d in standing if d.code.startswith(prefix)), None)


def _renal(chart: Patient) -> Iterator[str]:
    """eGFR more than 30 % away from what CKD-EPI 2021 makes of the same day's creatinine."""
    if chart.birth_date is None or chart.sex == "unknown":
        return
    creatinine = {o.date: o for o in chart.observations_by_test.get("creatinine", ()) if o.unit == "mg/dL"}
    off = [
        (said, expected)
        for said in chart.observations_by_test.get("egfr", ())
        if said.date in creatinine
        and (expected := _ckd_epi(creatinine[said.date], chart.birth_date, chart.sex)) is not None
        and abs(said.value - expected) > 0.3 * expected
    ]
    if off:
        said, expected = off[-1]
        yield (
            f"{len(off)} eGFR values do not agree with the creatinine of their day "
            f"({said.date}: {said.value:.0f} charted, {expected:.0f} by CKD-EPI 2021)"
        )


def _ckd_epi(creatinine: Observation, born: date, sex: str) -> float | None:
    if creatinine.date is None or creatinine.value <= 0:
        return None
    age = (creatinine.date - born).days / 365.25
    female = sex == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine.value / kappa
    at = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age
    return float(at * 1.012 if female else at)
