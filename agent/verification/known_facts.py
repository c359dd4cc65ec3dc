"""A ledger filled with everything that is known of one case, for checking what somebody says about it.

Facts that belong together share their `source`: the drug, dose, start, end and response of course M2 all have the
source "M2", a diagnosis's code, name and onset all "C1". A policy's words have the origin `policy`; nothing of that
origin is ever a result of the patient.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.ledger import Kind, Ledger, Origin
from tools.common.dates import age_on, months_between
from tools.common.errors import Correctable
from tools.domain.records import (
    Address,
    Benefit,
    Clause,
    ClauseRef,
    Coverage,
    Determination,
    Diagnosis,
    Drug,
    Finding,
    FormTemplate,
    Medication,
    Order,
    Patient,
    Plan,
    QuantityLimit,
    Request,
    StartingLimit,
    SupplyLimit,
)
from tools.engine.documents import walk
from tools.evidence.measurements import values_of
from tools.papers import formats
from tools.papers.attachments import attachments
from tools.papers.case import Case
from tools.papers.citations import TABLE
from tools.papers.exceptions import rules_of
from tools.papers.questions import questions
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import CLASSES, medicine, ndc11
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

if TYPE_CHECKING:
    from tools.queries.bound import Bound

CHANGING = ("weight", "bmi", "hba1c")  # whose change people speak of
Value = str | float | date | None


class FactSource(NamedTuple):
    """A record of the chart, the plan or the label: its facts are entered with its origin and under its name."""

    ledger: Ledger
    origin: Origin
    name: str

    def add(
        self, kind: Kind, attribute: str, value: Value, *, origin: Origin | None = None, **details: Any
    ) -> None:
        """Enter a fact; a value that is None or "" is not known, and is not entered.

        Args:
            origin: another one than the record's, e.g. `derived` for what is computed from it.
            details: shown, unit, on and aliases, as Ledger.add takes them.
        """
        if value not in (None, ""):
            self.ledger.add(
                kind, value, attribute=attribute, origin=origin or self.origin, source=self.name, **details
            )

    def add_all(self, kind: Kind, values: Mapping[str, Value]) -> None:
        """Enter facts of one kind by their attributes."""
        for attribute, value in values.items():
            self.add(kind, attribute, value)

    def add_length(self, attribute: str, start: date, end: date) -> None:
        """Enter the time between two days, in days and in whole months."""
        days, months = (end - start).days, months_between(start, end)
        self.add("duration", attribute, days, unit="days", origin="derived")
        self.add("duration", attribute, months, unit="months", origin="derived")

    def add_place(self, address: Address | None, phone: str, fax: str = "") -> None:
        """Enter where somebody is reached."""
        if address:
            self.add("words", "address", formats.address(address))
            self.add("name", "city", address.city)
        self.add_all("code", {"phone": phone, "fax": fax})


# --- the patient -------------------------------------------------------------------------------------------


def enter_patient(ledger: Ledger, patient: Patient, as_of: date, drugs: Sequence[Drug] = ()) -> None:
    """The whole chart, and what follows from it on this day; `drugs` are the catalog's, which know more brands."""
    FactSource(ledger, "request", "as_of").add("date", "as_of", as_of)
    _enter_person(ledger, patient, as_of)
    for coverage in patient.coverages:
        _enter_coverage(ledger, coverage)
    for diagnosis in patient.conditions or ():
        _enter_diagnosis(ledger, diagnosis)
    _enter_concepts(ledger, patient, as_of)
    _enter_measurements(ledger, patient, as_of)
    for course in patient.medications or ():
        _enter_course(ledger, course, as_of, drugs)
    if patient.medications is not None:
        FactSource(ledger, "chart", "medications").add("status", "medications", "complete")
    _enter_dispensed(ledger, patient, drugs)
    _enter_documents(ledger, patient, as_of)
    for order in patient.orders:
        _enter_order(ledger, order)


