"""What is supposed, in words: "if HbA1c were 7.4 % (it is 8.4 % of Aug 17, 2026 now)"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from agent.answers.wording import drug_slot, plan_slot, pronoun
from agent.ledger import Kind, Ledger
from tools.common.dates import age_on
from tools.engine import what_if
from tools.engine.what_if import Change, Course
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
    told = _Told(bound, ledger, unit)
    return f"Hypothetical: {' and '.join(map(told.said, days_first))}; the chart is unchanged."


class _Told:
    """Tells suppositions."""

    def __init__(self, bound: Bound, ledger: Ledger, unit: str) -> None:
        self.bound, self.ledger, self.unit = bound, ledger, unit
        self.she = pronoun(bound.patient)

    def fact(self, kind: Kind, value: Any, about: str, *, shown: str = "", unit: str = "") -> str:
        return self.ledger.add(
            kind, value, shown=shown, unit=unit, origin="supposed", attribute=about, source="supposed"
        )

    def days(self, number: int, about: str, unit: str = "day") -> str:
        return self.fact("duration", number, about, unit=unit if number == 1 else f"{unit}s")

    def day(self, day: date, about: str) -> str:
        return self.fact("date", day, about)

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
        add = partial(self.ledger.add, origin="chart", attribute=test, source=record)
        shown, unit = amount(value.value, test), TESTS[test].unit
        slot = add("value", value.value, shown=shown, unit=unit, on=value.date)
        day = add("date", value.date)
        return f" (it is {slot} of {day} now)"

    def said(self, change: Change) -> str:
        """A supposition in words, as it stands behind "Hypothetical:"."""
        as_of = self.bound.as_of
        match change:
            case what_if.Value():
                return self._value(change)
            case what_if.Repeated(test=test):
                return f"if {self.test(test)} were measured anew and came out the same{self.now(test)}"
            case what_if.Later():
                parts = [self.days(change.months, "later", "month")] if change.months else []
                parts += [self.days(change.days, "later")] if change.days or not parts else []
                with_drug = f" with {self.name(change.drug)} going on" if change.drug else ""
                return f"{' and '.join(parts)} later{with_drug}"
            case what_if.On(date=day):
                return f"on {self.day(day, 'as_of')}"
            case what_if.Stopped(drug=drug):
                why = f", with {self.words(change.outcome.lower(), 'outcome')}" if change.outcome else ""
                name = self.name(drug)
                return f"if {name} were documented as stopped on {self.day(change.on or as_of, drug)}{why}"
            case what_if.Started(drug=drug) if change.on:
                return self._begun(change, change.on)
            case what_if.Started(drug=drug, days=0):
                return f"if {self.she} took {self.name(drug)}{_form(change)} that day"
            case what_if.Started(drug=drug):
                since, name = self.day(as_of - timedelta(days=change.days), drug), self.name(drug)
                return (
                    f"if {self.she} took {name}{_form(change)} since {since} ({self.days(change.days, drug)})"
                )
            case what_if.Tried(drug=drug):
                outcome = self.words(change.outcome.lower(), "outcome")
                if change.on:
                    until = f" to {self.day(as_of, drug)}" if change.on < as_of else ""
                    return f"{self._begun(change, change.on)}{until}, with {outcome}"
                name, days = self.name(drug), self.days(change.days, drug)
                return f"if {name}{_form(change)} had been tried for {days} with {outcome}"
            case what_if.Removed():
                return f"without {self.name(change.drug)}{_form(change)} on record"
            case what_if.Diagnosed():
                label = self.words(CONCEPTS[change.concept].label, "diagnosis")
                return (
                    f"if {label} were diagnosed" if change.present else f"if {self.she} did not have {label}"
                )
            case what_if.Stated():
                return self._stated(change)
            case what_if.Enrolled():
                if change.on:
                    ended = f"ended on {self.day(change.until, 'program')}" if change.until else "went on"
                    return f"if a lifestyle program began on {self.day(change.on, 'program')} and {ended}"
                done = self.days(change.months, "program", "month")
                return f"if {self.she} had completed {done} of a lifestyle program"
            case what_if.Filed(of=of):
                signed = self.day(change.on or as_of, of)
                return f"if a signed {self.words(_PAPERS.get(of, 'paper'), of)} of {signed} were on file"
            case what_if.Aged():
                return self._aged(change)
            case what_if.Asked():
                return self._asked(change)
            case what_if.Insured(plan_id=plan_id):
                stays = "stayed" if plan_id == self.bound.plan.id else "were"
                plan = plan_slot(self.ledger, self.bound.store.plan(plan_id))
                return f"if {self.she} {stays} enrolled in {plan}"

    def _value(self, change: what_if.Value) -> str:
        its_unit = TESTS[change.test].unit
        unit = change.unit or its_unit
        shown = amount(change.value, change.test) if unit == its_unit else f"{change.value:g} {unit}"
        value = self.fact("value", change.value, change.test, shown=shown, unit=unit)
        day = f" on {self.day(change.on, change.test)}" if change.on else ""
        return f"if {self.test(change.test)} were {value}{day}{self.now(change.test)}"

    def _begun(self, course: Course, on: date) -> str:
        """ "if metformin at 2000 mg a day began on Sep 1, 2026 and was filled all along"."""
        dose, daily = _form(course), course.daily
        if daily:
            dose += f" at {self.fact('value', daily, 'daily dose', shown=f'{daily:g} mg', unit='mg')} a day"
        began = self.day(on, course.drug)
        return f"if {self.name(course.drug)}{dose} began on {began} and was filled all along"

    def _stated(self, change: what_if.Stated) -> str:
        topic = self.words(TOPICS[change.topic], change.topic)
        if change.present is None:
            label = CONCEPTS[change.topic].label if change.topic in CONCEPTS else TOPICS[change.topic]
            return f"if the prescriber's statement on {self.words(label, change.topic)} were in the chart"
        if TOPICS[change.topic].split(" ", 1)[0].endswith("s") and change.topic not in CONCEPTS:
            return f"if the prescriber {'stated' if change.present else 'denied'} that {self.she} {topic}"
        return f"if the prescriber {'stated' if change.present else 'ruled out'} in the chart: {topic}"

    def _aged(self, change: what_if.Aged) -> str:
        born, wanted = self.bound.patient.birth_date, change.years
        years = self.fact("value", wanted, "age", shown=str(wanted), unit="years")
        if born is None:
            return f"if {self.she} were {years} years old"
        real, formula = age_on(born, self.bound.as_of), "completed years from birth to as_of"
        add = partial(self.ledger.add, origin="derived", attribute="age", source="patient", formula=formula)
        now = add("value", real, unit="years", shown=str(real))
        return f"if {self.she} were {years} years old ({self.she} is {now} now)"

    def _asked(self, change: what_if.Asked) -> str:
        parts = [self.fact("value", change.strength, "strength")] if change.strength else []
        if change.quantity is not None:
            plural = "s" if self.unit == "tablet" and change.quantity != 1 else ""
            parts.append(self.fact("value", change.quantity, "quantity", unit=f"{self.unit}{plural}"))
        if change.days_supply is not None:
            days = self.days(change.days_supply, "days_supply")
            parts.append(
                f"{parts.pop()} for {days}" if change.quantity is not None else f"a supply of {days}"
            )
        if change.kind:
            parts.append("a first request" if change.kind == "new" else f"a {change.kind}")
        return f"if {' and '.join(parts) or 'the same'} were asked for"


_PAPERS = {term.of: term.label for term in reversed(vocabulary("document_kinds").values()) if term.of}


def _form(change: Course | what_if.Removed) -> str:
    """ " ER", if the formulation is told."""
    return f" {change.formulation}" if change.formulation else ""
