"""Leaves that rest on measured values: a bound, a recent measurement, a change from baseline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby

import msgspec

from tools.domain.records import Diagnosis, Evidence, Reason
from tools.domain.rules import After, Change, Lab, Measured
from tools.evidence.context import COMPARE, STATUS_ONLY, EvaluationContext, LeafResult, span
from tools.evidence.courses import Course, courses_of, matches, no_history, not_listed
from tools.evidence.measurements import Rejected, Value, canonical, cut, governing, round_half_up
from tools.messages import Action, Message, action, iso, message
from tools.terminology.observations import TESTS, tests


def lab(leaf: Lab, context: EvaluationContext, exclude: bool) -> LeafResult:
    """The newest valid value of the window decides, unless the rule looks at all of them; values of one day conflict
    only if they'd decide differently."""
    end = context.as_of
    if leaf.at == "baseline" and context.therapy_start is not None:
        end = context.therapy_start
    usable, rejected = context.values(leaf.test)
    past = usable if end is context.as_of else [value for value in usable if value.date <= end]
    taken: tuple[Evidence, ...] = ()
    if leaf.after is not None:
        lasted = _lasted(leaf.after, context)
        if isinstance(lasted, LeafResult):
            return lasted
        since, taken = lasted
        past = _since(past, since)
    fresh = past
    if leaf.within is not None:
        fresh = _since(past, context.first(leaf.within) if end is context.as_of else leaf.within.before(end))
    if not fresh and leaf.after is not None and not past and not context.status_only:
        found = message("lab.none_since", test=leaf.test, since=iso(since))
        step = action("obtain_since", test=leaf.test, since=iso(since))
        answer = LeafResult(None, (), found, "missing", step)
    elif not fresh:
        answer = STATUS_ONLY[None] if context.status_only else _no_value(leaf, context, end, past, rejected)
    elif not leaf.of_newest:
        answer = _of_all(leaf, context, exclude, fresh, _since_rejected(rejected, leaf, end))
    else:
        answer = _of_newest(leaf, context, exclude, fresh, rejected)
    return (
        _after_a_course(answer, leaf.after, since, taken)
        if leaf.after and not context.status_only
        else answer
    )


def _lasted(after: After, context: EvaluationContext) -> tuple[date, tuple[Evidence, ...]] | LeafResult:
    """The first day on which a course had lasted so long, with the course; or why there is none."""
    entries = context.patient.medications
    if entries is None:
        return no_history()
    own = [entry for entry in entries if matches(entry, after.drugs, after.classes, entry.drug)]
    courses = courses_of(own, context)
    reached = [(day, course.seen) for course in courses if (day := _reached(course, after, context.as_of))]
    if reached:
        return min(reached, key=lambda one: one[0])
    unclear = [course for course in courses if _is_unclear(course, after, context.as_of)]
    if unclear:
        seen = tuple(item for course in unclear for item in course.seen)
        found = message("after.not_known", drug=after.label)
        return LeafResult(None, seen, found, "missing", action("record_course", drug=after.label))
    for course in courses_of(context.unidentified(), context):
        if _reached(course, after, context.as_of) or _is_unclear(course, after, context.as_of):
            name = course.entries[0].drug
            found = message("doubt.unrecognised", name=name, label=after.label)
            return LeafResult(None, course.seen, found, "unrecognised", action("ask_ingredient", name=name))
    seen = tuple(item for course in courses for item in course.seen)
    course_of = {"drug": after.label, "least": span(after.least)}
    found = message("after.not_taken", **course_of)
    return LeafResult(
        False, seen or (not_listed(after.label),), found, None, action("measure_after", **course_of)
    )


def _reached(course: Course, after: After, as_of: date) -> date | None:
    if course.start is None or course.end is None or course.flaw:
        return None
    due = after.least.after(course.start)
    return due if due <= min(course.end, as_of) else None


