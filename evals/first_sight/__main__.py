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
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from evals.first_sight.rows import PAGE, ROWS, CaseRow, append, commit, page, rows
from evals.pages import described
from evals.stores import read_drugs, read_plans
from tools.charts.casefile import Known, case_files, decide_case, read_case
from tools.common.errors import PaladinError


class Scored(NamedTuple):
    """One case: what its author expects, and what was determined ("" where the file could not be read)."""

    name: str
    expected: str
    found: str
    why: str


def score(folder: Path) -> list[Scored]:
    """Decide every case of the folder by the plans of mock_data."""
    known = Known(plan=read_plans().__getitem__, drugs=tuple(read_drugs().values()))
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


def row_of(scored: Sequence[Scored], kind: str, name: str, voice: str) -> CaseRow:
    """The counts of a scored set."""
    pairs = Counter((one.expected, one.found) for one in scored)
    expected = Counter(one.expected for one in scored)
    right = sum(many for (wanted, found), many in pairs.items() if wanted == found)
    ready_found = pairs["ready", "ready"]
    return CaseRow(
        kind=kind, set=name, voice=voice, n=len(scored), date=date.today().isoformat(), commit=commit(), right=right,
        false_ready=sum(one.found == "ready" for one in scored) - ready_found,
        not_ready=len(scored) - expected["ready"], ready_lost=expected["ready"] - ready_found, ready=expected["ready"],
        unknown_found=pairs["needs_documentation", "needs_documentation"], unknown=expected["needs_documentation"],
        unread=sum(not one.found for one in scored),
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = described(argparse.ArgumentParser(prog="python -m evals.first_sight"), __doc__)
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
        append(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
