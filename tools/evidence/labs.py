"""Leaves that rest on measured values: a bound, a recent measurement, a change from baseline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

import msgspec

from tools.evidence.courses import Course, courses_of, matches
from tools.evidence.judge import BARE, COMPARE, ONLY, SIGNS, Judge, Shown
from tools.evidence.measurements import Rejected, Value, canonical, cut, governing, round_half_up
from tools.records import Diagnosis, Evidence, Reason
from tools.rulebook.plain import amount
from tools.rules import After, Change, Lab, Measured, Period
from tools.terminology.observations import TESTS, tests


def lab(leaf: Lab, judge: Judge, exclude: bool) -> Shown:
    """The newest valid value of the window decides, unless the rule looks at all of them; values of one day conflict
    only if they'd decide differently."""
    end = judge.as_of
    if leaf.at == "baseline" and judge.therapy_start is not None:
        end = judge.therapy_start
    usable, rejected = judge.values(leaf.test)
    past = usable if end is judge.as_of else [value for value in usable if value.date <= end]
    taken: tuple[Evidence, ...] = ()
    if leaf.after is not None:
        lasted = _lasted(leaf.after, judge)
        if isinstance(lasted, Shown):
            return lasted
        since, taken = lasted
        past = _since(past, since)
    fresh = past
    if leaf.within is not None:
        fresh = _since(past, judge.first(leaf.within) if end is judge.as_of else leaf.within.before(end))
    if not fresh and leaf.after is not None and not past and not judge.brief:
        name = TESTS[leaf.test].name
        fix = f"Obtain a {name} measured on or after {since}"
        answer = Shown(None, (), f"no {name} of {since} or later", "missing", fix)
    elif not fresh:
        answer = BARE[None] if judge.brief else _no_value(leaf, judge, end, past, rejected)
    elif not leaf.of_newest:
        answer = _of_all(leaf, judge, exclude, fresh, _since_rejected(rejected, leaf, end))
    else:
        answer = _of_newest(leaf, judge, exclude, fresh, rejected)
    return _after_a_course(answer, leaf.after, since, taken) if leaf.after and not judge.brief else answer


def _lasted(after: After, judge: Judge) -> tuple[date, tuple[Evidence, ...]] | Shown:
    """The first day on which a course had lasted so long, with the course; or why there is none."""
    entries = judge.patient.medications
    if entries is None:
        return Shown(None, (), "no medication list on record", "missing", "Obtain the medication history")
    own = [entry for entry in entries if matches(entry, after.drugs, after.classes, entry.drug)]
    courses = courses_of(own, judge)
    reached = [(day, course.seen) for course in courses if (day := _reached(course, after, judge.as_of))]
    if reached:
        return min(reached, key=lambda one: one[0])
    unclear = [course for course in courses if _is_unclear(course, after, judge.as_of)]
    if unclear:
        fix = f"Record when {after.label} was started and stopped"
        seen = tuple(item for course in unclear for item in course.seen)
        return Shown(None, seen, f"not known how long {after.label} was taken", "missing", fix)
    for course in courses_of(judge.unidentified(), judge):
        if _reached(course, after, judge.as_of) or _is_unclear(course, after, judge.as_of):
            name = course.entries[0].drug
            fix = f"Ask what {name} is, and record its ingredient"
            detail = f"nobody knows what {name} is; it may be {after.label}"
            return Shown(None, course.seen, detail, "unrecognised", fix)
    seen = tuple(item for course in courses for item in course.seen)
    absent = Evidence(
        record_id="medications", kind="medication", value=f"not on the medication list: {after.label}"
    )
    fix = f"{ONLY}after {after.least} of {after.label} can the result be measured that is asked for"
    return Shown(False, seen or (absent,), f"{after.label} was not taken for {after.least}", None, fix)


def _reached(course: Course, after: After, as_of: date) -> date | None:
    if course.start is None or course.end is None or course.flaw:
        return None
    due = after.least.after(course.start)
    return due if due <= min(course.end, as_of) else None


def _is_unclear(course: Course, after: After, as_of: date) -> bool:
    if course.start is None or course.flaw:
        return True
    return course.end is None and after.least.after(course.start) <= as_of


def _after_a_course(answer: Shown, after: After, since: date, taken: tuple[Evidence, ...]) -> Shown:
    detail = f"{answer.detail} ({after.label} had been taken for {after.least} by {since})"
    return msgspec.structs.replace(answer, records=(*answer.records, *taken), detail=detail)


