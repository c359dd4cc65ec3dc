"""What a model may read of the bound patient's authorization cases: state, what is due, the payer's last word, calls.

Short lines without a patient's id, as the other enquiries; only what was entered and what the clocks count is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tools.lifecycle.fold import standing
from tools.lifecycle.states import full
from tools.queries.enquiries import fitted

if TYPE_CHECKING:
    from tools.lifecycle.records import AuthorizationCase, CaseEvent
    from tools.lifecycle.running import Clock
    from tools.queries.bound import Bound

MOST_CASES, MOST_CLOCKS = 3, 3
_PAYERS = ("approved", "partly_approved", "denied", "pended", "upheld", "overturned", "partly_overturned")


def authorization_cases(bound: Bound) -> str:
    """The open cases, the newest first, then closed ones in a line each."""
    cases = list(reversed(bound.cases()))
    shown = [case for case in cases if case.open][:MOST_CASES]
    if not cases:
        return "No authorization case is recorded, so nothing that was sent, answered or is due is known."
    lines = [line for case in shown for line in _told(case, bound)]
    lines += [f"{case.head.drug}: closed on {case.since}." for case in cases if not case.open][:MOST_CASES]
    return fitted(lines)


def _told(case: AuthorizationCase, bound: Bound) -> Iterator[str]:
    events = standing(case)
    state = full(case.state, case.level).replace("_", " ")
    yield f"{case.head.drug}, case {case.id}, {case.head.payer}: {state}, judged on {bound.as_of}."
    sent = _last(events, ("submitted", "answered", "appealed"))
    yield f"Last sent: {sent.what} on {sent.on}." if sent else "Nothing was sent as far as is recorded."
    if case.approval:
        given = case.approval
        yield f"Approval {given.number}: {given.start} to {given.end}."
    for clock in bound.clocks(case)[:MOST_CLOCKS]:
        yield _due(clock)
    word = _last(events, _PAYERS)
    if word:
        yield f"The payer's last word: {word.what.replace('_', ' ')} on {word.on}{_letter(word)}."
    called = _last(events, ("called",))
    if called:
        spoke = f", spoke with {called.facts.call.spoke_with}" if called.facts.call else ""
        yield f"Last call: {called.by} on {called.on}{spoke}."


def _due(clock: Clock) -> str:
    whose = "" if clock.ours else " (theirs)"
    if clock.due is None or clock.days_left is None:
        return f"{clock.what}{whose}: the day is not known."
    if clock.late:
        possible = f"; still possible: {clock.possible}" if clock.possible else ""
        return f"LATE by {-clock.days_left} days: {clock.what}{whose}, was due on {clock.due}{possible}"
    named = " and ".join(dict.fromkeys(term.source for term in clock.terms))
    return f"Due on {clock.due}, in {clock.days_left} days, by the {named}: {clock.what}{whose}"


def _letter(event: CaseEvent) -> str:
    notice = event.facts.notice
    if notice is None:
        return ""
    reasons = f", reasons {', '.join(notice.reasons)}" if notice.reasons else ""
    own = f", its own deadline {notice.deadline}" if notice.deadline else ""
    return f", notice of {notice.dated}{reasons}{own}"


def _last(events: tuple[CaseEvent, ...], kinds: tuple[str, ...]) -> CaseEvent | None:
    return next((event for event in reversed(events) if event.what in kinds), None)
