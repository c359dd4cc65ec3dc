"""Notes by another hand, read by the reader of notes; which facts a note may state stands in notes/README.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from evals.first_sight.rows import NoteRow
from evals.notes.gold import Labelled
from evals.notes.score import compare
from tools.domain.records import Note
from tools.notes.facts import NoteFact
from tools.notes.reader import read_note


def score(
    notes: Sequence[Labelled],
    name: str,
    voice: str,
    read: Callable[[Note], list[NoteFact]] = read_note,
    miss: Callable[[str], None] = lambda _: None,
) -> NoteRow:
    """The counts of a set: facts that are right, told and wanted, those that would mislead, and traps seen as such."""
    counts: Counter[str] = Counter()
    for note in notes:
        compared = compare(note, read(note.note))
        for name_of, (right, of) in compared.tally.items():
            counts[name_of] += right
            counts[f"{name_of}, of"] += of
            if name_of.startswith("trap: "):
                counts["traps"] += right
                counts["traps, of"] += of
        for sign, wrongs in (("+", compared.extra), ("-", compared.missed), ("~", compared.astray)):
            for wrong in wrongs:
                miss(f"{note.note.id} {sign} {wrong.what} | {' '.join(wrong.words.split())}")
    pairs = ("facts, precision", "facts, recall", "facts that mislead", "days and effects right", "traps")
    precise, recalled, misleading, details, traps = ((counts[one], counts[f"{one}, of"]) for one in pairs)
    return NoteRow(
        set=name, voice=voice, n=len(notes), facts=(precise[0], precise[1], recalled[1]),
        misleading=misleading[0], traps=traps, details=details,
    )  # fmt: skip
