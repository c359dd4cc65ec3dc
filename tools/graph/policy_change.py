"""Which criterion, were it not asked, would let most patients through: those whom it alone stops.

Asked is every patient whom the label does not rule out, under the plan on file, for each drug that the plan covers. A
criterion that is not met stops a patient; one that is merely not shown needs a document, and no other policy.
"""

from __future__ import annotations

from datetime import date

from tools.graph.asking import Asked
from tools.graph.cells import LEAST, shown
from tools.graph.statistics import wilson
from tools.records import Record


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
    totals: dict[tuple[str, str], tuple[int, int]] = {}
    for plan, name, outcome, n, _ in asked.rows("asked"):
        every, ready = totals.get((plan, name), (0, 0))
        totals[plan, name] = every + n, ready + (n if outcome == "ready" else 0)
    counts: dict[tuple[str, ...], dict[str, tuple[int, int]]] = {}
    for row in asked.rows("criteria"):
        *what, status, n, ordered = row
        if (not plan_id or what[1] == plan_id) and (not drug or what[2] == drug):
            counts.setdefault(tuple(what), {})[status] = n, ordered
    found, few = [], 0
    for criterion, by_status in counts.items():
        stopped, ordered = by_status.get("not_met", (0, 0))
        if stopped >= LEAST:
            unknown, _ = by_status.get("unknown", (0, 0))
            found.append(_change(criterion, totals[criterion[1], criterion[2]], stopped, ordered, unknown))
        else:
            few += stopped > 0
    found.sort(key=lambda one: (-one.stopped, one.plan_id, one.drug, one.criterion, one.kind))
    return PolicyChanges(
        as_of=asked.state.as_of,
        patients=asked.state.patients,
        changes=tuple(found[:most]),
        fewer_than_five=few,
    )


def _change(
    criterion: tuple[str, ...], totals: tuple[int, int], stopped: int, ordered: int, unknown: int
) -> PolicyChange:
    key, plan_id, drug, indication, name, text, clause, part = criterion
    every, ready = totals
    low, high = wilson(stopped, every)
    return PolicyChange(
        plan_id=plan_id,
        drug=drug,
        indication=indication,
        criterion=name,
        text=text,
        clause=clause,
        part=part,
        kind=key.split("/")[-3],
        asked=every,
        ready=shown(ready),
        stopped=stopped,
        stopped_ordered=shown(ordered) if shown(stopped - ordered) is not None else None,
        undocumented=shown(unknown),
        share=round(stopped / every, 4),
        interval=(round(low, 4), round(high, 4)),
    )
