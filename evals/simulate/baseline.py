"""The same year without Paladin's judgement: every order goes out on the day it is written, questions are answered with
what can be gathered, and a denial is the end of it.

The forms are filled as well as Paladin fills them, from the same charts, and the payer is the same.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from agent.drafts import papers
from evals.payer.answering import Payer, Reply
from evals.payer.papers import Paper
from evals.simulate.desk import POST_DAYS, case_of
from evals.simulate.enclosures import enclosures
from evals.simulate.gathering import gathering
from evals.simulate.records import Matter
from evals.simulate.world import Agenda, Arrival
from tools.common.errors import Correctable
from tools.domain.records import Patient, Request
from tools.papers.case import Case
from tools.papers.form_pdf import render_pdf
from tools.queries.check import ask
from tools.store.store import Store


class Baseline(Agenda):
    """A clinic that sends everything at once and never appeals."""

    def __init__(self, store: Store, payer: Payer, seed: int) -> None:
        super().__init__()
        self.store, self.payer, self.seed = store, payer, seed
        self.matters: list[Matter] = []
        self._charts: dict[str, Patient] = {}

    def play(self, arrivals: Sequence[Arrival], last: date) -> list[Matter]:
        self.live(arrivals, last)
        return self.matters

    def arrive(self, patient_id: str) -> None:
        patient = self.store.patient(patient_id)
        self._charts[patient.id] = patient
        for order in patient.orders[:1]:
            number = len(self.matters) + 1
            matter = Matter(number=number, patient_id=patient.id, drug=order.drug, ordered=self.day)
            self.matters.append(matter)
            try:
                case = self._case(matter)
            except Correctable as error:
                matter.end = str(error)
                continue
            matter.plan_id, matter.payer = case.plan.id, case.plan.payer
            matter.outcome, matter.submitted = case.determination.outcome, self.day
            reply = self.payer.submit(case.plan.id, *self._sent(case), self.day)
            matter.reference = reply.reference
            self._await(matter, reply)

    def _case(self, matter: Matter) -> Case:
        asked = ask(self.store, matter.patient_id, Request(drug=matter.drug), as_of=self.day)
        return case_of(self.store, asked._replace(patient=self._charts[matter.patient_id]))

    def _sent(self, case: Case) -> tuple[bytes, tuple[Paper, ...]]:
        """The form as PDF, and the papers that go with it."""
        form = papers.fill_form(self.store, case)
        pdf = render_pdf(self.store.form(case.plan.id), form, case)
        return pdf, enclosures(form, case.patient, self.day)

    def _draw(self, matter: Matter, what: str) -> random.Random:
        return random.Random(f"{self.seed}/{matter.patient_id}/{what}")

    def _await(self, matter: Matter, reply: Reply) -> None:
        days = self._draw(matter, f"post {reply.dated}").randint(0, POST_DAYS)
        self.plan(reply.dated + timedelta(days=days), lambda: self._answered(matter, reply))

    def _answered(self, matter: Matter, reply: Reply) -> None:
        kind = str(reply.letter.label["kind"]) if reply.letter else "not_needed"
        matter.first = matter.first or kind
        matter.mistake = matter.mistake or reply.mistake
        if kind in ("approval", "partial_approval", "not_needed"):
            matter.approved = self.day
            matter.started = self.day + timedelta(days=self._draw(matter, "pharmacy").randint(0, 3))
        elif kind == "pend":
            coming, chart = (
                gathering(self._case(matter), self._draw(matter, "gather")),
                self._charts[matter.patient_id],
            )
            by = max(reply.dated + timedelta(days=20), self.day)
            last = min(max([one.on for one in coming], default=self.day + timedelta(days=1)), by)
            for number, one in enumerate(coming):
                if one.on <= last:
                    record = msgspec.structs.replace(one.record, id=f"came-{number}")
                    changed = {one.part: (*(getattr(chart, one.part) or ()), record)}
                    chart = msgspec.structs.replace(chart, **changed)
            self._charts[matter.patient_id] = chart
            self.plan(last, lambda: self._answer(matter))
        else:
            matter.end = "denied"

    def _answer(self, matter: Matter) -> None:
        self._await(matter, self.payer.answer(matter.reference, *self._sent(self._case(matter)), self.day))
