"""What would have to be done before a request is complete: the actions that each open finding leaves, and the
smallest sets of them that leave nothing open.

A value that is what it is, an age, a diagnosis that nobody made: such a finding has no action, and a case with one
has no way. A way promises nothing: a new HbA1c may come back too low, and the payer decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from tools.criteria import needed
from tools.records import Determination, Finding, Plan
from tools.rules import (
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Change,
    Condition,
    Lab,
    Measured,
    Node,
    NoneOf,
    OnDrug,
    Period,
    Programme,
    Required,
    Rule,
    Specialist,
    Taking,
    Trial,
)

MOST_WAYS = 4  # of one case; the smallest
# In the order in which a specialist does them: what exists, what is said, what is measured, what takes time.
KINDS = ("record", "document", "statement", "order", "lab", "consult", "stop", "programme", "trial")


class Action(NamedTuple):
    """One thing to do. `days` is how long it takes at least, where the rule says so; `criterion` whose finding
    tells more of it."""

    kind: str
    what: str
    text: str
    days: int
    criterion: str


Way = tuple[Action, ...]
_Sets = list[frozenset[Action]]
_DONE: _Sets = [frozenset()]


def ways(found: Determination, plan: Plan) -> tuple[Way, ...]:
    """The smallest sets of actions, each in order; one empty way if nothing is open, none if something stays open
    whatever is done."""
    if found.outcome in ("ready", "not_required"):
        return ((),)
    rule = rule_of(found, plan)
    open_ones = [one for one in found.findings if one.status != "met"]
    if rule is None:
        return (_order(open_ones),) if found.outcome == "quantity_exception" else ()
    nodes = _nodes(rule, found)
    sets = _DONE
    for finding in open_ones:
        sets = _smallest(_joined(sets, _of(finding, nodes.get((finding.criterion, finding.exclusion)))))
    return tuple(tuple(sorted(one, key=_in_order)) for one in sets)


def rule_of(found: Determination, plan: Plan) -> Rule | None:
    """The rule that decided it; None if none did."""
    benefit = plan.benefits.get(found.drug)
    return next((rule for rule in benefit.rules if rule.id == found.rule_id), None) if benefit else None


def renewal_of(rule: Rule, found: Determination) -> AllOf | None:
    """The rule's criteria for a renewal, if it was judged by those."""
    tree = rule.criteria_of(found.request.kind, len(found.request.approvals))
    return None if tree is rule.criteria else tree


def _nodes(rule: Rule, found: Determination) -> dict[tuple[str, bool], Node | Required]:
    """Of which part of the rule a finding is."""
    tree = renewal_of(rule, found) or rule.criteria
    by_name: dict[tuple[str, bool], Node | Required] = {(paper.id, False): paper for paper in rule.documents}
    by_name |= {(node.id, False): node for node in tree.children}
    by_name |= {(node.id, True): node for node in rule.exclusions}
    return by_name


def _of(finding: Finding, node: Node | Required | None) -> _Sets:
    """The sets of actions of which any one settles the finding; none if nothing does."""
    if finding.status == "met":
        return _DONE
    if isinstance(node, AllOf | AnyOf | AtLeast | NoneOf):
        parts = [_of(part, child) for part, child in zip(finding.parts, node.children, strict=True)]
        return _enough(needed(node, finding.exclusion), parts)
    action = _order_action(finding) if node is None else _action(finding, node)
    return [frozenset((action,))] if action else []


def _enough(count: int, parts: Sequence[_Sets]) -> _Sets:
    """So many of the parts settled, in every way in which that can be done."""
    done = sum(part is _DONE for part in parts)
    can = [part for part in parts if part and part is not _DONE]
    wanted = count - done
    if wanted <= 0:
        return _DONE
    found: _Sets = []
    for chosen in combinations(can, wanted):
        sets = _DONE
        for part in chosen:
            sets = _smallest(_joined(sets, part))
        found += sets
    return _smallest(found)


