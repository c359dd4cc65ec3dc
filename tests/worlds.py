"""A world of one plan with two drugs, one policy and three patients, small enough to hold in the head."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from tools.domain.records import (
    Benefit,
    Clause,
    Coverage,
    Diagnosis,
    Drug,
    Field,
    FormTemplate,
    LabelIndication,
    Medication,
    Observation,
    Patient,
    Plan,
    Policy,
    QuantityLimit,
    Section,
    Strength,
)
from tools.domain.rules import Age, AllOf, Condition, Lab, Period, Rule, Trial
from tools.store import DatasetInfo, Store

AS_OF = date(2026, 9, 1)

CLAUSES = (
    Clause(id="1.1", section="criteria", text="The member is at least 18 years of age."),
    Clause(id="1.2", section="criteria", text="The member has a diagnosis of type 2 diabetes."),
    Clause(
        id="1.3",
        section="criteria",
        text="The most recent HbA1c, measured within 90 days, is at least 7.0 %.",
    ),
    Clause(
        id="1.4",
        section="criteria",
        text="The member has tried metformin for at least 90 days with an inadequate or partial response.",
    ),
    Clause(id="2.1", section="documentation", text="A signed chart note of the last 90 days is attached."),
    Clause(id="3.1", section="quantity", text="Coverage is limited to 3 mL every 28 days."),
    Clause(id="4.1", section="authorization", text="Approval is granted for 12 months."),
    Clause(id="5.1", section="renewal", text="HbA1c has fallen by at least 0.5 since therapy began."),
    Clause(id="6.1", section="exclusions", text="Ozempic is not covered in type 1 diabetes."),
    Clause(id="7.1", section="appeal", text="An appeal may be filed within 180 days of a denial."),
)


class World(NamedTuple):
    """What one store holds."""

    drugs: tuple[Drug, ...]
    plans: tuple[Plan, ...]
    forms: tuple[FormTemplate, ...]
    policies: tuple[Policy, ...]
    patients: tuple[Patient, ...]
    as_of: date = AS_OF


def tiny_world() -> World:
    """CASCADE-GOLD, Ozempic with PA and Wegovy not covered; P001 ready, P002 with a stale HbA1c, P003 without
    diabetes."""
    return World((ozempic(), wegovy()), (plan(),), (form(),), (policy(),), (p001(), p002(), p003()))


def ozempic() -> Drug:
    return Drug(
        name="Ozempic",
        generic="semaglutide",
        ingredients=("semaglutide",),
        classes=("glp1",),
        rxnorm="1991302",
        route="subcutaneous",
        unit="mL",
        per_day=0.142857,
        strengths=(Strength(label="1 mg", dose=1, package="1 pen", quantity=3, days=28, ndc="0169-4130-13"),),
        indications=(LabelIndication(key="t2dm", text="type 2 diabetes"),),
        aliases=("ozempic pen",),
    )


def wegovy() -> Drug:
    return Drug(
        name="Wegovy",
        generic="semaglutide",
        ingredients=("semaglutide",),
        classes=("glp1",),
        rxnorm="1991302",
        route="subcutaneous",
        unit="mL",
        per_day=0.142857,
        strengths=(
            Strength(label="2.4 mg", dose=2.4, package="4 pens", quantity=3, days=28, ndc="0169-4524-14"),
        ),
        indications=(LabelIndication(key="weight", text="chronic weight management"),),
        aliases=("semaglutide 2.4",),
    )


def rule() -> Rule:
    said = {clause.id: clause.text for clause in CLAUSES}
    return Rule(
        id="CASCADE-GOLD/Ozempic/t2dm",
        indication="t2dm",
        policy_id="CASCADE-GOLD-OZEMPIC",
        criteria=AllOf(
            id="all",
            children=(
                Age(id="age", op=">=", years=18, clause_id="1.1", quote=said["1.1"]),
                Condition(
                    id="t2dm", label="type 2 diabetes", codes=("E11",), clause_id="1.2", quote=said["1.2"]
                ),
                Lab(
                    id="a1c",
                    test="hba1c",
                    op=">=",
                    value=7.0,
                    unit="%",
                    within=Period(90),
                    clause_id="1.3",
                    quote=said["1.3"],
                ),
                Trial(
                    id="metformin",
                    label="metformin",
                    drugs=("metformin",),
                    min_days=90,
                    responses=("inadequate", "partial"),
                    clause_id="1.4",
                    quote=said["1.4"],
                ),
            ),
        ),
        exclusions=(
            Condition(id="t1dm", label="type 1 diabetes", codes=("E10",), clause_id="6.1", quote=said["6.1"]),
        ),
    )


def plan() -> Plan:
    return Plan(
        id="CASCADE-GOLD",
        payer_id="cascade",
        payer="Cascade Health",
        name="Cascade Gold",
        line_of_business="commercial",
        channel="fax",
        form_id="cascade-pa",
        benefits={
            "Ozempic": Benefit(
                drug="Ozempic",
                covered=True,
                pa_required=True,
                tier=3,
                copay="$45",
                quantity_limit=QuantityLimit(
                    quantity=3, unit="mL", days=28, clause_id="3.1", quote=CLAUSES[5].text
                ),
                indications=("t2dm",),
                rules=(rule(),),
                policy_id="CASCADE-GOLD-OZEMPIC",
            ),
            "Wegovy": Benefit(drug="Wegovy", covered=False, reason="weight loss is excluded"),
        },
    )


def form() -> FormTemplate:
    return FormTemplate(
        id="cascade-pa",
        plan_id="CASCADE-GOLD",
        payer="Cascade Health",
        title="Prior authorization request",
        channel="fax",
        date_format="%m/%d/%Y",
        units="us",
        sections=(
            Section(
                title="Member",
                fields=(Field(id="member_name", label="Member name", source="patient.name", required=True),),
            ),
        ),
        attestation="I attest that this is true.",
    )


def policy() -> Policy:
    """As read back from `policy_text()`."""
    return Policy(
        id="CASCADE-GOLD-OZEMPIC",
        plan_id="CASCADE-GOLD",
        payer="Cascade Health",
        drug="Ozempic",
        version="2026.1",
        effective_from=date(2026, 1, 1),
        clauses=CLAUSES,
        text="\n".join(f"{clause.id} {clause.text}" for clause in CLAUSES),
        file="policies/CASCADE-GOLD-OZEMPIC.txt",
    )


def p001() -> Patient:
    return Patient(
        id="P001",
        given="Maria",
        family="Gomez",
        birth_date=date(1970, 5, 4),
        sex="female",
        plan_id="CASCADE-GOLD",
        coverages=(Coverage(id="cov-1", plan_id="CASCADE-GOLD", member_id="M-1001", start=date(2025, 1, 1)),),
        conditions=(Diagnosis(id="dx-1", code="E11.65", name="type 2 diabetes"),),
        observations=(
            Observation(id="obs-1", test="hba1c", value=8.4, unit="%", date=date(2026, 8, 12)),
            Observation(id="obs-2", test="bmi", value=33.1, unit="kg/m2", date=date(2026, 8, 12)),
        ),
        medications=(
            Medication(
                id="med-1",
                drug="metformin",
                ingredients=("metformin",),
                classes=("biguanide",),
                start=date(2025, 1, 10),
                end=date(2025, 10, 10),
                status="stopped",
                outcome="Inadequate response",
            ),
        ),
        allergies=(),
    )


def p002() -> Patient:
    return Patient(
        id="P002",
        given="John",
        family="Smith",
        birth_date=date(1965, 11, 30),
        sex="male",
        plan_id="CASCADE-GOLD",
        coverages=(Coverage(id="cov-1", plan_id="CASCADE-GOLD", member_id="M-1002", start=date(2025, 1, 1)),),
        conditions=(Diagnosis(id="dx-1", code="E11.9", name="type 2 diabetes"),),
        observations=(Observation(id="obs-1", test="hba1c", value=8.4, unit="%", date=date(2026, 2, 13)),),
        medications=(),
        allergies=(),
    )


def p003() -> Patient:
    return Patient(
        id="P003",
        given="Ana",
        family="Gomez-Lee",
        birth_date=date(1980, 2, 2),
        sex="female",
        plan_id="CASCADE-GOLD",
        coverages=(Coverage(id="cov-1", plan_id="CASCADE-GOLD", member_id="M-1003", start=date(2025, 1, 1)),),
        conditions=(Diagnosis(id="dx-1", code="E66.812", name="obesity"),),
        observations=(Observation(id="obs-1", test="bmi", value=37.0, unit="kg/m2", date=date(2026, 8, 12)),),
        medications=None,
        allergies=None,
    )


def write_world(folder: Path, world: World | None = None, *, suffix: str = "json") -> Path:
    """The files that `pa load` takes, as the generator would print them."""
    world = world or tiny_world()
    (folder / "policies").mkdir(parents=True, exist_ok=True)
    patients = [msgspec.json.encode(patient) for patient in world.patients]
    text = b"\n".join(patients) if suffix == "jsonl" else b"[\n" + b",\n".join(patients) + b"\n]"
    (folder / f"patients.{suffix}").write_bytes(text + b"\n")
    for name in ("drugs", "plans", "forms"):
        (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(getattr(world, name))))
    for policy in world.policies:
        (folder / policy.file).write_bytes(msgspec.json.encode(policy))
    describe(folder, world)
    return folder


def describe(folder: Path, world: World | None = None) -> None:
    """Write dataset.json for the files as they are."""
    world = world or tiny_world()
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "dataset.json")
    info = DatasetInfo(
        as_of=world.as_of,
        seed=42,
        version="1",
        counts={"patients": len(world.patients)},
        files={
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
    )
    (folder / "dataset.json").write_bytes(msgspec.json.encode(info))


def read_policy(text: str, file: str) -> Policy:
    """Stands in for tools.rulebook.policy_text.read_policy: the tiny world's document is the record itself."""
    return msgspec.structs.replace(msgspec.json.decode(text, type=Policy), file=file)


def imported(store: Store, chart: Patient) -> Patient:
    """The chart as an import keeps it; its source is what another system calls the patient."""
    known = [("urn:test", chart.source)] if chart.source else []
    when = datetime(2026, 9, 1, tzinfo=UTC)
    return store.keep_import(chart, known, taken_from="test", when=when, on_conflict="replace").patient
