"""The resources of FHIR R4 that we read, with those of their elements that we need."""

from __future__ import annotations

from typing import Any

import msgspec

from tools.fhir.elements import (
    Annotation,
    Attachment,
    CodeableConcept,
    Dosage,
    Element,
    Extension,
    FhirAddress,
    HumanName,
    Identifier,
    Period,
    Quantity,
    Reference,
    Telecom,
)


class Resource(Element, frozen=True):
    """What all have; `extension` carries what our own export could not say in FHIR."""

    resource_type: str = ""
    id: str = ""
    identifier: tuple[Identifier, ...] = ()
    extension: tuple[Extension, ...] = ()
    modifier_extension: tuple[Extension, ...] = ()

    def own(self, system: str) -> str:
        return next((i.value for i in self.identifier if i.system == system), "")

    def extended(self, url: str) -> str:
        return next((e.value_string or "" for e in self.extension if e.url == url), "")


class FhirPatient(Resource, frozen=True):
    name: tuple[HumanName, ...] = ()
    telecom: tuple[Telecom, ...] = ()
    gender: str = ""
    birth_date: str = ""
    deceased_boolean: bool | None = None
    deceased_date_time: str = ""
    address: tuple[FhirAddress, ...] = ()
    general_practitioner: tuple[Reference, ...] = ()


class Organization(Resource, frozen=True):
    name: str = ""
    telecom: tuple[Telecom, ...] = ()
    address: tuple[FhirAddress, ...] = ()


class Practitioner(Resource, frozen=True):
    name: tuple[HumanName, ...] = ()
    telecom: tuple[Telecom, ...] = ()
    address: tuple[FhirAddress, ...] = ()


class PractitionerRole(Resource, frozen=True):
    practitioner: Reference = Reference()
    organization: Reference = Reference()
    specialty: tuple[CodeableConcept, ...] = ()
    telecom: tuple[Telecom, ...] = ()


class Participant(Element, frozen=True):
    individual: Reference = Reference()


class Encounter(Resource, frozen=True):
    status: str = ""
    subject: Reference = Reference()
    participant: tuple[Participant, ...] = ()
    period: Period = Period()
    service_provider: Reference = Reference()


class Condition(Resource, frozen=True):
    clinical_status: CodeableConcept = CodeableConcept()
    verification_status: CodeableConcept = CodeableConcept()
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    onset_date_time: str = ""
    onset_period: Period = Period()
    abatement_date_time: str = ""
    abatement_period: Period = Period()
    abatement_boolean: bool | None = None
    abatement_string: str = ""
    recorded_date: str = ""


class Component(Element, frozen=True):
    code: CodeableConcept = CodeableConcept()
    value_quantity: Quantity | None = None
    data_absent_reason: CodeableConcept | None = None
    extension: tuple[Extension, ...] = ()

    def extended(self, url: str) -> str:
        return next((e.value_string or "" for e in self.extension if e.url == url), "")


class FhirObservation(Resource, frozen=True):
    status: str = ""
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    effective_date_time: str = ""
    effective_instant: str = ""
    effective_period: Period = Period()
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_boolean: bool | None = None
    data_absent_reason: CodeableConcept | None = None
    component: tuple[Component, ...] = ()
    performer: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()


class FhirMedication(Resource, frozen=True):
    code: CodeableConcept = CodeableConcept()


class DispenseRequest(Element, frozen=True):
    quantity: Quantity | None = None
    expected_supply_duration: Quantity | None = None


class MedicationRequest(Resource, frozen=True):
    status: str = ""
    status_reason: CodeableConcept = CodeableConcept()
    intent: str = ""
    do_not_perform: bool | None = None
    reported_boolean: bool | None = None
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference = Reference()
    authored_on: str = ""
    requester: Reference = Reference()
    reason_code: tuple[CodeableConcept, ...] = ()
    dosage_instruction: tuple[Dosage, ...] = ()
    dispense_request: DispenseRequest = DispenseRequest()
    contained: tuple[dict[str, Any], ...] = ()
    note: tuple[Annotation, ...] = ()


class MedicationStatement(Resource, frozen=True):
    status: str = ""
    status_reason: tuple[CodeableConcept, ...] = ()
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference = Reference()
    effective_date_time: str = ""
    effective_period: Period = Period()
    information_source: Reference = Reference()
    dosage: tuple[Dosage, ...] = ()
    contained: tuple[dict[str, Any], ...] = ()
    note: tuple[Annotation, ...] = ()


