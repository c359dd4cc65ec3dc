"""Draws the three forms of forms.yaml. They are built as the public ones are, each in another way.

    python -m evals.forms.draw        # writes determination.pdf, state.pdf and one_page.pdf beside this file

determination   a coverage determination, after the model of Medicare's plans: labels before fields, fields with names
state           a state's standard form: cells with small labels inside, fields named Text1, Text2, …, combs, choices
one_page        a pharmacy benefit manager's one page: flat, nothing but lines and squares to write on
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

FOLDER = Path(__file__).parent
LEFT, RIGHT, LINE = 40.0, 572.0, 21.0
Cell = tuple[str, str, float]  # label, name, width


class Drawing:
    """A form while it is drawn, from the top of its page downwards."""

    def __init__(self, name: str, title: str, fields: bool = True) -> None:
        rl_config.invariant = 1
        self.pen: Any = Canvas(str(FOLDER / f"{name}.pdf"), pagesize=(612, 792), invariant=1)
        self.pen.setTitle(title)
        self.fields = fields
        self.number = 0
        self.y = 752.0

    def page(self) -> None:
        self.pen.showPage()
        self.y = 752.0

    def say(self, text: str, size: float = 9, bold: bool = False, gap: float = 4) -> None:
        self.pen.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self.pen.drawString(LEFT, self.y - size, text)
        self.y -= size + gap

    def head(self, text: str) -> None:
        self.y -= 4
        self.pen.setFillGray(0.88)
        self.pen.rect(LEFT, self.y - 15, RIGHT - LEFT, 15, stroke=0, fill=1)
        self.pen.setFillGray(0)
        self.pen.setFont("Helvetica-Bold", 10)
        self.pen.drawString(LEFT + 4, self.y - 11, text)
        self.y -= 20

    # --- label, then field, on one line -------------------------------------------------------------------

    def line(self, *cells: Cell) -> None:
        """Cells side by side: a label and behind it a field, or on a flat form a rule."""
        x = LEFT
        for label, name, width in cells:
            self.pen.setFont("Helvetica", 9)
            self.pen.drawString(x, self.y - 13, label)
            from_label = self.pen.stringWidth(label, "Helvetica", 9) + 4
            self.blank(name, x + from_label, self.y - 17, width - from_label - 8, 15)
            x += width
        self.y -= LINE

    def area(self, label: str, name: str, height: float) -> None:
        """A label, and below it a box for several lines."""
        self.say(label, 9, gap=2)
        if not self.fields:
            self.pen.setLineWidth(0.6)
            self.pen.rect(LEFT, self.y - height, RIGHT - LEFT, height)
        else:
            self.blank(name, LEFT, self.y - height, RIGHT - LEFT, height, flags="multiline")
        self.y -= height + 6

    def cells(self, cells: Sequence[Cell], height: float = 27, comb: int = 0, flags: str = "") -> None:
        """Boxes side by side, each with its label small inside at the top."""
        x = LEFT
        for label, name, width in cells:
            self.pen.setLineWidth(0.6)
            self.pen.rect(x, self.y - height, width, height)
            self.pen.setFont("Helvetica", 7)
            self.pen.drawString(x + 3, self.y - 8, label)
            self.blank(name, x + 2, self.y - height + 1.5, width - 4, height - 12, comb=comb, flags=flags)
            x += width
        self.y -= height

    def table(self, heads: Sequence[tuple[str, float]], rows: int, prefix: str) -> None:
        x = LEFT
        self.pen.setFont("Helvetica-Bold", 8)
        for label, width in heads:
            self.pen.rect(x, self.y - 14, width, 14)
            self.pen.drawString(x + 3, self.y - 10, label)
            x += width
        self.y -= 14
        for row in range(1, rows + 1):
            x = LEFT
            for column, (_, width) in enumerate(heads):
                self.pen.rect(x, self.y - 17, width, 17)
                if self.fields:
                    name = f"{prefix}{row}{chr(97 + column)}" if prefix else ""
                    self.blank(name, x + 1, self.y - 16, width - 2, 15)
                x += width
            self.y -= 17
        self.y -= 4

    # --- what is marked -----------------------------------------------------------------------------------

    def ticks(self, lead: str, *options: tuple[str, str], apart: float = 0) -> None:
        """A question and its boxes on one line, or, without a question, one box to a line."""
        x = LEFT
        if lead:
            self.pen.setFont("Helvetica", 9)
            self.pen.drawString(x, self.y - 12, lead)
            x += self.pen.stringWidth(lead, "Helvetica", 9) + 12
        for label, name in options:
            self.tick(name, x, self.y - 14)
            self.pen.setFont("Helvetica", 9)
            self.pen.drawString(x + 16, self.y - 12, label)
            x += max(apart, self.pen.stringWidth(label, "Helvetica", 9) + 34)
        self.y -= 18

    def tick(self, name: str, x: float, y: float) -> None:
        if not self.fields:
            self.pen.setLineWidth(0.8)
            self.pen.rect(x, y, 10, 10)
            return
        named = self._named(name, "Check Box")
        self.pen.acroForm.checkbox(
            name=named, x=x, y=y, size=11, borderWidth=0.8, tooltip="", forceBorder=True
        )

    def radio(self, lead: str, name: str, *options: tuple[str, str]) -> None:
        self.pen.setFont("Helvetica", 9)
        self.pen.drawString(LEFT, self.y - 12, lead)
        x = LEFT + self.pen.stringWidth(lead, "Helvetica", 9) + 12
        for label, state in options:
            self.pen.acroForm.radio(
                name=name, value=state, x=x, y=self.y - 14, size=12, borderWidth=0.8, selected=False
            )
            self.pen.drawString(x + 16, self.y - 12, label)
            x += self.pen.stringWidth(label, "Helvetica", 9) + 34
        self.y -= 20

    def choice(self, label: str, name: str, options: Sequence[str], width: float) -> None:
        self.pen.setFont("Helvetica", 9)
        self.pen.drawString(LEFT, self.y - 12, label)
        x = LEFT + self.pen.stringWidth(label, "Helvetica", 9) + 6
        self.pen.acroForm.choice(
            name=name, value=" ", options=[" ", *options], x=x, y=self.y - 17, width=width, height=16,
            fontSize=9, borderWidth=0.5, fieldFlags="combo",
        )  # fmt: skip
        self.y -= LINE

    def blank(
        self, name: str, x: float, y: float, width: float, height: float, comb: int = 0, flags: str = ""
    ) -> None:
        if not self.fields:
            self.pen.setLineWidth(0.6)
            self.pen.line(x, y + 2, x + width, y + 2)
            return
        self.pen.acroForm.textfield(
            name=self._named(name, "Text"), x=x, y=y, width=width, height=height, fontSize=9, borderWidth=0.4,
            fieldFlags="comb" if comb else flags, maxlen=comb or 1000, tooltip="",
        )  # fmt: skip

    def _named(self, name: str, kind: str) -> str:
        if name:
            return name
        self.number += 1
        return f"{kind}{self.number}"


def main() -> None:
    for name, form in yaml.safe_load((FOLDER / "forms.yaml").read_text(encoding="utf-8")).items():
        drawing = Drawing(name, form["title"], form.get("fields", True))
        for step in form["steps"]:
            ((method, given),) = step.items()
            draw = getattr(drawing, method)
            draw(**given) if isinstance(given, dict) else draw(*given)
        drawing.pen.save()


if __name__ == "__main__":
    main()
