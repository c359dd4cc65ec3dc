"""A ledger filled with everything that is known of one case, for checking what somebody says about it.

Facts that belong together share their `source`: the drug, dose, start, end and response of course M2 all have the
source "M2", a diagnosis's code, name and onset all "C1". A policy's words have the origin `policy`; nothing of that
origin is ever a result of the patient.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING

from agent.ledger import Ledger, Origin
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
    Patient,
    Plan,
    QuantityLimit,
    Request,
    StartingLimit,
    SupplyLimit,
)
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


# --- the patient -------------------------------------------------------------------------------------------


def enter_patient(ledger: Ledger, patient: Patient, as_of: date, drugs: Sequence[Drug] = ()) -> None:
    """The whole chart, and what follows from it on this day; `drugs` are the catalog's, which know more brands."""
    ledger.add("date", as_of, origin="request", attribute="as_of", source="as_of")
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
        ledger.add("status", "complete", origin="chart", attribute="medications", source="medications")
    _enter_rest(ledger, patient, as_of, drugs)


def _enter_person(ledger: Ledger, patient: Patient, as_of: date) -> None:
    if patient.name:
        ledger.add("name", patient.name, origin="chart", attribute="patient", source="patient")
    ledger.add("code", patient.id, origin="chart", attribute="patient", source="patient")
    ledger.add("words", patient.sex, origin="chart", attribute="sex", source="patient")
    if patient.birth_date:
        ledger.add("date", patient.birth_date, origin="chart", attribute="birth", source="patient")
        years = age_on(patient.birth_date, as_of)
        ledger.add(
            "duration", years, unit="years", origin="derived", attribute="age", source="patient",
            formula=f"whole years from {patient.birth_date} to {as_of}",
        )  # fmt: skip
    _enter_place(ledger, patient.address, patient.phone, "", "chart", "patient")
    doctor = patient.prescriber
    if doctor is None:
        return
    ledger.add("name", doctor.name, origin="chart", attribute="prescriber", source="prescriber")
    for value, attribute in ((doctor.practice, "practice"), (doctor.contact, "contact")):
        if value:
            ledger.add("name", value, origin="chart", attribute=attribute, source="prescriber")
    if doctor.npi:
        ledger.add("code", doctor.npi, origin="chart", attribute="npi", source="prescriber")
    if doctor.specialty:
        ledger.add("words", doctor.specialty, origin="chart", attribute="specialty", source="prescriber")
    _enter_place(ledger, doctor.address, doctor.phone or "", doctor.fax or "", "chart", "prescriber")


def _enter_place(
    ledger: Ledger, address: Address | None, phone: str, fax: str, origin: Origin, source: str
) -> None:
    if address:
        shown = formats.address(address)
        ledger.add("words", shown, origin=origin, attribute="address", source=source)
        ledger.add("name", address.city, origin=origin, attribute="city", source=source)
    for value, attribute in ((phone, "phone"), (fax, "fax")):
        if value:
            ledger.add("code", value, origin=origin, attribute=attribute, source=source)


def _enter_coverage(ledger: Ledger, coverage: Coverage) -> None:
    for value, attribute in (
        (coverage.member_id, "member"), (coverage.group, "group"), (coverage.bin, "bin"), (coverage.pcn, "pcn"),
        (coverage.plan_id, "plan"),
    ):  # fmt: skip
        if value:
            ledger.add("code", value, origin="chart", attribute=attribute, source=coverage.id)
    for day, attribute in ((coverage.start, "enrolled"), (coverage.end, "enrolled until")):
        if day:
            ledger.add("date", day, origin="chart", attribute=attribute, source=coverage.id)


