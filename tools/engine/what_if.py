"""Suppositions: a changed copy of a chart, put to the same determination. Pure; nothing is ever kept.

"if her BMI were 29"                    Value(test="bmi", value=29)
"after 16 more days on metformin"       Later(days=16)
"if we document the sitagliptin stop"   Stopped(drug="sitagliptin")
"if he had failed metformin for 3 months" Tried(drug="metformin", days=90, outcome="Inadequate response")
"if he goes to 2000 mg of it today"       Started(drug="metformin", on=today, daily=2000)
"leave the glipizide out"                 Removed(drug="glipizide")

What moves the day comes first, whatever the order in which it was said; the rest is supposed of that day. What has a
first day of its own is not there before it, and goes on to the day that is judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec

from tools.common.dates import add_months
from tools.common.errors import Invalid, NotFound, nearest
from tools.domain.records import (
    Attestation,
    Coverage,
    Diagnosis,
    Document,
    Drug,
    Fill,
    Medication,
    Observation,
    Patient,
    Plan,
    Program,
    Request,
    TrialOutcome,
)
from tools.domain.rules import Rule, Specialist, walk
from tools.engine.request import check_amounts, complete_request
from tools.evidence.courses import matches
from tools.evidence.measurements import canonical, round_half_up, values_of
from tools.terminology.conditions import CONCEPTS, exclusive_codes
from tools.terminology.medicines import Formulation, medicine
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS


class Supposed(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="what",
):
    """Base of all suppositions."""


class Value(Supposed, frozen=True, kw_only=True, tag="value"):
    """A new measured value, on `on` or the day of the determination; in the test's own unit if none is named."""

    test: str  # a key of terms.TESTS
    value: float
    unit: str = ""
    on: date | None = None


class Repeated(Supposed, frozen=True, kw_only=True, tag="repeated"):
    """A test done again on the day of the determination, with the result that the chart has."""

    test: str


class Later(Supposed, frozen=True, kw_only=True, tag="later"):
    """The same chart so many days or months later, with what is ongoing going on: `drug` names the course that is
    meant, if one is."""

    days: int = 0
    months: int = 0
    drug: str = ""


class On(Supposed, frozen=True, kw_only=True, tag="on"):
    """The same chart on another day."""

    date: date


class Stopped(Supposed, frozen=True, kw_only=True, tag="stopped"):
    """An ongoing course has ended, on `on` or the day of the determination."""

    drug: str
    on: date | None = None
    outcome: TrialOutcome | None = None


class Started(Supposed, frozen=True, kw_only=True, tag="started"):
    """A course that is ongoing, begun on `on`, or `days` before the day of the determination. With a first day its
    claims are supposed too. `daily` is its dose in mg a day, from that day on, if it is told."""

    drug: str
    days: int = 0
    on: date | None = None
    daily: float = 0.0
    formulation: Formulation = ""


class Tried(Supposed, frozen=True, kw_only=True, tag="tried"):
    """A finished course of so many days with this outcome; with a first day it ends on the day of the determination."""

    drug: str
    days: int = 90
    outcome: TrialOutcome = "Inadequate response"
    on: date | None = None
    daily: float = 0.0
    formulation: Formulation = ""


class Removed(Supposed, frozen=True, kw_only=True, tag="removed"):
    """The same chart without any course of a drug, or without those of one formulation, and their claims."""

    drug: str
    formulation: Formulation = ""


class Diagnosed(Supposed, frozen=True, kw_only=True, tag="diagnosed"):
    """A confirmed diagnosis, by a key of terms.CONCEPTS; or that there is none (`present=False`)."""

    concept: str
    present: bool = True


class Stated(Supposed, frozen=True, kw_only=True, tag="stated"):
    """The prescriber's statement in the chart, e.g. that there is no personal or family history of MTC or MEN 2.
    `present` is None where it says what the plan's rules ask for."""

    topic: str
    present: bool | None
    specialty: str = ""  # of a consultation; those that the plan's rules ask for if none is named


class Enrolled(Supposed, frozen=True, kw_only=True, tag="enrolled"):
    """A structured lifestyle programme of so many months, up to the day of the determination; or one since `on`, that
    goes on or ended on `until`."""

    months: int = 0
    on: date | None = None
    until: date | None = None


