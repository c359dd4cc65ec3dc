"""A chart goes out as valid FHIR R4 in its own elements, and comes back but for what FHIR cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.bundle import Bundle as R4Bundle
from hypothesis import HealthCheck, given, settings

from tests import paper_cases, worlds
from tests.tools.fhir.charts import charts
from tests.tools.fhir.conftest import ROOT
from tools.domain import records
from tools.domain.records import Observation, Order, Patient
from tools.fhir.documents import PAYER_RESPONSE
from tools.fhir.exporter import export_patient, losses
from tools.fhir.importer import PARTS, import_bundle
from tools.terminology.terms import ICD10, LOINC, NDC, NPI, RXNORM, SNOMED, TOPICS, UCUM

DAY = date(2026, 8, 1)
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


def printed_charts() -> list[Patient]:
    """The charts of the world that lies in the repository."""
    return msgspec.json.decode((ROOT / "mock_data" / "patients.json").read_bytes(), type=list[Patient])


def through_json(bundle: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(bundle))
    return read


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a bundle, however deep."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from objects(inner)


def check(bundle: dict[str, Any]) -> None:
    """Valid R4, in known code systems, with every reference inside the bundle and every id once."""
    R4Bundle.model_validate(bundle)
    ours = ("https://paladin.example.org/fhir", "http://hl7.org/fhir/us/core/CodeSystem/")
    for coding in (one for one in objects(bundle) if {"system", "code"} <= one.keys() and "value" not in one):
        system = coding["system"]
        assert system in FREE or system.startswith(ours) or coding["code"] in CODES[system], coding
    for entry in bundle["entry"]:
        resource = entry["resource"]
        allowed = STATUS.get(resource["resourceType"])
        assert allowed is None or resource["status"] in allowed
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(urls) == len(set(urls))
    named = (one["reference"] for one in objects(bundle) if isinstance(one.get("reference"), str))
    assert {name for name in named if name[0] != "#"} <= set(urls)


def of(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def there_and_back(patient: Patient) -> Patient:
    return import_bundle(through_json(export_patient(patient, worlds.plan()))).patient


def lost(patient: Patient) -> set[str]:
    return {what.partition(" (")[0] for what in losses(patient, through_json(export_patient(patient)))}


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(charts)
def test_nothing_is_invented_on_the_way(patient: Patient) -> None:
    """What comes back is what went out, or less: each record under its id, each list open or closed as it was."""
    back = there_and_back(patient)
    for part in ("conditions", "medications", "allergies"):
        assert (getattr(back, part) is None) == (getattr(patient, part) is None)
    for part in PARTS.values():
        went = {record.id for record in getattr(patient, part) or ()}
        came = {r.id for r in getattr(back, part) or () if getattr(r, "of", "") != PAYER_RESPONSE}
        assert came <= went
    assert {o.id: o.value for o in back.observations}.items() <= {
        o.id: o.value for o in patient.observations
    }.items()
    assert all(f in patient.attestations for f in back.attestations)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(charts)
def test_any_chart_is_the_same_bundle_each_time(patient: Patient) -> None:
    assert export_patient(patient) == export_patient(patient)


@pytest.mark.parametrize(
    "patient", [*worlds.tiny_world().patients, paper_cases.jose(), paper_cases.on_ozempic()]
)
def test_a_chart_of_ours_is_valid(patient: Patient) -> None:
    check(through_json(export_patient(patient, worlds.plan(), as_of=date(2026, 9, 1))))


@pytest.mark.parametrize("patient", printed_charts(), ids=lambda patient: patient.id)
def test_a_chart_comes_back_but_for_what_fhir_has_no_element_for(patient: Patient) -> None:
    assert lost(patient) <= {
        "orders: kind",  # new or renewal
        "documents: of",  # the file itself is not enclosed, so that nothing counts as signed
        "documents: status",
        "documents: about",
        "authorizations: whole records",  # come back as the payer's answer, for a person to read
        "medications: per day",  # neither whole numbers a day nor a week
    }


def test_an_imported_chart_is_valid_and_comes_back(heart_and_kidney: dict[str, Any]) -> None:
    imported = import_bundle(heart_and_kidney, plan=worlds.plan()).patient
    patient = msgspec.structs.replace(imported, id="P900001")
    bundle = through_json(export_patient(patient, worlds.plan()))
    check(bundle)
    assert losses(patient, bundle) == []


def test_an_export_has_no_extension_of_ours(heart_and_kidney: dict[str, Any]) -> None:
    assert '"extension"' not in json.dumps(export_patient(import_bundle(heart_and_kidney).patient))


def test_an_import_never_takes_the_id_of_what_people_added() -> None:
    value = Observation(id="added-1", test="hba1c", value=8.4, unit="%", date=DAY, loinc="4548-4")
    patient = Patient(id="P1", observations=(value,))
    bundle = through_json(export_patient(patient))
    assert not import_bundle(bundle).patient.observations[0].id.startswith("added-")
    assert losses(patient, bundle) == []


def test_what_is_lost_is_said() -> None:
    kinds = (Order(id="R1", drug="Ozempic", kind="renewal"), Order(id="R2", drug="Ozempic", kind="new"))
    patient = Patient(id="P1", plan_id="CASCADE-GOLD", orders=kinds)
    assert losses(patient, export_patient(patient)) == ["the plan id", "orders: kind (2)"]


def test_unknown_lists_and_empty_ones_differ_in_the_bundle() -> None:
    bundle = export_patient(Patient(id="P1", conditions=(), medications=None, allergies=None))
    reasons = {r["title"]: r["emptyReason"]["coding"][0]["code"] for r in of(bundle, "List")}
    assert reasons == {
        "Problem list": "nilknown",
        "History of medication use": "unavailable",
        "Allergies": "unavailable",
    }


def test_a_changed_value_is_a_changed_value() -> None:
    value = Observation(id="L1", test="hba1c", value=8.4, unit="%")
    bundle = export_patient(Patient(id="P1", observations=(value,)))
    of(bundle, "Observation")[0]["valueQuantity"]["value"] = 7.1
    assert import_bundle(bundle).patient.observations[0].value == 7.1


def test_a_blood_pressure_is_one_resource() -> None:
    pair = (
        Observation(id="V1", test="sbp", value=140, unit="mm[Hg]", date=DAY, loinc="8480-6", source="vital"),
        Observation(id="V2", test="dbp", value=90, unit="mm[Hg]", date=DAY, loinc="8462-4", source="vital"),
    )
    patient = Patient(id="P1", observations=pair)
    (panel,) = of(export_patient(patient), "Observation")
    assert [part["code"]["coding"][0]["code"] for part in panel["component"]] == ["8480-6", "8462-4"]
    assert there_and_back(patient).observations == pair


def test_a_trial_is_a_statement_with_its_period_dose_and_outcome() -> None:
    trial = records.Medication(
        id="M1", drug="metformin", ingredients=("metformin",), classes=("biguanide",), rxnorm="6809", dose=1000,
        dose_unit="mg", per_day=2, start=date(2025, 1, 1), end=date(2025, 6, 1), status="stopped",
        outcome="Inadequate response",
    )  # fmt: skip
    (said,) = of(export_patient(Patient(id="P1", medications=(trial,))), "MedicationStatement")
    assert said["effectivePeriod"] == {"start": "2025-01-01", "end": "2025-06-01"}
    assert said["dosage"][0]["timing"]["repeat"] == {"frequency": 2, "period": 1, "periodUnit": "d"}
    assert said["note"] == [{"text": "Outcome: Inadequate response"}]
    assert said["medicationCodeableConcept"]["coding"] == [{"system": RXNORM, "code": "6809"}]
    assert there_and_back(Patient(id="P1", medications=(trial,))).medications == (trial,)


def test_an_approval_comes_back_as_an_answer_to_be_read() -> None:
    day = date(2026, 1, 1)
    approval = records.Authorization(id="U1", plan_id="CASCADE-GOLD", drug="Ozempic", start=day, end=day)
    back = there_and_back(Patient(id="P1", authorizations=(approval,)))
    (answer,) = back.documents
    assert back.authorizations == ()
    assert (answer.of, answer.status) == (PAYER_RESPONSE, "")
    assert "Ozempic approved; authorization U1" in answer.title


@pytest.mark.parametrize("subjects", [("self",), ("self", "family"), ("family",)])
@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_statement_is_read_from_its_own_words(topic: str, subjects: Any) -> None:
    who: dict[str, Any] = {"subjects": subjects, "by": "Jane Roe, MD"}
    said = records.Attestation(id="A1", topic=topic, present=False, date=DAY, text="x", **who)
    assert there_and_back(Patient(id="P1", attestations=(said,))).attestations == (said,)


def test_a_draft_order_comes_back_as_an_order_and_as_no_medicine() -> None:
    order = Order(
        id="R1", drug="Ozempic", strength="0.25 mg", quantity=3, unit="mL", days_supply=28, sig="weekly",
        date=DAY, indication="t2dm",
    )  # fmt: skip
    back = there_and_back(Patient(id="P1", orders=(order,), medications=()))
    assert (back.orders, back.medications) == ((order,), ())


@pytest.mark.parametrize("status", ["signed", "unsigned", "draft", "amended"])
def test_a_note_keeps_its_words_and_its_status(status: Any) -> None:
    text = "Tolerates metformin <well> & gladly.\nNext visit in May."
    note = records.Note(
        id="N1", date=DAY, author="Jane Roe, MD", text=text, status=status, specialty="cardiology"
    )
    bundle = through_json(export_patient(Patient(id="P1", notes=(note,))))
    check(bundle)
    assert there_and_back(Patient(id="P1", notes=(note,))).notes == (note,)


def test_a_program_is_a_plan_of_care_that_says_so() -> None:
    program = records.Program(id="G1", name="Walk with us", start=date(2026, 1, 1))
    (plan,) = of(export_patient(Patient(id="P1", programs=(program,))), "CarePlan")
    assert (plan["status"], plan["category"][0]["text"]) == ("active", "lifestyle program")
    assert there_and_back(Patient(id="P1", programs=(program,))).programs == (program,)


def test_provenance_is_dated_by_the_case_and_not_by_the_clock() -> None:
    patient = worlds.tiny_world().patients[0]
    (said,) = of(export_patient(patient, as_of=date(2026, 9, 1)), "Provenance")
    assert said["recorded"] == "2026-09-01T00:00:00Z"
    assert not of(export_patient(Patient(id="P1")), "Provenance")
