"""Approvals that end, and whether today's record will renew them: the engine's own renewal test, put to the record on
every day until the end. Pure.

What will be stale, or has not been reached, by the day on which the renewal must go in is said now, with what to
measure between which days, and what the determination would be if that were done; and how much of the time the
pharmacy's fills cover, which shows what was collected and not what was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import ClassVar

from tools.common.errors import Correctable
from tools.domain.records import Determination, Drug, Fill, Finding, Outcome, Patient, Plan, Record, Request
from tools.domain.rules import AllOf, AnyOf, AtLeast, Attested, Change, Lab, NoneOf, Part, Rule, window_of
from tools.engine.determine import determine
from tools.engine.what_if import Change as Supposition
from tools.engine.what_if import On, Stated, Value, suppose
from tools.evidence.measurements import governing, values_of
from tools.lifecycle.records import Approval
from tools.lifecycle.running import submit_by
from tools.messages.catalogue import render
from tools.messages.message import Message, iso, message
from tools.terminology.observations import TESTS


class Covered(Record, frozen=True, kw_only=True):
    """Days with a supply at hand, of all days from `start` to `end`; both included."""

    start: date
    end: date
    days: int
    fills: int
    last_until: date | None = None  # to when the newest fill lasts

    @property
    def of(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def share(self) -> float:
        return self.days / self.of


def covered(fills: Iterable[Fill], drug: Drug, start: date, end: date) -> Covered | None:
    """Of this brand, from its first fill in the time; what is collected early is used afterwards. None if there is no
    fill: that is unknown, not zero."""
    names = {name.casefold() for name in (drug.name, *drug.aliases)}
    of_it = (fill for fill in fills if fill.drug.casefold() in names and fill.days_supply > 0)
    within = sorted(
        (fill for fill in of_it if start <= fill.date <= end), key=lambda fill: (fill.date, fill.id)
    )
    if not within:
        return None
    first = free = within[0].date
    days = 0
    for fill in within:
        begins = max(fill.date, free)
        free = begins + timedelta(days=fill.days_supply)
        days += max((min(free - timedelta(days=1), end) - begins).days + 1, 0)
    return Covered(start=first, end=end, days=days, fills=len(within), last_until=free - timedelta(days=1))


LONGEST = 400  # days ahead that are looked at
PASSES = ("ready", "not_required")


class Ending(Record, frozen=True, kw_only=True):
    """An approval that ends, and where it stands: `case 3`, or `chart U1`."""

    source: str
    case_id: int | None = None
    plan_id: str
    drug: str
    indication: str = ""
    approval: Approval


class Need(Record, frozen=True, kw_only=True):
    """One thing that is open on the day on which the renewal must go in. What is measured before `not_before` is stale
    by then; a measurement must reach `goal`, if there is one. Of needs with the same `one_of`, one is enough."""

    WIRE: ClassVar = ("criterion", "what", "not_before", "by", "goal", "one_of")

    criterion: str
    asks: Message
    not_before: date | None = None
    by: date
    goal: str = ""
    one_of: str = ""

    @property
    def what(self) -> str:
        """What it is, in words."""
        return render(self.asks)


class Renewal(Record, frozen=True, kw_only=True):
    """What is to be done about one approval that ends. `outcome` is of today's record today, `then` of the same record
    on `submit_by`; between `ready_from` and `ready_to` it passes as it is. `would` is the outcome on that day if
    every need were met."""

    WIRE: ClassVar = (
        "patient_id", "name", "payer", "as_of", "ending", "days_left", "submit_by", "counted", "outcome", "then",
        "says", "ready_from", "ready_to", "needs", "would", "tests", "fills", "alternatives", "draft_id", "in_work",
    )  # fmt: skip

    patient_id: str
    name: str
    payer: str
    as_of: date
    ending: Ending
    days_left: int
    submit_by: date
    counted: str
    outcome: Outcome
    then: Outcome
    told: Message  # what will become of it as the record stands, and when to act
    ready_from: date | None = None
    ready_to: date | None = None
    needs: tuple[Need, ...] = ()
    would: Outcome | None = None
    tests: tuple[Finding, ...] = ()
    fills: Covered | None = None
    alternatives: tuple[str, ...] = ()
    draft_id: int | None = None
    in_work: str = ""  # the case in which the renewal is under way

    @property
    def says(self) -> str:
        """What will become of it as the record stands, and when to act, in one sentence."""
        return render(self.told)


def foresee(
    patient: Patient,
    plan: Plan,
    drug: Drug,
    request: Request,
    ending: Ending,
    as_of: date,
    drugs: Sequence[Drug],
) -> Renewal:
    """Put the renewal test to today's record, today and on the days to come."""
    end = ending.approval.end
    last, counted = submit_by(plan.line_of_business, plan, end)
    day = max(as_of, last)
    now = determine(patient, plan, request, as_of)
    then = now if day == as_of else determine(patient, plan, request, day)
    ready = [d for d in _days(as_of, end) if determine(patient, plan, request, d).outcome in PASSES]
    needs = tuple(_needs(patient, plan, then, day)) if then.outcome not in PASSES else ()
    return Renewal(
        patient_id=patient.id,
        name=patient.name,
        payer=plan.payer,
        as_of=as_of,
        ending=ending,
        days_left=(end - as_of).days,
        submit_by=last,
        counted=counted,
        outcome=now.outcome,
        then=then.outcome,
        told=_told(now, then, ready, as_of, last, end),
        ready_from=ready[0] if ready else None,
        ready_to=_unbroken(ready) if ready else None,
        needs=needs,
        would=_would(patient, plan, request, then, day, drugs) if needs else None,
        tests=now.findings,
        fills=covered(patient.fills, drug, ending.approval.start, min(as_of, end)),
    )


