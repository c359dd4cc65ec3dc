"""Tests and units: `data/tests.jsonl` (LOINC, names, conversions, what is possible) and `data/units.jsonl` (UCUM)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from tools.terminology.rows import read_rows


class Test(NamedTuple):
    """An observation: `units` maps every unit we read to (factor, offset) into the canonical one.
    `decimals` rounds half-up before comparing (HbA1c and BMI only); `low`/`high` bound what is possible; `customary`
    is the unit that forms in the United States have it in; `kind` is what usually gives it."""

    name: str
    loinc: tuple[str, ...]  # the first is the one we write
    unit: str
    units: dict[str, tuple[str, str]]
    low: float
    high: float
    decimals: int | None = None
    names: tuple[str, ...] = ()
    customary: str = ""
    kind: Literal["lab", "vital", "study"] = "lab"


class TestRow(msgspec.Struct, frozen=True, gc=False):
    """A line of tests.jsonl. `charted_only`: charts have it, and no rule asks for it. `synonyms` and
    `abbreviations` are how charts call it beside `names`; `more_loinc` are codes of the same quantity that we
    read and never write; `not_names` contain one of its names and mean something else (weight management);
    `asked_names` mean it where somebody asks ("his glucose"); `panels` are what it is ordered and asked for as a part
    of; `told_from`: tests from which it is computed or read; `evidence_of`: the condition that a positive result
    shows; `suggested_by`: diagnosis codes that tell about what the value is, and are no value."""

    key: str
    name: str
    unit: str
    units: dict[str, tuple[str, str]]
    low: float
    high: float
    loinc: tuple[str, ...] = ()
    more_loinc: tuple[str, ...] = ()
    decimals: int | None = None
    names: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    not_names: tuple[str, ...] = ()
    asked_names: tuple[str, ...] = ()
    panels: tuple[str, ...] = ()
    customary: str = ""
    kind: Literal["lab", "vital", "study"] = "lab"
    charted_only: bool = False
    told_from: tuple[str, ...] = ()
    evidence_of: str = ""
    suggested_by: tuple[str, ...] = ()
    source: str = ""

    def test(self) -> Test:
        return Test(*(getattr(self, field) for field in Test._fields))


class UnitRow(msgspec.Struct, frozen=True, gc=False):
    """A line of units.jsonl: `factor` times a value is the value in the dimension's base unit; `names` are its
    spellings in lower case."""

    unit: str
    dimension: str
    factor: str
    names: tuple[str, ...]
    source: str = ""


def tests() -> dict[str, TestRow]:
    """Every test that charts name, by its key."""
    return _ROWS


def register(rows: Iterable[TestRow]) -> None:
    """Make tests of a clinic's own known beside those of the terminology."""
    for row in rows:
        _ROWS[row.key] = row
        TESTS[row.key] = row.test()
    _codes.cache_clear()


def test_of_code(loinc: str) -> str:
    """The key of the test that a rule may ask for and a LOINC code is of; "" if there is none."""
    return _codes().get(loinc, "")


@cache
def _codes() -> dict[str, str]:
    return {
        code: row.key for row in _ROWS.values() if row.key in TESTS for code in (*row.loinc, *row.more_loinc)
    }


@cache
def units() -> dict[str, UnitRow]:
    """Every spelling of every unit, in lower case → the unit."""
    rows = read_rows("units", UnitRow)
    return {name: row for row in rows for name in (row.unit.casefold(), *row.names)}


def unit_of(spelling: str) -> UnitRow | None:
    """The unit that a spelling means: "lbs", "pounds" and "[lb_av]" are [lb_av]."""
    return units().get(" ".join(spelling.casefold().split()))


_ROWS = {row.key: row for row in read_rows("tests", TestRow)}
TESTS: dict[str, Test] = {row.key: row.test() for row in _ROWS.values() if not row.charted_only}
