"""The whole case: the order of checks over a filled decision table.

eligibility → formulary and benefit → PA required? → proven exclusions → criteria → quantity → documents
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from evals.oracle.amounts import held_to_limits
from evals.oracle.chart import Chart, Entry, day
from evals.oracle.judging import Ask, judge
from evals.oracle.reading import Row
from evals.oracle.table import DecisionTable, Limit, read_policy
from evals.oracle.verdicts import NO, OPEN, STATUS, YES, Truth, Verdict, count, turned

# of several uses the best is reported
_ORDER = ("ready", "quantity_exception", "needs_documentation", "likely_denial")


def decide(
    policy_text: str | None,
    patient: dict[str, Any],
    plan: dict[str, Any],
    drug: dict[str, Any],
    request: dict[str, Any],
    as_of: date,
) -> Verdict:
    """The outcome of one request on one day, and the status of each clause that was judged.

    `patient`, `plan`, `drug` and `request` are the exported JSON; of the plan only what the plan table says is
    used: whether the drug is covered, whether it needs PA, its limits and the uses that the benefit excludes.
    `policy_text` may be None where there is no PA. Errors: Unreadable, for a clause that can't be read.
    """
    chart = Chart(patient, as_of)
    benefit = plan["benefits"].get(drug["name"]) or {"covered": False}
    table = read_policy(policy_text) if policy_text else DecisionTable()
    ask = _ask(chart, plan, drug, request, table)
    if not _enrolled(chart, plan["id"]):
        return Verdict("wrong_plan", stopped_by="eligibility")
    if not benefit["covered"]:
        return Verdict("not_covered", stopped_by="formulary")
    if ask.use in benefit.get("excluded_uses", {}):
        return Verdict("not_covered", ask.use, stopped_by="benefit")
    if not benefit.get("pa_required"):
        over = held_to_limits(_table_limits(benefit), ask, chart)[1] == NO
        outcome, stop = ("quantity_exception", "quantity") if over else ("not_required", "pa")
        return Verdict(outcome, stopped_by=stop)
    assert policy_text, f"{plan['id']} asks for PA of {drug['name']}, and its policy is not given"
    if not ask.use and ask.kind == "renewal" and ask.renewed in table.criteria:
        uses = [ask.renewed]  # what is renewed is what was approved
    else:
        uses = _uses_to_try(table, ask.use)
    if not uses:
        return Verdict("not_covered", ask.use, stopped_by="benefit")
    cases = [_by_use(table, use, chart, replace(ask, use=ask.use or use)) for use in uses]
    return min(cases, key=lambda case: _ORDER.index(case.outcome))


def _uses_to_try(table: DecisionTable, wanted: str) -> list[str]:
    """The use asked for; where the policy does not grant it, those whose exclusions name it, whatever the dose."""
    if not wanted or wanted in table.criteria:
        return [wanted] if wanted else list(table.criteria)
    return [
        use
        for use, rows in table.exclusions.items()
        if any(wanted in row.uses and row.dose_least is None and row.dose_most is None for row in rows)
    ]


def _by_use(table: DecisionTable, use: str, chart: Chart, ask: Ask) -> Verdict:
    if not ask.named:
        first = _first_package(ask.drug, ask.use)
        ask = replace(ask, strength=first["label"], dose=Decimal(str(first["dose"])))
    renewing = ask.kind == "renewal" and use in table.renewal
    again = renewing and len(ask.approvals) > 1 and use in table.later
    rows = table.later[use] if again else table.renewal[use] if renewing else table.criteria[use]
    exclusions, documents = table.exclusions.get(use, []), table.papers.get(use, [])
    filled = _fill(rows, chart, ask)
    shut = {number: turned(truth) for number, truth in _fill(exclusions, chart, ask).items()}
    tops = [filled[row.number] for row in rows if not row.parent]
    if not _is_dose_of(ask):
        tops.append(OPEN)  # a question to the prescriber
    outs = [shut[row.number] for row in exclusions if not row.parent]
    shown = {row.number: judge(row, chart, ask) for row in documents}
    wanting = {row.relied_on for row in documents if shown[row.number] != YES}
    papers = {
        row.number: shown[row.number]
        for row in documents
        if not row.relied_on or _counts(row.relied_on, rows, filled, wanting)
    }
    clause, amount = held_to_limits(table.limits, ask, chart)
    answers = {**filled, **shut, **papers, **({clause: amount} if clause else {})}
    needed = count(len(tops) + len(outs), [*tops, *outs])
    if NO in outs:
        outcome, stop = "likely_denial", "exclusion"
    elif needed == NO:
        outcome, stop = "likely_denial", "criteria"
    elif needed is OPEN:
        outcome, stop = "needs_documentation", "criteria"
    elif amount != YES:
        outcome, stop = ("quantity_exception" if amount == NO else "needs_documentation"), "quantity"
    elif any(paper != YES for paper in papers.values()):
        outcome, stop = "needs_documentation", "documents"
    else:
        outcome, stop = "ready", ""
    statuses = {number: STATUS[truth] for number, truth in answers.items()}
    return Verdict(outcome, use, statuses, stop)


def _fill(rows: list[Row], chart: Chart, ask: Ask) -> dict[str, Truth]:
    """The column of answers: sentences from the chart, gates from the lines below them, deepest first."""
    filled: dict[str, Truth] = {}
    for row in sorted(rows, key=lambda r: -len(r.number)):
        if row.kind != "gate":
            filled[row.number] = judge(row, chart, ask)
            continue
        lines = [r.number for r in rows if r.parent == row.number]
        if row.needed == -1:  # all ruled out; and what is ruled out is met
            filled.update({number: turned(filled[number]) for number in lines})
        below = [filled[number] for number in lines]
        filled[row.number] = count(row.needed if row.needed > 0 else len(below), below)
    return filled


def _counts(number: str, rows: list[Row], filled: dict[str, Truth], wanting: set[str]) -> bool:
    """Whether the case leans on a line: it holds, and no gate above it has enough without it. Lines whose papers are
    there are counted before those whose papers are not."""
    if filled.get(number) != YES:
        return False
    by_number = {row.number: row for row in rows}
    gate = by_number.get(by_number[number].parent)
    if gate is None:
        return True
    hold = [row.number for row in rows if row.parent == gate.number and filled[row.number] == YES]
    hold.sort(key=lambda line: not wanting.isdisjoint(_under(line, rows)))
    if number not in (hold[: gate.needed] if gate.needed > 0 else hold):
        return False
    return filled.get(gate.number) != YES or _counts(gate.number, rows, filled, wanting)


def _under(number: str, rows: list[Row]) -> set[str]:
    return {number, *(one for row in rows if row.parent == number for one in _under(row.number, rows))}


# --- the request -------------------------------------------------------------------------------------------


def _ask(chart: Chart, plan: Entry, drug: Entry, request: Entry, table: DecisionTable) -> Ask:
    order = max(_own(chart, "orders", drug), key=lambda o: o.get("date") or "", default={})
    use = request.get("indication") or order.get("indication") or ""
    label = request.get("strength") or order.get("strength") or _dose_now(chart, drug)
    strengths = {s["label"]: s for s in drug["strengths"]}
    package = strengths.get(label) or _first_package(drug, use)
    days = _possible(request.get("days_supply"), order.get("days_supply"), package["days"])
    approvals, in_time = _approvals(chart, plan, drug, use, table)
    unnamed = "renewal" if in_time else "continuation" if _started(chart, drug) else "new"
    kind = request.get("kind") or order.get("kind") or unnamed
    return Ask(
        drug=drug,
        use=use,
        therapy_start=day(request.get("therapy_start")) or _started(chart, drug, still=kind == "new"),
        approvals=tuple(day(a["start"]) or date.min for a in approvals),
        renewed=next((a.get("indication") or "" for a in reversed(approvals)), ""),
        kind=kind,
        strength=package["label"],
        named=bool(label),
        dose=Decimal(str(package["dose"])) if label in (*strengths, "") else None,
        amount=_possible(request.get("quantity"), order.get("quantity"), package["quantity"]),
        days=None if days is None else int(days),
    )


def _own(chart: Chart, name: str, drug: Entry) -> list[Entry]:
    """The entries of a list that name the drug."""
    return [entry for entry in chart.noted(name) if entry["drug"].lower() == drug["name"].lower()]


def _possible(asked: float | None, ordered: float | None, package: float) -> Decimal | None:
    """What is asked for, else ordered, else in a package; None where the order's amount can be none."""
    said = asked if asked is not None else ordered if ordered is not None else package
    amount = Decimal(str(said))
    return amount if Decimal("0.01") <= amount <= 10_000 else None


