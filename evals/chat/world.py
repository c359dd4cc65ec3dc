"""The bundled world as the evals read it: from its files, not through the store, and judged by `determine` alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import msgspec

from evals.chat.questions import Question, Supposing
from evals.stores import MOCK_DATA
from tools.domain.records import Determination, Drug, Outcome, Patient, Plan, Request
from tools.engine.determine import determine
from tools.engine.eligibility import successor
from tools.engine.request import complete_request


class World:
    """The patients, plans, drugs and policies of a folder as JSON, and as records where they are judged."""

    def __init__(self, folder: Path = MOCK_DATA) -> None:
        self.folder = folder
        self.whole: World = self  # a copy that shows fewer people says what it is of
        self.patients: dict[str, dict[str, Any]] = _by_id(self._json("patients"), "id")
        self.plans: dict[str, dict[str, Any]] = _by_id(self._json("plans"), "id")
        self.drugs: dict[str, dict[str, Any]] = _by_id(self._json("drugs"), "name")
        self.as_of = date.fromisoformat(self._json("dataset")["as_of"])
        self._decided: dict[tuple[str, str], Determination] = {}

    @cached_property
    def policies(self) -> dict[str, str]:
        """The printed text of each policy by its id."""
        return {
            path.stem.upper(): path.read_text() for path in sorted((self.folder / "policies").glob("*.txt"))
        }

    @cached_property
    def _records(self) -> dict[str, Drug | Plan]:
        plans: dict[str, Drug | Plan] = {
            name: msgspec.convert(plan, Plan) for name, plan in self.plans.items()
        }
        return plans | {name: msgspec.convert(drug, Drug) for name, drug in self.drugs.items()}

    def determination(self, patient_id: str, drug: str) -> Determination:
        """What the engine says today, of the plan on file, or of the one that is active if that has ended."""
        key = (patient_id, drug)
        if key not in self._decided:
            self._decided[key] = self.judge(patient_id, drug)
        return self._decided[key]

    def judge(self, patient_id: str, drug: str, case: Supposing | None = None) -> Determination:
        """What the engine says of the case as it stands, or as it is supposed to be."""
        case = case or Supposing()
        chart = edited(self.patients[patient_id], case.chart)
        patient = msgspec.convert(chart, Patient)
        plan_id = successor(patient, patient.plan_id, self.as_of) or patient.plan_id
        product, plan = self._records[drug], self._records[case.plan_id or plan_id]
        assert isinstance(product, Drug) and isinstance(plan, Plan)
        request = complete_request(patient, product, Request(drug=drug, **case.request))
        return determine(patient, plan, request, date.fromisoformat(case.as_of) if case.as_of else self.as_of)

    def expected(self, question: Question, drug: str, *, last: bool, patient_id: str = "") -> Outcome:
        """The outcome that an answer must give; the supposed one on the last turn of a what-if."""
        who = question.patient or patient_id
        if question.supposing and last:
            return self.judge(who, drug, question.supposing).outcome
        return self.determination(who, drug).outcome

    def _json(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_text())


@cache
def bundled() -> World:
    return World()


def edited(chart: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """The chart's JSON with these edits: rows of a list by their id, everything else replaced."""
    found = copy.deepcopy(dict(chart))
    for name, value in edits.items():
        if not isinstance(value, list):
            found[name] = value
            continue
        rows = {row["id"]: row for row in found.get(name) or []}
        for row in value:
            rows[row["id"]] = {**rows.get(row["id"], {}), **row}
        found[name] = list(rows.values())
    return found


def _by_id(rows: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in rows}
