"""The order in which a specialist works a batch off: what can go, what lacks one thing, what is to be decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from agent.answers.wording.findings import deciding_leaf
from tools.domain.records import Determination, Finding, PARequest
from tools.domain.rules import Lab, Measured, Node, Programme, Required, Rule, Trial
from tools.engine.documents import walk
from tools.messages import VISIT, Action

if TYPE_CHECKING:
    from agent.batch.drafting import CaseLine

Stage = Literal["ready", "one_away", "clinician", "no_cure", "not_needed", "failed"]
STAGES: dict[Stage, str] = {
    "ready": "Ready to send",
    "one_away": "One document away",
    "clinician": "Needs a clinician",
    "no_cure": "Cannot be cured by documents",
    "not_needed": "No prior authorization needed",
    "failed": "Could not be worked on",
}


def stage_of(found: Determination, filled: PARequest | None, rule: Rule | None = None) -> Stage:
    """Where the case stands in the worklist. `filled` is its form, if there is one."""
    if found.outcome == "not_required":
        return "not_needed"
    if found.outcome in ("not_covered", "wrong_plan") or found.stopped_by == "exclusion":
        return "no_cure"
    if filled is not None and filled.ready:
        return "ready"
    if found.outcome in ("likely_denial", "quantity_exception"):
        return "clinician"
    steps = [finding.action for finding in _unmet(found, rule) if finding.action is not None]
    one = len(open_points(found, filled, rule)) == 1
    return "one_away" if one and not any(step.effort in VISIT for step in steps) else "clinician"


def open_points(found: Determination, filled: PARequest | None, rule: Rule | None = None) -> tuple[str, ...]:
    """What is missing or not met, each thing once. A form that lacks nothing else names its own blanks."""
    if found.outcome in ("not_required", "not_covered", "wrong_plan"):
        return ()
    points = [_named(finding) for finding in _unmet(found, rule)]
    if filled is not None and not filled.ready and (not points or filled.exceptions):
        points += [f"On the form: {label.removeprefix('Document: ')}" for label in filled.missing]
    return tuple(dict.fromkeys(points))


def _unmet(found: Determination, rule: Rule | None) -> list[Finding]:
    """Findings that keep it from going through: what fails first, then what is open; what one step settles, and a
    document that is but the record of what is open itself, counts once."""
    failing = [finding for finding in found.findings if finding.status == "not_met"]
    if found.stopped_by == "exclusion":
        return [finding for finding in failing if finding.exclusion]
    unknown = [finding for finding in found.findings if finding.status == "unknown"]
    by_step: dict[Action | str, Finding] = {}
    for finding in (*failing, *unknown):
        by_step.setdefault(finding.action or finding.criterion, finding)
    unmet = [*by_step.values()]
    papers = {paper.id: paper for paper in rule.documents} if rule else {}
    roots = (rule.criteria, *rule.renewals) if rule else ()
    nodes = {node.id: node for root in roots for node in _leaves(root)}
    open_parts = {part.criterion for part in walk(unmet) if part.status != "met"}
    open_leaves = [nodes[name] for name in open_parts & nodes.keys()]
    return [
        finding
        for finding in unmet
        if finding.criterion not in papers
        or not any(_is_record_of(papers[finding.criterion], leaf) for leaf in open_leaves)
    ]


def _is_record_of(paper: Required, leaf: Node) -> bool:
    """Would the record that meets this leaf be the paper, too?"""
    if paper.of == "lab":
        return (isinstance(leaf, Lab) and leaf.test == paper.test) or (
            isinstance(leaf, Measured) and paper.test in leaf.tests
        )
    if paper.of == "programme":
        return isinstance(leaf, Programme)
    return paper.of == "fills" and isinstance(leaf, Trial) and leaf.wants_fills


def _leaves(node: Node) -> Iterator[Node]:
    children = getattr(node, "children", ())
    if not children:
        yield node
    for child in children:
        yield from _leaves(child)


def _named(finding: Finding) -> str:
    """A composite by its id and the branch that is nearest: its own text lists them all."""
    name = finding.text or finding.criterion
    if finding.parts:
        leaf = deciding_leaf(finding)
        name = f"{finding.criterion.replace('_', ' ')}: {leaf.text or leaf.criterion}"
    return name[:1].upper() + name[1:]


def urgent_first(lines: Iterable[CaseLine]) -> list[CaseLine]:
    """What cannot wait, then the others; each in the order of the requests."""
    return sorted(lines, key=lambda line: line.urgency != "expedited")