def _first_package(drug: Entry, use: str) -> Entry:
    """What the label begins with, for that use where it has doses of its own."""
    doses = _label_doses(drug, use)
    fitting = [s for s in drug["strengths"] if s["dose"] in doses[0] + doses[1]] or drug["strengths"]
    return next((s for s in fitting if s.get("starting")), fitting[0])


def _label_doses(drug: Entry, use: str) -> tuple[list[float], list[float]]:
    """The label's doses for the use, and those on the way there."""
    labels = [label for label in drug["indications"] if label["key"] == use]
    return (labels[0].get("doses", []), labels[0].get("starting_doses", [])) if labels else ([], [])


def _is_dose_of(ask: Ask) -> bool:
    """Whether the label has the dose for the use, or has it on the way there."""
    usual, first = _label_doses(ask.drug, ask.use)
    return not usual or ask.dose is None or not ask.named or float(ask.dose) in usual + first


def _dose_now(chart: Chart, drug: Entry) -> str:
    """The strength that is taken now, if it is one of the drug's."""
    spans = chart.spans(_own(chart, "medications", drug))
    doses = [e.get("dose") for span in spans if span.going_on for e in span.entries[-1:]]
    return next((s["label"] for s in drug["strengths"] if doses and s["dose"] == doses[-1]), "")


