"""The leaves of a rule that rest on what the patient took, takes or may not take.

Trial days are end − start, as_of if ongoing (design, "Settled"). A course without dates, dose or outcome is
unknown where the rule asks for them: nobody invents ninety days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property, reduce
from itertools import product

import msgspec

from tools.dates import add_months, months_between
from tools.evidence.judge import BARE, ONLY, Judge, Shown, better
from tools.evidence.measurements import number
from tools.evidence.supply import Stretch, Supply, common, length, shortfalls, supply_of, union
from tools.products import brands_of, is_product
from tools.records import Allergy, Evidence, Fill, Medication, Patient, Reason, Request, TrialOutcome
from tools.rules import AllergyTo, Intolerance, OnDrug, Response, Taking, Trial, Use
from tools.terminology.medicines import CLASSES

_RESPONSES: dict[str, Response] = {
    "Inadequate": "inadequate",
    "Partial": "partial",
    "Intolerance": "intolerance",
    "Effective": "effective",
}


class Course(msgspec.Struct, frozen=True, dict=True):
    """Entries of one drug that follow one another without a gap: a titration is one course. Of several drugs, where
    a rule adds up their days or asks for all of them at once; `stretches` are its days if they are not all those
    from start to end."""

    entries: tuple[Medication, ...]
    start: date | None
    end: date | None  # None: not known whether or when it ended; as_of if it is ongoing
    ongoing: bool
    outcome: TrialOutcome | None
    flaw: str  # why its dates cannot be used, if they cannot
    stretches: tuple[Stretch, ...] = ()

    @cached_property
    def seen(self) -> tuple[Evidence, ...]:
        return tuple([entry_evidence(entry, self.flaw) for entry in self.entries])

    @property
    def days(self) -> int | None:
        if self.stretches:
            return length(self.stretches)
        return None if self.start is None or self.end is None else (self.end - self.start).days


def response_of(outcome: TrialOutcome) -> Response:
    """Which kind of response a recorded outcome is."""
    return _RESPONSES[outcome.split(" ", 1)[0]]


def matches(
    item: Medication | Fill | Allergy, drugs: Sequence[str], classes: Sequence[str], name: str
) -> bool:
    """Does the item's ingredient, brand or class stand in one of the lists?"""
    if drugs:
        for ingredient in item.ingredients:
            if ingredient in drugs:
                return True
        if name.casefold() in drugs:
            return True
    if classes:
        for cls in item.classes:
            if cls in classes:
                return True
    return False


def courses_of(
    entries: Iterable[Medication], judge: Judge, gap_days: int = 1, any_drug: bool = False
) -> list[Course]:
    """Courses, newest first. Entries of one drug, in whatever formulation, or of `any_drug`, merge if the next begins
    by so many days after the last ended."""
    single = [_single(entry, judge) for entry in entries]
    if len(single) < 2:
        return single
    single = _merged(sorted(single, key=lambda course: course.start or date.min), gap_days, any_drug)
    return sorted(single, key=lambda course: course.start or date.min, reverse=True)


def _single(entry: Medication, judge: Judge) -> Course:
    """The entry as a course of its own. It stays with the day, since many leaves look at the same entries."""
    kept = judge.day.courses
    known: Course | None = kept.get(id(entry))
    if known is None:
        known = kept[id(entry)] = _course(entry, judge.patient.birth_date, judge.as_of)
    return known


def _course(entry: Medication, born: date | None, as_of: date) -> Course:
    start, end, flaw = entry.start, entry.end, ""
    ongoing = end > as_of if end is not None else entry.status == "active"
    if ongoing:
        end = as_of
    if start is not None and start > as_of:
        flaw = f"begins after {as_of}"
    elif start is not None and born is not None and start < born:
        flaw = "begins before birth"
    elif start is not None and end is not None and end < start:
        flaw = "ends before it begins"
    elif entry.status == "active" and entry.end is not None and entry.end <= as_of:
        flaw = f"is said to be active and to have ended on {entry.end}"
    return Course((entry,), start, end, ongoing, entry.outcome, flaw)


