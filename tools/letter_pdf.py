"""A letter on the practice's paper, as PDF. The same letter gives the same bytes."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from tools import formats
from tools.letters import Block, Letter

# The base fonts lack these signs; the Symbol font has them, so that a clause is quoted as it stands.
SYMBOLS = {"≥": "\u2265", "≤": "\u2264", "≠": "\u2260", "→": "\u2192"}


def letter_pdf(letter: Letter) -> bytes:
    """The letter, set on US letter paper, with page numbers from the second page on."""
    from reportlab import rl_config
    from reportlab.platypus import SimpleDocTemplate

    rl_config.invariant = 1
    buffer = BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=(612, 792),
        leftMargin=68,
        rightMargin=68,
        topMargin=50,
        bottomMargin=58,
        title=letter.title,
        author="Paladin draft, unsigned",
        invariant=1,
    )
    story = [flowable for block in letter.blocks for flowable in _flowables(block)]
    document.build(story, onFirstPage=_first_page, onLaterPages=_later_page(letter.title))
    return buffer.getvalue()


def _first_page(canvas: Any, document: Any) -> None:
    pass


def _later_page(title: str) -> Any:
    def draw(canvas: Any, document: Any) -> None:
        canvas.setFont("Times-Roman", 9)
        canvas.drawString(68, 36, formats.printable(title))
        canvas.drawRightString(544, 36, f"Page {document.page}")

    return draw


def _flowables(block: Block) -> list[Any]:
    from reportlab.platypus import HRFlowable, KeepTogether, Paragraph, Spacer

    style, lines = _styles(), [line for line in block.lines if line]
    if block.kind == "head":
        rest = [Paragraph(_markup(line), style["place"]) for line in lines[1:]]
        rule = HRFlowable(width="100%", thickness=0.8, color="#000000", spaceBefore=6, spaceAfter=14)
        return [Paragraph(_markup(lines[0]), style["practice"]), *rest, rule]
    if block.kind == "subject":
        return [
            Paragraph(f"<b>{_markup(lines[0])}</b>", style["lines"]),
            *(Paragraph(_markup(line), style["lines"]) for line in lines[1:]),
            Spacer(1, 10),
        ]
    if block.kind == "lines":
        return [*(Paragraph(_markup(line), style["lines"]) for line in lines), Spacer(1, 10)]
    if block.kind == "criterion":
        number, quote, shown = block.lines
        said = (
            f"<b>{_markup(number)}</b>&nbsp; <i>\u201c{_markup(quote)}\u201d</i>"
            if quote
            else _markup(number)
        )
        if not shown:
            return [Paragraph(said, style["quote"])]
        return [KeepTogether([Paragraph(said, style["quote"]), Paragraph(_markup(shown), style["shown"])])]
    if block.kind == "bullet":
        return [Paragraph(_markup(lines[0]), style["bullet"], bulletText="\u2022")]
    if block.kind == "signature":
        return [KeepTogether(_signature(lines, style))]
    return [Paragraph(_markup(line), style[block.kind]) for line in lines]


def _signature(lines: list[str], style: dict[str, Any]) -> list[Any]:
    from reportlab.platypus import Paragraph, Spacer

    ruled = "Signature " + "_" * 38 + "&nbsp;&nbsp;&nbsp; Date " + "_" * 16
    return [
        Spacer(1, 10),
        Paragraph(_markup(lines[0]), style["text"]),
        Spacer(1, 26),
        Paragraph(ruled, style["lines"]),
        *(Paragraph(_markup(line), style["lines"]) for line in lines[1:]),
    ]


@lru_cache(maxsize=4096)
def _markup(text: str) -> str:
    parts = []
    for char in text:
        if char in SYMBOLS:
            parts.append(f'<font name="Symbol">{SYMBOLS[char]}</font>')
        else:
            parts.append(escape(formats.printable(char)))
    return "".join(parts)


@lru_cache(maxsize=1)
def _styles() -> dict[str, Any]:
    from reportlab.lib.styles import ParagraphStyle

    base = ParagraphStyle("text", fontName="Times-Roman", fontSize=11, leading=14, spaceAfter=7)
    return {
        "text": base,
        "lines": ParagraphStyle("lines", base, spaceAfter=0),
        "practice": ParagraphStyle(
            "practice", base, fontName="Times-Bold", fontSize=15, leading=18, spaceAfter=2
        ),
        "place": ParagraphStyle("place", base, fontSize=10, leading=12.5, spaceAfter=0),
        "heading": ParagraphStyle(
            "heading", base, fontName="Times-Bold", fontSize=11.5, spaceBefore=8, spaceAfter=4, keepWithNext=1
        ),
        "quote": ParagraphStyle("quote", base, spaceAfter=1, keepWithNext=1),
        "shown": ParagraphStyle("shown", base, leftIndent=18, spaceAfter=6),
        "bullet": ParagraphStyle("bullet", base, leftIndent=14, bulletIndent=2, spaceAfter=4),
        "notice": ParagraphStyle(
            "notice",
            base,
            fontName="Times-Bold",
            borderWidth=1.4,
            borderColor="#000000",
            borderPadding=6,
            spaceAfter=16,
        ),
    }
