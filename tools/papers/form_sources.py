"""What can fill a blank: for each source that a form may name, its value and the records behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.domain.records import Allergy, Diagnosis, ExceptionKind, Medication
from tools.papers import formats
from tools.papers.case import Case, Measurement
from tools.terminology.medicines import ndc11
from tools.terminology.observations import TESTS

if TYPE_CHECKING:
    from tools.papers.exceptions import ExceptionAsked

KINDS = {"new": "New", "continuation": "Continuation", "renewal": "Renewal"}
TYPES: dict[ExceptionKind, str] = {
    "quantity_limit": "Quantity exception",
    "step_therapy": "Step therapy exception",
    "formulary": "Formulary exception",
    "tier": "Tier exception",
}
EXCEPTED = ("quantity_exception", "likely_denial")  # outcomes that an exception may answer
NONE_TRIED = "No drug for this condition on record"
NO_ALLERGIES = "No known drug allergies"
SEXES = {"female": "Female", "male": "Male"}


class Value(NamedTuple):
    """What fills a blank, and the ids of the records that it comes from, joined by commas."""

    text: str = ""
    record: str = ""
    clause: str = ""


class Notation(NamedTuple):
    """How this payer wants things written: the pattern of a date, and us or metric units."""

    dates: str
    units: str

    def date(self, day: date | None) -> str:
        return formats.written(day, self.dates) if day else ""


BLANK = Value()
Source = Callable[[Case, Notation], Value]


def ids(record_ids: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(filter(None, record_ids)))


# --- rows of sections that repeat ----------------------------------------------------------------------


def _values(texts: dict[str, str], record: str) -> dict[str, Value]:
    return {source: Value(text, record) for source, text in texts.items()}


def trial_row(course: Medication, case: Case, notation: Notation) -> dict[str, Value]:
    ongoing = course.end is None and course.status == "active"
    begun = notation.date(course.start)
    until = notation.date(course.end) or ("ongoing" if ongoing else "")
    span = f"since {begun}" if ongoing else f"{begun} to {until}" if until else begun
    last = course.end or (case.as_of if ongoing else None)
    texts = {
        "trial.drug": course.drug,
        "trial.dose": formats.dose(course),
        "trial.start": begun,
        "trial.end": until,
        "trial.dates": span if begun else "",
        "trial.days": str((last - course.start).days) if course.start and last else "",
    }
    return _values(texts, course.id) | {"trial.outcome": _trial_outcome(course, case, ongoing)}


def _trial_outcome(course: Medication, case: Case, ongoing: bool) -> Value:
    """As charted; a step of a titration says what it went on to."""
    following = case.next_step(course)
    if course.outcome is None and following is not None:
        text = f"Continued at {formats.dose(following)}" if formats.dose(following) else "Continued"
        return Value(text, f"{course.id},{following.id}")
    outcome = course.outcome or ("Current therapy" if ongoing else "")
    return Value("; ".join(filter(None, (outcome, course.reason))), course.id)


def lab_row(value: Measurement, notation: Notation) -> dict[str, Value]:
    known = TESTS[value.test]
    texts = {
        "lab.test": known.name,
        "lab.value": formats.measure(value.test, value.value, notation.units),
        "lab.date": notation.date(value.date),
        "lab.loinc": known.loinc[0],
    }
    return _values(texts, ids(value.record_ids))


def diagnosis_row(entry: Diagnosis, notation: Notation) -> dict[str, Value]:
    name, onset = formats.diagnosis(entry), notation.date(entry.onset)
    return _values({"diagnosis.name": name, "diagnosis.code": entry.code, "diagnosis.onset": onset}, entry.id)


def allergy_row(entry: Allergy) -> dict[str, Value]:
    return _values({"allergy.substance": entry.substance, "allergy.reaction": entry.reaction}, entry.id)


def rows_of(kind: str, case: Case, notation: Notation) -> tuple[list[dict[str, Value]], str]:
    """A row for each record of this kind, and what stands there where the chart says that there are none.

    Args:
        kind: a key of COLUMNS, other than criteria.
    """
    patient = case.patient
    if kind == "trials":
        none = NONE_TRIED if patient.medications is not None else ""
        return [trial_row(course, case, notation) for course in case.trials], none
    if kind == "allergies":
        none = NO_ALLERGIES if patient.allergies is not None else ""
        return [allergy_row(entry) for entry in patient.allergies or ()], none
    if kind == "labs":
        return [lab_row(value, notation) for value in case.labs], ""
    return [diagnosis_row(entry, notation) for entry in case.diagnoses], ""


# --- single values -------------------------------------------------------------------------------


def _of(record: str, path: str, write: Callable[[Any], str] = str) -> Source:
    """What stands at a path of the case, e.g. "patient.address.city"; blank where a part of it is not on record.

    Args:
        record: whose it is; of a plan's and a drug's, PLAN and DRUG.
    """

    def value(case: Case, _: Notation) -> Value:
        found: Any = case
        for part in path.split("."):
            found = getattr(found, part, None)
        return Value(write(found), record.format(case)) if found is not None else BLANK

    return value


def _address(whose: str, path: str) -> dict[str, Source]:
    """An address in one line, and its parts."""
    parts = {"street": "line", "city": "city", "state": "state", "zip": "zip"}
    return {
        f"{whose}.address": _of(whose, f"{path}.address", formats.address),
        **{f"{whose}.{name}": _of(whose, f"{path}.address.{part}") for name, part in parts.items()},
    }


def _prescriber(*parts: str) -> dict[str, Source]:
    return {f"prescriber.{part}": _of("prescriber", f"patient.prescriber.{part}") for part in parts}


PLAN, DRUG = "plan:{0.plan.id}", "drug:{0.drug.name}"


def _coverage(name: str) -> Source:
    """From the enrolment, else from what the plan prints for all its members."""

    def value(case: Case, _: Notation) -> Value:
        own = getattr(case.coverage, name, "") if case.coverage else ""
        if own:
            return Value(own, case.coverage.id if case.coverage else "")
        return Value(getattr(case.plan, name, ""), f"plan:{case.plan.id}")

    return value


def _requested(name: str) -> Source:
    """Part of the request, from the chart's order where it says so, else the label's package."""

    def value(case: Case, _: Notation) -> Value:
        asked = getattr(case.request, name)
        text = asked if isinstance(asked, str) else formats.number(asked)
        ordered = case.order is not None and getattr(case.order, name) == asked
        return Value(text, case.order.id if ordered and case.order else f"drug:{case.drug.name}")

    return value


def _order_or_chart(case: Case) -> str:
    return case.order.id if case.order else "patient"


def _quantity(case: Case, notation: Notation) -> Value:
    asked = case.request.quantity
    if asked is None:
        return BLANK
    text = formats.amount(asked, case.request.unit or case.drug.unit)
    return _requested("quantity")(case, notation)._replace(text=text)


def _strength(pattern: str) -> Source:
    """The strength with what else of the drug this pattern names, e.g. "{strength}, {drug.route}"."""

    def value(case: Case, notation: Notation) -> Value:
        asked = _requested("strength")(case, notation)
        text = pattern.format(strength=asked.text, drug=case.drug).strip()
        return asked._replace(text=text) if asked.text else BLANK

    return value


def _sig(case: Case, _: Notation) -> Value:
    """As ordered, or as the label has it; the label's, whoever wrote them, say nothing of a quantity beyond the
    limit."""
    label = (formats.directions(case.drug, case.strength, starting=start) for start in (True, False))
    of_label = not case.sig_is_ordered or case.sig in label
    if of_label and any(one.kind == "quantity_limit" for one in excepting(case)):
        return BLANK
    return Value(case.sig, case.request.order_id if case.sig_is_ordered else f"drug:{case.drug.name}")


def _start(case: Case, notation: Notation) -> Value:
    return Value(notation.date(case.therapy_start), _order_or_chart(case))


def _primary(column: str) -> Source:
    """A column of the row of the diagnosis that carries the indication."""
    return lambda case, notation: diagnosis_row(case.diagnosis, notation)[column] if case.diagnosis else BLANK


def _other_diagnoses(case: Case, _: Notation) -> Value:
    others = [d for d in case.diagnoses if d is not case.diagnosis]
    said = "; ".join(f"{d.code} {formats.diagnosis(d)}".strip() for d in others)
    return Value(said, ids(d.id for d in others))


def _measured(test: str, part: str = "lab.value") -> Source:
    """The newest value of a test; or, as `part` says, another column of its row."""

    def value(case: Case, notation: Notation) -> Value:
        newest = case.newest(test)
        return lab_row(newest, notation)[part] if newest else BLANK

    return value


def _height_weight(case: Case, notation: Notation) -> Value:
    height, weight = (_measured(test)(case, notation) for test in ("height", "weight"))
    if not (height.text and weight.text):
        return BLANK
    return Value(f"{height.text} / {weight.text}", ids((height.record, weight.record)))


def _current(case: Case, notation: Notation) -> Value:
    """What is taken for the condition on the day, the drug asked for included."""
    active = (m for m in (*case.trials, *case.own) if m.status == "active")
    taken = (m for m in active if m.end is None or m.end > case.as_of)
    now = sorted(taken, key=lambda m: (m.start or date.min, m.id))
    said = [", ".join(filter(None, (m.drug, formats.dose(m), f"since {notation.date(m.start)}" if m.start else "")))
            for m in now]  # fmt: skip
    return Value("; ".join(said), ids(m.id for m in now))


def _allergies(case: Case, _: Notation) -> Value:
    listed = case.patient.allergies
    if listed is None:
        return BLANK
    if not listed:
        return Value(NO_ALLERGIES, "patient")
    named = [f"{a.substance} ({a.reaction})" if a.reaction else a.substance for a in listed]
    return Value("; ".join(named), ids(a.id for a in listed))


def _tried(case: Case, notation: Notation) -> Value:
    rows, none = rows_of("trials", case, notation)
    if not rows:
        return Value(none, "patient")
    parts = ("trial.drug", "trial.dose", "trial.dates", "trial.outcome")
    said = [", ".join(filter(None, (row[part].text for part in parts))) for row in rows]
    return Value("; ".join(said), ids(m.id for m in case.trials))


def _justification(case: Case, notation: Notation) -> Value:
    """What the request rests on, in one paragraph: diagnosis, values with dates, what was tried and became of it."""
    if case.diagnosis is None:
        return BLANK
    said = [f"{case.drug.name} is requested for {formats.diagnosis(case.diagnosis)} ({case.diagnosis.code})."]
    labs = [(lab_row(m, notation), m) for m in case.labs]
    values = "; ".join(
        f"{row['lab.test'].text} {row['lab.value'].text} ({row['lab.date'].text})" for row, _ in labs
    )
    said += [f"{values[:1].upper()}{values[1:]}."] if values else []
    for course in case.trials:
        row = {source: value.text for source, value in trial_row(course, case, notation).items()}
        parts = (formats.sentence(row["trial.drug"]), row["trial.dose"], row["trial.dates"])
        outcome = f": {row['trial.outcome']}" if row["trial.outcome"] else ""
        said.append(", ".join(filter(None, parts)) + f"{outcome}.")
    records = [case.diagnosis.id, *(i for _, m in labs for i in m.record_ids), *(m.id for m in case.trials)]
    return Value(" ".join(said), ids(records))


# --- exceptions, expedited reviews, corrections ----------------------------------------------------------


def excepting(case: Case) -> tuple[ExceptionAsked, ...]:
    """The exceptions that the request asks for; nothing is looked into where none can be."""
    if case.request.exception is None and case.determination.outcome not in EXCEPTED:
        return ()
    from tools.papers.exceptions import exceptions_of

    return exceptions_of(case)


def excepted_by(case: Case) -> frozenset[str]:
    """The criteria that these exceptions are made to."""
    if not excepting(case):
        return frozenset()
    from tools.papers.exceptions import excepted

    return excepted(case)


def _exceptions(case: Case, _: Notation) -> Value:
    from tools.papers.exceptions import told

    asked = excepting(case)
    records = ids(record for one in asked for barrier in one.barriers for record in barrier.records)
    clauses = [barrier.clause.clause_id for one in asked for barrier in one.barriers if barrier.clause]
    return Value("; ".join(map(told, asked)), records or f"plan:{case.plan.id}", next(iter(clauses), ""))


def _type(case: Case, _: Notation) -> Value:
    """What kind of decision is asked for, by the name that forms give it; of several exceptions the first."""
    asked = excepting(case)
    return Value(TYPES[asked[0].kind] if asked else "Prior authorization", f"plan:{case.plan.id}")


def _statement(case: Case, _: Notation) -> Value:
    """What speaks for the exceptions; nothing where one of them still wants the prescriber's word."""
    from tools.papers.exceptions import said_for

    asked = excepting(case)
    if not asked or not all(one.complete for one in asked):
        return BLANK
    grounds = ids(ground.record_id for one in asked for ground in one.grounds)
    said = " ".join(dict.fromkeys(map(said_for, asked)))
    return Value(said, ids(("prescriber" if case.request.statement else "", grounds)))