def _approvals(
    chart: Chart, plan: Entry, drug: Entry, use: str, table: DecisionTable
) -> tuple[list[Entry], bool]:
    """The plan's approvals of the drug that count, the newest last, and whether a request of today renews them.

    One counts that is for the use asked for, or names none; where nobody names a use, one of a use that the policy
    covers, and of the newest that can be renewed, else the newest. A request that came too late for a renewal was a
    new start, and what was approved before it no longer counts.
    """

    def renews(on: date, end: Any) -> bool:
        return (on - (day(end) or date.max)).days <= table.renewal_gap

    own = _own(chart, "authorizations", drug)
    begun = [a for a in own if a["plan_id"] == plan["id"] and (day(a["start"]) or date.min) <= chart.as_of]
    begun.sort(key=lambda a: a["start"])
    if use:
        begun = [a for a in begun if (a.get("indication") or use) == use]
    else:
        begun = [a for a in begun if not a.get("indication") or a["indication"] in table.criteria]
        newest = ([a for a in begun if renews(chart.as_of, a["end"])] or begun)[-1:]
        of = next((a.get("indication") for a in newest), None)
        begun = [a for a in begun if not of or (a.get("indication") or of) == of]
    for at in range(len(begun) - 1, 0, -1):
        if not renews(day(begun[at]["start"]) or date.min, max(a["end"] for a in begun[:at])):
            begun = begun[at:]
            break
    return begun, any(renews(chart.as_of, a["end"]) for a in begun)


def _started(chart: Chart, drug: Entry, still: bool = True) -> date | None:
    """The first day of the present course, or, if it need not go on `still`, of the last one there was. A pause of
    up to a month does not end a course."""
    spans = chart.spans(_own(chart, "medications", drug), pause=31)
    courses = [span for span in spans if span.going_on or not still]
    return courses[-1].first if courses else None


def _enrolled(chart: Chart, plan_id: str) -> bool:
    return any(
        c["plan_id"] == plan_id
        and (day(c.get("start")) or date.min) <= chart.as_of <= (day(c.get("end")) or date.max)
        for c in chart.noted("coverages")
    )


# --- amounts -----------------------------------------------------------------------------------------------


def _table_limits(benefit: Entry) -> list[Limit]:
    """Limits as the plan table has them, for a drug without a policy."""
    rates = {"": benefit.get("quantity_limit"), **benefit.get("strength_limits", {})}
    found = [Limit("-", name, Decimal(str(at["quantity"])), at["days"]) for name, at in rates.items() if at]
    for name, at in benefit.get("starting_limits", {}).items():
        found.append(Limit("-", name, Decimal(0), at["days"], starting=True))
    for at in benefit.get("supply_limits", ()):
        amount, days = Decimal(str(at["quantity"])), at.get("days") or 0
        found.append(Limit("-", "", amount, days, dispensed=True, of_days=at["unit"] == "day"))
    return found