class Filed(Supposed, frozen=True, kw_only=True, tag="filed"):
    """A signed paper on file, of `on` or the day of the determination. `of` is Required.of that it can fulfil."""

    of: str
    on: date | None = None


class Aged(Supposed, frozen=True, kw_only=True, tag="aged"):
    """Another age, in years."""

    years: int


class Asked(Supposed, frozen=True, kw_only=True, tag="asked"):
    """Another request: strength, quantity (billing units), days' supply or kind."""

    strength: str = ""
    quantity: float | None = None
    days_supply: int | None = None
    kind: Literal["", "new", "continuation", "renewal"] = ""


class Insured(Supposed, frozen=True, kw_only=True, tag="insured"):
    """Enrolled in another plan, from long before."""

    plan_id: str


Change = (
    Value
    | Repeated
    | Later
    | On
    | Stopped
    | Started
    | Tried
    | Removed
    | Diagnosed
    | Stated
    | Enrolled
    | Filed
    | Aged
    | Asked
    | Insured
)
Course = Started | Tried

MOST_YEARS = 10  # ahead or back; a chart says little about a day further off
OLDEST = 120  # years
LONGEST_TRIAL = 3650  # days
CLAIMED = 30  # days that a supposed claim supplies


class Scenario(NamedTuple):
    """What a determination is asked of, with the suppositions in it."""

    patient: Patient
    plan: Plan
    request: Request
    as_of: date


def suppose(
    patient: Patient,
    plan: Plan,
    request: Request,
    as_of: date,
    changes: Iterable[Change],
    drugs: Sequence[Drug],
    plans: Iterable[Plan] = (),
) -> Scenario:
    """The same question of a changed copy; the chart given stays as it is. Invalid or NotFound says why
    something cannot be supposed. `drugs` is the catalog, `plans` are those that one may be supposed to be in."""
    wanted = list(changes)
    if not wanted:
        return Scenario(patient, plan, request, as_of)
    day = _day(patient, as_of, wanted)
    case = _Case(patient, plan, request, day, list(drugs), list(plans))
    for number, change in enumerate(wanted, 1):
        _SUPPOSE[type(change)](case, change, f"supposed-{number}")
    drug = case.drug_named(case.request.drug)
    return Scenario(case.patient, case.plan, complete_request(case.patient, drug, case.request), day)


class _Case:
    """The copy as it is being changed."""

    def __init__(
        self,
        patient: Patient,
        plan: Plan,
        request: Request,
        as_of: date,
        drugs: list[Drug],
        plans: list[Plan],
    ) -> None:
        self.patient, self.plan, self.request, self.as_of = patient, plan, request, as_of
        self.drugs, self.plans = drugs, plans

    def change(self, **parts: Any) -> None:
        self.patient = msgspec.structs.replace(self.patient, **parts)

    def drug_named(self, name: str) -> Drug:
        for drug in self.drugs:
            if drug.name.casefold() == name.casefold():
                return drug
        raise NotFound("drug", name, nearest(name, [drug.name for drug in self.drugs]))

    def rules(self) -> tuple[Rule, ...]:
        benefit = self.plan.benefits.get(self.request.drug)
        return benefit.rules if benefit else ()

    def specialties(self) -> list[str]:
        """Those whose consultation the plan asks for, for the drug."""
        trees = [tree for rule in self.rules() for tree in (rule.criteria, *rule.renewals)]
        leaves = [node for tree in trees for node in walk(tree) if isinstance(node, Specialist)]
        return list(dict.fromkeys(name for leaf in leaves for name in leaf.specialties))

    def excludes(self, topic: str) -> bool:
        """Whether what is stated is an exclusion of the drug."""
        nodes = (node for rule in self.rules() for tree in rule.exclusions for node in walk(tree))
        return any(getattr(node, "topic", "") == topic for node in nodes)

    def courses(self) -> tuple[Medication, ...]:
        """A list that is not recorded stays so: with one supposed entry it would count as complete."""
        if self.patient.medications is None:
            raise Invalid("the medication list is not recorded, so one course cannot be supposed on it")
        return self.patient.medications

    def of_drug(self, name: str) -> list[Medication]:
        """The courses that this name, of a drug or an ingredient, stands for; a brand only for itself or its
        ingredients as charted."""
        meant = medicine(name, self.drugs)
        known = (name.casefold(), *(meant.ingredients if name.casefold() in meant.ingredients else ()))
        found = [entry for entry in self.courses() if matches(entry, known, (), entry.drug)]
        return found or [
            entry for entry in self.courses() if matches(entry, meant.ingredients, (), entry.drug)
        ]

    def ongoing(self, name: str) -> list[Medication]:
        return [entry for entry in self.of_drug(name) if _goes_on(entry, self.as_of)]

    def with_courses(self, old: Iterable[Medication], *new: Medication) -> None:
        gone = {id(entry) for entry in old}
        kept = [entry for entry in self.courses() if id(entry) not in gone]
        self.change(medications=(*kept, *new))


