"""The letter of medical necessity, deterministic: every number, date, code and name in it is a fact on record.

What the record does not show is a gap for the prescriber, marked as such; nothing is filled in. What a letter says is
in `templates/`, which compose it of blocks; letter_pdf.py and blocks.py set those, each in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Any, Literal, NamedTuple

from tools.domain.records import ClauseRef, Diagnosis, Finding, Program
from tools.domain.rules import AnyOf, Condition
from tools.papers import formats
from tools.papers.attachments import enclosures
from tools.papers.blocks import BREAK, Composer, Fact, Letter
from tools.papers.case import LABS, Case, Measurement
from tools.papers.citations import citations
from tools.papers.environment import inside, templates
from tools.papers.exceptions import texts
from tools.papers.form_sources import excepted_by, excepting
from tools.papers.paper import identity, reference
from tools.papers.questions import Question, questions

Units = Literal["us", "metric"]
__all__ = ["Letter", "Writer", "letter"]

GAP = "[PRESCRIBER TO COMPLETE: {}]"
STATUS_CODES = ("Z68", "Z71", "Z79")  # say again what values and treatment say already
ARGUED = 2  # citations on the page that argues; the others stand in the appendix
ALSO, VALUES = 6, 6  # diagnoses and values in the summary
PREGNANCY, PAST_PREGNANCY = ("O", "Z33", "Z34", "Z3A"), 60  # ICD-10-CM; years of age


def letter(case: Case, units: Units = "us") -> Letter:
    """The letter of medical necessity for this case, unsigned: one page that argues, and an appendix that shows.

    Args:
        units: as the payer's form has weight and height.
    """
    return Writer(case, units).letter("Letter of medical necessity", "necessity.j2")


class Branch(NamedTuple):
    """A finding as a letter shows it. `composite`: it is shown by the branches that decide it; `inner`: it is one."""

    finding: Finding
    composite: bool
    inner: bool


class Writer(Composer):
    """Fills in the template of a letter about one case, and keeps the blocks, facts and gaps that come up in it."""

    def __init__(self, case: Case, units: Units = "us") -> None:
        super().__init__()
        self.case, self.units = case, units
        self.facts: list[Fact] = []
        self.gaps: list[str] = []
        self.exceptions, self.excepted = excepting(case), excepted_by(case)

    def letter(self, title: str, template: str, **also: Any) -> Letter:
        """What the template comes to with this case, and with `also`."""
        templates().get_template(template).render(self.given() | also)
        return Letter(
            title=f"{title}: {self.case.drug.name}",
            case_id=reference(self.case),
            blocks=tuple(self.blocks),
            facts=tuple(dict.fromkeys(self.facts)),
            gaps=tuple(dict.fromkeys(self.gaps)),
            identity=identity(self.case),
        )

    def given(self) -> dict[str, Any]:
        """What a template may name; `of_…` are the sources of facts."""
        case = self.case
        of_drug = f"drug:{case.drug.name}"
        return {
            "w": self, "block": self.block, "fact": self.fact, "date": self.day, "gap": self.gap, "known": self.known,
            "case": case, "patient": case.patient, "plan": case.plan, "drug": case.drug, "covered": case.coverage,
            "policy": case.determination.policy_id, "reference": reference(case), "papers": enclosures(case),
            "exceptions": self.exceptions, "expedited": texts().expedited, "units": self.units,
            "person": case.patient.name or "this patient", "of_plan": f"plan:{case.plan.id}", "of_drug": of_drug,
            "of_order": case.order.id if case.order else of_drug, "ARGUED": ARGUED,
        }  # fmt: skip

    # --- what a template calls -------------------------------------------------------------------------------

    def fact(self, value: str, *records: str) -> str:
        """The value, kept with the records that it comes from."""
        if value:
            self.facts.append(Fact(value=value, record_id=",".join(dict.fromkeys(filter(None, records)))))
        return value.replace("\n", BREAK)

    def day(self, day: date, *records: str) -> str:
        return self.fact(formats.long_date(day), *records)

    def gap(self, what: str) -> str:
        """What only the prescriber can say."""
        text = GAP.format(what)
        self.gaps.append(text.replace(BREAK, "\n"))
        return text.replace("\n", BREAK)

    def known(self, value: str, record: str, what: str) -> str:
        return self.fact(value, record) or self.gap(what)

    def clause(self, clause: ClauseRef | None) -> tuple[str, str]:
        """A clause's number and its words."""
        policy = self.case.determination.policy_id
        return (self.fact(clause.clause_id, policy), self.fact(clause.quote, policy)) if clause else ("", "")

    def records(self, finding: Finding) -> list[str]:
        return [shown.record_id for shown in finding.evidence]

    def wanted(self, finding: Finding) -> str:
        """What an open criterion waits for."""
        what = formats.dates_in(finding.fix or finding.text, formats.long_date).rstrip(".")
        what = what.removeprefix("Ask the prescriber to ")
        return inside(self.fact(what, *self.records(finding), self.case.determination.policy_id))

    # --- what there is to say --------------------------------------------------------------------------------

    @cached_property
    def failing(self) -> list[Finding]:
        """The criteria for which a denial is likely."""
        if self.case.determination.outcome != "likely_denial":
            return []
        findings = self.case.determination.findings
        return [f for f in findings if f.status == "not_met" and f.criterion not in self.excepted]

    @property
    def goes_on(self) -> bool:
        return self.case.kind in ("renewal", "continuation")

    @cached_property
    def onset(self) -> date | None:
        """Of the diagnosis. A weight class is coded anew as the weight changes: its date says nothing of when the
        disease began."""
        onset, begun = self.case.diagnosis.onset if self.case.diagnosis else None, self.case.therapy_start
        return None if onset and begun and onset > begun else onset

    @cached_property
    def others(self) -> list[Diagnosis]:
        """The other diagnoses."""
        own, listed = self.case.diagnosis, self.case.diagnoses
        return [d for d in listed if d is not own and not d.code.startswith(STATUS_CODES)][:ALSO]

    @cached_property
    def measured(self) -> list[Measurement]:
        return [m for m in self.case.labs if m.test != "height"][:VALUES]  # the BMI tells it

    @cached_property
    def cited(self) -> tuple[Any, ...]:
        return citations(self.case)

    @cached_property
    def programs(self) -> list[Program]:
        """The programs by which a criterion is met."""
        proving = self._proving
        dated = (one for one in self.case.patient.programs or () if one.start and not one.reckoned)
        own = (one for one in dated if one.id in proving)
        return sorted(own, key=lambda one: (one.start or date.min, one.id))

    @cached_property
    def acted_on(self) -> Measurement | None:
        """The value on which the drug acts, if a criterion is met by it."""
        proving, telling = self._proving, LABS.get(self.case.indication, ())[:1]
        of_it = (m for m in self.case.labs if m.test in telling and proving.intersection(m.record_ids))
        return next(of_it, None)

    @cached_property
    def _proving(self) -> set[str]:
        """The records by which a criterion is met."""
        met = (f for f in self.case.findings.values() if f.status == "met" and f.kind == "criterion")
        return {shown.record_id for finding in met if not finding.exclusion for shown in finding.evidence}

    @cached_property
    def asked(self) -> list[Question]:
        """The criteria of the appendix. An exclusion that asks for what cannot be so is not argued against: pregnancy
        in a man, or past an age."""
        return [question for question in questions(self.case) if self._can_apply(question)]

    def _can_apply(self, question: Question) -> bool:
        node = self.case.nodes.get(question.criterion)
        if not question.inverted or not isinstance(node, Condition) or node.sex is None:
            return True
        of_pregnancy = any(code.startswith(PREGNANCY) for code in node.codes)
        past_it = of_pregnancy and (self.case.age or 0) >= PAST_PREGNANCY
        return not past_it and self.case.patient.sex in (node.sex, "unknown")

    def branches(self, finding: Finding | None, inner: bool = False) -> Iterator[Branch]:
        """A finding and the branches that made it so; a composite's own clause only says that they do."""
        if finding is None:
            return
        deciding = self._deciding(finding)
        yield Branch(finding, bool(deciding), inner)
        for part in deciding:
            yield from self.branches(part, inner=True)

    def _deciding(self, finding: Finding) -> list[Finding]:
        """The branches that made it so; of several ways to meet it, the two plainest."""
        parts = [part for part in finding.parts if part.status == finding.status and part.clause]
        if finding.status == "met" and isinstance(self.case.nodes.get(finding.criterion), AnyOf):
            plain = [part for part in parts if not part.parts]
            return (plain or parts)[:2]
        return parts
