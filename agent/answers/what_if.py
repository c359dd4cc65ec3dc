"""What would change it: a supposed copy of the chart put to the same determination, and plainly said to be one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from agent.answers import dates, eligibility
from agent.answers.answer import Answer, Said
from agent.answers.eligibility import MOST_OPEN, deciding
from agent.answers.why import BEFORE_CRITERIA, ways
from agent.answers.wording import (
    SUPPOSED,
    Sorted,
    Words,
    ask_back,
    clause_source,
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
from tools.domain.records import Determination, Finding, Outcome, Request
from tools.engine import what_if
from tools.engine.documents import walk
from tools.engine.what_if import Change
from tools.evidence.courses import matches
from tools.evidence.measurements import governing, values_of
from tools.messages import Action
from tools.messages.grammar import amount
from tools.queries.bound import Bound
from tools.queries.horizon import Better, begun_by, first_better, takes_time
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import medicine
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS
from tools.terminology.vocabulary import vocabulary

MOST_DRUGS = 3
MOST_CHANGED = 3
_DONE: tuple[Outcome, ...] = ("ready", "not_required")
_JUDGED: tuple[Outcome, ...] = ("ready", "needs_documentation", "likely_denial")


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """For each drug meant, the outcome now and as supposed, and what of it changes. The determinations are the
    supposed one, then the real one, drug by drug. Nothing is supposed that was not said."""
    drugs = drugs_meant(ask, bound)[:MOST_DRUGS]
    if not drugs:
        return ask_back("what_if", bound, ledger)
    reply = Answer(intent="what_if", ledger=ledger, drugs=drugs, hypothetical=True)
    if drugs[0] in bound.plan.benefits:
        supposed = beyond_the_record(ask, drugs[0], bound)
        if not supposed:
            return _as_it_stands(ask, bound, ledger)
        ask = msgspec.structs.replace(ask, changes=supposed)
    elif not ask.changes:
        return _as_it_stands(ask, bound, ledger)
    said: list[Said] = []
    days = [change for change in ask.changes if isinstance(change, what_if.On | what_if.Later)]
    days_alone = len(days) == len(ask.changes)
    try:
        for drug in drugs:
            if drug not in bound.plan.benefits:
                said.append(unlisted(drug, bound, ledger))
                continue
            then = bound.supposed(drug, ask.changes, ask.indication)
            now = bound.determination(drug, ask.indication)
            reply.determinations += [then, now]
            words = Words(bound, ledger, then, supposed=True), Words(bound, ledger, now)
            if days_alone and then.outcome in _JUDGED:  # what changes is told with the last good day of each
                said.append(Said(text=_before_and_after(*words)))
            else:
                said += _told(*words, short=len(drugs) > 1)
            reply.sources += [item for item in sources(_changed(now, then)) if item not in reply.sources]
    except Correctable as error:
        reply.determinations.clear()
        why = ledger.add("words", str(error).rstrip("."), origin="determination", source="suppose")
        reply.said = [Said(text=f"That cannot be supposed: {why}.", verbatim=True)]
        return reply
    said.insert(0, Said(text=marker(ask.changes, drugs[0], bound, ledger), verbatim=True))
    if better := _better_later(ask, drugs[0], reply, bound):
        reply.determinations.append(better.then)
        said += waited(better, Words(bound, ledger, better.then, supposed=True), bound)
    reply.said = fitted(said, ledger)
    if days and reply.determinations and reply.determinations[0].outcome in _JUDGED:
        reply.said += _counting_then(ask, drugs[0], reply.determinations[0].as_of, bound, reply)
    return reply


def _better_later(ask: Ask, drug: str, reply: Answer, bound: Bound) -> Better | None:
    """From when on it stands better because a course or program that is supposed with its first day is long enough."""
    begun = any(getattr(change, "on", None) and takes_time((change,)) for change in ask.changes)
    if not begun or not reply.determinations or reply.determinations[0].outcome in _DONE:
        return None
    better = first_better(bound, drug, begun_by(ask.changes, bound.as_of), ask.indication)
    return better if better and any(map(_rests_on_it, gained(better))) else None


def _counting_then(ask: Ask, drug: str, day: date, bound: Bound, reply: Answer) -> list[Said]:
    """On another day: until when each dated piece of evidence counts, against that day."""
    then = Bound(bound.store, bound.patient.id, as_of=day, plan_id=bound.plan.id)
    told = Answer(intent="dates", ledger=reply.ledger)
    dates.granted(then, drug, told)
    dates.windows(Ask(query="lookback", drugs=(drug,), indication=ask.indication), then, drug, told)
    reply.sources += [item for item in told.sources if item not in reply.sources]
    return told.said


def beyond_the_record(ask: Ask, drug: str, bound: Bound) -> tuple[Change, ...]:
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
    if isinstance(change, what_if.Started) and not (change.days or change.on or change.daily):
        return is_taken(change.drug, bound)
    if isinstance(change, what_if.Asked):
        told = {name: value for name, value in msgspec.structs.asdict(change).items() if value}
        return all(getattr(request, name) == value for name, value in told.items())
    return False


def is_taken(drug: str, bound: Bound) -> bool:
    """Whether a course of the drug is charted that goes on."""
    meant = medicine(drug, bound.drugs)
    return any(
        entry.end is None and entry.status == "active" and matches(entry, meant.ingredients, (), entry.drug)
        for entry in bound.patient.medications or ()
    )


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
    said = _borne_on(words, mine) if groups == [mine] else [Said(text=f"{_NOT_CHARTED}.", verbatim=True)]
    said += [Said(text=_left(words, one, unmet), bullet=len(groups) > 1) for one in groups]
    steps = [
        f"{lower(step)} ({words.clause(one)})" for one in mine if one.clause and (step := words.step(one))
    ]
    if steps:
        said.append(Said(text=f"It is settled by this: {'; '.join(dict.fromkeys(steps))}."))
    return [*said, Said(text=words.headline(), must=False)]


_NOT_CHARTED = "What is supposed is not on the chart, and only what is charted can be claimed"


def _borne_on(words: Words, criteria: Sequence[Finding]) -> list[Said]:
    """That it cannot be claimed unless it is charted, the criteria that it would bear on, and what they ask."""
    names = [
        f"{words.named(one)} ({words.clause(one)})" if one.clause else words.named(one) for one in criteria
    ]
    said = [Said(text=f"{_NOT_CHARTED}; it would bear on {listed(names, MOST_OPEN, words)}.", verbatim=True)]
    for one in criteria[:2]:
        if one.parts:
            said += ways(words, one, one)
        elif one.clause and one.clause.quote:
            quote = words.ledger.add("quote", one.clause.quote, origin="policy", source=clause_source(one))
            said.append(Said(text=f"The policy says: “{quote}”", verbatim=True))
    return said


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


def waited(better: Better, later: Words, bound: Bound) -> list[Said]:
    """From which day on it stands better, and what is met on that day."""
    day = later.ledger.add(
        "date", better.day, origin="derived", attribute="earliest", source="determination",
        formula="the first later day with another outcome, nothing else changed",
    )  # fmt: skip
    wait = later.ledger.add(
        "duration", (better.day - bound.as_of).days, unit="days", origin="derived", attribute="wait",
        source="determination", formula=f"{better.day} - {bound.as_of}",
    )  # fmt: skip
    outcome = f"{later.request()} would be “{later.outcome()}”"
    told = [Said(text=f"From {day} on, in {wait}, if nothing else changes: {outcome}.")]
    for one in gained(better)[:1]:
        clause = f" ({later.clause(one)})" if one.clause else ""
        text = f"On that day {later.named(one)}{clause} is {later.status(one)}: {later.shown(one)}."
        told.append(Said(text=text))
    return told


def gained(better: Better) -> list[Finding]:
    """What is met on the day, whole criteria before their parts."""
    found = [one for one in walk(better.then.findings) if one.criterion in better.gained]
    return [*(one for one in better.then.findings if one in found), *(one for one in found if not one.parts)]


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
        clause = f" ({then.clause(finding)})" if finding.clause else ""
        text = f"{then.named(finding)}{clause} would be {then.status(finding)}"
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
        return f"{_begun(change, told)}, with {outcome}"
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
        return f"if a lifestyle program began on {told.fact('date', change.on, 'program')} and went on"
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
        parts.append(f"a supply of {told.days(change.days_supply, 'days_supply')}")
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
