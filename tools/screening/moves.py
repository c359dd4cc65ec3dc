"""Whom a change of a plan moves: for whom a drug is determined otherwise by the rules after than by those before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from tools.domain.records import Drug, Patient, Plan
from tools.screening.panel import Panel, Screened


class Move(NamedTuple):
    """A patient with what the drug came to by the rules before, and by those after."""

    patient: Patient
    before: Screened
    after: Screened


def moves(
    charts: Iterable[Patient], before: Plan, after: Plan, drug: Drug, day: Callable[[Patient], date]
) -> Iterator[Move | None]:
    """Of each chart, None where nothing moves.

    Args:
        day: on which a chart is judged, by both.
    """
    sides = [Panel([plan], [drug], within=0) for plan in (before, after)]
    for patient in charts:
        as_of = day(patient)
        old, new = (
            next(side.screen(patient, plan.id, as_of), None)
            for side, plan in zip(sides, (before, after), strict=True)
        )
        moved = old and new and (old.outcome, old.needs) != (new.outcome, new.needs)
        yield Move(patient, old, new) if moved and old and new else None
