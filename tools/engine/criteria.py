"""Evaluates a criteria tree: pure, three-valued, with what shows each criterion.

`met` always favours the patient, so under an exclusion (`exclude=True`) a leaf asks whether the thing is
absent. Missing, stale or conflicting evidence is unknown; all-of, any-of and at-least follow Kleene's
strong logic, and none-of is the negation of any-of.

A node is compiled once (`CompiledLeaf`, `CompiledComposite`) and then asked of many charts. Leaves that ask the same
are one `Question`, whatever rule they stand in; a chart is asked it once a day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

from msgspec.structs import replace

from tools.domain.records import ClauseRef, Evidence, Finding, Request, Status
from tools.domain.rules import (
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
    Rule,
    Specialist,
    Taking,
    Trial,
    Use,
)
from tools.evidence import certainty, courses, diagnoses, labs, statements
from tools.evidence.context import STATUS_ONLY, EvaluationContext, LeafResult
from tools.messages import Action, Message, both, choice, message
from tools.rulebook.plain import asks

_LEAVES: dict[type, Callable[[Any, EvaluationContext, bool], LeafResult]] = {
    Age: statements.age,
    Condition: diagnoses.condition,
    Lab: labs.lab,
    Measured: labs.measured,
    Programme: statements.programme,
    Attested: statements.attested,
    Specialist: statements.specialist,
    Change: labs.change,
    Use: statements.use,
    Trial: courses.trial,
    Intolerance: courses.intolerance,
    AllergyTo: courses.allergy,
    Taking: courses.taking,
    OnDrug: courses.on_drug,
}
# Leaves whose answer may be another for another request, and when.
_BY_REQUEST: dict[type, Callable[[Any, EvaluationContext], bool]] = {
    Use: lambda leaf, context: True,
    OnDrug: lambda leaf, context: True,
    Change: lambda leaf, context: leaf.since == "renewal" or context.therapy_start is not None,
    Lab: lambda leaf, context: context.therapy_start is not None,
    AllergyTo: lambda leaf, context: bool(context.patient.allergies),
    Taking: lambda leaf, context: context.takes_it(),
}


def evaluate(node: Node, context: EvaluationContext, exclude: bool = False) -> Finding:
    """The finding on a node; with `exclude`, `met` means that it is absent."""
    kept: CompiledCriterion | None = node.__dict__.get("excluded" if exclude else "asked")
    if kept is None or kept.policy_id != context.policy_id:
        kept = _compiled(node, exclude, context.policy_id)
    return kept.finding(context)


def findings_of(rule: Rule, context: EvaluationContext) -> tuple[list[Finding], list[Finding]]:
    """The findings on a rule's criteria, or on those of its renewal if it has some and one is asked for, and on
    its exclusions."""
    criteria, exclusions = compiled_criteria(rule, context.request)
    return [compiled.finding(context) for compiled in criteria], [
        compiled.finding(context) for compiled in exclusions
    ]


def compiled_criteria(
    rule: Rule, request: Request
) -> tuple[list[CompiledCriterion], list[CompiledCriterion]]:
    """The criteria and the exclusions that a rule asks for this request, compiled."""
    tree = rule.criteria_of(request.kind, len(request.approvals))
    place = f"asked by {tree.id}"
    kept: tuple[list[CompiledCriterion], list[CompiledCriterion]] | None = rule.__dict__.get(place)
    if kept is None:
        kept = rule.__dict__[place] = (
            [_compiled(node, False, rule.policy_id) for node in tree.children],
            [_compiled(node, True, rule.policy_id) for node in rule.exclusions],
        )
    return kept


def clause_of(node: Part, policy_id: str) -> ClauseRef | None:
    """Where the policy says it; None for a rule that was never printed."""
    if not node.clause_id:
        return None
    kept: ClauseRef | None = node.__dict__.get("clause")
    if kept is None or kept.policy_id != policy_id:
        kept = ClauseRef(policy_id=policy_id, clause_id=node.clause_id, quote=node.quote)
        node.__dict__["clause"] = kept
    return kept


def _compiled(node: Node, exclude: bool, policy_id: str) -> CompiledCriterion:
    """The node compiled. It stays with the node, and does not point back to it."""
    make = CompiledLeaf if type(node) in _LEAVES else CompiledComposite
    compiled: CompiledCriterion = make(cast("Any", node), exclude, policy_id)
    node.__dict__["excluded" if exclude else "asked"] = compiled
    return compiled


# --- leaves ----------------------------------------------------------------------------------------------


class Question:
    """What a leaf asks, without where the rule says it. One object for all leaves that ask the same."""

    __slots__ = ("by_request", "evidence", "exclude", "if_not_shown", "if_shown", "leaf", "sex")

    def __init__(self, leaf: Part, exclude: bool) -> None:
        self.leaf = leaf
        self.exclude = exclude
        self.evidence = _LEAVES[type(leaf)]
        self.sex = leaf.sex if isinstance(leaf, Condition) else None
        self.if_not_shown, self.if_shown = certainty.checks_of(type(leaf))
        self.by_request = None if _is_of_chart(leaf) else _BY_REQUEST.get(type(leaf))

    def ask(self, context: EvaluationContext) -> LeafResult:
        """The chart's answer, which stays with the day unless another request would get another one."""
        if self.by_request is not None:
            if context.overrides and self in context.overrides:
                return context.overrides[self]
            if self.by_request(self.leaf, context):
                return self._answer(context)
            known = context.answers.get(self)
            if known is not None:
                return known
        answer = context.answers[self] = self._answer(context)
        return answer

    def _answer(self, context: EvaluationContext) -> LeafResult:
        """What its own evidence shows, as far as nothing else on record speaks against it."""
        leaf, exclude = self.leaf, self.exclude
        answer = self.evidence(leaf, context, exclude)
        shown = answer.shown
        if shown is None or not (self.sex is None or context.patient.sex in (self.sex, "unknown")):
            return answer  # what only one sex has is settled by the other, whatever else is on record
        for check in self.if_shown if shown else self.if_not_shown:
            doubt = check(leaf, context, exclude, answer, self.evidence)
            if doubt is not None:
                return STATUS_ONLY[None] if context.status_only else doubt
        return answer


