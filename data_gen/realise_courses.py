"""The medicines of a planted person, and HbA1c before and after them."""

from __future__ import annotations

from data_gen.people import GI, INADEQUATE, PARTIAL, Course, before
from data_gen.pharmacy import WEEKLY, Line
from data_gen.scene import Scene
from data_gen.sketch import RANGE, SCALE, counts, stand_in
from data_gen.wanted import Infeasible, days_of
from tools.domain.records import Strength
from tools.domain.rules import AllergyTo, Intolerance, Lab, OnDrug, Taking, Trial
from tools.terminology.medicines import medicine
from tools.terminology.observations import TESTS


def take_medicines(scene: Scene) -> None:
    """Trials, intolerances and present therapy, then the series of HbA1c that fits them."""
    _courses(scene)
    _series(scene)


def _courses(scene: Scene) -> None:
    person, sketch, turn = scene.person, scene.sketch, scene.turn
    if scene.case.courses is not None:
        person.courses = scene.case.courses
        return
    courses: list[Course] = []
    for trial in sketch.of(Trial, True):
        if not any(counts(trial, name) for name in _names(scene, courses)):
            courses.append(_trial(scene, trial, len(courses)))
    for trial in sketch.of(Trial, None):
        if trial.proof == "fills":
            course = Course(_line(scene, trial), trial.min_days + 160, 100, INADEQUATE)
        else:
            course = Course(_line(scene, trial), None, None, INADEQUATE)
            course.status, course.reason = "stopped", "tried before, did not work per patient"
        courses.append(course)
    harmed = 420 + turn % 200
    for intolerance in sketch.of(Intolerance, True):
        reason = ("vomiting", "persistent diarrhea", "nausea and diarrhea")[turn % 3]
        drug = _line(scene, intolerance, low=True)
        courses.append(Course(drug, harmed, harmed - 21, GI, reason, fills=1))
    for intolerance in sketch.of(Intolerance, None):
        courses.append(Course(_line(scene, intolerance, low=True), harmed, harmed - 21))
    for taking in sketch.of(Taking, True):
        courses.append(Course(_line(scene, taking), 200 + turn % 90, None, fills=1))
    for taking in sketch.of(Taking, None):
        course = Course(_line(scene, taking), 300, None)
        course.status = ""
        courses.append(course)
    _failed(scene, courses)
    if scene.case.renewing:
        courses += _present(scene)
    if person.t2dm and not any("metformin" in line.ingredients for line in _lines(scene, courses)):
        _usual_metformin(scene, courses)
    if sketch.has.get("t1dm"):
        courses.append(Course("insulin glargine 24", 900, None, fills=2))
    person.courses = sorted(courses, key=lambda course: -(course.start or 10_000))


def _lines(scene: Scene, courses: list[Course]) -> list[Line]:
    return [scene.setting.pharmacy.lines[course.drug] for course in courses]


def _names(scene: Scene, courses: list[Course]) -> list[str]:
    return [line.name for line in _lines(scene, courses)]


