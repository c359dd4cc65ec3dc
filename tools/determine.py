"""The order of checks: determine(patient, plan, request, as_of) → Determination. Pure; no model, no clock.

    eligibility on the date → formulary and benefit → PA required? → proven exclusions → criteria → quantity
    → documents; the first stop wins.

A drug covered for several indications is tried for each, and the best outcome is reported with its
indication named. It predicts; the payer decides; a clinician signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec

from tools import next_steps
from tools.criteria import findings_of
from tools.documents import document
from tools.evidence.courses import is_taken, therapy_start
from tools.evidence.judge import Judge
from tools.evidence.measurements import number
from tools.records import (
    Authorization,
    Benefit,
    ClauseRef,
    Coverage,
    Determination,
    Drug,
    Evidence,
    Finding,
    Kind,
    Medication,
    Order,
    Outcome,
    Patient,
    Plan,
    QuantityLimit,
    Request,
    StartingLimit,
    Status,
    Strength,
)
from tools.rules import Rule, Use
from tools.terms import INDICATIONS

BEST_FIRST: tuple[Outcome, ...] = ("ready", "quantity_exception", "needs_documentation", "likely_denial")


def determine(patient: Patient, plan: Plan, request: Request, as_of: date) -> Determination:
    """The outcome of one request on one day, with a finding for every criterion."""
    request = as_the_plan_sees_it(patient, plan, request, as_of)
    stop, rules = stop_or_rules(patient, plan, request, as_of)
    if stop is not None:
        return _stopped(patient, plan, request, as_of, *stop)
    benefit = plan.benefits[request.drug]
    tried = [_decide(patient, plan, request, as_of, benefit, rule) for rule in rules]
    return tried[0] if len(tried) == 1 else min(tried, key=_preference)


def stop_or_rules(
    patient: Patient, plan: Plan, request: Request, as_of: date
) -> tuple[tuple[Outcome, str] | None, Sequence[Rule]]:
    """What stops the request before any criterion, and by what; else the rules to try."""
    if active_coverage(patient, plan.id, as_of) is None:
        return ("wrong_plan", "eligibility"), ()
    benefit = plan.benefits.get(request.drug)
    if benefit is None or not benefit.covered:
        return ("not_covered", "formulary"), ()
    if _excluded_use(benefit, request):
        return ("not_covered", "benefit"), ()
    if not benefit.pa_required:
        over = quantity_status(benefit, request) == "not_met"
        return (("quantity_exception", "quantity") if over else ("not_required", "pa")), ()
    rules = _rules_to_try(benefit, request, as_of)
    return (None, rules) if rules else (("not_covered", "benefit"), ())


def complete_request(patient: Patient, drug: Drug, request: Request) -> Request:
    """Fill what the request leaves out: from the chart's own order for the drug, else from what is taken
    now, else the label's starting package."""
    order = _order_for(patient, drug)
    wanted = request.strength or (order.strength if order else "")
    strength = _strength(drug, wanted or _dose_now(patient, drug))
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
        strength=wanted if wanted and not _is_label(wanted, strength) else strength.label,
        quantity=_in_billing_units(quantity, unit, drug, strength),
        unit=drug.unit,
        days_supply=days,
        kind=request.kind or (order.kind if order else None),
        indication=request.indication or (order.indication if order else ""),
        order_id=order.id if order else "",
        ingredients=drug.ingredients,
        classes=drug.classes,
    )


def active_coverage(patient: Patient, plan_id: str, as_of: date) -> Coverage | None:
    """The enrolment in this plan that holds on the day; first and last day included."""
    for period in patient.coverages:
        if period.plan_id == plan_id and _holds(period, as_of):
            return period
    return None


def plans_on(patient: Patient, as_of: date) -> list[str]:
    """Plans in which the patient is enrolled on the day."""
    return [period.plan_id for period in patient.coverages if _holds(period, as_of)]


def _holds(period: Coverage, as_of: date) -> bool:
    return (period.start is None or period.start <= as_of) and (period.end is None or as_of <= period.end)


# --- the request -----------------------------------------------------------------------------------------


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


