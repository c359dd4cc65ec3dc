"""What the oracle says: an outcome, and a status for each clause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

YES, NO, OPEN = 1, 0, None  # a statement of the policy is shown, shown to be false, or neither
Truth = int | None
STATUS = {YES: "met", NO: "not_met", OPEN: "unknown"}


@dataclass(frozen=True)
class Verdict:
    """`statuses` by clause number; `met` favors the patient, so an absent exclusion is met."""

    outcome: str
    use: str = ""
    statuses: dict[str, str] = field(default_factory=dict)
    stopped_by: str = ""


def count(needed: int, truths: Iterable[Truth]) -> Truth:
    """Whether at least `needed` of these hold, by the least and the most that may."""
    given = list(truths)
    sure = sum(1 for truth in given if truth == YES)
    possible = sum(1 for truth in given if truth != NO)
    if sure >= needed:
        return YES
    return OPEN if possible >= needed else NO


def turned(truth: Truth) -> Truth:
    """Whether the opposite statement holds."""
    return OPEN if truth is OPEN else 1 - truth


def agreed(said: set[bool]) -> Truth:
    """What all sources say; open if they do not say the same."""
    return int(said.pop()) if len(said) == 1 else OPEN


def worst(truths: Iterable[Truth]) -> Truth:
    """All must hold; they do where there are none."""
    given = set(truths)
    return next((truth for truth in (NO, OPEN) if truth in given), YES)


def best(truths: Iterable[Truth]) -> Truth:
    """One must hold; none does where there are none."""
    given = set(truths)
    return next((truth for truth in (YES, OPEN) if truth in given), NO)
