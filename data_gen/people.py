"""Who the patients are: a person's body, diseases and history as integers, before anything is charted.

Days are counted back from as_of (0 is as_of, 30 a month before); HbA1c, BMI, height and weight are integers of
tenths. The order follows domain reference §2: sex, age, height, BMI, diabetes, HbA1c, kidney, liver, blood
pressure, lipids, history. The guide's derivations hold for everyone made here: HbA1c > 6.5 → type 2
diabetes, BMI > 30 → obesity, age > 50 and chance → hypertension, BMI > 35 and chance → NASH.
"""

from __future__ import annotations

from functools import cache
from math import exp, log, sqrt

from data_gen.draws import NORMAL, avoiding, log_table, normal_table, table, truncated, weighted

# --- tables ------------------------------------------------------------------------------------------------

Z = normal_table(0, 1, 1000)  # thousandths of a standard deviation
BMI = avoiding(table(truncated(32, 4.8, 23, 42), 10), 270, 300)
# 6.6 … 11.0
A1C_DIABETIC = avoiding(table(lambda p: 7.9 * exp(truncated(0, 0.155, -0.1797, 0.3310)(p)), 10), 65, 70)
A1C_OTHER = avoiding(table(truncated(6.1, 0.2, 5.8, 6.44), 10), 65)
UACR = {False: log_table(8, 0.9, 3, 1500), True: log_table(14, 1.3, 3, 1500)}
LOG35 = table(lambda p: exp(0.35 * NORMAL.inv_cdf(p)), 1000)
LOG40 = table(lambda p: exp(0.40 * NORMAL.inv_cdf(p)), 1000)
TG = {True: log_table(165, 0.38, 60, 395), False: log_table(125, 0.38, 60, 395)}
# Days since the latest laboratory panel: most within 90, a fifth within 180, some stale.
PANEL_AGE = table(
    lambda p: (
        5 + p / 0.70 * 80
        if p < 0.70
        else 86 + (p - 0.70) / 0.20 * 90
        if p < 0.90
        else 181 + (p - 0.90) * 2100
    )
)
VISIT_AGE = table(lambda p: 2 + p / 0.85 * 68 if p < 0.85 else 71 + (p - 0.85) * 600)

INADEQUATE, PARTIAL, GI = "Inadequate response", "Partial response", "Intolerance - GI side effects"
METFORMIN_OUTCOME = weighted((0, 115), (1, 82), (2, 59))  # 45 / 32 / 23 %
SECOND_OUTCOME = {
    "glipizide": weighted((0, 141), (1, 110), (2, 5)),
    "Jardiance": weighted((0, 118), (1, 123), (2, 15)),
    "Invokana": weighted((0, 118), (1, 123), (2, 15)),
}
# Some charts leave the reason to the notes.
WHY_JUDGED = ("", "HbA1c above goal", "", "HbA1c not at goal on the dose tolerated", "", "")
OUTCOMES = (INADEQUATE, PARTIAL, GI)
SECOND = ("glipizide",) * 102 + ("Jardiance",) * 103 + ("Invokana",) * 51  # by a byte
TYPICAL_FALL = {"metformin": 1.2, "glipizide": 0.8, "Jardiance": 0.75, "Invokana": 0.75}


@cache
def before(drug: str, after: int, response: int) -> int:
    """HbA1c (tenths) before a course that ended at `after`, for a response in percent of the typical one.

    Inverts fall = typical × (0.5 + 0.33·(before − 6.5)) × response; at most 11.0, so the fall of the highest is cut.
    """
    slope = TYPICAL_FALL[drug] * response / 100
    value = (after / 10 - slope * (0.33 * 6.5 - 0.5)) / (1 - 0.33 * slope)
    return min(110, max(after, round(value * 10)))


@cache
def creatinine(female: bool, age: int, egfr: int) -> int:
    """Serum creatinine in hundredths of mg/dL that gives this eGFR by CKD-EPI 2021 (reference §2)."""
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    level = 142 * 0.9938 ** float(age) * (1.012 if female else 1.0)
    power: float = -1 / 1.2 if egfr <= level else 1 / alpha
    return round(100 * kappa * exp(power * log(egfr / level)))


@cache
def platelets_for(age: int, alt: int, ast: int, advanced: bool) -> int:
    """The least platelet count (10³/µL) at which FIB-4 does not overstate the fibrosis."""
    bound = 2.67 if advanced else 2.0 if age >= 65 else 1.3
    return round(age * ast / (bound * sqrt(alt)) + 1)


