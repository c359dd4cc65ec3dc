"""How a form is drawn: header, headings, cells and tables in the payer's style (FormTemplate.look)."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from tools.domain.records import FormTemplate, Plan
from tools.papers import formats
from tools.papers.form_layout import MARGIN, WIDTH, Piece, width_of, wrap

LABEL = 8.5
ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV")
FONTS = {"sans": ("Helvetica", "Helvetica-Bold"), "serif": ("Times-Roman", "Times-Bold")}
INLINE = 0.42  # of a lined cell's width at most goes to its label

Box = tuple[float, float, float, float]


class _Head(NamedTuple):
    """What stands at the top of a form; the lines say where it goes."""

    payer: str
    title: str
    form: str
    lines: list[str]


class Look:
    """One payer's style. `cells`: boxed (apart), grid (joined) or lined (label beside a rule)."""

    def __init__(self, style: dict[str, str]) -> None:
        self.accent = style.get("accent", "#000000")
        self.font, self.bold = FONTS[style.get("font", "sans")]
        self.cells = style.get("cells", "boxed")
        self.columns = int(style.get("columns", "3"))
        self._header = style.get("header", "band")
        self._heading = style.get("heading", "bar")
        self._numbering = style.get("numbering", "none")
        self.gap = {"boxed": 5.0, "grid": 0.0, "lined": 12.0}[self.cells]
        self.row_gap = {"boxed": 4.0, "grid": 0.0, "lined": 3.0}[self.cells]
        self.running = Piece(24, self._running)
        self._running_text = ("", "")

    def _color(self, pen: Any) -> None:
        from reportlab.lib.colors import HexColor

        pen.setFillColor(HexColor(self.accent))
        pen.setStrokeColor(HexColor(self.accent))

    def _black(self, pen: Any) -> None:
        pen.setFillGray(0)
        pen.setStrokeGray(0)

    # --- header and footer -----------------------------------------------------------------------------------

    def header(self, template: FormTemplate, plan: Plan) -> Piece:
        payer, title = formats.printable(plan.payer), formats.printable(template.title)
        self._running_text = (payer, f"{title} ({template.id})")
        lines = [formats.printable(line) for line in submission(template, plan)]
        height, draw = {
            "band": (66.0, self._band), "split": (74.0, self._split), "centered": (70.0, self._centered),
            "rule": (60.0, self._rule),
        }[self._header]  # fmt: skip
        head = _Head(payer, title, f"Form {template.id}", lines)
        return Piece(height + 11.0 * max(0, len(lines) - 2), partial(draw, head))

    def _band(self, head: _Head, pen: Any, x: float, y: float) -> None:
        self._color(pen)
        pen.rect(x, y - 34, WIDTH, 34, stroke=0, fill=1)
        pen.setFillGray(1)
        self._fitted(pen, head.payer, 16, WIDTH - 130, x + 10, y - 22)
        pen.setFont(self.font, 9)
        pen.drawRightString(x + WIDTH - 10, y - 21, head.form)
        self._black(pen)
        self._fitted(pen, head.title, 12.5, 300, x, y - 50)
        pen.draw_lines(head.lines, x + WIDTH, y - 46, 11, self.font, 9, align="right")

    def _split(self, head: _Head, pen: Any, x: float, y: float) -> None:
        panel = 206.0
        self._color(pen)
        pen.setLineWidth(1.2)
        tall = 34 + 11 * len(head.lines)
        pen.rect(x + WIDTH - panel, y - tall, panel, tall)
        self._fitted(pen, head.payer, 18, WIDTH - panel - 20, x, y - 20)
        self._black(pen)
        self._fitted(pen, head.title, 13, WIDTH - panel - 20, x, y - 40)
        pen.setFont(self.bold, 9)
        pen.drawString(x + WIDTH - panel + 8, y - 14, "SEND THE COMPLETED FORM")
        pen.draw_lines([*head.lines, head.form], x + WIDTH - panel + 8, y - 26, 11, self.font, 9)

    def _centered(self, head: _Head, pen: Any, x: float, y: float) -> None:
        middle = x + WIDTH / 2
        self._black(pen)
        pen.setFont(self.font, 11)
        pen.drawCentredString(middle, y - 11, head.payer)
        pen.setFont(self.bold, self._fit(head.title.upper(), 13, WIDTH))
        pen.drawCentredString(middle, y - 28, head.title.upper())
        pen.draw_lines([*head.lines, head.form], middle, y - 41, 10.5, self.font, 9, align="centred")
        below = y - 46 - 10.5 * len(head.lines)
        self._color(pen)
        _across(pen, x, below, 1.4)
        _across(pen, x, below - 2.5, 0.5)
        self._black(pen)

    def _rule(self, head: _Head, pen: Any, x: float, y: float) -> None:
        self._color(pen)
        self._fitted(pen, head.payer, 17, WIDTH - 210, x, y - 16)
        self._black(pen)
        pen.draw_lines([*head.lines, head.form], x + WIDTH, y - 9, 11, self.font, 9, align="right")
        self._fitted(pen, head.title, 12, WIDTH - 200, x, y - 36)
        self._color(pen)
        _across(pen, x, y - 48 - 11 * max(0, len(head.lines) - 2), 2.5)
        self._black(pen)

    def _fitted(self, pen: Any, text: str, size: float, room: float, x: float, y: float) -> None:
        """In bold, smaller where there is less room."""
        pen.setFont(self.bold, self._fit(text, size, room))
        pen.drawString(x, y, text)

    def _fit(self, text: str, size: float, room: float) -> float:
        return max(min(size, size * room / max(width_of(text, self.bold, size), 1)), LABEL)

    def _running(self, pen: Any, x: float, y: float) -> None:
        payer, form = self._running_text
        self._black(pen)
        pen.setFont(self.bold, 9)
        pen.drawString(x, y - 9, payer)
        pen.setFont(self.font, 9)
        pen.drawRightString(x + WIDTH, y - 9, form)
        self._color(pen)
        _across(pen, x, y - 14, 1)
        self._black(pen)

    def footer(self, pen: Any, identity: str, form_id: str, page: int, pages: int) -> None:
        y = MARGIN + 6
        pen.setStrokeGray(0)
        pen.setFillGray(0)
        _across(pen, MARGIN, y + 8, 0.5)
        pen.setFont(self.font, 8.5)
        lines = wrap(identity, self.font, 8.5, WIDTH - 90)
        pen.draw_lines(lines[:2], MARGIN, y - 2, 10)
        pen.drawRightString(MARGIN + WIDTH, y - 2, f"Page {page} of {pages}")

    # --- headings --------------------------------------------------------------------------------------------

    def heading(self, title: str, number: int) -> Piece:
        mark = self._mark(number)
        lines = wrap(formats.printable(title), self.bold, 10.5, WIDTH - 40)
        height = 12.0 * len(lines) + {"bar": 10, "rule": 9, "tab": 9, "caps": 12}[self._heading]
        return Piece(height, partial(self._draw_heading, mark, lines, height), True)

    def _mark(self, number: int) -> str:
        if not number or self._numbering == "none":
            return ""
        if self._numbering == "roman":
            return ROMAN[number]
        return chr(64 + number) if self._numbering == "letters" else str(number)

    def _draw_heading(self, mark: str, lines: list[str], height: float, pen: Any, x: float, y: float) -> None:
        tall = 12.0 * len(lines) + 4
        self._color(pen)
        left = x
        if self._heading == "bar":
            pen.rect(x, y - tall - 1, WIDTH, tall, stroke=0, fill=1)
            pen.setFillGray(1)
            left = x + 6
            lines = [self._marked(mark, lines[0]), *lines[1:]]
        elif self._heading == "tab":
            if mark:
                pen.rect(x, y - tall, 18, tall, stroke=0, fill=1)
                pen.setFillGray(1)
                pen.setFont(self.bold, 10.5)
                pen.drawCentredString(x + 9, y - 12, mark)
            _across(pen, x, y - tall, 1)
            self._black(pen)
            left = x + (24 if mark else 0)
        elif self._heading == "caps":
            _across(pen, x, y - tall - 2, 0.8)
            self._black(pen)
            lines = [line.upper() for line in wrap(" ".join(lines).upper(), self.bold, 10.5, WIDTH)]
        else:
            _across(pen, x, y - tall, 1.2)
            lines = [self._marked(mark, lines[0]), *lines[1:]]
        pen.draw_lines(lines, left, y - 12, 12, self.bold, 10.5)
        self._black(pen)

    def _marked(self, mark: str, line: str) -> str:
        if not mark:
            return line
        return f"Section {mark}   {line}" if self._numbering == "roman" else f"{mark}.  {line}"

    def notice(self, text: str) -> Piece:
        """A warning at the top, in a heavy frame."""
        lines = wrap(text, self.bold, 10, WIDTH - 16)
        height = 12.0 * len(lines) + 10

        def draw(pen: Any, x: float, y: float) -> None:
            self._black(pen)
            pen.setLineWidth(1.8)
            pen.rect(x, y - height, WIDTH, height)
            pen.draw_lines(lines, x + 8, y - 14, 12, self.bold, 10)

        return Piece(height + 6, draw)

    # --- cells -----------------------------------------------------------------------------------------------

    def wanted(self, label: float, value: float) -> float:
        """The width that a cell wants for a label and a value of these widths."""
        return label + value + 8 if self.cells == "lined" else max(label, value) + 8

    def _label_lines(self, label: str, width: float) -> list[str]:
        room = width * INLINE if self.cells == "lined" else width - 6
        return wrap(label, self.font, LABEL, max(room, 40))

    def _label_width(self, label: str, width: float) -> float:
        lines = self._label_lines(label, width)
        return max(width_of(line, self.font, LABEL) for line in lines) + 6

    def inner(self, label: str, width: float) -> float:
        """The width that is left for the value."""
        return width - self._label_width(label, width) if self.cells == "lined" else width - 4

    def cell_height(self, label: str, width: float, rows: int) -> float:
        lines = len(self._label_lines(label, width))
        if self.cells == "lined":
            return max(12.0 * rows + 5, 10.0 * lines + 7)
        return 10.0 * lines + 12.0 * rows + 6

    def cell(
        self, pen: Any, label: str, x: float, y: float, width: float, height: float, tall: bool = False
    ) -> Box:
        """Draws frame and label; returns where the value goes. A `tall` value begins beside a lined cell's label,
        a short one ends beside it."""
        self._black(pen)
        lines = self._label_lines(label, width)
        pen.setFont(self.font, LABEL)
        pen.setLineWidth(0.7)
        if self.cells == "lined":
            left = self._label_width(label, width)
            first = y - 11.5 if tall else y - height + 5.5 + 10 * (len(lines) - 1)
            pen.draw_lines(lines, x, first, 10)
            pen.line(x + left, y - height + 1, x + width, y - height + 1)
            return (x + left, y - height + 1.5, width - left, height - 1.5)
        pen.rect(x, y - height, width, height)
        pen.draw_lines(lines, x + 3, y - 9, 10)
        top = 10.0 * len(lines) + 2
        return (x + 1, y - height + 1, width - 2, height - top - 1)

    def box(self, pen: Any, x: float, y: float, size: float) -> None:
        pen.setStrokeGray(0)
        pen.setLineWidth(0.9)
        pen.rect(x, y, size, size)

    # --- tables ----------------------------------------------------------------------------------------------

    def table_head(self, pen: Any, x: float, y: float, widths: list[float], height: float) -> None:
        pen.setLineWidth(1)
        pen.line(x, y - height, x + sum(widths), y - height)
        self._frame(pen, x, y, widths, height)

    def table_row(self, pen: Any, x: float, y: float, widths: list[float], height: float) -> None:
        pen.setLineWidth(0.6)
        pen.setStrokeGray(0)
        if self.cells == "lined":
            pen.line(x, y - height, x + sum(widths), y - height)
        self._frame(pen, x, y, widths, height)

    def _frame(self, pen: Any, x: float, y: float, widths: list[float], height: float) -> None:
        for width in widths if self.cells != "lined" else ():
            pen.rect(x, y - height, width, height)
            x += width


def _across(pen: Any, x: float, y: float, weight: float) -> None:
    """A line over the width of the form, of so many points."""
    pen.setLineWidth(weight)
    pen.line(x, y, x + WIDTH, y)


def submission(template: FormTemplate, plan: Plan) -> list[str]:
    """Where the form goes, by its channel, and whom to ask."""
    ways = {"fax": ("Fax", plan.fax), "phone": ("Call", plan.phone), "portal": ("Portal", plan.portal)}
    way, place = ways.get(template.channel, ("Mail", formats.address(plan.address)))
    phone = f"Questions: {plan.phone}" if plan.phone and template.channel != "phone" else ""
    return [line for line in (f"{way}: {place}" if place else "", phone) if line]
