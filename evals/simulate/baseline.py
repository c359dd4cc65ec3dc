"""The same year without Paladin's judgement: every order goes out on the day it is written, questions are answered with
what can be gathered, and a denial is the end of it.

The forms are filled as well as Paladin fills them, from the same charts, and the payer is the same.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from agent import papers
from evals.payer.answering import Payer, Reply
from evals.simulate.enclosures import enclosures
from evals.simulate.gathering import gathering
from evals.simulate.records import Matter
from evals.simulate.world import START, Arrival
from tools.common.errors import Correctable
from tools.domain.records import Patient, Request
from tools.papers.case import Case
from tools.papers.form_pdf import render_pdf
from tools.queries.check import Asked, decide
from tools.queries.check import ask as look_up
from tools.store.store import Store

POST_DAYS = 3


class Baseline:
    """A clinic that sends everything at once and never appeals."""

    def __init__(self, store: Store, payer: Payer, seed: int) -> None:
        self.store, self.payer, self.seed = store, payer, seed
        self.matters: list[Matter] = []
        self._planned: list[tuple[date, int, Callable[[date], None]]] = []
        self._charts: dict[str, Patient] = {}
        self._count = 0

    def live(self, arrivals: Sequence[Arrival], last: date) -> list[Matter]:
        for arrival in arrivals:
            self._plan(arrival.on, lambda day, arrival=arrival: self._arrive(arrival, day))  # type: ignore[misc]
        day = START
        while self._planned and (day := self._planned[0][0]) <= last:
            heapq.heappop(self._planned)[2](day)
        return self.matters

    def _plan(self, on: date, what: Callable[[date], None]) -> None:
        self._count += 1
        heapq.heappush(self._planned, (on, self._count, what))

    def _arrive(self, arrival: Arrival, day: date) -> None:
        patient = self.store.patient(arrival.patient_id)
        self._charts[patient.id] = patient
        for order in patient.orders[:1]:
            matter = Matter(number=len(self.matters) + 1, patient_id=patient.id, drug=order.drug, ordered=day)
            self.matters.append(matter)
            try:
                case = self._case(matter, day)
            except Correctable as error:
                matter.end = str(error)
                continue
            matter.plan_id, matter.payer, matter.outcome = (
                case.plan.id,
                case.plan.payer,
                case.determination.outcome,
            )
            matter.submitted = day
            form, pdf = self._form(case)
            reply = self.payer.submit(case.plan.id, pdf, enclosures(form, case.patient, day), day)
            matter.reference = reply.reference
            self._await(matter, reply)

    def _case(self, matter: Matter, day: date) -> Case:
        asked = look_up(self.store, matter.patient_id, Request(drug=matter.drug), as_of=day)
        asked = Asked(self._charts[matter.patient_id], *asked[1:])
        return Case(
            patient=asked.patient, plan=asked.plan, drug=asked.drug, request=asked.request,
            determination=decide(self.store, asked), as_of=day,
            policy=self.store.policy(asked.plan.id, asked.drug.name),
        )  # fmt: skip

    def _form(self, case: Case) -> tuple[Any, bytes]:
        form = papers.fill_form(self.store, case)
        return form, render_pdf(self.store.form(case.plan.id), form, case)

    def _await(self, matter: Matter, reply: Reply) -> None:
        days = random.Random(f"{self.seed}/{matter.patient_id}/post {reply.dated}").randint(0, POST_DAYS)
        self._plan(reply.dated + timedelta(days=days), lambda day: self._answered(matter, reply, day))

    def _answered(self, matter: Matter, reply: Reply, day: date) -> None:
        kind = str(reply.letter.label["kind"]) if reply.letter else "not_needed"
        matter.first = matter.first or kind
        matter.mistake = matter.mistake or reply.mistake
        if kind in ("approval", "partial_approval", "not_needed"):
            matter.approved = day
            matter.started = day + timedelta(
                days=random.Random(f"{self.seed}/{matter.patient_id}/pharmacy").randint(0, 3)
            )
        elif kind == "pend":
            draw = random.Random(f"{self.seed}/{matter.patient_id}/gather")
            coming = gathering(self._case(matter, day), draw)
            by = reply.dated + timedelta(days=20)
            last = min(max([one.on for one in coming], default=day + timedelta(days=1)), max(by, day))
            for number, one in enumerate(coming):
                if one.on <= last:
                    record = msgspec.structs.replace(one.record, id=f"came-{number}")
                    chart = self._charts[matter.patient_id]
                    changed = {one.part: (*(getattr(chart, one.part) or ()), record)}
                    self._charts[matter.patient_id] = msgspec.structs.replace(chart, **changed)
            self._plan(last, lambda then: self._answer(matter, then))
        else:
            matter.end = "denied"

    def _answer(self, matter: Matter, day: date) -> None:
        case = self._case(matter, day)
        form, pdf = self._form(case)
        self._await(
            matter, self.payer.answer(matter.reference, pdf, enclosures(form, case.patient, day), day)
        )
