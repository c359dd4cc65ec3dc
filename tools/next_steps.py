"""What a determination says in one sentence, and what a specialist does next, in that order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from tools.records import Finding, Outcome, Patient, Plan, Request
from tools.rules import Rule
from tools.terms import INDICATIONS

HEADLINE: dict[Outcome, str] = {
    "ready": "Ready to submit",
    "needs_documentation": "Needs documentation",
    "likely_denial": "Likely denial",
    "not_required": "No prior authorization required",
    "not_covered": "Not covered",
    "quantity_exception": "Over the quantity limit",
    "wrong_plan": "Wrong plan",
}

_SEND = {
    "phone": "call {phone} with the script",
    "fax": "fax the signed form with its attachments to {fax}",
    "portal": "enter the answers in the payer's portal at {portal}",
    "mail": "mail the signed form with its attachments to {payer}",
}


def summary(
    outcome: Outcome,
    stopped_by: str,
    plan: Plan,
    request: Request,
    as_of: date,
    findings: Sequence[Finding],
    rule: Rule | None = None,
) -> str:
    """One sentence: the outcome, the drug, the plan, and what decided it; `findings` are those not met. A rule that is
    not in force is said to be so."""
    use = INDICATIONS.get(request.indication, request.indication)
    what = f"{request.drug} for {use} under {plan.id}" if use else f"{request.drug} under {plan.id}"
    why = _because(outcome, stopped_by, plan, request, findings)
    period = f", by a policy that {_out_of_force(rule, as_of)}" if rule and _out_of_force(rule, as_of) else ""
    again = f", as a new start (the last approval ended on {request.lapsed})" if request.lapsed else ""
    return f"{HEADLINE[outcome]}: {what} on {as_of.isoformat()}{period}{again}{why}."


def find_policy(rule: Rule, as_of: date) -> str:
    """What is done about a rule that is not in force on the day."""
    return f"Find the policy that is in force: this one {_out_of_force(rule, as_of)}"


def _out_of_force(rule: Rule, as_of: date) -> str:
    if rule.effective_to is not None and rule.effective_to < as_of:
        return f"ended on {rule.effective_to}"
    if rule.effective_from is not None and as_of < rule.effective_from:
        return f"begins on {rule.effective_from}"
    return ""


def _because(
    outcome: Outcome, stopped_by: str, plan: Plan, request: Request, findings: Sequence[Finding]
) -> str:
    benefit = plan.benefits.get(request.drug)
    if outcome == "ready":
        return "; every criterion is met and documented"
    if outcome == "not_required":
        return "; the plan covers it without one"
    if outcome == "not_covered":
        if stopped_by == "benefit" and benefit is not None:
            reason = benefit.excluded_uses.get(request.indication)
            return f"; {reason}" if reason else "; the plan does not cover it for this use"
        return f"; {benefit.reason}" if benefit is not None and benefit.reason else "; not on the formulary"
    if stopped_by == "exclusion":
        failing = [f for f in findings if f.exclusion and f.status == "not_met"]
        return "; excluded: " + "; ".join([f.detail or f.text for f in failing])
    if outcome == "likely_denial":
        failing = [
            f for f in findings if not f.exclusion and f.status == "not_met" and f.criterion != "quantity"
        ]
        return "; not met: " + "; ".join([_failure(f) for f in failing])
    if outcome == "needs_documentation":
        return "; open: " + "; ".join([_name(f) for f in findings if f.status == "unknown"])
    return "; " + "; ".join(f.detail for f in findings if f.status == "not_met")


def _failure(finding: Finding) -> str:
    return f"{_name(finding)} ({finding.detail})" if finding.detail else _name(finding)


def _name(finding: Finding) -> str:
    """A composite by its id ("step", "baseline bmi"): its text lists every branch."""
    return finding.criterion.replace("_", " ") if finding.parts else finding.text


def actions(
    outcome: Outcome, stopped_by: str, plan: Plan, request: Request, findings: Sequence[Finding]
) -> tuple[str, ...]:
    """For a case that a rule decided; `findings` are those not met."""
    if outcome == "ready":
        return ("Review the drafted form and letter; the prescriber signs", _send(plan))
    if stopped_by == "exclusion":
        failing = [f for f in findings if f.exclusion and f.status == "not_met"]
        steps = _fixes(failing)
        return (*steps, f"Do not submit {request.drug} while this stands; offer the clinician an alternative")
    if outcome == "likely_denial":
        failing = [f for f in findings if f.status == "not_met"]
        unknown = [f for f in findings if f.status == "unknown"]
        return (
            *_fixes(failing),
            *_fixes(unknown),
            "If the clinician still wants it, ask for an exception with the reason; "
            "else consider an alternative that is met today",
        )
    if outcome == "quantity_exception":
        return (
            *_fixes([f for f in findings if f.status == "not_met"]),
            "Correct the order, then check again",
        )
    return (*_fixes([f for f in findings if f.status == "unknown"]), "Record what comes in, and check again")


def stop_actions(
    outcome: Outcome,
    stopped_by: str,
    patient: Patient,
    plan: Plan,
    request: Request,
    as_of: date,
    findings: Sequence[Finding],
) -> tuple[str, ...]:
    """For a case that stopped before any criterion."""
    if outcome == "wrong_plan":
        steps = list(_fixes(findings))
        approved = [a for a in patient.authorizations if a.plan_id == plan.id and a.drug == request.drug]
        if approved:
            steps.append(
                f"The approval by {plan.id} to {approved[-1].end} does not transfer; ask about a transition fill"
            )
        steps.append("Update the plan on file; trials under the former plan still count as step evidence")
        return tuple(steps)
    if outcome == "not_required":
        return ("Send the prescription to the pharmacy; no PA form is needed",)
    if outcome == "quantity_exception":
        return (*_fixes(findings), "Correct the order, then send it to the pharmacy")
    if stopped_by == "benefit":
        return (
            "A benefit exclusion is not a clinical question: check whether another covered use applies",
            "Consider a covered alternative",
        )
    return (
        "A PA cannot help: consider a covered alternative",
        "If none fits, ask for a formulary exception that shows why the covered ones failed",
    )


# What a specialist settles first: pulling what exists, then measuring, then asking the prescriber.
_ORDER = ("Correct", "Record", "Document", "Confirm", "Find", "Obtain", "Measure", "Ask", "Arrange")
_RANKS = {word: rank for rank, word in enumerate(_ORDER, 1)}


def _fixes(findings: Iterable[Finding]) -> tuple[str, ...]:
    fixes = [finding.fix for finding in findings if finding.fix]
    return tuple(fixes if len(fixes) < 2 else sorted(dict.fromkeys(fixes), key=_rank))


def _rank(fix: str) -> int:
    if fix.startswith("Obtain the"):
        return 0
    return _RANKS.get(fix.split(" ", 1)[0].rstrip(","), len(_ORDER) + 1)


def _send(plan: Plan) -> str:
    return "Then " + _SEND[plan.channel].format(
        phone=plan.phone or plan.payer,
        fax=plan.fax or plan.payer,
        portal=plan.portal or plan.payer,
        payer=plan.payer,
    )
