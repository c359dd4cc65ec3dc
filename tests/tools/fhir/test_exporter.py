"""A chart goes out as valid FHIR R4 in the right code systems, and comes back as the same chart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle as R4Bundle
from hypothesis import HealthCheck, given, settings

from tests import paper_cases, worlds
from tests.tools.fhir.charts import charts
from tools.fhir.exporter import export_patient
from tools.fhir.importer import import_bundle
from tools.records import Attestation, Medication, Note, Observation, Patient, Program
from tools.terms import ICD10, LOINC, NDC, NPI, RXNORM, SNOMED, UCUM

HL7 = "http://terminology.hl7.org/CodeSystem/"
# The codes that R4 requires or that US Core binds, of the elements that we write: fhir.resources checks no value set.
CODES: dict[str, frozenset[str]] = {
    f"{HL7}condition-clinical": frozenset({"active", "resolved"}),
    f"{HL7}condition-ver-status": frozenset({"confirmed", "provisional", "refuted"}),
    f"{HL7}condition-category": frozenset({"problem-list-item"}),
    f"{HL7}allergyintolerance-clinical": frozenset({"active"}),
    f"{HL7}allergyintolerance-verification": frozenset({"confirmed"}),
    f"{HL7}observation-category": frozenset({"vital-signs", "laboratory", "imaging", "survey"}),
    f"{HL7}list-empty-reason": frozenset({"nilknown", "unavailable"}),
    f"{HL7}coverage-class": frozenset({"plan", "group", "rxbin", "rxpcn"}),
    f"{HL7}subscriber-relationship": frozenset({"self"}),
    f"{HL7}organization-type": frozenset({"prov", "pay"}),
    f"{HL7}v3-ActCode": frozenset({"DRUGPOL"}),
    f"{HL7}claim-type": frozenset({"pharmacy"}),
    f"{HL7}processpriority": frozenset({"normal"}),
    f"{HL7}claiminformationcategory": frozenset({"attachment"}),
    f"{HL7}provenance-participant-type": frozenset({"assembler"}),
}
STATUS: dict[str, frozenset[str]] = {
    "MedicationStatement": frozenset({"active", "stopped", "unknown"}),
    "MedicationRequest": frozenset({"active", "draft"}),
    "MedicationDispense": frozenset({"completed"}),
    "Observation": frozenset({"final"}),
    "Procedure": frozenset({"completed"}),
    "FamilyMemberHistory": frozenset({"completed"}),
    "CarePlan": frozenset({"active", "completed"}),
    "DocumentReference": frozenset({"current"}),
    "Coverage": frozenset({"active"}),
    "ClaimResponse": frozenset({"active"}),
    "List": frozenset({"current"}),
    "Claim": frozenset({"draft"}),
    "Questionnaire": frozenset({"draft"}),
    "QuestionnaireResponse": frozenset({"completed", "in-progress"}),
}
FREE = {ICD10, LOINC, RXNORM, NDC, SNOMED, UCUM, NPI, "http://www.ama-assn.org/go/cpt"}


def through_json(bundle: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(bundle))
    return read


def codings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "system" in value and "code" in value and "value" not in value:
            yield value
        for inner in value.values():
            yield from codings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from codings(inner)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def check(bundle: dict[str, Any]) -> None:
    """Valid R4, in known code systems, with every reference inside the bundle and every id once."""
    R4Bundle.model_validate(bundle)
    for coding in codings(bundle):
        system, code = coding["system"], coding["code"]
        ours = system.startswith(
            ("https://paladin.example.org/fhir", "http://hl7.org/fhir/us/core/CodeSystem/")
        )
        assert system in FREE or ours or code in CODES[system], coding
    for entry in bundle["entry"]:
        resource = entry["resource"]
        allowed = STATUS.get(resource["resourceType"])
        assert allowed is None or resource["status"] in allowed
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(urls) == len(set(urls))
    assert set(references(bundle)) <= set(urls)


def of(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def there_and_back(patient: Patient) -> Patient:
    return import_bundle(through_json(export_patient(patient, worlds.plan()))).patient


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(charts)
def test_any_chart_comes_back_as_it_went(patient: Patient) -> None:
    assert there_and_back(patient) == patient


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(charts)
def test_any_chart_is_the_same_bundle_each_time(patient: Patient) -> None:
    assert export_patient(patient) == export_patient(patient)


@pytest.mark.parametrize(
    "patient", [*worlds.tiny_world().patients, paper_cases.jose(), paper_cases.on_ozempic()]
)
def test_a_chart_of_ours_is_valid_and_comes_back(patient: Patient) -> None:
    bundle = through_json(export_patient(patient, worlds.plan(), as_of=date(2026, 9, 1)))
    check(bundle)
    assert import_bundle(bundle).patient == patient


def test_an_imported_chart_is_valid_and_comes_back(heart_and_kidney: dict[str, Any]) -> None:
    patient = import_bundle(heart_and_kidney, plan=worlds.plan(), patient_id="P900001").patient
    bundle = through_json(export_patient(patient, worlds.plan()))
    check(bundle)
    assert import_bundle(bundle).patient == patient


def test_fhir_says_nearly_all_by_itself(heart_and_kidney: dict[str, Any]) -> None:
    bundle = export_patient(import_bundle(heart_and_kidney).patient)
    beside = [e["resource"]["resourceType"] for e in bundle["entry"] if "rest-of-record" in json.dumps(e)]
    assert beside == ["Patient", "MedicationStatement"]  # the source, and a product's text beside its brand


def test_unknown_lists_and_empty_ones_differ_in_the_bundle() -> None:
    bundle = export_patient(Patient(id="P1", conditions=(), medications=None, allergies=None))
    reasons = {r["title"]: r["emptyReason"]["coding"][0]["code"] for r in of(bundle, "List")}
    assert reasons == {
        "Problem list": "nilknown",
        "History of medication use": "unavailable",
        "Allergies": "unavailable",
    }


def test_a_changed_value_is_a_changed_value() -> None:
    bundle = export_patient(
        Patient(id="P1", observations=(Observation(id="L1", test="hba1c", value=8.4, unit="%"),))
    )
    of(bundle, "Observation")[0]["valueQuantity"]["value"] = 7.1
    assert import_bundle(bundle).patient.observations[0].value == 7.1


def test_a_blood_pressure_is_one_resource() -> None:
    day = date(2026, 8, 1)
    pair = (
        Observation(id="V1", test="sbp", value=140, unit="mm[Hg]", date=day, source="vital"),
        Observation(id="V2", test="dbp", value=90, unit="mm[Hg]", date=day, source="vital"),
    )
    patient = Patient(id="P1", observations=pair)
    (panel,) = of(export_patient(patient), "Observation")
    assert [part["code"]["coding"][0]["code"] for part in panel["component"]] == ["8480-6", "8462-4"]
    assert there_and_back(patient).observations == pair


def test_a_trial_is_a_statement_with_its_period_dose_and_outcome() -> None:
    trial = Medication(
        id="M1",
        drug="metformin",
        ingredients=("metformin",),
        classes=("biguanide",),
        rxnorm="6809",
        dose=1000,
        dose_unit="mg",
        per_day=2,
        start=date(2025, 1, 1),
        end=date(2025, 6, 1),
        status="stopped",
        outcome="Inadequate response",
    )
    (said,) = of(export_patient(Patient(id="P1", medications=(trial,))), "MedicationStatement")
    assert said["effectivePeriod"] == {"start": "2025-01-01", "end": "2025-06-01"}
    assert said["dosage"][0]["timing"]["repeat"] == {"frequency": 2, "period": 1, "periodUnit": "d"}
    assert said["note"] == [{"text": "Outcome: Inadequate response"}]
    assert said["medicationCodeableConcept"]["coding"] == [{"system": RXNORM, "code": "6809"}]


def test_statements_notes_and_programs_have_resources_of_their_own() -> None:
    patient = Patient(
        id="P1",
        attestations=(Attestation(id="A1", topic="mtc_men2", present=False, subjects=("self", "family")),),
        notes=(Note(id="N1", date=date(2026, 8, 15), text="Tolerates metformin <well> & gladly."),),
        programs=(Program(id="G1", name="Lifestyle program", start=date(2026, 1, 1)),),
    )
    bundle = through_json(export_patient(patient))
    check(bundle)
    assert of(bundle, "Observation")[0]["valueBoolean"] is False
    assert of(bundle, "CarePlan")[0]["status"] == "active"
    assert there_and_back(patient) == patient


def test_provenance_is_dated_by_the_case_and_not_by_the_clock() -> None:
    patient = worlds.tiny_world().patients[0]
    (said,) = of(export_patient(patient, as_of=date(2026, 9, 1)), "Provenance")
    assert said["recorded"] == "2026-09-01T00:00:00Z"
    assert not of(export_patient(Patient(id="P1")), "Provenance")
