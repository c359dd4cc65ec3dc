"""How much is asked for against what the plan pays for: a rate, compared exactly; the days that a starting strength may
be had for; and what was dispensed before in a year or a lifetime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from tools.domain.records import (
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
from tools.domain.rules import Rule
from tools.engine.history import History, history_of, history_of_strength
from tools.evidence.courses import entry_evidence, fill_evidence
from tools.messages import Action, Message, action, message, render


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


_NO_LIMIT = message("quantity.no_limit")


class _Held(NamedTuple):
    """One limit, and how the request stands to it; `over` is what is asked for beyond it."""

    status: Status
    limit: QuantityLimit | StartingLimit | SupplyLimit
    asks: Message
    before: History | None = None
    left: Message | None = None
    reason: Reason | None = None
    over: Message | None = None


class _Ordered(NamedTuple):
    """What of a request a rate is compared with, and what is said of it."""

    order_id: str
    drug: str
    strength: str
    quantity: float | None
    unit: str | None
    days_supply: int | None


def quantity_finding(asked: Quantity) -> Finding:
    """The limit that the request goes beyond; else one that is open; else the first that it keeps."""
    request = asked.request
    ordered = _Ordered(
        request.order_id, request.drug, request.strength, request.quantity, request.unit, request.days_supply
    )
    rate = rate_limit(asked.benefit, asked.rule, request.strength)
    others = [*_held_to_others(asked)]
    if not others:
        return _rate_finding(ordered, rate, asked.policy_id)
    return _finding(
        ordered, others if rate is None else [_held_to_rate(rate, ordered), *others], asked.policy_id
    )


@lru_cache(maxsize=4096)
def _rate_finding(ordered: _Ordered, rate: QuantityLimit | None, policy_id: str) -> Finding:
    """Where nothing but a rate limits the drug, all who order as much are told the same."""
    return _finding(ordered, [] if rate is None else [_held_to_rate(rate, ordered)], policy_id)


def _finding(request: _Ordered, held: Sequence[_Held], policy_id: str) -> Finding:
    amount, told = _amount(request.quantity, request.unit, request.days_supply)
    seen = Evidence(record_id=request.order_id or "request", kind="quantity", value=told)
    if not held:
        return Finding(
            criterion="quantity",
            kind="quantity",
            status="met",
            text=render(_NO_LIMIT),
            asks=_NO_LIMIT,
            evidence=(seen,),
            found=message("quantity.kept", amount=amount),
        )
    worst = min(held, key=lambda one: _WORST_FIRST.index(one.status))
    before = worst.before
    return Finding(
        criterion="quantity",
        kind="quantity",
        status=worst.status,
        text=render(worst.asks),
        asks=worst.asks,
        clause=_cited(worst.limit, policy_id),
        evidence=(seen, *_evidence(before)) if before is not None else (seen,),
        found=_found(worst, amount),
        reason=worst.reason,
        action=None if worst.status == "met" else _action(worst, request),
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
    rate = rate_limit(asked.benefit, asked.rule, asked.request.strength)
    if rate is not None:
        yield _held_to_rate(rate, asked.request)
    yield from _held_to_others(asked)


def _held_to_others(asked: Quantity) -> Iterator[_Held]:
    """… against those that look at what was had before."""
    benefit, request = asked.benefit, asked.request
    own = asked.rule.limits if asked.rule is not None else None
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


def _held_to_rate(limit: QuantityLimit, request: Request | _Ordered) -> _Held:
    asks = _rate(limit.quantity, limit.unit, limit.days)
    if request.quantity is None or not request.days_supply:
        return _Held("unknown", limit, asks, reason="missing")
    if _within(request.quantity, request.days_supply, limit.quantity, limit.days):
        return _Held("met", limit, asks)
    allowed = Decimal(repr(limit.quantity)) * request.days_supply / limit.days
    return _Held("not_met", limit, asks, over=_more(Decimal(repr(request.quantity)) - allowed, limit.unit))


def _held_to_start(limit: StartingLimit, asked: Quantity) -> _Held:
    """Its days in all: those that are asked for and those that were had before."""
    asks = _limit("quantity.therapy", limit.days)
    wanted = asked.request.days_supply or 0
    if wanted > limit.days:
        return _Held("not_met", limit, asks, over=_more(wanted - limit.days, "day"))
    before = history_of_strength(asked.patient, asked.request, asked.as_of)
    left = message("period", count=max(limit.days - before.days, 0), unit="days")
    if wanted and before.days + wanted > limit.days:
        over = _more(before.days + wanted - limit.days, "day")
        return _Held("not_met", limit, asks, before, left, over=over)
    if wanted and before.days + before.possible_days + wanted > limit.days:
        return _Held("unknown", limit, asks, before, left, "ambiguous")
    return _Held("met", limit, asks)


def _held_to_supply(limit: SupplyLimit, asked: Quantity) -> _Held:
    """What is asked for and what was dispensed in the days before it."""
    request, unit = asked.request, limit.unit
    code = "quantity.lifetime" if limit.days is None else "quantity.supply"
    asks = _limit(code, limit.days, limit.quantity, unit)
    wanted = request.days_supply if unit == "day" else request.quantity
    if asked.patient.medications is None and not asked.patient.fills:
        return _Held("unknown", limit, asks, reason="missing")
    if wanted is None:
        return _Held("unknown", limit, asks, reason="missing")
    since = asked.as_of - timedelta(days=limit.days) if limit.days is not None else date.min
    before = history_of(asked.patient, request, asked.as_of, since)
    had = Decimal(before.days) if unit == "day" else before.amount
    left = _units(float(max(Decimal(repr(limit.quantity)) - had, Decimal(0))), unit)
    over = had + Decimal(repr(wanted)) - Decimal(repr(limit.quantity))
    if over > 0:
        return _Held("not_met", limit, asks, before, left, over=_more(over, unit))
    open_days = before.possible_days > 0 and had + before.possible_days + Decimal(repr(wanted)) > Decimal(
        repr(limit.quantity)
    )
    if open_days if unit == "day" else before.uncounted:
        return _Held("unknown", limit, asks, before, left, "ambiguous")
    return _Held("met", limit, asks, before if before.days else None, left)


# --- what is said of it ----------------------------------------------------------------------------------


def _evidence(before: History) -> tuple[Evidence, ...]:
    return (*[entry_evidence(entry) for entry in before.courses], *fill_evidence(before.fills))


def _found(held: _Held, amount: Message) -> Message:
    if held.status == "unknown" and held.before is None:
        if isinstance(held.limit, SupplyLimit):
            return message("list.missing", list="medications")
        return message("quantity.not_stated")
    if held.before is None:
        kept = held.status == "met" and not isinstance(held.limit, QuantityLimit)
        if kept:
            return message("quantity.kept", amount=amount)
        return message("quantity.asked", amount=amount, over=held.over)
    had = message("period", count=held.before.days, unit="days")
    if isinstance(held.limit, SupplyLimit) and held.limit.unit != "day":
        had = _units(float(held.before.amount), held.limit.unit)
    return message("quantity.after", amount=amount, had=had, over=held.over, open=held.status == "unknown")


def _action(held: _Held, request: _Ordered) -> Action:
    named = f"{request.drug} {request.strength}".strip()
    if held.status == "unknown":
        if held.reason == "missing":
            supply = isinstance(held.limit, SupplyLimit)
            return action("obtain_list", list="medications") if supply else action("state_quantity")
        return action("find_strength", drug=request.drug)
    if isinstance(held.limit, StartingLimit):
        left = held.left if held.before is not None else None
        return action("ask_starting_dose", drug=named, days=held.limit.days, left=left)
    if isinstance(held.limit, SupplyLimit):
        return action("ask_supply", drug=request.drug, left=held.left or "", limit=held.asks)
    allowed, _ = _amount(held.limit.quantity, held.limit.unit, held.limit.days)
    return action("ask_quantity", drug=named, allowed=allowed)


def _cited(limit: QuantityLimit | StartingLimit | SupplyLimit, policy_id: str) -> ClauseRef | None:
    if not limit.clause_id:
        return None
    return ClauseRef(policy_id=policy_id, clause_id=limit.clause_id, quote=limit.quote)


@lru_cache(maxsize=4096, typed=True)
def _amount(quantity: float | None, unit: str | None, days: int | None) -> tuple[Message, str]:
    """The amount, and in words."""
    amount = message(
        "amount", quantity="?" if quantity is None else quantity, unit=unit or "", days=days or "?"
    )
    return amount, render(amount)


@lru_cache(maxsize=4096)
def _rate(quantity: float, unit: str, days: int) -> Message:
    return message("quantity.rate", allowed=_amount(quantity, unit, days)[0])


@lru_cache(maxsize=4096)
def _limit(code: str, days: int | None, quantity: float = 0, unit: str = "") -> Message:
    return message(code, allowed=_units(quantity, unit), days=days)


def _more(over: Decimal | int, unit: str) -> Message:
    """What is too much, to a thousandth of the unit."""
    return _units(float(round(Decimal(over), 3)), unit)


def _units(quantity: float, unit: str) -> Message:
    return message("units", quantity=quantity, unit=unit)


@lru_cache(maxsize=4096)
def _within(quantity: float, days: int, most: float, in_days: int) -> bool:
    """Rates compared exactly, as the decimals that were written."""
    return Decimal(repr(quantity)) * in_days <= Decimal(repr(most)) * days
