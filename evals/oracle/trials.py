"""Whether something was tried: long enough, at the dose, with the response, and by the claims that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

from evals.oracle.chart import Chart, Entry, Span, day
from evals.oracle.reading import Row
from evals.oracle.verdicts import NO, OPEN, YES, Truth, best, worst
from evals.oracle.vocabulary import TERMS


@dataclass(frozen=True)
class Tried:
    """Something that may be the trial. `days` are its days where they are not all those from first to last, `said`
    the responses that are its own, `at_odds` an entry that contradicts itself."""

    entries: tuple[Entry, ...]
    first: date | None
    last: date | None
    going_on: bool
    said: tuple[str, ...]
    days: frozenset[date] | None = None
    at_odds: bool = False


def names(row: Row, entry: Entry) -> bool:
    """Whether an entry is of a drug or class that the row names."""
    called = {str(entry.get("drug") or entry.get("substance")).lower()}
    called |= {ingredient.lower() for ingredient in entry.get("ingredients", ())}
    return bool(called & set(row.drugs)) or bool(set(entry.get("classes", ())) & set(row.classes))


def trial(row: Row, chart: Chart) -> Truth:
    """Whether there is such a trial; what nobody can identify may have been one."""
    entries = chart.noted("medications")
    answer = _trial(row, chart, entries)
    if answer is not OPEN and _twins_differ(row, chart, entries):
        return OPEN
    if answer != NO:
        return answer
    unknown = [entry["drug"].lower() for entry in (*strangers(entries), *_may_be_brand(row, entries))]
    may_be = [
        replace(row, drugs=(name,), classes=()) if row.at_once else replace(row, drugs=(*row.drugs, name))
        for name in unknown
    ]
    return OPEN if any(_trial(stranger, chart, entries) != NO for stranger in may_be) else NO


def twins(one: Entry, other: Entry) -> bool:
    """Two entries of one drug and dose that began on one day are two records of one course."""
    alike = ("ingredients", "dose", "formulation", "start")
    return one.get("start") is not None and all(one.get(key) == other.get(key) for key in alike)


def _twins_differ(row: Row, chart: Chart, entries: list[Entry]) -> bool:
    """Whether two records of one course would decide it differently."""
    pairs = [(one, other) for one in entries for other in entries if one is not other and twins(one, other)]
    named = [pair for pair in pairs if names(row, pair[0])]
    return any(_trial(row, chart, [one]) != _trial(row, chart, [other]) for one, other in named)


def by_content(entry: Entry) -> str:
    """What the entry's name says that it contains, where it names no brand; else ""."""
    name = entry["drug"].lower()
    made_of = entry.get("ingredients") or []
    brand = set(name.split()) & TERMS.contains.keys()
    return str(made_of[0]) if len(made_of) == 1 and made_of[0] in name and not brand else ""


def _may_be_brand(row: Row, entries: list[Entry]) -> list[Entry]:
    """Entries that name only what one of the row's brands contains."""
    contents = {TERMS.contains[name] for name in row.drugs if name in TERMS.contains}
    return [entry for entry in entries if by_content(entry) in contents]


def strangers(entries: list[Entry]) -> list[Entry]:
    """Medicines of which nobody knows what they are."""
    return [entry for entry in entries if not entry.get("ingredients")]


def _trial(row: Row, chart: Chart, entries: list[Entry]) -> Truth:
    """The best that the chart has."""
    if row.at_once:
        parts = _items(row)
        of_each = [list(_courses(part, chart, entries)) for part in parts]
        pairs = zip(parts, of_each, strict=True)
        absent = [_not_listed(part, chart, entries) for part, found in pairs if not found]
        tried = [_at_once(chosen) for chosen in product(*of_each)]
        return worst(absent) if absent else best([_judged(row, one, chart) for one in tried])
    tried = list(_courses(row, chart, entries))
    if not tried:
        return _not_listed(row, chart, entries)
    if row.added_up and not row.in_a_row:
        tried += _added_up(tried)
    return best([_judged(row, one, chart) for one in [*tried, *_parts(row, chart, tried)]])


