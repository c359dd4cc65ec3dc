"""Which ICD-10-CM codes a person's diseases get, by the coding rules of domain reference §2.

No I10 beside N18 or I50, E11.9 only without a complication, E11.65 from HbA1c 9.0, no E10 or R73.03 beside E11,
a Z68 code only beside E66, N18 staged by eGFR.
"""

from __future__ import annotations

from collections.abc import Callable

from data_gen.people import Person, Reading, weight_class
from data_gen.vocabulary import VOCABULARY

NAMES = dict(VOCABULARY.conditions)
NAMES |= {f"Z68.{tens}": f"Body mass index [BMI] {tens}.0-{tens}.9, adult" for tens in range(20, 40)}
NAMES["Z68.41"] = "Body mass index [BMI] 40.0-44.9, adult"
BMI_CODES = tuple("Z68.41" if tenths >= 400 else f"Z68.{tenths // 10}" for tenths in range(500))


def codes_of(person: Person) -> list[tuple[str, int]]:
    """(code, onset in days before as_of), in the order of a problem list."""
    codes: list[tuple[str, int]] = []
    coarse = person.coarse
    if person.t2dm:
        _diabetes(person, codes)
    elif person.prediabetes:
        codes.append(("R73.03", person.onset))
    _weight(person, codes)
    _circulation(person, codes)
    if person.dyslipidemia:
        codes.append((_lipids(person), lipids_since(person)))
    if person.nash:
        codes.append(("K75.81", person.visits[2] + coarse[43]))
        if person.fibrosis:
            codes.append(("K74.02" if person.fibrosis >= 3 else "K74.01", person.visits[2] - 20))
    if person.osa:
        codes.append(("G47.33", 150 + coarse[44] * 2))
    if coarse[45] < 90:
        codes.append((VOCABULARY.unrelated[coarse[46] % 5], 400 + coarse[47] * 14))
    return codes


# --- since when (days before as_of); what is taken for a disease is begun after it --------------------------------


def pressure_since(person: Person) -> int:
    return 300 + person.coarse[41] * 12


def lipids_since(person: Person) -> int:
    return 200 + person.coarse[42] * 12


def heart_failure_since(person: Person) -> int:
    return max(200 + person.coarse[48] * 4, _planted_before(person))


def vessels_since(person: Person) -> int:
    return 400 + person.coarse[49] * 10


def kidney_since(person: Person) -> int:
    return max(240 + person.coarse[40] * 3, _planted_before(person))


def _planted_before(person: Person) -> int:
    """Of somebody planted without diabetes: before every course, which may be for heart or kidneys."""
    return person.onset if person.planted and not person.t2dm else 0


def _diabetes(person: Person, codes: list[tuple[str, int]]) -> None:
    """The first entry is the disease's own; a complication that stands beside it came later."""
    found = [
        ("E11.65", person.a1c[-1][1] >= 90, 0),
        ("E11.22", person.ckd, kidney_since(person)),
        ("E11.51", person.ascvd == "pad", vessels_since(person)),
        ("E11.42", person.neuropathy, 150 + person.coarse[43] * 2),
        ("E11.319", person.retinopathy, 130 + person.coarse[44] * 2),
    ]
    shown = [(code, since) for code, there, since in found if there] or [("E11.9", 0)]
    codes.append((shown[0][0], person.onset))
    codes += [(code, min(person.onset, since)) for code, since in shown[1:]]


def _weight(person: Person, codes: list[tuple[str, int]]) -> None:
    """Class and BMI code of the newest BMI, each since the first of the visits in a row at which it held; the class is
    older than an anorectic that was taken for it."""
    newest = person.bmi[-1][1]
    named = WEIGHT[weight_class(newest)]
    if not named:
        return
    taken = [course.start or 0 for course in person.courses if course.drug.startswith("phentermine")]
    codes.append((named, max([_held(person.bmi, weight_class), *(start + 9 for start in taken)])))
    codes.append((BMI_CODES[newest], _held(person.bmi, BMI_CODES.__getitem__)))


WEIGHT = ("", "E66.3", "E66.811", "E66.812", "E66.813")


def _held(series: list[Reading], coded: Callable[[int], object]) -> int:
    """Days since the first of the readings in a row, the newest last, at which the BMI has the newest one's code."""
    newest, since = coded(series[-1][1]), series[-1][0]
    for ago, bmi in reversed(series):
        if coded(bmi) != newest:
            break
        since = ago
    return since


def _circulation(person: Person, codes: list[tuple[str, int]]) -> None:
    egfr = person.egfr[-1][1]
    if person.hypertension:
        end_stage = egfr < 15 or person.dialysis
        if person.ckd and person.hf:
            code = "I13.2" if end_stage else "I13.0"
        elif person.ckd:
            code = "I12.0" if end_stage else "I12.9"
        else:
            code = "I11.0" if person.hf else "I10"
        codes.append((code, pressure_since(person)))
    if person.hf:
        codes.append((person.hf, heart_failure_since(person)))
    if person.ckd:
        codes.append(("N18.6" if person.dialysis else stage(egfr), kidney_since(person)))
    if person.dialysis:
        codes.append(("Z99.2", 200))
    since = vessels_since(person)
    if person.ascvd == "mi":
        codes += [("I25.10", since + 20), ("I25.2", since)]
    elif person.ascvd and not (person.ascvd == "pad" and person.t2dm):
        codes.append(({"cad": "I25.10", "stroke": "Z86.73", "pad": "I73.9"}[person.ascvd], since))


def stage(egfr: int) -> str:
    """N18 by eGFR: 90, 60, 45, 30, 15."""
    if egfr >= 60:
        return "N18.1" if egfr >= 90 else "N18.2"
    if egfr >= 30:
        return "N18.31" if egfr >= 45 else "N18.32"
    return "N18.4" if egfr >= 15 else "N18.5"


def _lipids(person: Person) -> str:
    if person.tg >= 200:
        return "E78.2" if person.ldl >= 100 else "E78.1"
    return "E78.00" if person.ldl >= 130 else "E78.5"
