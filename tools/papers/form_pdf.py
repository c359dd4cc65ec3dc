"""The payer's form as a fillable PDF: one renderer, as many looks as templates ask for.

Black text of 8.5 points and more, strokes instead of tints, values as real form fields: it reads the same on
a screen, on paper and at the other end of a fax. The same case gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate, groupby
from typing import Any

from tools.domain.records import Attachment, FilledField, FormTemplate, PARequest, Section
from tools.papers import formats
from tools.papers.acroform import FONT as VALUE_FONT
from tools.papers.acroform import LEADING, PAD, SIZE, Fields
from tools.papers.case import Case
from tools.papers.form_layout import (
    FOOT,
    MARGIN,
    PAGE_HEIGHT,
    WIDTH,
    Piece,
    column_widths,
    pages_of,
    rows_of,
    space,
    width_of,
    wrap,
)
from tools.papers.form_look import LABEL, Box, Look
from tools.papers.paper import Page, pdf_of

LINES_ON_FORM, LINES_ON_ADDENDUM = 18, 46
LEAST = {"date": 84.0, "number": 72.0, "text": 108.0}
KEPT_TOGETHER = 160.0  # a table no taller than this is not split over pages
ONE_LINE = 15.0  # a value of one line stands at the bottom of a taller cell
BOX = 10.0  # side of a tick box
SLACK = 0.96  # of a line's width is used: a viewer may put a somewhat wider font in Helvetica's place
FEW_ROWS = 3  # tables have at least so many rows, for what is added by hand


def render_pdf(template: FormTemplate, request: PARequest, case: Case) -> bytes:
    """The form's bytes; fields are named by FilledField.id, long ones go on as `<id>.continued.<n>`."""
    title = f"{template.title}: {case.drug.name}"
    return pdf_of(form_pages(template, request, case), title, template.id)


def form_pages(template: FormTemplate, request: PARequest, case: Case) -> list[Page]:
    """The form's pages, to be drawn in their order on one canvas."""
    return _Sheet(template, request, case).pages()


