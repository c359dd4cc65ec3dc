"""The dose ordered against the label's for the use asked for: another one is a question to the prescriber."""

from __future__ import annotations

from tools.domain.records import Evidence, Finding, LabelDoses, Request
from tools.messages import action, message, render

LABEL_DOSE = "label_dose"


def dose_finding(request: Request) -> Finding | None:
    """The question to the prescriber; None where the label has the dose for this use, or says nothing of it."""
    label = _label(request)
    if label is None or _allows(label, request):
        return None
    usual = {"use": label.use, "doses": tuple(sorted(label.doses))}
    asks = message("dose.usual", **usual)
    found = message("dose.off_label", drug=request.drug, strength=request.strength, **usual)
    return Finding(
        criterion=LABEL_DOSE,
        kind="dose",
        status="unknown",
        text=render(asks),
        asks=asks,
        evidence=(Evidence(record_id=request.order_id or "request", kind="dose", value=request.strength),),
        found=found,
        reason="ambiguous",
        action=action("ask_label_dose", found=found),
    )


def is_label_dose(request: Request) -> bool:
    """Has `dose_finding` nothing to ask?"""
    label = _label(request)
    return label is None or _allows(label, request)


def _label(request: Request) -> LabelDoses | None:
    """What the label says of the use; nothing is held against a dose that nobody named, or that is not known."""
    if request.assumed or request.dose is None:
        return None
    for item in request.label:
        if item.use == request.indication:
            return item
    return None


def _allows(label: LabelDoses, request: Request) -> bool:
    """Doses on the way there are the label's too; how long somebody stays on one is the prescriber's."""
    return request.dose in (*label.doses, *label.starting_doses)