def _merged(courses: list[Course], gap_days: int, any_drug: bool) -> list[Course]:
    merged: list[Course] = []
    last_of: dict[tuple[str, ...], int] = {}
    for course in courses:
        key = () if any_drug else _key(course.entries[0])
        at = last_of.get(key)
        before = merged[at] if at is not None else None
        if before is not None and at is not None and _follows(before, course, gap_days):
            merged[at] = _joined(before, course)
            continue
        if not course.flaw:
            last_of[key] = len(merged)
        merged.append(course)
    return merged


def _key(item: Medication | Fill) -> tuple[str, ...]:
    """What tells one drug from another, whatever it is called."""
    return tuple(sorted(item.ingredients)) or (item.drug.casefold(),)


def _follows(before: Course, after: Course, gap_days: int) -> bool:
    if before.flaw or after.flaw or before.end is None or before.start is None or after.start is None:
        return False
    return after.start <= before.end + timedelta(days=gap_days)


def _joined(before: Course, after: Course) -> Course:
    """Both as one course, until the later of their ends."""
    end = None if before.end is None or after.end is None else max(before.end, after.end)
    ongoing = before.ongoing or after.ongoing
    entries = (*before.entries, *after.entries)
    same = _key(before.entries[-1]) == _key(after.entries[-1])
    return Course(
        entries, before.start, end, ongoing, after.outcome or (before.outcome if same else None), ""
    )


def entry_evidence(entry: Medication, flaw: str = "") -> Evidence:
    """The entry as evidence, with what is wrong with its dates."""
    told = f"{entry.drug}, {_dose(entry)}{_period(entry)}"
    return Evidence(
        record_id=entry.id,
        kind="medication",
        value=f"{told}, {entry.outcome}" if entry.outcome else told,
        date=entry.end or entry.start,
        note=flaw,
    )


def _dose(entry: Medication) -> str:
    if entry.dose is None:
        return ""
    return f"{number(entry.dose)} {entry.dose_unit}, " if entry.dose_unit else f"{number(entry.dose)}, "


def _period(entry: Medication) -> str:
    if entry.start is None and entry.end is None:
        return "no dates"
    ended = entry.end.isoformat() if entry.end else ("now" if entry.status == "active" else "?")
    began = entry.start.isoformat() if entry.start else "?"
    return f"{began} to {ended}"


# --- trials ----------------------------------------------------------------------------------------------


def trial(leaf: Trial, judge: Judge, exclude: bool) -> Shown:
    """Any course that is long enough, with a response that counts, as a whole or in one of its parts: what came
    of another formulation later does not undo it. Of several, the best is told."""
    taken = judge.patient.medications
    if taken is None:
        return Shown(None, (), "no medication list on record", "missing", "Obtain the medication history")
    entries = [
        entry
        for entry in taken
        if matches(entry, leaf.drugs, leaf.classes, entry.drug) and _fits(leaf, entry) is not False
    ]
    best: Shown | None = None
    for course in _at_once(leaf, entries, judge) if leaf.together else _courses(leaf, entries, judge):
        answer = _trial(leaf, course, judge)
        if best is None or better(answer, best):
            best = answer
        if answer.shown:
            break
    return best if best is not None else _never_tried(_missing_part(leaf, entries, judge), taken, judge)


def _courses(leaf: Trial, entries: Sequence[Medication], judge: Judge) -> list[Course]:
    """The courses of which any one may be the trial, their parts, and all of them added up."""
    courses = courses_of(entries, judge, leaf.gap_days, leaf.sum and leaf.continuous)
    whole = _added_up(courses) if leaf.sum and not leaf.continuous else None
    if len(courses) < len(entries):
        courses += [_single(entry, judge) for entry in entries if entry.outcome or not leaf.responses]
    return courses if whole is None else [whole, *courses]


def _added_up(courses: Sequence[Course]) -> Course | None:
    """The days of several courses as those of one; the response is that to the last of them."""
    dated = [course for course in courses if not course.flaw and course.days is not None]
    if len(dated) < 2:
        return None
    dated.sort(key=lambda course: course.start or date.min)
    return Course(
        entries=tuple([entry for course in dated for entry in course.entries]),
        start=dated[0].start,
        end=max(course.end for course in dated if course.end is not None),
        ongoing=any(course.ongoing for course in dated),
        outcome=dated[-1].outcome,
        flaw="",
        stretches=tuple(union([_stretch(course) for course in dated])),
    )