def _enter_diagnosis(ledger: Ledger, diagnosis: Diagnosis) -> None:
    source = diagnosis.id
    if diagnosis.code:
        ledger.add("code", diagnosis.code, origin="chart", attribute="diagnosis", source=source)
    if diagnosis.name:
        ledger.add(
            "words", formats.diagnosis(diagnosis), origin="chart", attribute="diagnosis", source=source
        )
    for day, attribute in ((diagnosis.onset, "onset"), (diagnosis.abated, "abated")):
        if day:
            ledger.add("date", day, origin="chart", attribute=attribute, source=source)
    ledger.add("status", diagnosis.verification, origin="chart", attribute="verification", source=source)


def _enter_concepts(ledger: Ledger, patient: Patient, as_of: date) -> None:
    """Of every condition that policies know: present, absent or unknown, and of the family as far as it is charted."""
    for key, concept in CONCEPTS.items():
        value, source = _concept(patient, key, as_of)
        ledger.add(
            "status", value, origin="derived", attribute=f"condition:{key}", source=source,
            formula=f"problem list and statements against {', '.join(concept.codes) or concept.label}",
        )  # fmt: skip
    for said in patient.attestations:
        for subject in said.subjects:
            ledger.add(
                "status", "present" if said.present else "absent", origin="chart",
                attribute=f"stated:{said.topic}:{subject}", source=said.id, on=said.date,
            )  # fmt: skip
        if said.date:
            ledger.add("date", said.date, origin="chart", attribute="statement", source=said.id)
        if said.text:
            ledger.add("quote", said.text, origin="chart", attribute="statement", source=said.id)
    for member in patient.family_history:
        shown = f"{member.relation}: {member.condition}"
        ledger.add("words", shown, origin="chart", attribute="family", source=member.id)


def _concept(patient: Patient, key: str, as_of: date) -> tuple[str, str]:
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
        if seen.test in TESTS:
            ledger.add(
                "value", seen.value, unit=seen.unit or "", on=seen.date, origin="chart",
                shown=f"{seen.value:g} {seen.unit or ''}".strip(), attribute=seen.test, source=seen.id,
            )  # fmt: skip
        if seen.date:
            ledger.add("date", seen.date, origin="chart", attribute=seen.test, source=seen.id)
    for test in TESTS:
        usable = values_of(patient, test, as_of).usable
        for found in usable:  # a BMI from weight and height, an HbA1c from mmol/mol
            ids = ",".join(e.record_id for e in found.evidence)
            ledger.add(
                "value", found.value, unit=TESTS[test].unit, on=found.date, origin="derived", attribute=test,
                source=ids, formula=f"{TESTS[test].name} from {ids}",
            )  # fmt: skip
            days = (as_of - found.date).days
            ledger.add(
                "duration", days, unit="days", origin="derived", attribute=f"since:{test}", source=ids,
                formula=f"{as_of} - {found.date}",
            )  # fmt: skip
        if test in CHANGING:
            _enter_changes(ledger, test, [(found.date, found.value) for found in usable])


def _enter_changes(ledger: Ledger, test: str, values: list[tuple[date, float]]) -> None:
    for (day, before), (later, after) in combinations(sorted(set(values)), 2):
        if day == later:
            continue
        change = round(after - before, 4)
        formula = f"{test} {after:g} ({later}) - {before:g} ({day})"
        ledger.add(
            "value", change, unit=TESTS[test].unit, origin="derived", attribute=f"change:{test}",
            source=f"{day}/{later}", formula=formula,
        )  # fmt: skip
        if before:
            percent = round(100 * change / before, 2)
            ledger.add(
                "value", percent, unit="%", origin="derived", attribute=f"change:{test}",
                source=f"{day}/{later}", formula=f"({formula}) / {before:g}",
            )  # fmt: skip


