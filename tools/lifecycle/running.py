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
    """The clocks of this case, the earliest first and those without a day last. `plan` brings its own times; without
    it the law's alone are shown."""
    found = [_judged(clock, as_of) for clock in _running(case, plan, as_of)]
    return tuple(sorted(found, key=in_order))


def in_order(clock: Clock) -> tuple[bool, date, time, int, str]:
    return (clock.due is None, clock.due or date.max, clock.at or time.max, clock.case_id, clock.id)


def _judged(clock: Clock, as_of: date) -> Clock:
    if not clock.terms:
        return msgspec.structs.replace(clock, possible="")
    first = min(clock.terms, key=lambda term: (term.due, term.at or time.max))
    late = as_of > first.due
    return msgspec.structs.replace(
        clock,
        due=first.due,
        at=first.at,
        days_left=(first.due - as_of).days,
        late=late,
        possible=clock.possible if late else "",
    )


def _running(case: AuthorizationCase, plan: Plan | None, as_of: date) -> Iterator[Clock]:
    if case.state == "submitted":
        yield from _decision(case, plan)
    elif case.state == "pended":
        yield from _answer(case)
        if not _stops_while_pended(case):
            yield from _decision(case, plan)
    elif case.state in ("denied", "partly_approved", "upheld"):
        yield from _filing(case, plan)
    elif case.state == "appealed":
        yield from _appeal_decision(case)
    if case.state in ("approved", "partly_approved", "renewal_due") and case.approval:
        yield _renewal(case, plan, as_of)


# --- the payer decides -----------------------------------------------------------------------------------


def _decision(case: AuthorizationCase, plan: Plan | None) -> Iterator[Clock]:
    sent = case.request
    if sent is None:
        return
    begins = arrival(sent.on, sent.facts.channel, sent.facts.received, sent.at)
    answered = case.answer is not None and case.state == "submitted"
    rule = _rule(case, "decision", "answered") if answered else None
    if rule is not None and case.answer is not None:
        due = _after_answer(case, rule, begins, case.answer)
        yield _of_payer(case, case.answer, rule, (_term(rule, due),), case.head.payer)
        return
    rule = _rule(case, "decision", "request")
    terms: list[Term] = []
    if rule is not None:
        counted = _statement(rule, sent, begins) if rule.start == "statement" else begins
        terms.append(_term(rule, count(rule, counted)))
    if not case.extended:
        terms += _by_the_plan(case, plan, begins)
    yield _of_payer(case, sent, rule, tuple(_with_extension(terms, case.extended)), case.head.payer)


def _statement(rule: ClockRule, sent: CaseEvent, begins: Beginning) -> Beginning:
    """When the payer had the prescriber's statement; without one the clock begins some days after the request."""
    told = sent.facts.statement
    if told is not None:
        return Beginning(told)
    said = f"none is on record, so {rule.without} days after the request of {begins.day}"
    return Beginning(begins.day + timedelta(days=rule.without), begins.at, said)


def _after_answer(case: AuthorizationCase, rule: ClockRule, begins: Beginning, answer: CaseEvent) -> Due:
    answered = arrival(answer.on, answer.facts.channel, answer.facts.received, answer.at)
    if rule.start == "answer":
        return count(rule, answered)
    asked = case.pend.facts.notice.dated if case.pend and case.pend.facts.notice else begins.day
    return count(rule, begins, more_days=(answered.day - asked).days)


def _stops_while_pended(case: AuthorizationCase) -> bool:
    """Does the payer's time stand still while it waits for an answer?"""
    return _rule(case, "decision", "answered") is not None


def _by_the_plan(case: AuthorizationCase, plan: Plan | None, begins: Beginning) -> Iterator[Term]:
    hours = (
        None if plan is None else plan.expedited_hours if case.urgency == "expedited" else plan.review_hours
    )
    if plan is None or hours is None or case.head.ask != "pa":
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


def _appeal_decision(case: AuthorizationCase) -> Iterator[Clock]:
    """When the appeal must be decided, and those beside it that still run."""
    for filed in (*case.beside, *((case.appeal,) if case.appeal else ())):
        yield _decision_on(case, filed)


