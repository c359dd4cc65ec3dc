"""What goes with the request: each document that the rule asks for, and what the packet holds of it.

A paper that was attached goes as it is. A record of the chart goes as an excerpt that prints it. What was only typed
into the chart, or came as a title without its file, is nothing that could be sent: it is still to be attached.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from tools.domain.records import Attachment, Document, Finding
from tools.domain.rules import Required
from tools.engine.documents import document, wanted_papers
from tools.evidence.context import EvaluationContext
from tools.papers.case import Case
from tools.papers.exhibits import Charted, Exhibit, charted, in_words
from tools.rulebook.plain import describe
from tools.terminology.observations import TESTS


class Enclosure(NamedTuple):
    """A document that the request needs, with what is sent of it: the file that was attached, or words of the chart."""

    attachment: Attachment
    document: Document | None = None
    charted: Charted = Charted()

    @property
    def enclosed(self) -> bool:
        return self.attachment.enclosed

    @property
    def records(self) -> tuple[str, ...]:
        """Ids of the records that are sent."""
        return (self.document.id,) if self.document else self.charted.ids

    @property
    def excerpts(self) -> tuple[Exhibit, ...]:
        """The words of the chart that are sent."""
        return in_words(self.charted)


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
    context = EvaluationContext(
        case.patient, case.determination.request, case.as_of, case.therapy_start, case.determination.policy_id
    )
    asked = wanted_papers(case.rule, context) if case.rule else ()
    found = [_enclosure(document(paper, context), case) for paper in asked]
    sent = {record for paper in found if paper.enclosed for record in paper.records}
    for paper in _wanted_by_form(case):
        one = _enclosure(document(paper, context), case)
        if one.enclosed and not sent.issuperset(one.records):
            found.append(one)
    return tuple(found)


def _wanted_by_form(case: Case) -> Iterator[Required]:
    """What the form wants with every request, of what the request tells: it is sent as far as it is on file, and the
    policy says what must be there."""
    if "note" in case.plan.enclosures:
        yield _required("note")
    if "lab" in case.plan.enclosures:
        tests = dict.fromkeys(value.test for value in case.labs)
        yield from (_required("lab", test=test) for test in tests if TESTS[test].kind == "lab")
    if "fills" in case.plan.enclosures:
        drugs = dict.fromkeys(course.drug for course in case.trials)
        yield from (_required("fills", drugs=(drug,)) for drug in drugs)


def _required(of: Literal["note", "lab", "fills"], **what: Any) -> Required:
    paper = Required(id=of, of=of, **what)
    return msgspec.structs.replace(paper, text=describe(paper))


def _enclosure(finding: Finding, case: Case) -> Enclosure:
    shown = finding.evidence if finding.status == "met" else ()
    wanted = {evidence.record_id for evidence in shown}
    files = [item for item in case.patient.documents if item.id in wanted]
    kept = next((item for item in files if item.pages), None)
    found = Charted() if files else charted(case, wanted)
    attachment = Attachment(
        label=finding.text[:1].upper() + finding.text[1:],
        record_id=shown[0].record_id if shown else "",
        date=shown[0].date if shown else None,
        clause_id=finding.clause.clause_id if finding.clause else "",
        enclosed=kept is not None or bool(found.ids),
    )
    return Enclosure(attachment, kept, found)
