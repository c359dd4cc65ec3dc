"""A sheet to draw on: US letter, the same bytes for the same drawing."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from tools.papers.formats import printable


def canvas(buffer: BytesIO, title: str, subject: str = "") -> Any:
    """reportlab's canvas without clock or chance in it; streams are compressed, and not as text besides."""
    from reportlab import rl_config
    from reportlab.pdfgen.canvas import Canvas

    rl_config.invariant, rl_config.useA85 = 1, 0
    sheet = Canvas(buffer, pagesize=(612, 792), pageCompression=1, invariant=1)
    sheet.setTitle(printable(title))
    sheet.setSubject(printable(subject))
    sheet.setAuthor("Paladin: a draft, neither signed nor submitted")
    return sheet
