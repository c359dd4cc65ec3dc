"""The reader of notes: deterministic, offline, and quoting only what stands there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

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
    facts = sorted(_facts(note), key=lambda fact: fact.start)
    accepted = (accept(fact, note) for fact in facts)
    return tuple(_once(fact for fact in accepted if fact is not None))


def passage_of(note: Note, start: int, end: int) -> tuple[int, int]:
    """Where the sentence begins and ends that holds these words, so that a person reads them as they were meant."""
    begin, stop = sentence_at(note.text, start)
    while begin < start and (note.text[begin].isspace() or note.text[begin] in "-*#"):
        begin += 1
    stop = max(stop, end)
    while stop > end and note.text[stop - 1].isspace():
        stop -= 1
    return begin, stop


def _facts(note: Note) -> Iterator[NoteFact]:
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
        yield NoteFact(
            kind=one.kind, of=one.of, quote=note.text[start:end], start=start, end=end, document=note.id, **one.fields
        )  # fmt: skip


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start + 1 and (text[end - 1].isspace() or text[end - 1] in ",;:(-."):
        end -= 1
    while start < end - 1 and (text[start].isspace() or text[start] in ",;:-*#"):
        start += 1
    return start, end


def _once(facts: Iterable[NoteFact]) -> list[NoteFact]:
    """The same said twice is one fact, with the first's words; of one drug the most telling is kept, and what the note
    takes back further down is not said."""
    kept: dict[tuple[object, ...], NoteFact] = {}
    for fact in facts:
        key = _place(fact)
        old = kept.get(key)
        if old is None or _replaces(fact, old):
            kept[key] = fact
    wider = [one for one in kept.values() if not one.present and len(one.subjects) > 1]
    said = (one for one in kept.values() if not any(_within(one, other) for other in wider))
    return sorted(said, key=lambda one: one.start)


def _place(fact: NoteFact) -> tuple[object, ...]:
    """What of a note can be said once."""
    if fact.drug:
        return "drug", fact.of, fact.subjects, fact.kind == "intolerance" and not fact.present
    if fact.kind == "value":
        return fact.kind, fact.of, fact.subjects, fact.value
    return fact.kind, fact.of, fact.subjects, fact.status if fact.kind == "procedure" else ""


def _replaces(new: NoteFact, old: NoteFact) -> bool:
    if new.drug:
        return _rank(new) < _rank(old)
    if new.present != old.present or new.hedged != old.hedged:
        return True
    return bool(new.date or new.began) and not (old.date or old.began)


def _rank(fact: NoteFact) -> int:
    return _RANKS.get((fact.kind, fact.present, fact.status), len(_RANKS))


def _within(fact: NoteFact, wider: NoteFact) -> bool:
    """A denial that the note repeats of more people."""
    same = (fact.kind, fact.of, fact.present) == (wider.kind, wider.of, False)
    return fact is not wider and same and set(fact.subjects) < set(wider.subjects)
