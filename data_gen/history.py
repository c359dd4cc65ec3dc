"""What stands in a record around the body: insurance, prescriber, other medicines, allergies, family, studies,
statements and the order, drawn for a free person and replaced for a planted one.

Entries are JSON without their ids; `charts.py` numbers and prints them.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from data_gen.coding import heart_failure_since, lipids_since, pressure_since, vessels_since
from data_gen.people import Course, Person
from data_gen.setting import Setting, bare
from data_gen.vocabulary import VOCABULARY
from tools.domain.records import Allergy, FamilyHistory

BACKGROUND_FILLS = 1

*_ALLERGIES, _METFORMIN_INTOLERANCE = (
    bare(msgspec.convert({"id": ""} | entry, Allergy)) for entry in VOCABULARY.allergies
)
*_RELATIVES, _UNCLEAR_THYROID = (
    bare(msgspec.convert({"id": ""} | entry, FamilyHistory)) for entry in VOCABULARY.relatives
)


def draw_record(person: Person, setting: Setting) -> None:
    """Everything around the body, from the person's coarse draws."""
    person.conditions, person.observations = [], []
    person.procedures, person.authorizations = [], []
    person.documents, person.notes = [], []
    _insurance(person, setting)
    _background(person)
    _allergies(person, setting)
    _family(person)
    _studies(person, setting)
    _statements(person, setting)
    _order(person, setting)


def _insurance(person: Person, setting: Setting) -> None:
    coarse, insurers = person.coarse, setting.insurers
    draw = coarse[50] * 256 + coarse[51]
    current = insurers[draw % len(insurers)].plan_id
    began = 120 + coarse[57] * 9
    person.doctor = setting.general[(coarse[59] * 256 + coarse[60]) % len(setting.general)]
    person.plan = current
    end = setting.year_end if coarse[58] < 100 else None
    person.coverages = [(current, began, end)]
    if coarse[55] < 38 and len(insurers) > 1:  # 15 % were in another plan before
        former = insurers[(draw + 1 + draw % (len(insurers) - 1)) % len(insurers)].plan_id
        ended = 40 + coarse[56] * 2
        person.coverages = [(former, ended + 300 + coarse[57] * 5, ended), (current, ended - 1, end)]
        if coarse[55] < 5:  # … and the practice still has the old card
            person.plan = former


def _background(person: Person) -> None:
    coarse, courses = person.coarse, person.courses
    since = 180 + coarse[61] * 8
    if person.dyslipidemia:
        dose = ("atorvastatin 20", "atorvastatin 40", "rosuvastatin 10", "atorvastatin 80")[coarse[62] % 4]
        courses.append(Course(dose, min(since, lipids_since(person) - 10), None, fills=BACKGROUND_FILLS))
    if person.hypertension or person.hf:
        first = ("lisinopril 10", "lisinopril 20", "losartan 50")[coarse[63] % 3]
        diagnosed = pressure_since(person) if person.hypertension else heart_failure_since(person)
        begun = min(since + 40, diagnosed - 10)
        courses.append(Course(first, begun, None, fills=BACKGROUND_FILLS))
        if coarse[64] < 90:
            second = ("amlodipine 5", "hydrochlorothiazide 25")[coarse[65] % 2]
            courses.append(Course(second, max(30, begun - 130), None))
    if person.hf:
        begun = min(190 + coarse[66], heart_failure_since(person) - 5)
        courses.append(Course("carvedilol 12.5", begun, None))
        courses.append(Course("furosemide 20", begun - 10, None))
    if person.ascvd:
        drug = "clopidogrel 75" if person.ascvd == "stroke" else "aspirin 81"
        courses.append(Course(drug, min(since + 10, vessels_since(person) - 5), None))


def _allergies(person: Person, setting: Setting) -> None:
    coarse = person.coarse
    person.allergies = []
    if coarse[67] < 120:
        person.allergies.append(_ALLERGIES[coarse[68] % 8])
    first = person.courses[0] if person.courses else None
    if first is not None and first.drug == "metformin 500" and first.end is not None and coarse[69] < 90:
        person.allergies.append(_METFORMIN_INTOLERANCE)


def _family(person: Person) -> None:
    coarse = person.coarse
    person.family = []
    if coarse[70] < 170:
        person.family.append(_RELATIVES[coarse[71] % 3])
    if coarse[72] < 70:
        person.family.append(_RELATIVES[3 + coarse[73] % 5])
    if coarse[74] < 4:
        person.family.append(_UNCLEAR_THYROID)


