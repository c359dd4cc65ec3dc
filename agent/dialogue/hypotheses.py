"""What a turn supposes, as changes of the record: values, time, courses, diagnoses, programs, a plan, another request.

Everything that stands in the turn (drugs, conditions, plans, numbers, lengths of time, dates) is found by the
terminology's readers; in which role it stands, tried or stopped, a result or a window, is learned from examples by
many authors (evals/examples/suppositions). Nothing is filled in that was not said, but for a trial's length and
outcome, which have the defaults of what_if.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from agent.dialogue.entities import Entities, Entity
from agent.dialogue.known import Known
from agent.dialogue.query import Talk
from agent.dialogue.wordlists import words
from tools.common.dates import add_months
from tools.domain.records import TrialOutcome
from tools.engine.what_if import (
    Aged,
    Asked,
    Change,
    Course,
    Diagnosed,
    Enrolled,
    Filed,
    Insured,
    Later,
    On,
    Removed,
    Repeated,
    Started,
    Stated,
    Stopped,
    Tried,
    Value,
)
from tools.language.assertion import assertion
from tools.language.encoder import Encoded, Head, encode, heads
from tools.terminology.conditions import CONCEPTS
from tools.terminology.dates import DateSpan, coming_days, dates_in
from tools.terminology.effects import intolerance_of
from tools.terminology.matcher import matches
from tools.terminology.medicines import Formulation, formulation_at
from tools.terminology.observations import TESTS, units
from tools.terminology.quantities import Quantity, convert, dispensed_in, quantities_in
from tools.terminology.terms import TOPICS
from tools.terminology.vocabulary import vocabulary

ROLES = Path(__file__).parent / "roles.npz"
_OUTCOMES: dict[str, TrialOutcome] = {
    "failed": "Inadequate response",
    "tried": "Inadequate response",
    "not_tolerated": "Intolerance - other",
    "worked": "Effective",
}
LIKELY_ROLE = 0.5  # of likelihood, under which a thing is taken to be only mentioned
LIKELY_OF_A_PRONOUN = 0.65  # the same of a word that may as well stand for no medicine
_DAYS = {"d": 1, "wk": 7, "mo": 30, "a": 365}  # of a unit of time
_KINDS = {"time": "duration", "calendar time": "duration", "age": "age"}  # by the dimension of a number
MOST_OFTEN = 24  # times a day; more than that a day is an amount
_WORD = re.compile(r"\w+")
_MASS = ("kg", "lb", "[lb_av]", "g")


class Thing(NamedTuple):
    """Something that stands in a turn: of which kind, where, and in which role. `day` is the last of the days that are
    named, `first` the first of them; `paper` is what a document shows, or the specialty of a consultation."""

    kind: str
    start: int
    end: int
    role: str
    entity: Entity | None = None
    quantity: Quantity | None = None
    day: date | None = None
    first: date | None = None
    paper: str = ""
    strongest: float = math.inf  # of a drug's packages, in mg
    formulation: Formulation = ""  # of a drug, if it is told behind its name
    effect: TrialOutcome | None = (
        None  # what a course comes to, by the side effect that its part of the turn names
    )


_ENDED = (
    "failed",
    "not_tolerated",
)  # what has ended so is taken as tried for long enough, whatever else is said


_BROKEN_OFF = ("started", "stopped", "tried", "not_tolerated")  # roles of a course that a side effect ended


def find(named: Entities, parts: Sequence[tuple[int, int]], talk: Talk, known: Known) -> tuple[Change, ...]:
    """What these parts of a turn suppose, each the characters [start, end)."""
    encoded = encode(named.text)  # by itself, as its roles were learned
    named = _with_pronouns(named, talk)
    things = [thing for part in parts for thing in things_in(named, encoded, *part, known.as_of)]
    effects = (effect for start, end in parts if (effect := intolerance_of(named.text[start:end])))
    effect = next(effects, None)
    things = [thing._replace(strongest=_strongest(thing, known), effect=effect) for thing in things]
    things = sorted((_in_form(thing, things) for thing in things), key=lambda thing: thing.start)
    things = _as_dated(things)
    made: list[Change] = []
    for thing in things:
        made += _CHANGES[thing.kind](thing, things, talk)
    days = [change for change in made if isinstance(change, On)]
    asked = [change for change in made if isinstance(change, Asked)]
    others: list[Change] = [change for change in made if not isinstance(change, On | Asked)]
    if asked:  # strength and quantity are parts of one request
        others.append(_one(asked))
    if days:  # what is said to be done before that is done by then
        others.append(max(days, key=lambda change: change.date))
    return tuple(dict.fromkeys(others))


def _in_form(thing: Thing, things: Sequence[Thing]) -> Thing:
    """A drug that is named once more, or by a word that stands for it, in the formulation in which it was named."""
    if thing.entity is None or thing.kind != "drug" or thing.formulation:
        return thing
    same = (one for one in things if one.entity and one.entity.key == thing.entity.key)
    return thing._replace(formulation=next((one.formulation for one in same if one.formulation), ""))


def _with_pronouns(named: Entities, talk: Talk) -> Entities:
    """With the medicine that each pronoun may stand for: the one named last before it, else the one talked about."""
    before = next((name for ask in reversed(talk.asks) for name in ask.medicines), "")
    last = Entity(0, 0, "medicine", key=before) if before else None
    last = last or next((Entity(0, 0, "drug", (name,), name) for name in talk.drugs), None)
    found: list[Entity] = []
    medicines = [one for one in named.found if one.kind in ("drug", "class", "medicine")]
    for word in _WORD.finditer(named.text):
        if not _stands_for_one(word[0]):
            continue
        meant = max(
            (one for one in medicines if one.end <= word.start()), key=lambda one: one.end, default=last
        )
        if meant is not None and not any(
            one.start < word.end() and word.start() < one.end for one in named.found
        ):
            found.append(meant._replace(start=word.start(), end=word.end(), several=False))
    return named._replace(found=(*named.found, *found))


def _as_dated(things: Sequence[Thing]) -> list[Thing]:
    """Where no course is told of, but a day on which one begins or ends, it is that of the medicine named nearest."""
    days = [one for one in things if one.kind == "date" and one.role in ("started", "stopped")]
    named = [one for one in things if (one.kind, one.role) == ("drug", "mentioned")]
    if _courses(things) or not days or not named:
        return [*things]
    nearest = _nearest(days[0], named)
    return [one._replace(role=days[0].role) if one is nearest else one for one in things]


def _stands_for_one(word: str) -> bool:
    return word.casefold() in words("pronouns")


def _strongest(thing: Thing, known: Known) -> float:
    names = thing.entity.names if thing.entity else ()
    doses = [one.dose for drug in known.drugs if drug.name in names for one in drug.strengths]
    return max(doses, default=math.inf)


def with_before(before: Iterable[Change], made: Sequence[Change]) -> tuple[Change, ...]:
    """What was supposed before and is not supposed anew, then what is supposed now. An amount is of one drug, and not
    asked for again."""
    anew = {_subject(change) for change in made}
    kept = [one for one in before if _subject(one) not in anew and not isinstance(one, Asked)]
    return tuple(dict.fromkeys((*kept, *made)))


def under_way(changes: Iterable[Change], drugs: Sequence[Entity]) -> tuple[Change, ...]:
    """Of what is supposed, what a question from when on may suppose: what begins, and nothing that is over by then; the
    only drug that is named is the one that is waited for."""
    waited_for = {*drugs[0].names} if len(drugs) == 1 else set()
    return tuple(
        change
        for change in changes
        if not (isinstance(change, Tried | Enrolled) and change.on is None)
        and not (isinstance(change, Started) and not change.on and change.drug in waited_for)
    )


def things_in(named: Entities, encoded: Encoded, start: int, end: int, as_of: date | None) -> Iterator[Thing]:
    """Everything of the span that a supposition could be made of, in order, each in its likeliest role."""
    found: list[Thing] = []
    for one in named.within(start, end, "drug", "class", "medicine", "condition", "plan"):
        of = "drug" if one.kind in ("drug", "class", "medicine") else str(one.kind)
        subject = assertion(named.text, one.start, one.end, thing=of == "drug").subject
        if (of == "drug" and subject != "self") or (of == "condition" and subject == "other"):
            continue  # "his neighbor lost forty pounds on it" supposes nothing of the patient
        least = LIKELY_OF_A_PRONOUN if _stands_for_one(named.text[one.start : one.end]) else LIKELY_ROLE
        role = role_of(encoded, one.start, one.end, of, least=least)
        form = formulation_at(named.text, one.start, one.end) if of == "drug" else ""
        found.append(Thing(of, one.start, one.end, role, entity=one, formulation=form))
    for span, day in days_named(named.text, start, end, as_of or date.today()):
        unlikely = ("on",) if as_of is not None and day <= as_of else ("program",)
        role = role_of(encoded, span.start, span.end, "date", unlikely)
        found.append(Thing("date", span.start, span.end, role, day=day, first=day - (span.last - span.first)))
    for name in matches(named.text):
        of = vocabulary("document_kinds")[name.key].of if name.kind == "document" else ""
        of = name.key if name.kind == "specialty" else of
        if of and start <= name.start < end:
            role = role_of(encoded, name.start, name.end, "document")
            found.append(Thing(name.kind, name.start, name.end, role, paper=of))
    taken = [(thing.start, thing.end) for thing in found]
    for quantity in (*quantities_in(named.text), *dispensed_in(named.text)):
        inside = start <= quantity.start < end and not _is_pronoun(quantity, named.text)
        if not inside or any(a < quantity.end and quantity.start < b for a, b in taken):
            continue
        if quantity.dimension == "frequency" and quantity.high <= MOST_OFTEN:
            found.append(Thing("frequency", *quantity[:2], "mentioned", quantity=quantity))
            continue
        kind = _KINDS.get(quantity.dimension, "number")
        found.append(
            Thing(
                kind, quantity.start, quantity.end, role_of(encoded, *quantity[:2], kind), quantity=quantity
            )
        )
    tests = named.within(start, end, "test")
    found += [
        Thing("test", one.start, one.end, role_of(encoded, one.start, one.end, "test"), entity=one)
        for one in tests
    ]
    yield from sorted(found, key=lambda thing: thing.start)


def days_named(text: str, start: int, end: int, today: date) -> Iterator[tuple[DateSpan, date]]:
    """The days that are named between two offsets, one without its year as the nearest; of a month or season that is
    over, the last. What is counted from today counts only where it is not past."""
    found = dates_in(text, today)
    named = (
        one
        for one in coming_days(text, today)
        if not any(one.start < a.end and a.start < one.end for a in found)
    )
    for span in (*found, *named):
        day = span.last
        if not start <= span.start < end or (span.relative and day < today):
            continue
        if span.day and not (span.year or span.relative):
            day = min((day, add_months(day, 12)), key=lambda one: abs(one - today))
        if span.day is not None or day < today:
            yield span, day


def _is_pronoun(quantity: Quantity, text: str) -> bool:
    """ "the new one" is no number."""
    return not quantity.unit and quantity.value == 1 and text[quantity.start : quantity.end].isalpha()


@cache
def learned() -> Head:
    """The roles that things can have, learned by themselves on the rows of the encoder."""
    return heads(ROLES)["role"]


def role_of(
    encoded: Encoded,
    start: int,
    end: int,
    kind: str,
    unlikely: Sequence[str] = (),
    least: float = LIKELY_ROLE,
) -> str:
    """The likeliest role of those that a thing of this kind can have, and that this one can; that it is only mentioned,
    where none is so likely: rather nothing is supposed than what nobody said."""
    roles = learned()
    shares = roles.likelihoods(encoded.mean(start, end))
    own = [at for at, label in enumerate(roles.labels) if label.startswith(f"{kind}:")]
    own = [at for at in own if roles.labels[at].partition(":")[2] not in unlikely]
    best = max(own, key=lambda at: shares[at], default=-1)
    return roles.labels[best].partition(":")[2] if own and shares[best] >= least else "mentioned"


# --- a change of each kind --------------------------------------------------------------------------------


def _drug(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    assert thing.entity is not None
    name = thing.entity.key if len(thing.entity.names) != 1 else thing.entity.names[0]
    if thing.role == "removed":
        return [Removed(drug=name)]
    if (
        thing.role == "stopped" and not thing.effect
    ):  # as it was said: an ingredient may be taken under another name than ours
        ended = _of(thing, things, "date", "stopped")
        return [Stopped(drug=thing.entity.key, on=ended.day if ended else None)]
    course = _of(thing, things, "duration", "course")
    length = days_of(course.quantity) if course and course.quantity else 0
    dose = _dose(things)
    owner = _of_dose(dose, things) if dose else None
    begun = _of(thing, things, "date", "started") if owner is None else _begun(dose, things) if dose else None
    mine = owner in (None, thing)  # a day that is told with a dose is that of its course
    on, daily = (
        begun.day if begun and mine else None,
        _mg_a_day(dose, things) if dose and owner == thing else 0.0,
    )
    form = thing.formulation
    outcome = thing.effect if thing.effect and thing.role in _BROKEN_OFF else _OUTCOMES.get(thing.role)
    if outcome and (length or on or thing.effect or thing.role in _ENDED):
        return [Tried(drug=name, days=length or 90, outcome=outcome, on=on, daily=daily, formulation=form)]
    if thing.role == "started" or (thing.role in ("continued", "tried") and (daily or on)):
        return [Started(drug=name, days=length, on=on, daily=daily, formulation=form)]
    if thing.role == "continued":
        return [Started(drug=name, days=length, formulation=form)]
    return []


def _dose(things: Sequence[Thing]) -> Thing | None:
    """The dose of a course that is told: the last one, of one that is raised. A bare number is one only with how often
    it is taken ("does his 90" is none)."""
    often = max((one.start for one in things if one.kind == "frequency"), default=-1)
    numbers = [one for one in things if (one.kind, one.role) == ("number", "dose") and one.quantity]
    doses = [one for one in numbers if one.quantity and (one.quantity.unit or one.end <= often)]
    return doses[-1] if doses else None


def _of_dose(dose: Thing, things: Sequence[Thing]) -> Thing | None:
    """The course that a dose is of: the nearest one that it can be a dose of."""
    low = dose.quantity.low if dose.quantity else 0.0
    return _nearest(dose, [one for one in _courses(things) if low <= one.strongest])


def _begun(thing: Thing, things: Sequence[Thing]) -> Thing | None:
    return _nearest(thing, [one for one in things if (one.kind, one.role) == ("date", "started")])


def _mg_a_day(dose: Thing, things: Sequence[Thing]) -> float:
    assert dose.quantity is not None
    often = _nearest(dose, [one for one in things if one.kind == "frequency" and one.start >= dose.end])
    times = often.quantity.value if often and often.quantity and often.quantity.unit == "/d" else 1.0
    mass = dose.quantity.dimension == "mass"
    amount = convert(dose.quantity.low, dose.quantity.unit, "mg") if mass else dose.quantity.low
    return (amount or 0.0) * (times or 1.0)


def _courses(things: Sequence[Thing]) -> list[Thing]:
    return [one for one in things if one.kind == "drug" and one.role not in ("requested", "mentioned")]


def _of(thing: Thing, things: Sequence[Thing], kind: str, role: str) -> Thing | None:
    """The nearest thing of a kind in a role, of which this one is the nearest drug."""
    near = _nearest(thing, [one for one in things if (one.kind, one.role) == (kind, role)])
    return near if near and _nearest(near, _courses(things)) == thing else None


def _condition(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    assert thing.entity is not None
    key, present = thing.entity.key, thing.role == "present"
    if thing.role == "mentioned" or key not in CONCEPTS:
        return []
    topic = CONCEPTS[key].topic
    if thing.role == "documented":
        return [Stated(topic=topic, present=None)] if topic in TOPICS else []
    if topic in TOPICS and (not present or not CONCEPTS[key].codes):
        return [Stated(topic=topic, present=present)]
    return [Diagnosed(concept=key, present=present)]


def _consulted(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    if thing.role != "filed":
        return []
    return [Stated(topic="specialist_consult", present=True, specialty=thing.paper)]


def _document(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    if thing.role != "filed":
        return []
    dated = _nearest(thing, [one for one in things if one.kind == "date" and one.role == "measured"])
    return [Filed(of=thing.paper, on=dated.day if dated else None)]


def _test(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    return [Repeated(test=thing.entity.key)] if thing.role == "repeated" and thing.entity else []


def _plan(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    assert thing.entity is not None
    return [Insured(plan_id=thing.entity.key)] if thing.role == "enrolled" else []


def _number(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    quantity = thing.quantity
    if quantity is None or quantity.value is None:
        return []
    match thing.role:
        case "value":
            return _value(thing, quantity, things, talk)
        case "dose" if not _courses(things) and thing == _dose(things):  # of what the talk was about
            taken = next((name for ask in reversed(talk.asks) for name in ask.medicines), "")
            begun = _begun(thing, things)
            on = begun.day if begun else None
            return [Started(drug=taken, on=on, daily=_mg_a_day(thing, things))] if taken else []
        case "strength":
            return [Asked(strength=f"{quantity.value:g} {quantity.unit or 'mg'}")]
        case "quantity" | "days_supply":
            return [_supply(quantity, thing.role == "days_supply" and not quantity.unit)]
    return []


def _supply(quantity: Quantity, is_time: bool) -> Asked:
    """An amount, for how long, or both: "3 mL for 28 days"."""
    if is_time or quantity.unit in _DAYS:
        return Asked(days_supply=days_of(quantity))
    days = round(quantity.per[0] * _DAYS.get(quantity.per[1], 1)) if quantity.per else None
    return Asked(quantity=quantity.value, days_supply=days)


def _value(thing: Thing, quantity: Quantity, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    """Of the test named nearest, of the one that the unit tells, or of the one supposed last."""
    assert quantity.value is not None
    near = _nearest(thing, [one for one in things if one.kind == "test"])
    test = near.entity.key if near and near.entity else "weight" if quantity.unit in _MASS else ""
    if not test:
        last = [change.test for change in talk.supposed if isinstance(change, Value)]
        test = (last or [one for ask in talk.asks for one in ask.tests] or [""])[-1]
    if test not in TESTS:
        return []
    known, value = TESTS[test], quantity.value
    unit = next((name for name in _names_of(quantity.unit) if name in known.units), quantity.unit)
    if unit and unit not in known.units:
        changed = convert(value, unit, known.unit)
        unit, value = (known.unit, changed) if changed is not None else ("", value)
    if not unit and not known.low <= value <= known.high:
        return []
    return [Value(test=test, value=value, unit=unit)]


def _names_of(unit: str) -> tuple[str, ...]:
    """What a unit is called, as people write it first."""
    row = units().get(unit.casefold())
    return (*row.names, unit) if row else (unit,)


def _duration(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    quantity = thing.quantity
    if quantity is None or quantity.value is None:
        return []
    if thing.role == "program":
        dated = any((one.kind, one.role) == ("date", "program") for one in things)
        return [Enrolled(months=months)] if not dated and (months := _months_of(things)) else []
    if thing.role == "passes":
        if quantity.unit in ("mo", "a"):
            return [Later(months=int(quantity.value) * (12 if quantity.unit == "a" else 1))]
        return [Later(days=days_of(quantity))]
    return []


def _date(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    if thing.role == "program":
        return _programs(thing, things)
    return [On(date=thing.day)] if thing.role == "on" and thing.day is not None else []


def _months_of(things: Sequence[Thing]) -> int:
    """How long the program is told to have been."""
    told = [
        one.quantity for one in things if (one.kind, one.role) == ("duration", "program") and one.quantity
    ]
    months = [int(one.value or 0) if one.unit == "mo" else days_of(one) // 30 for one in told]
    return max(months, default=0)


def _programs(thing: Thing, things: Sequence[Thing]) -> Iterable[Change]:
    """One from a day to another, told with the later of them; else one that goes on since the only day."""
    days = [one for one in things if (one.kind, one.role) == ("date", "program") and one.day and one.first]
    first, last = (
        min(days, key=lambda one: one.day or date.max),
        max(days, key=lambda one: one.day or date.min),
    )
    long = _months_of(things)
    if first == last and long and thing.day:  # so long, and over on that day
        return [Enrolled(on=add_months(thing.day, -long), until=thing.day)]
    if first == last:
        return [Enrolled(on=thing.day)]
    return [Enrolled(on=first.first, until=last.day)] if thing == last else []


def _age(thing: Thing, things: Sequence[Thing], talk: Talk) -> Iterable[Change]:
    quantity = thing.quantity
    if thing.role != "age" or quantity is None or quantity.value is None or not 0 < quantity.value <= 120:
        return []
    return [Aged(years=int(quantity.value))]


_CHANGES: dict[str, Callable[[Thing, Sequence[Thing], Talk], Iterable[Change]]] = {
    "drug": _drug,
    "condition": _condition,
    "plan": _plan,
    "number": _number,
    "duration": _duration,
    "date": _date,
    "age": _age,
    "document": _document,
    "specialty": _consulted,
    "test": _test,
    "frequency": lambda thing, things, talk: [],
}


def _nearest(thing: Thing, others: Sequence[Thing]) -> Thing | None:
    """The one that stands nearest; of two as near the one before."""

    def apart(other: Thing) -> tuple[int, bool]:
        gap = other.start - thing.end if other.start >= thing.end else thing.start - other.end
        return gap, other.start >= thing.end

    return min(others, key=apart, default=None)


def days_of(quantity: Quantity) -> int:
    """A length of time in days, a month as 30."""
    return round((quantity.value or 0) * _DAYS.get(quantity.unit, 1))


def _one(asked: Sequence[Asked]) -> Asked:
    return Asked(
        strength=next((one.strength for one in asked if one.strength), ""),
        quantity=next((one.quantity for one in asked if one.quantity is not None), None),
        days_supply=next((one.days_supply for one in asked if one.days_supply is not None), None),
        kind=next((one.kind for one in asked if one.kind), ""),
    )


def _subject(change: Change) -> tuple[str, str]:
    """What a change is of: the same test, drug, condition or day once more replaces it."""
    kind = (
        "Course"
        if isinstance(change, Course)
        else "Day"
        if isinstance(change, On | Later)
        else type(change).__name__
    )
    return kind, str(
        getattr(change, "test", "") or getattr(change, "drug", "") or getattr(change, "concept", "")
    )
