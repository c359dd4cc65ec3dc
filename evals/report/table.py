"""The figures of a run, from its rows alone: by suite and arm, and of all suites together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from evals.scores.rows import ARMS, Arm, Row
from evals.stats import (
    Interval,
    Paired,
    clustered,
    clustered_share,
    macro_f1,
    paired,
    pass_hat,
    percentile,
    share,
    uplift,
)  # fmt: skip
from evals.suites.items import SUITES, Suite

# Where the model's understanding can go wrong; elsewhere code fixes the answer, and pass^k would say nothing.
UNDERSTANDING: frozenset[Suite] = frozenset(("eligibility", "multi_turn", "clusters"))
Tally = dict[str, tuple[int, int]]  # by name: how often it was so, of how many


class ArmFigures:
    """The figures of one arm on one suite, or on all of them (""); each is counted when it is asked for."""

    def __init__(self, arm: Arm, suite: str, every: Sequence[Row]) -> None:
        self.arm, self.suite, self.every = arm, suite, every
        self.rows = cold(every)
        self.of = len(self.rows)

    @cached_property
    def right(self) -> Interval | None:
        return by_cluster(self.rows, lambda row: row.right)

    @cached_property
    def unaided(self) -> Interval | None:
        return by_cluster(self.rows, lambda row: row.unaided)

    @cached_property
    def false_ready(self) -> Interval | None:
        """Of what is not ready."""
        return share([row.false_ready for row in self.every if row.expected and row.expected != "ready"])

    @cached_property
    def f1(self) -> Interval | None:
        """Macro-F1 over the statuses of single criteria, resampled by patient."""
        groups = defaultdict[str, list[tuple[str, str]]](list)
        for row in self.rows:
            for _, true, given in row.criteria:
                groups[row.cluster].append((true, given))
        return clustered(groups, macro_f1, resamples=200)

    @cached_property
    def checks(self) -> Tally:
        return summed({name: (int(holds), 1) for name, holds in row.checks.items()} for row in self.rows)

    @cached_property
    def tally(self) -> Tally:
        return summed(row.tally for row in self.rows)

    @cached_property
    def attacks(self) -> Interval | None:
        """That succeeded."""
        return share([row.succeeded for row in self.every if row.attack])

    @cached_property
    def consistent(self) -> Interval | None:
        """The share of paraphrase clusters that got one answer in all wordings, right or not."""
        groups = defaultdict[str, list[str]](list)
        for row in self.rows:
            if row.suite == "clusters":
                groups[row.cluster].append(row.given or row.error or "nothing")
        return share([len({*given}) == 1 and given[0] != "nothing" for given in groups.values()])

    @cached_property
    def passes(self) -> dict[int, float]:
        """pass^k at temperature 0.7 by k, of the suites in which understanding can go wrong."""
        tries = defaultdict[str, list[bool]](list)
        for row in self.every:
            if row.temperature > 0 and row.suite in UNDERSTANDING:
                tries[row.item].append(row.right)
        most = min((len(one) for one in tries.values()), default=0)
        found = {k: pass_hat([*tries.values()], k) for k in range(1, most + 1)}
        return {k: value for k, value in found.items() if value is not None}

    def count(self, what: str) -> int:
        """The sum of a number or mark of the rows, over all tries."""
        return sum(int(getattr(row, what)) for row in self.every)

    def mean(self, what: str) -> float:
        """The mean of a number of the rows, over all tries."""
        return sum(getattr(row, what) for row in self.every) / len(self.every) if self.every else 0.0

    def seconds(self, at: float) -> float:
        """That so great a share of the samples took at most."""
        return percentile([row.seconds for row in self.every], at)


def lines(rows: Sequence[Row]) -> list[ArmFigures]:
    """Every arm on every suite that it was asked, then on all."""
    return [
        ArmFigures(arm, suite, own)
        for suite in (*SUITES, "")
        for arm in ARMS
        if (own := [row for row in rows if row.arm == arm and suite in ("", row.suite)])
    ]


def cold(rows: Iterable[Row]) -> list[Row]:
    """At temperature 0: what pass^1 is of. The other tries are for pass^k."""
    return [row for row in rows if row.temperature == 0]


def summed(tallies: Iterable[Mapping[str, tuple[int, int]]]) -> Tally:
    """How often each thing was so, of how many, over all samples that count it."""
    hits, of = Counter[str](), Counter[str]()
    for tally in tallies:
        for name, pair in tally.items():
            hits[name] += pair[0]
            of[name] += pair[1]
    return {name: (hits[name], of[name]) for name in of}


class Part(NamedTuple):
    """The samples of one kind, or of one set by hand, of a suite."""

    suite: Suite
    arm: Arm
    name: str
    right: Interval | None
    tally: Tally


def parts(rows: Iterable[Row]) -> list[Part]:
    """Right by kind, and by set where there are some, of each arm on each suite that has several of them."""
    groups = defaultdict[tuple[str, Suite, Arm], dict[str, list[Row]]](dict)
    for row in cold(rows):
        for what, name in (("kind", row.kind), ("set", row.set)):
            if name:
                groups[what, row.suite, row.arm].setdefault(name, []).append(row)
    return [
        Part(suite, arm, name, share([row.right for row in own]), summed(row.tally for row in own))
        for (_, suite, arm), named in sorted(groups.items(), key=lambda one: one[0][1:])
        if len(named) > 1
        for name, own in sorted(named.items())
    ]


def by_cluster(rows: Iterable[Row], holds: Callable[[Row], bool]) -> Interval | None:
    groups = defaultdict[str, list[bool]](list)
    for row in rows:
        groups[row.cluster].append(holds(row))
    return clustered_share(groups)


class Against(NamedTuple):
    """Two arms, or two runs, on the same items."""

    first: str
    second: str
    uplift: Interval | None
    pairs: Paired


def against(first: str, one: Iterable[Row], second: str, two: Iterable[Row]) -> Against:
    """How much more often the first is right, on what both were asked at temperature 0, word for word."""
    left = {row.item + row.digest: row for row in cold(one)}
    right = {row.item + row.digest: row for row in cold(two)}
    won, lost = ({name: row.right for name, row in rows.items()} for rows in (left, right))
    clusters = {name: row.cluster for name, row in left.items()}
    return Against(first, second, uplift(won, lost, clusters), paired(won, lost))


def uplifts(rows: Sequence[Row]) -> list[Against]:
    """Paladin over each other arm: over the plain agent it is the headline."""
    by_arm = {arm: [row for row in rows if row.arm == arm] for arm in ARMS}
    ours = by_arm.pop("paladin")
    return [against("paladin", ours, other, own) for other, own in by_arm.items() if ours and own]


def confusion(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """How often a true outcome was given as which; "" is none."""
    return Counter((row.expected, row.given) for row in cold(rows) if row.expected)


def worst(rows: Iterable[Row], many: int = 10) -> list[Row]:
    """The samples to read first, one of an item: ready that is not, attacks that succeeded, what nothing supports, then
    the rest."""
    wrong = sorted(
        (row for row in rows if not row.right),
        key=lambda row: (
            not row.false_ready, not row.succeeded, -row.unsupported, -len(row.wrong), row.item, row.arm == "engine",
        ),
    )  # fmt: skip
    first: dict[str, Row] = {}
    for row in wrong:
        first.setdefault(row.item, row)
    return [*first.values()][:many]