def _items(row: Row) -> list[Row]:
    """The row once for each drug and class that it names."""
    return [
        *(replace(row, drugs=(name,), classes=()) for name in row.drugs),
        *(replace(row, drugs=(), classes=(key,)) for key in row.classes),
    ]


def _not_listed(row: Row, chart: Chart, entries: list[Entry]) -> Truth:
    """Never tried, or paid for and not on the list."""
    listed = any(names(row, entry) for entry in entries)
    paid = any(names(row, fill) for fill in chart.noted("fills"))
    return OPEN if paid and not listed else NO


# --- what may be the trial -----------------------------------------------------------------------------------


def _courses(row: Row, chart: Chart, entries: list[Entry]) -> Iterator[Tried]:
    """The stretches of each drug for itself; of all of them as one where their days in a row are added up."""
    by_drug: dict[str, list[Entry]] = {}
    for entry in entries:
        if not names(row, entry) or NO in _fits(row, entry):
            continue
        begun, ended = day(entry.get("start")), day(entry.get("end"))
        goes_on = entry.get("status") == "active" and ended and ended <= chart.as_of  # though it has ended
        if goes_on or (begun and ended and ended < begun):
            yield Tried((entry,), None, None, False, (), at_odds=True)
        else:
            by_drug.setdefault("" if row.added_up and row.in_a_row else drug_key(entry), []).append(entry)
    for group in by_drug.values():
        for span in chart.spans(group, int(row.gap)):
            yield _as_tried(span)


def _as_tried(span: Span) -> Tried:
    """The response is the last that was noted of the drug that was taken last."""
    key = drug_key(span.entries[-1])
    said = [str(e["outcome"]) for e in span.entries if e.get("outcome") and drug_key(e) == key]
    return Tried(span.entries, span.first, span.last, span.going_on, tuple(said[-1:]))


def _parts(row: Row, chart: Chart, tried: list[Tried]) -> Iterator[Tried]:
    """A part of a trial that answers by itself is a trial as well."""
    for one in tried:
        for entry in one.entries if len(one.entries) > 1 else ():
            if entry.get("outcome") or not row.responses:
                yield from map(_as_tried, chart.spans([entry]))


def _added_up(tried: list[Tried]) -> list[Tried]:
    """Every day on which any of them was taken, once."""
    dated = [t for t in tried if t.first and t.last and t.last >= t.first and not t.at_odds]
    dated.sort(key=lambda t: t.first or date.min)
    if len(dated) < 2:
        return []
    entries = tuple(e for t in dated for e in t.entries)
    days = frozenset(when for t in dated for when in _between(t.first, t.last))
    last = max(t.last for t in dated if t.last)
    return [Tried(entries, dated[0].first, last, any(t.going_on for t in dated), dated[-1].said, days)]


def _between(first: date | None, last: date | None) -> Iterator[date]:
    """The days of a trial: their number is its last less its first day."""
    assert first is not None and last is not None
    return (first + timedelta(days=n) for n in range((last - first).days))


def _at_once(chosen: tuple[Tried, ...]) -> Tried:
    """The days that all of these have, with the response to what was added last."""
    firsts, lasts = [t.first for t in chosen], [t.last for t in chosen]
    first = None if None in firsts else max(d for d in firsts if d)
    last = None if None in lasts else min(d for d in lasts if d)
    added = [t for t in chosen if first is None or t.first == first]
    said = {t.said for t in added}
    return Tried(
        tuple(e for t in chosen for e in t.entries), first, last, all(t.going_on for t in chosen),
        said.pop() if len(said) == 1 else (), at_odds=any(t.at_odds for t in chosen),
    )  # fmt: skip


# --- judging it ----------------------------------------------------------------------------------------------


def _judged(row: Row, tried: Tried, chart: Chart) -> Truth:
    first, last = tried.first, tried.last
    if tried.at_odds:
        return OPEN
    parts: list[Truth] = []
    if any((day(e.get("start")) or date.min) > chart.as_of for e in tried.entries):
        parts.append(OPEN)  # a date that can not be yet
    if any(OPEN in _fits(row, e) for e in tried.entries):
        parts.append(OPEN)
    if row.responses:
        fits = [any(said.lower().startswith(r) for r in row.responses) for said in tried.said]
        parts.append(int(fits[0]) if fits else OPEN)
    if row.window is not None and not tried.going_on:
        parts.append(int(last >= chart.since(row.window)) if last else OPEN)
    dated = first is not None and last is not None
    whole = len(tried.days) if tried.days is not None else len(list(_between(first, last))) if dated else 0
    if dated and whole < max(row.days, int(row.at_once)):
        return NO
    parts += _by_claims(row, tried, chart, whole if dated else None)
    return worst(parts)


