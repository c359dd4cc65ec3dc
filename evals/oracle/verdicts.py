"""What the oracle says: an outcome, and a status and a reason for each clause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

YES, NO, OPEN = 1, 0, None  # a statement of the policy is shown, shown to be false, or neither
Truth = int | None
STATUS = {YES: "met", NO: "not_met", OPEN: "unknown"}


@dataclass(frozen=True)
class Answer:
    """Whether a sentence is true of a chart, and why."""

    truth: Truth
    why: str = ""

    @property
    def turned(self) -> Answer:
        """The answer to the opposite sentence."""
        return Answer(self.truth if self.truth is OPEN else 1 - self.truth, self.why)


@dataclass(frozen=True)
class Verdict:
    """`statuses` and `reasons` by clause number; `met` favors the patient, so an absent exclusion is met."""

    outcome: str
    use: str = ""
    statuses: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    stopped_by: str = ""


def count(needed: int, truths: Iterable[Truth]) -> Truth:
    """Whether at least `needed` of these hold, by the least and the most that may."""
    given = list(truths)
    sure = sum(1 for truth in given if truth == YES)
    possible = sum(1 for truth in given if truth != NO)
    if sure >= needed:
        return YES
    return OPEN if possible >= needed else NO


def known(true: bool) -> Answer:
    """The answer to what can be looked up."""
    return Answer(YES if true else NO)


def agreed(said: set[bool]) -> Answer:
    """What all sources say; a conflict if they do not say the same."""
    return known(said.pop()) if len(said) == 1 else Answer(OPEN, "conflict")


def worst(parts: list[Answer]) -> Answer:
    """All must hold."""
    return _first(parts, NO, OPEN) or Answer(YES)


def best(answers: list[Answer]) -> Answer:
    """One must hold."""
    return _first(answers, YES, OPEN) or Answer(NO)


def _first(answers: list[Answer], *truths: Truth) -> Answer | None:
    return next((answer for truth in truths for answer in answers if answer.truth == truth), None)