def _of_newest(
    leaf: Lab, judge: Judge, exclude: bool, fresh: list[Value], rejected: Sequence[Rejected]
) -> Shown:
    spec = TESTS[leaf.test]
    newest = governing(fresh)
    answer = _holds(leaf, newest[0])
    split = len(newest) > 1 and any(_holds(leaf, value) is not answer for value in newest)
    if judge.brief:
        return BARE[None if split else answer]
    records = newest[0].evidence
    if split:
        records = tuple(item for value in newest for item in value.evidence)
        shown = " and ".join(_shown(value, leaf) for value in newest)
        return Shown(
            None,
            records,
            f"{spec.name} values of {newest[0].date} disagree: {shown}",
            "conflict",
            f"Confirm which {spec.name} of {newest[0].date} is right ({shown}), or measure again",
        )
    if len(newest) > 1:
        charted = [value for value in newest if not value.derived] or newest[:1]
        records = tuple(item for value in charted for item in value.evidence)
    detail = f"{spec.name} {_shown(newest[0], leaf)} on {newest[0].date.isoformat()}"
    if rejected:
        newer = [item.evidence for item in rejected if item.date is None or item.date > newest[0].date]
        records += tuple(newer)
        detail += "".join(f"; {_set_aside(item)}" for item in newer)
    fix = _lab_fix(leaf, spec.name, exclude) if answer is exclude else None
    return Shown(answer, records, detail, None, fix)


def _of_all(
    leaf: Lab, judge: Judge, exclude: bool, fresh: list[Value], rejected: Sequence[Rejected]
) -> Shown:
    """Any, the highest or the lowest value of the window, or enough days with one that holds. A day whose values
    disagree may be either; a value that is no evidence may be the one that is missing."""
    days = [list(values) for _, values in groupby(fresh, key=lambda value: value.date)]
    answer, deciding = _over_days(leaf, days)
    reason: Reason | None = None
    if answer is None:
        reason = "conflict"
        if leaf.readings > 1 and len(days) < leaf.readings:
            reason = "missing"
    elif rejected and not _settled(leaf, answer):
        answer, reason = None, rejected[0].reason
    if judge.brief:
        return BARE[answer]
    name = TESTS[leaf.test].name
    shown = ", ".join(f"{_shown(value, leaf)} on {value.date}" for value in deciding)
    which = f" of {len(days)} days" if len(days) > 1 else ""
    detail = f"{name} {shown}{which}" + "".join(f"; {_set_aside(item.evidence)}" for item in rejected)
    records = tuple(item for value in deciding for item in value.evidence)
    records += tuple(item.evidence for item in rejected)
    fix = None
    if reason == "missing":
        fix = f"Obtain another {name}: {leaf.readings} of different days are asked for"
    elif reason is not None:
        fix = f"Confirm the values of {name}: {detail}"
    elif answer is exclude:
        fix = _lab_fix(leaf, name, exclude)
    return Shown(answer, records, detail, reason, fix)


def _settled(leaf: Lab, answer: bool) -> bool:
    """Would one more value leave the answer as it is, whatever it is? One that holds is enough for `any`; a highest
    can only become higher."""
    if leaf.reading in ("highest", "lowest"):
        return answer is ((leaf.op in (">", ">=")) is (leaf.reading == "highest"))
    return answer


def _over_days(leaf: Lab, days: Sequence[Sequence[Value]]) -> tuple[bool | None, list[Value]]:
    """The answer over the values of each day, and the values that decide it; None where it hangs on which value of
    a day is right, or another day is needed."""
    if leaf.reading in ("highest", "lowest"):
        best = max if leaf.reading == "highest" else min
        by_value = [sorted(values, key=lambda value: value.value) for values in days]
        ends = [best((day[end] for day in by_value), key=lambda value: value.value) for end in (0, -1)]
        answers = {_holds(leaf, value) for value in ends}
        return (answers.pop(), ends[:1] if best is min else ends[1:]) if len(answers) == 1 else (None, ends)
    held = [{_holds(leaf, value) for value in values} for values in days]
    sure = [values[0] for values, holds in zip(days, held, strict=True) if holds == {True}]
    open_days = sum(len(holds) > 1 for holds in held)
    if len(sure) >= leaf.readings:
        return True, sure[: leaf.readings]
    if len(days) < leaf.readings or len(sure) + open_days >= leaf.readings:
        return None, [value for values in days for value in values]
    return False, sure or list(days[0][:1])


def _since_rejected(rejected: Sequence[Rejected], leaf: Lab, end: date) -> list[Rejected]:
    """Those that may be of the window: with no date, or one in it."""
    first = date.min if leaf.within is None else leaf.within.before(end)
    return [item for item in rejected if item.date is None or first <= item.date <= end]


