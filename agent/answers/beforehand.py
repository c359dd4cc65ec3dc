"""What is said before an answer on a request, whatever it asks: a request that has gone out, an approval that runs, and
an allergy to what the drug is made of."""

from __future__ import annotations

from agent.answers import dates
from agent.answers.answer import Answer, Said
from agent.answers.case_lines import Lines
from agent.answers.chart.lists import allergy_told
from agent.answers.chart.page import Page
from agent.answers.wording import drug_slot, drugs_meant, plan_slot
from agent.dialogue.query import QUERIES, Ask, Query, intent_of
from agent.ledger import Ledger
from tools.bound import Bound
from tools.eligibility import active_coverage, plans_on
from tools.errors import NotFound

_ON_A_REQUEST: frozenset[Query] = frozenset(("eligible", "missing", "next_step", "draft", "attach"))
_OF_A_PLAN: frozenset[Query] = frozenset(
    query
    for query in QUERIES
    if intent_of(query) in ("plan", "policy", "dates") and query not in ("enrolment", "ids")
) - {"earliest", "deadline", "approval"}
_NOT_YET_SENT = ("draft", "reviewed")


def told(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The sentences that come first; none for most questions."""
    reply = Answer(intent=ask.intent, ledger=ledger)
    if ask.query in _OF_A_PLAN and not ask.plan_id:
        _ended(bound, reply)
    if ask.query not in _ON_A_REQUEST:
        return reply
    drugs = drugs_meant(ask, bound)
    for case in bound.cases():
        if case.open and case.head.drug in drugs and case.state not in _NOT_YET_SENT:
            Lines(case, bound.clocks(case), bound.as_of, reply).state()
    for drug in drugs:
        dates.granted(bound, drug, reply, running=True)
        _allergy(drug, ask, bound, reply)
    return reply


def _ended(bound: Bound, reply: Answer) -> None:
    """That the plan on file is not the patient's any more, and which one is."""
    if not bound.patient.coverages or active_coverage(bound.patient, bound.plan.id, bound.as_of) is not None:
        return
    active = [plan_slot(reply.ledger, bound.store.plan(one)) for one in plans_on(bound.patient, bound.as_of)]
    now = f"active is {' and '.join(active)}" if active else "no other plan is active"
    text = (
        f"{plan_slot(reply.ledger, bound.plan)}, the plan on file, is not active; {now}. Of the plan on file:"
    )
    reply.said.append(Said(text=text, verbatim=True))


def _allergy(drug: str, ask: Ask, bound: Bound, reply: Answer) -> None:
    """Whatever the policy asks for, a prescriber wants to know it."""
    try:
        made_of = set(bound.store.drug(drug).ingredients)
    except NotFound:
        return
    page = Page(ask, bound, reply.ledger, reply)
    for one in bound.patient.allergies or ():
        if made_of & set(one.ingredients):
            name, entry = drug_slot(reply.ledger, drug), allergy_told(page, one.id)
            text = f"Mind the allergy list: {entry}, which {name} is made of."
            reply.said.append(Said(text=text, verbatim=True))