def _enter_course(ledger: Ledger, course: Medication, as_of: date, drugs: Sequence[Drug]) -> None:
    source = course.id
    made_of = course.ingredients or medicine(course.drug, drugs).ingredients
    ledger.add("drug", course.drug, origin="chart", attribute="course", source=source, aliases=made_of)
    if course.dose is not None:
        ledger.add(
            "value", course.dose, unit=course.dose_unit or "", origin="chart", attribute="dose", source=source
        )
    if course.per_day is not None:
        shown = formats.how_often(course.per_day)
        ledger.add("value", course.per_day, shown=shown, origin="chart", attribute="per day", source=source)
    if course.formulation:
        ledger.add("words", course.formulation, origin="chart", attribute="formulation", source=source)
    for day, attribute in ((course.start, "start"), (course.end, "end")):
        if day:
            ledger.add("date", day, origin="chart", attribute=attribute, source=source)
    status = course.status or ("stopped" if course.end else "unknown")
    ledger.add("status", status, origin="chart", attribute="course", source=source)
    if course.outcome:
        ledger.add("status", course.outcome, origin="chart", attribute="response", source=source)
    if course.reason:
        ledger.add("words", course.reason, origin="chart", attribute="reason", source=source)
    if course.rxnorm:
        ledger.add("code", course.rxnorm, origin="chart", attribute="rxnorm", source=source)
    for key in course.classes:
        ledger.add(
            "words", key, shown=CLASSES.get(key, key), origin="chart", attribute="class", source=source
        )
    end = course.end or (as_of if course.status == "active" else None)
    if course.start and end:
        formula = f"{end} - {course.start}"
        ledger.add(
            "duration", (end - course.start).days, unit="days", origin="derived", attribute="course",
            source=source, formula=formula,
        )  # fmt: skip
        ledger.add(
            "duration", months_between(course.start, end), unit="months", origin="derived", attribute="course",
            source=source, formula=f"whole months, {formula}",
        )  # fmt: skip


def _enter_rest(ledger: Ledger, patient: Patient, as_of: date, drugs: Sequence[Drug]) -> None:
    for fill in patient.fills:
        made_of = fill.ingredients or medicine(fill.drug, drugs).ingredients
        ledger.add("drug", fill.drug, origin="chart", attribute="fill", source=fill.id, aliases=made_of)
        ledger.add("date", fill.date, origin="chart", attribute="fill", source=fill.id)
        ledger.add(
            "duration", fill.days_supply, unit="days", origin="chart", attribute="fill", source=fill.id
        )
        if fill.ndc:
            ledger.add("code", fill.ndc, origin="chart", attribute="ndc", source=fill.id)
    for allergy in patient.allergies or ():
        made_of = allergy.ingredients or medicine(allergy.substance, drugs).ingredients
        ledger.add(
            "drug",
            allergy.substance,
            origin="chart",
            attribute=allergy.type,
            source=allergy.id,
            aliases=made_of,
        )
        if allergy.reaction:
            ledger.add("words", allergy.reaction, origin="chart", attribute="reaction", source=allergy.id)
        if allergy.date:
            ledger.add("date", allergy.date, origin="chart", attribute="allergy", source=allergy.id)
    for programme in patient.programs:
        ledger.add(
            "words",
            programme.name or "structured program",
            origin="chart",
            attribute="program",
            source=programme.id,
        )
        for day, attribute in ((programme.start, "start"), (programme.end, "end")):
            if day:
                ledger.add("date", day, origin="chart", attribute=attribute, source=programme.id)
        if programme.start:
            end = programme.end or as_of
            for count, unit in (
                ((end - programme.start).days, "days"),
                (months_between(programme.start, end), "months"),
            ):
                ledger.add(
                    "duration", count, unit=unit, origin="derived", attribute="program", source=programme.id,
                    formula=f"{end} - {programme.start}",
                )  # fmt: skip
    for done in patient.procedures:
        ledger.add("words", done.name, origin="chart", attribute="procedure", source=done.id)
        if done.result:
            ledger.add("quote", done.result, origin="chart", attribute="procedure", source=done.id)
        for value, attribute in ((done.code, "procedure"),):
            if value:
                ledger.add("code", value, origin="chart", attribute=attribute, source=done.id)
        if done.date:
            ledger.add("date", done.date, origin="chart", attribute="procedure", source=done.id)
    for note in patient.notes:
        ledger.add("quote", note.text, origin="chart", attribute="note", source=note.id)
        if note.date:
            ledger.add("date", note.date, origin="chart", attribute="note", source=note.id)
        if note.author:
            ledger.add("name", note.author, origin="chart", attribute="author", source=note.id)
    for paper in patient.documents:
        ledger.add("words", paper.title, origin="chart", attribute="document", source=paper.id)
        if paper.date:
            ledger.add("date", paper.date, origin="chart", attribute="document", source=paper.id)
    for granted in patient.authorizations:
        ledger.add(
            "outcome",
            "approved",
            origin="chart",
            attribute=f"authorization:{granted.drug}",
            source=granted.id,
        )
        for day, attribute in ((granted.start, "authorization"), (granted.end, "authorization end")):
            ledger.add("date", day, origin="chart", attribute=attribute, source=granted.id)
    for order in patient.orders:
        ledger.add("drug", order.drug, origin="request", attribute="order", source=order.id)
        if order.sig:
            ledger.add("words", order.sig, origin="request", attribute="sig", source=order.id)
        if order.date:
            ledger.add("date", order.date, origin="request", attribute="order", source=order.id)
        _enter_amounts(
            ledger, order.drug, order.strength, order.quantity, order.unit or "", order.days_supply, order.id
        )


