"""A case is what its events come to. Pure: the same events are the same case, wherever they are folded."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import msgspec

from tools.common.errors import Invalid, NotFound, Refused, nearest
from tools.lifecycle.levels import Level, levels_of
from tools.lifecycle.records import AuthorizationCase, CaseEvent, CaseHead, key_of, standing
from tools.lifecycle.states import REMARKS, Step, full, steps

ADVERSE = ("denied", "partly_approved", "upheld", "partly_overturned")
_DECISIONS = ("upheld", "overturned", "partly_overturned")
_KEPT_AS = {"extended": "extended", "pended": "pend", "answered": "answer"}
_GRANTS = ("approved", "partly_approved", "overturned", "partly_overturned")


def fold(head: CaseHead, events: Iterable[CaseEvent]) -> AuthorizationCase:
    """The case after these events, in their order; what was undone counts for nothing."""
    case = AuthorizationCase(head=head, events=tuple(events), state="draft")
    return reduce(_after, (event for event in standing(case) if event.what != "opened"), case)


def entered(case: AuthorizationCase, event: CaseEvent) -> CaseEvent | None:
    """The event that is to be appended, numbered; None if this very entry stands there already. Refused, with
    what is possible, where the case's state does not allow it; Invalid where the entry says too little."""
    event = _placed(case, event)
    if any(key_of(event) == key_of(other) for other in standing(case)):
        return None
    numbered = msgspec.structs.replace(event, number=len(case.events) + 1)
    if event.what == "undone":
        return numbered if _undo(case, event) else None
    if event.what not in REMARKS and not (event.what == "opened" and not case.events):
        _step(case, event)
    _complete(event)
    _for_a_level(case, event)
    _in_order(case, event)
    return numbered


def _placed(case: AuthorizationCase, event: CaseEvent) -> CaseEvent:
    """The entry with the level of appeal that it is about. An appeal that names none is the next one, and while one
    runs it is that one: to go past it, the level has to be named, so that an entry that is repeated never climbs."""
    if event.what != "appealed" and event.what not in _DECISIONS:
        return event
    level = event.facts.level
    if event.what != "appealed" or (not level and case.state == "appealed"):
        level = level or case.level
    elif not level:
        level = next((step.level for step in possible(case) if step.what == "appealed"), "")
    return msgspec.structs.replace(event, facts=msgspec.structs.replace(event.facts, level=level))


def levels(case: AuthorizationCase) -> tuple[Level, ...]:
    return levels_of(case.head.line, case.head.internal_levels)


def possible(case: AuthorizationCase) -> tuple[Step, ...]:
    """What can happen to the case next."""
    return steps(case.state, case.level, levels(case))


def _step(case: AuthorizationCase, event: CaseEvent) -> Step:
    found = [step for step in possible(case) if step.what == event.what]
    if event.what == "appealed":
        found = [step for step in found if step.level == event.facts.level]
    elif event.what in _DECISIONS and event.facts.level not in _decidable(case, event):
        found = []
    if not found:
        raise Refused(_impossible(case, event), near=list(map(str, possible(case))))
    return found[0]


def _decidable(case: AuthorizationCase, event: CaseEvent) -> set[str]:
    """The levels whose decision this can be: the one that runs; for one in our favour also one beside it."""
    beside = {appeal.facts.level for appeal in case.beside} if event.what == "overturned" else set()
    return {case.level, *beside}


def _impossible(case: AuthorizationCase, event: CaseEvent) -> str:
    now, said = full(case.state, case.level), f"{event.what} {event.facts.level}".strip()
    can = ", ".join(map(str, possible(case))) or "nothing but notes and calls"
    return f"case {case.id} is {now} since {case.since}, so it cannot be {said}; possible: {can}"


def _after(case: AuthorizationCase, event: CaseEvent) -> AuthorizationCase:
    if event.what in REMARKS:
        return _remarked(case, event)
    step = _step(case, event)
    changes: dict[str, object] = {"state": step.state, "level": step.level}
    facts = event.facts
    if event.what == "submitted":
        changes |= {
            "request": event, "level": "", "answer": None, "appeal": None, "notices": {}, "pend": None,
            "extended": None, "urgency": facts.urgency or "standard",
        }  # fmt: skip
    elif event.what == "appealed":
        running = (case.appeal,) if case.state == "appealed" and case.appeal else ()
        changes |= {
            "appeal": event, "beside": (*case.beside, *running), "extended": None,
            "urgency": facts.urgency or "standard",
        }  # fmt: skip
    elif event.what in _KEPT_AS:
        changes[_KEPT_AS[event.what]] = event
    elif event.what == "denied":
        changes |= {"level": "", "notices": {"request": event}}
    if event.what in _DECISIONS or event.what in ("denied", "submitted"):
        changes["beside"] = ()
    if event.what in ADVERSE and event.what != "denied":
        changes["notices"] = {**case.notices, case.level or "request": event}
    if event.what in _GRANTS and facts.approval:
        changes["approvals"] = (*case.approvals, facts.approval)
    return msgspec.structs.replace(case, **changes)


