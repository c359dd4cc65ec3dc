"""Payers' letters about cases of a generated world: any reason, right or wrong, in the payer's own style.

Nothing here knows what is true of the chart: the reasons are drawn, and most of them are mistakes of the
payer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from data_gen.denials import DecisionFacts, GivenReason, Kind, Letter, denial_letter
from evals.agreement.comparing import engine, oracle
from evals.agreement.drawn import Case as Drawn
from evals.agreement.drawn import cases
from evals.appeals.labelled import decided
from evals.worlds import World
from tools.common.dates import age_on
from tools.domain.records import Determination, Patient
from tools.papers.case import Case
from tools.rulebook.policy_text import read_policy

CODES = ("step_therapy", "medical_necessity", "insufficient_documentation", "quantity_limit", "diagnosis_mismatch",
         "age", "duplicate_therapy", "exclusion", "non_formulary", "benefit_exclusion", "pa_required", "not_eligible",
         "refill_too_soon", "administrative")  # fmt: skip
DRAWN: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


class Sent(NamedTuple):
    """A letter about a case, with what the engine and the oracle say of the case."""

    case: Case
    letter: Letter
    facts: DecisionFacts
    oracle: str  # the oracle's outcome


def sent(seed: int, count: int, given: World) -> Iterator[Sent]:
    """That many letters, over every plan, drug and use, about planted and edited charts."""
    drugs = tuple(given.drug(name) for name in given.drugs)
    draw = random.Random(f"appeals {seed}")
    for number, drawn in enumerate(cases(seed, count, given)):
        # charts are edited, so that the same id would stand for several
        one = replace(drawn, patient={**drawn.patient, "id": f"P{900000 + number}"})
        case = decided(_case(one, given, engine(one, given)), drugs)
        facts = _facts(case, draw, number)
        yield Sent(case, denial_letter(facts), facts, oracle(one, given).outcome)


def _case(drawn: Drawn, given: World, found: Determination) -> Case:
    text = given.policy(drawn.plan_id, drawn.drug)
    return Case(
        patient=msgspec.convert(drawn.patient, Patient), plan=given.plan(drawn.plan_id), drug=given.drug(drawn.drug),
        request=found.request, determination=found, as_of=drawn.as_of,
        policy=read_policy(text, found.policy_id) if text else None,
    )  # fmt: skip


# --- the payer's decision ----------------------------------------------------------------------------------


def _facts(case: Case, draw: random.Random, number: int) -> DecisionFacts:
    kind: Kind = draw.choice(("denial",) * 8 + ("appeal_upheld", "appeal_upheld", "partial_approval", "pend"))
    dated = case.as_of - timedelta(days=draw.randrange(1, 25))
    if kind == "partial_approval":
        codes = ["quantity_limit"]
    elif draw.random() < 0.85:
        codes = draw.sample(CODES[:8], draw.choice((1, 1, 2)))
    else:
        codes = [draw.choice(CODES[8:])]
    reasons = tuple(_reason(code, case, draw, dated) for code in codes)
    asked, patient = case.request, case.patient
    members = [case.coverage] if case.coverage else patient.coverages
    member = next((coverage.member_id for coverage in members), "X1")
    return DecisionFacts(
        kind=kind, plan=case.plan, reference=f"PA-2026-{number:06d}", policy_id=case.determination.policy_id,
        requested=dated - timedelta(days=3), dated=dated,
        again=dated - timedelta(days=30) if kind.startswith("appeal") else None,
        name=patient.name, member_id=member or "X1", birth_date=patient.birth_date,
        prescriber=patient.prescriber.name if patient.prescriber else "Prescriber",
        drug=case.drug.name, strength=asked.strength, quantity=asked.quantity or 1,
        unit=asked.unit or case.drug.unit, days_supply=asked.days_supply or 28,
        reasons=reasons if kind != "pend" else (),
        questions=("What is the most recent HbA1c, and when was it taken?",) if kind == "pend" else (),
        reply_by=dated + timedelta(days=30) if kind == "pend" else None,
    )  # fmt: skip


def _reason(code: str, case: Case, draw: random.Random, dated: date) -> GivenReason:
    """One such reason; half of them rest on a clause of the plan's rule on which it may."""
    clauses = [(clause, quote) for clause, quote, codes in clause_codes(case) if code in codes]
    clause, quote = draw.choice(clauses or [("", "")]) if draw.random() < 0.5 else ("", "")
    details, policy = _details(code, case, draw, dated), case.determination.policy_id if clause else ""
    return GivenReason(code=code, details=details, policy_id=policy, clause_id=clause, quote=quote)


def clause_codes(case: Case) -> list[tuple[str, str, frozenset[str]]]:
    """Every clause of the rule that decided, with the reasons that it can be about: read from the rule as
    JSON, apart from how the appeal finds it."""
    rule = msgspec.to_builtins(case.rule) if case.rule else None
    if rule is None:
        return []
    root = rule["renewal"] if case.renewal and rule.get("renewal") else rule["criteria"]
    parts = {
        "criteria": root["children"], "exclusions": rule.get("exclusions", ()), "documents": rule.get("documents", ())
    }  # fmt: skip
    found: list[tuple[str, str, frozenset[str]]] = []
    for name, nodes in parts.items():
        about = DRAWN["codes"][name]
        for node in nodes:
            kinds = {part["kind"] for part in _parts(node) if not part.get("children") and "kind" in part}
            codes = frozenset((*about["all"], *(code for kind in kinds for code in about.get(kind, ()))))
            clauses = (part for part in _parts(node) if part.get("clause_id"))
            found += [(part["clause_id"], part["quote"], codes) for part in clauses]
    return found


def _parts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("children", ()):
        yield from _parts(child)


def _details(code: str, case: Case, draw: random.Random, dated: date) -> dict[str, str]:
    ago = (dated - timedelta(days=draw.randrange(5, 60))).strftime("%m/%d/%Y")
    rule = msgspec.to_builtins(case.rule) if case.rule else {"criteria": {"kind": "all_of", "children": []}}
    leaves = [part for part in _parts(rule["criteria"]) if not part.get("children")]
    if code == "step_therapy":
        first = [leaf["label"] for leaf in leaves if leaf["kind"] == "trial"] or ["metformin"]
        return {"first": draw.choice(first), "needed": "90 days", "shown": draw.choice(DRAWN["shown"])}
    if code == "medical_necessity":
        tests = [leaf["test"] for leaf in leaves if leaf["kind"] == "lab" and leaf["test"] in DRAWN["tests"]]
        if not tests or draw.random() < 0.2:
            return {}
        return {**DRAWN["tests"][draw.choice(tests)], "on": ago}
    unit = case.request.unit or case.drug.unit
    born, most = case.patient.birth_date, 3 if unit == "mL" else 30
    known = {
        "ago": ago, "unit": unit, "most": most, "twice": 2 * most,
        "next": (dated + timedelta(days=9)).strftime("%m/%d/%Y"),
        "age": min(age_on(born, dated), 17) if born else 17,
        "use": (case.rule.indication_text if case.rule else "") or "type 2 diabetes",
    }  # fmt: skip
    return {
        slot: draw.choice(said) if isinstance(said, list) else said.format(**known)
        for slot, said in DRAWN["details"].get(code, {}).items()
    }
