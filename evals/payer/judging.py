"""The printed policy on what was sent: approve, ask, approve in part, or deny, and for which clauses."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from evals.oracle import Verdict, decide, read_policy
from evals.oracle.chart import Chart
from evals.oracle.clauses import clauses_of
from evals.oracle.judging import Ask, judge
from evals.oracle.reading import Row, uses_in
from evals.oracle.table import DecisionTable, Limit, stands_under
from evals.payer.form import WORDS
from evals.payer.rebuilding import Rebuilt

Kind = Literal["approve", "ask", "part", "deny", "not_needed"]


@dataclass(frozen=True)
class Ground:
    """A clause that stands in the way. `code` is a key of the field's reasons, `details` what the letter says of it."""

    code: str
    clause: str = ""
    quote: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """What the policy makes of it. `asks` are the clauses that are open; `months` how long an approval lasts."""

    kind: Kind
    outcome: str
    grounds: tuple[Ground, ...] = ()
    asks: tuple[Ground, ...] = ()
    months: int = 12
    limit: Limit | None = None


@dataclass(frozen=True)
class Book:
    """What the payer has of one drug of one plan: the plan table, the drug, and the policy's text."""

    plan: Mapping[str, Any]
    drug: Mapping[str, Any]
    policy: str | None


def judged(book: Book, sent: Rebuilt, on: date) -> Judged:
    """The answer that is due, if nobody makes a mistake."""
    plan, drug = dict(book.plan), dict(book.drug)
    sent = _for_its_use(book, sent)
    verdict = decide(book.policy, sent.patient, plan, drug, sent.request, on)
    if verdict.outcome == "not_required":
        return Judged("not_needed", verdict.outcome)
    if verdict.outcome == "wrong_plan":
        ended = Ground("not_eligible", details={"ended": "an earlier date"})
        return Judged("deny", verdict.outcome, (ended,))
    if verdict.outcome == "not_covered":
        return Judged("deny", verdict.outcome, (_not_covered(book, sent, verdict),))
    if book.policy is None:
        return Judged("part", verdict.outcome, (_over(sent, _plan_limit(book)),), limit=_plan_limit(book))
    return _by_policy(book, sent, on, verdict)


def _by_policy(book: Book, sent: Rebuilt, on: date, verdict: Verdict) -> Judged:
    assert book.policy is not None
    table = read_policy(book.policy)
    rows = _rows(table, verdict.use, sent.renewing)
    tops = [row for row in rows if not row.parent]
    ask = Ask(dict(book.drug), verdict.use, None)
    failing = [row for row in tops if verdict.statuses.get(row.number) == "not_met"]
    if verdict.stopped_by in ("exclusion", "criteria") and failing:
        return Judged("deny", verdict.outcome, tuple(_ground(row, rows, sent, on, table) for row in failing))
    papers = (row for row in table.papers.get(verdict.use, []) if row.number in verdict.statuses)
    open_rows = [row for row in tops if verdict.statuses.get(row.number) == "unknown"]
    open_rows += [row for row in _unanswered(tops, sent) if row not in open_rows]
    open_rows += [row for row in papers if not judge(row, Chart(sent.papers, on), ask)]
    asks = tuple(_question(row) for row in open_rows)
    months = _months(book.policy, verdict.use, sent.renewing)
    if asks:
        return Judged("ask", "needs_documentation", asks=asks, months=months)
    if verdict.stopped_by == "quantity":
        limit = next((one for one in table.limits if verdict.statuses.get(one.number) == "not_met"), None)
        return Judged("part", verdict.outcome, (_over(sent, limit),), months=months, limit=limit)
    return Judged("approve", "ready", months=months)


def _for_its_use(book: Book, sent: Rebuilt) -> Rebuilt:
    """With the use whose questions the form answers. The payer wrote them, so it knows them again: a diagnosis alone
    may stand for several uses (E11.51 for diabetes and for arterial disease)."""
    if book.policy is None or sent.use_is_stated or not sent.questions:
        return sent
    table = read_policy(book.policy)
    likeness: dict[str, float] = {}
    for use in table.criteria:
        rows = _rows(table, use, sent.renewing)
        tops = [row for row in rows if not row.parent]
        if len(tops) == len(sent.questions):
            whole = (
                " ".join([row.text, *(r.text for r in rows if r.parent and stands_under(r, row, rows))])
                for row in tops
            )
            likeness[use] = sum(map(_alike, sent.questions, whole))
    if not likeness:
        return sent
    likest = max(likeness, key=lambda use: (round(likeness[use], 3), use == sent.request.get("indication")))
    return replace(sent, request={**sent.request, "indication": likest})


