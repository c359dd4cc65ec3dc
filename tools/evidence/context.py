"""What a criterion is judged against, and what a leaf answers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from tools.domain.records import Attestation, Diagnosis, Evidence, Fill, Medication, Patient, Reason, Request
from tools.domain.rules import AllergyTo, Intolerance, Part, Period, Taking, Trial, Who
from tools.evidence.measurements import Values, values_of
from tools.evidence.products import may_be_charted
from tools.messages import Action, Message, message
from tools.terminology.terms import TOPICS, is_icd10

Statements = dict[Who, tuple[Attestation, ...]]  # by whom it is about; several are of one day

DECIDED = "note:"  # topic of the statement that keeps what a person decided about a sentence of a note

COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}


class LeafResult(msgspec.Struct, frozen=True, gc=False):
    """A leaf's answer: is the thing shown to be so (None: unknown), by what, why not known, and what would
    change it."""

    shown: bool | None
    records: tuple[Evidence, ...] = ()
    found: Message | None = None
    reason: Reason | None = None
    action: Action | None = None


# The results of a context that asks for nothing more.
STATUS_ONLY: dict[bool | None, LeafResult] = {answer: LeafResult(answer) for answer in (True, False, None)}


def kept(part: Part, name: str, make: Callable[[], LeafResult]) -> LeafResult:
    """An answer that follows from the leaf alone, made once: it stays with the leaf, under this name."""
    known: LeafResult | None = part.__dict__.get(name)
    if known is None:
        known = part.__dict__[name] = make()
    return known


def better(new: LeafResult, old: LeafResult) -> bool:
    """Of several courses or programs, one that shows it beats one that may, which beats one that does not."""
    return _RANK[new.shown] > _RANK[old.shown]


_RANK = {True: 2, None: 1, False: 0}


_OfDrugs = AllergyTo | Intolerance | Taking | Trial
_NOTHING: Mapping[object, LeafResult] = {}
_FAMILY = ("Z80", "Z81", "Z82", "Z83", "Z84")


class Term:
    """A code and a name as charts write them. A family history code is the family's, though it stands on the
    patient's own list."""

    __slots__ = ("code", "name", "subject")

    def __init__(self, code: str, name: str) -> None:
        self.code = code
        self.name = name.casefold()
        self.subject: Who = "family" if code[:3] in _FAMILY else "self"


@lru_cache(maxsize=65536)
def term_of(code: str, name: str) -> Term:
    """The one object for all charts that write it so."""
    return Term(code, name)


class DayCache:
    """What has been looked up in one chart for one day, whichever rule asked."""

    __slots__ = (
        "active", "answers", "as_of", "bare", "courses", "disagreeing", "drug_names", "firsts", "problems", "refuted",
        "said", "terms", "texts", "uncoded", "unidentified", "values",
    )  # fmt: skip

    def __init__(self, as_of: date) -> None:
        self.as_of = as_of
        self.problems: list[tuple[Diagnosis, Term]] | None = None
        self.terms: frozenset[Term] | None = None
        self.said: dict[str, Statements] | None = None
        self.firsts: dict[Period, date] = {}
        self.values: dict[str, Values] = {}
        self.answers: dict[object, LeafResult] = {}  # kept by criteria and documents
        self.bare: dict[object, LeafResult] = {}  # the same, as far as only the answer was asked for
        self.courses: dict[int, Any] = {}  # of each entry by its id(), kept by courses
        self.active: list[Diagnosis] | None = None
        self.refuted: list[Diagnosis] | None = None
        self.drug_names: frozenset[str] | None = None
        self.unidentified: tuple[Medication, ...] | None = None
        self.uncoded: list[tuple[Diagnosis, Term]] | None = None
        self.texts: Any = None  # free text up to the day, kept by notes
        self.disagreeing: tuple[tuple[Medication, Medication], ...] | None = None  # kept by certainty


def day_of(patient: Patient, as_of: date) -> DayCache:
    """It stays with the patient, who never changes, so that a second question finds it. It does not point
    back to the patient: a chart that is done with is freed at once."""
    kept: DayCache | None = patient.__dict__.get("day")
    if kept is None or kept.as_of != as_of:
        kept = patient.__dict__["day"] = DayCache(as_of)
    return kept


def carry_forward(patient: Patient, as_of: date, turned: Container[object]) -> None:
    """Carry what is cached for the patient's day forward to a later one, up to which nothing in the chart begins or
    ends; answers that may have `turned` are dropped."""
    before: DayCache = patient.__dict__.get("day") or DayCache(as_of)
    day = patient.__dict__["day"] = DayCache(as_of)
    for kept in (
        "active",
        "drug_names",
        "problems",
        "refuted",
        "said",
        "terms",
        "texts",
        "uncoded",
        "unidentified",
    ):
        setattr(day, kept, getattr(before, kept))
    day.values = {test: found for test, found in before.values.items() if not found.rejected}
    day.bare = {asked: answer for asked, answer in before.bare.items() if asked not in turned}


