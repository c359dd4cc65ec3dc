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
        return Deadline(quote=Quote.of(text, one.start, one.end), day=one.day, stated=True)
    end = min(
        (at for sign in ".;" if (at := text.find(sign, one.end, sentence.end)) >= 0), default=sentence.end
    )
    day = _counted(dated, one.amount, one.unit) if dated and time.runs_from == "notice" else None
    unit: Unit = one.unit  # type: ignore[assignment]
    return Deadline(
        quote=Quote.of(text, one.start, end), amount=one.amount, unit=unit, runs_from=time.runs_from, day=day
    )


def _counted(start: date, amount: int, unit: str) -> date:
    """Of business days weekdays alone; holidays differ from state to state, so the day may be later and is never
    earlier."""
    if unit == "months":
        return add_months(start, amount)
    if unit == "days":
        return start + timedelta(days=amount)
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
        belongs = [_of(time, named, last) for time in due]
        for kind in (*(kind for kind, _ in named), *belongs):
            found.setdefault(kind, Right(kind=kind, quote=Quote.of(text, sentence.start, sentence.end)))
        for time, kind in zip(due, belongs, strict=True):
            deadline = _one_deadline(found[kind].deadline, deadline_of(text, sentence, time, dated))
            found[kind] = msgspec.structs.replace(found[kind], deadline=deadline)
        own = [kind for kind, _ in named if kind != "expedited"]
        last = own[-1] if own else last
        of = own[0] if own else last
        for match in _WHERE.finditer(text, sentence.start, sentence.end):
            if of in found and len(found[of].where) < 4:
                where = (*found[of].where, Quote.of(text, *match.span()))
                found[of] = msgspec.structs.replace(found[of], where=where)
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


def _one_deadline(old: Deadline | None, new: Deadline) -> Deadline:
    """The first stretch and the first day that a letter gives for a right are one deadline."""
    if old is None:
        return new
    if old.amount is not None and new.stated and not old.stated:
        return msgspec.structs.replace(old, quote=new.quote, day=new.day, stated=True)
    if old.stated and old.amount is None and new.amount is not None and new.day in (None, old.day):
        return msgspec.structs.replace(new, quote=old.quote, day=old.day, stated=True)
    return old


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