def _is_of_chart(leaf: Part) -> bool:
    """Asks it for what no request can change, though others of its kind do?"""
    return (isinstance(leaf, Lab) and leaf.at != "baseline") or (
        isinstance(leaf, AllergyTo) and not leaf.requested
    )


@lru_cache(maxsize=16384)
def _question(leaf: Part, exclude: bool) -> Question:
    return Question(leaf, exclude)


class CompiledLeaf:
    """A leaf compiled: its question, and what of its finding never changes."""

    children: Sequence[CompiledCriterion] = ()
    __slots__ = ("blank", "criterion", "exclude", "policy_id", "question")

    def __init__(self, node: Part, exclude: bool, policy_id: str) -> None:
        bare = replace(node, id="", text="", clause_id="", quote="", question="")
        self.question = _question(bare, exclude)
        self.criterion = node.id
        self.blank = Finding(
            criterion=node.id,
            status="unknown",
            text=node.text or node.id,
            clause=clause_of(node, policy_id),
            asks=asks(node),
            exclusion=exclude,
        )
        self.exclude = exclude
        self.policy_id = policy_id

    def status(self, context: EvaluationContext) -> Status:
        """Its finding's status, without the finding."""
        question = self.question
        answer = context.answers.get(question) if question.by_request is None else None
        if answer is None:
            answer = question.ask(context)
        shown = answer.shown
        return "unknown" if shown is None else "met" if shown is not self.exclude else "not_met"

    def finding(self, context: EvaluationContext) -> Finding:
        question = self.question
        answer = context.answers.get(question) if question.by_request is None else None
        if answer is None:
            answer = question.ask(context)
        shown, blank = answer.shown, self.blank
        if shown is None:
            return replace(
                blank,
                evidence=answer.records,
                found=answer.found,
                reason=answer.reason,
                action=answer.action,
            )
        if shown is self.exclude:
            return replace(
                blank, status="not_met", evidence=answer.records, found=answer.found, action=answer.action
            )
        return replace(blank, status="met", evidence=answer.records, found=answer.found)