def _decision_on(case: AuthorizationCase, filed: CaseEvent) -> Clock:
    level = level_named(levels(case), filed.facts.level or case.level)
    rule = _rule(case, "decision", level.key, filed.facts.urgency or "standard")
    begins = arrival(filed.on, filed.facts.channel, filed.facts.received, filed.at)
    terms = [_term(rule, count(rule, begins))] if rule else []
    who = case.head.payer if level.decided_by == "the plan" else level.decided_by
    extended = case.extended if filed is case.appeal else None
    return _of_payer(case, filed, rule, tuple(_with_extension(terms, extended)), who, level)


def _with_extension(terms: list[Term], extended: CaseEvent | None) -> Iterator[Term]:
    """The law's term, moved to its last day if the payer has said that it takes longer."""
    for term in terms:
        if extended is None or term.extended is None:
            yield term
        else:
            how = f"{term.how}, and the extension that was told on {extended.on}"
            yield msgspec.structs.replace(term, due=term.extended, at=None, extended=None, how=how)


def _of_payer(
    case: AuthorizationCase,
    began: CaseEvent,
    rule: ClockRule | None,
    terms: tuple[Term, ...],
    who: str,
    level: Level | None = None,
) -> Clock:
    of = f"the {level.name}" if level else "the request"
    return _clock(
        case, began, rule, "decision", f"{who[0].upper()}{who[1:]} decides {of}", terms,
        id=f"decision-{level.key if level else 'request'}", ours=False,
        note=rule.note if rule else "no rule gives it a time; ask when the decision comes",
    )  # fmt: skip


def _clock(
    case: AuthorizationCase,
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
        case_id=case.id, event=began.number, id=rule.id if rule else id, kind=kind, ours=ours, what=what,
        terms=tuple(terms), possible=rule.late if rule else possible, note=note,
    )  # fmt: skip


# --- we act ----------------------------------------------------------------------------------------------


def _answer(case: AuthorizationCase) -> Iterator[Clock]:
    asked = case.pend
    if asked is None or asked.facts.notice is None:
        return
    rule = _rule(case, "answer", "request")
    yield _ours(case, asked, rule, "answer", f"Answer {case.head.payer}'s question", "answer")


def _filing(case: AuthorizationCase, plan: Plan | None) -> Iterator[Clock]:
    """The next level, and the one past it where it is optional; a peer-to-peer call; coverage that goes on."""
    decided = case.notices.get(case.level or "request")
    if decided is None or decided.facts.notice is None:
        return
    further = next_levels(levels(case), case.level)
    for level in further:
        # What comes after an optional level is counted from the last decision that was not optional: no rule
        # stops its clock meanwhile.
        began = _last_binding(case) if level.key == "external" else decided
        rule = _rule(case, "file", level.key)
        wanted = decided.facts.notice.deadline_for or further[0].key
        letter = decided is began and level.key == wanted
        optional = " (optional)" if level.optional else ""
        yield _ours(
            case, began, rule, "file", f"File the {level.name}{optional}", f"file-{level.key}", letter=letter
        )
    if not case.level:
        yield from _peer_to_peer(case, plan, decided, decided.facts.notice)
    if not case.level and case.head.kind in ("continuation", "renewal"):
        yield from _continue(case, decided, decided.facts.notice)


def _last_binding(case: AuthorizationCase) -> CaseEvent:
    """The newest adverse decision of a level that had to be gone through."""
    binding = {"request", *(level.key for level in levels(case) if not level.optional)}
    return [event for key, event in case.notices.items() if key in binding][-1]


def _peer_to_peer(
    case: AuthorizationCase, plan: Plan | None, denied: CaseEvent, notice: Notice
) -> Iterator[Clock]:
    terms: list[Term] = []
    if notice.peer_to_peer:
        terms.append(Term(source="letter", due=notice.peer_to_peer, how="the day that the letter gives"))
    days = plan.peer_to_peer_days if plan else None
    if plan and days:
        due = notice.dated + timedelta(days=days)
        how = f"{days} calendar days after the notice of {notice.dated}"
        terms.append(Term(source="plan", due=due, how=how, cite=f"{plan.id} offers it for {days} days"))
    if terms:
        yield _clock(
            case, denied, None, "peer_to_peer", "Call for a peer-to-peer review", terms, id="peer-to-peer",
            possible="Appeal; a peer-to-peer call is no appeal and stops no clock",
            note="it is no appeal and stops no clock",
        )  # fmt: skip


