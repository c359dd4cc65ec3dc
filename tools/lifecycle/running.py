"""The clocks that run for a case on a day: what is due, by when, by whose rule, and what is possible when it is late.

A clock may have several terms: the law's, the plan's own, the payer's letter's. All are shown, and the earliest is
worked to. Where none gives a day, the clock runs all the same, and says that the day is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from typing import Literal

import msgspec

from tools.domain.records import Plan, Record
from tools.lifecycle import clocks
from tools.lifecycle.clocks import MAIL_DAYS, Beginning, ClockRule, Due, arrival, count, find, receipt
from tools.lifecycle.fold import levels
from tools.lifecycle.levels import Level, level_named, next_levels
from tools.lifecycle.records import AuthorizationCase, CaseEvent, Notice, Urgency

Source = Literal["law", "plan", "letter", "approval"]
ClockKind = Literal["decision", "answer", "file", "continue", "peer_to_peer", "renew"]


class Term(Record, frozen=True, kw_only=True):
    """One day by one rule: how it was counted and where that stands."""

    source: Source
    due: date
    at: time | None = None
    extended: date | None = None
    how: str
    cite: str = ""


class Clock(Record, frozen=True, kw_only=True):
    """Something that must happen. `due` is the earliest of its terms, None if there is none; `late` if it is over."""

    case_id: int
    event: int  # the entry with which it began
    id: str  # of the rule, or what kind of clock it is where no rule has it
    kind: ClockKind
    ours: bool  # we must act; else the payer or reviewer must
    what: str
    due: date | None = None
    at: time | None = None
    terms: tuple[Term, ...] = ()
    days_left: int | None = None
    late: bool = False
    possible: str = ""  # what can still be done when it is late
    note: str = ""

    @property
    def differs(self) -> bool:
        """Do law, plan and letter name different days?"""
        return len({(term.due, term.at) for term in self.terms}) > 1


def clocks_of(case: AuthorizationCase, plan: Plan | None, as_of: date) -> tuple[Clock, ...]:
    """The clocks of this case, the earliest first and those without a day last.

    Args:
        plan: brings its own times; without it the law's alone are shown.
        as_of: the day on which they are looked at.
    """
    found = [_judged(clock, as_of) for clock in _CaseClocks(case, plan, as_of).running()]
    return tuple(sorted(found, key=in_order))


def in_order(clock: Clock) -> tuple[bool, date, time, int, str]:
    return (clock.due is None, clock.due or date.max, clock.at or time.max, clock.case_id, clock.id)


def _judged(clock: Clock, as_of: date) -> Clock:
    if not clock.terms:
        return msgspec.structs.replace(clock, possible="")
    first = min(clock.terms, key=lambda term: (term.due, term.at or time.max))
    late = as_of > first.due
    left, possible = (first.due - as_of).days, clock.possible if late else ""
    return msgspec.structs.replace(
        clock, due=first.due, at=first.at, days_left=left, late=late, possible=possible
    )


class _CaseClocks:
    """What runs for one case on a day."""

    def __init__(self, case: AuthorizationCase, plan: Plan | None, as_of: date) -> None:
        self.case, self.plan, self.as_of = case, plan, as_of

    def running(self) -> Iterator[Clock]:
        case = self.case
        if case.state == "submitted":
            yield from self._decision()
        elif case.state == "pended":
            yield from self._answer()
            if self._rule("decision", "answered") is None:  # else the payer's time stands still meanwhile
                yield from self._decision()
        elif case.state in ("denied", "partly_approved", "upheld"):
            yield from self._filing()
        elif case.state == "appealed":
            yield from map(self._decision_on, filter(None, (*case.beside, case.appeal)))
        if case.state in ("approved", "partly_approved", "renewal_due") and case.approval:
            yield self._renewal()

    def _rule(self, clock: clocks.Kind, level: str, urgency: Urgency | None = None) -> ClockRule | None:
        head, urgency = self.case.head, urgency or self.case.urgency
        return find(
            head.line, clock, level, urgency=urgency, ask=head.ask, internal_levels=head.internal_levels
        )

    def _clock(
        self,
        began: CaseEvent,
        rule: ClockRule | None,
        kind: ClockKind,
        what: str,
        terms: Iterable[Term],
        *,
        id: str,
        possible: str = "",
        note: str = "",
        ours: bool = True,
    ) -> Clock:
        """The clock of a rule, which says what is possible when it is late; or, where none has it, of this id."""
        return Clock(
            case_id=self.case.id, event=began.number, id=rule.id if rule else id, kind=kind, ours=ours, what=what,
            terms=tuple(terms), possible=rule.late if rule else possible, note=note,
        )  # fmt: skip

    # --- the payer decides -------------------------------------------------------------------------------

    def _decision(self) -> Iterator[Clock]:
        case, sent = self.case, self.case.request
        if sent is None:
            return
        begins = _arrival(sent)
        rule = self._rule("decision", "answered") if case.state == "submitted" else None
        if rule is not None and case.answer is not None:
            due = self._after_answer(rule, begins, case.answer)
            yield self._of_payer(case.answer, rule, (_term(rule, due),), case.head.payer)
            return
        rule = self._rule("decision", "request")
        terms: list[Term] = []
        if rule is not None:
            counted = _statement(rule, sent, begins) if rule.start == "statement" else begins
            terms.append(_term(rule, count(rule, counted)))
        if not case.extended:
            terms += self._by_the_plan(begins)
        yield self._of_payer(sent, rule, _with_extension(terms, case.extended), case.head.payer)

    def _after_answer(self, rule: ClockRule, begins: Beginning, answer: CaseEvent) -> Due:
        answered, pend = _arrival(answer), self.case.pend
        if rule.start == "answer":
            return count(rule, answered)
        asked = pend.facts.notice.dated if pend and pend.facts.notice else begins.day
        return count(rule, begins, more_days=(answered.day - asked).days)

    def _by_the_plan(self, begins: Beginning) -> Iterator[Term]:
        plan, expedited = self.plan, self.case.urgency == "expedited"
        hours = (plan.expedited_hours if expedited else plan.review_hours) if plan else None
        if plan is None or hours is None or self.case.head.ask != "pa":
            return
        days, rest = divmod(hours, 24)
        whole = days > 3 and not rest  # nobody says 360 hours
        own = ClockRule(
            id="plan", lines=(), clock="decision", level="request", start="request",
            hours=None if whole else hours, days=days if whole else None, cite="",
        )  # fmt: skip
        due = count(own, begins)
        said = f"{plan.id} says {days} days" if whole else f"{plan.id} says {hours} hours"
        yield Term(source="plan", due=due.day, at=due.at, how=due.how, cite=said)

    def _decision_on(self, filed: CaseEvent) -> Clock:
        """When an appeal must be decided."""
        case = self.case
        level = level_named(levels(case), filed.facts.level or case.level)
        rule = self._rule("decision", level.key, filed.facts.urgency or "standard")
        terms = [_term(rule, count(rule, _arrival(filed)))] if rule else []
        who = case.head.payer if level.decided_by == "the plan" else level.decided_by
        extended = case.extended if filed is case.appeal else None
        return self._of_payer(filed, rule, _with_extension(terms, extended), who, level)

    def _of_payer(
        self,
        began: CaseEvent,
        rule: ClockRule | None,
        terms: Iterable[Term],
        who: str,
        level: Level | None = None,
    ) -> Clock:
        of, key = (f"the {level.name}", level.key) if level else ("the request", "request")
        note = rule.note if rule else "no rule gives it a time; ask when the decision comes"
        what = f"{who[0].upper()}{who[1:]} decides {of}"
        return self._clock(began, rule, "decision", what, terms, id=f"decision-{key}", ours=False, note=note)

    # --- we act ------------------------------------------------------------------------------------------

    def _answer(self) -> Iterator[Clock]:
        asked = self.case.pend
        if asked is not None and asked.facts.notice is not None:
            what = f"Answer {self.case.head.payer}'s question"
            yield self._ours(asked, self._rule("answer", "request"), "answer", what, "answer")

    def _filing(self) -> Iterator[Clock]:
        """The next level, and the one past it where it is optional; a peer-to-peer call; coverage that goes on."""
        case = self.case
        decided = case.notices.get(case.level or "request")
        if decided is None or decided.facts.notice is None:
            return
        notice = decided.facts.notice
        further = next_levels(levels(case), case.level)
        for level in further:
            # What comes after an optional level is counted from the last decision that was not optional: no rule
            # stops its clock meanwhile.
            began = self._last_binding() if level.key == "external" else decided
            letter = decided is began and level.key == (notice.deadline_for or further[0].key)
            what = f"File the {level.name}{' (optional)' if level.optional else ''}"
            rule = self._rule("file", level.key)
            yield self._ours(began, rule, "file", what, f"file-{level.key}", letter=letter)
        if not case.level:
            yield from self._peer_to_peer(decided, notice)
        if not case.level and case.head.kind in ("continuation", "renewal"):
            yield from self._continue(decided, notice)

    def _last_binding(self) -> CaseEvent:
        """The newest adverse decision of a level that had to be gone through."""
        binding = {"request", *(level.key for level in levels(self.case) if not level.optional)}
        return [event for key, event in self.case.notices.items() if key in binding][-1]

    def _peer_to_peer(self, denied: CaseEvent, notice: Notice) -> Iterator[Clock]:
        plan, terms = self.plan, list[Term]()
        if notice.peer_to_peer:
            terms.append(Term(source="letter", due=notice.peer_to_peer, how="the day that the letter gives"))
        if plan and plan.peer_to_peer_days:
            days = plan.peer_to_peer_days
            due = notice.dated + timedelta(days=days)
            how = f"{days} calendar days after the notice of {notice.dated}"
            terms.append(Term(source="plan", due=due, how=how, cite=f"{plan.id} offers it for {days} days"))
        if terms:
            yield self._clock(
                denied, None, "peer_to_peer", "Call for a peer-to-peer review", terms, id="peer-to-peer",
                possible="Appeal; a peer-to-peer call is no appeal and stops no clock",
                note="it is no appeal and stops no clock",
            )  # fmt: skip

    def _continue(self, denied: CaseEvent, notice: Notice) -> Iterator[Clock]:
        rule = next((self._rule("continue", level.key) for level in next_levels(levels(self.case))), None)
        if rule is None:
            return
        due = _counted(rule, notice)
        if notice.effective and notice.effective > due.day:
            how = f"the change takes effect on {notice.effective}, which is later"
            due = Due(notice.effective, None, None, how)
        what, terms = "Ask that coverage goes on during the appeal", (_term(rule, due),)
        yield self._clock(denied, rule, "continue", what, terms, id="", note=rule.note)

    def _ours(
        self,
        began: CaseEvent,
        rule: ClockRule | None,
        kind: Literal["answer", "file"],
        what: str,
        name: str,
        *,
        letter: bool = True,
    ) -> Clock:
        """A clock that a notice began: the law's day, and the letter's own."""
        notice = began.facts.notice
        terms = [_term(rule, _counted(rule, notice))] if notice and rule else []
        if notice and letter:
            terms += _by_the_letter(rule, notice)
        missing = "" if terms else "no rule gives a day for it: the payer's letter does; enter it"
        arrives = f"the day on which it is received counts: if it is mailed, post it {MAIL_DAYS} days earlier"
        received = arrives if rule and rule.filed == "received" else ""
        note = "; ".join(filter(None, (rule.note if rule else "", received, missing)))
        possible = "Ask the payer whether it accepts it late; a new request is always possible"
        return self._clock(began, rule, kind, what, terms, id=name, possible=possible, note=note)

    # --- what was approved ends --------------------------------------------------------------------------

    def _renewal(self) -> Clock:
        """The last day on which a renewal can be submitted and still be decided, in the payer's standard time, before
        the approval ends."""
        case, approval = self.case, self.case.approvals[-1]
        given = max((e for e in case.events if e.facts.approval == approval), key=lambda e: e.number)
        last, how = submit_by(case.head.line, self.plan, approval.end)
        over = self.as_of > approval.end
        what = f"Submit the renewal; the approval {'ended' if over else 'ends'} on {approval.end}"
        possible = f"Submit it at once: it may not be decided before {approval.end}"
        if over:
            possible = "The approval has ended: submit a new request"
        terms = (Term(source="approval", due=last, how=how),)
        return self._clock(given, None, "renew", what, terms, id="renew", possible=possible)


def _arrival(sent: CaseEvent) -> Beginning:
    return arrival(sent.on, sent.facts.channel, sent.facts.received, sent.at)


def _statement(rule: ClockRule, sent: CaseEvent, begins: Beginning) -> Beginning:
    """When the payer had the prescriber's statement; without one the clock begins some days after the request."""
    told = sent.facts.statement
    if told is not None:
        return Beginning(told)
    said = f"none is on record, so {rule.without} days after the request of {begins.day}"
    return Beginning(begins.day + timedelta(days=rule.without), begins.at, said)