class MedicationDispense(Resource, frozen=True):
    status: str = ""
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference = Reference()
    when_prepared: str = ""
    when_handed_over: str = ""
    quantity: Quantity | None = None
    days_supply: Quantity | None = None
    contained: tuple[dict[str, Any], ...] = ()


class Reaction(Element, frozen=True):
    manifestation: tuple[CodeableConcept, ...] = ()
    severity: str = ""
    description: str = ""


class AllergyIntolerance(Resource, frozen=True):
    clinical_status: CodeableConcept = CodeableConcept()
    verification_status: CodeableConcept = CodeableConcept()
    type: str = ""
    code: CodeableConcept = CodeableConcept()
    patient: Reference = Reference()
    onset_date_time: str = ""
    recorded_date: str = ""
    reaction: tuple[Reaction, ...] = ()


class FhirProcedure(Resource, frozen=True):
    status: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    performed_date_time: str = ""
    performed_period: Period = Period()
    outcome: CodeableConcept = CodeableConcept()


class FamilyCondition(Element, frozen=True):
    code: CodeableConcept = CodeableConcept()


class FamilyMemberHistory(Resource, frozen=True):
    status: str = ""
    patient: Reference = Reference()
    relationship: CodeableConcept = CodeableConcept()
    condition: tuple[FamilyCondition, ...] = ()


class ActivityDetail(Element, frozen=True):
    code: CodeableConcept = CodeableConcept()


class Activity(Element, frozen=True):
    detail: ActivityDetail = ActivityDetail()


class CarePlan(Resource, frozen=True):
    status: str = ""
    title: str = ""
    category: tuple[CodeableConcept, ...] = ()
    subject: Reference = Reference()
    period: Period = Period()
    activity: tuple[Activity, ...] = ()

    @property
    def concept(self) -> CodeableConcept:
        """What kind of plan it is, before US Core's `assess-plan`, which says nothing."""
        telling = (c for c in self.category if c.text or c.code("http://snomed.info/sct"))
        return next(telling, next(iter(self.category), CodeableConcept()))

    @property
    def name(self) -> str:
        return self.title or self.concept.name


class Content(Element, frozen=True):
    attachment: Attachment = Attachment()


class DocumentReference(Resource, frozen=True):
    status: str = ""
    type: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    date: str = ""
    author: tuple[Reference, ...] = ()
    description: str = ""
    content: tuple[Content, ...] = ()


class DiagnosticReport(Resource, frozen=True):
    status: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    effective_date_time: str = ""
    performer: tuple[Reference, ...] = ()
    presented_form: tuple[Attachment, ...] = ()


class CoverageClass(Element, frozen=True):
    type: CodeableConcept = CodeableConcept()
    value: str = ""


class FhirCoverage(Resource, frozen=True):
    status: str = ""
    type: CodeableConcept = CodeableConcept()
    beneficiary: Reference = Reference()
    subscriber_id: str = ""
    period: Period = Period()
    payor: tuple[Reference, ...] = ()
    class_: tuple[CoverageClass, ...] = msgspec.field(default=(), name="class")


class ClaimInsurance(Element, frozen=True):
    coverage: Reference = Reference()


class FhirClaim(Resource, frozen=True):
    use: str = ""
    patient: Reference = Reference()
    insurance: tuple[ClaimInsurance, ...] = ()


class ClaimResponse(Resource, frozen=True):
    status: str = ""
    use: str = ""
    patient: Reference = Reference()
    outcome: str = ""
    pre_auth_ref: str = ""
    pre_auth_period: Period = Period()


class FhirList(Resource, frozen=True):
    status: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    empty_reason: CodeableConcept = CodeableConcept()


TYPES: dict[str, type[Resource]] = {
    "Patient": FhirPatient,
    "Organization": Organization,
    "Practitioner": Practitioner,
    "PractitionerRole": PractitionerRole,
    "Encounter": Encounter,
    "Condition": Condition,
    "Observation": FhirObservation,
    "Medication": FhirMedication,
    "MedicationRequest": MedicationRequest,
    "MedicationStatement": MedicationStatement,
    "MedicationDispense": MedicationDispense,
    "AllergyIntolerance": AllergyIntolerance,
    "Procedure": FhirProcedure,
    "FamilyMemberHistory": FamilyMemberHistory,
    "CarePlan": CarePlan,
    "DocumentReference": DocumentReference,
    "DiagnosticReport": DiagnosticReport,
    "Coverage": FhirCoverage,
    "Claim": FhirClaim,
    "ClaimResponse": ClaimResponse,
    "List": FhirList,
}
