"""What a person types about a case, as the entry that states it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, cast, get_args

from agent.cases import casefile
from agent.runtime.settings import read_as_of
from tools.common.errors import Invalid, NotFound, nearest
from tools.domain.records import Channel
from tools.lifecycle.clocks import time_of_day
from tools.lifecycle.records import Approval, Basis, Facts, Notice


def facts_of(what: str, on: date, given: dict[str, Any], expedited: str, files: list[Path]) -> Facts:
    """What was typed, as an entry states it; `on` is the letter's date where none is given."""
    channel = given.get("channel") or None
    if channel and channel not in get_args(Channel):
        raise NotFound("channel", channel, nearest(channel, get_args(Channel)), ", ".join(get_args(Channel)))
    found = casefile.papers(files)
    speaks = what in ("pended", "denied", "partly_approved", "upheld", "partly_overturned")
    return Facts(
        channel=cast("Any", channel),
        reference=str(given.get("reference") or ""),
        received=None if speaks else read_as_of(str(given.get("received") or "")),
        statement=read_as_of(str(given.get("statement") or "")),
        urgency="expedited" if expedited.strip() else None,
        expedite_reason=expedited.strip(),
        level=str(given.get("level") or ""),
        approval=_approval(given),
        notice=_notice(on, given) if speaks or given.get("notice") else None,
        call=given.get("call"),
        undoes=given.get("undoes"),
        basis=Basis(papers=found) if found else None,
    )


def _approval(given: dict[str, Any]) -> Approval | None:
    words = {name: str(given.get(name) or "") for name in ("number", "start", "end")}
    if not any(words.values()):
        return None
    start, end = read_as_of(words["start"]), read_as_of(words["end"])
    if not (words["number"] and start and end):
        raise Invalid("an approval needs its number, its first and its last day: --number, --from, --to")
    return Approval(
        number=words["number"],
        start=start,
        end=end,
        quantity=given.get("quantity"),
        days_supply=given.get("days_supply"),
    )


def _notice(on: date, given: dict[str, Any]) -> Notice:
    def day(name: str) -> date | None:
        return read_as_of(str(given.get(name) or ""))

    letter = given.get("letter")
    return Notice(
        dated=day("notice") or on,
        received=day("received"),
        reference=str(given.get("reference") or ""),
        reasons=tuple(given.get("reasons") or ()),
        deadline=day("deadline"),
        deadline_for=str(given.get("deadline_for") or ""),
        peer_to_peer=day("peer_to_peer"),
        effective=day("effective"),
        letter=casefile.papers([letter])[0] if letter else None,
    )


def time_of(typed: str) -> str:
    """HH:MM, or nothing."""
    found = time_of_day(typed)
    return f"{found:%H:%M}" if found else ""