# --- composites ------------------------------------------------------------------------------------------


class CompiledComposite:
    """A composite compiled: its children, how many of them must be met, and what never changes."""

    question = None
    __slots__ = ("asks", "children", "clause", "criterion", "exclude", "needed", "policy_id", "text")

    def __init__(self, node: Composite, exclude: bool, policy_id: str) -> None:
        inner = not exclude if type(node) is NoneOf else exclude
        self.children = [_compiled(child, inner, policy_id) for child in node.children]
        self.needed = needed(node, exclude)
        self.asks = asks(node)
        self.criterion = node.id
        self.text = node.text or node.id
        self.clause = clause_of(node, policy_id)
        self.exclude = exclude
        self.policy_id = policy_id

    def status(self, context: EvaluationContext) -> Status:
        """Its finding's status, without the finding: children are asked until it is settled."""
        met = unknown = 0
        left = len(self.children)
        for child in self.children:
            if met >= self.needed or met + unknown + left < self.needed:
                break
            status = child.status(context)
            left -= 1
            if status == "met":
                met += 1
            elif status == "unknown":
                unknown += 1
        if met >= self.needed:
            return "met"
        return "unknown" if met + unknown + left >= self.needed else "not_met"

    def finding(self, context: EvaluationContext) -> Finding:
        parts = tuple([child.finding(context) for child in self.children])
        status = at_least(self.needed, [part.status for part in parts])
        deciding = [part for part in parts if part.status == status] or parts
        one = deciding[0]
        return Finding(
            criterion=self.criterion,
            status=status,
            text=self.text,
            clause=self.clause,
            asks=self.asks,
            evidence=one.evidence if len(deciding) == 1 else _evidence_of(deciding),
            found=one.found if len(deciding) == 1 else _found_of(deciding),
            reason=one.reason if status == "unknown" else None,
            action=None if status == "met" else _action(self.needed, parts),
            exclusion=self.exclude,
            parts=parts,
            needed=self.needed,
        )


CompiledCriterion = CompiledLeaf | CompiledComposite
_Told = TypeVar("_Told", bound=Message)


def needed(node: Composite, exclude: bool) -> int:
    """How many of the children's findings must be met. Excluding an any-of asks that all be absent."""
    count = len(node.children)
    if type(node) is NoneOf:
        return 1 if exclude else count
    wanted = count if type(node) is AllOf else node.k if type(node) is AtLeast else 1
    return count - wanted + 1 if exclude else wanted


def _evidence_of(parts: Sequence[Finding]) -> tuple[Evidence, ...]:
    return tuple([item for part in parts for item in part.evidence])


def _found_of(parts: Sequence[Finding]) -> Message | None:
    found = _each_once([part.found for part in parts if part.found is not None])
    return message("several", found=tuple(found)) if len(found) > 1 else found[0] if found else None


def at_least(needed: int, statuses: Sequence[Status]) -> Status:
    """Kleene's k-of-n: all-of is n of n, any-of 1 of n."""
    met = statuses.count("met")
    if met >= needed:
        return "met"
    return "unknown" if met + statuses.count("unknown") >= needed else "not_met"


def _action(needed: int, parts: tuple[Finding, ...]) -> Action | None:
    """What would change it: every open part where all are needed, else as many as are, of those that can still be
    met."""
    every = needed == len(parts)
    lacking = needed - sum(part.status == "met" for part in parts)
    wanted = [(part.status, part.action) for part in parts if part.action is not None]
    if not every and len(wanted) > 1:
        wanted = [one for one in wanted if one[0] == "unknown"] or wanted
        wanted = [one for one in wanted if one[1].effort != "chance"] or wanted
    actions = _each_once([one for _, one in wanted])
    if len(actions) < 2:
        return actions[0] if actions else None
    return both(actions) if every or lacking >= len(actions) else choice(actions, lacking)


def _each_once(items: list[_Told]) -> list[_Told]:
    """They are few, and comparing them costs less than hashing."""
    if len(items) < 2:
        return items
    kept: list[_Told] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept
