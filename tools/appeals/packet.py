"""The packet: one PDF with the letter, the decision, the policy's clauses, the evidence and what the chart
has of it, with bookmarks and an index. The same case gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from tools.appeals.enclosures import beside, cited_clauses, rested_on
from tools.appeals.records import Strategy
from tools.common.errors import Invalid
from tools.denials.records import Denial
from tools.domain.records import Evidence, Finding, Policy
from tools.engine.documents import walk
from tools.papers import formats
from tools.papers.blocks import Block, Letter, composed, heading, paragraph
from tools.papers.case import Case
from tools.papers.exhibits import exhibits
from tools.papers.letter_pdf import letter_pdf
from tools.papers.packet import places
from tools.papers.paper import AUTHOR, canvas, identity, pdf_of
from tools.papers.typesetting import markup

COLUMNS = (112.0, 76.0, 162.0, 82.0, 44.0)  # points; together the width of a letter's lines
RULED = TableStyle([
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.grey),
    ("LINEBELOW", (0, 0), (-1, 0), 0.9, colors.black),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
])  # fmt: skip


class Part(NamedTuple):
    """One part of the packet: its bookmark and its pages."""

    title: str
    pdf: bytes


def packet(
    case: Case,
    denial: Denial,
    found: Strategy,
    letter: Letter,
    decision: str | bytes,
    policy: Policy | None = None,
) -> bytes:
    """Everything that goes out together. `decision` is the payer's letter, as text or as the PDF that came."""
    reasons = [reason for reason in found.reasons if reason.standing == "refuted"]
    findings = rested_on(case, reasons)
    dated = f" of {formats.long_date(denial.dated.value)}" if denial.dated else ""
    parts = [
        Part("Letter of appeal", letter_pdf(letter)),
        Part(f"The decision{dated}", _decision(decision, case)),
        *_policy(case, cited_clauses(case, reasons), policy),
        *_evidence(case, findings),
        *_chart(case, findings, beside(case, reasons)),
    ]
    return _bound(case, letter.title, parts)


# --- parts -----------------------------------------------------------------------------------------------


def _decision(decision: str | bytes, case: Case) -> bytes:
    if isinstance(decision, bytes):
        return decision
    lines = [line.rstrip() for line in decision.splitlines()]
    return _page("The payer's letter, as it was received", [Block(kind="verbatim", lines=tuple(lines))], case)


def _policy(case: Case, cited: dict[str, str], policy: Policy | None) -> list[Part]:
    """The clauses that bear on the reasons, in the policy's order, each as it stands."""
    if not cited:
        return []
    name = case.determination.policy_id
    if policy is not None:
        order = {clause.id: place for place, clause in enumerate(policy.clauses)}
        cited = dict(sorted(cited.items(), key=lambda item: order.get(item[0], len(order))))
    blocks = composed("cited_clauses.j2", name=name, plan=case.plan, policy=policy, cited=cited)
    return [Part(f"Policy {name}: clauses cited", _page("The policy's clauses", blocks, case))]


def _chart(case: Case, findings: Iterable[Finding], also: Iterable[str]) -> list[Part]:
    """What the chart has, by kind of record, with the records' ids."""
    blocks: list[Block] = []
    for exhibit in exhibits(case, findings, also):
        blocks.append(heading(exhibit.label))
        blocks += [Block(kind="bullet", lines=(line,)) for line in exhibit.lines]
        blocks.append(paragraph(f"Records: {', '.join(exhibit.record_ids)}"))
    return [Part("Chart excerpts", _page("Chart excerpts", blocks, case))] if blocks else []


def _page(title: str, blocks: Sequence[Block], case: Case) -> bytes:
    top = Block(kind="subject", lines=(title, identity(case)))
    named = f"{title}: {case.patient.name}, {case.drug.name}"
    return letter_pdf(Letter(title=named, case_id="", blocks=(top, *blocks), facts=()))


def _evidence(case: Case, findings: Sequence[Finding]) -> list[Part]:
    rows = _rows(findings)
    return [Part("Evidence, by criterion", _table(case, rows))] if rows else []


