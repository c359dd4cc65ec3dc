"""Cases for forms and letters, made by hand: ten plans, three drugs, patients who are and are not ready."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from tools.domain.records import (
    Address,
    Allergy,
    Attestation,
    Authorization,
    Benefit,
    Channel,
    Clause,
    Coverage,
    Diagnosis,
    Drug,
    Fill,
    LabelIndication,
    Medication,
    Note,
    Observation,
    Order,
    Patient,
    Plan,
    Policy,
    Prescriber,
    QuantityLimit,
    Request,
    Strength,
)
from tools.domain.rules import (
    Age,
    AllergyTo,
    AllOf,
    AnyOf,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Period,
    Required,
    Rule,
    Taking,
    Trial,
)
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.papers.case import Case

AS_OF = date(2026, 9, 1)
ARCHETYPES = "ABCDEFGHIJ"
CHANNELS: dict[str, Channel] = {
    "A": "portal",
    "B": "fax",
    "C": "fax",
    "D": "portal",
    "E": "mail",
    "F": "portal",
    "G": "fax",
    "H": "phone",
    "I": "fax",
    "J": "mail",
}
PAYERS = {
    "A": "Meridian National Health",
    "B": "Corvant Pharmacy Services",
    "C": "Blue Laurel Plans of the Piedmont",
    "D": "Harborstone Health Maintenance",
    "E": "Openfield Exchange Health Plan",
    "F": "Tessellate Employers' Trust",
    "G": "Evergate Medicare Rx",
    "H": "Longmeadow Advantage",
    "I": "Statewide Community Care",
    "J": "Public Employees Health Fund",
}

OZEMPIC = Drug(
    name="Ozempic",
    generic="semaglutide",
    ingredients=("semaglutide",),
    classes=("glp1",),
    class_text="GLP-1 receptor agonist",
    rxnorm="1991302",
    route="subcutaneous",
    form="pen",
    unit="mL",
    per_day=0.142857,
    sig="Inject 1 mg under the skin once weekly",
    strengths=(
        Strength(
            label="0.25 mg",
            dose=0.25,
            package="1 pen of 2 mg/3 mL",
            quantity=3,
            days=28,
            ndc="0169-4181-13",
            doses=4,
            starting=True,
        ),
        Strength(
            label="1 mg",
            dose=1,
            package="1 pen of 4 mg/3 mL",
            quantity=3,
            days=28,
            ndc="0169-4130-13",
            doses=4,
        ),
    ),
    indications=(
        LabelIndication(
            key="t2dm",
            text="as an adjunct to diet and exercise to improve glycemic control in adults with type 2 diabetes",
            icd10=("E11",),
        ),
    ),
)
JARDIANCE = Drug(
    name="Jardiance",
    generic="empagliflozin",
    ingredients=("empagliflozin",),
    classes=("sglt2",),
    class_text="SGLT2 inhibitor",
    rxnorm="1545653",
    route="oral",
    form="tablet",
    unit="tablet",
    per_day=1,
    sig="Take 10 mg by mouth once daily",
    strengths=(
        Strength(
            label="10 mg",
            dose=10,
            package="30 tablets",
            quantity=30,
            days=30,
            ndc="0597-0152-30",
            starting=True,
        ),
    ),
    indications=(
        LabelIndication(
            key="hf",
            text="to reduce the risk of cardiovascular death and hospitalization for heart failure in adults",
            icd10=("I50", "I11.0"),
        ),
    ),
)
WEGOVY = Drug(
    name="Wegovy",
    generic="semaglutide",
    ingredients=("semaglutide",),
    classes=("glp1",),
    class_text="GLP-1 receptor agonist",
    rxnorm="1991302",
    route="subcutaneous",
    form="pen",
    unit="mL",
    per_day=0.142857,
    sig="Inject 2.4 mg under the skin once weekly",
    strengths=(
        Strength(
            label="2.4 mg",
            dose=2.4,
            package="4 pens of 2.4 mg/0.75 mL",
            quantity=3,
            days=28,
            ndc="0169-4524-14",
            units=4,
            doses=4,
            starting=True,
        ),
    ),
    indications=(
        LabelIndication(
            key="weight",
            text="to reduce excess body weight and maintain weight reduction in adults with obesity",
            icd10=("E66",),
        ),
    ),
)
DRUGS = {drug.name: drug for drug in (OZEMPIC, JARDIANCE, WEGOVY)}


def _part(id: str, clause: str, quote: str, question: str, text: str) -> dict[str, Any]:
    return {"id": id, "clause_id": clause, "quote": quote, "question": question, "text": text}


MTC = Condition(
    **_part(
        "mtc",
        "6.1",
        "The member has no personal or family history of medullary thyroid carcinoma or of MEN 2.",
        "Is there a personal or family history of medullary thyroid carcinoma or MEN 2?",
        "no medullary thyroid carcinoma or MEN 2, self or family",
    ),
    label="medullary thyroid carcinoma or MEN 2",
    codes=("E31.22",),
    phrases=("medullary thyroid",),
    topic="mtc_men2",
    who=("self", "family"),
    status="ever",
    evidence="attestation",
)
DUPLICATE = Taking(
    **_part(
        "duplicate",
        "6.2",
        "The drug is not taken with another GLP-1 receptor agonist or a DPP-4 inhibitor.",
        "Does the patient take another GLP-1 receptor agonist or a DPP-4 inhibitor?",
        "no other GLP-1 receptor agonist or DPP-4 inhibitor now",
    ),
    label="another GLP-1 receptor agonist or a DPP-4 inhibitor",
    classes=("glp1", "dpp4"),
)
NOTE = Required(
    id="note", text="Signed chart note of the last 90 days", of="note", within=Period(90), clause_id="2.1"
)
A1C_REPORT = Required(
    id="a1c_report",
    text="HbA1c report of the last 90 days",
    of="lab",
    test="hba1c",
    within=Period(90),
    clause_id="2.2",
)


def glp1_rule(plan_id: str) -> Rule:
    return Rule(
        id=f"{plan_id}/Ozempic/t2dm",
        indication="t2dm",
        indication_text="type 2 diabetes",
        policy_id=f"{plan_id}-OZEMPIC",
        criteria=AllOf(
            id="all",
            children=(
                Age(
                    **_part(
                        "age",
                        "1.1",
                        "The member is 18 years of age or older.",
                        "Is the patient 18 or older?",
                        "age at least 18",
                    ),
                    op=">=",
                    years=18,
                ),
                Condition(
                    **_part(
                        "dx",
                        "1.2",
                        "The member has a diagnosis of type 2 diabetes mellitus.",
                        "Does the patient have type 2 diabetes?",
                        "type 2 diabetes",
                    ),
                    label="type 2 diabetes",
                    codes=("E11",),
                ),
                Lab(
                    **_part(
                        "a1c",
                        "1.3",
                        "The most recent HbA1c, measured within 90 days of the request, is ≥ 7.0 %.",
                        "Is the most recent HbA1c, measured within 90 days, at least 7.0 %?",
                        "HbA1c at least 7.0 % within 90 days",
                    ),
                    test="hba1c",
                    op=">=",
                    value=7.0,
                    unit="%",
                    within=Period(90),
                ),
                AnyOf(
                    **_part(
                        "metformin",
                        "1.4",
                        "The member has had an inadequate or partial response to metformin of at least 90 days, or"
                        " an intolerance of it, or has a contraindication to it (eGFR < 30 within 180 days).",
                        "Has the patient tried metformin for at least 90 days with an inadequate or partial"
                        " response, or is it not tolerated or contraindicated?",
                        "metformin tried, not tolerated or contraindicated",
                    ),
                    children=(
                        Trial(
                            id="metformin_trial",
                            text="metformin for at least 90 days",
                            label="metformin",
                            drugs=("metformin",),
                            min_days=90,
                            responses=("inadequate", "partial"),
                        ),
                        Intolerance(
                            id="metformin_intolerance",
                            text="metformin not tolerated",
                            label="metformin",
                            drugs=("metformin",),
                        ),
                        Lab(
                            id="low_egfr",
                            text="eGFR below 30",
                            test="egfr",
                            op="<",
                            value=30,
                            unit="mL/min/{1.73_m2}",
                            within=Period(180),
                        ),
                    ),
                ),
            ),
        ),
        exclusions=(MTC, DUPLICATE),
        documents=(NOTE, A1C_REPORT),
        renewal=AllOf(
            id="renewal",
            children=(
                Change(
                    **_part(
                        "a1c_fall",
                        "5.1",
                        "HbA1c has fallen by at least 0.5 percentage points since therapy began.",
                        "Has HbA1c fallen by at least 0.5 since the start of therapy?",
                        "HbA1c fall of at least 0.5",
                    ),
                    test="hba1c",
                    amount=0.5,
                    within=Period(180),
                ),
                Attested(
                    **_part(
                        "adherent",
                        "5.2",
                        "The member takes the drug as prescribed.",
                        "Is the patient adherent?",
                        "adherent",
                    ),
                    topic="adherent",
                    statement="the patient takes the drug as prescribed",
                ),
            ),
        ),
    )


def hf_rule(plan_id: str) -> Rule:
    return Rule(
        id=f"{plan_id}/Jardiance/hf",
        indication="hf",
        indication_text="heart failure",
        policy_id=f"{plan_id}-JARDIANCE",
        criteria=AllOf(
            id="all",
            children=(
                Condition(
                    **_part(
                        "hf",
                        "1.1",
                        "The member has heart failure.",
                        "Does the patient have heart failure?",
                        "heart failure",
                    ),
                    label="heart failure",
                    codes=("I50", "I11.0"),
                ),
                Lab(
                    **_part(
                        "egfr",
                        "1.2",
                        "eGFR is 20 or more within 180 days.",
                        "Is eGFR at least 20?",
                        "eGFR at least 20 within 180 days",
                    ),
                    test="egfr",
                    op=">=",
                    value=20,
                    unit="mL/min/{1.73_m2}",
                    within=Period(180),
                ),
            ),
        ),
        exclusions=(
            AllergyTo(
                **_part(
                    "allergy",
                    "6.1",
                    "The member is not allergic to the drug.",
                    "Is the patient allergic to the drug?",
                    "no allergy to the drug",
                ),
                label="the drug",
                requested=True,
            ),
        ),
        documents=(NOTE,),
    )


def weight_rule(plan_id: str) -> Rule:
    return Rule(
        id=f"{plan_id}/Wegovy/weight",
        indication="weight",
        indication_text="chronic weight management",
        policy_id=f"{plan_id}-WEGOVY",
        initial_months=7,
        criteria=AllOf(
            id="all",
            children=(
                Lab(
                    **_part(
                        "bmi",
                        "1.1",
                        "BMI before therapy is ≥ 30 kg/m2.",
                        "Was BMI at least 30 kg/m2 before therapy?",
                        "baseline BMI at least 30",
                    ),
                    test="bmi",
                    op=">=",
                    value=30,
                    unit="kg/m2",
                    at="baseline",
                ),
            ),
        ),
        exclusions=(MTC, DUPLICATE),
        documents=(NOTE,),
    )


RULES = {"Ozempic": glp1_rule, "Jardiance": hf_rule, "Wegovy": weight_rule}


def plan(letter: str = "A") -> Plan:
    plan_id = f"TEST-{letter}"
    return Plan(
        id=plan_id,
        payer_id=f"payer-{letter}",
        payer=PAYERS[letter],
        name=f"{PAYERS[letter].split()[0]} Choice {letter}",
        archetype=letter,
        line_of_business="commercial",
        bin="610014",
        pcn="TESTPCN",
        group="G-2200",
        phone="800-555-0140",
        fax="800-555-0141",
        portal="pa.meridian.example.org",
        address=Address(line="PO Box 4100", city="Springfield", state="IL", zip="62701"),
        channel=CHANNELS[letter],
        form_id=f"PA-{letter}-26",
        benefits={
            name: Benefit(
                drug=name,
                covered=True,
                pa_required=True,
                tier=3,
                copay="$50",
                quantity_limit=QuantityLimit(
                    quantity=DRUGS[name].strengths[0].quantity,
                    unit=DRUGS[name].unit,
                    days=DRUGS[name].strengths[0].days,
                ),
                indications=(rule(plan_id).indication,),
                rules=(rule(plan_id),),
                policy_id=rule(plan_id).policy_id,
            )
            for name, rule in RULES.items()
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
    patient = Patient(
        id="P001",
        given="José",
        family="Núñez",
        birth_date=date(1963, 4, 17),
        sex="male",
        address=Address(line="1420 Mulberry Lane, Apt 7", city="Dayton", state="OH", zip="45402"),
        phone="937-555-0119",
        plan_id=plan_id,
        coverages=(
            Coverage(
                id="cov1",
                plan_id=plan_id,
                member_id="MBR400117",
                group="G-2207",
                bin="610014",
                pcn="TESTPCN",
                start=date(2025, 1, 1),
            ),
        ),
        prescriber=Prescriber(
            name="Ana Whitfield, MD",
            npi="2345678902",
            specialty="family medicine",
            practice="Riverbend Family Medicine",
            address=Address(line="88 Canal Street", city="Dayton", state="OH", zip="45402"),
            phone="937-555-0101",
            fax="937-555-0102",
            contact="Dana Reyes",
        ),
        conditions=(
            Diagnosis(
                id="dx1",
                code="E11.65",
                name="Type 2 diabetes mellitus with hyperglycemia",
                onset=date(2019, 3, 2),
            ),
            Diagnosis(id="dx2", code="I25.10", name="Coronary artery disease", onset=date(2021, 7, 9)),
            Diagnosis(id="dx3", code="E66.811", name="Obesity, class 1", onset=date(2020, 1, 15)),
        ),
        observations=(
            observation("obs1", "hba1c", 8.4, "%", date(2026, 8, 12)),
            observation("obs2", "hba1c", 8.8, "%", date(2026, 1, 20)),
            observation("obs3", "weight", 98.2, "kg", date(2026, 8, 12)),
            observation("obs4", "height", 175.0, "cm", date(2026, 8, 12)),
            observation("obs5", "bmi", 32.1, "kg/m2", date(2026, 8, 12)),
            observation("obs6", "egfr", 71.0, "mL/min/{1.73_m2}", date(2026, 8, 12)),
        ),
        medications=(
            Medication(
                id="med1",
                drug="metformin",
                ingredients=("metformin",),
                classes=("biguanide",),
                dose=1000,
                dose_unit="mg",
                per_day=2,
                formulation="ER",
                start=date(2025, 2, 1),
                end=date(2026, 3, 8),
                status="stopped",
                outcome="Inadequate response",
                reason="HbA1c 8.8 % on the maximum dose",
            ),
            Medication(
                id="med2",
                drug="glipizide",
                ingredients=("glipizide",),
                classes=("sulfonylurea",),
                dose=10,
                dose_unit="mg",
                per_day=1,
                start=date(2026, 3, 10),
                end=date(2026, 5, 2),
                status="stopped",
                outcome="Intolerance - hypoglycemia",
            ),
            Medication(
                id="med3",
                drug="atorvastatin",
                ingredients=("atorvastatin",),
                classes=("statin",),
                dose=40,
                dose_unit="mg",
                per_day=1,
                start=date(2021, 8, 1),
                status="active",
            ),
        ),
        fills=(
            Fill(
                id="fill1",
                drug="metformin",
                ingredients=("metformin",),
                date=date(2025, 2, 1),
                days_supply=90,
            ),
        ),
        allergies=(Allergy(id="alg1", substance="penicillin", reaction="hives"),),
        attestations=(
            Attestation(
                id="att1",
                topic="mtc_men2",
                present=False,
                subjects=("self", "family"),
                date=date(2026, 8, 12),
            ),
        ),
        notes=(
            Note(id="note1", date=date(2026, 8, 12), author="Ana Whitfield, MD", text="Diabetes above goal."),
        ),
        orders=(
            Order(
                id="ord1",
                drug="Ozempic",
                strength="1 mg",
                quantity=3,
                days_supply=28,
                sig="Inject 1 mg under the skin once weekly",
                date=date(2026, 8, 12),
            ),
        ),
    )
    return msgspec.structs.replace(patient, **changes)


def bare() -> Patient:
    """A chart that says next to nothing."""
    coverage = Coverage(id="cov1", plan_id="TEST-A", member_id="MBR1", start=date(2025, 1, 1))
    return Patient(id="P009", given="Ann", family="Lee", plan_id="TEST-A", coverages=(coverage,))


def on_ozempic(plan_id: str = "TEST-A") -> Patient:
    """Renews Ozempic: HbA1c 8.8 before, 7.1 now."""
    course = Medication(
        id="med9",
        drug="Ozempic",
        ingredients=("semaglutide",),
        classes=("glp1",),
        dose=1,
        dose_unit="mg",
        per_day=0.142857,
        start=date(2026, 1, 25),
        status="active",
        outcome="Effective",
    )
    was = jose(plan_id)
    lower = msgspec.structs.replace(was.observations[0], value=7.1)
    return jose(
        plan_id,
        observations=(lower, *was.observations[1:]),
        medications=(*(was.medications or ()), course),
        attestations=(
            *was.attestations,
            Attestation(id="att2", topic="adherent", present=True, date=date(2026, 8, 12)),
        ),
        authorizations=(
            Authorization(
                id="auth1", plan_id=plan_id, drug="Ozempic", start=date(2026, 1, 20), end=date(2026, 9, 20)
            ),
        ),
    )


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
