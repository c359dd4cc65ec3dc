"""How much of a time the pharmacy's fills cover: the proportion of days covered. It shows what was collected, not what
was taken, and only what is on record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from tools.domain.records import Drug, Fill, Record


class Covered(Record, frozen=True, kw_only=True):
    """Days with a supply at hand, of all days from `start` to `end`; both included."""

    start: date
    end: date
    days: int
    fills: int
    last_until: date | None = None  # to when the newest fill lasts

    @property
    def of(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def share(self) -> float:
        return self.days / self.of


def covered(fills: Iterable[Fill], drug: Drug, start: date, end: date) -> Covered | None:
    """Of this brand, from its first fill in the time; what is collected early is used afterwards. None if there is no
    fill: that is unknown, not zero."""
    names = {drug.name.casefold(), *(alias.casefold() for alias in drug.aliases)}
    of_it = sorted(
        (f for f in fills if f.drug.casefold() in names and f.date <= end and f.days_supply > 0),
        key=lambda f: (f.date, f.id),
    )
    within = [fill for fill in of_it if fill.date >= start]
    if not within:
        return None
    first, free = within[0].date, within[0].date
    days = 0
    for fill in within:
        begins = max(fill.date, free)
        free = begins + timedelta(days=fill.days_supply)
        days += max((min(free - timedelta(days=1), end) - begins).days + 1, 0)
    return Covered(start=first, end=end, days=days, fills=len(within), last_until=free - timedelta(days=1))
