"""What would change it: a supposed copy of the chart put to the same determination, and plainly said to be one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from msgspec.structs import asdict, replace

from agent.answers import dates, eligibility
from agent.answers.answer import Answer, Said, begun_plainly, plain
from agent.answers.eligibility import MOST_OPEN, OPEN, deciding
from agent.answers.suppositions import marker
from agent.answers.why import BEFORE_CRITERIA, ways
from agent.answers.wording import (
    SUPPOSED,
    Sorted,
    Words,
    ask_back,
    clause_source,
    drugs_meant,
    finding_told,
    fitted,
    listed,
    lower,
    sources,
    unlisted,
)
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.common.errors import Correctable
from tools.domain.records import Determination, Finding, Outcome, Request
from tools.engine import what_if
from tools.engine.documents import walk
from tools.engine.what_if import Change
from tools.evidence.courses import matches
from tools.evidence.measurements import governing, values_of
from tools.messages import Action
from tools.queries.bound import Bound
from tools.queries.horizon import Better, begun_by, first_better, takes_time
from tools.terminology.conditions import conditions_of
from tools.terminology.medicines import medicine

MOST_DRUGS = 3
MOST_CHANGED = 3
_DONE: tuple[Outcome, ...] = ("ready", "not_required")
_NOTHING_SUPPOSED = Said(text="As the chart stands, with nothing supposed:", verbatim=True)
_JUDGED: tuple[Outcome, ...] = ("ready", *OPEN)
_STOPPED: tuple[Outcome, ...] = ("not_covered", "wrong_plan", "quantity_exception")


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """For each drug meant, the outcome now and as supposed, and what of it changes. The determinations are the
    supposed one, then the real one, drug by drug. Nothing is supposed that was not said."""
    drugs = drugs_meant(ask, bound)[:MOST_DRUGS]
    if not drugs:
        return ask_back(bound, ledger)
    listed_there = drugs[0] in bound.plan.benefits
    supposed = beyond_the_record(ask, drugs[0], bound) if listed_there else ask.changes
    if not supposed:
        return _as_it_stands(ask, bound, ledger)
    ask = replace(ask, changes=supposed)
    reply = Answer(ledger=ledger, drugs=drugs, hypothetical=True)
    said: list[Said] = []
    days = [change for change in ask.changes if isinstance(change, what_if.On | what_if.Later)]
    try:
        for drug in drugs:
            if drug not in bound.plan.benefits:
                said.append(unlisted(drug, bound, ledger))
                continue
            then = bound.supposed(drug, ask.changes, ask.indication)
            now = bound.determination(drug, ask.indication)
            reply.determinations += [then, now]
            words = Words(bound, ledger, then, supposed=True), Words(bound, ledger, now)
            # what changes on another day is told with the last good day of each
            if len(days) == len(ask.changes) and then.outcome in _JUDGED:
                said.append(Said(text=_before_and_after(*words)))
            else:
                said += _told(*words, short=len(drugs) > 1)
            reply.cite(sources(_changed(now, then)))
    except Correctable as error:
        why = ledger.add("words", str(error).rstrip("."), origin="determination", source="suppose")
        reply = eligibility.answer(replace(ask, changes=()), bound, ledger)
        cannot = plain(f"That cannot be supposed: {why}.")
        reply.said = fitted([*cannot, _NOTHING_SUPPOSED, *reply.said], ledger)
        return reply
    unheard = ""
    if ask.unheard:
        quote = ledger.add("quote", ask.text, origin="request", attribute="question", source="turn")
        unheard = f"“{quote}” holds nothing that I can suppose, so this is of what was supposed before it."
    said = [*plain(marker(ask.changes, drugs[0], bound, ledger), unheard), *said]
    if better := _better_later(ask, drugs[0], reply, bound):
        reply.determinations.append(better.then)
        said += waited(better, Words(bound, ledger, better.then, supposed=True), bound)
    reply.said = fitted(said, ledger)
    if days and reply.determinations and reply.determinations[0].outcome in _JUDGED:
        reply.said += _counting_then(ask, drugs[0], reply.determinations[0].as_of, bound, reply)
    return reply


def quantity(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The limit against the amount that is supposed, or else ordered; then the decision on the request with it."""
    reply = answer(replace(ask, form="text"), bound, ledger)
    decided = reply.determinations[:1]
    limits = [(found, one) for found in decided for one in found.findings if one.criterion == "quantity"]
    for found, finding in limits[:1]:
        told = finding_told(Words(bound, ledger, found, supposed=reply.hypothetical), finding)
        behind = 1 if reply.hypothetical else 0  # what is supposed
        reply.said[behind:behind] = [replace(begun_plainly(told, ask.yes), bullet=False, verbatim=True)]
        reply.cite(sources([finding]))
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
    told = Answer(ledger=reply.ledger)
    dates.granted(then, drug, told)
    dates.windows(Ask(query="lookback", drugs=(drug,), indication=ask.indication), then, drug, told)
    reply.cite(told.sources)
    return told.said