def _review(case: Case, _: Notation) -> Value:
    if case.request.expedited:
        return Value("Expedited", "prescriber")
    return Value("Standard", f"plan:{case.plan.id}")


def _certification(case: Case, _: Notation) -> Value:
    from tools.papers.exceptions import certification

    return Value(certification(case), "prescriber") if case.request.expedited else BLANK


def _corrected(case: Case, notation: Notation) -> Value:
    before = case.request.corrects
    if before is None:
        return BLANK
    said = (
        f"Our request of {notation.date(before.sent)}" if before.sent else "Our request",
        f"your reference {before.reference}" if before.reference else "",
        f"answer due {notation.date(before.due)}" if before.due else "",
    )
    return Value(", ".join(filter(None, said)), f"case:{before.case_id}")


SOURCES: dict[str, Source] = {
    **{f"patient.{part}": _of("patient", f"patient.{part}") for part in ("name", "given", "family")},
    "patient.birth_date": lambda case, notation: Value(notation.date(case.patient.birth_date), "patient"),
    "patient.age": _of("patient", "age"),
    "patient.sex": _of("patient", "patient.sex", lambda sex: SEXES.get(sex, "")),
    **_address("patient", "patient"),
    "patient.phone": _of("patient", "patient.phone"),
    "patient.height": _measured("height"),
    "patient.weight": _measured("weight"),
    "patient.weight_date": _measured("weight", "lab.date"),
    "patient.height_weight": _height_weight,
    "patient.bmi": _measured("bmi"),
    "patient.allergies": _allergies,
    "coverage.member_id": _of("{0.coverage.id}", "coverage.member_id"),
    **{f"coverage.{part}": _coverage(part) for part in ("group", "bin", "pcn")},
    **{f"plan.{part}": _of(PLAN, f"plan.{part}") for part in ("name", "payer", "phone", "fax")},
    **_prescriber("name", "npi"),
    "prescriber.specialty": _of("prescriber", "patient.prescriber.specialty", str.capitalize),
    **_prescriber("practice"),
    **_address("prescriber", "patient.prescriber"),
    **_prescriber("phone", "fax", "contact"),
    "drug.name": _of(DRUG, "drug.name"),
    "drug.generic": _of(DRUG, "generic"),
    "drug.name_generic": lambda case, _: Value(f"{case.drug.name} ({case.generic})", DRUG.format(case)),
    **{f"drug.{part}": _of(DRUG, f"drug.{part}") for part in ("route", "form", "rxnorm")},
    "drug.strength": _requested("strength"),
    "drug.strength_form": _strength("{strength} {drug.form}"),
    "drug.strength_route": _strength("{strength}, {drug.route}"),
    "drug.name_strength": _strength("{drug.name} {strength}"),
    "drug.ndc": _of(DRUG, "strength.ndc", ndc11),
    "drug.sig": _sig,
    "drug.quantity": _quantity,
    "drug.days_supply": _requested("days_supply"),
    "drug.duration": _of(PLAN, "months", lambda months: f"{months} months" if months else ""),
    "drug.kind": lambda case, _: Value(KINDS[case.kind], _order_or_chart(case)) if case.kind else BLANK,
    "drug.start_date": _start,
    **{column: _primary(column) for column in ("diagnosis.name", "diagnosis.code", "diagnosis.onset")},
    "diagnosis.others": _other_diagnoses,
    **{
        f"{test}.{part}": _measured(test, f"lab.{part}")
        for test in ("hba1c", "egfr")
        for part in ("value", "date")
    },
    "trials.all": _tried,
    "trials.current": _current,
    "justification": _justification,
    "review.type": _review,
    "review.reason": _of("prescriber", "request.expedited"),
    "review.certification": _certification,
    "exception.asked": _exceptions,
    "exception.statement": _statement,
    "request.corrects": _corrected,
    "request.date": lambda case, notation: Value(notation.date(case.as_of), "patient"),
    "request.type": _type,
    # Refills, a signature and its date are the prescriber's to write.
    "prescriber.completes": lambda case, notation: BLANK,
}
# Columns of sections that repeat.
COLUMNS: dict[str, frozenset[str]] = {
    "criteria": frozenset({"criterion.answer", "criterion.evidence"}),
    "trials": frozenset(
        f"trial.{part}" for part in ("drug", "dose", "start", "end", "dates", "days", "outcome")
    ),
    "labs": frozenset(f"lab.{part}" for part in ("test", "value", "date", "loinc")),
    "diagnoses": frozenset(f"diagnosis.{part}" for part in ("name", "code", "onset")),
    "allergies": frozenset(f"allergy.{part}" for part in ("substance", "reaction")),
}
