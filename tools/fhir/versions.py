"""What FHIR a resource was written in: types and elements that R4 does not have name another version."""

from __future__ import annotations

from tools.fhir.elements import Json

_OTHERS: dict[str, dict[str, tuple[str, ...]]] = {
    "DSTU2": {
        "MedicationOrder": (), "DiagnosticOrder": (), "Conformance": (), "DeviceUseRequest": (), "OrderResponse": (),
        "Patient": ("careProvider",),
        "Condition": ("patient", "dateRecorded"),
        "Observation": ("comments",),
        "AllergyIntolerance": ("substance",),
        "MedicationStatement": ("patient", "wasNotTaken"),
        "MedicationDispense": ("patient",),
        "Procedure": ("notPerformed",),
        "Encounter": ("patient",),
        "Immunization": ("wasNotGiven", "reported"),
    },
    "STU3": {
        "ProcedureRequest": (), "ReferralRequest": (), "EligibilityRequest": (), "BodySite": (), "DataElement": (),
        "Patient": ("animal",),
        "Condition": ("assertedDate", "context"),
        "Observation": ("context", "comment"),
        "AllergyIntolerance": ("assertedDate",),
        "MedicationRequest": ("context", "definition"),
        "MedicationStatement": ("taken", "reasonNotTaken"),
        "MedicationDispense": ("notDone",),
        "Procedure": ("notDone", "context"),
        "DiagnosticReport": ("context", "codedDiagnosis"),
        "DocumentReference": ("indexed", "class"),
        "CarePlan": ("context",),
        "Immunization": ("notGiven",),
        "Claim": ("information",),
    },
    "R5": {
        "MedicationRequest": ("medication",), "MedicationStatement": ("medication",),
        "MedicationDispense": ("medication",),
        "Condition": ("participant",), "AllergyIntolerance": ("participant",), "Observation": ("triggeredBy",),
    },
}  # fmt: skip
ADVICE = (
    "ask its source for R4 (Accept: application/fhir+json; fhirVersion=4.0), or convert it first, e.g. with HL7's"
    " validator_cli"
)


def other_version(resource: Json) -> str:
    """`STU3 (Condition.assertedDate)`; "" for R4, or what could be R4."""
    kind = resource.get("resourceType")
    for version, types in _OTHERS.items():
        elements = types.get(kind) if isinstance(kind, str) else None
        if elements is None or (version != "R5" and _coded_status(resource)):
            continue
        found = next((name for name in elements if name in resource), "")
        if found or not elements:
            return f"{version} ({kind}{'.' if found else ''}{found})"
    return ""


def _coded_status(resource: Json) -> bool:
    """As R4 has it: before, statuses were bare codes."""
    return any(isinstance(resource.get(name), dict) for name in ("clinicalStatus", "verificationStatus"))