def _continue(case: AuthorizationCase, denied: CaseEvent, notice: Notice) -> Iterator[Clock]:
    rule = next((_rule(case, "continue", level.key) for level in next_levels(levels(case))), None)
    if rule is None:
        return
    due = count(rule, receipt(rule, notice.dated, notice.received))
    if notice.effective and notice.effective > due.day:
        due = Due(
            notice.effective, None, None, f"the change takes effect on {notice.effective}, which is later"
        )
    what, terms = "Ask that coverage goes on during the appeal", (_term(rule, due),)
    yield _clock(case, denied, rule, "continue", what, terms, id="", note=rule.note)


def _ours(
    case: AuthorizationCase,
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
    terms: list[Term] = []
    if notice and rule:
        terms.append(_term(rule, count(rule, receipt(rule, notice.dated, notice.received))))
    if notice and letter:
        terms += _by_the_letter(rule, notice)
    missing = "" if terms else "no rule gives a day for it: the payer's letter does; enter it"
    arrives = f"the day on which it is received counts: if it is mailed, post it {MAIL_DAYS} days earlier"
    received = arrives if rule and rule.filed == "received" else ""
    notes = (rule.note if rule else "", received, missing)
    possible = "Ask the payer whether it accepts it late; a new request is always possible"
    return _clock(
        case, began, rule, kind, what, terms, id=name, possible=possible, note="; ".join(filter(None, notes))
    )


def _by_the_letter(rule: ClockRule | None, notice: Notice) -> Iterator[Term]:
    if notice.deadline:
        yield Term(source="letter", due=notice.deadline, how="the day that the letter gives")
    elif notice.within_days:
        begins = (
            receipt(rule, notice.dated, notice.received)
            if rule
            else Beginning(notice.received or notice.dated)
        )
        due = begins.day + timedelta(days=notice.within_days)
        yield Term(
            source="letter",
            due=due,
            how=f"{notice.within_days} days after {begins.day}, as the letter counts",
        )


# --- what was approved ends ------------------------------------------------------------------------------


def _renewal(case: AuthorizationCase, plan: Plan | None, as_of: date) -> Clock:
    """The last day on which a renewal can be submitted and still be decided, in the payer's standard time, before the
    approval ends."""
    approval = case.approvals[-1]
    given = max((e for e in case.events if e.facts.approval == approval), key=lambda e: e.number)
    last, how = submit_by(case.head.line, plan, approval.end)
    over = as_of > approval.end
    what = f"Submit the renewal; the approval {'ended' if over else 'ends'} on {approval.end}"
    possible = f"Submit it at once: it may not be decided before {approval.end}"
    if over:
        possible = "The approval has ended: submit a new request"
    terms = (Term(source="approval", due=last, how=how),)
    return _clock(case, given, None, "renew", what, terms, id="renew", possible=possible)


def submit_by(line: str, plan: Plan | None, end: date) -> tuple[date, str]:
    """The last day on which a request can go in and be decided before this end, and how that was counted."""
    rule = find(line, "decision", "request")
    law = 0 if rule is None else rule.days if rule.days is not None else -(-(rule.hours or 0) // 24)
    own = -(-plan.review_hours // 24) if plan and plan.review_hours else None
    days = max(own if own is not None else law or 0, 1)
    return end - timedelta(
        days=days
    ), f"the payer has {days} day{'s' if days > 1 else ''} to decide before {end}"


def _rule(
    case: AuthorizationCase, clock: clocks.Kind, level: str, urgency: Urgency | None = None
) -> ClockRule | None:
    head = case.head
    urgency = urgency or case.urgency
    return find(
        head.line, clock, level, urgency=urgency, ask=head.ask, internal_levels=min(head.internal_levels, 2)
    )


def _term(rule: ClockRule, due: Due) -> Term:
    return Term(source="law", due=due.day, at=due.at, extended=due.extended, how=due.how, cite=rule.cite)
