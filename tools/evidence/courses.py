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

from tools.common.dates import add_months, months_between
from tools.domain.records import Allergy, Evidence, Fill, Medication, Patient, Request, TrialOutcome
from tools.domain.rules import AllergyTo, Intolerance, OnDrug, Response, Taking, Trial, Use
from tools.evidence.context import STATUS_ONLY, EvaluationContext, LeafResult, better, kept
from tools.evidence.products import brands_of, is_product
from tools.evidence.supply import Stretch, Supply, common, length, shortfalls, supply_of, union
from tools.messages import Action, Message, action, iso, message, render
from tools.messages.grammar import number
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
    flaw: Message | None  # why its dates cannot be used, if they cannot
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
    entries: Iterable[Medication], context: EvaluationContext, gap_days: int = 1, any_drug: bool = False
) -> list[Course]:
    """Courses, newest first. Entries of one drug, in whatever formulation, or of `any_drug`, merge if the next begins
    by so many days after the last ended."""
    single = [_single(entry, context) for entry in entries]
    if len(single) < 2:
        return single
    single = _merged(sorted(single, key=lambda course: course.start or date.min), gap_days, any_drug)
    return sorted(single, key=lambda course: course.start or date.min, reverse=True)


def _single(entry: Medication, context: EvaluationContext) -> Course:
    """The entry as a course of its own. It stays with the day, since many leaves look at the same entries."""
    kept = context.day.courses
    known: Course | None = kept.get(id(entry))
    if known is None:
        known = kept[id(entry)] = _course(entry, context.patient.birth_date, context.as_of)
    return known


def _course(entry: Medication, born: date | None, as_of: date) -> Course:
    start, end, flaw = entry.start, entry.end, None
    ongoing = end > as_of if end is not None else entry.status == "active"
    if ongoing:
        end = as_of
    if start is not None and start > as_of:
        flaw = message("flaw.begins_later", day=iso(as_of))
    elif start is not None and born is not None and start < born:
        flaw = message("flaw.before_birth")
    elif start is not None and end is not None and end < start:
        flaw = message("flaw.reversed")
    elif entry.status == "active" and entry.end is not None and entry.end <= as_of:
        flaw = message("flaw.active_and_ended", day=iso(entry.end))
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
        entries, before.start, end, ongoing, after.outcome or (before.outcome if same else None), None
    )


def entry_evidence(entry: Medication, flaw: Message | None = None) -> Evidence:
    """The entry as evidence, with what is wrong with its dates."""
    told = f"{entry.drug}, {_dose(entry)}{_period(entry)}"
    return Evidence(
        record_id=entry.id,
        kind="medication",
        value=f"{told}, {entry.outcome}" if entry.outcome else told,
        date=entry.end or entry.start,
        note=render(flaw) if flaw is not None else "",
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


def trial(leaf: Trial, context: EvaluationContext, exclude: bool) -> LeafResult:
    """Any course that is long enough, with a response that counts, as a whole or in one of its parts: what came
    of another formulation later does not undo it. Of several, the best is told."""
    taken = context.patient.medications
    if taken is None:
        return no_history()
    if context.names_none(leaf):
        return kept(leaf, "never", lambda: _never(_missing_part(leaf, (), context)))
    entries = [
        entry
        for entry in taken
        if matches(entry, leaf.drugs, leaf.classes, entry.drug) and _fits(leaf, entry) is not False
    ]
    best: LeafResult | None = None
    for course in _at_once(leaf, entries, context) if leaf.together else _courses(leaf, entries, context):
        answer = _trial(leaf, course, context)
        if best is None or better(answer, best):
            best = answer
        if answer.shown:
            break
    return best if best is not None else _never_tried(_missing_part(leaf, entries, context), taken, context)


def no_history() -> LeafResult:
    """Nobody knows what the patient took."""
    found = message("list.missing", list="medications")
    return LeafResult(None, (), found, "missing", action("obtain_history"))


def _no_list(name: str) -> LeafResult:
    found = message("list.missing", list=name)
    return LeafResult(None, (), found, "missing", action("obtain_list", list=name))


def _courses(leaf: Trial, entries: Sequence[Medication], context: EvaluationContext) -> list[Course]:
    """The courses of which any one may be the trial, their parts, and all of them added up."""
    courses = courses_of(entries, context, leaf.gap_days, leaf.sum and leaf.continuous)
    whole = _added_up(courses) if leaf.sum and not leaf.continuous else None
    if len(courses) < len(entries):
        courses += [_single(entry, context) for entry in entries if entry.outcome or not leaf.responses]
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
        flaw=None,
        stretches=tuple(union([_stretch(course) for course in dated])),
    )


