"""Cases by another hand: folders of case files whose `expect` was written with the case, before anything was run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from evals.first_sight.rows import CaseRow
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
        kind=kind, set=name, voice=voice, n=len(scored), right=right,
        false_ready=sum(one.found == "ready" for one in scored) - ready_found,
        not_ready=len(scored) - expected["ready"], ready_lost=expected["ready"] - ready_found, ready=expected["ready"],
        unknown_found=pairs["needs_documentation", "needs_documentation"], unknown=expected["needs_documentation"],
        unread=sum(not one.found for one in scored),
    )  # fmt: skip
