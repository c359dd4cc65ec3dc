"""What is missing, unmet or unknown, how to get it, and who can."""

from __future__ import annotations

from collections.abc import Iterator

from agent.answers.answer import Answer, Said, plain
from agent.answers.eligibility import alternatives_told, covered_instead, deciding, next_told, of_one_drug
from agent.answers.steps import clause_cited, papers_told
from agent.answers.wording import Sorted, Words, fitted, listed, lower, note_sources, sentence, sources, upper
from agent.dialogue.query import Ask
from tools.domain.records import Finding
from tools.messages import TASK, Action

MOST_POINTS = 6
LONGEST = 1400  # characters
MOST_LEADS = 2


@of_one_drug
def answer(ask: Ask, words: Words, reply: Answer) -> None:
    """The outcome, then a line for each thing that is open, with whose turn it is and the clause that asks for it."""
    found, unmet = words.found, Sorted.of(words.found).unmet
    if found.outcome == "ready":
        met = _met(words)
        nothing = f"Nothing is missing: {words.request()} is {words.outcome()} to {words.plan()}."
        said = [Said(text=nothing), *met, *papers_told(words)]
    elif found.outcome == "not_required":
        said = [Said(text=words.headline()), *plain(words.off_label()), *next_told(words, 1)]
    elif found.outcome in ("not_covered", "wrong_plan") or found.stopped_by == "exclusion":
        said = [Said(text=words.headline()), *(Said(text=one, leans=True) for one in deciding(words))]
        said += [*covered_instead(words, reply), *next_told(words, 3), *alternatives_told(words)]
    else:
        said = [Said(text=words.headline()), *_open(words, unmet)]
    reply.sources = [*note_sources(found)[:MOST_LEADS], *sources(unmet)]
    reply.said = fitted(said, words.ledger, LONGEST)


def _open(words: Words, unmet: list[Finding]) -> Iterator[Said]:
    once = _each_once(unmet)
    told = [_point(words, finding) for finding in once]
    yield from (Said(text=text, bullet=True) for text in told[:MOST_POINTS])
    yield from plain(*(words.lead(lead) for lead in words.found.leads[:MOST_LEADS]))
    if left := [words.named(finding) for finding in once[MOST_POINTS:]]:
        yield Said(text=f"Also: {listed(left, 8, words)}.", bullet=True)
    if settles := words.settles():
        yield Said(text=settles)
    yield from _met(words)


def _met(words: Words) -> list[Said]:
    return [Said(text=met, bullet=True, must=False) for met in [words.met()] if met]


def _each_once(unmet: list[Finding]) -> list[Finding]:
    """What one step settles is told once."""
    by_step: dict[Action | str, Finding] = {}
    for finding in unmet:
        by_step.setdefault(finding.action or finding.criterion, finding)
    return [*by_step.values()]


def _point(words: Words, finding: Finding) -> str:
    step = words.step(finding)
    cited = clause_cited(words, finding)
    if not step:
        return f"{words.named(finding)}: {words.shown(finding)}{cited}."
    who = words.who(words.actor(finding))
    head = f"{upper(who)}: {lower(words.step(finding, form=TASK))}" if who else step
    fails = finding.status == "not_met" and finding.criterion != "quantity"
    if shown := words.shown(finding) if fails else "":
        return sentence(words.ledger, f"{shown}: {lower(step)}{cited}.")
    return f"{head}{cited}."
