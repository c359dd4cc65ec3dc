"""Counts the days of `cases.yaml` by walking the calendar: nothing of Paladin's, and no library's holidays.

    python -m evals.clocks.walk > evals/clocks/cases.yaml

The federal holidays stand in walk.yaml as a clerk has them on the wall; the periods are typed from the regulations into
sorts.csv, not read from clocks.yaml. Each case tells in `why` how its day was reached.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import yaml

KNOWN: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
HOLIDAYS: dict[int, str] = KNOWN["holidays"]
DAYS: list[str] = KNOWN["days"]
ALL = "commercial self_funded state_employees exchange"
PART_D = "medicare_part_d medicare_advantage"
LINES = {"all": ALL, "group": ALL.removesuffix(" exchange"), "part_d": PART_D}
MORE: dict[str, dict[str, Any]] = {"exception": {"ask": "exception"}, "two levels": {"internal_levels": 2}}


class Sort(NamedTuple):
    """A clock as the reference has it: who has it, from when it runs, for how long."""

    id: str
    lines: str
    clock: str
    level: str
    urgency: str
    start: str  # sent, dated, received, presumed
    days: int = 0
    hours: int = 0
    longer: int = 0
    more: dict[str, Any] = {}


def read_sorts() -> tuple[Sort, ...]:
    """The rows of sorts.csv; an empty number is none."""
    with Path(__file__).with_name("sorts.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Sort(
                row["id"], LINES.get(row["lines"], row["lines"]), row["clock"], row["level"], row["urgency"],
                row["start"], days=int(row["days"] or 0), hours=int(row["hours"] or 0),
                longer=int(row["longer"] or 0), more=MORE.get(row["more"], {}),
            )
            for row in csv.DictReader(file)
        )  # fmt: skip


SORTS = read_sorts()


def cases() -> Iterator[dict[str, Any]]:
    for number, sort in enumerate(SORTS):
        lines = sort.lines.split()
        for turn in range(5):
            yield _case(sort, lines[turn % len(lines)], DAYS[(number * 5 + turn * 3) % len(DAYS)], turn)
    for number, day in enumerate(KNOWN["external"]):
        yield _external(ALL.split()[number % 4], day)
    yield from _received()
    yield from _by_the_hour()
    yield from _tolled()
    yield from _statements()
    yield from _mailed()
    yield from _letters()


# --- the calendar ----------------------------------------------------------------------------------------


def on(day: str) -> date:
    return date.fromisoformat(day)


def walk(day: str, days: int) -> tuple[str, str]:
    """So many days on, and the tale of it, month by month."""
    passed = [on(day) + timedelta(days=number) for number in range(1, days + 1)]
    months = Counter(f"{one:%B %Y}" for one in passed)
    told = ", ".join(f"{count} in {month}" for month, count in months.items())
    return str(passed[-1]), f"{days} {'day' if days == 1 else 'days'}: {told}, to {passed[-1]}"


def months_on(day: str, months: int) -> tuple[str, str]:
    """The same day so many months later, or the first of the next where that month has no such day."""
    first = (on(day).replace(day=1) + timedelta(days=31 * months)).replace(day=1)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    if on(day).day <= last.day:
        found = first.replace(day=on(day).day)
        return str(found), f"{months} months: to {found}"
    after = last + timedelta(days=1)
    return str(after), f"{months} months: {last:%B %Y} has no day {on(day).day}, so {after}"


def working(day: str) -> tuple[str, str]:
    """The day, or the next one on which offices work."""
    told, at = "", on(day)
    while (holiday := f"{at:%m%d}" in HOLIDAYS[at.year].split()) or at.weekday() > 4:
        told += f"; {at} is {'a federal holiday' if holiday else f'a {at:%A}'}"
        at += timedelta(days=1)
    return str(at), f"{told}; {at} is a {at:%A}"


# --- the cases -------------------------------------------------------------------------------------------


def _made(sort: Sort, line: str, why: str, **facts: Any) -> dict[str, Any]:
    """A case in the order of its file; what is None is not said."""
    head = {
        "id": sort.id,
        "line": line,
        "clock": sort.clock,
        "level": sort.level,
        "urgency": sort.urgency,
        **sort.more,
    }
    return head | {name: value for name, value in facts.items() if value is not None} | {"why": why}


def _longer(sort: Sort, due: str) -> tuple[str | None, str]:
    """The day to which it may be extended, if it may."""
    if not sort.longer:
        return None, ""
    last, step = walk(due, sort.longer)
    return last, f"; extended by {step}"


def _case(sort: Sort, line: str, day: str, turn: int) -> dict[str, Any]:
    told, begins = f"{sort.start} {day}", day
    if sort.start == "presumed":
        begins, step = walk(day, 5)
        told = f"notice of {day}; presumed received 5 days later ({step})"
    due, step = walk(begins, sort.days or sort.hours // 24)
    extended, more = _longer(sort, due)
    noted = day if sort.start == "received" and turn % 2 else None
    if sort.start == "received" and not noted:
        told = f"nobody noted when the notice of {day} came in, so its date counts"
    why = f"{told}; {f'{sort.hours} hours are {step}' if sort.hours else step}{more}"
    begun = {"sent" if sort.start == "sent" else "dated": day}
    return _made(sort, line, why, **begun, received=noted, due=due, extended=extended)


def _external(line: str, day: str) -> dict[str, Any]:
    reached, told = months_on(day, 4)
    due, rolled = working(reached)
    sort = Sort("external-file", ALL, "file", "external", "standard", "received")
    return _made(sort, line, f"received {day}; {told}{rolled}", dated=day, received=day, due=due)


def _received() -> Iterator[dict[str, Any]]:
    """A day of receipt on record goes before the presumed one, earlier or later."""
    dated = "2027-12-27"
    for sort in (sort for sort in SORTS if sort.start == "presumed"):
        for days in (2, 9):
            begins, came = walk(dated, days)
            due, step = walk(begins, sort.days)
            why = f"notice of {dated} came in after {came}; {step}"
            yield _made(sort, "medicare_part_d", why, dated=dated, received=begins, due=due)
    for sort in (sort for sort in SORTS if sort.start == "dated"):
        due, step = walk(dated, sort.days)
        why = f"the date of the notice counts, {dated}, not when it came in; {step}"
        yield _made(sort, "medicaid", why, dated=dated, received=walk(dated, 6)[0], due=due)


def _by_the_hour() -> Iterator[dict[str, Any]]:
    """Hours run through nights, weekends and the year's end, to the minute."""
    for sort in (sort for sort in SORTS if sort.hours and sort.start == "sent"):
        day = "2027-12-31"
        due, step = walk(day, sort.hours // 24)
        why = f"{sort.hours} hours from {day} 16:45 are {step}, 16:45"
        facts = {"sent": day, "time": "16:45", "due": due, "at": "16:45", "extended": _longer(sort, due)[0]}
        yield _made(sort, sort.lines.split()[0], why, **facts)


def _tolled() -> Iterator[dict[str, Any]]:
    """15 days and 15 more, and the days between the plan's question and our answer do not count."""
    sort = Sort("claim-decision-after-answer", ALL, "decision", "answered", "standard", "sent")
    for sent, asked, answered in KNOWN["tolled"]:
        waited = (on(answered) - on(asked)).days
        due, step = walk(sent, 30 + waited)
        why = f"30 days and the {waited} from {asked} to {answered}; {step}"
        yield _made(sort, "commercial", why, sent=sent, asked=asked, answered=answered, due=due)
    sort = Sort("claim-decision-expedited-after-answer", ALL, "decision", "answered", "expedited", "sent")
    due, step = walk("2026-12-30", 2)
    facts = {"sent": "2026-12-28", "asked": "2026-12-29", "answered": "2026-12-30", "due": due}
    yield _made(sort, "self_funded", f"48 hours from the answer of 2026-12-30 are {step}", **facts)


def _statements() -> Iterator[dict[str, Any]]:
    """An exception's clock begins with the prescriber's statement, or 14 days after the request without it."""
    for urgency, days in (("standard", 3), ("expedited", 1)):
        name = "part-d-exception-decision" + ("-expedited" if urgency == "expedited" else "")
        sort = Sort(name, PART_D, "decision", "request", urgency, "sent", more=MORE["exception"])
        for sent, came in KNOWN["statements"]:
            due, step = walk(came, days)
            why = f"the statement came on {came}; {step}"
            yield _made(sort, "medicare_part_d", why, sent=sent, statement=came, due=due)
        for day in KNOWN["without a statement"]:
            due, step = walk(day, 14 + days)
            why = f"no statement: 14 days after {day} and then {days}; {step}"
            yield _made(sort, "medicare_advantage", why, sent=day, due=due)


def _mailed() -> Iterator[dict[str, Any]]:
    """What is mailed is allowed five days to arrive, unless somebody noted when it did."""
    for day, noted in KNOWN["mailed"]:
        for sort in (SORTS[0], SORTS[7], SORTS[17]):
            came, told = (noted, f"received {noted}") if noted else walk(day, 5)
            due, step = walk(came, sort.days)
            facts = {"channel": "mail", "received": noted, "due": due, "extended": _longer(sort, due)[0]}
            yield _made(sort, sort.lines.split()[0], f"mailed {day}, {told}; then {step}", sent=day, **facts)


def _letters() -> Iterator[dict[str, Any]]:
    """The letter's own day is worked to where it is earlier, and shown where it is later."""
    for name, line, dated, deadline in KNOWN["letters"]:
        sort = next(sort for sort in SORTS if sort.id == name)
        law, step = walk(walk(dated, 5)[0] if sort.start == "presumed" else dated, sort.days)
        facts = {"dated": dated, "deadline": deadline, "due": min(law, deadline), "differs": law != deadline}
        yield _made(sort, line, f"the law: {step}; the letter: {deadline}", **facts)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) and any(mark in value for mark in ":,;") else str(value)


if __name__ == "__main__":
    print("# Made by `python -m evals.clocks.walk`, which walks the calendar; `why` tells how.")
    for made in cases():
        print("- {" + ", ".join(f"{key}: {_value(value)}" for key, value in made.items()) + "}")
