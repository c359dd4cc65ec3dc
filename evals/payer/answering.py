"""The payer's desk: what it was sent, what it answers and when, and the mistakes that it makes.

Everything that it draws comes from its seed and the reference of the request, so that the same request is answered in
the same way whatever else it was sent, and in whatever order.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from io import BytesIO
from typing import Any, Literal

from pypdf import PdfReader

from data_gen.denials import DecisionFacts, GivenReason, Granted, Letter, denial_letter
from evals.oracle.chart import after_months, day
from evals.payer.form import Form, read_form
from evals.payer.judging import Book, Ground, Judged, judged, mistaken
from evals.payer.papers import Paper
from evals.payer.rebuilding import Rebuilt, rebuild
from tools.domain.records import Plan

Mistake = Literal["", "wrong denial", "lost document", "wrong quantity", "wrong upholding"]
MISTAKES: tuple[Mistake, ...] = ("wrong denial", "lost document", "wrong quantity")
# By its own rules, in days: how long it asks for, and how long an appeal takes it.
REPLY_DAYS = 21
APPEAL_DAYS = {"medicare_part_d": 7, "medicare_advantage": 7, "self_funded": 15}
USUAL_APPEAL_DAYS = 30
EXTERNAL_DAYS = {"medicare_part_d": 7, "medicare_advantage": 7, "medicaid": 60}


@dataclass(frozen=True)
class Reply:
    """An answer: its letter with the day it bears, and what the truth behind it is. `mistake` is the payer's own."""

    letter: Letter | None
    dated: date
    judged: Judged
    mistake: Mistake = ""
    reference: str = ""
    grounds: tuple[Ground, ...] = ()


@dataclass
class _File:
    """What the payer has of one request."""

    reference: str
    plan_id: str
    form: Form
    papers: list[Paper]
    received: date
    judged_on: date
    mistake: Mistake = ""
    lost: tuple[Paper, ...] = ()
    reasons: tuple[Ground, ...] = ()