def _remarked(case: AuthorizationCase, event: CaseEvent) -> AuthorizationCase:
    """A day of receipt that became known later belongs to what it is about: the notice, or what was sent."""
    if event.what != "received":
        return case
    changes: dict[str, object] = {}
    if case.state in ("denied", "partly_approved", "upheld"):
        place = case.level or "request"
        changes["notices"] = {**case.notices, place: _notice_in(case.notices[place], event)}
    elif case.state == "pended" and case.pend:
        changes["pend"] = _notice_in(case.pend, event)
    elif case.state == "appealed" and case.appeal:
        changes["appeal"] = _sent_in(case.appeal, event)
    elif case.state == "submitted" and case.answer and event.facts.received:
        changes["answer"] = _sent_in(case.answer, event)
    elif case.state == "submitted" and case.request:
        changes["request"] = _sent_in(case.request, event)
    return msgspec.structs.replace(case, **changes)


def _notice_in(event: CaseEvent, told: CaseEvent) -> CaseEvent:
    facts = event.facts
    if facts.notice is None:
        return event
    notice = msgspec.structs.replace(facts.notice, received=told.facts.received)
    return msgspec.structs.replace(event, facts=msgspec.structs.replace(facts, notice=notice))


def _sent_in(event: CaseEvent, told: CaseEvent) -> CaseEvent:
    new, old = told.facts, event.facts
    received, statement = new.received or old.received, new.statement or old.statement
    facts = msgspec.structs.replace(old, received=received, statement=statement)
    return msgspec.structs.replace(event, facts=facts, at=told.at or event.at)


# --- what an entry must say ------------------------------------------------------------------------------


def _complete(event: CaseEvent) -> None:
    """Invalid, naming what is missing, unless the entry holds what its kind needs."""
    facts = event.facts
    if not event.by.strip():
        raise Invalid("say who did it with --by, e.g. --by 'R. Lee, CPhT'")
    if event.what in ("submitted", "answered", "appealed") and facts.channel is None:
        raise Invalid(f"say through which channel it was {event.what}: phone, fax, portal or mail")
    if event.what in _GRANTS:
        if facts.approval is None:
            raise Invalid("an approval needs its number, its first and its last day: --number, --from, --to")
        if facts.approval.end < facts.approval.start:
            raise Invalid(f"an approval from {facts.approval.start} cannot end on {facts.approval.end}")
    if event.what in (*ADVERSE, "pended") and facts.notice is None:
        raise Invalid("say the date of the payer's notice with --notice DATE: its clocks begin with it")
    if facts.notice and facts.notice.received and facts.notice.received < facts.notice.dated:
        raise Invalid(
            f"a notice dated {facts.notice.dated} cannot have been received on {facts.notice.received}"
        )
    if event.what == "closed" and not event.why.strip():
        raise Invalid("say why the case is closed with --why")
    if facts.urgency == "expedited" and not facts.expedite_reason.strip():
        raise Invalid(
            "an expedited review needs the prescriber's own statement that delay could seriously harm life, health"
            " or function: --expedited 'STATEMENT'"
        )


def _for_a_level(case: AuthorizationCase, event: CaseEvent) -> None:
    """A deadline is for a level that this line of business has, else it would be worked to by nobody."""
    wanted = event.facts.notice.deadline_for if event.facts.notice else ""
    known = [level.key for level in levels(case)]
    if wanted and wanted not in known:
        raise NotFound("level of appeal", wanted, nearest(wanted, known), f"there are {', '.join(known)}")


def _in_order(case: AuthorizationCase, event: CaseEvent) -> None:
    """A submission cannot lie before the case was reviewed, nor a decision before the submission."""
    if event.what in REMARKS:
        return
    last = max((e.on for e in standing(case) if e.what not in (*REMARKS, "opened")), default=None)
    if last is not None and event.on < last:
        raise Invalid(f"{event.what} on {event.on} lies before the case's last step, on {last}")
    notice, appeal = event.facts.notice, case.appeal
    if event.what in _DECISIONS and notice and appeal and notice.dated < appeal.on:
        raise Invalid(
            f"a notice of {notice.dated} cannot decide the appeal of {appeal.on}; is it the letter that was appealed?"
        )


def _undo(case: AuthorizationCase, event: CaseEvent) -> bool:
    """Whether this undoing is new. Only the last standing entry can be undone, so that no later one hangs in
    the air."""
    number = event.facts.undoes
    if any(other.facts.undoes == number for other in case.events if other.what == "undone"):
        return False
    if not any(other.number == number for other in case.events):
        raise Invalid(f"case {case.id} has no entry {number}; it has 1 to {len(case.events)}")
    last = standing(case)[-1]
    if last.number != number:
        raise Refused(
            f"only the last entry of case {case.id} can be undone, which is {last.number} ({last.what})"
        )
    if last.what == "opened":
        raise Refused(f"the opening of case {case.id} cannot be undone; close the case, saying why")
    return True