def _goes_on(entry: Medication, as_of: date) -> bool:
    """Ongoing, or not known to have ended."""
    if entry.start is not None and entry.start > as_of:
        return False
    return entry.end > as_of if entry.end is not None else entry.status != "stopped"


# --- the day ---------------------------------------------------------------------------------------------


def _day(patient: Patient, as_of: date, changes: Sequence[Change]) -> date:
    """The day that is judged: later, on another day, or on the day of what is supposed to come."""
    day = as_of
    for change in changes:
        if isinstance(change, On):
            day = change.date
        elif isinstance(change, Later):
            if change.days < 0 or change.months < 0:
                raise Invalid("only a later day can be supposed so; name the day for an earlier one")
            if change.days > MOST_YEARS * 366 or change.months > MOST_YEARS * 12:
                raise Invalid(f"more than {MOST_YEARS} years ahead cannot be supposed of this chart")
            day = add_months(day, change.months) + timedelta(days=change.days)
    for change in changes:
        if isinstance(change, Value | Stopped | Filed) and change.on is not None:
            day = max(day, change.on)
    if abs((day - as_of).days) > MOST_YEARS * 366:
        raise Invalid(f"{day} is more than {MOST_YEARS} years from {as_of}, too far to suppose of this chart")
    if patient.birth_date is not None and day < patient.birth_date:
        raise Invalid(f"{day} lies before the patient's birth on {patient.birth_date}")
    return day


def _moves_the_day(case: _Case, change: On, name: str) -> None:
    """Done in `_day`."""


def _later(case: _Case, change: Later, name: str) -> None:
    if change.drug and not case.ongoing(change.drug):
        raise Invalid(f"no ongoing course of {change.drug} is charted that could go on")


# --- measured --------------------------------------------------------------------------------------------


def _value(case: _Case, change: Value, name: str) -> None:
    spec = TESTS.get(change.test)
    if spec is None:
        raise NotFound("test", change.test, nearest(change.test, TESTS), f"there are {', '.join(TESTS)}")
    unit = change.unit or spec.unit
    measured = canonical(change.test, change.value, unit) if math.isfinite(change.value) else math.nan
    if measured is None:
        raise Invalid(f"{spec.name} has no unit {unit!r}; it is measured in {' or '.join(spec.units)}")
    if not spec.low <= measured <= spec.high:
        low, high = f"{spec.low:g}", f"{spec.high:g}"
        raise Invalid(
            f"{spec.name} {change.value:g} {unit} is not possible; it lies between {low} and {high} {spec.unit}"
        )
    day = change.on or case.as_of
    if case.patient.birth_date is not None and day < case.patient.birth_date:
        raise Invalid(f"{day} lies before the patient's birth on {case.patient.birth_date}")
    new = Observation(id=name, test=change.test, value=change.value, unit=unit, date=day)
    replaced = ("weight", "bmi") if change.test == "weight" else (change.test,)
    kept = [
        item
        for item in case.patient.observations
        if not (item.test in replaced and (item.date == day or item.date is None or item.date > case.as_of))
    ]
    if change.test == "bmi":
        kept = _weighing_so(case, kept, measured, day, name)
    case.change(observations=(*kept, new))


def _repeated(case: _Case, change: Repeated, name: str) -> None:
    last = values_of(case.patient, change.test, case.as_of).usable
    if not last:
        raise Invalid(f"no {TESTS[change.test].name} is charted that could come out the same")
    _value(case, Value(test=change.test, value=last[0].value), name)


