"""The reader of notes: deterministic, offline, and quoting only what stands there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from tools.domain.records import Note
from tools.notes.context import INSTRUCTION
from tools.notes.courses import STOPPED, courses_told
from tools.notes.facts import NoteFact, accept
from tools.notes.passages import Sentence, sentences
from tools.notes.plain import Plain, plain_of
from tools.notes.topics import diagnoses_told, procedures_told, programmes_told, statements_told
from tools.notes.values import values_told


def read_note(note: Note) -> list[NoteFact]:
    """What the note says, in its order; the same said twice is one fact. Days without a year are read as of the
    note's own date."""
    return list(_read(note))


@lru_cache(maxsize=16384)
def _read(note: Note) -> tuple[NoteFact, ...]:
    plain = plain_of(note.text)
    passages = sentences(plain.text)
    accepted = (
        accept(fact, note) for fact in sorted(_facts(note, plain, passages), key=lambda fact: fact.start)
    )
    return tuple(_once(fact for fact in accepted if fact is not None))


def passage_of(note: Note, start: int, end: int) -> tuple[int, int]:
    """Where the sentence begins and ends that holds these words, so that a person reads them as they were meant."""
    plain = plain_of(note.text)
    for sentence in sentences(plain.text):
        begin, stop = plain.span(sentence.start, sentence.end)
        if begin <= start < stop:
            while note.text[begin] in " \t\n-*#" and begin < start:
                begin += 1
            while note.text[stop - 1].isspace() and stop > end:
                stop -= 1
            return begin, max(stop, end)
    return start, end


def _facts(note: Note, plain: Plain, passages: list[Sentence]) -> Iterable[NoteFact]:
    text, written = plain.text, note.date

    def quoted(start: int, end: int) -> dict[str, object]:
        while end > start + 1 and text[end - 1] in " \t\n,;:(-":
            end -= 1
        while start < end - 1 and text[start] in " \t\n,;:-*#":
            start += 1
        begin, stop = plain.span(start, end)
        return {"quote": note.text[begin:stop], "start": begin, "end": stop, "document": note.id}

    for told in courses_told(text, passages, written):
        yield NoteFact(
            kind=told.kind, of=told.of, present=told.present, subjects=told.subjects, status=told.status,
            hedged=told.hedged, detail=told.detail, drug=told.drug, began=told.began, date=told.ended, when=told.when,
            **quoted(told.start, told.end),  # type: ignore[arg-type]
        )  # fmt: skip
    said = [sentence for sentence in passages if not INSTRUCTION.search(text, sentence.start, sentence.end)]
    for value in values_told(text, said, written):
        yield NoteFact(
            kind="value", of=value.test, value=value.value, unit=value.unit, date=value.day, when=value.when,
            hedged=value.hedged, subjects=value.subjects, status="done",
            **quoted(value.start, value.end),  # type: ignore[arg-type]
        )  # fmt: skip
    for noted in (
        *diagnoses_told(text, said),
        *statements_told(text, said, written),
        *programmes_told(text, said, written),
        *procedures_told(text, said, written),
    ):
        yield NoteFact(
            kind=noted.kind, of=noted.of, present=noted.present, subjects=noted.subjects, status=noted.status,
            hedged=noted.hedged, detail=noted.detail, date=noted.day, began=noted.began, when=noted.when,
            **quoted(noted.start, noted.end),  # type: ignore[arg-type]
        )  # fmt: skip


def _once(facts: Iterable[NoteFact]) -> list[NoteFact]:
    """The same said twice is one fact, with the first's words."""
    known: dict[tuple[object, ...], NoteFact] = {}
    for fact in facts:
        key = (fact.kind, fact.of, fact.present, fact.subjects, fact.status, fact.hedged, fact.value)
        old = known.get(key)
        if old is None or ((fact.date or fact.began) and not (old.date or old.began)):
            known[key] = fact
    kept = [fact for fact in known.values() if not any(_overtakes(other, fact) for other in known.values())]
    return sorted(kept, key=lambda fact: fact.start)


def _overtakes(newer: NoteFact, fact: NoteFact) -> bool:
    """A plan that the same note goes on to say was carried out, and a denial that it repeats of more people."""
    if newer is fact or newer.of != fact.of:
        return False
    if fact.kind == "taking" and fact.status == "planned":
        begun = newer.kind == "taking" and newer.status == "current" and newer.present
        return (begun or (newer.kind == "tried" and not newer.present)) and newer.start > fact.start
    if fact.kind == "taking" and fact.status == "current" and fact.present:
        ended = (newer.kind == "stopped" and newer.status == "history") or (
            newer.kind == "intolerance" and newer.present
        )
        return ended and newer.start > fact.start and bool(STOPPED.search(newer.quote))
    both = not fact.present and not newer.present and newer.kind == fact.kind
    return both and set(fact.subjects) < set(newer.subjects)
