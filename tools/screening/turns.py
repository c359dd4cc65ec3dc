"""The days on which a case may turn although nothing is done: a window that closes, a trial's ninetieth day.

This decides nothing. It names the days on which there is reason to look again, more of them than needed: each date of
a chart plus each span that a rule counts. Whether anything changes is for the engine, asked about that day. A test
walks day by day and finds no change on any other.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from tools.domain.records import Benefit, Drug, Fill, Kind, Medication, Patient, Plan, QuantityLimit, Request
from tools.domain.rules import (
    Age,
    Attested,
    Change,
    Condition,
    Lab,
    Measured,
    OnDrug,
    Part,
    Period,
    Programme,
    Required,
    Rule,
    Specialist,
    Taking,
    Trial,
    window_of,
)
from tools.engine.criteria import CompiledCriterion, Question, compiled_criteria
from tools.engine.documents import asked_for
from tools.evidence.courses import counting_days
from tools.evidence.products import goes_by_ingredient

Mask = int  # drugs, by their place in the plan


class Turn(NamedTuple):
    """A day on which the cases of these drugs may turn, by these answers: by none, if by what comes before any
    criterion, and None, if by any."""

    day: date
    drugs: Mask
    asked: tuple[object, ...] | None


_Days = dict[date | None, list[Turn]]  # a date in the chart → what it may turn, and when
_DAY = timedelta(days=1)
_BORN = "born"


class Turns:
    """The days from the one after `as_of` up to `days` later on which a chart may turn a case of this plan."""

    def __init__(self, plan: Plan, as_of: date, days: int, drugs: Iterable[Drug] = ()) -> None:
        self.as_of, self.days = as_of, days
        self.every: Mask = (1 << len(plan.benefits)) - 1
        self.by_part: dict[str, _Days] = defaultdict(lambda: defaultdict(list))
        self.of_plan: list[Turn] = []
        self.counted: dict[object, tuple[Trial, Mask]] = {}  # trials whose days are not those since a date
        # Of these it counts what was had before, by name or, where no brand is charted, by what they contain.
        self.limited: dict[object, Mask] = defaultdict(int)
        places = {name: place for place, name in enumerate(plan.benefits)}
        for drug in drugs:
            if _counts_before(plan.benefits.get(drug.name)):
                self.limited[drug.name.casefold()] |= 1 << places[drug.name]
                self.limited[drug.ingredients] |= 1 << places[drug.name]
        for place, benefit in enumerate(plan.benefits.values()):
            for rule in benefit.rules:
                self._rule(rule, 1 << place)
        for name in (*_DATED, *self.by_part):
            asked = () if name in _OF_THE_PLAN else None
            for later in range(days + 1):
                day = as_of + later * _DAY
                self._add(name, day, Turn(day, self.every, asked))
                self._add(name, day, Turn(day + _DAY, self.every, asked))
        for later in range(days + 1):  # the last day on which an approval is renewed
            turn = as_of + later * _DAY
            self._add("lapsing", turn - (plan.renewal_gap_days + 1) * _DAY, Turn(turn, self.every, ()))

    def of(self, patient: Patient) -> list[Turn]:
        """What may turn in this chart, in order of days."""
        found = list(self.of_plan)
        parts = self.by_part
        for item in patient.observations:
            days = parts.get(item.test)
            if days is not None and item.date in days:
                found += days[item.date]
        for name, dates_of in _DATED.items():
            days = parts[name]
            for day in dates_of(patient):
                if day in days:
                    found += days[day]
        if patient.birth_date is not None and _BORN in parts:
            found += parts[_BORN].get(patient.birth_date.replace(year=2000), ())
        had = self._had(patient) if self.limited else 0
        if had:
            found += [Turn(self.as_of + later * _DAY, had, ()) for later in range(1, self.days + 1)]
        if self.counted and (patient.fills or patient.medications):
            found += self._counting(patient)
        if len(found) > 1:
            found.sort(key=_day_of)
        return found

    def _counting(self, patient: Patient) -> Iterator[Turn]:
        last = self.as_of + self.days * _DAY
        for asked, (leaf, mask) in self.counted.items():
            for day in counting_days(leaf, patient, self.as_of, last):
                yield Turn(day, mask, (asked,))

    def _had(self, patient: Patient) -> Mask:
        """The drugs of which it counts what was had before, and which may have been had."""
        items: list[Medication | Fill] = [*(patient.medications or ()), *patient.fills]
        found = 0
        for item in items:
            found |= self.limited.get(item.drug.casefold(), 0)
            of_it = self.limited.get(item.ingredients, 0)
            if of_it and goes_by_ingredient(item):
                found |= of_it
        return found

    # --- what a rule counts

    def _rule(self, rule: Rule, mask: Mask) -> None:
        for day in (rule.effective_from, rule.effective_to and rule.effective_to + _DAY):
            if day is not None and self.as_of < day <= self.as_of + self.days * _DAY:
                self.of_plan.append(Turn(day, self.every, ()))
        for kind, approvals in _KINDS:
            criteria, exclusions = compiled_criteria(rule, Request(drug="", kind=kind, approvals=approvals))
            for question in _questions((*criteria, *exclusions)):
                self._part(question.leaf, mask, question)
        for paper in rule.documents:
            self._part(paper, mask, asked_for(paper))

    def _part(self, part: Part, mask: Mask, asked: object) -> None:
        for name in _WINDOWS.get(type(part), _none)(part):
            self._window(name, window_of(part), mask, asked)
        if isinstance(part, Trial) and part.counts_days:
            self.counted[asked] = part, mask | self.counted.get(asked, (part, 0))[1]
        if isinstance(part, Trial | Taking):
            self._lasting("started", Period(part.min_days), mask, asked)
        elif isinstance(part, OnDrug):
            self._lasting("started", Period(part.min_months, "months"), mask, asked)
        elif isinstance(part, Condition) and part.min_duration is not None:
            self._lasting("begun", part.min_duration, mask, asked)
        elif isinstance(part, Programme):
            self._lasting("programme", part.min_duration, mask, asked)
        elif isinstance(part, Lab) and part.after is not None:
            self._lasting("started", part.after.least, mask, asked)
        elif isinstance(part, Age):
            self._birthdays(mask, asked)

    def _window(self, name: str, within: Period | None, mask: Mask, asked: object) -> None:
        """The day on which each date of that part leaves the window. Nothing, where any age is good: the part counts
        all the same."""
        kept = self.by_part[name]
        for later in range(1, self.days + 1) if within is not None else ():
            turn = self.as_of + later * _DAY
            for day in _left(within, turn) if within is not None else ():
                _put(kept, day, Turn(turn, mask, (asked,)))

    def _lasting(self, name: str, least: Period, mask: Mask, asked: object) -> None:
        """The day on which what began on each date of that part has lasted so long."""
        first = least.before(self.as_of) - 3 * _DAY
        for later in range(self.days + 7):
            day = first + later * _DAY
            self._add(name, day, Turn(least.after(day), mask, (asked,)))

    def _birthdays(self, mask: Mask, asked: object) -> None:
        """By day and month, in a year that has all days; one born on 29 February turns on 1 March of others."""
        for later in range(1, self.days + 1):
            turn = self.as_of + later * _DAY
            self._add(_BORN, turn.replace(year=2000), Turn(turn, mask, (asked,)))
            if (turn.month, turn.day) == (3, 1):
                self._add(_BORN, date(2000, 2, 29), Turn(turn, mask, (asked,)))

    def _add(self, name: str, day: date, turn: Turn) -> None:
        if self.as_of < turn.day <= self.as_of + self.days * _DAY:
            _put(self.by_part[name], day, turn)


def _left(within: Period, turn: date) -> Iterator[date]:
    """The days that were in the window on the day before and are so no more: none or several at a month's end."""
    day, end = within.before(turn - _DAY), within.before(turn)
    while day < end:
        yield day
        day += _DAY