def beyond_the_record(ask: Ask, drug: str, bound: Bound) -> tuple[Change, ...]:
    """What is supposed beyond what is on record."""
    if not ask.changes:
        return ()
    request = bound.asked(drug, ask.indication).request
    return tuple(change for change in ask.changes if not _is_so(change, request, bound))


def _is_so(change: Change, request: Request, bound: Bound) -> bool:
    """Whether it is on record already: the plan that the patient is in, the amount that is ordered, the last result."""
    match change:
        case what_if.Value():
            charted = governing(values_of(bound.patient, change.test, bound.as_of).usable)
            return not (change.on or change.unit) and any(one.value == change.value for one in charted)
        case what_if.Insured():
            return change.plan_id == bound.plan.id
        case what_if.Started(days=0, on=None, daily=0):
            return is_taken(change.drug, bound)
        case what_if.Diagnosed(present=True):
            codes = (one.code for one in bound.patient.conditions or () if one.code)
            return any(change.concept in conditions_of(code) for code in codes)
        case what_if.Asked():
            told = {name: value for name, value in asdict(change).items() if value}
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
    plainly = ask.query == "what_if" and not ask.changes
    reply = eligibility.answer(replace(ask, form="text") if plainly else ask, bound, ledger)
    if not plainly:
        return reply
    open_ones = [
        one for one in reply.determinations if one.outcome in OPEN and one.stopped_by != "exclusion"
    ][:1]
    words = [Words(bound, ledger, one) for one in open_ones]
    if words and ask.open_ones:
        reply.said = fitted(_settled(words[0], ask.open_ones), ledger)
    else:
        running = Answer(ledger=ledger)  # until when it can be renewed holds whatever happens
        for one in reply.determinations[:1]:
            dates.granted(bound, one.drug, running, running=True)
        reply.said = [*running.said, _NOTHING_SUPPOSED, *reply.said, *map(_all_that_is_open, words)]
    return reply


def _settled(words: Words, settled: Sequence[str]) -> list[Said]:
    """What would be left if what is supposed settled these criteria, or, where it may be any, those that one person
    settles; how they are settled, and how it stands now."""
    unmet = Sorted.of(words.found).unmet
    mine = [one for one in unmet if one.criterion in settled]
    actors = dict.fromkeys(map(words.actor, unmet))
    by_whom = [[one for one in unmet if words.actor(one) == who] for who in actors]
    groups = by_whom if len(mine) == len(unmet) and len(by_whom) > 1 else [mine]
    said = _borne_on(words, mine) if groups == [mine] else plain(f"{_NOT_CHARTED}.")
    said += [Said(text=_left(words, one, unmet), bullet=len(groups) > 1, leans=True) for one in groups]
    steps = [
        f"{lower(step)} ({words.clause(one)})" for one in mine if one.clause and (step := words.step(one))
    ]
    if steps:
        said.append(Said(text=f"It is settled by this: {'; '.join(dict.fromkeys(steps))}.", leans=True))
    return [*said, Said(text=words.headline(), must=False)]


