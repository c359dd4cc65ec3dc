"""What would change it: a supposed copy of the chart put to the same determination, and plainly said to be one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from agent.answers import eligibility
from agent.answers.answer import Answer, Said
from agent.answers.eligibility import MOST_OPEN, deciding
from agent.answers.why import BEFORE_CRITERIA
from agent.answers.wording import (
    SUPPOSED,
    Sorted,
    Words,
    ask_back,
    drug_slot,
    drugs_meant,
    fitted,
    listed,
    lower,
    plan_slot,
    pronoun,
    sources,
    unlisted,
)
from agent.dialogue.query import Ask
from agent.ledger import Kind, Ledger, Origin
from tools.common.dates import age_on
from tools.common.errors import Correctable
from tools.domain.records import Determination, Finding, Request
from tools.engine import what_if
from tools.engine.what_if import Change
from tools.evidence.measurements import governing, values_of
from tools.messages import Action
from tools.messages.grammar import amount
from tools.queries.bound import Bound
from tools.terminology.conditions import CONCEPTS
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS

MOST_DRUGS = 3
MOST_CHANGED = 3


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """For each drug meant, the outcome now and as supposed, and what of it changes. The determinations are the
    supposed one, then the real one, drug by drug. Nothing is supposed that was not said."""
    drugs = drugs_meant(ask, bound)[:MOST_DRUGS]
    if not drugs:
        return ask_back("what_if", bound, ledger)
    reply = Answer(intent="what_if", ledger=ledger, drugs=drugs, hypothetical=True)
    if drugs[0] in bound.plan.benefits:
        supposed = _supposed(ask, drugs[0], bound)
        if not supposed:
            return _as_it_stands(ask, bound, ledger)
        ask = msgspec.structs.replace(ask, changes=supposed)
    elif not ask.changes:
        return _as_it_stands(ask, bound, ledger)
    said: list[Said] = []
    try:
        for drug in drugs:
            if drug not in bound.plan.benefits:
                said.append(unlisted(drug, bound, ledger))
                continue
            then = bound.supposed(drug, ask.changes, ask.indication)
            now = bound.determination(drug, ask.indication)
            reply.determinations += [then, now]
            said += _told(
                Words(bound, ledger, then, supposed=True), Words(bound, ledger, now), len(drugs) > 1
            )
            reply.sources += [item for item in sources(_changed(now, then)) if item not in reply.sources]
    except Correctable as error:
        reply.determinations.clear()
        why = ledger.add("words", str(error).rstrip("."), origin="determination", source="suppose")
        reply.said = [Said(text=f"That cannot be supposed: {why}.", verbatim=True)]
        return reply
    reply.said = fitted(
        [Said(text=marker(ask.changes, drugs[0], bound, ledger), verbatim=True), *said], ledger
    )
    return reply


def _supposed(ask: Ask, drug: str, bound: Bound) -> tuple[Change, ...]:
    """What is supposed beyond what is on record."""
    if not ask.changes:
        return ()
    request = bound.asked(drug, ask.indication).request
    return tuple(change for change in ask.changes if not _is_so(change, request, bound))


def _is_so(change: Change, request: Request, bound: Bound) -> bool:
    """Whether it is on record already: the plan that the patient is in, the amount that is ordered, the last result."""
    if isinstance(change, what_if.Value):
        charted = governing(values_of(bound.patient, change.test, bound.as_of).usable)
        return not (change.on or change.unit) and any(value.value == change.value for value in charted)
    if isinstance(change, what_if.Insured):
        return change.plan_id == bound.plan.id
    if isinstance(change, what_if.Asked):
        told = {name: value for name, value in msgspec.structs.asdict(change).items() if value}
        return all(getattr(request, name) == value for name, value in told.items())
    return False


def _as_it_stands(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """How it is now, where nothing is supposed but another drug; that nothing else is, unless it is on record. What is
    open is told with whether it is all that stands in the way, which holds whatever was meant to be supposed."""
    plain = ask.query == "what_if" and not ask.changes
    reply = eligibility.answer(msgspec.structs.replace(ask, form="text") if plain else ask, bound, ledger)
    reply.intent = "what_if"
    if not plain:
        return reply
    open_ones = [
        one
        for one in reply.determinations
        if one.outcome in ("needs_documentation", "likely_denial") and one.stopped_by != "exclusion"
    ][:1]
    if open_ones and ask.settled:
        reply.said = fitted(_settled(Words(bound, ledger, open_ones[0]), ask.settled), ledger)
        return reply
    reply.said.insert(0, Said(text="As the chart stands, with nothing supposed:", verbatim=True))
    reply.said += [_all_that_is_open(Words(bound, ledger, one)) for one in open_ones]
    return reply


def _settled(words: Words, settled: Sequence[str]) -> list[Said]:
    """What would be left if what is supposed settled these criteria, or, where it may be any, those that one person
    settles; how they are settled, and how it stands now."""
    unmet = Sorted.of(words.found).unmet
    mine = [one for one in unmet if one.criterion in settled]
    by_whom = [
        [one for one in unmet if words.actor(one) == who] for who in dict.fromkeys(map(words.actor, unmet))
    ]
    groups = by_whom if len(mine) == len(unmet) and len(by_whom) > 1 else [mine]
    start = "What you suppose cannot be put into a copy of the chart here; the chart is unchanged."
    said = [Said(text=start, verbatim=True)]
    said += [Said(text=_left(words, one, unmet), bullet=len(groups) > 1) for one in groups]
    steps = [
        f"{lower(step)} ({words.clause(one)})" for one in mine if one.clause and (step := words.step(one))
    ]
    if steps:
        said.append(Said(text=f"It is settled by this: {'; '.join(dict.fromkeys(steps))}."))
    return [*said, Said(text=words.headline(), must=False)]


def _left(words: Words, settled: Sequence[Finding], unmet: Sequence[Finding]) -> str:
    """What is open beside what is settled."""
    names = listed([words.named(one) for one in settled], MOST_OPEN, words)
    rest = [words.named(one) for one in unmet if one not in settled]
    left = (
        f"still open would be {listed(rest, MOST_OPEN, words)} for"
        if rest
        else "nothing else stands in the way of"
    )
    return f"If it settles {names}, {left} {words.request()} under {words.plan()}."


def _all_that_is_open(words: Words) -> Said:
    """That nothing else of the policy is open. Not that it would be ready: the form may then ask for more."""
    names = listed([words.named(finding) for finding in Sorted.of(words.found).unmet], MOST_OPEN, words)
    return Said(text=f"Beside {names} no criterion or exclusion of the policy stands in its way.")


def marker(changes: Sequence[Change], drug: str, bound: Bound, ledger: Ledger) -> str:
    """ "Hypothetical: if HbA1c were 7.4 % (it is 8.4 % of Aug 17, 2026 now). Nothing is recorded." """
    unit = bound.store.drug(drug).unit
    days_first = sorted(changes, key=lambda change: not isinstance(change, what_if.Later | what_if.On))
    told = [_DESCRIBE[type(change)](change, _Told(bound, ledger, unit)) for change in days_first]
    return f"Hypothetical: {' and '.join(told)}; the chart is unchanged."


# --- before and after ------------------------------------------------------------------------------------


def _told(then: Words, now: Words, short: bool) -> list[Said]:
    changed = [
        one for one in _changed(now.found, then.found) if one.criterion != "form" or one.status == "met"
    ]
    same = then.found.outcome == now.found.outcome
    said = [Said(text=_before_and_after(then, now)), *_what_changes(changed, then, now)]
    if short:
        return said
    if same and not changed:
        return said + _why_not(then)
    if then.found.outcome in ("needs_documentation", "likely_denial"):
        names = [then.named(finding) for finding in Sorted.of(then.found).unmet if finding not in changed]
        if names:
            said.append(Said(text=f"Still in the way if so: {listed(names, 6, then)}."))
    elif then.found.outcome in ("not_covered", "wrong_plan", "quantity_exception") and not same:
        said.append(Said(text=f"If so: {lower(then.headline())}"))
    steps = [text for action, text in then.steps()[:2] if _can_be_done(action)]
    if steps and not same and then.found.outcome != "ready":
        said.append(Said(text=f"If so, next: {lower(steps[0])}.", must=False))
    return said


def _can_be_done(action: Action) -> bool:
    """Not what nobody can bring about, or the clinician would have to ask for against the rule."""
    hopeless = action.effort in ("chance", "nothing") and action.actor in ("", "lab") and not action.parts
    return action.code != "ask_exception" and not hopeless


def _before_and_after(then: Words, now: Words) -> str:
    request = then.request()
    if then.found.plan_id != now.found.plan_id:
        before = f"it is “{now.outcome()}” under {now.plan()}"
        return f"If so, {request} would be “{then.outcome()}” under {then.plan()}; {before}."
    if then.use() and now.use() and then.use() != now.use():
        request += f" (judged{now.use()} now)"
    left = Sorted.of(then.found).unmet
    if left and all(finding.criterion == "form" for finding in left):
        told = f"every criterion of {request} under {then.plan()} would be met and no exclusion would apply"
        return f"If so, {told}; what is left is the form: {'; '.join(map(then.shown, left))}."
    if then.found.outcome == now.found.outcome:
        return f"If so, {request} under {then.plan()} would stay as it is: {then.outcome()}."
    return f"If so, {request} under {then.plan()} would go from “{now.outcome()}” to “{then.outcome()}”."


def _what_changes(changed: list[Finding], then: Words, now: Words) -> list[Said]:
    before = {finding.criterion: finding for finding in now.found.findings}
    papers = Sorted.of(then.found).documents
    told = []
    for finding in changed[:MOST_CHANGED]:
        was = before.get(finding.criterion)
        text = f"{then.named(finding)} would be {then.status(finding)}"
        text += f" (now {now.status(was)})" if was is not None else ""
        shown = then.against(finding) if finding.parts else then.shown(finding)
        told.append(
            f"{text}, {shown}" if shown and (finding not in papers or finding.criterion == "form") else text
        )
    if not told:
        return []
    rest = len(changed) - MOST_CHANGED
    more = f"; and {then.count(rest, 'more')} more" if rest > 0 else ""
    return [Said(text=f"What changes if so: {'; '.join(told)}{more}.")]


def _why_not(then: Words) -> list[Said]:
    """Why nothing changes: it does not count here, counts as before, or something else is in the way."""
    outcome = then.found.outcome
    if outcome == "not_required":
        return [Said(text=f"{then.plan()} asks for no PA there, whatever the chart shows.")]
    if outcome in ("not_covered", "wrong_plan", "quantity_exception"):
        why = then.headline().rsplit(": ", 1)[1]
        return [Said(text=f"What is supposed does not change that: {why}")]
    judged = [finding for finding in then.found.findings if _rests_on_it(finding)]
    told = [
        f"{then.named(finding)} stays {then.status(finding)}, {then.shown(finding)}"
        for finding in judged[:2]
        if finding not in Sorted.of(then.found).documents
    ]
    said = [Said(text=f"If so, {'; '.join(told)}." if told else _NO_CHANGE)]
    if outcome == "ready":
        return said
    return said + [Said(text=f"If so, {lower(line)}") for line in deciding(then)]


_NO_CHANGE = "If so, no criterion changes its status."


def _rests_on_it(finding: Finding) -> bool:
    return any(item.record_id.startswith(SUPPOSED) for item in finding.evidence)


def _changed(now: Determination, then: Determination) -> list[Finding]:
    """Findings whose status is another one, those that get worse first; papers last."""
    before = {finding.criterion: finding.status for finding in now.findings}
    papers = Sorted.of(then).documents
    rank = {"not_met": 0, "unknown": 1, "met": 2}
    if not now.findings or now.stopped_by in BEFORE_CRITERIA:
        return []
    changed = [item for item in then.findings if before.get(item.criterion, "met") != item.status]
    return sorted(changed, key=lambda item: (item in papers, rank[item.status]))


# --- what is supposed, in words --------------------------------------------------------------------------


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


def _started(change: what_if.Started, told: _Told) -> str:
    since = told.fact("date", told.bound.as_of - timedelta(days=change.days), change.drug)
    return (
        f"if {told.she} took {told.name(change.drug)} since {since} ({told.days(change.days, change.drug)})"
    )


def _tried(change: what_if.Tried, told: _Told) -> str:
    outcome = told.words(change.outcome.lower(), "outcome")
    return (
        f"if {told.name(change.drug)} had been tried for {told.days(change.days, change.drug)} with {outcome}"
    )


def _diagnosed(change: what_if.Diagnosed, told: _Told) -> str:
    label = told.words(CONCEPTS[change.concept].label, "diagnosis")
    return f"if {label} were diagnosed" if change.present else f"if {told.she} did not have {label}"


def _stated(change: what_if.Stated, told: _Told) -> str:
    topic = told.words(TOPICS[change.topic], change.topic)
    if TOPICS[change.topic].split(" ", 1)[0].endswith("s") and change.topic not in CONCEPTS:
        return f"if the prescriber {'stated' if change.present else 'denied'} that {told.she} {topic}"
    return (
        f"if the prescriber {'stated in the chart:' if change.present else 'ruled out in the chart:'} {topic}"
    )


def _enrolled(change: what_if.Enrolled, told: _Told) -> str:
    return f"if {told.she} had completed {told.months(change.months, 'program')} of a lifestyle program"


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
        parts.append(f"a supply of {told.days(change.days_supply, 'days_supply')}")
    if change.kind:
        parts.append(
            {"new": "a first request", "continuation": "a continuation", "renewal": "a renewal"}[change.kind]
        )
    return f"if {' and '.join(parts) or 'the same'} were asked for"


def _insured(change: what_if.Insured, told: _Told) -> str:
    return f"if {told.she} were enrolled in {plan_slot(told.ledger, told.bound.store.plan(change.plan_id))}"


_DESCRIBE: dict[type, Callable[[Any, _Told], str]] = {
    what_if.Value: _value,
    what_if.Later: _later,
    what_if.On: _on,
    what_if.Stopped: _stopped,
    what_if.Started: _started,
    what_if.Tried: _tried,
    what_if.Diagnosed: _diagnosed,
    what_if.Stated: _stated,
    what_if.Enrolled: _enrolled,
    what_if.Aged: _aged,
    what_if.Asked: _asked,
    what_if.Insured: _insured,
}
