"""One criterion judged for one chart, as most claims about criteria are made."""

from __future__ import annotations

from datetime import date

from tools.domain.records import Finding, Patient, Request
from tools.domain.rules import Node
from tools.engine.criteria import evaluate
from tools.evidence.context import EvaluationContext


def evaluate_chart(
    node: Node,
    patient: Patient,
    request: Request,
    as_of: date,
    *,
    therapy_start: date | None = None,
    policy_id: str = "",
) -> Finding:
    """The finding on one tree, for one patient and request on one day."""
    return evaluate(node, EvaluationContext(patient, request, as_of, therapy_start, policy_id))
