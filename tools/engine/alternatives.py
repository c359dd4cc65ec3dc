"""Covered drugs that this patient already meets today: the sibling of `determine`, over the same arguments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tools.domain.records import (
    Alternative,
    Benefit,
    Determination,
    Drug,
    Finding,
    LabelIndication,
    Patient,
    Plan,
    Request,
)
from tools.engine.criteria import evaluate
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.evidence.context import EvaluationContext
from tools.evidence.courses import is_taken


def alternatives(
    patient: Patient,
    plan: Plan,
    request: Request,
    as_of: date,
    drugs: Iterable[Drug],
    decided: Determination | None = None,
) -> tuple[Alternative, ...]:
    """Best tier first. Of the same indication; where the chart lacks that diagnosis, of any that it has.
    `decided` spares the request's own determination, if the caller has it."""
    case = decided or determine(patient, plan, request, as_of)
    if case.outcome == "wrong_plan":
        return ()
    by_name = {drug.name: drug for drug in drugs}
    wanted = _uses(patient, case, by_name.get(request.drug), as_of)
    taken = {entry.drug.casefold() for entry in patient.medications or () if is_taken((entry,), as_of)}
    found = [
        option
        for name, benefit in plan.benefits.items()
        if benefit.covered and name != request.drug and name in by_name and name.casefold() not in taken
        if (option := _option(patient, plan, by_name[name], benefit, as_of, wanted)) is not None
    ]
    return tuple(sorted(found, key=lambda option: (option.tier or 9, option.drug)))


def _uses(patient: Patient, case: Determination, drug: Drug | None, as_of: date) -> set[str] | None:
    """The indications that an alternative may serve; None for any."""
    if drug is None:
        return {case.indication} if case.indication else None
    labelled = {item.key: item for item in drug.indications}
    uses = {case.indication} if case.indication else set(labelled)
    fits = {
        use
        for use in uses
        if use not in labelled or not _rules_out(label_finding(patient, labelled[use], drug, as_of))
    }
    return fits or None


def _rules_out(finding: Finding | None) -> bool:
    return finding is not None and finding.status == "not_met"


def label_finding(patient: Patient, label: LabelIndication, drug: Drug, as_of: date) -> Finding | None:
    """What the chart shows of who the label is for, whatever else may forbid the drug; None if it has no rule."""
    return evaluate(label.rule.criteria, _context(patient, drug, as_of)) if label.rule is not None else None


def _on_label(patient: Patient, label: LabelIndication, drug: Drug, as_of: date) -> bool:
    """The label's indication is shown and nothing it forbids is proven."""
    shown = label_finding(patient, label, drug, as_of)
    if label.rule is None or shown is None or shown.status != "met":
        return False
    context = _context(patient, drug, as_of)
    return not any(
        evaluate(node, context, exclude=True).status == "not_met" for node in label.rule.exclusions
    )


def _context(patient: Patient, drug: Drug, as_of: date) -> EvaluationContext:
    return EvaluationContext(patient, complete_request(patient, drug, Request(drug=drug.name)), as_of)


def _option(
    patient: Patient, plan: Plan, drug: Drug, benefit: Benefit, as_of: date, wanted: set[str] | None
) -> Alternative | None:
    for label in drug.indications:
        if wanted is not None and label.key not in wanted:
            continue
        if benefit.indications and label.key not in benefit.indications:
            continue
        if not _on_label(patient, label, drug, as_of):
            continue
        asked = complete_request(patient, drug, Request(drug=drug.name, indication=label.key))
        case = determine(patient, plan, asked, as_of)
        if case.outcome in ("ready", "not_required"):
            return Alternative(
                drug=drug.name,
                outcome=case.outcome,
                indication=label.key,
                tier=benefit.tier,
                copay=benefit.copay,
            )
    return None
