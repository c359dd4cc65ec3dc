"""The record around a planted person: studies, statements, lists, insurance, the order and its papers."""

from __future__ import annotations

import msgspec

from data_gen.history import STUDIES, study
from data_gen.scene import MONTH, Scene
from data_gen.setting import bare, starting_order
from data_gen.sketch import counts, stand_in
from data_gen.vocabulary import VOCABULARY
from data_gen.wanted import Infeasible, days_of
from tools.domain.records import Allergy, Attestation, Authorization, Diagnosis, Document, FamilyHistory
from tools.domain.rules import AllergyTo, Condition, Intolerance, Programme, Specialist, Taking, Trial
from tools.terminology.medicines import medicine


def complete_record(scene: Scene, courses: int) -> None:
    """Replaces what chance put into the record where the case says otherwise.

    Args:
        courses: how many of the person's are the case's own; those after them are background.
    """
    for leaf, shown, _ in scene.sketch.wants:
        if isinstance(leaf, Specialist):
            _doctor(scene, leaf.specialties, bool(shown))
    scene.person.observations += scene.more
    _background(scene, courses)
    _studies(scene)
    _diagnoses(scene)
    _statements(scene)
    _lists(scene)
    _insurance(scene)
    _order(scene)
    _papers(scene)


def _background(scene: Scene, already: int) -> None:
    """Drop background medicines that the case must not have."""
    person = scene.person
    unwanted = [*scene.sketch.of(Trial, False), *scene.sketch.of(Taking, False, None)]
    lines = scene.setting.pharmacy.lines
    person.courses = [
        course
        for place, course in enumerate(person.courses)
        if place < already or not any(counts(leaf, lines[course.drug].name) for leaf in unwanted)
    ]


def _studies(scene: Scene) -> None:
    """Studies at the dates that the windows ask for."""
    person, sketch, setting = scene.person, scene.sketch, scene.setting
    involved = {test for test, _ in sketch.bounds} | sketch.absent | set(sketch.beyond)
    values = {"ahi": person.ahi, "fibrosis_stage": person.fibrosis, "lvef": person.lvef}
    if ("abi", "now") in sketch.bounds:
        values["abi"] = scene.settle("abi", 78)
    for test, value in values.items():
        if test not in involved:
            continue
        person.observations = [text for text in person.observations if f'"{test}"' not in text]
        named = f'"name":"{STUDIES[test].name}"'
        person.procedures = [text for text in person.procedures if named not in text]
        if test in sketch.absent or (test == "lvef" and not value):
            continue
        if (test, "start") in sketch.bounds:
            study(person, setting, test, scene.since + 20, sketch.bounds[test, "start"][0])
        study(person, setting, test, _study_age(scene, test), value)


def _study_age(scene: Scene, test: str) -> int:
    sketch = scene.sketch
    newest = sketch.beyond[test] + 1 + scene.turn % 50 if test in sketch.beyond else 10 + scene.turn % 40
    if scene.case.renewing:
        newest = min(newest, scene.since - 20)
    return min(newest, sketch.within.get(test, newest))


def _diagnoses(scene: Scene) -> None:
    person, sketch = scene.person, scene.sketch
    for concept, is_so in sketch.has.items():
        if is_so and concept in VOCABULARY.rare and concept != "dialysis":
            code, name = VOCABULARY.rare[concept]
            if concept == "ketoacidosis" and not person.t2dm:
                code, name = "E13.10", "Other specified diabetes mellitus with ketoacidosis without coma"
            _diagnose(scene, code, name, 60 + scene.turn % 300 if concept == "pregnancy" else 700)
    for leaf in sketch.others:
        if not leaf.codes:
            raise Infeasible(leaf.id)
        _diagnose(scene, leaf.codes[0], leaf.label, 400)


def _diagnose(scene: Scene, code: str, name: str, ago: int) -> None:
    entry = Diagnosis(id="", code=code, name=name, onset=scene.date(ago if code != "Z33.1" else 60))
    scene.person.conditions.append(bare(entry))


def _statements(scene: Scene) -> None:
    person, sketch, relative = scene.person, scene.sketch, scene.sketch.relative
    by = scene.setting.pools.doctors[person.doctor].name
    person.attestations = []
    person.family = [text for text in person.family if "thyroid" not in text]
    for topic, (present, who) in sketch.says.items():
        if topic == "pregnancy" and not person.female:
            continue
        of_relative = relative is not None and relative.topic == topic
        known = VOCABULARY.statements.stated if present else VOCABULARY.statements.denied
        statement = Attestation(
            id="",
            topic=topic,
            present=present,
            subjects=tuple(one for one in who if one != "family" or not of_relative),  # type: ignore[misc]
            date=scene.date(person.visits[0]),
            by=by,
            text=known.get(topic, f"{'Yes' if present else 'No'}: {topic.replace('_', ' ')}."),
        )
        person.attestations.append(bare(statement))
    if relative is not None:
        _family_case(scene, relative)
    if sketch.unsure is not None and "family" in sketch.unsure.who and scene.turn % 2:
        aunt = FamilyHistory(id="", relation="aunt", condition="thyroid cancer, type unknown")
        person.family.append(bare(aunt))


