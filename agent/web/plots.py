"""Where things lie on a drawing: courses of medicines as bars, values of a test as points, with the goals and windows
of the plan's rules. Coordinates alone; templates draw them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from tools.domain.records import Medication, Observation, Patient, Plan
from tools.domain.rules import Lab, window_of
from tools.evidence.measurements import canonical
from tools.terminology.observations import TESTS

WIDE, HIGH = 280.0, 84.0  # of a plot, in its own units
LEFT, RIGHT, TOP, FOOT = 4.0, 34.0, 12.0, 14.0  # margins
MOST_GOALS = 3
LEAST_DAYS = 180  # that an axis of time shows
SIGNS = {">=": "≥", "<=": "≤", "==": "="}


class Bar(NamedTuple):
    """A course on an axis of 1000: where it begins and how long it is; `kind` is now, past or unsure."""

    course: Medication
    x: float
    width: float
    kind: str


class Courses(NamedTuple):
    """The medicines of a chart, the newest first, and the years of their axis with their places."""

    bars: tuple[Bar, ...]
    years: tuple[tuple[float, int], ...]
    first: date
    last: date


class Point(NamedTuple):
    x: float
    y: float
    value: Observation
    usable: bool  # it has a day and a unit, and is not of a day to come


class Goal(NamedTuple):
    """What a rule asks of the value, and for which drugs."""

    y: float
    words: str
    drugs: tuple[str, ...]


class Plot(NamedTuple):
    test: str
    name: str
    unit: str
    points: tuple[Point, ...]
    goals: tuple[Goal, ...]
    # x and width of the shortest window that a rule counts back from as_of
    window: tuple[float, float] | None
    first: date
    last: date

    @property
    def line(self) -> str:
        """The usable points, as SVG writes a polyline."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points if point.usable)

    @property
    def newest(self) -> Point:
        return self.points[-1]


def courses(patient: Patient, as_of: date) -> Courses:
    """The medication list on one axis, from the first course to the day of the determination."""
    listed = sorted(patient.medications or (), key=lambda one: (one.start or date.min, one.id), reverse=True)
    days = [day for one in listed for day in (one.start, one.end) if day and day <= as_of]
    first = min([*days, as_of - timedelta(days=LEAST_DAYS)])
    span = max((as_of - first).days, 1)

    def at(day: date) -> float:
        return round(min(max((day - first).days / span, 0.0), 1.0) * 1000, 1)

    bars = []
    for one in listed:
        end = one.end or as_of
        kind = "past" if one.end and one.end <= as_of else "now" if one.status == "active" else "unsure"
        begin = at(one.start or first)
        bars.append(Bar(one, begin, max(at(end) - begin, 4.0), kind))
    years = tuple((at(date(year, 1, 1)), year) for year in range(first.year + 1, as_of.year + 1))
    return Courses(tuple(bars), years, first, as_of)


def labs(patient: Patient, plan: Plan | None, as_of: date) -> tuple[Plot, ...]:
    """A plot of each test that has a value of some day; those that the plan's rules ask for come first."""
    asked = _asked(plan)
    found = [
        _plot(test, values, asked.get(test, []), as_of)
        for test, values in patient.observations_by_test.items()
    ]
    plots = [plot for plot in found if plot is not None]
    return tuple(sorted(plots, key=lambda plot: (not plot.goals, plot.name)))


def _asked(plan: Plan | None) -> dict[str, list[tuple[str, Lab]]]:
    """Every criterion on a value in the plan's rules, by test, with its drug."""
    found: dict[str, list[tuple[str, Lab]]] = {}
    for benefit in plan.benefits.values() if plan else ():
        for rule in benefit.rules:
            for node in rule.nodes():
                if isinstance(node, Lab):
                    found.setdefault(node.test, []).append((benefit.drug, node))
    return found


def _plot(test: str, values: list[Observation], asked: list[tuple[str, Lab]], as_of: date) -> Plot | None:
    dated = sorted((one for one in values if one.date), key=lambda one: (one.date or as_of, one.id))
    placed = [(one.date or as_of, _measured(one), one) for one in dated]
    if not placed:
        return None
    goals = _goals(asked)
    first = min(placed[0][0], as_of - timedelta(days=LEAST_DAYS))
    last = max(placed[-1][0], as_of)
    heights = [value for _, value, _ in placed] + [height for height, *_ in goals]
    low, high = min(heights), max(heights)
    room = (high - low) or abs(high) or 1.0

    def across(day: date) -> float:
        return LEFT + (day - first).days / max((last - first).days, 1) * (WIDE - LEFT - RIGHT)

    def down(value: float) -> float:
        return TOP + (high - value) / room * (HIGH - TOP - FOOT) if high > low else HIGH / 2

    points = [
        Point(across(day), down(value), one, bool(one.unit) and day <= as_of) for day, value, one in placed
    ]
    windows = [period.before(as_of) for _, lab in asked if lab.at == "current" and (period := window_of(lab))]
    window = None
    if windows:
        begins = max(max(windows), first)
        window = (across(begins), across(as_of) - across(begins))
    drawn = [Goal(down(height), words, drugs) for height, words, drugs in goals]
    return Plot(test, TESTS[test].name, TESTS[test].unit, tuple(points), tuple(drawn), window, first, last)


def _measured(one: Observation) -> float:
    """In the test's own unit, where it has one."""
    found = canonical(one.test, one.value, one.unit) if one.unit else None
    return one.value if found is None else found


def _goals(asked: list[tuple[str, Lab]]) -> list[tuple[float, str, tuple[str, ...]]]:
    """The heights that most drugs ask for, each once, as most of them ask it."""
    found: dict[tuple[float, str], dict[str, None]] = {}
    for drug, lab in asked:
        height = canonical(lab.test, lab.value, lab.unit)
        if height is not None:
            found.setdefault((height, SIGNS.get(lab.op, lab.op)), {})[drug] = None
    most = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    first = {height: (height, f"{sign} {height:g}", tuple(drugs)) for (height, sign), drugs in reversed(most)}
    return sorted(first.values(), key=lambda goal: (-len(goal[2]), goal[0]))[:MOST_GOALS]