def _counts_before(benefit: Benefit | None) -> bool:
    return benefit is not None and not all(isinstance(one, QuantityLimit) for one in benefit.all_limits())


def _put(days: _Days, day: date, turn: Turn) -> None:
    """One entry for all drugs whose rules ask the same."""
    kept = days[day]
    for at, known in enumerate(kept):
        if known.day == turn.day and known.asked == turn.asked:
            kept[at] = known._replace(drugs=known.drugs | turn.drugs)
            return
    kept.append(turn)


_day_of = operator.attrgetter("day")
# A new request, a renewal, and a later one.
_KINDS: tuple[tuple[Kind | None, tuple[date, ...]], ...] = (
    (None, ()),
    ("renewal", ()),
    ("renewal", (date.min, date.min)),
)


def _questions(nodes: Iterable[CompiledCriterion]) -> Iterator[Question]:
    for compiled in nodes:
        if compiled.question is not None:
            yield compiled.question
        yield from _questions(compiled.children)


def _tests(*tests: str) -> tuple[str, ...]:
    """BMI is also derived from weights."""
    return (*tests, "weight", "height") if "bmi" in tests else tests


def _none(part: Part) -> tuple[str, ...]:
    return ()


# Which dates of a chart a part's window is counted from; parts without one are there for what is yet to come.
_WINDOWS: dict[type, Callable[..., Sequence[str]]] = {
    Lab: lambda leaf: _tests(leaf.test),
    Measured: lambda leaf: _tests(*leaf.tests),
    Change: lambda leaf: _tests(leaf.test),
    Condition: lambda leaf: ("begun",),
    Trial: lambda leaf: ("ended",),
    Attested: lambda leaf: ("stated",),
    Specialist: lambda leaf: ("stated", "papers"),
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
_OF_THE_PLAN = (
    "enrolled",
    "approved",
    "lapsing",
)  # what the request is, and whether it is heard; no leaf asks for them
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
    "lapsing": lambda patient: [item.end for item in patient.authorizations],
}
