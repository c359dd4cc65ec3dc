"""Clauses quoted with their numbers, or that the policy does not say and whom to ask."""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

from agent.answers.answer import Answer, Said, Source
from agent.answers.policy.contents import Contents, Section, contents_of, tests_of, without_drug
from agent.answers.policy.finding import Found, find, named_in, section_of
from agent.answers.wording import drug_slot, drugs_meant, plan_slot, upper
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.domain.records import Clause, Plan, Policy
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
    held = contents_of(policy, bound.plan.benefits[policy.drug], bound.store.drug(policy.drug))
    found, page = _found(ask, policy, held, bound), _Page(policy, bound.plan, held, ledger)
    reply = Answer(ledger=ledger, drugs=(name,))
    if not found.clauses:
        nearest = found.nearest[:MOST_NEAREST]
        reply.general = not found.about
        reply.said += page.silence(found.about, nearest)
        reply.sources += [Source(source=f"{policy.id} {one.id}", quote=one.text) for one in nearest]
        return reply
    reply.said += page.section(found.whole, found.clauses) if found.whole else page.quotes(found.clauses)
    quoted = [fact for one in reply.said for fact in ledger.used(one.text) if fact.kind == "quote"]
    reply.sources += [Source(source=fact.source, quote=str(fact.value), kind="policy") for fact in quoted]
    return reply


def _found(ask: Ask, policy: Policy, held: Contents, bound: Bound) -> Found:
    """The section that the query wants, or what answers its words."""
    named = [test for test in ask.tests if test in TESTS] if not ask.guessed else []
    if named and not any(tests_of(one.part) & {*named} for one in held.printed.values()):
        return Found(about=TESTS[named[0]].name)
    if numbers := named_in(ask.text, held.clauses):
        return Found(tuple(held.clauses[one] for one in numbers[:MOST_BRANCHES]))
    if section := _WHOLE.get(ask.query):
        return section_of(section, held, ask.indication)
    asked = without_drug(ask.text, held)
    return find(held, asked, bound.clauses(policy.drug, asked, len(policy.clauses)), ask.indication)


class _Page(NamedTuple):
    """A policy that is quoted, of a plan, in an answer with this ledger."""

    policy: Policy
    plan: Plan
    held: Contents
    ledger: Ledger

    def quotes(self, clauses: tuple[Clause, ...]) -> list[Said]:
        """Each clause with its number; what it is one of, where it is one of several ways."""
        first, *others = clauses
        lead = _LEADS.get(first.section, "The {drug} policy says").format(drug=self.drug())
        quoted, use = f"{self.clause(first)}{self.together(first)}", self.use(first)
        said = [_said(f"{lead}, {use}, {quoted}" if use else f"{lead}, {quoted}")]
        choice = next((node for node in self.above(first) if isinstance(node, AnyOf | AtLeast)), None)
        if choice is not None and choice.clause_id in self.held.clauses:
            said.append(_said(self.one_of(choice)))
        for other in others:
            use = self.use(other)
            begin = f"{upper(use)}, " if use else ""
            text = f"{begin}{self.clause(other, capital=not use)}{self.together(other)}"
            said.append(_said(text, bullet=True))
        return said

    def section(self, section: Section, clauses: tuple[Clause, ...]) -> list[Said]:
        """A section's clauses as a list, with how many are not shown."""
        said, use = [_said(_SECTIONS[section].format(drug=self.drug()))], ""
        for clause in clauses[:MOST_LISTED]:
            before, use = use, self.use(clause)
            begin = f"{upper(use)}, " if use and use != before else ""
            text = f"{begin}{self.clause(clause, capital=not begin)}{self.branches(clause)}"
            said.append(_said(text, bullet=True))
        if (rest := len(clauses) - MOST_LISTED) > 0:
            what = "clauses of the section not shown"
            more = self.ledger.add("count", rest, origin="derived", formula=what)
            said.append(_said(f"{more} more stand in the policy.", bullet=True))
        return said

    def silence(self, about: str, nearest: tuple[Clause, ...]) -> list[Said]:
        """That the policy does not say, of a subject that is known; else the clauses nearest to the question."""
        policy, plan, add = self.policy, self.plan, self.ledger.add
        of_policy = partial(add, origin="policy", source=policy.id)
        name, heading = self.drug(), of_policy("code", policy.id, attribute="policy")
        if about:
            subject = add("words", about, origin="request", source="question")
            text = f"The {name} policy does not say: no clause of {heading} is about {subject}."
        else:
            if policy.version:
                heading += f", version {of_policy('code', policy.version, attribute='version')}"
            if since := policy.effective_from:
                heading += f", in force from {of_policy('date', since, attribute='policy from')}"
            text = f"I found no clause of the {name} policy that clearly answers this ({heading})."
            text += " Nearest to it stand:" if nearest else ""
        said = [_said(text), *(_said(self.clause(one, capital=True), bullet=True) for one in nearest)]
        if plan.phone:
            of_plan = partial(add, origin="plan", source=f"plan:{plan.id}")
            phone = of_plan("code", plan.phone, attribute="phone")
            payer = of_plan("name", plan.payer, attribute="payer")
            said.append(Said(text=f"{payer} can be asked at {phone}.", must=False))
        return said

    def drug(self) -> str:
        return drug_slot(self.ledger, self.policy.drug)

    def clause(self, clause: Clause, *, capital: bool = False) -> str:
        return clause_told(clause, self.policy, self.ledger, capital)

    def number(self, clause_id: str) -> str:
        return clause_slot(self.ledger, self.policy.id, clause_id)

    def above(self, clause: Clause) -> tuple[Composite, ...]:
        return self.held.printed[clause.id].above if clause.id in self.held.printed else ()

    def use(self, clause: Clause) -> str:
        """ "for type 2 diabetes", where the policy has several uses and the clause does not hold for all."""
        entry = self.held.printed.get(clause.id)
        uses = {rule.indication for other in self.held.printed.values() for rule in other.rules}
        its = dict.fromkeys(rule.indication for rule in entry.rules) if entry else {}
        if not entry or len(its) == len(uses):
            return ""
        add = partial(self.ledger.add, "words", origin="policy", attribute="indication")
        return f"for {' and '.join(add(INDICATIONS.get(one, one), source=entry.rules[0].policy_id) for one in its)}"

    def together(self, clause: Clause) -> str:
        """Which clauses must be met with this one, where it is but a part of one way."""
        above = self.above(clause)
        if len(above) < 2 or not isinstance(above[-1], AllOf):
            return ""
        ids = [child.clause_id for child in above[-1].children if child.clause_id not in ("", clause.id)]
        return f" (together with {', '.join(map(self.number, ids))})" if ids else ""

    def one_of(self, choice: Composite) -> str:
        source = f"{self.policy.id} {choice.clause_id}"
        add = partial(self.ledger.add, "count", origin="policy", source=source, attribute="ways")
        ways, number = add(len(choice.children)), self.number(choice.clause_id)
        if isinstance(choice, AtLeast):
            return f"It is one of {ways} under {number}, of which {add(choice.k)} must be met."
        return f"It is one of {ways} ways to meet {number}; one is enough."

    def branches(self, clause: Clause) -> str:
        """The clauses that stand under a lead-in, quoted; of those with branches of their own the number."""
        entry = self.held.printed.get(clause.id)
        if entry is None or not isinstance(entry.part, Composite):
            return ""
        under = [child for child in entry.part.children if child.clause_id in self.held.clauses]
        if len(under) > MOST_BRANCHES:
            return f" (see {', '.join(self.number(child.clause_id) for child in under)})"
        told = []
        for child in under:
            number, printed = self.number(child.clause_id), self.held.clauses[child.clause_id]
            if isinstance(child, Composite):
                told.append(f"what stands under {number}")
            else:
                told.append(f"{number} “{_quote(printed, self.policy, self.ledger)}”")
        end = "." if told and not told[-1].endswith("”") else ""
        return f" {'; '.join(told)}{end}" if told else ""