class EvaluationContext:
    """A chart on a day, and the request and policy that it is judged for. With `status_only` it is asked
    whether a thing is shown, and not by what: a leaf may then answer `STATUS_ONLY[shown]` as soon as it has decided."""

    __slots__ = (
        "answers", "as_of", "status_only", "day", "patient", "policy_id", "request", "overrides",
        "therapy_start",
    )  # fmt: skip

    def __init__(
        self,
        patient: Patient,
        request: Request,
        as_of: date,
        therapy_start: date | None = None,
        policy_id: str = "",
        status_only: bool = False,
    ) -> None:
        self.patient = patient
        self.request = request
        self.as_of = as_of
        self.therapy_start = therapy_start
        self.policy_id = policy_id
        self.status_only = status_only
        self.day = day_of(patient, as_of)
        self.answers = self.day.bare if status_only else self.day.answers
        self.overrides: Mapping[object, LeafResult] = _NOTHING

    def with_answers(self, answers: Mapping[object, LeafResult]) -> EvaluationContext:
        """A context of the same chart, for statuses alone, in which these questions are answered so."""
        other = EvaluationContext(
            self.patient, self.request, self.as_of, self.therapy_start, self.policy_id, status_only=True
        )
        other.answers = {**other.answers, **answers}
        other.overrides = answers
        return other

    def problems(self) -> list[tuple[Diagnosis, Term]]:
        """The problem list without what is refuted."""
        known = self.day.problems
        if known is None:
            known = self.day.problems = [
                (entry, term_of(entry.code, entry.name))
                for entry in self.patient.conditions or ()
                if entry.verification != "refuted"
            ]
        return known

    def active(self) -> list[Diagnosis]:
        """What the problem list confirms and has begun and is not over."""
        known = self.day.active
        if known is None:
            known = self.day.active = [
                entry
                for entry, _ in self.problems()
                if entry.verification == "confirmed"
                and (entry.onset is None or entry.onset <= self.as_of)
                and (entry.abated is None or entry.abated > self.as_of)
            ]
        return known

    def refuted(self) -> list[Diagnosis]:
        """What the problem list says not to be so."""
        known = self.day.refuted
        if known is None:
            known = self.day.refuted = [
                entry for entry in self.patient.conditions or () if entry.verification == "refuted"
            ]
        return known

    def names_none(self, leaf: _OfDrugs) -> bool:
        """Whether no course, claim or allergy on the chart is of a drug or class of the leaf: most of what rules ask
        about is nothing to most charts."""
        names: frozenset[str] | None = leaf.__dict__.get("names")
        if names is None:
            names = leaf.__dict__["names"] = frozenset((*leaf.drugs, *leaf.classes))
        charted = self.day.drug_names
        if charted is None:
            charted = self.day.drug_names = _drug_names(self.patient)
        return names.isdisjoint(charted)

    def uncoded(self) -> list[tuple[Diagnosis, Term]]:
        """Entries of the problem list that no code of ICD-10-CM identifies."""
        known = self.day.uncoded
        if known is None:
            known = self.day.uncoded = [pair for pair in self.problems() if not is_icd10(pair[0].code)]
        return known

    def unidentified(self) -> tuple[Medication, ...]:
        """Entries of the medication list of which nobody knows what they are."""
        known = self.day.unidentified
        if known is None:
            known = self.day.unidentified = tuple(
                [entry for entry in self.patient.medications or () if not entry.ingredients]
            )
        return known

    def terms(self) -> frozenset[Term]:
        """What stands on the problem list, each once."""
        known = self.day.terms
        if known is None:
            known = self.day.terms = frozenset([term for _, term in self.problems()])
        return known

    def first(self, within: Period) -> date:
        """The first day of the window that ends on as_of."""
        known = self.day.firsts.get(within)
        if known is None:
            known = self.day.firsts[within] = within.before(self.as_of)
        return known

    def takes_it(self) -> bool:
        """Does the drug asked for, or another of the same ingredients, stand on the medication list, whenever it was
        taken?"""
        return may_be_charted(self.patient, self.request)

    def values(self, test: str) -> Values:
        """Usable values of the test, newest first, and the rejected ones."""
        known = self.day.values.get(test)
        if known is None:
            known = self.day.values[test] = values_of(self.patient, test, self.as_of)
        return known

    def said(self, topic: str) -> Statements:
        """The newest day's statements on the topic for each subject; undated ones are oldest, later ones than
        as_of are ignored."""
        known = self.day.said
        if known is None:
            known = self.day.said = _newest_statements(self.patient.attestations, self.as_of)
        return known.get(topic) or {}


def _drug_names(patient: Patient) -> frozenset[str]:
    """What the medication list, the claims and the allergies name: drugs, their ingredients and their classes."""
    found: set[str] = set()
    courses_and_claims: Iterable[Medication | Fill] = (*(patient.medications or ()), *patient.fills)
    for entry in courses_and_claims:
        found.add(entry.drug.casefold())
        found.update(entry.ingredients, entry.classes)
    for item in patient.allergies or ():
        found.add(item.substance.casefold())
        found.update(item.ingredients, item.classes)
    return frozenset(found)


def _newest_statements(statements: tuple[Attestation, ...], as_of: date) -> dict[str, Statements]:
    by_topic: dict[str, Statements] = {}
    for item in statements:
        if item.date is not None and item.date > as_of:
            continue
        newest = by_topic.get(item.topic)
        if newest is None:
            newest = by_topic[item.topic] = {}
        for subject in item.subjects:
            known = newest.get(subject)
            if known is None or item.date == known[0].date:
                newest[subject] = (item,) if known is None else (*known, item)
            elif (item.date or date.min) > (known[0].date or date.min):
                newest[subject] = (item,)
    return by_topic


def span(period: Period) -> Message:
    """The length of time, to be said."""
    return message("period", count=period.count, unit=period.unit)


def as_stated(entry: Attestation) -> Evidence:
    """A statement as evidence, e.g. "pregnancy: denied (self)"."""
    value = _told(entry.topic, entry.present, entry.subjects)
    return Evidence(record_id=entry.id, kind="attestation", value=value, date=entry.date)


@lru_cache(maxsize=4096)
def _told(topic: str, present: bool, subjects: tuple[Who, ...]) -> str:
    about = TOPICS.get(topic) or topic.replace("_", " ")
    return f"{about}: {'stated' if present else 'denied'} ({' and '.join(subjects)})"
