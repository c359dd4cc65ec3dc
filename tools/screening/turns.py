"""The days on which a case may turn although nothing is done: a window that closes, a trial's ninetieth day.

This decides nothing. It names the days on which there is reason to look again, more of them than needed: each date of
a chart plus each span that a rule counts. Whether anything changes is for the engine, asked about that day. A test
walks day by day and finds no change on any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

from tools.dates import add_months
from tools.records import Patient, Plan
from tools.rules import (
    Age,
    Attested,
    Change,
    Composite,
    Condition,
    Lab,
    Measured,
    OnDrug,
    Part,
    Programme,
    Required,
    Rule,
    Taking,
    Trial,
)

Mask = int  # drugs, by their place in the plan
_Days = dict[date, list[tuple[date, Mask]]]  # a date in the chart → the days on which it may turn something
_DAY = timedelta(days=1)
_BORN = "born"


class Turns:
    """The days from the one after `as_of` up to `days` later on which a chart may turn a case of this plan."""

    def __init__(self, plan: Plan, as_of: date, days: int) -> None:
        self.as_of, self.days = as_of, days
        self.every: Mask = (1 << len(plan.benefits)) - 1
        self.by_part: dict[str, _Days] = defaultdict(lambda: defaultdict(list))
        self.of_plan: list[tuple[date, Mask]] = []
        for place, benefit in enumerate(plan.benefits.values()):
            for rule in benefit.rules:
                self._rule(rule, 1 << place)
        for kept in (*_DATED, *self.by_part):
            for later in range(1, days + 1):
                day = as_of + later * _DAY
                self._add(kept, day, day, self.every)
                self._add(kept, day, day + _DAY, self.every)
            self._add(kept, as_of, as_of + _DAY, self.every)

    def of(self, patient: Patient) -> list[tuple[date, Mask]]:
        """Days, in order, each with the drugs to look at again."""
        found: dict[date, Mask] = dict(self.of_plan)
        for days, dates in self._dates(patient):
            for day in dates:
                for turn, mask in days.get(day, ()) if day is not None else ():
                    found[turn] = found.get(turn, 0) | mask
        return sorted(found.items())

    def _dates(self, patient: Patient) -> Iterator[tuple[_Days, Iterable[date | None]]]:
        parts = self.by_part
        for test, values in patient.observations_by_test.items():
            if test in parts:
                yield parts[test], [item.date for item in values]
        for name, dates_of in _DATED.items():
            dates = dates_of(patient)
            if dates:
                yield parts[name], dates
        if patient.birth_date is not None and _BORN in parts:
            yield parts[_BORN], [patient.birth_date.replace(year=2000)]

    # --- what a rule counts

    def _rule(self, rule: Rule, mask: Mask) -> None:
        for day in (rule.effective_from, rule.effective_to and rule.effective_to + _DAY):
            if day is not None and self.as_of < day <= self.as_of + self.days * _DAY:
                self.of_plan.append((day, self.every))
        renewal = (rule.renewal,) if rule.renewal else ()
        for part in _descend((rule.criteria, *rule.exclusions, *renewal, *rule.documents)):
            self._part(part, mask)

    def _part(self, part: Part, mask: Mask) -> None:
        for name in _WINDOWS.get(type(part), lambda part: ())(part):
            within = getattr(part, "within_days", None)
            self._span(name, None if within is None else within + 1, mask)
        if isinstance(part, Trial | Taking):
            self._span("started", part.min_days, mask)
        elif isinstance(part, OnDrug):
            self._months("started", part.min_months, mask)
        elif isinstance(part, Programme):
            self._months("programme", part.min_months, mask)
        elif isinstance(part, Age):
            self._birthdays(mask)

    def _span(self, name: str, days: int | None, mask: Mask) -> None:
        """So many days after each date of that part. Nothing, where any age is good: the part counts all the same."""
        kept = self.by_part[name]
        for later in range(1, self.days + 1) if days is not None else ():
            turn = self.as_of + later * _DAY
            if turn.toordinal() > (days or 0):
                kept[turn - (days or 0) * _DAY].append((turn, mask))

    def _months(self, name: str, months: int, mask: Mask) -> None:
        first = add_months(self.as_of, -months) - 3 * _DAY
        for later in range(self.days + 7):
            day = first + later * _DAY
            turn = add_months(day, months)
            if self.as_of < turn <= self.as_of + self.days * _DAY:
                self._add(name, day, turn, mask)

    def _birthdays(self, mask: Mask) -> None:
        """By day and month, in a year that has all days; one born on 29 February turns on 1 March of others."""
        for later in range(1, self.days + 1):
            turn = self.as_of + later * _DAY
            self._add(_BORN, turn.replace(year=2000), turn, mask)
            if (turn.month, turn.day) == (3, 1):
                self._add(_BORN, date(2000, 2, 29), turn, mask)

    def _add(self, name: str, day: date, turn: date, mask: Mask) -> None:
        if self.as_of < turn <= self.as_of + self.days * _DAY:
            self.by_part[name][day].append((turn, mask))


def _descend(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        if isinstance(part, Composite):
            yield from _descend(part.children)


def _tests(*tests: str) -> tuple[str, ...]:
    """BMI is also derived from weights."""
    return (*tests, "weight", "height") if "bmi" in tests else tests


# Which dates of a chart a part's window is counted from; parts without one are there for what is yet to come.
_WINDOWS: dict[type, Callable[..., Sequence[str]]] = {
    Lab: lambda leaf: _tests(leaf.test),
    Measured: lambda leaf: _tests(*leaf.tests),
    Change: lambda leaf: _tests(leaf.test),
    Condition: lambda leaf: ("begun",),
    Trial: lambda leaf: ("ended",),
    Attested: lambda leaf: ("stated",),
    Programme: lambda leaf: ("programme",),
    Required: lambda paper: ("papers", *_PAPERS.get(paper.of, _tests)(paper.test)),
}
_PAPERS: dict[str, Callable[[str], Sequence[str]]] = {
    "note": lambda test: ("noted",),
    "lab": lambda test: _tests(test),
    "fills": lambda test: ("filled",),
    "programme": lambda test: ("programme",),
    "study": lambda test: ("done",),
    "medication": lambda test: ("started", "ended"),
}
_DATED: dict[str, Callable[[Patient], list[date | None]]] = {
    "begun": lambda patient: [item.onset for item in patient.conditions or ()],
    "abated": lambda patient: [item.abated for item in patient.conditions or () if item.abated],
    "started": lambda patient: [item.start for item in patient.medications or ()],
    "ended": lambda patient: [item.end for item in patient.medications or () if item.end],
    "filled": lambda patient: [item.date for item in patient.fills],
    "stated": lambda patient: [item.date for item in patient.attestations],
    "programme": lambda patient: [day for item in patient.programs for day in (item.start, item.end)],
    "noted": lambda patient: [item.date for item in patient.notes],
    "done": lambda patient: [item.date for item in patient.procedures],
    "papers": lambda patient: [item.date for item in patient.documents],
    "enrolled": lambda patient: [day for item in patient.coverages for day in (item.start, item.end)],
    "approved": lambda patient: [item.start for item in patient.authorizations],
}
