"""The outcome alone: what `determine` would find, without its findings. For screening a panel; pure like it.

The same steps, rules and evidence, each asked no further than until the outcome is settled, in a context that does not
want to be told what shows a thing. There is no second rule: a leaf, a count of leaves and the order of stops are
`determine`'s own.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from tools.domain.records import Benefit, Outcome, Patient, Plan, Request
from tools.domain.rules import Age, Attested, Change, Condition, OnDrug, Programme, Rule, Specialist, Trial
from tools.engine.criteria import CompiledCriterion, compiled_criteria
from tools.engine.determine import BEST_FIRST, Ruled, case_of, stop_or_rules
from tools.engine.documents import is_on_file, wanted_papers
from tools.engine.label import is_label_dose
from tools.engine.quantity import Quantity, quantity_status
from tools.engine.request import as_the_plan_sees_it
from tools.evidence.context import EvaluationContext


class Verdict(NamedTuple):
    """A determination without its findings: the outcome, what stopped it, and the rule that decided, if one did,
    with the context of the case."""

    outcome: Outcome
    stopped_by: str
    request: Request
    rule: Rule | None = None
    context: EvaluationContext | None = None


def verdict(patient: Patient, plan: Plan, request: Request, as_of: date, *, nearest: bool = True) -> Verdict:
    """What `determine` would find, by the same steps and evidence, asked only as far as it is settled: for
    screening many. Outcome, stop, rule and request are those of `determine`. Which of several uses that all fail
    comes nearest takes most of the asking: without `nearest`, any of them is named."""
    request = as_the_plan_sees_it(patient, plan, request, as_of)
    stop, rules = stop_or_rules(patient, plan, request, as_of)
    if stop is not None:
        return Verdict(*stop, request)
    if len(rules) == 1:
        return settle(case_of(patient, request, as_of, rules[0]), plan)
    tried = [settle(case_of(patient, request, as_of, rule), plan) for rule in rules]
    best = min(map(_rank, tried))
    tied = [case for case in tried if _rank(case) == best]
    if len(tied) == 1 or (tied[0].outcome == "likely_denial" and not nearest):
        return tied[0]
    return min(tied, key=lambda case: _open_findings(case, plan))


def settle(case: Ruled, plan: Plan) -> Verdict:
    """The first stop, as `_first_stop` has it, asking no further than it."""
    rule, context = case
    outcome, stopped_by = _asked_until_settled(rule, context, plan.benefits[context.request.drug])
    return Verdict(outcome, stopped_by, context.request, rule, context)


def _asked_until_settled(rule: Rule, context: EvaluationContext, benefit: Benefit) -> tuple[Outcome, str]:
    criteria, exclusions = _quickest_first(rule, context.request)
    unknown = False
    for compiled in exclusions:
        status = compiled.status(context)
        if status == "not_met":
            return "likely_denial", "exclusion"
        unknown = unknown or status == "unknown"
    for compiled in criteria:
        status = compiled.status(context)
        if status == "not_met":
            return "likely_denial", "criteria"
        unknown = unknown or status == "unknown"
    if unknown or not is_label_dose(context.request):
        return "needs_documentation", "criteria"
    amount = quantity_status(Quantity(context.patient, context.as_of, benefit, context.request, rule))
    if amount != "met":
        return ("quantity_exception" if amount == "not_met" else "needs_documentation"), "quantity"
    if not all(is_on_file(paper, context) for paper in wanted_papers(rule, context)):
        return "needs_documentation", "documents"
    return "ready", ""


def _quickest_first(rule: Rule, request: Request) -> tuple[list[CompiledCriterion], list[CompiledCriterion]]:
    """`compiled_criteria` in another order: what is looked up at once may spare what has to be searched for."""
    place = f"{rule.criteria_of(request.kind, len(request.approvals)).id}, quickest first"
    kept: tuple[list[CompiledCriterion], list[CompiledCriterion]] | None = rule.__dict__.get(place)
    if kept is None:
        criteria, exclusions = compiled_criteria(rule, request)
        kept = rule.__dict__[place] = sorted(criteria, key=_effort), exclusions
    return kept


_QUICK = (Age, Condition, Attested, Specialist, Programme)
_SLOW = (Trial, Change, OnDrug)


def _effort(compiled: CompiledCriterion) -> int:
    leaf = compiled.question.leaf if compiled.question is not None else None
    return 3 if leaf is None else 0 if isinstance(leaf, _QUICK) else 2 if isinstance(leaf, _SLOW) else 1


def _rank(case: Verdict) -> tuple[int, bool]:
    return BEST_FIRST.index(case.outcome), case.stopped_by == "exclusion"


def _open_findings(case: Verdict, plan: Plan) -> int:
    """How many findings the determination has that are not met."""
    rule, context = case.rule, case.context
    assert rule is not None and context is not None
    criteria, exclusions = compiled_criteria(rule, context.request)
    unmet = sum(compiled.status(context) != "met" for compiled in (*criteria, *exclusions))
    unmet += not is_label_dose(context.request)
    benefit = plan.benefits[context.request.drug]
    unmet += (
        quantity_status(Quantity(context.patient, context.as_of, benefit, context.request, rule)) != "met"
    )
    return unmet + sum(not is_on_file(paper, context) for paper in wanted_papers(rule, context))
