"""The ledger of one case as the checks ask it: courses, measured values, dates, codes, names, outcomes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from agent.claims.attributes import attribute_key, conditions
from agent.claims.codes import codes, normal
from agent.claims.dates import days
from agent.claims.drugs import Lexicon
from agent.claims.numbers import Number, numbers
from agent.claims.text import lower, plain
from agent.ledger import Fact, Ledger
from tools.terminology.observations import TESTS

TEST_UNITS = {"10^3/uL": "10*3/uL", "events/h": "/h", "mmHg": "mm[Hg]", "mL/min/1.73 m2": "mL/min/{1.73_m2}"}
SYSTEM = re.compile(r"\bicd[- ]?(?:9|10)(?:-(?:cm|pcs))?\b")  # as sentences have it blanked out
SHORTEST = 12  # characters of a phrase that is taken as a whole
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


class Course(NamedTuple):
    """One course of one drug as the ledger has it."""

    source: str
    drug: str
    ingredients: tuple[str, ...]
    form: str
    dose: float | None
    unit: str
    per_day: float | None
    start: date | None
    end: date | None
    status: str
    response: str
    days: int | None
    ids: tuple[str, ...]


class Measured(NamedTuple):
    """A value of a test in the test's own unit; `shown` and `unit` as they were recorded."""

    value: float
    shown: float
    unit: str
    date: date | None
    id: str
    supposed: bool


class Dated(NamedTuple):
    """A day and what happened on it."""

    day: date
    attribute: str
    source: str
    id: str


class Diagnosed(NamedTuple):
    """A charted diagnosis."""

    code: str
    name: str
    words: frozenset[str]
    keys: frozenset[str]  # of conditions
    onset: date | None
    id: str


class Phrase(NamedTuple):
    """Words of a fact that may stand in a text as they are. `settled`: nothing in them needs another look."""

    words: str
    id: str
    settled: bool