def _days(as_of: date, end: date) -> Iterator[date]:
    for count in range(max(min((end - as_of).days, LONGEST), 0) + 1):
        yield as_of + timedelta(days=count)


def _unbroken(ready: Sequence[date]) -> date:
    """The last day of the first stretch."""
    return next((day for day, later in pairwise(ready) if (later - day).days > 1), ready[-1])


def _told(
    now: Determination, then: Determination, ready: Sequence[date], as_of: date, last: date, end: date
) -> Message:
    """What will become of it as the record stands, and when to act."""
    if as_of > end:
        return message("renewal.ended", end=iso(end), today=now.conclusion)
    hurry = message("renewal.in_a_hurry", end=iso(end))
    when = hurry if as_of > last else message("renewal.in_time", last=iso(last))
    if ready and ready[0] == as_of:
        until = _unbroken(ready)
        if until < last:
            return message("renewal.passes_until", until=iso(until))
        return message("renewal.passes", when=when)
    if ready:
        return message("renewal.passes_from", start=iso(ready[0]), when=when)
    outcome = {"wrong_plan": "not_covered"}.get(then.outcome, then.outcome)
    return message(f"renewal.{outcome}", because=then.reason)


# --- what is open ----------------------------------------------------------------------------------------


def _needs(patient: Patient, plan: Plan, then: Determination, day: date) -> Iterator[Need]:
    nodes, aims = _nodes(plan, then), _nodes(plan, then, aims=True)
    told: set[Message] = set()
    for finding, one_of in _open(then.findings, nodes):
        asks = finding.action or finding.found or finding.asks
        if asks is None or asks in told:
            continue
        told.add(asks)
        node = nodes.get(finding.criterion)
        timed = finding.status == "unknown" or isinstance(node, Lab | Change)
        within = window_of(node) if timed and node is not None else None
        yield Need(
            criterion=finding.criterion,
            asks=asks,
            not_before=within.before(day) if within is not None else None,
            by=day,
            one_of=one_of,
            goal=_goal_words(aims.get(finding.criterion), patient, then),
        )


def _open(
    findings: Sequence[Finding], nodes: Mapping[str, Part], one_of: str = ""
) -> Iterator[tuple[Finding, str]]:
    """What is not met, without the composites around it, and the any-of that it is a branch of."""
    for finding in findings:
        if finding.status != "met" and finding.parts:
            choice = isinstance(nodes.get(finding.criterion), AnyOf)
            yield from _open(finding.parts, nodes, finding.criterion if choice else one_of)
        elif finding.status != "met":
            yield finding, one_of