def _since(values: list[Value], first: date) -> list[Value]:
    if not values or values[-1].date >= first:
        return values
    return [value for value in values if value.date >= first]


def _holds(leaf: Lab, value: Value) -> bool:
    """Does the value satisfy the bound?"""
    return COMPARE[leaf.op](_compared(leaf, value), leaf.value)


def _compared(leaf: Lab, value: Value) -> float:
    """The value as the rule has it compared: as recorded, unless the rule rounds."""
    return round_half_up(value.value, 1) if leaf.rounded == "tenths" else value.value


def _shown(value: Value, leaf: Lab) -> str:
    """The value as compared, and as charted where that was in another unit."""
    charted, compared = value.seen[0], _as_read(_compared(leaf, value), leaf.test)
    if value.derived or charted.unit is None or canonical(leaf.test, 1.0, charted.unit) == 1.0:
        return compared
    return f"{compared} (charted as {charted.value} {charted.unit})"


@lru_cache(maxsize=65536)
def _as_read(value: float, test: str) -> str:
    """A chart may hold 126.02641598984987; what is compared is the whole number."""
    return amount(cut(value), test)


def _set_aside(item: Evidence) -> str:
    when = f" of {item.date}" if item.date else ""
    return f"the value {item.value} {item.unit or ''}".rstrip() + f"{when} is no evidence: {item.note}"


def _lab_fix(leaf: Lab, name: str, exclude: bool) -> str:
    bound = f"{SIGNS[leaf.op]} {amount(leaf.value, leaf.test)}"
    if leaf.reading in ("highest", "lowest"):
        return f"{ONLY}an exception can help: the {leaf.reading} {name} is what it is"
    if exclude:
        return f"{ONLY}a newer {name} that is not {bound} would lift this exclusion"
    if leaf.at == "baseline":
        return f"{ONLY}a baseline {name} {bound} would meet it"
    return f"{ONLY}a newer {name} {bound} would meet it"


def _no_value(leaf: Lab, judge: Judge, end: date, past: list[Value], rejected: Sequence[Rejected]) -> Shown:
    name = TESTS[leaf.test].name
    window = f" within {leaf.within}" if leaf.within is not None else ""
    baseline = leaf.at == "baseline" and judge.therapy_start is not None
    if rejected and (not past or any(r.date is None or r.date > past[0].date for r in rejected)):
        worst = rejected[0]
        records = tuple(item.evidence for item in rejected)
        detail = f"no usable {name}{window}: {_set_aside(worst.evidence)}"
        reason: Reason = worst.reason
        fix = f"Correct the {name} entry ({worst.evidence.note}), or measure again"
        return Shown(None, records, detail, reason, fix)
    if past:
        days = (end - past[0].date).days
        detail = (
            f"newest {name} is {_shown(past[0], leaf)} of {past[0].date}, {days} days before {end};"
            f" the window is {_length(leaf.within)}"
        )
        fix = f"Obtain a new {name}: the last, of {past[0].date}, is {days} days old"
        if baseline:
            fix = f"Find a {name} of the {leaf.within} before therapy began on {end}"
        return Shown(None, past[0].evidence, detail, "stale", fix)
    fix = f"Obtain a {name}{window}"
    hints = _suggesting(leaf.test, judge)
    if hints:
        codes = " and ".join(entry.code for entry in hints)
        seen = tuple(Evidence(record_id=e.id, kind="diagnosis", value=e.code, date=e.onset) for e in hints)
        detail = f"no {name} on record; {codes} suggests one and gives no value"
        return Shown(None, seen, detail, "missing", f"Obtain the {name} that {codes} stands for")
    if baseline:
        fix = f"Find the baseline {name} from before therapy began on {end}"
    return Shown(None, (), f"no {name} on record" + (f" by {end}" if baseline else ""), "missing", fix)


def _suggesting(test: str, judge: Judge) -> list[Diagnosis]:
    """Diagnoses whose codes tell about what the value is."""
    row = tests().get(test)
    codes = row.suggested_by if row is not None else ()
    return [entry for entry, _ in judge.problems() if entry.code.startswith(codes)] if codes else []


def _length(window: Period | None) -> str:
    """Days go without saying."""
    return "" if window is None else str(window.count) if window.unit == "days" else str(window)