def _weighing_so(
    case: _Case, observations: list[Observation], bmi: float, day: date, name: str
) -> list[Observation]:
    """That day's weight, if there is one, as the supposed BMI has it: else the two would contradict each other."""
    heights = values_of(case.patient, "height", day).usable
    same_day = [item for item in observations if item.test == "weight" and item.date == day]
    if not (heights and same_day):
        return observations
    metres = Decimal(repr(heights[0].value)) / 100
    weight = round_half_up(float(Decimal(repr(bmi)) * metres * metres), 2)
    kept = [
        item
        for item in observations
        if item not in same_day and not (item.test == "height" and item.date == day)
    ]
    height = Observation(id=f"{name}-height", test="height", value=heights[0].value, unit="cm", date=day)
    return [*kept, height, Observation(id=f"{name}-weight", test="weight", value=weight, unit="kg", date=day)]


# --- taken -----------------------------------------------------------------------------------------------


def _stopped(case: _Case, change: Stopped, name: str) -> None:
    day = change.on or case.as_of
    ongoing = case.ongoing(change.drug)
    if not ongoing:
        past = "ended already" if case.of_drug(change.drug) else "is not on the medication list"
        raise Invalid(f"no course of {change.drug} is going on that could be stopped; it {past}")
    ended = []
    for entry in ongoing:
        if entry.start is not None and day < entry.start:
            raise Invalid(f"{entry.drug} began on {entry.start}; it cannot have stopped on {day}")
        outcome = change.outcome or entry.outcome
        ended.append(msgspec.structs.replace(entry, id=entry.id, end=day, status="stopped", outcome=outcome))
    case.with_courses(ongoing, *ended)


def _started(case: _Case, change: Started, name: str) -> None:
    _taken(case, change, name, None)


def _tried(case: _Case, change: Tried, name: str) -> None:
    """Never shorter than the course that goes on."""
    _taken(case, change, name, change.outcome)


def _taken(case: _Case, change: Course, name: str, outcome: TrialOutcome | None) -> None:
    """The course of the drug that goes on becomes the one that is meant, with dose and form kept; at another dose it
    ends on the day on which that begins. With an outcome it is over. One of another formulation is another course."""
    began = change.on or _back(case, change.days, "a trial" if outcome else "a course")
    if began > case.as_of:
        return
    end = case.as_of if outcome else None
    status: Literal["stopped", "active"] = "stopped" if outcome else "active"
    ongoing = case.ongoing(change.drug)
    course = _course(case, change.drug, name, began, end, outcome)
    if change.formulation:
        ongoing = [entry for entry in ongoing if entry.formulation in (None, change.formulation)]
        course = msgspec.structs.replace(course, formulation=change.formulation)
    if ongoing:
        last = max(ongoing, key=lambda entry: entry.start or date.min)
        starts = [entry.start for entry in ongoing if entry.start is not None]
        first = min([began, *starts]) if outcome and not change.daily else began
        changed = {"id": name} if change.daily else {"outcome": outcome} if outcome else {}
        course = msgspec.structs.replace(last, start=first, end=end, status=status, **changed)
    if change.daily:
        course = msgspec.structs.replace(
            course, dose=change.daily, dose_unit="mg", per_day=1.0, outcome=outcome
        )
    before = [
        msgspec.structs.replace(entry, end=began, status="stopped")
        for entry in ongoing
        if change.daily and (entry.start is None or entry.start < began)
    ]
    case.with_courses(ongoing, *before, course)
    if change.on:
        case.change(fills=(*case.patient.fills, *_claims(course, name, began, case.as_of)))


