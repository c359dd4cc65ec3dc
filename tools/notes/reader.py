"""The reader of notes: deterministic, offline, and quoting only what stands there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from tools.domain.records import Note
from tools.language.assertion import sentence_at
from tools.notes.encoded import encode
from tools.notes.extraction import COURSES, extracts, orders
from tools.notes.facts import NoteFact, accept
from tools.notes.plain import plain_of
from tools.notes.values import values_in

_RANKS = {told: rank for rank, told in enumerate(COURSES.values())}


def read_note(note: Note) -> list[NoteFact]:
    """What the note says, in its order; the same said twice is one fact. Days without a year are read as of the
    note's own date.

    Raises:
        Unavailable: ONNX Runtime or the weights are not installed.
    """
    return list(_read(note))


@lru_cache(maxsize=16384)
def _read(note: Note) -> tuple[NoteFact, ...]:
    read = sorted(_facts(note), key=lambda one: one.fact.start)
    return tuple(_once(one for one in read if accept(one.fact, note) is not None))


def passage_of(note: Note, start: int, end: int) -> tuple[int, int]:
    """Where the sentence begins and ends that holds these words, so that a person reads them as they were meant."""
    begin, stop = sentence_at(note.text, start)
    while begin < start and (note.text[begin].isspace() or note.text[begin] in "-*#"):
        begin += 1
    stop = max(stop, end)
    while stop > end and note.text[stop - 1].isspace():
        stop -= 1
    return begin, stop


class _Read(NamedTuple):
    """A fact, and how likely it is meant so."""

    fact: NoteFact
    sure: float


def _facts(note: Note) -> Iterator[_Read]:
    """All facts but those of which it is not clear whose they are, and those of sentences that give an order to whoever
    reads them."""
    plain = plain_of(note.text)
    encoded = encode(plain.text)
    silenced = orders(encoded)
    for one in (*extracts(encoded, note.date), *values_in(encoded, note.date)):
        if not one.fields["subjects"] or any(
            first < one.end and one.start < last for first, last in silenced
        ):
            continue
        start, end = plain.span(*_trimmed(plain.text, one.start, one.end))
        fact = NoteFact(
            kind=one.kind, of=one.of, quote=note.text[start:end], start=start, end=end, document=note.id, **one.fields
        )  # fmt: skip
        yield _Read(fact, one.sure)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start + 1 and (text[end - 1].isspace() or text[end - 1] in ",;:(-."):
        end -= 1
    while start < end - 1 and (text[start].isspace() or text[start] in ",;:-*#"):
        start += 1
    return start, end


def _once(read: Iterable[_Read]) -> list[NoteFact]:
    """The same said twice is one fact, with the words that say it most surely; of one drug the most telling is kept,
    and what the note takes back further down is not said."""
    kept: dict[tuple[object, ...], _Read] = {}
    for one in read:
        key = _place(one.fact)
        old = kept.get(key)
        if old is None or _replaces(one, old):
            kept[key] = one
    facts = [one.fact for one in kept.values()]
    wider = [one for one in facts if not one.present and len(one.subjects) > 1]
    said = (one for one in facts if not any(_within(one, other) for other in wider))
    return sorted(said, key=lambda one: one.start)


def _place(fact: NoteFact) -> tuple[object, ...]:
    """What of a note can be said once."""
    if fact.drug:
        return "drug", fact.of, fact.subjects, fact.kind == "intolerance" and not fact.present
    if fact.kind == "value":
        return fact.kind, fact.of, fact.subjects, fact.value
    return fact.kind, fact.of, fact.subjects, fact.status if fact.kind == "procedure" else ""


def _replaces(new: _Read, old: _Read) -> bool:
    if not new.fact.drug and (new.fact.present, new.fact.hedged) != (old.fact.present, old.fact.hedged):
        return True
    return _merit(new) < _merit(old)


def _merit(read: _Read) -> tuple[int, bool, float]:
    """The more telling, then what tells a day, then the surer comes first."""
    fact = read.fact
    return _rank(fact) if fact.drug else 0, not (fact.date or fact.began), -read.sure


def _rank(fact: NoteFact) -> int:
    return _RANKS.get((fact.kind, fact.present, fact.status), len(_RANKS))


def _within(fact: NoteFact, wider: NoteFact) -> bool:
    """A denial that the note repeats of more people."""
    same = (fact.kind, fact.of, fact.present) == (wider.kind, wider.of, False)
    return fact is not wider and same and set(fact.subjects) < set(wider.subjects)