class _Sheet:
    """One form while it is being drawn."""

    fields: Fields  # of the canvas on which the first page is drawn

    def __init__(self, template: FormTemplate, request: PARequest, case: Case) -> None:
        self.template, self.request, self.case = template, request, case
        self.look = Look(template.look)
        self.overflow: list[tuple[FilledField, str]] = []

    def pages(self) -> list[Page]:
        head = self.look.header(self.template, self.case.plan)
        blocks = [*self._blocks(), *self._addendum()]
        first = PAGE_HEIGHT - MARGIN - FOOT - head.height
        pages = pages_of(blocks, first, first + head.height - self.look.running.height)
        return [partial(self._page, head, number, pages) for number in range(1, len(pages) + 1)]

    def _page(self, head: Piece, number: int, pages: Sequence[Sequence[Piece]], pen: Any) -> None:
        if number == 1:
            self.fields = Fields(pen)
        top = PAGE_HEIGHT - MARGIN
        for block in (head if number == 1 else self.look.running, *pages[number - 1]):
            block.draw(pen, MARGIN, top)
            top -= block.height
        self.look.footer(pen, self._identity(), self.template.id, number, len(pages))
        if number == len(pages):
            self.fields.finish()

    def _identity(self) -> str:
        patient, coverage = self.case.patient, self.case.coverage
        born = formats.written(patient.birth_date, self.template.date_format) if patient.birth_date else ""
        parts = (
            f"Patient: {patient.name}" if patient.name else "",
            f"DOB: {born}" if born else "",
            f"Member ID: {coverage.member_id}" if coverage and coverage.member_id else "",
            f"Plan: {self.case.plan.name}",
        )
        return formats.printable("    ".join(filter(None, parts)))

    # --- what stands on the form, top to bottom ------------------------------------------------------------

    def _blocks(self) -> Iterator[Piece]:
        if self.request.warning:
            yield self.look.notice(self.request.warning)
        yield self._paragraph(
            "Fields marked * are required. Unanswered questions are left for the prescriber."
        )
        grouped = groupby(self.request.fields, key=lambda field: field.section)
        by_title = {title: list(fields) for title, fields in grouped}
        shown = [s for s in self.template.sections if s.title in by_title]
        for number, section in enumerate(shown, 1):
            fields = by_title[section.title]
            closing = any(f.id == "signature" for f in fields)
            if closing:
                yield from self._attachments()
            yield self.look.heading(section.title, number)
            if section.repeat == "criteria":
                yield from self._questions(fields)
            elif section.repeat:
                yield from self._table(section, fields)
            else:
                if closing:
                    yield self._paragraph(self.template.attestation, keep=True)
                *before, last = self._cells(fields)
                yield from (block._replace(keep=block.keep or closing) for block in before)
                yield last
            yield space(6)

    def _paragraph(self, text: str, keep: bool = False) -> Piece:
        lines = wrap(formats.printable(text), self.look.font, 9, WIDTH)

        def draw(pen: Any, x: float, y: float) -> None:
            pen.setFillGray(0)
            pen.draw_lines(lines, x, y - 9, 11, self.look.font, 9)

        return Piece(11 * len(lines) + 5, draw, keep)

    def _attachments(self) -> Iterator[Piece]:
        if not self.request.attachments and not self.template.attachments:
            return
        # Kept with the signature: a signer sees what goes with the form, and no page holds a signature alone.
        together = len(self.request.attachments) <= 8
        yield self.look.heading("Attachments", 0)
        if self.template.attachments:
            wanted = "; ".join(self.template.attachments)
            yield self._paragraph(f"Send with this form: {wanted}.", keep=together)
        for place, paper in enumerate(self.request.attachments, 1):
            yield self._attachment(f"attachment.{place}", paper)._replace(keep=together)
        yield space(4)._replace(keep=together)

    def _attachment(self, name: str, paper: Attachment) -> Piece:
        day = f" ({formats.written(paper.date, self.template.date_format)})" if paper.date else ""
        lacks = "" if paper.enclosed else " - still to be attached"
        label = formats.printable(f"{paper.label}{day}{lacks}")
        lines = wrap(label, self.look.font, 9, WIDTH - BOX - 8)

        def draw(pen: Any, x: float, y: float) -> None:
            self.look.box(pen, x, y - BOX - 1, BOX)
            self.fields.tick(name, paper.enclosed, x, y - BOX - 1, BOX, lines[0])
            pen.draw_lines(lines, x + BOX + 6, y - 9, 12, self.look.font, 9)

        return Piece(max(12 * len(lines), BOX) + 3, draw)

    # --- cells ---------------------------------------------------------------------------------------------

    def _cells(self, fields: Sequence[FilledField]) -> Iterator[Piece]:
        look = self.look
        for row in rows_of(list(map(self._wanted, fields)), WIDTH, look.gap, look.columns):
            yield self._row([(fields[i], width) for i, width in row])

    def _wanted(self, field: FilledField) -> float:
        if field.type == "lines":
            return WIDTH
        label = width_of(self._label(field), self.look.bold, LABEL)
        if field.type == "choice":
            value = sum(self._option_width(option) for option in field.options)
        elif field.id == "signature":
            value = 250.0
        else:
            value = max(_value_width(field.value) + 2 * PAD + 6, LEAST.get(field.type, 100.0))
        return min(self.look.wanted(label, value), WIDTH)

    def _option_width(self, option: str) -> float:
        return BOX + 4 + width_of(option, self.look.font, 9) + 12

    def _label(self, field: FilledField) -> str:
        return f"{field.label} *" if field.required else field.label

    def _lines(self, field: FilledField, width: float) -> list[str]:
        """The value as it is wrapped here; what is too long goes on in the addendum."""
        lines = _wrapped(field.value, width) if field.value else []
        if len(lines) <= LINES_ON_FORM:
            return lines
        kept = lines[: LINES_ON_FORM - 1]
        rest = field.value[_length(field.value, kept) :].lstrip(" ")
        self.overflow.append((field, rest))
        return kept

    def _rows(self, field: FilledField, lines: list[str], least: int = 1) -> int:
        """Lines that it takes, with the one that says where it goes on."""
        return max(len(lines), least) + self._continues(field)

    def _continues(self, field: FilledField) -> bool:
        return any(known is field for known, _ in self.overflow)

    def _row(self, sized: list[tuple[FilledField, float]]) -> Piece:
        look = self.look
        cells = [(f, width, self._lines(f, look.inner(self._label(f), width))) for f, width in sized]
        rows = [self._rows(f, lines, 3 if f.type == "lines" else 1) for f, _, lines in cells]
        height = max(look.cell_height(self._label(f), w, n) for (f, w, _), n in zip(cells, rows, strict=True))

        def draw(pen: Any, x: float, y: float) -> None:
            for field, width, lines in cells:
                tall = field.type == "lines" or len(lines) > 1
                box = look.cell(pen, self._label(field), x, y, width, height, tall)
                if field.type == "choice":
                    self._options(pen, field, box)
                else:
                    self._value(pen, field, lines, box)
                x += width + look.gap

        return Piece(height + look.row_gap, draw)

    def _value(self, pen: Any, field: FilledField, lines: list[str], box: Box, at_top: bool = False) -> None:
        x, y, width, height = box
        if self._continues(field):
            pen.setFont(self.look.bold, LABEL)
            pen.drawString(x + PAD, y + 3, "(continued in the addendum)")
            y, height = y + LEADING, height - LEADING
        several = field.type == "lines" or len(lines) > 1
        if not several and height > ONE_LINE:
            y, height = (y + height - ONE_LINE if at_top else y), ONE_LINE
        shown = field.value[: _length(field.value, lines)] if self._continues(field) else field.value
        self.fields.text(field.id, shown, lines, (x, y, width, height), field.label, several)

    def _options(self, pen: Any, field: FilledField, box: Box) -> None:
        x, y, _, height = box
        y += (height - BOX) / 2
        places = []
        pen.setFont(self.look.font, 9)
        pen.setFillGray(0)
        x += 2
        for option in field.options:
            self.look.box(pen, x, y, BOX)
            pen.drawString(x + BOX + 4, y + 2, option)
            places.append((option, x, y))
            x += self._option_width(option)
        self.fields.choice(field.id, field.value, places, BOX, field.label)

    # --- questions -----------------------------------------------------------------------------------------

    def _questions(self, fields: Sequence[FilledField]) -> Iterator[Piece]:
        for _, pair in groupby(fields, key=lambda f: f.id.rpartition(".")[2]):
            question, *details = list(pair)
            yield self._question(question)._replace(keep=bool(details))
            yield from map(self._detail, details)

    def _question(self, field: FilledField) -> Piece:
        answer = sum(self._option_width(o) for o in field.options) if field.options else 46.0
        lines = wrap(self._label(field), self.look.font, 9.5, WIDTH - answer - 12)

        def draw(pen: Any, x: float, y: float) -> None:
            pen.setFillGray(0)
            pen.draw_lines(lines, x, y - 10.5, 11.5, self.look.font, 9.5)
            left = x + WIDTH - answer
            if field.options:
                self._options(pen, field, (left, y - BOX - 5, answer, BOX + 4))
                return
            pen.setLineWidth(0.7)
            pen.line(left, y - 15, left + 40, y - 15)
            shown = [field.value] if field.value else []
            self.fields.text(field.id, field.value, shown, (left, y - 15, 40, 15), field.label)

        return Piece(max(11.5 * len(lines), BOX + 4) + 5, draw)

    def _detail(self, field: FilledField) -> Piece:
        label = width_of(field.label, self.look.font, LABEL) + 8
        width = WIDTH - 16 - label
        lines = self._lines(field, width)
        height = LEADING * self._rows(field, lines) + 4

        def draw(pen: Any, x: float, y: float) -> None:
            pen.setFont(self.look.font, LABEL)
            pen.drawString(x + 16, y - 10.5, field.label)
            left = x + 16 + label
            pen.setLineWidth(0.5)
            pen.line(left, y - height, left + width, y - height)
            self._value(pen, field, lines, (left, y - height, width, height))

        return Piece(height + 5, draw)

    # --- tables --------------------------------------------------------------------------------------------

    def _table(self, section: Section, fields: Sequence[FilledField]) -> Iterator[Piece]:
        columns = len(section.fields)
        rows = [list(fields[start : start + columns]) for start in range(0, len(fields), columns)]
        labels = [self._label(f) for f in rows[0]]
        for place in range(len(rows) + 1, FEW_ROWS + 1):
            rows.append([self._spare(f, place) for f in rows[0]])
        widths = self._widths(labels, rows)
        head = self._table_head(labels, widths)
        drawn = [self._table_row(row, widths, head) for row in rows]
        together = sum(block.height for block in drawn) <= KEPT_TOGETHER
        yield from (head, *(block._replace(keep=together) for block in drawn[:-1]), drawn[-1])

    def _widths(self, labels: list[str], rows: list[list[FilledField]]) -> list[float]:
        wanted, least = [], []
        for column, label in enumerate(labels):
            values = [row[column].value for row in rows]
            head = width_of(label, self.look.bold, LABEL)
            wanted.append(max(head, *(_value_width(v) for v in values)) + 12)
            longest = max(_value_width(word) for v in values for word in v.split(" "))
            least.append(min(wanted[-1], max(70.0, longest + 10)))
        return column_widths(wanted, least, WIDTH)

    def _spare(self, field: FilledField, place: int) -> FilledField:
        name = field.id.rpartition(".")[0]
        return FilledField(id=f"{name}.{place}", section=field.section, label=field.label, type=field.type)

    def _table_head(self, labels: list[str], widths: list[float]) -> Piece:
        sized = zip(labels, widths, strict=True)
        heads = [wrap(label, self.look.bold, LABEL, width - 6) for label, width in sized]
        height = 10.0 * max(map(len, heads)) + 5

        def draw(pen: Any, x: float, y: float) -> None:
            pen.setFillGray(0)
            pen.setFont(self.look.bold, LABEL)
            for lines, left in zip(heads, accumulate(widths, initial=x), strict=False):
                pen.draw_lines(lines, left + 3, y - 9, 10)
            self.look.table_head(pen, x, y, widths, height)

        return Piece(height, draw, keep=True)

    def _table_row(self, row: list[FilledField], widths: list[float], head: Piece) -> Piece:
        shown = [self._lines(f, width - 2) for f, width in zip(row, widths, strict=True)]
        height = LEADING * max(map(self._rows, row, shown)) + 5

        def draw(pen: Any, x: float, y: float) -> None:
            self.look.table_row(pen, x, y, widths, height)
            for field, lines, width in zip(row, shown, widths, strict=True):
                self._value(pen, field, lines, (x + 1, y - height + 0.5, width - 2, height - 1), at_top=True)
                x += width

        return Piece(height, draw, again=head)

    # --- addendum ------------------------------------------------------------------------------------------

    def _addendum(self) -> Iterator[Piece]:
        if not self.overflow:
            return
        yield self.look.heading("Addendum", 0)
        for field, rest in self.overflow:
            lines = _wrapped(rest, WIDTH)
            parts = [lines[i : i + LINES_ON_ADDENDUM] for i in range(0, len(lines), LINES_ON_ADDENDUM)]
            for place, part in enumerate(parts, 1):
                text = rest if place == len(parts) else rest[: _length(rest, part)]
                rest = rest[len(text) :].lstrip(" ")
                yield self._paragraph(f"{field.label}, continued", keep=True)
                yield self._more(f"{field.id}.continued.{place}", text, part)

    def _more(self, name: str, text: str, lines: list[str]) -> Piece:
        height = LEADING * len(lines) + 6

        def draw(pen: Any, x: float, y: float) -> None:
            pen.setLineWidth(0.7)
            pen.rect(x, y - height, WIDTH, height)
            self.fields.text(name, text, lines, (x, y - height, WIDTH, height), name, True)

        return Piece(height + 6, draw)


def _value_width(text: str) -> float:
    return width_of(text, VALUE_FONT, SIZE) / SLACK


def _wrapped(text: str, width: float) -> list[str]:
    return wrap(text, VALUE_FONT, SIZE, (width - 2 * PAD) * SLACK)


def _length(text: str, lines: Sequence[str]) -> int:
    """How much of the text these first lines of it hold."""
    at = 0
    for line in lines:
        at = text.index(line, at) + len(line)
    return at
