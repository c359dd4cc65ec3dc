"""A portal's request in the shape of an NCPDP SCRIPT ePA exchange, as JSON: initiation, question set, answers.

ePA-shaped, not conformant: the message names, question types and branching are the standard's, the encoding and
identifiers are ours. Questions come from the payer's form, so that both ask the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.domain.records import Attachment, FilledField, FormTemplate, PARequest, Prescriber
from tools.papers import formats
from tools.papers.case import Case
from tools.terminology.medicines import ndc11
from tools.terminology.observations import TESTS

Json = dict[str, Any]
# What the initiation request carries already; the question set does not ask for it again.
CARRIED = ("patient.", "coverage.", "plan.", "prescriber.", "drug.", "review.")
CLINICAL = ("patient.height", "patient.weight", "patient.bmi", "patient.allergies")


def exchange(template: FormTemplate, request: PARequest, case: Case) -> Json:
    """PAInitiationRequest → PAInitiationResponse with its question set → PARequest with the answers."""
    asked = list(_asked(template, request, case))
    _link(asked)
    lead = list(_on_the_way(asked))
    open_questions = (item["question"] for item in lead if not item["answer"])
    message = f"{case.patient.id}-{case.drug.name}-{case.as_of.isoformat()}"
    questions = f"{template.id}-{case.drug.name}"
    return {
        "PAInitiationRequest": _initiation(case, message),
        "PAInitiationResponse": {
            "relatesToMessageId": message,
            "response": {
                "status": "questions",
                "questionSet": {
                    "id": questions,
                    "title": template.title,
                    "payer": case.plan.payer,
                    "firstQuestionId": asked[0]["question"]["id"] if asked else None,
                    "questions": [item["question"] for item in asked],
                },
            },
        },
        "PARequest": {
            "messageId": f"{message}-answers",
            "questionSetId": questions,
            "readyToSend": request.ready,
            "answers": [item["answer"] for item in lead if item["answer"]],
            "unanswered": [question["id"] for question in open_questions if question["required"]],
            "attachments": list(map(_attachment, request.attachments)),
        },
    }


def _attachment(paper: Attachment) -> Json:
    day = paper.date.isoformat() if paper.date else None
    return {
        "title": paper.label,
        "recordId": paper.record_id or None,
        "date": day,
        "enclosed": paper.enclosed,
    }


def _initiation(case: Case, message: str) -> Json:
    patient, covered, plan = case.patient, case.coverage, case.plan
    doctor = patient.prescriber or Prescriber(name="")
    return {
        "messageId": message,
        "patient": {
            "lastName": patient.family,
            "firstName": patient.given,
            "dateOfBirth": patient.birth_date.isoformat() if patient.birth_date else None,
            "gender": {"female": "F", "male": "M"}.get(patient.sex, "U"),
            "address": formats.address(patient.address) or None,
            "telephone": patient.phone or None,
        },
        "benefitsCoordination": {
            "payerName": plan.payer,
            "cardholderId": covered.member_id if covered else None,
            "groupId": (covered.group if covered else "") or None,
            "binLocationNumber": (covered.bin if covered else "") or plan.bin or None,
            "processorControlNumber": (covered.pcn if covered else "") or plan.pcn or None,
        },
        "prescriber": {
            "name": doctor.name if patient.prescriber else None,
            "npi": doctor.npi,
            "telephone": doctor.phone,
            "fax": doctor.fax,
        },
        "medicationPrescribed": {
            "drugDescription": f"{case.drug.name} {case.request.strength}".strip(),
            "productCode": (ndc11(case.strength.ndc) if case.strength else "") or None,
            "productCodeQualifier": "ND",
            "quantity": case.request.quantity,
            "quantityUnit": case.request.unit or case.drug.unit,
            "daysSupply": case.request.days_supply,
            "sig": case.sig or None,
            "primaryDiagnosis": case.diagnosis.code if case.diagnosis else None,
        },
    }


# --- questions -------------------------------------------------------------------------------------------


def _asked(template: FormTemplate, request: PARequest, case: Case) -> Iterator[Json]:
    sources = {field.id: field.source for section in template.sections for field in section.fields}
    repeats = {section.title: section.repeat for section in template.sections}
    for field in request.fields:
        # what has no section is its own source
        source = sources.get(field.id.rpartition(".")[0] or field.id, field.id)
        if source == "criterion.answer":
            yield _select(field)
        elif repeats.get(field.section) == "labs" or (source.startswith(CARRIED) and source not in CLINICAL):
            continue
        else:
            kind = "date" if field.type == "date" else "freeText"
            yield _item(field, kind, {"text": field.value} if field.value else None)
    if "labs" in repeats.values():
        yield from _labs(case)


def _select(field: FilledField) -> Json:
    """Yes or no; a yes goes on to its details."""
    item = _item(field, "selectOne", {"choiceId": field.value[0]} if field.value else None)
    item["question"]["choices"] = [{"id": "Y", "text": "Yes"}, {"id": "N", "text": "No"}]
    return item


def _labs(case: Case) -> Iterator[Json]:
    for place, measured in enumerate(case.labs, 1):
        known, records = TESTS[measured.test], ",".join(measured.record_ids)
        value = _question(f"lab.{place}.value", f"{known.name}, in {known.unit}", "numeric")
        value["loinc"] = known.loinc[0]
        yield _pair(value, {"number": measured.value, "unit": known.unit}, records)
        day = _question(f"lab.{place}.date", f"Date of this {known.name}", "date")
        yield _pair(day, {"date": measured.date.isoformat()}, records)


def _item(field: FilledField, kind: str, answer: Json | None) -> Json:
    question = _question(field.id, field.label, kind, field.required)
    if field.clause_id:
        question["clauseId"] = field.clause_id
    return _pair(question, answer, field.record_id)


def _question(id: str, text: str, kind: str, required: bool = False) -> Json:
    return {"id": id, "text": text, "type": kind, "required": required}


def _pair(question: Json, answer: Json | None, records: str) -> Json:
    full = {"questionId": question["id"], **answer, "recordIds": records.split(",")} if answer else None
    return {"question": question, "answer": full}


def _link(asked: list[Json]) -> None:
    """Every question names the next; a no skips the details that a yes asks for."""
    names = [*(item["question"]["id"] for item in asked), "END", "END"]
    for place, item in enumerate(asked):
        follows, after = names[place + 1 : place + 3]
        if "choices" not in item["question"]:
            item["question"]["nextQuestionId"] = follows
        for choice in item["question"].get("choices", ()):
            skips = choice["id"] == "N" and follows.startswith("details.")
            choice["nextQuestionId"] = after if skips else follows


def _on_the_way(asked: list[Json]) -> Iterator[Json]:
    """The questions that these answers lead through; an unanswered choice leads through all."""
    by_id = {item["question"]["id"]: item for item in asked}
    at = next(iter(by_id), "END")
    while at != "END":
        item = by_id[at]
        yield item
        chosen = item["answer"]["choiceId"] if item["answer"] and "choices" in item["question"] else "Y"
        ways = {choice["id"]: choice["nextQuestionId"] for choice in item["question"].get("choices", ())}
        at = ways[chosen] if ways else item["question"]["nextQuestionId"]
