"""One PDF for each payer and channel with everything that is ready to go there: contents, then case after case."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path

from agent.batch.binder import Bound, bind, pages_of
from agent.batch.chunks import CASES, files_of
from agent.batch.drafting import Line
from agent.batch.worklist import urgent_first
from agent.integrity import altered

ORDER = (
    "fax-cover.pdf",
    "mail-cover.pdf",
    "packet.pdf",
)  # as they go into the machine or the envelope
ROWS_ON_PAGE = 40


Job = tuple[Path, str, str, list[Line]]  # the batch's folder, payer, channel, cases
Each = Callable[[Callable[[Job], bytes], Iterable[Job]], Iterable[bytes]]  # `map`, in one process or in many


def merge_ready(folder: Path, lines: Sequence[Line], each: Each = map) -> dict[str, bytes]:
    """File name and content of each merged PDF; values in the forms stay fillable, each case under its own name. A
    case with a paper that is not as it was drafted is left out."""
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.ready and not altered(files_of(folder / CASES, line)):
            groups[line.payer, line.channel].append(line)
    jobs = [(folder, payer, channel, urgent_first(of)) for (payer, channel), of in sorted(groups.items())]
    names = [f"{_slug(payer)}-{channel}.pdf" for _, payer, channel, _ in jobs]
    return dict(zip(names, each(merged, jobs), strict=True))


def merged(job: Job) -> bytes:
    """The cases of one payer and channel as one PDF."""
    folder, payer, channel, lines = job
    papers = [
        [(folder / CASES / line.folder / name).read_bytes() for name in ORDER if name in line.files]
        for line in lines
    ]
    starts, page = list[int](), -(-len(lines) // ROWS_ON_PAGE) + 1
    for of_case in papers:
        starts.append(page)
        page += sum(map(pages_of, of_case))
    contents = _contents(payer, channel, lines, starts)
    groups = [Bound("Contents", [contents])]
    for line, of_case in zip(lines, papers, strict=True):
        groups.append(Bound(f"{line.patient or line.patient_id}, {line.drug} ({line.patient_id})", of_case))
    return bind(f"{payer}, {channel}: {len(lines)} ready to send", groups)


def _contents(payer: str, channel: str, lines: Sequence[Line], starts: Sequence[int]) -> bytes:
    """The pages that say what follows, and where."""
    from tools.papers.formats import printable
    from tools.papers.paper import canvas

    buffer = BytesIO()
    pen = canvas(buffer, f"{payer}: contents")
    rows = list(zip(lines, starts, strict=True))
    for first in range(0, len(rows), ROWS_ON_PAGE):
        pen.setFont("Helvetica-Bold", 15)
        pen.drawString(54, 730, printable(payer))
        pen.setFont("Helvetica", 10)
        many = f"{len(rows)} requests" if len(rows) != 1 else "1 request"
        pen.drawString(
            54, 713, printable(f"{many} ready to send by {channel}. Drafts: the prescriber signs each.")
        )
        pen.setLineWidth(1)
        pen.line(54, 704, 558, 704)
        y = 688.0
        for line, start in rows[first : first + ROWS_ON_PAGE]:
            mark = "expedited" if line.urgency == "expedited" else ""
            pen.setFont("Helvetica", 9.5)
            pen.drawString(54, y, line.patient_id)
            pen.drawString(110, y, printable(line.patient)[:38])
            pen.drawString(300, y, printable(f"{line.drug} {line.strength}")[:30])
            pen.drawString(440, y, mark)
            pen.drawRightString(558, y, f"page {start}")
            y -= 15.5
        pen.showPage()
    pen.save()
    return buffer.getvalue()


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_") or "payer"
