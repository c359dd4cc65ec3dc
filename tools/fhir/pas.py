"""A drafted case as a PAS-shaped bundle: Claim first, then what it rests on, then the chart.

Shaped after Da Vinci PAS 2.2 (FHIR R4), not conformant to it: retail pharmacy benefits travel over NCPDP SCRIPT
ePA, the profiles' X12 value sets are licensed, and nothing here is ever submitted. Every resource of the request
is marked (`ours.CASE`), so that importing the bundle reads the chart and leaves the request alone.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from tools.cases import Case
from tools.fhir import ours
from tools.fhir.exporter import bundle, chart_resources, context
from tools.fhir.writing import Context, Json, coding, compact, concept, instant, term
from tools.records import FilledField, Order, PARequest, Strength
from tools.terms import ICD10, LOINC, NDC, RXNORM

PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition"
_TYPE = {
    "text": "text",
    "lines": "text",
    "date": "string",
    "number": "string",
    "choice": "string",
    "tick": "string",
}


def export_case(case: Case, form: PARequest, letter: str = "") -> Json:
    """The request that the draft would make, and the chart that it was made from, as of the case's day.
    `letter` is the letter's plain text, if there is one."""
    at = context(case.patient)
    chart = chart_resources(case.patient, case.plan, at, case.as_of)
    request = _Request(case, form, at)
    listed = [
        request.claim(bool(letter)),
        request.medication(),
        request.questionnaire(),
        request.answers(),
        *([request.letter(letter)] if letter else []),
        request.provenance(),
    ]
    return bundle([*compact(listed), *chart])


def ndc11(hyphenated: str) -> str:
    """A label's ten digits as the eleven that claims use, 5-4-2: 0169-4181-13 → 00169418113."""
    parts = hyphenated.split("-")
    if len(parts) != 3:
        return hyphenated
    return "".join(part.zfill(width) for part, width in zip(parts, (5, 4, 2), strict=True))


