"""The engine beside the oracle: python -m evals.oracle [--n 1500] [--seed S] [--fresh S] [--json].

Both decide the same cases; they must agree on the outcome and on the status of every clause. This module knows both
sides, the oracle's package knows neither the engine nor the workshop.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from evals.oracle import Verdict, decide
from evals.oracle_cases import Case, World, cases, world
from evals.pages import described, keep, table
from tools.common.statistics import wilson
from tools.domain.records import Determination, Drug, Finding, Patient, Plan, Request
from tools.engine.determine import determine
from tools.engine.documents import walk
from tools.engine.request import complete_request


@dataclass(frozen=True)
class Difference:
    """Where the two sides part: "outcome", or a clause's number with the criterion that the engine names there."""

    case: Case
    at: str
    criterion: str
    engine: str
    oracle: str
    why: str = ""


@dataclass(frozen=True)
class Compared:
    """One case from both sides."""

    case: Case
    outcome: str
    clauses: int
    differences: tuple[Difference, ...]


def compare(case: Case, given: World) -> Compared:
    """Both sides on one case: the outcome, and the status of every clause that either judged."""
    found, said = engine(case, given), oracle(case, given)
    parted: list[Difference] = []
    clauses = 0
    if found.indication == said.use and said.statuses and found.findings:
        parted, clauses = _clauses(case, found, said)
    if found.outcome != said.outcome and not parted and found.findings:
        # the best of several uses: where do they part?
        for use in sorted({found.indication, said.use} - {""}):
            pinned = replace(case, request={**case.request, "indication": use})
            parted += _clauses(case, engine(pinned, given), oracle(pinned, given))[0]
    if found.outcome != said.outcome:
        stop = f"{found.outcome} ({found.stopped_by})"
        parted.insert(0, Difference(case, "outcome", "", stop, f"{said.outcome} ({said.stopped_by})"))
    return Compared(case, found.outcome, clauses, tuple(parted))


def _clauses(case: Case, found: Determination, said: Verdict) -> tuple[list[Difference], int]:
    judged: dict[str, list[Finding]] = defaultdict(list)
    for finding in walk(found.findings):
        if finding.clause:
            judged[finding.clause.clause_id].append(finding)
    parted = []
    clauses = judged.keys() | said.statuses.keys()
    for clause in sorted(clauses):
        theirs = {finding.status for finding in judged.get(clause, ())}
        if theirs == {said.statuses.get(clause)}:
            continue
        findings = judged.get(clause, [])
        criterion = "/".join(sorted({finding.criterion for finding in findings}))
        why = "; ".join(finding.detail for finding in findings)
        here, there = "/".join(sorted(theirs)) or "not asked", said.statuses.get(clause, "not asked")
        parted.append(Difference(case, clause, criterion, here, there, why))
    return parted, len(clauses)


def engine(case: Case, given: World) -> Determination:
    """What the engine says."""
    patient, drug = msgspec.convert(case.patient, Patient), _record(Drug, given.drugs, case.drug, given)
    request = complete_request(patient, drug, msgspec.convert(case.request, Request))
    return determine(patient, _record(Plan, given.plans, case.plan_id, given), request, case.as_of)


def oracle(case: Case, given: World) -> Verdict:
    """What the oracle says."""
    policy, plan, drug = (
        given.policy(case.plan_id, case.drug),
        given.plans[case.plan_id],
        given.drugs[case.drug],
    )
    return decide(policy, case.patient, plan, drug, case.request, case.as_of)


# --- a run, and what it says -------------------------------------------------------------------------------

T = TypeVar("T")
RESULTS = Path(__file__).with_name("results")
SEEN = (101, 1, 2, 3)  # seeds whose differences were looked at while the oracle was written
FRESH = (90001, 90002, 90003, 90004)  # that nobody looked at; first run once the oracle stood