_NOT_CHARTED = "What is supposed is not on the chart, and only what is charted can be claimed"


def _borne_on(words: Words, criteria: Sequence[Finding]) -> list[Said]:
    """That it cannot be claimed unless it is charted, the criteria that it would bear on, and what they ask."""
    names = [
        f"{words.named(one)} ({words.clause(one)})" if one.clause else words.named(one) for one in criteria
    ]
    said = plain(f"{_NOT_CHARTED}; it would bear on {listed(names, MOST_OPEN, words)}.")
    for one in criteria[:2]:
        if one.parts:
            said += ways(words, one, one)
        elif one.clause and one.clause.quote:
            quote = words.ledger.add("quote", one.clause.quote, origin="policy", source=clause_source(one))
            said += plain(f"The policy says: “{quote}”")
    return said


def _left(words: Words, settled: Sequence[Finding], unmet: Sequence[Finding]) -> str:
    """What is open beside what is settled."""
    names = listed([words.named(one) for one in settled], MOST_OPEN, words)
    rest = [words.named(one) for one in unmet if one not in settled]
    left = f"still open would be {listed(rest, MOST_OPEN, words)} for" if rest else _NOTHING_ELSE
    return f"If it settles {names} for the request, {left} {words.request()} under {words.plan()}."


_NOTHING_ELSE = "nothing else stands in the way of"


def _all_that_is_open(words: Words) -> Said:
    """That nothing else of the policy is open. Not that it would be ready: the form may then ask for more."""
    names = listed([words.named(finding) for finding in Sorted.of(words.found).unmet], MOST_OPEN, words)
    return Said(text=f"Beside {names} no criterion or exclusion of the policy stands in its way.")


def waited(better: Better, later: Words, bound: Bound) -> list[Said]:
    """From which day on it stands better, and what is met on that day."""
    add = partial(later.ledger.add, origin="derived", source="determination")
    formula = "the first later day with another outcome, nothing else changed"
    day = add("date", better.day, attribute="earliest", formula=formula)
    days, formula = (better.day - bound.as_of).days, f"{better.day} - {bound.as_of}"
    wait = add("duration", days, unit="days", attribute="wait", formula=formula)
    outcome = f"{later.request()} would be “{later.outcome()}”"
    told = [Said(text=f"From {day} on, in {wait}, if nothing else changes: {outcome}.")]
    for one in gained(better)[:1]:
        clause = f" ({later.clause(one)})" if one.clause else ""
        met = f"{later.named(one)}{clause} is {later.status(one)}: {later.shown(one)}"
        told.append(Said(text=f"On that day {met}."))
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
    if then.found.outcome in OPEN:
        names = [then.named(finding) for finding in Sorted.of(then.found).unmet if finding not in changed]
        if names:
            said.append(Said(text=f"Still in the way if so: {listed(names, 6, then)}."))
    elif then.found.outcome in _STOPPED and not same:
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
    if outcome in _STOPPED:
        why = then.headline().rsplit(": ", 1)[1]
        return [Said(text=f"What is supposed does not change that: {why}")]
    judged = [finding for finding in then.found.findings if _rests_on_it(finding)]
    told = [
        f"{then.named(finding)} stays {then.status(finding)}, {then.shown(finding)}"
        for finding in judged[:2]
        if finding not in Sorted.of(then.found).documents
    ]
    said = [Said(text=f"If so, {'; '.join(told) or 'no criterion changes its status'}.")]
    return (
        said if outcome == "ready" else said + [Said(text=f"If so, {lower(line)}") for line in deciding(then)]
    )


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