def _joined(left: _Sets, right: _Sets) -> _Sets:
    return [_once(one, other) for one in left for other in right]


def _once(one: frozenset[Action], other: frozenset[Action]) -> frozenset[Action]:
    """Both, with what both do done once: a new HbA1c brings its report, the longer trial is the shorter one, too."""
    known = {(action.kind, action.what): action for action in one}
    for action in other:
        known_one = known.get((action.kind, action.what))
        if known_one is None or action.days > known_one.days:
            known[action.kind, action.what] = action
    return frozenset(known.values())


def _smallest(sets: Iterable[frozenset[Action]]) -> _Sets:
    """Without those that hold another one, fewest actions and days first."""
    ordered = sorted(set(sets), key=lambda one: (len(one), sum(a.days for a in one), sorted(one)))
    kept: _Sets = []
    for one in ordered:
        if not any(other <= one for other in kept):
            kept.append(one)
        if len(kept) == MOST_WAYS:
            break
    return kept


def _in_order(action: Action) -> tuple[int, str]:
    return KINDS.index(action.kind), action.what


def _action(finding: Finding, node: Node | Required) -> Action | None:
    """What settles a leaf; None where only another patient would."""
    text = finding.text
    if isinstance(node, Required):
        if node.of == "lab":  # the value that comes in brings its report along
            return Action("lab", node.test, text, 0, finding.criterion)
        kind = "record" if node.of == "programme" else "document"
        what = "programme" if node.of == "programme" else f"{node.of} {node.test}".strip()
        return Action(kind, what, text, 0, finding.criterion)
    if finding.status == "unknown":
        return _to_show(finding, node, text)
    return _to_happen(finding, node, text)


def _to_show(finding: Finding, node: Node, text: str) -> Action:
    """Nobody knows it yet: it is measured, stated, or found in what is there."""
    name = finding.criterion
    if isinstance(node, Lab | Change):
        return Action("lab", node.test, text, 0, name)
    if isinstance(node, Measured):
        return Action("lab", " ".join(node.tests), text, 0, name)
    if isinstance(node, Condition):
        return Action("statement", node.topic or node.label, text, 0, name)
    if isinstance(node, Attested):
        return Action("statement", node.topic, text, 0, name)
    if isinstance(node, Specialist):
        return Action("consult", " ".join(node.specialties), text, 0, name)
    if isinstance(node, Programme):
        return Action("record", "programme", text, 0, name)
    return Action("record", getattr(node, "label", "") or name, text, 0, name)


def _to_happen(finding: Finding, node: Node, text: str) -> Action | None:
    """It is known not to be so, and time or a person can change that."""
    name = finding.criterion
    if isinstance(node, Trial):
        return Action("trial", node.label, text, node.min_days, name)
    if isinstance(node, Programme):
        return Action("programme", node.programme, text, _in_days(node.min_duration), name)
    if isinstance(node, OnDrug):
        return Action("trial", "the drug itself", text, node.min_months * 30, name)
    if isinstance(node, Specialist):
        return Action("consult", " ".join(node.specialties), text, 0, name)
    if isinstance(node, Taking) and finding.exclusion:
        return Action("stop", node.label, f"stop {node.label}, if the clinician agrees", 0, name)
    return None


def _in_days(least: Period) -> int:
    """About how many days it takes."""
    return least.count * {"days": 1, "weeks": 7, "months": 30}[least.unit]


def _order_action(finding: Finding) -> Action | None:
    if finding.kind == "dose":
        return Action("order", "dose", f"an order at the label's dose: {finding.text}", 0, finding.criterion)
    if finding.criterion != "quantity":
        return None
    return Action("order", "quantity", f"an order within the limit: {finding.text}", 0, finding.criterion)


def _order(findings: Iterable[Finding]) -> Way:
    return tuple(action for one in findings if (action := _order_action(one)))
