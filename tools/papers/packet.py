"""The packet: all that goes to the payer as one PDF. Its first page says what is in it and what is still to be
attached; every page says whom it is about, our reference, and which page of how many it is.

The same case and the same files give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.domain.records import Document, FormTemplate, PARequest
from tools.papers import formats
from tools.papers.attachments import Enclosure, enclosures
from tools.papers.blocks import Block, Letter, composed
from tools.papers.case import Case
from tools.papers.form_pdf import form_pages
from tools.papers.letter_pdf import letter_pages
from tools.papers.paper import Page, identity, pdf_of, reference
from tools.papers.payer_form import pages_in
from tools.papers.uploads import PDF, printed_pages

if TYPE_CHECKING:
    from pypdf import PageObject, PdfWriter

SHEET = (612.0, 792.0)
EDGE, ABOVE_STAMP = 24.0, 34.0  # around a page that was attached


class Packet(NamedTuple):
    """The file, and how many pages it has."""

    content: bytes
    pages: int


class _Part(NamedTuple):
    """One part: its title, and its pages as they are drawn, or those of a file that was attached or filled."""

    title: str
    drawn: tuple[Page, ...] = ()
    file: Document | None = None
    filled: bytes = b""

    @property
    def pages(self) -> int:
        if self.filled:
            return pages_in(self.filled)
        return self.file.pages if self.file else len(self.drawn)


def packet(
    template: FormTemplate,
    request: PARequest,
    case: Case,
    letter: Letter,
    file: Callable[[str], bytes],
    filled: bytes = b"",
) -> Packet:
    """Everything that goes out together.

    Args:
        file: the content of what was attached, by its SHA-256.
        filled: the payer's own PDF with the request in it, where it takes the place of the form that is drawn.
    """
    drawn = () if filled else tuple(form_pages(template, request, case))
    parts = [
        _Part(template.title if filled else f"Form {template.id}", drawn, filled=filled),
        _Part(letter.title.partition(":")[0], tuple(letter_pages(letter))),
        *_enclosed(case),
    ]
    opening = _contents(parts, case, 1)
    opening = _contents(parts, case, len(opening))  # once more, where its list needs a second page
    parts = [_Part("Contents", tuple(opening)), *parts]
    pages = sum(part.pages for part in parts)
    stamp = f"{identity(case)} · our reference {reference(case)}"
    sheets = [page for part in parts for page in part.drawn or [_blank] * part.pages]
    stamped = [_stamped(page, stamp, f"page {at} of {pages}") for at, page in enumerate(sheets, 1)]
    content = pdf_of(stamped, f"Prior authorization request {reference(case)}", template.id)
    if any(part.file or part.filled for part in parts):
        content = _with_files(content, parts, file)
    return Packet(content, pages)


# --- parts -----------------------------------------------------------------------------------------------


def _enclosed(case: Case) -> list[_Part]:
    """Each paper once, under the names of all documents for which it stands."""
    titles: dict[str, list[str]] = {}
    found: dict[str, Enclosure] = {}
    for paper in enclosures(case):
        if paper.enclosed:
            key = paper.document.sha256 if paper.document else repr(paper.charted.ids)
            titles.setdefault(key, []).append(paper.attachment.label)
            found.setdefault(key, paper)
    return [_part("; ".join(dict.fromkeys(titles[key])), paper, case) for key, paper in found.items()]


def _part(title: str, paper: Enclosure, case: Case) -> _Part:
    if paper.document:
        day = f", {formats.long_date(paper.document.date)}" if paper.document.date else ""
        return _Part(f"{title}: {paper.document.title}{day}", file=paper.document)
    blocks = composed("excerpts.j2", title=title, identity=identity(case), excerpts=paper.excerpts)
    return _Part(f"{title} (from the chart)", tuple(_sheet(blocks)))


def _contents(parts: Sequence[_Part], case: Case, own: int) -> list[Page]:
    """The first page. `own` is how many pages it has itself."""
    lacking = [paper.attachment for paper in enclosures(case) if not paper.enclosed]
    listed = places([(part.title, part.pages) for part in parts], own)
    blocks = composed(
        "contents.j2", case=case, doctor=case.patient.prescriber, identity=identity(case), lacking=lacking,
        reference=reference(case), listed=listed, total=own + sum(part.pages for part in parts),
    )  # fmt: skip
    return _sheet(blocks)


def places(parts: Iterable[tuple[str, int]], before: int) -> list[str]:
    """Each part's title, of which the number of pages is known, and where it stands after so many pages."""
    listed, page = [], before + 1
    for title, count in parts:
        last = page + count - 1
        listed.append(f"{title}: page {page}" if count == 1 else f"{title}: pages {page} to {last}")
        page += count
    return listed


def _sheet(blocks: Sequence[Block]) -> list[Page]:
    """Pages without a foot of their own: the packet's stamp says it all."""
    return letter_pages(Letter(title="", case_id="", blocks=tuple(blocks), facts=()))


# --- pages -----------------------------------------------------------------------------------------------


def _blank(pen: Any) -> None:
    """A page whose content comes from a file."""


def _stamped(page: Page, stamp: str, number: str) -> Page:
    def draw(pen: Any) -> None:
        page(pen)
        pen.setFillGray(0)
        pen.setFont("Helvetica", 8)
        pen.drawString(EDGE, 18, formats.printable(stamp))
        pen.drawRightString(SHEET[0] - EDGE, 18, number)

    return draw


def _with_files(content: bytes, parts: Sequence[_Part], file: Callable[[str], bytes]) -> bytes:
    """The packet, with the attached pages on the sheets that were left for them."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    at = 0
    for part in parts:
        if part.file or part.filled:
            kind = part.file.media_type if part.file else PDF
            pages = printed_pages(part.filled or file(part.file.sha256 if part.file else ""), kind)
            for number, page in enumerate(pages, at):
                _place(writer, number, page)
        at += part.pages
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _place(writer: PdfWriter, number: int, page: PageObject) -> None:
    """The attached page above the stamp, no larger than it was."""
    from pypdf import Transformation

    box = page.cropbox
    width, height = float(box.width), float(box.height)
    room = (SHEET[0] - 2 * EDGE, SHEET[1] - EDGE - ABOVE_STAMP)
    scale = min(1.0, room[0] / width, room[1] / height)
    left = (SHEET[0] - width * scale) / 2
    bottom = ABOVE_STAMP + (room[1] - height * scale) / 2
    moved = Transformation().translate(-float(box.left), -float(box.bottom)).scale(scale)
    writer.pages[number].merge_transformed_page(page, moved.translate(left, bottom))