def _trial(scene: Scene, trial: Trial, number: int) -> Course:
    """Long enough, at the dose, with a response that counts; ended where taking it now would be in the way."""
    name = stand_in(trial)
    days = max(trial.min_days + 12, 100) + scene.turn % 60
    ongoing = name == "metformin" and not _unwanted(scene, name)
    responses = trial.responses or ("inadequate",)
    partial = "partial" in responses and (scene.turn % 2 or "inadequate" not in responses)
    outcome = PARTIAL if partial else INADEQUATE if "inadequate" in responses else GI
    ended = 45 + 20 * number + scene.turn % 30 + (scene.since if scene.case.renewing else 0)
    if not ongoing and trial.within_days is not None and ended > trial.within_days - 5:
        raise Infeasible(trial.id)
    start, end = (120 + days, None) if ongoing else (ended + days, ended)
    fills, reason = -(-trial.min_days // 90) + 1, "HbA1c above goal" if scene.turn % 3 else ""
    return Course(_line(scene, trial), start, end, outcome, reason, fills=fills)


def _unwanted(scene: Scene, name: str) -> bool:
    """Must it not be taken now?"""
    return any(counts(leaf, name) for leaf in scene.sketch.of(Taking, False))


def _failed(scene: Scene, courses: list[Course]) -> None:
    """One too short course where the rule asks for months, or none at all."""
    for trial in scene.sketch.of(Trial, False):
        name = stand_in(trial)
        long = trial.min_days >= 60 and not (scene.person.index + scene.turn) % 2
        there = any(counts(trial, other) for other in _names(scene, courses))
        if long and not there and not _unwanted(scene, name):
            courses.append(Course(_line(scene, trial), trial.min_days - 25, None, INADEQUATE, fills=1))


def _present(scene: Scene) -> list[Course]:
    """The drug asked for: a titration, then the dose of today."""
    drug = scene.case.drug
    scene.strength = strength = _maintenance(scene)
    first = drug.starting_package(scene.case.use)
    low, full = (scene.setting.pharmacy.strength_key(drug, item) for item in (first, strength))
    if low == full or scene.since == scene.on_dose:
        return [Course(full, scene.since, None, "Effective", fills=2)]
    return [
        Course(low, scene.since, scene.on_dose + 1, fills=1),
        Course(full, scene.on_dose, None, "Effective", fills=2),
    ]


def _maintenance(scene: Scene) -> Strength:
    wanted = max((leaf.min_dose or 0.0 for leaf in scene.sketch.of(OnDrug, True, False)), default=0.0)
    doses = sorted(scene.case.drug.strengths, key=lambda item: item.dose)
    label = next((item.doses for item in scene.case.drug.indications if item.key == scene.case.use), ())
    fitting = [
        item
        for item in doses
        if item.dose >= wanted and item.limit_days is None and (not label or item.dose in label)
    ]
    if not fitting:
        raise Infeasible("dose")
    return fitting[0] if wanted else fitting[len(fitting) // 2]


def _usual_metformin(scene: Scene, courses: list[Course]) -> None:
    """What every diabetic here has had, unless the case is about its absence."""
    sketch = scene.sketch
    allergic = [leaf for leaf in sketch.of(AllergyTo, True) if not leaf.requested]
    blocked = (*(leaf for kind in (Trial, Intolerance, Taking) for leaf in sketch.of(kind, False)), *allergic)
    contraindicated = sketch.bounds.get(("egfr", "now"), (0, 999))[1] < 30
    if not contraindicated and not any(counts(leaf, "metformin") for leaf in blocked):
        courses.append(Course("metformin 1000", 700 + scene.turn, None, PARTIAL, fills=2))


def _line(scene: Scene, leaf: Trial | Intolerance | Taking, low: bool = False) -> str:
    """The key of a medicine that the leaf wants, at a dose and in a form that it asks for."""
    name, pharmacy = stand_in(leaf), scene.setting.pharmacy
    form = getattr(leaf, "formulation", None)
    daily = getattr(leaf, "min_daily_dose", None) or 0
    if name == "metformin" and form == "ER" and daily <= 1500:
        return "metformin ER 750"
    if name == "metformin" and form == "ER":
        return pharmacy.own_key(("metformin ER", 1000, "mg", 2, "ER"))
    if name == "metformin":
        return "metformin 500" if low else "metformin 1000"
    for drug in scene.setting.drugs.values():
        if name.casefold() in (drug.name.casefold(), drug.generic.casefold()):
            strengths = sorted(drug.strengths, key=lambda item: item.dose)
            return pharmacy.strength_key(drug, strengths[0 if low else len(strengths) // 2])
    keys = [key for key, line in pharmacy.lines.items() if line.name.casefold() == name.casefold()]
    if keys:
        return keys[0 if low else -1]
    per_day = WEEKLY if "glp1" in medicine(name).classes else 1
    return pharmacy.own_key((name, daily or 10, "mg", per_day, form or ""))


def _series(scene: Scene) -> None:
    """HbA1c before and after each course, newest to oldest, by the drug-effect model of reference §2."""
    person, sketch = scene.person, scene.sketch
    value = scene.a1c
    series = [(person.panels[0], value)]
    if scene.case.renewing:
        value = min(110, value + 11) if person.t2dm else value
        if ("hba1c", "start") in sketch.bounds:
            value = scene.settle("hba1c", value, "start")
        series.append((scene.since + 4, value))
    for course in reversed(person.courses) if person.t2dm else ():
        if course.start is not None and course.start + 3 > series[-1][0] + 60:
            value = _before(course, value)
            series.append((course.start + 3, value))
    if len(series) == 1:
        earlier = max(66, value - 2) if person.t2dm else max(58, min(110, value - 1))
        series.append((person.panels[1], earlier))
    person.a1c = series[::-1]
    starts = [course.start for course in person.courses if course.start is not None]
    person.onset = max([*starts, series[-1][0], person.panels[1]]) + 9
    for test, days in sketch.beyond.items():
        _age_series(scene, test, days)


def _before(course: Course, value: int) -> int:
    family = course.drug.split(" ")[0]
    if course.outcome is GI or family not in ("metformin", "glipizide", "Jardiance", "Invokana"):
        return value
    response = 100 if course.outcome is PARTIAL else 40 if value >= 70 else 12
    earlier = before(family, value, response)
    if course.outcome is PARTIAL and earlier - value < 5:
        return min(110, value + 5)
    return earlier


def _age_series(scene: Scene, test: str, days: int) -> None:
    """Leave a test open: its newest value is out of the window, or two values of one day disagree, or the
    only fresh one has no unit."""
    person, sketch = scene.person, scene.sketch
    series = {"hba1c": person.a1c, "bmi": person.bmi, "egfr": person.egfr, "uacr": person.uacr}.get(test)
    if series is None:
        return
    leaf = sketch.open_lab
    asked = leaf is not None and leaf.test == test and (test, "now") not in sketch.bounds and test != "bmi"
    way = scene.turn % 3 if asked else 0
    if way == 1 and leaf is not None and _disagree(scene, leaf, series):
        return
    if way == 2:
        scene.more.append(_raw(test, series[-1][1], scene.setting.day[series[-1][0]], ""))
    limit = sketch.within.get(test, days + 400)
    newest = min(days + 1 + (scene.turn * 11 + person.index) % 60, limit)
    shift = newest - series[-1][0]
    series[:] = [(ago + shift, value) for ago, value in series]


def _disagree(scene: Scene, leaf: Lab, series: list[tuple[int, int]]) -> bool:
    """Two values of the newest day, on both sides of what the rule asks for."""
    low, high = RANGE[leaf.test]
    at = round(leaf.value * SCALE.get(leaf.test, 1))
    above, below = at + 2 + scene.turn % 3, at - 2 - scene.turn % 3
    ago = min(series[-1][0], days_of(leaf.within) or 0)
    if below < low or above > high or ago < 1:
        return False
    series[-1] = (ago, above)
    scene.more.append(_raw(leaf.test, below, scene.setting.day[ago], TESTS[leaf.test].unit))
    return True


def _raw(test: str, value: int, when: str, unit: str) -> str:
    """An observation, without its id; without a unit it is no evidence."""
    shown = f"{value // 10}.{value % 10}" if test == "hba1c" else f"{value}.0"
    named = f'"unit":"{unit}",' if unit else ""
    return f'"test":"{test}","value":{shown},{named}"date":"{when}","loinc":"{TESTS[test].loinc[0]}"'
