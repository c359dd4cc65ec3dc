"""What is asked for against a policy's limits: the rate, the first strength's days, a year's and a lifetime's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from evals.oracle.chart import Chart, Entry, day
from evals.oracle.judging import Ask
from evals.oracle.table import Limit
from evals.oracle.trials import by_content
from evals.oracle.verdicts import NO, OPEN, YES, Truth, worst

_LONG_AGO = date(1900, 1, 1)


@dataclass(frozen=True)
class _Had:
    """Days that were had for sure, days that may have been, what was counted, and whether all of it was."""

    days: int
    most: int
    amount: Decimal
    all_counted: bool


def held_to_limits(limits: list[Limit], asked: Ask, chart: Chart) -> tuple[str, Truth]:
    """The clause that decides the amount, and its answer: one that is broken, one that is open, or the first."""
    answers = [(limit.number, _answer(limit, asked, chart)) for limit in _that_hold(limits, asked)]
    decisive = worst(answer for _, answer in answers)
    return next((one for one in answers if one[1] == decisive), ("", YES))


def _that_hold(limits: list[Limit], asked: Ask) -> Iterator[Limit]:
    """Of the rates one, what is said of the use before what is said of all; then the others."""
    rates = [limit for limit in limits if not limit.starting and not limit.dispensed]
    of_use = {limit.strength: limit for limit in rates if asked.use in limit.uses}
    of_all = {limit.strength: limit for limit in rates if not limit.uses}
    general = "" if of_use else asked.strength
    tables = ((asked.strength, of_use), ("", of_use), (general, of_all), ("", of_all))
    yield from [table[name] for name, table in tables if name in table][:1]
    starts = [limit for limit in limits if limit.starting and limit.strength == asked.strength]
    yield from ([s for s in starts if asked.use in s.uses] or [s for s in starts if not s.uses])[:1]
    totals = [limit for limit in limits if limit.dispensed and (not limit.uses or asked.use in limit.uses)]
    yield from sorted(totals, key=lambda limit: not limit.uses)


def _answer(limit: Limit, asked: Ask, chart: Chart) -> Truth:
    if limit.dispensed:
        return _in_all(limit, asked, chart)
    if limit.starting:
        return _of_the_start(limit, asked, chart)
    if asked.amount is None or not asked.days:
        return OPEN
    return int(asked.amount * limit.days <= limit.amount * asked.days)


def _of_the_start(limit: Limit, asked: Ask, chart: Chart) -> Truth:
    wanted = asked.days or 0
    had = _had(chart, asked, asked.dose, _LONG_AGO)
    if wanted > limit.days or (wanted and had.days + wanted > limit.days):
        return NO
    return OPEN if wanted and had.most + wanted > limit.days else YES


def _in_all(limit: Limit, asked: Ask, chart: Chart) -> Truth:
    wanted = asked.days if limit.of_days else asked.amount
    if wanted is None or (chart.listed("medications") is None and not chart.noted("fills")):
        return OPEN
    since = chart.as_of - timedelta(days=limit.days) if limit.days else _LONG_AGO
    had = _had(chart, asked, None, since)
    if (had.days if limit.of_days else had.amount) + wanted > limit.amount:
        return NO
    open_one = had.most + wanted > limit.amount if limit.of_days else not had.all_counted
    return OPEN if open_one else YES


# --- what was had before -------------------------------------------------------------------------------------


def _had(chart: Chart, asked: Ask, dose: Decimal | None, since: date) -> _Had:
    """Of the product, at that dose or, without one, at any."""
    taken = [e for e in chart.noted("medications") if e.get("source") != "sample"]
    courses = [(e, worst((_is_it(e, asked), _is_dated(e), _is_at(e, dose)))) for e in taken]
    filled = [f for f in chart.noted("fills") if since <= date.fromisoformat(f["date"]) <= chart.as_of]
    fills = [(f, worst((_is_it(f, asked), _fill_is_at(f, asked, chart, dose)))) for f in filled]
    sure = [f for f, truth in fills if truth == YES]
    may = [f for f, truth in fills if truth is OPEN]
    days = max(_days((e for e, truth in courses if truth == YES), chart, since), _supplied(sure))
    most = max(_days((e for e, truth in courses if truth != NO), chart, since), _supplied([*sure, *may]))
    counted = not may and all(f.get("quantity") is not None for f in sure) and (not most or bool(filled))
    amount = sum((Decimal(str(f["quantity"])) for f in sure if f.get("quantity") is not None), Decimal(0))
    return _Had(days, most, amount, counted)


def _is_it(item: Entry, asked: Ask) -> Truth:
    if item["drug"].lower() == asked.drug["name"].lower():
        return YES
    return OPEN if by_content(item) and [by_content(item)] == asked.drug["ingredients"] else NO


def _is_dated(entry: Entry) -> Truth:
    return YES if entry.get("start") and (entry.get("end") or entry.get("status") == "active") else OPEN


def _is_at(entry: Entry, dose: Decimal | None) -> Truth:
    if dose is None:
        return YES
    known = entry.get("dose") is not None and entry.get("dose_unit") == "mg"
    return int(Decimal(str(entry["dose"])) == dose) if known else OPEN


def _fill_is_at(fill: Entry, asked: Ask, chart: Chart, dose: Decimal | None) -> Truth:
    """By its package; where that is not known, by what is charted for its day."""
    if dose is None:
        return YES
    package = next((_eleven(s["ndc"]) for s in asked.drug["strengths"] if s["label"] == asked.strength), "")
    if fill.get("ndc") and package:
        return int(fill["ndc"] == package)
    when = date.fromisoformat(fill["date"])
    charted = [
        _is_at(e, dose)
        for e in chart.noted("medications")
        if _is_it(e, asked) == YES
        and (day(e.get("start")) or date.min) <= when <= (day(e.get("end")) or date.max)
    ]
    return YES if YES in charted else OPEN if OPEN in charted or not charted else NO


def _eleven(ndc: str) -> str:
    """A package's number as claims write it."""
    parts = ndc.split("-")
    return "".join(p.zfill(n) for p, n in zip(parts, (5, 4, 2), strict=True)) if len(parts) == 3 else ""


def _days(entries: Iterable[Entry], chart: Chart, since: date) -> int:
    days: set[date] = set()
    for entry in entries:
        first = max(day(entry.get("start")) or _LONG_AGO, since)
        last = min(day(entry.get("end")) or chart.as_of, chart.as_of)
        days |= {first + timedelta(days=n) for n in range((last - first).days)}
    return len(days)


def _supplied(fills: Iterable[Entry]) -> int:
    return sum(int(fill["days_supply"]) for fill in fills)
