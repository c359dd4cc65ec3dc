"""The table of queries: what is said to each, as sentences with slots, made by code from records and findings."""

from __future__ import annotations

from collections.abc import Callable

from agent.answers import (
    cases,
    chart,
    compare,
    dates,
    earliest,
    eligibility,
    glossary,
    missing,
    plan,
    refusals,
    steps,
    what_if,
    why,
)
from agent.answers.answer import Answer
from agent.dialogue.query import Ask, Query
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
    (what_if.answer, ("what_if", "news", "quantity")),
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
    (glossary.answer, ("define",)),
)  # fmt: skip
ANSWERS: dict[Query, Answerer] = {query: answerer for answerer, queries in _BY_ANSWERER for query in queries}