def _stretch(course: Course) -> Stretch:
    assert course.start is not None and course.end is not None
    return course.start.toordinal(), course.end.toordinal()


def _at_once(leaf: Trial, entries: Sequence[Medication], context: EvaluationContext) -> list[Course]:
    """What is common to one course of each of the drugs and classes, in every choice of them."""
    of_each = [
        courses_of(
            [e for e in entries if matches(e, part.drugs, part.classes, e.drug)], context, leaf.gap_days
        )
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
        flaw=next((course.flaw for course in courses if course.flaw), None),
    )


def _parts(leaf: Trial) -> list[Trial]:
    """A leaf for each of the drugs and classes that are to be taken together."""
    drugs = [msgspec.structs.replace(leaf, drugs=(drug,), classes=(), label=drug) for drug in leaf.drugs]
    return drugs + [
        msgspec.structs.replace(leaf, drugs=(), classes=(cls,), label=CLASSES[cls]) for cls in leaf.classes
    ]


def _missing_part(leaf: Trial, entries: Sequence[Medication], context: EvaluationContext) -> Trial:
    """Of what is to be taken together, what never was; rather something that was not filled either."""
    if not leaf.together:
        return leaf

    def filled(part: Trial) -> bool:
        return any(matches(fill, part.drugs, part.classes, fill.drug) for fill in context.patient.fills)

    absent = [p for p in _parts(leaf) if not any(matches(e, p.drugs, p.classes, e.drug) for e in entries)]
    return min(absent, key=filled)


def _never_tried(leaf: Trial, taken: Sequence[Medication], context: EvaluationContext) -> LeafResult:
    if context.status_only and not context.patient.fills:
        return STATUS_ONLY[False]
    fills = [fill for fill in context.patient.fills if matches(fill, leaf.drugs, leaf.classes, fill.drug)]
    charted = any(matches(entry, leaf.drugs, leaf.classes, entry.drug) for entry in taken)
    if context.status_only:
        return STATUS_ONLY[None if fills and not charted else False]
    if fills and not charted:
        found = message("trial.filled", drug=leaf.label)
        record = action("record_filled_course", drug=leaf.label)
        return LeafResult(None, fill_evidence(fills), found, "missing", record)
    other = [entry for entry in taken if matches(entry, leaf.drugs, leaf.classes, entry.drug)]
    if other:
        records = tuple([item for entry in other for item in _course(entry, None, context.as_of).seen])
        if leaf.formulation:
            found = message("trial.other_formulation", drug=leaf.label, formulation=leaf.formulation)
            return LeafResult(False, records, found, None, _try(leaf))
        dose = leaf.min_daily_dose or 0
        most = max((daily for entry in other if (daily := daily_dose(entry)) is not None), default=None)
        found = message("trial.low_dose", drug=leaf.label, dose=dose, most=most)
        return LeafResult(False, records, found, None, _try(leaf, dose))
    return _never(leaf)


def _never(leaf: Trial) -> LeafResult:
    found = message("trial.never", drug=leaf.label)
    return LeafResult(False, (not_listed(leaf.label),), found, None, _try(leaf))


def not_listed(label: str) -> Evidence:
    """The medication list's silence, as evidence."""
    return Evidence(record_id="medications", kind="medication", value=f"not on the medication list: {label}")


def _try(leaf: Trial, dose: float | None = None) -> Action:
    return action("try", drug=leaf.label, days=leaf.min_days or None, dose=dose)


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


