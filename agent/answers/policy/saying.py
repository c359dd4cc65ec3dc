"""Clauses quoted with their numbers, or that the policy does not say and whom to ask."""

from __future__ import annotations

import re

from agent.answers.answer import Answer, Said, Source
from agent.answers.policy.contents import Contents, Section, contents_of, without_drug
from agent.answers.policy.finding import Found, find, named_in, section_of
from agent.answers.wording import drug_slot, drugs_meant, plan_slot
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.domain.records import Clause, Drug, Plan, Policy
from tools.domain.rules import AllOf, AnyOf, AtLeast, Composite
from tools.queries.bound import Bound
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

MOST_BRANCHES = 5  # of a lead-in that are quoted
MOST_NEAREST = 2  # clauses that are shown where none clearly answers
MOST_LISTED = 9  # clauses of a section that is asked for as a whole
_WHOLE: dict[Query, Section] = {"policy_all": "criteria", "renewal_rules": "renewal"}


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The clauses that answer, verbatim with their numbers; that the policy does not say; or which drug is meant."""
    drugs = drugs_meant(ask, bound)
    if not drugs:
        return _ask_back(bound, ledger)
    name = drugs[0]
    policy = bound.policy(name)
    if policy is None:
        return _no_policy(name, bound, ledger)
    found = _found(ask, policy, bound)
    reply = Answer(intent="policy", ledger=ledger, drugs=(name,))
    if not found.clauses:
        nearest = list(found.nearest[:MOST_NEAREST])
        reply.general = not found.about
        reply.said += _silence(found, policy, bound.plan, nearest, ledger)
        reply.sources += [Source(source=f"{policy.id} {one.id}", quote=one.text) for one in nearest]
        return reply
    reply.said += _quotes(found, policy, bound.plan, bound.store.drug(name), ledger)
    quoted = [fact for one in reply.said for fact in ledger.used(one.text) if fact.kind == "quote"]
    reply.sources += [Source(source=fact.source, quote=str(fact.value), kind="policy") for fact in quoted]
    return reply


def _found(ask: Ask, policy: Policy, bound: Bound) -> Found:
    """The section that the query wants, or what answers its words."""
    benefit, drug = bound.plan.benefits[policy.drug], bound.store.drug(policy.drug)
    held = contents_of(policy, benefit, drug)
    if lacking := _tests_of_no_clause(ask, held):
        return Found(about=lacking)
    if named := named_in(ask.text, held.clauses):
        return Found(tuple(held.clauses[one] for one in named[:MOST_BRANCHES]))
    if section := _WHOLE.get(ask.query):
        return section_of(section, held, ask.indication)
    asked = without_drug(ask.text, held)
    hits = bound.clauses(policy.drug, asked, len(policy.clauses))
    return find(policy, benefit, drug, asked, hits, ask.indication)


def _tests_of_no_clause(ask: Ask, held: Contents) -> str:
    """The test that is named, where no clause is about it."""
    parts = [one.part for one in held.printed.values()]
    about = {test for part in parts for test in (getattr(part, "test", ""), *getattr(part, "tests", ()))}
    named = [test for test in ask.tests if test in TESTS] if not ask.guessed else []
    return TESTS[named[0]].name if named and not about & {*named} else ""


def _quotes(found: Found, policy: Policy, plan: Plan, drug: Drug, ledger: Ledger) -> list[Said]:
    """Each clause with its number; what it is one of, where it is one of several ways."""
    benefit = plan.benefits[policy.drug]
    held = contents_of(policy, benefit, drug)
    name = drug_slot(ledger, drug.name)
    if found.whole:
        return _listed(found, policy, held, name, ledger)
    first, *others = found.clauses
    lead = _LEADS.get(first.section, "The {drug} policy says").format(drug=name)
    quoted, others_too = clause_told(first, policy, ledger), _together(first, held, policy, ledger)
    text = f"{lead}{_use(first, held, ledger)}, {quoted}{others_too}"
    said = [Said(text=text, verbatim=True)]
    choice = _choice(first, held)
    if choice is not None and choice.clause_id in held.clauses:
        said.append(Said(text=_one_of(choice, policy, ledger), verbatim=True))
    for other in others:
        use = _use(other, held, ledger).removeprefix(", ")
        words = clause_told(other, policy, ledger, capital=not use)
        text = (
            f"{use[:1].upper()}{use[1:]}{', ' if use else ''}{words}{_together(other, held, policy, ledger)}"
        )
        said.append(Said(text=text, verbatim=True, bullet=True))
    return said


_LEADS = {
    "criteria": "The {drug} policy asks for this",
    "exclusions": "The {drug} policy counts as an exclusion",
    "renewal": "For a renewal the {drug} policy asks for this",
    "documentation": "On documents the {drug} policy says",
}


def _together(clause: Clause, held: Contents, policy: Policy, ledger: Ledger) -> str:
    """Which clauses must be met with this one, where it is but a part of one way."""
    entry = held.printed.get(clause.id)
    if entry is None or len(entry.above) < 2 or not isinstance(entry.above[-1], AllOf):
        return ""
    ids = [child.clause_id for child in entry.above[-1].children if child.clause_id not in ("", clause.id)]
    return f" (together with {', '.join(_number(one, policy, ledger) for one in ids)})" if ids else ""


def _listed(found: Found, policy: Policy, held: Contents, name: str, ledger: Ledger) -> list[Said]:
    """A section's clauses as a list, with how many are not shown."""
    what = {
        "criteria": f"For {name} the policy asks for:",
        "renewal": f"To renew {name} the policy asks for:",
        "exclusions": f"The policy excludes {name} where one of these is so:",
        "documentation": f"With a request for {name} the policy wants:",
    }[str(found.whole)]
    shown, rest = found.clauses[:MOST_LISTED], len(found.clauses) - MOST_LISTED
    said = [Said(text=what, verbatim=True)]
    use = ""
    for clause in shown:
        before, use = use, _use(clause, held, ledger)
        begin = f"For {use.removeprefix(', for ')}, " if use and use != before else ""
        words = clause_told(clause, policy, ledger, capital=not begin)
        text = f"{begin}{words}{_branches(clause, held, policy, ledger)}"
        said.append(Said(text=text, verbatim=True, bullet=True))
    if rest > 0:
        more = ledger.add("count", rest, origin="derived", formula="clauses of the section not shown")
        said.append(Said(text=f"{more} more stand in the policy.", verbatim=True, bullet=True))
    return said


