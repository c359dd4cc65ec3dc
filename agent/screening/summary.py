"""What a screen's rows come to: counts, what one thing would unlock, and the worklists in the order of acting."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from tools.common.extras import Extra
from tools.domain.records import Outcome
from tools.screening.needs import told

if TYPE_CHECKING:
    import polars as pl
else:
    pl = Extra("polars")

OUTCOMES: tuple[Outcome, ...] = (
    "ready", "not_required", "quantity_exception", "needs_documentation", "likely_denial", "not_covered",
    "wrong_plan",
)  # fmt: skip
# From what goes through to what cannot; a change down this list is a loss, up it a gain.
_STANDING = {
    "ready": 0, "not_required": 0, "quantity_exception": 1, "needs_documentation": 2, "likely_denial": 3,
    "not_covered": 4, "wrong_plan": 4,
}  # fmt: skip
LISTS = {
    "send": "Ready, and ordered or taken: send today",
    "one_away": "One thing away",
    "losing": "About to lose what holds today",
    "gaining": "Nothing to do but wait: better on a day to come",
    "renewing": "Approvals that end",
}
_ASKED = ["ordered", "taken", ""]


class Unlock(msgspec.Struct, frozen=True, kw_only=True):
    """One thing, how many patients lack it, and how many of their cases it alone would make ready."""

    need: str
    told: str
    patients: int
    cases: int
    wanted: int  # cases that are ordered or taken


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which cases turn by themselves."""

    day: date
    losing: int
    gaining: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a screen. `by_drug` and `by_payer` are (name, cases by outcome)."""

    patients: int
    cases: int
    skipped: dict[str, int]
    as_of: list[date]  # the day; the first and the last, where charts have their own
    within: int
    outcomes: dict[str, int]
    lists: dict[str, int]
    ready_unasked: int  # would go through, and nobody has ordered it
    by_drug: list[tuple[str, dict[str, int]]]
    by_payer: list[tuple[str, dict[str, int]]]
    unlocks: list[Unlock]
    turns: list[Turn]


def summarize(rows: pl.LazyFrame, patients: int, skipped: dict[str, int], within: int) -> Summary:
    """Count, streaming."""
    by_cell = _collect(rows.group_by("drug", "payer", "outcome").len())
    outcomes = dict(by_cell.group_by("outcome").agg(pl.col("len").sum()).iter_rows())
    days = _collect(rows.select(first=pl.col("as_of").min(), last=pl.col("as_of").max()))
    counted = {name: when.sum() for name, when in selections(within).items()}
    unasked = ((pl.col("outcome") == "ready") & (pl.col("asked") == "")).sum()
    lists = _collect(rows.select(**counted, unasked=unasked)).row(0, named=True)
    return Summary(
        patients=patients,
        cases=sum(outcomes.values()),
        skipped=skipped,
        as_of=list(dict.fromkeys(day for day in days.row(0) if day is not None)),
        within=within,
        outcomes={name: outcomes[name] for name in OUTCOMES if name in outcomes},
        lists={name: int(lists[name] or 0) for name in LISTS},
        ready_unasked=int(lists["unasked"] or 0),
        by_drug=_by(by_cell, "drug"),
        by_payer=_by(by_cell, "payer"),
        unlocks=_unlocks(rows),
        turns=_turns(rows),
    )


def selections(within: int) -> dict[str, pl.Expr]:
    """Which rows stand on which worklist."""
    holds = pl.col("approved_until").is_not_null()
    now, then = _standing("outcome"), _standing("changes_to")
    return {
        "send": (pl.col("outcome") == "ready") & (pl.col("asked") != "") & ~holds,
        "one_away": pl.col("needs").list.len() > 0,
        "losing": then > now,
        "gaining": then < now,
        "renewing": holds & (pl.col("approved_until") <= pl.col("as_of").dt.offset_by(f"{within}d")),
    }


def worklist(rows: pl.LazyFrame, name: str, within: int, most: int) -> list[dict[str, Any]]:
    """The rows of a list, those that somebody asked for first, then by the day on which they turn."""
    day = "approved_until" if name == "renewing" else "changes_on"
    chosen = rows.filter(selections(within)[name]).with_columns(
        pl.col("asked").replace_strict(_ASKED, [0, 1, 2], return_dtype=pl.Int8).alias("rank")
    )
    order = [day, "rank"] if name in ("losing", "gaining", "renewing") else ["rank", day]
    # The few rows wanted are found by what orders them alone: whole rows of a large panel would fill the memory.
    first = _collect(
        chosen.select(*dict.fromkeys((*order, "rank", "patient_id", "drug")))
        .sort(*order, "patient_id", "drug", nulls_last=True)
        .head(most)
        .select("patient_id", "drug", "rank")
    )
    whole = chosen.drop("rank").join(first.lazy(), on=["patient_id", "drug"], how="inner")
    return _collect(whole).sort(*order, "patient_id", "drug", nulls_last=True).drop("rank").to_dicts()


def _standing(column: str) -> pl.Expr:
    names, ranks = list(_STANDING), list(_STANDING.values())
    return pl.col(column).replace_strict(names, ranks, default=None, return_dtype=pl.Int8)


def _by(cells: pl.DataFrame, column: str) -> list[tuple[str, dict[str, int]]]:
    """Cases by outcome for each drug or payer; the one with the greatest share that is ready first."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, outcome, count in cells.select(column, "outcome", "len").iter_rows():
        counts[name][outcome] += count
    first = sorted(counts, key=lambda name: (-counts[name]["ready"] / counts[name].total(), name))
    return [(name, dict(counts[name])) for name in first]


def _unlocks(rows: pl.LazyFrame) -> list[Unlock]:
    counted = (
        rows.filter(pl.col("needs").list.len() > 0)
        .select("patient_id", "asked", need=pl.col("needs"))
        .explode("need")
        .group_by("need")
        .agg(patients=pl.col("patient_id").n_unique(), cases=pl.len(), wanted=(pl.col("asked") != "").sum())
        .sort(["cases", "need"], descending=[True, False])
    )
    return [Unlock(told=told(row["need"]), **row) for row in _collect(counted).iter_rows(named=True)]


def _turns(rows: pl.LazyFrame) -> list[Turn]:
    now, then = _standing("outcome"), _standing("changes_to")
    counted = (
        rows.filter(pl.col("changes_on").is_not_null())
        .group_by(day="changes_on")
        .agg(losing=(then > now).sum(), gaining=(then < now).sum())
        .sort("day")
    )
    return [Turn(**row) for row in _collect(counted).iter_rows(named=True)]


def _collect(rows: pl.LazyFrame) -> pl.DataFrame:
    found: pl.DataFrame = rows.collect(engine="streaming")
    return found
