"""From which day it would stand otherwise as time passes: the same determination on later days."""

from __future__ import annotations

from msgspec.structs import replace

from agent.answers.answer import Answer, Said, plain
from agent.answers.eligibility import next_told, of_one_drug
from agent.answers.suppositions import marker
from agent.answers.what_if import beyond_the_record, gained, waited
from agent.answers.wording import Sorted, Words, fitted, sources
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.engine.what_if import Change, Course, Enrolled, Insured, On
from tools.queries.bound import Bound
from tools.queries.horizon import begun_by, first_better, gone_through, takes_time


@of_one_drug
def answer(ask: Ask, words: Words, reply: Answer) -> None:
    """The first day on which the outcome is better, with what changes on it; that time alone changes nothing, if so.
    What is supposed beside it, a drug that is begun say, holds from the day that is named, or today."""
    bound, ledger, drug = words.bound, words.ledger, words.found.drug
    named = [change.date for change in ask.changes if isinstance(change, On)]
    since = ask.day or max([bound.as_of, *named])
    scenario = begun_by(beyond_the_record(ask, drug, bound), since)
    now = bound.supposed(drug, scenario, ask.indication)
    words = Words(bound, ledger, now, supposed=bool(scenario))
    reply.determinations = [now]
    if now.outcome in ("ready", "not_required"):
        reply.said = _supposed(scenario, drug, bound, ledger)
        reply.say(f"Today already. {words.headline()}")
        return
    better = first_better(bound, drug, scenario, ask.indication)
    if better is None and (takes_time(scenario) or not scenario):  # with what takes time gone through with
        steps = bound.steps_supposed(drug, ask.indication, begun=True)
        begun = gone_through(scenario) or begun_by(map(_from_the_start, steps), since)
        stays = Insured(plan_id=bound.plan.id)  # for a period of enrollment may end before
        for tried in (begun, (*begun, stays)) if takes_time(begun) else ():
            if better := first_better(bound, drug, tried, ask.indication, outcome=False):
                scenario = tried
                break
    reply.said = _supposed(scenario, drug, bound, ledger)
    if better is None:
        alone = "Time does not change it even so" if reply.said else "Time alone does not change it"
        reply.say(f"{alone}: what is open needs a step, not a date.")
        reply.said += [Said(text=words.headline()), *next_told(words, 2)]
        return
    reply.hypothetical = True
    reply.determinations = [better.then, now]
    later = Words(bound, ledger, better.then, supposed=True)
    left = Sorted.of(better.then).unmet
    reply.said += waited(better, later, bound)
    if left:
        reply.say(f"Still open then: {'; '.join(later.named(one) for one in left[:3])}.")
    reply.said = fitted(reply.said, ledger)
    reply.sources = sources([*gained(better)[:1], *left])


def _from_the_start(step: Change) -> Change:
    """A step of the way as one that is only begun."""
    if isinstance(step, Course):
        return replace(step, days=0)
    return replace(step, months=0) if isinstance(step, Enrolled) else step


def _supposed(scenario: tuple[Change, ...], drug: str, bound: Bound, ledger: Ledger) -> list[Said]:
    return plain(marker(scenario, drug, bound, ledger)) if scenario else []
