"""What is missing, unmet or unknown, how to get it, and who can."""

from __future__ import annotations

from agent.answers.answer import Answer, Said
from agent.answers.eligibility import covered_instead, deciding
from agent.answers.steps import papers_told
from agent.answers.wording import (
    Sorted,
    Words,
    ask_back,
    drugs_meant,
    fitted,
    listed,
    lower,
    note_sources,
    sentence,
    sources,
    unlisted,
    upper,
)
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.domain.records import Finding
from tools.messages import TASK, Action
from tools.queries.bound import Bound

MOST_POINTS = 6
LONGEST = 1400  # characters
MOST_LEADS = 2


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The outcome, then a line for each thing that is open, with whose turn it is and the clause that asks for it."""
    drugs = drugs_meant(ask, bound)[:1]
    if not drugs:
        return ask_back("missing", bound, ledger)
    reply = Answer(intent="missing", ledger=ledger, drugs=drugs)
    if drugs[0] not in bound.plan.benefits:
        reply.said = [unlisted(drugs[0], bound, ledger)]
        return reply
    found = bound.determination(drugs[0], ask.indication)
    reply.determinations.append(found)
    words, unmet = Words(bound, ledger, found), Sorted.of(found).unmet
    said = _of_one(words, unmet, reply)
    if found.outcome == "ready":
        said += papers_told(words, bound)
    reply.sources = [*note_sources(found)[:MOST_LEADS], *sources(unmet)]
    reply.said = fitted(said, ledger, LONGEST)
    return reply


def _of_one(words: Words, unmet: list[Finding], reply: Answer) -> list[Said]:
    found = words.found
    if found.outcome == "ready":
        met = words.met()
        nothing = f"Nothing is missing: {words.request()} is {words.outcome()} to {words.plan()}."
        return [Said(text=nothing), *([Said(text=met, bullet=True, must=False)] if met else [])]
    said = [Said(text=words.headline())]
    if found.outcome == "not_required":
        off_label = words.off_label()
        return [*said, *([Said(text=off_label, verbatim=True)] if off_label else []), *_next(words, 1)]
    if found.outcome in ("not_covered", "wrong_plan") or found.stopped_by == "exclusion":
        said += [
            *(Said(text=one, leans=True) for one in deciding(words)),
            *covered_instead(words, reply),
            *_next(words, 3),
        ]
        other = words.alternatives()
        return [*said, Said(text=other, must=False)] if other else said
    told = [_point(words, finding) for finding in _each_once(unmet)]
    said += [Said(text=text, bullet=True) for text in told[:MOST_POINTS]]
    said += [Said(text=words.lead(lead), verbatim=True) for lead in found.leads[:MOST_LEADS]]
    if len(told) > MOST_POINTS:
        left = [words.named(finding) for finding in _each_once(unmet)[MOST_POINTS:]]
        said.append(Said(text=f"Also: {listed(left, 8, words)}.", bullet=True))
    if settles := words.settles():
        said.append(Said(text=settles))
    if met := words.met():
        said.append(Said(text=met, bullet=True, must=False))
    return said


def _each_once(unmet: list[Finding]) -> list[Finding]:
    """What one step settles is told once."""
    by_step: dict[Action | str, Finding] = {}
    for finding in unmet:
        by_step.setdefault(finding.action or finding.criterion, finding)
    return [*by_step.values()]


def _point(words: Words, finding: Finding) -> str:
    step = words.step(finding)
    clause = words.clause(finding)
    cited = f" (clause {clause})" if clause else ""
    if not step:
        return f"{words.named(finding)}: {words.shown(finding)}{cited}."
    who = words.who(words.actor(finding))
    head = f"{upper(who)}: {lower(words.step(finding, form=TASK))}" if who else step
    shown = words.shown(finding) if finding.status == "not_met" and finding.criterion != "quantity" else ""
    if shown:
        return sentence(words.ledger, f"{shown}: {lower(step)}{cited}.")
    return f"{head}{cited}."


def _next(words: Words, most: int) -> list[Said]:
    steps = words.next_steps(most)
    return [Said(text=f"Next: {'; '.join(map(lower, steps))}.")] if steps else []
