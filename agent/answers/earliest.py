"""From which day it would stand otherwise as time passes: the same determination on later days."""

from __future__ import annotations

import msgspec

from agent.answers.answer import Answer, Said
from agent.answers.suppositions import marker
from agent.answers.what_if import beyond_the_record, gained, waited
from agent.answers.wording import Sorted, Words, ask_back, drugs_meant, fitted, lower, sources, unlisted
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.engine.what_if import Change, Course, Enrolled, Insured, On
from tools.queries.bound import Bound
from tools.queries.horizon import begun_by, first_better, gone_through, takes_time


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The first day on which the outcome is better, with what changes on it; that time alone changes nothing, if so.
    What is supposed beside it, a drug that is begun say, holds from the day that is named, or today."""
    drugs = drugs_meant(ask, bound)[:1]
    if not drugs:
        return ask_back(ask.intent, bound, ledger)
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=drugs)
    drug = drugs[0]
    if drug not in bound.plan.benefits:
        reply.said = [unlisted(drug, bound, ledger)]
        return reply
    since = max([bound.as_of, *(change.date for change in ask.changes if isinstance(change, On))])
    scenario = begun_by(beyond_the_record(ask, drug, bound), since)
    now = bound.supposed(drug, scenario, ask.indication)
    words = Words(bound, ledger, now, supposed=bool(scenario))
    if now.outcome in ("ready", "not_required"):
        reply.determinations.append(now)
        reply.said = [
            *_supposed(scenario, drug, bound, ledger),
            Said(text=f"Today already. {words.headline()}"),
        ]
        return reply
    better = first_better(bound, drug, scenario, ask.indication)
    if better is None and (takes_time(scenario) or not scenario):  # with what takes time gone through with
        steps = bound.steps_supposed(drug, ask.indication)
        begun = gone_through(scenario) or begun_by(map(_from_the_start, steps), since)
        stays = Insured(plan_id=bound.plan.id)  # for a period of enrollment may end before
        for tried in (begun, (*begun, stays)) if takes_time(begun) else ():
            if better := first_better(bound, drug, tried, ask.indication, outcome=False):
                scenario = tried
                break
    told = _supposed(scenario, drug, bound, ledger)
    if better is None:
        reply.determinations.append(now)
        alone = "Time does not change it even so" if told else "Time alone does not change it"
        reply.said = [
            *told,
            Said(text=f"{alone}: what is open needs a step, not a date."),
            Said(text=words.headline()),
        ]
        steps_told = words.next_steps(2)
        if steps_told:
            reply.said.append(Said(text=f"Next: {'; '.join(map(lower, steps_told))}."))
        return reply
    reply.hypothetical = True
    reply.determinations += [better.then, now]
    later = Words(bound, ledger, better.then, supposed=True)
    left = Sorted.of(better.then).unmet
    reply.said = [*told, *waited(better, later, bound)]
    if left:
        reply.said.append(Said(text=f"Still open then: {'; '.join(later.named(one) for one in left[:3])}."))
    reply.said = fitted(reply.said, ledger)
    reply.sources = sources([*gained(better)[:1], *left])
    return reply


def _from_the_start(step: Change) -> Change:
    """A step of the way as one that is only begun."""
    if isinstance(step, Course):
        return msgspec.structs.replace(step, days=0)
    return msgspec.structs.replace(step, months=0) if isinstance(step, Enrolled) else step


def _supposed(scenario: tuple[Change, ...], drug: str, bound: Bound, ledger: Ledger) -> list[Said]:
    return [Said(text=marker(scenario, drug, bound, ledger), verbatim=True)] if scenario else []