def _is_unclear(course: Course, after: After, as_of: date) -> bool:
    if course.start is None or course.flaw:
        return True
    return course.end is None and after.least.after(course.start) <= as_of


def _after_a_course(answer: LeafResult, after: After, since: date, taken: tuple[Evidence, ...]) -> LeafResult:
    least = span(after.least)
    found = message("lab.after_course", found=answer.found, drug=after.label, least=least, since=iso(since))
    return msgspec.structs.replace(answer, records=(*answer.records, *taken), found=found)


def _of_newest(
    leaf: Lab, context: EvaluationContext, exclude: bool, fresh: list[Value], rejected: Sequence[Rejected]
) -> LeafResult:
    test = leaf.test
    newest = governing(fresh)
    answer = _holds(leaf, newest[0])
    split = len(newest) > 1 and any(_holds(leaf, value) is not answer for value in newest)
    if context.status_only:
        return STATUS_ONLY[None if split else answer]
    records = newest[0].evidence
    if split:
        records = tuple(item for value in newest for item in value.evidence)
        both = {
            "test": test,
            "day": iso(newest[0].date),
            "values": tuple([_shown(one, leaf) for one in newest]),
        }
        return LeafResult(
            None, records, message("lab.disagree", **both), "conflict", action("confirm_value", **both)
        )
    if len(newest) > 1:
        charted = [value for value in newest if not value.derived] or newest[:1]
        records = tuple(item for value in charted for item in value.evidence)
    day = newest[0].date
    newer = [item.evidence for item in rejected if item.date is None or item.date > day]
    records += tuple(newer)
    aside = tuple(map(_set_aside, newer))
    window = leaf.within if leaf.at != "baseline" else None
    found = message(
        "lab.value", test=test, value=_shown(newest[0], leaf), day=iso(day),
        last=None if window is None else iso(window.last(day)), aside=aside,
    )  # fmt: skip
    return LeafResult(
        answer, records, found, None, _other_value(leaf, exclude) if answer is exclude else None
    )


def _of_all(
    leaf: Lab, context: EvaluationContext, exclude: bool, fresh: list[Value], rejected: Sequence[Rejected]
) -> LeafResult:
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
    if context.status_only:
        return STATUS_ONLY[answer]
    found = message(
        "lab.values",
        test=leaf.test,
        values=tuple([message("value.on", value=_shown(one, leaf), day=iso(one.date)) for one in deciding]),
        days=len(days) if len(days) > 1 else None,
        aside=tuple([_set_aside(item.evidence) for item in rejected]),
    )
    records = tuple(item for value in deciding for item in value.evidence)
    records += tuple(item.evidence for item in rejected)
    step = None
    if reason == "missing":
        step = action("obtain_another", test=leaf.test, readings=leaf.readings)
    elif reason is not None:
        step = action("confirm_values", test=leaf.test, found=found)
    elif answer is exclude:
        step = _other_value(leaf, exclude)
    return LeafResult(answer, records, found, reason, step)


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


def _shown(value: Value, leaf: Lab) -> Message:
    """The value as compared, and as charted where that was in another unit."""
    charted, compared = value.seen[0], _as_read(_compared(leaf, value), leaf.test)
    if value.derived or charted.unit is None or canonical(leaf.test, 1.0, charted.unit) == 1.0:
        return compared
    params = {**compared.params, "charted": charted.value, "unit": charted.unit}
    return message("value", **params)


def _as_read(value: float, test: str) -> Message:
    """A chart may hold 126.02641598984987; what is compared is the whole number."""
    return message("value", value=cut(value), test=test)


def _set_aside(item: Evidence) -> Message:
    return message("value.set_aside", value=item.value, unit=item.unit, day=iso(item.date), why=item.note)


def _other_value(leaf: Lab, exclude: bool) -> Action:
    if leaf.reading in ("highest", "lowest"):
        return action("exception_reading", test=leaf.test, reading=leaf.reading)
    code = "newer_lifts" if exclude else "baseline_meets" if leaf.at == "baseline" else "newer_meets"
    return action(code, test=leaf.test, op=leaf.op, value=leaf.value)


