"""What a criterion is judged against, and what a leaf answers."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from tools.measurements import Values, values_of
from tools.records import Attestation, Diagnosis, Evidence, Patient, Reason, Request


class Shown(NamedTuple):
    """A leaf's answer: is the thing shown to be so (None: unknown), by what, why not known, and what would
    change it."""

    shown: bool | None
    records: tuple[Evidence, ...] = ()
    detail: str = ""
    reason: Reason | None = None
    fix: str | None = None


class Problem(NamedTuple):
    """An entry of the problem list that counts on the day; a family history code is the family's, though it
    stands on the patient's own list."""

    entry: Diagnosis
    code: str
    name: str  # in lower case
    subject: Literal["self", "family"]


class Judge:
    """One patient, one request, one day. What several criteria look at is looked up once."""

    __slots__ = (
        "_problem_text",
        "_problems",
        "_said",
        "_values",
        "as_of",
        "patient",
        "policy_id",
        "request",
        "therapy_start",
    )

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
        self._problems: list[Problem] | None = None
        self._problem_text: str | None = None
        self._said: dict[str, dict[str, Attestation]] | None = None

    def values(self, test: str) -> Values:
        """Usable values of the test, newest first, and the rejected ones."""
        known = self._values.get(test)
        if known is None:
            known = self._values[test] = values_of(self.patient, test, self.as_of)
        return known

    def problems(self) -> list[Problem]:
        """The problem list without what is refuted or begins after the day."""
        if self._problems is None:
            self._problems = [
                Problem(
                    entry, entry.code, entry.name.casefold(), "family" if _is_family(entry.code) else "self"
                )
                for entry in self.patient.conditions or ()
                if entry.verification != "refuted" and (entry.onset is None or entry.onset <= self.as_of)
            ]
        return self._problems

    def problem_text(self) -> str:
        """Codes and names of the problem list in lower case, each entry behind a bar, for one quick search."""
        if self._problem_text is None:
            self._problem_text = "".join(f"|{item.code.lower()} {item.name}" for item in self.problems())
        return self._problem_text

    def said(self, topic: str) -> dict[str, Attestation]:
        """The newest statement on the topic for each subject; undated ones are oldest, later ones ignored."""
        if self._said is None:
            self._said = _newest_statements(self.patient.attestations, self.as_of)
        return self._said.get(topic, {})


def _is_family(code: str) -> bool:
    return code.startswith("Z8") and code[:3] in ("Z80", "Z81", "Z82", "Z83", "Z84")


def _newest_statements(statements: tuple[Attestation, ...], as_of: date) -> dict[str, dict[str, Attestation]]:
    by_topic: dict[str, dict[str, Attestation]] = {}
    for item in statements:
        if item.date is not None and item.date > as_of:
            continue
        newest = by_topic.setdefault(item.topic, {})
        for subject in item.subjects:
            known = newest.get(subject)
            if known is None or (item.date or date.min) >= (known.date or date.min):
                newest[subject] = item
    return by_topic
