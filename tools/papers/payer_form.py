"""A payer's own PDF, filled: its fields by their names, and flat paper by coordinates.

What is set into a box never leaves it: it shrinks to the form's smallest size, and then goes on in an addendum. The
same form and the same request give the same bytes. What the file would do by itself (scripts, a form that sends itself)
is taken out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tools.common.errors import Invalid
from tools.domain.records import Blank, Field, FilledField, FormTemplate, PARequest, PayerPdf, Section
from tools.papers import formats
from tools.papers.blocks import Block, Letter, heading, paragraph
from tools.papers.case import Case
from tools.papers.form_layout import width_of, wrap
from tools.papers.form_sources import COLUMNS, KINDS
from tools.papers.forms import BESIDE
from tools.papers.letter_pdf import letter_pages
from tools.papers.paper import AUTHOR, Page, identity, pdf_of

if TYPE_CHECKING:
    from pypdf import PdfReader, PdfWriter

FONT, LARGEST, INSIDE = "Helvetica", 10.0, 2.0  # points; INSIDE is the margin of a box
LEADING = 1.16  # of the size
MORE = "(see addendum)"
FURTHER = {
    "trials": "Further drugs tried",
    "labs": "Further results",
    "diagnoses": "Further diagnoses",
    "allergies": "Further allergies",
}
ALSO = {KINDS["renewal"]: KINDS["continuation"]}  # what a value is, too, where the paper has no box for it
REPEATED = {column: kind for kind, columns in COLUMNS.items() for column in columns}
MULTILINE, COMB = 1 << 12, 1 << 24
# What would act by itself in the filled file, by where it stands.
ACTIVE = ("/OpenAction", "/AA", "/Names", "/XFA", "/NeedAppearances", "/A")

Box = tuple[float, float, float, float]  # left, bottom, right, top


# --- the form as a template ------------------------------------------------------------------------------


def template(plan_form: FormTemplate, form_id: str, title: str, pdf: PayerPdf, **how: Any) -> FormTemplate:
    """The payer's PDF as a template that is filled like any other.

    Args:
        plan_form: the form that the plan has otherwise; its channel and what goes with it stay.
        how: `date_format` and `units` of this paper.
    """
    named = zip(blank_ids(pdf.blanks), pdf.blanks, strict=True)
    single = tuple(_field(name, blank) for name, blank in named if not blank.row)
    sections = [Section(title=title, fields=single)]
    for kind in COLUMNS:
        first = {b.source: b for b in reversed(pdf.blanks) if b.row and REPEATED.get(b.source) == kind}
        columns = tuple(_field(_slug(source), blank) for source, blank in reversed(first.items()))
        if columns:
            sections.append(Section(title=kind.capitalize(), fields=columns, repeat=kind))  # type: ignore[arg-type]
    changed = {"id": form_id, "title": title, "sections": tuple(sections), "yes_no": "ticks", "pdf": pdf}
    return msgspec.structs.replace(plan_form, **changed, **how)


def blank_ids(blanks: Sequence[Blank]) -> list[str]:
    """A name for each blank, by which a filled field is found: the PDF's own name, or what goes there."""
    found: list[str] = []
    for blank in blanks:
        name = f"{_slug(blank.source)}.{blank.row}" if blank.row else _slug(blank.field or blank.label)
        same = sum(one == name or one.startswith(f"{name}__") for one in found)
        found.append(f"{name}__{same + 1}" if same and not blank.row else name)
    return found


def _field(name: str, blank: Blank) -> Field:
    return Field(
        id=name, label=blank.label or blank.field, source=blank.source, options=tuple(blank.marks),
        type="choice" if blank.marks else "text", required=blank.required,
    )  # fmt: skip


def _slug(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name)


# --- reading a file --------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def pages_in(content: bytes) -> int:
    """How many pages a PDF has."""
    from pypdf import PdfReader

    return len(PdfReader(BytesIO(content)).pages)


class Widget(NamedTuple):
    """One place where a field of the PDF is shown."""

    name: str
    kind: str  # text, choice, tick, radio, or signature
    page: int  # from 1
    box: Box
    states: tuple[str, ...]  # that a tick or radio button has when it is on; options of a choice
    flags: int
    most: int  # characters; 0 if it does not say
    size: float  # points, 0 if the viewer may choose
    tooltip: str
    entry: Any  # pypdf's dictionary