def _branches(clause: Clause, held: Contents, policy: Policy, ledger: Ledger) -> str:
    """The clauses that stand under a lead-in, quoted; of those with branches of their own, and of many, the number."""
    entry = held.printed.get(clause.id)
    if entry is None or not isinstance(entry.part, Composite):
        return ""
    under = [child for child in entry.part.children if child.clause_id in held.clauses]
    told = []
    for child in under:
        number = _number(child.clause_id, policy, ledger)
        words = held.clauses[child.clause_id].text
        if len(under) > MOST_BRANCHES:
            told.append(number)
        elif isinstance(child, Composite):
            told.append(f"what stands under {number}")
        else:
            told.append(f"{number} “{_quote(child.clause_id, words, policy, ledger)}”")
    if len(under) > MOST_BRANCHES:
        return f" (see {', '.join(told)})"
    end = "." if told and not told[-1].endswith("”") else ""
    return f" {'; '.join(told)}{end}" if told else ""


def clause_told(clause: Clause, policy: Policy, ledger: Ledger, capital: bool = False) -> str:
    quote = _quote(clause.id, clause.text, policy, ledger)
    return f"{'In' if capital else 'in'} {_number(clause.id, policy, ledger)}: “{quote}”"


def _quote(clause_id: str, text: str, policy: Policy, ledger: Ledger) -> str:
    source = f"{policy.id} {clause_id}"
    return ledger.add("quote", text, origin="policy", source=source, attribute="policy")


def _number(clause_id: str, policy: Policy, ledger: Ledger) -> str:
    return clause_slot(ledger, policy.id, clause_id)


def clause_slot(ledger: Ledger, policy_id: str, clause_id: str) -> str:
    """ "§ 1(a)(3)", and "clause 3.1" where the number alone could be any number."""
    source = f"{policy_id} {clause_id}"
    slot = ledger.add("code", clause_id, origin="policy", source=source, attribute="clause")
    return f"clause {slot}" if re.fullmatch(r"\d+(?:\.\w+)?", clause_id) else slot


def _use(clause: Clause, held: Contents, ledger: Ledger) -> str:
    """For which use a clause holds, where the policy has several and it does not hold for all."""
    entry = held.printed.get(clause.id)
    uses = {rule.indication for other in held.printed.values() for rule in other.rules}
    if entry is None or len(uses) < 2:
        return ""
    its = dict.fromkeys(rule.indication for rule in entry.rules)
    if len(its) == len(uses):
        return ""
    shown = [
        ledger.add(
            "words",
            INDICATIONS.get(one, one),
            origin="policy",
            attribute="indication",
            source=entry.rules[0].policy_id,
        )
        for one in its
    ]
    return f", for {' and '.join(shown)}"


