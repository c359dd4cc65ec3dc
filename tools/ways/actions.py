"""What would have to be done before a request is complete: the actions that each open finding leaves, and the
smallest sets of them that leave nothing open.

A value that is what it is, an age, a diagnosis that nobody made: such a finding has no action, and a case with one
has no way. A way promises nothing: a new HbA1c may come back too low, and the payer decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, product
from typing import NamedTuple

from tools.domain import rules
from tools.domain.records import Determination, Finding, Plan
from tools.engine.criteria import needed
from tools.ways.candidates import renewal_of, rule_of

MOST_WAYS = 4  # of one case; the smallest
# In the order in which a specialist does them: what exists, what is said, what is measured, what takes time.
KINDS = ("record", "document", "statement", "order", "lab", "consult", "stop", "programme", "trial")
_DAYS = {"days": 1, "weeks": 7, "months": 30}  # about


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
    if rule is None and found.outcome != "quantity_exception":
        return ()
    nodes = _nodes(rule, found) if rule else {}
    sets = _all_of(_of(one, nodes.get((one.criterion, one.exclusion))) for one in found.findings)
    return tuple(
        tuple(sorted(one, key=lambda action: (KINDS.index(action.kind), action.what))) for one in sets
    )


def _nodes(rule: rules.Rule, found: Determination) -> dict[tuple[str, bool], rules.Node | rules.Required]:
    """Of which part of the rule a finding is, by its name and whether it is an exclusion."""
    tree = renewal_of(rule, found) or rule.criteria
    criteria = {(node.id, False): node for node in (*rule.documents, *tree.children)}
    return {**criteria, **{(node.id, True): node for node in rule.exclusions}}


def _of(finding: Finding, node: rules.Node | rules.Required | None) -> _Sets:
    """The sets of actions of which any one settles the finding; none if nothing does."""
    if finding.status == "met":
        return _DONE
    if isinstance(node, rules.AllOf | rules.AnyOf | rules.AtLeast | rules.NoneOf):
        parts = [_of(part, child) for part, child in zip(finding.parts, node.children, strict=True)]
        wanted = needed(node, finding.exclusion) - sum(part is _DONE for part in parts)
        can = [part for part in parts if part and part is not _DONE]
        if wanted <= 0:
            return _DONE
        return _smallest(one for chosen in combinations(can, wanted) for one in _all_of(chosen))
    step = _order(finding) if node is None else _step(finding, node)
    return [frozenset((Action(*step, finding.criterion),))] if step else []


def _all_of(parts: Iterable[_Sets]) -> _Sets:
    """Every part settled."""
    sets = _DONE
    for part in parts:
        sets = _smallest(_once(one, other) for one, other in product(sets, part))
    return sets


def _once(one: frozenset[Action], other: frozenset[Action]) -> frozenset[Action]:
    """Both, with what both do done once: a new HbA1c brings its report, the longer trial is the shorter one, too."""
    known = {(action.kind, action.what): action for action in one}
    for action in other:
        same = known.get((action.kind, action.what))
        if same is None or action.days > same.days:
            known[action.kind, action.what] = action
    return frozenset(known.values())


def _smallest(sets: Iterable[frozenset[Action]]) -> _Sets:
    """Without those that hold another one, fewest actions and days first."""
    kept: _Sets = []
    for one in sorted(set(sets), key=lambda one: (len(one), sum(a.days for a in one), sorted(one))):
        if not any(other <= one for other in kept):
            kept.append(one)
    return kept[:MOST_WAYS]


def _order(finding: Finding) -> tuple[str, str, str, int] | None:
    if finding.kind == "dose":
        return "order", "dose", f"an order at the label's dose: {finding.text}", 0
    if finding.criterion == "quantity":
        return "order", "quantity", f"an order within the limit: {finding.text}", 0
    return None


def _step(finding: Finding, node: rules.Node | rules.Required) -> tuple[str, str, str, int] | None:
    """Kind, what, text and days of what settles a leaf. What is not known is measured, stated, or found in what is
    there; what is known not to be so only time or a person can change, and often nobody: None."""
    text, known = finding.text, finding.status == "not_met"
    match node:
        case rules.Required(of="lab"):  # the value that comes in brings its report along
            return "lab", node.test, text, 0
        case rules.Required(of="programme"):
            return "record", "programme", text, 0
        case rules.Required():
            return "document", f"{node.of} {node.test}".strip(), text, 0
        case rules.Specialist():
            return "consult", " ".join(node.specialties), text, 0
        case rules.Trial() if known:
            return "trial", node.label, text, node.min_days
        case rules.Programme() if known:
            least = node.min_duration
            return "programme", node.programme, text, least.count * _DAYS[least.unit]
        case rules.OnDrug() if known:
            return "trial", "the drug itself", text, node.min_months * _DAYS["months"]
        case rules.Taking() if known and finding.exclusion:
            return "stop", node.label, f"stop {node.label}, if the clinician agrees", 0
        case _ if known:
            return None
        case rules.Lab() | rules.Change():
            return "lab", node.test, text, 0
        case rules.Measured():
            return "lab", " ".join(node.tests), text, 0
        case rules.Condition():
            return "statement", node.topic or node.label, text, 0
        case rules.Attested():
            return "statement", node.topic, text, 0
        case rules.Programme():
            return "record", "programme", text, 0
    return "record", getattr(node, "label", "") or finding.criterion, text, 0