def _stretch(course: Course) -> Stretch:
    assert course.start is not None and course.end is not None
    return course.start.toordinal(), course.end.toordinal()


def _at_once(leaf: Trial, entries: Sequence[Medication], judge: Judge) -> list[Course]:
    """What is common to one course of each of the drugs and classes, in every choice of them."""
    of_each = [
        courses_of([e for e in entries if matches(e, part.drugs, part.classes, e.drug)], judge, leaf.gap_days)
        for part in _parts(leaf)
    ]
    return [_overlap(chosen) for chosen in product(*of_each)]


def _overlap(courses: Sequence[Course]) -> Course:
    """The days on which all of these were taken; the response is that to the drug that was added last."""
    starts, ends = [course.start for course in courses], [course.end for course in courses]
    start = max(day for day in starts if day is not None) if None not in starts else None
    end = min(day for day in ends if day is not None) if None not in ends else None
    outcomes = {course.outcome for course in courses if start is None or course.start == start}
    return Course(
        entries=tuple([entry for course in courses for entry in course.entries]),
        start=start,
        end=end if start is None or end is None else max(start, end),
        ongoing=all(course.ongoing for course in courses),
        outcome=outcomes.pop() if len(outcomes) == 1 else None,
        flaw=next((course.flaw for course in courses if course.flaw), ""),
    )


def _parts(leaf: Trial) -> list[Trial]:
    """A leaf for each of the drugs and classes that are to be taken together."""
    drugs = [msgspec.structs.replace(leaf, drugs=(drug,), classes=(), label=drug) for drug in leaf.drugs]
    return drugs + [
        msgspec.structs.replace(leaf, drugs=(), classes=(cls,), label=CLASSES[cls]) for cls in leaf.classes
    ]


def _missing_part(leaf: Trial, entries: Sequence[Medication], judge: Judge) -> Trial:
    """Of what is to be taken together, what never was; rather something that was not filled either."""
    if not leaf.together:
        return leaf

    def filled(part: Trial) -> bool:
        return any(matches(fill, part.drugs, part.classes, fill.drug) for fill in judge.patient.fills)

    absent = [p for p in _parts(leaf) if not any(matches(e, p.drugs, p.classes, e.drug) for e in entries)]
    return min(absent, key=filled)


def _never_tried(leaf: Trial, taken: Sequence[Medication], judge: Judge) -> Shown:
    if judge.brief and not judge.patient.fills:
        return BARE[False]
    fills = [fill for fill in judge.patient.fills if matches(fill, leaf.drugs, leaf.classes, fill.drug)]
    charted = any(matches(entry, leaf.drugs, leaf.classes, entry.drug) for entry in taken)
    if judge.brief:
        return BARE[None if fills and not charted else False]
    if fills and not charted:
        fix = f"Record the course of {leaf.label} that the pharmacy fills show, with dates and outcome"
        return Shown(
            None, fill_evidence(fills), f"{leaf.label} was filled but is not charted", "missing", fix
        )
    other = [entry for entry in taken if matches(entry, leaf.drugs, leaf.classes, entry.drug)]
    if other:
        want = (
            f" {leaf.formulation}" if leaf.formulation else f" at {number(leaf.min_daily_dose or 0)} mg a day"
        )
        records = tuple([item for entry in other for item in _course(entry, None, judge.as_of).seen])
        return Shown(False, records, f"no course of {leaf.label}{want}", None, _try_fix(leaf))
    seen = Evidence(
        record_id="medications", kind="medication", value=f"not on the medication list: {leaf.label}"
    )
    return Shown(False, (seen,), f"never tried: {leaf.label}", None, _try_fix(leaf))


def _try_fix(leaf: Trial) -> str:
    days = f" for {leaf.min_days} days" if leaf.min_days else ""
    return f"Try {leaf.label}{days}"