_LEADS = {
    "criteria": "The {drug} policy asks for this",
    "exclusions": "The {drug} policy counts as an exclusion",
    "renewal": "For a renewal the {drug} policy asks for this",
    "documentation": "On documents the {drug} policy says",
}
_SECTIONS: dict[Section, str] = {
    "criteria": "For {drug} the policy asks for:",
    "renewal": "To renew {drug} the policy asks for:",
    "exclusions": "The policy excludes {drug} where one of these is so:",
    "documentation": "With a request for {drug} the policy wants:",
}


def _said(text: str, *, bullet: bool = False) -> Said:
    return Said(text=text, verbatim=True, bullet=bullet)


def clause_told(clause: Clause, policy: Policy, ledger: Ledger, capital: bool = False) -> str:
    quote = _quote(clause, policy, ledger)
    return f"{'In' if capital else 'in'} {clause_slot(ledger, policy.id, clause.id)}: “{quote}”"


def _quote(clause: Clause, policy: Policy, ledger: Ledger) -> str:
    source = f"{policy.id} {clause.id}"
    return ledger.add("quote", clause.text, origin="policy", source=source, attribute="policy")


def clause_slot(ledger: Ledger, policy_id: str, clause_id: str) -> str:
    """ "§ 1(a)(3)", and "clause 3.1" where the number alone could be any number."""
    source = f"{policy_id} {clause_id}"
    slot = ledger.add("code", clause_id, origin="policy", source=source, attribute="clause")
    return f"clause {slot}" if re.fullmatch(r"\d+(?:\.\w+)?", clause_id) else slot


def _no_policy(name: str, bound: Bound, ledger: Ledger) -> Answer:
    """There is no policy for the drug: it is not listed, not covered, or needs no PA."""
    benefit = bound.plan.benefits.get(name)
    drug, plan = drug_slot(ledger, name), plan_slot(ledger, bound.plan)
    if benefit is None:
        text = f"{plan} does not list {drug}, so there is no policy for it."
    elif not benefit.covered:
        source = f"plan:{bound.plan.id}"
        why = (
            f" ({ledger.add('words', benefit.reason, origin='plan', source=source)})"
            if benefit.reason
            else ""
        )
        text = f"There is no PA policy for {drug}: {plan} does not cover it{why}."
    elif not benefit.pa_required:
        text = f"There is no PA policy for {drug}: {plan} covers it without prior authorization."
    else:
        text = f"{plan} asks for prior authorization of {drug}, but its policy is not on file."
    return Answer(said=[_said(text)], ledger=ledger, drugs=(name,))


def _ask_back(bound: Bound, ledger: Ledger) -> Answer:
    """No drug is held: the ones with a policy are offered."""
    choice = tuple(name for name, benefit in bound.plan.benefits.items() if benefit.pa_required)
    names = [ledger.add("drug", name, origin="plan", source=f"plan:{bound.plan.id}") for name in choice]
    text = f"Which drug's policy do you mean: {', '.join(names)}?"
    if not choice:
        text = f"{plan_slot(ledger, bound.plan)} has no policy on file that asks for prior authorization."
    return Answer(said=[_said(text)], ledger=ledger, offered=choice)
