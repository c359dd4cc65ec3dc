"""reportlab's canvas, on which text of any script can be drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from reportlab.pdfgen.canvas import Canvas

from tools.papers import typesetting


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
