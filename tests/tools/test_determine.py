"""Claims about the order of checks and what a request is completed with."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from tools.domain.records import (
    Authorization,
    Benefit,
    Coverage,
    Determination,
    Diagnosis,
    Drug,
    LabelIndication,
    Medication,
    Note,
    Observation,
    Order,
    Patient,
    Plan,
    Program,
    QuantityLimit,
    Request,
    StartingLimit,
    Strength,
)
from tools.domain.rules import AllOf, Change, Condition, Lab, Period, Required, Rule, Taking, Use
from tools.engine.alternatives import alternatives
from tools.engine.determine import determine
from tools.engine.request import complete_request

AS_OF = date(2026, 9, 1)
T2DM = Condition(id="t2dm", label="type 2 diabetes", codes=("E11",))
A1C = Lab(id="hba1c", test="hba1c", op=">=", value=7.0, unit="%", within=Period(90))
NO_GLP1 = Taking(id="duplicate", label="a GLP-1", classes=("glp1",))
RULE = Rule(
    id="R",
    indication="t2dm",
    criteria=AllOf(id="c", children=(T2DM, A1C)),
    exclusions=(NO_GLP1, Use(id="weight_only", uses=("weight",), label="weight only")),
    documents=(Required(id="note", text="a chart note", of="note", within=Period(90)),),
    renewal=AllOf(id="r", children=(Change(id="fall", test="hba1c", amount=1.0),)),
)
PEN = Strength(label="1 mg", dose=1.0, package="1 pen", quantity=3.0, days=28, ndc="0169-4130-13", doses=4)
OZEMPIC = Drug(
    name="Ozempic",
    generic="semaglutide",
    ingredients=("semaglutide",),
    classes=("glp1",),
    rxnorm="1991302",
    route="subcutaneous",
    unit="mL",
    per_day=0.142857,
    strengths=(msgspec.structs.replace(PEN, label="0.25 mg", dose=0.25, starting=True), PEN),
    indications=(
        LabelIndication(
            key="t2dm",
            text="type 2 diabetes",
            rule=Rule(id="label", indication="t2dm", criteria=AllOf(id="c", children=(T2DM,))),
        ),
    ),
)
LIMIT = QuantityLimit(quantity=3.0, unit="mL", days=28)


def plan(**benefit: Any) -> Plan:
    given = {"covered": True, "pa_required": True, "rules": (RULE,), "quantity_limit": LIMIT} | benefit
    return Plan(
        id="A",
        payer_id="a",
        payer="Payer A",
        name="A",
        line_of_business="commercial",
        channel="fax",
        benefits={"Ozempic": Benefit(drug="Ozempic", **given)},
    )


def chart(**fields: Any) -> Patient:
    given: dict[str, Any] = {
        "coverages": (Coverage(id="cov-1", plan_id="A", start=date(2026, 1, 1)),),
        "conditions": (Diagnosis(id="dx-1", code="E11.9"),),
        "observations": (Observation(id="obs-1", test="hba1c", value=8.4, unit="%", date=date(2026, 8, 1)),),
        "medications": (),
        "notes": (Note(id="note-1", date=date(2026, 8, 15), text="seen"),),
    }
    return Patient(id="P001", **(given | fields))


def decided(patient: Patient, rules: Plan | None = None, **request: Any) -> Determination:
    asked = complete_request(patient, OZEMPIC, Request(drug="Ozempic", **request))
    return determine(patient, rules or plan(), asked, AS_OF)


ON_IT = Medication(
    id="med-1",
    drug="Ozempic",
    ingredients=("semaglutide",),
    classes=("glp1",),
    start=date(2026, 2, 1),
    status="active",
)
APPROVED = Authorization(
    id="auth-1", plan_id="A", drug="Ozempic", start=date(2026, 2, 1), end=date(2026, 9, 30)
)
A1CS = (
    Observation(id="obs-1", test="hba1c", value=8.4, unit="%", date=date(2026, 1, 20)),
    Observation(id="obs-2", test="hba1c", value=6.9, unit="%", date=date(2026, 8, 1)),
)
RENEWING = chart(medications=(ON_IT,), authorizations=(APPROVED,), observations=A1CS)


WEGOVY = Medication(
    id="med-1", drug="Wegovy", ingredients=("semaglutide",), classes=("glp1",), status="active"
)
ENDED = Coverage(id="cov-1", plan_id="A", end=date(2026, 8, 31))
LAST_DAY = Coverage(id="cov-1", plan_id="A", start=AS_OF, end=AS_OF)
TWICE = {"quantity": 6.0, "days_supply": 28}
BY_LAW = {"weight": "Part D does not cover weight loss"}
FREE = plan(pa_required=False, rules=())


@pytest.mark.parametrize(
    ("patient", "rules", "request_", "answer"),
    [
        pytest.param(patient, rules, request, answer, id=claim)
        for claim, patient, rules, request, answer in (
            ("all met and documented is ready", chart(), plan(), {}, "ready"),
            ("on the last day of a period, too", chart(coverages=(LAST_DAY,)), plan(), {}, "ready"),
            ("nobody enrolled is the wrong plan", chart(coverages=()), plan(), {}, "wrong_plan eligibility"),
            ("the formulary before criteria", chart(conditions=()), plan(covered=False), {}, "not_covered formulary"),
            ("without PA no criterion is checked", chart(conditions=()), FREE, {}, "not_required"),
            ("but the quantity", chart(), FREE, TWICE, "quantity_exception"),
            ("a benefit exclusion of the use is not covered", chart(), plan(excluded_uses=BY_LAW),
             {"indication": "weight"}, "not_covered benefit"),
            ("one of the rule is a denial", chart(), plan(), {"indication": "weight"}, "likely_denial exclusion"),
            ("a use that no rule knows is not covered", chart(), plan(), {"indication": "osa"}, "not_covered"),
            ("a proven exclusion before open criteria", chart(medications=(WEGOVY,), observations=()), plan(), {},
             "likely_denial exclusion"),
            ("not met beats unknown", chart(conditions=(), observations=()), plan(), {}, "likely_denial"),
            ("unknown criteria before the quantity", chart(observations=()), plan(), TWICE, "needs_documentation"),
            ("the quantity before documents", chart(notes=()), plan(), TWICE, "quantity_exception"),
            ("documents come last", chart(notes=()), plan(), {}, "needs_documentation documents"),
            ("84 days may have three times as much", chart(), plan(), {"quantity": 9.0, "days_supply": 84}, "ready"),
            ("83 may not", chart(), plan(), {"quantity": 9.0, "days_supply": 83}, "quantity_exception"),
        )
    ],
)  # fmt: skip
def test_checks_come_in_their_order(
    patient: Patient, rules: Plan, request_: dict[str, Any], answer: str
) -> None:
    found = decided(patient, rules, **request_)
    outcome, _, stopped_by = answer.partition(" ")
    assert (found.outcome, found.stopped_by if stopped_by else "") == (outcome, stopped_by)
    assert outcome != "ready" or all(finding.status == "met" for finding in found.findings)
    assert decided(patient, rules, **request_) == found, "a function of its arguments"


def test_what_is_neither_ordered_nor_taken_waits_for_an_order() -> None:
    ordered = chart(orders=(Order(id="ord-1", drug="Ozempic", date=AS_OF),))
    asked = [
        "order_drug" in [step.code for step in decided(*one).actions]
        for one in ((chart(),), (chart(), FREE), (chart(observations=()),), (ordered,), (RENEWING,))
    ]
    assert asked == [True, True, True, False, False]


def test_who_is_enrolled_elsewhere_is_to_be_checked_there() -> None:
    found = decided(chart(coverages=(ENDED, Coverage(id="cov-2", plan_id="B", start=AS_OF))))
    assert (found.outcome, found.stopped_by) == ("wrong_plan", "eligibility")
    assert "Check again under B" in found.next_actions[0]


def test_papers_for_a_criterion_are_asked_for_only_where_the_case_relies_on_it() -> None:
    claims = Required(id="fills", of="fills", for_criterion="hba1c")
    rules = plan(rules=(msgspec.structs.replace(RULE, documents=(claims,)),))
    assert decided(chart(), rules).stopped_by == "documents"
    renewal = decided(RENEWING, rules)
    assert renewal.outcome == "ready" and not [f for f in renewal.findings if f.criterion == "fills"]


def paper_status(wanted: Required, **fields: Any) -> tuple[str, str | None]:
    rules = plan(rules=(msgspec.structs.replace(RULE, documents=(wanted,)),))
    found = next(f for f in decided(chart(**fields), rules).findings if f.criterion == wanted.id)
    return found.status, found.reason


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2025, 9, 1), None, ("met", None)),
        (date(2025, 9, 1), date(2026, 12, 1), ("met", None)),
        (date(2025, 1, 1), date(2025, 9, 1), ("unknown", "stale")),
        (date(2026, 9, 2), None, ("unknown", "ambiguous")),
        (None, date(2026, 8, 22), ("unknown", "missing")),
    ],
)
def test_a_program_s_record_is_dated_by_its_running_and_not_by_its_first_day(
    start: date | None, end: date | None, expected: tuple[str, str | None]
) -> None:
    record = Required(id="record", of="programme", within=Period(180))
    assert paper_status(record, programs=(Program(id="g-1", start=start, end=end),)) == expected


@pytest.mark.parametrize(
    ("unit", "day", "expected"),
    [
        ("%", date(2026, 8, 1), ("met", None)),
        (None, date(2026, 8, 1), ("unknown", "unit")),
        ("furlongs", date(2026, 8, 1), ("unknown", "unit")),
        ("%", None, ("unknown", "missing")),
        ("%", date(2026, 1, 1), ("unknown", "stale")),
    ],
)
def test_a_void_entry_is_no_report(
    unit: str | None, day: date | None, expected: tuple[str, str | None]
) -> None:
    report = Required(id="report", of="lab", test="hba1c", within=Period(90))
    entry = Observation(id="obs-1", test="hba1c", value=8.4, unit=unit, date=day)
    assert paper_status(report, observations=(entry,)) == expected


@pytest.mark.parametrize("limit", [LIMIT, None])
def test_a_starting_strength_is_covered_for_its_days_and_no_more(limit: QuantityLimit | None) -> None:
    starting = StartingLimit(days=28, clause_id="3.2", quote="0.25 mg is a starting strength: 28 days.")
    rules = plan(starting_limits={"0.25 mg": starting}, quantity_limit=limit)
    assert decided(chart(), rules, strength="0.25 mg").outcome == "ready"
    over = decided(chart(), rules, strength="0.25mg", quantity=6.0, days_supply=56)
    assert (over.outcome, over.request.strength) == ("quantity_exception", "0.25 mg")
    finding = next(f for f in over.findings if f.criterion == "quantity")
    assert (finding.text, finding.clause and finding.clause.clause_id) == (
        "at most 28 days of therapy",
        "3.2",
    )
    assert "next strength" in (finding.fix or "")
    assert decided(chart(), rules, strength="1 mg", quantity=6.0, days_supply=56).outcome == "ready"


def test_a_renewal_is_judged_by_its_own_tree_from_the_baseline() -> None:
    found = decided(RENEWING)
    assert (found.request.kind, found.outcome) == ("renewal", "ready")
    elsewhere = decided(chart(medications=(ON_IT,), observations=A1CS))
    assert (elsewhere.request.kind, elsewhere.outcome) == ("continuation", "likely_denial")


def test_therapy_that_goes_on_began_when_it_did_even_if_it_is_asked_for_as_new() -> None:
    before = Lab(id="bmi", test="bmi", op=">=", value=30.0, unit="kg/m2", at="baseline")
    rules = plan(
        rules=(msgspec.structs.replace(RULE, criteria=AllOf(id="c", children=(before,)), exclusions=()),)
    )
    bmi = (
        Observation(id="obs-1", test="bmi", value=31.2, unit="kg/m2", date=date(2026, 1, 20)),
        Observation(id="obs-2", test="bmi", value=26.1, unit="kg/m2", date=date(2026, 8, 1)),
    )
    found = decided(chart(medications=(ON_IT,), observations=bmi), rules, kind="new")
    assert (found.request.kind, found.request.therapy_start) == ("new", date(2026, 2, 1))
    assert found.outcome == "ready"
    ended = msgspec.structs.replace(ON_IT, end=date(2026, 5, 1), status="stopped")
    anew = decided(chart(medications=(ended,), observations=bmi), rules, kind="new")
    assert (anew.request.therapy_start, anew.outcome) == (None, "likely_denial")


def test_the_best_of_several_indications_is_reported_with_its_name() -> None:
    other = msgspec.structs.replace(RULE, id="R2", indication="cv", criteria=AllOf(id="c", children=(A1C,)))
    found = decided(chart(conditions=()), plan(rules=(RULE, other)))
    assert (found.outcome, found.indication) == ("ready", "cv")
    assert (
        decided(chart(conditions=()), plan(rules=(RULE, other)), indication="t2dm").outcome == "likely_denial"
    )


def test_a_renewal_that_names_no_use_renews_the_use_that_was_approved() -> None:
    fell = AllOf(id="r", children=(Change(id="fall", test="hba1c", amount=9.0),))
    approved = msgspec.structs.replace(RULE, renewal=fell)
    never = msgspec.structs.replace(RULE, id="R2", indication="cv", renewal=AllOf(id="r", children=(A1C,)))
    rules = plan(rules=(approved, never))
    high = (*A1CS[:1], msgspec.structs.replace(A1CS[1], value=7.6))
    untold = chart(medications=(ON_IT,), authorizations=(APPROVED,), observations=high)
    assert decided(untold, rules).indication == "cv"  # an approval that names no use leaves every use open
    held = msgspec.structs.replace(APPROVED, indication="t2dm")
    told = msgspec.structs.replace(untold, authorizations=(held,))
    assert (decided(told, rules).indication, decided(told, rules).outcome) == ("t2dm", "likely_denial")
    assert decided(told, rules, indication="cv").outcome == "ready"
    gone = msgspec.structs.replace(held, indication="osa")  # no rule of today's covers it
    anew = decided(msgspec.structs.replace(untold, authorizations=(gone,)), rules)
    assert (anew.request.kind, anew.indication) == ("continuation", "t2dm")


def approved_until(*ends: date, use: str = "") -> Patient:
    held = (
        msgspec.structs.replace(APPROVED, start=end.replace(year=end.year - 1), end=end, indication=use)
        for end in ends
    )
    return chart(medications=(ON_IT,), observations=A1CS, authorizations=tuple(held))


def test_an_approval_is_renewed_until_day_180_after_its_end() -> None:
    assert decided(approved_until(date(2026, 3, 5))).request.kind == "renewal"
    late = decided(approved_until(date(2026, 3, 4)))
    assert (late.request.kind, late.request.lapsed) == ("continuation", date(2026, 3, 4))
    assert "as a new start (the last approval ended on 2026-03-04)" in late.summary
    assert decided(approved_until(date(2026, 3, 4)), kind="renewal").request.kind == "renewal"  # who says so


def test_a_plan_has_days_of_its_own_after_an_approval_s_end() -> None:
    never = msgspec.structs.replace(plan(), renewal_gap_days=0)
    assert decided(approved_until(AS_OF), never).request.kind == "renewal"
    assert decided(approved_until(date(2026, 8, 31)), never).request.kind == "continuation"


def test_an_approval_for_another_use_is_not_renewed() -> None:
    held = approved_until(date(2026, 9, 30), use="t2dm")
    assert decided(held, indication="t2dm").request.kind == "renewal"
    assert decided(held, indication="cv").request.kind == "continuation"


def test_what_was_approved_before_a_new_start_no_longer_counts() -> None:
    on_end = decided(approved_until(date(2024, 3, 5), date(2025, 3, 5), date(2026, 3, 5)))
    assert len(on_end.request.approvals) == 3
    broken = decided(approved_until(date(2023, 3, 5), date(2024, 3, 5), date(2026, 3, 5)))
    assert broken.request.approvals == (date(2025, 3, 5),)


def test_a_request_is_completed_from_the_order_then_from_the_label() -> None:
    order = Order(id="order-1", drug="Ozempic", strength="1 mg", quantity=2, unit="pens", days_supply=28)
    asked = complete_request(chart(orders=(order,)), OZEMPIC, Request(drug="Ozempic"))
    assert (asked.strength, asked.quantity, asked.unit, asked.days_supply) == ("1 mg", 6.0, "mL", 28)
    plain = complete_request(chart(), OZEMPIC, Request(drug="Ozempic"))
    assert (plain.strength, plain.quantity, plain.days_supply) == ("0.25 mg", 3.0, 28)
    said = complete_request(chart(orders=(order,)), OZEMPIC, Request(drug="Ozempic", quantity=3.0))
    assert said.quantity == 3.0


def test_alternatives_are_met_today_and_serve_the_same_indication() -> None:
    rybelsus = msgspec.structs.replace(OZEMPIC, name="Rybelsus")
    free = Benefit(drug="Rybelsus", covered=True, tier=3, copay="$45", indications=("t2dm",))
    rules = plan()
    rules = msgspec.structs.replace(rules, benefits={**rules.benefits, "Rybelsus": free})
    asked = complete_request(chart(), OZEMPIC, Request(drug="Ozempic"))
    offered = alternatives(chart(observations=()), rules, asked, AS_OF, (OZEMPIC, rybelsus))
    assert [(item.drug, item.outcome, item.tier) for item in offered] == [("Rybelsus", "not_required", 3)]
    without = chart(conditions=())
    assert alternatives(without, rules, asked, AS_OF, (OZEMPIC, rybelsus)) == ()
