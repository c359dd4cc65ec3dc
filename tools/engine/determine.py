"""The order of checks: determine(patient, plan, request, as_of) → Determination. Pure; no model, no clock.

    eligibility on the date → formulary and benefit → PA required? → proven exclusions → criteria → quantity
    → documents; the first stop wins.

A drug covered for several indications is tried for each, and the best outcome is reported with its
indication named. It predicts; the payer decides; a clinician signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from tools.domain.records import Benefit, Determination, Finding, Outcome, Patient, Plan, Request
from tools.domain.rules import Rule, Use
from tools.engine import next_steps
from tools.engine.criteria import findings_of
from tools.engine.documents import document, wanted_papers
from tools.engine.eligibility import active_coverage, eligibility_finding
from tools.engine.label import dose_finding
from tools.engine.quantity import Quantity, quantity_finding, quantity_status
from tools.engine.request import as_the_plan_sees_it, for_use
from tools.evidence.context import EvaluationContext
from tools.terminology.terms import INDICATIONS

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
        over = quantity_status(Quantity(patient, as_of, benefit, request)) == "not_met"
        return (("quantity_exception", "quantity") if over else ("not_required", "pa")), ()
    rules = _rules_to_try(benefit, request, as_of)
    return (None, rules) if rules else (("not_covered", "benefit"), ())


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
    return any(
        isinstance(node, Use) and use in node.uses and node.min_dose is None and node.max_dose is None
        for node in rule.exclusions
    )


# --- deciding by a rule ----------------------------------------------------------------------------------


class Ruled(NamedTuple):
    """A request as one rule sees it."""

    rule: Rule
    context: EvaluationContext


def case_of(patient: Patient, request: Request, as_of: date, rule: Rule, status_only: bool = True) -> Ruled:
    """The request, for the rule's use where it names none, and who judges it by the rule."""
    asked = for_use(request, request.indication or rule.indication)
    return Ruled(
        rule, EvaluationContext(patient, asked, as_of, asked.therapy_start, rule.policy_id, status_only)
    )


def _decide(
    patient: Patient, plan: Plan, request: Request, as_of: date, benefit: Benefit, rule: Rule
) -> Determination:
    context = case_of(patient, request, as_of, rule, status_only=False).context
    asked = context.request
    criteria, exclusions = findings_of(rule, context)
    dose = dose_finding(asked)
    doses = [dose] if dose is not None else []
    quantity = quantity_finding(Quantity(patient, as_of, benefit, asked, rule))
    findings = [*criteria, *exclusions, *doses, quantity]
    papers = [document(paper, context) for paper in wanted_papers(rule, context)]
    outcome, stopped_by = _first_stop(exclusions, [*criteria, *doses], quantity, papers)
    every = (*findings, *papers)
    unmet = [finding for finding in every if finding.status != "met"]
    steps = next_steps.actions(outcome, stopped_by, plan, asked, unmet)
    return Determination(
        patient_id=patient.id,
        plan_id=plan.id,
        payer=plan.payer,
        drug=request.drug,
        as_of=as_of,
        outcome=outcome,
        conclusion=next_steps.conclusion(outcome, stopped_by, plan, asked, as_of, unmet, rule),
        indication=rule.indication,
        request=asked,
        rule_id=rule.id,
        policy_id=rule.policy_id,
        in_force=_effective(rule, as_of),
        stopped_by=stopped_by,
        findings=every,
        actions=steps if _effective(rule, as_of) else (next_steps.find_policy(rule, as_of), *steps),
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


# --- stops before any criterion --------------------------------------------------------------------------


def _stopped(
    patient: Patient, plan: Plan, request: Request, as_of: date, outcome: Outcome, stopped_by: str
) -> Determination:
    """With what shows the stop: the enrolments, or the quantity where no PA is required."""
    findings: tuple[Finding, ...] = ()
    if stopped_by == "eligibility":
        findings = (eligibility_finding(patient, plan, as_of),)
    elif stopped_by in ("quantity", "pa"):
        benefit = plan.benefits[request.drug]
        findings = (quantity_finding(Quantity(patient, as_of, benefit, request)),)
    return _stop(patient, plan, request, as_of, outcome, stopped_by, findings)


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
        conclusion=next_steps.conclusion(outcome, stopped_by, plan, request, as_of, findings),
        indication=request.indication if request.indication in INDICATIONS else "",
        request=request,
        policy_id=plan.benefits[request.drug].policy_id if request.drug in plan.benefits else "",
        stopped_by=stopped_by,
        findings=findings,
        actions=next_steps.stop_actions(outcome, stopped_by, patient, plan, request, as_of, findings),
    )
