"""Clocks as a calendar file. A clock keeps its UID for as long as it runs, so that a calendar that reads the file again
moves an entry and never doubles it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from icalendar import Alarm, Calendar, Event

if TYPE_CHECKING:
    from tools.lifecycle.records import AuthorizationCase
    from tools.lifecycle.running import Clock

_SPACE = UUID("0d0c5b0a-6f0e-5c2b-9a55-7a3f0b6d9f11")  # drawn once; it only has to be ours


def calendar(rows: Iterable[tuple[AuthorizationCase, Clock]], *, names: bool = False) -> bytes:
    """iCalendar (RFC 5545) with one all-day event a clock. Without `names` it says which case, not whose."""
    made = Calendar()
    made.add("prodid", "-//Paladin//prior authorization deadlines//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("x-wr-calname", "Prior authorization deadlines")
    for case, clock in rows:
        if clock.due is not None:
            made.add_component(_event(case, clock, names))
    return bytes(made.to_ical())


def uid(case: AuthorizationCase, clock: Clock) -> str:
    """The same for the same clock of the same case, whatever its day."""
    key = f"{case.head.opened.isoformat()}|{case.id}|{clock.event}|{clock.id}"
    return f"{uuid5(_SPACE, key)}@paladin.invalid"


def _event(case: AuthorizationCase, clock: Clock, names: bool) -> Event:
    assert clock.due is not None
    head, made = case.head, Event()
    whose = f": {head.drug} for {head.name} ({head.patient_id})" if names else ""
    made.add("uid", uid(case, clock))
    made.add("dtstamp", max(event.when for event in case.events))
    made.add("dtstart", clock.due)
    made.add("dtend", clock.due + timedelta(days=1))
    made.add("summary", f"Case {case.id}: {clock.what}{whose}")
    terms = [
        f"{term.source}: {term.due}, {term.how}" + (f" ({term.cite})" if term.cite else "")
        for term in clock.terms
    ]
    made.add("description", "\n".join([*terms, *([clock.note] if clock.note else [])]))
    made.add("categories", ["ours" if clock.ours else "theirs", clock.kind])
    made.add("transp", "TRANSPARENT")
    made.add("class", "PRIVATE")
    if clock.ours:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", f"Case {case.id}: {clock.what}")
        alarm.add("trigger", timedelta(days=-1))
        made.add_component(alarm)
    return made
