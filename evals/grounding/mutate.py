"""Corruptions of ten kinds in letters and answers; labelled by how they were made, never by the verifier's own reading.

A text is a list of parts, each a string and what it is; a corruption exchanges one part, or two, for something that no
record of this patient, plan or determination holds. This module knows records and nothing of claims or grounding.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tools.domain.records import Diagnosis, Medication
from tools.papers.case import Case
from tools.papers.citations import TABLE
from tools.papers.formats import how_often, measure
from tools.terminology.observations import TESTS

KINDS = ("number", "date", "code", "drug", "dose", "attribute", "negation", "name", "citation", "status")
STRANGE: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
OUTCOMES: dict[str, str] = STRANGE["outcomes"]
Form = Callable[[date], str]
Pairs = list[tuple[str, str]]  # what stands there, and what to put in its place
FORMATS: tuple[Form, ...] = (
    lambda d: f"{d:%B} {d.day}, {d.year}",
    lambda d: f"{d:%b} {d.day}, {d.year}",
    lambda d: d.isoformat(),
    lambda d: f"{d:%m/%d/%Y}",
    lambda d: f"{d.day} {d:%B} {d.year}",
    lambda d: (
        f"the {d.day}{'th' if 10 < d.day < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(d.day % 10, 'th')}"
        f" of {d:%B} {d.year}"
    ),
)


class Wrong(NamedTuple):
    """A text with one thing wrong, and where that stands."""

    kind: str
    text: str
    start: int
    end: int
    was: str
    source: str  # "letter" or "answer"


def corrupt(case: Case, letter: str, rng: random.Random, others: Sequence[str]) -> Iterator[Wrong]:
    """Corruptions of this case's letter and of short answers about it, one of each kind at most; `others` are the
    names of other patients."""
    for kind in KINDS:
        made = [*_in_letter(kind, case, letter, rng, others), *_in_answer(kind, case, rng, others)]
        if made:
            yield rng.choice(made)


def answers(case: Case, rng: random.Random) -> list[str]:
    """Short sentences that are right, in a voice that is not the letters'."""
    return [*_true(case, rng)]


# --- right sentences ---------------------------------------------------------------------------------------


def _true(case: Case, rng: random.Random) -> Iterator[str]:
    form = rng.choice(FORMATS)
    for seen in case.labs:
        name = TESTS[seen.test].name
        yield f"The chart shows a {name} of {measure(seen.test, seen.value)} on {form(seen.date)}."
        yield f"{name}: {measure(seen.test, seen.value)} ({form(seen.date)})."
    for course in _courses(case):
        yield _course_line(course, form)
    for diagnosis in case.diagnoses[:4]:
        yield f"Diagnosis on file: {diagnosis.name} ({diagnosis.code})."
    if case.coverage and case.coverage.member_id:
        yield f"Member ID {case.coverage.member_id} at {case.plan.payer}."
    doctor = case.patient.prescriber
    if doctor:
        yield f"The prescriber of record is {doctor.name}."
    yield _outcome_line(case)


def _outcome_line(case: Case) -> str:
    return OUTCOMES[case.determination.outcome].format(drug=case.drug.name)


def _courses(case: Case) -> list[Medication]:
    return [m for m in case.patient.medications or () if m.dose and m.dose_unit and m.per_day and m.start]


def _course_line(course: Medication, form: Callable[[date], str]) -> str:
    what = f"{course.drug} {course.dose:g} {course.dose_unit} {how_often(course.per_day or 1)}"
    if course.end:
        return f"The patient was on {what} from {form(course.start)} to {form(course.end)}."  # type: ignore[arg-type]
    if course.status == "active":
        return f"The patient takes {what} and has done so since {form(course.start)}."  # type: ignore[arg-type]
    return f"The chart lists {what}, started {form(course.start)}."  # type: ignore[arg-type]


# --- one wrong thing -----------------------------------------------------------------------------------------


def _swap(kind: str, text: str, old: str, new: str, rng: random.Random, source: str) -> list[Wrong]:
    """The text with one occurrence of the old words exchanged."""
    places = [m.start() for m in re.finditer(rf"(?<![\w.]){re.escape(old)}(?![\w]|\.\d)", text)]
    if not places or old == new:
        return []
    at = rng.choice(places)
    return [Wrong(kind, text[:at] + new + text[at + len(old) :], at, at + len(new), old, source)]


