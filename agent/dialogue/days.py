"""The days that a turn tells with what it asks: from which something counts, on which it is judged or begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from agent.dialogue.entities import Entities
from agent.dialogue.hypotheses import Thing, days_of, things_in
from agent.dialogue.query import Query
from tools.language.encoder import encode
from tools.terminology.dates import dates_in
from tools.terminology.quantities import quantities_in

Characters = tuple[int, int]  # of a turn, [start, end)
_OF_A_NOTICE: frozenset[Query] = frozenset(("deadline", "appeal"))
# What is counted from a day to come, or judged on it.
_COUNTED: frozenset[Query] = frozenset(
    ("turnaround", "approval", "approval_length", "lookback", "value_age", "attach"),
)


def told(
    query: Query, named: Entities, span: Characters, beside: Sequence[Characters], as_of: date | None
) -> list[date]:
    """The days that a question is of, the one that counts first; none for a query that no day belongs to.

    Args:
        query: what is asked.
        named: what the whole turn names.
        span: the characters that ask it.
        beside: those that no other question holds; what is counted from a day may have it there.
        as_of: today; without it no day is told.
    """
    if as_of is None:
        return []
    whole = (0, len(named.text))
    if query in _OF_A_NOTICE:
        return next(filter(None, (_of_a_notice(named, *part, as_of) for part in (span, whole))), [])
    if query in _COUNTED:  # the last that is named corrects those before it
        around = (one for part in beside for one in _dated(named, *part, as_of))
        dated = _dated(named, *span, as_of) or [*around]
        return [one.day for one in reversed(dated) if one.day and one.day > as_of]
    if query == "earliest":  # on which something begins, or began
        dated = _dated(named, *whole, as_of)
        return [one.day for one in dated if one.day and one.role in ("started", "program")]
    return []


def _of_a_notice(named: Entities, start: int, end: int, as_of: date) -> list[date]:
    """The days to come, each the last of what is named, the first of them first."""
    dated = _dated(named, start, end, as_of)
    days = [one.day for one in dated if one.day and (one.role == "on" or one.day > as_of)]
    days += [one.last for one in dates_in(named.text[start:end], as_of) if one.last >= as_of]
    return sorted(days)


def _dated(named: Entities, start: int, end: int, as_of: date) -> list[Thing]:
    things = things_in(named, encode(named.text), start, end, as_of)
    return [one for one in things if one.kind == "date" and one.day]


def lapses(text: str, as_of: date | None) -> list[date]:
    """The ends of the lengths of time that a text names, as if they began today."""
    lengths = [one for one in quantities_in(text) if one.dimension in ("time", "calendar time")]
    days = [days_of(one) for one in lengths if one.value is not None]
    return [as_of + timedelta(days=one) for one in days] if as_of else []
