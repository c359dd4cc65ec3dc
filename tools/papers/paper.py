"""Sheets to draw on: US letter, the same bytes for the same drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from tools.papers.case import Case
from tools.papers.formats import long_date, printable

Page = Callable[[Any], None]  # draws one page on a canvas
AUTHOR = "Paladin: a draft, neither signed nor submitted"


def canvas(buffer: BytesIO, title: str, subject: str = "") -> Any:
    """reportlab's canvas without clock or chance in it; streams are compressed, and not as text besides."""
    from reportlab import rl_config

    from tools.papers.sheet import Sheet

    rl_config.invariant, rl_config.useA85 = 1, 0
    sheet = Sheet(buffer, pagesize=(612, 792), pageCompression=1, invariant=1)
    sheet.setTitle(printable(title))
    sheet.setSubject(printable(subject))
    sheet.setAuthor(AUTHOR)
    return sheet


def pdf_of(pages: Iterable[Page], title: str = "", subject: str = "") -> bytes:
    """The pages as a file."""
    buffer = BytesIO()
    pen = canvas(buffer, title, subject)
    for page in pages:
        page(pen)
        pen.showPage()
    pen.save()
    return buffer.getvalue()


def identity(case: Case) -> str:
    """Whom a page is about, as it stands at the foot of each."""
    born, covered = case.patient.birth_date, case.coverage
    parts = (
        case.patient.name,
        f"born {long_date(born)}" if born else "",
        f"member ID {covered.member_id}" if covered and covered.member_id else "",
    )
    return ", ".join(filter(None, parts))


def reference(case: Case) -> str:
    """What we call the request towards the payer."""
    return f"{case.patient.id}-{case.drug.name}"
