"""The letter of appeal, deterministic: it quotes the reason that was given, answers that reason and no other
with dated evidence and the policy's own clause, and asks for what its level gives. What only the prescriber
knows is a gap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from tools.appeals.enclosures import enclosed
from tools.appeals.levels import LevelText, text_of, texts
from tools.appeals.moves import Matter, misread
from tools.appeals.pointing import drugs_named, tests_named
from tools.appeals.records import Strategy, Weighed
from tools.common.errors import Refused
from tools.denials.days import days_in
from tools.denials.records import Denial
from tools.domain.records import Evidence, Finding, Record
from tools.evidence.courses import matches
from tools.evidence.measurements import values_of
from tools.papers import formats
from tools.papers.case import Case
from tools.papers.citations import citations
from tools.papers.composed import Block, Letter, heading, paragraph
from tools.papers.letters import Writer
from tools.terminology.observations import TESTS

# The reasons that turn on medicine: literature bears on these and on no other.
CLINICAL = frozenset({"medical_necessity", "step_therapy", "diagnosis_mismatch"})
MOST_CITED = 3
_ANSWERS: dict[str, tuple[str, str]] = {  # one finding, several
    "step_therapy": ("The record meets the policy's requirement of earlier treatment.",) * 2,
    "medical_necessity": ("The record meets the criterion.", "The record meets each of the criteria."),
    "quantity_limit": ("The quantity that is ordered lies within the plan's limit.",) * 2,
    "diagnosis_mismatch": ("The record meets what the policy asks for of the diagnosis.",) * 2,
    "age": ("The patient is of the age that the policy asks for.",) * 2,
    "duplicate_therapy": (
        "The medication list shows no drug that the policy excludes beside the one requested.",
    )
    * 2,
    "exclusion": (
        "The record rules out what the letter takes to rule out the drug.",
        "The record rules out each of the conditions for which the policy withholds the drug.",
    ),
}


class Filing(Record, frozen=True, kw_only=True):
    """What the office adds: the prescriber's own statement that delay would harm, if one was made."""

    expedited: str = ""


def appeal_letter(case: Case, denial: Denial, found: Strategy, filing: Filing | None = None) -> Letter:
    """The letter for the step that files the appeal; Refused, with what to do instead, where the strategy has
    none."""
    if found.refusal:
        raise Refused(found.refusal)
    step = found.appeal
    text = text_of(case.plan.line_of_business, step.level) if step else None
    if step is None or text is None:
        raise Refused(f"no appeal is drafted for {case.drug.name}: no level of appeal is left")
    writer = AppealWriter(case, denial, found, text, filing or Filing())
    return writer.letter(formats.sentence(text.name), writer.appeal(late=step.late))