def _enter_amounts(
    ledger: Ledger, drug: str, strength: str, quantity: float | None, unit: str, days: int | None, source: str
) -> None:
    """Strength, quantity and days' supply of one request for one drug."""
    if strength:
        value, _, of = strength.partition(" ")
        try:
            ledger.add(
                "value", float(value), shown=strength, unit=of, origin="request", attribute=f"strength:{drug}",
                source=source,
            )  # fmt: skip
        except ValueError:
            ledger.add("words", strength, origin="request", attribute=f"strength:{drug}", source=source)
    if quantity is not None:
        ledger.add(
            "value", quantity, unit=unit, origin="request", attribute=f"quantity:{drug}", source=source
        )
    if days:
        ledger.add("duration", days, unit="days", origin="request", attribute=f"supply:{drug}", source=source)


# --- the plan ----------------------------------------------------------------------------------------------


def enter_plan(ledger: Ledger, plan: Plan, drug: Drug | str | None = None) -> None:
    """What the plan says: of this drug, or of every drug that it lists."""
    source = f"plan:{plan.id}"
    for value, attribute in ((plan.payer, "payer"), (plan.name, "plan")):
        ledger.add("name", value, origin="plan", attribute=attribute, source=source)
    for value, attribute in (
        (plan.id, "plan"), (plan.bin, "bin"), (plan.pcn, "pcn"), (plan.group, "group"), (plan.form_id, "form"),
        (plan.payer_id, "payer"),
    ):  # fmt: skip
        if value:
            ledger.add("code", value, origin="plan", attribute=attribute, source=source)
    _enter_place(ledger, plan.address, plan.phone, plan.fax, "plan", source)
    ledger.add("words", plan.channel, origin="plan", attribute="channel", source=source)
    if plan.portal:
        ledger.add("words", plan.portal, origin="plan", attribute="portal", source=source)
    for hours, attribute in ((plan.review_hours, "review"), (plan.expedited_hours, "urgent review")):
        if hours:
            ledger.add("duration", hours, unit="hours", origin="plan", attribute=attribute, source=source)
            if hours % 24 == 0:
                ledger.add(
                    "duration", hours // 24, unit="days", origin="derived", attribute=attribute, source=source,
                    formula=f"{hours} hours / 24",
                )  # fmt: skip
    if plan.appeal:
        ledger.add("quote", plan.appeal, origin="policy", attribute="appeal", source=source)
    wanted = drug.name if isinstance(drug, Drug) else drug
    for name, benefit in plan.benefits.items():
        if wanted in (None, name):
            _enter_benefit(ledger, plan, benefit)