def as_the_plan_sees_it(patient: Patient, plan: Plan, request: Request, as_of: date) -> Request:
    """The kind of request, when therapy began, and the use that is renewed. Only this plan's own approval makes it
    a renewal."""
    named = patient.courses_by_drug.get(request.drug.casefold())
    on_it = [entry for entry in named if entry.drug == request.drug] if named else []
    approval = _approval_on_file(patient, plan, request, as_of)
    kind = request.kind or _kind_on_file(approval, on_it, as_of)
    began = request.therapy_start
    if began is None and (kind != "new" or is_taken(on_it, as_of)):
        began = therapy_start(on_it, request.drug, as_of)
    use = request.indication
    if not use and kind == "renewal" and approval is not None and _covers_use(plan, request, approval):
        use = approval.indication  # clauses on renewal seldom ask for the diagnosis again
    return msgspec.structs.replace(request, kind=kind, therapy_start=began, indication=use)


def _approval_on_file(patient: Patient, plan: Plan, request: Request, as_of: date) -> Authorization | None:
    """This plan's newest approval of the drug that has begun."""
    if not patient.authorizations:
        return None
    held = [
        item
        for item in patient.authorizations
        if item.plan_id == plan.id and item.drug == request.drug and item.start <= as_of
    ]
    return max(held, key=lambda item: item.start) if held else None


def _kind_on_file(approval: Authorization | None, on_it: Sequence[Medication], as_of: date) -> Kind:
    if approval is not None:
        return "renewal"
    return "continuation" if is_taken(on_it, as_of) else "new"


def _covers_use(plan: Plan, request: Request, approval: Authorization) -> bool:
    """Does a rule of today's cover what was approved? If none does, every use there is is tried."""
    benefit = plan.benefits.get(request.drug)
    return benefit is not None and any(rule.indication == approval.indication for rule in benefit.rules)


def _excluded_use(benefit: Benefit, request: Request) -> str:
    return benefit.excluded_uses.get(request.indication, "") if request.indication else ""


def _rules_to_try(benefit: Benefit, request: Request, as_of: date) -> list[Rule]:
    """The rules in force for the use asked for; a use that no rule covers but one excludes is judged there."""
    rules = _in_force(benefit.rules, as_of)
    if not request.indication:
        return rules
    exact = [rule for rule in rules if rule.indication == request.indication]
    return exact or [rule for rule in rules if _excludes_use(rule, request.indication)]


def _in_force(rules: Sequence[Rule], as_of: date) -> list[Rule]:
    """One version of each indication's rule: the one in force, else the nearest, since a chart from another
    year is judged by the rule there is."""
    if len(rules) < 2:
        return list(rules)
    kept: tuple[Sequence[Rule], date, list[Rule]] | None = rules[0].__dict__.get("in_force")
    if kept is None or kept[0] is not rules or kept[1] != as_of:
        kept = rules[0].__dict__["in_force"] = rules, as_of, _one_for_each_use(rules, as_of)
    return kept[2]


def _one_for_each_use(rules: Sequence[Rule], as_of: date) -> list[Rule]:
    by_use: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda rule: (_effective(rule, as_of), rule.effective_from or date.min)):
        by_use[rule.indication] = rule
    return list(by_use.values())


def _effective(rule: Rule, as_of: date) -> bool:
    return (rule.effective_from is None or rule.effective_from <= as_of) and (
        rule.effective_to is None or as_of <= rule.effective_to
    )


def _excludes_use(rule: Rule, use: str) -> bool:
    return any(isinstance(node, Use) and use in node.uses for node in rule.exclusions)


# --- deciding by a rule ----------------------------------------------------------------------------------


class Ruled(NamedTuple):
    """A request as one rule sees it."""

    rule: Rule
    judge: Judge


def case_of(patient: Patient, request: Request, as_of: date, rule: Rule, brief: bool = True) -> Ruled:
    """The request, for the rule's use where it names none, and who judges it by the rule."""
    asked = request if request.indication else msgspec.structs.replace(request, indication=rule.indication)
    return Ruled(rule, Judge(patient, asked, as_of, asked.therapy_start, rule.policy_id, brief))


def _decide(
    patient: Patient, plan: Plan, request: Request, as_of: date, benefit: Benefit, rule: Rule
) -> Determination:
    judge = case_of(patient, request, as_of, rule, brief=False).judge
    asked = judge.request
    criteria, exclusions = findings_of(rule, judge)
    quantity = quantity_finding(benefit, asked, rule.policy_id)
    findings = [*criteria, *exclusions, quantity]
    asked_for = [document(paper, judge, findings) for paper in rule.documents]
    papers = [paper for paper in asked_for if paper is not None]
    outcome, stopped_by = _first_stop(exclusions, criteria, quantity, papers)
    every = (*findings, *papers)
    unmet = [finding for finding in every if finding.status != "met"]
    return Determination(
        patient_id=patient.id,
        plan_id=plan.id,
        payer=plan.payer,
        drug=request.drug,
        as_of=as_of,
        outcome=outcome,
        summary=next_steps.summary(outcome, stopped_by, plan, asked, as_of, unmet),
        indication=rule.indication,
        request=asked,
        rule_id=rule.id,
        policy_id=rule.policy_id,
        stopped_by=stopped_by,
        findings=every,
        next_actions=next_steps.actions(outcome, stopped_by, plan, asked, unmet),
    )


