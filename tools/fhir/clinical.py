"""Conditions, allergies, family history, procedures, programs and notes, as the chart holds them."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date
from typing import Literal

from tools.fhir import ours
from tools.fhir.bundle import Bundle, Entry
from tools.fhir.conditions import icd10
from tools.fhir.elements import Attachment, CodeableConcept, Reference, day
from tools.fhir.products import named_drugs, product
from tools.fhir.r4 import (
    AllergyIntolerance,
    CarePlan,
    ClaimResponse,
    Condition,
    DiagnosticReport,
    DocumentReference,
    FamilyMemberHistory,
    FhirProcedure,
)
from tools.fhir.report import Tally
from tools.records import (
    Allergy,
    Authorization,
    Diagnosis,
    Document,
    FamilyHistory,
    Note,
    Procedure,
    Program,
)
from tools.terms import RXNORM, SNOMED

Verification = Literal["confirmed", "provisional", "refuted"]
VERIFICATION: dict[str, Verification] = {
    "": "confirmed",
    "confirmed": "confirmed",
    "unconfirmed": "provisional",
    "provisional": "provisional",
    "differential": "provisional",
    "refuted": "refuted",
}
OVER = ("inactive", "resolved", "remission")
NO_ALLERGY = {
    "716186003": "no known allergy",
    "409137002": "no known drug allergy",
    "428607008": "no known environmental allergy",
    "429625007": "no known food allergy",
}
# A program is what a payer would accept as one: it names weight or lifestyle, and is not merely advice.
_PROGRAM = re.compile(
    r"weight (management|loss|reduction|control) (program|regimen|clinic)|lifestyle (modification |intervention )?"
    r"program|diabetes prevention program|intensive behavio(u)?ral therapy",
    re.IGNORECASE,
)
_CPT = "http://www.ama-assn.org/go/cpt"


def codes(concept: CodeableConcept) -> set[str]:
    return {coding.code for coding in concept.coding}


# --- conditions ------------------------------------------------------------------------------------------


def conditions(bundle: Bundle, tally: Tally, over_by: date | None) -> list[Diagnosis]:
    """`over_by` ends a condition that is resolved without a date: all we know is that it was over by then."""
    listed: list[Diagnosis] = []
    for entry, condition in bundle.of(Condition):
        status = _first_code(condition.verification_status)
        if tally.seen(entry):
            continue
        if status == "entered-in-error":
            tally.skip(entry, "entered in error", condition.code)
            continue
        tally.mapped(entry)
        listed += _diagnoses(entry, condition, tally, over_by)
    return listed


def _diagnoses(entry: Entry, condition: Condition, tally: Tally, over_by: date | None) -> list[Diagnosis]:
    coded = icd10(condition.code)
    if coded.notice:
        tally.notice(coded.notice)
    if not coded.codes and not ours.is_ours(condition, Diagnosis):
        tally.by_name(entry, "no ICD-10-CM code known", condition.code)
    record = ours.record_id(condition, Diagnosis)
    first = Diagnosis(
        id=record,
        code=coded.codes[0] if coded.codes else "",
        name=condition.code.name,
        onset=day(condition.onset_date_time) or day(condition.onset_period.start),
        abated=_abated(condition, tally, over_by),
        verification=_verification(condition, tally),
        source_code=coded.source_code,
    )
    first = ours.restored(first, condition.extended(ours.REST))
    others = [
        Diagnosis(
            id=f"{record}-{place}",
            code=code,
            name=first.name,
            onset=first.onset,
            abated=first.abated,
            verification=first.verification,
            source_code=first.source_code,
        )
        for place, code in enumerate(coded.codes[1:], start=2)
        if not ours.is_ours(condition, Diagnosis)
    ]
    return [first, *others]


def _abated(condition: Condition, tally: Tally, over_by: date | None) -> date | None:
    ended = day(condition.abatement_date_time) or day(condition.abatement_period.end)
    over = _first_code(condition.clinical_status) in OVER or condition.abatement_boolean is True
    if ended is None and (over or condition.abatement_string or condition.abatement_date_time):
        if not ours.is_ours(condition, Diagnosis):
            tally.notice(f"{condition.code.name}: over, on an unstated day; taken as over by {over_by}")
        return over_by
    return ended


def _verification(condition: Condition, tally: Tally) -> Verification:
    said = _first_code(condition.verification_status)
    if said not in VERIFICATION:
        tally.notice(
            f"{condition.code.name}: verification status {said!r} is none of FHIR's; taken as provisional"
        )
    return VERIFICATION.get(said, "provisional")


def _first_code(concept: CodeableConcept) -> str:
    return next((c.code for c in concept.coding if c.code), concept.text.strip().lower())


# --- allergies -------------------------------------------------------------------------------------------


def allergies(bundle: Bundle, tally: Tally) -> list[Allergy]:
    listed: list[Allergy] = []
    for entry, allergy in bundle.of(AllergyIntolerance):
        if tally.seen(entry):
            continue
        verified = _first_code(allergy.verification_status)
        clinical = _first_code(allergy.clinical_status)
        if verified == "entered-in-error":
            tally.skip(entry, "entered in error", allergy.code)
        elif verified == "refuted":
            tally.skip(entry, "refuted", allergy.code)
        elif clinical in ("resolved", "inactive"):
            tally.skip(entry, f"{clinical}: no longer an allergy", allergy.code)
        elif codes(allergy.code) & NO_ALLERGY.keys():
            tally.mapped(entry)
            tally.notice(f"allergies: the chart states {allergy.code.name.lower()}")
        else:
            tally.mapped(entry)
            listed.append(_allergy(allergy))
    return listed


def _allergy(allergy: AllergyIntolerance) -> Allergy:
    told = " ".join((allergy.code.text, *(c.display for c in allergy.code.coding)))
    ingredients, classes = named_drugs(told if told.strip() else product("", allergy.code.code(RXNORM)).name)
    record = Allergy(
        id=ours.record_id(allergy, Allergy),
        substance=_substance(allergy.code),
        ingredients=ingredients,
        classes=classes,
        reaction=", ".join(dict.fromkeys(_reactions(allergy))),
        type="intolerance" if allergy.type == "intolerance" else "allergy",
        date=day(allergy.onset_date_time) or day(allergy.recorded_date),
    )
    return ours.restored(record, allergy.extended(ours.REST))


def _substance(concept: CodeableConcept) -> str:
    if rxcui := concept.code(RXNORM):
        return product("" if concept.name == rxcui else concept.name, rxcui).name
    bare = re.sub(r"\s*\((substance|disorder|finding|organism|product)\)$", "", concept.name)
    return re.sub(r"^allergy to ", "", bare, flags=re.IGNORECASE)


def _reactions(allergy: AllergyIntolerance) -> list[str]:
    named = []
    for reaction in allergy.reaction:
        words = [re.sub(r"\s*\((disorder|finding)\)$", "", m.name) for m in reaction.manifestation if m.name]
        words = words or [reaction.description]
        named += [f"{word} ({reaction.severity})" if reaction.severity else word for word in words if word]
    return named


# --- history, procedures, programs -----------------------------------------------------------------------


def family_history(bundle: Bundle, tally: Tally) -> list[FamilyHistory]:
    listed: list[FamilyHistory] = []
    for entry, member in bundle.of(FamilyMemberHistory):
        if tally.seen(entry):
            continue
        if member.status in ("entered-in-error", "health-unknown"):
            tally.skip(entry, member.status.replace("-", " "), member.relationship)
            continue
        tally.mapped(entry)
        for place, condition in enumerate(member.condition):
            record = ours.record_id(member, FamilyHistory)
            code = icd10(condition.code).codes
            said = FamilyHistory(
                id=record if place == 0 else f"{record}-{place + 1}",
                relation=member.relationship.name.lower(),
                condition=condition.code.name,
                code=code[0] if code else "",
            )
            listed.append(ours.restored(said, member.extended(ours.REST)))
    return listed


def procedures(bundle: Bundle, tally: Tally) -> list[Procedure]:
    listed: list[Procedure] = []
    for entry, procedure in bundle.of(FhirProcedure):
        if tally.seen(entry):
            continue
        if procedure.status not in ("completed", "in-progress", "unknown", ""):
            tally.skip(entry, procedure.status.replace("-", " "), procedure.code)
            continue
        tally.mapped(entry)
        snomed, cpt = procedure.code.code(SNOMED), procedure.code.code(_CPT)
        said = Procedure(
            id=ours.record_id(procedure, Procedure),
            name=procedure.code.name,
            code=cpt or (f"SNOMED {snomed}" if snomed else procedure.code.label.split("|")[-1]),
            date=day(procedure.performed_date_time) or day(procedure.performed_period.start),
            result=procedure.outcome.name,
        )
        listed.append(ours.restored(said, procedure.extended(ours.REST)))
    return listed


def programs(bundle: Bundle, tally: Tally) -> list[Program]:
    """A care plan is an intention; only one that names a weight or lifestyle program, and when it began, is
    taken as taking part in it."""
    listed: list[Program] = []
    for entry, plan in bundle.of(CarePlan):
        if tally.seen(entry):
            continue
        concept = plan.concept
        mine = ours.is_ours(plan, Program)
        start = day(plan.period.start)
        if plan.status in ("entered-in-error", "revoked"):
            tally.skip(entry, plan.status.replace("-", " "), concept)
        elif mine or (start and _PROGRAM.search(plan.name) and plan.status in ("active", "completed")):
            tally.mapped(entry)
            said = Program(
                id=ours.record_id(plan, Program), name=plan.name, start=start, end=day(plan.period.end)
            )
            listed.append(ours.restored(said, plan.extended(ours.REST)))
        else:
            activities = ", ".join(
                dict.fromkeys(a.detail.code.name for a in plan.activity if a.detail.code.name)
            )
            of = f" ({activities})" if activities else ""
            tally.not_understood(entry, f"a plan of care shows no part taken in a program{of}", concept)
    return listed


def authorizations(bundle: Bundle, tally: Tally) -> list[Authorization]:
    """Only our own: a payer's ClaimResponse of elsewhere does not say which plan and drug of ours it means."""
    listed: list[Authorization] = []
    for entry, response in bundle.of(ClaimResponse):
        if tally.seen(entry) or not ours.is_ours(response, Authorization):
            continue
        tally.mapped(entry)
        said = Authorization(
            id=ours.record_id(response, Authorization),
            plan_id="",
            drug="",
            start=day(response.pre_auth_period.start) or date.min,
            end=day(response.pre_auth_period.end) or date.max,
        )
        listed.append(ours.restored(said, response.extended(ours.REST)))
    return listed


