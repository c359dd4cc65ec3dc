"""What goes with the request: each document that the rule asks for, and what the packet holds of it.

A paper that was attached goes as it is. A record of the chart goes as an excerpt that prints it. What was only typed
into the chart, or came as a title without its file, is nothing that could be sent: it is still to be attached.
"""

from __future__ import annotations

from typing import NamedTuple

from tools.domain.records import Attachment, Document, Finding
from tools.engine.documents import document, wanted_papers
from tools.evidence.context import EvaluationContext
from tools.papers.case import Case
from tools.papers.exhibits import Exhibit, exhibits


class Enclosure(NamedTuple):
    """A document that the request needs, with what is sent of it: the file that was attached, or words of the chart."""

    attachment: Attachment
    document: Document | None = None
    excerpts: tuple[Exhibit, ...] = ()

    @property
    def enclosed(self) -> bool:
        return self.attachment.enclosed


def attachments(case: Case) -> tuple[Attachment, ...]:
    """One per document that this case needs; "" as its record where none fulfils it yet."""
    return tuple(paper.attachment for paper in enclosures(case))


def enclosures(case: Case) -> tuple[Enclosure, ...]:
    """One per document that this case needs. It stays with the case, for all papers that speak of it."""
    found: tuple[Enclosure, ...] | None = case.__dict__.get("enclosures")
    if found is None:
        found = case.__dict__["enclosures"] = _enclosures(case)
    return found


def _enclosures(case: Case) -> tuple[Enclosure, ...]:
    if case.rule is None:
        return ()
    context = EvaluationContext(
        case.patient, case.determination.request, case.as_of, case.therapy_start, case.determination.policy_id
    )
    return tuple(_enclosure(document(paper, context), case) for paper in wanted_papers(case.rule, context))


def _enclosure(finding: Finding, case: Case) -> Enclosure:
    shown = finding.evidence if finding.status == "met" else ()
    wanted = {evidence.record_id for evidence in shown}
    files = [item for item in case.patient.documents if item.id in wanted]
    kept = next((item for item in files if item.pages), None)
    excerpts = () if files else tuple(one for one in exhibits(case, (), wanted) if one.lines)
    attachment = Attachment(
        label=finding.text[:1].upper() + finding.text[1:],
        record_id=shown[0].record_id if shown else "",
        date=shown[0].date if shown else None,
        clause_id=finding.clause.clause_id if finding.clause else "",
        enclosed=kept is not None or bool(excerpts),
    )
    return Enclosure(attachment, kept, excerpts)
