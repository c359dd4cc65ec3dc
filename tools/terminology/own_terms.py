"""A clinic's own tests and conditions, beside those of the terminology: written in its catalog's terms.yaml, printed
with the world, loaded with it into the store, and from then on known to rules, charts and case files of this process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from tools.common.errors import Invalid, nearest
from tools.terminology import observations
from tools.terminology.conditions import CONCEPTS, Concept
from tools.terminology.observations import TESTS, Test, TestRow, test_of_code
from tools.terminology.terms import TOPICS


class OwnTest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A measured value: `units` gives what one of each other unit is in `unit`, `range` what is possible."""

    name: str
    unit: str
    range: tuple[float, float]
    units: dict[str, float] = {}
    loinc: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    decimals: int | None = None


class OwnCondition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A diagnosis: as `rules.Condition` has it. Its `topic` is what a statement on it is called."""

    label: str
    codes: tuple[str, ...]
    phrases: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    suggest_phrases: tuple[str, ...] = ()
    not_phrases: tuple[str, ...] = ()
    topic: str = ""
    status: str = "active"
    sex: str | None = None


class OwnTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Own tests and conditions by their keys."""

    tests: dict[str, OwnTest] = {}
    conditions: dict[str, OwnCondition] = {}


def register(terms: OwnTerms) -> None:
    """Make the terms known to this process; the same once more is nothing new. Invalid, before anything is changed,
    for what would be taken for something else."""
    rows = {key: _row(key, own) for key, own in terms.tests.items()}
    concepts = {key: Concept(**msgspec.structs.asdict(own)) for key, own in terms.conditions.items()}
    for key, row in rows.items():
        _check_test(key, row.test())
    for key, concept in concepts.items():
        _check_condition(key, concept)
    if rows:
        observations.register(rows.values())
    CONCEPTS.update(concepts)
    for concept in concepts.values():
        if concept.topic:
            TOPICS.setdefault(concept.topic, concept.label)


def _row(key: str, own: OwnTest) -> TestRow:
    low, high = own.range
    return TestRow(
        key=key,
        name=own.name,
        unit=own.unit,
        units={own.unit: ("1", "0"), **{unit: (repr(factor), "0") for unit, factor in own.units.items()}},
        low=low,
        high=high,
        loinc=own.loinc,
        decimals=own.decimals,
        names=tuple([name.casefold() for name in own.names]),
    )


def _check_test(key: str, test: Test) -> None:
    _check_key("test", key, key in TESTS and TESTS[key] != test, TESTS)
    called = {name: other for other, known in TESTS.items() for name in (known.name.casefold(), *known.names)}
    for name in (test.name.casefold(), *test.names):
        if called.get(name, key) != key:
            raise Invalid(f"test {key}: {name!r} is already the name of {called[name]}")
    for code in test.loinc:
        if not re.fullmatch(r"\d{1,7}-\d", code):
            raise Invalid(f"test {key}: {code!r} is no LOINC code, such as 2276-4")
        if test_of_code(code) not in ("", key):
            raise Invalid(f"test {key}: {code} is already the code of {test_of_code(code)}")
    if not test.low < test.high:
        raise Invalid(f"test {key}: the range begins at {test.low:g} and ends at {test.high:g}")
    if any(float(factor) <= 0 for factor, _ in test.units.values()):
        raise Invalid(f"test {key}: a unit is worth more than nothing")


def _check_condition(key: str, concept: Concept) -> None:
    _check_key("condition", key, key in CONCEPTS and CONCEPTS[key] != concept, CONCEPTS)
    labels = {known.label.casefold(): other for other, known in CONCEPTS.items()}
    if labels.get(concept.label.casefold(), key) != key:
        raise Invalid(f"condition {key}: {concept.label!r} is already {labels[concept.label.casefold()]}")
    if not concept.codes:
        raise Invalid(f"condition {key} has no codes of ICD-10-CM")


def _check_key(what: str, key: str, taken: bool, known: Iterable[str]) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
        raise Invalid(f"{what} {key!r}: a key is of small letters, digits and _")
    if taken:
        raise Invalid(f"{what} {key!r} is already there and is another one; take a key of your own")
    near = [name for name in nearest(key, known, 1) if name != key]
    if near and near[0].replace("_", "") == key.replace("_", ""):
        raise Invalid(f"{what} {key!r} reads like {near[0]}; take another key")
