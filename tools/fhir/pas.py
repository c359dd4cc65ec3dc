"""A drafted case as a PAS-shaped bundle: Claim first, then what it rests on, then the chart.

Shaped after Da Vinci PAS 2.2 (FHIR R4), not conformant to it: retail pharmacy benefits travel over NCPDP SCRIPT
ePA, the profiles' X12 value sets are licensed, and nothing here is ever submitted. The claim is a draft, and what it
rests on is set aside when the bundle is imported: its order, its answers and its unsigned letter are not the chart.
"""

from __future__ import annotations

import base64

from tools.domain.records import FilledField, PARequest
from tools.fhir import ours
from tools.fhir.exporter import bundle, chart_resources, context
from tools.fhir.resource_parts import (
    ExportContext,
    Json,
    coding,
    compact,
    concept,
    instant,
    provenance,
    quantity,
    resource,
    term,
)
from tools.fhir.resources import UNSTATED, supply
from tools.papers.case import Case
from tools.terminology.medicines import ndc11
from tools.terminology.terms import ICD10, LOINC, NDC, RXNORM

PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition"
LETTER = "Letter of medical necessity"
_TYPE = {"text": "text", "lines": "text"}


def export_case(case: Case, form: PARequest, letter: str = "") -> Json:
    """The request that the draft would make, and the chart that it was made from, as of the case's day.
    `letter` is the letter's plain text, if there is one."""
    at = context(case.patient)
    chart = chart_resources(case.patient, case.plan, at, case.as_of)
    return bundle([*compact(_Request(case, form, at).resources(letter)), *chart])


