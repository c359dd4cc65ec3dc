"""Prescribers and payers whose orders come to nothing unusually often or seldom, beyond what chance would bring.

Counted are the payers' first answers in the authorization cases, where at least twenty are entered. Where they are not,
it is orders in the charts that a rule decides, and how many of them Paladin's engine judges a likely denial: these are
predictions, and the answer says so. A prescriber is compared with everybody's orders for the same drug under the same
plan, so that nobody is odd for a strict payer's patients; a payer with others' orders for the same drug.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import NamedTuple

from tools.common.statistics import LEAST, Stratum, adjusted, exact_p, wilson
from tools.domain.records import Record
from tools.graph.asking import Asked
from tools.graph.facts import ANSWERED, PREDICTED

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


class _Cell(NamedTuple):
    """One prescriber's or payer's orders of one drug, under one plan where plans are told apart."""

    id: str
    name: str
    detail: str
    plan: str
    drug: str
    orders: int
    denied: int


def patterns(asked: Asked, of: str) -> Patterns:
    """Of "prescribers" or "payers"."""
    answers = sum(row[-2] for row in asked.rows("payers", basis=ANSWERED))
    basis = ANSWERED if answers >= LEAST_ORDERS else PREDICTED
    cells = [_Cell(*row) for row in asked.rows(of, basis=basis)]
    totals: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    theirs: dict[str, list[_Cell]] = defaultdict(list)
    for cell in cells:
        totals[cell.plan, cell.drug].update(orders=cell.orders, denied=cell.denied)
        theirs[cell.id].append(cell)
    enough = [own for own in theirs.values() if sum(cell.orders for cell in own) >= LEAST_ORDERS]
    strata = [
        [Stratum(one.orders, one.denied, *totals[one.plan, one.drug].values()) for one in own]
        for own in enough
    ]
    ps = [exact_p(own) for own in strata]
    every = zip(enough, strata, ps, adjusted(ps), strict=True)
    found = [_unusual(own, compared, p, q) for own, compared, p, q in every if q <= Q]
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


def _unusual(cells: list[_Cell], strata: list[Stratum], p: float, q: float) -> Unusual:
    orders, denied = sum(s.mine for s in strata), sum(s.hits for s in strata)
    low, high = wilson(denied, orders)
    by_drug: dict[str, Counter[str]] = defaultdict(Counter)
    for cell in cells:
        by_drug[cell.drug].update(orders=cell.orders, denied=cell.denied)
    return Unusual(
        id=cells[0].id,
        name=cells[0].name,
        detail=cells[0].detail,
        orders=orders,
        denied=denied,
        expected=round(sum(s.expected for s in strata), 1),
        share=round(denied / orders, 3),
        interval=(round(low, 3), round(high, 3)),
        p=float(f"{p:.3g}"),
        q=float(f"{q:.3g}"),
        by_drug={
            drug: (n["orders"], n["denied"]) for drug, n in sorted(by_drug.items()) if n["orders"] >= LEAST
        },
    )
