"""The drugs of a plan that one patient's request could be for, each with what the engine says of it.

A drug counts where the label's indication is not ruled out by the chart, or where it was ordered: that nobody without
diabetes gets a diabetes drug is no pattern of denials, and no policy's fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tools.domain.records import Benefit, Determination, Drug, Patient, Plan, Request
from tools.domain.rules import AllOf, Rule
from tools.engine.criteria import compiled_criteria
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.evidence.context import EvaluationContext

UNDECIDED = ("not_covered", "wrong_plan")  # outcomes of which no criterion and no document is the reason
_NEW = Request(drug="")


class Candidate(NamedTuple):
    """What the engine says of one drug under the plan on file, and the uses of the label that the patient fits."""

    found: Determination
    ordered: bool
    uses: tuple[str, ...]


def candidates(patient: Patient, plan: Plan, drugs: dict[str, Drug], as_of: date) -> Iterator[Candidate]:
    """Of every drug of the plan that was ordered, or whose label the patient fits.

    Args:
        patient: the whole chart.
        plan: the one on file.
        drugs: the catalog's, by name.
        as_of: the day that is judged.
    """
    ordered = {order.drug.casefold() for order in patient.orders}
    for name, benefit in plan.benefits.items():
        if name not in drugs or not benefit.covered:
            continue
        request = complete_request(patient, drugs[name], Request(drug=name))
        wanted, uses = (
            name.casefold() in ordered,
            uses_on_label(patient, drugs[name], benefit, request, as_of),
        )
        if wanted or uses:
            found = determine(patient, plan, request, as_of)
            if found.outcome not in UNDECIDED:
                yield Candidate(found, wanted, uses)


def uses_on_label(
    patient: Patient, drug: Drug, benefit: Benefit, request: Request, as_of: date
) -> tuple[str, ...]:
    """The covered uses for which the chart rules out neither whom the label is for, nor proves what it forbids."""
    context = EvaluationContext(patient, request, as_of, status_only=True)
    return tuple(
        label.key
        for label in drug.indications
        if label.rule is not None
        and (not benefit.indications or label.key in benefit.indications)
        and not any(
            part.status(context) == "not_met"
            for parts in compiled_criteria(label.rule, _NEW)
            for part in parts
        )
    )


def rule_of(found: Determination, plan: Plan) -> Rule | None:
    """The rule that decided it; None if none did."""
    benefit = plan.benefits.get(found.drug)
    return next((rule for rule in benefit.rules if rule.id == found.rule_id), None) if benefit else None


def renewal_of(rule: Rule, found: Determination) -> AllOf | None:
    """The rule's criteria for a renewal, if it was judged by those."""
    tree = rule.criteria_of(found.request.kind, len(found.request.approvals))
    return None if tree is rule.criteria else tree