def _trial(leaf: Trial, course: Course, context: EvaluationContext) -> LeafResult:
    records = _shown_by(course, context)
    if course.flaw:
        found = message("trial.flaw", drug=leaf.label, flaw=course.flaw)
        return LeafResult(None, records, found, "missing", action("correct_course", drug=leaf.label))
    days = course.days
    if days is not None and days < max(leaf.min_days, int(leaf.together)):
        return _too_short(leaf, course, days, records, context)
    lacks: list[Message] = []
    missing: list[str] = []
    if days is None or leaf.wants_fills:
        supply = _supply(leaf, course, context)
        lacks = shortfalls(leaf, supply, days)
        missing = _missing_of_fills(leaf, supply, days, bool(lacks))
        if days is None or leaf.proof == "fills":
            days = supply.days if supply.fills and not lacks else None
        lacks = lacks if supply.fills else []
        if not context.status_only:
            records = (*records, *fill_evidence(supply.fills))
    if leaf.within_days is not None:
        if course.end is None:
            missing.append("missing.end")
        elif course.end < context.as_of - timedelta(days=leaf.within_days):
            found = message("trial.long_ago", drug=leaf.label, day=iso(course.end), days=leaf.within_days)
            return LeafResult(False, records, found, None, _try(leaf))
    if leaf.responses:
        if course.outcome is None:
            missing.append("missing.response")
        elif response_of(course.outcome) not in leaf.responses:
            found = message("trial.response", drug=leaf.label, outcome=course.outcome)
            return LeafResult(False, records, found, None, _try(leaf))
    if None in [_fits(leaf, entry) for entry in course.entries]:
        missing.append("missing.formulation" if leaf.formulation else "missing.dose")
    found = message(
        "trial.filled_enough" if leaf.proof == "fills" and not missing else "trial.taken",
        drugs=_named(leaf, course),
        days=days,
        outcome=course.outcome,
        lacks=tuple(lacks),
        missing=tuple(missing),
    )
    if missing:
        document = action("document_trial", drug=leaf.label, missing=tuple(missing))
        return LeafResult(None, records, found, "missing", document)
    return LeafResult(True, records, found)


def _named(leaf: Trial, course: Course) -> tuple[str, ...]:
    """The drug as it was charted last; all of them, where they count together."""
    if not (leaf.sum or leaf.together):
        return (course.entries[-1].drug,)
    return tuple(dict.fromkeys([entry.drug for entry in course.entries]))


def _supply(leaf: Trial, course: Course, context: EvaluationContext) -> Supply:
    """What claims of the course's own drugs cover of it; of an undated one, of any day until as_of. Of drugs that are
    to be taken together, the days that claims of each of them cover."""
    first = (course.start or date.min).toordinal()
    until = (course.end or context.as_of).toordinal()
    inside = course.stretches or ((first, until),)
    fills = [fill for fill in _fills_of(leaf, course.entries, context.patient) if fill.date <= context.as_of]
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
        return ["missing.dates_or_fills"]
    missing = ["missing.dates"] if leaf.adherence is not None and days is None else []
    return [*missing, "missing.more_fills" if supply.fills else "missing.fills"] if short else missing


def _shown_by(course: Course, context: EvaluationContext) -> tuple[Evidence, ...]:
    return () if context.status_only else course.seen


def fill_evidence(fills: Sequence[Fill]) -> tuple[Evidence, ...]:
    """The claims as evidence."""
    return tuple(
        Evidence(
            record_id=fill.id, kind="fill", value=f"{fill.drug}, {fill.days_supply} days", date=fill.date
        )
        for fill in fills
    )


def _too_short(
    leaf: Trial, course: Course, days: int, records: tuple[Evidence, ...], context: EvaluationContext
) -> LeafResult:
    short = leaf.min_days - days
    step = _try(leaf)
    if course.ongoing:
        until = context.as_of + timedelta(days=short)
        step = action("continue_trial", drug=leaf.label, days=short, until=iso(until))
    found = message("trial.too_short", drug=leaf.label, days=days, wanted=leaf.min_days)
    return LeafResult(False, records, found, None, step)


# --- intolerance and allergy -----------------------------------------------------------------------------