def _no_value(
    leaf: Lab, context: EvaluationContext, end: date, past: list[Value], rejected: Sequence[Rejected]
) -> LeafResult:
    test = leaf.test
    window = span(leaf.within) if leaf.within is not None else None
    baseline = leaf.at == "baseline" and context.therapy_start is not None
    if rejected and (not past or any(r.date is None or r.date > past[0].date for r in rejected)):
        worst = rejected[0]
        records = tuple(item.evidence for item in rejected)
        found = message("lab.unusable", test=test, window=window, aside=_set_aside(worst.evidence))
        step = action("correct_value", test=test, why=worst.evidence.note)
        return LeafResult(None, records, found, worst.reason, step)
    if past:
        days = (end - past[0].date).days
        found = _stale(leaf, past[0], days, end)
        step = action("obtain_new", test=test, day=iso(past[0].date), days=days)
        if baseline:
            step = action("find_before", test=test, window=window, start=iso(end))
        return LeafResult(None, past[0].evidence, found, "stale", step)
    hints = _suggesting(leaf.test, context)
    if hints:
        codes = tuple([entry.code for entry in hints])
        seen = tuple(Evidence(record_id=e.id, kind="diagnosis", value=e.code, date=e.onset) for e in hints)
        found = message("lab.suggested", test=test, codes=codes)
        return LeafResult(None, seen, found, "missing", action("obtain_coded", test=test, codes=codes))
    step = action("obtain", test=test, window=window)
    if baseline:
        step = action("find_baseline", test=test, counted="since.therapy", start=iso(end))
    return LeafResult(
        None, (), message("lab.none", test=test, end=iso(end if baseline else None)), "missing", step
    )


def _stale(leaf: Lab, newest: Value, days: int, end: date) -> Message:
    """Of a window that is counted in days, the number alone is told."""
    within = leaf.within
    in_days = within is not None and within.unit == "days"
    return message(
        "lab.stale_days" if in_days else "lab.stale",
        test=leaf.test,
        value=_shown(newest, leaf),
        day=iso(newest.date),
        days=days,
        end=iso(end),
        window="" if within is None else within.count if in_days else span(within),
    )


def _suggesting(test: str, context: EvaluationContext) -> list[Diagnosis]:
    """Diagnoses whose codes tell about what the value is."""
    row = tests().get(test)
    codes = row.suggested_by if row is not None else ()
    return [entry for entry, _ in context.problems() if entry.code.startswith(codes)] if codes else []


def measured(leaf: Measured, context: EvaluationContext, exclude: bool) -> LeafResult:
    first = context.first(leaf.within)
    if context.status_only:
        for test in leaf.tests:
            usable = context.values(test).usable
            if not usable or usable[0].date < first:
                return STATUS_ONLY[None]
        return STATUS_ONLY[True]
    records: list[Evidence] = []
    found: list[Message] = []
    missing: list[str] = []
    reasons: list[Reason] = []
    for test in leaf.tests:
        usable, rejected = context.values(test)
        if usable and usable[0].date >= first:
            records += usable[0].evidence
            value = _as_read(usable[0].value, test)
            found.append(message("measured.on", test=test, value=value, day=iso(usable[0].date)))
            continue
        missing.append(test)
        if usable:
            records += usable[0].evidence
            reasons.append("stale")
        elif rejected:
            records.append(rejected[0].evidence)
            reasons.append(rejected[0].reason)
        else:
            reasons.append("missing")
    if not missing:
        return LeafResult(True, tuple(records), message("measured.all", found=tuple(found)))
    wanted = {"tests": tuple(missing), "window": span(leaf.within)}
    lacking = message("measured.missing", **wanted)
    return LeafResult(None, tuple(records), lacking, reasons[0], action("measure", **wanted))


