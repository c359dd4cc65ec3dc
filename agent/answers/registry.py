"""The table of queries: what is said to each, as sentences with slots, made by code from records and findings."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

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
    quantity,
    refusals,
    steps,
    what_if,
    why,
)
from agent.answers.answer import Answer
from agent.dialogue.query import DECISIONS, Ask, Query
from agent.ledger import Ledger
from tools.queries.bound import Bound

Answerer = Callable[[Ask, Bound, Ledger], Answer]
_BY_ANSWERER: tuple[tuple[Answerer, tuple[Query, ...]], ...] = (
    (eligibility.answer, ("eligible",)),
    (missing.answer, ("missing",)),
    (why.answer, ("why", "criterion", "criteria")),
    (steps.next_step, ("next_step",)),
    (steps.attach, ("attach",)),
    (earliest.answer, ("earliest",)),
    (compare.answer, ("options", "compare")),
    (what_if.answer, ("what_if", "news")),
    (quantity.answer, ("quantity",)),
    (
        chart.answer,
        (
            "value", "trend", "value_age", "medication", "medications", "diagnosis", "diagnoses", "allergy", "family",
            "statement", "program", "document", "note", "fills", "order", "person", "prescriber", "summary",
        ),
    ),
    (
        plan.answer,
        (
            "coverage", "formulary", "tier", "copay", "limit", "step", "pa_required", "submit", "contact", "enrolment",
            "ids",
        ),
    ),
    (dates.answer, ("turnaround", "approval_length", "lookback")),
    (why.clause, ("policy", "policy_all", "renewal_rules")),
    (
        cases.answer,
        (
            "status", "answer", "denial", "deadline", "appeal", "draft_appeal", "peer_to_peer", "sent", "calls",
            "approval",
        ),
    ),
    (refusals.answer, ("advice", "dosing", "fabricate", "submit_it", "other_patient")),
    (messages.answer, ("message",)),
    (glossary.answer, ("define",)),
)  # fmt: skip
ANSWERS: dict[Query, Answerer] = {query: answerer for answerer, queries in _BY_ANSWERER for query in queries}

# Decisions of several drugs or uses are told side by side; what is of one drug, one after the other.
SIDE_BY_SIDE: frozenset[Query] = DECISIONS | {"coverage", "pa_required", "compare", "options"}
_ONE_BY_ONE: frozenset[Query] = frozenset((
    "criterion", "attach", "earliest", "policy", "policy_all", "renewal_rules", "approval_length", "lookback",
))  # fmt: skip
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
    several = len(ask.drugs) > 1
    whole_plan = ask.all_drugs and not ask.drugs and ask.query in DECISIONS
    if ask.query in SIDE_BY_SIDE and (several or ask.uses or whole_plan):
        return compare.answer(ask, bound, ledger)
    if not several or ask.from_talk or ask.query not in _ONE_BY_ONE:
        return ANSWERS[ask.query](ask, bound, ledger)
    reply = Answer(ledger=ledger, drugs=ask.drugs)
    for drug in ask.drugs[:MOST_DRUGS]:
        told = ANSWERS[ask.query](msgspec.structs.replace(ask, drugs=(drug,)), bound, ledger)
        reply.said += [one for one in told.said if one not in reply.said]
        reply.determinations += told.determinations
        reply.cite(told.sources)
        reply.general = reply.general or told.general
    return reply
