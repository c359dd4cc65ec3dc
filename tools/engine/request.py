"""A request before it is decided: what it leaves out, filled in from the chart's order and the label; and how the plan
sees it: as new or as a renewal, of which use, and since when the drug is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

import msgspec

from tools.common.errors import Invalid
from tools.domain.records import (
    Authorization,
    Drug,
    LabelDoses,
    Order,
    Patient,
    Plan,
    Request,
    Strength,
)
from tools.evidence.courses import is_taken, therapy_start
from tools.evidence.products import is_product, may_be_charted
from tools.terminology.medicines import ndc11

LEAST, MOST = 0.01, 10_000  # of a quantity in billing units; days are whole and at least one


def check_amounts(quantity: float | None, days_supply: float | None) -> None:
    """Errors: Invalid, for a quantity or a days' supply that no order can have."""
    for name, amount, least in (("quantity", quantity, LEAST), ("days' supply", days_supply, 1)):
        if amount is not None and not least <= amount <= MOST:
            shown = str(amount)[:20] if abs(amount) > MOST else f"{amount:.10g}"
            raise Invalid(f"a {name} of {shown} cannot be; it is at least {least} and at most {MOST}")


def complete_request(patient: Patient, drug: Drug, request: Request) -> Request:
    """Fill what the request leaves out: from the chart's own order for the drug, else from what is taken
    now, else the label's starting package. A strength that was assumed before is so anew."""
    order = _order_for(patient, drug)
    if request.assumed:
        request = msgspec.structs.replace(request, strength="")
    wanted = request.strength or (order.strength if order else "")
    indication = request.indication or (order.indication if order else "")
    if request.exception and not indication and len(drug.indications) == 1:
        indication = drug.indications[0].key
    taken = wanted or _dose_now(patient, drug)
    strength = _strength(drug, taken, indication)
    known = not wanted or is_same_strength(wanted, strength.label)
    applies = not request.strength or (order and is_same_strength(request.strength, order.strength))
    return msgspec.structs.replace(
        request,
        drug=drug.name,
        strength=strength.label if known else wanted,
        quantity=_quantity(request, order if applies else None, strength, drug),
        unit=drug.unit,
        days_supply=_days(request, order if applies else None, strength),
        kind=request.kind or (order.kind if order else None),
        indication=indication,
        order_id=order.id if order else "",
        ingredients=drug.ingredients,
        classes=drug.classes,
        dose=strength.dose if known else None,
        ndc=ndc11(strength.ndc) if known else "",
        assumed=not taken,
        label=_label_doses(drug),
    )


def _quantity(request: Request, order: Order | None, strength: Strength, drug: Drug) -> float | None:
    """In billing units. None where the order's amount is one that no order can have: nobody knows what is meant."""
    if request.quantity is not None:
        return _in_billing_units(request.quantity, request.unit, drug, strength)
    if order is None or order.quantity is None:
        return strength.quantity
    if not LEAST <= order.quantity <= MOST:
        return None
    return _in_billing_units(order.quantity, request.unit or order.unit, drug, strength)


def _days(request: Request, order: Order | None, strength: Strength) -> int | None:
    if request.days_supply is not None:
        return request.days_supply
    if order is None or order.days_supply is None:
        return strength.days
    return order.days_supply if 1 <= order.days_supply <= MOST else None


def for_use(request: Request, use: str) -> Request:
    """The request for that use. A strength that nobody named is the one that the label begins with for it."""
    if request.indication != use:
        request = msgspec.structs.replace(request, indication=use)
    if not request.assumed:
        return request
    label = next((item for item in request.label if item.use == use), None)
    if label is None or label.strength == request.strength:
        return request
    return msgspec.structs.replace(request, strength=label.strength, dose=label.dose, ndc=label.ndc)


def _label_doses(drug: Drug) -> tuple[LabelDoses, ...]:
    """They stay with the drug, which never changes."""
    known: tuple[LabelDoses, ...] | None = drug.__dict__.get("label_doses")
    if known is None:
        known = drug.__dict__["label_doses"] = tuple(_doses_by_use(drug))
    return known


def _doses_by_use(drug: Drug) -> Iterator[LabelDoses]:
    for item in drug.indications:
        if item.doses:
            first = drug.starting_package(item.key)
            yield LabelDoses(
                use=item.key,
                doses=item.doses,
                starting_doses=item.starting_doses,
                strength=first.label,
                dose=first.dose,
                ndc=ndc11(first.ndc),
            )


def as_the_plan_sees_it(patient: Patient, plan: Plan, request: Request, as_of: date) -> Request:
    """The kind of request, when therapy began, and the use that is renewed. Only this plan's own approval makes it
    a renewal, and only for so many days after its end."""
    taken = patient.medications or () if may_be_charted(patient, request) else ()
    on_it = [entry for entry in taken if is_product(entry, request)]
    approvals = _approvals_on_file(patient, plan, request, as_of)
    lapsed = _lapsed(approvals, plan, as_of)
    renewable = bool(approvals) and lapsed is None
    kind = request.kind or ("renewal" if renewable else "continuation" if is_taken(on_it, as_of) else "new")
    began = request.therapy_start
    if began is None and (kind != "new" or is_taken(on_it, as_of)):
        began = therapy_start(on_it, as_of)
    use = request.indication
    if not use and kind == "renewal" and approvals:
        use = approvals[-1].indication  # clauses on renewal seldom ask for the diagnosis again
    return msgspec.structs.replace(
        request,
        kind=kind,
        therapy_start=began,
        indication=use,
        approvals=tuple([item.start for item in approvals]),
        lapsed=None if kind == "renewal" else lapsed,
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


def _strength(drug: Drug, label: str, use: str) -> Strength:
    """The package of that strength; the starting one for a label that the drug does not come in."""
    for strength in drug.strengths:
        if is_same_strength(label, strength.label):
            return strength
    return drug.starting_package(use)


def is_same_strength(one: str, other: str) -> bool:
    """Are they one label, however it is spaced and capitalized?"""
    return _unspaced(one) == _unspaced(other)


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
    """This plan's approvals of the drug for the use that is asked for, the newest last, back to the first that was in
    time for no renewal. Where no use is named, it is that of the newest approval that can be renewed."""
    if not patient.authorizations:
        return ()
    held = [
        item
        for item in patient.authorizations
        if item.plan_id == plan.id and item.drug == request.drug and item.start <= as_of
    ]
    held = sorted([item for item in held if _is_of_use(item, plan, request)], key=lambda item: item.start)
    if held and not request.indication:
        newest = next((one for one in reversed(held) if _lapsed([one], plan, as_of) is None), held[-1])
        held = [item for item in held if item.indication in ("", newest.indication) or not newest.indication]
    row: list[Authorization] = []
    for item in held:
        row = [item] if _lapsed(row, plan, item.start) else [*row, item]
    return row


def _is_of_use(item: Authorization, plan: Plan, request: Request) -> bool:
    """Was it for the use asked for, or, where none is named, for one that a rule of today's covers? An approval that
    names no use may be for any."""
    if not item.indication or request.indication:
        return item.indication in ("", request.indication)
    benefit = plan.benefits.get(request.drug)
    rules = benefit.rules if benefit is not None else ()
    return not rules or any(rule.indication == item.indication for rule in rules)


def _lapsed(approvals: Sequence[Authorization], plan: Plan, day: date) -> date | None:
    """The last day of these approvals if, on that day, it is longer ago than a renewal may be asked for."""
    if not approvals:
        return None
    end = max([item.end for item in approvals])
    return end if (day - end).days > plan.renewal_gap_days else None
