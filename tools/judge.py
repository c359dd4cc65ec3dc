"""What a criterion is judged against, and what a leaf answers."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from tools.measurements import Values, values_of
from tools.records import Evidence, Patient, Reason, Request


class Shown(NamedTuple):
    """A leaf's answer: is the thing shown to be so (None: unknown), by what, why not known, and what would
    change it."""

    shown: bool | None
    records: tuple[Evidence, ...] = ()
    detail: str = ""
    reason: Reason | None = None
    fix: str | None = None


class Judge:
    """One patient, one request, one day. Values are looked up once per test, whoever asks."""

    __slots__ = ("_values", "as_of", "patient", "policy_id", "request", "therapy_start")

    def __init__(
        self,
        patient: Patient,
        request: Request,
        as_of: date,
        therapy_start: date | None = None,
        policy_id: str = "",
    ) -> None:
        self.patient = patient
        self.request = request
        self.as_of = as_of
        self.therapy_start = therapy_start
        self.policy_id = policy_id
        self._values: dict[str, Values] = {}

    def values(self, test: str) -> Values:
        """Usable values of the test, newest first, and the rejected ones."""
        known = self._values.get(test)
        if known is None:
            known = self._values[test] = values_of(self.patient, test, self.as_of)
        return known
