"""Everything that could be said of one case: records of the chart, findings, clauses of the policy, whole answers.

A passage is told by the same code whether it is looked through or answered with, so that what is found is what is said.
A whole answer is looked through by what it is about and told by the function of its query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from agent.answers.answer import Answer
from agent.answers.chart import lists, notes, supply
from agent.answers.chart.courses import course_told
from agent.answers.chart.diagnoses import diagnosis_told, relative_told
from agent.answers.chart.page import Page
from agent.answers.chart.values import value_told
from agent.answers.plan import coverage_told
from agent.answers.policy import clause_told
from agent.answers.wording import Sorted, Words, finding_told, labeled_use
from agent.dialogue.query import WANTS, Ask, Query
from agent.ledger import Ledger
from tools.domain.records import Determination
from tools.engine.documents import walk
from tools.evidence.measurements import values_of
from tools.queries.bound import Bound
from tools.store.clauses import Chunk, policy_chunks

Kind = Literal[
    "diagnosis", "course", "fill", "order", "value", "allergy", "relative", "program", "procedure", "document",
    "statement", "note", "authorization", "coverage", "finding", "clause", "answer",
]  # fmt: skip
# The queries whose answers are looked through, those of a drug and those of the chart and the plan.
OF_THE_DRUG: tuple[Query, ...] = (
    "eligible", "missing", "criteria", "next_step", "attach", "earliest", "coverage", "copay", "limit", "step",
    "approval_length", "lookback", "turnaround", "renewal_rules", "approval", "deadline", "appeal", "status", "denial",
)  # fmt: skip
OF_THE_CASE: tuple[Query, ...] = (
    "submit", "contact", "ids", "enrolment", "person", "prescriber", "options", "formulary", "summary", "order",
    "diagnoses", "medications", "allergy", "family", "statement", "program", "document", "fills", "sent", "calls",
)  # fmt: skip


class Passage(NamedTuple):
    """One thing that could be said. `ref` is the record's id, "N1#3" for a sentence of a note, the clause, or the query
    of a whole answer; `what` is what it is told from; `drug` is whose policy it is of."""

    kind: Kind
    ref: str
    what: Any
    drug: str = ""

    @property
    def where(self) -> str:
        """Where a thing of its kind stands, as "problem list"."""
        return _KINDS[self.kind][0]

    def tell(self, page: Page) -> str:
        """Its words, with slots over the page's ledger; of a whole answer, what it is about."""
        return _KINDS[self.kind][1](page, self.what)

    @property
    def key(self) -> str:
        """A record's id; "F:Ozempic:§ 1(a)(3)" for how a criterion stands, "P:Ozempic:§ 1(a)(3)" for its clause,
        "A:copay:Ozempic" and "A:contact" for whole answers."""
        if self.kind == "answer":
            return f"A:{self.ref}:{self.drug}" if self.drug else f"A:{self.ref}"
        prefix = {"finding": "F", "clause": "P"}.get(self.kind)
        return f"{prefix}:{self.drug}:{self.ref}" if prefix else self.ref

    @property
    def sort(self) -> str:
        """Its kind, and of findings how it stands, of answers the query: what is asked for in its own way."""
        if self.kind == "finding":
            found, finding = self.what
            is_paper = any(one is finding for one in Sorted.of(found).documents)
            part = "exclusion" if finding.exclusion else "paper" if is_paper else "criterion"
            return f"{part}:{finding.status}"
        return f"answer:{self.ref}" if self.kind == "answer" else self.kind


def passages(bound: Bound, drugs: Sequence[str], use: str = "") -> list[Passage]:
    """All passages of the bound chart, and of these drugs' findings, policies and answers.

    Args:
        use: for which the drugs are judged that are labeled for it, where it is not the one that the chart asks for.
    """
    found = [*_of_chart(bound), *(Passage("answer", query, query) for query in OF_THE_CASE)]
    for name in drugs:
        policy = bound.policy(name)
        found += [Passage("answer", query, query, name) for query in OF_THE_DRUG]
        if policy is not None:
            found += _of_findings(bound.determination(name, labeled_use(name, use, bound)), name)
            found += [Passage("clause", one.id, (policy, one), name) for one in policy.clauses]
    return found


