"""A request before it is decided: what it leaves out, filled in from the chart's order and the label; and how the plan
sees it: as new or as a renewal, of which use, and since when the drug is taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import msgspec

from tools.evidence.courses import is_taken, therapy_start
from tools.medicines import ndc11
from tools.records import Authorization, Drug, Kind, Medication, Order, Patient, Plan, Request, Strength


def complete_request(patient: Patient, drug: Drug, request: Request) -> Request:
    """Fill what the request leaves out: from the chart's own order for the drug, else from what is taken
    now, else the label's starting package."""
    order = _order_for(patient, drug)
    wanted = request.strength or (order.strength if order else "")
    strength = _strength(drug, wanted or _dose_now(patient, drug))
    known = not wanted or _is_label(wanted, strength)
    from_order = (
        order if order is not None and (not request.strength or request.strength == order.strength) else None
    )
    quantity, unit, days = request.quantity, request.unit, request.days_supply
    if quantity is None:
        quantity = (
            from_order.quantity if from_order and from_order.quantity is not None else strength.quantity
        )
        unit = unit or (from_order.unit if from_order and from_order.quantity is not None else drug.unit)
    if days is None:
        days = from_order.days_supply if from_order and from_order.days_supply else strength.days
    return msgspec.structs.replace(
        request,
        drug=drug.name,
        strength=strength.label if known else wanted,
        quantity=_in_billing_units(quantity, unit, drug, strength),
        unit=drug.unit,
        days_supply=days,
        kind=request.kind or (order.kind if order else None),
        indication=request.indication or (order.indication if order else ""),
        order_id=order.id if order else "",
        ingredients=drug.ingredients,
        classes=drug.classes,
        dose=strength.dose if known else None,
        ndc=ndc11(strength.ndc) if known else "",
    )


def as_the_plan_sees_it(patient: Patient, plan: Plan, request: Request, as_of: date) -> Request:
    """The kind of request, when therapy began, and the use that is renewed. Only this plan's own approval makes it
    a renewal."""
    named = patient.courses_by_drug.get(request.drug.casefold())
    on_it = [entry for entry in named if entry.drug == request.drug] if named else []
    approvals = _approvals_on_file(patient, plan, request, as_of)
    approval = approvals[-1] if approvals else None
    kind = request.kind or _kind_on_file(approval, on_it, as_of)
    began = request.therapy_start
    if began is None and (kind != "new" or is_taken(on_it, as_of)):
        began = therapy_start(on_it, request.drug, as_of)
    use = request.indication
    if not use and kind == "renewal" and approval is not None and _covers_use(plan, request, approval):
        use = approval.indication  # clauses on renewal seldom ask for the diagnosis again
    return msgspec.structs.replace(
        request,
        kind=kind,
        therapy_start=began,
        indication=use,
        approvals=tuple([item.start for item in approvals]),
    )


def _order_for(patient: Patient, drug: Drug) -> Order | None:
    if not patient.orders:
        return None
    orders = [order for order in patient.orders if order.drug.casefold() == drug.name.casefold()]
    return max(orders, key=lambda order: order.date or date.min) if orders else None


def _dose_now(patient: Patient, drug: Drug) -> str:
    """The strength that the patient takes now, if the drug comes in it."""
    for entry in reversed(patient.courses_by_drug.get(drug.name.casefold(), ())):
        if entry.status == "active" and entry.dose:
            for strength in drug.strengths:
                if strength.dose == entry.dose:
                    return strength.label
    return ""


def _strength(drug: Drug, label: str) -> Strength:
    """The package of that strength; the starting one for a label that the drug does not come in."""
    for strength in drug.strengths:
        if _is_label(label, strength):
            return strength
    return next((strength for strength in drug.strengths if strength.starting), drug.strengths[0])


def _is_label(label: str, strength: Strength) -> bool:
    """Is it the strength's label, however it is spaced and capitalized?"""
    return _unspaced(label) == _unspaced(strength.label)


@lru_cache(maxsize=4096)
def _unspaced(label: str) -> str:
    return label.replace(" ", "").casefold()


def _in_billing_units(quantity: float, unit: str | None, drug: Drug, strength: Strength) -> float:
    """Pens, boxes or packages as mL or tablets; a bare number is in billing units already."""
    named = (unit or drug.unit).rstrip("s").casefold()
    if named in (drug.unit.rstrip("s").casefold(), ""):
        return quantity
    if named in ("pen", "injector", "syringe", "vial"):
        return quantity * strength.quantity / strength.units
    if named in ("package", "pack", "box", "carton", "bottle"):
        return quantity * strength.quantity
    return quantity


def _approvals_on_file(
    patient: Patient, plan: Plan, request: Request, as_of: date
) -> Sequence[Authorization]:
    """This plan's approvals of the drug that have begun, the newest last."""
    if not patient.authorizations:
        return ()
    held = [
        item
        for item in patient.authorizations
        if item.plan_id == plan.id and item.drug == request.drug and item.start <= as_of
    ]
    return sorted(held, key=lambda item: item.start)


def _kind_on_file(approval: Authorization | None, on_it: Sequence[Medication], as_of: date) -> Kind:
    if approval is not None:
        return "renewal"
    return "continuation" if is_taken(on_it, as_of) else "new"


def _covers_use(plan: Plan, request: Request, approval: Authorization) -> bool:
    """Does a rule of today's cover what was approved? If none does, every use there is is tried."""
    benefit = plan.benefits.get(request.drug)
    return benefit is not None and any(rule.indication == approval.indication for rule in benefit.rules)
