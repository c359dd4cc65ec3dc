"""What may be done against a decision and by when: from sentences that speak of rights, and the times in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from tools.common.dates import add_months
from tools.denials.mentions import Mention
from tools.denials.records import Anchor, Deadline, Quote, Right, RightKind, Unit
from tools.denials.sentences import Sentence
from tools.terminology.matcher import Matcher, Name

_WHERE = re.compile(
    r"(?:(?:fax|phone|call|telephone|line|tel)\W{0,3}(?:us (?:at|on)\W?)?)?(?:1[- ])?\(?[0-9OlI]{3}\)?[- .]{1,2}"
    r"[0-9OlI]{3}-[0-9OlI]{4}(?:,? (?:opt(?:ion)?|ext)\.? \d+)?|(?:P\.?O\.? ?Box \d+|\d+ [A-Z][\w.]+(?: [A-Z][\w.]+)"
    r"{0,3}),[^.\n;]{0,60}?\b[A-Z]{2} ?\d{5}|https?://\S+[\w/]",
    re.IGNORECASE,
)


class Time(NamedTuple):
    """A time by which something is to be done: what, and from when it runs."""

    mention: Mention
    what: str
    runs_from: Anchor | None


def deadline_of(text: str, sentence: Sentence, time: Time, dated: date | None) -> Deadline:
    """As stated. A stretch that runs from the letter is counted from its date, where it has one; one that runs from its
    receipt is not, since the letter cannot know that day."""
    one = time.mention
    if one.kind == "date":
        return Deadline(quote=_quote(text, one.start, one.end), day=one.day, stated=True)
    end = min(
        (at for sign in ".;" if (at := text.find(sign, one.end, sentence.end)) >= 0), default=sentence.end
    )
    start = dated if time.runs_from == "notice" else None
    day = None
    if start is not None:
        day = {
            "months": lambda: add_months(start, one.amount),
            "days": lambda: start + timedelta(days=one.amount),
            "business days": lambda: _business(start, one.amount),
        }[one.unit]()
    unit: Unit = one.unit  # type: ignore[assignment]
    return Deadline(
        quote=_quote(text, one.start, end), amount=one.amount, unit=unit, runs_from=time.runs_from, day=day
    )


def _business(start: date, amount: int) -> date:
    """Weekdays alone; holidays differ from state to state, so the day may be later and is never earlier."""
    day = start
    while amount > 0:
        day += timedelta(days=1)
        amount -= day.weekday() < 5
    return day


def rights_of(
    text: str,
    sentences: Sequence[Sentence],
    speaks: Sequence[bool],
    times: Sequence[Time],
    dated: date | None,
) -> tuple[Right, ...]:
    """Each kind of right once, with its first words.

    Args:
        speaks: whether a sentence speaks of rights.
        times: those by which to appeal or to call a reviewer; their deadline is that of the right named before them.
    """
    found: dict[RightKind, Right] = {}
    last: RightKind | None = None
    for at, sentence in enumerate(sentences):
        due = [time for time in times if time.mention.sentence == at and time.what in ("appeal_by", "p2p_by")]
        if not speaks[at] and not due:
            continue
        named = rights_named(text, sentence)
        for kind, _ in named:
            found.setdefault(kind, Right(kind=kind, quote=_quote(text, sentence.start, sentence.end)))
        for time in due:
            kind = _of(time, named, last)
            right = found.setdefault(kind, Right(kind=kind, quote=_quote(text, sentence.start, sentence.end)))
            found[kind] = _with(right, deadline_of(text, sentence, time, dated))
        own = [kind for kind, _ in named if kind != "expedited"]
        last = own[-1] if own else last
        of = own[0] if own else last
        for match in _WHERE.finditer(text, sentence.start, sentence.end):
            if of in found and len(found[of].where) < 4:
                place = _quote(text, *match.span())
                found[of] = Right(
                    kind=of,
                    quote=found[of].quote,
                    deadline=found[of].deadline,
                    where=(*found[of].where, place),
                )
    return tuple(sorted(found.values(), key=lambda right: right.quote.start))


def _of(time: Time, named: Sequence[tuple[RightKind, int]], last: RightKind | None) -> RightKind:
    """The right to which a time belongs."""
    if time.what == "p2p_by":
        return "peer_to_peer"
    fitting = [(kind, place) for kind, place in named if kind not in ("peer_to_peer", "expedited")]
    before = [kind for kind, place in fitting if place < time.mention.start]
    if fitting:
        return before[-1] if before else fitting[0][0]
    return last if last and last != "peer_to_peer" else "appeal"


def _with(right: Right, deadline: Deadline) -> Right:
    """The first stretch and the first day that a letter gives for a right are one deadline."""
    old = right.deadline
    if old is None:
        new = deadline
    elif old.amount is not None and deadline.stated and not old.stated:
        new = Deadline(
            quote=deadline.quote, amount=old.amount, unit=old.unit, runs_from=old.runs_from, day=deadline.day,
            stated=True,
        )  # fmt: skip
    elif (
        old.stated and old.amount is None and deadline.amount is not None and deadline.day in (None, old.day)
    ):
        new = Deadline(
            quote=old.quote, amount=deadline.amount, unit=deadline.unit, runs_from=deadline.runs_from, day=old.day,
            stated=True,
        )  # fmt: skip
    else:
        new = old
    return Right(kind=right.kind, quote=right.quote, deadline=new, where=right.where)


def rights_named(text: str, sentence: Sentence) -> list[tuple[RightKind, int]]:
    """The rights that a sentence names, and where; a narrower one stands for the appeal beside it."""
    spans = _matcher().matches(text[sentence.start : sentence.end])
    kinds = [(span.key, sentence.start + span.start) for span in spans]
    narrow = [place for kind, place in kinds if kind in ("second_level", "external_review", "fair_hearing")]
    return [
        (kind, place)  # type: ignore[misc]
        for kind, place in kinds
        if kind != "appeal" or not any(abs(place - other) < 25 for other in narrow)
    ]


class _Phrases(msgspec.Struct, frozen=True):
    """A line of rights.jsonl: what a right is called."""

    right: RightKind
    phrases: tuple[str, ...]


@cache
def _matcher() -> Matcher:
    rows = msgspec.json.Decoder(_Phrases).decode_lines(Path(__file__).with_name("rights.jsonl").read_bytes())
    return Matcher(Name(phrase, f"right:{row.right}") for row in rows for phrase in row.phrases)


def _quote(text: str, start: int, end: int) -> Quote:
    return Quote(text=text[start:end], start=start, end=end)
