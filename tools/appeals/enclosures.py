"""What goes with a letter of appeal: the decision, the clauses that bear on its reasons, the records behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tools.appeals.records import Weighed
from tools.denials.records import Denial
from tools.domain.records import Finding
from tools.engine.documents import walk
from tools.evidence.courses import matches
from tools.papers import formats
from tools.papers.case import Case
from tools.papers.exhibits import exhibits


def enclosed(case: Case, denial: Denial, reasons: Sequence[Weighed]) -> list[str]:
    """The enclosures' names, in their order."""
    dated = denial.dated
    named = [f"The decision appealed{f', of {formats.long_date(dated.value)}' if dated else ''}"]
    if cited_clauses(case, reasons):
        named.append(f"Policy {case.determination.policy_id}, the clauses cited")
    shown = exhibits(case, rested_on(case, reasons), beside(case, reasons))
    return named + [exhibit.label for exhibit in shown]


def cited_clauses(case: Case, reasons: Iterable[Weighed]) -> dict[str, str]:
    """The clauses that bear on these reasons, by number, each with its words."""
    reasons = list(reasons)
    shown = walk(rested_on(case, reasons))
    cited = {f.clause.clause_id: f.clause.quote for f in shown if f.clause and f.clause.clause_id}
    if case.rule and any(reason.code in ("non_formulary", "benefit_exclusion") for reason in reasons):
        cited = {case.rule.criteria.clause_id: case.rule.criteria.quote, **cited}
    return {number: quote for number, quote in cited.items() if number}


def beside(case: Case, reasons: Iterable[Weighed]) -> frozenset[str]:
    """The records that an answer rests on without a finding: the enrollment, the claims for the drug."""
    codes = {reason.code for reason in reasons}
    ids = {case.coverage.id} if "not_eligible" in codes and case.coverage else set()
    if "refill_too_soon" in codes:
        name = case.drug.name.casefold()
        ids |= {fill.id for fill in case.patient.fills if matches(fill, (name,), (), fill.drug)}
    return frozenset(ids)


def rested_on(case: Case, reasons: Iterable[Weighed]) -> list[Finding]:
    """The findings that the letter shows, and the papers that prove them."""
    shown = [finding for reason in reasons for finding in reason.findings]
    inner = {finding.criterion for finding in walk(shown)}
    proving = {paper.id for paper in case.papers.values() if paper.for_criterion in inner}
    proofs = (f for f in case.determination.findings if f.criterion in proving and f.status == "met")
    return [*shown, *(f for f in proofs if f not in shown)]