def _enter_benefit(ledger: Ledger, plan: Plan, benefit: Benefit) -> None:
    name, source = benefit.drug, f"plan:{plan.id}/{benefit.drug}"
    ledger.add("drug", name, origin="plan", attribute="benefit", source=source)
    for flag, attribute in ((benefit.covered, "covered"), (benefit.covered and benefit.pa_required, "pa")):
        ledger.add(
            "status", "yes" if flag else "no", origin="plan", attribute=f"{attribute}:{name}", source=source
        )
    for reason in (benefit.reason, *benefit.excluded_uses.values(), *benefit.step_therapy):
        if reason:
            ledger.add("words", reason, origin="policy", attribute="benefit", source=source)
    if benefit.tier is not None:
        ledger.add("count", benefit.tier, origin="plan", attribute="tier", source=source)
    if benefit.copay:
        _enter_copay(ledger, benefit.copay, source)
    for limit in benefit.all_limits():
        _enter_limit(ledger, limit, source)
    for rule in benefit.rules:
        for months in (rule.initial_months, rule.renewal_months):
            if months:
                ledger.add(
                    "duration", months, unit="months", origin="policy", attribute="approval", source=source
                )
    if benefit.policy_id:
        ledger.add("code", benefit.policy_id, origin="plan", attribute="policy", source=source)


def _enter_copay(ledger: Ledger, copay: str, source: str) -> None:
    digits = "".join(c for c in copay if c.isdigit() or c == ".")
    if not digits:
        ledger.add("words", copay, origin="plan", attribute="copay", source=source)
    elif "%" in copay:
        ledger.add(
            "value", float(digits), shown=copay, unit="%", origin="plan", attribute="copay", source=source
        )
    else:
        ledger.add(
            "money", float(digits), shown=copay, unit="USD", origin="plan", attribute="copay", source=source
        )


def _enter_limit(ledger: Ledger, limit: QuantityLimit | StartingLimit | SupplyLimit, source: str) -> None:
    days = [] if limit.days is None else [limit.days]
    if not isinstance(limit, StartingLimit):
        if limit.unit == "day":
            days.append(int(limit.quantity))
        else:
            ledger.add(
                "value", limit.quantity, unit=limit.unit, origin="policy", attribute="limit", source=source
            )
    for count in days:
        ledger.add("duration", count, unit="days", origin="policy", attribute="limit", source=source)
    if limit.quote:
        ledger.add("quote", limit.quote, origin="policy", attribute="limit", source=source)


# --- the case ----------------------------------------------------------------------------------------------


def enter_form(ledger: Ledger, form: FormTemplate) -> None:
    """What is printed on the payer's form before anybody fills it in."""
    fields = [field for section in form.sections for field in section.fields]
    printed = (form.title, form.attestation, *form.attachments, *(field.label for field in fields))
    for text in dict.fromkeys((*printed, *(section.title for section in form.sections))):
        if text:
            ledger.add("words", text, origin="policy", attribute="question", source=form.plan_id)


def enter_case(ledger: Ledger, case: Case) -> None:
    """The determination with its findings, the request, the label, the policy's clauses and what may be cited."""
    enter_drug(ledger, case.drug)
    enter_request(ledger, case.determination.request, case)
    enter_determination(ledger, case.determination, criteria=case.nodes)
    if case.policy is not None:
        ledger.add("code", case.policy.id, origin="plan", attribute="policy", source=case.policy.id)
        for day, attribute in (
            (case.policy.effective_from, "policy from"),
            (case.policy.effective_to, "policy to"),
        ):
            if day:
                ledger.add("date", day, origin="policy", attribute=attribute, source=case.policy.id)
        enter_clauses(ledger, case.policy.clauses, case.policy.id)
    for rule in rules_of(case.plan.line_of_business):
        ledger.add("words", rule, origin="policy", attribute="rule", source="exceptions")
    for asked in questions(case):
        ledger.add("words", asked.text, origin="policy", attribute="question", source=case.plan.id)
    for paper in attachments(case):
        ledger.add("words", paper.label, origin="policy", attribute="document", source=case.plan.id)
    if case.months:
        ledger.add(
            "duration",
            case.months,
            unit="months",
            origin="policy",
            attribute="approval",
            source=f"plan:{case.plan.id}",
        )
    ledger.add(
        "code", f"{case.patient.id}-{case.drug.name}", origin="derived", attribute="reference", source="case"
    )
    for cited in TABLE:
        fits = not cited.drugs or case.drug.name in cited.drugs
        if (
            fits
            and case.indication in cited.indications
            and cited.year <= case.as_of.year
            and cited.holds(case)
        ):
            source = f"citation:{cited.key}"
            ledger.add("name", cited.key, origin="drug", attribute="citation", source=source)
            ledger.add("words", cited.source, origin="drug", attribute="citation source", source=source)
            ledger.add("words", cited.result, origin="drug", attribute="citation result", source=source)


