"""One case: everything that a form or a letter may draw on, and what follows from it alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import NamedTuple

import msgspec

from tools.common.dates import age_on
from tools.domain.records import (
    Benefit,
    Coverage,
    Determination,
    Diagnosis,
    Drug,
    Finding,
    Kind,
    LabelIndication,
    Medication,
    Order,
    Patient,
    Plan,
    Policy,
    Record,
    Request,
    Strength,
)
from tools.domain.rules import Node, Required, Rule
from tools.engine import documents
from tools.engine.request import for_use, is_same_strength
from tools.evidence.measurements import Value, governing, values_of
from tools.papers.formats import directions
from tools.terminology.conditions import CONCEPTS
from tools.terminology.observations import TESTS

# What carries an indication where the drug's record names no codes.
CARRIERS: dict[str, tuple[str, ...]] = {
    "t2dm": ("t2dm",),
    "weight": ("obesity", "overweight"),
    "cv": ("mi", "stroke", "pad", "ascvd"),
    "osa": ("osa",),
    "hf": ("hf",),
    "ckd": ("ckd",),
    "mash": ("nash",),
}
DIABETES = ("biguanide", "sulfonylurea", "tzd", "dpp4", "glp1", "sglt2", "insulin")
WEIGHT = ("glp1", "anorectic")
TREATMENTS: dict[str, tuple[str, ...]] = {
    "t2dm": DIABETES,
    "weight": WEIGHT,
    "cv": ("statin", "antiplatelet", "acei_arb", "beta_blocker", "diuretic", "ccb", "sglt2"),
    "osa": WEIGHT,
    "hf": ("acei_arb", "beta_blocker", "diuretic", "sglt2"),
    "ckd": ("acei_arb", "sglt2"),
    "mash": ("glp1",),
}
LABS: dict[str, tuple[str, ...]] = {
    "t2dm": ("hba1c", "egfr", "bmi"),
    "weight": ("bmi", "weight", "height"),
    "cv": ("bmi", "ldl", "sbp"),
    "osa": ("ahi", "bmi"),
    "hf": ("lvef", "egfr"),
    "ckd": ("egfr", "uacr"),
    "mash": ("fibrosis_stage", "alt", "ast", "platelets"),
}


def use_of(tests: Iterable[str], conditions: Iterable[str]) -> str:
    """The one use that these tests and conditions are about; "" if they are about none, or several."""
    named, measured = {*conditions}, {*tests}
    uses = {use for use, carriers in CARRIERS.items() if named.intersection(carriers)}
    every = [test for of_use in LABS.values() for test in of_use]
    for use, of_use in LABS.items():
        telling = {of_use[0], *(test for test in of_use if every.count(test) == 1)}
        uses |= {use} if measured & telling else set()
    return uses.pop() if len(uses) == 1 else ""


STEP_DAYS = 14  # between two courses of one titration


class Measurement(NamedTuple):
    """A usable value in its test's own unit, rounded as it is compared."""

    test: str
    value: float
    date: date
    record_ids: tuple[str, ...]


