"""What to do next and whose turn it is; which papers go along, and which of them are at hand."""

from __future__ import annotations

from collections.abc import Iterator

from agent.answers import dates
from agent.answers.answer import Answer, Said
from agent.answers.eligibility import of_one_drug
from agent.answers.wording import Sorted, Words, fitted, lower, sources, upper
from agent.dialogue.query import Ask
from tools.domain.records import Finding
from tools.domain.rules import Required
from tools.engine.criteria import clause_of
from tools.engine.documents import walk
from tools.messages import Actor
from tools.rulebook.plain import asks
from tools.ways.candidates import rule_of

MOST_STEPS = 4


@of_one_drug
def next_step(ask: Ask, words: Words, reply: Answer) -> None:
    """Whose turn it is first, then the steps in the order in which a specialist takes them."""
    steps = words.steps(tasks=True)[:MOST_STEPS]
    if not steps:
        reply.say(f"Nothing is left to do before it goes out. {words.headline()}")
        return
    (first, text), *rest = steps
    who = _who(first.actor, words)
    said = [Said(text=f"{upper(who)} is next: {lower(text)}." if who else f"Next: {lower(text)}.")]
    for action, step in rest:
        actor = words.who(action.actor)
        said.append(Said(text=f"Then {f'{actor}: ' if actor else ''}{lower(step)}."))
    settles = words.settles() if words.found.outcome == "needs_documentation" else ""
    if settles and who == words.who(first.actor):
        said.append(Said(text=settles))
    reply.said = fitted([*said, Said(text=words.headline(), must=False)], words.ledger)
    reply.sources = sources(Sorted.of(words.found).unmet)


def _who(actor: Actor, words: Words) -> str:
    """Whose turn it is; the prescriber by name, and how to reach them."""
    name = words.prescriber() if actor in ("prescriber", "clinician") else ""
    return f"{words.who(actor)}, {name}," if name else words.who(actor)


@of_one_drug
def attach(ask: Ask, words: Words, reply: Answer) -> None:
    """Each paper that the request needs, with whether it is on file, of which day, and how long it counts."""
    if words.found.outcome in ("wrong_plan", "not_covered", "not_required"):
        reply.say(words.headline())
    elif told := papers_told(words):
        reply.said = fitted([*told, *_not_asked_for(words)], words.ledger)
        reply.sources = sources(_papers(words))
    else:
        none = f"{words.plan()} asks for no paper beside the form for {words.request()}, as the chart stands."
        reply.said = [Said(text=none), Said(text=words.headline(), must=False)]


def papers_told(words: Words) -> list[Said]:
    """How many of the papers are on file, and a line for each; nothing where none is asked for."""
    papers = _papers(words)
    if not papers:
        return []
    here = [finding for finding in papers if finding.status == "met"]
    count, total = words.count(len(here), "papers on file"), words.count(len(papers), "papers")
    said = [Said(text=f"Of the papers for {words.request()}, {count} of {total} on file:")]
    for finding in papers:
        shown = words.shown(finding)
        state = "on file" if finding.status == "met" else _wanting(finding, shown)
        cited = clause_cited(words, finding)
        detail = f", {shown}" if shown and finding.status == "met" and shown != state else ""
        told = f"{words.named(finding)}: {state}{detail}{cited}{_beside(finding.criterion, words)}."
        day = dates.paper(finding, words.bound, words.found.drug, words.ledger)
        said.append(Said(text=told + day, bullet=True))
    return said


def _wanting(finding: Finding, shown: str) -> str:
    """What is wrong with a paper that is not as it is asked for."""
    missing = finding.found is None or finding.found.code == "document.missing"
    return "not on file" if missing else f"still wanted, {shown}"


def clause_cited(words: Words, finding: Finding) -> str:
    """ " (clause § 1(a)(3))", if there is one."""
    clause = words.clause(finding)
    return f" (clause {clause})" if clause else ""


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
        cited = clause_cited(words, blank)
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
