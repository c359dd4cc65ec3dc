"""Days that pharmacy claims cover: distinct ones, and only such as lie inside the course that the chart records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from tools.domain.records import Fill
from tools.domain.rules import Trial
from tools.messages import Message, message

Stretch = tuple[int, int]  # ordinals: the first day, and the one after the last


class Supply(NamedTuple):
    """The claims that reach into a course, and the days of it that they cover."""

    fills: tuple[Fill, ...]
    stretches: list[Stretch]

    @property
    def days(self) -> int:
        """Distinct days."""
        return length(self.stretches)

    def day_of(self, days: int) -> date | None:
        """The first day before which so many days lie; None if there are fewer."""
        for first, until in self.stretches:
            if days <= until - first:
                return date.fromordinal(first + days)
            days -= until - first
        return None

    def run(self, gap_days: int) -> int:
        """Distinct days of the longest run: a fill goes on with the one before it if it was dispensed so many days
        after the last day that one covers."""
        return max((length(run) for run in runs(self.stretches, gap_days - 1)), default=0)


def supply_of(fills: Iterable[Fill], inside: Sequence[Stretch], carry_over: bool) -> Supply:
    """The supply of one drug or class, inside these stretches. With `carry_over`, what is left of a fill when the next
    is dispensed is taken before it."""
    known = sorted(fills, key=lambda fill: fill.date)
    covered: list[Stretch] = []
    until = 0
    for fill in known:
        first = fill.date.toordinal()
        if carry_over:
            first = max(first, until)
        until = first + fill.days_supply
        covered.append((first, until))
    stretches = common(union(covered), inside)
    reaching = [fill for fill in known if _reaches(fill, inside)]
    return Supply(tuple(reaching), stretches)


def _reaches(fill: Fill, inside: Sequence[Stretch]) -> bool:
    """Was it dispensed by the last day, and does it last until the first?"""
    first, until = fill.date.toordinal(), (fill.date + timedelta(days=fill.days_supply)).toordinal()
    return any(first <= end and until > begin for begin, end in inside)


def shortfalls(leaf: Trial, supply: Supply, days: int | None) -> list[Message]:
    """What the claims lack of what the leaf asks of them, e.g. "fills cover 60 of 90 days"; `days` are the course's."""
    lacks = []
    covered = supply.run(leaf.gap_days) if leaf.continuous else supply.days
    if (leaf.proof == "fills" or days is None) and covered < leaf.min_days:
        wanted = leaf.min_days
        lacks.append(message("fills.days", covered=covered, wanted=wanted, in_a_row=leaf.continuous))
    times = len({fill.date for fill in supply.fills})
    if times < leaf.min_fills:
        lacks.append(message("fills.times", times=times, wanted=leaf.min_fills))
    if leaf.adherence is not None and days and not _adheres(supply.days, days, leaf.adherence):
        covered = supply.days
        lacks.append(message("fills.share", covered=covered, days=days, percent=leaf.adherence))
    return lacks


def _adheres(covered: int, days: int, percent: float) -> bool:
    return covered * 100 >= Decimal(repr(percent)) * days


# --- stretches of days -----------------------------------------------------------------------------------


def length(stretches: Iterable[Stretch]) -> int:
    """Days in stretches that do not overlap."""
    return sum(until - first for first, until in stretches)


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The days of any of them, as stretches that do not touch."""
    joined: list[Stretch] = []
    for first, until in sorted(stretches):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        elif until > first:
            joined.append((first, until))
    return joined


def common(left: Iterable[Stretch], right: Sequence[Stretch]) -> list[Stretch]:
    """The days that both have."""
    return union(
        (max(first, begin), min(until, end))
        for first, until in left
        for begin, end in right
        if max(first, begin) < min(until, end)
    )


def runs(stretches: Iterable[Stretch], gap: int) -> list[list[Stretch]]:
    """The stretches in runs in which at most so many days lie between one and the next."""
    found: list[list[Stretch]] = []
    for stretch in sorted(stretches):
        if found and stretch[0] - found[-1][-1][1] <= gap:
            found[-1].append(stretch)
        else:
            found.append([stretch])
    return found