class _Request:
    """The resources of one request; their ids follow from patient, plan, drug and day."""

    def __init__(self, case: Case, form: PARequest, at: Context) -> None:
        self.case, self.form, self.at = case, form, at
        self.key = "/".join((case.plan.id, case.drug.name, case.as_of.isoformat()))

    def _start(self, kind: str) -> Json:
        return {
            "resourceType": kind,
            "id": self.at.id(kind, self.key),
            "identifier": [{"system": ours.CASE, "value": f"{self.case.patient.id}/{self.key}"}],
        }

    def _reference(self, kind: str) -> Json:
        return self.at.reference(kind, self.key)

    def claim(self, with_letter: bool) -> Json:
        case = self.case
        coverage = case.coverage
        diagnoses = _told_once(d.code for d in case.diagnoses if d.id in case.cited or d is case.diagnosis)
        support = ["QuestionnaireResponse", *(["DocumentReference"] if with_letter else [])]
        return self._start("Claim") | {
            "meta": {"profile": [f"{PAS}/profile-claim"]},
            "status": "draft",  # a person approves it, and a person submits it
            "type": term("claim-type", "pharmacy", "Pharmacy"),
            "use": "preauthorization",
            "patient": self.at.subject(),
            "created": case.as_of,
            "insurer": self.at.reference("payer", case.plan.payer_id),
            "provider": self.at.reference("prescriber")
            if case.patient.prescriber
            else {"display": "not stated"},
            "priority": term("processpriority", "normal"),
            "prescription": self._reference("MedicationRequest"),
            "supportingInfo": [
                {
                    "sequence": number,
                    "category": term("claiminformationcategory", "attachment"),
                    "valueReference": self._reference(kind),
                }
                for number, kind in enumerate(support, start=1)
            ],
            "diagnosis": [
                {"sequence": number, "diagnosisCodeableConcept": concept("", coding(ICD10, code))}
                for number, code in enumerate(diagnoses, start=1)
            ],
            "insurance": [
                {
                    "sequence": 1,
                    "focal": True,
                    "coverage": self.at.reference("coverage", coverage.id)
                    if coverage
                    else {"display": case.plan.name},
                }
            ],
            "item": [self._item(len(support), len(diagnoses))],
        }

    def _item(self, supports: int, diagnoses: int) -> Json:
        return {
            "extension": [
                {
                    "url": f"{PAS}/extension-requestedService",
                    "valueReference": self._reference("MedicationRequest"),
                }
            ],
            "sequence": 1,
            "informationSequence": list(range(1, supports + 1)),
            "diagnosisSequence": list(range(1, diagnoses + 1)),
            "productOrService": self._product(),
            "quantity": self._quantity(),
        }

    def _product(self) -> Json:
        drug, strength = self.case.drug, self.case.strength
        name = " ".join(word for word in (drug.name, self.case.request.strength) if word)
        return concept(name, _ndc(strength), coding(RXNORM, drug.rxnorm, drug.generic))

    def _quantity(self) -> Json | None:
        request = self.case.request
        return {"value": request.quantity, "unit": request.unit} if request.quantity is not None else None

    def medication(self) -> Json:
        case, days = self.case, self.case.request.days_supply
        reasons = [d for d in (case.diagnosis,) if d]
        order: Order | None = case.order
        return self._start("MedicationRequest") | {
            "status": "draft",
            "intent": "order",
            "medicationCodeableConcept": self._product(),
            "subject": self.at.subject(),
            "authoredOn": order.date if order and order.date else case.as_of,
            "requester": self.at.reference("prescriber") if case.patient.prescriber else None,
            "reasonReference": [self.at.reference("diagnosis", d.id) for d in reasons],
            "insurance": [self.at.reference("coverage", case.coverage.id)] if case.coverage else None,
            "dosageInstruction": [{"text": (order.sig if order else "") or case.drug.sig}],
            "dispenseRequest": {
                "quantity": self._quantity(),
                "expectedSupplyDuration": {
                    "value": days,
                    "unit": "days",
                    "system": "http://unitsofmeasure.org",
                    "code": "d",
                }
                if days
                else None,
            },
        }

    def questionnaire(self) -> Json:
        """The payer's form as asked. Its answers' links are the field ids, numbered where one comes twice."""
        return self._start("Questionnaire") | {
            "url": self._url,
            "title": f"{self.form.payer}: {self.form.form_id}",
            "status": "draft",
            "subjectType": ["Patient"],
            "item": [
                {
                    "linkId": f"section-{number}",
                    "text": title or "Form",
                    "type": "group",
                    "item": [self._question(link, field) for link, field in fields],
                }
                for number, (title, fields) in enumerate(self._sections(), start=1)
            ],
        }

    @property
    def _url(self) -> str:
        return f"{ours.BASE}/Questionnaire/{self.form.form_id or 'form'}"

    def _question(self, link: str, field: FilledField) -> Json:
        choices = [{"valueString": option} for option in field.options]
        return {
            "linkId": link,
            "text": field.label,
            "type": "choice" if choices else _TYPE.get(field.type, "string"),
            "required": field.required,
            "answerOption": choices,
        }

    def answers(self) -> Json:
        start = self._start("QuestionnaireResponse")
        start["identifier"] = start["identifier"][0]  # the one resource that has a single identifier
        return start | {
            "questionnaire": self._url,
            "status": "completed" if self.form.ready else "in-progress",
            "subject": self.at.subject(),
            "authored": instant(self.case.as_of),
            "item": [
                {
                    "linkId": f"section-{number}",
                    "text": title or "Form",
                    "item": [
                        {"linkId": link, "text": field.label, "answer": [{"valueString": field.value}]}
                        for link, field in fields
                        if field.value.strip()
                    ],
                }
                for number, (title, fields) in enumerate(self._sections(), start=1)
                if any(field.value.strip() for _, field in fields)
            ],
        }

    def _sections(self) -> list[tuple[str, list[tuple[str, FilledField]]]]:
        """Fields with their link ids, by section, in the form's order."""
        sections: dict[str, list[tuple[str, FilledField]]] = {}
        seen: dict[str, int] = {}
        for field in self.form.fields:
            seen[field.id] = seen.get(field.id, 0) + 1
            link = field.id if seen[field.id] == 1 else f"{field.id}-{seen[field.id]}"
            sections.setdefault(field.section, []).append((link, field))
        return list(sections.items())

    def letter(self, text: str) -> Json:
        data = base64.b64encode(text.encode()).decode()
        return self._start("DocumentReference") | {
            "status": "current",
            "docStatus": "preliminary",  # unsigned
            "type": concept("Letter of medical necessity", coding(LOINC, "52034-6", "Payer letter")),
            "subject": self.at.subject(),
            "date": instant(self.case.as_of),
            "content": [
                {
                    "attachment": {
                        "contentType": "text/plain",
                        "data": data,
                        "title": "Letter of medical necessity",
                    }
                }
            ],
        }

    def provenance(self) -> Json:
        """Who made the request's resources. Provenance has no identifier; an import does not need it."""
        kinds = ("Claim", "MedicationRequest", "QuestionnaireResponse")
        policy = self.case.policy
        return {
            "resourceType": "Provenance",
            "id": self.at.id("Provenance", self.key),
            "target": [self._reference(kind) for kind in kinds],
            "recorded": instant(self.case.as_of),
            "activity": concept(
                f"drafted by Paladin: {self.case.determination.summary.rstrip('.')}"
                + (f" under policy {policy.id} {policy.version}".rstrip() if policy else "")
            ),
            "agent": [
                {
                    "type": term("provenance-participant-type", "assembler", "Assembler"),
                    "who": {"display": "Paladin"},
                }
            ],
        }


def _ndc(strength: Strength | None) -> Json | None:
    return coding(NDC, ndc11(strength.ndc), strength.package) if strength else None


def _told_once(codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(codes))
