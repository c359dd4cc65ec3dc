"""A letter on the practice's paper, as PDF. The same letter gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from tools.papers import formats
from tools.papers.blocks import Block, Letter
from tools.papers.form_layout import Piece, pages_of, space, width_of, wrap
from tools.papers.paper import Page, pdf_of

LEFT, TOP, BOTTOM, WIDTH = 68.0, 748.0, 54.0, 476.0
NUMBER_GAP = 7.0


class Style(NamedTuple):
    """Font, size and leading in points, how far it is set in, and the space below it."""

    font: str = "Times-Roman"
    size: float = 11
    leading: float = 14
    indent: float = 0
    after: float = 7


class Scale(NamedTuple):
    """How much smaller than usual: the type, and the space between paragraphs."""

    type: float = 1.0
    space: float = 1.0


TEXT = Style()
LINE = TEXT._replace(after=0)
BOLD_LINE = LINE._replace(font="Times-Bold")
PRACTICE = Style("Times-Bold", 15, 19, 0, 1)
PLACE = Style(size=10, leading=12.5, after=0)
HEADING = Style("Times-Bold", 11.5, 15, 0, 4)
QUOTE = TEXT._replace(font="Times-Italic", after=1)
SHOWN = TEXT._replace(indent=18, after=6)
BULLET = TEXT._replace(indent=14, after=4)
VERBATIM = Style("Courier", 8.5, 11, 0, 0)
NOTICE = Style("Times-Bold", 11, 14, 8, 0)
CELL = Style(size=9.5, leading=11.4, after=0)
CELL_HEAD, CELL_QUOTE = CELL._replace(font="Times-Bold"), CELL._replace(font="Times-Italic")
NUMBERS = 58.0  # points that the column of the clauses' numbers is wide at least
WITH_SIGNATURE = 3  # lines
SHORT_LIST = 6  # items
FULL = Scale()
# In which the page that argues is tried; 0.82 of 11 points is 9.
SCALES = (FULL, Scale(0.95, 0.95), Scale(0.9, 0.9), Scale(0.86, 0.86), Scale(0.82, 0.82), Scale(0.82, 0.3))


def letter_pdf(letter: Letter) -> bytes:
    """The letter, set on US letter paper, with whom it is about and the page's number at the foot of each."""
    return pdf_of(letter_pages(letter), letter.title)


def letter_pages(letter: Letter) -> list[Page]:
    """The letter's pages: what argues on one, set smaller if it has to be, and then the appendix."""
    kinds = [block.kind for block in letter.blocks]
    at = kinds.index("page") if "page" in kinds else len(kinds)
    argues = "signature" in kinds[:at] or at < len(kinds)
    pages = _argued(letter.blocks[:at]) if argues else _laid_out(letter.blocks)
    pages += _appended(letter.blocks[at + 1 :]) if at < len(kinds) else []
    foot = letter.identity or letter.title
    return [partial(_page, page, foot, f"Page {at} of {len(pages)}") for at, page in enumerate(pages, 1)]


def _argued(blocks: Sequence[Block]) -> list[list[Piece]]:
    """On one page in the largest type in which it fits; on several in full size where it fits in none."""
    tried = (_laid_out(blocks, scale) for scale in SCALES)
    return next((pages for pages in tried if len(pages) == 1), None) or _laid_out(blocks)


def _appended(blocks: Sequence[Block]) -> list[list[Piece]]:
    """On as few pages as a slightly smaller type makes it, in the largest of those."""
    full = _laid_out(blocks)
    return full if len(full) < 2 else min((full, *(_laid_out(blocks, s) for s in SCALES[1:3])), key=len)


def _laid_out(blocks: Sequence[Block], scale: Scale = FULL) -> list[list[Piece]]:
    """The pages; a signature has the end of the text with it, and a short list stands together under its heading."""
    pieces: list[Piece] = []
    clauses = [block.lines[2] for block in blocks if block.kind == "row"]
    widest = max((width_of(text, CELL_HEAD.font, CELL_HEAD.size) for text in clauses), default=0)
    numbers = max(NUMBERS, widest + NUMBER_GAP)
    items = 0  # of the list so far
    for block in blocks:
        items = items + 1 if block.kind == "bullet" else 0
        held = WITH_SIGNATURE if block.kind == "signature" else 1 if 1 < items <= SHORT_LIST else 0
        pieces[len(pieces) - held :] = [piece._replace(keep=True) for piece in pieces[len(pieces) - held :]]
        pieces += [_row(*block.lines, numbers=numbers)] if block.kind == "row" else _pieces(block, scale)
    return pages_of(pieces, TOP - BOTTOM, TOP - BOTTOM)


def _page(page: Sequence[Piece], foot: str, number: str, pen: Any) -> None:
    y = TOP
    for piece in page:
        piece.draw(pen, LEFT, y)
        y -= piece.height
    if foot:
        pen.setFont("Times-Roman", 9)
        pen.drawString(LEFT, 36, formats.printable(foot))
        pen.drawRightString(LEFT + WIDTH, 36, number)


# --- blocks ----------------------------------------------------------------------------------------------


