"""Letters that data_gen prints from decisions drawn by a seed, with their labels: as many as are asked for."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from data_gen.catalog_loader import our_catalog
from data_gen.denials import DecisionFacts, GivenReason, Granted, Letter, amount, denial_letter, styles
from data_gen.pools import pools
from evals.denials.gold import Label, label
from tools.common.dates import add_months, age_on
from tools.domain.records import Clause, Drug, Plan

DRAWN: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def labelled(seed: int, count: int) -> list[Label]:
    """Letters of this seed, as text, with their labels."""
    policies = our_catalog().policies
    return [
        label(f"seed {seed} no. {number}", one.label, one.text)._replace(policy=policies.get(one.policy_id))
        for number, one in enumerate(letters(seed, count), 1)
    ]


def letters(seed: int, count: int) -> list[Letter]:
    """As printed; every style and kind in turn."""
    draw = random.Random(f"denials/{seed}")
    facts = (draw_facts(draw, number) for number in range(count))
    return [denial_letter(one, "" if draw.random() < 0.8 else draw.choice(styles())) for one in facts]


def draw_facts(draw: random.Random, number: int) -> DecisionFacts:
    """A decision as a payer might have made it; no patient of a world is meant."""
    catalog, names = our_catalog(), pools()
    plan = list(catalog.plans.values())[number % len(catalog.plans)]
    kind = draw.choice(DRAWN["kinds"])
    drug = draw.choice(list(catalog.drugs.values()))
    strength = draw.choice(drug.strengths)
    dated = date(2026, 1, 1) + timedelta(days=draw.randrange(365))
    requested = dated - timedelta(days=draw.randrange(1, 9))
    born = date(1944, 1, 1) + timedelta(days=draw.randrange(23000))
    name = f"{draw.choice(draw.choice([names.female, names.male]))} {draw.choice(names.family)}"
    reasons: tuple[GivenReason, ...] = ()
    if kind in ("denial", "partial_approval", "appeal_upheld"):
        reasons = _reasons(draw, plan, drug, dated, born)
    if kind == "partial_approval":
        fitting = [r for r in reasons if r.code in ("quantity_limit", "insufficient_documentation")]
        reasons = tuple(fitting[:1]) or (_reason(draw, "quantity_limit", plan, drug, dated, born),)
    granted = None
    if kind in ("approval", "partial_approval", "appeal_overturned"):
        end = add_months(dated, draw.choice((3, 6, 12))) - timedelta(days=1)
        granted = Granted(start=dated, end=end, quantity=strength.quantity, days_supply=strength.days)
    codes = {reason.code for reason in reasons}
    met = [
        text for text in draw.sample([*DRAWN["met"]], draw.randrange(4)) if DRAWN["met"][text] not in codes
    ]
    return DecisionFacts(
        kind=kind,
        plan=plan,
        name=name,
        member_id=f"{plan.payer_id[:3].upper()}{draw.randrange(10**9):09d}",
        birth_date=born if draw.random() < 0.85 else None,
        drug=drug.name,
        strength=strength.label,
        quantity=strength.quantity * (2 if "quantity_limit" in codes else 1),
        unit=drug.unit,
        days_supply=strength.days,
        prescriber=draw.choice(names.doctors).name,
        reference=draw.choice(DRAWN["references"]).format(
            y=dated.year, n=draw.randrange(10**6), p=plan.payer_id[:2].upper()
        ),
        policy_id=f"{plan.id}-{drug.name}".upper(),
        requested=requested,
        dated=dated,
        again=dated - timedelta(days=draw.randrange(20, 60)) if kind.startswith("appeal") else None,
        reasons=reasons,
        met=tuple(met),
        questions=tuple(draw.sample(DRAWN["questions"], draw.randrange(1, 4))) if kind == "pend" else (),
        reply_by=dated + timedelta(days=draw.randrange(7, 46)) if kind == "pend" else None,
        granted=granted,
    )


def _reasons(draw: random.Random, plan: Plan, drug: Drug, dated: date, born: date) -> tuple[GivenReason, ...]:
    if draw.random() < 0.3:
        codes = [draw.choice(DRAWN["alone"])]
    else:
        codes = draw.sample(DRAWN["clinical"], draw.choice((1, 1, 1, 2, 2, 3)))
    return tuple(_reason(draw, code, plan, drug, dated, born) for code in codes)


def _reason(draw: random.Random, code: str, plan: Plan, drug: Drug, dated: date, born: date) -> GivenReason:
    details = _details(draw, code, drug, dated, born)
    clause = _clause(draw, code, plan, drug, " ".join(details.values()))
    return GivenReason(
        code=code,
        details=details,
        policy_id=f"{plan.id}-{drug.name}".upper() if clause else "",
        clause_id=clause.id if clause else "",
        quote=clause.text if clause else "",
    )


def _clause(draw: random.Random, code: str, plan: Plan, drug: Drug, told: str) -> Clause | None:
    """A clause of the plan's policy that such a reason might rest on."""
    policy = our_catalog().policies.get(f"{plan.id}-{drug.name}".upper())
    section, *words = DRAWN["clauses"].get(code, [""])
    if policy is None or not section or draw.random() < 0.35:
        return None
    wanted = next((word for word in words if word in told), words[0])
    fitting = [c for c in policy.clauses if c.section == section and wanted in c.text and len(c.text) < 260]
    return draw.choice(fitting) if fitting else None


def _details(draw: random.Random, code: str, drug: Drug, dated: date, born: date) -> dict[str, str]:
    def ago(most: int) -> str:
        return (dated - timedelta(days=draw.randrange(5, most))).strftime("%m/%d/%Y")

    others = [name for name in our_catalog().drugs if name != drug.name]
    if code == "step_therapy":
        first = draw.choice([*DRAWN["first"], draw.choice(others)])
        return {"first": first, "needed": draw.choice(DRAWN["needed"]), "shown": draw.choice(DRAWN["shown"])}
    if code == "medical_necessity":
        value = draw.choice(DRAWN["values"])
        one, other = ({**value, "on": ago(80)} for _ in range(2))
        return draw.choice((one, other, draw.choice(DRAWN["changes"]), draw.choice(DRAWN["programs"])))
    if code in DRAWN["details"]:
        return {slot: draw.choice(said) for slot, said in DRAWN["details"][code].items()}
    if code == "quantity_limit":
        most = drug.strengths[-1]
        asked, limit = (amount(most.quantity * times, drug.unit, most.days) for times in (2, 1))
        return {"asked": asked, "limit": limit}
    if code == "age":
        return {"age": str(min(age_on(born, dated), 17)), "minimum": "18"}
    if code == "duplicate_therapy":
        known = our_catalog().drugs
        same = [name for name in others if {*known[name].classes} & {*drug.classes}]
        return {"other": draw.choice(same or others), "on": ago(40)}
    if code == "non_formulary":
        return {"others": " and ".join(draw.sample(others, 2))}
    if code == "not_eligible":
        return {"ended": ago(60)}
    if code == "refill_too_soon":
        return {"last": ago(20), "next": (dated + timedelta(days=draw.randrange(3, 20))).strftime("%m/%d/%Y")}
    return {}
