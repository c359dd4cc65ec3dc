"""A patient's JSON with its dates, units and spans worked out, on one day."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any, NamedTuple

from evals.oracle.vocabulary import TERMS

Entry = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """One sound measurement, in the first unit of its kind."""

    day: date
    value: Decimal


@dataclass(frozen=True)
class Span:
    """A stretch of taking something: its entries in order, and its days. `last` is None where nobody knows."""

    entries: tuple[Entry, ...]
    first: date | None
    last: date | None
    going_on: bool


class Stretch(NamedTuple):
    """So many days, weeks or calendar months."""

    number: int
    unit: str = "day"

    @property
    def days(self) -> int:
        """About how many."""
        return self.number * {"day": 1, "week": 7, "month": 30}[self.unit]

    def ahead(self, start: date, way: int = 1) -> date:
        """The day so much later, or earlier."""
        if self.unit == "month":
            return after_months(start, way * self.number)
        return start + way * timedelta(days=self.days)


class Chart:
    """What a patient's JSON says on the day of the request."""

    def __init__(self, patient: Entry, as_of: date) -> None:
        self.patient, self.as_of = patient, as_of
        self.born = day(patient.get("birth_date"))

    def listed(self, name: str) -> list[Entry] | None:
        """A list that is complete where it is there; None where it is not."""
        found = self.patient.get(name)
        return None if found is None else list(found)

    def noted(self, name: str) -> list[Entry]:
        """A list that is never complete."""
        return list(self.patient.get(name) or ())

    def possible(self, when: date | None) -> bool:
        """Whether something can have happened then: not after the request, not before the patient's birth."""
        return when is not None and when <= self.as_of and (self.born is None or when >= self.born)

    def since(self, stretch: Stretch | None, until: date | None = None) -> date:
        """The first day of a look-back period that ends on the request, or `until`; its last counts, so day N of N
        is in."""
        return date.min if stretch is None else stretch.ahead(until or self.as_of, -1)

    @cached_property
    def age(self) -> int | None:
        """Completed years."""
        if self.born is None:
            return None
        had = (self.as_of.month, self.as_of.day) >= (self.born.month, self.born.day)
        return self.as_of.year - self.born.year - (not had)

    def readings(self, test: str) -> list[Reading]:
        """All sound measurements, oldest first. A body mass index may also come from weight and height."""
        found = self.recorded(test)
        if test == "bmi":
            recorded = {r.day: r.value for r in found}
            # a recorded one is the computed one, written shorter
            found.extend(r for r in self._computed(set(recorded)) if not _same(recorded.get(r.day), r.value))
        return sorted(found, key=lambda r: (r.day, r.value))

    def _computed(self, recorded: set[date]) -> Iterator[Reading]:
        """BMI of days with a weight: by a height of that day, or an earlier one where none is recorded."""
        heights = self.recorded("height")
        for weight in self.recorded("weight"):
            before = max((h.day for h in heights if h.day <= weight.day), default=None)
            if before == weight.day or (before and weight.day not in recorded):
                for height in (h for h in heights if h.day == before):
                    yield Reading(weight.day, weight.value / (height.value / 100) ** 2)

    def recorded(self, test: str) -> list[Reading]:
        """The sound entries of a test itself."""
        return [r for r in map(self._reading, self._of(test)) if r]

    def unread(self, test: str) -> list[date | None]:
        """The days of entries that can not be used, None where they have none."""
        return [day(entry.get("date")) for entry in self._of(test) if self._reading(entry) is None]

    def _of(self, test: str) -> list[Entry]:
        return [entry for entry in self.noted("observations") if entry["test"] == test]

    def _reading(self, entry: Entry) -> Reading | None:
        factors = TERMS.units.get(entry["test"], {}).get(entry.get("unit") or "")
        when = day(entry.get("date"))
        if factors is None or when is None or not self.possible(when):
            return None
        factor, offset = map(Decimal, factors)
        value = Decimal(str(entry["value"])) * factor + offset
        low, high = TERMS.possible.get(entry["test"], (0, 30000))
        return Reading(when, value) if low <= value <= high else None

    def spans(self, entries: list[Entry], pause: int = 1) -> list[Span]:
        """Entries of one drug as stretches: what begins within `pause` days of the end before it goes on with it."""
        found: list[Span] = []
        for span in sorted(map(self._span, entries), key=lambda s: (s.first or date.min, s.last or date.max)):
            before = found[-1] if found else Span((), None, None, False)
            dated = before.first and before.last and span.first
            if before.last and dated and dated <= before.last + timedelta(days=pause):
                last = max(before.last, span.last) if span.last else None
                going_on = before.going_on or span.going_on
                found[-1] = Span(before.entries + span.entries, before.first, last, going_on)
            else:
                found.append(span)
        return found

    def _span(self, entry: Entry) -> Span:
        first, last = day(entry.get("start")), day(entry.get("end"))
        going_on = entry.get("status") == "active" if last is None else last >= self.as_of
        return Span(
            (entry,), first if self.possible(first) else None, self.as_of if going_on else last, going_on
        )


def _same(written: Decimal | None, exact: Decimal) -> bool:
    """Whether a number is another one, rounded to as many decimals as it is written with, and one at least."""
    if written is None:
        return False
    places = max(1, -int(written.as_tuple().exponent))
    return abs(written - exact) * 2 <= Decimal(1).scaleb(-places)


def day(text: str | None) -> date | None:
    """A date as JSON writes it."""
    return date.fromisoformat(text) if text else None


def tenths(value: Decimal) -> Decimal:
    """Rounded to one decimal, a half up."""
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)


def after_months(start: date, months: int) -> date:
    """The same day of a later month, or its last day where it has no such day."""
    year, month = divmod(start.month - 1 + months, 12)
    last = monthrange(start.year + year, month + 1)[1]
    return date(start.year + year, month + 1, min(start.day, last))
