"""Determinations a second on one core, with findings and without alternatives.

Every patient of a fresh world is asked about every drug of the plan on file, as a screen of a panel does: the chart
is decoded once, and remembers what it was asked, so that a drug after the first costs less. The rule of ten leaves
is the one that prototypes were measured with; each chart is asked it once, with nothing to remember. Time is that of
the process, without decoding the chart and completing the request.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from data_gen.world import Order, generate
from evals.stores import read_drugs, read_plans
from tools.charts.casefile import described
from tools.domain.records import Benefit, Patient, Plan, Request
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
    with TemporaryDirectory() as folder:
        order = Order(count=patients, out=Path(folder) / "world", format="jsonl", seed=7)
        generate(order)
        charts = (order.out / "patients.jsonl").read_bytes().splitlines()
        plans, drugs = read_plans(order.out), read_drugs(order.out)

    def ask(charts: Sequence[bytes], plans: dict[str, Plan], names: tuple[str, ...] = ()) -> Iterator[Timed]:
        for chart in charts:
            patient = msgspec.json.decode(chart, type=Patient)
            plan = plans[patient.plan_id]
            for name in names or plan.benefits:
                request = complete_request(patient, drugs[name], Request(drug=name))
                began = time.process_time_ns()
                found = determine(patient, plan, request, order.as_of)
                took = (time.process_time_ns() - began) / 1e9
                yield Timed(took, found.outcome, len([*walk(found.findings)]) if found.rule_id else None)

    list(ask(charts[:100], plans))  # fills the caches that a running service has
    every = list(ask(charts, plans))
    ruled = [one for one in every if one.findings is not None]
    ten = list(ask(charts, {name: _with_ten(plan) for name, plan in plans.items()}, ("Ozempic",)))
    return {
        "determinations": len(every),
        "per second": _rate(every),
        "decided by a rule": len(ruled),
        "decided by a rule, per second": _rate(ruled),
        "findings per rule, branches included": round(
            sum(one.findings or 0 for one in ruled) / len(ruled), 1
        ),
        "rule of ten leaves, per second": _rate([one for one in ten if one.findings is not None]),
        "outcomes": dict(Counter(one.outcome for one in every).most_common()),
    }


class Timed(NamedTuple):
    """A determination: the process's time for it, and how many findings a rule made, if one decided."""

    seconds: float
    outcome: str
    findings: int | None


def _rate(asked: Sequence[Timed]) -> int:
    return round(len(asked) / sum(one.seconds for one in asked))


def _with_ten(plan: Plan) -> Plan:
    rule = described(Reader().rule(as_map(parse_yaml(TEN, "ten"), Place("ten", 1), "a rule"), "ten"))
    benefit = Benefit(drug="Ozempic", covered=True, pa_required=True, rules=(rule,))
    return msgspec.structs.replace(plan, benefits={"Ozempic": benefit})