def _fits(leaf: Trial, entry: Medication) -> bool | None:
    """Formulation and dose: False rules the entry out, None is not known."""
    if leaf.formulation is None and leaf.min_daily_dose is None:
        return True
    answers: list[bool | None] = []
    if leaf.formulation is not None:
        answers.append(None if entry.formulation is None else entry.formulation == leaf.formulation)
    if leaf.min_daily_dose is not None:
        daily = daily_dose(entry)
        answers.append(None if daily is None else daily >= leaf.min_daily_dose)
    return False if False in answers else None if None in answers else True


def daily_dose(entry: Medication) -> float | None:
    """Milligrams a day; None where dose, unit or frequency is not known."""
    dose = dose_in_mg(entry)
    return None if dose is None or entry.per_day is None else dose * entry.per_day


def dose_in_mg(entry: Medication) -> float | None:
    """Milligrams per administration; None where dose or unit is not known, or the unit is no weight."""
    scale = {"mg": 1.0, "g": 1000.0, "mcg": 0.001, "ug": 0.001}.get(entry.dose_unit or "")
    return None if entry.dose is None or scale is None else entry.dose * scale


def _trial(leaf: Trial, course: Course, judge: Judge) -> Shown:
    records = _shown_by(course, judge)
    if course.flaw:
        fix = f"Correct the dates of the course of {leaf.label}"
        return Shown(None, records, f"the course of {leaf.label} {course.flaw}", "missing", fix)
    days = course.days
    if days is not None and days < max(leaf.min_days, int(leaf.together)):
        return _too_short(leaf, course, days, records, judge)
    told, missing = "", []
    if days is None or leaf.wants_fills:
        supply = _supply(leaf, course, judge)
        lacks = shortfalls(leaf, supply, days)
        missing = _missing_of_fills(leaf, supply, days, bool(lacks))
        told = "; ".join(["", *lacks]) if supply.fills else ""
        if days is None or leaf.proof == "fills":
            days = supply.days if supply.fills and not lacks else None
        if not judge.brief:
            records = (*records, *fill_evidence(supply.fills))
    if leaf.within_days is not None:
        if course.end is None:
            missing.append("when it ended")
        elif course.end < judge.as_of - timedelta(days=leaf.within_days):
            detail = (
                f"the course of {leaf.label} ended on {course.end}, more than {leaf.within_days} days ago"
            )
            return Shown(False, records, detail, None, _try_fix(leaf))
    if leaf.responses:
        if course.outcome is None:
            missing.append("how the patient responded")
        elif response_of(course.outcome) not in leaf.responses:
            detail = f"{leaf.label}: {course.outcome}"
            return Shown(False, records, detail, None, _try_fix(leaf))
    if None in [_fits(leaf, entry) for entry in course.entries]:
        missing.append("the formulation" if leaf.formulation else "the dose")
    long = f" for {days} days" if days is not None else ""
    detail = f"{_named(leaf, course)}{long}" + (f", {course.outcome}" if course.outcome else "") + told
    if missing:
        detail += f"; not documented: {', '.join(missing)}"
        return Shown(None, records, detail, "missing", f"Document for {leaf.label}: {', '.join(missing)}")
    return Shown(True, records, detail)


def _named(leaf: Trial, course: Course) -> str:
    """The drug as it was charted last; all of them, where they count together."""
    if not (leaf.sum or leaf.together):
        return course.entries[-1].drug
    return " and ".join(dict.fromkeys([entry.drug for entry in course.entries]))


def _supply(leaf: Trial, course: Course, judge: Judge) -> Supply:
    """What claims of the course's own drugs cover of it; of an undated one, of any day until as_of. Of drugs that are
    to be taken together, the days that claims of each of them cover."""
    first = (course.start or date.min).toordinal()
    until = (course.end or judge.as_of).toordinal()
    inside = course.stretches or ((first, until),)
    fills = [fill for fill in _fills_of(leaf, course.entries, judge.patient) if fill.date <= judge.as_of]
    if not leaf.together:
        return supply_of(fills, inside, leaf.carry_over)
    of_each = [
        supply_of([f for f in fills if matches(f, part.drugs, part.classes, f.drug)], inside, leaf.carry_over)
        for part in _parts(leaf)
    ]
    all_fills = tuple([fill for supply in of_each for fill in supply.fills])
    return Supply(all_fills, reduce(common, [supply.stretches for supply in of_each]))