def measured(leaf: Measured, judge: Judge, exclude: bool) -> Shown:
    first = judge.first(leaf.within)
    if judge.brief:
        for test in leaf.tests:
            usable = judge.values(test).usable
            if not usable or usable[0].date < first:
                return BARE[None]
        return BARE[True]
    records: list[Evidence] = []
    found, open_names, reasons = [], [], []
    for test in leaf.tests:
        usable, rejected = judge.values(test)
        name = TESTS[test].name
        if usable and usable[0].date >= first:
            records += usable[0].evidence
            found.append(f"{name} on {usable[0].date}")
            continue
        open_names.append(name)
        if usable:
            records += usable[0].evidence
            reasons.append("stale")
        elif rejected:
            records.append(rejected[0].evidence)
            reasons.append(rejected[0].reason)
        else:
            reasons.append("missing")
    if not open_names:
        return Shown(True, tuple(records), ", ".join(found))
    wanted = " and ".join(open_names)
    return Shown(
        None,
        tuple(records),
        f"no {wanted} within {leaf.within}",
        reasons[0],  # type: ignore[arg-type]
        f"Measure {wanted} (needed within {leaf.within})",
    )


def change(leaf: Change, judge: Judge, exclude: bool) -> Shown:
    """From the newest value on or before the day from which it is counted to the newest after it, without rounding."""
    name, start, counted = TESTS[leaf.test].name, judge.therapy_start, "therapy"
    if leaf.since == "renewal":
        start, counted = (
            (judge.request.approvals[-1] if judge.request.approvals else None),
            "the last approval",
        )
        if start is None:
            fix = "Record the plan's last approval with its dates"
            return Shown(None, (), "no approval of this plan on record", "missing", fix)
    if start is None:
        return Shown(
            None, (), "start of therapy not on record", "missing", "Record when the drug was started"
        )
    usable, rejected = judge.values(leaf.test)
    before = governing([value for value in usable if value.date <= start])
    later = [value for value in usable if value.date > start]
    after = governing(later if leaf.within is None else _since(later, judge.first(leaf.within)))
    if not before:
        fix = f"Find the baseline {name} from before {counted} began on {start}"
        return Shown(None, (), f"no baseline {name} by {start}", "missing", fix)
    if not after:
        return _no_follow_up(leaf, name, later, rejected, counted)
    answers = {_changed_enough(leaf, old.value, new.value) for old in before for new in after}
    if judge.brief:
        return BARE[None if len(answers) > 1 else answers.pop()]
    records = tuple(item for value in (*before, *after) for item in value.evidence)
    if len(answers) > 1:
        fix = f"Confirm which {name} is right, or measure again"
        return Shown(None, records, f"{name} values of one day disagree", "conflict", fix)
    old, new = before[0], after[0]
    detail = (
        f"{name} {_as_read(old.value, leaf.test)} → {_as_read(new.value, leaf.test)}"
        f" ({old.date} to {new.date}): {_change_text(leaf, old.value, new.value)}"
    )
    wanted = f"{leaf.percent:g} %" if leaf.percent is not None else _points(leaf.amount or 0.0, leaf.test)
    fix = f"Show the trend; the rule asks for a {leaf.direction} of at least {wanted}"
    return Shown(answers.pop(), records, detail, None, fix)


def _no_follow_up(
    leaf: Change, name: str, later: list[Value], rejected: Sequence[Rejected], counted: str
) -> Shown:
    window = f" within {leaf.within}" if leaf.within is not None else ""
    if later:
        detail = f"newest {name} is of {later[0].date}; none{window}"
        return Shown(None, later[0].evidence, detail, "stale", f"Measure {name}{window}")
    reason: Reason = rejected[0].reason if rejected else "missing"
    records = tuple(item.evidence for item in rejected)
    return Shown(None, records, f"no {name} since {counted} began", reason, f"Measure {name}")


def _fall(leaf: Change, old: float, new: float) -> Decimal:
    fall = Decimal(repr(old)) - Decimal(repr(new))
    return fall if leaf.direction == "fall" else -fall


def _changed_enough(leaf: Change, old: float, new: float) -> bool:
    fall = _fall(leaf, old, new)
    if leaf.percent is not None:
        return fall * 100 >= Decimal(repr(leaf.percent)) * Decimal(repr(old))
    return fall >= Decimal(repr(leaf.amount or 0.0))


def _points(change: float, test: str) -> str:
    """A difference of percentages is in percentage points."""
    return f"{change:g} percentage points" if TESTS[test].unit == "%" else amount(change, test)


def _change_text(leaf: Change, old: float, new: float) -> str:
    fall = _fall(leaf, old, new)
    if leaf.percent is None:
        return f"{leaf.direction} of {_points(float(fall), leaf.test)}"
    percent = fall * 100 / Decimal(repr(old))
    # Cut, never rounded: 4.999 % must not be shown as 5.00 %.
    cut = percent.quantize(Decimal("0.01"), rounding="ROUND_FLOOR")
    return f"{leaf.direction} of {cut} %"