class _Request:
    """The resources of one request; their ids follow from patient, plan, drug and day."""

    def __init__(self, case: Case, form: PARequest, at: ExportContext) -> None:
        self.case, self.form, self.at = case, form, at
        self.key = "/".join((case.plan.id, case.drug.name, case.as_of.isoformat()))
        self.url = f"{ours.BASE}/Questionnaire/{form.form_id or 'form'}"

    def resources(self, letter: str) -> list[Json]:
        listed = [self.claim(bool(letter)), self.medication(), self.questionnaire(), self.answers()]
        return [*listed, *([self.letter(letter)] if letter else []), self.provenance()]

    def _start(self, kind: str, status: str) -> Json:
        identifier = [{"system": ours.CASE, "value": f"{self.case.patient.id}/{self.key}"}]
        return resource(kind, self.at.id(kind, self.key)) | {"identifier": identifier, "status": status}

    def _reference(self, kind: str) -> Json:
        return self.at.reference(kind, self.key)

    @property
    def _prescriber(self) -> Json | None:
        return self.at.reference("prescriber") if self.case.patient.prescriber else None

    @property
    def _coverage(self) -> Json | None:
        coverage = self.case.coverage
        return self.at.reference("coverage", coverage.id) if coverage else None

    def claim(self, with_letter: bool) -> Json:
        """A draft: a person approves it, and a person submits it."""
        case = self.case
        coded = [d.code for d in case.diagnoses if d.id in case.cited or d is case.diagnosis]
        diagnoses = list(dict.fromkeys(coded))
        support = ["QuestionnaireResponse", *(["DocumentReference"] if with_letter else [])]
        attachment = term("claiminformationcategory", "attachment")
        insurance = {"sequence": 1, "focal": True, "coverage": self._coverage or {"display": case.plan.name}}
        return self._start("Claim", "draft") | {
            "meta": {"profile": [f"{PAS}/profile-claim"]},
            "type": term("claim-type", "pharmacy", "Pharmacy"),
            "use": "preauthorization",
            "patient": self.at.subject(),
            "created": case.as_of,
            "insurer": self.at.reference("payer", case.plan.payer_id),
            "provider": self._prescriber or {"display": UNSTATED},
            "priority": term("processpriority", "normal"),
            "prescription": self._reference("MedicationRequest"),
            "supportingInfo": [
                {"sequence": number, "category": attachment, "valueReference": self._reference(kind)}
                for number, kind in enumerate(support, start=1)
            ],
            "diagnosis": [
                {"sequence": number, "diagnosisCodeableConcept": concept("", coding(ICD10, code))}
                for number, code in enumerate(diagnoses, start=1)
            ],
            "insurance": [insurance],
            "item": [self._item(len(support), len(diagnoses))],
        }

    def _item(self, supports: int, diagnoses: int) -> Json:
        service = {
            "url": f"{PAS}/extension-requestedService",
            "valueReference": self._reference("MedicationRequest"),
        }
        return {
            "extension": [service],
            "sequence": 1,
            "informationSequence": list(range(1, supports + 1)),
            "diagnosisSequence": list(range(1, diagnoses + 1)),
            "productOrService": self._product(),
            "quantity": quantity(self.case.request.quantity, self.case.request.unit),
        }

    def _product(self) -> Json:
        drug, strength = self.case.drug, self.case.strength
        name = " ".join(word for word in (drug.name, self.case.request.strength) if word)
        package = coding(NDC, ndc11(strength.ndc), strength.package) if strength else None
        return concept(name, package, coding(RXNORM, drug.rxnorm, drug.generic))

    def medication(self) -> Json:
        case, order = self.case, self.case.order
        return self._start("MedicationRequest", "draft") | {
            "intent": "order",
            "medicationCodeableConcept": self._product(),
            "subject": self.at.subject(),
            "authoredOn": order.date if order and order.date else case.as_of,
            "requester": self._prescriber,
            "reasonReference": [self.at.reference("diagnosis", d.id) for d in (case.diagnosis,) if d],
            "insurance": [self._coverage],
            "dosageInstruction": [{"text": case.sig}],
            "dispenseRequest": supply(case.request.quantity, case.request.unit, case.request.days_supply),
        }

    def questionnaire(self) -> Json:
        """The payer's form as asked. Its answers' links are the field ids, numbered where one comes twice."""
        return self._start("Questionnaire", "draft") | {
            "url": self.url,
            "title": f"{self.form.payer}: {self.form.form_id}",
            "subjectType": ["Patient"],
            "item": [
                {**head, "type": "group", "item": [_question(link, field) for link, field in fields]}
                for head, fields in self._sections()
            ],
        }

    def answers(self) -> Json:
        start = self._start("QuestionnaireResponse", "completed" if self.form.ready else "in-progress")
        answered = (
            (head, [_answer(link, field) for link, field in fields if field.value.strip()])
            for head, fields in self._sections()
        )
        return start | {
            "identifier": start["identifier"][0],  # the one resource that has a single identifier
            "questionnaire": self.url,
            "subject": self.at.subject(),
            "authored": instant(self.case.as_of),
            "item": [{**head, "item": items} for head, items in answered if items],
        }

    def _sections(self) -> list[tuple[Json, list[tuple[str, FilledField]]]]:
        """Each section's head, and its fields with their link ids, in the form's order."""
        sections: dict[str, list[tuple[str, FilledField]]] = {}
        seen: dict[str, int] = {}
        for field in self.form.fields:
            seen[field.id] = seen.get(field.id, 0) + 1
            link = field.id if seen[field.id] == 1 else f"{field.id}-{seen[field.id]}"
            sections.setdefault(field.section, []).append((link, field))
        return [
            ({"linkId": f"section-{number}", "text": title or "Form"}, fields)
            for number, (title, fields) in enumerate(sections.items(), start=1)
        ]

    def letter(self, text: str) -> Json:
        data = base64.b64encode(text.encode()).decode()
        return self._start("DocumentReference", "current") | {
            "docStatus": "preliminary",  # unsigned
            "type": concept(LETTER, coding(LOINC, "52034-6", "Payer letter")),
            "subject": self.at.subject(),
            "date": instant(self.case.as_of),
            "content": [{"attachment": {"contentType": "text/plain", "data": data, "title": LETTER}}],
        }

    def provenance(self) -> Json:
        kinds = ("Claim", "MedicationRequest", "QuestionnaireResponse")
        policy = self.case.policy
        under = f" under policy {policy.id} {policy.version}".rstrip() if policy else ""
        activity = f"drafted by Paladin: {self.case.determination.summary.rstrip('.')}{under}"
        target = [self._reference(kind) for kind in kinds]
        return provenance(self.at.id("Provenance", self.key), target, self.case.as_of, activity)


def _question(link: str, field: FilledField) -> Json:
    choices = [{"valueString": option} for option in field.options]
    kind = "choice" if choices else _TYPE.get(field.type, "string")
    asked = {"linkId": link, "text": field.label, "type": kind}
    return asked | {"required": field.required, "answerOption": choices}


def _answer(link: str, field: FilledField) -> Json:
    return {"linkId": link, "text": field.label, "answer": [{"valueString": field.value}]}