def _fills_of(leaf: Trial, entries: Iterable[Medication], patient: Patient) -> list[Fill]:
    keys = {_key(entry) for entry in entries}
    return [
        fill
        for fill in patient.fills
        if _key(fill) in keys and matches(fill, leaf.drugs, leaf.classes, fill.drug)
    ]


def counting_days(leaf: Trial, patient: Patient, as_of: date, last: date) -> Iterator[date]:
    """Days after as_of, up to the last, on which the days that claims cover may come to be enough or too few. More of
    them than needed."""
    entries = [e for e in patient.medications or () if matches(e, leaf.drugs, leaf.classes, e.drug)]
    if leaf.adherence is not None or leaf.continuous or leaf.carry_over or leaf.sum or leaf.together:
        yield from (as_of + timedelta(days=n + 1) for n in range((last - as_of).days) if entries)
        return
    for entry in entries:
        dated = entry.start is not None and (entry.end is not None or entry.status == "active")
        if leaf.proof == "fills" or not dated:
            first = (entry.start or date.min).toordinal()
            supply = supply_of(_fills_of(leaf, (entry,), patient), [(first, last.toordinal())], False)
            day = supply.day_of(leaf.min_days)
            if day is not None and as_of < day <= last:
                yield day


def _missing_of_fills(leaf: Trial, supply: Supply, days: int | None, short: bool) -> list[str]:
    """What would have to be documented. Claims may be incomplete, so too few of them leave it unknown."""
    if short and not leaf.wants_fills:
        return ["start and stop dates or pharmacy fills"]
    missing = ["start and stop dates"] if leaf.adherence is not None and days is None else []
    return [*missing, "more pharmacy fills" if supply.fills else "pharmacy fills"] if short else missing


def _shown_by(course: Course, judge: Judge) -> tuple[Evidence, ...]:
    return () if judge.brief else course.seen


def fill_evidence(fills: Sequence[Fill]) -> tuple[Evidence, ...]:
    """The claims as evidence."""
    return tuple(
        Evidence(
            record_id=fill.id, kind="fill", value=f"{fill.drug}, {fill.days_supply} days", date=fill.date
        )
        for fill in fills
    )


def _too_short(leaf: Trial, course: Course, days: int, records: tuple[Evidence, ...], judge: Judge) -> Shown:
    short = leaf.min_days - days
    fix = _try_fix(leaf)
    if course.ongoing:
        until = judge.as_of + timedelta(days=short)
        fix = f"Continue {leaf.label} {short} more days, until {until}, and document the response"
    return Shown(False, records, f"{leaf.label} for {days} of {leaf.min_days} days", None, fix)


# --- intolerance and allergy -----------------------------------------------------------------------------