def intolerance(leaf: Intolerance, context: EvaluationContext, exclude: bool) -> LeafResult:
    """A course that an adverse reaction ended, or an intolerance on the allergy list. The list says of what
    substance, only courses say of what formulation: where none is charted, it may have been this one."""
    taken, allergies = context.patient.medications, context.patient.allergies
    if taken is not None and allergies is not None and context.names_none(leaf):
        return kept(leaf, "none", lambda: _tolerated(leaf, (not_listed(leaf.label),)))
    listed = tuple(
        [
            _allergy_seen(item)
            for item in allergies or ()
            if item.type == "intolerance" and matches(item, leaf.drugs, leaf.classes, item.substance)
        ]
    )
    if listed and leaf.formulation is None:
        return LeafResult(True, listed, message("intolerance.listed", drug=leaf.label))
    if taken is None:
        return msgspec.structs.replace(no_history(), records=listed)
    unsure: LeafResult | None = None
    tried: tuple[Evidence, ...] = ()
    may_be_listed = leaf.formulation is None
    for entry in taken:
        if not matches(entry, leaf.drugs, leaf.classes, entry.drug):
            continue
        records = _shown_by(_single(entry, context), context)
        tried += records
        if leaf.formulation is not None and entry.formulation not in (leaf.formulation, None):
            continue
        may_be_listed = True
        answer = _not_tolerated(leaf, entry, records, context.as_of)
        if answer is None and listed:
            found = message("intolerance.which_form", drug=leaf.label)
            answer = LeafResult(None, (*listed, *records), found, "missing", action("document_formulation"))
        if answer is not None and answer.shown:
            return answer
        unsure = unsure or answer
    if unsure is not None:
        return unsure
    if listed and not any(matches(entry, leaf.drugs, leaf.classes, entry.drug) for entry in taken):
        found = message("intolerance.which_form", drug=leaf.label)
        return LeafResult(None, listed, found, "missing", action("document_formulation"))
    if context.status_only:
        return STATUS_ONLY[None if allergies is None and may_be_listed else False]
    tried = tried or (not_listed(leaf.label),)
    if allergies is None and may_be_listed:
        found = message("intolerance.no_list", drug=leaf.label)
        return LeafResult(None, tried, found, "missing", action("obtain_list", list="allergies"))
    return _tolerated(leaf, tried)


def _tolerated(leaf: Intolerance, tried: tuple[Evidence, ...]) -> LeafResult:
    """Of another form an intolerance may be charted."""
    form = {"form": leaf.formulation} if leaf.formulation else {}
    return LeafResult(False, tried, message("intolerance.none", drug=leaf.label, **form))


def _not_tolerated(
    leaf: Intolerance, entry: Medication, records: tuple[Evidence, ...], as_of: date
) -> LeafResult | None:
    """Whether a reaction ended this course; None if it did not."""
    if entry.start is not None and entry.start > as_of:
        return None
    if entry.outcome is not None:
        if response_of(entry.outcome) != "intolerance":
            return None
        if leaf.formulation is not None and entry.formulation is None:
            found = message("intolerance.no_form")
            return LeafResult(None, records, found, "missing", action("document_formulation"))
        found = message("intolerance.course", drug=entry.drug, outcome=entry.outcome, why=entry.reason)
        return LeafResult(True, records, found)
    if entry.status == "stopped" or (entry.end is not None and entry.end <= as_of):
        found = message("intolerance.unexplained", drug=entry.drug)
        return LeafResult(None, records, found, "missing", action("document_why_stopped", drug=entry.drug))
    if entry.status is None and entry.end is None:
        found = message("intolerance.not_known", drug=entry.drug)
        return LeafResult(
            None, records, found, "missing", action("document_whether_stopped", drug=entry.drug)
        )
    return None


def allergy(leaf: AllergyTo, context: EvaluationContext, exclude: bool) -> LeafResult:
    """An allergy on the list, which is complete if it is there at all."""
    listed = context.patient.allergies
    if listed is None:
        return _no_list("allergies")
    drugs: tuple[str, ...] = leaf.drugs
    if not listed or (not leaf.requested and context.names_none(leaf)):
        return kept(leaf, "none", lambda: _no_allergy(leaf))
    if leaf.requested:
        drugs += (context.request.drug.casefold(), *context.request.ingredients)
    hits = [
        item
        for item in listed
        if item.type == "allergy" and matches(item, drugs, leaf.classes, item.substance)
    ]
    if context.status_only:
        return STATUS_ONLY[bool(hits)]
    if hits:
        found = message("allergy.listed", drug=leaf.label)
        step = action("allergy_excludes", drug=leaf.label) if exclude else None
        return LeafResult(True, tuple(_allergy_seen(item) for item in hits), found, None, step)
    return kept(leaf, "none", lambda: _no_allergy(leaf))


def _no_allergy(leaf: AllergyTo) -> LeafResult:
    seen = Evidence(record_id="allergies", kind="allergy", value=f"not on the allergy list: {leaf.label}")
    return LeafResult(False, (seen,), message("allergy.none", drug=leaf.label))


def _allergy_seen(item: Allergy) -> Evidence:
    value = f"{item.substance}" + (f": {item.reaction}" if item.reaction else "")
    return Evidence(record_id=item.id, kind=item.type, value=value, date=item.date)


