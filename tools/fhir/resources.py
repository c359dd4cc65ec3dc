"""Each record of a chart as the FHIR R4 resource that says it best, shaped after US Core where it has a profile."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from tools.fhir import ours
from tools.fhir.clinical import VERIFICATION
from tools.fhir.measurements import spelled_out
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
from tools.terminology.observations import TESTS
from tools.terms import ICD10, LOINC, NDC, RXNORM, TOPICS, UCUM

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


def observations(at: Context, listed: Sequence[Observation]) -> Iterator[tuple[Json, list[Json]]]:
    """Each resource with the elements that stand for one record each: itself, or the two of a blood pressure."""
    place = 0
    while place < len(listed):
        pair = listed[place : place + 2]
        if _is_pressure(pair):
            yield _pressure(at, pair[0], pair[1])
        else:
            single = _observation(at, pair[0])
            yield single, [single]
        place += 2 if _is_pressure(pair) else 1


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


def _pressure(at: Context, systolic: Observation, diastolic: Observation) -> tuple[Json, list[Json]]:
    parts = [
        {"code": _code(part), "valueQuantity": _quantity(part.value, part.unit)}
        for part in (systolic, diastolic)
    ]
    panel = _measured(at, systolic, "us-core-blood-pressure") | {
        "code": concept("", coding(LOINC, "85354-9", "Blood pressure panel with all children optional")),
        "component": parts,
    }
    return panel, parts


def _measured(at: Context, said: Observation, profile: str) -> Json:
    category = _CATEGORY[said.source]
    return at.start("Observation", said, profile) | {
        "status": "final",
        "category": [concept("", coding(f"{TERMINOLOGY}/observation-category", category))],
        "subject": at.subject(),
        "effectiveDateTime": said.date,
    }


def _code(said: Observation) -> Json:
    known = TESTS.get(said.test)
    loinc = said.loinc or (known.loinc[0] if known else "")
    name = known.name if known else said.test
    return concept(name, coding(LOINC, loinc), coding(ours.TEST, said.test))


def _quantity(value: float, unit: str | None) -> Json:
    if not unit:
        return {"value": value}
    return {"value": value, "unit": unit, "system": UCUM, "code": spelled_out(unit)}


def medication_statement(at: Context, said: Medication) -> Json:
    """A past trial or what is taken now; US Core has no profile for it."""
    told = f"Outcome: {said.outcome}" if said.outcome else ""
    return at.start("MedicationStatement", said) | {
        "status": said.status or "unknown",
        "statusReason": [concept(said.reason)],
        "medicationCodeableConcept": concept(
            said.drug or UNSTATED, source_coding(said.source_code), coding(RXNORM, said.rxnorm)
        ),
        "subject": at.subject(),
        "effectivePeriod": {"start": said.start, "end": said.end},
        "informationSource": at.subject() if said.source == "reported" else None,
        "note": [{"text": told}, {"text": "a sample" if said.source == "sample" else ""}],
        "dosage": [
            {
                "timing": _timing(said.per_day),
                "doseAndRate": [{"doseQuantity": _dose(said)}],
            }
        ],
    }


def _dose(said: Medication) -> Json | None:
    if said.dose is None:
        return None
    unit = said.dose_unit or ""
    return {"value": said.dose, "unit": unit, "system": UCUM if unit else None, "code": spelled_out(unit)}


def _timing(per_day: float | None) -> Json | None:
    """Whole numbers a day, a week, or once in so many days; anything else stays in the rest of the record."""
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
        "daysSupply": {"value": said.days_supply, "unit": "days", "system": UCUM, "code": "d"},
        "whenHandedOver": said.date,
    }


def medication_request(at: Context, said: Order, prescriber: Json | None) -> Json:
    days = said.days_supply
    return at.start("MedicationRequest", said, "us-core-medicationrequest") | {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(said.drug or UNSTATED),
        "subject": at.subject(),
        "authoredOn": said.date,
        "requester": prescriber,
        "dosageInstruction": [{"text": said.sig}],
        "dispenseRequest": {
            "quantity": {"value": said.quantity, "unit": said.unit} if said.quantity is not None else None,
            "expectedSupplyDuration": {"value": days, "unit": "days", "system": UCUM, "code": "d"}
            if days
            else None,
        },
    }


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
            concept("", coding("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan"))
        ],
        "title": said.name,
        "subject": at.subject(),
        "period": {"start": said.start, "end": said.end},
    }


def attestation(at: Context, said: Attestation) -> Json:
    meaning = TOPICS.get(said.topic, said.topic)
    return at.start("Observation", said) | {
        "status": "final",
        "category": [concept("", coding(f"{TERMINOLOGY}/observation-category", "survey"))],
        "code": concept(meaning, coding(ours.TOPIC, said.topic)),
        "subject": at.subject(),
        "effectiveDateTime": said.date,
        "performer": [{"display": said.by}],
        "valueBoolean": said.present,
        "note": [{"text": said.text}],
    }


def note(at: Context, said: Note) -> Json:
    data = base64.b64encode(said.text.encode()).decode()
    return at.start("DocumentReference", said, "us-core-documentreference") | {
        "status": "current",
        "type": concept(
            said.type, coding(LOINC, "11506-3", "Progress note") if "progress" in said.type else None
        ),
        "category": [
            concept(
                "",
                coding(
                    "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                    "clinical-note",
                ),
            )
        ],
        "subject": at.subject(),
        "date": instant(said.date),
        "author": [{"display": said.author}],
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


def document(at: Context, said: Document) -> Json:
    return at.start("DocumentReference", said) | {
        "status": "current",
        "subject": at.subject(),
        "date": instant(said.date),
        "description": said.of,
        "content": [{"attachment": {"contentType": "application/octet-stream", "title": said.title}}],
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