class AppealWriter(Writer):
    """Writes the letter of one level about one denial."""

    def __init__(self, case: Case, denial: Denial, found: Strategy, text: LevelText, filing: Filing) -> None:
        super().__init__(case)
        self.denial, self.found, self.level, self.filing = denial, found, text, filing
        self.reasons = [reason for reason in found.reasons if reason.standing == "refuted"]
        self.told: set[str] = set()  # criteria that were shown already

    def appeal(self, late: bool) -> Iterator[Block]:
        yield self.head()
        yield Block(kind="lines", lines=(self.date(self.case.as_of, "as_of"),))
        yield Block(kind="lines", lines=tuple(self.addressee()))
        yield Block(kind="subject", lines=tuple(self.subject()))
        yield paragraph("To the reviewer:")
        yield paragraph(*self._opening_lines())
        yield from self._expedited()
        if late:
            yield paragraph("This request comes after its day, for good cause:", self.gap(texts().good_cause))
        yield from self._rebuttals()
        yield from self._literature()
        yield heading("Request")
        if self._is_clinical():
            yield paragraph(*self._stakes())
        yield paragraph(*self._wanted_verdict())
        yield from (Block(kind="bullet", lines=(self._right(right),)) for right in self.level.rights)
        yield from self.enclosures()
        yield self.signature()

    # --- head --------------------------------------------------------------------------------------------

    def addressee(self) -> Iterator[str]:
        plan, source = self.case.plan, f"plan:{self.case.plan.id}"
        for line in self.level.to:
            yield self._filled(line)
        if not self.level.plan_box:
            yield self.gap("address, as the notice of the decision gives it")
            return
        if plan.address:
            yield self.fact(formats.address(plan.address), source)
        if plan.fax:
            yield f"Fax {self.fact(plan.fax, source)}"

    def subject(self) -> Iterator[str]:
        first, member, numbers, diagnosis, *ours = super().subject()
        yield f"Re: {formats.sentence(self.level.name)}: {first.removeprefix('Re: Prior authorization of ')}"
        yield from (member, numbers, diagnosis)
        reference = self.denial.reference
        shown = (
            self.fact(reference.value, "denial")
            if reference
            else self.gap("payer's reference, from its letter")
        )
        yield f"Payer's reference: {shown}; decision of {self._decided()}"
        yield from ours

    def _decided(self) -> str:
        dated = self.denial.dated
        return self.date(dated.value, "denial") if dated else self.gap("date of the decision")

    def _filled(self, text: str) -> str:
        """A text of the level with what this case puts in."""
        plan, drug = self.case.plan, self.case.drug.name
        if "{payer}" in text:
            self.fact(plan.payer, f"plan:{plan.id}")
        if "{plan}" in text:
            self.fact(plan.name, f"plan:{plan.id}")
        if "{drug}" in text:
            self.fact(drug, f"drug:{drug}")
        date = self._decided() if "{date}" in text else ""
        product = self._product() if "{product}" in text else ""
        return text.format(payer=plan.payer, plan=plan.name, drug=drug, date=date, product=product)

    # --- opening -----------------------------------------------------------------------------------------

    def _opening_lines(self) -> Iterator[str]:
        yield f"On behalf of my patient, {self._person()}, I {self._filled(self.level.ask)}."
        yield self._who()
        rule = self.case.rule
        if rule and rule.indication_text:
            use = self.fact(rule.indication_text, self.case.determination.policy_id)
            drug = self.fact(self.case.drug.name, f"drug:{self.case.drug.name}")
            yield f"{drug} is prescribed for {use}."

    def _expedited(self) -> Iterator[Block]:
        if self.filing.expedited:
            yield paragraph(texts().expedited, "As the prescriber I state:")
            yield Block(kind="criterion", lines=("", self.fact(self.filing.expedited, "prescriber"), ""))

    # --- the reasons, each with its answer ---------------------------------------------------------------

    def _rebuttals(self) -> Iterator[Block]:
        several = len(self.reasons) > 1
        for number, reason in enumerate(self.reasons, 1):
            yield heading(f"Reason {number} of the decision" if several else "The reason that was given")
            yield Block(kind="criterion", lines=("", self._quoted(reason), ""))
            yield heading(f"Answer to reason {number}" if several else "What the record shows")
            yield paragraph(*self._answer(reason))
            yield from self._clauses(reason)

    def _quoted(self, reason: Weighed) -> str:
        """The letter's words, with its own quotation marks made single inside ours."""
        return self.fact(" ".join(reason.quote.split()).replace('"', "'"), "denial")

    def _answer(self, reason: Weighed) -> Iterator[str]:
        policy = self.case.determination.policy_id
        if reason.baseless:
            yield f"The policy that governs this request, {self.fact(policy, policy)}, has no such criterion."
            yield "The criteria that it has are met, as follows."
        elif reason.code in _ANSWERS:
            yield _ANSWERS[reason.code][len(reason.findings) > 1]
        yield from _MORE.get(reason.code, _nothing)(self, reason)
        if reason.findings and all(finding.criterion in self.told for finding in reason.findings):
            yield "What is shown above answers this reason too."

    def documents(self, reason: Weighed) -> Iterator[str]:
        papers = {paper.id for paper in self.case.rule.documents} if self.case.rule else set()
        asked = [finding for finding in reason.findings if finding.criterion in papers]
        if not asked:
            yield "The criterion for which it was asked is met on the record, as follows."
        elif len(asked) == 1:
            yield "The document is on file, of the date that the policy asks for, and is enclosed."
        else:
            yield "Each of the documents is on file, of the date that the policy asks for, and is enclosed."

    def quantity(self, reason: Weighed) -> Iterator[str]:
        ordered = self._quantity()
        if ordered:
            yield f"The order is for {ordered}."
        for words in misread(Matter(self.case, self.denial, (), "", (), None)):
            yield f"The letter speaks of {self.fact(words.partition(' and not ')[0], 'denial')}."

    def values(self, reason: Weighed) -> Iterator[str]:
        """Of the results that the payer names with their day: which of them the chart does not have."""
        quote = reason.quote.casefold()
        for test in tests_named(quote):
            known = {value.date for value in values_of(self.case.patient, test, self.case.as_of).usable}
            for found in days_in(reason.quote):
                if found.day not in known:
                    yield f"The chart has no {TESTS[test].name} of {self.date(found.day, 'denial')}."

    def use(self, reason: Weighed) -> Iterator[str]:
        if self.case.diagnosis is not None:
            drug = self.fact(self.case.drug.name, f"drug:{self.case.drug.name}")
            yield f"The diagnosis for which {drug} is prescribed is on the problem list: {self._diagnosed()}."

    def other_drugs(self, reason: Weighed) -> Iterator[str]:
        """Of the drugs that the payer names: not on a complete list, or ended."""
        medications = self.case.patient.medications
        said = reason.quote.casefold()
        for name in () if medications is None else drugs_named(said):
            if name in (self.case.drug.name.casefold(), *self.case.drug.ingredients):
                continue
            shown = re.search(re.escape(name), reason.quote, re.IGNORECASE)
            drug = self.fact(shown[0] if shown else name, "denial")
            courses = [m for m in medications or () if matches(m, (name,), (), m.drug)]
            if not courses:
                yield f"{formats.sentence(drug)} is not on the medication list."
            for course in courses:
                if course.end:
                    yield f"{formats.sentence(drug)} was stopped on {self.date(course.end, course.id)}."

    def enrollment(self, reason: Weighed) -> Iterator[str]:
        period, plan = self.case.coverage, self.case.plan
        if period is None:
            return
        named = self.fact(plan.name, f"plan:{plan.id}")
        since = self.date(period.start, period.id) if period.start else ""
        until = self.date(period.end, period.id) if period.end else ""
        span = f" from {since} to {until}" if since and until else f" since {since}" if since else ""
        been = "is" if until else "has been"
        yield f"{self._person()} {been} enrolled in {named}{span}."
        if not until:
            yield "No end of the enrollment is on record."

    def covered_use(self, reason: Weighed) -> Iterator[str]:
        case, rule = self.case, self.case.rule
        plan, drug = (
            self.fact(case.plan.name, f"plan:{case.plan.id}"),
            self.fact(case.drug.name, f"drug:{case.drug.name}"),
        )
        use = (
            self.fact(rule.indication_text, case.determination.policy_id)
            if rule and rule.indication_text
            else "this use"
        )
        yield f"{plan} covers {drug} for {use}, as its own policy says."
        label = self._label()
        if label:
            yield label
        if (
            reason.code == "benefit_exclusion"
            and plan_of_part_d(case)
            and label
            and case.indication != "weight"
        ):
            yield self.fact(texts().labeled_use, "level:part_d")

    def supply(self, reason: Weighed) -> Iterator[str]:
        why = formats.dates_in(reason.why, formats.long_date)
        yield f"By the pharmacy claims on record, {self.fact(why, 'fills')}."

    def _clauses(self, reason: Weighed) -> Iterator[Block]:
        """The clauses with what shows them; what was shown for an earlier reason is not shown again."""
        if reason.code in ("non_formulary", "benefit_exclusion") and self.case.rule:
            number, quote = self._clause(self.case.rule.criteria.clause_id, self.case.rule.criteria.quote)
            yield Block(kind="criterion", lines=(number, quote, ""))
        for finding in reason.findings:
            if finding.criterion not in self.told:
                self.told.add(finding.criterion)
                yield from self._found(finding)

    def _shown(self, finding: Finding) -> str:
        """What was found, and where the chart has it with its dates."""
        if finding.status != "met":
            return super()._shown(finding)
        return " ".join([super()._shown(finding), *self._sources(finding)])

    def _sources(self, finding: Finding) -> Iterator[str]:
        courses = {course.id: course for course in self.case.patient.medications or ()}
        seen = [courses[e.record_id] for e in finding.evidence if e.record_id in courses]
        if seen and finding.found is not None:
            yield (
                "On the medication list: "
                + "; and ".join(_inner(self._trial(course)) for course in seen)
                + "."
            )
        stated = [e for e in finding.evidence if e.kind == "attestation" and e.date]
        if stated:
            yield f"It was stated on {self._days(stated)}."
        filed = [
            e for e in finding.evidence if e.date and e.kind not in ("attestation",) and _is_on_file(finding)
        ]
        if filed:
            yield f"It is dated {self._days(filed)}."

    def _days(self, seen: Iterable[Evidence]) -> str:
        days = sorted({(e.date, e.record_id) for e in seen if e.date})
        shown = list(dict.fromkeys(self.date(day, record) for day, record in days))
        return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"

    # --- literature, request, enclosures -----------------------------------------------------------------

    def _literature(self) -> Iterator[Block]:
        if not self._is_clinical():
            return
        found = citations(self.case)[:MOST_CITED]
        if found:
            yield heading("Published evidence")
        yield from map(self.cited, found)

    def _is_clinical(self) -> bool:
        """Does a reason turn on medicine, and not on a form, a number or what the policy does not ask?"""
        return any(reason.code in CLINICAL and not reason.baseless for reason in self.reasons)

    def _wanted_verdict(self) -> Iterator[str]:
        months = self.case.months
        time = f" for {self.fact(str(months), f'plan:{self.case.plan.id}')} months" if months else ""
        yield f"I ask that {self._filled(self.level.verdict)}{time}."
        doctor = self.case.patient.prescriber
        if doctor and doctor.phone:
            yield f"The reviewer can reach me at {self.fact(doctor.phone, 'prescriber')}."

    def _right(self, right: str) -> str:
        return self.fact(self._filled(right), f"level:{self.level.level}")

    def enclosures(self) -> Iterator[Block]:
        """What is there, numbered as the packet has it; what this level needs and nobody has yet is a gap."""
        yield heading("Enclosures")
        for number, label in enumerate(enclosed(self.case, self.denial, self.reasons), 1):
            yield Block(kind="numbered", lines=(str(number), self.fact(label, "enclosure")))
        if self.level.consent:
            yield Block(kind="bullet", lines=(self.gap(f"enclose {self.level.consent}"),))