def enter_drug(ledger: Ledger, drug: Drug) -> None:
    """The label: names, class, strengths, indications, warnings."""
    source = f"drug:{drug.name}"
    aliases = tuple(dict.fromkeys((drug.generic, *drug.ingredients, *drug.aliases)))
    ledger.add("drug", drug.name, origin="drug", attribute="label", source=source, aliases=aliases)
    ledger.add("code", drug.rxnorm, origin="drug", attribute="rxnorm", source=source)
    for strength in drug.strengths:
        ledger.add(
            "value",
            strength.dose,
            unit="mg",
            origin="drug",
            attribute=f"label strength:{drug.name}",
            source=source,
        )
        ledger.add("code", strength.ndc, origin="drug", attribute="ndc", source=source)
        if billing := ndc11(strength.ndc):
            ledger.add("code", billing, origin="drug", attribute="ndc", source=source)
        ledger.add("words", strength.package, origin="drug", attribute="package", source=source)
    texts = (
        drug.sig, drug.class_text, drug.boxed_warning, *drug.contraindications,
        *(one.text.rstrip(".") for one in drug.indications),
    )  # fmt: skip
    for text in texts:
        if text:
            ledger.add("words", text, origin="drug", attribute="label", source=source)


def enter_request(ledger: Ledger, request: Request, case: Case | None = None) -> None:
    """What is asked of the plan."""
    source = request.order_id or f"drug:{request.drug}"
    ledger.add("drug", request.drug, origin="request", attribute="order", source=source)
    _enter_amounts(
        ledger,
        request.drug,
        request.strength,
        request.quantity,
        request.unit or "",
        request.days_supply,
        source,
    )
    if request.kind:
        ledger.add("words", request.kind, origin="request", attribute="kind", source=source)
    if request.therapy_start:
        ledger.add("date", request.therapy_start, origin="request", attribute="start", source=source)
    if case is not None and case.sig:
        ledger.add("words", case.sig, origin="request", attribute="sig", source=source)


def enter_determination(ledger: Ledger, found: Determination, criteria: Container[str] | None = None) -> None:
    """The outcome, every finding with its clause, what to do next, and the alternatives; `criteria` are the rule's
    parts, where they are to be counted apart from exclusions and documents."""
    source = f"determination:{found.plan_id}/{found.drug}"
    ledger.add("outcome", found.outcome, origin="determination", attribute=found.drug, source=source)
    ledger.add("words", found.summary, origin="determination", attribute="summary", source=source)
    if found.indication:
        ledger.add(
            "words", INDICATIONS.get(found.indication, found.indication), origin="determination",
            attribute="indication", source=source,
        )  # fmt: skip
    for action in found.next_actions:
        ledger.add("words", action, origin="policy", attribute="next", source=source)
    every = [part for top in found.findings for part in _walk(top)]
    for finding in every:
        _enter_finding(ledger, finding, source)
    for other in found.alternatives:
        ledger.add("outcome", other.outcome, origin="determination", attribute=other.drug, source=source)
        where = f"plan:{found.plan_id}/{other.drug}"
        if other.tier is not None:
            ledger.add("count", other.tier, origin="plan", attribute="tier", source=where)
        if other.copay:
            _enter_copay(ledger, other.copay, where)
    for status in ("met", "not_met", "unknown"):
        for where, some in (
            ("all", found.findings),
            (
                "criteria",
                [
                    f
                    for f in found.findings
                    if not f.exclusion and (criteria is None or f.criterion in criteria)
                ],
            ),
        ):
            count = sum(f.status == status for f in some)
            ledger.add(
                "count", count, origin="derived", attribute=f"{status} findings", source=f"{source}/{where}",
                formula=f"findings that are {status}",
            )  # fmt: skip
    ledger.add(
        "count",
        len(found.findings),
        origin="derived",
        attribute="findings",
        source=source,
        formula="findings",
    )


