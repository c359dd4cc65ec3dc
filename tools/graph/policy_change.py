"""Which criterion, were it not asked, would let most patients through: those whom it alone stops.

Asked is every patient whom the label does not rule out, under the plan on file, for each drug that the plan covers. A
criterion that is not met stops a patient; one that is merely not shown needs a document, and no other policy.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from tools.common.statistics import LEAST, shown, wilson
from tools.domain.records import Record
from tools.graph.asking import Asked


class PolicyChange(Record, frozen=True, kw_only=True):
    """One criterion of one rule. `stopped` would be ready without it; `undocumented` lack only its evidence, and None
    is fewer than five; `asked` is everybody whom the drug was asked for. `share` is of stopped among asked."""

    plan_id: str
    drug: str
    indication: str
    criterion: str
    text: str
    clause: str
    part: str  # criterion, exclusion, quantity, document
    kind: str  # of request: new or renewal
    asked: int
    ready: int | None
    stopped: int
    stopped_ordered: int | None  # of them, for whom the drug is ordered
    undocumented: int | None
    share: float
    interval: tuple[float, float]


class PolicyChanges(Record, frozen=True, kw_only=True):
    """Most patients first. `fewer_than_five` criteria stop somebody, and too few to be told of."""

    as_of: date
    patients: int
    changes: tuple[PolicyChange, ...]
    fewer_than_five: int


def policy_changes(asked: Asked, *, plan_id: str = "", drug: str = "", most: int = 20) -> PolicyChanges:
    """Of all plans and drugs, or of one of each."""
    totals: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for plan, name, outcome, n in asked.rows("asked"):
        totals[plan, name][outcome] += n
    counts: dict[tuple[str, ...], dict[str, tuple[int, int]]] = defaultdict(dict)
    for *what, status, n, ordered in asked.rows("criteria"):
        if (not plan_id or what[0] == plan_id) and (not drug or what[1] == drug):
            counts[tuple(what)][status] = n, ordered
    stopping = {what: by_status for what, by_status in counts.items() if "not_met" in by_status}
    found = [
        _change(what, totals[what[0], what[1]], by_status)
        for what, by_status in stopping.items()
        if by_status["not_met"][0] >= LEAST
    ]
    found.sort(key=lambda one: (-one.stopped, one.plan_id, one.drug, one.criterion, one.kind))
    return PolicyChanges(
        as_of=asked.state.as_of,
        patients=asked.state.patients,
        changes=tuple(found[:most]),
        fewer_than_five=len(stopping) - len(found),
    )


def _change(
    what: tuple[str, ...], outcomes: Counter[str], by_status: dict[str, tuple[int, int]]
) -> PolicyChange:
    (stopped, ordered), (unknown, _) = by_status["not_met"], by_status.get("unknown", (0, 0))
    every = outcomes.total()
    low, high = wilson(stopped, every)
    return PolicyChange(
        **dict(zip(PolicyChange.__struct_fields__, what, strict=False)),
        asked=every,
        ready=shown(outcomes["ready"]),
        stopped=stopped,
        stopped_ordered=shown(ordered) if shown(stopped - ordered) is not None else None,
        undocumented=shown(unknown),
        share=round(stopped / every, 4),
        interval=(round(low, 4), round(high, 4)),
    )