def _choice(clause: Clause, held: Contents) -> Composite | None:
    """The outermost choice of which this clause is one way."""
    entry = held.printed.get(clause.id)
    if entry is None:
        return None
    return next((node for node in entry.above if isinstance(node, AnyOf | AtLeast)), None)


def _one_of(choice: Composite, policy: Policy, ledger: Ledger) -> str:
    ways = ledger.add(
        "count",
        len(choice.children),
        origin="policy",
        source=f"{policy.id} {choice.clause_id}",
        attribute="ways",
    )
    number = _number(choice.clause_id, policy, ledger)
    if isinstance(choice, AtLeast):
        least = ledger.add(
            "count", choice.k, origin="policy", source=f"{policy.id} {choice.clause_id}", attribute="ways"
        )
        return f"It is one of {ways} under {number}, of which {least} must be met."
    return f"It is one of {ways} ways to meet {number}; one is enough."


def _silence(found: Found, policy: Policy, plan: Plan, nearest: list[Clause], ledger: Ledger) -> list[Said]:
    """That the policy does not say, of a subject that is known; else the clauses nearest to the question."""
    name, number = drug_slot(ledger, policy.drug), _policy_id(policy, ledger)
    if found.about:
        about = ledger.add("words", found.about, origin="request", source="question")
        text = f"The {name} policy does not say: no clause of {number} is about {about}."
    else:
        end = " Nearest to it stand:" if nearest else ""
        heading = _heading(policy, number, ledger)
        text = f"I found no clause of the {name} policy that clearly answers this ({heading}).{end}"
    said = [Said(text=text, verbatim=True)]
    said += [
        Said(text=clause_told(one, policy, ledger, capital=True), verbatim=True, bullet=True)
        for one in nearest
    ]
    if plan.phone:
        phone = ledger.add("code", plan.phone, origin="plan", source=f"plan:{plan.id}", attribute="phone")
        payer = ledger.add("name", plan.payer, origin="plan", source=f"plan:{plan.id}", attribute="payer")
        said.append(Said(text=f"{payer} can be asked at {phone}.", must=False))
    return said


def _heading(policy: Policy, number: str, ledger: Ledger) -> str:
    """Which policy it is, as its document begins."""
    told = number
    if policy.version:
        version = ledger.add("code", policy.version, origin="policy", source=policy.id, attribute="version")
        told += f", version {version}"
    if policy.effective_from:
        since = ledger.add(
            "date", policy.effective_from, origin="policy", source=policy.id, attribute="policy from"
        )
        told += f", in force from {since}"
    return told


def _policy_id(policy: Policy, ledger: Ledger) -> str:
    return ledger.add("code", policy.id, origin="policy", source=policy.id, attribute="policy")


def _no_policy(name: str, bound: Bound, ledger: Ledger) -> Answer:
    """There is no policy for the drug: it is not listed, not covered, or needs no PA."""
    benefit = bound.plan.benefits.get(name)
    drug = drug_slot(ledger, name)
    source = f"plan:{bound.plan.id}"
    plan = plan_slot(ledger, bound.plan)
    if benefit is None:
        text = f"{plan} does not list {drug}, so there is no policy for it."
    elif not benefit.covered:
        why = ledger.add("words", benefit.reason, origin="plan", source=source) if benefit.reason else ""
        text = f"There is no PA policy for {drug}: {plan} does not cover it" + (f" ({why})." if why else ".")
    elif not benefit.pa_required:
        text = f"There is no PA policy for {drug}: {plan} covers it without prior authorization."
    else:
        text = f"{plan} asks for prior authorization of {drug}, but its policy is not on file."
    return Answer(intent="policy", said=[Said(text=text, verbatim=True)], ledger=ledger, drugs=(name,))


def _ask_back(bound: Bound, ledger: Ledger) -> Answer:
    """No drug is held: the ones with a policy are offered."""
    choice = tuple(name for name, benefit in bound.plan.benefits.items() if benefit.pa_required)
    if not choice:
        plan = plan_slot(ledger, bound.plan)
        text = f"{plan} has no policy on file that asks for prior authorization."
        return Answer(intent="policy", said=[Said(text=text, verbatim=True)], ledger=ledger)
    names = [ledger.add("drug", name, origin="plan", source=f"plan:{bound.plan.id}") for name in choice]
    text = f"Which drug's policy do you mean: {', '.join(names)}?"
    return Answer(intent="policy", said=[Said(text=text, verbatim=True)], ledger=ledger, offered=choice)