def _alike(question: str, clause: str) -> float:
    """The share of words that both have."""
    one, other = (set(re.findall(r"[\w.]+", text.lower())) for text in (question, clause))
    return len(one & other) / len(one | other)


def _rows(table: DecisionTable, use: str, renewing: bool) -> list[Row]:
    rows = table.renewal[use] if renewing and use in table.renewal else table.criteria[use]
    return [*rows, *table.exclusions.get(use, [])]


def _unanswered(tops: Sequence[Row], sent: Rebuilt) -> list[Row]:
    """Questions that were left blank. The form asks one for each clause of the first level, in the policy's order."""
    if len(sent.answers) != len(tops):
        return []
    return [row for row, answer in zip(tops, sent.answers, strict=True) if not answer.strip()]


def mistaken(book: Book, sent: Rebuilt, on: date, draw: random.Random) -> Ground | None:
    """A reason that does not hold: one of the criteria that are met, read wrongly."""
    if book.policy is None:
        return None
    sent = _for_its_use(book, sent)
    table = read_policy(book.policy)
    use = sent.request.get("indication") or next(iter(table.criteria))
    rows = (table.renewal if sent.renewing else table.criteria).get(use, [])
    kinds = ("gate", "value", "change", "program", "age", "condition")
    wrong = [row for row in rows if not row.parent and row.kind in kinds]
    return _ground(draw.choice(wrong), rows, sent, on, table) if wrong else None


# --- grounds ---------------------------------------------------------------------------------------------


def _ground(row: Row, rows: Sequence[Row], sent: Rebuilt, on: date, table: DecisionTable) -> Ground:
    """Why this clause is a reason to deny: what kind of clause it is decides under which code it goes."""
    leaves = [row]
    if row.kind == "gate":
        leaves = [r for r in rows if r.kind != "gate" and stands_under(r, row, rows)]
    kinds = {leaf.kind for leaf in leaves}
    trial = next((leaf for leaf in leaves if leaf.kind in ("trial", "intolerance")), None)
    if any(row in exclusions for exclusions in table.exclusions.values()):
        code, details = _shut(leaves[0], sent, on)
    elif trial is not None:
        code, details = "step_therapy", _step(trial, sent)
    elif "age" in kinds:
        age = Chart(sent.patient, on).age
        code, details = "age", {"age": str(age), "minimum": f"{leaves[0].value}"}
    elif kinds <= {"condition"}:
        stated = next((c.get("code", "") for c in sent.patient["conditions"]), "") or "none stated"
        code, details = "diagnosis_mismatch", {"diagnosis": stated, "use": leaves[0].name or "another use"}
    else:
        code, details = "medical_necessity", _clinical(leaves, sent, on)
    return Ground(code, row.number, row.text, details)


def _shut(leaf: Row, sent: Rebuilt, on: date) -> tuple[str, dict[str, str]]:
    """An exclusion that was shown: its code, and what the letter says of it."""
    if leaf.kind == "taking":
        taken, classes = sent.patient["medications"], set(leaf.classes)
        other = next((m["drug"] for m in taken if classes & set(m.get("classes", ()))), "another drug")
        return "duplicate_therapy", {"other": other, "on": on.strftime("%m/%d/%Y")}
    if leaf.kind == "use":
        return "benefit_exclusion", {"use": "weight loss" if "weight" in leaf.uses else "this use"}
    state = leaf.name or ("an allergy to the drug" if leaf.kind == "allergy" else "what the policy excludes")
    return "exclusion", {"state": state}


def _step(trial: Row, sent: Rebuilt) -> dict[str, str]:
    first = " or ".join(trial.drugs) or "a preferred drug"
    needed = f"{trial.days} days" if trial.days else "a trial"
    tried = [m for m in sent.patient["medications"] if m["drug"].lower() in trial.drugs]
    longest = max(map(_days, tried), default=0)
    return {"first": first, "needed": needed, "shown": f"{longest} days" if longest else "none"}