class Tally:
    """Counts of a run: by outcome, payer, drug, use; agreement, and every difference."""

    def __init__(self) -> None:
        self.cases = self.agreed = self.clauses = self.clauses_agreed = 0
        self.groups: dict[str, Counter[str]] = defaultdict(Counter)
        self.apart: dict[str, Counter[str]] = defaultdict(Counter)
        self.open: list[Difference] = []

    def add(self, compared: Compared) -> None:
        case, parted = compared.case, compared.differences
        self.cases += 1
        self.agreed += not parted
        self.clauses += compared.clauses
        self.clauses_agreed += compared.clauses - sum(d.at != "outcome" for d in parted)
        use, kind = (case.request.get(name, "not said") for name in ("indication", "kind"))
        groups = {
            "outcome": compared.outcome, "plan": case.plan_id, "drug": case.drug, "use": use, "kind": kind,
            "chart": "edited" if case.edits else "planted",
        }  # fmt: skip
        for name, value in groups.items():
            self.groups[name][value] += 1
            self.apart[name][value] += bool(parted)
        self.open.extend(parted)

    def row(self, name: str) -> dict[str, Any]:
        low, high = wilson(self.agreed, self.cases)
        return {
            "run": name, "cases": self.cases, "agreed": self.agreed, "clauses": self.clauses,
            "clauses_agreed": self.clauses_agreed, "agreement": round(self.agreed / self.cases, 4),
            "wilson95": [round(low, 4), round(high, 4)],
            "by": {group: dict(sorted(counts.items())) for group, counts in self.groups.items()},
            "differing": {group: dict(sorted((+counts).items())) for group, counts in self.apart.items()},
            "open": [_shown(d) for d in self.open],
        }  # fmt: skip


def run(seed: int, count: int) -> Tally:
    """All cases of a seed, compared."""
    tally, given = Tally(), world(seed)
    for case in cases(seed, count):
        tally.add(compare(case, given))
    return tally


def _shown(it: Difference) -> dict[str, Any]:
    case = it.case
    return {
        "case": case.id, "patient": case.patient["id"], "plan": case.plan_id, "drug": case.drug,
        "request": case.request, "edits": list(case.edits), "at": it.at, "criterion": it.criterion,
        "engine": it.engine, "oracle": it.oracle, "why": it.why,
    }  # fmt: skip


def page(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The results as Markdown."""
    yield from (
        "# The engine and the independent oracle",
        "",
        "Made by `python -m evals.oracle`; `python -m evals.oracle --json` prints it as data. The oracle reads the",
        "printed policies and the exported JSON and shares no code with the engine (import-linter holds it).",
        "A case agrees if the outcome and the status of every clause that either side judged are the same; one that",
        "does not makes the run fail. What differed at first, and who was right: [README](../oracle/README.md).",
        "",
    )
    yield from table(
        [
            ("run", "cases", "agree", "95 %", "clauses", "clauses that agree"),
            *(
                (
                    r["run"], f"{r['cases']:,}", f"{r['agreed']:,} ({r['agreement']:.4f})",
                    f"{r['wilson95'][0]:.4f} to {r['wilson95'][1]:.4f}", f"{r['clauses']:,}",
                    f"{r['clauses_agreed']:,}",
                )
                for r in rows
            ),
        ]
    )  # fmt: skip
    for group in ("outcome", "plan", "drug", "use", "kind", "chart"):
        total, apart = Counter[str](), Counter[str]()
        for r in rows:
            total.update(r["by"][group])
            apart.update(r["differing"].get(group, {}))
        yield from ("", f"## By {group}", "")
        counts = [(name, f"{total[name]:,}", apart[name]) for name in sorted(total)]
        yield from table([("", "cases", "differing"), *counts])


def main(argv: list[str] | None = None) -> int:
    """0 if both sides agree."""
    parser = described(argparse.ArgumentParser(prog="python -m evals.oracle"), __doc__)
    parser.add_argument("--n", type=int, default=1500, help="cases of each seed")
    parser.add_argument("--seed", type=int, action="append", help="instead of the seeds of the results")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", action="store_true", help="write evals/results/oracle.{md,json}")
    given = parser.parse_args(argv)
    seeds = given.seed or [*SEEN, *FRESH]
    rows = [run(seed, given.n).row(f"seed {seed}{' (fresh)' if seed in FRESH else ''}") for seed in seeds]
    if given.write:
        keep(RESULTS / "oracle.json", {"runs": rows}, page(rows), indent=1)
    print(json.dumps({"runs": rows}, indent=1) if given.json else "\n".join(page(rows)).split("\n## By")[0])
    for row in rows:
        for it in row["open"] if not given.json else ():
            print(json.dumps(it))
    return int(any(row["open"] for row in rows))


def _record(kind: type[T], rows: Mapping[str, Any], name: str, given: World) -> T:
    """A plan or drug of the world, read once."""
    if name not in given.read:
        given.read[name] = msgspec.convert(rows[name], kind)
    record: T = given.read[name]
    return record
