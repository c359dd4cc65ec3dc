"""What is supposed, in words: "if HbA1c were 7.4 % (it is 8.4 % of Aug 17, 2026 now)"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from agent.answers.wording import drug_slot, plan_slot, pronoun
from agent.ledger import Kind, Ledger, Origin
from tools.common.dates import age_on
from tools.engine import what_if
from tools.engine.what_if import Change
from tools.evidence.measurements import governing, values_of
from tools.messages.grammar import amount
from tools.queries.bound import Bound
from tools.terminology.conditions import CONCEPTS
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS
from tools.terminology.vocabulary import vocabulary


def marker(changes: Sequence[Change], drug: str, bound: Bound, ledger: Ledger) -> str:
    """ "Hypothetical: if HbA1c were 7.4 % (it is 8.4 % of Aug 17, 2026 now). Nothing is recorded." """
    unit = bound.store.drug(drug).unit
    days_first = sorted(changes, key=lambda change: not isinstance(change, what_if.Later | what_if.On))
    told = [_DESCRIBE[type(change)](change, _Told(bound, ledger, unit)) for change in days_first]
    return f"Hypothetical: {' and '.join(told)}; the chart is unchanged."


class _Told:
    """What the description of a supposition is made with."""

    def __init__(self, bound: Bound, ledger: Ledger, unit: str) -> None:
        self.bound, self.ledger, self.unit = bound, ledger, unit
        self.she = pronoun(bound.patient)

    def fact(
        self,
        kind: Kind,
        value: Any,
        about: str,
        *,
        shown: str = "",
        unit: str = "",
        origin: Origin = "supposed",
    ) -> str:
        return self.ledger.add(
            kind, value, shown=shown, unit=unit, origin=origin, attribute=about, source="supposed"
        )

    def days(self, number: int, about: str) -> str:
        return self.fact("duration", number, about, unit="day" if number == 1 else "days")

    def months(self, number: int, about: str) -> str:
        return self.fact("duration", number, about, unit="month" if number == 1 else "months")

    def words(self, text: str, about: str) -> str:
        return self.fact("words", text, about)

    def test(self, test: str) -> str:
        return self.words(TESTS[test].name, test)

    def name(self, drug: str) -> str:
        known = {one.name.casefold(): one.name for one in self.bound.drugs}
        return drug_slot(self.ledger, known.get(drug.casefold(), drug))

    def now(self, test: str) -> str:
        """What the chart has: " (it is 8.4 % of Aug 17, 2026 now)"."""
        newest = governing(values_of(self.bound.patient, test, self.bound.as_of).usable)
        if not newest:
            return " (none is charted now)"
        value, record = newest[0], newest[0].seen[0].id
        slot = self.ledger.add(
            "value", value.value, shown=amount(value.value, test), unit=TESTS[test].unit, on=value.date,
            origin="chart", attribute=test, source=record,
        )  # fmt: skip
        day = self.ledger.add("date", value.date, origin="chart", attribute=test, source=record)
        return f" (it is {slot} of {day} now)"


def _value(change: what_if.Value, told: _Told) -> str:
    unit = change.unit or TESTS[change.test].unit
    shown = (
        amount(change.value, change.test) if unit == TESTS[change.test].unit else f"{change.value:g} {unit}"
    )
    value = told.fact("value", change.value, change.test, shown=shown, unit=unit)
    day = f" on {told.fact('date', change.on, change.test)}" if change.on else ""
    return f"if {told.test(change.test)} were {value}{day}{told.now(change.test)}"


def _repeated(change: what_if.Repeated, told: _Told) -> str:
    return f"if {told.test(change.test)} were measured anew and came out the same{told.now(change.test)}"


def _later(change: what_if.Later, told: _Told) -> str:
    parts = [told.months(change.months, "later")] if change.months else []
    parts += [told.days(change.days, "later")] if change.days or not parts else []
    with_drug = f" with {told.name(change.drug)} going on" if change.drug else ""
    return f"{' and '.join(parts)} later{with_drug}"


def _on(change: what_if.On, told: _Told) -> str:
    return f"on {told.fact('date', change.date, 'as_of')}"


def _stopped(change: what_if.Stopped, told: _Told) -> str:
    day = change.on or told.bound.as_of
    why = f", with {told.words(change.outcome.lower(), 'outcome')}" if change.outcome else ""
    return f"if {told.name(change.drug)} were documented as stopped on {told.fact('date', day, change.drug)}{why}"


def _begun(change: what_if.Course, told: _Told) -> str:
    """ "if metformin at 2000 mg a day began on Sep 1, 2026 and was filled all along"."""
    dose = ""
    if change.daily:
        value = told.fact("value", change.daily, "daily dose", shown=f"{change.daily:g} mg", unit="mg")
        dose = f" at {value} a day"
    began = told.fact("date", change.on, change.drug)
    return f"if {told.name(change.drug)}{dose} began on {began} and was filled all along"


def _started(change: what_if.Started, told: _Told) -> str:
    if change.on:
        return _begun(change, told)
    if not change.days:
        return f"if {told.she} took {told.name(change.drug)} that day"
    since = told.fact("date", told.bound.as_of - timedelta(days=change.days), change.drug)
    return (
        f"if {told.she} took {told.name(change.drug)} since {since} ({told.days(change.days, change.drug)})"
    )


def _tried(change: what_if.Tried, told: _Told) -> str:
    outcome = told.words(change.outcome.lower(), "outcome")
    if change.on:
        over = change.on < told.bound.as_of
        until = f" to {told.fact('date', told.bound.as_of, change.drug)}" if over else ""
        return f"{_begun(change, told)}{until}, with {outcome}"
    return (
        f"if {told.name(change.drug)} had been tried for {told.days(change.days, change.drug)} with {outcome}"
    )


def _removed(change: what_if.Removed, told: _Told) -> str:
    kind = f" {change.formulation}" if change.formulation else ""
    return f"without {told.name(change.drug)}{kind} on record"


def _diagnosed(change: what_if.Diagnosed, told: _Told) -> str:
    label = told.words(CONCEPTS[change.concept].label, "diagnosis")
    return f"if {label} were diagnosed" if change.present else f"if {told.she} did not have {label}"


def _stated(change: what_if.Stated, told: _Told) -> str:
    topic = told.words(TOPICS[change.topic], change.topic)
    if change.present is None:
        label = CONCEPTS[change.topic].label if change.topic in CONCEPTS else TOPICS[change.topic]
        return f"if the prescriber's statement on {told.words(label, change.topic)} were in the chart"
    if TOPICS[change.topic].split(" ", 1)[0].endswith("s") and change.topic not in CONCEPTS:
        return f"if the prescriber {'stated' if change.present else 'denied'} that {told.she} {topic}"
    return (
        f"if the prescriber {'stated in the chart:' if change.present else 'ruled out in the chart:'} {topic}"
    )


def _enrolled(change: what_if.Enrolled, told: _Told) -> str:
    if change.on:
        ended = f"ended on {told.fact('date', change.until, 'program')}" if change.until else "went on"
        return f"if a lifestyle program began on {told.fact('date', change.on, 'program')} and {ended}"
    return f"if {told.she} had completed {told.months(change.months, 'program')} of a lifestyle program"


def _filed(change: what_if.Filed, told: _Told) -> str:
    day = told.fact("date", change.on or told.bound.as_of, change.of)
    return f"if a signed {told.words(_PAPERS.get(change.of, 'paper'), change.of)} of {day} were on file"


_PAPERS = {term.of: term.label for term in reversed(vocabulary("document_kinds").values()) if term.of}


def _aged(change: what_if.Aged, told: _Told) -> str:
    born = told.bound.patient.birth_date
    years = told.fact("value", change.years, "age", shown=str(change.years), unit="years")
    if born is None:
        return f"if {told.she} were {years} years old"
    age = told.ledger.add(
        "value", age_on(born, told.bound.as_of), unit="years", shown=str(age_on(born, told.bound.as_of)),
        origin="derived", attribute="age", source="patient", formula="completed years from birth to as_of",
    )  # fmt: skip
    return f"if {told.she} were {years} years old ({told.she} is {age} now)"


def _asked(change: what_if.Asked, told: _Told) -> str:
    parts = [told.fact("value", change.strength, "strength")] if change.strength else []
    if change.quantity is not None:
        plural = "s" if told.unit == "tablet" and change.quantity != 1 else ""
        parts.append(told.fact("value", change.quantity, "quantity", unit=f"{told.unit}{plural}"))
    if change.days_supply is not None:
        days = told.days(change.days_supply, "days_supply")
        parts.append(f"{parts.pop()} for {days}" if change.quantity is not None else f"a supply of {days}")
    if change.kind:
        parts.append(
            {"new": "a first request", "continuation": "a continuation", "renewal": "a renewal"}[change.kind]
        )
    return f"if {' and '.join(parts) or 'the same'} were asked for"


def _insured(change: what_if.Insured, told: _Told) -> str:
    stays = "stayed" if change.plan_id == told.bound.plan.id else "were"
    return (
        f"if {told.she} {stays} enrolled in {plan_slot(told.ledger, told.bound.store.plan(change.plan_id))}"
    )


_DESCRIBE: dict[type, Callable[[Any, _Told], str]] = {
    what_if.Value: _value,
    what_if.Repeated: _repeated,
    what_if.Later: _later,
    what_if.On: _on,
    what_if.Stopped: _stopped,
    what_if.Started: _started,
    what_if.Tried: _tried,
    what_if.Diagnosed: _diagnosed,
    what_if.Stated: _stated,
    what_if.Enrolled: _enrolled,
    what_if.Removed: _removed,
    what_if.Filed: _filed,
    what_if.Aged: _aged,
    what_if.Asked: _asked,
    what_if.Insured: _insured,
}