def texts(found: Sequence[Passage], bound: Bound) -> list[tuple[str, ...]]:
    """Each in its words, after what kind of thing it is; what is of a clause in those of everyday questions too."""
    ledger = Ledger()
    page = Page(Ask(query="summary"), bound, ledger, Answer(ledger=ledger))
    drugs = dict.fromkeys(one.drug for one in found if one.drug)
    views = {(chunk.drug, chunk.clause_id): chunk.views for drug in drugs for chunk in _chunks(drug, bound)}
    return [
        (f"{one.where}: {ledger.render(one.tell(page))}", *views.get((one.drug, one.ref), ()))
        for one in found
    ]


def _chunks(drug: str, bound: Bound) -> Iterator[Chunk]:
    policy = bound.policy(drug)
    return policy_chunks(policy, bound.benefit(drug), bound.store.drug(drug)) if policy else iter(())


def _of_chart(bound: Bound) -> Iterator[Passage]:
    patient = bound.patient
    lists_of: tuple[tuple[Kind, Sequence[Any]], ...] = (
        ("diagnosis", patient.conditions or ()),
        ("course", patient.medications or ()),
        ("fill", patient.fills),
        ("order", patient.orders),
        ("allergy", patient.allergies or ()),
        ("relative", patient.family_history),
        ("program", patient.programs),
        ("procedure", patient.procedures),
        ("document", patient.documents),
        ("statement", [one for one in patient.attestations if one.text]),
        ("authorization", patient.authorizations),
        ("coverage", patient.coverages),
    )
    for kind, records in lists_of:
        for one in records:
            yield Passage(kind, one.id, one)
    for test in patient.observations_by_test:
        for value in values_of(patient, test, bound.as_of).usable:
            yield Passage("value", ",".join(one.id for one in value.seen), (test, value))
    for note in patient.notes:
        for at, sentence in enumerate(notes.sentences_of(note)):
            yield Passage("note", f"{note.id}#{at}", (note, sentence))


def _of_findings(found: Determination, drug: str) -> Iterator[Passage]:
    seen: set[str] = set()
    for top in found.findings:
        for finding in walk([top]):
            ref = finding.clause.clause_id if finding.clause else finding.criterion
            if ref not in seen:
                seen.add(ref)
                yield Passage("finding", ref, (found, finding), drug)


# Where a thing of a kind stands, and how it is told.
_KINDS: dict[Kind, tuple[str, Callable[[Page, Any], str]]] = {
    "diagnosis": ("problem list", diagnosis_told),
    "course": ("medication list", course_told),
    "fill": ("pharmacy fill", supply.fill_told),
    "order": ("order", supply.order_told),
    "value": ("result", lambda page, one: value_told(page, *one)),
    "allergy": ("allergy list", lambda page, one: lists.allergy_told(page, one.id)),
    "relative": ("family history", lambda page, one: relative_told(page, one.id)),
    "program": ("lifestyle program", lists.program_told),
    "procedure": ("procedure", lists.procedure_told),
    "document": ("document on file", lists.document_told),
    "statement": ("prescriber's statement", lists.statement_told),
    "note": (
        "note",
        lambda page, one: f"{notes.note_told(page, one[0])}: “{notes.sentence_told(page, *one)}”",
    ),
    "authorization": ("approval on file", supply.authorization_told),
    "coverage": ("enrolment", lambda page, one: coverage_told(one, page.bound, page.ledger)),
    "finding": (
        "criterion",
        lambda page, one: finding_told(Words(page.bound, page.ledger, one[0]), one[1]).text,
    ),
    "clause": ("policy", lambda page, one: clause_told(one[1], one[0], page.ledger, capital=True)),
    "answer": ("answer", lambda page, query: WANTS[query]),
}