def plan_of_part_d(case: Case) -> bool:
    return case.plan.line_of_business in ("medicare_part_d", "medicare_advantage")


def _is_on_file(finding: Finding) -> bool:
    return finding.found is not None and finding.found.code in ("document.on_file", "document.charted")


def _nothing(writer: AppealWriter, reason: Weighed) -> Iterator[str]:
    return iter(())


# What is said beside the clauses, of reasons that a clause alone does not answer.
_MORE: dict[str, Callable[[AppealWriter, Weighed], Iterator[str]]] = {
    "medical_necessity": AppealWriter.values,
    "insufficient_documentation": AppealWriter.documents,
    "quantity_limit": AppealWriter.quantity,
    "diagnosis_mismatch": AppealWriter.use,
    "duplicate_therapy": AppealWriter.other_drugs,
    "not_eligible": AppealWriter.enrollment,
    "non_formulary": AppealWriter.covered_use,
    "benefit_exclusion": AppealWriter.covered_use,
    "refill_too_soon": AppealWriter.supply,
}


def _inner(sentence: str) -> str:
    """Inside a sentence: without its full stop, and small unless it is a name."""
    first = sentence.split(" ", 1)[0]
    small = (
        sentence[:1].lower() + sentence[1:]
        if first[1:].islower() and first.casefold() == "metformin"
        else sentence
    )
    return small.rstrip(".")
