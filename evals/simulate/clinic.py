"""The clinic's year: orders come, Paladin determines, drafts, reads letters and says what to do; a simulated person
does what it says, day by day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial

import msgspec

from agent.cases import appeals, casefile
from agent.cases.denials import read_for
from agent.cases.renewals import asked as renewal_asked
from agent.cases.renewals import renewals
from agent.drafts import papers
from evals.payer.answering import Reply
from evals.simulate.desk import MOST_ROUNDS, OURS, POST_DAYS, Desk
from evals.simulate.enclosures import enclosures
from evals.simulate.records import Difference, Matter, Missed, Read
from evals.simulate.world import Arrival
from tools.appeals.letter import Filing
from tools.common.errors import Correctable, Refused
from tools.denials.papers import text_in
from tools.denials.records import Approved, Denial, LetterKind
from tools.engine.eligibility import plans_on
from tools.engine.quantity import rate_limit
from tools.lifecycle.fold import levels
from tools.lifecycle.letters import notice_of, what_of
from tools.lifecycle.records import Approval, Facts
from tools.lifecycle.running import clocks_of
from tools.papers.case import Case
from tools.papers.form_pdf import render_pdf
from tools.queries.check import Asked


class Clinic(Desk):
    """The orders of a year, from the day they come to therapy, an appeal, a renewal or the end."""

    def play(self, arrivals: Sequence[Arrival], last: date, tick: Callable[[], None] = lambda: None) -> None:
        """Let the days pass."""

        def end_of_day() -> None:
            self._look_at_clocks()
            tick()

        self.live(arrivals, last, end_of_day)
        self.year.events = sum(len(case.events) for case in self.cases.values())

    def arrive(self, patient_id: str) -> None:
        for order in self.store.patient(patient_id).orders[:1]:
            self.open(Matter(number=0, patient_id=patient_id, drug=order.drug, ordered=self.day))

    def open(self, matter: Matter) -> None:
        matter.number = len(self.year.matters) + 1
        self.year.matters.append(matter)
        self.consider(matter)

    def consider(self, matter: Matter) -> None:
        """What Paladin makes of the order today, and what follows from it."""
        try:
            asked = self.asked(matter)
        except Correctable as error:
            self.finish(matter, str(error))
            return
        matter.plan_id, matter.payer = asked.plan.id, asked.plan.payer
        case = self.case_of(asked)
        found = case.determination
        matter.outcome = matter.outcome or found.outcome
        if found.outcome == "not_required":
            self.therapy.start(matter, asked)
        elif found.outcome == "wrong_plan":
            self._right_plan(matter, asked)
        elif found.outcome == "ready":
            self._send(matter, case)
        elif found.outcome == "needs_documentation":
            self.gather(matter, case, lambda: self.consider(matter))
        elif found.outcome == "quantity_exception":
            self._within_limit(matter, case)
        else:
            self._switch(matter, case)

    def _right_plan(self, matter: Matter, asked: Asked) -> None:
        """The front desk asks the member which plan holds today."""
        active = [plan for plan in plans_on(asked.patient, self.day) if plan != asked.plan.id]
        if not active or matter.rounds >= MOST_ROUNDS:
            self.finish(matter, "not enrolled in any plan")
            return
        matter.plan_id, matter.rounds = active[0], matter.rounds + 1
        self.plan(self.day + timedelta(days=1), lambda: self.consider(matter))

    def _within_limit(self, matter: Matter, case: Case) -> None:
        """The prescriber orders what the plan pays for."""
        benefit = case.benefit
        limit = rate_limit(benefit, case.rule, case.request.strength) if benefit else None
        if not limit or matter.rounds >= 2:
            self.finish(matter, "more than the plan's limit is needed")
            return
        package = case.strength
        fits = package is not None and package.quantity * limit.days <= limit.quantity * package.days
        least = package if package and fits else limit
        matter.strength, matter.quantity, matter.days_supply = (
            case.request.strength,
            least.quantity,
            least.days,
        )
        matter.rounds += 1
        wait = timedelta(days=self.draw(matter, "limit").randint(1, 3))
        self.plan(self.day + wait, lambda: self.consider(matter))

    def _switch(self, matter: Matter, case: Case) -> None:
        """Another drug that this patient meets, if there is one and the prescriber wants it."""
        why = case.determination.summary
        for other in case.determination.alternatives[:1]:
            if not matter.instead_of and self.draw(matter, "switch").random() < 0.8:
                self.finish(matter, f"changed to {other.drug}: {why}")
                new = Matter(
                    number=0, patient_id=matter.patient_id, drug=other.drug, indication=other.indication,
                    plan_id=matter.plan_id, ordered=self.day, instead_of=matter.number,
                )  # fmt: skip
                wait = self.draw(matter, "switch day").randint(1, 7)
                self.plan(self.day + timedelta(days=wait), partial(self.open, new))
                return
        self.finish(matter, why)

    def _send(self, matter: Matter, case: Case) -> None:
        form = papers.fill_form(self.store, case)
        if not form.ready and not matter.indication and (use := self._treated(matter, case)):
            # the reviewer sees that no diagnosis stands there, and says what it is for
            matter.indication = use
            self.consider(matter)
            return
        draft, pdf = self.draft(case, form)
        if matter.case_id:
            kept = self.store.authorization_case(matter.case_id)
            if kept.state == "renewal_due":
                self.keep(casefile.review(self.store, matter.case_id, self.entry, draft_id=draft.id))
        else:
            opened = casefile.open_from_draft(self.store, draft.id, self.entry)
            matter.case_id = opened.case.id
            self.cases[matter.case_id] = opened.case
        if matter.submitted is None:
            matter.called_ready = case.determination.outcome == "ready" and form.ready
            matter.submitted = self.day
        else:
            matter.resubmitted += 1
        reply = self.payer.submit(case.plan.id, pdf, enclosures(form, case.patient, self.day), self.day)
        matter.reference = reply.reference
        facts = Facts(channel=case.plan.channel, received=self.day, reference=reply.reference)
        why = "the office's own copies went along" if form.to_attach else ""
        self.record(matter, "submitted", facts, why=why)
        self._await(matter, reply)

    def _treated(self, matter: Matter, case: Case) -> str:
        """The use that the chart has a diagnosis for, where the form found none for the use that was tried."""
        for use in case.benefit.indications if case.benefit and case.diagnosis is None else ():
            asked = self.asked(matter)
            pinned = asked._replace(request=msgspec.structs.replace(asked.request, indication=use))
            if self.case_of(pinned).diagnosis is not None:
                return use
        return ""

    def _await(self, matter: Matter, reply: Reply) -> None:
        days = self.draw(matter, f"post {reply.dated}").randint(0, POST_DAYS)
        clocks = clocks_of(self.cases[matter.case_id], self.plans[matter.plan_id], self.day)
        due = [clock.due for clock in clocks if not clock.ours]
        self.year.late += any(day is not None and reply.dated > day for day in due[:1])
        self.plan(reply.dated + timedelta(days=days), lambda: self._answered(matter, reply))

    def _answered(self, matter: Matter, reply: Reply) -> None:
        if self.cases[matter.case_id].state == "closed":
            return
        first = not matter.first and matter.submitted is not None
        if reply.letter is None:
            matter.first = matter.first or "not_needed"
            self.finish(matter, "the payer says that no authorization is needed")
            self.therapy.start(matter, self.asked(matter))
            return
        kind = str(reply.letter.label["kind"])
        matter.mistake = matter.mistake or reply.mistake
        if first:
            matter.first = kind
            self._compare(matter, reply, kind)
        text = text_in(reply.letter.pdf, ".pdf", "letter.pdf")
        denial = read_for(self.store, text, case_id=matter.case_id, received=self.day).denial
        self.year.letters += 1
        self._check_reading(matter, reply, denial)
        if denial.kind == "unclear":
            denial = _entered(denial, reply.letter.label["kind"])
        what = what_of(denial)
        notice = notice_of(denial, levels(self.cases[matter.case_id]), received=self.day)
        approval, granted = _approval(reply, denial), what in ("approved", "overturned")
        facts = Facts(notice=None if granted else notice, approval=approval, reference=reply.reference)
        self.record(matter, what, facts)
        if granted:
            matter.won += what == "overturned"
            self._approved(matter, approval)
        elif what == "pended":
            self._asked_for_more(matter, denial)
        else:
            matter.lost += what == "upheld"
            self._pursue(matter, appeals.PayerLetter(text, reply.letter.pdf))

    def _compare(self, matter: Matter, reply: Reply, kind: str) -> None:
        if matter.called_ready and kind != "approval":
            grounds = reply.grounds or (*reply.judged.grounds, *reply.judged.asks)
            self.year.differences.append(
                Difference(
                    matter=matter.number, patient_id=matter.patient_id, plan_id=matter.plan_id, drug=matter.drug,
                    answer=kind, clauses=[f"{g.clause} {g.quote}".strip() for g in grounds], mistake=reply.mistake,
                )
            )  # fmt: skip

    def _check_reading(self, matter: Matter, reply: Reply, denial: Denial) -> None:
        """The letter as it was read beside its label."""
        assert reply.letter is not None
        label = reply.letter.label
        deadline = denial.next_deadline
        due = label["deadline"]["date"] if label["deadline"] else None
        pairs = {
            "kind": (label["kind"], denial.kind),
            "reasons": (sorted(label["reasons"]), sorted(set(denial.codes))),
            "reference": (label["reference"], denial.reference.value if denial.reference else ""),
            "deadline": (due, deadline.day if deadline and due else None),
        }
        for what, (printed, read) in pairs.items():
            if printed != read:
                told = {"what": what, "printed": str(printed), "read": str(read)}
                self.year.misread.append(Read(matter=matter.number, plan_id=matter.plan_id, **told))

    def _approved(self, matter: Matter, approval: Approval | None) -> None:
        matter.approved = self.day
        matter.until = approval.end if approval else None
        self.therapy.start(matter, self.asked(matter))
        if approval:
            self.plan(approval.end - timedelta(days=60), lambda: self.renew(matter, approval))

    def _asked_for_more(self, matter: Matter, denial: Denial) -> None:
        """Gather it, and answer at the latest on the day before the payer's."""
        by = (denial.reply_by.day if denial.reply_by else None) or self.day + timedelta(days=7)
        until = max(by - timedelta(days=1), self.day)
        self.gather(matter, self.case_today(matter), lambda: self._answer(matter), until)

    def _answer(self, matter: Matter) -> None:
        case = self.case_today(matter)
        form = papers.fill_form(self.store, case)
        pdf = render_pdf(self.store.form(case.plan.id), form, case)
        self.log_call(matter, "Asked whether everything has come in; it is now complete.")
        self.record(matter, "answered", Facts(channel=case.plan.channel, received=self.day))
        sent = enclosures(form, case.patient, self.day)
        self._await(matter, self.payer.answer(matter.reference, pdf, sent, self.day))

    def _pursue(self, matter: Matter, decision: appeals.PayerLetter, skip: int = 0) -> None:
        """The next step of the strategy for this letter."""
        asked = appeals.AppealQuery("", "", as_of=self.day, case_id=matter.case_id, received=self.day)
        try:
            made = appeals.assess(self.store, asked, decision)
        except Correctable as error:
            self.finish(matter, f"the letter could not be worked on: {error}")
            return
        steps = made.found.steps[skip:]
        if not steps:
            self.finish(matter, "nothing is left to do")
            return
        step = steps[0]

        def on() -> None:
            self._pursue(matter, decision, skip + 1)

        if step.kind in ("correct", "peer_to_peer"):
            self.log_call(matter, step.what, peer=step.kind == "peer_to_peer")
            reply = self.payer.call(matter.reference, self.day, step.kind)
            if reply is not None:
                self._await(matter, reply)
            else:
                self.plan(self.day + timedelta(days=1), on)
        elif step.kind in ("appeal", "external_review") and not made.found.refusal:
            wait = timedelta(days=self.draw(matter, "appeal").randint(1, 5))
            self.plan(self.day + wait, lambda: self._appeal(matter, decision))
        elif step.kind == "gather":
            self.gather(matter, made.case, lambda: self._resubmit(matter))
        elif step.kind == "resubmit":
            self._resubmit(matter)
        elif self.cases[matter.case_id].state == "partly_approved":
            self._take_part(matter, step.what)
        elif step.kind == "switch" or any(one.kind == "switch" for one in steps):
            self._switch(matter, made.case)
        else:
            self.finish(matter, f"{step.kind}: {step.what}")

    def _take_part(self, matter: Matter, why: str) -> None:
        """What was approved is taken; the rest is not contested."""
        approval = self.cases[matter.case_id].approval
        self.log_call(matter, f"Part is enough for now. {why}"[:200])
        self.record(matter, "noted", Facts(), why="The rest is not contested.")
        self.given_up.add(matter.case_id)
        self._approved(matter, approval)

    def _resubmit(self, matter: Matter) -> None:
        case = self.case_today(matter)
        if case.determination.outcome != "ready" or matter.resubmitted > 1:
            self._switch(matter, case)
        else:
            self._send(matter, case)

    def _appeal(self, matter: Matter, decision: appeals.PayerLetter) -> None:
        asked = appeals.AppealQuery("", "", as_of=self.day, case_id=matter.case_id)
        made = appeals.assess(self.store, asked, decision)
        try:
            said = appeals.compose(made, Filing())
        except Refused as error:
            self.finish(matter, str(error))
            return
        packet = appeals.bind(made, said)
        step = made.found.appeal
        assert step is not None
        form = papers.fill_form(self.store, made.case)
        self.record(matter, "appealed", Facts(channel="fax", level=step.level, received=self.day))
        matter.appeals.append(step.level)
        sent = enclosures(form, made.case.patient, self.day)
        self._await(matter, self.payer.appeal(matter.reference, step.level, packet, sent, self.day))

    def renew(self, matter: Matter, approval: Approval) -> None:
        """Sixty days before an approval ends: whether it will be renewed, and what it takes."""
        case = self.cases[matter.case_id]
        if not case.open or case.approval != approval:
            return
        found = renewals(self.store, self.day, lambda _: approval.end, matter.patient_id)
        one = next((r for r in found if r.ending.case_id == matter.case_id), None)
        if one is None:
            return
        again = Matter(
            number=matter.number, patient_id=matter.patient_id, drug=matter.drug, indication=one.ending.indication,
            plan_id=one.ending.plan_id, payer=matter.payer, ordered=self.day, kind="renewal", case_id=matter.case_id,
        )  # fmt: skip
        again.outcome = one.outcome
        self.year.renewals.append(again)
        self.therapy.visit(again, renewal_asked(self.store, one))
        self.plan(self.day + timedelta(days=1), lambda: self._renew(again, one.submit_by))

    def _renew(self, matter: Matter, by: date) -> None:
        case, latest = self.case_today(matter), by - timedelta(days=3)
        found = case.determination
        if found.outcome == "ready":
            self.record(matter, "renewal_due", Facts())
            self._send(matter, case)
        elif found.outcome == "not_required":
            self.finish(matter, "no authorization is needed any more")
        elif self.day >= latest:
            self.finish(matter, f"not renewed: {found.summary}")
        elif found.outcome == "needs_documentation" and matter.rounds < MOST_ROUNDS:
            self.gather(matter, case, lambda: self._renew(matter, by), latest)
        else:
            self.plan(min(self.day + timedelta(days=14), latest), lambda: self._renew(matter, by))

    def _look_at_clocks(self) -> None:
        """Every day that has passed while it was ours to act, once."""
        for case in list(self.cases.values()):
            if case.state in ("closed", "submitted", "appealed", "reviewed", "draft"):
                continue
            for clock in clocks_of(case, self.plans[case.head.plan_id], self.day):
                key = (case.id, clock.id, clock.event)
                waived = "(optional)" in clock.what or (clock.kind == "file" and case.id in self.given_up)
                if clock.ours and clock.kind in OURS and clock.late and not waived and key not in self.seen:
                    self.seen.add(key)
                    assert clock.due is not None
                    self.year.missed.append(Missed(case_id=case.id, clock=clock.id, due=clock.due))


def _approval(reply: Reply, denial: Denial) -> Approval | None:
    told = denial.approved
    if told is None or told.start is None or told.end is None:
        return None
    return Approval(
        number=reply.reference, start=told.start, end=told.end, quantity=told.quantity, days_supply=told.days_supply
    )  # fmt: skip


def _entered(denial: Denial, kind: LetterKind) -> Denial:
    """What the reader leaves open, a person reads and enters; everything else is as it was read."""
    days = {one.what: one.value for one in denial.days}
    approved = None
    if kind in ("approval", "partial_approval", "appeal_overturned") and denial.days:
        approved = Approved(quote=denial.days[0].quote, start=days.get("effective"), end=days.get("expires"))
    return msgspec.structs.replace(denial, kind=kind, approved=approved)
