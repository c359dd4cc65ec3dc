"""What the simulated office does with Paladin's desks, whatever the order is about: look up, gather, draft, record.

Every step is an event of a case in the store.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from agent.cases import casefile
from agent.cases.casefile import Entry
from agent.drafts import papers
from agent.drafts.requests import agree, clauses_of
from evals.payer.answering import Payer
from evals.simulate.gathering import gathering, paper_of
from evals.simulate.records import Matter, Year
from evals.simulate.therapy import Therapy
from evals.simulate.world import Agenda
from tools.domain.records import PARequest, Plan, Request
from tools.lifecycle.records import AuthorizationCase, Call, Facts, What
from tools.papers.case import Case
from tools.papers.paper import pdf_of
from tools.queries.check import Asked, ask, decide
from tools.store.rows import ChartEntry, Draft, whose
from tools.store.store import Store

STAFF = "R. Lee, CPhT"
SCAN = pdf_of([lambda pen: pen.drawString(72, 720, "A scan")], "Scan")
MOST_ROUNDS = 4
POST_DAYS = 3  # that a letter takes at most
OURS = ("answer", "file", "renew")


class Desk(Agenda):
    """Paladin's side of a year."""

    def __init__(self, store: Store, payer: Payer, year: Year, folder: Path) -> None:
        super().__init__()
        self.store, self.payer, self.year, self.folder = store, payer, year, folder
        self.cases: dict[int, AuthorizationCase] = {}
        self.plans: dict[str, Plan] = {plan.id: plan for plan in store.plans()}
        self.therapy = Therapy(self)
        self.seen: set[tuple[int, str, int]] = set()
        self.given_up: set[int] = set()  # cases of which a person decided not to appeal

    def draw(self, matter: Matter, what: str) -> random.Random:
        key = f"{self.year.seed}/{matter.patient_id}/{matter.drug}/{matter.kind}/{what}/{matter.rounds}"
        return random.Random(key)

    def add(self, patient_id: str, part: str, record: Any) -> int:
        """Put a record into the chart, as a person does with `pa chart add`, and the paper on which it came, as with
        `pa attach`; the record's number there."""
        paper = paper_of(record, self.day)
        if paper is not None:
            scan = self.store.keep_file(SCAN)
            kept = msgspec.structs.replace(paper, sha256=scan, media_type="application/pdf", pages=1)
            number = self._enter(patient_id, "documents", kept)
        return number if part == "documents" else self._enter(patient_id, part, record)

    def _enter(self, patient_id: str, part: str, record: Any) -> int:
        body = msgspec.Raw(msgspec.json.encode(record))
        entry = ChartEntry(patient_id=patient_id, part=part, record=body, by=STAFF, when=self.now)
        return self.store.add_chart_entry(entry).id

    @property
    def now(self) -> datetime:
        return datetime.combine(self.day, time(9), UTC)

    @property
    def entry(self) -> Entry:
        return Entry(STAFF, self.day, self.now)

    def asked(self, matter: Matter) -> Asked:
        request = Request(
            drug=matter.drug, indication=matter.indication, strength=matter.strength, quantity=matter.quantity,
            days_supply=matter.days_supply, kind="renewal" if matter.kind == "renewal" else None,
        )  # fmt: skip
        return ask(self.store, matter.patient_id, request, plan_id=matter.plan_id, as_of=self.day)

    def case_of(self, asked: Asked) -> Case:
        return case_of(self.store, asked)

    def case_today(self, matter: Matter) -> Case:
        return case_of(self.store, self.asked(matter))

    def gather(self, matter: Matter, case: Case, then: Callable[[], None], until: date | None = None) -> None:
        """Ask for what is open; go on when the last of it has come, or on the last day on which one may."""
        matter.rounds += 1
        coming = gathering(case, self.draw(matter, "gather")) if matter.rounds <= MOST_ROUNDS else []
        if not coming and until is None:
            self.finish(matter, f"could not be documented: {case.determination.summary}")
            return
        for one in coming:
            self.plan(one.on, partial(self.add, matter.patient_id, one.part, one.record))
        day = max([one.on for one in coming], default=self.day + timedelta(days=1))
        self.plan(min(day, until) if until else day, then)

    def draft(self, case: Case, form: PARequest) -> tuple[Draft, bytes]:
        """Form, letter and cover, as `pa draft` makes them, approved by the person who reviews them."""
        agree(case.determination, clauses_of(case.policy))
        said = papers.compose(self.store, case)
        place = f"{case.patient.id}-{case.drug.name}-{self.day}"
        files = papers.write(self.store, case, form, self.folder / "drafts" / place, said.letter)
        kept = self.store.save_draft(
            Draft(
                patient_id=case.patient.id, drug=case.drug.name, plan_id=case.plan.id, as_of=case.as_of,
                thread_id=place, outcome=case.determination.outcome,
                determination=msgspec.json.encode(case.determination), pa_request=msgspec.json.encode(form),
                letter=papers.kept_letter(said), files=files, created=self.now, updated=self.now,
                person=whose(case.patient, case.plan.id),
            )
        )  # fmt: skip
        kept = self.store.set_draft_status(kept.id, "approved", by=STAFF, when=self.now)
        return kept, Path(files["form_pdf"].path).read_bytes()

    def record(self, matter: Matter, what: What, facts: Facts, why: str = "") -> AuthorizationCase:
        return self.keep(casefile.record(self.store, matter.case_id, what, self.entry, why=why, facts=facts))

    def keep(self, kept: Any) -> AuthorizationCase:
        case: AuthorizationCase = kept.case
        self.cases[case.id] = case
        return case

    def log_call(self, matter: Matter, said: str, peer: bool = False) -> None:
        matter.calls += 1
        reference = f"C-{matter.number}-{matter.calls}"
        call = Call(spoke_with="the plan's pharmacy desk", reference=reference, peer_to_peer=peer)
        self.record(matter, "called", Facts(call=call), why=said)

    def finish(self, matter: Matter, why: str) -> None:
        """The end of it, and of its case."""
        matter.end = why[:300]
        case = self.cases.get(matter.case_id)
        if case is not None and case.open:
            self.record(matter, "closed", Facts(), why=matter.end)


def case_of(store: Store, asked: Asked) -> Case:
    """The case as Paladin's engine decides it."""
    return asked.case(decide(store, asked), store.policy(asked.plan.id, asked.drug.name))