def _enter_finding(ledger: Ledger, finding: Finding, source: str) -> None:
    clause = finding.clause.clause_id if finding.clause else ""
    where = f"{finding.clause.policy_id} {clause}" if finding.clause else source
    ledger.add(
        "status", finding.status, origin="determination", attribute=clause or finding.criterion, source=where,
        aliases=(finding.criterion,),
    )  # fmt: skip
    if finding.clause:
        _enter_clause(ledger, finding.clause)
    for text, attribute in ((finding.text, "criterion"), (finding.fix or "", "fix")):
        if text:
            ledger.add("words", text, origin="policy", attribute=attribute, source=where)
            ledger.add(
                "words",
                formats.dates_in(text, formats.long_date),
                origin="policy",
                attribute=attribute,
                source=where,
            )
    if finding.detail:
        printed = {formats.finding(finding, formats.long_date, units) for units in ("us", "metric", "")}
        for said in (finding.detail, *sorted(printed)):
            ledger.add("words", said.rstrip("."), origin="determination", attribute="detail", source=where)


def _walk(finding: Finding) -> Iterator[Finding]:
    yield finding
    for part in finding.parts:
        yield from _walk(part)


def _enter_clause(ledger: Ledger, clause: ClauseRef) -> None:
    source = f"{clause.policy_id} {clause.clause_id}"
    ledger.add("code", clause.clause_id, origin="policy", attribute="clause", source=source)
    ledger.add("quote", clause.quote, origin="policy", attribute="clause", source=source)


def enter_clauses(ledger: Ledger, clauses: Iterable[Clause], policy_id: str) -> None:
    """Clauses of a policy, each by its number and word for word."""
    for clause in clauses:
        _enter_clause(ledger, ClauseRef(policy_id=policy_id, clause_id=clause.id, quote=clause.text))


def enter_deadlines(ledger: Ledger, plan: Plan, as_of: date) -> None:
    """When the plan would have answered a request of this day."""
    if plan.review_hours:
        day = as_of + timedelta(hours=plan.review_hours)
        ledger.add(
            "date", day, origin="derived", attribute="answer due", source=f"plan:{plan.id}",
            formula=f"{as_of} + {plan.review_hours} hours",
        )  # fmt: skip


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
        if drug.name in plan.benefits:
            if drug.name not in drugs:
                enter_drug(ledger, drug)
                enter_outcome(ledger, bound.determination(drug.name))
        else:
            ledger.add("drug", drug.name, origin="drug", attribute="label", source=f"drug:{drug.name}")


def enter_all_of(ledger: Ledger, case: Case) -> None:
    """All that a letter about this case may say: chart, plan, label, determination and clauses."""
    enter_patient(ledger, case.patient, case.as_of, [case.drug])
    enter_plan(ledger, case.plan, case.drug)
    enter_deadlines(ledger, case.plan, case.as_of)
    enter_case(ledger, case)


def enter_outcome(ledger: Ledger, found: Determination) -> None:
    """Only the word of another drug's determination."""
    source = f"determination:{found.plan_id}/{found.drug}"
    ledger.add("outcome", found.outcome, origin="determination", attribute=found.drug, source=source)
