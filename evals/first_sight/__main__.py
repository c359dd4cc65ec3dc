"""Scores a set of cases by another hand, and keeps the score of its first sight.

    python -m evals.first_sight score evals/first_sight/d1               # print the score and the misses
    python -m evals.first_sight score evals/first_sight/d1 --keep --voice pharmacist
    python -m evals.first_sight report                                   # print first_sight.md from first_sight.jsonl

A set is a folder of case files (evals/cases/README.md) whose `expect` was written with the case, before anything was
run. A row of `evals/results/first_sight.jsonl` is written once, on the commit that was there before anybody read the
set; a second `--keep` of the same set is refused.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from tools.casefile import Known, case_files, decide_case, read_case
from tools.errors import PaladinError
from tools.records import Drug, Plan
from tools.statistics import wilson

WORLD = Path(__file__).parents[2] / "mock_data"
RESULTS = Path(__file__).parents[1] / "results"
ROWS = RESULTS / "first_sight.jsonl"
PAGE = RESULTS / "first_sight.md"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one set at first sight. Shares are counts over `n`."""

    kind: str
    set: str
    voice: str
    n: int
    date: str
    commit: str
    right: int
    false_ready: int  # called ready, and not
    not_ready: int  # cases whose right outcome is not ready
    ready_lost: int  # ready, and called otherwise
    ready: int
    unknown_found: int  # needs_documentation, and called so
    unknown: int
    unread: int = 0  # the case file could not be read
    corrections: tuple[str, ...] = ()  # keys that the facts showed to be wrong, with the reason


class Scored(NamedTuple):
    """One case: what its author expects, and what was determined ("" where the file could not be read)."""

    name: str
    expected: str
    found: str
    why: str


def score(folder: Path) -> list[Scored]:
    """Decide every case of the folder by the plans of mock_data."""
    plans = {
        plan.id: plan for plan in msgspec.json.decode((WORLD / "plans.json").read_bytes(), type=list[Plan])
    }
    drugs = tuple(msgspec.json.decode((WORLD / "drugs.json").read_bytes(), type=list[Drug]))
    known = Known(plan=plans.__getitem__, drugs=drugs)
    return [decide_file(file, known) for file in case_files([folder])]


def decide_file(file: Path, known: Known) -> Scored:
    """Decide one case of a set; a file that cannot be read has found nothing."""
    try:
        decided = decide_case(read_case(file, known), known.drugs)
    except PaladinError as error:
        return Scored(file.stem, _expected(file), "", str(error))
    expected = str(decided.case.expect.get("outcome", ""))
    return Scored(file.stem, expected, decided.determination.outcome, decided.determination.summary)


def _expected(file: Path) -> str:
    expect = yaml.safe_load(file.read_text()).get("expect")
    return str(expect["outcome"] if isinstance(expect, dict) else expect)


def row_of(scored: Sequence[Scored], kind: str, name: str, voice: str) -> Row:
    """The counts of a scored set."""

    return Row(
        kind=kind,
        set=name,
        voice=voice,
        n=len(scored),
        date=date.today().isoformat(),
        commit=_commit(),
        right=sum(one.found == one.expected for one in scored),
        false_ready=sum(one.found == "ready" != one.expected for one in scored),
        not_ready=sum(one.expected != "ready" for one in scored),
        ready_lost=sum(one.expected == "ready" != one.found for one in scored),
        ready=sum(one.expected == "ready" for one in scored),
        unknown_found=sum(one.expected == one.found == "needs_documentation" for one in scored),
        unknown=sum(one.expected == "needs_documentation" for one in scored),
        unread=sum(not one.found for one in scored),
    )


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return told.stdout.strip()


def rows() -> list[Row]:
    """Every first sight so far, oldest first."""
    return (
        [msgspec.json.decode(line, type=Row) for line in ROWS.read_bytes().splitlines()]
        if ROWS.exists()
        else []
    )


def page(kept: Sequence[Row]) -> str:
    """The table of first sights as Markdown."""
    lines = [
        "# First sights",
        "",
        "Sets by authors who saw the printed policies, a page on how a case is judged and the manual of case files,",
        "and no code. Each was scored once, on the commit that was there before anybody had read it; a row never",
        "changes.",
        "Intervals are Wilson's, 95 %. Printed by `python -m evals.first_sight report` from `first_sight.jsonl`.",
        "",
        "| kind | set | author's voice | date | commit | right | 95 % | called ready, and not | ready lost "
        "| unknown found | keys corrected |",
        "|---|---|---|---|---|---:|---|---:|---:|---:|---:|",
    ]
    for row in kept:
        low, high = wilson(row.right, row.n)
        lines.append(
            f"| {row.kind} | {row.set} | {row.voice} | {row.date} | {row.commit} | {row.right}/{row.n} "
            f"({row.right / row.n:.3f}) | {low:.3f}-{high:.3f} | {row.false_ready}/{row.not_ready} | "
            f"{row.ready_lost}/{row.ready} | {row.unknown_found}/{row.unknown} | {len(row.corrections)} |"
        )
    notes = [f"- {row.set}: {text}" for row in kept for text in row.corrections]
    return "\n".join([*lines, *(["", "Corrected keys:", "", *notes] if notes else []), ""])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m evals.first_sight",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    scoring = commands.add_parser("score", help="decide a folder of cases and print what differs")
    scoring.add_argument("folder", type=Path)
    scoring.add_argument("--kind", default="determinations")
    scoring.add_argument("--voice", default="", help="who the author was")
    scoring.add_argument("--keep", action="store_true", help="keep this score as the set's first sight")
    commands.add_parser("report", help="print the table of first sights")
    given = parser.parse_args(arguments)
    if given.command == "report":
        PAGE.write_text(page(rows()))
        print(PAGE.read_text())
        return 0
    return _score(given)


def _score(given: argparse.Namespace) -> int:
    name = given.folder.name
    if given.keep and any(row.set == name for row in rows()):
        print(
            f"set {name} has been seen: its first sight is in {ROWS.name} and is kept once", file=sys.stderr
        )
        return 2
    scored = score(given.folder)
    row = row_of(scored, given.kind, name, given.voice)
    for one in scored:
        if one.found != one.expected:
            print(f"{one.name}: expected {one.expected}, found {one.found or 'no case'}: {one.why}")
    print(Counter((one.expected, one.found) for one in scored if one.expected != one.found))
    print(msgspec.json.encode(row).decode())
    if given.keep:
        with ROWS.open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