def _enter_person(ledger: Ledger, patient: Patient, as_of: date) -> None:
    person = FactSource(ledger, "chart", "patient")
    person.add("name", "patient", patient.name)
    person.add("code", "patient", patient.id)
    person.add("words", "sex", patient.sex)
    if patient.birth_date:
        person.add("date", "birth", patient.birth_date)
        person.add("duration", "age", age_on(patient.birth_date, as_of), unit="years", origin="derived")
    person.add_place(patient.address, patient.phone)
    doctor, prescriber = patient.prescriber, FactSource(ledger, "chart", "prescriber")
    if doctor is not None:
        names = {"prescriber": doctor.name, "practice": doctor.practice, "contact": doctor.contact}
        prescriber.add_all("name", names)
        prescriber.add("code", "npi", doctor.npi)
        prescriber.add("words", "specialty", doctor.specialty)
        prescriber.add_place(doctor.address, doctor.phone or "", doctor.fax or "")


def _enter_coverage(ledger: Ledger, coverage: Coverage) -> None:
    card = FactSource(ledger, "chart", coverage.id)
    card.add_all(
        "code",
        {
            "member": coverage.member_id,
            "group": coverage.group,
            "bin": coverage.bin,
            "pcn": coverage.pcn,
            "plan": coverage.plan_id,
        },
    )
    card.add_all("date", {"enrolled": coverage.start, "enrolled until": coverage.end})


def _enter_diagnosis(ledger: Ledger, diagnosis: Diagnosis) -> None:
    entry = FactSource(ledger, "chart", diagnosis.id)
    entry.add("code", "diagnosis", diagnosis.code)
    if diagnosis.name:
        entry.add("words", "diagnosis", formats.diagnosis(diagnosis))
    entry.add_all("date", {"onset": diagnosis.onset, "abated": diagnosis.abated})
    entry.add("status", "verification", diagnosis.verification)


def _enter_concepts(ledger: Ledger, patient: Patient, as_of: date) -> None:
    """Of every condition that policies know: present, absent or unknown, and of the family as far as it is charted."""
    for key in CONCEPTS:
        status, record = _concept(patient, key, as_of)
        FactSource(ledger, "derived", record).add("status", f"condition:{key}", status)
    for stated in patient.attestations:
        statement, status = FactSource(ledger, "chart", stated.id), "present" if stated.present else "absent"
        for subject in stated.subjects:
            statement.add("status", f"stated:{stated.topic}:{subject}", status, on=stated.date)
        statement.add("date", "statement", stated.date)
        statement.add("quote", "statement", stated.text)
    for member in patient.family_history:
        history = FactSource(ledger, "chart", member.id)
        history.add("words", "family", f"{member.relation}: {member.condition}")


def _concept(patient: Patient, key: str, as_of: date) -> tuple[str, str]:
    """What problem list and statements say of a condition, and the record that says it."""
    concept = CONCEPTS[key]
    for diagnosis in patient.conditions or ():
        begun = diagnosis.onset is None or diagnosis.onset <= as_of
        if concept.codes and diagnosis.code.startswith(concept.codes) and begun:
            if diagnosis.verification == "confirmed":
                return "present", diagnosis.id
            if diagnosis.verification == "provisional":
                return "unknown", diagnosis.id
    stated = next(
        (a for a in patient.attestations if a.topic in (key, concept.topic) and "self" in a.subjects), None
    )
    if stated is not None:
        return "present" if stated.present else "absent", stated.id
    return ("absent", "conditions") if patient.conditions is not None else ("unknown", "conditions")


def _enter_measurements(ledger: Ledger, patient: Patient, as_of: date) -> None:
    for seen in patient.observations:
        record = FactSource(ledger, "chart", seen.id)
        if seen.test in TESTS:
            shown = f"{seen.value:g} {seen.unit or ''}".strip()
            record.add("value", seen.test, seen.value, unit=seen.unit or "", on=seen.date, shown=shown)
        record.add("date", seen.test, seen.date)
    for test in TESTS:
        usable = values_of(patient, test, as_of).usable
        for measured in usable:  # a BMI from weight and height, an HbA1c from mmol/mol
            records = FactSource(ledger, "derived", ",".join(e.record_id for e in measured.evidence))
            records.add("value", test, measured.value, unit=TESTS[test].unit, on=measured.date)
            records.add("duration", f"since:{test}", (as_of - measured.date).days, unit="days")
        if test in CHANGING:
            _enter_changes(ledger, test, [(measured.date, measured.value) for measured in usable])


