"""The medicines of a planted person, and HbA1c before and after them."""

from __future__ import annotations

from data_gen.people import GI, INADEQUATE, PARTIAL, Course, before
from data_gen.pharmacy import WEEKLY
from data_gen.scene import Step
from data_gen.setting import Setting
from data_gen.sketch import RANGE, SCALE, counts, stand_in
from data_gen.wanted import Infeasible, days_of
from tools.domain.records import (
    Strength,
)
from tools.domain.rules import Lab, Trial
from tools.terminology.medicines import medicine
from tools.terminology.observations import TESTS


class CourseStep(Step):
    """Trials, intolerances and present therapy, then the series of HbA1c that fits them."""

    def run(self) -> None:
        self._courses()
        self._series()

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
            None
            if ongoing
            else 45 + 20 * number + self.turn % 30 + (self.scene.since if self.case.renewing else 0)
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
        self.scene.strength = self._maintenance()
        first = drug.starting_package(self.case.use)
        assert self.scene.strength is not None
        low, full = (self.setting.pharmacy.strength_key(drug, item) for item in (first, self.scene.strength))
        if low == full or self.scene.since == self.scene.on_dose:
            return [Course(full, self.scene.since, None, "Effective", fills=2)]
        return [
            Course(low, self.scene.since, self.scene.on_dose + 1, fills=1),
            Course(full, self.scene.on_dose, None, "Effective", fills=2),
        ]

    def _maintenance(self) -> Strength:
        wanted = max((leaf.min_dose or 0.0 for leaf, _ in self.sketch.months), default=0.0)
        doses = sorted(self.case.drug.strengths, key=lambda item: item.dose)
        label = next((item.doses for item in self.case.drug.indications if item.key == self.case.use), ())
        fitting = [
            item
            for item in doses
            if item.dose >= wanted and item.limit_days is None and (not label or item.dose in label)
        ]
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
        value = self.scene.a1c
        series = [(newest, value)]
        if self.case.renewing:
            start = sketch.bounds.get(("hba1c", "start"))
            value = (
                self.scene.settle("hba1c", min(110, value + 11) if person.t2dm else value, "start")
                if start
                else (min(110, value + 11) if person.t2dm else value)
            )
            series.append((self.scene.since + 4, value))
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
            self.scene.more.append(_raw(test, series[-1][1], self.setting.day[series[-1][0]], ""))
        limit = sketch.within.get(test, days + 400)
        newest = min(days + 1 + (self.turn * 11 + person.index) % 60, limit)
        shift = newest - series[-1][0]
        series[:] = [(ago + shift, value) for ago, value in series]

    def _disagree(self, leaf: Lab, series: list[tuple[int, int]]) -> bool:
        """Two values of the newest day, on both sides of what the rule asks for."""
        low, high = RANGE[leaf.test]
        at = round(leaf.value * SCALE.get(leaf.test, 1))
        above, below = at + 2 + self.turn % 3, at - 2 - self.turn % 3
        ago = min(series[-1][0], days_of(leaf.within) or 0)
        if below < low or above > high or ago < 1:
            return False
        series[-1] = (ago, above)
        self.scene.more.append(_raw(leaf.test, below, self.setting.day[ago], TESTS[leaf.test].unit))
        return True


def _raw(test: str, value: int, when: str, unit: str) -> str:
    """An observation, without its id; without a unit it is no evidence."""
    shown = f"{value // 10}.{value % 10}" if test == "hba1c" else f"{value}.0"
    named = f'"unit":"{unit}",' if unit else ""
    return f'"test":"{test}","value":{shown},{named}"date":"{when}","loinc":"{TESTS[test].loinc[0]}"'


def counts_for_metformin(setting: Setting, course: Course) -> bool:
    return "metformin" in setting.pharmacy.lines[course.drug].ingredients
