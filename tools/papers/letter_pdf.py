"""A letter on the practice's paper, as PDF. The same letter gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from tools.papers import formats
from tools.papers.composed import Block, Letter
from tools.papers.form_layout import Block as Piece
from tools.papers.form_layout import pages_of, space, width_of, wrap
from tools.papers.paper import Page, pdf_of

LEFT, TOP, BOTTOM, WIDTH = 68.0, 742.0, 62.0, 476.0
NUMBER_GAP = 7.0
# The base fonts lack these signs; Symbol has them, so that a clause is quoted as it stands. Each has an ASCII
# sign of about its width, by which lines are measured.
SYMBOLS = {"≥": "\u2265", "≤": "\u2264", "≠": "\u2260", "→": "\u2192"}
STAND_INS = str.maketrans({"≥": "+", "≤": "+", "≠": "+", "→": "M"})


class Style(NamedTuple):
    """Font, size and leading in points, how far it is set in, and the space below it."""

    font: str = "Times-Roman"
    size: float = 11
    leading: float = 14
    indent: float = 0
    after: float = 7


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


def letter_pdf(letter: Letter) -> bytes:
    """The letter, set on US letter paper, with whom it is about and the page's number at the foot of each."""
    return pdf_of(letter_pages(letter), letter.title)


def letter_pages(letter: Letter) -> list[Page]:
    """The letter's pages."""
    pieces = [piece for block in letter.blocks for piece in _pieces(block)]
    pages = pages_of(pieces, TOP - BOTTOM, TOP - BOTTOM)
    foot = letter.identity or letter.title
    return [partial(_page, page, foot, f"Page {at} of {len(pages)}") for at, page in enumerate(pages, 1)]


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


def _pieces(block: Block) -> Iterator[Piece]:
    if block.kind == "verbatim":
        for line in block.lines:
            yield from _set(line, VERBATIM) if line.strip() else (space(VERBATIM.leading),)
        return
    lines = [line for line in block.lines if line]
    if block.kind == "head":
        yield from _head(lines)
    elif block.kind == "subject":
        yield from _set(lines[0], BOLD_LINE)
        yield from _block(lines[1:])
    elif block.kind == "lines":
        yield from _block(lines)
    elif block.kind == "heading":
        yield space(8)
        yield from _set(lines[0], HEADING, keep=True)
    elif block.kind == "criterion":
        yield from _criterion(*block.lines)
    elif block.kind == "bullet":
        yield from _set(lines[0], BULLET, mark="\u2022")
    elif block.kind == "numbered":
        yield from _set(lines[1], BULLET._replace(indent=18), mark=f"{lines[0]}.")
    elif block.kind == "signature":
        yield from _signature(lines)
    elif block.kind == "notice":
        yield from _notice(lines[0])
    else:
        yield from _set(" ".join(lines), TEXT)


def _head(lines: list[str]) -> Iterator[Piece]:
    yield from _set(lines[0], PRACTICE)
    for line in lines[1:]:
        yield from _set(line, PLACE)
    yield Piece(28, _rule)


def _rule(pen: Any, x: float, y: float) -> None:
    pen.setLineWidth(0.8)
    pen.line(x, y - 8, x + WIDTH, y - 8)


def _block(lines: list[str]) -> Iterator[Piece]:
    for line in lines:
        yield from _set(line, LINE)
    yield space(11)


def _criterion(number: str, quote: str, shown: str) -> Iterator[Piece]:
    """The clause's number, its words in italics beside it, and below what the record shows."""
    margin = width_of(number, "Times-Bold", TEXT.size) + NUMBER_GAP if number else 0.0
    if quote:
        style = QUOTE._replace(indent=margin)
        yield from _set(f"\u201c{quote}\u201d", style, mark=number, mark_font="Times-Bold", keep=bool(shown))
    if shown:
        yield from _set(shown, SHOWN if quote else TEXT)


def _signature(lines: list[str]) -> Iterator[Piece]:
    yield space(10)
    yield from _set(lines[0], TEXT, keep=True)
    yield Piece(42, _signature_lines, keep=True)
    for place, line in enumerate(lines[1:], 2):
        yield from _set(line, LINE, keep=place < len(lines))


def _signature_lines(pen: Any, x: float, y: float) -> None:
    pen.setFont("Times-Roman", 11)
    pen.setLineWidth(0.7)
    pen.drawString(x, y - 36, "Signature")
    pen.line(x + 50, y - 38, x + 280, y - 38)
    pen.drawString(x + 300, y - 36, "Date")
    pen.line(x + 328, y - 38, x + 440, y - 38)


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
    text: str, style: Style, mark: str = "", mark_font: str = "Times-Roman", keep: bool = False
) -> Iterator[Piece]:
    """A paragraph, a piece for each line; its first two lines stay together, and so do its last two."""
    lines = _lines(text, style, WIDTH)
    for place, line in enumerate(lines):
        last = place == len(lines) - 1
        height = style.leading + (style.after if last else 0)
        held = keep if last else place == 0 or place == len(lines) - 2
        yield Piece(height, _liner(line, style, mark if place == 0 else "", mark_font), held)


def _liner(line: str, style: Style, mark: str, mark_font: str) -> Any:
    def draw(pen: Any, x: float, y: float) -> None:
        base = y - style.size
        if mark:
            _draw(pen, mark, style._replace(font=mark_font), x, base)
        _draw(pen, line, style, x + style.indent, base)

    return draw


def _lines(text: str, style: Style, width: float) -> list[str]:
    """Wrapped by the stand-ins' widths; the signs come back at their places."""
    shown = text if text.isascii() else "".join(map(_showable, text))
    wrapped = wrap(shown.translate(STAND_INS), style.font, style.size, width - style.indent)
    lines, at = [], 0
    for line in wrapped:
        at += shown[at : at + 1] == " " and not line.startswith(" ")
        lines.append(shown[at : at + len(line)])
        at += len(line)
    return lines


def _showable(char: str) -> str:
    return char if char in SYMBOLS else formats.printable(char)


def _draw(pen: Any, line: str, style: Style, x: float, y: float) -> None:
    for symbol, run in groupby(line, key=SYMBOLS.__contains__):
        text = "".join(run)
        font = "Symbol" if symbol else style.font
        pen.setFont(font, style.size)
        shown = "".join(SYMBOLS[char] for char in text) if symbol else text
        pen.drawString(x, y, shown)
        x += width_of(shown, font, style.size)
