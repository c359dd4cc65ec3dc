"""The vocabulary of an authorization case: who did what when, why, and what it was based on. No I/O, no clock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from tools.domain.records import Channel, Kind, Record

Ask = Literal["pa", "exception"]  # an exception is to the formulary, a step or a quantity limit
Urgency = Literal["standard", "expedited"]
What = Literal[
    "opened", "reviewed", "revised", "submitted", "pended", "answered", "approved", "partly_approved",
    "denied", "appealed", "upheld", "overturned", "partly_overturned", "renewal_due", "closed", "extended",
    "received", "called", "noted", "undone",
]  # fmt: skip


class Paper(Record, frozen=True, kw_only=True):
    """A document by its hash."""

    title: str
    sha256: str = ""


class Basis(Record, frozen=True, kw_only=True):
    """What an event rests on: a determination by the SHA-256 of its JSON, a draft, documents."""

    determination: str = ""
    outcome: str = ""
    as_of: date | None = None
    draft_id: int | None = None
    papers: tuple[Paper, ...] = ()


class Approval(Record, frozen=True, kw_only=True):
    """What the payer approved, and for how long; both days included."""

    number: str
    start: date
    end: date
    quantity: float | None = None  # billing units in `days_supply` days
    days_supply: int | None = None


class Notice(Record, frozen=True, kw_only=True):
    """A payer's letter. `deadline` is the day that the letter itself gives for what comes next; it governs."""

    dated: date
    received: date | None = None  # the day it came in, if somebody noted it
    reference: str = ""
    reasons: tuple[str, ...] = ()
    deadline: date | None = None
    deadline_for: str = ""  # the level that it is for; the next one if it is left out
    within_days: int | None = None  # of its receipt, where the letter gives the days and not the day
    peer_to_peer: date | None = None  # the last day for a peer-to-peer call, if it offers one
    effective: date | None = None  # when a reduction or an end of coverage takes effect
    letter: Paper | None = None


class Call(Record, frozen=True, kw_only=True):
    """A call with the payer."""

    spoke_with: str
    reference: str = ""
    peer_to_peer: bool = False


class Facts(Record, frozen=True, kw_only=True):
    """What an event states beside who, when and why; each kind of event has its own."""

    channel: Channel | None = None
    reference: str = ""
    received: date | None = None  # when the payer had it, where it is not the day it was sent
    statement: date | None = None  # when the payer had the prescriber's supporting statement
    urgency: Urgency | None = None
    expedite_reason: str = ""  # the prescriber's statement of why delay would harm
    level: str = ""
    approval: Approval | None = None
    notice: Notice | None = None
    call: Call | None = None
    undoes: int | None = None
    basis: Basis | None = None


class CaseEvent(Record, frozen=True, kw_only=True):
    """One thing that happened, entered once and never changed. `on` is the day it happened, `when` the moment it
    was entered. The store gives `number`, counted within its case."""

    number: int = 0
    what: What
    on: date
    at: str = ""  # HH:MM, where a clock of hours begins with it
    by: str
    why: str = ""
    facts: Facts = Facts()
    when: datetime


class CaseHead(Record, frozen=True, kw_only=True):
    """What a case is about; it never changes. The plan's terms are those of the day it was opened."""

    id: int = 0
    patient_id: str
    person: str  # who the patient was: a reloaded world may give the id to somebody else
    name: str
    drug: str
    plan_id: str
    payer: str
    line: str  # Plan.line_of_business
    internal_levels: int = 1
    ask: Ask = "pa"
    kind: Kind = "new"
    indication: str = ""
    draft_id: int | None = None
    opened: datetime


class AuthorizationCase(Record, frozen=True, kw_only=True):
    """A case as it stands: its head, all its events, and what they come to (tools/lifecycle/fold.py)."""

    head: CaseHead
    events: tuple[CaseEvent, ...]  # undone ones too
    state: str
    level: str = ""  # the level of appeal that runs, or that was decided last
    urgency: Urgency = "standard"
    request: CaseEvent | None = None  # the submission that runs or was decided
    answer: CaseEvent | None = None  # what was last sent in answer to a question
    appeal: CaseEvent | None = None  # the appeal that runs or was decided
    beside: tuple[CaseEvent, ...] = ()  # appeals of earlier levels that are not decided yet
    extended: CaseEvent | None = None  # the payer said that it takes longer
    notices: dict[str, CaseEvent] = {}  # the adverse decision of each level; "request" is the first
    pend: CaseEvent | None = None
    approvals: tuple[Approval, ...] = ()

    @property
    def id(self) -> int:
        return self.head.id

    @property
    def open(self) -> bool:
        return self.state != "closed"

    @property
    def approval(self) -> Approval | None:
        """The approval that was given last."""
        return self.approvals[-1] if self.approvals else None

    @property
    def since(self) -> date:
        """The newest day of what stands in it."""
        return max((event.on for event in standing(self)), default=self.head.opened.date())


def standing(case: AuthorizationCase) -> tuple[CaseEvent, ...]:
    """The events that count: neither undone nor an undoing."""
    gone = undone(case)
    return tuple(e for e in case.events if e.number not in gone and e.what != "undone")


def undone(case: AuthorizationCase) -> frozenset[int | None]:
    """The numbers of the events that a later one takes back."""
    return frozenset(event.facts.undoes for event in case.events if event.what == "undone")


def key_of(event: CaseEvent) -> bytes:
    """What makes two entries the same one: everything but the moment at which it was typed."""
    same = msgspec.structs.replace(event, number=0, when=datetime.min)
    return msgspec.json.encode(same, order="deterministic")
