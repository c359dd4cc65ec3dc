"""What a determination comes to, and what a specialist does next, in that order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from tools.domain.records import Finding, Outcome, Patient, Plan, Request
from tools.domain.rules import Rule
from tools.messages import Action, Message, action, iso, message


def conclusion(
    outcome: Outcome,
    stopped_by: str,
    plan: Plan,
    request: Request,
    as_of: date,
    findings: Sequence[Finding],
    rule: Rule | None = None,
) -> Message:
    """The outcome, the drug, the plan, and what decided it; `findings` are those not met. A rule that is not in force
    is said to be so."""
    return message(
        "summary",
        outcome=f"outcome.{outcome}",
        drug=request.drug,
        use=request.indication,
        plan=plan.id,
        day=iso(as_of),
        force=_out_of_force(rule, as_of) if rule is not None else None,
        lapsed=iso(request.lapsed),
        because=_because(outcome, stopped_by, plan, request, findings),
    )


def find_policy(rule: Rule, as_of: date) -> Action:
    """What is done about a rule that is not in force on the day."""
    return action("find_policy", force=_out_of_force(rule, as_of))


def _out_of_force(rule: Rule, as_of: date) -> Message | None:
    if rule.effective_to is not None and rule.effective_to < as_of:
        return message("force.ended", day=iso(rule.effective_to))
    if rule.effective_from is not None and as_of < rule.effective_from:
        return message("force.begins", day=iso(rule.effective_from))
    return None


def _because(
    outcome: Outcome, stopped_by: str, plan: Plan, request: Request, findings: Sequence[Finding]
) -> Message:
    if outcome in ("ready", "not_required"):
        return message(f"because.{outcome}")
    if outcome == "not_covered":
        return _not_covered(stopped_by, plan, request)
    failing = [finding for finding in findings if finding.status == "not_met"]
    if stopped_by == "exclusion":
        return message("because.excluded", found=_found(f for f in failing if f.exclusion))
    if outcome == "likely_denial":
        points = [_failure(f) for f in failing if not f.exclusion and f.criterion != "quantity"]
        return message("because.not_met", points=tuple(points))
    if outcome == "needs_documentation":
        return message("because.open", names=tuple([name_of(f) for f in findings if f.status == "unknown"]))
    return message("because.findings", found=_found(failing))


def _not_covered(stopped_by: str, plan: Plan, request: Request) -> Message:
    """In the plan's own words, where it has some."""
    benefit = plan.benefits.get(request.drug)
    if stopped_by == "benefit" and benefit is not None:
        reason = benefit.excluded_uses.get(request.indication)
        return message("because.reason", reason=reason) if reason else message("because.not_for_use")
    if benefit is not None and benefit.reason:
        return message("because.reason", reason=benefit.reason)
    return message("because.not_on_formulary")


def _found(findings: Iterable[Finding]) -> tuple[Message | str, ...]:
    return tuple([finding.found or finding.text for finding in findings])


def _failure(finding: Finding) -> Message:
    return message("because.point", name=name_of(finding), found=finding.found)


def name_of(finding: Finding) -> Message | str:
    """A composite by its id ("step", "baseline bmi"): its text lists every branch."""
    return finding.criterion.replace("_", " ") if finding.parts else finding.asks or finding.text


def actions(
    outcome: Outcome, stopped_by: str, plan: Plan, request: Request, findings: Sequence[Finding]
) -> tuple[Action, ...]:
    """For a case that a rule decided; `findings` are those not met."""
    if outcome == "ready":
        return *_order(request), action("review"), _send(plan)
    failing = [f for f in findings if f.status == "not_met"]
    unknown = [f for f in findings if f.status == "unknown"]
    if stopped_by == "exclusion":
        stands = [f for f in failing if f.exclusion]
        return *_by_effort(stands), action("do_not_submit", drug=request.drug)
    if outcome == "likely_denial":
        return *_by_effort(failing), *_by_effort(unknown), action("ask_exception")
    if outcome == "quantity_exception":
        return *_by_effort(failing), action("correct_order")
    return *_by_effort(unknown), *_order(request), action("record_and_check")


def stop_actions(
    outcome: Outcome,
    stopped_by: str,
    patient: Patient,
    plan: Plan,
    request: Request,
    as_of: date,
    findings: Sequence[Finding],
) -> tuple[Action, ...]:
    """For a case that stopped before any criterion."""
    if outcome == "wrong_plan":
        steps = [*_by_effort(findings)]
        approved = [a for a in patient.authorizations if a.plan_id == plan.id and a.drug == request.drug]
        if approved:
            steps.append(action("ask_transition", plan=plan.id, end=iso(approved[-1].end)))
        return *steps, action("update_plan")
    if outcome == "not_required":
        return *_order(request), action("send_prescription")
    if outcome == "quantity_exception":
        return *_by_effort(findings), action("correct_order_and_send")
    if stopped_by == "benefit":
        return action("check_other_use"), action("consider_alternative")
    return action("pa_cannot_help"), action("ask_formulary_exception")


def _by_effort(findings: Iterable[Finding]) -> list[Action]:
    """What would change them, each once, in the order in which a specialist goes about it."""
    steps = [finding.action for finding in findings if finding.action is not None]
    return steps if len(steps) < 2 else sorted(dict.fromkeys(steps), key=lambda step: step.rank)


def _order(request: Request) -> tuple[Action, ...]:
    """What nobody has ordered, and is not taken already, the prescriber has to order."""
    if request.order_id or request.kind == "renewal" or request.therapy_start is not None:
        return ()
    return (action("order_drug", drug=request.drug),)


def _send(plan: Plan) -> Action:
    to = {
        "phone": plan.phone or plan.payer,
        "fax": plan.fax or plan.payer,
        "portal": plan.portal or plan.payer,
        "mail": plan.payer,
    }
    return action("send", how=message(f"send.{plan.channel}", to=to[plan.channel]))
