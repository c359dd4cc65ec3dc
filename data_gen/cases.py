"""The cases that are there by construction: who is planted, as what, and the label that says so."""

from __future__ import annotations

import msgspec

from data_gen.people import Person
from data_gen.setting import Setting
from tools.records import Outcome, Status


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a planted chart was made to realise; kept apart from everything that run time reads."""

    patient_id: str
    plan_id: str
    drug: str
    indication: str = ""
    kind: str
    outcome: Outcome
    truth: dict[str, Status] = {}
    why: str


class Planter:
    """Plants the cases of a world."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def is_planted(self, index: int) -> bool:
        return False

    def plant(self, person: Person) -> Label | None:
        return None