def opened(content: bytes, name: str) -> PdfReader:
    """The file, if it can be filled.

    Raises:
        Invalid: why not, in one line.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise Invalid(
                f"{name} is encrypted; ask the payer for one without a password, or print it to a new PDF"
            )
        pages = len(reader.pages)
        form: Any = reader.root_object.get("/AcroForm")
        form = form.get_object() if form is not None else {}
        if "/XFA" in form and not form.get("/Fields"):
            raise Invalid(
                f"{name} is an XFA form, which only its maker's program shows; print it to a new PDF"
            )
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise Invalid(f"{name} is no PDF that can be read ({type(error).__name__})") from error
    if not pages:
        raise Invalid(f"{name} is a PDF without pages")
    return reader


def widgets(file: PdfReader | PdfWriter) -> Iterator[Widget]:
    """Every field of the file where it is shown, page by page in the file's order."""
    for number, page in enumerate(file.pages, 1):
        for reference in page.get("/Annots") or ():
            entry = reference.get_object()
            if entry.get("/Subtype") == "/Widget" and "/Rect" in entry:
                yield _widget(entry, number)


def _widget(entry: Any, page: int) -> Widget:
    flags = int(_inherited(entry, "/Ff") or 0)
    x0, y0, x1, y1 = map(float, entry["/Rect"])
    kind = {"/Tx": "text", "/Ch": "choice", "/Sig": "signature"}.get(str(_inherited(entry, "/FT")), "tick")
    if kind == "tick" and flags & (1 << 15):
        kind = "radio"
    drawn = str(_inherited(entry, "/DA") or "").split()
    sizes = [operand for operand, operator in pairwise(drawn) if operator == "Tf"]
    return Widget(
        name=_full_name(entry),
        kind=kind,
        page=page,
        box=(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)),
        states=_states(entry, kind),
        flags=flags,
        most=int(_inherited(entry, "/MaxLen") or 0),
        size=_number(sizes[-1] if sizes else ""),
        tooltip=str(_inherited(entry, "/TU") or ""),
        entry=entry,
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _states(entry: Any, kind: str) -> tuple[str, ...]:
    if kind == "choice":
        options = [one.get_object() for one in _inherited(entry, "/Opt") or ()]
        return tuple(str(one[1]) if isinstance(one, list) else str(one) for one in options)
    if kind in ("text", "signature"):
        return ()
    shown = entry.get("/AP", {}).get("/N", {})
    return tuple(str(state).removeprefix("/") for state in shown.get_object() if state != "/Off")


def _with_parents(entry: Any) -> Iterator[Any]:
    """A field's dictionary, and those above it."""
    yield entry
    while "/Parent" in entry:
        entry = entry["/Parent"].get_object()
        yield entry


def _full_name(entry: Any) -> str:
    return ".".join(reversed([str(one["/T"]) for one in _with_parents(entry) if "/T" in one]))


def _inherited(entry: Any, key: str) -> Any:
    return next((one[key] for one in _with_parents(entry) if key in one), None)


# --- filling ---------------------------------------------------------------------------------------------


class _Text(NamedTuple):
    """Lines in a box."""

    box: Box
    size: float
    lines: tuple[str, ...]
    comb: int = 0  # cells of a character each

    def draw(self, pen: Any, x: float, y: float) -> None:
        """With the box's lower left corner at x, y."""
        left, bottom, right, top = self.box
        width, height = right - left, top - bottom
        pen.setFont(FONT, self.size)
        pen.setFillGray(0)
        if self.comb:
            for at, char in enumerate(self.lines[0] if self.lines else ""):
                pen.drawCentredString(
                    x + (at + 0.5) * width / self.comb, y + (height - self.size) / 2 + 1, char
                )
            return
        step = self.size * LEADING
        first = (height + step * len(self.lines)) / 2 - step if len(self.lines) == 1 else height - step - 1
        for at, line in enumerate(self.lines):
            pen.drawString(x + INSIDE, y + first - at * step + self.size * 0.24, line)


class Fitted(NamedTuple):
    """A text as it is set in a box, and the part of it that has no room there."""

    size: float
    lines: tuple[str, ...]
    rest: str = ""


