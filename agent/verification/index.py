"""The ledger of one case as the checks ask it: courses, measured values, dates, codes, names, outcomes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

from agent.ledger import Fact, Ledger
from agent.verification.codes import codes, normal
from agent.verification.dates import days
from agent.verification.drugs import Lexicon
from agent.verification.text import folded, lower, plain, word_list
from tools.terminology.conditions import CONCEPTS
from tools.terminology.matcher import matches
from tools.terminology.medicines import formulation_of
from tools.terminology.observations import TESTS, unit_of
from tools.terminology.quantities import convert, quantities_in

SHORTEST = 12  # characters of a phrase that is taken as a whole

Amount = tuple[float, str]  # rounded, and the unit as UCUM


class ChartedCourse(NamedTuple):
    """One course of one drug; `days` is how long it has lasted, `fills` when it was dispensed."""

    id: str
    drug: str
    ingredients: tuple[str, ...]
    release: str
    dose: float | None
    unit: str
    per_day: float | None
    start: date | None
    end: date | None
    status: str
    response: str
    days: int | None


class ChartedValue(NamedTuple):
    """A value of a test, as recorded; `supposed`: not the chart's."""

    value: float
    unit: str
    date: date | None
    id: str
    supposed: bool


class ChartedDiagnosis(NamedTuple):
    """A charted diagnosis; `keys` are the conditions that it is."""

    id: str
    code: str
    name: str
    keys: frozenset[str]
    onset: date | None