class Index:
    """Everything that the checks look up, made once per ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.facts = list(ledger.facts.values())
        by_source: dict[str, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            by_source[fact.source].append(fact)
        self.as_of: date | None = next(
            (date.fromisoformat(str(f.value)) for f in self.facts if f.attribute == "as_of"), None
        )
        self.sex = str(next((f.value for f in self.facts if f.attribute == "sex"), ""))
        self.courses = [c for source, some in by_source.items() if (c := _course(source, some))]
        self.measured = self._measured()
        self.diagnoses = [d for some in by_source.values() if (d := _diagnosed(some))]
        self.dates = self._dates()
        self.codes = self._codes()
        self.names = [(frozenset(_tokens(name)), f.id) for f in self.facts for name in _names_of(f)]
        self.name_words = frozenset(word for words, _ in self.names for word in words)
        self._enter_drugs()
        self._enter_answers()
        self.phrases = self._phrases()
        self.quotes = [
            (SYSTEM.sub(lambda m: "x" * len(m[0]), squeezed(str(f.value))), f.id)
            for f in self.facts
            if f.kind in ("quote", "words")
        ]
        self._enter_policy()
        self.literal = sorted(
            {plain(str(f.value)) for f in self.facts if f.kind == "code" and len(str(f.value)) > 1},
            key=len, reverse=True,
        )  # fmt: skip
        self.cited = self._cited()
        self.family = [
            (str(f.value).partition(":")[0].lower(), lower(str(f.value)), f.id)
            for f in self.facts
            if f.attribute == "family"
        ]

    # --- parts ----------------------------------------------------------------------------------------------

    def _measured(self) -> dict[str, list[Measured]]:
        found: dict[str, list[Measured]] = defaultdict(list)
        for fact in self.facts:
            key = attribute_key(fact.attribute)
            if (
                fact.kind == "value"
                and key in TESTS
                and fact.origin != "policy"
                and isinstance(fact.value, int | float)
            ):
                value = in_test_unit(key, float(fact.value), fact.unit)
                found[key].append(
                    Measured(
                        float(fact.value) if value is None else value, float(fact.value), fact.unit, fact.date,
                        fact.id, fact.origin == "supposed",
                    )
                )  # fmt: skip
        return found

    def _dates(self) -> list[Dated]:
        found = []
        for fact in self.facts:
            if fact.kind == "date":
                found.append(Dated(date.fromisoformat(str(fact.value)), fact.attribute, fact.source, fact.id))
            if fact.date:
                found.append(Dated(fact.date, attribute_key(fact.attribute), fact.source, fact.id))
        return found

    def _codes(self) -> dict[str, Fact]:
        found: dict[str, Fact] = {}
        for fact in self.facts:
            if fact.kind == "code":
                for text in (str(fact.value), *fact.aliases):
                    for key in {
                        normal(text),
                        normal(text, "clause"),
                        normal(text, "phone"),
                        normal(text, "number"),
                    }:
                        found.setdefault(key, fact)
            elif fact.kind in ("quote", "words"):
                for code in codes(plain(str(fact.value))):
                    found.setdefault(code.value, fact)
                    found.setdefault(normal(code.value, "clause"), fact)
            if fact.kind == "status" and fact.attribute:
                found.setdefault(normal(fact.attribute, "clause"), fact)
        return found

    def _enter_drugs(self) -> None:
        """The names that drugs go by here, and how each is known."""
        more: dict[str, tuple[str, ...]] = {}
        self.drug_facts: dict[str, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            if fact.kind != "drug":
                continue
            name = _drug_name(str(fact.value))
            made_of = tuple(_drug_name(alias) for alias in fact.aliases) or (name,)
            more[name] = made_of
            for known in {name, *made_of}:
                self.drug_facts[known].append(fact)
        self.lexicon = Lexicon(more)
        self.allergies: dict[str, Fact] = {}
        for fact in self.facts:
            if (
                fact.kind == "drug"
                and fact.attribute in ("allergy", "intolerance")
                and fact.source[-1:].isdigit()
            ):
                for name in (_drug_name(str(fact.value)), *fact.aliases):
                    self.allergies[name.lower()] = fact
        self.asked = frozenset(
            _drug_name(str(f.value)) for f in self.facts if f.kind == "drug" and f.origin == "request"
        )
        determined = frozenset(
            f.source.rpartition("/")[2].lower() for f in self.facts if f.attribute == "summary"
        )
        self.main = determined or frozenset(
            f.attribute.lower() for f in self.facts if f.kind == "outcome" and f.origin != "chart"
        )
        self.classes = {
            key
            for f in self.facts
            if f.attribute == "class"
            for key in (str(f.value),)
            if self._active(f.source)
        }
        self.charted_classes = {str(f.value) for f in self.facts if f.attribute == "class"}

    def _active(self, source: str) -> bool:
        return any(course.source == source and course.status == "active" for course in self.courses)

    def _enter_answers(self) -> None:
        """Outcomes by drug, statuses by clause, conditions by key."""
        self.outcomes: dict[str, dict[str, str]] = defaultdict(dict)
        self.supposed_outcomes: dict[str, dict[str, str]] = defaultdict(dict)
        self.granted: dict[str, str] = {}
        self.states: dict[str, dict[str, str]] = defaultdict(dict)
        self.conditions: dict[str, str] = {}
        self.stated: dict[str, str] = {}
        self.flags: dict[str, str] = {}
        for fact in self.facts:
            value = str(fact.value)
            if fact.kind == "outcome" and fact.attribute.startswith("authorization:"):
                self.granted[fact.attribute.partition(":")[2].lower()] = fact.id
            elif fact.kind == "outcome":
                where = self.supposed_outcomes if fact.origin == "supposed" else self.outcomes
                where[fact.attribute.lower()][value] = fact.id
            elif fact.kind != "status":
                continue
            elif fact.attribute.startswith("condition:"):
                self.conditions[fact.attribute.partition(":")[2]] = value
            elif fact.attribute.startswith("stated:"):
                self.stated[fact.attribute.partition(":")[2]] = value
            elif fact.attribute.startswith(("covered:", "pa:")):
                self.flags[fact.attribute.lower()] = value
            elif fact.origin in ("determination", "supposed"):
                self.states[normal(fact.attribute, "clause")][value] = fact.id

    def _phrases(self) -> list[Phrase]:
        found: dict[str, Phrase] = {}
        for fact in self.facts:
            if fact.attribute == "note" or fact.kind not in ("quote", "words", "name"):
                continue
            for text in {str(fact.value), fact.shown}:
                words = SYSTEM.sub(
                    lambda m: "x" * len(m[0]), lower(plain(" ".join(text.split()))).strip().rstrip(".")
                )
                settled = fact.kind != "name" and fact.attribute not in ("diagnosis", "address", "program")
                if len(words) >= SHORTEST and (fact.kind != "name" or " " in words):
                    found.setdefault(words, Phrase(words, fact.id, settled))
        return sorted(found.values(), key=lambda phrase: -len(phrase.words))

    def _enter_policy(self) -> None:
        """Every number that a policy, a label or a citation says, and every other one in a text of the record."""
        self.policy: dict[tuple[float, str], list[str]] = defaultdict(list)  # (value, unit) → fact ids
        self.loose: dict[float, str] = {}  # numbers in words of the record, whatever they are of
        self.amounts: dict[tuple[float, str], list[Fact]] = defaultdict(list)
        self.said_dates: set[date] = set()
        for fact in self.facts:
            if fact.kind in ("quote", "words", "name"):
                text = plain(str(fact.value))
                from_policy = fact.origin in ("policy", "drug")
                for number in numbers(text):
                    key = amount_key(number.value, number.unit)
                    if from_policy:
                        self.policy[key].append(fact.id)
                    elif fact.attribute != "note":
                        self.loose.setdefault(number.value, fact.id)
                if fact.attribute != "note":
                    self.said_dates |= {d.first for d in days(text, None) if d.exact}
            elif isinstance(fact.value, int | float):
                key = amount_key(float(fact.value), fact.unit)
                if fact.origin in ("policy", "drug"):
                    self.policy[key].append(fact.id)
                self.amounts[key].append(fact)

    def _cited(self) -> list[tuple[str, str]]:
        by_source: dict[str, list[str]] = defaultdict(list)
        for fact in self.facts:
            if fact.attribute.startswith("citation"):
                by_source[fact.source].append(str(fact.value))
        return [(source, " | ".join(texts)) for source, texts in by_source.items()]

    # --- asking ---------------------------------------------------------------------------------------------

    def courses_of(self, name: str, ingredients: Iterable[str], form: str, brand: bool) -> list[Course]:
        """Courses of a drug by what a text calls it: a brand is itself, or its ingredient where the chart has that."""
        made_of = set(ingredients)
        found = []
        for course in self.courses:
            same = name in (course.drug, *course.ingredients)
            if not same and made_of & set(course.ingredients):
                other_brand = self.lexicon.is_brand(course.drug)
                same = set(course.ingredients) == made_of and not (brand and other_brand)
            if same and not (form and form != (course.form or "IR")):
                found.append(course)
        return found

    def onset_keys(self, key: str) -> list[Diagnosed]:
        return [
            d for d in self.diagnoses if key in d.keys or (key == "diabetes" and d.keys & {"t2dm", "t1dm"})
        ]


def in_test_unit(test: str, value: float, unit: str) -> float | None:
    """The value in the test's own unit; None if the unit is none of the test's."""
    known = TESTS[test]
    unit = TEST_UNITS.get(unit, unit)
    if not unit or unit == known.unit:
        return value
    factor = known.units.get(unit)
    return None if factor is None else value * float(factor[0]) + float(factor[1])


def amount_key(value: float, unit: str) -> tuple[float, str]:
    """An amount as it is compared: "1 tablet" and "1 tablets" are one."""
    unit = {"tablet": "tablets", "day": "days", "month": "months", "year": "years", "hour": "hours", "week": "weeks",
            "pen": "pens", "10*3/uL": "10^3/uL", "mm[Hg]": "mmHg", "/h": "events/h",
            "mL/min/{1.73_m2}": "mL/min/1.73 m2", "unit": "units"}.get(unit, unit)  # fmt: skip
    return round(value, 6), unit


def same(claim: Number, value: float, exact: bool = True) -> bool:
    """Is this the number that is claimed: exactly, or, where it was converted or said "about", as rounded?"""
    if exact and not claim.about:
        return abs(claim.value - value) < 1e-6
    step = Decimal(1).scaleb(-claim.decimals)
    rounded = Decimal(repr(value)).quantize(step, ROUND_HALF_UP)
    slack = float(step) if claim.about else 0.0
    return abs(float(rounded) - claim.value) <= slack + 1e-6


def squeezed(text: str) -> str:
    """In lower case with single blanks and plain quotes."""
    return " ".join(lower(plain(text)).split())


def _course(source: str, facts: list[Fact]) -> Course | None:
    drug = next((f for f in facts if f.kind == "drug" and f.attribute == "course"), None)
    if drug is None:
        return None

    def of(kind: str, attribute: str) -> Fact | None:
        return next((f for f in facts if f.kind == kind and f.attribute == attribute), None)

    def day(attribute: str) -> date | None:
        fact = of("date", attribute)
        return date.fromisoformat(str(fact.value)) if fact else None

    dose, per_day, status, response = (
        of("value", "dose"), of("value", "per day"), of("status", "course"), of("status", "response")
    )  # fmt: skip
    lasted = next(
        (f for f in facts if f.kind == "duration" and f.attribute == "course" and f.unit == "days"), None
    )
    form = of("words", "formulation")
    name = str(drug.value).lower()
    return Course(
        source=source,
        drug=_drug_name(name),
        ingredients=tuple(alias.lower() for alias in drug.aliases) or (_drug_name(name),),
        form=str(form.value) if form else "ER" if re.search(r"\b(?:er|xr)\b", name) else "",
        dose=float(dose.value) if dose else None,
        unit=dose.unit if dose else "",
        per_day=float(per_day.value) if per_day else None,
        start=day("start"),
        end=day("end"),
        status=str(status.value) if status else "unknown",
        response=str(response.value) if response else "",
        days=int(lasted.value) if lasted else None,
        ids=tuple(f.id for f in facts),
    )


def _diagnosed(facts: list[Fact]) -> Diagnosed | None:
    code = next((f for f in facts if f.kind == "code" and f.attribute == "diagnosis"), None)
    name = next((f for f in facts if f.kind == "words" and f.attribute == "diagnosis"), None)
    onset = next((f for f in facts if f.kind == "date" and f.attribute == "onset"), None)
    if code is None and name is None:
        return None
    from tools.terminology.conditions import CONCEPTS

    shown = str(name.value) if name else ""
    number = str(code.value) if code else ""
    keys = {c.key for c in conditions(plain(shown))}
    keys |= {
        key
        for key, concept in CONCEPTS.items()
        if concept.codes and number and number.startswith(concept.codes)
    }
    return Diagnosed(
        code=number,
        name=lower(plain(shown)),
        words=frozenset(w for w in _tokens(shown) if len(w) > 2),
        keys=frozenset(keys),
        onset=date.fromisoformat(str(onset.value)) if onset else None,
        id=(code or name or facts[0]).id,
    )


def _drug_name(text: str) -> str:
    """Without form and strength: "metformin ER" is metformin."""
    return re.sub(r"\s+(?:er|xr|ir|sr|\d.*)$", "", text.strip().lower())


def _names_of(fact: Fact) -> list[str]:
    if fact.kind == "name":
        return [str(fact.value), *fact.aliases]
    return [str(fact.value)] if fact.attribute in ("address", "city") else []


def _tokens(text: str) -> list[str]:
    return [word.lower().removesuffix("'s") for word in WORD.findall(plain(text))]