def _in_letter(kind: str, case: Case, text: str, rng: random.Random, others: Sequence[str]) -> list[Wrong]:
    pairs = _pairs(kind, case, rng, others, FORMATS[0])
    return [w for old, new in pairs for w in _swap(kind, text, old, new, rng, "letter")]


def _in_answer(kind: str, case: Case, rng: random.Random, others: Sequence[str]) -> list[Wrong]:
    if kind == "status":
        now = case.determination.outcome
        wrong = rng.choice([line for key, line in OUTCOMES.items() if key != now and not _also_so(key, case)])
        claims = [wrong.format(drug=case.drug.name), f"{case.drug.name} was denied by the payer."]
        if not any(granted.drug == case.drug.name for granted in case.patient.authorizations):
            claims.append(f"The payer has approved {case.drug.name}.")
        said = rng.choice(claims)
        return [Wrong(kind, said, 0, len(said), _outcome_line(case), "answer")]
    lines = [*_true(case, rng)]
    rng.shuffle(lines)
    made: list[Wrong] = []
    for form in FORMATS:
        for old, new in _pairs(kind, case, rng, others, form):
            for line in lines:
                made += _swap(kind, line, old, new, rng, "answer")
    return made[:6]


def _also_so(key: str, case: Case) -> bool:
    """Words of another outcome that hold all the same."""
    found = case.determination
    every = [f.status for f in case.findings.values()]
    if key == "needs_documentation":
        return "unknown" in every or found.outcome != "ready"
    if key == "not_covered":
        return case.benefit is None or not case.benefit.covered
    benefit = case.benefit
    return key == "not_required" and bool(benefit and benefit.covered and not benefit.pa_required)


