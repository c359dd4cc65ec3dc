"""The store as one conversation sees it: one patient, one day, and what can be asked about them.

The patient is bound here, by the server; no question below takes a patient's id, so neither a model nor a
text that it reads can ask about anybody else. Chat, the toolbox and MCP all ask through this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from tools.common.errors import Invalid, NotFound
from tools.domain.records import Benefit, Determination, Drug, Patient, Plan, Policy, Request
from tools.engine.what_if import Change, Insured, Scenario, suppose
from tools.lifecycle.running import clocks_of
from tools.messages import message
from tools.papers.case import Case
from tools.queries.check import Asked, ask, decide, plan_on_file
from tools.queries.policies import search
from tools.store.rows import is_of
from tools.ways.suppositions import steps_supposed

if TYPE_CHECKING:
    from tools.lifecycle.records import AuthorizationCase
    from tools.lifecycle.running import Clock
    from tools.store.clauses import Hit
    from tools.store.store import Store


class Bound:
    """One patient of the store on one day; everything is looked up when it is first asked for."""

    def __init__(
        self, store: Store, patient_id: str, *, as_of: date | None = None, plan_id: str = ""
    ) -> None:
        self.store = store
        self.patient: Patient = store.patient(patient_id)
        self._plan_id = plan_id
        self.as_of: date = as_of or store.day_of(self.patient)
        self._decided: dict[tuple[str, str], Determination] = {}

    @cached_property
    def plan(self) -> Plan:
        """The plan asked for, or else the one on file; Invalid if there is none."""
        return self.store.plan(self._plan_id or plan_on_file(self.patient))

    @cached_property
    def benefits(self) -> Mapping[str, Benefit]:
        """What the plan lists, by drug; nothing where no plan is on file."""
        try:
            return self.plan.benefits
        except Invalid:
            return {}

    @cached_property
    def plan_names(self) -> dict[str, str]:
        """Of every plan of the store, by id."""
        return {plan.id: plan.name for plan in self.store.plans()}

    @cached_property
    def drugs(self) -> list[Drug]:
        return self.store.drugs()

    def benefit(self, drug: str) -> Benefit | None:
        """What the plan says of the drug; None if it does not list it."""
        return self.plan.benefits.get(self.store.drug(drug).name)

    def policy(self, drug: str) -> Policy | None:
        return self.store.policy(self.plan.id, self.store.drug(drug).name)

    def asked(self, drug: str, indication: str = "") -> Asked:
        """The complete request; Invalid if the plan has no rule for the drug."""
        return ask(
            self.store,
            self.patient.id,
            Request(drug=drug, indication=indication),
            plan_id=self.plan.id,
            as_of=self.as_of,
        )

    def determination(self, drug: str, indication: str = "") -> Determination:
        """The determination with its alternatives, made once."""
        key = (drug, indication)
        if key not in self._decided:
            self._decided[key] = decide(self.store, self.asked(drug, indication))
        return self._decided[key]

    def supposed(self, drug: str, changes: Iterable[Change], indication: str = "") -> Determination:
        """The determination of a changed copy of the chart; nothing of it is kept, and its summary says so.
        Invalid or NotFound says why something cannot be supposed."""
        wanted = tuple(changes)
        if not wanted:
            return self.determination(drug, indication)
        patient, plan, request, as_of = self.scenario(drug, wanted, indication)
        found = decide(self.store, Asked(patient, plan, self.store.drug(drug), request, as_of))
        conclusion = message("summary", **found.conclusion.params, hypothetical=True)
        return msgspec.structs.replace(found, conclusion=conclusion)

    def scenario(self, drug: str, changes: Iterable[Change], indication: str = "") -> Scenario:
        """What a determination of the changed copy is asked of. Invalid or NotFound says why something cannot be
        supposed."""
        wanted = tuple(changes)
        asked = self.asked(drug, indication)
        plans = self.store.plans() if any(isinstance(change, Insured) for change in wanted) else ()
        return suppose(asked.patient, asked.plan, asked.request, asked.as_of, wanted, self.drugs, plans)

    def steps_supposed(self, drug: str, indication: str = "", begun: bool = False) -> tuple[Change, ...]:
        """What the chart would hold once the steps were taken that are still wanted, as far as that can be said; with
        `begun`, once their courses were begun."""
        return steps_supposed(self.determination(drug, indication), self.asked(drug, indication), begun)

    def case(self, drug: str, indication: str = "") -> Case:
        """Everything that a text about this drug may draw on."""
        return self.asked(drug, indication).case(self.determination(drug, indication), self.policy(drug))

    def cases(self) -> list[AuthorizationCase]:
        """The patient's authorization cases as they stand now, in the order in which they were opened; not those of
        somebody who had the id in another world."""
        found = self.store.authorization_cases(self.patient.id)
        return [case for case in found if is_of(case.head.person, self.patient)]

    def clocks(self, case: AuthorizationCase) -> tuple[Clock, ...]:
        """The clocks of the case on this day; the law's and the letter's alone if its plan is no longer known."""
        try:
            plan = self.store.plan(case.head.plan_id)
        except NotFound:
            plan = None
        return clocks_of(case, plan, self.as_of)

    def compare(self, drugs: Iterable[str] = ()) -> list[Determination]:
        """A determination for each of these drugs, or for every drug that the plan lists."""
        wanted = list(drugs) or list(self.plan.benefits)
        return [self.determination(drug) for drug in wanted]

    def clauses(self, drug: str, question: str, k: int = 3) -> list[Hit]:
        """The clauses of this plan's policy for the drug that answer best; NotFound if there is no policy."""
        return search(self.store, self.plan.id, drug, question, k)