# --- what is taken now -----------------------------------------------------------------------------------


def taking(leaf: Taking, context: EvaluationContext, exclude: bool) -> LeafResult:
    """Taken on as_of. The product asked for does not count against itself, its sister brand does."""
    taken = context.patient.medications
    if taken is None:
        return _no_list("medications")
    if context.names_none(leaf):
        return kept(leaf, "none", lambda: _not_taken(leaf, ()))
    best: LeafResult | None = None
    past: tuple[Evidence, ...] = ()
    besides = ""  # the product asked for, where it is taken itself
    for entry in taken:
        if not matches(entry, leaf.drugs, leaf.classes, entry.drug):
            continue
        own = is_product(entry, context.request)
        if own:
            besides = besides or (entry.drug if _may_go_on(entry, context.as_of) else "")
            continue
        course = _single(entry, context)
        later = entry.start is not None and entry.start > context.as_of
        if later and (entry.status != "active" or entry.end is not None):
            continue
        answer = _taken_now(leaf, entry, course, context, exclude)
        if answer is not None and answer.shown and own is None:
            answer = _which_product(entry, context.request, answer.records)
        if answer is None:
            past += _shown_by(course, context)
        elif answer.shown:
            return answer
        elif best is None or better(answer, best):
            best = answer
    if best is not None:
        return best
    if context.status_only:
        return STATUS_ONLY[False]
    return _not_taken(leaf, past, besides)


def _not_taken(leaf: Taking, past: tuple[Evidence, ...], besides: str = "") -> LeafResult:
    """Not now, but in the past if these show it; `besides` the product asked for, where that is taken."""
    if not past:
        value = f"not on the medication list{f' besides {besides}' if besides else ''}: {leaf.label}"
        past = (Evidence(record_id="medications", kind="medication", value=value),)
    dose = dose_range(leaf)
    found = message("taking.none", drug=leaf.label, dose=dose, besides=besides)
    return LeafResult(False, past, found, None, action("add_drug", drug=leaf.label, dose=dose))


def _may_go_on(entry: Medication, as_of: date) -> bool:
    """Has it begun, without an end that has passed?"""
    begun = entry.start is None or entry.start <= as_of
    return begun and entry.status != "stopped" and (entry.end is None or entry.end > as_of)


def _taken_now(
    leaf: Taking, entry: Medication, course: Course, context: EvaluationContext, exclude: bool
) -> LeafResult | None:
    """Whether this entry shows it; None if it is past, or at another dose."""
    records = _shown_by(course, context)
    at_dose = within_dose(leaf, dose_in_mg(entry))
    if at_dose is False:
        return None
    if course.flaw or course.end is None:
        return _taking_unsure(entry, records, course.flaw)
    if not course.ongoing:
        return None
    if at_dose is None:
        found = message("taking.no_dose", drug=entry.drug)
        return LeafResult(None, records, found, "missing", action("document_dose", drug=entry.drug))
    if leaf.min_days and (course.days is None or course.days < leaf.min_days):
        return _taking_too_short(leaf, entry, course, records)
    step = action("stop_drug", drug=entry.drug) if exclude else None
    return LeafResult(
        True, records, message("taking.now", drug=entry.drug, dose=dose_range(leaf)), None, step
    )


def _which_product(entry: Medication, request: Request, records: tuple[Evidence, ...]) -> LeafResult:
    """Charted by its ingredient alone, it may be the product asked for, which does not count, or another."""
    others = [name for name in brands_of(entry.ingredients) if name.casefold() != request.drug.casefold()]
    named = 0 < len(others) < 4
    which = {
        "drug": entry.drug,
        "asked": request.drug,
        "others": tuple(others) if named else (),
        "any": not named,
    }
    found = message("product.which", **which)
    return LeafResult(None, records, found, "ambiguous", action("record_product", **which))


def dose_range(leaf: Taking | Use) -> Message | None:
    """The doses that the leaf names, e.g. "10 mg or more"; None if it names none."""
    if leaf.min_dose is not None and leaf.max_dose is not None:
        return message("dose.between", low=leaf.min_dose, high=leaf.max_dose)
    if leaf.min_dose is not None:
        return message("dose.least", low=leaf.min_dose)
    return message("dose.most", high=leaf.max_dose) if leaf.max_dose is not None else None