def _by_claims(row: Row, tried: Tried, chart: Chart, whole: int | None) -> Iterator[Truth]:
    """What is asked of claims; days of a trial without dates are those that were paid for."""
    first, last = tried.first or date.min, tried.last or chart.as_of
    items = _items(row) if row.at_once else [row]
    paid_of_each = [_paid_days(row, _paid(item, chart, tried.entries), first, last) for item in items]
    paid = set.intersection(*paid_of_each)
    if tried.days is not None:
        paid &= tried.days
    if row.days and (row.claims or whole is None):
        yield _enough(_in_a_row(paid, int(row.gap)) if row.in_a_row else len(paid), row.days)
    if row.times:
        dispensed = _paid(row, chart, tried.entries)
        if tried.days is not None:
            reaching = [p for p in dispensed if _reaches(p, tried)]
        else:
            reaching = [p for p in dispensed if p[0] <= last and p[0] + timedelta(days=p[1]) > first]
        yield _enough(len({when for when, _ in reaching}), int(row.times))
    if row.share is not None:
        yield _enough(len(paid) * 100, whole * row.share) if whole else OPEN


def _reaches(paid: tuple[date, int], tried: Tried) -> bool:
    """Whether something of it was left for a day of the trial, or it was dispensed on the day after one."""
    days = tried.days or frozenset()
    when, supply = paid
    return when - timedelta(days=1) in days or any(when + timedelta(days=n) in days for n in range(supply))


def _fits(row: Row, entry: Entry) -> list[Truth]:
    """Whether an entry is of the formulation and the daily dose asked for."""
    said: list[Truth] = []
    if row.extended_release:
        kind = entry.get("formulation")
        said.append(OPEN if kind is None else int(kind == "ER"))
    if row.dose is not None:
        stated = entry.get("dose") and entry.get("per_day") and entry.get("dose_unit") == "mg"
        daily = Decimal(str(entry["dose"])) * Decimal(str(entry["per_day"])) if stated else None
        said.append(OPEN if daily is None else int(daily >= row.dose))
    return said


# --- claims --------------------------------------------------------------------------------------------------


def drug_key(entry: Entry) -> str:
    return "/".join(sorted(entry.get("ingredients", ()))) or entry["drug"].lower()


def _enough(there: int, asked: Decimal | int) -> Truth:
    """Claims may be incomplete: too few of them show nothing."""
    return YES if there >= asked else OPEN


def _paid(row: Row, chart: Chart, entries: tuple[Entry, ...]) -> list[tuple[date, int]]:
    """When the drug of these entries was paid for, and for how many days; the first first."""
    keys = {drug_key(e) for e in entries}
    paid = [
        (date.fromisoformat(fill["date"]), fill["days_supply"])
        for fill in chart.noted("fills")
        if names(row, fill) and drug_key(fill) in keys
    ]
    return sorted((pair for pair in paid if pair[0] <= chart.as_of), key=lambda pair: pair[0])


def _paid_days(row: Row, paid: Iterable[tuple[date, int]], first: date, last: date) -> set[date]:
    """The days of the trial that were paid for. Its length leaves out its last day, and so do they."""
    found: set[date] = set()
    left_until = date.min
    for when, supply in paid:
        begin = max(when, left_until) if row.carried_over else when
        found |= {begin + timedelta(days=n) for n in range(supply)}
        left_until = begin + timedelta(days=supply)
    return {when for when in found if first <= when < last}


def _in_a_row(days: set[date], gap: int) -> int:
    """How many of the days there are in the longest row."""
    longest, row, before = 0, 0, date.min
    for when in sorted(days):
        row = row + 1 if (when - before).days <= max(gap, 1) else 1
        longest, before = max(longest, row), when
    return longest