def intolerance(leaf: Intolerance, judge: Judge, exclude: bool) -> Shown:
    """A course that an adverse reaction ended, or an intolerance on the allergy list. The list says of what
    substance, only courses say of what formulation: where none is charted, it may have been this one."""
    taken, allergies = judge.patient.medications, judge.patient.allergies
    listed = tuple(
        [
            _allergy_seen(item)
            for item in allergies or ()
            if item.type == "intolerance" and matches(item, leaf.drugs, leaf.classes, item.substance)
        ]
    )
    if listed and leaf.formulation is None:
        return Shown(True, listed, f"intolerance of {leaf.label} listed")
    if taken is None:
        return Shown(None, listed, "no medication list on record", "missing", "Obtain the medication history")
    unsure: Shown | None = None
    tried: tuple[Evidence, ...] = ()
    may_be_listed = leaf.formulation is None
    for entry in taken:
        if not matches(entry, leaf.drugs, leaf.classes, entry.drug):
            continue
        records = _shown_by(_single(entry, judge), judge)
        tried += records
        if leaf.formulation is not None and entry.formulation not in (leaf.formulation, None):
            continue
        may_be_listed = True
        answer = _not_tolerated(leaf, entry, records, judge.as_of)
        if answer is None and listed:
            detail = f"intolerance of {leaf.label} listed, formulation not documented"
            answer = Shown(None, (*listed, *records), detail, "missing", "Document the formulation")
        if answer is not None and answer.shown:
            return answer
        unsure = unsure or answer
    if unsure is not None:
        return unsure
    if listed and not any(matches(entry, leaf.drugs, leaf.classes, entry.drug) for entry in taken):
        detail = f"intolerance of {leaf.label} listed, formulation not documented"
        return Shown(None, listed, detail, "missing", "Document the formulation")
    if judge.brief:
        return BARE[None if allergies is None and may_be_listed else False]
    if not tried:
        value = f"not on the medication list: {leaf.label}"
        tried = (Evidence(record_id="medications", kind="medication", value=value),)
    if allergies is None and may_be_listed:
        detail = f"no intolerance of {leaf.label} among the medications; no allergy list on record"
        return Shown(None, tried, detail, "missing", "Obtain the allergy list")
    return Shown(False, tried, f"no intolerance of {leaf.label}")


def _not_tolerated(
    leaf: Intolerance, entry: Medication, records: tuple[Evidence, ...], as_of: date
) -> Shown | None:
    """Whether a reaction ended this course; None if it did not."""
    if entry.start is not None and entry.start > as_of:
        return None
    if entry.outcome is not None:
        if response_of(entry.outcome) != "intolerance":
            return None
        if leaf.formulation is not None and entry.formulation is None:
            return Shown(None, records, "formulation not documented", "missing", "Document the formulation")
        because = f" ({entry.reason})" if entry.reason else ""
        return Shown(True, records, f"{entry.drug}: {entry.outcome}{because}")
    if entry.status == "stopped" or (entry.end is not None and entry.end <= as_of):
        why = f"Document why {entry.drug} was stopped"
        return Shown(None, records, f"{entry.drug} stopped, reason not documented", "missing", why)
    if entry.status is None and entry.end is None:
        why = f"Document whether {entry.drug} was stopped, and why"
        detail = f"not documented whether {entry.drug} was stopped, and why"
        return Shown(None, records, detail, "missing", why)
    return None


def allergy(leaf: AllergyTo, judge: Judge, exclude: bool) -> Shown:
    """An allergy on the list, which is complete if it is there at all."""
    listed = judge.patient.allergies
    if listed is None:
        return Shown(None, (), "no allergy list on record", "missing", "Obtain the allergy list")
    drugs: tuple[str, ...] = leaf.drugs
    if leaf.requested:
        drugs += (judge.request.drug.casefold(), *judge.request.ingredients)
    hits = [
        item
        for item in listed
        if item.type == "allergy" and matches(item, drugs, leaf.classes, item.substance)
    ]
    if judge.brief:
        return BARE[bool(hits)]
    if hits:
        fix = f"Allergy to {leaf.label}; consider another drug" if exclude else None
        return Shown(True, tuple(_allergy_seen(item) for item in hits), f"allergy to {leaf.label}", None, fix)
    seen = Evidence(record_id="allergies", kind="allergy", value=f"not on the allergy list: {leaf.label}")
    return Shown(False, (seen,), f"no allergy to {leaf.label}")


def _allergy_seen(item: Allergy) -> Evidence:
    value = f"{item.substance}" + (f": {item.reaction}" if item.reaction else "")
    return Evidence(record_id=item.id, kind=item.type, value=value, date=item.date)


# --- what is taken now -----------------------------------------------------------------------------------


