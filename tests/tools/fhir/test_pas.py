"""A drafted case is a PAS-shaped bundle: a request that says it is a draft, and the chart that it rests on."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from tests import paper_cases
from tests.tools.fhir.test_exporter import check, of, through_json
from tools.domain.records import FilledField, PARequest
from tools.fhir.exporter import export_patient
from tools.fhir.importer import import_bundle
from tools.fhir.pas import export_case
from tools.papers.case import Case
from tools.terminology.medicines import ndc11
from tools.terminology.terms import NDC, RXNORM

LETTER = "To whom it may concern: José takes metformin."


@pytest.fixture
def case() -> Case:
    return paper_cases.case_of(paper_cases.jose())


def form(case: Case, **changes: Any) -> PARequest:
    fields = (
        FilledField(id="name", section="Member", label="Name", type="text", value="José", required=True),
        FilledField(id="new", section="Drug", label="New?", type="tick", value="Yes", options=("Yes", "No")),
        FilledField(id="lab", section="Labs", label="HbA1c", type="text", value="8.4 %", record_id="lab1"),
        FilledField(id="lab", section="Labs", label="BMI", type="text", value="34.1", record_id="lab2"),
        FilledField(id="dea", section="Prescriber", label="DEA", type="text", required=True),
    )
    said: dict[str, Any] = {
        "form_id": "TEST-A-PA",
        "patient_id": case.patient.id,
        "plan_id": case.plan.id,
        "payer": case.plan.payer,
        "drug": case.drug.name,
        "as_of": case.as_of,
        "channel": "fax",
        "outcome": "ready",
        "fields": fields,
        "missing": ("DEA",),
    }
    return msgspec.convert(said | changes, PARequest)


@pytest.fixture
def bundle(case: Case) -> dict[str, Any]:
    return through_json(export_case(case, form(case), LETTER))


def resolve(bundle: dict[str, Any], reference: str) -> dict[str, Any]:
    found: dict[str, Any] = next(e["resource"] for e in bundle["entry"] if e["fullUrl"] == reference)
    return found


def test_a_case_is_valid_r4_and_its_claim_comes_first(bundle: dict[str, Any]) -> None:
    check(bundle)
    claim = bundle["entry"][0]["resource"]
    assert (claim["resourceType"], claim["use"], claim["status"]) == ("Claim", "preauthorization", "draft")


def test_the_claim_leads_to_coverage_order_answers_and_letter(case: Case, bundle: dict[str, Any]) -> None:
    (claim,) = of(bundle, "Claim")
    coverage = resolve(bundle, claim["insurance"][0]["coverage"]["reference"])
    assert case.coverage and coverage["subscriberId"] == case.coverage.member_id
    order = resolve(bundle, claim["prescription"]["reference"])
    assert (order["resourceType"], order["status"]) == ("MedicationRequest", "draft")
    kinds = [
        resolve(bundle, s["valueReference"]["reference"])["resourceType"] for s in claim["supportingInfo"]
    ]
    assert kinds == ["QuestionnaireResponse", "DocumentReference"]
    assert resolve(bundle, claim["insurer"]["reference"])["name"] == case.plan.payer


def test_what_is_asked_for_is_coded_and_counted(case: Case, bundle: dict[str, Any]) -> None:
    (claim,) = of(bundle, "Claim")
    item = claim["item"][0]
    codes = {c["system"]: c["code"] for c in item["productOrService"]["coding"]}
    assert codes[RXNORM] == case.drug.rxnorm
    assert case.strength and codes[NDC] == ndc11(case.strength.ndc)
    assert item["quantity"] == {"value": case.request.quantity, "unit": case.request.unit}
    assert claim["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]["code"].startswith("E11")


def test_answers_are_the_forms_and_a_blank_has_none(bundle: dict[str, Any]) -> None:
    (answers,) = of(bundle, "QuestionnaireResponse")
    (asked,) = of(bundle, "Questionnaire")
    said = {i["linkId"]: i["answer"][0]["valueString"] for group in answers["item"] for i in group["item"]}
    assert said == {"name": "José", "new": "Yes", "lab": "8.4 %", "lab-2": "34.1"}
    links = [i["linkId"] for group in asked["item"] for i in group["item"]]
    assert set(said) <= set(links) and len(links) == len(set(links))
    assert answers["status"] == "in-progress" and answers["questionnaire"] == asked["url"]


def test_a_ready_form_is_a_completed_answer(case: Case) -> None:
    made = export_case(case, form(case, ready=True, missing=()))
    assert of(made, "QuestionnaireResponse")[0]["status"] == "completed"
    assert not any(d.get("docStatus") == "preliminary" for d in of(made, "DocumentReference"))


def test_the_letter_is_there_word_for_word_and_unsigned(bundle: dict[str, Any]) -> None:
    letter = next(d for d in of(bundle, "DocumentReference") if d.get("docStatus") == "preliminary")
    assert base64.b64decode(letter["content"][0]["attachment"]["data"]).decode() == LETTER


def test_importing_a_case_reads_the_chart_and_leaves_the_request_alone(
    case: Case, bundle: dict[str, Any]
) -> None:
    chart = import_bundle(bundle).patient
    alone = import_bundle(through_json(export_patient(case.patient, case.plan))).patient
    assert msgspec.structs.replace(chart, as_of=None) == msgspec.structs.replace(alone, as_of=None)


def test_the_same_case_is_the_same_bundle(case: Case) -> None:
    assert export_case(case, form(case), LETTER) == export_case(case, form(case), LETTER)
