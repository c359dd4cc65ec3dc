"""What a patient has had of the product asked for, by claims and by the chart's courses. Samples are none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

from tools.domain.records import Fill, Medication, Patient, Request
from tools.evidence.courses import dose_in_mg
from tools.evidence.products import is_product, may_be_charted
from tools.evidence.supply import Stretch, length, union

T = TypeVar("T", Medication, Fill)


class History(NamedTuple):
    """`days` are those that courses or claims show, whichever shows more; `possible_days` as many again as records that
    may count would add. `amount` is what claims count, in billing units; `uncounted`: some of it is not known."""

    days: int
    possible_days: int
    amount: Decimal
    uncounted: bool
    courses: tuple[Medication, ...]
    fills: tuple[Fill, ...]


_NOTHING = History(0, 0, Decimal(0), False, (), ())


def history_of(patient: Patient, request: Request, as_of: date, since: date) -> History:
    """All strengths of the product, from that day on up to as_of."""
    return _history(patient, request, as_of, since, lambda entry: True, lambda fill: True)


def history_of_strength(patient: Patient, request: Request, as_of: date) -> History:
    """The strength asked for, whenever it was had. A claim's package tells it, else the dose charted for its day."""
    return _history(
        patient,
        request,
        as_of,
        date.min,
        lambda entry: _is_at(entry, request),
        lambda fill: _is_of_strength(fill, patient, request),
    )


def _history(
    patient: Patient,
    request: Request,
    as_of: date,
    since: date,
    counts_course: Callable[[Medication], bool | None],
    counts_fill: Callable[[Fill], bool | None],
) -> History:
    charted = patient.medications or () if may_be_charted(patient, request) else ()
    if not charted and not patient.fills:
        return _NOTHING
    taken = [entry for entry in charted if entry.source != "sample"]
    courses, maybe_courses = _divided(
        taken, request, lambda entry: _both(_is_dated(entry), counts_course(entry))
    )
    filled = [fill for fill in patient.fills if since <= fill.date <= as_of]
    fills, maybe_fills = _divided(filled, request, counts_fill)
    days = max(_days(courses, as_of, since), _supply(fills))
    most = max(_days([*courses, *maybe_courses], as_of, since), _supply([*fills, *maybe_fills]))
    uncounted = bool(maybe_fills) or any(fill.quantity is None for fill in fills) or (most > 0 and not filled)
    return History(
        days=days,
        possible_days=most - days,
        amount=sum((Decimal(repr(fill.quantity)) for fill in fills if fill.quantity is not None), Decimal(0)),
        uncounted=uncounted,
        courses=(*courses, *maybe_courses),
        fills=(*fills, *maybe_fills),
    )


def _divided(
    items: Iterable[T], request: Request, counts: Callable[[T], bool | None]
) -> tuple[list[T], list[T]]:
    """The records of the product that count, and those of which it is not known."""
    sure: list[T] = []
    possible: list[T] = []
    for item in items:
        of_it = is_product(item, request)
        answer = _both(of_it, counts(item)) if of_it is not False else False
        if answer is not False:
            (sure if answer else possible).append(item)
    return sure, possible


def _both(one: bool | None, other: bool | None) -> bool | None:
    return False if False in (one, other) else None if None in (one, other) else True


def _is_dated(entry: Medication) -> bool | None:
    """Are its first and last day known? None if not."""
    return True if entry.start is not None and (entry.end is not None or entry.status == "active") else None


def _is_at(entry: Medication, request: Request) -> bool | None:
    dose = dose_in_mg(entry)
    return None if dose is None else dose == request.dose


def _is_of_strength(fill: Fill, patient: Patient, request: Request) -> bool | None:
    if fill.ndc and request.ndc:
        return fill.ndc == request.ndc
    charted = [
        entry
        for entry in patient.medications or ()
        if is_product(entry, request)
        and (entry.start or date.min) <= fill.date
        and (entry.end is None or fill.date <= entry.end)
    ]
    answers = {_is_at(entry, request) for entry in charted}
    return True if True in answers else None if None in answers or not answers else False


def _days(entries: Iterable[Medication], as_of: date, since: date) -> int:
    """Distinct days from that day on up to as_of; of an entry without dates, every one."""
    stretches: list[Stretch] = []
    for entry in entries:
        first = max(entry.start or date.min, since)
        last = as_of if entry.end is None else min(entry.end, as_of)
        if first < last:
            stretches.append((first.toordinal(), last.toordinal()))
    return length(union(stretches))


def _supply(fills: Iterable[Fill]) -> int:
    return sum(fill.days_supply for fill in fills)
