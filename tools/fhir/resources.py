"""Each record of a chart as the FHIR R4 resource that says it best, shaped after US Core where it has a profile."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence

from tools.fhir import ours
from tools.fhir.clinical import VERIFICATION
from tools.fhir.measurements import spelled_out
from tools.fhir.medications import SAMPLE
from tools.fhir.statements import question_of
from tools.fhir.writing import (
    TERMINOLOGY,
    Context,
    Json,
    coding,
    concept,
    instant,
    narrative,
    source_coding,
    term,
)
from tools.records import (
    Allergy,
    Attestation,
    Authorization,
    Diagnosis,
    Document,
    FamilyHistory,
    Fill,
    Medication,
    Note,
    Observation,
    Order,
    Procedure,
    Program,
)
from tools.terms import ICD10, INDICATIONS, LOINC, NDC, RXNORM, TESTS, UCUM

UNSTATED = "not stated"
_STATED = {
    stated: said for said, stated in VERIFICATION.items() if said not in ("", "unconfirmed", "differential")
}
_CATEGORY = {
    "vital": "vital-signs",
    "lab": "laboratory",
    "study": "imaging",
    "form": "survey",
    "patient": "survey",
}
_DOC_STATUS = {"signed": "final", "draft": "preliminary", "amended": "amended"}
US_CORE_CODES = "http://hl7.org/fhir/us/core/CodeSystem"
_PROFILE = {
    "bmi": "us-core-bmi",
    "weight": "us-core-body-weight",
    "height": "us-core-body-height",
}


def condition(at: Context, said: Diagnosis) -> Json:
    return at.start("Condition", said, "us-core-condition-problems-health-concerns") | {
        "clinicalStatus": term("condition-clinical", "resolved" if said.abated else "active"),
        "verificationStatus": term("condition-ver-status", _STATED[said.verification]),
        "category": [term("condition-category", "problem-list-item")],
        "code": concept(said.name, coding(ICD10, said.code), source_coding(said.source_code)),
        "subject": at.subject(),
        "onsetDateTime": said.onset,
        "abatementDateTime": said.abated,
    }


def observations(at: Context, listed: Sequence[Observation]) -> Iterator[Json]:
    """A resource for each, but one for the two of a blood pressure."""
    place = 0
    while place < len(listed):
        pair = listed[place : place + 2]
        together = _is_pressure(pair)
        yield _pressure(at, pair) if together else _observation(at, pair[0])
        place += 2 if together else 1


def _is_pressure(pair: Sequence[Observation]) -> bool:
    if len(pair) < 2:
        return False
    systolic, diastolic = pair
    same = systolic.date == diastolic.date and systolic.source == diastolic.source
    return (systolic.test, diastolic.test) == ("sbp", "dbp") and same


def _observation(at: Context, said: Observation) -> Json:
    vital = said.source == "vital"
    profile = _PROFILE.get(said.test, "us-core-vital-signs") if vital else "us-core-observation-lab"
    return _measured(at, said, profile if said.source in ("vital", "lab") else "") | {
        "code": _code(said),
        "valueQuantity": _quantity(said.value, said.unit),
    }


def _pressure(at: Context, pair: Sequence[Observation]) -> Json:
    head = _measured(at, pair[0], "us-core-blood-pressure")
    return head | {
        "identifier": [{"system": ours.system(Observation), "value": part.id} for part in pair],
        "code": concept("", coding(LOINC, "85354-9", "Blood pressure panel with all children optional")),
        "component": [
            {"code": _code(part), "valueQuantity": _quantity(part.value, part.unit)} for part in pair
        ],
    }


def _measured(at: Context, said: Observation, profile: str) -> Json:
    category = _CATEGORY[said.source]
    return at.start("Observation", said, profile) | {
        "status": "final",
        "category": [concept("", coding(f"{TERMINOLOGY}/observation-category", category))],
        "subject": at.subject(),
        "effectiveDateTime": said.date,
        "performer": _performer(at, said.source),
    }


def _performer(at: Context, source: str) -> list[Json] | None:
    """Who says so, where it is not measured: the patient, or a form that somebody filled in."""
    if source not in ("patient", "form"):
        return None
    return [at.subject() if source == "patient" else {"display": "as stated on a form"}]


def _code(said: Observation) -> Json:
    known = TESTS.get(said.test)
    loinc = said.loinc or (known.loinc[0] if known else "")
    name = known.name if known else said.test
    return concept(name, coding(LOINC, loinc))


def _quantity(value: float, unit: str | None) -> Json:
    if not unit:
        return {"value": value}
    return {"value": value, "unit": unit, "system": UCUM, "code": spelled_out(unit)}


def medication_statement(at: Context, said: Medication) -> Json:
    """A past trial or what is taken now; US Core has no profile for it."""
    drug = concept(said.drug or UNSTATED, source_coding(said.source_code), coding(RXNORM, said.rxnorm))
    notes = [f"Outcome: {said.outcome}" if said.outcome else "", SAMPLE if said.source == "sample" else ""]
    return at.start("MedicationStatement", said) | {
        "status": said.status or "unknown",
        "statusReason": [concept(said.reason)],
        **_medicine(drug, said.formulation),
        "subject": at.subject(),
        "effectivePeriod": {"start": said.start, "end": said.end},
        "informationSource": at.subject() if said.source == "reported" else None,
        "note": [{"text": note} for note in notes],
        "dosage": [{"timing": _timing(said.per_day), "doseAndRate": [{"doseQuantity": _dose(said)}]}],
    }


def _medicine(drug: Json, formulation: str | None) -> Json:
    """The drug; with its form in a resource of its own, where it is known."""
    if formulation is None:
        return {"medicationCodeableConcept": drug}
    form = "extended release oral tablet" if formulation == "ER" else "oral tablet"
    return {
        "contained": [{"resourceType": "Medication", "id": "drug", "code": drug, "form": concept(form)}],
        "medicationReference": {"reference": "#drug"},
    }


def _dose(said: Medication) -> Json | None:
    if said.dose is None:
        return None
    unit = said.dose_unit or ""
    return {"value": said.dose, "unit": unit, "system": UCUM if unit else None, "code": spelled_out(unit)}


def _timing(per_day: float | None) -> Json | None:
    """Whole numbers a day or a week; FHIR says nothing else in one number."""
    if per_day is None or per_day <= 0:
        return None
    for times, unit in ((per_day, "d"), (per_day * 7, "wk")):
        if 1 <= times < 1000 and abs(times - round(times)) < 0.001:
            return {"repeat": {"frequency": round(times), "period": 1, "periodUnit": unit}}
    return None


def medication_dispense(at: Context, said: Fill) -> Json:
    return at.start("MedicationDispense", said) | {
        "status": "completed",
        "medicationCodeableConcept": concept(said.drug or UNSTATED, coding(NDC, said.ndc)),
        "subject": at.subject(),
        "quantity": {"value": said.quantity} if said.quantity is not None else None,
        "daysSupply": _days(said.days_supply),
        "whenHandedOver": said.date,
    }


def medication_request(at: Context, said: Order, prescriber: Json | None) -> Json:
    """A draft: what is to be ordered once the payer agrees."""
    dose, _, unit = said.strength.partition(" ")
    strength = {"value": float(dose), "unit": unit} if re.fullmatch(r"\d+(\.\d+)?", dose) and unit else None
    return at.start("MedicationRequest", said, "us-core-medicationrequest") | {
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": concept(said.drug or UNSTATED),
        "subject": at.subject(),
        "authoredOn": said.date,
        "requester": prescriber,
        "reasonCode": [concept(INDICATIONS.get(said.indication, ""))],
        "dosageInstruction": [{"text": said.sig, "doseAndRate": [{"doseQuantity": strength}]}],
        "dispenseRequest": {
            "quantity": {"value": said.quantity, "unit": said.unit} if said.quantity is not None else None,
            "expectedSupplyDuration": _days(said.days_supply),
        },
    }


def _days(days: int | None) -> Json | None:
    return {"value": days, "unit": "days", "system": UCUM, "code": "d"} if days else None


def allergy(at: Context, said: Allergy) -> Json:
    return at.start("AllergyIntolerance", said, "us-core-allergyintolerance") | {
        "clinicalStatus": term("allergyintolerance-clinical", "active"),
        "verificationStatus": term("allergyintolerance-verification", "confirmed"),
        "type": said.type,
        "code": concept(said.substance or UNSTATED),
        "patient": at.subject(),
        "recordedDate": said.date,
        "reaction": [{"manifestation": [concept(said.reaction)]}] if said.reaction else None,
    }


def family_member(at: Context, said: FamilyHistory) -> Json:
    named = said.condition or ("" if said.code else UNSTATED)
    return at.start("FamilyMemberHistory", said) | {
        "status": "completed",
        "patient": at.subject(),
        "relationship": concept(said.relation or UNSTATED),
        "condition": [{"code": concept(named or said.code, coding(ICD10, said.code))}],
    }


def procedure(at: Context, said: Procedure) -> Json:
    return at.start("Procedure", said, "us-core-procedure") | {
        "status": "completed",
        "code": concept(
            said.name, source_coding(said.code) or coding("http://www.ama-assn.org/go/cpt", said.code)
        ),
        "subject": at.subject(),
        "performedDateTime": said.date,
        "outcome": concept(said.result),
    }


def care_plan(at: Context, said: Program) -> Json:
    return at.start("CarePlan", said, "us-core-careplan") | {
        "text": narrative(said.name or said.type),
        "status": "completed" if said.end else "active",
        "intent": "plan",
        "category": [
            concept(f"{said.type} program", coding(f"{US_CORE_CODES}/careplan-category", "assess-plan"))
        ],
        "title": said.name,
        "subject": at.subject(),
        "period": {"start": said.start, "end": said.end},
    }


def attestation(at: Context, said: Attestation) -> Json:
    return at.start("Observation", said) | {
        "status": "final",
        "category": [concept("", coding(f"{TERMINOLOGY}/observation-category", "survey"))],
        "code": concept(question_of(said.topic, said.subjects)),
        "subject": at.subject(),
        "effectiveDateTime": said.date,
        "performer": [{"display": said.by}],
        "valueBoolean": said.present,
        "note": [{"text": said.text}],
    }


def note(at: Context, said: Note) -> Json:
    loinc = coding(LOINC, "11506-3", "Progress note") if "progress" in said.type else None
    data = base64.b64encode(said.text.encode()).decode()
    return _document(at, said, said.status, "us-core-documentreference") | {
        "type": concept(said.type, loinc),
        "category": [
            concept("", coding(f"{US_CORE_CODES}/us-core-documentreference-category", "clinical-note"))
        ],
        "author": [{"display": said.author}],
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


def document(at: Context, said: Document) -> Json:
    """What there is to say of a file that is not enclosed."""
    return _document(at, said, said.status) | {
        "description": said.about,
        "content": [{"attachment": {"contentType": "application/octet-stream", "title": said.title}}],
    }


def _document(at: Context, said: Note | Document, status: str, profile: str = "") -> Json:
    return at.start("DocumentReference", said, profile) | {
        "status": "current",
        "docStatus": _DOC_STATUS.get(status),
        "subject": at.subject(),
        "date": instant(said.date),
        "context": {"practiceSetting": concept(said.specialty)},
    }


def authorization(at: Context, said: Authorization) -> Json:
    return at.start("ClaimResponse", said) | {
        "status": "active",
        "type": term("claim-type", "pharmacy"),
        "use": "preauthorization",
        "patient": at.subject(),
        "created": said.start,
        "insurer": {"display": said.plan_id or UNSTATED},
        "outcome": "complete",
        "disposition": f"{said.drug} approved",
        "preAuthRef": said.id,
        "preAuthPeriod": {"start": said.start, "end": said.end},
    }
