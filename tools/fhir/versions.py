"""What FHIR a resource was written in: types and elements that R4 does not have name an older version."""

from __future__ import annotations

from tools.fhir.elements import Json

_OLDER: dict[str, dict[str, tuple[str, ...]]] = {
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
}  # fmt: skip
ADVICE = (
    "ask its source for R4 (Accept: application/fhir+json; fhirVersion=4.0), or convert it first, e.g. with HL7's"
    " validator_cli"
)


def older_version(resource: Json) -> str:
    """`STU3 (Condition.assertedDate)`; "" for R4, or what could be R4."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or _shows_r4(resource):
        return ""
    for version, types in _OLDER.items():
        elements = types.get(kind)
        found = next((name for name in elements or () if name in resource), "")
        if found or elements == ():
            return f"{version} ({kind}{'.' if found else ''}{found})"
    return ""


def _shows_r4(resource: Json) -> bool:
    """Statuses became coded concepts with R4."""
    return any(isinstance(resource.get(name), dict) for name in ("clinicalStatus", "verificationStatus"))