def within_dose(leaf: Taking | Use, dose: float | None) -> bool | None:
    """Is the dose, in mg, one that the leaf names? None if it names some and the dose is not known."""
    if leaf.min_dose is None and leaf.max_dose is None:
        return True
    if dose is None:
        return None
    low, high = leaf.min_dose, leaf.max_dose
    return (low is None or dose >= low) and (high is None or dose <= high)


def _taking_unsure(entry: Medication, records: tuple[Evidence, ...], flaw: Message | None) -> LeafResult:
    document = action("document_stop", drug=entry.drug)
    if flaw is not None:
        found = message("taking.flaw", drug=entry.drug, flaw=flaw)
        return LeafResult(None, records, found, "conflict", document)
    if entry.status == "stopped":
        return LeafResult(False, records, message("taking.stopped", drug=entry.drug))
    return LeafResult(None, records, message("taking.not_known", drug=entry.drug), "missing", document)


def _taking_too_short(
    leaf: Taking, entry: Medication, course: Course, records: tuple[Evidence, ...]
) -> LeafResult:
    if course.days is None:
        found = message("taking.no_start", drug=entry.drug)
        return LeafResult(None, records, found, "missing", action("document_since", drug=entry.drug))
    found = message("trial.too_short", drug=entry.drug, days=course.days, wanted=leaf.min_days)
    step = action("continue_drug", drug=entry.drug, days=leaf.min_days - course.days)
    return LeafResult(False, records, found, None, step)


def on_drug(leaf: OnDrug, context: EvaluationContext, exclude: bool) -> LeafResult:
    """Calendar months of the drug asked for at the dose, up to as_of: a course that has ended is no therapy."""
    drug = context.request.drug
    taken = context.patient.medications
    if taken is None:
        return _no_list("medications")
    entries = [entry for entry in taken if is_product(entry, context.request)]
    answer = _on_drug(leaf, entries, drug, context)
    unbranded = [entry for entry in taken if is_product(entry, context.request) is None]
    if answer.shown is False and unbranded:
        supposed = _on_drug(leaf, [*entries, *unbranded], drug, context)
        if supposed.shown is not False:
            return _which_product(unbranded[0], context.request, supposed.records)
    return answer


def _on_drug(
    leaf: OnDrug, entries: Sequence[Medication], drug: str, context: EvaluationContext
) -> LeafResult:
    undosed = [entry for entry in entries if leaf.min_dose is not None and entry.dose is None]
    fitting = [
        entry
        for entry in entries
        if leaf.min_dose is None or (entry.dose is not None and entry.dose >= leaf.min_dose)
    ]
    best: LeafResult | None = None
    for course in courses_of(fitting, context):
        answer = _months_on(leaf, course, drug, context)
        best = answer if best is None or better(answer, best) else best
    if (best is None or not best.shown) and undosed:
        records = tuple([item for entry in undosed for item in _course(entry, None, context.as_of).seen])
        found = message("on_drug.no_dose", drug=drug)
        return LeafResult(None, records, found, "missing", action("document_doses", drug=drug))
    if best is not None:
        return best
    seen = tuple([item for entry in entries for item in _course(entry, None, context.as_of).seen])
    seen = seen or (not_listed(drug),)
    step = action("reach_months", months=leaf.min_months, drug=drug, dose=leaf.min_dose)
    return LeafResult(False, seen, message("on_drug.none", drug=drug, dose=leaf.min_dose), None, step)


def _months_on(leaf: OnDrug, course: Course, drug: str, context: EvaluationContext) -> LeafResult:
    records, dose = _shown_by(course, context), leaf.min_dose
    if course.flaw or course.start is None or course.end is None:
        found = message("on_drug.no_dates", drug=drug, dose=dose)
        return LeafResult(None, records, found, "missing", action("document_since", drug=drug, dose=dose))
    due = add_months(course.start, leaf.min_months)
    if course.end < context.as_of:
        found = message("on_drug.ended", drug=drug, dose=dose, day=iso(course.end))
        step = action("document_still", drug=drug, dose=dose, months=leaf.min_months)
        return LeafResult(False, records, found, None, step)
    months = months_between(course.start, course.end)
    found = message("on_drug.months", drug=drug, dose=dose, months=months, since=iso(course.start))
    step = action("continue_until", drug=drug, dose=dose, until=iso(due))
    return LeafResult(course.end >= due, records, found, None, step)


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
