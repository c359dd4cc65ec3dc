"""A stated reason held against today's determination: does the record refute it, confirm it, or leave it open?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from tools.appeals.reason_findings import pointed_at
from tools.appeals.records import Standing, Weighed
from tools.denials.codes import REASONS
from tools.denials.records import Denial, StatedReason
from tools.domain.records import Benefit, Finding
from tools.engine.eligibility import plans_on
from tools.evidence.courses import matches
from tools.papers.case import Case

# What the payer can see in its own files, whatever the chart says: a call may mend it.
FACTUAL = frozenset({"pa_required", "non_formulary", "benefit_exclusion", "not_eligible", "quantity_limit", "age",
                     "refill_too_soon"})  # fmt: skip
_NOT_A_BENEFIT = ("not a benefit", "not cover", "not an essential", "benefit exclu", "excluded by law")
_WEIGHT = ("weight", "obesity")


def weigh(reason: StatedReason, denial: Denial, case: Case) -> Weighed:
    """The reason as it stands against the record on the case's day."""
    said = _plainly(reason, case) or _by_findings(reason, denial, case)
    return Weighed(code=reason.code, quote=reason.quote.text, **said._asdict())


class _Said(NamedTuple):
    standing: Standing
    why: str
    findings: tuple[Finding, ...] = ()
    baseless: bool = False


def _plainly(reason: StatedReason, case: Case) -> _Said | None:
    """Reasons that no criterion answers: coverage, formulary, form, refill."""
    outcome, benefit = case.determination.outcome, case.benefit
    drug, plan = case.drug.name, case.plan.name
    if reason.code == "not_eligible" or outcome == "wrong_plan":
        return _eligibility(reason, case)
    if reason.code == "refill_too_soon":
        return _refill(case)
    if reason.code in ("non_formulary", "benefit_exclusion"):
        if outcome == "not_covered":
            why = (benefit.reason if benefit else "") or f"{plan} does not cover {drug} for this use"
            return _Said("confirmed", f"the plan's own table agrees: {why}")
        use = f" for {case.rule.indication_text}" if case.rule and case.rule.indication_text else ""
        return _Said("refuted", f"{plan} covers {drug}{use}", _showing_the_use(case))
    if outcome == "not_covered":
        return _Said("open", f"not judged, as {plan} does not cover {drug} for this use")
    if outcome in ("not_required", "quantity_exception") and not case.determination.rule_id:
        listed = _Said("refuted", f"{plan} lists {drug} without prior authorization")
        return listed if reason.code != "quantity_limit" else None
    if reason.code in ("pa_required", "administrative"):
        return _Said("formal", REASONS[reason.code].title)
    if reason.code not in REASONS:
        return _Said("open", "what the payer means is not clear")
    return None


def _by_findings(reason: StatedReason, denial: Denial, case: Case) -> _Said:
    found, baseless, beside = pointed_at(reason, denial, case)
    failing = [finding for finding in found if finding.status == "not_met"]
    unknown = [finding for finding in found if finding.status == "unknown"]
    if failing:
        return _Said("confirmed", "; ".join(map(told, failing)), found)
    if reason.code == "diagnosis_mismatch" and case.diagnosis is None and not unknown:
        return _Said("open", "no diagnosis on the problem list carries this use; never recode to fit", found)
    if beside and not unknown:
        why = f"the letter names {' and '.join(beside)}, of which the policy asks nothing: find out what is wanted"
        return _Said("open", why, found)
    if unknown or not found:
        return _Said("open", "; ".join(map(told, unknown)) or "nothing on record bears on it", found)
    if baseless:
        why = f"policy {case.determination.policy_id} has no such criterion, and those that it has are met"
        return _Said("refuted", why, found, True)
    return _Said("refuted", "; ".join(map(told, found)), found)


def told(finding: Finding) -> str:
    """A finding in one phrase."""
    named = finding.criterion.replace("_", " ") if finding.parts else finding.text
    return f"{named}: {finding.detail}" if finding.detail else named


def _showing_the_use(case: Case) -> tuple[Finding, ...]:
    """What the record shows of the use that is covered: the criteria for it that are met."""
    met = (f for f in case.determination.findings if f.kind == "criterion" and f.status == "met")
    return tuple(f for f in met if not f.exclusion and f.clause is not None)


def _eligibility(reason: StatedReason, case: Case) -> _Said:
    if case.determination.outcome == "wrong_plan":
        now = plans_on(case.patient, case.as_of)
        where = f"; active today: {', '.join(now)}" if now else ""
        detail = next((f.detail for f in case.determination.findings if f.criterion == "eligibility"), "")
        standing: Standing = "confirmed" if reason.code == "not_eligible" else "open"
        why = (detail or f"not enrolled in {case.plan.id}") + where
        return _Said(standing, why, case.determination.findings)
    period = case.coverage
    until = f" to {period.end}" if period and period.end else ""
    begun = f" since {period.start}" if period and period.start else ""
    return _Said("refuted", f"enrolled in {case.plan.id}{begun}{until}")


def _refill(case: Case) -> _Said:
    """From the claims alone: the day on which the last supply is used up."""
    last = last_supply(case)
    if last is None:
        return _Said("open", f"no claim for {case.drug.name} is on record")
    if last > case.as_of:
        return _Said("confirmed", f"the last supply lasts to {last - timedelta(days=1)}")
    return _Said("refuted", f"the last supply was used up on {last - timedelta(days=1)}")


def last_supply(case: Case) -> date | None:
    """The first day without supply, by the newest claim for the drug."""
    name = case.drug.name.casefold()
    claims = [f for f in case.patient.fills if f.date <= case.as_of and matches(f, (name,), (), f.drug)]
    newest = max(claims, key=lambda fill: fill.date, default=None)
    return newest.date + timedelta(days=newest.days_supply) if newest else None


def excluded_by_benefit(benefit: Benefit | None, case: Case) -> bool:
    """Is the drug, for this use, no benefit at all, so that no exception can be had?"""
    if benefit is None:
        return False
    use = case.indication or next((label.key for label in case.drug.indications), "")
    if use in benefit.excluded_uses:
        return True
    if benefit.covered:
        return bool(benefit.indications) and use not in benefit.indications
    for part in benefit.reason.casefold().split(";"):
        if any(words in part for words in _NOT_A_BENEFIT):
            return use == "weight" or not any(word in part for word in _WEIGHT)
    return False