def _pieces(block: Block, scale: Scale) -> Iterator[Piece]:
    if block.kind == "verbatim":
        for line in block.lines:
            yield from _set(line, VERBATIM) if line.strip() else (space(VERBATIM.leading),)
        return
    put = partial(_set, scale=scale)
    lines = [line for line in block.lines if line]
    if block.kind == "head":
        yield from _head(lines)
    elif block.kind in ("subject", "lines"):
        for place, line in enumerate(lines):
            yield from put(line, BOLD_LINE if block.kind == "subject" and place == 0 else LINE)
        yield space(11 * scale.space)
    elif block.kind == "heading":
        yield space(8 * scale.space)
        yield from put(lines[0], HEADING, keep=True)
    elif block.kind == "criterion":
        yield from _criterion(*block.lines)
    elif block.kind == "bullet":
        yield from put(lines[0], BULLET, mark="\u2022")
    elif block.kind == "numbered":
        yield from put(lines[1], BULLET._replace(indent=18), mark=f"{lines[0]}.")
    elif block.kind == "signature":
        yield from _signature(lines, scale)
    elif block.kind == "notice":
        yield from _notice(lines[0])
    elif lines:
        yield from put(" ".join(lines), TEXT)


def _head(lines: list[str]) -> Iterator[Piece]:
    yield from _set(lines[0], PRACTICE)
    for line in lines[1:]:
        yield from _set(line, PLACE)
    yield Piece(24, _rule)


def _rule(pen: Any, x: float, y: float) -> None:
    pen.setLineWidth(0.8)
    pen.line(x, y - 8, x + WIDTH, y - 8)


def _criterion(number: str, quote: str, shown: str) -> Iterator[Piece]:
    """The clause's number, its words in italics beside it, and below what the record shows."""
    margin = width_of(number, "Times-Bold", TEXT.size) + NUMBER_GAP if number else 0.0
    if quote:
        style = QUOTE._replace(indent=margin)
        yield from _set(f"\u201c{quote}\u201d", style, mark=number, mark_font="Times-Bold", keep=bool(shown))
    if shown:
        yield from _set(shown, SHOWN if quote else TEXT)


def _row(what: str, shown: str, number: str, quote: str, *, numbers: float) -> Piece:
    """A row of the appendix's table: the clause's number, and beside it the criterion, what the record shows, and the
    clause's words. Their lines run the width of the page: what reads the file joins long lines, and no short ones.

    Args:
        numbers: points that the column of the numbers is wide.
    """
    cells = ((what, CELL_HEAD), (shown, CELL), (f"\u201c{quote}\u201d" if quote else "", CELL_QUOTE))
    lines = [(line, style) for text, style in cells if text for line in _lines(text, style, WIDTH - numbers)]
    height = CELL.leading * len(lines) + 8

    def draw(pen: Any, x: float, y: float) -> None:
        pen.setLineWidth(0.4)
        pen.line(x, y - height + 3, x + WIDTH, y - height + 3)
        _draw(pen, number, CELL_HEAD, x, y - CELL.size)
        for place, (line, style) in enumerate(lines):
            _draw(pen, line, style, x + numbers, y - style.size - place * CELL.leading)

    return Piece(height, draw)


def _signature(lines: list[str], scale: Scale) -> Iterator[Piece]:
    yield space(10 * scale.space)._replace(keep=True, space=False)
    yield from _set(lines[0], TEXT, keep=True, scale=scale)
    yield Piece(36, _signature_lines, keep=True)
    for place, line in enumerate(lines[1:], 2):
        yield from _set(line, LINE, keep=place < len(lines), scale=scale)


def _signature_lines(pen: Any, x: float, y: float) -> None:
    pen.setFont("Times-Roman", 11)
    pen.setLineWidth(0.7)
    pen.drawString(x, y - 28, "Signature")
    pen.line(x + 50, y - 30, x + 280, y - 30)
    pen.drawString(x + 300, y - 28, "Date")
    pen.line(x + 328, y - 30, x + 440, y - 30)


def _notice(text: str) -> Iterator[Piece]:
    lines = _lines(text, NOTICE, WIDTH - 8)
    height = NOTICE.leading * len(lines) + 12

    def draw(pen: Any, x: float, y: float) -> None:
        pen.setLineWidth(1.4)
        pen.rect(x, y - height, WIDTH, height)
        for place, line in enumerate(lines):
            _draw(pen, line, NOTICE, x + NOTICE.indent, y - 16 - place * NOTICE.leading)

    yield Piece(height + 16, draw)


# --- lines -----------------------------------------------------------------------------------------------


def _set(
    text: str,
    style: Style,
    mark: str = "",
    mark_font: str = "Times-Roman",
    keep: bool = False,
    scale: Scale = FULL,
) -> Iterator[Piece]:
    """A paragraph, a piece for each line; its first two lines stay together, and so do its last two."""
    if scale is not FULL:
        style = style._replace(
            size=style.size * scale.type, leading=style.leading * scale.type, after=style.after * scale.space
        )
    lines = _lines(text, style, WIDTH)
    for place, line in enumerate(lines):
        last = place == len(lines) - 1
        height = style.leading + (style.after if last else 0)
        held = keep if last else place == 0 or place == len(lines) - 2
        before = mark if place == 0 else ""
        yield Piece(height, partial(_draw_line, line, style, before, style._replace(font=mark_font)), held)


def _draw_line(line: str, style: Style, mark: str, mark_style: Style, pen: Any, x: float, y: float) -> None:
    if mark:
        _draw(pen, mark, mark_style, x, y - style.size)
    _draw(pen, line, style, x + style.indent, y - style.size)


def _lines(text: str, style: Style, width: float) -> list[str]:
    """A clause is quoted with its signs as they stand."""
    return wrap(formats.printable(text, signs=True), style.font, style.size, width - style.indent)


def _draw(pen: Any, line: str, style: Style, x: float, y: float) -> None:
    pen.setFont(style.font, style.size)
    pen.drawString(x, y, line)