def _enter_changes(ledger: Ledger, test: str, values: list[tuple[date, float]]) -> None:
    for (day, before), (later, after) in combinations(sorted(set(values)), 2):
        if day == later:
            continue
        between, change = FactSource(ledger, "derived", f"{day}/{later}"), round(after - before, 4)
        between.add("value", f"change:{test}", change, unit=TESTS[test].unit)
        if before:
            between.add("value", f"change:{test}", round(100 * change / before, 2), unit="%")


def _enter_course(ledger: Ledger, course: Medication, as_of: date, drugs: Sequence[Drug]) -> None:
    entry = FactSource(ledger, "chart", course.id)
    made_of = course.ingredients or medicine(course.drug, drugs).ingredients
    entry.add("drug", "course", course.drug, aliases=made_of)
    entry.add("value", "dose", course.dose, unit=course.dose_unit or "")
    if course.per_day is not None:
        entry.add("value", "per day", course.per_day, shown=formats.how_often(course.per_day))
    entry.add("words", "formulation", course.formulation)
    entry.add_all("date", {"start": course.start, "end": course.end})
    entry.add("status", "course", course.status or ("stopped" if course.end else "unknown"))
    entry.add("status", "response", course.outcome)
    entry.add("words", "reason", course.reason)
    entry.add("code", "rxnorm", course.rxnorm)
    for key in course.classes:
        entry.add("words", "class", key, shown=CLASSES.get(key, key))
    end = course.end or (as_of if course.status == "active" else None)
    if course.start and end:
        entry.add_length("course", course.start, end)


def _enter_dispensed(ledger: Ledger, patient: Patient, drugs: Sequence[Drug]) -> None:
    for fill in patient.fills:
        entry = FactSource(ledger, "chart", fill.id)
        entry.add(
            "drug", "fill", fill.drug, aliases=fill.ingredients or medicine(fill.drug, drugs).ingredients
        )
        entry.add("date", "fill", fill.date)
        entry.add("duration", "fill", fill.days_supply, unit="days")
        entry.add("code", "ndc", fill.ndc)
    for allergy in patient.allergies or ():
        entry = FactSource(ledger, "chart", allergy.id)
        made_of = allergy.ingredients or medicine(allergy.substance, drugs).ingredients
        entry.add("drug", allergy.type, allergy.substance, aliases=made_of)
        entry.add("words", "reaction", allergy.reaction)
        entry.add("date", "allergy", allergy.date)


def _enter_documents(ledger: Ledger, patient: Patient, as_of: date) -> None:
    """What was done and written: programs, procedures, notes, documents and approvals."""
    for program in patient.programs:
        entry = FactSource(ledger, "chart", program.id)
        entry.add("words", "program", program.name or "structured program")
        entry.add_all("date", {"start": program.start, "end": program.end})
        if program.start:
            entry.add_length("program", program.start, program.end or as_of)
    for done in patient.procedures:
        entry = FactSource(ledger, "chart", done.id)
        entry.add("words", "procedure", done.name)
        entry.add("quote", "procedure", done.result)
        entry.add("code", "procedure", done.code)
        entry.add("date", "procedure", done.date)
    for note in patient.notes:
        entry = FactSource(ledger, "chart", note.id)
        entry.add("quote", "note", note.text)
        entry.add("date", "note", note.date)
        entry.add("name", "author", note.author)
    for document in patient.documents:
        entry = FactSource(ledger, "chart", document.id)
        entry.add("words", "document", document.title)
        entry.add("date", "document", document.date)
    for granted in patient.authorizations:
        entry = FactSource(ledger, "chart", granted.id)
        entry.add("outcome", f"authorization:{granted.drug}", "approved")
        entry.add_all("date", {"authorization": granted.start, "authorization end": granted.end})


