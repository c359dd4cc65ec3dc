"""Sheets to draw on: US letter, the same bytes for the same drawing, and text of any script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any, Literal

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

from tools.papers import typesetting
from tools.papers.case import Case
from tools.papers.formats import long_date, printable


class Sheet(Canvas):  # type: ignore[misc]
    """A canvas whose strings may hold what the base fonts lack."""

    def drawString(self, x: float, y: float, text: str) -> None:
        line = self.beginText(x, y)
        if typesetting.is_base(text):
            line.textLine(text)  # what reportlab's own measures besides, to no purpose
        else:
            typesetting.put(line, text, self._fontname, self._fontsize)
        self.drawText(line)

    def drawRightString(self, x: float, y: float, text: str, **how: Any) -> None:
        if typesetting.is_base(text):
            super().drawRightString(x, y, text, **how)
        else:
            self.drawString(x - self._width(text), y, text)

    def drawCentredString(self, x: float, y: float, text: str, **how: Any) -> None:
        if typesetting.is_base(text):
            super().drawCentredString(x, y, text, **how)
        else:
            self.drawString(x - self._width(text) / 2, y, text)

    def draw_lines(
        self,
        lines: Iterable[str],
        x: float,
        y: float,
        leading: float,
        font: str = "",
        size: float = 0.0,
        align: Literal["left", "right", "centred"] = "left",
    ) -> None:
        """Lines below one another, in points; in the font that is set where none is named."""
        if font:
            self.setFont(font, size)
        draw = {"left": self.drawString, "right": self.drawRightString, "centred": self.drawCentredString}[
            align
        ]
        for place, line in enumerate(lines):
            draw(x, y - leading * place, line)

    def _width(self, text: str) -> float:
        return typesetting.width(text, self._fontname, self._fontsize)


Page = Callable[[Any], None]  # draws one page on a canvas


def canvas(buffer: BytesIO, title: str, subject: str = "") -> Any:
    """reportlab's canvas without clock or chance in it; streams are compressed, and not as text besides."""
    rl_config.invariant, rl_config.useA85 = 1, 0
    sheet = Sheet(buffer, pagesize=(612, 792), pageCompression=1, invariant=1)
    sheet.setTitle(printable(title))
    sheet.setSubject(printable(subject))
    sheet.setAuthor("Paladin: a draft, neither signed nor submitted")
    return sheet


def pdf_of(pages: Sequence[Page], title: str, subject: str = "") -> bytes:
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
