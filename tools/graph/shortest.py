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
from tools.check import plan_on_file
from tools.determine import determine
from tools.documents import walk
from tools.errors import Correctable, NotFound, PaladinError
from tools.graph.asking import Asked
from tools.graph.supposing import supposed_by
from tools.graph.ways import Action
from tools.records import Determination, Drug, Outcome, Patient, Plan, Record, Request
from tools.request import complete_request
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
    stopped: str = ""  # why no drug could be asked for at all


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
    cases = {row[0]: row for row in asked.rows("cases", id=patient_id)}
    if not cases and not asked.rows("patient", id=patient_id):
        raise NotFound("patient", patient_id, hint="of the graph")
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
    bench = _Bench.of(store, patient_id, as_of)
    return Shortest(
        patient_id=patient_id,
        plan_id=bench.plan.id if bench.plan else "",
        as_of=bench.as_of,
        ways=tuple(_way(bench, name, best[name]) for name in order[:most]),
        further=max(0, len(order) - most),
        no_way=tuple(_no_way(bench, name) for name in sorted(wanted) if name in cases and name not in best),
        stopped=bench.stopped() if not cases else "",
    )


class _Bench(NamedTuple):
    """What the engine is asked with, read once."""

    patient: Patient
    plan: Plan | None
    drugs: dict[str, Drug]
    as_of: date

    @classmethod
    def of(cls, store: Store, patient_id: str, as_of: date | None) -> _Bench:
        patient = store.patient(patient_id)
        day = as_of or store.day_of(patient)
        try:
            plan = store.plan(plan_on_file(patient))
        except Correctable:
            plan = None
        return cls(patient, plan, {drug.name: drug for drug in store.drugs()}, day)

    def case(self, drug: str, use: str = "") -> tuple[AskedOfEngine, Determination]:
        """The complete request, and what the engine says of it."""
        assert self.plan is not None  # a patient without a plan has no case
        request = complete_request(self.patient, self.drugs[drug], Request(drug=drug, indication=use))
        case = AskedOfEngine(self.patient, self.plan, self.drugs[drug], request, self.as_of)
        return case, determine(self.patient, self.plan, request, self.as_of)

    def stopped(self) -> str:
        """Why there is no case at all: no plan, or one that does not hold on the day."""
        if self.plan is None:
            return "no plan that is known is on file"
        for drug in self.plan.benefits:
            if drug in self.drugs:
                _, found = self.case(drug)
                if found.outcome == "wrong_plan":
                    return "; ".join((found.findings[0].detail, *found.next_actions[:1]))
        return ""


class _Plan(NamedTuple):
    """A way that the graph found, with the use that the drug would be asked for."""

    steps: int
    days: int
    use: str
    actions: tuple[Action, ...]


def _way(bench: _Bench, drug: str, planned: _Plan) -> Way:
    case, found = bench.case(drug, planned.use)
    actions = planned.actions
    after, left_out = _after(bench, case, found, actions)
    unproved = {action.criterion for action in left_out}
    return Way(
        drug=drug,
        indication=found.indication,
        tier=case.plan.benefits[drug].tier,
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
    bench: _Bench, case: AskedOfEngine, found: Determination, actions: Iterable[Action]
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
            case.patient, case.plan, case.request, case.as_of, changes, list(bench.drugs.values())
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


def _no_way(bench: _Bench, drug: str) -> NoWay:
    _, found = bench.case(drug)
    return NoWay(
        drug=drug,
        outcome=found.outcome,
        because=tuple(
            f"{one.text} ({one.detail})" if one.detail else one.text
            for one in found.findings
            if one.status == "not_met"
        ),
    )