def fitted(text: str, width: float, height: float, largest: float, smallest: float, several: bool) -> Fitted:
    """The text in the largest size in which it fits, down to the smallest; then as much as fits, and MORE.

    Args:
        several: may it have more than one line?
    """
    text = " ".join(text.split()) if not several else text
    sizes = [largest - 0.5 * step for step in range(int((largest - smallest) * 2) + 1)] or [smallest]
    for size in sizes:
        lines = wrap(text, FONT, size, width - 2 * INSIDE)
        if len(lines) <= _rows(height, size, several):
            return Fitted(size, tuple(lines))
    size, room = sizes[-1], _rows(height, sizes[-1], several)
    words = text.split(" ")

    def begun(kept: int) -> list[str]:
        return wrap(f"{' '.join(words[:kept])} {MORE}", FONT, size, width - 2 * INSIDE)

    kept = bisect_left(range(1, len(words)), True, key=lambda kept: len(begun(kept)) > room)
    if kept:
        return Fitted(size, tuple(begun(kept)), " ".join(words[kept:]))
    fits = width_of(MORE, FONT, size) <= width - 2 * INSIDE
    return Fitted(size, (MORE,) if fits else ("+",), text)


def _rows(height: float, size: float, several: bool) -> int:
    return max(1, int((height - 2 * INSIDE) / (size * LEADING))) if several else 1


