"""Cases for these tests, put together from a few words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from tools.lifecycle.levels import Level, levels_of
from tools.lifecycle.records import Approval, AuthorizationCase, CaseEvent, CaseHead, Facts, Notice, What
from tools.lifecycle.states import STATES, full, steps

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
KIM = "Kim Ortiz, CPhT"


def head(line: str = "commercial", **more: Any) -> CaseHead:
    given: dict[str, Any] = {
        "id": 1, "patient_id": "P001", "person": "Maria|Gomez|1970-05-04", "name": "Maria Gomez",
        "drug": "Ozempic", "plan_id": "CASCADE-GOLD", "payer": "Cascade Health", "line": line, "opened": NOON,
    }  # fmt: skip
    return CaseHead(**{**given, **more})


def event(what: What, on: date, number: int = 0, **facts: Any) -> CaseEvent:
    at, why, by = facts.pop("at", ""), facts.pop("why", ""), facts.pop("by", KIM)
    return CaseEvent(number=number, what=what, on=on, at=at, by=by, why=why, facts=Facts(**facts), when=NOON)


def approval(start: date = date(2026, 9, 4), end: date = date(2027, 9, 3), **more: Any) -> Approval:
    return Approval(number="A-1", start=start, end=end, **more)


def dated_case(spec: dict[str, Any]) -> AuthorizationCase:
    """The case in which the clock of one dated example runs."""
    line, level, clock = spec["line"], spec["level"], spec["clock"]
    two = spec.get("internal_levels", 1)
    kind = "renewal" if clock == "continue" else "new"
    top = head(line, internal_levels=two, ask=spec.get("ask", "pa"), kind=kind)
    urgency = spec["urgency"]
    if clock == "decision":
        sent = event(
            "submitted",
            spec["sent"],
            2,
            at=spec.get("time", ""),
            channel=spec.get("channel", "fax"),
            received=spec.get("received"),
            statement=spec.get("statement"),
        )
        if level not in ("request", "answered"):
            sent = msgspec.structs.replace(
                sent, facts=msgspec.structs.replace(sent.facts, urgency=urgency, level=level)
            )
        if level == "request":
            return AuthorizationCase(
                head=top, events=(sent,), state="submitted", urgency=urgency, request=sent
            )
        if level == "answered":
            asked = event("pended", spec["asked"], 3, notice=Notice(dated=spec["asked"]))
            told = event("answered", spec["answered"], 4, channel="fax")
            return AuthorizationCase(
                head=top, events=(sent, asked, told), state="submitted", urgency=urgency, request=sent,
                pend=asked, answer=told,
            )  # fmt: skip
        return AuthorizationCase(
            head=top, events=(sent,), state="appealed", level=level, urgency=urgency, appeal=sent
        )
    notice = Notice(dated=spec["dated"], received=spec.get("received"), deadline=spec.get("deadline"))
    told = event("denied", spec["dated"], 3, notice=notice)
    if clock == "answer":
        return AuthorizationCase(head=top, events=(told,), state="pended", urgency=urgency, pend=told)
    keys = [item.key for item in levels_of(line, two)]
    before = keys[: keys.index(level)]
    notices = dict.fromkeys(("request", *before), told)
    if not before or clock == "continue":
        return AuthorizationCase(head=top, events=(told,), state="denied", notices={"request": told})
    return AuthorizationCase(
        head=top, events=(told,), state="upheld", level=before[-1], urgency=urgency, notices=notices
    )


def edges(levels: tuple[Level, ...]) -> frozenset[tuple[str, What, str]]:
    """Every arrow of the drawing, with these levels put in."""
    keys = tuple(level.key for level in levels)
    at = {"appealed": keys, "upheld": keys, "partly_approved": ("", *keys)}
    return frozenset(
        (full(state, level), step.what, full(step.state, step.level))
        for state in STATES
        for level in at.get(state, ("",))
        for step in steps(state, level, levels)
    )
