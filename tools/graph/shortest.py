"""The shortest way from one patient to a drug of the plan whose request would be complete: fewest actions first.

The graph holds the actions as edges and finds the ways. The engine tells each step in the words of its finding, and is
asked again with the steps supposed as done, as far as a step can be supposed (what_if). Nothing here is an approval: a
value that comes in may be another one, and the payer decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from tools.check import Asked as AskedOfEngine
from tools.check import ask
from tools.determine import determine
from tools.documents import walk
from tools.errors import NotFound, PaladinError
from tools.graph.asking import Asked
from tools.graph.supposing import supposed_by
from tools.graph.ways import Action
from tools.records import Determination, Outcome, Record, Request
from tools.what_if import suppose

if TYPE_CHECKING:
    from tools.store.store import Store

MOST = 5  # ways that are told in full


class WayStep(Record, frozen=True, kw_only=True):
    """One action. `fix` is the engine's next step for it; `days` how long it takes at least, where the rule says so."""

    kind: str
    text: str
    fix: str
    days: int
    clause: str = ""


class Way(Record, frozen=True, kw_only=True):
    """`outcome` is today's. `supposed` is the engine's outcome with all steps supposed that can be; `still_open` is
    what it then names beside what could not be supposed."""

    drug: str
    indication: str
    tier: int | None
    outcome: Outcome
    steps: tuple[WayStep, ...]
    days: int
    supposed: Outcome
    not_supposed: tuple[str, ...] = ()
    still_open: tuple[str, ...] = ()


class NoWay(Record, frozen=True, kw_only=True):
    """A drug of the plan for which nothing that anybody could do today leads to a complete request."""

    drug: str
    outcome: Outcome
    because: tuple[str, ...]


class Shortest(Record, frozen=True, kw_only=True):
    """Fewest steps first, then fewest days, then the lowest tier."""

    patient_id: str
    plan_id: str
    as_of: date
    ways: tuple[Way, ...]
    further: int  # drugs that have a way, too, and are not told in full
    no_way: tuple[NoWay, ...]


def shortest(
    asked: Asked,
    store: Store,
    patient_id: str,
    *,
    drug: str = "",
    as_of: date | None = None,
    most: int = MOST,
) -> Shortest:
    """Of all drugs of the plan on file that the label does not rule out, or of one."""
    if not asked.rows("patient", id=patient_id):
        raise NotFound("patient", patient_id, hint="of the graph")
    cases = {row[0]: row for row in asked.rows("cases", id=patient_id)}
    best: dict[str, _Plan] = {}
    for name, use, kinds, whats, texts, days, criteria in asked.rows("ways", id=patient_id):
        way = tuple(Action(*step) for step in zip(kinds, whats, texts, days, criteria, strict=True))
        planned = _Plan(len(way), sum(action.days for action in way), use, way)
        if name not in best or planned < best[name]:
            best[name] = planned
    wanted = {drug} if drug else {name for name, row in cases.items() if row[7]}
    order = sorted(
        (name for name in best if name in wanted),
        key=lambda name: (best[name][:2], cases[name][1] or 9, name),
    )
    told = [_way(store, patient_id, name, best[name], cases[name][1], as_of) for name in order[:most]]
    without = sorted(name for name in wanted if name in cases and name not in best)
    patient = store.patient(patient_id)
    return Shortest(
        patient_id=patient_id,
        plan_id=told[0][0].plan_id if told else patient.plan_id,
        as_of=told[0][0].as_of if told else asked.state.as_of,
        ways=tuple(way for _, way in told),
        further=len(order) - len(told),
        no_way=tuple(_no_way(store, patient_id, name, as_of) for name in without),
    )


class _Plan(NamedTuple):
    """A way that the graph found, with the use that the drug would be asked for."""

    steps: int
    days: int
    use: str
    actions: tuple[Action, ...]


def _way(
    store: Store, patient_id: str, drug: str, planned: _Plan, tier: int | None, as_of: date | None
) -> tuple[Determination, Way]:
    case = ask(store, patient_id, Request(drug=drug, indication=planned.use), as_of=as_of)
    found = determine(case.patient, case.plan, case.request, case.as_of)
    actions = planned.actions
    after, left_out = _after(store, case, found, actions)
    unproved = {action.criterion for action in left_out}
    return found, Way(
        drug=drug,
        indication=found.indication,
        tier=tier,
        outcome=found.outcome,
        steps=tuple(_step(action, found) for action in actions),
        days=planned.days,
        supposed=after.outcome,
        not_supposed=tuple(action.text for action in left_out),
        still_open=tuple(
            finding.text
            for finding in after.findings
            if finding.status != "met" and unproved.isdisjoint(one.criterion for one in walk([finding]))
        ),
    )


def _after(
    store: Store, case: AskedOfEngine, found: Determination, actions: Iterable[Action]
) -> tuple[Determination, list[Action]]:
    """The determination with every step supposed that can be, and the steps that cannot."""
    changes, left_out = [], []
    for action in actions:
        change = supposed_by(action, found, case)
        if change is None:
            left_out.append(action)
        else:
            changes.append(change)
    try:
        patient, plan, request, day = suppose(
            case.patient, case.plan, case.request, case.as_of, changes, store.drugs()
        )
    except PaladinError:  # e.g. a trial that would begin before the patient's birth
        return found, list(actions)
    return determine(patient, plan, request, day), left_out


def _step(action: Action, found: Determination) -> WayStep:
    finding = next((one for one in walk(found.findings) if one.criterion == action.criterion), None)
    return WayStep(
        kind=action.kind,
        text=action.text,
        fix=(finding.fix if finding else None) or action.text,
        days=action.days,
        clause=finding.clause.clause_id if finding and finding.clause else "",
    )


def _no_way(store: Store, patient_id: str, drug: str, as_of: date | None) -> NoWay:
    case = ask(store, patient_id, Request(drug=drug), as_of=as_of)
    found = determine(case.patient, case.plan, case.request, case.as_of)
    return NoWay(
        drug=drug,
        outcome=found.outcome,
        because=tuple(
            f"{one.text} ({one.detail})" if one.detail else one.text
            for one in found.findings
            if one.status == "not_met"
        ),
    )
