"""What goes with the request: each document that the rule asks for, and the record that fulfils it."""

from __future__ import annotations

from tools.cases import Case
from tools.documents import document
from tools.evidence.judge import Judge
from tools.records import Attachment, Finding


def attachments(case: Case) -> tuple[Attachment, ...]:
    """One per document that this case needs; "" as its record where none fulfils it yet."""
    if case.rule is None:
        return ()
    judge = Judge(
        case.patient, case.determination.request, case.as_of, case.therapy_start, case.determination.policy_id
    )
    wanted = (document(paper, judge, case.determination.findings) for paper in case.rule.documents)
    return tuple(_attachment(finding) for finding in wanted if finding is not None)


def _attachment(finding: Finding) -> Attachment:
    shown = next(iter(finding.evidence), None) if finding.status == "met" else None
    return Attachment(
        label=finding.text[:1].upper() + finding.text[1:],
        record_id=shown.record_id if shown else "",
        date=shown.date if shown else None,
        clause_id=finding.clause.clause_id if finding.clause else "",
    )