class _Filling:
    """One form while it is filled."""

    def __init__(self, form: FormTemplate, request: PARequest, content: bytes) -> None:
        from pypdf import PdfWriter

        assert form.pdf is not None
        self.pdf = form.pdf
        self.writer = PdfWriter(clone_from=opened(content, form.title))
        self.request = request
        self.held = {field.id: field for field in request.fields}
        self.by_name: dict[str, list[Widget]] = {}
        for widget in widgets(self.writer):
            self.by_name.setdefault(widget.name, []).append(widget)
        self.flat: list[tuple[int, _Text | Box]] = []
        self.set: list[tuple[Widget, _Text]] = []
        self.rest: list[tuple[str, str]] = []  # label, and what stands in full in the addendum

    def fill(self) -> None:
        for name, blank in zip(blank_ids(self.pdf.blanks), self.pdf.blanks, strict=True):
            field = self.held.get(name)
            value = formats.printable(field.value) if field else ""
            if value and blank.marks:
                self._mark(blank, value)
            elif value and blank.field:
                self._text_field(blank, value)
            elif value:
                page, *box = blank.at
                self.flat.append((int(page), self._text(blank, value, tuple(box), 0.0, None)))  # type: ignore[arg-type]
        self._rows_beyond()
        beside = (field for field in self.request.fields if field.section == BESIDE and field.value)
        self.rest += [(field.label, formats.printable(field.value)) for field in beside]

    def _mark(self, blank: Blank, value: str) -> None:
        mark = blank.marks.get(value) or blank.marks.get(ALSO.get(value, ""))
        if mark is None:
            if len(blank.marks) > 1:  # the paper has no box for it; one box alone says no by being empty
                self.rest.append((self._called(blank), value))
        elif not isinstance(mark, str):
            page, *box = mark
            self.flat.append((int(page), tuple(box)))  # type: ignore[arg-type]
        else:
            for widget in self._widgets(blank.field or mark, blank):
                if not blank.field:
                    _switch(widget, widget.states[0] if widget.states else "Yes")
                elif widget.kind == "choice":
                    self._text_field(blank, mark)
                elif mark in widget.states:
                    _switch(widget, mark)

    def _text_field(self, blank: Blank, value: str) -> None:
        from pypdf.generic import NameObject, TextStringObject

        shown = self._widgets(blank.field, blank)
        text = self._text(blank, value, shown[0].box, shown[0].size, shown[0])
        held = "".join(text.lines) if text.comb else _held(value, text.lines)
        _named(shown[0].entry)[NameObject("/V")] = TextStringObject(held)
        self.set += [(widget, text) for widget in shown]

    def _text(self, blank: Blank, value: str, box: Box, size: float, widget: Widget | None) -> _Text:
        width, height = box[2] - box[0], box[3] - box[1]
        if widget and widget.flags & COMB and widget.most:
            return self._combed(blank, value, box, widget.most)
        most = widget.most if widget else 0
        several = bool(widget.flags & MULTILINE) if widget else height >= 2 * LARGEST * LEADING
        largest = min(size or LARGEST, max(self.pdf.smallest, height * 0.78))
        found = fitted(value, width, height, largest, self.pdf.smallest, several)
        if most and len(value) > most:
            found = Fitted(found.size, (MORE if len(MORE) <= most else "+",), value)
        if found.rest:
            self.rest.append((self._called(blank), value))
        return _Text(box, found.size, found.lines)

    def _combed(self, blank: Blank, value: str, box: Box, cells: int) -> _Text:
        """A character to a cell; where there are too few, without what only parts them."""
        shown = value if len(value) <= cells else "".join(filter(str.isalnum, value))
        if len(shown) > cells:
            self.rest.append((self._called(blank), value))
            shown = "+"
        size = min(LARGEST, (box[3] - box[1]) * 0.78, (box[2] - box[0]) / cells * 1.3)
        return _Text(box, size, (shown,), cells)

    def _called(self, blank: Blank) -> str:
        """Its label, and of a table's cell also what its row is about."""
        if not blank.row:
            return blank.label
        kind = REPEATED[blank.source]
        about = next(b.source for b in self.pdf.blanks if b.row and REPEATED[b.source] == kind)
        row = self.held.get(f"{_slug(about)}.{blank.row}") if about != blank.source else None
        return f"{blank.label}, {formats.printable(row.value)}" if row else blank.label

    def _widgets(self, name: str, blank: Blank) -> list[Widget]:
        if name not in self.by_name:
            raise Invalid(f"the PDF has no field {name!r}, which the mapping names for {blank.label!r}")
        return self.by_name[name]

    def _rows_beyond(self) -> None:
        """Records for which the paper has no row."""
        rows: dict[str, int] = {}
        for blank in self.pdf.blanks:
            if blank.row:
                rows[REPEATED[blank.source]] = max(rows.get(REPEATED[blank.source], 0), blank.row)
        for kind, most in rows.items():
            beyond: dict[int, list[FilledField]] = {}
            for field in self.request.fields:
                name, _, place = field.id.rpartition(".")
                ours = field.section == kind.capitalize() and name and place.isdigit()
                if ours and int(place) > most and field.value:
                    beyond.setdefault(int(place), []).append(field)
            said = [", ".join(formats.printable(f.value) for f in fields) for fields in beyond.values()]
            if said:
                self.rest.append((FURTHER[kind], "; ".join(said)))

    # --- putting it into the file ------------------------------------------------------------------------

    def finish(self, title: str, case: Case) -> bytes:
        self._draw_appearances()
        self._draw_flat()
        for page in _pages(_addendum(title, self.rest, case), title) if self.rest else ():
            self.writer.add_page(page)
        _pacify(self.writer)
        self.writer.metadata = {"/Title": title, "/Author": AUTHOR}
        buffer = BytesIO()
        self.writer.write(buffer)
        return buffer.getvalue()

    def _draw_appearances(self) -> None:
        """Each text on a sheet of its field's size, which becomes what the field shows."""

        def draw(widget: Widget, text: _Text, pen: Any) -> None:
            left, bottom, right, top = widget.box
            pen.setPageSize((right - left, top - bottom))
            _draw_frame(pen, widget)
            text.draw(pen, 0, 0)

        pages = _pages([partial(draw, widget, text) for widget, text in self.set])
        for (widget, _), page in zip(self.set, pages, strict=True):
            _show(self.writer, widget, page)

    def _draw_flat(self) -> None:
        for number in sorted({page for page, _ in self.flat}):
            sheet = self.writer.pages[number - 1]
            size = (float(sheet.mediabox.right), float(sheet.mediabox.top))
            items = [item for on, item in self.flat if on == number]
            sheet.merge_page(_pages([partial(_draw_items, size, items)])[0])


def filled_pdf(form: FormTemplate, request: PARequest, case: Case, content: bytes) -> bytes:
    """The payer's PDF with the request in it, and what it has no room for on pages of its own behind it.

    Args:
        form: made by `template`.
        request: filled for it by `forms.fill`.
        content: the payer's file.

    Raises:
        Invalid: the file is not the one that the mapping was made for, or has no such field.
    """
    if form.pdf is None or sha256(content).hexdigest() != form.pdf.sha256:
        raise Invalid(
            f"{form.title} is not the PDF that its mapping was made for; `pa form learn` reads the new one"
        )
    filling = _Filling(form, request, content)
    filling.fill()
    return filling.finish(form.title, case)