def weight(bmi: int, height: int) -> int:
    """Tenths of kg from tenths of kg/m² and of cm."""
    return (bmi * height * height + 500_000) // 1_000_000


def weight_class(bmi: int) -> int:
    """0 below 25, 1 overweight, 2 to 4 obesity of class 1 to 3; from tenths of kg/m²."""
    return 0 if bmi < 250 else 1 if bmi < 300 else 2 if bmi < 350 else 3 if bmi < 400 else 4


class Course:
    """A course of one medicine: `drug` is a key of pharmacy.LINES; `outcome` empty for what just goes on."""

    __slots__ = ("drug", "end", "fills", "outcome", "reason", "start", "status")

    def __init__(
        self,
        drug: str,
        start: int | None,
        end: int | None,
        outcome: str = "",
        reason: str = "",
        fills: int = 0,
    ) -> None:
        self.drug, self.start, self.outcome, self.reason, self.fills = drug, start, outcome, reason, fills
        self.end, self.status = end, "active" if end is None else "stopped"

    def stop(self, end: int) -> None:
        """It ended so many days ago."""
        self.end, self.status = end, "stopped"


Reading = tuple[int, int]


class Person:
    """One person as integers; series are (days ago, value), oldest first."""

    index: int
    planted: bool
    coarse: bytes
    female: bool
    age: int
    born: int  # days from the birthday that made them `age`, back to it
    height: int
    bmi: list[Reading]
    a1c: list[Reading]
    egfr: list[Reading]
    uacr: list[Reading]
    visits: tuple[int, int, int]  # latest first
    panels: tuple[int, int]
    alt: int
    ast: int
    platelets: int
    fibrosis: int
    sbp: int
    dbp: int
    tg: int
    hdl: int
    ldl: int
    t2dm: bool
    onset: int
    prediabetes: bool
    hypertension: bool
    dyslipidemia: bool
    nash: bool
    osa: bool
    ahi: int
    ascvd: str  # "" | cad | mi | stroke | pad
    hf: str  # "" or its code
    lvef: int
    ckd: bool
    dialysis: bool
    neuropathy: bool
    retinopathy: bool
    courses: list[Course]
    program: tuple[int, int | None] | None
    # The record around the body, see history.py: entries as JSON without their ids, which the chart gives.
    plan: str  # on file
    coverages: list[tuple[str, int, int | None]]  # plan, start, end
    doctor: int
    conditions: list[str]  # beyond what the body codes for
    observations: list[str]
    allergies: list[str]
    family: list[str]
    procedures: list[str]
    attestations: list[str]
    authorizations: list[str]
    documents: list[str]
    orders: list[str]
    asked: str  # the drug that is ordered
    notes: list[str]
    __slots__ = tuple(__annotations__)


def draw_person(index: int, fine: list[int], coarse: bytes) -> Person:
    """The free person of this index (from 0) from its row of draws."""
    person = Person()
    person.index, person.coarse, person.planted, person.dialysis = index, coarse, False, False
    person.female = coarse[0] < 128
    person.age = 35 + (coarse[1] * 256 + coarse[2]) * 41 // 65536
    person.born = (coarse[3] * 256 + coarse[4]) * 365 // 65536
    person.height = _height(person, Z[fine[0]])
    bmi = BMI[fine[1]]
    person.t2dm = coarse[5] < 179  # 70 %
    a1c = A1C_DIABETIC[fine[2]] if person.t2dm else A1C_OTHER[fine[2]]
    person.visits = _visits(fine[3], coarse[6], coarse[7])
    person.panels = (PANEL_AGE[fine[4]], PANEL_AGE[fine[4]] + 95 + coarse[8])
    person.bmi = _bmi_series(person.visits, bmi, coarse[9] % 17 - 8, coarse[10] % 17 - 8)
    _kidney(person, fine[5], fine[6], coarse[11], coarse[12])
    _diseases(person, bmi, coarse)
    _liver(person, bmi, fine[7], fine[8], fine[9], coarse[13])
    _pressure_and_lipids(person, bmi, fine)
    if person.t2dm:
        _diabetes_history(person, a1c, fine, coarse)
    else:
        _no_diabetes(person, a1c, bmi, coarse)
    return person


def _height(person: Person, z: int) -> int:
    mean, sd = (1615, 70) if person.female else (1755, 75)
    return mean + sd * z // 1000 - max(0, person.age - 50)


