"""Letters that data_gen prints from decisions drawn by a seed, with their labels: as many as are asked for."""

from __future__ import annotations

import random
from datetime import date, timedelta
from functools import cache

from data_gen.catalog_loader import Catalog, load_catalog
from data_gen.denials import DecisionFacts, GivenReason, Granted, Kind, Letter, amount, denial_letter, styles
from data_gen.pools import pools
from evals.denials.gold import Label, label
from tools.common.dates import add_months, age_on
from tools.domain.records import Clause, Drug, Plan

KINDS: tuple[Kind, ...] = ("denial",) * 11 + (
    "partial_approval",
    "pend",
    "approval",
    "appeal_upheld",
    "appeal_upheld",
    "appeal_overturned",
)
_CLINICAL = (
    "step_therapy",
    "medical_necessity",
    "insufficient_documentation",
    "quantity_limit",
    "diagnosis_mismatch",
    "age",
    "duplicate_therapy",
    "exclusion",
)
_ALONE = (
    "non_formulary",
    "benefit_exclusion",
    "pa_required",
    "not_eligible",
    "refill_too_soon",
    "administrative",
)
_PAPERS = (
    "a laboratory report of the HbA1c from the last 90 days",
    "chart notes of the last 60 days",
    "the pharmacy fill history",
    "dates of the metformin trial",
    "a sleep study report",
    "the baseline weight and its date",
    "the prescriber's progress note",
    "proof of participation in a lifestyle program",
)
_STATES = (
    "a personal history of medullary thyroid carcinoma",
    "multiple endocrine neoplasia type 2 in a parent",
    "a current pregnancy",
    "a history of pancreatitis",
    "diabetic ketoacidosis",
    "an allergy to semaglutide",
)
_FAULTS = (
    "the form was not signed by the prescriber",
    "an outdated form was used",
    "pages of the fax were illegible",
    "the prescriber's signature is missing",
)
_DIAGNOSES = (
    "R73.03 prediabetes",
    "E10.9 type 1 diabetes",
    "E66.9 obesity",
    "E28.2 polycystic ovary syndrome",
    "Z68.36 body mass index 36",
)
_MET = (
    "the diagnosis",
    "the member's age",
    "the trial of metformin",
    "the specialist's consultation",
    "the quantity",
    "the HbA1c",
    "the documentation",
    "the absence of exclusions",
    "the body mass index",
)
_ABOUT = {
    "the member's age": "age",
    "the trial of metformin": "step_therapy",
    "the quantity": "quantity_limit",
    "the HbA1c": "medical_necessity",
    "the documentation": "insufficient_documentation",
    "the diagnosis": "diagnosis_mismatch",
    "the absence of exclusions": "exclusion",
    "the body mass index": "medical_necessity",
    "the specialist's consultation": "medical_necessity",
}
_QUESTIONS = (
    "What is the most recent HbA1c, and when was it taken?",
    "Which drugs were tried before, from when to when, and why were they stopped?",
    "Is there a personal or family history of medullary thyroid carcinoma?",
    "Weight and height at the start, with dates",
    "Does the patient take another GLP-1 receptor agonist?",
    "Start and stop dates of metformin",
)


@cache
def _catalog() -> Catalog:
    return load_catalog()


def labelled(seed: int, count: int) -> list[Label]:
    """Letters of this seed, as text, with their labels."""
    policies = _catalog().policies
    return [
        label(f"seed {seed} no. {number}", one.label, one.text)._replace(policy=policies.get(one.policy_id))
        for number, one in enumerate(letters(seed, count), 1)
    ]


def letters(seed: int, count: int) -> list[Letter]:
    """As printed; every style and kind in turn."""
    draw = random.Random(f"denials/{seed}")
    made = []
    for number in range(count):
        facts = draw_facts(draw, number)
        own = draw.random() < 0.8
        made.append(denial_letter(facts, "" if own else draw.choice(styles())))
    return made


def draw_facts(draw: random.Random, number: int) -> DecisionFacts:
    """A decision as a payer might have made it; no patient of a world is meant."""
    catalog, names = _catalog(), pools()
    plan = list(catalog.plans.values())[number % len(catalog.plans)]
    kind = draw.choice(KINDS)
    drug = draw.choice(list(catalog.drugs.values()))
    strength = draw.choice(drug.strengths)
    dated = date(2026, 1, 1) + timedelta(days=draw.randrange(365))
    requested = dated - timedelta(days=draw.randrange(1, 9))
    born = date(1944, 1, 1) + timedelta(days=draw.randrange(23000))
    name = f"{draw.choice(draw.choice([names.female, names.male]))} {draw.choice(names.family)}"
    reasons = (
        _reasons(draw, plan, drug, dated, born)
        if kind in ("denial", "partial_approval", "appeal_upheld")
        else ()
    )
    if kind == "partial_approval":
        reasons = tuple(r for r in reasons if r.code in ("quantity_limit", "insufficient_documentation"))[
            :1
        ] or (_reason(draw, "quantity_limit", plan, drug, dated, born),)
    granted = None
    if kind in ("approval", "partial_approval", "appeal_overturned"):
        granted = Granted(
            start=dated,
            end=add_months(dated, draw.choice((3, 6, 12))) - timedelta(days=1),
            quantity=strength.quantity,
            days_supply=strength.days,
        )
    codes = {reason.code for reason in reasons}
    met = tuple(text for text in draw.sample(_MET, draw.randrange(4)) if _ABOUT[text] not in codes)
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
        reference=draw.choice(("PA-{y}-{n:06d}", "{n:06d}-{y}", "RX{n:06d}{y}", "{p}-{n:06d}")).format(
            y=dated.year, n=draw.randrange(10**6), p=plan.payer_id[:2].upper()
        ),
        policy_id=f"{plan.id}-{drug.name}".upper(),
        requested=requested,
        dated=dated,
        again=dated - timedelta(days=draw.randrange(20, 60)) if kind.startswith("appeal") else None,
        reasons=reasons,
        met=met,
        questions=tuple(draw.sample(_QUESTIONS, draw.randrange(1, 4))) if kind == "pend" else (),
        reply_by=dated + timedelta(days=draw.randrange(7, 46)) if kind == "pend" else None,
        granted=granted,
    )


