"""What goes with the form on its way: a fax cover, a phone script, a mail cover letter or an ePA exchange."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from tools.domain.records import FilledField, FormTemplate, PARequest, Prescriber
from tools.papers import formats
from tools.papers.blocks import Letter
from tools.papers.case import Case
from tools.papers.environment import templates
from tools.papers.epa import exchange
from tools.papers.form_layout import wrap
from tools.papers.letter_pdf import letter_pdf
from tools.papers.letters import Writer
from tools.papers.paper import pdf_of

CONFIDENTIAL = (
    "CONFIDENTIAL. This fax holds health information that is protected by federal and state law and is meant only"
    " for the addressee. If it reached you in error, telephone the sender at once and destroy all pages; reading,"
    " copying or passing them on is not allowed."
)


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

    def draw(pen: Any) -> None:
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
        lines = wrap(CONFIDENTIAL, "Helvetica", 10, 470)
        pen.rect(60, y - 14 * len(lines) - 34, 492, 14 * len(lines) + 16)
        pen.draw_lines(lines, 71, y - 34, 14, "Helvetica", 10)

    return pdf_of([draw], "Fax cover")


def _fax_lines(
    template: FormTemplate, request: PARequest, case: Case, pages: int
) -> Iterator[tuple[str, str]]:
    doctor, plan = case.patient.prescriber or Prescriber(name=""), case.plan
    yield "To", f"{plan.payer}, Pharmacy Prior Authorization"
    yield "Fax", plan.fax
    yield "Telephone", plan.phone
    yield "From", doctor.practice or doctor.name
    yield "Contact", doctor.contact or doctor.name
    yield "Telephone", doctor.phone or ""
    yield "Fax", doctor.fax or ""
    yield "Date", formats.long_date(case.as_of)
    yield "Re", f"Prior authorization request, form {template.id}"
    yield "Pages", f"{pages + 1} with this one"
    if lacking := len(request.to_attach):
        papers = "1 document" if lacking == 1 else f"{lacking} documents"
        yield "Not counted", f"{papers} still to be attached, as the next page says"


# --- telephone -------------------------------------------------------------------------------------------


def phone_script(template: FormTemplate, request: PARequest, case: Case) -> str:
    """Whom to call, what will be asked in which order, the answers, and what to say where there is none."""
    script = templates().get_template("phone_script.j2")
    return script.render(
        request=request, case=case, plan=case.plan, doctor=case.patient.prescriber,
        sections=list(_asked(template, request)),
    )  # fmt: skip


class _Asked(NamedTuple):
    """A section with what is asked in one breath: a table's row, or a field."""

    title: str
    is_table: bool
    rows: list[list[FilledField]]


def _asked(template: FormTemplate, request: PARequest) -> Iterator[_Asked]:
    for section in template.sections:
        asked = [field for field in request.fields if field.section == section.title and _is_asked(field)]
        is_table = section.repeat not in ("", "criteria")
        rows = groupby(asked, key=lambda field: field.id.rpartition(".")[2] if is_table else field.id)
        if asked:
            yield _Asked(section.title, is_table, [list(row) for _, row in rows])


def _is_asked(field: FilledField) -> bool:
    """Blanks for the prescriber's own hand are not answered on the telephone."""
    return bool(field.value) or field.required or field.id.startswith("question")


# --- mail ------------------------------------------------------------------------------------------------


def mail_cover(template: FormTemplate, request: PARequest, case: Case) -> Letter:
    """A short letter that says what is in the envelope."""
    return Writer(case).letter("Prior authorization request", "mail_cover.j2", form=template)