def _pairs(kind: str, case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    """What stands there and what to put in its place."""
    made = {
        "number": _numbers, "date": _dates, "code": _codes, "drug": _drugs, "dose": _doses, "attribute": _attributes,
        "negation": _negations, "name": _names, "citation": _citations, "status": _statuses,
    }[kind](case, rng, others, form)  # fmt: skip
    rng.shuffle(made)
    return made


def _digit(text: str, rng: random.Random, banned: set[str]) -> str:
    """Another digit somewhere."""
    places = [at for at, c in enumerate(text) if c.isdigit()]
    for _ in range(60):
        at = rng.choice(places)
        new = text[:at] + rng.choice([d for d in "0123456789" if d != text[at]]) + text[at + 1 :]
        if new not in banned and not (new[0] == "0" and not new.startswith("0.")):
            return new
    return text


def _numbers(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    pairs: Pairs = []
    for seen in case.labs:
        said = [measure(seen.test, o.value) for o in case.patient.observations if o.test == seen.test]
        old = measure(seen.test, seen.value)
        number, rest = old.split(" ")[0], old[len(old.split(" ")[0]) :]
        pairs.append((old, _digit(number, rng, {one.split(" ")[0] for one in said}) + rest))
    if case.age is not None:
        pairs.append((f"{case.age}-year-old", f"{case.age + rng.choice((-10, -3, -1, 1, 2, 7))}-year-old"))
    return pairs


def _dates(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    patient, courses = case.patient, case.patient.medications or ()
    known = {case.as_of, patient.birth_date}
    for records in (patient.observations, patient.notes, patient.fills, patient.attestations):
        known |= {record.date for record in records}
    known |= {day for course in courses for day in (course.start, course.end)}
    known |= {diagnosis.onset for diagnosis in patient.conditions or ()}
    days = [m.date for m in case.labs] + [d for m in _courses(case) for d in (m.start, m.end) if d]
    days += [case.patient.birth_date] if case.patient.birth_date else []
    pairs = []
    for day in days:
        for _ in range(20):
            new = day + timedelta(days=rng.choice(STRANGE["days"]))
            if new not in known:
                pairs.append((form(day), form(new)))
                break
    return pairs


def _codes(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    charted = {d.code for d in case.patient.conditions or ()}
    pairs = [(d.code, _near_code(d, rng, charted)) for d in case.diagnoses]
    if case.coverage and case.coverage.member_id:
        pairs.append((case.coverage.member_id, _digit(case.coverage.member_id, rng, set())))
    doctor = case.patient.prescriber
    if doctor and doctor.npi:
        pairs.append((doctor.npi, _digit(doctor.npi, rng, set())))
    return pairs


def _near_code(diagnosis: Diagnosis, rng: random.Random, charted: set[str]) -> str:
    code = diagnosis.code
    for _ in range(60):
        at = rng.choice([i for i, c in enumerate(code) if c.isdigit()])
        new = code[:at] + rng.choice("0123456789") + code[at + 1 :]
        if new not in charted and new != code:
            return new
    return code


def _drugs(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    mine = {i for m in case.patient.medications or () for i in (m.drug.lower(), *m.ingredients)}
    mine |= {a.substance.lower() for a in case.patient.allergies or ()}
    pairs = []
    for course in _courses(case):
        strangers = STRANGE["strangers"].get(
            course.classes[0] if course.classes else "", STRANGE["strangers"][""]
        )
        pool = [drug for drug in strangers if drug.lower() not in mine]
        if pool:
            new = rng.choice(pool)
            pairs += [(course.drug, new), (course.drug.capitalize(), new.capitalize())]
    return pairs


def _doses(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    pairs = []
    for course in _courses(case):
        doses = {m.dose for m in _courses(case) if m.ingredients == course.ingredients}
        new = rng.choice([dose for dose in STRANGE["doses"] if dose not in doses])
        other = "mcg" if course.dose_unit == "mg" else "mg"
        for name in (course.drug, course.drug.capitalize()):
            old = f"{name} {course.dose:,g} {course.dose_unit}"
            pairs += [(old, f"{name} {new:,g} {course.dose_unit}"), (old, f"{name} {course.dose:,g} {other}")]
    return pairs


def _attributes(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    """A value under another test's name, an older value with the newest's date, a start for an end."""
    pairs = []
    for one in case.labs:
        name, value = TESTS[one.test].name, measure(one.test, one.value)
        for other in case.labs:
            if other.test != one.test:
                wrong = TESTS[other.test].name
                pairs += [(f"{name}{link}{value}", f"{wrong}{link}{value}") for link in (" ", " of ", ": ")]
        older = [
            measure(o.test, o.value) for o in case.patient.observations
            if o.test == one.test and o.date and o.date < one.date and o.unit == TESTS[o.test].unit
            and measure(o.test, o.value) != value
        ]  # fmt: skip
        day = form(one.date)
        for old in older[-1:]:
            pairs += [(f"{value} ({day})", f"{old} ({day})"), (f"{value} on {day}", f"{old} on {day}")]
    courses = _courses(case)
    for one_, two in itertools.pairwise(courses):
        if one_.dose != two.dose and one_.ingredients != two.ingredients:
            drug, unit = one_.drug, one_.dose_unit
            pairs.append((f"{drug} {one_.dose:g} {unit}", f"{drug} {two.dose:g} {unit}"))
    return pairs


def _negations(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    pairs = [(said, opposite) for said, opposite in STRANGE["negations"]]
    if case.diagnosis:
        name = case.diagnosis.name
        lower = name[0].lower() + name[1:]
        pairs.append((f"with {lower}", f"without {lower}"))
        pairs.append((f"Diagnosis on file: {name}", f"No history of {lower}"))
    return pairs


def _names(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    patient, doctor = case.patient, case.patient.prescriber
    strangers = [n for n in (*others, *STRANGE["people"]) if n != patient.name]
    pairs = [
        (patient.name, rng.choice(strangers)),
        (patient.name, f"{rng.choice(('Alice', 'Benjamin', 'Carl'))} {patient.family}"),
    ]
    if doctor:
        pairs.append((doctor.name, rng.choice(STRANGE["doctors"])))
        if doctor.practice:
            pairs.append((doctor.practice, "Hilltop Family Practice"))
    return pairs


def _citations(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    pairs = [(case.plan.payer, rng.choice(STRANGE["houses"]))]
    for cited in TABLE:
        pairs.append((cited.source, _digit(cited.source, rng, set())))
        if cited.key.isupper() or "-" in cited.key:
            pairs.append((f"({cited.key},", f"({rng.choice(STRANGE['trials'])},"))
    return pairs


def _statuses(case: Case, rng: random.Random, others: Sequence[str], form: Form) -> Pairs:
    drug = case.drug.name
    if any(granted.drug == drug for granted in case.patient.authorizations):
        return []  # it was approved once
    already = rng.choice(("The plan has approved", "Your company was right to grant, and has approved,"))
    decided = rng.choice((f"{drug} has been approved.", f"{drug} was denied by the plan."))
    return [
        ("I am writing to request authorization of", f"{already} {drug} already; I write about"),
        ("To the reviewer:", decided),
    ]
