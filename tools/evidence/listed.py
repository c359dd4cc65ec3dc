"""What a chart's lists have of a drug that a text names."""

from __future__ import annotations

from datetime import date

from tools.domain.records import Allergy, Medication, Note
from tools.domain.rules import (
    Intolerance,
    Trial,
)
from tools.evidence.context import EvaluationContext
from tools.evidence.courses import matches
from tools.language.mentions import Mention


def agrees(charted: list[Medication], taken: bool, note: Note) -> bool:
    """Whether the medication list says of the note's day what the note says."""
    if note.date is None:
        return False
    if taken:
        return any(goes_on(entry, note.date) for entry in charted)
    return any(entry.start and entry.start > note.date for entry in charted)


def goes_on(entry: Medication, day: date) -> bool:
    """Whether the medication list says that it is taken on that day."""
    if entry.start is not None and entry.start > day:
        return False
    return day <= entry.end if entry.end is not None else entry.status == "active"


def is_charted(leaf: Trial | Intolerance, context: EvaluationContext) -> bool:
    return any(
        matches(entry, leaf.drugs, leaf.classes, entry.drug) for entry in context.patient.medications or ()
    )


def entries_of(mention: Mention, context: EvaluationContext) -> list[Medication]:
    return [entry for entry in context.patient.medications or () if is_of(entry, mention)]


def is_of(item: Medication | Allergy, mention: Mention) -> bool:
    """Whether the mention names its ingredient or its class."""
    return mention.concept in item.ingredients or mention.concept in item.classes
