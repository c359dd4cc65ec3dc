"""Prescribers and payers whose orders come to nothing unusually often or seldom, beyond what chance would bring.

Counted are the payers' first answers in the authorization cases, where at least twenty are entered. Where they are not,
it is orders in the charts that a rule decides, and how many of them Paladin's engine judges a likely denial: these are
predictions, and the answer says so. A prescriber is compared with everybody else's orders for
the same drug under the same plan, so that nobody is odd for having patients of a strict payer; a payer with other
payers' orders for the same drug. The test is exact; Benjamini and Hochberg hold the share of false finds at 5 %.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from tools.graph.asking import Asked
from tools.graph.facts import ANSWERED, PREDICTED
from tools.graph.statistics import LEAST, Stratum, adjusted, exact_p, wilson
from tools.records import Record

LEAST_ORDERS = 20  # of one prescriber or payer; fewer say nothing, and nothing is said of them
Q = 0.05


class Unusual(Record, frozen=True, kw_only=True):
    """`denied` of `orders` are denials, or predicted ones, where `expected` would be, were they judged as others' are.
    `share` has its 95 % interval. `p` is exact and two-sided, `q` is adjusted for everybody who was tested."""

    id: str  # an NPI, or a payer's id
    name: str
    detail: str  # a specialty
    orders: int
    denied: int
    expected: float
    share: float
    interval: tuple[float, float]
    p: float
    q: float
    by_drug: dict[str, tuple[int, int]] = {}  # orders and denials, of five orders or more


class Patterns(Record, frozen=True, kw_only=True):
    """The unusual ones, the least likely first. `tested` had orders enough; of the `silent` ones nothing is said."""

    as_of: date
    of: str  # "prescribers" or "payers"
    orders: int
    denied: int
    tested: int
    silent: int
    unusual: tuple[Unusual, ...]
    predicted: bool  # by the engine; else as payers answered
    answers: int  # of payers, that are recorded in cases

    @property
    def basis(self) -> str:
        if not self.predicted:
            return f"payers' first answers in {self.answers:,} authorization cases"
        known = f"only {self.answers} payers' answers are" if self.answers else "no payer's answer is"
        return f"predicted by Paladin's engine for orders in the charts; {known} recorded"


class _Cell(NamedTuple):
    """One prescriber's or payer's orders in one stratum."""

    who: tuple[str, str, str]
    stratum: Hashable
    drug: str
    orders: int
    denied: int


def prescribers(asked: Asked) -> Patterns:
    """Strata are drugs under plans."""
    basis, answers = _basis(asked)
    cells = [
        _Cell((npi, name, specialty), (plan, drug), drug, orders, denied)
        for npi, name, specialty, plan, drug, orders, denied in asked.rows("prescribers", basis=basis)
    ]
    return _patterns(asked, "prescribers", cells, answers)


def payers(asked: Asked) -> Patterns:
    """Strata are drugs."""
    basis, answers = _basis(asked)
    cells = [
        _Cell((payer, name, ""), drug, drug, orders, denied)
        for payer, name, drug, orders, denied in asked.rows("payers", basis=basis)
    ]
    return _patterns(asked, "payers", cells, answers)


def _basis(asked: Asked) -> tuple[str, int]:
    """Which orders are counted, and how many answers of payers the graph holds."""
    answers = sum(row[3] for row in asked.rows("payers", basis=ANSWERED))
    return (ANSWERED if answers >= LEAST_ORDERS else PREDICTED), answers


def _patterns(asked: Asked, of: str, cells: Sequence[_Cell], answers: int) -> Patterns:
    totals: dict[Hashable, Counter[str]] = defaultdict(Counter)
    theirs: dict[tuple[str, str, str], list[_Cell]] = defaultdict(list)
    for cell in cells:
        totals[cell.stratum].update(orders=cell.orders, denied=cell.denied)
        theirs[cell.who].append(cell)
    enough = {who: own for who, own in theirs.items() if sum(c.orders for c in own) >= LEAST_ORDERS}
    strata = [
        [Stratum(c.orders, c.denied, totals[c.stratum]["orders"], totals[c.stratum]["denied"]) for c in own]
        for own in enough.values()
    ]
    ps = [exact_p(own) for own in strata]
    found = [
        _unusual(who, own, enough[who], p, q)
        for who, own, p, q in zip(enough, strata, ps, adjusted(ps), strict=True)
        if q <= Q
    ]
    return Patterns(
        as_of=asked.state.as_of,
        of=of,
        orders=sum(cell.orders for cell in cells),
        denied=sum(cell.denied for cell in cells),
        tested=len(enough),
        silent=len(theirs) - len(enough),
        unusual=tuple(sorted(found, key=lambda one: (one.p, one.id))),
        predicted=answers < LEAST_ORDERS,
        answers=answers,
    )


def _unusual(
    who: tuple[str, str, str], strata: Sequence[Stratum], cells: Iterable[_Cell], p: float, q: float
) -> Unusual:
    orders, denied = sum(s.mine for s in strata), sum(s.hits for s in strata)
    low, high = wilson(denied, orders)
    by_drug: dict[str, tuple[int, int]] = {}
    for cell in cells:
        before = by_drug.get(cell.drug, (0, 0))
        by_drug[cell.drug] = before[0] + cell.orders, before[1] + cell.denied
    return Unusual(
        id=who[0],
        name=who[1],
        detail=who[2],
        orders=orders,
        denied=denied,
        expected=round(sum(s.expected for s in strata), 1),
        share=round(denied / orders, 3),
        interval=(round(low, 3), round(high, 3)),
        p=float(f"{p:.3g}"),
        q=float(f"{q:.3g}"),
        by_drug={drug: n for drug, n in sorted(by_drug.items()) if n[0] >= LEAST},
    )
