"""A case while its chart is being made: what is asked for, what must be shown, and what was decided so far."""

from __future__ import annotations

from datetime import date as Day
from datetime import timedelta
from typing import NamedTuple

from data_gen.people import Course, Person
from data_gen.setting import Setting
from data_gen.sketch import RANGE, Sketch
from tools.domain.records import Drug, Strength
from tools.domain.rules import Rule

MONTH = 31


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


class Scene:
    """The person, the facts to realise, and what the steps tell each other."""

    def __init__(self, person: Person, setting: Setting, sketch: Sketch, case: Case, turn: int) -> None:
        self.person, self.setting, self.case, self.turn = person, setting, case, turn
        self.sketch = sketch.copy()  # others use it too
        self.since = 0  # days of therapy with the drug asked for
        self.on_dose = 0  # of them at the dose of today
        self.strength: Strength | None = None  # of today
        self.a1c = 0  # now, in tenths
        self.more: list[str] = []  # observations

    def settle(self, test: str, natural: int, when: str = "now") -> int:
        """The natural value if the bounds allow it, else one a little inside them."""
        low, high = self.sketch.bounds.get((test, when), RANGE[test])
        if low <= natural <= high:
            return natural
        slack = {"hba1c": 9, "bmi": 25, "egfr": 7, "uacr": 90, "ahi": 160, "abi": 15, "lvef": 10}.get(test, 1)
        step = (self.turn * 7 + self.person.index) % slack
        return min(high, low + step) if natural < low else max(low, high - step)

    def date(self, ago: int) -> Day:
        """The day so many days before as_of."""
        return self.setting.as_of - timedelta(days=ago)