def _studies(person: Person, setting: Setting) -> None:
    coarse = person.coarse
    if person.osa:
        study(person, setting, "ahi", 60 + coarse[75] * 3, person.ahi)
    if person.hf:
        study(person, setting, "lvef", 40 + coarse[76] * 2, person.lvef)
    if person.fibrosis:
        study(person, setting, "fibrosis_stage", 30 + coarse[77], person.fibrosis)


class Study(NamedTuple):
    """A study by its CPT code, and the unit and LOINC of the value that it finds."""

    name: str
    cpt: str
    unit: str
    loinc: str


STUDIES = {
    "ahi": Study("Polysomnography (sleep study)", "95810", "/h", "69990-0"),
    "fibrosis_stage": Study("Transient elastography of the liver", "91200", "{stage}", "77267-9"),
    "lvef": Study("Transthoracic echocardiogram", "93306", "%", "10230-1"),
    "abi": Study("Ankle-brachial index", "93922", "{ratio}", "41979-6"),
}


def study(person: Person, setting: Setting, test: str, ago: int, value: int) -> None:
    """Chart a study that found this value of its test.

    Args:
        ago: days before the day of the charts.
        value: in the test's integers: tenths of an AHI, hundredths of an ankle-brachial index.
    """
    name, cpt, unit, loinc = STUDIES[test]
    shown, result = _result(test, value)
    told = f',"result":"{result}"' if result else ""
    when = setting.day[ago]
    person.procedures.append(f'"name":"{name}","code":"{cpt}","date":"{when}"{told}')
    person.observations.append(
        f'"test":"{test}","value":{shown},"unit":"{unit}","date":"{when}","loinc":"{loinc}","source":"study"'
    )


def _result(test: str, value: int) -> tuple[str, str]:
    """The value as it is charted, and what the study's report says of it."""
    if test == "ahi":
        severity = "mild" if value < 150 else "moderate" if value < 300 else "severe"
        shown = f"{value // 10}.{value % 10}"
        return shown, f"AHI {shown}/h ({severity})"
    if test == "abi":
        return repr(value / 100), ""
    return f"{value}.0", f"fibrosis stage F{value}" if test == "fibrosis_stage" else f"LVEF {value} %"


def _statements(person: Person, setting: Setting) -> None:
    """Most charts say something on what payers ask about; silence is common and is not a denial."""
    coarse = person.coarse
    when = setting.day[person.visits[1 if coarse[78] < 80 else 0]]
    by = setting.pools.doctors[person.doctor].name
    said = person.attestations = []

    def state(topic: str, present: bool, text: str, subjects: str = '"self"') -> None:
        is_so = "true" if present else "false"
        said.append(
            f'"topic":"{topic}","present":{is_so},"subjects":[{subjects}],"date":"{when}","by":"{by}","text":"{text}"'
        )

    if coarse[79] < 200 and coarse[74] >= 4:
        text = "Denies personal or family history of medullary thyroid carcinoma or MEN 2."
        state("mtc_men2", False, text, '"self","family"')
    elif coarse[79] < 220:
        state("mtc_men2", False, "No personal history of medullary thyroid carcinoma.")
    if person.t2dm and coarse[80] < 190:
        state("type_1_diabetes", False, "Diabetes is type 2; no features of type 1.")
    if person.female and coarse[81] < 180:
        text = "Postmenopausal." if person.age >= 56 else "Not pregnant, not planning a pregnancy."
        state("pregnancy", False, text)
    if coarse[82] < 100:
        state("pancreatitis", False, "No history of pancreatitis.")
    if coarse[83] < 130:
        state("diet_exercise", True, "Follows a reduced-calorie diet and walks most days.")
    if person.osa and coarse[84] < 150:
        state("pap_tried", True, "CPAP tried; mask not tolerated.")
    if person.ascvd and coarse[85] < 200:
        text = "On statin, antiplatelet and blood pressure therapy as indicated."
        state("cv_standard_of_care", True, text)


def _order(person: Person, setting: Setting) -> None:
    coarse = person.coarse
    person.orders, person.asked = [], ""
    if coarse[86] < 50:
        return
    if person.t2dm:
        use = "t2dm"
    elif person.bmi[-1][1] > 270:
        use = "weight"
    elif person.hf or person.ckd:
        use = "hf" if person.hf else "ckd"
    else:
        return
    choices = setting.orders[use]
    if not choices:
        return
    lines = setting.pharmacy.lines
    taken = {cls for course in person.courses if course.end is None for cls in lines[course.drug].classes}
    for place in range(len(choices)):
        drug, classes, text = choices[(coarse[87] + place) % len(choices)]
        if not taken & classes:  # a second drug of a class is not what a prescriber orders
            break
    else:
        return
    person.asked = drug
    person.orders.append(f'{text},"date":"{setting.day[person.visits[0]]}"')