# --- notes and documents ---------------------------------------------------------------------------------


def notes(bundle: Bundle, tally: Tally) -> list[Note]:
    listed: list[Note] = []
    for entry, reference in bundle.of(DocumentReference):
        if tally.seen(entry) or ours.is_ours(reference, Document):
            continue
        text = _text(reference.content[0].attachment) if reference.content else None
        if reference.status in ("entered-in-error", "superseded"):
            tally.skip(entry, reference.status.replace("-", " "), reference.type)
        elif text is None:
            tally.not_understood(entry, "a document that is not plain text", reference.type)
        else:
            tally.mapped(entry)
            said = Note(
                id=ours.record_id(reference, Note),
                date=day(reference.date),
                author=_display(reference.author),
                type=reference.type.name or "progress note",
                text=text,
            )
            listed.append(ours.restored(said, reference.extended(ours.REST)))
    return [*listed, *_report_notes(bundle, tally, {note.text for note in listed})]


def _report_notes(bundle: Bundle, tally: Tally, known: set[str]) -> list[Note]:
    """Newer Synthea writes each note twice: as a document and as the presented form of a report."""
    listed: list[Note] = []
    for entry, report in bundle.of(DiagnosticReport):
        texts = [text for form in report.presented_form if (text := _text(form))]
        fresh = [text for text in texts if text not in known]
        if tally.seen(entry) or report.status in ("entered-in-error", "cancelled") or not fresh:
            continue
        tally.mapped(entry)
        for place, text in enumerate(fresh):
            listed.append(
                Note(
                    id=f"DiagnosticReport/{report.id}" + (f"-{place + 1}" if place else ""),
                    date=day(report.effective_date_time),
                    author=_display(report.performer),
                    type=report.code.name or "report",
                    text=text,
                )
            )
    return listed


def documents(bundle: Bundle, tally: Tally) -> list[Document]:
    listed: list[Document] = []
    for entry, reference in bundle.of(DocumentReference):
        if tally.seen(entry) or not ours.is_ours(reference, Document):
            continue
        tally.mapped(entry)
        attachment = reference.content[0].attachment if reference.content else Attachment()
        said = Document(
            id=ours.record_id(reference, Document), title=attachment.title, date=day(reference.date)
        )
        listed.append(ours.restored(said, reference.extended(ours.REST)))
    return listed


def _text(attachment: Attachment) -> str | None:
    if not attachment.content_type.startswith("text/plain"):
        return None
    try:
        return base64.b64decode(attachment.data).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None


def _display(references: tuple[Reference, ...]) -> str:
    return next((reference.display for reference in references if reference.display), "")