def _family_case(scene: Scene, leaf: Condition) -> None:
    condition = "medullary thyroid carcinoma" if leaf.topic == "mtc_men2" else leaf.label
    relation = ("mother", "father", "sister", "brother")[scene.turn % 4]
    scene.person.family.append(bare(FamilyHistory(id="", relation=relation, condition=condition)))


def _lists(scene: Scene) -> None:
    person, sketch = scene.person, scene.sketch
    if not sketch.of(Intolerance, True):
        person.allergies = [text for text in person.allergies if '"metformin"' not in text]
    for leaf in sketch.of(AllergyTo, True):
        name = scene.case.drug.name if leaf.requested else stand_in(leaf)
        known = medicine(name, scene.setting.drugs.values())
        entry = Allergy(
            id="", substance=name, ingredients=known.ingredients, classes=known.classes, reaction="hives"
        )
        person.allergies.append(bare(entry))
    for programme, shown, _ in sketch.wants:
        if not isinstance(programme, Programme):
            continue
        months = -(-(days_of(programme.min_duration) or 0) // 31)
        if shown is None:
            person.program = None
        elif shown:
            known_length = person.program[0] - (person.program[1] or 0) if person.program else 0
            length = max((months + 1) * MONTH + scene.turn % 50, known_length)
            # on a renewal it still goes on or ended lately; otherwise as the window allows
            person.program = (length + 12, 12) if scene.turn % 2 else (length, None)
        else:
            person.program = ((months - 1) * 30, None)


def _doctor(scene: Scene, specialties: tuple[str, ...], shown: bool) -> None:
    doctors = scene.setting.pools.doctors
    fitting = [
        place
        for place, doctor in enumerate(doctors)
        if (doctor.specialty in specialties) is shown
        and (shown or doctor.specialty in ("family medicine", "internal medicine"))
    ]
    if not fitting:
        raise Infeasible("specialist")
    scene.person.doctor = fitting[(scene.person.index + scene.turn) % len(fitting)]


def _insurance(scene: Scene) -> None:
    person, case = scene.person, scene.case
    others = [item.plan_id for item in scene.setting.insurers if item.plan_id != case.plan_id]
    draw = person.index + scene.turn
    other = others[draw % len(others)] if others else ""
    began = max(person.coverages[-1][1], scene.since + 60)
    end = person.coverages[-1][2]
    person.plan = case.plan_id
    if case.former:
        ended = 20 + scene.turn % 100
        if not other:
            raise Infeasible("one plan only")
        person.coverages = [(case.plan_id, began + ended + 300, ended), (other, ended - 1, end)]
        person.authorizations.append(_authorization(scene, ended + 200, -121))
    elif other and draw % 4 == 0:
        person.coverages = [(other, began + 500, began + 1), (case.plan_id, began, end)]
    else:
        person.coverages = [(case.plan_id, began, end)]


def _authorization(scene: Scene, start: int, end: int) -> str:
    case, days = scene.case, {"start": scene.date(start), "end": scene.date(end)}
    return bare(Authorization(id="", plan_id=case.plan_id, drug=case.drug.name, indication=case.use, **days))


def _order(scene: Scene) -> None:
    person, case = scene.person, scene.case
    order = starting_order(case.drug, scene.strength if case.renewing else None, case.use)
    order = msgspec.structs.replace(
        order,
        quantity=(order.quantity or 0) * 2 if case.twice else order.quantity,
        date=scene.date(person.visits[0]),
        indication=case.use,
        kind="renewal" if case.renewing else "new",
    )
    if case.renewing:
        person.authorizations.append(_authorization(scene, scene.since + 6, -14))
    person.orders, person.asked = [bare(order)], case.drug.name


def _papers(scene: Scene) -> None:
    """The attachments that a rule asks for and no record fulfils by itself."""
    rule = scene.case.rule
    if rule is None or scene.case.papers_missing:
        return
    day = scene.date(scene.person.visits[0])
    for paper in rule.documents:
        there = paper.of == "fills" and paper.within is None and not scene.case.renewing
        if paper.of in TITLES and not there:
            document = Document(id="", title=TITLES[paper.of], of=paper.of, about=paper.test, date=day)
            scene.person.documents.append(bare(document))


TITLES = {
    "study": "Study report", "programme": "Program participation record", "medication": "Medication record",
    "fills": "Pharmacy claims printout",
}  # fmt: skip