def _table(case: Case, told: Sequence[tuple[str, ...]]) -> bytes:
    small = ParagraphStyle("cell", fontName="Times-Roman", fontSize=9, leading=11)
    bold = ParagraphStyle("head", parent=small, fontName="Times-Bold")
    title = ParagraphStyle("title", fontName="Times-Bold", fontSize=11, leading=16, spaceAfter=6)
    heads = ("Criterion", "Clause", "The chart has", "Date", "Record")
    rows = [[Paragraph(_safe(text), bold) for text in heads]]
    rows += [[Paragraph(_safe(text), small) for text in row] for row in told]
    table = Table(rows, colWidths=COLUMNS, repeatRows=1)
    table.setStyle(RULED)
    buffer = BytesIO()
    canvas(BytesIO(), "")  # sets reportlab to write without clock or chance
    document = SimpleDocTemplate(
        buffer, pagesize=(612, 792), leftMargin=62, rightMargin=62, topMargin=44, bottomMargin=62, invariant=1
    )
    named = f"Evidence, by criterion: {case.patient.name}, {case.drug.name}"
    document.build([Paragraph(_safe(named), title), table])
    return buffer.getvalue()


def _rows(findings: Iterable[Finding]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for finding in walk(findings):
        if finding.parts:
            continue
        clause = finding.clause.clause_id if finding.clause else ""
        what = (finding.text, clause)
        for shown in finding.evidence if finding.status == "met" else ():
            day = formats.long_date(shown.date) if shown.date else ""
            rows.append((*what, _said(shown, finding), day, shown.record_id))
            what = ("", "")
    return rows


def _said(shown: Evidence, finding: Finding) -> str:
    value = formats.number(shown.value) if isinstance(shown.value, float | int) else shown.value or ""
    text = " ".join(filter(None, (str(value), formats.unit(shown.unit or ""))))
    return formats.dates_in(text, formats.long_date) or finding.detail


def _safe(text: str) -> str:
    return markup(formats.printable(text), "Times-Roman")


# --- binding ---------------------------------------------------------------------------------------------


def _bound(case: Case, title: str, parts: Sequence[Part]) -> bytes:
    """An index, then the parts, each with its bookmark; every page says which of the packet it is."""
    counts = [_pages(part) for part in parts]
    index = _index(case, title, parts, counts)
    writer = PdfWriter()
    writer.append(PdfReader(BytesIO(index)), outline_item="Contents", import_outline=False)
    for part in parts:
        writer.append(PdfReader(BytesIO(part.pdf)), outline_item=part.title, import_outline=False)
    _number(writer)
    writer.add_metadata({"/Title": formats.printable(title), "/Author": AUTHOR})
    writer.page_mode = "/UseOutlines"
    writer.compress_identical_objects()
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _pages(part: Part) -> int:
    try:
        return len(PdfReader(BytesIO(part.pdf)).pages)
    except (PyPdfError, ValueError) as error:
        raise Invalid(
            f"{part.title} is a PDF that cannot be read ({error}); give the letter as text"
        ) from error


def _index(case: Case, title: str, parts: Sequence[Part], counts: Sequence[int]) -> bytes:
    listed = places(zip((part.title for part in parts), counts, strict=True), 1)
    blocks = [
        paragraph(f"{title}, for {case.patient.name}, {case.plan.payer}."),
        heading("Contents"),
        *(Block(kind="numbered", lines=(str(number), one)) for number, one in enumerate(listed, 1)),
    ]
    return _page("Appeal packet", blocks, case)


def _number(writer: PdfWriter) -> None:
    """Stamp the packet's own page numbers at the foot, below each part's."""
    total = len(writer.pages)

    def stamp(number: int, pen: Any) -> None:
        pen.setFont("Times-Roman", 8)
        pen.drawCentredString(306, 22, f"Packet page {number} of {total}")

    stamps = pdf_of([partial(stamp, number) for number in range(1, total + 1)])
    for page, number in zip(writer.pages, PdfReader(BytesIO(stamps)).pages, strict=True):
        page.merge_page(number)
