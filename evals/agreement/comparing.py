"""The engine beside the oracle, which reads the printed policies and the exported JSON and shares no code with it. A
case agrees if the outcome and the status of every clause that either side judged are the same.

    python -m evals.proofs oracle count=150 'seeds=[7]'

This module knows both sides, the oracle's package knows neither the engine nor the workshop.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from evals.agreement.drawn import Case, cases, world
from evals.oracle import Verdict, decide
from evals.pages import Figures
from evals.worlds import World
from tools.common.statistics import wilson
from tools.domain.records import Determination, Finding
from tools.engine.documents import walk


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
        findings = judged.get(clause, [])
        theirs = {finding.status for finding in findings}
        if theirs != {said.statuses.get(clause)}:
            criterion = "/".join(sorted({finding.criterion for finding in findings}))
            why = "; ".join(finding.detail for finding in findings)
            here, there = "/".join(sorted(theirs)) or "not asked", said.statuses.get(clause, "not asked")
            parted.append(Difference(case, clause, criterion, here, there, why))
    return parted, len(clauses)


def engine(case: Case, given: World) -> Determination:
    """What the engine says."""
    return given.decide(case.patient, case.plan_id, {**case.request, "drug": case.drug}, case.as_of)


def oracle(case: Case, given: World) -> Verdict:
    """What the oracle says."""
    policy, plan = given.policy(case.plan_id, case.drug), given.plans[case.plan_id]
    return decide(policy, case.patient, plan, given.drugs[case.drug], case.request, case.as_of)


# --- a run, and what it says -------------------------------------------------------------------------------

SEEN = (101, 1, 2, 3)  # seeds whose differences were looked at while the oracle was written
FRESH = (90001, 90002, 90003, 90004)  # that nobody looked at; first run once the oracle stood


def main(count: int = 1500, seeds: Sequence[int] = (*SEEN, *FRESH)) -> Figures:
    """How many cases and clauses agree by seed, how many do not by what they are, and every difference."""
    runs, cases_by = [], defaultdict[str, Counter[str]](Counter)
    differing = defaultdict[str, Counter[str]](Counter)
    parted: list[Difference] = []
    for seed in seeds:
        given = world(seed)
        compared = [compare(case, given) for case in cases(seed, count, given)]
        runs.append(_row(f"seed {seed}{' (fresh)' if seed in FRESH else ''}", compared))
        for one in compared:
            parted += one.differences
            for group, value in _groups(one).items():
                cases_by[group][value] += 1
                differing[group][value] += bool(one.differences)
    return {
        "runs": runs,
        **{
            f"by {group}": [
                {group: name, "cases": times, "differing": differing[group][name]}
                for name, times in sorted(counts.items())
            ]
            for group, counts in cases_by.items()
        },
        "differences": [_shown(one) for one in parted],
        "wrong": {"cases that differ": len({one.case.id for one in parted})} if parted else {},
    }


def _row(name: str, compared: Sequence[Compared]) -> Figures:
    agreed, clauses = sum(not one.differences for one in compared), sum(one.clauses for one in compared)
    low, high = wilson(agreed, len(compared))
    return {
        "run": name,
        "cases": len(compared),
        "agree": agreed,
        "share": f"{agreed / len(compared):.4f}",
        "95 %": f"{low:.4f} to {high:.4f}",
        "clauses": clauses,
        "clauses that agree": clauses - sum(d.at != "outcome" for one in compared for d in one.differences),
    }


def _groups(one: Compared) -> dict[str, str]:
    case = one.case
    use, kind = (case.request.get(name, "not said") for name in ("indication", "kind"))
    chart = "edited" if case.edits else "planted"
    return {
        "outcome": one.outcome, "plan": case.plan_id, "drug": case.drug, "use": use, "kind": kind, "chart": chart
    }  # fmt: skip


def _shown(it: Difference) -> dict[str, Any]:
    case = it.case
    return {
        "case": case.id, "patient": case.patient["id"], "plan": case.plan_id, "drug": case.drug,
        "request": case.request, "edits": list(case.edits), "at": it.at, "criterion": it.criterion,
        "engine": it.engine, "oracle": it.oracle, "why": it.why,
    }  # fmt: skip
