"""The table of queries: what is said to each, as sentences with slots, made by code from records and findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from msgspec.structs import replace

from agent.answers import (
    cases,
    chart,
    compare,
    dates,
    earliest,
    eligibility,
    glossary,
    messages,
    missing,
    plan,
    refusals,
    steps,
    what_if,
    why,
)
from agent.answers.answer import Answer, Said
from agent.dialogue.query import DECISIONS, QUERIES, REFUSED, Ask, Intent, Query, intent_of
from agent.ledger import Ledger
from tools.queries.bound import Bound

Answerer = Callable[[Ask, Bound, Ledger], Answer]


def queries_of(*intents: Intent) -> tuple[Query, ...]:
    """Those of these intents."""
    return tuple(query for query in QUERIES if intent_of(query) in intents)


_BY_ANSWERER: tuple[tuple[Answerer, Iterable[Query]], ...] = (
    (eligibility.answer, ("eligible",)),
    (what_if.quantity, ("quantity",)),
    (missing.answer, ("missing",)),
    (steps.next_step, ("next_step",)),
    (steps.attach, ("attach",)),
    (why.answer, ("why", "criterion", "criteria")),
    (why.clause, queries_of("policy")),
    (compare.answer, queries_of("compare")),
    (what_if.answer, queries_of("what_if")),
    (earliest.answer, ("earliest",)),
    (chart.answer, queries_of("chart")),
    (plan.answer, queries_of("plan")),
    (dates.answer, ("turnaround", "approval_length", "lookback")),
    (cases.answer, (*queries_of("cases"), "deadline", "approval", "draft_appeal")),
    (refusals.answer, REFUSED),
    (messages.answer, ("message",)),
    (glossary.answer, ("define",)),
)
ANSWERS: dict[Query, Answerer] = {query: answerer for answerer, queries in _BY_ANSWERER for query in queries}

# Decisions of several drugs or uses are told side by side; what is of one drug, one after the other.
SIDE_BY_SIDE: frozenset[Query] = DECISIONS | {"coverage", "pa_required", "compare", "options"}
_ONE_BY_ONE: frozenset[Query] = frozenset((
    "criterion", "attach", "earliest", "policy", "policy_all", "renewal_rules", "approval_length", "lookback",
))  # fmt: skip
_JUDGED_THEN: frozenset[Query] = frozenset(("attach",))  # what is of a day to come, if one is named
MOST_DRUGS = 2  # that are told one after the other


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """What is said to one query of a turn, of each drug and use that it is about.

    Args:
        ask: the query, one of ANSWERS.
        bound: the chart and the plan.
        ledger: gets the facts.

    Raises:
        Correctable: something that is named is not known.
    """
    if ask.query in _JUDGED_THEN and ask.day is not None and ask.day > bound.as_of:
        return _on_the_day(ask, ask.day, bound, ledger)
    several = len(ask.drugs) > 1
    whole_plan = ask.all_drugs and not ask.drugs and ask.query in DECISIONS
    if ask.query in SIDE_BY_SIDE and (several or ask.uses or whole_plan):
        return compare.answer(ask, bound, ledger)
    if not several or ask.from_talk or ask.query not in _ONE_BY_ONE:
        return ANSWERS[ask.query](ask, bound, ledger)
    reply = Answer(ledger=ledger, drugs=ask.drugs)
    for drug in ask.drugs[:MOST_DRUGS]:
        told = ANSWERS[ask.query](replace(ask, drugs=(drug,)), bound, ledger)
        reply.said += [one for one in told.said if one not in reply.said]
        reply.determinations += told.determinations
        reply.cite(told.sources)
        reply.general = reply.general or told.general
    return reply


def _on_the_day(ask: Ask, day: date, bound: Bound, ledger: Ledger) -> Answer:
    """What would be said on a day to come, with the chart as it is."""
    then = Bound(bound.store, bound.patient.id, as_of=day, plan_id=bound.plan.id)
    reply = answer(replace(ask, day=None), then, ledger)
    on = ledger.add("date", day, origin="supposed", source="question", attribute="as_of")
    reply.said = [Said(text=f"On {on}, if nothing else changes:"), *reply.said]
    reply.hypothetical = True
    return reply
