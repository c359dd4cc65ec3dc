"""What a simulated year keeps of each order, and how one person's order stands."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec


class Matter(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One drug ordered for one patient, from the order to therapy or to the end. `called_ready`: the first submission
    went out as `ready`, whole form and all; `first` is the payer's first answer to it."""

    number: int
    patient_id: str
    drug: str
    indication: str = ""
    plan_id: str = ""
    payer: str = ""
    ordered: date
    strength: str = ""
    quantity: float | None = None
    days_supply: int | None = None
    kind: str = ""  # renewal, where it is one of this year's approvals
    instead_of: int = 0
    outcome: str = ""  # Paladin's first determination
    rounds: int = 0  # of gathering
    case_id: int = 0
    reference: str = ""
    called_ready: bool = False
    submitted: date | None = None
    first: str = ""
    mistake: str = ""
    approved: date | None = None
    until: date | None = None
    started: date | None = None
    appeals: list[str] = []
    won: int = 0
    lost: int = 0
    calls: int = 0
    resubmitted: int = 0
    end: str = ""  # why it ended without therapy, or without a renewal


class Difference(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was called ready, and was not approved at once."""

    matter: int
    patient_id: str
    plan_id: str
    drug: str
    answer: str
    clauses: list[str] = []
    mistake: str = ""  # the payer's own, by its draw; none: form, engine or oracle are to be looked at


class Read(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A letter that was read otherwise than it was printed."""

    matter: int
    plan_id: str
    what: str
    printed: str
    read: str


class Missed(msgspec.Struct, kw_only=True):
    """A day that passed while it was ours to act."""

    case_id: int
    clock: str
    due: date


class Year(msgspec.Struct, kw_only=True):
    """All of it. `late` counts decisions of the payer that came after the clock that Paladin had for them."""

    seed: int
    patients: int
    months: int
    mistakes: float
    matters: list[Matter] = []
    renewals: list[Matter] = []
    differences: list[Difference] = []
    misread: list[Read] = []
    letters: int = 0
    missed: list[Missed] = []
    late: int = 0
    events: int = 0
    baseline: list[Matter] = []
    figures: dict[str, Any] = {}
