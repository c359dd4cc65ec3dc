"""Measured values as evidence: units converted, impossible ones set aside with the reason, BMI derived.

Nothing is rounded here: whether a value is rounded before it is compared is a rule's own affair (`Lab.rounded`).
A value with an impossible date or without a unit is no evidence, and the finding says so.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec

from tools.domain.records import Evidence, Observation, Patient, Reason
from tools.terminology.observations import TESTS


class Value(msgspec.Struct, frozen=True, gc=False):
    """A usable value in the test's canonical unit, unrounded, with what it rests on: one observation, or weight and
    height where it is derived."""

    value: float
    date: date
    seen: tuple[Observation, ...]

    @property
    def derived(self) -> bool:
        return len(self.seen) > 1

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        if len(self.seen) == 1:
            return (_charted(self.seen[0]),)
        bmi = Evidence(
            record_id=self.seen[0].id,
            kind="bmi",
            value=cut(self.value),
            unit="kg/m2",
            date=self.date,
            note="from weight and height",
        )
        return (bmi, *map(_charted, self.seen))


def _charted(item: Observation) -> Evidence:
    return Evidence(record_id=item.id, kind=item.test, value=item.value, unit=item.unit, date=item.date)


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """A value that is no evidence, and why."""

    reason: Reason
    evidence: Evidence
    date: date | None


class Values(NamedTuple):
    """All values of one test, newest first, and those set aside."""

    usable: list[Value]
    rejected: list[Rejected]


@lru_cache(maxsize=65536)
def round_half_up(value: float, decimals: int) -> float:
    """Decimal half-up rounding of the number as written: 6.95 → 7.0, 29.95 → 30.0."""
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


@lru_cache(maxsize=65536)
def cut(value: float, decimals: int = 2) -> float:
    """As it is shown: cut and never rounded, so that 29.996 does not read as the 30 that it is not."""
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN))


@lru_cache(maxsize=65536)
def canonical(test: str, value: float, unit: str) -> float | None:
    """The value in the test's own unit, unrounded; None for a unit that this test does not have."""
    known = TESTS[test].units
    scale = known.get(unit) or known.get(unit.strip())
    if scale is None:
        folded = {name.casefold(): pair for name, pair in known.items()}
        scale = folded.get(unit.strip().casefold())
    if scale is None:
        return None
    factor, offset = scale
    return value if factor == "1" else float(Decimal(repr(value)) * Decimal(factor) + Decimal(offset))


def values_of(patient: Patient, test: str, as_of: date) -> Values:
    """Every recorded value of the test; for BMI also those that weight and height give."""
    usable: list[Value] = []
    rejected: list[Rejected] = []
    spec, born = TESTS[test], patient.birth_date or date.min
    for seen in patient.observations_by_test.get(test, ()):
        day = seen.date
        if day is None or not born <= day <= as_of:
            rejected.append(_rejected(seen, "missing", _impossible_date(day, as_of)))
        elif not seen.unit:
            rejected.append(_rejected(seen, "unit", "no unit"))
        elif (value := canonical(test, seen.value, seen.unit)) is None:
            rejected.append(_rejected(seen, "unit", f"{seen.unit!r} is not a unit of {spec.name}"))
        elif not spec.low <= value <= spec.high:
            rejected.append(_rejected(seen, "ambiguous", f"not a possible {spec.name}"))
        else:
            usable.append(Value(value, day, (seen,)))
    if test == "bmi":
        usable += _derived_bmi(patient, as_of, usable)
    if len(usable) > 1:
        usable.sort(key=_date_of, reverse=True)
    return Values(usable, rejected)


def later_values(patient: Patient, as_of: date) -> tuple[Evidence, ...]:
    """Every recorded value that is dated after the day of judgement, newest first: it shows nothing on that day."""
    later = [seen for seen in patient.observations if seen.date and seen.date > as_of]
    later.sort(key=lambda seen: (seen.date, seen.id), reverse=True)
    return tuple(
        Evidence(record_id=seen.id, kind=seen.test, value=seen.value, unit=seen.unit, date=seen.date)
        for seen in later
    )


_date_of = operator.attrgetter("date")


def _impossible_date(day: date | None, as_of: date) -> str:
    if day is None:
        return "no date"
    return f"dated after {as_of}" if day > as_of else "dated before birth"


def _rejected(seen: Observation, reason: Reason, note: str) -> Rejected:
    evidence = Evidence(
        record_id=seen.id, kind=seen.test, value=seen.value, unit=seen.unit, date=seen.date, note=note
    )
    return Rejected(reason, evidence, seen.date)


def _derived_bmi(patient: Patient, as_of: date, recorded: Sequence[Value]) -> list[Value]:
    """BMI of every weight with a height of its own day; on days without any BMI, with the newest height
    before it, since adults keep theirs. One that the day's recorded BMI is the rounding of is no other value."""
    reported = {value.date for value in recorded}
    weights = values_of(patient, "weight", as_of).usable
    heights = values_of(patient, "height", as_of).usable
    derived = []
    for weight in weights:
        same_day = [height for height in heights if height.date == weight.date]
        earlier = [height for height in heights if height.date < weight.date]
        for height in same_day or ([] if weight.date in reported else earlier[:1]):
            derived.append(_bmi(weight, height))
    if not reported:
        return derived
    return [bmi for bmi in derived if not any(_is_rounding(value, bmi) for value in recorded)]


def _bmi(weight: Value, height: Value) -> Value:
    bmi = float(Decimal(repr(weight.value)) / _square_metres(height.value))
    return Value(bmi, weight.date, (weight.seen[0], height.seen[0]))


@lru_cache(maxsize=4096)
def _square_metres(height: float) -> Decimal:
    """The square of a height in cm."""
    metres = Decimal(repr(height)) / 100
    return metres * metres


def _is_rounding(recorded: Value, exact: Value) -> bool:
    """Is the recorded value what the exact one of its day is to as many decimals, at least one?"""
    if recorded.date != exact.date:
        return False
    decimals = max(1, len(repr(recorded.value).partition(".")[2]))
    return round_half_up(exact.value, decimals) == recorded.value


def governing(values: Sequence[Value]) -> Sequence[Value]:
    """The newest day's values (several only if that day has several); `values` are newest first."""
    if len(values) < 2 or values[1].date != values[0].date:
        return values[:1]
    return [value for value in values if value.date == values[0].date]
