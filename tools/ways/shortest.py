"""The shortest way from one patient to a drug of the plan whose request would be complete: fewest actions first.

The engine judges the chart as it is, tells each step in the words of its finding, and is asked again with the steps
supposed as done, as far as a step can be supposed (supposing). Nothing here is an approval: a value that comes in may
be another one, and the payer decides.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tools.common.errors import Correctable, PaladinError
from tools.domain.records import Determination, Drug, Outcome, Patient, Plan, Record, Request
from tools.engine.determine import determine
from tools.engine.documents import walk
from tools.engine.request import complete_request
from tools.engine.what_if import suppose
from tools.queries.check import Asked, plan_on_file
from tools.ways.actions import Action, ways
from tools.ways.candidates import Candidate, candidates
from tools.ways.suppositions import supposed_by

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


class _Planned(NamedTuple):
    """A way for one use of a drug, in the order in which ways are preferred."""

    steps: int
    days: int
    use: str
    actions: tuple[Action, ...]


class _Chart(NamedTuple):
    """What the engine is asked with."""

    patient: Patient
    plan: Plan
    drugs: dict[str, Drug]
    as_of: date

    def case(self, drug: str, use: str = "") -> tuple[Asked, Determination]:
        """The complete request, and what the engine says of it."""
        request = complete_request(self.patient, self.drugs[drug], Request(drug=drug, indication=use))
        asked = Asked(self.patient, self.plan, self.drugs[drug], request, self.as_of)
        return asked, determine(self.patient, self.plan, request, self.as_of)


def shortest(
    store: Store, patient_id: str, *, drug: str = "", as_of: date | None = None, most: int = MOST
) -> Shortest:
    """Of all drugs of the plan on file that the label does not rule out, or of one.

    Args:
        store: where the patient is.
        patient_id: who is asked about; NotFound names ids that are near.
        drug: only this one.
        as_of: the day that is judged; by default the chart's own or the world's.
        most: ways that are told in full.
    """
    patient = store.patient(patient_id)
    day = as_of or store.day_of(patient)
    try:
        plan = store.plan(plan_on_file(patient))
    except Correctable:
        why = "no plan that is known is on file"
        return Shortest(
            patient_id=patient_id, plan_id="", as_of=day, ways=(), further=0, no_way=(), stopped=why
        )
    chart = _Chart(patient, plan, {one.name: one for one in store.drugs()}, day)
    known = {one.found.drug: one for one in candidates(*chart)}
    wanted = [name for name, one in known.items() if (name == drug if drug else one.uses)]
    best = {name: min(planned) for name in wanted if (planned := _planned(chart, known[name]))}
    order = sorted(best, key=lambda name: (best[name][:2], plan.benefits[name].tier or 9, name))
    return Shortest(
        patient_id=patient_id,
        plan_id=plan.id,
        as_of=day,
        ways=tuple(_way(chart, name, best[name]) for name in order[:most]),
        further=max(0, len(order) - most),
        no_way=tuple(_no_way(known[name].found) for name in sorted(wanted) if name not in best),
        stopped="" if known else _stopped(chart),
    )


def _planned(chart: _Chart, case: Candidate) -> list[_Planned]:
    """By the use that the drug would be asked for: the one that stands best today, else any that has a way."""
    found, _, uses = case
    if not uses:
        return []
    there = [(found.indication, way) for way in ways(found, chart.plan)]
    for use in uses if not there and not found.request.indication else ():
        if use != found.indication:
            request = msgspec.structs.replace(found.request, indication=use)
            other = determine(chart.patient, chart.plan, request, chart.as_of)
            there += [(use, way) for way in ways(other, chart.plan)]
    return [_Planned(len(way), sum(action.days for action in way), use, way) for use, way in there]


def _way(chart: _Chart, drug: str, planned: _Planned) -> Way:
    asked, found = chart.case(drug, planned.use)
    after, left_out = _after(chart, asked, found, planned.actions)
    unproved = {action.criterion for action in left_out}
    return Way(
        drug=drug,
        indication=found.indication,
        tier=chart.plan.benefits[drug].tier,
        outcome=found.outcome,
        steps=tuple(_step(action, found) for action in planned.actions),
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
    chart: _Chart, asked: Asked, found: Determination, actions: tuple[Action, ...]
) -> tuple[Determination, list[Action]]:
    """The determination with every step supposed that can be, and the steps that cannot."""
    supposed = [(action, supposed_by(action, found, asked)) for action in actions]
    changes = [change for _, change in supposed if change is not None]
    try:
        patient, plan, request, day = suppose(
            asked.patient, asked.plan, asked.request, asked.as_of, changes, list(chart.drugs.values())
        )
    except PaladinError:  # e.g. a trial that would begin before the patient's birth
        return found, list(actions)
    left_out = [action for action, change in supposed if change is None]
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


def _no_way(found: Determination) -> NoWay:
    because = (
        f"{one.text} ({one.detail})" if one.detail else one.text
        for one in found.findings
        if one.status == "not_met"
    )
    return NoWay(drug=found.drug, outcome=found.outcome, because=tuple(because))


def _stopped(chart: _Chart) -> str:
    """Why there is no case at all: the plan does not hold on the day."""
    for drug in chart.plan.benefits:
        if drug in chart.drugs and (found := chart.case(drug)[1]).outcome == "wrong_plan":
            return "; ".join((found.findings[0].detail, *found.next_actions[:1]))
    return ""
