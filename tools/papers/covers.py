"""What goes with the form on its way: a fax cover, a phone script, a mail cover letter or an ePA exchange."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from tools.domain.records import FilledField, FormTemplate, PARequest
from tools.papers import formats
from tools.papers.case import Case
from tools.papers.composed import Block, Letter, heading, paragraph
from tools.papers.epa import exchange
from tools.papers.form_layout import wrap
from tools.papers.letter_pdf import letter_pdf
from tools.papers.letters import Writer
from tools.papers.paper import canvas

CONFIDENTIAL = (
    "CONFIDENTIAL. This fax holds health information that is protected by federal and state law and is meant only"
    " for the addressee. If it reached you in error, telephone the sender at once and destroy all pages; reading,"
    " copying or passing them on is not allowed."
)

NOTHING = "NOT ON RECORD: say so, and offer to send it"


class Paper(NamedTuple):
    """A file that goes with the form."""

    file: str  # e.g. "fax-cover.pdf"
    media_type: str
    content: bytes


def cover(template: FormTemplate, request: PARequest, case: Case, pages: int) -> Paper:
    """The channel's own paper. `pages` are those of the packet, which follows a fax cover."""
    if template.channel == "fax":
        return Paper("fax-cover.pdf", "application/pdf", fax_cover(template, request, case, pages))
    if template.channel == "phone":
        return Paper("phone-script.md", "text/markdown", phone_script(template, request, case).encode())
    if template.channel == "mail":
        return Paper("mail-cover.pdf", "application/pdf", letter_pdf(mail_cover(template, request, case)))
    content = msgspec.json.format(msgspec.json.encode(exchange(template, request, case)), indent=2)
    return Paper("epa.json", "application/json", content)


# --- fax -------------------------------------------------------------------------------------------------


def fax_cover(template: FormTemplate, request: PARequest, case: Case, pages: int) -> bytes:
    """One page without a patient's name or drug on it: whoever stands at the machine may read a cover."""
    buffer = BytesIO()
    pen = canvas(buffer, "Fax cover")
    pen.setFont("Helvetica-Bold", 40)
    pen.drawString(60, 690, "FAX")
    pen.setLineWidth(2.5)
    pen.line(60, 674, 552, 674)
    y = 640.0
    for label, value in _fax_lines(template, request, case, pages):
        pen.setFont("Helvetica-Bold", 11)
        pen.drawString(60, y, label)
        pen.setFont("Helvetica", 12)
        pen.drawString(160, y, formats.printable(value))
        pen.setLineWidth(0.5)
        pen.line(160, y - 5, 552, y - 5)
        y -= 30
    _confidential(pen, y - 30)
    pen.showPage()
    pen.save()
    return buffer.getvalue()


def _fax_lines(
    template: FormTemplate, request: PARequest, case: Case, pages: int
) -> Iterator[tuple[str, str]]:
    doctor, plan = case.patient.prescriber, case.plan
    yield "To", f"{plan.payer}, Pharmacy Prior Authorization"
    yield "Fax", plan.fax
    yield "Telephone", plan.phone
    yield "From", (doctor.practice or doctor.name) if doctor else ""
    yield "Contact", (doctor.contact or doctor.name) if doctor else ""
    yield "Telephone", (doctor.phone or "") if doctor else ""
    yield "Fax", (doctor.fax or "") if doctor else ""
    yield "Date", formats.long_date(case.as_of)
    yield "Re", f"Prior authorization request, form {template.id}"
    yield "Pages", f"{pages + 1} with this one"
    lacking = len(request.to_attach)
    if lacking:
        papers = "1 document" if lacking == 1 else f"{lacking} documents"
        yield "Not counted", f"{papers} still to be attached, as the next page says"


def _confidential(pen: Any, y: float) -> None:
    lines = wrap(CONFIDENTIAL, "Helvetica", 10, 470)
    pen.rect(60, y - 14 * len(lines) - 4, 492, 14 * len(lines) + 16)
    pen.setFont("Helvetica", 10)
    for place, line in enumerate(lines):
        pen.drawString(71, y - 4 - 14 * place, line)