def change(leaf: Change, context: EvaluationContext, exclude: bool) -> LeafResult:
    """From the newest value on or before the day from which it is counted to the newest after it, without rounding."""
    test, start, counted = leaf.test, context.therapy_start, "since.therapy"
    if leaf.since == "renewal":
        start, counted = (
            (context.request.approvals[-1] if context.request.approvals else None),
            "since.approval",
        )
        if start is None:
            return LeafResult(None, (), message("change.no_approval"), "missing", action("record_approval"))
    if start is None:
        return LeafResult(None, (), message("change.no_start"), "missing", action("record_start"))
    usable, rejected = context.values(leaf.test)
    before = governing([value for value in usable if value.date <= start])
    later = [value for value in usable if value.date > start]
    after = governing(later if leaf.within is None else _since(later, context.first(leaf.within)))
    if not before:
        step = action("find_baseline", test=test, counted=counted, start=iso(start))
        return LeafResult(
            None, (), message("change.no_baseline", test=test, start=iso(start)), "missing", step
        )
    if not after:
        return _no_follow_up(leaf, later, rejected, counted)
    answers = {_changed_enough(leaf, old.value, new.value) for old in before for new in after}
    if context.status_only:
        return STATUS_ONLY[None if len(answers) > 1 else answers.pop()]
    records = tuple(item for value in (*before, *after) for item in value.evidence)
    if len(answers) > 1:
        found = message("change.disagree", test=test)
        return LeafResult(None, records, found, "conflict", action("confirm_which", test=test))
    old, new = before[0], after[0]
    found = message(
        "change.value",
        test=test,
        old=_as_read(old.value, test),
        new=_as_read(new.value, test),
        from_day=iso(old.date),
        to_day=iso(new.date),
        change=_size_of(leaf, old.value, new.value),
    )
    percent = leaf.percent
    wanted = message("size.percent", percent=percent) if percent is not None else _points(leaf.amount, test)
    step = action("show_trend", direction=leaf.direction, size=wanted)
    return LeafResult(answers.pop(), records, found, None, step)


def _no_follow_up(leaf: Change, later: list[Value], rejected: Sequence[Rejected], counted: str) -> LeafResult:
    test = leaf.test
    if later:
        window = span(leaf.within) if leaf.within is not None else None
        found = message("change.stale", test=test, day=iso(later[0].date), window=window)
        return LeafResult(
            None, later[0].evidence, found, "stale", action("measure_again", test=test, window=window)
        )
    reason: Reason = rejected[0].reason if rejected else "missing"
    records = tuple(item.evidence for item in rejected)
    found = message("change.none_since", test=test, counted=counted)
    return LeafResult(None, records, found, reason, action("measure_again", test=test, window=None))


def _fall(leaf: Change, old: float, new: float) -> Decimal:
    fall = Decimal(repr(old)) - Decimal(repr(new))
    return fall if leaf.direction == "fall" else -fall


def _changed_enough(leaf: Change, old: float, new: float) -> bool:
    fall = _fall(leaf, old, new)
    if leaf.percent is not None:
        return fall * 100 >= Decimal(repr(leaf.percent)) * Decimal(repr(old))
    return fall >= Decimal(repr(leaf.amount or 0.0))


def _points(change: float | None, test: str) -> Message:
    """A difference of percentages is in percentage points."""
    if TESTS[test].unit == "%":
        return message("size.points", points=change or 0.0)
    return message("value", value=change or 0.0, test=test)


def _size_of(leaf: Change, old: float, new: float) -> Message:
    fall = _fall(leaf, old, new)
    if leaf.percent is None:
        return message("change.amount", direction=leaf.direction, size=_points(float(fall), leaf.test))
    percent = fall * 100 / Decimal(repr(old))
    # Cut, never rounded: 4.999 % must not be shown as 5.00 %.
    cut = percent.quantize(Decimal("0.01"), rounding="ROUND_FLOOR")
    return message("change.percent", direction=leaf.direction, percent=str(cut))