class Case(Record, frozen=True, kw_only=True, dict=True, gc=True):
    """One patient, one plan, one drug, one day. `request` is the completed one."""

    patient: Patient
    plan: Plan
    drug: Drug
    request: Request
    determination: Determination
    policy: Policy | None = None
    as_of: date

    def __post_init__(self) -> None:
        """A strength that nobody named is the one that the label begins with for the use that was decided."""
        asked = for_use(self.request, self.determination.indication)
        asked = msgspec.structs.replace(asked, indication=self.request.indication)
        msgspec.structs.force_setattr(self, "request", asked)

    @cached_property
    def benefit(self) -> Benefit | None:
        return self.plan.benefits.get(self.drug.name)

    @cached_property
    def rule(self) -> Rule | None:
        """The rule that the determination was made by."""
        rules = self.benefit.rules if self.benefit else ()
        return next((rule for rule in rules if rule.id == self.determination.rule_id), None)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Every part of the rule by its id."""
        return {node.id: node for node in self.rule.nodes()} if self.rule else {}

    @cached_property
    def papers(self) -> dict[str, Required]:
        """The documents that the rule asks for, by id."""
        return {paper.id: paper for paper in self.rule.documents} if self.rule else {}

    @property
    def generic(self) -> str:
        """The ingredients. The strength, form or use that some catalogs add stand elsewhere, and a use that is not the
        one asked for would argue against it."""
        return " and ".join(self.drug.ingredients) or self.drug.generic

    @property
    def kind(self) -> Kind | None:
        """As the plan sees it: only its own earlier approval makes a renewal."""
        return self.determination.request.kind or self.request.kind

    @property
    def renewal(self) -> bool:
        return self.kind == "renewal"

    @property
    def therapy_start(self) -> date | None:
        return self.determination.request.therapy_start or self.request.therapy_start

    @property
    def months(self) -> int | None:
        """How long the plan would authorize it for."""
        if self.rule is None:
            return None
        return self.rule.renewal_months if self.renewal else self.rule.initial_months

    @cached_property
    def coverage(self) -> Coverage | None:
        """The enrolment in this plan that is active on as_of."""
        of_plan = (c for c in self.patient.coverages if c.plan_id == self.plan.id)
        return next(filter(self._active, of_plan), None)

    def _active(self, period: Coverage) -> bool:
        begun = period.start is None or period.start <= self.as_of
        return begun and (period.end is None or period.end >= self.as_of)

    @cached_property
    def strength(self) -> Strength | None:
        return next((s for s in self.drug.strengths if s.label == self.request.strength), None)

    @property
    def sig_is_ordered(self) -> bool:
        """The order gives directions, and for the strength that is asked for."""
        order = self.order
        if order is None or not order.sig:
            return False
        return not order.strength or is_same_strength(order.strength, self.request.strength)

    @property
    def sig(self) -> str:
        """As ordered; else the label's start, or the label's frequency at a later strength or where it goes on."""
        if self.order and self.sig_is_ordered:
            return self.order.sig
        return directions(self.drug, self.strength, starting=self.kind in (None, "new"))

    @cached_property
    def order(self) -> Order | None:
        return next((o for o in self.patient.orders if o.id == self.request.order_id), None)

    @property
    def indication(self) -> str:
        return self.determination.indication or self.request.indication

    @cached_property
    def label_indication(self) -> LabelIndication | None:
        return next((i for i in self.drug.indications if i.key == self.indication), None)

    @cached_property
    def findings(self) -> dict[str, Finding]:
        """By criterion, the branches of composites included."""
        return {f.criterion: f for f in documents.walk(self.determination.findings)}

    @cached_property
    def cited(self) -> frozenset[str]:
        """Ids of the records that a finding rests on."""
        return frozenset(e.record_id for f in self.findings.values() for e in f.evidence if e.record_id)

    @cached_property
    def disputed(self) -> frozenset[str]:
        """Ids of the records that contradict each other; none of them may fill a blank."""
        conflicts = (f for f in self.findings.values() if f.reason == "conflict")
        return frozenset(e.record_id for f in conflicts for e in f.evidence)

    @cached_property
    def age(self) -> int | None:
        born = self.patient.birth_date
        return age_on(born, self.as_of) if born else None

    @cached_property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """Confirmed, coded and not ended; what carries the indication first, then as charted."""
        known = [d for d in self.patient.conditions or () if d.code and self._holds(d)]
        return tuple(sorted(known, key=lambda d: (not self._carries(d), d.id not in self.cited)))

    @cached_property
    def diagnosis(self) -> Diagnosis | None:
        """The one that carries the indication, as charted; never recoded to fit."""
        first = next(iter(self.diagnoses), None)
        return first if first and self._carries(first) else None

    def _holds(self, diagnosis: Diagnosis) -> bool:
        begun = diagnosis.onset is None or diagnosis.onset <= self.as_of
        ended = diagnosis.abated is not None and diagnosis.abated <= self.as_of
        return diagnosis.verification == "confirmed" and begun and not ended

    def _carries(self, diagnosis: Diagnosis) -> bool:
        label = self.label_indication
        concepts = CARRIERS.get(self.indication, ())
        codes = (label.icd10 if label else ()) or tuple(c for k in concepts for c in CONCEPTS[k].codes)
        return bool(codes) and diagnosis.code.startswith(codes)

    def has(self, *concepts: str) -> Diagnosis | None:
        """The first diagnosis that proves one of these terms.CONCEPTS."""
        codes = tuple(code for key in concepts for code in CONCEPTS[key].codes)
        return next((d for d in self.diagnoses if d.code.startswith(codes)), None)

    def newest(self, test: str) -> Measurement | None:
        """The newest usable value; None if there is none or the values of its day contradict each other."""
        of_the_day = governing(values_of(self.patient, test, self.as_of).usable)
        if not of_the_day:
            return None
        numbers = [value.value for value in of_the_day]
        # A BMI as reported and one from the same day's weight and height differ in their rounding.
        agree = max(numbers) - min(numbers) <= 0.01 * max(numbers)
        chosen = _measurement(test, of_the_day[0])
        return chosen if agree and not self.disputed & set(chosen.record_ids) else None

    @cached_property
    def labs(self) -> tuple[Measurement, ...]:
        """What the findings rest on and the newest value of each test that matters here, newest first."""
        usual = LABS.get(self.indication, ())
        cited = {o.test for o in self.patient.observations if o.id in self.cited}
        tests = [*usual, *(test for test in TESTS if test in cited and test not in usual)]
        return tuple(value for test in tests for value in self._worth_showing(test))

    def _worth_showing(self, test: str) -> list[Measurement]:
        newest = self.newest(test)
        usable = [_measurement(test, v) for v in values_of(self.patient, test, self.as_of).usable]
        shown = [m for m in usable if m == newest or set(m.record_ids) & (self.cited - self.disputed)]
        return list({(m.date, m.value): m for m in shown}.values())

    @cached_property
    def trials(self) -> tuple[Medication, ...]:
        """Courses of other drugs for this condition, oldest first; the drug asked for is no past failure."""
        classes = set(TREATMENTS.get(self.indication, ()))
        others = (m for m in self.patient.medications or () if not self._is_own(m))
        return self._begun(m for m in others if classes & set(m.classes) or m.id in self.cited)

    @cached_property
    def own(self) -> tuple[Medication, ...]:
        """The courses of the drug itself, where it is to go on."""
        if self.kind not in ("renewal", "continuation"):
            return ()
        return self._begun(filter(self._is_own, self.patient.medications or ()))

    def _is_own(self, course: Medication) -> bool:
        return course.drug.casefold() == self.drug.name.casefold()

    def _begun(self, courses: Iterable[Medication]) -> tuple[Medication, ...]:
        begun = (m for m in courses if not (m.start and m.start > self.as_of))
        return tuple(sorted(begun, key=lambda m: (m.start or date.min, m.id)))

    def next_step(self, course: Medication) -> Medication | None:
        """The course of the same drug that began as this one ended: the next step of a titration."""
        if course.end is None:
            return None
        later = (m for m in self.trials if m.drug == course.drug and m.start and m.id != course.id)
        return next((m for m in later if 0 <= (m.start - course.end).days <= STEP_DAYS), None)  # type: ignore[operator]


def _measurement(test: str, value: Value) -> Measurement:
    return Measurement(test, value.value, value.date, tuple(e.record_id for e in value.evidence))
