"""A world as JSON, read from its folder and not through the store, and what the engine says of its people."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from evals.chat.questions import Supposing
from evals.stores import MOCK_DATA
from tools.domain.records import Determination, Drug, Patient, Plan, Request
from tools.engine.determine import determine
from tools.engine.eligibility import successor
from tools.engine.request import complete_request

Json = dict[str, Any]
T = TypeVar("T")


class World:
    """Patients and plans by id, drugs by name, policies' texts by id; labels of planted charts."""

    def __init__(
        self,
        patients: Mapping[str, Json],
        plans: Mapping[str, Json],
        drugs: Mapping[str, Json],
        policies: Mapping[str, str],
        as_of: date,
        labels: Sequence[Json] = (),
    ) -> None:
        self.patients, self.plans, self.drugs, self.policies = patients, plans, drugs, policies
        self.as_of, self.labels = as_of, labels
        self.whole = self  # what this one is of, if it shows fewer people
        self._records: dict[str, Any] = {}
        self._decided: dict[tuple[str, str], Determination] = {}

    @classmethod
    def read(cls, folder: Path = MOCK_DATA, labels: Path | None = None) -> World:
        """The world of a folder, the bundled one if none is named."""
        patients, plans, drugs, dataset = (
            json.loads((folder / f"{name}.json").read_text())
            for name in ("patients", "plans", "drugs", "dataset")
        )
        return cls(
            {one["id"]: one for one in patients},
            {one["id"]: one for one in plans},
            {one["name"]: one for one in drugs},
            {path.stem.upper(): path.read_text() for path in sorted((folder / "policies").glob("*.txt"))},
            date.fromisoformat(dataset["as_of"]),
            [json.loads(line) for line in labels.read_text().splitlines()] if labels else (),
        )

    def showing(self, patients: Mapping[str, Json]) -> World:
        """The same world with these people alone."""
        seen = World(patients, self.plans, self.drugs, self.policies, self.as_of)
        seen.whole = self.whole
        return seen

    @cached_property
    def planted(self) -> dict[tuple[str, str, str], list[Json]]:
        """Labels by plan, drug and use."""
        by_cell = defaultdict[tuple[str, str, str], list[Json]](list)
        for label in self.labels:
            by_cell[label["plan_id"], label["drug"], label.get("indication", "")].append(label)
        return dict(by_cell)

    def policy(self, plan_id: str, drug: str) -> str | None:
        """The text of the plan's policy for the drug, if it has one."""
        benefit = self.plans[plan_id]["benefits"].get(drug) or {}
        return self.policies.get(benefit.get("policy_id", ""))

    def plan(self, plan_id: str) -> Plan:
        return self._record(Plan, self.plans[plan_id], plan_id)

    def drug(self, name: str) -> Drug:
        return self._record(Drug, self.drugs[name], name)

    def _record(self, kind: type[T], row: Json, name: str) -> T:
        """Read once."""
        if name not in self._records:
            self._records[name] = msgspec.convert(row, kind)
        record: T = self._records[name]
        return record

    def decide(self, chart: Json, plan_id: str, request: Json, as_of: date) -> Determination:
        """What the engine says of a chart and a request, both as JSON."""
        patient, drug = msgspec.convert(chart, Patient), self.drug(request["drug"])
        asked = complete_request(patient, drug, msgspec.convert(request, Request))
        return determine(patient, self.plan(plan_id), asked, as_of)

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
        active = successor(patient, patient.plan_id, self.as_of) or patient.plan_id
        as_of = date.fromisoformat(case.as_of) if case.as_of else self.as_of
        return self.decide(chart, case.plan_id or active, {"drug": drug, **case.request}, as_of)


@cache
def bundled() -> World:
    return World.read()


def edited(chart: Mapping[str, Any], edits: Mapping[str, Any]) -> Json:
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