def _with_extension(terms: list[Term], extended: CaseEvent | None) -> Iterator[Term]:
    """The law's term, moved to its last day if the payer has said that it takes longer."""
    for term in terms:
        if extended and term.extended:
            how = f"{term.how}, and the extension that was told on {extended.on}"
            term = msgspec.structs.replace(term, due=term.extended, at=None, extended=None, how=how)
        yield term


def _by_the_letter(rule: ClockRule | None, notice: Notice) -> Iterator[Term]:
    if notice.deadline:
        yield Term(source="letter", due=notice.deadline, how="the day that the letter gives")
    elif notice.within_days:
        own = Beginning(notice.received or notice.dated)
        begins = receipt(rule, notice.dated, notice.received) if rule else own
        due = begins.day + timedelta(days=notice.within_days)
        how = f"{notice.within_days} days after {begins.day}, as the letter counts"
        yield Term(source="letter", due=due, how=how)


def submit_by(line: str, plan: Plan | None, end: date) -> tuple[date, str]:
    """The last day on which a request can go in and be decided before this end, and how that was counted."""
    rule = find(line, "decision", "request")
    law = 0 if rule is None else rule.days if rule.days is not None else -(-(rule.hours or 0) // 24)
    own = -(-plan.review_hours // 24) if plan and plan.review_hours else law
    days = max(own or 0, 1)
    how = f"the payer has {days} day{'s' if days > 1 else ''} to decide before {end}"
    return end - timedelta(days=days), how


def _counted(rule: ClockRule, notice: Notice) -> Due:
    return count(rule, receipt(rule, notice.dated, notice.received))


def _term(rule: ClockRule, due: Due) -> Term:
    return Term(source="law", due=due.day, at=due.at, extended=due.extended, how=due.how, cite=rule.cite)
