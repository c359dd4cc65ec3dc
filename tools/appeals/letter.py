"""The letter of appeal, deterministic: it quotes the reason that was given, answers that reason and no other
with dated evidence and the policy's own clause, and asks for what its level gives. What only the prescriber
knows is a gap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from string import Formatter
from typing import Any

from tools.appeals.enclosures import enclosed
from tools.appeals.levels import text_of, texts
from tools.appeals.moves import misread
from tools.appeals.reason_findings import drugs_named, tests_named
from tools.appeals.records import Strategy, Weighed
from tools.common.errors import Refused
from tools.denials.days import days_in
from tools.denials.records import Denial
from tools.domain.records import Evidence, Finding, Medication, Record
from tools.evidence.courses import matches
from tools.evidence.measurements import values_of
from tools.papers import formats
from tools.papers.blocks import Letter
from tools.papers.case import Case
from tools.papers.letters import Writer

# The reasons that turn on medicine: literature bears on these and on no other.
CLINICAL = frozenset({"medical_necessity", "step_therapy", "diagnosis_mismatch"})
MOST_CITED = 3


class Filing(Record, frozen=True, kw_only=True):
    """What the office adds: the prescriber's own statement that delay would harm, if one was made."""

    expedited: str = ""


def appeal_letter(case: Case, denial: Denial, found: Strategy, filing: Filing | None = None) -> Letter:
    """The letter for the step that files the appeal; Refused, with what to do instead, where the strategy has none."""
    if found.refusal:
        raise Refused(found.refusal)
    step = found.appeal
    text = text_of(case.plan.line_of_business, step.level) if step else None
    if step is None or text is None:
        raise Refused(f"no appeal is drafted for {case.drug.name}: no level of appeal is left")
    writer = AppealWriter(case, denial, found)
    return writer.letter(
        formats.sentence(text.name), "appeal.j2", level=text, late=step.late, filing=filing or Filing(), texts=texts(),
        enclosed=enclosed(case, denial, writer.reasons), MOST_CITED=MOST_CITED,
    )  # fmt: skip


class DenialWriter(Writer):
    """Writes about a denial and the reasons in it that the record refutes."""

    def __init__(self, case: Case, denial: Denial, found: Strategy) -> None:
        super().__init__(case)
        self.denial, self.found = denial, found
        self.reasons = [reason for reason in found.reasons if reason.standing == "refuted"]

    def given(self) -> dict[str, Any]:
        return super().given() | {"denial": self.denial, "found": self.found}

    def quoted(self, reason: Weighed) -> str:
        """The letter's words, with its own quotation marks made single inside ours."""
        return self.fact(" ".join(reason.quote.split()).replace('"', "'"), "denial")

    def courses(self, finding: Finding) -> list[Medication]:
        """Those on which it rests."""
        courses = {course.id: course for course in self.case.patient.medications or ()}
        return [courses[shown.record_id] for shown in finding.evidence if shown.record_id in courses]


class AppealWriter(DenialWriter):
    """Writes the letter of one level about one denial."""

    def __init__(self, case: Case, denial: Denial, found: Strategy) -> None:
        super().__init__(case, denial, found)
        self.told: set[str] = set()  # criteria that were shown already

    def filled(self, text: str, **slots: Callable[[], str]) -> str:
        """A text of the level with what this case puts in; `slots` are what the template words."""
        plan, drug = self.case.plan, self.case.drug.name
        slots |= {
            "payer": lambda: self.fact(plan.payer, f"plan:{plan.id}"),
            "plan": lambda: self.fact(plan.name, f"plan:{plan.id}"),
            "drug": lambda: self.fact(drug, f"drug:{drug}"),
        }
        return text.format(**{name: slots[name]() for _, name, _, _ in Formatter().parse(text) if name})

    # --- the reasons, each with its answer ---------------------------------------------------------------

    def is_shown_already(self, reason: Weighed) -> bool:
        return bool(reason.findings) and all(finding.criterion in self.told for finding in reason.findings)

    def not_yet_shown(self, reason: Weighed) -> Iterator[Finding]:
        """The findings that no earlier reason has shown; they count as shown then."""
        for finding in reason.findings:
            if finding.criterion not in self.told:
                self.told.add(finding.criterion)
                yield finding

    def documents(self, reason: Weighed) -> list[Finding]:
        """Those of its findings that are of papers."""
        return [finding for finding in reason.findings if finding.criterion in self.case.papers]

    def misread(self) -> Iterator[str]:
        """What the letter takes the request to be, where it is another."""
        for words in misread(self.case, self.denial):
            yield words.partition(" and not ")[0]

    def unknown_results(self, reason: Weighed) -> Iterator[tuple[str, date]]:
        """Of the results that the payer names with their day: which of them the chart does not have."""
        for test in tests_named(reason.quote.casefold()):
            known = {value.date for value in values_of(self.case.patient, test, self.case.as_of).usable}
            yield from ((test, found.day) for found in days_in(reason.quote) if found.day not in known)

    def other_drugs(self, reason: Weighed) -> Iterator[tuple[str, list[Medication]]]:
        """The other drugs that the payer names, as it writes them, each with its courses on a list that is complete."""
        medications = self.case.patient.medications
        own = (self.case.drug.name.casefold(), *self.case.drug.ingredients)
        for name in () if medications is None else drugs_named(reason.quote.casefold()):
            if name not in own:
                shown = re.search(re.escape(name), reason.quote, re.IGNORECASE)
                courses = [m for m in medications or () if matches(m, (name,), (), m.drug)]
                yield shown[0] if shown else name, courses

    @property
    def is_part_d(self) -> bool:
        return self.case.plan.line_of_business in ("medicare_part_d", "medicare_advantage")

    @property
    def is_clinical(self) -> bool:
        """Does a reason turn on medicine, and not on a form, a number or what the policy does not ask?"""
        return any(reason.code in CLINICAL and not reason.baseless for reason in self.reasons)

    # --- where the chart has it --------------------------------------------------------------------------

    def sources(self, finding: Finding) -> dict[str, Any]:
        """What is on the medication list, was stated, or is on file under a date."""
        dated = [shown for shown in finding.evidence if shown.date]
        on_file = finding.found is not None and finding.found.code in ("document.on_file", "document.charted")
        return {
            "courses": self.courses(finding) if finding.found is not None else [],
            "stated": [shown for shown in dated if shown.kind == "attestation"],
            "filed": [shown for shown in dated if shown.kind != "attestation" and on_file],
        }

    def days(self, seen: Iterable[Evidence]) -> str:
        days = sorted({(shown.date, shown.record_id) for shown in seen if shown.date})
        said = list(dict.fromkeys(self.day(day, record) for day, record in days))
        return " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))

    def inner(self, sentence: str) -> str:
        """Inside a sentence: without its full stop, and small unless it is a name."""
        first = sentence.split(" ", 1)[0]
        small = first[1:].islower() and first.casefold() == "metformin"
        return (sentence[:1].lower() + sentence[1:] if small else sentence).rstrip(".")