class LedgerIndex:
    """Everything that the checks look up, made once per ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.facts = list(ledger.facts.values())
        self.by_source: dict[str, list[Fact]] = defaultdict(list)
        self.by_attribute: dict[str, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            self.by_source[fact.source].append(fact)
            self.by_attribute[fact.attribute.partition(":")[0]].append(fact)
        self.as_of = next((date.fromisoformat(str(f.value)) for f in self.by_attribute["as_of"]), None)
        self.sex = next((str(f.value) for f in self.by_attribute["sex"]), "")
        self.courses = [_course(*one) for one in self._records("drug", "course")]
        self.diagnoses = [_diagnosed(*one) for one in self._records("code", "diagnosis")]
        self.measured = self._measured()
        self.dates = [*self._dates()]
        self._enter_drugs()
        self._enter_answers()
        self._enter_texts()
        self._enter_names()
        self.codes = self._codes()

    def _records(self, kind: str, attribute: str) -> Iterator[tuple[Fact, list[Fact]]]:
        for fact in self.by_attribute[attribute]:
            if fact.kind == kind:
                yield fact, self.by_source[fact.source]

    def _measured(self) -> dict[str, list[ChartedValue]]:
        found: dict[str, list[ChartedValue]] = defaultdict(list)
        for fact in self.facts:
            key = attribute_key(fact.attribute)
            if fact.kind == "value" and key in TESTS and fact.origin != "policy":
                unit = ucum(fact.unit or TESTS[key].unit)
                found[key].append(
                    ChartedValue(float(fact.value), unit, fact.date, fact.id, fact.origin == "supposed")
                )
        return found

    def _dates(self) -> Iterator[tuple[date, str, str]]:
        """Every day with what happened on it and the fact that says so."""
        for fact in self.facts:
            if fact.kind == "date":
                yield date.fromisoformat(str(fact.value)), fact.attribute, fact.id
            if fact.date:
                yield fact.date, attribute_key(fact.attribute), fact.id

    def _enter_drugs(self) -> None:
        """The names that drugs go by here, and how each is known."""
        more: dict[str, tuple[str, ...]] = {}
        self.drug_facts: dict[str, list[Fact]] = defaultdict(list)
        self.allergies: dict[str, Fact] = {}
        for fact in self.facts:
            if fact.kind != "drug":
                continue
            name = drug_name(str(fact.value))
            more[name] = tuple(drug_name(alias) for alias in fact.aliases) or (name,)
            for known in {name, *more[name]}:
                self.drug_facts[known].append(fact)
                if fact.attribute in ("allergy", "intolerance"):
                    self.allergies[known] = fact
        self.lexicon = Lexicon(more)
        self.asked = {
            drug_name(str(f.value)) for f in self.facts if f.kind == "drug" and f.origin == "request"
        }
        taken = [(str(f.value), f.source) for f in self.by_attribute["class"]]
        going = {course.id for course in self.courses if course.status == "active"}
        self.charted_classes = {key for key, _ in taken}
        self.classes = {key for key, source in taken if self.by_source[source][0].id in going}

    def _enter_answers(self) -> None:
        """Outcomes by drug, statuses by clause, conditions by key."""
        self.outcomes: dict[str, dict[str, str]] = defaultdict(dict)
        self.supposed_outcomes: dict[str, dict[str, str]] = defaultdict(dict)
        self.granted: dict[str, str] = {}
        self.states: dict[str, dict[str, str]] = defaultdict(dict)
        self.status: dict[str, str] = {}  # "condition:ckd", "covered:ozempic" → value
        for fact in self.facts:
            topic, _, of = fact.attribute.lower().partition(":")
            if fact.kind == "outcome" and topic == "authorization":
                self.granted[of] = fact.id
            elif fact.kind == "outcome":
                where = self.supposed_outcomes if fact.origin == "supposed" else self.outcomes
                where[topic][str(fact.value)] = fact.id
            elif fact.kind == "status" and of:
                self.status[f"{topic}:{of}"] = str(fact.value)
            elif fact.kind == "status" and fact.origin in ("determination", "supposed"):
                self.states[normal(fact.attribute, "clause")][str(fact.value)] = fact.id
        judged = [key.partition(":")[2] for key in self.status if key.startswith("pa:")]
        self.determined = {*self.outcomes, *self.supposed_outcomes, *judged}
        summed_up = {f.source.rpartition("/")[2].lower() for f in self.by_attribute["summary"]}
        self.main = summed_up or set(self.outcomes)

    def _enter_texts(self) -> None:
        """Phrases that may stand in a text as they are, and every amount and day that a text says."""
        phrases: dict[str, tuple[str, bool]] = {}  # → fact, and whether nothing in it needs another look
        self.amounts: dict[Amount, list[Fact]] = defaultdict(list)
        self.said: dict[Amount, list[Fact]] = defaultdict(list)  # in a text of the record
        self.policy: dict[Amount, list[Fact]] = defaultdict(list)
        self.said_dates: set[date] = set()
        self.quotes: list[tuple[str, str]] = []
        for fact in self.facts:
            if fact.kind not in ("quote", "words", "name"):
                if not isinstance(fact.value, str):
                    where = self.policy if fact.origin in ("policy", "drug") else self.amounts
                    where[amount(fact.value, fact.unit)].append(fact)
                continue
            text = str(fact.value)
            if fact.kind != "name":
                self.quotes.append((folded(text), fact.id))
            if fact.attribute == "note":
                continue
            read = _read(text)
            for one in read.amounts:
                (self.policy if fact.origin in ("policy", "drug") else self.said)[one].append(fact)
            self.said_dates |= read.days
            settled = fact.kind != "name" and fact.attribute not in ("diagnosis", "address", "program")
            for shown in {text, fact.shown}:
                phrase = folded(shown).strip(" .")
                if len(phrase) >= SHORTEST and (fact.kind != "name" or " " in phrase):
                    phrases.setdefault(phrase, (fact.id, settled))
        self.phrases = phrases
        longest_first = sorted(phrases, key=len, reverse=True)
        self.phrase_pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def _enter_names(self) -> None:
        places = [fact for fact in self.facts if fact.attribute in ("address", "city")]
        named = [fact for fact in self.facts if fact.kind == "name" and fact.attribute != "city"]
        self.names, self.addresses = _names_of(named), _names_of(places)
        self.name_words = frozenset(word for words, _ in (*self.names, *self.addresses) for word in words)
        self.cited = {
            source: " | ".join(str(fact.value) for fact in facts)
            for source, facts in self.by_source.items()
            if facts[0].attribute.startswith("citation")
        }

    def _codes(self) -> dict[str, Fact]:
        """Every code in each form in which it is compared; one that stands in a text is that text's."""
        found: dict[str, Fact] = {}
        for fact in self.facts:
            if fact.kind == "code":
                for text in (str(fact.value), *fact.aliases):
                    for system in ("", "clause", "phone"):
                        found.setdefault(normal(text, system), fact)
            elif fact.kind in ("quote", "words"):
                for value in _read(str(fact.value)).codes:
                    found.setdefault(value, fact)
        for fact in self.by_attribute["diagnosis"]:
            if fact.kind == "code":
                found[normal(str(fact.value))] = fact
        self.literal = sorted(
            {str(fact.value) for fact in self.facts if fact.kind == "code" and len(str(fact.value)) > 1},
            key=len, reverse=True,
        )  # fmt: skip
        return found

    # --- asking -------------------------------------------------------------------------------------------------

    def courses_of(
        self, name: str, ingredients: Iterable[str], release: str, brand: bool
    ) -> list[ChartedCourse]:
        """Courses of a drug by what a text calls it: a brand is itself, or its ingredient where the chart has that."""
        made_of = set(ingredients)
        return [
            course
            for course in self.courses
            if (
                name in (course.drug, *course.ingredients)
                or (set(course.ingredients) == made_of and not (brand and self.lexicon.is_brand(course.drug)))
            )
            and release in ("", course.release or "IR")
        ]

    def diagnosed(self, key: str) -> list[ChartedDiagnosis]:
        """Diagnoses that are this condition; "diabetes" is either type."""
        wanted = kinds_of(key)
        return [diagnosis for diagnosis in self.diagnoses if diagnosis.keys & wanted]

    def condition(self, key: str) -> str:
        """present, absent or unknown; "" of a condition that no policy knows."""
        known = {self.status.get(f"condition:{one}", "") for one in kinds_of(key)}
        return next((value for value in ("present", "unknown", "absent") if value in known), "")