def _days(course: Mapping[str, Any]) -> int:
    if not (course.get("start") and course.get("end")):
        return 0
    return (date.fromisoformat(course["end"]) - date.fromisoformat(course["start"])).days


def _clinical(leaves: Sequence[Row], sent: Rebuilt, on: date) -> dict[str, str]:
    """What the letter can say of the value; nothing where the clause is about several things."""
    if len(leaves) != 1:
        return {}
    leaf = leaves[0]
    if leaf.kind == "program":
        return {"needed": f"{leaf.months} months"}
    readings = Chart(sent.patient, on).readings(leaf.tests[0]) if leaf.tests else []
    if leaf.kind == "value" and readings:
        newest, limit = readings[-1], f"{WORDS['signs'].get(leaf.sign, '')} {leaf.value}".strip()
        told = {"value": f"{newest.value:f}", "on": newest.day.strftime("%m/%d/%Y")}
        return {"test": _spoken_test(leaf.tests[0]), "limit": limit, **told}
    if leaf.kind == "change" and len(readings) > 1:
        name = WORDS["tests"].get(leaf.tests[0], leaf.tests[0])
        unit = {"weight": " kg", "hba1c": " %"}.get(leaf.tests[0], "")
        before, after = (f"{reading.value:.1f}{unit}" for reading in (readings[0], readings[-1]))
        return {"test": name, "before": before, "after": after}
    return {}


def _not_covered(book: Book, sent: Rebuilt, verdict: Verdict) -> Ground:
    excluded = book.plan["benefits"][book.drug["name"]].get("excluded_uses", {})
    if verdict.stopped_by == "benefit" and verdict.use not in excluded:
        uses = sorted(read_policy(book.policy).criteria) if book.policy else []
        details = {"diagnosis": sent.request.get("indication", ""), "use": _spoken(uses)}
        return Ground("diagnosis_mismatch", details=details)
    if verdict.stopped_by == "benefit":
        return Ground("benefit_exclusion", details={"use": _spoken([verdict.use])})
    benefits = sorted(book.plan["benefits"].items())
    others = [name for name, own in benefits if own.get("covered") and name != book.drug["name"]]
    return Ground("non_formulary", details={"others": " and ".join(others[:2]) or "none"})


def _spoken_test(test: str) -> str:
    return str(WORDS["tests"].get(test, test.replace("_", " ")))


def _spoken(uses: Sequence[str]) -> str:
    return " and ".join(WORDS["uses"].get(use, use) for use in uses) or "another use"


# --- questions, papers, amounts --------------------------------------------------------------------------


def _question(row: Row) -> Ground:
    """What is asked for where a clause is open: a paper by its kind, else what the clause is about, in a few words."""
    tests = " and ".join(map(_spoken_test, row.tests))
    paper = WORDS["papers"].get(row.kind) or tests or row.name or WORDS["about"].get(row.kind, row.kind)
    return Ground("insufficient_documentation", row.number, row.text, {"paper": paper})


def _plan_limit(book: Book) -> Limit | None:
    at = book.plan["benefits"][book.drug["name"]].get("quantity_limit")
    return Limit("", "", Decimal(str(at["quantity"])), at["days"]) if at else None


def _over(sent: Rebuilt, limit: Limit | None) -> Ground:
    unit = "mL" if "mL" in str(sent.request.get("unit", "mL")) else "tablets"
    asked = f"{sent.request.get('quantity', 0):g} {unit} per {sent.request.get('days_supply', 0)} days"
    rate = f"{limit.amount:f} {unit} per {limit.days} days" if limit and limit.amount else ""
    allowed = rate or "the starting period"
    return Ground("quantity_limit", limit.number if limit else "", details={"asked": asked, "limit": allowed})


def _months(policy: str, use: str, renewing: bool) -> int:
    """How long an approval lasts: of the clauses on periods that name the use, the first is of a first approval."""
    told = [
        int(found[1])
        for clause in clauses_of(policy)
        if clause.section == "periods"
        and use in uses_in(clause.text)
        and (found := re.search(r"(\d+)[ -](?:full |calendar )?months?", clause.text))
    ]
    return (told[-1] if renewing else told[0]) if told else 12
