"""The engine beside the oracle: python -m evals.oracle [--n 1500] [--seed S] [--fresh S] [--json].

Both decide the same cases; they must agree on the outcome and on the status of every clause. This module knows both
sides, the oracle's package knows neither the engine nor the workshop.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from evals.oracle import Verdict, decide
from evals.oracle_cases import Case, World, cases, world
from tools.determine import determine
from tools.records import Determination, Drug, Finding, Patient, Plan, Request
from tools.request import complete_request


@dataclass(frozen=True)
class Difference:
    """Where the two sides part: "outcome", or a clause's number with the criterion that the engine names there.
    `known` is the key of KNOWN that it is an instance of."""

    case: Case
    at: str
    criterion: str
    engine: str
    oracle: str
    why: str = ""
    known: str = ""


@dataclass(frozen=True)
class Compared:
    """One case from both sides. `explained`: they differ, and only in ways that KNOWN describes."""

    case: Case
    outcome: str
    clauses: int
    differences: tuple[Difference, ...]

    @property
    def explained(self) -> bool:
        parted = [d for d in self.differences if d.at != "outcome"]
        return bool(parted) and all(d.known for d in parted)


def compare(case: Case, given: World) -> Compared:
    """Both sides on one case: the outcome, and the status of every clause that either judged."""
    found, said = engine(case, given), oracle(case, given)
    parted: list[Difference] = []
    clauses = 0
    if found.indication == said.use and said.statuses and found.findings:
        parted, clauses = _clauses(case, found, said, given)
    if found.outcome != said.outcome and not parted and found.findings:
        for use in sorted(
            {found.indication, said.use} - {""}
        ):  # the best of several uses: where do they part?
            pinned = replace(case, request={**case.request, "indication": use})
            parted += _clauses(case, engine(pinned, given), oracle(pinned, given), given)[0]
    if found.outcome != said.outcome:
        stop = f"{found.outcome} ({found.stopped_by})"
        parted.insert(0, Difference(case, "outcome", "", stop, f"{said.outcome} ({said.stopped_by})"))
    return Compared(case, found.outcome, clauses, tuple(parted))


def _clauses(case: Case, found: Determination, said: Verdict, given: World) -> tuple[list[Difference], int]:
    judged: dict[str, list[Finding]] = defaultdict(list)
    for finding in _flat(found.findings):
        if finding.clause:
            judged[finding.clause.clause_id].append(finding)
    parted = []
    clauses = judged.keys() | said.statuses.keys()
    for clause in sorted(clauses):
        theirs = {finding.status for finding in judged.get(clause, ())}
        if theirs == {said.statuses.get(clause)}:
            continue
        findings = judged.get(clause, [])
        difference = Difference(
            case,
            clause,
            "/".join(sorted({finding.criterion for finding in findings})),
            "/".join(sorted(theirs)) or "not asked",
            said.statuses.get(clause, "not asked"),
            "; ".join(finding.detail for finding in findings),
        )
        parted.append(replace(difference, known=_known(difference, found, given)))
    # a gate differs because a line below it does, a paper because the trial that it is for does
    under = {d.at for d in parted if d.known}
    for_trial = any(d.known == "change of formulation" for d in parted)
    return [
        replace(d, known="follows")
        if not d.known
        and (any(u.startswith(d.at) for u in under) or (for_trial and "not asked" in (d.engine, d.oracle)))
        else d
        for d in parted
    ], len(clauses)


def engine(case: Case, given: World) -> Determination:
    """What the engine says."""
    patient = msgspec.convert(case.patient, Patient)
    drug = _drug(case.drug, given)
    request = complete_request(patient, drug, msgspec.convert(case.request, Request))
    return determine(patient, _plan(case.plan_id, given), request, case.as_of)


def oracle(case: Case, given: World) -> Verdict:
    """What the oracle says."""
    return decide(
        given.policy(case.plan_id, case.drug),
        case.patient,
        given.plans[case.plan_id],
        given.drugs[case.drug],
        case.request,
        case.as_of,
    )


class Known(NamedTuple):
    """A difference in which the oracle stays: who is right, what it is, and in how many of the 12,000 cases of the
    results it was found before anything in the engine was mended (0: in other cases)."""

    right: str
    first: int
    text: str


KNOWN: dict[str, Known] = {
    "claims in renewals": Known(
        "prose",
        317,
        "A record of pharmacy fills is asked for only if the trial is relied on ('should the subscriber rely upon "
        "§ 1(a)(4)(i)'). A renewal does not rely on it, the engine asks for it all the same: a renewal that is ready "
        "comes out as needs_documentation.",
    ),
    "specialist": Known(
        "prose",
        81,
        "'Prescribed by, or after consultation with, a specialist'. A consultation that is not on record is missing, "
        "and what is missing is called for; the engine says not_met, and likely_denial.",
    ),
    "denial of another person": Known(
        "prose",
        0,
        "A sister has medullary thyroid carcinoma, the patient denies it for herself. Both can be true, and the "
        "exclusion is proven; the engine calls it a conflict, unknown. In the same way the patient's own denial "
        "settles a code of her own that hints at it, though nothing is said of the family.",
    ),
    "statements of one day": Known(
        "prose",
        26,
        "A chart that states and denies a condition on one day contradicts itself, and what conflicts is unknown. The "
        "engine takes the statement that stands later in the file: ready or likely_denial by the order of records.",
    ),
    "change of formulation": Known(
        "prose",
        5,
        "45 days of metformin and, the day after, 45 of metformin ER: the member has tried metformin for 90 days. The "
        "engine takes names that differ for two drugs, and two trials that are too short: not_met.",
    ),
    "no allergy list": Known(
        "prose",
        41,
        "An intolerance may be 'listed'. Where the chart has no allergy list at all it may be on it; the engine says "
        "not_met.",
    ),
    "course of unknown end": Known(
        "prose",
        5,
        "A course of which nobody knows whether it was stopped, and why, may have ended for an intolerance; the engine "
        "says not_met where it says unknown of a course that was stopped for no stated reason.",
    ),
    "ascvd by name": Known(
        "prose",
        0,
        "An entry without a code that says 'atherosclerotic cardiovascular disease', the policy's own words, is not "
        "recognized by the engine: not_met.",
    ),
    "asked as new": Known(
        "prose",
        1,
        "'By the last result on or before the day therapy began.' A request marked as new for a drug that the chart "
        "shows to be taken is judged by the engine on today's value.",
    ),
    "stopped": Known(
        "prose",
        1,
        "'The member has been taking the requested drug for at least 3 calendar months': the engine counts a course "
        "that ended 200 days ago. (Four houses say 'received', or 'use of', which leaves it open.)",
    ),
    "running program": Known(
        "prose",
        4,
        "A program's record 'dated within 180 days': the engine dates a program that goes on by its first day, and "
        "finds it too old while the criterion itself is met.",
    ),
    "void paper": Known(
        "prose",
        24,
        "'Entries with no unit are void.' The engine takes such an entry for the report that is to be sent.",
    ),
    "starting strength": Known(
        "prose",
        4,
        "'2.5 mg is a starting strength and is covered for 28 days of therapy': the engine compares only the rate, so "
        "56 days of it pass.",
    ),
}

SETTLED = (
    "A condition that the chart shows and denies: the oracle said present; the engine's unknown is right (conflict).",
    "A drug that was paid for and is not on the medication list: the oracle said never tried; the engine's unknown is "
    "right. The prose says nothing of it.",
    "A course of which a part was below the dose asked for: the oracle counted all its days; only those at the dose "
    "count.",
    "A course without dates, for which enough days were paid: the oracle said unknown; the engine counts the paid "
    "days. The prose leaves it open outside the two houses that count claims.",
    "A drug that was stopped, nobody says why, and an intolerance: the oracle said not_met; unknown is right.",
    "A program that ended too long ago: the oracle said not_met; unknown is right, for 'what is out of "
    "date is called for'.",
    "A listed intolerance of metformin where extended release is asked for and only immediate release was taken: the "
    "oracle said unknown; the complete list of medications shows not_met.",
    "A study report: the oracle took the study's result among the readings for it; the prose asks for the report.",
    "An undated statement, where no period is asked for: the oracle dropped it; it counts.",
    "Body mass index from a weight and an earlier height: the prose does not ask for one day, the case manual "
    "(evals/cases/README.md) says 'of one day'. The oracle follows the engine: an earlier height counts where no BMI "
    "is recorded that day. The manual should say so.",
    "A fibrosis stage of 6: the prose names impossible dates, not impossible values. The engine voids both, rightly; "
    "the clause should say 'date or value'.",
    "What ends a course: the engine takes a pause of up to a month for the same therapy when it looks for the day on "
    "which therapy began. The prose says nothing; the clause on baselines should.",
    "The strength of a request that names none: the README says the label's starting package; the engine takes the "
    "dose that is taken now first, which is right. The README should say so.",
    "A use that the policy does not name is not covered (the oracle tried the other uses).",
    "Which of several uses is named when they come out alike is not compared.",
)


def contradicts_itself(case: Case) -> bool:
    """Whether the chart states and denies one thing of one person on one day."""
    said = {
        (a["topic"], a.get("date"), person, a["present"])
        for a in case.patient.get("attestations") or ()
        for person in a.get("subjects", ["self"])
    }
    return any((topic, when, person, not present) in said for topic, when, person, present in said)


def _changed_formulation(case: Case) -> bool:
    taken = {m["drug"] for m in case.patient.get("medications") or ()}
    return {"metformin", "metformin ER"} <= taken


def _known(difference: Difference, found: Determination, given: World) -> str:
    """The difference of KNOWN that this is, "" if none."""
    it, sides = difference, (difference.engine, difference.oracle)
    if it.criterion == "specialist" and sides == ("not_met", "unknown"):
        return "specialist"
    if it.criterion.startswith("fills_") and it.oracle == "not asked" and found.request.kind == "renewal":
        return "claims in renewals"
    if it.criterion == "program" and sides == ("unknown", "met"):
        return "running program"
    if sides == ("met", "unknown") and it.why == "on file":
        return "void paper"
    if it.criterion.endswith("_intolerance") and sides == ("not_met", "unknown"):
        return "no allergy list" if "allergies" not in it.case.patient else "course of unknown end"
    if found.request.kind == "new" and "BMI" in it.why:
        return "asked as new"
    if it.criterion.endswith("_trial") and it.engine == "not_met" and _changed_formulation(it.case):
        return "change of formulation"
    if it.oracle == "unknown" and contradicts_itself(it.case):
        return "statements of one day"
    if it.criterion == "quantity" and sides == ("met", "not_met"):
        return "starting strength"
    if (
        it.criterion == "mtc_men2"
        and it.engine == "unknown"
        and re.search("and denies it$|does not settle", it.why)
    ):
        return "denial of another person"
    spelled = [c.get("name") for c in it.case.patient.get("conditions") or () if not c.get("code")]
    if it.oracle == "met" and "ascvd" in it.criterion and "atherosclerotic cardiovascular disease" in spelled:
        return "ascvd by name"
    if it.criterion == "on_drug" and sides == ("met", "not_met"):
        return "stopped"
    return ""


# --- a run, and what it says -------------------------------------------------------------------------------

RESULTS = Path(__file__).with_name("results")
SEEN = (101, 1, 2, 3)  # seeds whose differences were looked at while the oracle was written
# Seeds that nobody looked at; run once the oracle stood. An earlier blind run (50123, 61803, 70507, 80808; 6,000 cases)
# had one difference that nothing explained: the best of two uses, where the specialist decided between them.
FRESH = (90001, 90002, 90003, 90004)


class Tally:
    """Counts of a run: by outcome, payer, drug, use; agreement, and every difference."""

    def __init__(self) -> None:
        self.cases = self.agreed = self.explained = self.clauses = self.clauses_agreed = 0
        self.groups: dict[str, Counter[str]] = defaultdict(Counter)
        self.apart: dict[str, Counter[str]] = defaultdict(Counter)
        self.known: Counter[str] = Counter()
        self.open: list[Difference] = []

    def add(self, compared: Compared) -> None:
        case, parted = compared.case, compared.differences
        self.cases += 1
        self.agreed += not parted
        self.explained += compared.explained
        self.clauses += compared.clauses
        self.clauses_agreed += compared.clauses - sum(d.at != "outcome" for d in parted)
        groups = {
            "outcome": compared.outcome,
            "plan": case.plan_id,
            "drug": case.drug,
            "use": case.request.get("indication", "not said"),
            "kind": case.request.get("kind", "not said"),
            "chart": "edited" if case.edits else "planted",
        }
        for name, value in groups.items():
            self.groups[name][value] += 1
            self.apart[name][value] += bool(parted)
        self.known.update({d.known for d in parted if d.known and d.known != "follows"})
        if parted and not compared.explained:
            self.open.extend(parted)

    def row(self, name: str) -> dict[str, Any]:
        low, high = wilson(self.agreed, self.cases)
        return {
            "run": name,
            "cases": self.cases,
            "agreed": self.agreed,
            "explained": self.explained,
            "unexplained": self.cases - self.agreed - self.explained,
            "clauses": self.clauses,
            "clauses_agreed": self.clauses_agreed,
            "agreement": round(self.agreed / self.cases, 4),
            "wilson95": [round(low, 4), round(high, 4)],
            "by": {group: dict(sorted(counts.items())) for group, counts in self.groups.items()},
            "differing": {group: dict(sorted((+counts).items())) for group, counts in self.apart.items()},
            "known": dict(self.known.most_common()),
            "open": [_shown(d) for d in self.open],
        }


def run(seed: int, count: int) -> Tally:
    """All cases of a seed, compared."""
    tally, given = Tally(), world(seed)
    for case in cases(seed, count):
        tally.add(compare(case, given))
    return tally


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share."""
    share, weight = hits / of, z * z / of
    middle, half = share + weight / 2, z * ((share * (1 - share) + weight / 4) / of) ** 0.5
    return (middle - half) / (1 + weight), min(1.0, (middle + half) / (1 + weight))