def taking(leaf: Taking, judge: Judge, exclude: bool) -> Shown:
    """Taken on as_of. The product asked for does not count against itself, its sister brand does."""
    taken = judge.patient.medications
    if taken is None:
        return Shown(None, (), "no medication list on record", "missing", "Obtain the medication list")
    best: Shown | None = None
    past: tuple[Evidence, ...] = ()
    for entry in taken:
        if not matches(entry, leaf.drugs, leaf.classes, entry.drug):
            continue
        own = is_product(entry, judge.request)
        if own:
            continue
        course = _single(entry, judge)
        later = entry.start is not None and entry.start > judge.as_of
        if later and (entry.status != "active" or entry.end is not None):
            continue
        answer = _taken_now(leaf, entry, course, judge, exclude)
        if answer is not None and answer.shown and own is None:
            answer = _which_product(entry, judge.request, answer.records)
        if answer is None:
            past += _shown_by(course, judge)
        elif answer.shown:
            return answer
        elif best is None or better(answer, best):
            best = answer
    if best is not None:
        return best
    if judge.brief:
        return BARE[False]
    if not past:
        value = f"not on the medication list: {leaf.label}"
        past = (Evidence(record_id="medications", kind="medication", value=value),)
    what = f"{leaf.label}{_at_dose(leaf)}"
    return Shown(False, past, f"does not take {what}", None, f"{ONLY}with {what} on board")


def _taken_now(leaf: Taking, entry: Medication, course: Course, judge: Judge, exclude: bool) -> Shown | None:
    """Whether this entry shows it; None if it is past, or at another dose."""
    records = _shown_by(course, judge)
    at_dose = within_dose(leaf, dose_in_mg(entry))
    if at_dose is False:
        return None
    if course.flaw or course.end is None:
        return _taking_unsure(entry, records, course.flaw)
    if not course.ongoing:
        return None
    if at_dose is None:
        detail = f"takes {entry.drug}; dose not documented"
        return Shown(None, records, detail, "missing", f"Document the dose of {entry.drug}")
    if leaf.min_days and (course.days is None or course.days < leaf.min_days):
        return _taking_too_short(leaf, entry, course, records)
    fix = f"Stop {entry.drug} and record the stop date" if exclude else None
    return Shown(True, records, f"takes {entry.drug}{_at_dose(leaf)}", None, fix)


def _which_product(entry: Medication, request: Request, records: tuple[Evidence, ...]) -> Shown:
    """Charted by its ingredient alone, it may be the product asked for, which does not count, or another."""
    others = [name for name in brands_of(entry.ingredients) if name.casefold() != request.drug.casefold()]
    other = " or ".join(others) if 0 < len(others) < 4 else "another brand of it"
    detail = f"{entry.drug} may be {request.drug}, which is asked for, or {other}"
    fix = f"Record which product {entry.drug} is: {request.drug} itself, or {other}"
    return Shown(None, records, detail, "ambiguous", fix)


def _at_dose(leaf: Taking) -> str:
    return f" at {dose_range(leaf)}" if dose_range(leaf) else ""


def dose_range(leaf: Taking | Use) -> str:
    """The doses that the leaf names, e.g. "10 mg or more"; "" if it names none."""
    if leaf.min_dose is not None and leaf.max_dose is not None:
        return f"{number(leaf.min_dose)} to {number(leaf.max_dose)} mg"
    if leaf.min_dose is not None:
        return f"{number(leaf.min_dose)} mg or more"
    return f"{number(leaf.max_dose)} mg or less" if leaf.max_dose is not None else ""


def within_dose(leaf: Taking | Use, dose: float | None) -> bool | None:
    """Is the dose, in mg, one that the leaf names? None if it names some and the dose is not known."""
    if leaf.min_dose is None and leaf.max_dose is None:
        return True
    if dose is None:
        return None
    low, high = leaf.min_dose, leaf.max_dose
    return (low is None or dose >= low) and (high is None or dose <= high)


def _taking_unsure(entry: Medication, records: tuple[Evidence, ...], flaw: str) -> Shown:
    why = f"{entry.drug} {flaw}" if flaw else f"not documented whether {entry.drug} was stopped, and when"
    reason: Reason = "conflict" if flaw else "missing"
    if not flaw and entry.status == "stopped":
        return Shown(False, records, f"{entry.drug} stopped", None, None)
    return Shown(None, records, why, reason, f"Document whether {entry.drug} was stopped, and when")


