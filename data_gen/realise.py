"""Makes a person be what a sketch says: the body first, then medicines, then the record around them."""

from __future__ import annotations

from data_gen.history import draw_record
from data_gen.people import Person
from data_gen.realise_body import BodyStep
from data_gen.realise_courses import CourseStep
from data_gen.realise_record import RecordStep
from data_gen.scene import Case, Scene
from data_gen.setting import Setting
from data_gen.sketch import Sketch


def realise(person: Person, setting: Setting, sketch: Sketch, case: Case, turn: int) -> None:
    """Change the person in place; Infeasible leaves it spoilt, so draw it anew then."""
    scene = Scene(person, setting, sketch, case, turn)
    BodyStep(scene).run()
    CourseStep(scene).run()
    courses = len(person.courses)
    draw_record(person, setting)
    RecordStep(scene).run(courses)