def _nodes(plan: Plan, found: Determination, *, aims: bool = False) -> dict[str, Part]:
    """The parts of the test by their ids; with `aims` only those that are to be met, not what must be absent."""
    benefit = plan.benefits.get(found.drug)
    rule = next((rule for rule in benefit.rules if rule.id == found.rule_id), None) if benefit else None
    if rule is None:
        return {}
    tree = rule.criteria_of("renewal", len(found.request.approvals))
    return {node.id: node for node in _parts(rule, tree, aims)}


def _parts(rule: Rule, tree: AllOf, aims: bool) -> Iterator[Part]:
    roots: list[Part] = [tree, *(() if aims else (*rule.exclusions, *rule.documents))]
    while roots:
        node = roots.pop(0)
        yield node
        if isinstance(node, AllOf | AnyOf | AtLeast) or (isinstance(node, NoneOf) and not aims):
            roots.extend(node.children)


# --- what would change it --------------------------------------------------------------------------------


def _would(
    patient: Patient, plan: Plan, request: Request, then: Determination, day: date, drugs: Sequence[Drug]
) -> Outcome | None:
    """The outcome on that day if every measurement reached its goal and everything that is not known to be otherwise
    were stated; None if nothing of what is open can be supposed."""
    nodes = _nodes(plan, then, aims=True)
    supposed: list[Supposition] = []
    for finding, _ in _open(then.findings, nodes):
        node = nodes.get(finding.criterion)
        if isinstance(node, Lab | Change):
            if (goal := _goal(node, patient, then)) is not None:
                supposed.append(Value(test=node.test, value=float(goal), on=day))
        elif isinstance(node, Attested) and finding.status == "unknown":
            supposed.append(Stated(topic=node.topic, present=True))
    if not supposed:
        return None
    try:
        case = suppose(patient, plan, request, day, [On(date=day), *supposed], drugs)
    except Correctable:
        return None
    return determine(case.patient, case.plan, case.request, case.as_of).outcome


def _goal(node: Lab | Change, patient: Patient, then: Determination) -> Decimal | None:
    """The value that just meets the test, as it can be measured: to one decimal, on the patient's side."""
    if isinstance(node, Lab):
        step, edge = Decimal("0.1"), Decimal(repr(node.value))
        return {"<": edge - step, ">": edge + step}.get(node.op, edge) if node.of_newest else None
    baseline = _baseline(node, patient, then)
    if baseline is None:
        return None
    change = Decimal(repr(node.amount or 0.0))
    if node.percent is not None:
        change = baseline * Decimal(repr(node.percent)) / 100
    falls = node.direction == "fall"
    edge = baseline - change if falls else baseline + change
    return edge.quantize(Decimal("0.1"), rounding=ROUND_FLOOR if falls else ROUND_CEILING)


def _baseline(node: Change, patient: Patient, then: Determination) -> Decimal | None:
    start = then.request.therapy_start
    if node.since == "renewal":
        start = then.request.approvals[-1] if then.request.approvals else None
    if start is None:
        return None
    before = governing([v for v in values_of(patient, node.test, then.as_of).usable if v.date <= start])
    return Decimal(repr(before[0].value)) if before else None


def _goal_words(node: Part | None, patient: Patient, then: Determination) -> str:
    if not isinstance(node, Lab | Change) or (goal := _goal(node, patient, then)) is None:
        return ""
    spec = TESTS[node.test]
    least = node.direction == "rise" if isinstance(node, Change) else node.op in (">", ">=")
    amount = f"{goal.normalize():f}" + (f" {spec.unit}" if spec.unit != "1" else "")
    return f"{spec.name} of {amount} or {'more' if least else 'less'}"


def order(found: Renewal) -> tuple[date, str, str]:
    return (found.submit_by, found.patient_id, found.ending.drug)
