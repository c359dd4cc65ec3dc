"""A payer's letter as PDF: its letterhead, its lines, tables and boxes in a fixed width. The same text gives
the same bytes."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any, NamedTuple

from reportlab.lib.utils import simpleSplit

from tools.papers.formats import printable
from tools.papers.paper import canvas

LEFT, RIGHT, TOP, BOTTOM = 64.0, 548.0, 738.0, 60.0


class _Look(NamedTuple):
    font: str
    size: float
    leading: float


_HEAD = _Look("Helvetica-Bold", 15, 20)
_UNDER = _Look("Helvetica", 9.5, 12.5)
_TITLE = _Look("Helvetica-Bold", 12, 16)
_TEXT = _Look("Times-Roman", 11, 14)
_FIXED = _Look("Courier", 9.5, 13)


def letter_pdf(text: str, title: str) -> bytes:
    """The letter on US letter paper, a rule below its head and a page number at its foot."""
    buffer = BytesIO()
    sheet = canvas(buffer, title)
    sheet.setAuthor("A fictional payer")
    head, heading, *blocks = text.strip("\n").split("\n\n")
    page = _Page(sheet)
    for number, line in enumerate(head.split("\n")):
        page.line(line, _UNDER if number else _HEAD)
    page.rule()
    fixed = bool(re.search(r"\[[ X]\]", heading))
    for line in heading.split("\n"):
        page.line(line, _FIXED._replace(font="Courier-Bold", size=10.5) if fixed else _TITLE)
    page.gap(8)
    for block in blocks:
        for line in block.split("\n"):
            page.line(line, _FIXED if fixed or _is_form(line) else _TEXT)
        page.gap(8)
    page.end()
    sheet.save()
    return buffer.getvalue()


def _is_form(line: str) -> bool:
    return bool(re.search(r"\S {3,}\S|^\||^\[", line.strip()))


class _Page:
    def __init__(self, sheet: Any) -> None:
        self.sheet, self.y, self.number = sheet, TOP, 1

    def line(self, text: str, look: _Look) -> None:
        """Draw it, wrapped at the right margin."""
        said = printable(text)
        fits = self.sheet.stringWidth(said, look.font, look.size) <= RIGHT - LEFT
        for piece in [said] if fits else simpleSplit(said, look.font, look.size, RIGHT - LEFT):
            if self.y - look.leading < BOTTOM:
                self.end()
                self.y, self.number = TOP, self.number + 1
            self.y -= look.leading
            self.sheet.setFont(look.font, look.size)
            self.sheet.drawString(LEFT, self.y, piece)

    def gap(self, points: float) -> None:
        self.y -= points

    def rule(self) -> None:
        self.sheet.setLineWidth(1)
        self.sheet.line(LEFT, self.y - 7, RIGHT, self.y - 7)
        self.gap(18)

    def end(self) -> None:
        """The foot, and the next page."""
        self.sheet.setFont("Helvetica", 8)
        self.sheet.drawRightString(RIGHT, 36, f"Page {self.number}")
        self.sheet.showPage()
