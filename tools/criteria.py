"""Evaluates a criteria tree: pure, three-valued, with what shows each criterion.

`met` always favours the patient, so under an exclusion (`exclude=True`) a leaf asks whether the thing is
absent. Missing, stale or conflicting evidence is unknown; all-of, any-of and at-least follow Kleene's
strong logic, and none-of is the negation of any-of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, cast

from tools import courses, evidence
from tools.judge import Judge, Shown
from tools.records import ClauseRef, Finding, Patient, Request, Status
from tools.rules import (
    Age,
    AllergyTo,
    AllOf,
    AtLeast,
    Attested,
    Change,
    Composite,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    NoneOf,
    OnDrug,
    Part,
    Programme,
    Specialist,
    Taking,
    Trial,
    Use,
)

_LEAVES: dict[type, Callable[[Any, Judge, bool], Shown]] = {
    Age: evidence.age,
    Condition: evidence.condition,
    Lab: evidence.lab,
    Measured: evidence.measured,
    Programme: evidence.programme,
    Attested: evidence.attested,
    Specialist: evidence.specialist,
    Change: evidence.change,
    Use: evidence.use,
    Trial: courses.trial,
    Intolerance: courses.intolerance,
    AllergyTo: courses.allergy,
    Taking: courses.taking,
    OnDrug: courses.on_drug,
}


def judge(
    node: Node,
    patient: Patient,
    request: Request,
    as_of: date,
    *,
    therapy_start: date | None = None,
    policy_id: str = "",
) -> Finding:
    """The finding on one tree, for one patient and request on one day."""
    return evaluate(node, Judge(patient, request, as_of, therapy_start, policy_id))


def evaluate(node: Node, judge: Judge, exclude: bool = False) -> Finding:
    """The finding on a node; with `exclude`, `met` means that it is absent."""
    leaf = _LEAVES.get(type(node))
    if leaf is None:
        return _composite(cast("Composite", node), judge, exclude)
    shown, records, detail, reason, fix = leaf(node, judge, exclude)
    status: Status = "unknown" if shown is None else "met" if shown is not exclude else "not_met"
    return Finding(
        criterion=node.id,
        status=status,
        text=node.text or node.id,
        clause=clause_of(node, judge.policy_id),
        evidence=records,
        detail=detail,
        reason=reason if shown is None else None,
        fix=None if status == "met" else fix,
        exclusion=exclude,
    )


def clause_of(node: Part, policy_id: str) -> ClauseRef | None:
    """Where the policy says it; None for a rule that was never printed."""
    if not node.clause_id:
        return None
    return ClauseRef(policy_id=policy_id, clause_id=node.clause_id, quote=node.quote)


def _composite(node: Composite, judge: Judge, exclude: bool) -> Finding:
    inner = not exclude if type(node) is NoneOf else exclude
    parts = tuple([evaluate(child, judge, inner) for child in node.children])
    needed = _needed(node, exclude)
    status = at_least(needed, [part.status for part in parts])
    deciding = [part for part in parts if part.status == status] or parts
    return Finding(
        criterion=node.id,
        status=status,
        text=node.text or node.id,
        clause=clause_of(node, judge.policy_id),
        evidence=tuple([item for part in deciding for item in part.evidence]),
        detail="; ".join(dict.fromkeys([part.detail for part in deciding if part.detail])),
        reason=deciding[0].reason if status == "unknown" else None,
        fix=None if status == "met" else _fix(needed == len(parts), parts),
        exclusion=exclude,
        parts=parts,
    )


def _needed(node: Composite, exclude: bool) -> int:
    """How many of the children's findings must be met. Excluding an any-of asks that all be absent."""
    count = len(node.children)
    if type(node) is NoneOf:
        return 1 if exclude else count
    wanted = count if type(node) is AllOf else node.k if type(node) is AtLeast else 1
    return count - wanted + 1 if exclude else wanted


def at_least(needed: int, statuses: Sequence[Status]) -> Status:
    """Kleene's k-of-n: all-of is n of n, any-of 1 of n."""
    met = statuses.count("met")
    if met >= needed:
        return "met"
    return "unknown" if met + statuses.count("unknown") >= needed else "not_met"


def _fix(every: bool, parts: tuple[Finding, ...]) -> str | None:
    """What would change it: every open part where all are needed, else any of those that can still be met."""
    wanted = [part for part in parts if part.fix]
    if not every:
        wanted = [part for part in wanted if part.status == "unknown"] or wanted
        wanted = [part for part in wanted if not (part.fix or "").startswith(evidence.ONLY)] or wanted
    fixes = list(dict.fromkeys(part.fix for part in wanted if part.fix))
    if len(fixes) < 2:
        return fixes[0] if fixes else None
    first, *rest = fixes
    more = [fix[0].lower() + fix[1:] for fix in rest]
    if every:
        return "; and ".join((first, *more))
    return (
        f"{first}, or {more[0]}"
        if len(more) == 1
        else "One of: " + "; ".join((first[0].lower() + first[1:], *more))
    )
