"""One PDF for each practice and payer with everything that is ready to go there: a list for the office with what is
withheld and why, then patient after patient."""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from agent.batch.binder import BoundSection, bind, pages_of
from agent.batch.chunks import CASES, files_of
from agent.batch.drafting import CaseLine
from agent.batch.worklist import urgent_first
from agent.drafts.integrity import altered
from tools.papers.formats import printable
from tools.papers.paper import canvas

ORDER = ("fax-cover.pdf", "mail-cover.pdf", "packet.pdf")  # as they go into the machine or the envelope
LINES_ON_PAGE = 40
REASON_WIDTH = 100  # characters


class Job(NamedTuple):
    """What goes from one practice to one payer: the cases that are complete, and those that are withheld, with why."""

    folder: Path  # the batch's
    payer: str
    channel: str
    practice: str
    ready: list[CaseLine]
    withheld: list[tuple[CaseLine, str]]


Each = Callable[[Callable[[Job], bytes], Iterable[Job]], Iterable[bytes]]  # `map`, in one process or in many


def merge_ready(folder: Path, lines: Sequence[CaseLine], each: Each = map) -> dict[str, bytes]:
    """File name and content of each merged PDF; values in the forms stay fillable, each case under its own name."""
    ready: dict[tuple[str, str, str], list[CaseLine]] = defaultdict(list)
    withheld: dict[tuple[str, str, str], list[tuple[CaseLine, str]]] = defaultdict(list)
    for line in lines:
        key = (line.payer, line.channel, line.practice)
        if why := withheld_for(folder, line):
            withheld[key].append((line, why))
        elif line.ready:
            ready[key].append(line)
    for kept in withheld.values():
        kept.sort(key=lambda one: (one[0].patient, one[0].patient_id, one[0].row))
    jobs = [Job(folder, *key, by_patient(of), withheld[key]) for key, of in sorted(ready.items())]
    names = [_slug(f"{job.payer}-{job.channel}-{job.practice}") for job in jobs]
    return {f"{name}.pdf": made for name, made in zip(names, each(merged, jobs), strict=True)}


def withheld_for(folder: Path, line: CaseLine) -> str:
    """Why a case that has papers does not go out; "" if it does, or has none."""
    if not line.files:
        return ""
    if not line.ready:
        return "; ".join(line.open) or line.summary
    gone = altered(files_of(folder / CASES, line))
    return f"{gone[0].name} is not as it was drafted" if gone else ""


def by_patient(lines: Iterable[CaseLine]) -> list[CaseLine]:
    """What cannot wait first, with all that goes out for the same patient; then by name."""
    lines = urgent_first(lines)
    urgent = {line.patient_id for line in lines if line.urgency == "expedited"}
    return sorted(lines, key=lambda line: (line.patient_id not in urgent, line.patient, line.patient_id))


def merged(job: Job) -> bytes:
    """The cases of one practice for one payer as one PDF: the office's own list, then patient after patient."""
    papers = [
        [(job.folder / CASES / line.folder / name).read_bytes() for name in ORDER if name in line.files]
        for line in job.ready
    ]
    own = len(pages_of_list(job, [0] * len(job.ready)))
    starts, page = list[int](), own + 1
    for of_case in papers:
        starts.append(page)
        page += sum(map(pages_of, of_case))
    groups = [BoundSection("Contents", [_drawn(job, pages_of_list(job, starts))])]
    for line, of_case in zip(job.ready, papers, strict=True):
        title = f"{line.patient or line.patient_id}, {line.drug} ({line.patient_id})"
        groups.append(BoundSection(title, of_case))
    return bind(f"{job.practice} to {job.payer}, {job.channel}: {len(job.ready)} ready to send", groups)


class ContentsRow(NamedTuple):
    """A line of the list: what stands at the left, in the middle, and at the right; a heading has the first alone."""

    left: str
    middle: str = ""
    right: str = ""


def pages_of_list(job: Job, starts: Sequence[int]) -> list[list[ContentsRow]]:
    """What follows and where, and what is withheld and why, page by page."""
    rows = []
    for line, start in zip(job.ready, starts, strict=True):
        mark = "expedited, " if line.urgency == "expedited" else ""
        rows.append(_row(line, f"{mark}page {start}"))
    if job.withheld:
        rows.append(ContentsRow(f"Withheld, because not complete: {len(job.withheld)}"))
    for line, why in job.withheld:
        rows += [_row(line), *(ContentsRow("", part) for part in textwrap.wrap(why, REASON_WIDTH))]
    return [rows[first : first + LINES_ON_PAGE] for first in range(0, len(rows), LINES_ON_PAGE)]


def _row(line: CaseLine, right: str = "") -> ContentsRow:
    return ContentsRow(f"{line.patient_id}  {line.patient}", f"{line.drug} {line.strength}", right)


def _drawn(job: Job, pages: Sequence[Sequence[ContentsRow]]) -> bytes:
    buffer = BytesIO()
    pen = canvas(buffer, f"{job.practice} to {job.payer}: contents")
    many = f"{len(job.ready)} requests" if len(job.ready) != 1 else "1 request"
    for rows in pages:
        pen.setFont("Helvetica-Bold", 15)
        pen.drawString(54, 730, printable(f"{job.practice or 'No practice on record'} to {job.payer}"))
        pen.setFont("Helvetica", 9)
        said = f"{many} ready to send by {job.channel}. Drafts: the prescriber signs each."
        pen.drawString(
            54, 713, printable(f"{said} This list names several patients and stays in the office.")
        )
        pen.setLineWidth(1)
        pen.line(54, 704, 558, 704)
        y = 688.0
        for row in rows:
            pen.setFont("Helvetica" if row.middle else "Helvetica-Bold", 9.5)
            pen.drawString(54 if row.left else 70, y, printable(row.left or row.middle)[:110])
            if row.left and row.middle:
                pen.drawString(300, y, printable(row.middle)[:34])
            pen.drawRightString(558, y, row.right)
            y -= 15.5
        pen.showPage()
    pen.save()
    return buffer.getvalue()


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_") or "payer"
