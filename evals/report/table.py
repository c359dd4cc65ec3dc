"""The figures of a run, from its rows alone: by suite and arm, and of all suites together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

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
)
from evals.suites.items import SUITES, Suite

# Where the model's understanding can go wrong; elsewhere code fixes the answer, and pass^k would say nothing.
UNDERSTANDING: frozenset[Suite] = frozenset(("eligibility", "multi_turn", "clusters"))
RESAMPLES = 1000
Tally = dict[str, tuple[int, int]]  # by name: how often it was so, of how many


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One arm on one suite, or on all of them ("")."""

    arm: Arm
    suite: str
    of: int
    right: Interval | None
    unaided: Interval | None
    false_ready: Interval | None  # of what is not ready
    f1: Interval | None
    checks: Tally
    tally: Tally
    attacks: Interval | None  # that succeeded
    consistent: Interval | None  # clusters in which all answers agree
    texts: int
    unsupported: int
    format_failures: int
    fallbacks: int
    repaired: int
    infrastructure: int
    errors: int
    extra_calls: int
    passes: dict[int, float]  # pass^k at temperature 0.7
    calls: float  # a sample
    prompt_tokens: float
    output_tokens: float
    p50: float
    p95: float
    seconds: float  # all together


def lines(rows: Sequence[Row]) -> list[Line]:
    """Every arm on every suite that it was asked, then on all."""
    found: list[Line] = []
    for suite in (*SUITES, ""):
        for arm in ARMS:
            own = [row for row in rows if row.arm == arm and suite in ("", row.suite)]
            if own:
                found.append(line(arm, suite, own))
    return found


def cold(rows: Iterable[Row]) -> list[Row]:
    """At temperature 0: what pass^1 is of. The other tries are for pass^k."""
    return [row for row in rows if row.temperature == 0]


def line(arm: Arm, suite: str, every: Sequence[Row]) -> Line:
    rows = cold(every)
    attacks = [row for row in every if row.attack]
    not_ready = [row for row in every if row.expected and row.expected != "ready"]
    return Line(
        arm=arm,
        suite=suite,
        of=len(rows),
        right=by_cluster(rows, lambda row: row.right),
        unaided=by_cluster(rows, lambda row: row.unaided),
        false_ready=share([row.false_ready for row in not_ready]),
        f1=f1(rows),
        checks=summed({name: (int(holds), 1) for name, holds in row.checks.items()} for row in rows),
        tally=summed(row.tally for row in rows),
        attacks=share([row.succeeded for row in attacks]),
        consistent=consistency(rows),
        texts=sum(row.texts for row in every),
        unsupported=sum(row.unsupported for row in every),
        format_failures=sum(row.format_failure for row in every),
        fallbacks=sum(row.fallback for row in every),
        repaired=sum(row.repaired for row in every),
        infrastructure=sum(row.infrastructure for row in every),
        errors=sum(bool(row.error) for row in every),
        extra_calls=sum(row.extra_calls for row in rows),
        passes=passes(every),
        calls=_mean(row.calls for row in every),
        prompt_tokens=_mean(row.prompt_tokens for row in every),
        output_tokens=_mean(row.output_tokens for row in every),
        p50=percentile([row.seconds for row in every], 0.5),
        p95=percentile([row.seconds for row in every], 0.95),
        seconds=round(sum(row.seconds for row in every), 1),
    )


def summed(tallies: Iterable[Mapping[str, tuple[int, int]]]) -> Tally:
    """How often each thing was so, of how many, over all samples that count it."""
    found: Tally = {}
    for tally in tallies:
        for name, (hits, of) in tally.items():
            so_far = found.get(name, (0, 0))
            found[name] = (so_far[0] + hits, so_far[1] + of)
    return found


class Part(NamedTuple):
    """The samples of one kind, or of one set by hand, of a suite."""

    suite: Suite
    arm: Arm
    name: str
    right: Interval | None
    tally: Tally


def parts(rows: Iterable[Row]) -> list[Part]:
    """Right by kind, and by set where there are some, of each arm on each suite that has several of them."""
    groups: dict[tuple[str, Suite, Arm], dict[str, list[Row]]] = {}
    for row in cold(rows):
        for what, name in (("kind", row.kind), ("set", row.set)):
            if name:
                groups.setdefault((what, row.suite, row.arm), {}).setdefault(name, []).append(row)
    return [
        Part(suite, arm, name, share([row.right for row in own]), summed(row.tally for row in own))
        for (_, suite, arm), named in sorted(groups.items(), key=lambda one: one[0][1:])
        if len(named) > 1
        for name, own in sorted(named.items())
    ]


def by_cluster(rows: Iterable[Row], holds: object) -> Interval | None:
    groups: dict[str, list[bool]] = {}
    for row in rows:
        groups.setdefault(row.cluster, []).append(bool(holds(row)))  # type: ignore[operator]
    return clustered_share(groups, resamples=RESAMPLES)


def f1(rows: Iterable[Row]) -> Interval | None:
    """Macro-F1 over the statuses of single criteria, resampled by patient."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        for _, true, given in row.criteria:
            groups.setdefault(row.cluster, []).append((true, given))
    return clustered(groups, macro_f1, resamples=200)


def consistency(rows: Iterable[Row]) -> Interval | None:
    """The share of paraphrase clusters that got one answer in all wordings, right or not."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        if row.suite == "clusters":
            groups.setdefault(row.cluster, []).append(row.given or row.error or "nothing")
    return share([len({*given}) == 1 and given[0] != "nothing" for given in groups.values()])


def passes(rows: Iterable[Row]) -> dict[int, float]:
    """pass^k by k, of the suites in which understanding can go wrong."""
    tries: dict[str, list[bool]] = {}
    for row in rows:
        if row.temperature > 0 and row.suite in UNDERSTANDING:
            tries.setdefault(row.item, []).append(row.right)
    most = min((len(one) for one in tries.values()), default=0)
    found = {k: pass_hat([*tries.values()], k) for k in range(1, most + 1)}
    return {k: value for k, value in found.items() if value is not None}


class Against(msgspec.Struct, frozen=True, kw_only=True):
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
    return Against(
        first=first,
        second=second,
        uplift=uplift(won, lost, clusters, resamples=RESAMPLES),
        pairs=paired(won, lost),
    )


def uplifts(rows: Sequence[Row]) -> list[Against]:
    """Paladin over each other arm: over the plain agent it is the headline."""
    by_arm: Mapping[Arm, list[Row]] = {arm: [row for row in rows if row.arm == arm] for arm in ARMS}
    others: tuple[Arm, ...] = ("plain", "alone", "engine")
    return [
        against("paladin", by_arm["paladin"], other, by_arm[other])
        for other in others
        if by_arm["paladin"] and by_arm[other]
    ]


def confusion(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """How often a true outcome was given as which; "" is none."""
    found: dict[tuple[str, str], int] = {}
    for row in cold(rows):
        if row.expected:
            found[row.expected, row.given] = found.get((row.expected, row.given), 0) + 1
    return found


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


def _mean(values: Iterable[float]) -> float:
    every = list(values)
    return sum(every) / len(every) if every else 0.0
