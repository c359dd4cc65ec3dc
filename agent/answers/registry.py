"""What is said to each kind of question: sentences with slots, made by code from records and findings."""

from __future__ import annotations

from collections.abc import Callable

from agent.answers import (
    cases,
    chart,
    compare,
    dates,
    eligibility,
    missing,
    plan,
    policy,
    refusals,
    what_if,
    why,
)
from agent.answers.answer import Answer
from agent.ledger import Ledger
from agent.understanding.reading import Ask, Intent
from tools.bound import Bound

ANSWERS: dict[Intent, Callable[[Ask, Bound, Ledger], Answer]] = {
    "eligibility": eligibility.answer,
    "missing": missing.answer,
    "why": why.answer,
    "compare": compare.answer,
    "what_if": what_if.answer,
    "policy": policy.answer,
    "chart": chart.answer,
    "plan": plan.answer,
    "dates": dates.answer,
    "cases": cases.answer,
    "advice": refusals.answer,
    "dosing": refusals.answer,
    "fabricate": refusals.answer,
    "other_patient": refusals.answer,
}