def _first_stop(
    exclusions: list[Finding], criteria: list[Finding], quantity: Finding, papers: list[Finding]
) -> tuple[Outcome, str]:
    excluded = [finding.status for finding in exclusions]
    if "not_met" in excluded:
        return "likely_denial", "exclusion"
    statuses = [finding.status for finding in criteria]
    if "not_met" in statuses:
        return "likely_denial", "criteria"
    if "unknown" in statuses or "unknown" in excluded:
        return "needs_documentation", "criteria"
    if quantity.status != "met":
        return ("quantity_exception" if quantity.status == "not_met" else "needs_documentation"), "quantity"
    if [paper for paper in papers if paper.status != "met"]:
        return "needs_documentation", "documents"
    return "ready", ""


def _preference(case: Determination) -> tuple[int, int, int]:
    """Best outcome first; then the one with less to mend; a proven exclusion last."""
    open_findings = sum(finding.status != "met" for finding in case.findings)
    return (BEST_FIRST.index(case.outcome), int(case.stopped_by == "exclusion"), open_findings)


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
            criterion="quantity", status="met", text="no quantity limit", evidence=(seen,), detail=asked
        )
    clause = _cited(limit, policy_id)
    text = f"at most {_amount(limit.quantity, limit.unit, limit.days)}"
    if status == "unknown":
        return Finding(
            criterion="quantity",
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


# --- stops before any criterion --------------------------------------------------------------------------


def _stopped(
    patient: Patient, plan: Plan, request: Request, as_of: date, outcome: Outcome, stopped_by: str
) -> Determination:
    """With what shows the stop: the enrolments, or the quantity where no PA is required."""
    findings: tuple[Finding, ...] = ()
    if stopped_by == "eligibility":
        findings = _eligibility(patient, plan, as_of)
    elif stopped_by in ("quantity", "pa"):
        benefit = plan.benefits[request.drug]
        findings = (quantity_finding(benefit, request, benefit.policy_id),)
    return _stop(patient, plan, request, as_of, outcome, stopped_by, findings)


def _eligibility(patient: Patient, plan: Plan, as_of: date) -> tuple[Finding, ...]:
    periods = [period for period in patient.coverages if period.plan_id == plan.id]
    seen = tuple(
        Evidence(
            record_id=period.id,
            kind="coverage",
            value=f"{period.plan_id}, {period.start or '?'} to {period.end or 'open'}",
            date=period.end or period.start,
        )
        for period in patient.coverages
    )
    detail = f"not enrolled in {plan.id}"
    if periods:
        last = periods[-1]
        ended = last.end is not None and last.end < as_of
        detail = f"{plan.id} ended {last.end}" if ended else f"{plan.id} begins {last.start}"
    now = plans_on(patient, as_of)
    fix = f"Check again under {' or '.join(now)}" if now else "Find out which plan covers the patient"
    return (
        Finding(
            criterion="eligibility",
            status="not_met",
            text=f"enrolled in {plan.id} on {as_of}",
            evidence=seen,
            detail=detail,
            fix=fix,
        ),
    )


def _stop(
    patient: Patient,
    plan: Plan,
    request: Request,
    as_of: date,
    outcome: Outcome,
    stopped_by: str,
    findings: tuple[Finding, ...],
) -> Determination:
    return Determination(
        patient_id=patient.id,
        plan_id=plan.id,
        payer=plan.payer,
        drug=request.drug,
        as_of=as_of,
        outcome=outcome,
        summary=next_steps.summary(outcome, stopped_by, plan, request, as_of, findings),
        indication=request.indication if request.indication in INDICATIONS else "",
        request=request,
        policy_id=plan.benefits[request.drug].policy_id if request.drug in plan.benefits else "",
        stopped_by=stopped_by,
        findings=findings,
        next_actions=next_steps.stop_actions(outcome, stopped_by, patient, plan, request, as_of, findings),
    )
