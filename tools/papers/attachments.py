"""What goes with the request: each document that the rule asks for, and the record that fulfils it."""

from __future__ import annotations

from tools.cases import Case
from tools.documents import document, wanted_papers
from tools.evidence.judge import Judge
from tools.records import Attachment, Finding


def attachments(case: Case) -> tuple[Attachment, ...]:
    """One per document that this case needs; "" as its record where none fulfils it yet."""
    if case.rule is None:
        return ()
    judge = Judge(
        case.patient, case.determination.request, case.as_of, case.therapy_start, case.determination.policy_id
    )
    return tuple(_attachment(document(paper, judge)) for paper in wanted_papers(case.rule, judge))


def _attachment(finding: Finding) -> Attachment:
    shown = next(iter(finding.evidence), None) if finding.status == "met" else None
    return Attachment(
        label=finding.text[:1].upper() + finding.text[1:],
        record_id=shown.record_id if shown else "",
        date=shown.date if shown else None,
        clause_id=finding.clause.clause_id if finding.clause else "",
    )