@dataclass
class Payer:
    """All plans of a world, as one desk. `plans` are what letters are printed from; `books` what they are judged by."""

    seed: int
    plans: Mapping[str, Plan]
    tables: Mapping[str, Mapping[str, Any]]
    drugs: Mapping[str, Mapping[str, Any]]
    policies: Mapping[tuple[str, str], str]
    mistakes: float = 0.0
    files: dict[str, _File] = field(default_factory=dict)

    def submit(self, plan_id: str, form: bytes, papers: Sequence[Paper], on: date) -> Reply:
        """A request comes in; the answer bears a later day, within the plan's time."""
        read = read_form(form)
        key = f"{plan_id}/{read.get('member_id', 'patient_name')}/{read.get('drug', 'drug_brand', 'drug_generic')}/{on}"
        number = int(hashlib.sha256(f"{self.seed}/{key}".encode()).hexdigest(), 16) % 10**7
        file = _File(f"PA-{on:%y}-{number:07d}", plan_id, read, list(papers), on, on)
        self.files[file.reference] = file
        draw = self._draw(file, "mistake")
        file.mistake = draw.choice(MISTAKES) if draw.random() < self.mistakes else ""
        if file.mistake == "lost document" and file.papers:
            file.lost = (file.papers.pop(draw.randrange(len(file.papers))),)
        elif file.mistake == "lost document":
            file.mistake = ""
        return self._decide(file, on, "request")

    def answer(self, reference: str, form: bytes | None, papers: Sequence[Paper], on: date) -> Reply:
        """What the payer asked for comes in."""
        file = self.files[reference]
        if form is not None:
            file.form = read_form(form)
        file.papers += [paper for paper in papers if paper not in file.papers]
        file.judged_on = on
        return self._decide(file, on, "answer")

    def call(self, reference: str, on: date, kind: str) -> Reply | None:
        """A call about a decision: somebody looks again. A reply if that changes it."""
        file = self.files[reference]
        found = self._judge(file)
        draw = self._draw(file, f"call {kind} {on}")
        ready = found.kind == "approve" and not file.lost
        if not ready or draw.random() > (0.6 if kind == "correct" else 0.4):
            return None
        return self._letter(file, "approval", on + timedelta(days=draw.randint(1, 3)), found)

    def appeal(self, reference: str, level: str, packet: bytes, papers: Sequence[Paper], on: date) -> Reply:
        """An appeal: the file is read again, with what came with it, by somebody who did not decide before."""
        file = self.files[reference]
        file.papers += [paper for paper in papers if paper not in file.papers]
        file.lost = ()
        plan = self.plans[file.plan_id]
        line = plan.line_of_business
        own = level not in ("external", "reconsideration", "fair_hearing")
        usual = USUAL_APPEAL_DAYS if plan.internal_levels < 2 else 15
        most = (APPEAL_DAYS if own else EXTERNAL_DAYS).get(line, usual if own else USUAL_APPEAL_DAYS)
        draw = self._draw(file, f"appeal {level}")
        dated = on + timedelta(days=draw.randint(most // 3, most))
        found = self._judge(file)
        wrong = own and found.kind == "approve" and draw.random() < self.mistakes
        if found.kind == "approve" and not wrong and _about_this(packet, file):
            return self._letter(file, "appeal_overturned", dated, found, again=on)
        grounds = found.grounds or found.asks or file.reasons
        mistake: Mistake = "wrong upholding" if wrong else ""
        reasons = file.reasons or grounds
        return self._letter(file, "appeal_upheld", dated, found, reasons, mistake=mistake, again=on)

    # --- deciding ------------------------------------------------------------------------------------------

    def _decide(self, file: _File, on: date, step: Literal["request", "answer"]) -> Reply:
        found = self._judge(file)
        draw = self._draw(file, f"{step} day")
        hours = self.plans[file.plan_id].review_hours or 72
        dated = on + timedelta(days=draw.randint(min(1, hours // 24), max(1, hours // 24)))
        first = step == "request"
        mistake: Mistake = "lost document" if file.lost and first else ""
        if found.kind == "approve":
            wrong = self._wrongly(file, dated, found) if first else None
            return wrong or self._letter(file, "approval", dated, found)
        if found.kind == "ask" and first:
            return self._letter(file, "pend", dated, found, found.asks, mistake=mistake)
        if found.kind == "part" and found.limit and found.limit.amount:
            return self._letter(file, "partial_approval", dated, found, found.grounds)
        if found.kind == "not_needed":
            return Reply(None, dated, found, reference=file.reference)
        grounds = found.grounds or found.asks[:2]
        return self._letter(file, "denial", dated, found, grounds, mistake=mistake)

    def _wrongly(self, file: _File, dated: date, found: Judged) -> Reply | None:
        """The answer by the payer's mistake, where it makes one that can be made here."""
        if file.mistake == "wrong quantity":
            return self._halved(file, dated, found)
        if file.mistake != "wrong denial":
            return None
        ground = mistaken(self._book(file), self._sent(file), file.judged_on, self._draw(file, "ground"))
        if ground is None:
            return None
        return self._letter(file, "denial", dated, found, (ground,), mistake="wrong denial")

    def _halved(self, file: _File, dated: date, found: Judged) -> Reply:
        """Half of what was asked for is granted, as if that were the limit."""
        sent = self._sent(file)
        request, unit = sent.request, self.drugs[sent.drug]["unit"]
        unit, half = unit if unit == "mL" else f"{unit}s", round(float(request["quantity"]) / 2, 2)
        days = f"per {request['days_supply']} days"
        asked, limit = f"{request['quantity']:g} {unit} {days}", f"{half:g} {unit} {days}"
        ground = Ground("quantity_limit", details={"asked": asked, "limit": limit})
        return self._letter(
            file, "partial_approval", dated, found, (ground,), mistake="wrong quantity", quantity=half
        )

    def _judge(self, file: _File) -> Judged:
        sent = self._sent(file)
        if sent.drug not in self.drugs:
            fault = Ground("administrative", details={"fault": "the drug requested is not stated"})
            return Judged("deny", "unreadable", (fault,))
        return judged(self._book(file), sent, file.judged_on)

    def _sent(self, file: _File) -> Rebuilt:
        names = {str(drug["generic"]).split()[0]: name for name, drug in self.drugs.items()}
        sent = rebuild(file.form, file.papers, file.plan_id, self.drugs)
        if sent.drug in self.drugs:
            return sent
        # A form that asks for the generic name: the strength tells the brands of one ingredient apart.
        fitting = [
            name
            for name, drug in self.drugs.items()
            if str(drug["generic"]).split()[0] == sent.drug.split(" ")[0]
            and any(s["label"] == sent.request.get("strength") for s in drug["strengths"])
        ]
        name = fitting[0] if fitting else names.get(sent.drug, sent.drug)
        return replace(sent, drug=name, request={**sent.request, "drug": name})

    def _book(self, file: _File) -> Book:
        drug = self._sent(file).drug
        return Book(self.tables[file.plan_id], self.drugs[drug], self.policies.get((file.plan_id, drug)))

    # --- letters -------------------------------------------------------------------------------------------

    def _letter(
        self,
        file: _File,
        kind: str,
        dated: date,
        found: Judged,
        grounds: Sequence[Ground] = (),
        *,
        mistake: Mistake = "",
        quantity: float | None = None,
        again: date | None = None,
    ) -> Reply:
        sent = self._sent(file)
        request = sent.request
        printed = (file.plan_id, sent.drug) in self.policies
        policy_id = f"{file.plan_id}-{sent.drug}".upper() if printed else ""
        granted = None
        if kind in ("approval", "partial_approval", "appeal_overturned"):
            part = found.limit if kind == "partial_approval" else None
            granted = Granted(
                start=dated, end=after_months(dated, found.months) - timedelta(days=1),
                quantity=float(quantity or (part.amount if part else request.get("quantity", 1))),
                days_supply=int(part.days if part else request.get("days_supply", 30)),
            )  # fmt: skip
        reasons: dict[str, GivenReason] = {}
        for ground in grounds if kind != "pend" else ():
            reason = GivenReason(
                code=ground.code, details=dict(ground.details), policy_id=policy_id if ground.clause else "",
                clause_id=ground.clause, quote=ground.quote,
            )  # fmt: skip
            reasons.setdefault(ground.code, reason)
        facts = DecisionFacts(
            kind=kind,  # type: ignore[arg-type]
            plan=self.plans[file.plan_id], reference=file.reference, policy_id=policy_id,
            requested=file.received, dated=dated, again=again,
            name=sent.patient["name"], member_id=sent.member_id or "not given",
            birth_date=day(sent.patient.get("birth_date")),
            prescriber=sent.patient["prescriber"]["name"] or "Prescriber",
            drug=sent.drug, strength=str(request.get("strength", "")), quantity=float(request.get("quantity", 1)),
            unit=str(self.drugs.get(sent.drug, {}).get("unit", "mL")),
            days_supply=int(request.get("days_supply", 30)),
            reasons=tuple(reasons.values()), granted=granted,
            questions=tuple(f"{g.quote} ({g.clause})" for g in grounds) if kind == "pend" else (),
            reply_by=dated + timedelta(days=REPLY_DAYS) if kind == "pend" else None,
        )  # fmt: skip
        if kind in ("denial", "partial_approval"):
            file.reasons = tuple(grounds)
        return Reply(denial_letter(facts), dated, found, mistake, file.reference, tuple(grounds))

    def _draw(self, file: _File, what: str) -> random.Random:
        return random.Random(f"{self.seed}/{file.reference}/{what}")


def _about_this(packet: bytes, file: _File) -> bool:
    """Whether the packet says on its first pages whom and which drug it is about; what is about somebody else decides
    nothing here."""
    text = " ".join(page.extract_text() for page in PdfReader(BytesIO(packet)).pages[:3])
    name = file.form.get("patient_name")
    return not name or name.split()[-1].lower() in text.lower()
