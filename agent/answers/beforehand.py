"""What is said beside an answer on a request, whatever it asks: a request that has gone out, an approval that runs, an
allergy to what the drug is made of, and that two drugs are not paid for together."""

from __future__ import annotations

from msgspec.structs import replace

from agent.answers import dates
from agent.answers.answer import Answer
from agent.answers.case_lines import Lines
from agent.answers.chart.lists import allergy_told
from agent.answers.chart.page import Page
from agent.answers.registry import queries_of
from agent.answers.what_if import is_taken
from agent.answers.wording import Sorted, Words, drug_slot, drugs_meant, plan_slot, sources
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.common.errors import NotFound
from tools.domain.records import Determination, Finding
from tools.engine.eligibility import successor
from tools.engine.what_if import Started
from tools.queries.bound import Bound
from tools.queries.check import plan_on_file

_ON_A_REQUEST: frozenset[Query] = frozenset(("eligible", "missing", "next_step", "draft", "attach"))
_UNDER_A_PLAN: frozenset[Query] = frozenset(
    queries_of("eligibility", "missing", "why", "compare", "what_if", "plan", "policy", "dates", "draft")
) - {"enrolment", "ids"}
_NOT_YET_SENT = ("draft", "reviewed")


def told(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The sentences that come first, which are `ahead`, and those that may be told behind; none for most questions."""
    reply = Answer(ledger=ledger)
    if ask.query in _UNDER_A_PLAN:
        _succession(ask, bound, reply)
    drugs = drugs_meant(ask, bound) if ask.query in _ON_A_REQUEST else ()
    for case in bound.cases() if drugs else ():
        if case.open and case.head.drug in drugs and case.state not in _NOT_YET_SENT:
            Lines(case, bound.clocks(case), bound.as_of, reply).state()
    for drug in drugs:
        _allergy(drug, ask, bound, reply)
    reply.said = [replace(one, ahead=True) for one in reply.said]
    for drug in drugs:
        dates.granted(bound, drug, reply, running=True)
    return reply


def apart(ask: Ask, others: tuple[str, ...], bound: Bound, ledger: Ledger) -> Answer:
    """That a policy excludes one of two drugs while the other is taken, though neither is today, if one does.

    Args:
        ask: on the first of the two.
        others: of which the first that does not go with it is told.
        bound: the chart and the plan.
        ledger: gets the facts.
    """
    reply = Answer(ledger=ledger)
    drug = next(iter(drugs_meant(ask, bound)), "")
    others = others if drug in bound.benefits else ()
    for asked, taken in (pair for one in others if one != drug for pair in ((drug, one), (one, drug))):
        if excludes := _excluded_by(asked, taken, bound):
            words, exclusion = Words(bound, ledger, excludes[0], supposed=True), excludes[1]
            names = words.drug(asked), drug_slot(ledger, taken)
            why = f"{words.plan()} excludes {names[0]} while {names[1]} is taken ({words.clause(exclusion)})"
            reply.say(f"Not both at once: {why}.", verbatim=True)
            reply.sources += sources([exclusion])
            break
    return reply


def _succession(ask: Ask, bound: Bound, reply: Answer) -> None:
    """That the plan on file, or the one of the patient's that is named, has ended, and which one is active."""
    patient, ledger = bound.patient, reply.ledger
    former = ask.plan_id or plan_on_file(patient)
    now = successor(patient, former, bound.as_of)
    periods = [one for one in patient.coverages if one.plan_id == former]
    if not now or not periods:
        return
    ended = "is not active"
    last, add = periods[-1], ledger.add
    if last.end is not None:
        day = add("date", last.end, origin="chart", attribute="enrolled until", source=last.id)
        ended = f"ended on {day}"
    names = [plan_slot(ledger, bound.store.plan(one)) for one in (former, now)]
    under = f"this is under {names[1]}, which is active" if bound.plan.id == now else f"{names[1]} is active"
    reply.say(f"{names[0]} {ended}; {under}.", verbatim=True)


def _excluded_by(drug: str, other: str, bound: Bound) -> tuple[Determination, Finding] | None:
    """The exclusion of a drug that would apply if another were taken, and does not apply today."""
    if is_taken(other, bound):
        return None
    today = {one.criterion for one in bound.determination(drug).findings if one.status == "not_met"}
    then = bound.supposed(drug, (Started(drug=other),), "")
    applies = (one for one in Sorted.of(then).exclusions if one.status == "not_met" and one.clause)
    return next(((then, one) for one in applies if one.criterion not in today), None)


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
            reply.say(f"Mind the allergy list: {entry}, which {name} is made of.", verbatim=True)