def _addendum(title: str, rest: Iterable[tuple[str, str]], case: Case) -> list[Page]:
    blocks = [Block(kind="subject", lines=(f"Addendum to: {title}", identity(case)))]
    for label, text in rest:
        blocks += [heading(label), paragraph(text)]
    return letter_pages(
        Letter(title=title, case_id="", blocks=tuple(blocks), facts=(), identity=identity(case))
    )


def _pages(drawn: Sequence[Page], title: str = "") -> Sequence[Any]:
    """Pages as they are drawn, to be set into another file."""
    from pypdf import PdfReader

    return PdfReader(BytesIO(pdf_of(drawn, title))).pages if drawn else ()


def _draw_items(size: tuple[float, float], items: Iterable[_Text | Box], pen: Any) -> None:
    pen.setPageSize(size)
    for item in items:
        if isinstance(item, _Text):
            item.draw(pen, item.box[0], item.box[1])
        else:
            _cross(pen, item)


def _draw_frame(pen: Any, widget: Widget) -> None:
    """The field's own ground and border, as its maker chose them."""
    from reportlab.lib.colors import CMYKColor, Color

    def color(numbers: Any) -> Any:
        tones = [float(number) for number in numbers or ()]
        if len(tones) == 4:
            return CMYKColor(*tones)
        return Color(*tones if len(tones) == 3 else tones * 3) if len(tones) in (1, 3) else None

    look = widget.entry.get("/MK", {}).get_object() if "/MK" in widget.entry else {}
    ground, border = color(look.get("/BG")), color(look.get("/BC"))
    left, bottom, right, top = widget.box
    wide = float(widget.entry["/BS"].get_object().get("/W", 1)) if "/BS" in widget.entry else 1.0
    if ground:
        pen.setFillColor(ground)
    if border:
        pen.setStrokeColor(border)
        pen.setLineWidth(wide)
    if ground or (border and wide):
        inset = wide / 2 if border else 0.0
        size = (right - left - 2 * inset, top - bottom - 2 * inset)
        pen.rect(inset, inset, *size, stroke=int(bool(border and wide)), fill=int(bool(ground)))


def _held(value: str, lines: Sequence[str]) -> str:
    """What the field holds: all of it, or what is shown of it."""
    return value if not any(MORE in line or line == "+" for line in lines[-2:]) else " ".join(lines)


def _named(entry: Any) -> Any:
    """The field that a widget shows: itself, or the one above it that has the name."""
    *above, top = _with_parents(entry)
    return next((one for one in above if "/T" in one), top)


def _show(writer: PdfWriter, widget: Widget, page: Any) -> None:
    """Make a page's content the field's appearance."""
    from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, StreamObject

    left, bottom, right, top = widget.box
    shown = StreamObject()
    content = page.get_contents()
    shown.set_data(b"/Tx BMC q\n" + (content.get_data() if content is not None else b"") + b"\nQ EMC")
    shown[NameObject("/Type")], shown[NameObject("/Subtype")] = NameObject("/XObject"), NameObject("/Form")
    shown[NameObject("/BBox")] = ArrayObject(map(FloatObject, (0, 0, right - left, top - bottom)))
    shown[NameObject("/Resources")] = page["/Resources"].get_object().clone(writer)
    looks = DictionaryObject({NameObject("/N"): writer._add_object(shown)})
    widget.entry[NameObject("/AP")] = looks


def _switch(widget: Widget, state: str) -> None:
    """Turn a tick box or a radio button on."""
    from pypdf.generic import NameObject

    widget.entry[NameObject("/AS")] = NameObject(f"/{state}")
    _named(widget.entry)[NameObject("/V")] = NameObject(f"/{state}")


def _cross(pen: Any, box: Box) -> None:
    left, bottom, right, top = box
    inset = (right - left) * 0.2
    pen.setLineWidth(1.4)
    pen.setStrokeGray(0)
    pen.line(left + inset, bottom + inset, right - inset, top - inset)
    pen.line(left + inset, top - inset, right - inset, bottom + inset)


def _pacify(writer: PdfWriter) -> None:
    """Take out what the file would do by itself."""
    root = writer._root_object
    form = root.get("/AcroForm")
    for holder in filter(None, (root, form.get_object() if form else None)):
        for key in ACTIVE:
            if key in holder:
                del holder[key]
    for widget in widgets(writer):
        for key in ("/AA", "/A"):
            if key in widget.entry:
                del widget.entry[key]