def _visits(draw: int, gap: int, gap2: int) -> tuple[int, int, int]:
    latest = VISIT_AGE[draw]
    return latest, latest + 80 + gap // 3, latest + 170 + gap // 3 + gap2 // 2


def _bmi_series(visits: tuple[int, int, int], now: int, change: int, change2: int) -> list[tuple[int, int]]:
    earlier = _plausible_bmi(now + change)
    return [(visits[2], _plausible_bmi(earlier + change2)), (visits[1], earlier), (visits[0], now)]


def _plausible_bmi(bmi: int) -> int:
    bmi = 230 if bmi < 230 else 420 if bmi > 420 else bmi
    return bmi + 1 if bmi in (270, 300) else bmi


def _kidney(person: Person, draw: int, uacr: int, loss: int, amount: int) -> None:
    egfr = 107 - 85 * (person.age - 30) // 100 + 13 * Z[draw] // 1000
    if person.t2dm and loss < 90:  # 35 %
        egfr -= 8 + amount % 18
    egfr = 15 if egfr < 15 else 115 if egfr > 115 else egfr
    albumin = UACR[person.t2dm][uacr]
    person.ckd = egfr < 60 or (person.t2dm and albumin >= 30)
    earlier = egfr + amount % 5
    if egfr < 60 <= earlier:
        earlier = 59
    person.egfr = [(person.panels[1], earlier), (person.panels[0], egfr)]
    person.uacr = [(person.panels[0], albumin)] if person.t2dm or person.ckd else []
    if person.uacr and person.ckd:
        person.uacr.insert(0, (person.panels[1], max(3, albumin - amount % 7)))


