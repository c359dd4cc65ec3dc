"""The screen of one patient: each drug of the plan on file, decided today and on the days on which it may turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Literal

import msgspec

from tools.domain.records import Authorization, Drug, Outcome, Patient, Plan, Request
from tools.engine.request import complete_request
from tools.engine.verdict import Verdict, verdict
from tools.evidence.context import carry_forward
from tools.evidence.courses import is_taken
from tools.screening.needs import single_needs
from tools.screening.turns import Turns

Asked = Literal["", "ordered", "taken"]


class Screened(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One drug for one patient.

    `indication` and `rule_id` name the use that it is ready for or waits for; of a denial, every use fails. `needs`
    are the single things of which any one would make it ready, easiest first. `changes_on` is the first day after
    as_of on which the outcome is another one if nothing is done, and `changes_to` that outcome. `asked`: the chart has
    an order for the drug, or the patient takes it. `approved_until`: the plan's approval that holds now.
    """

    patient_id: str
    plan_id: str
    payer: str
    drug: str
    as_of: date
    outcome: Outcome
    stopped_by: str
    kind: str
    indication: str
    rule_id: str
    asked: Asked
    needs: tuple[str, ...]
    approved_until: date | None
    changes_on: date | None
    changes_to: Outcome | None


class Panel:
    """Plans and drugs made ready for screening many charts, for one day and the `within` days after it."""

    def __init__(
        self,
        plans: Iterable[Plan],
        drugs: Iterable[Drug],
        *,
        within: int = 30,
        only: frozenset[str] = frozenset(),
    ) -> None:
        self.plans = {plan.id: plan for plan in plans}
        self.drugs = {drug.name: drug for drug in drugs}
        self.only = only
        self.within = within
        nobody = Patient(id="")
        self.starting = {
            name: complete_request(nobody, drug, Request(drug=name)) for name, drug in self.drugs.items()
        }
        self.folds = {name: name.casefold() for name in self.drugs}
        self.turns: dict[tuple[str, date], Turns] = {}

    def screen(self, patient: Patient, plan_id: str, as_of: date) -> Iterator[Screened]:
        """Each drug of the plan, or those of `only`; drugs that the catalog does not know are left out."""
        plan = self.plans[plan_id]
        cases: dict[str, tuple[Request, Verdict, tuple[str, ...]]] = {}
        for name in plan.benefits:
            if name in self.drugs and (not self.only or name in self.only):
                request = self._request(patient, name)
                found = verdict(patient, plan, request, as_of, nearest=False)
                needs = tuple([need.key for need in single_needs(found, plan)])
                cases[name] = request, found, needs
        changes = self._changes(patient, plan, as_of, cases) if self.within else {}
        approvals = _approvals(patient, plan, as_of)
        for name, (request, found, needs) in cases.items():
            day, outcome = changes.get(name, (None, None))
            rule = found.rule if found.outcome != "likely_denial" else None
            yield Screened(
                patient_id=patient.id,
                plan_id=plan_id,
                payer=plan.payer,
                drug=name,
                as_of=as_of,
                outcome=found.outcome,
                stopped_by=found.stopped_by,
                kind=found.request.kind or "",
                indication=rule.indication if rule else "",
                rule_id=rule.id if rule else "",
                asked=self._asked(patient, name, request, as_of),
                needs=needs,
                approved_until=approvals.get(name),
                changes_on=day,
                changes_to=outcome,
            )

    def _request(self, patient: Patient, name: str) -> Request:
        """Who has neither an order nor a course of it is asked for the label's starting package."""
        fold = self.folds[name]
        if fold not in patient.courses_by_drug and not any(
            order.drug.casefold() == fold for order in patient.orders
        ):
            return self.starting[name]
        return complete_request(patient, self.drugs[name], Request(drug=name))

    def _asked(self, patient: Patient, name: str, request: Request, as_of: date) -> Asked:
        if request.order_id:
            return "ordered"
        return "taken" if is_taken(patient.courses_by_drug.get(self.folds[name], ()), as_of) else ""

    def _changes(
        self,
        patient: Patient,
        plan: Plan,
        as_of: date,
        cases: Mapping[str, tuple[Request, Verdict, tuple[str, ...]]],
    ) -> dict[str, tuple[date, Outcome]]:
        """The first other outcome of each drug, by the engine, asked about the days on which it may turn."""
        turns = self.turns.get((plan.id, as_of))
        if turns is None:
            turns = self.turns[plan.id, as_of] = Turns(plan, as_of, self.within, self.drugs.values())
        found: dict[str, tuple[date, Outcome]] = {}
        turned: set[object] = set()
        anything = False
        for day, together in groupby(turns.of(patient), key=lambda turn: turn.day):
            mask = before_criteria = 0
            for turn in together:
                mask |= turn.drugs
                before_criteria |= 0 if turn.asked else turn.drugs
                turned.update(turn.asked or ())
                anything = anything or turn.asked is None
            looked_at = anything
            for place, name in enumerate(plan.benefits):
                if not mask >> place & 1 or name in found or name not in cases:
                    continue
                request, now, _ = cases[name]
                if now.rule is None and not before_criteria >> place & 1:
                    continue  # stopped before any criterion
                if not looked_at:
                    carry_forward(patient, day, turned)
                    looked_at = True
                outcome = verdict(patient, plan, request, day, nearest=False).outcome
                if outcome != now.outcome:
                    found[name] = day, outcome
        return found


def _approvals(patient: Patient, plan: Plan, as_of: date) -> dict[str, date]:
    """The last day of the plan's approvals that hold on the day, by drug."""
    held: dict[str, date] = {}
    for item in patient.authorizations:
        if _holds(item, plan, as_of):
            held[item.drug] = max(item.end, held.get(item.drug, item.end))
    return held


def _holds(item: Authorization, plan: Plan, as_of: date) -> bool:
    return item.plan_id == plan.id and item.start <= as_of <= item.end
