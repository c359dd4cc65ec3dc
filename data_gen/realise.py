"""Makes a person be what a sketch says: the body first, then, around it, the record."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from data_gen.coding import NAMES
from data_gen.history import draw_record, liver_study, sleep_study
from data_gen.people import GI, INADEQUATE, PARTIAL, Course, Person, before
from data_gen.pharmacy import WEEKLY
from data_gen.setting import Setting, bare, starting_order, starting_strength
from data_gen.sketch import RANGE, SCALE, Sketch, counts, stand_in
from data_gen.wanted import Infeasible, age_shows
from tools.medicines import medicine
from tools.records import (
    Allergy,
    Attestation,
    Authorization,
    Diagnosis,
    Document,
    Drug,
    FamilyHistory,
    Strength,
)
from tools.rules import Change, Condition, Lab, Rule, Trial
from tools.terms import TESTS

MONTH = 31

# A billable code for the concepts, or prefixes of codes, that only planted people have.
_RARE = {
    "t1dm": ("E10.65", NAMES["E10.65"]),
    "central_apnea": ("G47.31", "Primary central sleep apnea"),
    "mtc_men2": ("E31.22", "Multiple endocrine neoplasia [MEN] type IIA"),
    "pancreatitis": ("K86.1", "Other chronic pancreatitis"),
    "gastroparesis": ("K31.84", "Gastroparesis"),
    "dialysis": ("Z99.2", "Dependence on renal dialysis"),
    "ketoacidosis": ("E11.10", "Type 2 diabetes mellitus with ketoacidosis without coma"),
    "pregnancy": ("Z33.1", "Pregnant state, incidental"),
    "polycystic_kidney": ("Q61.2", "Polycystic kidney, adult type"),
    "cirrhosis": ("K74.60", "Unspecified cirrhosis of liver"),
    "gallbladder": ("K81.0", "Acute cholecystitis"),
}
_TEXTS = {
    ("mtc_men2", False): "Denies medullary thyroid carcinoma and MEN 2.",
    ("type_1_diabetes", False): "Diabetes is not type 1.",
    ("pregnancy", False): "Not pregnant and not planning a pregnancy.",
    ("pancreatitis", False): "No history of pancreatitis.",
    ("adherent", True): "Takes the drug as prescribed; no missed doses reported.",
    ("tolerating", True): "Tolerates the drug well.",
    ("diet_exercise", True): "Follows a reduced-calorie diet and walks most days.",
    ("cv_standard_of_care", True): "On statin, antiplatelet and blood pressure therapy as indicated.",
    ("pap_tried", True): "CPAP tried; mask not tolerated.",
    ("low_alcohol", True): "Drinks alcohol rarely.",
    ("employer_programme", True): "Enrolled in the sponsor's weight program.",
}


class Case(NamedTuple):
    """What is asked for, beside what the chart must show."""

    plan_id: str
    drug: Drug
    rule: Rule | None
    use: str  # indication key
    renewing: bool = False
    twice: bool = False  # double the quantity
    former: bool = False  # the plan on file has ended
    note_missing: int = 0  # the newest note is older than this
    papers_missing: bool = False
    courses: list[Course] | None = None  # these and no others


def realise(person: Person, setting: Setting, sketch: Sketch, case: Case, turn: int) -> None:
    """Change the person in place; Infeasible leaves it spoilt, so plan with `Sketch.take` first."""
    _Realiser(person, setting, sketch, case, turn).run()


class _Realiser:
    def __init__(self, person: Person, setting: Setting, sketch: Sketch, case: Case, turn: int) -> None:
        self.person, self.setting, self.case, self.turn = person, setting, case, turn
        self.sketch = sketch.copy()  # others use it too
        self.since = 0  # days of therapy with the drug asked for
        self.on_dose = 0
        self.more: list[str] = []  # observations
        self.strength: Strength | None = None

    def run(self) -> None:
        person = self.person
        person.planted = True
        self._age_and_sex()
        self._dates()
        self._therapy()
        self._changes()
        self._body()
        self._courses()
        self._series()
        background = len(person.courses)
        draw_record(person, self.setting)
        for specialist, shown in self.sketch.specialists:
            self._doctor(specialist.specialties, shown)
        person.observations += self.more
        self._background(background)
        self._studies()
        self._diagnoses()
        self._statements()
        self._lists()
        self._insurance()
        self._order()
        self._papers()

    # --- the body ------------------------------------------------------------------------------------------

    def _age_and_sex(self) -> None:
        person, sketch = self.person, self.sketch
        if sketch.has.get("pregnancy"):
            if not person.female:
                person.height -= 130
            person.female, person.age = True, 35 + person.age % 8
        if self._may_be(person.age):
            return
        fitting = [age for age in range(35, 76) if self._may_be(age)]
        if not fitting:
            raise Infeasible("age")
        person.age = fitting[person.age % len(fitting)]

    def _may_be(self, age: int) -> bool:
        expecting = bool(self.sketch.has.get("pregnancy"))
        return not (expecting and age > 42) and all(
            age_shows(leaf, age) is shown for leaf, shown in self.sketch.ages
        )

    def _dates(self) -> None:
        """Visits and panels within every window that must hold, beyond every one that must not."""
        person, sketch, case = self.person, self.sketch, self.case
        newest = min(sketch.said_within, sketch.within.get("bmi", 10_000), 85)
        panel = 85
        for paper in case.rule.documents if case.rule else ():
            if paper.within_days is not None and paper.of == "note" and not case.note_missing:
                newest = min(newest, paper.within_days)
            if paper.within_days is not None and paper.of == "lab":
                if paper.test in ("bmi", "weight", "height"):
                    newest = min(newest, paper.within_days)
                else:
                    panel = min(panel, paper.within_days)
        for test in ("hba1c", "egfr", "uacr"):
            panel = min(panel, sketch.within.get(test, panel))
        latest = 2 + person.visits[0] % max(1, newest - 2)
        if case.note_missing:
            latest = case.note_missing + 3 + self.turn % 40
            if latest > min(sketch.said_within, sketch.within.get("bmi", 10_000)):
                raise Infeasible("note")
        shift = latest - person.visits[0]
        person.visits = (latest, person.visits[1] + shift, person.visits[2] + shift)
        gap = person.panels[1] - person.panels[0]
        fresh = 3 + person.panels[0] % max(1, panel - 3)
        person.panels = (fresh, fresh + gap)

    def _therapy(self) -> None:
        """How long the drug asked for has been taken, for a renewal."""
        if not self.case.renewing:
            return
        months = 0
        for leaf, shown in self.sketch.months:
            if shown:
                months = max(months, leaf.min_months)
        self.on_dose = (months + 2) * MONTH if months else 150
        for leaf, shown in self.sketch.months:
            if not shown:
                self.on_dose = max(20, (leaf.min_months - 1) * 30)
        self.since = self.on_dose + 112 + self.turn % 40
        if any(not shown and leaf.min_dose is None for leaf, shown in self.sketch.months):
            self.since = self.on_dose

    def _settle(self, test: str, natural: int, when: str = "now") -> int:
        low, high = self.sketch.bounds.get((test, when), RANGE[test])
        if low <= natural <= high:
            return natural
        slack = {"hba1c": 9, "bmi": 25, "egfr": 7, "uacr": 90, "ahi": 160, "abi": 15, "lvef": 10}.get(test, 1)
        step = (self.turn * 7 + self.person.index) % slack
        return min(high, low + step) if natural < low else max(low, high - step)

    def _changes(self) -> None:
        """Values at the start of therapy and now that differ by more, or by less, than the rule asks."""
        for leaf, shown in self.sketch.changes:
            test = "bmi" if leaf.test in ("weight", "height") else leaf.test
            natural = {"hba1c": 84, "bmi": max(330, self.person.bmi[-1][1]), "ahi": 340}[test]
            low, high = self.sketch.bounds.get((test, "start"), RANGE[test])
            now_low, now_high = self.sketch.bounds.get((test, "now"), RANGE[test])
            for start in sorted(range(low, high + 1), key=lambda value: (abs(value - natural), value)):
                now = start - _fall(leaf, start, shown, self.turn, SCALE.get(test, 1))
                if now_low <= now <= now_high:
                    self.sketch.bounds[test, "start"] = start, start
                    self.sketch.bounds[test, "now"] = now, now
                    break
            else:
                raise Infeasible("change")

    def _body(self) -> None:
        person, sketch, turn = self.person, self.sketch, self.turn
        has = sketch.has
        wants_diabetes = self.case.use == "t2dm"
        t2dm = has.get("t2dm", (wants_diabetes or person.t2dm) and not has.get("t1dm"))
        high = sketch.bounds.get(("hba1c", "now"), RANGE["hba1c"])[1]
        if t2dm and "t2dm" not in has and high < 66 and not self.case.renewing:
            t2dm = False
        natural = person.a1c[-1][1]
        if (t2dm or has.get("t1dm")) and natural < 66:
            natural = 72 + (person.index + turn) % 22
        elif not t2dm and not has.get("t1dm") and natural > 64:
            natural = 58 + (person.index + turn) % 7
        person.t2dm, person.prediabetes = t2dm, not t2dm and not has.get("t1dm", False)
        self.a1c = self._settle("hba1c", natural)
        self._flags()
        bmi = self._settle("bmi", person.bmi[-1][1])
        first = self._settle("bmi", bmi, "start") if self.case.renewing else bmi
        if self.case.renewing:
            middle = (bmi + first) // 2
            person.visits = (person.visits[0], (person.visits[0] + self.since) // 2, self.since + 5)
            person.bmi = [(self.since + 5, first), (person.visits[1], middle), (person.visits[0], bmi)]
        else:
            earlier = person.bmi[1][1] - person.bmi[2][1]
            others = [max(230, min(420, bmi + change)) for change in (earlier // 2, earlier)]
            person.bmi = [
                (person.visits[2], others[0]),
                (person.visits[1], others[1]),
                (person.visits[0], bmi),
            ]
        self._kidney()

    def _flags(self) -> None:
        person, has, bounds = self.person, self.sketch.has, self.sketch.bounds
        for name in ("hypertension", "dyslipidemia", "nash"):
            if name in has:
                setattr(person, name, has[name])
        if "osa" in has or ("ahi", "now") in bounds or ("ahi", "start") in bounds:
            person.osa = has.get("osa", True)
        if person.osa or ("ahi", "now") in bounds:
            person.ahi = self._settle("ahi", person.ahi or 240)
        if "hf" in has or ("lvef", "now") in bounds:
            person.hf = (person.hf or ("I50.22", "I50.32")[self.turn % 2]) if has.get("hf", True) else ""
        if person.hf or ("lvef", "now") in bounds:
            natural = 34 if person.hf == "I50.22" else 55
            person.lvef = self._settle("lvef", person.lvef or natural)
        if person.hf:
            person.hf = "I50.22" if person.lvef <= 45 else "I50.32"
        vessels = [kind for kind in ("mi", "stroke", "pad") if has.get(kind)]
        if vessels:
            person.ascvd = vessels[0]
        elif has.get("ascvd"):
            allowed = [kind for kind in ("cad", "mi", "stroke", "pad") if has.get(kind, True)]
            person.ascvd = person.ascvd if person.ascvd in allowed else allowed[self.turn % len(allowed)]
        elif has.get("ascvd") is False or has.get(person.ascvd) is False:
            person.ascvd = ""
        if ("fibrosis_stage", "now") in bounds:
            person.nash = True
            person.fibrosis = self._settle("fibrosis_stage", person.fibrosis)
        elif "fibrosis_stage" in self.sketch.absent | set(self.sketch.beyond):
            person.fibrosis = 2
        if not person.nash:
            person.fibrosis = 0
        person.neuropathy, person.retinopathy = (
            person.neuropathy and person.t2dm,
            person.retinopathy and person.t2dm,
        )

    def _kidney(self) -> None:
        person, sketch = self.person, self.sketch
        egfr = self._settle("egfr", person.egfr[-1][1])
        uacr = self._settle("uacr", person.uacr[-1][1] if person.uacr else 9)
        person.dialysis = sketch.has.get("dialysis", False)
        person.ckd = egfr < 60 or (person.t2dm and uacr >= 30) or bool(sketch.has.get("ckd"))
        recent, earlier = person.panels
        before_that = min(59, egfr + 2) if egfr < 60 else egfr + 1
        person.egfr = [(earlier, before_that), (recent, egfr)]
        person.uacr = [(earlier, max(3, uacr - uacr // 15)), (recent, uacr)]

    # --- medicines -----------------------------------------------------------------------------------------

    def _courses(self) -> None:
        person, sketch = self.person, self.sketch
        if self.case.courses is not None:
            person.courses = self.case.courses
            return
        courses: list[Course] = []
        ended = 0
        for trial in sketch.met:
            if not any(counts(trial, name) for name in self._names(courses)):
                courses.append(self._trial(trial, ended))
                ended += 1
        for trial in sketch.undated:
            name = stand_in(trial)
            course = Course(self._line(name, trial), None, None, INADEQUATE)
            course.status, course.reason = "stopped", "tried before, did not work per patient"
            if trial.proof == "fills":
                course = Course(self._line(name, trial), trial.min_days + 160, 100, INADEQUATE)
            courses.append(course)
        for intolerance in sketch.intolerant:
            start = 420 + self.turn % 200
            reason = ("vomiting", "persistent diarrhea", "nausea and diarrhea")[self.turn % 3]
            courses.append(
                Course(
                    self._line(stand_in(intolerance), intolerance, low=True),
                    start,
                    start - 21,
                    GI,
                    reason,
                    fills=1,
                )
            )
        for intolerance in sketch.unexplained:
            start = 420 + self.turn % 200
            courses.append(
                Course(self._line(stand_in(intolerance), intolerance, low=True), start, start - 21)
            )
        for taking in sketch.taking:
            courses.append(Course(self._line(stand_in(taking), taking), 200 + self.turn % 90, None, fills=1))
        for taking in sketch.unclear:
            course = Course(self._line(stand_in(taking), taking), 300, None)
            course.status = ""
            courses.append(course)
        self._failed(courses)
        if self.case.renewing:
            courses += self._present()
        if person.t2dm and not any(counts_for_metformin(self.setting, course) for course in courses):
            self._usual_metformin(courses)
        if sketch.has.get("t1dm"):
            courses.append(Course("insulin glargine 24", 900, None, fills=2))
        person.courses = sorted(courses, key=lambda course: -(course.start or 10_000))

    def _names(self, courses: list[Course]) -> list[str]:
        return [self.setting.pharmacy.lines[course.drug].name for course in courses]

    def _trial(self, trial: Trial, number: int) -> Course:
        """Long enough, at the dose, with a response that counts; ended where taking it now would be in the way."""
        name = stand_in(trial)
        days = max(trial.min_days + 12, 100) + self.turn % 60
        ongoing = not any(counts(leaf, name) for leaf in self.sketch.not_taking) and name == "metformin"
        responses = trial.responses or ("inadequate",)
        partial = "partial" in responses and (self.turn % 2 or "inadequate" not in responses)
        outcome = PARTIAL if partial else INADEQUATE if "inadequate" in responses else GI
        key = self._line(name, trial)
        end = (
            None if ongoing else 45 + 20 * number + self.turn % 30 + (self.since if self.case.renewing else 0)
        )
        limit = trial.within_days
        if limit is not None and end is not None and end > limit - 5:
            raise Infeasible(trial.id)
        start = (end or 0) + days + (120 if ongoing else 0)
        fills = -(-trial.min_days // 90) + 1
        return Course(key, start, end, outcome, "HbA1c above goal" if self.turn % 3 else "", fills=fills)

    def _failed(self, courses: list[Course]) -> None:
        """One too short course where the rule asks for months, or none at all."""
        for trial in self.sketch.failed:
            name = stand_in(trial)
            if (
                trial.min_days < 60
                or (self.person.index + self.turn) % 2
                or any(counts(trial, other) for other in self._names(courses))
            ):
                continue
            if any(counts(leaf, name) for leaf in self.sketch.not_taking):
                continue
            courses.append(Course(self._line(name, trial), trial.min_days - 25, None, INADEQUATE, fills=1))

    def _present(self) -> list[Course]:
        """The drug asked for: a titration, then the dose of today."""
        drug = self.case.drug
        self.strength = self._maintenance()
        first = starting_strength(drug)
        assert self.strength is not None
        low, full = (self.setting.pharmacy.strength_key(drug, item) for item in (first, self.strength))
        if low == full or self.since == self.on_dose:
            return [Course(full, self.since, None, "Effective", fills=2)]
        return [
            Course(low, self.since, self.on_dose + 1, fills=1),
            Course(full, self.on_dose, None, "Effective", fills=2),
        ]

    def _maintenance(self) -> Strength:
        wanted = max((leaf.min_dose or 0.0 for leaf, _ in self.sketch.months), default=0.0)
        doses = sorted(self.case.drug.strengths, key=lambda item: item.dose)
        fitting = [item for item in doses if item.dose >= wanted and item.limit_days is None]
        if not fitting:
            raise Infeasible("dose")
        return fitting[0] if wanted else fitting[len(fitting) // 2]

    def _usual_metformin(self, courses: list[Course]) -> None:
        """What every diabetic here has had, unless the case is about its absence."""
        sketch = self.sketch
        blocked = (*sketch.failed, *sketch.tolerant, *sketch.allergic, *sketch.not_taking)
        contraindicated = sketch.bounds.get(("egfr", "now"), (0, 999))[1] < 30
        if contraindicated or any(
            not getattr(leaf, "requested", False) and counts(leaf, "metformin") for leaf in blocked
        ):
            return
        courses.append(Course("metformin 1000", 700 + self.turn, None, PARTIAL, fills=2))

    def _line(self, name: str, leaf: object, low: bool = False) -> str:
        """The key of the medicine at a dose, and in a form, that the leaf asks for."""
        lines = self.setting.pharmacy.lines
        form = getattr(leaf, "formulation", None)
        daily = getattr(leaf, "min_daily_dose", None) or 0
        if name == "metformin" and form == "ER":
            return (
                "metformin ER 750"
                if daily <= 1500
                else self.setting.pharmacy.own_key(("metformin ER", 1000, "mg", 2, "ER"))
            )
        if name == "metformin":
            return "metformin 500" if low else "metformin 1000"
        for drug in self.setting.drugs.values():
            if name.casefold() in (drug.name.casefold(), drug.generic.casefold()):
                strengths = sorted(drug.strengths, key=lambda item: item.dose)
                return self.setting.pharmacy.strength_key(drug, strengths[0 if low else len(strengths) // 2])
        keys = [key for key in lines if lines[key].name.casefold() == name.casefold()]
        if keys:
            return keys[0 if low else -1]
        known = medicine(name)
        weekly = "glp1" in known.classes
        return self.setting.pharmacy.own_key((name, daily or 10, "mg", WEEKLY if weekly else 1, form or ""))

    def _series(self) -> None:
        """HbA1c before and after each course, newest to oldest, by the drug-effect model of reference §2."""
        person, sketch = self.person, self.sketch
        newest = person.panels[0]
        value = self.a1c
        series = [(newest, value)]
        if self.case.renewing:
            start = sketch.bounds.get(("hba1c", "start"))
            value = (
                self._settle("hba1c", min(110, value + 11) if person.t2dm else value, "start")
                if start
                else (min(110, value + 11) if person.t2dm else value)
            )
            series.append((self.since + 4, value))
        if person.t2dm:
            for course in reversed(person.courses):
                begun = course.start
                if begun is None or begun + 3 <= series[-1][0] + 60:
                    continue
                value = self._before(course, value)
                series.append((begun + 3, value))
        if len(series) == 1:
            series.append(
                (person.panels[1], max(58, min(110, value - 1)) if not person.t2dm else max(66, value - 2))
            )
        series.reverse()
        person.a1c = series
        starts = [course.start for course in person.courses if course.start is not None]
        person.onset = max([*starts, series[0][0], person.panels[1]]) + 9
        for test, days in sketch.beyond.items():
            self._age_series(test, days)

    def _before(self, course: Course, value: int) -> int:
        family = course.drug.split(" ")[0]
        if course.outcome is GI or family not in ("metformin", "glipizide", "Jardiance", "Invokana"):
            return value
        response = 100 if course.outcome is PARTIAL else 40 if value >= 70 else 12
        earlier = before(family, value, response)
        if course.outcome is PARTIAL and earlier - value < 5:
            return min(110, value + 5)
        return earlier

    def _age_series(self, test: str, days: int) -> None:
        """Leave a test open: its newest value is out of the window, or two values of one day disagree, or the
        only fresh one has no unit."""
        person, sketch = self.person, self.sketch
        series = {"hba1c": person.a1c, "bmi": person.bmi, "egfr": person.egfr, "uacr": person.uacr}.get(test)
        if series is None:
            return
        way = self.turn % 3 if sketch.open_lab is not None and sketch.open_lab.test == test else 0
        if (test, "now") in sketch.bounds or test == "bmi":
            way = 0
        if way == 1 and sketch.open_lab is not None and self._disagree(sketch.open_lab, series):
            return
        if way == 2:
            self.more.append(_raw(test, series[-1][1], self.setting.day[series[-1][0]], ""))
        limit = sketch.within.get(test, days + 400)
        newest = min(days + 1 + (self.turn * 11 + person.index) % 60, limit)
        shift = newest - series[-1][0]
        series[:] = [(ago + shift, value) for ago, value in series]

    def _disagree(self, leaf: Lab, series: list[tuple[int, int]]) -> bool:
        """Two values of the newest day, on both sides of what the rule asks for."""
        low, high = RANGE[leaf.test]
        at = round(leaf.value * SCALE.get(leaf.test, 1))
        above, below = at + 2 + self.turn % 3, at - 2 - self.turn % 3
        ago = min(series[-1][0], leaf.within_days or 0)
        if below < low or above > high or ago < 1:
            return False
        series[-1] = (ago, above)
        self.more.append(_raw(leaf.test, below, self.setting.day[ago], TESTS[leaf.test].unit))
        return True

    # --- the record ----------------------------------------------------------------------------------------

    def _background(self, already: int) -> None:
        """Drop background medicines that the case must not have."""
        person = self.person
        unwanted = [*self.sketch.failed, *self.sketch.not_taking, *self.sketch.unclear]
        kept = person.courses[:already]
        for course in person.courses[already:]:
            name = self.setting.pharmacy.lines[course.drug].name
            if not any(counts(leaf, name) for leaf in unwanted):
                kept.append(course)
        person.courses = kept

    def _studies(self) -> None:
        """Studies at the dates that the windows ask for."""
        person, sketch, setting = self.person, self.sketch, self.setting
        involved = {test for test, _ in sketch.bounds} | sketch.absent | set(sketch.beyond)
        for test, title in (
            ("ahi", "Polysomnography"),
            ("fibrosis_stage", "Transient"),
            ("lvef", "Transthoracic"),
        ):
            if test in involved:
                person.observations = [text for text in person.observations if f'"{test}"' not in text]
                person.procedures = [text for text in person.procedures if f'"name":"{title}' not in text]
        if "ahi" in involved and "ahi" not in sketch.absent:
            if ("ahi", "start") in sketch.bounds:
                sleep_study(person, setting, self.since + 20, sketch.bounds["ahi", "start"][0])
            sleep_study(person, setting, self._study_age("ahi"), person.ahi)
        if "fibrosis_stage" in involved and "fibrosis_stage" not in sketch.absent:
            liver_study(person, setting, self._study_age("fibrosis_stage"), person.fibrosis)
        if "lvef" in involved and person.lvef and "lvef" not in sketch.absent:
            when = setting.day[self._study_age("lvef")]
            person.procedures.append(
                f'"name":"Transthoracic echocardiogram","code":"93306","date":"{when}",'
                f'"result":"LVEF {person.lvef} %"'
            )
            person.observations.append(
                f'"test":"lvef","value":{person.lvef}.0,"unit":"%","date":"{when}","loinc":"10230-1","source":"study"'
            )
        if ("abi", "now") in sketch.bounds:
            when, value = setting.day[self._study_age("abi")], self._settle("abi", 78)
            person.procedures.append(f'"name":"Ankle-brachial index","code":"93922","date":"{when}"')
            person.observations.append(
                f'"test":"abi","value":{value / 100!r},"unit":"{{ratio}}","date":"{when}","loinc":"41979-6",'
                '"source":"study"'
            )

    def _study_age(self, test: str) -> int:
        sketch = self.sketch
        newest = sketch.beyond[test] + 1 + self.turn % 50 if test in sketch.beyond else 10 + self.turn % 40
        if self.case.renewing:
            newest = min(newest, self.since - 20)
        return min(newest, sketch.within.get(test, newest))

    def _diagnoses(self) -> None:
        person, sketch = self.person, self.sketch
        for concept, is_so in sketch.has.items():
            if is_so and concept in _RARE and concept != "dialysis":
                code, name = _RARE[concept]
                if concept == "ketoacidosis" and not person.t2dm:
                    code, name = "E13.10", "Other specified diabetes mellitus with ketoacidosis without coma"
                self._diagnose(code, name, 60 + self.turn % 300 if concept == "pregnancy" else 700)
        for leaf in sketch.others:
            if not leaf.codes:
                raise Infeasible(leaf.id)
            self._diagnose(leaf.codes[0], leaf.label, 400)

    def _diagnose(self, code: str, name: str, ago: int) -> None:
        entry = Diagnosis(id="", code=code, name=name, onset=self._date(ago if code != "Z33.1" else 60))
        self.person.conditions.append(bare(entry))

    def _statements(self) -> None:
        person, sketch = self.person, self.sketch
        by = self.setting.pools.doctors[person.doctor].name
        person.attestations = []
        person.family = [text for text in person.family if "thyroid" not in text]
        for topic, (present, who) in sketch.says.items():
            if topic == "pregnancy" and not person.female:
                continue
            subjects = tuple(
                subject for subject in who if not (self._of_relative(topic) and subject == "family")
            )
            text = _TEXTS.get((topic, present), f"{'Yes' if present else 'No'}: {topic.replace('_', ' ')}.")
            person.attestations.append(
                bare(
                    Attestation(
                        id="",
                        topic=topic,
                        present=present,
                        subjects=subjects,  # type: ignore[arg-type]
                        date=self._date(person.visits[0]),
                        by=by,
                        text=text,
                    )
                )
            )
        if sketch.relative is not None:
            self._family_case(sketch.relative)
        if sketch.unsure is not None and "family" in sketch.unsure.who and self.turn % 2:
            aunt = FamilyHistory(id="", relation="aunt", condition="thyroid cancer, type unknown")
            person.family.append(bare(aunt))

    def _of_relative(self, topic: str) -> bool:
        return self.sketch.relative is not None and self.sketch.relative.topic == topic

    def _family_case(self, leaf: Condition) -> None:
        condition = "medullary thyroid carcinoma" if leaf.topic == "mtc_men2" else leaf.label
        relation = ("mother", "father", "sister", "brother")[self.turn % 4]
        self.person.family.append(bare(FamilyHistory(id="", relation=relation, condition=condition)))

    def _lists(self) -> None:
        person, sketch = self.person, self.sketch
        if not sketch.intolerant:
            person.allergies = [text for text in person.allergies if '"metformin"' not in text]
        for leaf in sketch.allergic:
            name = self.case.drug.name if leaf.requested else stand_in(leaf)
            known = medicine(name, self.setting.drugs.values())
            entry = Allergy(
                id="", substance=name, ingredients=known.ingredients, classes=known.classes, reaction="hives"
            )
            person.allergies.append(bare(entry))
        for programme, shown in sketch.programmes:
            months = programme.min_months
            if shown is None:
                person.program = None
            elif shown:
                known_length = person.program[0] - (person.program[1] or 0) if person.program else 0
                length = max((months + 1) * MONTH + self.turn % 50, known_length)
                # on a renewal it still goes on or ended lately; otherwise as the window allows
                person.program = (length + 12, 12) if self.turn % 2 else (length, None)
            else:
                person.program = ((months - 1) * 30, None)

    def _doctor(self, specialties: tuple[str, ...], shown: bool) -> None:
        doctors = self.setting.pools.doctors
        fitting = [
            place
            for place, doctor in enumerate(doctors)
            if (doctor.specialty in specialties) is shown
            and (shown or doctor.specialty in ("family medicine", "internal medicine"))
        ]
        if not fitting:
            raise Infeasible("specialist")
        self.person.doctor = fitting[(self.person.index + self.turn) % len(fitting)]

    def _insurance(self) -> None:
        person, case = self.person, self.case
        others = [item.plan_id for item in self.setting.insurers if item.plan_id != case.plan_id]
        began = max(person.coverages[-1][1], self.since + 60)
        end = person.coverages[-1][2]
        person.plan = case.plan_id
        if case.former:
            ended = 20 + self.turn % 100
            if not others:
                raise Infeasible("one plan only")
            now = others[(person.index + self.turn) % len(others)]
            person.coverages = [(case.plan_id, began + ended + 300, ended), (now, ended - 1, end)]
            person.authorizations.append(self._authorization(ended + 200, -121))
        elif others and (person.index + self.turn) % 4 == 0:
            former = others[(person.index + self.turn) % len(others)]
            person.coverages = [(former, began + 500, began + 1), (case.plan_id, began, end)]
        else:
            person.coverages = [(case.plan_id, began, end)]

    def _authorization(self, start: int, end: int) -> str:
        case = self.case
        return bare(
            Authorization(
                id="",
                plan_id=case.plan_id,
                drug=case.drug.name,
                indication=case.use,
                start=self._date(start),
                end=self._date(end),
            )
        )

    def _order(self) -> None:
        person, case = self.person, self.case
        order = starting_order(case.drug, self.strength if case.renewing else None)
        if case.twice:
            order = msgspec.structs.replace(order, quantity=(order.quantity or 0) * 2)
        order = msgspec.structs.replace(
            order,
            date=self._date(person.visits[0]),
            indication=case.use,
            kind="renewal" if case.renewing else "new",
        )
        if case.renewing:
            person.authorizations.append(self._authorization(self.since + 6, -14))
        person.orders, person.asked = [bare(order)], case.drug.name

    def _papers(self) -> None:
        """The attachments that a rule asks for and no record fulfils by itself."""
        rule = self.case.rule
        if rule is None or self.case.papers_missing:
            return
        titles = {
            "study": "Study report",
            "programme": "Program participation record",
            "medication": "Medication record",
            "fills": "Pharmacy claims printout",
        }
        for paper in rule.documents:
            if paper.of == "fills" and paper.within_days is None and not self.case.renewing:
                continue  # the fills are there
            if paper.of in titles:
                document = Document(
                    id="", title=titles[paper.of], of=paper.of, date=self._date(self.person.visits[0])
                )
                self.person.documents.append(bare(document))

    def _date(self, ago: int) -> date:
        return self.setting.as_of - timedelta(days=ago)


def _raw(test: str, value: int, when: str, unit: str) -> str:
    """An observation, without its id; without a unit it is no evidence."""
    shown = f"{value // 10}.{value % 10}" if test == "hba1c" else f"{value}.0"
    named = f'"unit":"{unit}",' if unit else ""
    return f'"test":"{test}","value":{shown},{named}"date":"{when}","loinc":"{TESTS[test].loinc[0]}"'


def _fall(leaf: Change, start: int, shown: bool, turn: int, scale: int) -> int:
    """By how much the value falls: clearly more than asked for, or clearly less."""
    if leaf.percent is not None:
        share = leaf.percent + 2 + turn % 5 if shown else leaf.percent * 0.5
        return int(start * share / 100) + (1 if shown else 0)
    amount = round((leaf.amount or 0) * scale)
    return amount + turn % 5 if shown else max(0, amount - 1 - turn % 3)


def counts_for_metformin(setting: Setting, course: Course) -> bool:
    return "metformin" in setting.pharmacy.lines[course.drug].ingredients