def _taking_too_short(
    leaf: Taking, entry: Medication, course: Course, records: tuple[Evidence, ...]
) -> Shown:
    if course.days is None:
        fix = f"Document since when {entry.drug} is taken"
        return Shown(None, records, f"start of {entry.drug} not documented", "missing", fix)
    fix = f"Continue {entry.drug} {leaf.min_days - course.days} more days"
    return Shown(False, records, f"{entry.drug} for {course.days} of {leaf.min_days} days", None, fix)


def on_drug(leaf: OnDrug, judge: Judge, exclude: bool) -> Shown:
    """Calendar months of the drug asked for at the dose, up to as_of: a course that has ended is no therapy."""
    drug = judge.request.drug
    dose = f" at {number(leaf.min_dose)} mg or more" if leaf.min_dose is not None else ""
    taken = judge.patient.medications
    if taken is None:
        return Shown(None, (), "no medication list on record", "missing", "Obtain the medication list")
    entries = [entry for entry in taken if is_product(entry, judge.request)]
    answer = _on_drug(leaf, entries, drug, dose, judge)
    unbranded = [entry for entry in taken if is_product(entry, judge.request) is None]
    if answer.shown is False and unbranded:
        supposed = _on_drug(leaf, [*entries, *unbranded], drug, dose, judge)
        if supposed.shown is not False:
            return _which_product(unbranded[0], judge.request, supposed.records)
    return answer


def _on_drug(leaf: OnDrug, entries: Sequence[Medication], drug: str, dose: str, judge: Judge) -> Shown:
    undosed = [entry for entry in entries if leaf.min_dose is not None and entry.dose is None]
    fitting = [
        entry
        for entry in entries
        if leaf.min_dose is None or (entry.dose is not None and entry.dose >= leaf.min_dose)
    ]
    best: Shown | None = None
    for course in courses_of(fitting, judge):
        answer = _months_on(leaf, course, drug, dose, judge)
        best = answer if best is None or better(answer, best) else best
    if (best is None or not best.shown) and undosed:
        records = tuple([item for entry in undosed for item in _course(entry, None, judge.as_of).seen])
        return Shown(
            None, records, f"dose of {drug} not documented", "missing", f"Document the doses of {drug}"
        )
    if best is not None:
        return best
    seen = tuple([item for entry in entries for item in _course(entry, None, judge.as_of).seen])
    seen = seen or (
        Evidence(record_id="medications", kind="medication", value=f"not on the medication list: {drug}"),
    )
    fix = f"Reach {leaf.min_months} months of {drug}{dose} before asking for renewal"
    return Shown(False, seen, f"no course of {drug}{dose}", None, fix)


def _months_on(leaf: OnDrug, course: Course, drug: str, dose: str, judge: Judge) -> Shown:
    records = _shown_by(course, judge)
    if course.flaw or course.start is None or course.end is None:
        fix = f"Document since when {drug} is taken{dose}"
        return Shown(None, records, f"dates of {drug}{dose} not documented", "missing", fix)
    due = add_months(course.start, leaf.min_months)
    if course.end < judge.as_of:
        fix = f"Document that {drug}{dose} is still taken, or reach {leaf.min_months} months of it anew"
        return Shown(False, records, f"{drug}{dose} ended on {course.end}", None, fix)
    detail = f"{drug}{dose} for {months_between(course.start, course.end)} months, since {course.start}"
    fix = f"Continue {drug}{dose} until {due}"
    return Shown(course.end >= due, records, detail, None, fix)


def therapy_start(on_it: Iterable[Medication], as_of: date) -> date | None:
    """When the present therapy began: back over the entries of the product, across gaps of up to a month."""
    entries = [entry for entry in on_it if entry.start is not None and entry.start <= as_of]
    began: date | None = None
    for entry in sorted(entries, key=lambda item: item.start or as_of, reverse=True):
        if began is not None and entry.end is not None and entry.end < began - timedelta(days=31):
            break
        began = entry.start
    return began


def is_taken(entries: Sequence[Medication], as_of: date) -> bool:
    """Does one of these courses go on?"""
    for entry in entries:  # noqa: SIM110 - a generator costs more than the few entries
        if entry.end > as_of if entry.end is not None else entry.status == "active":
            return True
    return False
