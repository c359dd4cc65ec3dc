"""Working days of the federal government: what a legal time rolls over to where its rule says so."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

SATURDAY = 5


def working_day(day: date) -> bool:
    """Neither Saturday nor Sunday nor a federal holiday, as it is observed."""
    return day.weekday() < SATURDAY and day not in _holidays(day.year)


def next_working_day(day: date) -> date:
    """The day itself, or the first working day after it."""
    while not working_day(day):
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    """Those of 5 U.S.C. 6103; a New Year's Day on a Saturday is observed in the old year."""
    from holidays import country_holidays

    return frozenset(day for day in country_holidays("US", years=(year, year + 1)) if day.year == year)