def _enter_order(ledger: Ledger, order: Order) -> None:
    entry = FactSource(ledger, "request", order.id)
    entry.add("drug", "order", order.drug)
    entry.add("words", "sig", order.sig)
    entry.add("date", "order", order.date)
    _enter_amounts(entry, order)


def _enter_amounts(entry: FactSource, of: Order | Request) -> None:
    """Strength, quantity and days' supply of one request for one drug."""
    value, _, unit = of.strength.partition(" ")
    try:
        entry.add("value", f"strength:{of.drug}", float(value), shown=of.strength, unit=unit)
    except ValueError:
        entry.add("words", f"strength:{of.drug}", of.strength)
    entry.add("value", f"quantity:{of.drug}", of.quantity, unit=of.unit or "")
    entry.add("duration", f"supply:{of.drug}", of.days_supply or None, unit="days")


# --- the plan ----------------------------------------------------------------------------------------------


def enter_plan(ledger: Ledger, plan: Plan, drug: str = "") -> None:
    """What the plan says: of this drug, or of every drug that it lists."""
    entry = FactSource(ledger, "plan", f"plan:{plan.id}")
    entry.add_all("name", {"payer": plan.payer, "plan": plan.name})
    codes = {"plan": plan.id, "bin": plan.bin, "pcn": plan.pcn, "group": plan.group, "form": plan.form_id}
    entry.add_all("code", {**codes, "payer": plan.payer_id})
    entry.add_place(plan.address, plan.phone, plan.fax)
    entry.add_all("words", {"channel": plan.channel, "portal": plan.portal})
    for attribute, hours in {"review": plan.review_hours, "urgent review": plan.expedited_hours}.items():
        if hours:
            entry.add("duration", attribute, hours, unit="hours")
            if hours % 24 == 0:
                entry.add("duration", attribute, hours // 24, unit="days", origin="derived")
    entry.add("quote", "appeal", plan.appeal, origin="policy")
    for name, benefit in plan.benefits.items():
        if drug in ("", name):
            _enter_benefit(ledger, plan, benefit)


def _enter_benefit(ledger: Ledger, plan: Plan, benefit: Benefit) -> None:
    entry = FactSource(ledger, "plan", f"plan:{plan.id}/{benefit.drug}")
    entry.add("drug", "benefit", benefit.drug)
    required = benefit.covered and benefit.pa_required
    entry.add("status", f"covered:{benefit.drug}", "yes" if benefit.covered else "no")
    entry.add("status", f"pa:{benefit.drug}", "yes" if required else "no")
    for reason in (benefit.reason, *benefit.excluded_uses.values(), *benefit.step_therapy):
        entry.add("words", "benefit", reason, origin="policy")
    _enter_cost(entry, benefit.tier, benefit.copay)
    for limit in benefit.all_limits():
        _enter_limit(entry, limit)
    for rule in benefit.rules:
        for months in (rule.initial_months, rule.renewal_months):
            entry.add("duration", "approval", months or None, unit="months", origin="policy")
    entry.add("code", "policy", benefit.policy_id)


def _enter_cost(entry: FactSource, tier: int | None, copay: str) -> None:
    """Tier and copay, `$40` or `25%` or in words."""
    entry.add("count", "tier", tier)
    digits = "".join(c for c in copay if c.isdigit() or c == ".")
    if not digits:
        entry.add("words", "copay", copay)
    elif "%" in copay:
        entry.add("value", "copay", float(digits), shown=copay, unit="%")
    else:
        entry.add("money", "copay", float(digits), shown=copay, unit="USD")


def _enter_limit(entry: FactSource, limit: QuantityLimit | StartingLimit | SupplyLimit) -> None:
    days = [limit.days]
    if not isinstance(limit, StartingLimit):
        if limit.unit == "day":
            days.append(int(limit.quantity))
        else:
            entry.add("value", "limit", limit.quantity, unit=limit.unit, origin="policy")
    for count in days:
        entry.add("duration", "limit", count, unit="days", origin="policy")
    entry.add("quote", "limit", limit.quote, origin="policy")


# --- the case ----------------------------------------------------------------------------------------------


def enter_form(ledger: Ledger, form: FormTemplate) -> None:
    """What is printed on the payer's form before anybody fills it in."""
    fields = [field for section in form.sections for field in section.fields]
    printed = (form.title, form.attestation, *form.attachments, *(field.label for field in fields))
    for text in dict.fromkeys((*printed, *(section.title for section in form.sections))):
        FactSource(ledger, "policy", form.plan_id).add("words", "question", text)


def enter_case(ledger: Ledger, case: Case) -> None:
    """The determination with its findings, the request, the label, the policy's clauses and what may be cited."""
    enter_drug(ledger, case.drug)
    enter_request(ledger, case.determination.request, case)
    enter_determination(ledger, case.determination, criteria=case.nodes)
    if case.policy is not None:
        policy = FactSource(ledger, "policy", case.policy.id)
        policy.add("code", "policy", case.policy.id, origin="plan")
        days = {"policy from": case.policy.effective_from, "policy to": case.policy.effective_to}
        policy.add_all("date", days)
        enter_clauses(ledger, case.policy.clauses, case.policy.id)
    for rule in rules_of(case.plan.line_of_business):
        FactSource(ledger, "policy", "exceptions").add("words", "rule", rule)
    plan = FactSource(ledger, "policy", case.plan.id)
    for question in questions(case):
        plan.add("words", "question", question.text)
    for document in attachments(case):
        plan.add("words", "document", document.label)
    approval = FactSource(ledger, "policy", f"plan:{case.plan.id}")
    approval.add("duration", "approval", case.months or None, unit="months")
    reference = f"{case.patient.id}-{case.drug.name}"
    FactSource(ledger, "derived", "case").add("code", "reference", reference)
    _enter_citations(ledger, case)


def _enter_citations(ledger: Ledger, case: Case) -> None:
    for cited in TABLE:
        fits = (not cited.drugs or case.drug.name in cited.drugs) and case.indication in cited.indications
        if fits and cited.year <= case.as_of.year and cited.holds(case):
            entry = FactSource(ledger, "drug", f"citation:{cited.key}")
            entry.add("name", "citation", cited.key)
            entry.add_all("words", {"citation source": cited.source, "citation result": cited.result})


def enter_drug(ledger: Ledger, drug: Drug) -> None:
    """The label: names, class, strengths, indications, warnings."""
    label = FactSource(ledger, "drug", f"drug:{drug.name}")
    aliases = tuple(dict.fromkeys((drug.generic, *drug.ingredients, *drug.aliases)))
    label.add("drug", "label", drug.name, aliases=aliases)
    label.add("code", "rxnorm", drug.rxnorm)
    for strength in drug.strengths:
        label.add("value", f"label strength:{drug.name}", strength.dose, unit="mg")
        label.add("code", "ndc", strength.ndc)
        label.add("code", "ndc", ndc11(strength.ndc))
        label.add("words", "package", strength.package)
    uses = (one.text.rstrip(".") for one in drug.indications)
    for text in (drug.sig, drug.class_text, drug.boxed_warning, *drug.contraindications, *uses):
        label.add("words", "label", text)


def enter_request(ledger: Ledger, request: Request, case: Case) -> None:
    """What is asked of the plan."""
    entry = FactSource(ledger, "request", request.order_id or f"drug:{request.drug}")
    entry.add("drug", "order", request.drug)
    _enter_amounts(entry, request)
    entry.add("words", "kind", request.kind)
    entry.add("date", "start", request.therapy_start)
    entry.add("words", "sig", case.sig)


def enter_determination(ledger: Ledger, found: Determination, criteria: Container[str] | None = None) -> None:
    """The outcome, every finding with its clause, what to do next, and the alternatives; `criteria` are the rule's
    parts, where they are to be counted apart from exclusions and documents."""
    source = f"determination:{found.plan_id}/{found.drug}"
    entry = FactSource(ledger, "determination", source)
    entry.add("outcome", found.drug, found.outcome)
    entry.add("words", "summary", found.summary)
    entry.add("words", "indication", INDICATIONS.get(found.indication, found.indication))
    for action in found.next_actions:
        entry.add("words", "next", action, origin="policy")
    for finding in walk(found.findings):
        _enter_finding(ledger, finding, source)
    for other in found.alternatives:
        entry.add("outcome", other.drug, other.outcome)
        _enter_cost(FactSource(ledger, "plan", f"plan:{found.plan_id}/{other.drug}"), other.tier, other.copay)
    counted = {
        "all": found.findings,
        "criteria": [
            f for f in found.findings if not f.exclusion and (criteria is None or f.criterion in criteria)
        ],
    }
    for status in ("met", "not_met", "unknown"):
        for name, findings in counted.items():
            count = sum(finding.status == status for finding in findings)
            FactSource(ledger, "derived", f"{source}/{name}").add("count", f"{status} findings", count)
    entry.add("count", "findings", len(found.findings), origin="derived")


def _enter_finding(ledger: Ledger, finding: Finding, source: str) -> None:
    clause = finding.clause.clause_id if finding.clause else ""
    where = f"{finding.clause.policy_id} {clause}" if finding.clause else source
    entry = FactSource(ledger, "determination", where)
    entry.add("status", clause or finding.criterion, finding.status, aliases=(finding.criterion,))
    if finding.clause:
        _enter_clause(ledger, finding.clause)
    for attribute, text in {"criterion": finding.text, "fix": finding.fix or ""}.items():
        for shown in (text, formats.dates_in(text, formats.long_date)):
            entry.add("words", attribute, shown, origin="policy")
    if finding.detail:
        printed = {formats.finding(finding, formats.long_date, units) for units in ("us", "metric", "")}
        for shown in (finding.detail, *sorted(printed)):
            entry.add("words", "detail", shown.rstrip("."))


def _enter_clause(ledger: Ledger, clause: ClauseRef) -> None:
    entry = FactSource(ledger, "policy", f"{clause.policy_id} {clause.clause_id}")
    entry.add("code", "clause", clause.clause_id)
    entry.add("quote", "clause", clause.quote)


def enter_clauses(ledger: Ledger, clauses: Iterable[Clause], policy_id: str) -> None:
    """Clauses of a policy, each by its number and word for word."""
    for clause in clauses:
        _enter_clause(ledger, ClauseRef(policy_id=policy_id, clause_id=clause.id, quote=clause.text))


def enter_deadlines(ledger: Ledger, plan: Plan, as_of: date) -> None:
    """When the plan would have answered a request of this day."""
    if plan.review_hours:
        due = as_of + timedelta(hours=plan.review_hours)
        FactSource(ledger, "derived", f"plan:{plan.id}").add("date", "answer due", due)


def enter_bound(ledger: Ledger, bound: Bound, drugs: Sequence[str] = ()) -> None:
    """All that is known of the patient of a conversation: chart, plan, a determination for every drug that the plan
    lists, and the whole case of each of `drugs`."""
    enter_patient(ledger, bound.patient, bound.as_of, bound.drugs)
    try:
        plan = bound.plan
    except Correctable:
        return  # no plan on file: the chart is all there is
    enter_plan(ledger, plan)
    enter_deadlines(ledger, plan, bound.as_of)
    enter_form(ledger, bound.store.form(plan.id))
    for name in dict.fromkeys(drugs):
        enter_case(ledger, bound.case(name))
    for drug in bound.drugs:
        if drug.name not in plan.benefits:
            FactSource(ledger, "drug", f"drug:{drug.name}").add("drug", "label", drug.name)
        elif drug.name not in drugs:
            enter_drug(ledger, drug)
            other = bound.determination(drug.name)
            outcome = FactSource(ledger, "determination", f"determination:{other.plan_id}/{other.drug}")
            outcome.add("outcome", other.drug, other.outcome)


def enter_all_of(ledger: Ledger, case: Case) -> None:
    """All that a letter about this case may say: chart, plan, label, determination and clauses."""
    enter_patient(ledger, case.patient, case.as_of, [case.drug])
    enter_plan(ledger, case.plan, case.drug.name)
    enter_deadlines(ledger, case.plan, case.as_of)
    enter_case(ledger, case)
