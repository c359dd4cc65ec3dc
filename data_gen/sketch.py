"""Gathers what the leaves of a rule must show into one consistent set of facts, before any chart is made.

A fact that contradicts an earlier one raises Infeasible, so that another branch is tried; what nobody asks for stays
as the person is by nature.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cache
from typing import Any, TypeVar

from data_gen.vocabulary import VOCABULARY
from data_gen.wanted import Infeasible, Want, age_shows, days_of
from tools.domain.rules import (
    Age,
    AllergyTo,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    OnDrug,
    Part,
    Programme,
    Specialist,
    Taking,
    Trial,
)
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import medicine

L = TypeVar("L", bound=Part)

# How many integers make one unit of a test, and what values this world has (guide and reference §2).
SCALE = {"hba1c": 10, "bmi": 10, "ahi": 10, "abi": 100}
RANGE = {
    "hba1c": (58, 110), "bmi": (230, 420), "egfr": (15, 115), "uacr": (3, 1500), "ahi": (0, 800), "abi": (40, 130),
    "fibrosis_stage": (0, 4), "lvef": (20, 68),
}  # fmt: skip
GROUP = {"height": "bmi", "weight": "bmi"}  # measured together
_NEGATED = {">=": "<", ">": "<=", "<=": ">", "<": ">="}
_OF_ASCVD = ("mi", "stroke", "pad")
_BY_CODES = {concept.codes: key for key, concept in CONCEPTS.items()}


class Sketch:
    """The facts that a chart must hold."""

    def __init__(self, renewing: bool) -> None:
        self.renewing = renewing
        self.wants: list[Want] = []
        self.bounds: dict[tuple[str, str], tuple[int, int]] = {}  # (test, "now" or "start") → low, high
        self.within: dict[str, int] = {}  # the newest value is at most so many days old
        self.beyond: dict[str, int] = {}  # … and at least so many and one
        self.open_lab: Lab | None = None
        self.absent: set[str] = set()  # tests of which there must be no value
        self.has: dict[str, bool] = {}  # concept → diagnosed or not
        self.others: list[Condition] = []  # diagnoses that are no concept of ours
        self.relative: Condition | None = None  # a relative has it
        self.unsure: Condition | None = None
        self.sex: str | None = None
        self.says: dict[str, tuple[bool, tuple[str, ...]]] = {}  # topic → stated or denied, of whom
        self.silent: set[str] = set()
        self.said_within = 10_000

    def of(self, kind: type[L], *shown: bool | None) -> list[L]:
        """The leaves of this kind that must show one of these: True, False, or None for what is left open."""
        return [want.leaf for want in self.wants if isinstance(want.leaf, kind) and want.shown in shown]

    def take(self, found: list[Want]) -> Sketch:
        """A sketch with these as well; Infeasible if they can't stand together."""
        more = self.copy()
        for want in found:
            more.wants.append(want)
            effect = getattr(more, f"_{type(want.leaf).__struct_config__.tag}", None)
            if effect is not None:
                effect(*want)
        more.check()
        return more

    def copy(self) -> Sketch:
        """A sketch that can be added to without changing this one."""
        more = Sketch.__new__(Sketch)
        more.__dict__ = {
            name: value.copy() if isinstance(value, dict | list | set) else value
            for name, value in self.__dict__.items()
        }
        return more

    def may_be(self, age: int) -> bool:
        """Does somebody of this age show what is wanted of the age?"""
        shown = all(age_shows(leaf, age) for leaf in self.of(Age, True))
        return shown and not any(age_shows(leaf, age) for leaf in self.of(Age, False))

    def check(self) -> None:
        """No fact may contradict another."""
        for low, high in self.bounds.values():
            if low > high:
                raise Infeasible("bounds")
        for test, days in self.beyond.items():
            if self.within.get(test, 10_000) <= days:
                raise Infeasible(test)
        if not any(map(self.may_be, range(35, 76))):
            raise Infeasible("age")
        failed = self.of(Trial, False)
        brief = [trial for trial in failed if trial.min_days < 30]
        against: list[tuple[type[Any], list[Any]]] = [(Trial, failed), (Taking, failed), (Intolerance, brief)]
        against += [(kind, self.of(kind, False)) for kind in (Intolerance, Taking, AllergyTo)]
        for kind, others in against:
            if _clash(self.of(kind, True, None), others):
                raise Infeasible(kind.__name__)
        if set(self.says) & self.silent:
            raise Infeasible("statement")
        programmes = {want.shown for want in self.wants if isinstance(want.leaf, Programme)}
        consults = {bool(want.shown) for want in self.wants if isinstance(want.leaf, Specialist)}
        if len(programmes) > 1 or len(consults) > 1:
            raise Infeasible("programme")

    def bound(self, test: str, when: str, op: str, value: float | int) -> None:
        """The value satisfies the comparison; in the test's integers."""
        low, high = self.bounds.get((test, when), RANGE[test])
        at = Decimal(repr(value)) * SCALE.get(test, 1)
        below, above = int(at.to_integral_value(ROUND_FLOOR)), int(at.to_integral_value(ROUND_CEILING))
        if op in (">=", ">"):
            low = max(low, above if op == ">=" else below + 1)
        elif op in ("<=", "<"):
            high = min(high, below if op == "<=" else above - 1)
        else:
            raise Infeasible(op)
        self.bounds[test, when] = low, high
        if low > high:
            raise Infeasible(test)

    def diagnosed(self, concept: str, is_so: bool) -> None:
        """The concept is on the problem list, or not; with what follows for the body."""
        if self.has.setdefault(concept, is_so) is not is_so:
            raise Infeasible(concept)
        if concept in ("t2dm", "t1dm") and is_so:
            self.diagnosed("t1dm" if concept == "t2dm" else "t2dm", False)
        if concept == "t2dm" and not is_so and not self.has.get("t1dm"):
            self.bound("hba1c", "now", "<=", 6.4)
        if concept in ("obesity", "overweight") and is_so:
            self.bound("bmi", "now", ">" if concept == "obesity" else "<=", 30.0)
        if concept == "ckd" and not is_so:
            self.bound("egfr", "now", ">=", 60)
            self.bound("uacr", "now", "<", 30)
        if concept == "ckd" and is_so:
            self.bound("egfr", "now", "<", 60)
        if concept == "dialysis" and is_so:  # N18.6 is no stage of what rules call chronic kidney disease
            self.bound("egfr", "now", "<=", 18)
        if self.has.get("dialysis") and self.has.get("ckd"):
            raise Infeasible("dialysis")
        if concept == "hf" and is_so:
            self.bound("lvef", "now", "<", 68)
        if concept in _OF_ASCVD and is_so:
            self.diagnosed("ascvd", True)
        if concept == "ascvd" and not is_so:
            for kind in _OF_ASCVD:
                self.diagnosed(kind, False)

    def recent(self, test: str, days: int | None) -> None:
        if days is not None:
            self.within[test] = min(self.within.get(test, days), days)

    # --- what a kind of leaf, by its tag, wants beside records of its own ----------------------------------

    def _lab(self, leaf: Lab, shown: bool | None, exclude: bool) -> None:
        test = leaf.test
        when = "start" if self.renewing and leaf.at == "baseline" else "now"
        if test == "glucose" and leaf.op == ">=" and leaf.value == 126 and shown is not None:
            self.bound("hba1c", "now", ">=" if shown else "<=", 6.6 if shown else 6.4)
            return
        if test not in RANGE or (when == "start" and test not in ("bmi", "hba1c", "ahi")):
            raise Infeasible(test)
        if shown is None:
            self._open_lab(leaf)
            return
        self.bound(test, when, leaf.op if shown else _NEGATED.get(leaf.op, ""), leaf.value)
        if test == "hba1c" and when == "now" and self.bounds[test, when][0] > 65 and "t1dm" not in self.has:
            self.diagnosed("t2dm", True)
        if when == "now":
            self.recent(test, days_of(leaf.within))
        if test in self.absent:
            raise Infeasible(test)

    def _open_lab(self, leaf: Lab) -> None:
        days = days_of(leaf.within)
        if days is None:
            if (leaf.test, "now") in self.bounds:
                raise Infeasible(leaf.test)
            self.absent.add(leaf.test)
            return
        self.beyond[leaf.test] = max(self.beyond.get(leaf.test, 0), days)
        self.open_lab = leaf

    def _measured(self, leaf: Measured, shown: bool | None, exclude: bool) -> None:
        for test in {GROUP.get(name, name) for name in leaf.tests}:
            if test not in RANGE or shown is False:
                raise Infeasible(test)
            days = days_of(leaf.within)
            if shown is None:
                self.beyond[test] = max(self.beyond.get(test, 0), days or 0)
            else:
                self.recent(test, days)

    def _condition(self, leaf: Condition, shown: bool | None, exclude: bool) -> None:
        concept = _BY_CODES.get(leaf.codes, "")
        if shown is not False and leaf.sex is not None:
            self.sex = leaf.sex
        if shown is None:
            self.unsure = leaf
            self.silent.add(leaf.topic)
            if concept:
                self.diagnosed(concept, False)
            return
        if shown and "family" in leaf.who and exclude:
            self.relative = leaf
            if self.silent & {leaf.topic}:
                raise Infeasible(leaf.topic)
        elif concept:
            self.diagnosed(concept, shown)
        elif shown:
            self.others.append(leaf)
        if shown:
            return
        if exclude and leaf.topic:
            known = self.says.get(leaf.topic, (False, ()))[1]
            self.says[leaf.topic] = False, tuple(dict.fromkeys((*known, *leaf.who)))

    def _on_drug(self, leaf: OnDrug, shown: bool | None, exclude: bool) -> None:
        if not self.renewing or shown is None:
            raise Infeasible("on_drug")

    def _attested(self, leaf: Attested, shown: bool | None, exclude: bool) -> None:
        if shown is None:
            self.silent.add(leaf.topic)
            return
        if self.says.setdefault(leaf.topic, (shown, ("self",)))[0] is not shown:
            raise Infeasible(leaf.topic)
        self.said_within = min(self.said_within, days_of(leaf.within) or self.said_within)

    def _specialist(self, leaf: Specialist, shown: bool | None, exclude: bool) -> None:
        if shown is None:
            self.silent.add("specialist_consult")
        elif not shown:
            self.says["specialist_consult"] = False, ("self",)

    def _change(self, leaf: Change, shown: bool | None, exclude: bool) -> None:
        test, days = GROUP.get(leaf.test, leaf.test), days_of(leaf.within)
        fits = self.renewing and leaf.since != "renewal" and leaf.direction == "fall"
        if (
            not fits
            or test not in ("bmi", "hba1c", "ahi")
            or (leaf.amount is not None and leaf.test == "weight")
        ):
            raise Infeasible("change")
        if shown is not None:
            self.recent(test, days)
        elif days is None:
            raise Infeasible("change")
        else:
            self.beyond[test] = max(self.beyond.get(test, 0), days)


def stand_in(leaf: Any) -> str:
    """The medicine that is charted where a leaf wants one of several."""
    if leaf.drugs:
        return str(leaf.drugs[0])
    for cls in leaf.classes:
        if cls in VOCABULARY.representative:
            return VOCABULARY.representative[cls]
    raise Infeasible(leaf.id)


def counts(leaf: Any, name: str) -> bool:
    """Does the medicine count for the leaf?"""
    return _counts(leaf.drugs, leaf.classes, name)


@cache
def _counts(drugs: tuple[str, ...], classes: tuple[str, ...], name: str) -> bool:
    known = medicine(name)
    return (
        name.casefold() in drugs
        or any(ingredient in drugs for ingredient in known.ingredients)
        or any(cls in classes for cls in known.classes)
    )


def _clash(asked: list[Any], against: list[Any]) -> bool:
    """Would what is charted for one of `asked` count for one of `against`?"""
    names = [stand_in(leaf) for leaf in asked if not getattr(leaf, "requested", False)]
    return any(counts(leaf, name) for name in names for leaf in against) or any(
        getattr(leaf, "requested", False) and getattr(other, "requested", False)
        for leaf in asked
        for other in against
    )
