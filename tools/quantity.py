"""How much is asked for against what the plan pays for: a rate, compared exactly; the days that a starting strength may
be had for; and what was dispensed before in a year or a lifetime."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from tools.evidence.courses import entry_evidence, fill_evidence
from tools.evidence.measurements import number
from tools.history import History, history_of, history_of_strength
from tools.records import (
    Benefit,
    ClauseRef,
    Evidence,
    Finding,
    Patient,
    QuantityLimit,
    Reason,
    Request,
    StartingLimit,
    Status,
    SupplyLimit,
)
from tools.rules import Rule


class Quantity(NamedTuple):
    """What is asked for, and what it is held against: chart and day, the benefit, and the rule of the use, if any."""

    patient: Patient
    as_of: date
    benefit: Benefit
    request: Request
    rule: Rule | None = None

    @property
    def policy_id(self) -> str:
        return self.rule.policy_id if self.rule is not None else self.benefit.policy_id


class _Held(NamedTuple):
    """One limit, and how the request stands to it."""

    status: Status
    limit: QuantityLimit | StartingLimit | SupplyLimit
    text: str
    before: History | None = None
    left: str = ""
    reason: Reason | None = None


def quantity_finding(asked: Quantity) -> Finding:
    """The limit that the request goes beyond; else one that is open; else the first that it keeps."""
    request = asked.request
    amount = _amount(request.quantity, request.unit, request.days_supply)
    seen = Evidence(record_id=request.order_id or "request", kind="quantity", value=amount)
    held = list(_held(asked))
    if not held:
        return Finding(
            criterion="quantity",
            kind="quantity",
            status="met",
            text="no quantity limit",
            evidence=(seen,),
            detail=amount,
        )
    worst = min(held, key=lambda one: _WORST_FIRST.index(one.status))
    before = worst.before
    return Finding(
        criterion="quantity",
        kind="quantity",
        status=worst.status,
        text=worst.text,
        clause=_cited(worst.limit, asked.policy_id),
        evidence=(seen, *_evidence(before)) if before is not None else (seen,),
        detail=_detail(worst, amount),
        reason=worst.reason,
        fix=None if worst.status == "met" else _fix(worst, request),
    )


def quantity_status(asked: Quantity) -> Status:
    """The status of `quantity_finding`."""
    status: Status = "met"
    for one in _held(asked):
        if one.status == "not_met":
            return "not_met"
        if one.status == "unknown":
            status = "unknown"
    return status


_WORST_FIRST: tuple[Status, ...] = ("not_met", "unknown", "met")


def _held(asked: Quantity) -> Iterator[_Held]:
    """The request against each limit that the plan has for it."""
    benefit, request = asked.benefit, asked.request
    own = asked.rule.limits if asked.rule is not None else None
    rate = rate_limit(benefit, asked.rule, request.strength)
    if rate is not None:
        yield _held_to_rate(rate, request)
    start = (own and own.starting.get(request.strength)) or benefit.starting_limits.get(request.strength)
    if start is not None:
        yield _held_to_start(start, asked)
    for limit in (*(own.supplies if own is not None else ()), *benefit.supply_limits):
        yield _held_to_supply(limit, asked)


def rate_limit(benefit: Benefit, rule: Rule | None, strength: str) -> QuantityLimit | None:
    """The rule's own before the benefit's, that of the strength before that of all."""
    own = rule.limits if rule is not None else None
    if own is not None and (own.by_strength or own.quantity):
        return own.by_strength.get(strength) or own.quantity or benefit.quantity_limit
    return benefit.strength_limits.get(strength) or benefit.quantity_limit


# --- one limit -------------------------------------------------------------------------------------------


def _held_to_rate(limit: QuantityLimit, request: Request) -> _Held:
    text = f"at most {_amount(limit.quantity, limit.unit, limit.days)}"
    if request.quantity is None or not request.days_supply:
        return _Held("unknown", limit, text, reason="missing")
    within = _within(request.quantity, request.days_supply, limit.quantity, limit.days)
    return _Held("met" if within else "not_met", limit, text)


def _held_to_start(limit: StartingLimit, asked: Quantity) -> _Held:
    """Its days in all: those that are asked for and those that were had before."""
    text = f"at most {limit.days} days of therapy"
    wanted = asked.request.days_supply or 0
    if wanted > limit.days:
        return _Held("not_met", limit, text)
    before = history_of_strength(asked.patient, asked.request, asked.as_of)
    left = f"{max(limit.days - before.days, 0)} days"
    if wanted and before.days + wanted > limit.days:
        return _Held("not_met", limit, text, before, left)
    if wanted and before.days + before.possible_days + wanted > limit.days:
        return _Held("unknown", limit, text, before, left, "ambiguous")
    return _Held("met", limit, text)


def _held_to_supply(limit: SupplyLimit, asked: Quantity) -> _Held:
    """What is asked for and what was dispensed in the days before it."""
    request, unit = asked.request, limit.unit
    within = "in a lifetime" if limit.days is None else f"within {limit.days} days"
    text = f"at most {_units(limit.quantity, unit)} {within}"
    wanted = request.days_supply if unit == "day" else request.quantity
    if asked.patient.medications is None and not asked.patient.fills:
        return _Held("unknown", limit, text, reason="missing")
    if wanted is None:
        return _Held("unknown", limit, text, reason="missing")
    since = asked.as_of - timedelta(days=limit.days) if limit.days is not None else date.min
    before = history_of(asked.patient, request, asked.as_of, since)
    had = Decimal(before.days) if unit == "day" else before.amount
    left = _units(float(max(Decimal(repr(limit.quantity)) - had, Decimal(0))), unit)
    if had + Decimal(repr(wanted)) > Decimal(repr(limit.quantity)):
        return _Held("not_met", limit, text, before, left)
    open_days = before.possible_days > 0 and had + before.possible_days + Decimal(repr(wanted)) > Decimal(
        repr(limit.quantity)
    )
    if open_days if unit == "day" else before.uncounted:
        return _Held("unknown", limit, text, before, left, "ambiguous")
    return _Held("met", limit, text, before if before.days else None, left)


# --- what is said of it ----------------------------------------------------------------------------------


def _evidence(before: History) -> tuple[Evidence, ...]:
    return (*[entry_evidence(entry) for entry in before.courses], *fill_evidence(before.fills))


def _detail(held: _Held, amount: str) -> str:
    if held.status == "unknown" and held.before is None:
        missing = "medication list" if isinstance(held.limit, SupplyLimit) else ""
        return f"no {missing} on record" if missing else "quantity or days' supply not stated"
    if held.before is None:
        return (
            amount
            if held.status == "met" and not isinstance(held.limit, QuantityLimit)
            else f"{amount} asked for"
        )
    had = f"after {held.before.days} days before"
    if isinstance(held.limit, SupplyLimit) and held.limit.unit != "day":
        had = f"after {_units(float(held.before.amount), held.limit.unit)} before"
    open_ones = "; not known of all that was had" if held.status == "unknown" else ""
    return f"{amount} asked for, {had}{open_ones}"


def _fix(held: _Held, request: Request) -> str:
    named = f"{request.drug} {request.strength}".strip()
    if held.status == "unknown":
        if held.reason == "missing":
            supply = isinstance(held.limit, SupplyLimit)
            return "Obtain the medication list" if supply else "State the quantity and the days' supply"
        return f"Find which strength of {request.drug} was dispensed before, and how much of it"
    if isinstance(held.limit, StartingLimit):
        left = f", of which {held.left} are left" if held.before is not None else ""
        return (
            f"Ask the prescriber about the dose: {named} is a starting strength, for {held.limit.days} days{left};"
            " order the next strength for the days after, or ask for a quantity exception"
        )
    if isinstance(held.limit, SupplyLimit):
        return (
            f"Ask the prescriber about the quantity: {held.left} of {request.drug} are left of the limit"
            f" ({held.text}); if more is meant, ask for a quantity exception with the clinical reason"
        )
    allowed = _amount(held.limit.quantity, held.limit.unit, held.limit.days)
    return (
        f"Ask the prescriber about the quantity: {allowed} is the limit for {named};"
        " if more is meant, ask for a quantity exception with the clinical reason"
    )


def _cited(limit: QuantityLimit | StartingLimit | SupplyLimit, policy_id: str) -> ClauseRef | None:
    if not limit.clause_id:
        return None
    return ClauseRef(policy_id=policy_id, clause_id=limit.clause_id, quote=limit.quote)


@lru_cache(maxsize=4096)
def _amount(quantity: float | None, unit: str | None, days: int | None) -> str:
    shown = "?" if quantity is None else number(quantity)
    return f"{shown} {_plural(unit or '', quantity)}".strip() + f" per {days or '?'} days"


def _units(quantity: float, unit: str) -> str:
    return f"{number(quantity)} {_plural(unit, quantity)}"


def _plural(unit: str, quantity: float | None) -> str:
    return f"{unit}s" if unit in ("tablet", "capsule", "pen", "day") and quantity != 1 else unit


@lru_cache(maxsize=4096)
def _within(quantity: float, days: int, most: float, in_days: int) -> bool:
    """Rates compared exactly, as the decimals that were written."""
    return Decimal(repr(quantity)) * in_days <= Decimal(repr(most)) * days
