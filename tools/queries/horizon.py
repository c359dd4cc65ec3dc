"""The first day on which a request would stand better: a scenario judged on one day after another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from tools.domain.records import Determination, Outcome
from tools.engine.determine import determine
from tools.engine.documents import walk
from tools.engine.what_if import Change, Course, Enrolled, Later, On, Started, Tried
from tools.queries.bound import Bound

AHEAD = 400  # days that are tried
_BETTER: tuple[Outcome, ...] = ("not_required", "ready", "needs_documentation")


class Better(NamedTuple):
    """The first better day, how it stands then, and the criteria, or parts of them, that are met then and not now."""

    day: date
    then: Determination
    gained: frozenset[str]


def begun_by(changes: Iterable[Change], day: date) -> tuple[Change, ...]:
    """What a scenario supposes beside the day that is judged, each course with its first day: so long before `day` as
    it is said to have gone on."""
    return tuple(_dated(one, day) for one in changes if not isinstance(one, On | Later))


def gone_through(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The same with the courses that go on tried without enough effect, which is what a step waits for."""
    return tuple(
        Tried(drug=one.drug, on=one.on, daily=one.daily) if isinstance(one, Started) else one
        for one in changes
    )


def takes_time(changes: Iterable[Change]) -> bool:
    """Whether something of a scenario comes to count as days pass."""
    return any(isinstance(one, Course | Enrolled) for one in changes)


def first_better(
    bound: Bound, drug: str, changes: tuple[Change, ...], use: str = "", outcome: bool = True
) -> Better | None:
    """The first day after today on which the outcome is better or, without `outcome`, on which all is met that what
    takes time in the scenario can bring; by weeks and then by days, since such things seldom pass within a week.

    Args:
        bound: the chart, the plan and today.
        drug: one that the plan lists.
        changes: the scenario, as `begun_by` has it.
        use: for which it is judged, or none.
        outcome: whether a better outcome is looked for.
    """
    now = determine(*bound.scenario(drug, changes, use))
    long_begun = determine(*bound.scenario(drug, _long_begun(changes), use))
    wanted = frozenset[str]() if outcome else _met(long_begun) - _met(now)
    if not outcome and not wanted:
        return None

    def gained_on(day: date) -> frozenset[str]:
        then = determine(*bound.scenario(drug, (On(date=day), *changes), use))
        gained = _met(then) - _met(now)
        better = wanted <= gained if wanted else _rank(then) < _rank(now)
        return gained if better else frozenset()

    for week in range(0, AHEAD, 7):
        if gained_on(bound.as_of + timedelta(days=week + 7)):
            days = (bound.as_of + timedelta(days=week + n) for n in range(1, 8))
            day, gained = next((day, found) for day in days if (found := gained_on(day)))
            return Better(day, bound.supposed(drug, (On(date=day), *changes), use), gained)
    return None


def _dated(change: Change, day: date) -> Change:
    if isinstance(change, Course) and change.on is None:
        return msgspec.structs.replace(change, on=day - timedelta(days=change.days))
    if isinstance(change, Enrolled) and change.on is None:
        return Enrolled(on=day)
    return change


def _long_begun(changes: Iterable[Change]) -> tuple[Change, ...]:
    """As if what takes time had begun so long ago that it is long enough."""
    return tuple(
        msgspec.structs.replace(one, on=one.on - timedelta(days=AHEAD))
        if isinstance(one, Course | Enrolled) and one.on
        else one
        for one in changes
    )


def _met(found: Determination) -> frozenset[str]:
    told = (one for one in walk(found.findings) if one.kind != "document")
    return frozenset(one.criterion for one in told if one.status == "met")


def _rank(found: Determination) -> int:
    return _BETTER.index(found.outcome) if found.outcome in _BETTER else len(_BETTER)
