"""What a strategy is made of. Each step says why, by when, what it needs and what it takes; nothing here is a guess."""

from __future__ import annotations

from datetime import date
from typing import Literal

from tools.domain.records import Finding, Record
from tools.lifecycle.running import Term

Standing = Literal[
    "refuted",  # the record shows the contrary of what the payer says
    "confirmed",  # the record shows what the payer says
    "open",  # the record does not settle it
    "formal",  # nothing was decided on the merits: a request, a form or an answer is missing
]
StepKind = Literal[
    "gather",  # evidence first
    "answer",  # of a question that the payer asked
    "resubmit",  # as a new request, with what was missing
    "correct",  # an error, ours or the payer's
    "wait",
    "step_exception",
    "formulary_exception",
    "quantity_exception",
    "peer_to_peer",
    "appeal",
    "external_review",
    "switch",
    "clarify",  # ask the payer for its reason
    "stop",  # do not appeal
    "none",  # there is nothing to contest
]

GroundKind = Literal["contraindicated", "harmed", "failed", "stable"]


class Weighed(Record, frozen=True, kw_only=True):
    """One stated reason held against the record. `findings` are those that it points at; `baseless`: the
    policy has no such criterion, and they are the policy's criteria instead."""

    code: str
    quote: str  # the letter's words
    standing: Standing
    why: str
    findings: tuple[Finding, ...] = ()
    baseless: bool = False


class Ground(Record, frozen=True, kw_only=True):
    """A ground for an exception that the chart shows; `record_id` is where."""

    kind: GroundKind
    text: str
    record_id: str


class Step(Record, frozen=True, kw_only=True):
    """One thing to do. `ready`: it can be done today with what is on record. `level` is where an appeal goes
    to; `late`: its day is over, `possible` says what still is."""

    kind: StepKind
    what: str
    why: str
    level: str = ""
    drug: str = ""  # to switch to
    ready: bool = True
    by: date | None = None
    terms: tuple[Term, ...] = ()
    days_left: int | None = None
    late: bool = False
    possible: str = ""
    needs: tuple[str, ...] = ()
    takes: str = ""


class Odds(Record, frozen=True, kw_only=True):
    """What came of the appeals that are on record here; a count, and no forecast."""

    decided: int
    won: int
    of: str


class Strategy(Record, frozen=True, kw_only=True):
    """What to do about one letter, in this order. `refusal` says why no appeal is drafted, "" if one may be."""

    patient_id: str
    drug: str
    plan_id: str
    payer: str
    as_of: date
    outcome: str
    letter: str  # Denial.kind
    level: str  # the level of appeal that decided, "" for the first decision
    reasons: tuple[Weighed, ...]
    steps: tuple[Step, ...]
    refusal: str = ""
    then: str = ""  # what comes after the appeal, if it is upheld
    notes: tuple[str, ...] = ()
    odds: Odds | None = None

    @property
    def kinds(self) -> tuple[StepKind, ...]:
        return tuple(step.kind for step in self.steps)

    @property
    def appeal(self) -> Step | None:
        """The step that files an appeal, if there is one."""
        return next((step for step in self.steps if step.kind in ("appeal", "external_review")), None)

    @property
    def instead(self) -> str:
        """Its steps in one line, for whoever asks for what it does not advise."""
        return "; ".join(f"{number}. {step.what}" for number, step in enumerate(self.steps, 1))

    def step(self, kind: StepKind) -> Step | None:
        return next((step for step in self.steps if step.kind == kind), None)