def _reasons(draw: random.Random, plan: Plan, drug: Drug, dated: date, born: date) -> tuple[GivenReason, ...]:
    codes = (
        [draw.choice(_ALONE)]
        if draw.random() < 0.3
        else draw.sample(_CLINICAL, draw.choice((1, 1, 1, 2, 2, 3)))
    )
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
    policy = _catalog().policies.get(f"{plan.id}-{drug.name}".upper())
    words = {
        "step_therapy": ("criteria", "metformin"),
        "medical_necessity": ("criteria", ""),
        "quantity_limit": ("quantity", ""),
        "insufficient_documentation": ("documentation", ""),
        "exclusion": (
            "exclusions",
            next(
                (
                    key
                    for key in ("thyroid", "MEN 2", "pregnan", "pancreatitis", "ketoacidosis", "allerg")
                    if key in told
                ),
                "thyroid",
            ),
        ),
        "age": ("criteria", "18"),
        "duplicate_therapy": ("exclusions", "GLP-1"),
        "diagnosis_mismatch": ("criteria", "type 2"),
    }.get(code)
    if policy is None or words is None or draw.random() < 0.35:
        return None
    fitting = [
        c for c in policy.clauses if c.section == words[0] and words[1] in c.text and len(c.text) < 260
    ]
    return draw.choice(fitting) if fitting else None


def _details(draw: random.Random, code: str, drug: Drug, dated: date, born: date) -> dict[str, str]:
    def ago(most: int) -> str:
        return (dated - timedelta(days=draw.randrange(5, most))).strftime("%m/%d/%Y")

    others = [d.name for d in _catalog().drugs.values() if d.name != drug.name]
    if code == "step_therapy":
        first = draw.choice(
            (
                "metformin",
                "metformin",
                "glipizide",
                "a sulfonylurea",
                "an SGLT2 inhibitor",
                draw.choice(others),
            )
        )
        return {
            "first": first,
            "needed": draw.choice(("90 days", "three months", "12 weeks")),
            "shown": draw.choice(("42 days", "no fill", "one fill", "30 days", "nothing")),
        }
    if code == "medical_necessity":
        test, limit, value = draw.choice(
            (
                ("HbA1c", "7.0 % or more", "6.7 %"),
                ("BMI", "at least 30.0 kg/m2", "28.4 kg/m2"),
                ("AHI", "15 or more", "9.3"),
                ("eGFR", "at least 30 mL/min", "24 mL/min"),
                ("BMI", "over 27 kg/m2", "27.0 kg/m2"),
            )
        )
        return draw.choice(
            (
                {"test": test, "limit": limit, "value": value, "on": ago(80)},
                {"test": test, "limit": limit, "value": value, "on": ago(80)},
                draw.choice(
                    (
                        {"test": "weight", "before": "102.4 kg", "after": "101.0 kg"},
                        {"test": "HbA1c", "before": "8.1 %", "after": "8.3 %"},
                    )
                ),
                {"needed": draw.choice(("six months", "3 months"))},
            )
        )
    if code == "insufficient_documentation":
        return {"paper": draw.choice(_PAPERS)}
    if code == "quantity_limit":
        one = drug.strengths[-1]
        return {
            "asked": amount(one.quantity * 2, drug.unit, one.days),
            "limit": amount(one.quantity, drug.unit, one.days),
        }
    if code == "diagnosis_mismatch":
        return {
            "diagnosis": draw.choice(_DIAGNOSES),
            "use": draw.choice(("type 2 diabetes", "chronic weight management", "heart failure")),
        }
    if code == "age":
        return {"age": str(min(age_on(born, dated), 17)), "minimum": "18"}
    if code == "duplicate_therapy":
        same = [
            d.name
            for d in _catalog().drugs.values()
            if d.name != drug.name and set(d.classes) & set(drug.classes)
        ]
        return {"other": draw.choice(same or others), "on": ago(40)}
    if code == "exclusion":
        return {"state": draw.choice(_STATES)}
    if code == "non_formulary":
        return {"others": " and ".join(draw.sample(others, 2))}
    if code == "benefit_exclusion":
        return {"use": draw.choice(("weight loss", "weight reduction", "the treatment of obesity"))}
    if code == "not_eligible":
        return {"ended": ago(60)}
    if code == "refill_too_soon":
        return {"last": ago(20), "next": (dated + timedelta(days=draw.randrange(3, 20))).strftime("%m/%d/%Y")}
    return {"fault": draw.choice(_FAULTS)} if code == "administrative" else {}
