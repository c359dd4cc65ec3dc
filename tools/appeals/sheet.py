"""The sheet for a peer-to-peer call: on one page what to say, where it stands, and what will be asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from tools.appeals.letter import DenialWriter
from tools.appeals.records import Strategy
from tools.common.errors import Refused
from tools.denials.records import Denial
from tools.domain.records import ClauseRef, Finding, Medication
from tools.engine.documents import walk
from tools.papers.blocks import Letter
from tools.papers.case import Case, Measurement
from tools.papers.exhibits import evidence_of
from tools.papers.questions import Question, questions

FACTS, QUESTIONS, CLAUSES = 3, 5, 2


def call_sheet(case: Case, denial: Denial, found: Strategy) -> Letter:
    """The sheet; Refused where the strategy has no such call, with what it has."""
    if found.step("peer_to_peer") is None:
        why = f"no peer-to-peer call is advised for {case.drug.name}: {found.steps[0].why}"
        raise Refused(f"{why}. Instead: {found.instead}")
    return _SheetWriter(case, denial, found).letter("Peer-to-peer call", "call_sheet.j2", FACTS=FACTS)


class _SheetWriter(DenialWriter):
    """Writes for the prescriber who calls, not for the payer."""

    @cached_property
    def findings(self) -> list[Finding]:
        return [finding for reason in self.reasons for finding in reason.findings]

    @cached_property
    def leaves(self) -> list[Finding]:
        """The findings, or what in them makes them so."""
        return list(_leaves(self.findings))

    @cached_property
    def other_values(self) -> list[Measurement]:
        """The values that describe the patient today and are in no finding."""
        seen = evidence_of(self.findings)
        return [measured for measured in self.case.labs if not seen & set(measured.record_ids)]

    def course_of(self, finding: Finding) -> Medication | None:
        return next(iter(self.courses(finding)), None)

    @cached_property
    def clauses(self) -> list[ClauseRef]:
        return [f.clause for f in (*self.leaves, *self.findings) if f.clause][:CLAUSES]

    @cached_property
    def likely_questions(self) -> list[Question]:
        """What is open first, then the criteria beside the reason, then what would exclude the drug."""
        own = {finding.criterion for finding in self.findings}
        others = [question for question in questions(self.case) if question.criterion not in own]
        return sorted(others, key=lambda q: (q.answer != "", q.inverted))[:QUESTIONS]


def _leaves(findings: list[Finding]) -> Iterator[Finding]:
    for finding in findings:
        parts = [part for part in walk(finding.parts) if part.status == finding.status and not part.parts]
        yield from parts or [finding]
