"""Each record of a chart as the FHIR R4 resource that says it best, shaped after US Core where it has a profile."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence

from tools.domain import records
from tools.fhir import ours
from tools.fhir.clinical import CPT
from tools.fhir.measurements import spelled_out
from tools.fhir.medications import SAMPLE
from tools.fhir.resource_parts import (
    TERMINOLOGY,
    ExportContext,
    Json,
    coding,
    concept,
    instant,
    narrative,
    quantity,
    source_coding,
    term,
)
from tools.fhir.statements import question_of
from tools.terminology.observations import TESTS
from tools.terminology.terms import ICD10, INDICATIONS, LOINC, NDC, RXNORM

UNSTATED = "not stated"
_CATEGORY = {"vital": "vital-signs", "lab": "laboratory", "study": "imaging"}
_DOC_STATUS = {"signed": "final", "draft": "preliminary", "amended": "amended"}
_CODES = "http://hl7.org/fhir/us/core/CodeSystem"
_PROFILE = {"bmi": "us-core-bmi", "weight": "us-core-body-weight", "height": "us-core-body-height"}


def condition(at: ExportContext, said: records.Diagnosis) -> Json:
    return at.start("Condition", said, "us-core-condition-problems-health-concerns") | {
        "clinicalStatus": term("condition-clinical", "resolved" if said.abated else "active"),
        "verificationStatus": term("condition-ver-status", said.verification),
        "category": [term("condition-category", "problem-list-item")],
        "code": concept(said.name, coding(ICD10, said.code), source_coding(said.source_code)),
        "onsetDateTime": said.onset,
        "abatementDateTime": said.abated,
    }


def observations(at: ExportContext, listed: Sequence[records.Observation]) -> Iterator[Json]:
    """A resource for each, but one for the two of a blood pressure."""
    place = 0
    while place < len(listed):
        pair = listed[place : place + 2]
        alike = len({(one.date, one.source) for one in pair}) == 1
        together = alike and [one.test for one in pair] == ["sbp", "dbp"]
        yield _pressure(at, pair) if together else _observation(at, pair[0])
        place += 2 if together else 1


def _observation(at: ExportContext, said: records.Observation) -> Json:
    vital = _PROFILE.get(said.test, "us-core-vital-signs")
    profile = {"vital": vital, "lab": "us-core-observation-lab"}.get(said.source, "")
    return _measured(at, said, profile) | _value(said)


def _pressure(at: ExportContext, pair: Sequence[records.Observation]) -> Json:
    panel = coding(LOINC, "85354-9", "Blood pressure panel with all children optional")
    identifiers = [{"system": ours.system(records.Observation), "value": part.id} for part in pair]
    own = {
        "identifier": identifiers,
        "code": concept("", panel),
        "component": [_value(part) for part in pair],
    }
    return _measured(at, pair[0], "us-core-blood-pressure") | own


def _measured(at: ExportContext, said: records.Observation, profile: str) -> Json:
    """With who says so, where it is not measured: the patient, or a form that somebody filled in."""
    performer = {"patient": at.subject(), "form": {"display": "as stated on a form"}}.get(said.source)
    return at.start("Observation", said, profile, status="final") | {
        "category": [_category(_CATEGORY.get(said.source, "survey"))],
        "effectiveDateTime": said.date,
        "performer": [performer],
    }


def _category(code: str) -> Json:
    return concept("", coding(f"{TERMINOLOGY}/observation-category", code))


def _value(said: records.Observation) -> Json:
    known = TESTS.get(said.test)
    code = concept(
        known.name if known else said.test, coding(LOINC, said.loinc or (known.loinc[0] if known else ""))
    )
    return {"code": code, "valueQuantity": quantity(said.value, said.unit, spelled_out(said.unit or ""))}


def medication_statement(at: ExportContext, said: records.Medication) -> Json:
    """A past trial or what is taken now; US Core has no profile for it."""
    drug = concept(said.drug or UNSTATED, source_coding(said.source_code), coding(RXNORM, said.rxnorm))
    notes = [f"Outcome: {said.outcome}" if said.outcome else "", SAMPLE if said.source == "sample" else ""]
    dose = quantity(said.dose, said.dose_unit, spelled_out(said.dose_unit or ""))
    return at.start("MedicationStatement", said, status=said.status or "unknown") | {
        "statusReason": [concept(said.reason)],
        **_medicine(drug, said.formulation),
        "effectivePeriod": {"start": said.start, "end": said.end},
        "informationSource": at.subject() if said.source == "reported" else None,
        "note": [{"text": note} for note in notes],
        "dosage": [{"timing": _timing(said.per_day), "doseAndRate": [{"doseQuantity": dose}]}],
    }


def _medicine(drug: Json, formulation: str | None) -> Json:
    """The drug; with its form in a resource of its own, where it is known."""
    if formulation is None:
        return {"medicationCodeableConcept": drug}
    form = concept("extended release oral tablet" if formulation == "ER" else "oral tablet")
    contained = {"resourceType": "Medication", "id": "drug", "code": drug, "form": form}
    return {"contained": [contained], "medicationReference": {"reference": "#drug"}}


def _timing(per_day: float | None) -> Json | None:
    """Whole numbers a day or a week; FHIR says nothing else in one number."""
    for times, unit in ((per_day or 0, "d"), ((per_day or 0) * 7, "wk")):
        if 1 <= times < 1000 and abs(times - round(times)) < 0.001:
            return {"repeat": {"frequency": round(times), "period": 1, "periodUnit": unit}}
    return None


def medication_dispense(at: ExportContext, said: records.Fill) -> Json:
    return at.start("MedicationDispense", said, status="completed") | {
        "medicationCodeableConcept": concept(said.drug or UNSTATED, coding(NDC, said.ndc)),
        "quantity": quantity(said.quantity),
        "daysSupply": quantity(said.days_supply, "days", "d"),
        "whenHandedOver": said.date,
    }


def medication_request(at: ExportContext, said: records.Order, prescriber: Json | None) -> Json:
    """A draft: what is to be ordered once the payer agrees."""
    strength = re.fullmatch(r"(\d+(?:\.\d+)?) (\S.*)", said.strength)
    dose = quantity(float(strength[1]), strength[2]) if strength else None
    return at.start("MedicationRequest", said, "us-core-medicationrequest", status="draft") | {
        "intent": "order",
        "medicationCodeableConcept": concept(said.drug or UNSTATED),
        "authoredOn": said.date,
        "requester": prescriber,
        "reasonCode": [concept(INDICATIONS.get(said.indication, ""))],
        "dosageInstruction": [{"text": said.sig, "doseAndRate": [{"doseQuantity": dose}]}],
        "dispenseRequest": supply(said.quantity, said.unit, said.days_supply),
    }


def supply(amount: float | None, unit: str | None, days: int | None) -> Json:
    return {"quantity": quantity(amount, unit), "expectedSupplyDuration": quantity(days or None, "days", "d")}


def allergy(at: ExportContext, said: records.Allergy) -> Json:
    return at.start("AllergyIntolerance", said, "us-core-allergyintolerance", owner="patient") | {
        "clinicalStatus": term("allergyintolerance-clinical", "active"),
        "verificationStatus": term("allergyintolerance-verification", "confirmed"),
        "type": said.type,
        "code": concept(said.substance or UNSTATED),
        "recordedDate": said.date,
        "reaction": [{"manifestation": [concept(said.reaction)]}] if said.reaction else None,
    }


def family_member(at: ExportContext, said: records.FamilyHistory) -> Json:
    code = concept(said.condition or said.code or UNSTATED, coding(ICD10, said.code))
    told = {"relationship": concept(said.relation or UNSTATED), "condition": [{"code": code}]}
    return at.start("FamilyMemberHistory", said, status="completed", owner="patient") | told


def procedure(at: ExportContext, said: records.Procedure) -> Json:
    code = concept(said.name, source_coding(said.code) or coding(CPT, said.code))
    told = {"code": code, "performedDateTime": said.date, "outcome": concept(said.result)}
    return at.start("Procedure", said, "us-core-procedure", status="completed") | told


def care_plan(at: ExportContext, said: records.Program) -> Json:
    status = "completed" if said.end else "active"
    return at.start("CarePlan", said, "us-core-careplan", status=status) | {
        "text": narrative(said.name or said.type),
        "intent": "plan",
        "category": [concept(f"{said.type} program", coding(f"{_CODES}/careplan-category", "assess-plan"))],
        "title": said.name,
        "period": {"start": said.start, "end": said.end},
    }


def attestation(at: ExportContext, said: records.Attestation) -> Json:
    return at.start("Observation", said, status="final") | {
        "category": [_category("survey")],
        "code": concept(question_of(said.topic, said.subjects)),
        "effectiveDateTime": said.date,
        "performer": [{"display": said.by}],
        "valueBoolean": said.present,
        "note": [{"text": said.text}],
    }


def note(at: ExportContext, said: records.Note) -> Json:
    loinc = coding(LOINC, "11506-3", "Progress note") if "progress" in said.type else None
    category = coding(f"{_CODES}/us-core-documentreference-category", "clinical-note")
    data = base64.b64encode(said.text.encode()).decode()
    return _document(at, said, {"contentType": "text/plain", "data": data}, "us-core-documentreference") | {
        "type": concept(said.type, loinc),
        "category": [concept("", category)],
        "author": [{"display": said.author}],
    }


def document(at: ExportContext, said: records.Document) -> Json:
    """What there is to say of a file that is not enclosed."""
    return _document(at, said, {"contentType": "application/octet-stream", "title": said.title})


def _document(
    at: ExportContext, said: records.Note | records.Document, content: Json, profile: str = ""
) -> Json:
    return at.start("DocumentReference", said, profile, status="current") | {
        "docStatus": _DOC_STATUS.get(said.status),
        "date": instant(said.date),
        "content": [{"attachment": content}],
        "context": {"practiceSetting": concept(said.specialty)},
    }


def authorization(at: ExportContext, said: records.Authorization) -> Json:
    return at.start("ClaimResponse", said, status="active", owner="patient") | {
        "type": term("claim-type", "pharmacy"),
        "use": "preauthorization",
        "created": said.start,
        "insurer": {"display": said.plan_id or UNSTATED},
        "outcome": "complete",
        "disposition": f"{said.drug} approved",
        "preAuthRef": said.id,
        "preAuthPeriod": {"start": said.start, "end": said.end},
    }