def _shown(it: Difference) -> dict[str, Any]:
    case = it.case
    return {
        "case": case.id,
        "patient": case.patient["id"],
        "plan": case.plan_id,
        "drug": case.drug,
        "request": case.request,
        "edits": list(case.edits),
        "at": it.at,
        "criterion": it.criterion,
        "engine": it.engine,
        "oracle": it.oracle,
        "why": it.why,
    }


def page(rows: list[dict[str, Any]]) -> str:
    """The results as Markdown."""
    lines = [
        "# The engine and the independent oracle",
        "",
        "Made by `python -m evals.oracle`; `python -m evals.oracle --json` prints it as data. The oracle reads the",
        "printed policies and the exported JSON and shares no code with the engine (import-linter holds it).",
        "A case agrees if the outcome and the status of every clause that either side judged are the same.",
        "What differs is *explained* if it is an instance of the list below, which says who is right; the rest is",
        "*unexplained*, must be 0, and makes the run fail. An earlier run on four fresh seeds (6,000 cases) had one",
        "unexplained case: the better of two uses was another one, for want of a specialist. At first, before anything",
        "in the engine was mended for what is listed here, 0.950 to 0.967 of the cases of each run agreed.",
        "",
        "| run | cases | agree | 95 % | explained | unexplained | clauses | clauses that agree |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['run']} | {r['cases']:,} | {r['agreed']:,} ({r['agreement']:.4f}) "
        f"| {r['wilson95'][0]:.4f} to {r['wilson95'][1]:.4f} | {r['explained']} | {r['unexplained']} "
        f"| {r['clauses']:,} | {r['clauses_agreed']:,} |"
        for r in rows
    ]
    lines += ["", "## Differences in which the oracle stays, and who is right", ""]
    lines += ["| difference | cases at first | cases now | right | |", "|---|---|---|---|---|"]
    seen: Counter[str] = Counter()
    for r in rows:
        seen.update(r["known"])
    lines += [f"| {name} | {k.first} | {seen[name]} | {k.right} | {k.text} |" for name, k in KNOWN.items()]
    lines += ["", "## Differences found on the way, and settled in the oracle", ""]
    lines += [f"- {text}" for text in SETTLED]
    for group in ("outcome", "plan", "drug", "use", "kind", "chart"):
        lines += ["", f"## By {group}", "", "| | cases | differing |", "|---|---|---|"]
        total: Counter[str] = Counter()
        apart: Counter[str] = Counter()
        for r in rows:
            total.update(r["by"][group])
            apart.update(r["differing"].get(group, {}))
        lines += [f"| {name} | {total[name]:,} | {apart[name]} |" for name in sorted(total)]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """0 if nothing is unexplained."""
    parser = argparse.ArgumentParser(prog="python -m evals.oracle", description=__doc__)
    parser.add_argument("--n", type=int, default=1500, help="cases of each seed")
    parser.add_argument("--seed", type=int, action="append", help="instead of the seeds of the results")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", action="store_true", help="write evals/results/oracle.{md,json}")
    given = parser.parse_args(argv)
    seeds = given.seed or [*SEEN, *FRESH]
    rows = [run(seed, given.n).row(f"seed {seed}{' (fresh)' if seed in FRESH else ''}") for seed in seeds]
    text = page(rows)
    if given.write:
        (RESULTS / "oracle.md").write_text(text)
        (RESULTS / "oracle.json").write_text(json.dumps({"runs": rows}, indent=1) + "\n")
    print(json.dumps({"runs": rows}, indent=1) if given.json else text.split("\n## By")[0])
    for row in rows:
        for it in row["open"] if not given.json else ():
            print(json.dumps(it))
    return int(any(row["unexplained"] for row in rows))


def _plan(name: str, given: World) -> Plan:
    if name not in given.read:
        given.read[name] = msgspec.convert(given.plans[name], Plan)
    plan: Plan = given.read[name]
    return plan


def _drug(name: str, given: World) -> Drug:
    if name not in given.read:
        given.read[name] = msgspec.convert(given.drugs[name], Drug)
    drug: Drug = given.read[name]
    return drug


def _flat(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield finding
        yield from _flat(finding.parts)