# --- telephone -------------------------------------------------------------------------------------------


def phone_script(template: FormTemplate, request: PARequest, case: Case) -> str:
    """Whom to call, what will be asked in which order, the answers, and what to say where there is none."""
    return "\n".join(_script(template, request, case)) + "\n"


def _script(template: FormTemplate, request: PARequest, case: Case) -> Iterator[str]:
    plan, doctor = case.plan, case.patient.prescriber
    yield f"# Call script: {case.drug.name} for {case.patient.name}"
    yield ""
    number = plan.phone or "telephone number not on record"
    yield f"**Call** {plan.payer}, {number}, and ask for pharmacy prior authorization. Write the confirmation below."
    if request.warning:
        yield f"\n> **{request.warning}**"
    caller = f" from {doctor.practice or doctor.name}" if doctor else ""
    yield ""
    yield f'**Say:** "I am calling{caller} to request prior authorization of {case.drug.name} for a member."'
    for section in template.sections:
        asked = [f for f in request.fields if f.section == section.title and _is_asked(f)]
        if not asked:
            continue
        yield f"\n## {section.title}\n"
        yield from _rows(asked) if section.repeat not in ("", "criteria") else map(_line, asked)
    yield "\n## Before you hang up\n"
    yield "- Reference number: ____________________"
    yield "- Name of the representative: ____________________"
    yield "- Decision, or when to expect it: ____________________"
    yield "- Where to send what is still missing: ____________________"
    if request.missing:
        yield "\n## Not on record\n"
        yield "Say that it is not on record and will be sent; guess nothing.\n"
        yield from (f"- {label}" for label in request.missing)


def _is_asked(field: FilledField) -> bool:
    """Blanks for the prescriber's own hand are not answered on the telephone."""
    return bool(field.value) or field.required or field.id.startswith("question")


def _rows(fields: list[FilledField]) -> Iterator[str]:
    """A table's row in one breath."""
    for _, row in groupby(fields, key=lambda field: field.id.rpartition(".")[2]):
        yield "- " + "; ".join(f"{f.label}: **{f.value or NOTHING}**" for f in row)


def _line(field: FilledField) -> str:
    answer = field.value or "NOT ON RECORD: say so, and offer to send it"
    return (
        f"   - {field.label}: {answer}"
        if field.id.startswith("details")
        else f"- {field.label}: **{answer}**"
    )


# --- mail ------------------------------------------------------------------------------------------------


def mail_cover(template: FormTemplate, request: PARequest, case: Case) -> Letter:
    """A short letter that says what is in the envelope."""
    writer = Writer(case)
    return writer.letter("Prior authorization request", _mail(template, request, case, writer))


def _mail(template: FormTemplate, request: PARequest, case: Case, writer: Writer) -> Iterator[Block]:
    plan = f"plan:{case.plan.id}"
    yield writer.head()
    yield Block(kind="lines", lines=(writer.date(case.as_of, "as_of"),))
    yield Block(kind="lines", lines=tuple(writer.addressee()))
    yield Block(kind="subject", lines=tuple(writer.subject()))
    yield paragraph("To whom it may concern:")
    form = writer.fact(template.id, plan)
    yield paragraph(
        f"Enclosed is our request for prior authorization on your form {form}, with a letter of medical necessity"
        " and the documents listed below."
    )
    if case.plan.review_hours:
        days, odd = divmod(case.plan.review_hours, 24)
        time = f"{case.plan.review_hours} hours" if odd or days <= 3 else f"{days} days"
        took = writer.fact(time, plan)
        yield paragraph(f"We understand that a standard review takes up to {took} from its receipt.")
    yield from writer.enclosures()
    doctor = case.patient.prescriber
    if doctor and doctor.phone:
        yield heading("Contact")
        who = writer.fact(doctor.contact or doctor.name, "prescriber")
        yield paragraph(f"{who}, telephone {writer.fact(doctor.phone, 'prescriber')}")
    yield writer.signature()
