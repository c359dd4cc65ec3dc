"""What must hold for any rule and any chart (Hypothesis), and for every cell of the catalog."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_gen.catalog_loader import Catalog, load_catalog
from tests.judging import AS_OF, chart
from tools.domain.records import (
    Allergy,
    Attestation,
    Coverage,
    Diagnosis,
    FamilyHistory,
    Medication,
    Observation,
    Patient,
    Prescriber,
    Program,
    Request,
)
from tools.domain.rules import (
    Age,
    AllergyTo,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    NoneOf,
    Period,
    Programme,
    Specialist,
    Trial,
)
from tools.engine.criteria import at_least, evaluate
from tools.engine.determine import determine
from tools.engine.documents import walk
from tools.engine.request import complete_request
from tools.evidence.context import EvaluationContext

BORN = date(1970, 1, 1)
DAYS = st.integers(-400, 40).map(lambda days: AS_OF + timedelta(days=days))
OPS = st.sampled_from([">=", ">", "<=", "<"])

# --- charts ----------------------------------------------------------------------------------------------

observations = st.builds(
    Observation,
    id=st.uuids().map(str),
    test=st.sampled_from(["hba1c", "bmi", "egfr", "weight", "height"]),
    value=st.integers(40, 2000).map(lambda n: n / 10),
    unit=st.sampled_from(["%", "kg/m2", "mL/min/{1.73_m2}", "kg", "cm", "lb", None]),
    date=st.none() | DAYS,
)
medications = st.builds(
    lambda drug, **fields: Medication(drug=drug[0], ingredients=(drug[0],), classes=(drug[1],), **fields),
    drug=st.sampled_from([("metformin", "biguanide"), ("sitagliptin", "dpp4"), ("exenatide", "glp1")]),
    id=st.uuids().map(str),
    start=st.none() | DAYS,
    end=st.none() | DAYS,
    status=st.sampled_from([None, "active", "stopped"]),
    outcome=st.sampled_from(
        [None, "Inadequate response", "Partial response", "Intolerance - GI side effects"]
    ),
    formulation=st.sampled_from([None, "IR", "ER"]),
)
diagnoses = st.builds(
    Diagnosis,
    id=st.uuids().map(str),
    code=st.sampled_from(["E11.9", "E10.9", "I10", "C73", "E31.22", "Z80.8", "O09.9"]),
    onset=st.none() | DAYS,
    abated=st.none() | DAYS,
    verification=st.sampled_from(["confirmed", "provisional", "refuted"]),
)
attestations = st.builds(
    Attestation,
    id=st.uuids().map(str),
    topic=st.sampled_from(["mtc_men2", "pregnancy", "adherent"]),
    present=st.booleans(),
    subjects=st.sampled_from([("self",), ("family",), ("self", "family")]),
    date=st.none() | DAYS,
)


def lists(of: Any) -> Any:
    return st.lists(of, max_size=4).map(tuple)


patients = st.builds(
    Patient,
    id=st.just("P001"),
    birth_date=st.none() | st.just(BORN),
    sex=st.sampled_from(["female", "male", "unknown"]),
    conditions=st.none() | lists(diagnoses),
    observations=lists(observations),
    medications=st.none() | lists(medications),
    allergies=st.none()
    | lists(
        st.builds(
            Allergy,
            id=st.uuids().map(str),
            substance=st.just("metformin"),
            ingredients=st.just(("metformin",)),
        )
    ),
    attestations=lists(attestations),
    family_history=lists(
        st.builds(
            FamilyHistory,
            id=st.uuids().map(str),
            relation=st.just("aunt"),
            condition=st.sampled_from(
                ["medullary thyroid carcinoma", "thyroid cancer", "papillary thyroid cancer"]
            ),
        )
    ),
    programs=lists(st.builds(Program, id=st.uuids().map(str), start=st.none() | DAYS, end=st.none() | DAYS)),
    prescriber=st.none()
    | st.builds(
        Prescriber, name=st.just("Dr A"), specialty=st.sampled_from([None, "endocrinology", "urology"])
    ),
)

# --- rules -----------------------------------------------------------------------------------------------

WINDOW = st.none() | st.sampled_from([Period(30), Period(90), Period(26, "weeks"), Period(6, "months")])
leaves: st.SearchStrategy[Any] = st.one_of(
    st.builds(Age, id=st.just("age"), op=OPS, years=st.integers(18, 75)),
    st.builds(
        Lab,
        id=st.just("lab"),
        test=st.just("hba1c"),
        op=OPS,
        value=st.sampled_from([6.5, 7.0, 9.0]),
        unit=st.just("%"),
        within=WINDOW,
    ),
    st.builds(Measured, id=st.just("m"), tests=st.just(("weight", "height")), within=st.just(Period(90))),
    st.builds(
        Trial,
        id=st.just("trial"),
        label=st.just("metformin"),
        drugs=st.just(("metformin",)),
        min_days=st.sampled_from([0, 30, 90]),
        formulation=st.sampled_from([None, "ER"]),
        responses=st.sampled_from([(), ("inadequate",), ("inadequate", "partial")]),
        within_days=st.none() | st.sampled_from([30, 90, 180]),
    ),
    st.builds(Intolerance, id=st.just("i"), label=st.just("metformin"), drugs=st.just(("metformin",))),
    st.builds(AllergyTo, id=st.just("a"), label=st.just("metformin"), drugs=st.just(("metformin",))),
    st.builds(Condition, id=st.just("dx"), label=st.just("T2DM"), codes=st.just(("E11",))),
    st.builds(Attested, id=st.just("t"), topic=st.just("adherent"), statement=st.just("x"), within=WINDOW),
    st.builds(
        Programme, id=st.just("p"), min_duration=st.sampled_from([Period(3, "months"), Period(12, "weeks")])
    ),
    st.builds(Specialist, id=st.just("s"), specialties=st.just(("endocrinology",))),
)
trees: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda children: st.one_of(
        st.builds(AllOf, id=st.just("all"), children=st.lists(children, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, id=st.just("any"), children=st.lists(children, min_size=1, max_size=3).map(tuple)),
        st.lists(children, min_size=1, max_size=3).flatmap(
            lambda some: st.builds(
                AtLeast, id=st.just("k"), k=st.integers(1, len(some)), children=st.just(tuple(some))
            )
        ),
    ),
    max_leaves=6,
)


def status(node: Node, patient: Patient) -> str:
    return evaluate(node, EvaluationContext(patient, Request(drug="Ozempic"), AS_OF)).status


# Programs are before any other, for records of one time that disagree are a conflict.
SOUND = chart(
    "labs: {weight: 90 kg -0d, height: 170 cm -0d}, conditions: [E11.9], allergies: [metformin], "
    "medications: ['metformin ER -800d to -0d, inadequate', 'metformin ER -900d to -870d, GI side effects'], "
    "programs: [-900d to -450d]"
)
QUALIFYING: dict[str, Any] = {
    part: getattr(SOUND, part)
    for part in ("observations", "conditions", "medications", "allergies", "programs")
}


@pytest.mark.slow
@given(trees, patients, st.sampled_from(sorted(QUALIFYING)))
@settings(max_examples=400)
def test_more_qualifying_evidence_never_unmeets_a_criterion(node: Node, patient: Patient, kind: str) -> None:
    """Courses, diagnoses, allergies, programs and measurements that satisfy what rules ask for only help."""
    more = (getattr(patient, kind) or ()) + QUALIFYING[kind]
    if status(node, patient) == "met":
        assert status(node, msgspec.structs.replace(patient, **{kind: more})) == "met"


@given(patients, st.sampled_from([6.5, 7.0, 9.0]), WINDOW)
@settings(max_examples=200)
def test_a_newer_value_that_qualifies_meets_a_lab(
    patient: Patient, bound: float, window: Period | None
) -> None:
    node = Lab(id="lab", test="hba1c", op=">=", value=bound, unit="%", within=window)
    before = tuple(item for item in patient.observations if item.date != AS_OF)
    more = (*before, Observation(id="q", test="hba1c", value=bound, unit="%", date=AS_OF))
    assert status(node, msgspec.structs.replace(patient, observations=more)) == "met"


@given(trees)
@settings(max_examples=300)
def test_an_empty_chart_neither_meets_nor_fails_anything(node: Node) -> None:
    assert status(node, Patient(id="P001")) == "unknown"


@pytest.mark.slow
@given(trees, patients)
@settings(max_examples=300)
def test_none_of_is_the_negation_of_any_of(node: Node, patient: Patient) -> None:
    opposite = {"met": "not_met", "not_met": "met", "unknown": "unknown"}
    assert status(NoneOf(id="n", children=(node,)), patient) == opposite[status(node, patient)]


@pytest.mark.slow
@given(trees, patients)
@settings(max_examples=300)
def test_the_order_of_records_does_not_matter(node: Node, patient: Patient) -> None:
    turned = msgspec.structs.replace(
        patient,
        observations=patient.observations[::-1],
        conditions=patient.conditions and patient.conditions[::-1],
        programs=patient.programs[::-1],
        family_history=patient.family_history[::-1],
    )
    assert status(node, patient) == status(node, turned)


@pytest.mark.slow
@given(trees, patients, st.integers(-1000, 1000))
@settings(max_examples=300)
def test_shifting_every_date_changes_nothing(node: Node, patient: Patient, days: int) -> None:
    """Days only: calendar months and ages are not the same length everywhere."""
    if any(isinstance(part, Age | Programme) for part in _parts(node)):
        return
    shift = timedelta(days=days)

    def moved(item: Any) -> Any:
        dates = {
            name: value + shift
            for name in item.__struct_fields__
            if isinstance(value := getattr(item, name), date)
        }
        return msgspec.structs.replace(item, **dates)

    lists_of = ("observations", "conditions", "medications", "attestations", "programs", "allergies")
    shifted = msgspec.structs.replace(
        patient,
        birth_date=patient.birth_date and patient.birth_date + shift,
        **{
            name: None
            if getattr(patient, name) is None
            else tuple(moved(item) for item in getattr(patient, name))
            for name in lists_of
        },
    )
    found = evaluate(node, EvaluationContext(shifted, Request(drug="Ozempic"), AS_OF + shift))
    assert found.status == status(node, patient)


def _parts(node: Any) -> list[Any]:
    return [node] + [part for child in getattr(node, "children", ()) for part in _parts(child)]


@given(st.lists(st.sampled_from(["met", "not_met", "unknown"]), min_size=1, max_size=5), st.data())
def test_at_least_is_kleenes(statuses: list[Any], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(statuses)))
    worlds = [[s if s != "unknown" else guess for s in statuses] for guess in ("met", "not_met")]
    answers = {sum(s == "met" for s in world) >= k for world in worlds}
    expected = "unknown" if len(answers) == 2 else "met" if answers.pop() else "not_met"
    assert at_least(k, statuses) == expected


# --- every cell of the catalog ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def test_a_patient_without_a_record_is_never_ready(catalog: Catalog) -> None:
    for plan in catalog.plans.values():
        nobody = Patient(id="P001", coverages=(Coverage(id="c", plan_id=plan.id),))
        for name, benefit in plan.benefits.items():
            for kind in ("new", "continuation", "renewal"):
                asked = complete_request(nobody, catalog.drugs[name], Request(drug=name, kind=kind))
                found = determine(nobody, plan, asked, AS_OF)
                expected = {"not_covered"} if not benefit.covered else {"needs_documentation"}
                if benefit.covered and not benefit.pa_required:
                    expected = {"not_required"}
                assert found.outcome in expected, (plan.id, name, kind, found.summary)


def test_every_finding_of_every_rule_carries_its_clause(catalog: Catalog) -> None:
    for plan in catalog.plans.values():
        nobody = Patient(id="P001", coverages=(Coverage(id="c", plan_id=plan.id),))
        for name, benefit in plan.benefits.items():
            if not benefit.pa_required:
                continue
            document = catalog.policies[benefit.policy_id].text
            for kind in ("new", "renewal"):
                asked = complete_request(nobody, catalog.drugs[name], Request(drug=name, kind=kind))
                for finding in walk(determine(nobody, plan, asked, AS_OF).findings):
                    if finding.criterion == "quantity" and benefit.quantity_limit is None:
                        continue
                    assert finding.clause is not None, (plan.id, name, finding.criterion)
                    assert finding.clause.quote in document
                    assert finding.text
