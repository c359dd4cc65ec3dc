"""A screen says what determine says, looks again on every day that matters, and names what is enough."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

import msgspec
import pytest

from evals.agreement.drawn import Case, cases, world
from tests.worlds import AS_OF, p001, p002, tiny_world
from tools.domain.records import (
    Attestation,
    Authorization,
    Coverage,
    Determination,
    Drug,
    Finding,
    Medication,
    Note,
    Observation,
    Order,
    Patient,
    Plan,
    Request,
)
from tools.domain.rules import AllOf, Attested, Period, Required
from tools.engine.criteria import CompiledCriterion, compiled_criteria
from tools.engine.determine import case_of, determine
from tools.engine.request import complete_request
from tools.engine.verdict import verdict
from tools.screening.needs import told
from tools.screening.panel import Panel, Screened

SEEDS = (5, 6)
COUNT = 260  # of each seed: planted charts, two thirds of them edited, most at the bounds of a rule


class Asked(NamedTuple):
    """A case as the engine takes it."""

    patient: Patient
    plan: Plan
    request: Request
    as_of: date


@cache
def asked() -> list[Asked]:
    found = []
    for seed in SEEDS:
        given = world(seed)
        plans = {name: msgspec.convert(plan, Plan) for name, plan in given.plans.items()}
        drugs = {name: msgspec.convert(drug, Drug) for name, drug in given.drugs.items()}
        for case in cases(seed, COUNT, given):
            found.append(_asked(case, plans[case.plan_id], drugs[case.drug]))
    return found


def _asked(case: Case, plan: Plan, drug: Drug) -> Asked:
    patient = msgspec.convert(case.patient, Patient)
    request = complete_request(patient, drug, msgspec.convert(case.request, Request))
    return Asked(patient, plan, request, case.as_of)


@pytest.mark.slow
def test_a_verdict_is_the_determination_without_its_findings() -> None:
    outcomes = set()
    for case in asked():
        for day in (case.as_of, case.as_of + timedelta(days=1), case.as_of - timedelta(days=90)):
            said = verdict(case.patient, case.plan, case.request, day)
            found = determine(case.patient, case.plan, case.request, day)
            assert (said.outcome, said.stopped_by, said.request) == (
                found.outcome,
                found.stopped_by,
                found.request,
            ), (case.patient.id, case.request.drug, day)
            assert (said.rule.id if said.rule else "") == found.rule_id
            outcomes.add(found.outcome)
    assert len(outcomes) == 7


def test_every_criterion_has_the_status_of_its_finding() -> None:
    judged = 0
    for case in asked()[::2]:
        found = determine(case.patient, case.plan, case.request, case.as_of)
        for rule in case.plan.benefits[case.request.drug].rules if found.rule_id else ():
            if rule.id == found.rule_id:
                context = case_of(case.patient, found.request, case.as_of, rule).context
                criteria, exclusions = compiled_criteria(rule, found.request)
                for ready, finding in zip((*criteria, *exclusions), found.findings, strict=False):
                    for one, other in _beside(ready, finding):
                        assert one.status(context) == other.status, (case.patient.id, other.criterion)
                        judged += 1
    assert judged > 1200


def _beside(ready: CompiledCriterion, finding: Finding) -> Iterator[tuple[CompiledCriterion, Finding]]:
    yield ready, finding
    for child, part in zip(ready.children, finding.parts, strict=True):
        yield from _beside(child, part)


@pytest.mark.slow
def test_the_first_day_of_another_outcome_is_found_as_by_walking_day_by_day() -> None:
    turned = 0
    for case in asked()[::4]:
        panel = Panel([case.plan], _drugs(), within=40, only=frozenset({case.request.drug}))
        patient = _with_order(case)
        for row in panel.screen(patient, case.plan.id, case.as_of):
            request = complete_request(patient, panel.drugs[row.drug], Request(drug=row.drug))
            days = [case.as_of + timedelta(days=later) for later in range(1, 41)]
            other = [
                (day, said)
                for day in days
                if (said := verdict(_fresh(patient), case.plan, request, day).outcome) != row.outcome
            ]
            assert (row.changes_on, row.changes_to) == (other[0] if other else (None, None)), patient.id
            turned += bool(other)
    assert turned > 5


@cache
def _drugs() -> list[Drug]:
    return [msgspec.convert(drug, Drug) for drug in world(SEEDS[0]).drugs.values()]


def _with_order(case: Asked) -> Patient:
    """The chart with what is asked for as its only order, since a screen asks for what the chart orders."""
    order = Order(id="R9", drug=case.request.drug, kind=case.request.kind, indication=case.request.indication)
    return msgspec.structs.replace(case.patient, orders=(order,))


def _fresh(patient: Patient) -> Patient:
    """The same chart, in which nothing has been looked up."""
    return msgspec.structs.replace(patient)


# --- one patient -----------------------------------------------------------------------------------------


def screened(patient: Patient, plan: Plan | None = None, within: int = 30) -> Screened:
    """The row of Ozempic in the tiny world."""
    given = tiny_world()
    panel = Panel([plan or given.plans[0]], given.drugs, within=within)
    rows = {row.drug: row for row in panel.screen(patient, "CASCADE-GOLD", AS_OF)}
    assert set(rows) == {"Ozempic", "Wegovy"}
    assert rows["Wegovy"].outcome == "not_covered"
    return rows["Ozempic"]


def changed(patient: Patient, **parts: Any) -> Patient:
    return msgspec.structs.replace(patient, **parts)


def metformin(start: date, end: date | None = None) -> tuple[Medication, ...]:
    course = p001().medications
    assert course is not None
    status: Any = "stopped" if end else "active"
    return (msgspec.structs.replace(course[0], start=start, end=end, status=status),)


def _with(
    documents: tuple[Required, ...] = (), criteria: Attested | None = None, renewal: Attested | None = None
) -> Plan:
    plan = tiny_world().plans[0]
    benefit = plan.benefits["Ozempic"]
    rule = benefit.rules[0]
    tree = rule.criteria
    if criteria is not None:
        tree = msgspec.structs.replace(tree, children=(*tree.children, criteria))
    again = None if renewal is None else AllOf(id="renewal", children=(renewal,))
    rule = msgspec.structs.replace(rule, documents=documents, criteria=tree, renewal=again)
    return msgspec.structs.replace(
        plan, benefits=plan.benefits | {"Ozempic": msgspec.structs.replace(benefit, rules=(rule,))}
    )


def later(days: int) -> date:
    return AS_OF + timedelta(days=days)


ENDS = Coverage(id="V1", plan_id="CASCADE-GOLD", start=date(2025, 1, 1), end=later(3))
RENEWED = Authorization(  # until the ninth day from now
    id="U1", plan_id="CASCADE-GOLD", drug="Ozempic", start=date(2025, 3, 15), end=later(9 - 180)
)
SAID = Attested(id="diet", topic="diet_exercise", statement="follows a diet")


@pytest.mark.parametrize(
    ("parts", "plan", "answer"),
    [
        pytest.param(parts, plan, answer, id=claim)
        for claim, parts, plan, answer in (
            ("a lab of 12 August is lost after its 90 days", {}, None,
             ("ready", date(2026, 8, 12) + timedelta(days=91), "needs_documentation")),
            ("a trial counts from its ninetieth day", {"medications": metformin(later(14 - 90))}, None,
             ("likely_denial", later(14), "ready")),
            ("an enrolment that ends", {"coverages": (ENDS,)}, None, ("ready", later(4), "wrong_plan")),
            ("a birthday", {"birth_date": date(2008, 9, 15)}, None, ("likely_denial", date(2026, 9, 15), "ready")),
            ("the last day of a renewal", {"authorizations": (RENEWED,)}, _with(renewal=SAID),
             ("needs_documentation", later(10), "ready")),
        )
    ],
)  # fmt: skip
def test_the_day_of_another_outcome_is_told(
    parts: dict[str, Any], plan: Plan | None, answer: tuple[str, date, str]
) -> None:
    row = screened(changed(p001(), **parts), plan, within=90)
    assert (row.outcome, row.changes_on, row.changes_to) == answer
    days = (answer[1] - AS_OF).days
    assert screened(changed(p001(), **parts), plan, within=days - 1).changes_on is None


def test_one_born_on_29_february_turns_eighteen_on_1_march() -> None:
    given = tiny_world()
    leap = changed(
        p001(),
        birth_date=date(2008, 2, 29),
        observations=(Observation(id="o", test="hba1c", value=8.4, unit="%", date=date(2026, 2, 1)),),
    )
    panel = Panel(given.plans, given.drugs)
    row = next(iter(panel.screen(leap, "CASCADE-GOLD", date(2026, 2, 20))))
    assert (row.changes_on, row.changes_to) == (date(2026, 3, 1), "ready")


def test_a_stale_lab_is_what_a_new_one_would_mend() -> None:
    row = screened(changed(p002(), medications=p001().medications))
    assert (row.outcome, row.needs) == ("needs_documentation", ("lab:hba1c",))
    assert told(row.needs[0]) == "a new HbA1c"


def test_two_things_missing_are_not_one_thing_away() -> None:
    row = screened(changed(p002(), medications=None))
    assert (row.outcome, row.needs) == ("needs_documentation", ())


def test_a_lab_and_its_report_are_one_thing_to_bring() -> None:
    report = Required(id="report", text="the laboratory report", of="lab", test="hba1c", within=Period(90))
    row = screened(changed(p002(), medications=p001().medications), _with(documents=(report,)))
    assert row.needs == ("lab:hba1c",)


def test_a_lab_and_a_note_are_two() -> None:
    note = Required(id="note", text="a signed chart note", of="note", within=Period(90))
    row = screened(changed(p002(), medications=p001().medications), _with(documents=(note,)))
    assert row.needs == ()
    noted = changed(
        p002(), medications=p001().medications, notes=(Note(id="N1", date=AS_OF, text="Seen today."),)
    )
    assert screened(noted, _with(documents=(note,))).needs == ("lab:hba1c",)
    only_note = screened(p001(), _with(documents=(note,)))
    assert (only_note.outcome, only_note.needs) == ("needs_documentation", ("document:a signed chart note",))


def test_what_the_prescriber_has_to_state_is_named_by_its_topic() -> None:
    row = screened(p001(), _with(criteria=SAID))
    assert row.needs == ("statement:diet_exercise",)
    stated = Attestation(id="T1", topic="diet_exercise", present=True, date=AS_OF)
    assert screened(changed(p001(), attestations=(stated,)), _with(criteria=SAID)).outcome == "ready"


def test_an_approval_that_holds_is_shown_and_makes_it_a_renewal() -> None:
    held = Authorization(
        id="U1",
        plan_id="CASCADE-GOLD",
        drug="Ozempic",
        start=date(2025, 9, 10),
        end=AS_OF + timedelta(days=8),
    )
    other = msgspec.structs.replace(held, id="U2", plan_id="ELSEWHERE", end=date(2030, 1, 1))
    row = screened(changed(p001(), authorizations=(held, other)))
    assert (row.approved_until, row.kind) == (AS_OF + timedelta(days=8), "renewal")


def test_what_is_ordered_or_taken_is_told_from_what_nobody_asked_for() -> None:
    assert screened(p001()).asked == ""
    ordered = changed(p001(), orders=(Order(id="R1", drug="Ozempic"),))
    assert screened(ordered).asked == "ordered"
    taken = Medication(id="M9", drug="Ozempic", start=date(2026, 8, 1), status="active")
    assert screened(changed(p001(), medications=(*metformin(date(2025, 1, 1)), taken))).asked == "taken"


# --- what a need promises --------------------------------------------------------------------------------


def test_what_a_new_lab_or_statement_would_unlock_is_ready_once_it_is_in_the_chart() -> None:
    tried = 0
    for case in asked():
        panel = Panel([case.plan], _drugs(), within=0, only=frozenset({case.request.drug}))
        patient = _with_order(case)
        for row in panel.screen(patient, case.plan.id, case.as_of):
            for need in row.needs:
                kind, _, what = need.partition(":")
                if kind not in ("lab", "statement") or "+" in what:
                    continue
                charts = _brought(patient, kind, what, case.as_of)
                answers = {
                    _again(chart, case.plan, panel.drugs[row.drug], case.as_of).outcome for chart in charts
                }
                assert "ready" in answers, (patient.id, row.drug, need, answers)
                tried += 1
    assert tried > 10


def _brought(patient: Patient, kind: str, what: str, day: date) -> Iterable[Patient]:
    """The chart with that lab or statement, whatever it may say."""
    if kind == "lab":
        for value in (1.0, 3.0, 5.0, 6.0, 6.6, 7.0, 7.6, 8.1, 9.0, 11.0, 15.0, 22.0, 27.5, 31.0, 36.0, 41.0, 55.0,
                      75.0, 110.0, 140.0, 250.0):  # fmt: skip
            new = Observation(id="new", test=what, value=value, unit=_unit(what), date=day)
            kept = tuple(item for item in patient.observations if (item.test, item.date) != (what, day))
            yield changed(patient, observations=(*kept, new))
    for present in (True, False):
        for who in (("self",), ("self", "family")):
            said = Attestation(id="new", topic=what, present=present, subjects=who, date=day)
            kept_said = tuple(item for item in patient.attestations if item.topic != what)
            yield changed(patient, attestations=(*kept_said, said))


def _unit(test: str) -> str:
    from tools.terminology.observations import TESTS

    return TESTS[test].unit


def _again(patient: Patient, plan: Plan, drug: Drug, as_of: date) -> Determination:
    return determine(patient, plan, complete_request(patient, drug, Request(drug=drug.name)), as_of)


@pytest.mark.slow
@pytest.mark.parametrize("within", [0, 60])
def test_a_chart_that_was_screened_is_freed_without_the_collector(within: int) -> None:
    panel = Panel(tiny_world().plans, tiny_world().drugs, within=within)
    gc.collect()
    gc.disable()
    try:
        for patient in (changed(p001(), id="P424242"), changed(p002(), id="P424242")):
            list(panel.screen(patient, "CASCADE-GOLD", AS_OF))
        del patient
        assert not [item for item in gc.get_objects() if isinstance(item, Patient) and item.id == "P424242"]
    finally:
        gc.enable()
