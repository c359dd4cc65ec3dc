"""The sheet for a peer-to-peer call: on one page what to say, where it stands, and what will be asked."""

from __future__ import annotations

from collections.abc import Iterator

from tools.appeals.records import Strategy
from tools.common.errors import Refused
from tools.denials.records import Denial
from tools.domain.records import Finding
from tools.engine.documents import walk
from tools.papers import formats
from tools.papers.case import Case
from tools.papers.composed import Block, Letter, heading, paragraph
from tools.papers.exhibits import evidence_of
from tools.papers.letters import Writer
from tools.papers.questions import Question, questions

FACTS, QUESTIONS, CLAUSES = 3, 5, 2
NOT_ON_RECORD = "not on record: say so, and guess nothing"


def call_sheet(case: Case, denial: Denial, found: Strategy) -> Letter:
    """The sheet; Refused where the strategy has no such call, with what it has."""
    if found.step("peer_to_peer") is None:
        instead = "; ".join(f"{number}. {step.what}" for number, step in enumerate(found.steps, 1))
        raise Refused(
            f"no peer-to-peer call is advised for {case.drug.name}: {found.steps[0].why}. Instead: {instead}"
        )
    writer = _SheetWriter(case, denial, found)
    return writer.letter("Peer-to-peer call", writer.sheet())


class _SheetWriter(Writer):
    """Writes for the prescriber who calls, not for the payer."""

    def __init__(self, case: Case, denial: Denial, found: Strategy) -> None:
        super().__init__(case)
        self.denial, self.found = denial, found
        self.reasons = [reason for reason in found.reasons if reason.standing == "refuted"]
        self.findings = [finding for reason in self.reasons for finding in reason.findings]

    def sheet(self) -> Iterator[Block]:
        plan = self.case.plan
        yield Block(kind="subject", lines=(f"Peer-to-peer call: {self._product()}", *self._whom()))
        yield heading("The reason that was given")
        for reason in self.reasons:
            quote = " ".join(reason.quote.split()).replace('"', "'")
            yield Block(kind="criterion", lines=("", self.fact(quote, "denial"), ""))
        yield heading("Say these")
        for number, fact in enumerate(self._facts(), 1):
            yield Block(kind="numbered", lines=(str(number), fact))
        yield from self._clause_lines()
        asked = list(self._questions())
        if asked:
            yield heading("Likely questions")
            yield from (Block(kind="bullet", lines=(self._asked(question),)) for question in asked)
        yield heading("Ask for")
        yield paragraph(
            f"That {self.fact(plan.payer, f'plan:{plan.id}')} authorize {self._product()}.",
            "If the answer is no: the criterion that fails, in the policy's words, and who decided.",
        )
        yield paragraph("The call is no appeal and stops no clock." + self._filing())
        blank = "____________________"
        rows = (("Spoke with", "Specialty"), ("Call reference", "Decision"))
        yield Block(kind="lines", lines=tuple(f"{left}: {blank}   {right}: {blank}" for left, right in rows))

    def _whom(self) -> Iterator[str]:
        case, plan = self.case, self.case.plan
        born = case.patient.birth_date
        birth = f", born {self.date(born, 'patient')}" if born else ""
        yield f"Patient: {self.known(case.patient.name, 'patient', 'name')}{birth}; {self._member()}"
        step = self.found.step("peer_to_peer")
        phone = f", {self.fact(plan.phone, f'plan:{plan.id}')}" if plan.phone else ""
        by = f", by {self.date(step.by, 'clock')}" if step and step.by else ""
        yield f"Call: {self.fact(plan.payer, f'plan:{plan.id}')}{phone}{by}"
        dated, reference = self.denial.dated, self.denial.reference
        told = f", reference {self.fact(reference.value, 'denial')}" if reference else ""
        yield f"Decision: {self.date(dated.value, 'denial') if dated else 'date not stated'}{told}"

    def _member(self) -> str:
        covered = self.case.coverage
        number, source = (covered.member_id, covered.id) if covered else ("", "")
        return f"member ID {self.known(number, source, 'member ID')}"

    # --- the facts ---------------------------------------------------------------------------------------

    def _facts(self) -> list[str]:
        """What answers the reason first, then the values that describe the patient today."""
        told = [self._fact_of(finding) for finding in _leaves(self.findings)]
        seen = evidence_of(self.findings)
        told += [f"{self._value(m)}." for m in self.case.labs if not seen & set(m.record_ids)]
        told.append(self._who())
        return list(dict.fromkeys(filter(None, told)))[:FACTS]

    def _fact_of(self, finding: Finding) -> str:
        courses = {course.id: course for course in self.case.patient.medications or ()}
        for shown in finding.evidence:
            if shown.record_id in courses:
                return f"{self._trial(courses[shown.record_id])}"
        return self._shown(finding) if finding.detail else ""

    def _clause_lines(self) -> Iterator[Block]:
        cited = [f.clause for f in (*_leaves(self.findings), *self.findings) if f.clause][:CLAUSES]
        if cited:
            policy = self.case.determination.policy_id
            yield heading(f"The clause ({self.fact(policy, policy)})")
        for clause in cited:
            yield Block(kind="criterion", lines=(*self._clause(clause.clause_id, clause.quote), ""))

    # --- what will be asked ------------------------------------------------------------------------------

    def _questions(self) -> list[Question]:
        """What is open first, then the criteria beside the reason, then what would exclude the drug."""
        own = {finding.criterion for finding in self.findings}
        others = [question for question in questions(self.case) if question.criterion not in own]
        return sorted(others, key=lambda q: (q.answer != "", q.inverted))[:QUESTIONS]

    def _asked(self, question: Question) -> str:
        text = self.fact(question.text, self.case.determination.policy_id)
        if not question.answer or question.finding is None:
            return f"{text} - {NOT_ON_RECORD}"
        records = [e.record_id for e in question.finding.evidence]
        detail = self.fact(formats.finding(question.finding, formats.long_date, self.units), *records)
        return f"{text} - {question.answer}{f': {detail}' if detail else ''}"

    def _filing(self) -> str:
        step = self.found.appeal
        return f" The appeal must be filed by {self.date(step.by, 'clock')}." if step and step.by else ""


def _leaves(findings: list[Finding]) -> Iterator[Finding]:
    for finding in findings:
        parts = [part for part in walk(finding.parts) if part.status == finding.status and not part.parts]
        yield from parts or [finding]
