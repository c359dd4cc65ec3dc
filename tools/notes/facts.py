"""What a note says: one fact, with the words that say it and where they stand."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from tools.domain.records import Note, Record

FactKind = Literal[
    "taking",  # a drug is taken; planned, declined or not taken by `status` and `present`
    "tried",
    "stopped",  # and the note does not say why
    "intolerance",
    "inadequate",
    "partial",
    "effective",
    "contraindicated",
    "allergy",
    "value",
    "diagnosis",
    "statement",
    "programme",
    "procedure",
]
Subject = Literal["self", "family", "other"]
Standing = Literal["current", "history", "planned", "done", "declined"]


class NoteFact(Record, frozen=True, kw_only=True):
    """One thing that a note says. `of` is what it is about: a drug's ingredients joined by + or a key of
    terms.CLASSES, a key of terms.TESTS, CONCEPTS (or thyroid_cancer) or TOPICS, `lifestyle`, a procedure.
    `start` and `end` are the offsets of `quote` in the note's text. A day that the note gives only by its month
    or year is None; `when` has its words."""

    kind: FactKind
    of: str
    quote: str
    start: int
    end: int
    document: str = ""
    present: bool = True
    subjects: tuple[Subject, ...] = ("self",)
    status: Standing = "current"
    hedged: bool = False
    value: float | None = None
    unit: str = ""
    began: date | None = None
    date: date | None = None  # of a value or procedure, or on which a course ended
    when: str = ""
    detail: str = ""  # of an intolerance: gi, hypoglycemia, genital, other; of a consultation: the specialty
    drug: str = ""  # as the note calls it

    @property
    def counts(self) -> bool:
        """Whether it says something of the patient that is so, without a hedge and not only meant to be."""
        return not self.hedged and "other" not in self.subjects and self.status not in ("planned", "declined")


def accept(fact: NoteFact, note: Note) -> NoteFact | None:
    """The gate for every fact, whoever proposed it: its quote stands in the note, verbatim, where it says.
    The document is always this note."""
    if not fact.quote.strip() or not 0 <= fact.start < fact.end <= len(note.text):
        return None
    if note.text[fact.start : fact.end] != fact.quote:
        return None
    return fact if fact.document == note.id else msgspec.structs.replace(fact, document=note.id)
