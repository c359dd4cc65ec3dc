"""Cases for forms and letters, made by hand: ten plans, three drugs, patients who are and are not ready.

Drugs, rules and the chart of José stand in paper_cases.json, where PLAN is the id of the plan that is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from data_gen.catalog_loader import our_catalog
from tools.domain.records import (
    Address,
    Attestation,
    Authorization,
    Benefit,
    Channel,
    Clause,
    Coverage,
    Drug,
    Medication,
    Observation,
    Patient,
    Plan,
    Policy,
    QuantityLimit,
    Request,
)
from tools.domain.rules import Rule
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.papers.case import Case

AS_OF = date(2026, 9, 1)
TEXT = Path(__file__).with_suffix(".json").read_text("utf-8")


class _Payer(msgspec.Struct):
    payer: str
    channel: Channel


class _Renewing(msgspec.Struct):
    """What a chart has besides, once the drug is renewed."""

    medication: Medication
    attestation: Attestation
    authorization: Authorization


class _Data(msgspec.Struct):
    payers: dict[str, _Payer]
    drugs: tuple[Drug, ...]
    rules: tuple[Rule, ...]  # of the drugs, in their order
    jose: Patient
    renewing: _Renewing


def _data(plan_id: str) -> _Data:
    return msgspec.json.decode(TEXT.replace("PLAN", plan_id), type=_Data)


DATA = _data("PLAN")
ARCHETYPES = "".join(DATA.payers)
DRUGS = {drug.name: drug for drug in DATA.drugs}


def plan(letter: str) -> Plan:
    plan_id, payer = f"TEST-{letter}", DATA.payers[letter]
    return Plan(
        id=plan_id,
        payer_id=f"payer-{letter}",
        payer=payer.payer,
        name=f"{payer.payer.split()[0]} Choice {letter}",
        archetype=letter,
        line_of_business="commercial",
        bin="610014",
        pcn="TESTPCN",
        group="G-2200",
        phone="800-555-0140",
        fax="800-555-0141",
        portal="pa.meridian.example.org",
        address=Address(line="PO Box 4100", city="Springfield", state="IL", zip="62701"),
        channel=payer.channel,
        form_id=f"PA-{letter}-26",
        benefits={
            drug.name: Benefit(
                drug=drug.name,
                covered=True,
                pa_required=True,
                tier=3,
                copay="$50",
                quantity_limit=QuantityLimit(
                    quantity=drug.strengths[0].quantity, unit=drug.unit, days=drug.strengths[0].days
                ),
                indications=(rule.indication,),
                rules=(rule,),
                policy_id=rule.policy_id,
            )
            for drug, rule in zip(DATA.drugs, _data(plan_id).rules, strict=True)
        },
    )


PLANS = {f"TEST-{letter}": plan(letter) for letter in ARCHETYPES}


def policy(plan: Plan, drug: str) -> Policy:
    rule = plan.benefits[drug].rules[0]
    nodes = (*rule.criteria.children, *rule.exclusions, *(rule.renewal.children if rule.renewal else ()))
    clauses = tuple(Clause(id=n.clause_id, section="criteria", text=n.quote) for n in nodes)
    return Policy(
        id=rule.policy_id,
        plan_id=plan.id,
        payer=plan.payer,
        drug=drug,
        title=f"{drug} coverage policy",
        version="2026.1",
        effective_from=date(2026, 1, 1),
        clauses=clauses,
        text="\n".join(f"{c.id} {c.text}" for c in clauses),
    )


def observation(id: str, test: str, value: float, unit: str, day: date) -> Observation:
    return Observation(id=id, test=test, value=value, unit=unit, date=day)


def jose(plan_id: str = "TEST-A", **changes: Any) -> Patient:
    """Ready for Ozempic: type 2 diabetes and coronary disease, metformin for 400 days, HbA1c 8.4 %."""
    return msgspec.structs.replace(_data(plan_id).jose, **changes)


def bare() -> Patient:
    """A chart that says next to nothing."""
    coverage = Coverage(id="cov1", plan_id="TEST-A", member_id="MBR1", start=date(2025, 1, 1))
    return Patient(id="P009", given="Ann", family="Lee", plan_id="TEST-A", coverages=(coverage,))


def on_ozempic(plan_id: str = "TEST-A") -> Patient:
    """Renews Ozempic: HbA1c 8.8 before, 7.1 now."""
    was, more = jose(plan_id), _data(plan_id).renewing
    lower = msgspec.structs.replace(was.observations[0], value=7.1)
    return jose(
        plan_id,
        observations=(lower, *was.observations[1:]),
        medications=(*(was.medications or ()), more.medication),
        attestations=(*was.attestations, more.attestation),
        authorizations=(more.authorization,),
    )


def catalog_cases(patient: Patient, plan: Plan) -> Iterator[Case]:
    """The patient's case of every drug of the catalog that a rule of this plan decides."""
    for drug in our_catalog().drugs.values():
        asked = complete_request(patient, drug, Request(drug=drug.name))
        found = determine(patient, plan, asked, AS_OF)
        if found.rule_id:
            yield Case(patient=patient, plan=plan, drug=drug, request=asked, determination=found, as_of=AS_OF)


def enrolled(plan: Plan) -> Patient:
    """Jose as a member of another plan."""
    return jose(plan.id, coverages=(msgspec.structs.replace(jose().coverages[0], plan_id=plan.id),))


def case_of(patient: Patient, drug: str = "Ozempic", letter: str = "A", **request: Any) -> Case:
    """The case as the engine decides it."""
    chosen, its_plan = DRUGS[drug], PLANS[f"TEST-{letter}"]
    asked = complete_request(patient, chosen, Request(drug=drug, **request))
    return Case(
        patient=patient,
        plan=its_plan,
        drug=chosen,
        request=asked,
        determination=determine(patient, its_plan, asked, AS_OF),
        policy=policy(its_plan, drug),
        as_of=AS_OF,
    )
