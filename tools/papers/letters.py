"""The letter of medical necessity, deterministic: every number, date, code and name in it is a fact on record.

What the record does not show is a gap for the prescriber, marked as such; nothing is filled in. The letter is
composed of blocks that letter_pdf.py and the texts below set each in its own way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Literal

from tools.appeals.records import Ground
from tools.domain.records import Diagnosis, Finding, Medication, Program
from tools.domain.rules import AnyOf, Condition
from tools.papers import formats
from tools.papers.attachments import enclosures
from tools.papers.case import LABS, Case, Measurement
from tools.papers.citations import Citation, citations
from tools.papers.composed import Block, Fact, Letter, heading, paragraph
from tools.papers.exceptions import Barrier, ExceptionText, texts
from tools.papers.form_sources import excepted_by, excepting
from tools.papers.paper import identity, reference
from tools.papers.questions import Question, questions
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

Units = Literal["us", "metric"]
__all__ = ["Block", "Fact", "Letter", "Writer", "letter"]

GAP = "[PRESCRIBER TO COMPLETE: {}]"
STATUS_CODES = ("Z68", "Z71", "Z79")  # say again what values and treatment say already
ARGUED = 2  # citations on the page that argues; the others stand in the appendix
ALSO, VALUES = 6, 6  # diagnoses and values in the summary
PREGNANCY, PAST_PREGNANCY = ("O", "Z33", "Z34", "Z3A"), 60  # ICD-10-CM; years of age
PEOPLE = {"male": "man", "female": "woman", "unknown": "patient"}


def letter(case: Case, units: Units = "us") -> Letter:
    """The letter of medical necessity for this case, unsigned: one page that argues, and an appendix that shows.

    Args:
        units: as the payer's form has weight and height.
    """
    writer = Writer(case, units)
    return writer.letter("Letter of medical necessity", writer.necessity())


class Writer:
    """Writes letters about one case and keeps the facts that they used."""

    def __init__(self, case: Case, units: Units = "us") -> None:
        self.case, self.units = case, units
        self.facts: list[Fact] = []
        self.gaps: list[str] = []
        self.exceptions, self.excepted = excepting(case), excepted_by(case)

    def letter(self, title: str, blocks: Iterable[Block]) -> Letter:
        """The blocks, with the facts and gaps that came up in writing them."""
        written = tuple(blocks)
        return Letter(
            title=f"{title}: {self.case.drug.name}",
            case_id=reference(self.case),
            blocks=written,
            facts=tuple(dict.fromkeys(self.facts)),
            gaps=tuple(dict.fromkeys(self.gaps)),
            identity=identity(self.case),
        )

    # --- facts and gaps ------------------------------------------------------------------------------------

    def fact(self, value: str, *records: str) -> str:
        if value:
            self.facts.append(Fact(value=value, record_id=",".join(dict.fromkeys(filter(None, records)))))
        return value

    def date(self, day: date, *records: str) -> str:
        return self.fact(formats.long_date(day), *records)

    def gap(self, what: str) -> str:
        text = GAP.format(what)
        self.gaps.append(text)
        return text

    def known(self, value: str, record: str, what: str) -> str:
        return self.fact(value, record) or self.gap(what)

    # --- the letter, top to bottom ---------------------------------------------------------------------------

    def necessity(self) -> Iterator[Block]:
        yield from self._warning()
        yield self.head()
        yield Block(kind="lines", lines=(self.date(self.case.as_of, "as_of"), *self.addressee()))
        yield Block(kind="subject", lines=tuple(self.subject()))
        yield paragraph("To the reviewer:", self._opening(), *self._correction())
        yield from self.expedited()
        yield heading("Summary")
        yield paragraph(self._who(), self._also(), self._values())
        yield from self._exceptions()
        cited = citations(self.case)
        yield heading(f"Why {self.case.drug.name}")
        yield paragraph(self._label())
        yield from map(self.cited, cited[:ARGUED])
        yield from self._trials()
        yield heading("Request")
        yield paragraph(*self._stakes(), *self._request())
        yield self.signature()
        criteria, enclosed = tuple(self._criteria()), tuple(self.enclosures())
        if criteria or enclosed:  # further evidence alone is not worth a page
            yield Block(kind="page", lines=())
            yield from (*criteria, *self._evidence(cited[ARGUED:]), *enclosed)

    def _warning(self) -> Iterator[Block]:
        if self.case.determination.outcome != "likely_denial":
            return
        findings = self.case.determination.findings
        failing = [f for f in findings if f.status == "not_met" and f.criterion not in self.excepted]
        if not failing:
            return
        named = "; ".join(self._named(f.clause.clause_id if f.clause else "", f.text) for f in failing)
        yield Block(
            kind="notice", lines=(f"DRAFT. A denial is likely. Not met: {named}. Remove this line to send.",)
        )

    def _named(self, clause_id: str, text: str) -> str:
        policy = self.case.determination.policy_id
        shown = self.fact(text, policy)
        return f"clause {self.fact(clause_id, policy)} ({shown})" if clause_id else shown

    def head(self) -> Block:
        doctor = self.case.patient.prescriber
        if doctor is None:
            return Block(kind="head", lines=(self.gap("practice, address and telephone"),))
        place = self.fact(formats.address(doctor.address), "prescriber")
        ways = [
            f"{name} {self.fact(number, 'prescriber')}"
            for name, number in (("Telephone", doctor.phone), ("Fax", doctor.fax))
            if number
        ]
        lines = (self.fact(doctor.practice or doctor.name, "prescriber"), place, "  ".join(ways))
        return Block(kind="head", lines=tuple(filter(None, lines)))

    def addressee(self) -> Iterator[str]:
        plan, source = self.case.plan, f"plan:{self.case.plan.id}"
        yield self.fact(plan.payer, source)
        fax = f", fax {self.fact(plan.fax, source)}" if plan.fax else ""
        yield f"Pharmacy Prior Authorization{fax}"
        if plan.address:
            yield self.fact(formats.address(plan.address), source)

    def subject(self) -> Iterator[str]:
        case, patient, covered = self.case, self.case.patient, self.case.coverage
        asked = " and ".join(one.text.name for one in self.exceptions)
        what = f"{formats.sentence(asked)}: " if asked else "Prior authorization of "
        urgent = "Expedited review. " if self.case.request.expedited else ""
        yield f"Re: {urgent}{what}{self._product()}"
        born = patient.birth_date
        name = self.known(patient.name, "patient", "patient's name")
        birth = self.date(born, "patient") if born else self.gap("date of birth")
        yield f"Member: {name}, born {birth}"
        member = self.known(covered.member_id if covered else "", covered.id if covered else "", "member ID")
        group = f", group {self.fact(covered.group, covered.id)}" if covered and covered.group else ""
        yield f"Member ID: {member}{group}, plan {self.fact(case.plan.name, f'plan:{case.plan.id}')}"
        yield f"Diagnosis: {self._diagnosed()}"
        policy = case.determination.policy_id
        ours = f"Our reference: {self.fact(reference(case), 'patient')}"
        yield f"{ours}; policy {self.fact(policy, policy)}" if policy else ours

    def _product(self) -> str:
        case, source = self.case, f"drug:{self.case.drug.name}"
        asked = case.order.id if case.order else source
        drug = f"{self.fact(case.drug.name, source)} ({self.fact(case.generic, source)})"
        strength = self.fact(case.request.strength, asked)
        quantity = self._quantity()
        return ", ".join(filter(None, (f"{drug} {strength}".strip(), quantity)))

    def _quantity(self) -> str:
        request = self.case.request
        if request.quantity is None or not request.days_supply:
            return ""
        source = self.case.order.id if self.case.order else f"drug:{self.case.drug.name}"
        amount = formats.amount(request.quantity, request.unit or self.case.drug.unit)
        return f"{self.fact(amount, source)} per {self.fact(str(request.days_supply), source)} days"

    def _diagnosed(self) -> str:
        return (
            self._entry(self.case.diagnosis)
            if self.case.diagnosis
            else self.gap("diagnosis and ICD-10-CM code")
        )

    def _entry(self, diagnosis: Diagnosis) -> str:
        name = self.fact(formats.diagnosis(diagnosis), diagnosis.id)
        code = self.fact(diagnosis.code, diagnosis.id)
        return f"{name} ({code})" if name else code

    def _person(self) -> str:
        return self.case.patient.name or "this patient"

    def _opening(self) -> str:
        case = self.case
        use = INDICATIONS.get(case.indication, case.indication)
        drug = self.fact(case.drug.name, f"drug:{case.drug.name}")
        going_on = case.kind in ("renewal", "continuation")
        if self.exceptions:
            asked = " and ".join(f"{_article(one.text.name)} {one.text.name}" for one in self.exceptions)
            said = (f" for {drug}", f"prescribed for {use}" if use else "", "as continued therapy" * going_on)
            what = f"{asked}{', '.join(filter(None, said))},"
        else:
            verb = {
                "renewal": "the continued authorization",
                "continuation": "the authorization, as continued therapy,",
            }
            what = f"{verb.get(case.kind or 'new', 'authorization')} of {drug}{f' for {use}' if use else ''}"
        return f"I am writing to request {what} on behalf of my patient, {self._person()}."

    def _who(self) -> str:
        case = self.case
        age = (
            f"a {self.fact(str(case.age), 'patient')}-year-old {PEOPLE[case.patient.sex]}"
            if case.age is not None
            else "a patient"
        )
        if case.diagnosis is None:
            return f"{self._person()} is {age}."
        onset = case.diagnosis.onset
        # A weight class is coded anew as the weight changes: its date says nothing of when the disease began.
        recoded = onset is not None and case.therapy_start is not None and onset > case.therapy_start
        since = f", diagnosed on {self.date(onset, case.diagnosis.id)}" if onset and not recoded else ""
        return f"{self._person()} is {age} with {_lower(self._entry(case.diagnosis))}{since}."

    def _also(self) -> str:
        others = [
            d
            for d in self.case.diagnoses
            if d is not self.case.diagnosis and not d.code.startswith(STATUS_CODES)
        ][:ALSO]
        where = "Also on the problem list" if self.case.diagnosis else "On the problem list"
        return f"{where}: {_joined(_lower(self._entry(d)) for d in others)}." if others else ""

    def _values(self) -> str:
        if not self.case.labs:
            return self.gap("current laboratory values and measurements with their dates")
        shown = [self._value(m) for m in self.case.labs if m.test != "height"][:VALUES]  # the BMI tells it
        return f"Values on record: {_joined(shown)}."

    def _value(self, measured: Measurement) -> str:
        ids = measured.record_ids
        value = self.fact(formats.measure(measured.test, measured.value, self.units), *ids)
        return f"{TESTS[measured.test].name} {value} ({self.date(measured.date, *ids)})"

    def _correction(self) -> Iterator[str]:
        before = self.case.request.corrects
        if before is None:
            return
        case = f"case:{before.case_id}"
        sent = f" of {self.date(before.sent, case)}" if before.sent else ""
        number = f" (your reference {self.fact(before.reference, case)})" if before.reference else ""
        due = (
            f", within the time for the answer, which ends on {self.date(before.due, case)}"
            if before.due
            else ""
        )
        yield f"It corrects our request{sent}{number}, which is pending{due}, and takes its place."

    def expedited(self) -> Iterator[Block]:
        """The prescriber's certification, and the time that the plan has then."""
        reason, plan = self.case.request.expedited, self.case.plan
        if not reason:
            return
        text, source = texts().expedited, f"plan:{plan.id}"
        rule = text.rules.get(plan.line_of_business, "")
        within = (
            f", which the plan decides within {self.fact(str(plan.expedited_hours), source)} hours"
            if plan.expedited_hours
            else ""
        )
        cited = f" ({self.fact(rule, 'rule')})" if rule else ""
        yield heading("Expedited review")
        yield paragraph(
            f"I ask for an expedited review{cited}{within}.",
            f"{text.certifies}, for the reason that follows.",
        )
        yield self._own_words(reason)

    # --- exceptions ----------------------------------------------------------------------------------------

    def _exceptions(self) -> Iterator[Block]:
        for asked in self.exceptions:
            yield heading("Why an exception")
            yield paragraph(*(self._barrier(one, asked.text) for one in asked.barriers))
            yield from (Block(kind="bullet", lines=(self._ground(ground),)) for ground in asked.grounds)
            if asked.statement:
                yield self._own_words(asked.statement)
            elif not asked.complete:
                which = f" ({', '.join(asked.unanswered)})" if asked.unanswered else ""
                yield paragraph(self.gap(f"{asked.text.why}{which}"))

    def _own_words(self, said: str) -> Block:
        """The prescriber's, which nobody rewords."""
        words = self.fact(said.rstrip(".").replace('"', "'") + ".", "prescriber")
        return Block(kind="criterion", lines=("", words, ""))

    def _barrier(self, barrier: Barrier, text: ExceptionText) -> str:
        policy = self.case.determination.policy_id or f"plan:{self.case.plan.id}"
        rule = self.fact(barrier.rule, policy)
        clause = f" (clause {self.fact(barrier.clause.clause_id, policy)})" if barrier.clause else ""
        found = self.fact(formats.dates_in(barrier.found, formats.long_date), policy, *barrier.records)
        return f"{text.barrier.format(rule=rule + clause)}{f': {found}' if found else ''}."

    def _ground(self, ground: Ground) -> str:
        text = formats.dates_in(ground.text.rstrip("."), formats.long_date)
        return f"{formats.sentence(self.fact(text, ground.record_id))}."

    # --- why this drug -------------------------------------------------------------------------------------

    def _label(self) -> str:
        found, name = self.case.label_indication, self.case.drug.name
        if found is None or not found.text:
            return ""
        text = self.fact(found.text.rstrip("."), f"drug:{name}")
        return f"Labeled indication of {name}: {text}."

    def _trials(self) -> Iterator[Block]:
        if self.case.patient.medications is None:
            yield heading("Treatment to date")
            yield paragraph(self.gap("treatments tried, with dose, dates and outcome"))
            return
        tried = [
            *map(self._program, self._programs()),
            *map(self._trial, (*self.case.trials, *self.case.own)),
        ]
        if tried:
            yield heading("Treatment to date")
            yield from (Block(kind="bullet", lines=(line,)) for line in tried)

    def _programs(self) -> list[Program]:
        """The programs by which a criterion is met."""
        proving = self._proving
        dated = (one for one in self.case.patient.programs or () if one.start and not one.reckoned)
        return sorted(
            (one for one in dated if one.id in proving), key=lambda one: (one.start or date.min, one.id)
        )

    def _program(self, program: Program) -> str:
        name = self.fact(program.name, program.id)
        begun = self.date(program.start, program.id) if program.start else ""
        lasted = f"{begun} to {self.date(program.end, program.id)}" if program.end else f"since {begun}"
        return f"Lifestyle program{f' ({name})' if name else ''}, {lasted}."

    @property
    def _proving(self) -> set[str]:
        """The records by which a criterion is met."""
        met = (f for f in self.case.findings.values() if f.status == "met" and f.kind == "criterion")
        return {shown.record_id for finding in met if not finding.exclusion for shown in finding.evidence}

    def _trial(self, course: Medication) -> str:
        name, dose = self.fact(course.drug, course.id), self.fact(formats.dose(course), course.id)
        what = " ".join(filter(None, (formats.sentence(name), dose or self.gap(f"dose of {course.drug}"))))
        return f"{what}, {self._period(course)}{self._result(course)}."

    def _period(self, course: Medication) -> str:
        begun = self.date(course.start, course.id) if course.start else self.gap(f"start of {course.drug}")
        if course.end is not None:
            return f"{begun} to {self.date(course.end, course.id)}"
        return (
            f"since {begun}"
            if course.status == "active"
            else f"from {begun} until {self.gap(f'end of {course.drug}')}"
        )

    def _result(self, course: Medication) -> str:
        reason = formats.dates_in(course.reason.rstrip("."), formats.long_date)
        kind, _, which = (course.outcome or "").partition(" - ")
        outcome = _lower(f"{kind} ({which})" if which else kind)
        said = [self.fact(outcome, course.id), self.fact(reason, course.id)]
        return f": {'; '.join(filter(None, said))}" if any(said) else ""

    def _criteria(self) -> Iterator[Block]:
        """The appendix: each criterion with what the record shows of it and the clause, as one table."""
        asked = [question for question in questions(self.case) if self._can_apply(question)]
        if not asked:
            return
        yield heading(f"Appendix: {formats.possessive(self.case.plan.payer)} criteria and the record")
        yield paragraph("Each criterion with what the record shows of it and the clause that it answers.")
        for question in asked:
            yield from self._rows(question)

    def _can_apply(self, question: Question) -> bool:
        """An exclusion that asks for what cannot be so is not argued against: pregnancy in a man, or past an age."""
        node = self.case.nodes.get(question.criterion)
        if not question.inverted or not isinstance(node, Condition) or node.sex is None:
            return True
        of_age = (
            any(code.startswith(PREGNANCY) for code in node.codes) and (self.case.age or 0) >= PAST_PREGNANCY
        )
        return not of_age and self.case.patient.sex in (node.sex, "unknown")

    def _rows(self, question: Question) -> Iterator[Block]:
        if question.finding is not None:
            yield from self._finding_rows(question.finding)
            return
        number, quote = self._clause(question.clause_id, question.quote)
        yield Block(
            kind="row", lines=(question.text, self.gap(_lower(question.text.rstrip("?"))), number, quote)
        )

    def _finding_rows(self, finding: Finding, inner: bool = False) -> Iterator[Block]:
        """A composite is shown by the branches that decide it; its own clause only says that they do."""
        deciding = self._deciding(finding)
        if deciding:
            for part in deciding:
                yield from self._finding_rows(part, inner=True)
            return
        number, quote = (
            self._clause(finding.clause.clause_id, finding.clause.quote) if finding.clause else ("", "")
        )
        shown = " ".join(filter(None, (self._shown(finding), "" if inner else self._failed(finding))))
        # The clause says what is asked for; only where none is quoted, the rule's own words stand in its place.
        text = "" if quote else formats.sentence(self.fact(finding.text, self.case.determination.policy_id))
        yield Block(kind="row", lines=(text, shown, number, quote))

    def _found(self, finding: Finding, inner: bool = False) -> Iterator[Block]:
        clause = finding.clause
        number, quote = self._clause(clause.clause_id, clause.quote) if clause else ("", "")
        deciding = self._deciding(finding)
        failed = "" if inner else self._failed(finding)
        shown = " ".join(filter(None, ("" if deciding else self._shown(finding), failed)))
        yield Block(kind="criterion", lines=(number, quote, shown))
        for part in deciding:
            yield from self._found(part, inner=True)

    def _failed(self, finding: Finding) -> str:
        if finding.status != "not_met":
            return ""
        if finding.criterion in self.excepted:
            return "An exception is asked for."
        return self.gap("grounds for an exception, if any")

    def _deciding(self, finding: Finding) -> list[Finding]:
        """The branches that made it so; of several ways to meet it, the two plainest."""
        parts = [part for part in finding.parts if part.status == finding.status and part.clause]
        if finding.status == "met" and isinstance(self.case.nodes.get(finding.criterion), AnyOf):
            plain = [part for part in parts if not part.parts]
            return (plain or parts)[:2]
        return parts

    def _clause(self, number: str, quote: str) -> tuple[str, str]:
        policy = self.case.determination.policy_id
        return self.fact(number, policy), self.fact(quote, policy)

    def _shown(self, finding: Finding) -> str:
        if finding.status == "unknown":
            return self.gap(self._wanted(finding))
        detail = formats.finding(finding, formats.long_date, self.units)
        records = [e.record_id for e in finding.evidence]
        said = f"{self.fact(detail, *records)}." if detail else "shown in the record."
        return formats.sentence(said) if finding.status == "met" else f"Not met on the record: {said}"

    def _wanted(self, finding: Finding) -> str:
        what = formats.dates_in(finding.fix or finding.text, formats.long_date).rstrip(".")
        what = what.removeprefix("Ask the prescriber to ")
        records = [e.record_id for e in finding.evidence]
        return _lower(self.fact(what, *records, self.case.determination.policy_id))

    def _evidence(self, found: Sequence[Citation]) -> Iterator[Block]:
        if found:
            yield heading("Further evidence")
        yield from map(self.cited, found)

    def cited(self, hit: Citation) -> Block:
        """A result with its source; a guideline's name stands in its source already."""
        key = f"citation:{hit.key}"
        result, source = self.fact(hit.result, key), self.fact(hit.source, key)
        guideline = hit.key.startswith(("ADA", "AGA", "KDIGO", "HF ", "AASLD"))
        name = "" if guideline else f"{self.fact(hit.key, key)}, "
        return Block(kind="bullet", lines=(f"{result} ({name}{source})",))

    def _stakes(self) -> Iterator[str]:
        """What delay means, as far as the chart shows it; a value is named only if a criterion is met by it."""
        case = self.case
        proving, telling = self._proving, LABS.get(case.indication, ())[:1]  # what the drug acts on
        now = next((m for m in case.labs if m.test in telling and proving.intersection(m.record_ids)), None)
        if case.renewal or case.kind == "continuation":
            yield "A delay would interrupt treatment that is under way."
            if now is not None:
                yield f"The latest value on it is {self._value(now)}."
        elif now is not None:
            yield "Until this request is decided the treatment cannot begin."
            yield f"The latest value on record is {self._value(now)}."
        elif not case.labs:
            yield self.gap("what a delay would mean for this patient")

    def _request(self) -> Iterator[str]:
        case = self.case
        months = case.months
        time = f" for {self.fact(str(months), f'plan:{case.plan.id}')} months" if months else ""
        wanted = [one.text.ask for one in self.exceptions] or ["{payer} authorize {product}{time}"]
        said = " and that ".join(wanted).format(payer=case.plan.payer, product=self._product(), time=time)
        yield f"I ask that {said}."
        for asked in self.exceptions:
            rule = asked.text.rules.get(case.plan.line_of_business)
            if rule:
                yield f"The {asked.text.name} is asked for under {self.fact(rule, 'rule')}."
        doctor = case.patient.prescriber
        phone = f" at {self.fact(doctor.phone, 'prescriber')}" if doctor and doctor.phone else ""
        yield f"Should the reviewer need more, I am available for a peer-to-peer conversation{phone}."

    def enclosures(self) -> Iterator[Block]:
        papers = enclosures(self.case)
        policy = self.case.determination.policy_id
        enclosed = [paper for paper in papers if paper.enclosed]
        if enclosed:
            yield heading("Enclosures")
        for paper in enclosed:
            label = formats.sentence(self.fact(paper.attachment.label, policy))
            day = paper.attachment.date
            on = f", {self.date(day, paper.attachment.record_id)}" if day else ""
            from_chart = "" if paper.document else " (from the chart)"
            yield Block(kind="bullet", lines=(f"{label}{on}{from_chart}",))
        if len(enclosed) < len(papers):
            yield heading("To be attached")
        for paper in papers:
            if not paper.enclosed:
                label = formats.sentence(self.fact(paper.attachment.label, policy))
                on_file = bool(paper.attachment.record_id)
                yield Block(kind="bullet", lines=(label if on_file else self.gap(f"{label}, not on file"),))

    def signature(self) -> Block:
        doctor = self.case.patient.prescriber
        name = self.known(doctor.name if doctor else "", "prescriber", "prescriber's name")
        specialty = (
            self.fact(formats.sentence(doctor.specialty), "prescriber") if doctor and doctor.specialty else ""
        )
        npi = f"NPI {self.known((doctor.npi if doctor else '') or '', 'prescriber', 'NPI')}"
        return Block(kind="signature", lines=("Sincerely,", name, ", ".join(filter(None, (specialty, npi)))))


def _joined(parts: Iterable[str]) -> str:
    items = list(parts)
    return "; ".join(items)


def _lower(text: str) -> str:
    """Inside a sentence; HbA1c and other words with capitals or digits within stay as they are."""
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if len(first) == 1 or first[1:].islower() else text


def _article(name: str) -> str:
    return "an" if name[:1] in "aeiou" else "a"
