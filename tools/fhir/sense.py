"""What in an imported chart cannot all be true; said, never mended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tools.domain.records import Observation, Patient
from tools.terminology.conditions import conditions, conditions_of


def contradictions(chart: Patient) -> Iterator[str]:
    """One sentence each, for the person who is to trust this chart."""
    standing = [d for d in chart.conditions or () if d.abated is None and d.verification == "confirmed"]
    codes = {key: d.code for d in standing for key in conditions_of(d.code)}
    for key, code in codes.items():
        for other in conditions()[key].excludes:
            if other in codes and (key < other or key not in conditions()[other].excludes):
                yield f"{conditions()[key].label} ({code}) beside {conditions()[other].label} ({codes[other]})"
    yield from _renal(chart)


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
    female = sex == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio, age = creatinine.value / kappa, (creatinine.date - born).days / 365.25
    at = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age
    return float(at * 1.012 if female else at)
