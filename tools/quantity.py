"""The rate that is asked for against the plan's limit, compared exactly, and its days against what a starting strength
may be had for."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from tools.evidence.measurements import number
from tools.records import Benefit, ClauseRef, Evidence, Finding, QuantityLimit, Request, StartingLimit, Status


def quantity_finding(benefit: Benefit, request: Request, policy_id: str) -> Finding:
    """The rate asked for against the plan's limit, compared exactly; and its days against what a starting
    strength may be had for."""
    status = quantity_status(benefit, request)
    limit = _limit(benefit, request)
    asked = _amount(request.quantity, request.unit, request.days_supply)
    seen = Evidence(record_id=request.order_id or "request", kind="quantity", value=asked)
    beyond = _beyond_start(benefit, request)
    if limit is None:
        if beyond is not None:
            return _starting_only(beyond, request, policy_id, asked)
        return Finding(
            criterion="quantity",
            kind="quantity",
            status="met",
            text="no quantity limit",
            evidence=(seen,),
            detail=asked,
        )
    clause = _cited(limit, policy_id)
    text = f"at most {_amount(limit.quantity, limit.unit, limit.days)}"
    if status == "unknown":
        return Finding(
            criterion="quantity",
            kind="quantity",
            status="unknown",
            text=text,
            clause=clause,
            evidence=(seen,),
            detail="quantity or days' supply not stated",
            reason="missing",
            fix="State the quantity and the days' supply",
        )
    within = _is_within(limit, request)
    if within and beyond is not None:
        return _starting_only(beyond, request, policy_id, asked)
    return Finding(
        criterion="quantity",
        kind="quantity",
        status=status,
        text=text,
        clause=clause,
        evidence=(seen,),
        detail=f"{asked} asked for",
        fix=None if within else _quantity_fix(limit, request),
    )


def quantity_status(benefit: Benefit, request: Request) -> Status:
    """The status of `quantity_finding`."""
    limit = _limit(benefit, request)
    if limit is not None:
        if request.quantity is None or not request.days_supply:
            return "unknown"
        if not _is_within(limit, request):
            return "not_met"
    return "met" if _beyond_start(benefit, request) is None else "not_met"


def _limit(benefit: Benefit, request: Request) -> QuantityLimit | None:
    """That of the strength, where it has its own."""
    return benefit.strength_limits.get(request.strength) or benefit.quantity_limit


def _is_within(limit: QuantityLimit, request: Request) -> bool:
    return _within(request.quantity or 0.0, request.days_supply or 0, limit.quantity, limit.days)


def _cited(limit: QuantityLimit | StartingLimit, policy_id: str) -> ClauseRef | None:
    return (
        ClauseRef(policy_id=policy_id, clause_id=limit.clause_id, quote=limit.quote)
        if limit.clause_id
        else None
    )


def _beyond_start(benefit: Benefit, request: Request) -> StartingLimit | None:
    """The limit, where more days of a starting strength are asked for than it may be had for."""
    limit = benefit.starting_limits.get(request.strength)
    return limit if limit is not None and (request.days_supply or 0) > limit.days else None


def _starting_only(limit: StartingLimit, request: Request, policy_id: str, asked: str) -> Finding:
    return Finding(
        criterion="quantity",
        kind="quantity",
        status="not_met",
        text=f"at most {limit.days} days of therapy",
        clause=_cited(limit, policy_id),
        evidence=(Evidence(record_id=request.order_id or "request", kind="quantity", value=asked),),
        detail=f"{asked} asked for",
        fix=f"Ask the prescriber about the dose: {request.drug} {request.strength} is a starting strength, for"
        f" {limit.days} days; order the next strength for the days after, or ask for a quantity exception",
    )


def _quantity_fix(limit: QuantityLimit, request: Request) -> str:
    allowed = _amount(limit.quantity, limit.unit, limit.days)
    strength = f" {request.strength}" if request.strength else ""
    return (
        f"Ask the prescriber about the quantity: {allowed} is the limit for {request.drug}{strength};"
        " if more is meant, ask for a quantity exception with the clinical reason"
    )


@lru_cache(maxsize=4096)
def _amount(quantity: float | None, unit: str | None, days: int | None) -> str:
    shown = "?" if quantity is None else number(quantity)
    plural = "s" if unit in ("tablet", "capsule", "pen") and quantity != 1 else ""
    return f"{shown} {unit or ''}{plural}".strip() + f" per {days or '?'} days"


@lru_cache(maxsize=4096)
def _within(quantity: float, days: int, most: float, in_days: int) -> bool:
    """Rates compared exactly, as the decimals that were written."""
    return Decimal(repr(quantity)) * in_days <= Decimal(repr(most)) * days