def _diseases(person: Person, bmi: int, coarse: bytes) -> None:
    t2dm, age = person.t2dm, person.age
    pressure = 141 + (26 if bmi > 300 else 0) + (26 if t2dm else 0)
    person.hypertension = age > 50 and coarse[14] < pressure
    person.nash = bmi > 350 and coarse[15] < (90 if t2dm else 64)
    person.osa = bmi > 300 and coarse[16] < (64 if person.female else 77)
    vessel = max(8, 13 + 64 * (age - 45) // 30)
    person.ascvd = ""
    if coarse[17] < (vessel if t2dm else vessel // 3):
        person.ascvd = ("cad", "cad", "cad", "mi", "mi", "stroke", "stroke", "pad")[coarse[18] % 8]
    person.hf, person.lvef = "", 0
    if coarse[19] < (20 if t2dm else 6):
        person.hf = "I50.22" if coarse[20] < 115 else "I50.32"
        person.lvef = 25 + coarse[21] % 15 if person.hf == "I50.22" else 50 + coarse[21] % 14
    person.neuropathy = t2dm and coarse[22] < 38
    person.retinopathy = t2dm and coarse[23] < 22
    person.dyslipidemia = coarse[24] < (179 if t2dm else 110)
    person.prediabetes = not t2dm and coarse[25] < 205
    person.ahi = 60 + coarse[26] * 2 if person.osa else 0  # tenths of events an hour, 6.0 … 57.0


def _liver(person: Person, bmi: int, alt: int, ast: int, platelets: int, stage: int) -> None:
    if person.nash:
        person.alt = min(200, 58 * LOG40[alt] // 1000)
        person.ast = min(person.alt - 1, 42 * LOG40[ast] // 1000)
        person.fibrosis = stage % 4 if stage < 128 else 0
    else:
        person.alt = (19 if person.female else 25) * LOG35[alt] // 1000 + max(0, bmi - 270) * 4 // 100
        person.ast = (person.alt + 22 * LOG35[ast] // 1000) // 2
        person.fibrosis = 0
    person.alt, person.ast = max(8, person.alt), max(8, person.ast)
    least = platelets_for(person.age, person.alt, person.ast, person.fibrosis >= 3)
    person.platelets = min(400, max(110, least, 245 + 52 * Z[platelets] // 1000))


def _pressure_and_lipids(person: Person, bmi: int, fine: list[int]) -> None:
    systolic = 118 + 35 * (person.age - 40) // 100 + (bmi - 270) // 20 + 12 * Z[fine[10]] // 1000
    person.sbp = min(185, max(100, systolic))
    person.dbp = min(110, max(55, person.sbp * 5 // 8 + 6 * Z[fine[11]] // 1000))
    person.tg = TG[person.t2dm][fine[12]]
    person.hdl = min(90, max(25, (49 if person.female else 41) + 9 * Z[fine[13]] // 1000))
    person.ldl = min(220, max(40, (95 if person.dyslipidemia else 118) + 27 * Z[fine[14]] // 1000))


def _no_diabetes(person: Person, a1c: int, bmi: int, coarse: bytes) -> None:
    earlier = max(58, min(64, a1c - coarse[27] % 3))
    person.a1c = [(person.panels[1], earlier), (person.panels[0], a1c)]
    person.onset = person.panels[1] + coarse[28] * 3
    person.courses = []
    person.program = _program(coarse) if bmi > 270 and coarse[29] < 110 else None
    if bmi > 300 and coarse[30] < 26:
        start, outcome = 250 + coarse[31] * 3, OUTCOMES[coarse[32] % 2]
        person.courses.append(Course("phentermine 37.5", start, start - 84, outcome, fills=3))


def _program(coarse: bytes) -> tuple[int, int | None]:
    """Start and end (days ago) of a lifestyle program of two to ten months; a third are ongoing."""
    length = 60 + coarse[33]
    return (length, None) if coarse[34] < 85 else (length + 5 + coarse[34], 5 + coarse[34])


def _diabetes_history(person: Person, a1c: int, fine: list[int], coarse: bytes) -> None:
    """Metformin first, for about 60 % a second line; HbA1c before and after each agrees with its outcome."""
    latest = person.panels[0]
    series = [(latest, a1c)]
    outcome = OUTCOMES[METFORMIN_OUTCOME[coarse[27]]]
    courses: list[Course] = []
    start, value = latest + 100 + coarse[28] * 6, a1c
    if coarse[29] < 154:  # 60 %
        second = "glipizide" if person.egfr[-1][1] < 45 else SECOND[coarse[30]]
        start = latest + 100 + coarse[31] * 2
        judged = OUTCOMES[SECOND_OUTCOME[second][coarse[32]]]
        course, value = _course(second, start, a1c, judged, fine[15], coarse[33])
        if course.end is None and coarse[34] < 60 and start - 95 - coarse[34] > 3:
            course.stop(start - 95 - coarse[34])
        courses.append(course)
        series.append((start + 3, value))
        start += 30 + coarse[35] // 3 if outcome is GI else 125 + coarse[28] * 4
    elif start - latest > 260:
        series.append((latest + 98, max(66, min(110, a1c - coarse[35] % 3))))
    first, value = _course("metformin", start, value, outcome, fine[16], coarse[36])
    _end_metformin(person, first, courses, coarse[37])
    courses.append(first)
    series.append((start + 4, value))
    courses.reverse()
    series.reverse()
    person.courses, person.a1c = courses, series
    person.onset = start + 6 + coarse[38] // 8
    person.program = _program(coarse) if coarse[39] < 40 else None


def _course(drug: str, start: int, after: int, outcome: str, draw: int, length: int) -> tuple[Course, int]:
    """The course and the HbA1c before it; a partial response that came to nothing was an inadequate one."""
    if outcome is GI:
        low = Course(f"{drug} {LOW_DOSE[drug]}", start, start - 7 - length % 54, GI, fills=1)
        return low, max(66, after - length % 3)
    response = 80 + draw // 91 if outcome is PARTIAL else 25 + draw // 63 if after >= 70 else 8 + draw // 240
    value = before(drug, after, response)
    if outcome is PARTIAL and value - after < 5:
        outcome = INADEQUATE
    doses, why = FULL_DOSES[drug], WHY_JUDGED[length % 6]
    full = f"{drug} {doses[length % len(doses)]}"
    return Course(full, start, None, outcome, why, fills=2 + length % 3), value


# The dose that a course begins with, and those of which it goes on with one.
LOW_DOSE = {"metformin": "500", "glipizide": "5", "Jardiance": "10", "Invokana": "100"}
FULL_DOSES = {
    "metformin": ("1000", "1000", "1000", "500", "ER 750"), "glipizide": ("10", "5"), "Jardiance": ("25", "10"),
    "Invokana": ("300", "100"),
}  # fmt: skip


def _end_metformin(person: Person, metformin: Course, later: list[Course], draw: int) -> None:
    if metformin.end is not None:
        return
    if person.egfr[-1][1] < 30:
        metformin.stop(max(1, person.panels[0] - 6))
        metformin.reason = "stopped, eGFR below 30"
    elif later and draw < 72:
        begun = later[0].start or 0
        metformin.stop(begun + draw % 20)
