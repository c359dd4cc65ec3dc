"""What to do next and whose turn it is; which papers go along, and which of them are at hand."""

from __future__ import annotations

from collections.abc import Iterator

from agent.answers import dates
from agent.answers.answer import Answer, Said
from agent.answers.wording import (
    Sorted,
    Words,
    ask_back,
    drugs_meant,
    fitted,
    lower,
    sources,
    unlisted,
    upper,
)
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.domain.records import Finding
from tools.domain.rules import Required
from tools.engine.criteria import clause_of
from tools.engine.documents import walk
from tools.messages import Actor
from tools.queries.bound import Bound
from tools.rulebook.plain import asks
from tools.ways.candidates import rule_of

MOST_STEPS = 4


def next_step(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """Whose turn it is first, then the steps in the order in which a specialist takes them."""
    words = _words(ask, bound, ledger)
    if isinstance(words, Answer):
        return words
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=(words.found.drug,), determinations=[words.found])
    steps = words.steps(tasks=True)[:MOST_STEPS]
    if not steps:
        reply.said = [Said(text=f"Nothing is left to do before it goes out. {words.headline()}")]
        return reply
    (first, text), *rest = steps
    who = _who(first.actor, words)
    told = f"{upper(who)} is next: {lower(text)}." if who else f"Next: {lower(text)}."
    said = [Said(text=told)]
    for action, step in rest:
        actor = words.who(action.actor)
        said.append(Said(text=f"Then {f'{actor}: ' if actor else ''}{lower(step)}."))
    settles = words.settles() if words.found.outcome == "needs_documentation" else ""
    if settles and who == words.who(first.actor):
        said.append(Said(text=settles))
    reply.said = fitted([*said, Said(text=words.headline(), must=False)], ledger)
    reply.sources = sources(Sorted.of(words.found).unmet)
    return reply


def _who(actor: Actor, words: Words) -> str:
    """Whose turn it is; the prescriber by name, and how to reach them."""
    name = words.prescriber() if actor in ("prescriber", "clinician") else ""
    return f"{words.who(actor)}, {name}," if name else words.who(actor)


def attach(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """Each paper that the request needs, with whether it is on file, of which day, and how long it counts."""
    words = _words(ask, bound, ledger)
    if isinstance(words, Answer):
        return words
    found = words.found
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=(found.drug,), determinations=[found])
    if found.outcome in ("wrong_plan", "not_covered", "not_required"):
        reply.said = [Said(text=words.headline())]
        return reply
    reply.said = papers_told(words, bound)
    if not reply.said:
        none = f"{words.plan()} asks for no paper beside the form for {words.request()}, as the chart stands."
        reply.said = [Said(text=none), Said(text=words.headline(), must=False)]
        return reply
    reply.said = fitted([*reply.said, *_not_asked_for(words)], ledger)
    reply.sources = sources(_papers(words))
    return reply


def papers_told(words: Words, bound: Bound) -> list[Said]:
    """How many of the papers are on file, and a line for each; nothing where none is asked for."""
    papers = _papers(words)
    if not papers:
        return []
    here = [finding for finding in papers if finding.status == "met"]
    count, total = words.count(len(here), "papers on file"), words.count(len(papers), "papers")
    said = [Said(text=f"Of the papers for {words.request()}, {count} of {total} on file:")]
    for finding in papers:
        state = "on file" if finding.status == "met" else "not on file"
        shown = words.shown(finding)
        clause = words.clause(finding)
        cited = f" (clause {clause})" if clause else ""
        detail = f", {shown}" if shown and finding.status == "met" and shown != state else ""
        told = f"{words.named(finding)}: {state}{detail}{cited}{_beside(finding.criterion, words)}."
        day = dates.paper(finding, bound, words.found.drug, words.ledger)
        said.append(Said(text=told + day, bullet=True))
    return said


def _not_asked_for(words: Words) -> Iterator[Said]:
    """The papers that the policy asks for beside a criterion on which this request does not rest."""
    asked = {finding.criterion for finding in _papers(words)}
    for paper, policy_id in _conditional(words):
        if paper.id in asked:
            continue
        blank = Finding(
            criterion=paper.id, kind="document", status="unknown", text=paper.text or paper.id,
            asks=asks(paper), clause=clause_of(paper, policy_id),
        )  # fmt: skip
        clause = words.clause(blank)
        cited = f" (clause {clause})" if clause else ""
        told = f"{words.named(blank)}{_beside(paper.id, words)}{cited}"
        yield Said(text=f"Not asked for as it stands: {told}.", must=False)


def _beside(paper_id: str, words: Words) -> str:
    """On which criterion a paper's being asked for depends, if on any."""
    wanted = next((paper.for_criterion for paper, _ in _conditional(words) if paper.id == paper_id), "")
    own = next((one for one in walk(words.found.findings) if one.criterion == wanted), None)
    return f", asked for only where the request rests on {words.named(own)}" if own is not None else ""


def _conditional(words: Words) -> Iterator[tuple[Required, str]]:
    """The papers that go with a criterion alone, and the policy that asks for them."""
    rule = rule_of(words.found, words.plan_record)
    if rule is not None:
        yield from ((paper, rule.policy_id) for paper in rule.documents if paper.for_criterion)


def _papers(words: Words) -> list[Finding]:
    return [finding for finding in words.found.findings if finding.kind == "document"]


def _words(ask: Ask, bound: Bound, ledger: Ledger) -> Words | Answer:
    """The words for the first drug meant, or the answer where there is no determination to word."""
    drugs = drugs_meant(ask, bound)[:1]
    if not drugs:
        return ask_back(ask.intent, bound, ledger)
    if drugs[0] not in bound.plan.benefits:
        return Answer(intent=ask.intent, ledger=ledger, drugs=drugs, said=[unlisted(drugs[0], bound, ledger)])
    return Words(bound, ledger, bound.determination(drugs[0], ask.indication))
