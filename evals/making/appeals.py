"""Letters of payers about the planted people, with what is right to do about each: known by construction, for the truth
of every criterion was fixed before the chart was made, and the letter printed from its reasons.

A payer that denies what is met is to be answered with an appeal; one that is right is not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from data_gen.denials import DecisionFacts, GivenReason, Letter, denial_letter
from data_gen.setting import AS_OF
from evals.making.people import Planted, catalog
from evals.suites.items import Item
from tools.domain.records import Benefit, Plan
from tools.domain.rules import Age, AnyOf, Condition, Lab, Node, Rule, Trial

DRAWN: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
# what the letter says of a case, whether it is appealed, and what is to be done first
RIGHT: dict[str, tuple[str, str, str]] = DRAWN["right"]


def appeal_items(
    wanted: int, people: Sequence[Planted], draw: random.Random
) -> Iterator[tuple[Item, tuple[Planted, ...]]]:
    """So many letters, half of them mistaken."""
    queues = [
        [one for one in people if _fits(one, kinds)]
        for kinds in (("mistaken",), ("rightly", "incomplete", "over", "not listed"))
    ]
    places = [0, 0]
    for number in range(1, wanted + 1):
        side = number % 2
        one = queues[side][places[side] % len(queues[side])]
        places[side] += 1
        letter, codes, received = _letter(one, draw, number)
        kind, drafted, first = RIGHT[one.label.kind]
        why = DRAWN["why"][kind]
        fields = {
            "draft": drafted, "first": first, "as_of": AS_OF.isoformat(), "received": received.isoformat(),
            "deadline": _deadline(letter, received, one.label.plan_id).isoformat(),
        }  # fmt: skip
        yield (
            Item(
                id=f"appeals-{number}", suite="appeals", kind=kind, patient=one.patient, plan_id=one.label.plan_id,
                drug=one.label.drug, cluster=one.patient, payer=one.label.plan_id, note=letter.text, labels=codes,
                fields=fields, why=f"{one.label.why}; {why}",
            ),
            (one,),
        )  # fmt: skip


def _fits(one: Planted, kinds: tuple[str, ...]) -> bool:
    kind = RIGHT.get(one.label.kind, ("",))[0]
    return kind in kinds and (kind in ("over", "not listed", "incomplete") or bool(_candidates(one)))


# --- the letter ------------------------------------------------------------------------------------------


def _letter(one: Planted, draw: random.Random, number: int) -> tuple[Letter, list[str], date]:
    plan = catalog().plans[one.label.plan_id]
    received = AS_OF - timedelta(days=draw.randint(1, 20))
    dated = received - timedelta(days=draw.randint(0, 4))
    reasons = _reasons(one, plan, draw)
    order = _order(one)
    drug = catalog().drugs[one.label.drug]
    starting = next((s for s in drug.strengths if s.label == order.get("strength")), drug.strengths[0])
    facts = DecisionFacts(
        kind="denial",
        plan=plan,
        name=f"{one.chart['given']} {one.chart['family']}",
        member_id=next(c["member_id"] for c in one.chart["coverages"] if c["plan_id"] == plan.id),
        birth_date=date.fromisoformat(one.chart["birth_date"]),
        drug=drug.name,
        strength=starting.label,
        quantity=float(order.get("quantity") or starting.quantity),
        unit=drug.unit,
        days_supply=int(order.get("days_supply") or starting.days),
        prescriber=one.chart["prescriber"]["name"],
        reference=f"PA-26-{7_000_000 + number}",
        policy_id=plan.benefits[drug.name].policy_id,
        requested=dated - timedelta(days=3),
        dated=dated,
        reasons=reasons,
    )
    return denial_letter(facts), sorted(reason.code for reason in reasons), received


def _reasons(one: Planted, plan: Plan, draw: random.Random) -> tuple[GivenReason, ...]:
    benefit = plan.benefits[one.label.drug]
    kind = RIGHT[one.label.kind][0]
    if kind == "incomplete":
        paper = {"paper": "the supporting documentation that the policy requires"}
        return (GivenReason(code="insufficient_documentation", details=paper),)
    if kind == "over":
        return (GivenReason(code="quantity_limit", details=_amounts(one, benefit)),)
    if kind == "not listed":
        others = sorted(name for name, other in plan.benefits.items() if other.covered)[:2]
        return (GivenReason(code="non_formulary", details={"others": " and ".join(others)}),)
    node, code = draw.choice(_candidates(one))
    details = _details(node, code, draw)
    policy, clause = benefit.policy_id, node.clause_id
    return (GivenReason(code=code, details=details, policy_id=policy, clause_id=clause, quote=node.quote),)


def _candidates(one: Planted) -> list[tuple[Node, str]]:
    """The criteria that a letter may name: of a mistaken one those that are met, of a right one those that are not."""
    benefit = catalog().plans[one.label.plan_id].benefits[one.label.drug]
    rule = next((rule for rule in benefit.rules if rule.indication == one.label.indication), None)
    if rule is None:
        return []
    wanted = "met" if RIGHT[one.label.kind][0] == "mistaken" else "not_met"
    nodes = [(node, _code(node)) for node in _asked(rule, one)]
    if wanted == "not_met":
        nodes += [(node, "exclusion") for node in rule.exclusions if isinstance(node, Condition)]
    return [(node, code) for node, code in nodes if code and one.label.truth.get(node.id) == wanted]


def _asked(rule: Rule, one: Planted) -> tuple[Node, ...]:
    renewing = one.label.kind.startswith("renewing") and rule.renewal is not None
    return (rule.renewal if renewing and rule.renewal else rule.criteria).children


def _code(node: Node) -> str:
    """The reason that a payer gives for a criterion of this kind."""
    if isinstance(node, Age):
        return "age"
    if any(isinstance(one, Trial) for one in (node, *(node.children if isinstance(node, AnyOf) else ()))):
        return "step_therapy"
    return "medical_necessity" if isinstance(node, Lab) else ""


_TESTS = {"hba1c": "HbA1c", "bmi": "BMI", "egfr": "eGFR", "ahi": "AHI", "uacr": "UACR", "lvef": "LVEF"}


def _details(node: Node, code: str, draw: random.Random) -> dict[str, str]:
    if isinstance(node, Age):
        return {"age": str(node.years - draw.randint(1, 3)), "minimum": str(node.years)}
    if isinstance(node, Lab):
        return {
            "test": _TESTS.get(node.test, node.test.replace("_", " ")),
            "limit": f"{node.op} {node.value:g} {node.unit}",
            "value": f"{node.value * 0.9:.1f}", "on": (AS_OF - timedelta(days=40)).strftime("%m/%d/%Y"),
        }  # fmt: skip
    if code == "exclusion" and isinstance(node, Condition):
        return {"state": node.label}
    trials = (one for one in (node, *getattr(node, "children", ())) if isinstance(one, Trial))
    trial = next(trials)
    shown = f"{draw.randint(10, 40)} days"
    return {"first": trial.label, "needed": f"{trial.min_days or 90} days", "shown": shown}


def _order(one: Planted) -> dict[str, Any]:
    return next((order for order in one.chart.get("orders", ()) if order["drug"] == one.label.drug), {})


def _amounts(one: Planted, benefit: Benefit) -> dict[str, str]:
    order = _order(one)
    limit = benefit.strength_limits.get(str(order.get("strength"))) or benefit.quantity_limit
    assert limit is not None
    return {
        "asked": f"{order.get('quantity', 0):g} {limit.unit} per {order.get('days_supply', 30)} days",
        "limit": f"{limit.quantity:g} {limit.unit} per {limit.days} days",
    }


_PART_D = ("medicare_part_d", "medicare_advantage")
# Of its receipt, 42 CFR 423.582(b); letters say 65 of their date, as five days in the post are presumed.
_PART_D_DAYS = 60


def _deadline(letter: Letter, received: date, plan_id: str) -> date:
    """The earlier of the letter's own day and the law's; where both count from the same day, the letter's."""
    told = letter.label["deadline"]
    day: date | None = told["date"]
    if day is None:
        assert told["unit"] == "days" and told["from"] == "receipt", told
        day = received + timedelta(days=told["amount"])
    if catalog().plans[plan_id].line_of_business in _PART_D:
        return min(day, received + timedelta(days=_PART_D_DAYS))
    return day
