"""Counts the days of `cases.yaml` by walking a calendar that was typed by hand: no library, and nothing of Paladin's.

    python -m evals.clocks.walk > evals/clocks/cases.yaml

The months, the leap years and the federal holidays stand here as a clerk has them on the wall; the periods are
typed from the regulations into sorts.csv, not read from clocks.yaml. Each case tells in `why` how its day was reached.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

Day = tuple[int, int, int]  # year, month, day
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEK = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
# As observed: New Year, King, Washington, Memorial, Juneteenth, Independence, Labor, Columbus, Veterans, Thanksgiving,
# Christmas.
HOLIDAYS = {
    2025: "0101 0120 0217 0526 0619 0704 0901 1013 1111 1127 1225",
    2026: "0101 0119 0216 0525 0619 0703 0907 1012 1111 1126 1225",
    2027: "0101 0118 0215 0531 0618 0705 0906 1011 1111 1125 1224 1231",
    2028: "0117 0221 0529 0619 0704 0904 1009 1110 1123 1225",
    2029: "0101 0115 0219 0528 0619 0704 0903 1008 1112 1122 1225",
}


def length(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else LENGTHS[month - 1]


def text(day: Day) -> str:
    return f"{day[0]:04}-{day[1]:02}-{day[2]:02}"


def tomorrow(day: Day) -> Day:
    year, month, number = day
    if number < length(year, month):
        return year, month, number + 1
    return (year + 1, 1, 1) if month == 12 else (year, month + 1, 1)


def walk(day: Day, days: int) -> tuple[Day, str]:
    """So many days on, month by month, and the tale of it."""
    passed: dict[tuple[int, int], int] = {}
    for _ in range(days):
        day = tomorrow(day)
        place = (day[0], day[1])
        passed[place] = passed.get(place, 0) + 1
    told = [f"{count} in {NAMES[month - 1]} {year}" for (year, month), count in passed.items()]
    return day, f"{days} {'day' if days == 1 else 'days'}: {', '.join(told)}, to {text(day)}"


def weekday(day: Day) -> str:
    """Counted from 1 January 2025, a Wednesday."""
    count, at = 3, (2025, 1, 1)
    while at != day:
        count, at = count + 1, tomorrow(at)
    return WEEK[count % 7]


def months_on(day: Day, months: int) -> tuple[Day, str]:
    year, month = day[0], day[1] + months
    if month > 12:
        year, month = year + 1, month - 12
    if day[2] <= length(year, month):
        found = (year, month, day[2])
        return found, f"{months} months: to {text(found)}"
    last = (year, month, length(year, month))
    return tomorrow(
        last
    ), f"{months} months: {NAMES[month - 1]} {year} has no day {day[2]}, so {text(tomorrow(last))}"


def working(day: Day) -> tuple[Day, str]:
    told = ""
    while True:
        name = weekday(day)
        holiday = f"{day[1]:02}{day[2]:02}" in HOLIDAYS[day[0]].split()
        if name not in ("Saturday", "Sunday") and not holiday:
            return day, f"{told}; {text(day)} is a {name}"
        told += f"; {text(day)} is {'a federal holiday' if holiday else f'a {name}'}"
        day = tomorrow(day)


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
    more: tuple[tuple[str, Any], ...] = ()


GROUP = "commercial self_funded state_employees"
ALL = f"{GROUP} exchange"
PART_D = "medicare_part_d medicare_advantage"
EXCEPTION = (("ask", "exception"),)
TWO = (("internal_levels", 2),)
LINES = {"all": ALL, "group": GROUP, "part_d": PART_D}
MORE: dict[str, tuple[tuple[str, Any], ...]] = {"": (), "exception": EXCEPTION, "two levels": TWO}


def read_sorts() -> tuple[Sort, ...]:
    """The rows of sorts.csv; an empty number is none."""
    with Path(__file__).with_name("sorts.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Sort(
                row["id"], LINES.get(row["lines"], row["lines"]), row["clock"], row["level"], row["urgency"],
                row["start"], days=int(row["days"] or 0), hours=int(row["hours"] or 0),
                longer=int(row["longer"] or 0), more=MORE[row["more"]],
            )
            for row in csv.DictReader(file)
        )  # fmt: skip


SORTS = read_sorts()
# An ordinary day; into a leap February and into a common one; over the year's end; the last day of a month; a Friday
# before a holiday weekend: only what its rule rolls over is rolled over.
DAYS: tuple[Day, ...] = (
    (2026, 9, 1), (2028, 2, 27), (2027, 2, 27), (2026, 12, 30), (2026, 8, 31), (2027, 7, 2), (2027, 12, 31),
    (2028, 1, 31), (2028, 2, 29), (2026, 1, 1), (2026, 11, 25),
)  # fmt: skip
# For four months to a Saturday, a Sunday, a holiday, a day that the month has not, and through a leap day.
EXTERNAL: tuple[Day, ...] = (
    (2026, 9, 1), (2026, 10, 29), (2026, 10, 30), (2026, 10, 31), (2027, 10, 29), (2027, 10, 30), (2027, 10, 31),
    (2026, 3, 3), (2026, 3, 4), (2026, 8, 25), (2026, 8, 31), (2026, 9, 18), (2026, 5, 7), (2027, 2, 19), (2027, 8, 24),
    (2027, 8, 31), (2026, 7, 11), (2028, 7, 10), (2028, 7, 11), (2028, 6, 30), (2027, 10, 28), (2025, 12, 31),
    (2026, 1, 31), (2026, 2, 28), (2026, 5, 31), (2027, 9, 1), (2028, 2, 29), (2028, 8, 25),
)  # fmt: skip


def cases() -> Iterator[dict[str, Any]]:
    for number, sort in enumerate(SORTS):
        lines = sort.lines.split()
        for turn in range(5):
            day = DAYS[(number * 5 + turn * 3) % len(DAYS)]
            yield _case(sort, lines[turn % len(lines)], day, turn)
    for number, day in enumerate(EXTERNAL):
        yield _external(ALL.split()[number % 4], day)
    yield from _received()
    yield from _by_the_hour()
    yield from _tolled()
    yield from _statements()
    yield from _mailed()
    yield from _letters()


def _case(sort: Sort, line: str, day: Day, turn: int) -> dict[str, Any]:
    told, begins = [f"{sort.start} {text(day)}"], day
    if sort.start == "presumed":
        begins, step = walk(day, 5)
        told = [f"notice of {text(day)}", f"presumed received 5 days later ({step})"]
    due, step = walk(begins, sort.days or sort.hours // 24)
    told.append(f"{sort.hours} hours are {step}" if sort.hours else step)
    found = _head(sort, line)
    found["sent" if sort.start == "sent" else "dated"] = text(day)
    if sort.start == "received":
        if turn % 2:
            found["received"] = text(day)
        else:
            told[0] = f"nobody noted when the notice of {text(day)} came in, so its date counts"
    found["due"] = text(due)
    if sort.longer:
        last, step = walk(due, sort.longer)
        found["extended"] = text(last)
        told.append(f"extended by {step}")
    return found | {"why": "; ".join(told)}


def _head(sort: Sort, line: str) -> dict[str, Any]:
    kept = {"id": sort.id, "line": line, "clock": sort.clock, "level": sort.level, "urgency": sort.urgency}
    return kept | dict(sort.more)


EXTERNAL_FILE = Sort("external-file", ALL, "file", "external", "standard", "received")


def _external(line: str, day: Day) -> dict[str, Any]:
    reached, told = months_on(day, 4)
    due, rolled = working(reached)
    found = _head(EXTERNAL_FILE, line) | {"dated": text(day), "received": text(day), "due": text(due)}
    return found | {"why": f"received {text(day)}; {told}{rolled}"}


def _received() -> Iterator[dict[str, Any]]:
    """A day of receipt on record goes before the presumed one, earlier or later."""
    for sort in SORTS:
        if sort.start != "presumed":
            continue
        for days in (2, 9):
            dated: Day = (2027, 12, 27)
            begins, came = walk(dated, days)
            due, step = walk(begins, sort.days)
            found = _head(sort, "medicare_part_d") | {
                "dated": text(dated),
                "received": text(begins),
                "due": text(due),
            }
            yield found | {"why": f"notice of {text(dated)} came in after {came}; {step}"}
    for sort in SORTS:
        if sort.start != "dated":
            continue
        dated = (2027, 12, 27)
        begins, came = walk(dated, 6)
        due, step = walk(dated, sort.days)
        found = _head(sort, "medicaid") | {"dated": text(dated), "received": text(begins), "due": text(due)}
        yield found | {"why": f"the date of the notice counts, {text(dated)}, not when it came in; {step}"}


def _by_the_hour() -> Iterator[dict[str, Any]]:
    """Hours run through nights, weekends and the year's end, to the minute."""
    for sort in SORTS:
        if not sort.hours or sort.start != "sent":
            continue
        day: Day = (2027, 12, 31)
        due, step = walk(day, sort.hours // 24)
        line = sort.lines.split()[0]
        found = _head(sort, line) | {"sent": text(day), "time": "16:45", "due": text(due), "at": "16:45"}
        if sort.longer:
            found["extended"] = text(walk(due, sort.longer)[0])
        yield found | {"why": f"{sort.hours} hours from {text(day)} 16:45 are {step}, 16:45"}


def _tolled() -> Iterator[dict[str, Any]]:
    """15 days and 15 more, and the days between the plan's question and our answer do not count."""
    for sent, asked, answered in (
        ((2026, 9, 1), (2026, 9, 11), (2026, 9, 21)),
        ((2026, 12, 20), (2026, 12, 30), (2027, 1, 25)),
        ((2028, 2, 10), (2028, 2, 24), (2028, 3, 1)),
        ((2027, 2, 10), (2027, 2, 24), (2027, 3, 1)),
        ((2026, 9, 1), (2026, 9, 11), (2026, 9, 11)),
    ):
        waited, at = 0, asked
        while at != answered:
            waited, at = waited + 1, tomorrow(at)
        due, step = walk(sent, 30 + waited)
        sort = Sort("claim-decision-after-answer", ALL, "decision", "answered", "standard", "sent")
        found = _head(sort, "commercial") | {
            "sent": text(sent), "asked": text(asked), "answered": text(answered), "due": text(due),
        }  # fmt: skip
        yield found | {"why": f"30 days and the {waited} from {text(asked)} to {text(answered)}; {step}"}
    sort = Sort("claim-decision-expedited-after-answer", ALL, "decision", "answered", "expedited", "sent")
    due, step = walk((2026, 12, 30), 2)
    found = _head(sort, "self_funded") | {
        "sent": "2026-12-28", "asked": "2026-12-29", "answered": "2026-12-30", "due": text(due),
    }  # fmt: skip
    yield found | {"why": f"48 hours from the answer of 2026-12-30 are {step}"}


def _statements() -> Iterator[dict[str, Any]]:
    """An exception's clock begins with the prescriber's statement, or 14 days after the request without it."""
    for urgency, days in (("standard", 3), ("expedited", 1)):
        name = "part-d-exception-decision" + ("-expedited" if urgency == "expedited" else "")
        sort = Sort(name, PART_D, "decision", "request", urgency, "sent", more=EXCEPTION)
        for sent, came in (
            ((2026, 9, 1), (2026, 9, 9)),
            ((2027, 12, 29), (2027, 12, 31)),
            ((2028, 2, 20), (2028, 2, 28)),
        ):
            due, step = walk(came, days)
            found = _head(sort, "medicare_part_d") | {
                "sent": text(sent),
                "statement": text(came),
                "due": text(due),
            }
            yield found | {"why": f"the statement came on {text(came)}; {step}"}
        for day in ((2026, 9, 1), (2027, 12, 20), (2028, 2, 14)):
            due, step = walk(day, 14 + days)
            found = _head(sort, "medicare_advantage") | {"sent": text(day), "due": text(due)}
            yield found | {"why": f"no statement: 14 days after {text(day)} and then {days}; {step}"}


def _mailed() -> Iterator[dict[str, Any]]:
    """What is mailed is allowed five days to arrive, unless somebody noted when it did."""
    for day, received in (
        ((2026, 9, 1), None),
        ((2026, 12, 29), None),
        ((2028, 2, 25), None),
        ((2026, 9, 1), (2026, 9, 3)),
    ):
        for sort in (SORTS[0], SORTS[7], SORTS[17]):
            came, told = (received, f"received {text(received)}") if received else walk(day, 5)
            due, step = walk(came, sort.days)
            found = _head(sort, sort.lines.split()[0]) | {"sent": text(day), "channel": "mail"}
            found |= {"received": text(received)} if received else {}
            found |= {"due": text(due)}
            if sort.longer:
                found["extended"] = text(walk(due, sort.longer)[0])
            yield found | {"why": f"mailed {text(day)}, {told}; then {step}"}


def _letters() -> Iterator[dict[str, Any]]:
    """The letter's own day is worked to where it is earlier, and shown where it is later."""
    for name, line, dated, deadline in (
        ("internal-file", "commercial", (2026, 9, 1), (2026, 10, 31)),
        ("internal-file", "commercial", (2026, 9, 1), (2027, 3, 31)),
        ("redetermination-file", "medicare_part_d", (2026, 9, 1), (2026, 10, 31)),
        ("redetermination-file", "medicare_part_d", (2026, 9, 1), (2026, 11, 5)),
        ("plan-appeal-file", "medicaid", (2026, 9, 1), (2026, 11, 15)),
        ("plan-appeal-file", "medicaid", (2027, 12, 31), (2028, 2, 28)),
        ("fair-hearing-file", "medicaid", (2026, 9, 1), (2026, 11, 30)),
    ):
        sort = next(sort for sort in SORTS if sort.id == name)
        begins = walk(dated, 5)[0] if sort.start == "presumed" else dated
        law, step = walk(begins, sort.days)
        due = min(law, deadline)
        found = _head(sort, line) | {"dated": text(dated), "deadline": text(deadline), "due": text(due)}
        yield found | {"differs": law != deadline, "why": f"the law: {step}; the letter: {text(deadline)}"}


def _line(case: dict[str, Any]) -> str:
    """One case in one line of YAML."""
    parts = [f"{key}: {_value(value)}" for key, value in case.items()]
    return "- {" + ", ".join(parts) + "}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) and any(mark in value for mark in ":,;") else str(value)


if __name__ == "__main__":
    print("# Made by `python -m evals.clocks.walk`, which walks a calendar typed by hand; `why` tells how.")
    for made in cases():
        print(_line(made))