def _claims(course: Medication, name: str, began: date, last: date) -> list[Fill]:
    """One for each month of the course."""
    return [
        Fill(
            id=f"{name}-claim-{number}",
            drug=course.drug,
            ingredients=course.ingredients,
            classes=course.classes,
            date=began + timedelta(days=CLAIMED * number),
            days_supply=CLAIMED,
        )
        for number in range(-(-(last - began).days // CLAIMED))
    ]


def _removed(case: _Case, change: Removed, name: str) -> None:
    gone = [
        entry
        for entry in case.of_drug(change.drug)
        if not change.formulation or entry.formulation == change.formulation
    ]
    if not gone:
        raise Invalid(f"no course of {change.drug} {change.formulation}".rstrip() + " is charted")
    case.with_courses(gone)
    if not case.of_drug(change.drug):
        names = tuple({name for entry in gone for name in (entry.drug.casefold(), *entry.ingredients)})
        kept = [fill for fill in case.patient.fills if not matches(fill, names, (), fill.drug)]
        case.change(fills=tuple(kept))


def _back(case: _Case, days: int, what: str) -> date:
    if not 0 <= days <= LONGEST_TRIAL:
        raise Invalid(f"{what} of {days} days cannot be supposed; write 0 to {LONGEST_TRIAL}")
    began = case.as_of - timedelta(days=days)
    if case.patient.birth_date is not None and began < case.patient.birth_date:
        raise Invalid(f"{what} of {days} days would begin before the patient's birth")
    return began


def _course(
    case: _Case, drug: str, name: str, start: date, end: date | None, outcome: TrialOutcome | None
) -> Medication:
    meant = medicine(drug, case.drugs)
    if not meant.classes:
        raise NotFound("drug", drug, hint="name the drug or its ingredient, e.g. metformin")
    return Medication(
        id=name,
        drug=drug,
        ingredients=meant.ingredients,
        classes=meant.classes,
        rxnorm=meant.rxnorm,
        start=start,
        end=end,
        status="stopped" if end else "active",
        outcome=outcome,
    )


# --- diagnosed and stated --------------------------------------------------------------------------------


def _diagnosed(case: _Case, change: Diagnosed, name: str) -> None:
    concept = CONCEPTS.get(change.concept)
    if concept is None:
        raise NotFound(
            "diagnosis", change.concept, nearest(change.concept, CONCEPTS), f"there are {', '.join(CONCEPTS)}"
        )
    listed = case.patient.conditions
    if listed is None:
        raise Invalid("the problem list is not recorded, so one diagnosis cannot be supposed on it")
    if change.present and concept.sex and case.patient.sex not in (concept.sex, "unknown"):
        raise Invalid(f"{concept.label} does not apply to a {case.patient.sex} patient")
    excluded = exclusive_codes(change.concept) if change.present else ()
    listed = tuple([item for item in listed if not (excluded and item.code.startswith(excluded))])
    others = [
        item
        for item in listed
        if not (
            item.code.startswith(concept.codes) or any(p in item.name.casefold() for p in concept.phrases)
        )
    ]
    said = [item for item in case.patient.attestations if not concept.topic or item.topic != concept.topic]
    if not change.present:
        case.change(conditions=tuple(others))
    elif len(others) == len(listed):
        new = Diagnosis(id=name, code=concept.codes[0], name=concept.label, onset=case.as_of)
        case.change(conditions=(*listed, new))
    else:  # it is there, perhaps provisional or abated
        confirmed = [
            item if item in others else msgspec.structs.replace(item, verification="confirmed", abated=None)
            for item in listed
        ]
        case.change(conditions=tuple(confirmed))
    if concept.topic:
        stated = Attestation(id=name, topic=concept.topic, present=change.present, date=case.as_of)
        kept = [item for item in case.patient.attestations if item not in said]
        family = [_of_family(item) for item in kept if "family" in item.subjects]
        case.change(attestations=(*said, *family, stated))


def _of_family(item: Attestation) -> Attestation:
    return msgspec.structs.replace(item, subjects=("family",))


def _stated(case: _Case, change: Stated, name: str) -> None:
    if change.topic not in TOPICS:
        raise NotFound("topic", change.topic, nearest(change.topic, TOPICS), f"there are {', '.join(TOPICS)}")
    others = [
        item
        for item in case.patient.attestations
        if item.topic != change.topic or (item.date is not None and item.date < case.as_of)
    ]
    present = not case.excludes(change.topic) if change.present is None else change.present
    specialties: Sequence[str] = ("",)
    if change.topic == "specialist_consult" and present:
        specialties = (change.specialty,) if change.specialty else case.specialties() or ("",)
    stated = [
        Attestation(
            id=name if specialty == specialties[0] else f"{name}-{specialty}",
            topic=change.topic,
            present=present,
            subjects=("self", "family"),
            date=case.as_of,
            specialty=specialty,
        )
        for specialty in specialties
    ]
    case.change(attestations=(*others, *stated))


# --- the person, the request, the plan --------------------------------------------------------------------


def _enrolled(case: _Case, change: Enrolled, name: str) -> None:
    if change.on is None and not 0 < change.months <= MOST_YEARS * 12:
        raise Invalid(f"a program of {change.months} months cannot be supposed; write 1 to {MOST_YEARS * 12}")
    start = change.on or add_months(case.as_of, -change.months)
    if start > case.as_of:
        return
    end = change.until if change.on else case.as_of
    if end is not None and end < start:
        raise Invalid(f"a program from {start} to {end} cannot be supposed: it ends before it begins")
    new = Program(id=name, name="lifestyle program", start=start, end=end)
    before = [item for item in case.patient.programs if item.end is not None and item.end <= start]
    case.change(programs=(*before, new))  # what ran at that time is supposed to have been this one


def _filed(case: _Case, change: Filed, name: str) -> None:
    day = change.on or case.as_of
    paper = Document(id=name, title=change.of, of=change.of, date=day, status="signed")
    case.change(documents=(*case.patient.documents, paper))


def _aged(case: _Case, change: Aged, name: str) -> None:
    if not 0 <= change.years <= OLDEST:
        raise Invalid(f"an age of {change.years} is not possible; it lies between 0 and {OLDEST}")
    case.change(birth_date=add_months(case.as_of, -12 * change.years))


def _asked(case: _Case, change: Asked, name: str) -> None:
    drug = case.drug_named(case.request.drug)
    request = case.request
    if change.strength:
        wanted = "".join(change.strength.split()).casefold()
        labels = [strength.label for strength in drug.strengths]
        fitting = [label for label in labels if "".join(label.split()).casefold() == wanted]
        if not fitting:
            raise NotFound(f"strength of {drug.name}", change.strength, hint=f"known: {', '.join(labels)}")
        request = msgspec.structs.replace(
            request, strength=fitting[0], assumed=False, quantity=None, unit=None, days_supply=None
        )
    check_amounts(change.quantity, change.days_supply)
    if change.quantity is not None:
        request = msgspec.structs.replace(request, quantity=change.quantity, unit=drug.unit)
    if change.days_supply is not None:
        request = msgspec.structs.replace(request, days_supply=change.days_supply)
    if change.kind:
        request = msgspec.structs.replace(request, kind=change.kind, therapy_start=None)
    case.request = request


def _insured(case: _Case, change: Insured, name: str) -> None:
    named = {plan.id.casefold(): plan for plan in case.plans}
    plan = named.get(change.plan_id.casefold())
    if plan is None:
        known = [plan.id for plan in case.plans]
        raise NotFound(
            "plan", change.plan_id, nearest(change.plan_id, known), f"there are {', '.join(known)}"
        )
    case.plan = plan
    case.change(plan_id=plan.id, coverages=(*case.patient.coverages, Coverage(id=name, plan_id=plan.id)))


_SUPPOSE: dict[type, Callable[[_Case, Any, str], None]] = {
    Value: _value, Repeated: _repeated, Later: _later, On: _moves_the_day, Stopped: _stopped, Started: _started,
    Tried: _tried, Removed: _removed, Diagnosed: _diagnosed, Stated: _stated, Enrolled: _enrolled, Filed: _filed,
    Aged: _aged, Asked: _asked, Insured: _insured,
}  # fmt: skip


def changes_of(
    test: str = "",
    value: float | None = None,
    days_later: int = 0,
    on: date | None = None,
    stopped: str = "",
    tried: str = "",
    tried_days: int = 90,
    diagnosis: str = "",
    denied: str = "",
    programme_months: int = 0,
    plan: str = "",
) -> list[Change]:
    """The suppositions that these words make; Invalid where a half of one is missing."""
    if bool(test) != (value is not None):
        raise Invalid("a supposed test needs both test and value")
    changes: list[Change] = []
    if test and value is not None:
        changes.append(Value(test=test, value=value))
    if tried:
        changes.append(Tried(drug=tried, days=tried_days))
    if stopped:
        changes.append(Stopped(drug=stopped))
    if diagnosis:
        changes.append(Diagnosed(concept=diagnosis))
    if denied:
        changes.append(Stated(topic=denied, present=False))
    if programme_months:
        changes.append(Enrolled(months=programme_months))
    if plan:
        changes.append(Insured(plan_id=plan))
    if days_later:
        changes.append(Later(days=days_later))
    if on is not None:
        changes.append(On(date=on))
    return changes
