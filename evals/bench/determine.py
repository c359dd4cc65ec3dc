"""Determinations a second on one core, with findings and without alternatives.

Every patient of a fresh world is asked about every drug of the plan on file, as a screen of a panel does: the chart
is decoded once, and remembers what it was asked, so that a drug after the first costs less. The rule of ten leaves
is the one that prototypes were measured with; each chart is asked it once, with nothing to remember. Time is that of
the process, without decoding the chart and completing the request.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from data_gen.world import Order, generate
from evals.stores import read_drugs, read_plans
from tools.charts.casefile import described
from tools.domain.records import Benefit, Drug, Patient, Plan, Request
from tools.engine.determine import determine
from tools.engine.documents import walk
from tools.engine.request import complete_request
from tools.rulebook.located import Place, as_map, parse_yaml
from tools.rulebook.rule_yaml import Reader

TEN = """
indication: t2dm
criteria:
  - age >= 18
  - condition: t2dm
  - hba1c >= 7.0 % within 90 days
  - any_of:
      - {trial: metformin, days: 90, responses: [inadequate, partial]}
      - {intolerance: metformin}
      - {allergy: metformin}
exclusions:
  - {condition: mtc_men2, who: [self, family], evidence: attestation}
  - {condition: t1dm, evidence: attestation}
  - {taking: [any glp1, any dpp4]}
  - {condition: pregnancy, evidence: attestation}
"""


def main(patients: int = 1000) -> dict[str, Any]:
    """Rates over all cells, over those that a rule decides, and for one rule of ten leaves."""
    charts, plans, drugs, as_of = _world(patients)
    _ask(charts[:100], plans, drugs, as_of)  # fills the caches that a running service has
    every = _ask(charts, plans, drugs, as_of)
    ten = _ask(charts, {name: _with_ten(plan) for name, plan in plans.items()}, drugs, as_of, ("Ozempic",))
    return {
        "determinations": every.asked,
        "per second": round(every.asked / every.seconds),
        "decided by a rule": every.ruled,
        "decided by a rule, per second": round(every.ruled / every.ruled_seconds),
        "findings per rule, branches included": round(every.findings / every.ruled, 1),
        "rule of ten leaves, per second": round(ten.ruled / ten.ruled_seconds),
        "outcomes": dict(every.outcomes.most_common()),
    }


class Run(NamedTuple):
    """What was asked, and the process's time for it."""

    asked: int
    seconds: float
    ruled: int
    ruled_seconds: float
    findings: int
    outcomes: Counter[str]


def _world(patients: int) -> tuple[list[bytes], dict[str, Plan], dict[str, Drug], date]:
    with TemporaryDirectory() as folder:
        order = Order(count=patients, out=Path(folder) / "world", format="jsonl", seed=7)
        generate(order)
        charts = (order.out / "patients.jsonl").read_bytes().splitlines()
        return charts, read_plans(order.out), read_drugs(order.out), order.as_of


def _with_ten(plan: Plan) -> Plan:
    rule = described(Reader().rule(as_map(parse_yaml(TEN, "ten"), Place("ten", 1), "a rule"), "ten"))
    benefit = Benefit(drug="Ozempic", covered=True, pa_required=True, rules=(rule,))
    return msgspec.structs.replace(plan, benefits={"Ozempic": benefit})


def _ask(
    charts: Sequence[bytes],
    plans: Mapping[str, Plan],
    drugs: Mapping[str, Drug],
    as_of: date,
    names: tuple[str, ...] = (),
) -> Run:
    outcomes, ruled, findings, spent, spent_ruled = Counter[str](), 0, 0, 0.0, 0.0
    for chart in charts:
        patient = msgspec.json.decode(chart, type=Patient)
        plan = plans[patient.plan_id]
        for name in names or plan.benefits:
            request = complete_request(patient, drugs[name], Request(drug=name))
            began = time.process_time_ns()
            found = determine(patient, plan, request, as_of)
            took = (time.process_time_ns() - began) / 1e9
            outcomes[found.outcome] += 1
            spent += took
            if found.rule_id:
                ruled, spent_ruled = ruled + 1, spent_ruled + took
                findings += sum(1 for _ in walk(found.findings))
    return Run(outcomes.total(), spent, ruled, spent_ruled, findings, outcomes)
