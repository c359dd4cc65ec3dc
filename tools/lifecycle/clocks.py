"""The law's clocks (clocks.yaml) and how they count. Pure: whoever asks brings the day on which a clock begins.

Days are calendar days and the first is the one after the beginning; the last day counts in full, so that what is due on
a day is late on the next; what is due when the federal government does not work rolls over where its rule says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from tools.common.dates import add_months
from tools.common.errors import Invalid
from tools.domain.records import Record
from tools.lifecycle.levels import LEVELS
from tools.lifecycle.records import Ask, Urgency

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


Kind = Literal["decision", "answer", "file", "continue"]
Start = Literal["request", "statement", "appeal", "answer", "notice", "received"]
MAIL_DAYS = 5  # what we allow for a letter to arrive where nobody noted when it did

_BEGINS: dict[Start, str] = {
    "request": "the payer's receipt of the request",
    "statement": "the payer's receipt of the prescriber's statement",
    "appeal": "receipt of the appeal",
    "answer": "the payer's receipt of the answer",
    "notice": "the date of the notice",
    "received": "receipt of the notice",
}


class ClockRule(Record, frozen=True, kw_only=True):
    """One entry of clocks.yaml, which explains its keys."""

    id: str
    lines: tuple[str, ...]
    clock: Kind
    level: str
    urgency: Urgency | None = None
    ask: Ask | None = None
    internal: int | None = None
    start: Start
    presumed: int = 0
    hours: int | None = None
    days: int | None = None
    months: int | None = None
    without: int = 0
    tolled: bool = False
    longer: int = 0
    rolls: bool = False
    filed: Literal["received", "sent"] = "sent"
    cite: str
    late: str = ""
    note: str = ""

    @property
    def period(self) -> str:
        counted = {"hour": self.hours, "calendar day": self.days, "calendar month": self.months}
        number, unit = next((number, unit) for unit, number in counted.items() if number is not None)
        return f"{number} {unit}{'s' if number != 1 else ''}"


class Beginning(NamedTuple):
    """When a clock begins: the day, the time where hours count, and what is to be said of it if it is presumed."""

    day: date
    at: time | None = None
    presumed: str = ""


class Due(NamedTuple):
    """The last day, the time of that day where hours count, the last day if it is extended, and how it was counted."""

    day: date
    at: time | None
    extended: date | None
    how: str


def find(
    line: str,
    clock: Kind,
    level: str,
    *,
    urgency: Urgency = "standard",
    ask: Ask = "pa",
    internal_levels: int = 1,
) -> ClockRule | None:
    """The rule for this clock; None where the law gives no time. What fits an exception alone comes before what
    fits everything."""
    fitting = [
        rule
        for rule in rules()
        if line in rule.lines
        and (rule.clock, rule.level) == (clock, level)
        and rule.urgency in (None, urgency)
        and rule.ask in (None, ask)
        and rule.internal in (None, min(internal_levels, 2))
    ]
    return max(fitting, key=lambda rule: rule.ask is not None, default=None)


def count(rule: ClockRule, begins: Beginning, *, more_days: int = 0) -> Due:
    """When the time of this rule is over. `more_days` are those of a wait that does not count."""
    day, at = _after(rule, begins.day + timedelta(days=more_days), begins.at)
    rolled = next_working_day(day) if rule.rolls else day
    how = f"{rule.period} after {_BEGINS[rule.start]} on {begins.day}"
    if begins.presumed:
        how += f" ({begins.presumed})"
    if more_days:
        how += f", and {more_days} days that do not count"
    if rolled != day:
        how += f"; {day} is no working day"
    extended = rolled + timedelta(days=rule.longer) if rule.longer else None
    return Due(rolled, at, extended, how)


def receipt(rule: ClockRule, dated: date, received: date | None) -> Beginning:
    """When a notice of this date counts as received: on the day on record, else when the rule presumes it, else on
    its own date, which is the earliest that it can have been."""
    if rule.start == "notice":
        return Beginning(dated)
    if received is not None:
        return Beginning(received)
    if rule.presumed:
        presumed = f"presumed {rule.presumed} days after the notice of {dated}"
        return Beginning(dated + timedelta(days=rule.presumed), presumed=presumed)
    return Beginning(dated, presumed="its own date, as nobody noted when it came in")


def arrival(sent: date, channel: str | None, received: date | None, at: str = "") -> Beginning:
    """When the other side had what was sent: on the day on record; by mail some days later; else the same day."""
    if received is not None:
        return Beginning(received, time_of_day(at))
    if channel == "mail":
        presumed = f"presumed {MAIL_DAYS} days after mailing on {sent}"
        return Beginning(sent + timedelta(days=MAIL_DAYS), presumed=presumed)
    return Beginning(sent, time_of_day(at))


def _after(rule: ClockRule, day: date, at: time | None) -> tuple[date, time | None]:
    if rule.hours is not None:
        if at is None:
            return day + timedelta(days=-(-rule.hours // 24)), None
        end = datetime.combine(day, at) + timedelta(hours=rule.hours)
        return end.date(), end.time()
    if rule.days is not None:
        return day + timedelta(days=rule.days), None
    return _months_on(day, rule.months or 0), None


def _months_on(day: date, months: int) -> date:
    """The same day of the month, or the first of the next where that month has none."""
    found = add_months(day, months)
    return found if found.day == day.day else found + timedelta(days=1)


def time_of_day(at: str) -> time | None:
    if not at:
        return None
    try:
        return datetime.strptime(at, "%H:%M").time()
    except ValueError:
        raise Invalid(f"{at!r} is no time of day: write it as 14:30") from None


@lru_cache(maxsize=1)
def rules() -> tuple[ClockRule, ...]:
    """All of clocks.yaml; Invalid, naming the entry, if it contradicts itself."""
    import yaml

    found = yaml.safe_load((Path(__file__).parent / "clocks.yaml").read_text(encoding="utf-8"))
    read = tuple(_read(entry) for entry in found["clocks"])
    problems = list(_problems(read))
    if problems:
        raise Invalid(f"clocks.yaml: {'; '.join(problems)}")
    return read


def _read(entry: dict[str, Any]) -> ClockRule:
    try:
        return msgspec.convert(entry, ClockRule)
    except msgspec.ValidationError as error:
        raise Invalid(f"clocks.yaml, {entry.get('id')}: {error}") from None


def _problems(read: tuple[ClockRule, ...]) -> Iterator[str]:
    for rule in read:
        if sum(part is not None for part in (rule.hours, rule.days, rule.months)) != 1:
            yield f"{rule.id} needs one of hours, days and months"
        for line in rule.lines:
            known = {level.key for level in LEVELS.get(line, ())} | {"request", "answered"}
            if rule.level not in known:
                yield f"{rule.id}: {line} has no level {rule.level!r}"
    ids = [rule.id for rule in read]
    yield from (f"{one} stands there twice" for one in sorted({i for i in ids if ids.count(i) > 1}))