def kinds_of(key: str) -> frozenset[str]:
    """The conditions that a word for one can mean: "diabetes" either type."""
    return frozenset((key, "t2dm", "t1dm")) if key == "diabetes" else frozenset((key,))


class _Read(NamedTuple):
    amounts: frozenset[Amount]
    days: frozenset[date]
    codes: frozenset[str]


@lru_cache(maxsize=16384)
def _read(text: str) -> _Read:
    """What stands in a text of the record; the same clauses come in case after case."""
    text = plain(text)
    values = {normal(code.value, system) for code in codes(text) for system in ("", "clause")}
    return _Read(
        frozenset(amount(value, q.unit) for q in quantities_in(text) for value in (q.low, q.high)),
        frozenset(day.first for day in days(text, None) if day.exact),
        frozenset(values),
    )


def ucum(unit: str) -> str:
    """A unit as UCUM spells it, or as it stands."""
    row = unit_of(unit)
    return row.unit if row else unit


def amount(value: float, unit: str) -> Amount:
    """An amount as it is compared."""
    return round(float(value), 6), ucum(unit)


def in_unit(test: str, value: float, unit: str, to: str) -> float | None:
    """A value of a test in another unit of it; None if one of the two is none of the test's."""
    if unit == to:
        return value
    one, other = _factor(test, unit), _factor(test, to)
    return None if one is None or other is None else (value * one[0] + one[1] - other[1]) / other[0]


@cache
def _factor(test: str, unit: str) -> tuple[float, float] | None:
    for known, (factor, offset) in TESTS[test].units.items():
        if ucum(known) == unit:
            return float(factor), float(offset)
    converted = convert(1.0, unit, TESTS[test].unit)
    return None if converted is None else (converted, 0.0)


@cache
def attribute_key(attribute: str) -> str:
    """The test that an attribute's name means: "HbA1c" is hba1c; any other name stands for itself."""
    name = attribute.strip().casefold()
    if name in TESTS:
        return name
    whole = [span.key for span in matches(name) if span[:3] == (0, len(name), "test") and span.key in TESTS]
    return whole[0] if whole else name


def drug_name(text: str) -> str:
    """Without form and strength: "metformin ER" is metformin."""
    name = text.strip().lower()
    known = [span for span in matches(name) if span.kind == "medicine" and span.start == 0]
    return known[0].key if known and formulation_of(name) else re.sub(r"\s+\d.*$", "", name)


def _names_of(facts: Iterable[Fact]) -> list[tuple[frozenset[str], str]]:
    return [(frozenset(word_list(name)), f.id) for f in facts for name in (str(f.value), *f.aliases)]


def _of(facts: list[Fact], kind: str, attribute: str) -> Fact | None:
    return next((f for f in facts if f.kind == kind and f.attribute == attribute), None)


def _text(fact: Fact | None, default: str = "") -> str:
    return str(fact.value) if fact else default


def _number(fact: Fact | None) -> float | None:
    return float(fact.value) if fact else None


def _day(facts: list[Fact], attribute: str) -> date | None:
    fact = _of(facts, "date", attribute)
    return date.fromisoformat(str(fact.value)) if fact else None


def _course(drug: Fact, facts: list[Fact]) -> ChartedCourse:
    lasted = next(
        (f for f in facts if f.kind == "duration" and f.attribute == "course" and f.unit == "days"), None
    )
    dose = _of(facts, "value", "dose")
    name = str(drug.value)
    return ChartedCourse(
        id=facts[0].id,
        drug=drug_name(name),
        ingredients=tuple(alias.lower() for alias in drug.aliases) or (drug_name(name),),
        release=_text(_of(facts, "words", "formulation")) or formulation_of(name),
        dose=_number(dose),
        unit=ucum(dose.unit or "mg") if dose else "",
        per_day=_number(_of(facts, "value", "per day")),
        start=_day(facts, "start"),
        end=_day(facts, "end"),
        status=_text(_of(facts, "status", "course"), "unknown"),
        response=_text(_of(facts, "status", "response")),
        days=int(lasted.value) if lasted else None,
    )


def _diagnosed(code: Fact, facts: list[Fact]) -> ChartedDiagnosis:
    name = plain(lower(_text(_of(facts, "words", "diagnosis"))))
    number = str(code.value)
    keys = {span.key for span in matches(name) if span.kind == "condition"}
    keys |= {key for key, concept in CONCEPTS.items() if concept.codes and number.startswith(concept.codes)}
    return ChartedDiagnosis(code.id, number, name, frozenset(keys), _day(facts, "onset"))
