"""What a payer may ask beside the newest value: each in YAML, in ten payers' words and back, and judged on a chart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.catalog_loader import load_catalog, our_catalog
from data_gen.policies import Paper, print_policy
from data_gen.world import Order, generate
from evals.oracle import read_policy
from evals.oracle.chart import Stretch
from evals.oracle.reading import Row, read_sentence
from tests.judging import AS_OF, found
from tools.common.errors import Invalid
from tools.domain.records import Request
from tools.domain.rules import Lab, Node, Period, Required, Rule
from tools.engine.criteria import compiled_criteria
from tools.rulebook.located import parse_yaml
from tools.rulebook.plain import describe
from tools.rulebook.policy_rules import read_rules, stated
from tools.rulebook.prose import bare
from tools.rulebook.rule_yaml import Reader
from tools.store import Store
from tools.store.load import load
from tools.terminology import observations
from tools.terminology.conditions import CONCEPTS
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS

HOUSES = our_catalog().houses


def rule(criterion: str, more: str = "") -> Rule:
    """A rule of this one criterion, as it is written in a catalog."""
    text = f"indication: t2dm\ncriteria:\n  - {criterion}\n{more}"
    return Reader(drugs=our_catalog().drugs).rule(parse_yaml(text, "rule.yaml"), "r")


def leaf(criterion: str) -> Any:
    return rule(criterion).criteria.children[0]


def status(criterion: str, chart: str = "", **request: Any) -> str:
    return found(leaf(criterion), chart, **request).status


def read_by_the_oracle(node: Node) -> list[Row]:
    """What the oracle makes of the sentence of each house."""
    return [read_sentence("1", house.phrases.clause(node), "") for house in HOUSES.values()]


def says_the_same_in_every_house(node: Any) -> None:
    for house in HOUSES.values():
        if isinstance(node, Required):
            assert house.phrases.read_document(house.phrases.clause(node)) == bare(node)
            continue
        assert house.phrases.read(house.phrases.clause(node)) == bare(node)
        assert house.phrases.question(node)
    assert describe(node)


# --- periods ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "first"),
    [
        (Period(90), date(2026, 6, 3)),
        (Period(12, "weeks"), date(2026, 6, 9)),
        (Period(6, "months"), date(2026, 3, 1)),
        (Period(10_000, "months"), date(1193, 5, 1)),
        (Period(99_999, "months"), date.min),
    ],
)
def test_a_window_begins_so_many_days_weeks_or_calendar_months_before(period: Period, first: date) -> None:
    assert period.before(AS_OF) == first


@given(
    st.builds(Period, st.integers(0, 40), st.sampled_from(["days", "weeks", "months"])),
    st.dates(date(2000, 1, 1), date(2030, 1, 1)),
)
def test_a_windows_last_day_is_included_and_the_next_is_not(period: Period, day: date) -> None:
    last = period.last(day)
    assert period.before(last) <= day < period.before(date.fromordinal(last.toordinal() + 1))


@pytest.mark.parametrize(("day", "expected"), [("2026-03-01", "met"), ("2026-02-28", "unknown")])
def test_within_six_months_counts_the_calendars_months(day: str, expected: str) -> None:
    assert status("hba1c >= 7.0 % within 6 months", f"labs: {{hba1c: 8 % on {day}}}") == expected


def test_a_window_is_written_in_any_of_three_ways() -> None:
    days = leaf("{lab: hba1c >= 7.0, within_days: 84}")
    assert leaf("{lab: hba1c >= 7.0, within: 84 days}") == leaf("hba1c >= 7.0 % within 84 days") == days
    weeks = leaf("{lab: hba1c >= 7.0, within: 12 weeks}")
    assert isinstance(weeks, Lab) and weeks.within == Period(12, "weeks")


@pytest.mark.parametrize(
    ("criterion", "says"),
    [
        ("{attested: adherent, within: soon}", "within needs a number of days, weeks or months"),
        ("{attested: adherent, within: 3 years}", "within needs a number of days, weeks or months"),
        ("{attested: adherent, within: 3 days, within_days: 3}", "within and within_days say the same"),
        ("{measured: [weight]}", "say how old they may be"),
        ("{program: long}", "program needs a number of days, weeks or months"),
    ],
)
def test_a_window_that_cannot_be_read_is_refused(criterion: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        rule(criterion)


@pytest.mark.parametrize(
    "criterion",
    [
        "hba1c >= 7.0 % within 6 months",
        "bmi >= 30 at baseline within 12 weeks",
        "{measured: [height, weight], within: 3 months}",
        "{attested: adherent, within: 2 weeks}",
        "{program: 12 weeks, within: 2 months}",
        "{change: weight, percent: 5, within: 3 months}",
        "{condition: t2dm, within: 24 months}",
    ],
)
def test_what_was_written_is_what_is_printed(criterion: str) -> None:
    node = leaf(criterion)
    says_the_same_in_every_house(node)
    assert f"within {node.within}" in describe(node)
    for row in read_by_the_oracle(node):
        assert row.window == Stretch(node.within.count, node.within.unit.removesuffix("s")), row.text


def test_a_documents_window_may_be_of_months() -> None:
    (paper,) = rule("age >= 18", "documents: [{document: note, within: 6 months}]").documents
    says_the_same_in_every_house(paper)
    assert describe(paper) == "signed chart note within 6 months"


def test_a_program_of_twelve_weeks_may_be_asked_for() -> None:
    criterion = "{program: 12 weeks}"
    assert status(criterion, "programs: [2026-06-09 to 2026-09-01]") == "met"
    assert status(criterion, "programs: [2026-06-10 to 2026-09-01]") == "not_met"
    assert [row.least for row in read_by_the_oracle(leaf(criterion))] == [Stretch(12, "week")] * 10


# --- which readings --------------------------------------------------------------------------------------

THREE = "labs: {hba1c: [8.1 % on 2026-05-02, 6.4 % on 2026-07-01, 6.8 % on 2026-08-20]}"


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ("hba1c >= 7.0 % within 6 months", "not_met"),
        ("any hba1c >= 7.0 % within 6 months", "met"),
        ("any hba1c >= 7.0 % within 90 days", "not_met"),
        ("highest hba1c <= 8.1 % within 6 months", "met"),
        ("highest hba1c < 8.1 % within 6 months", "not_met"),
        ("lowest hba1c >= 6.4 % within 6 months", "met"),
        ("lowest hba1c >= 6.5 % within 6 months", "not_met"),
        ("{lab: hba1c >= 6.5 % within 6 months, readings: 2}", "met"),
        ("{lab: hba1c >= 7.0 % within 6 months, readings: 2}", "not_met"),
        ("{lab: hba1c >= 6.5 % within 6 months, readings: 4}", "unknown"),
        ("any hba1c >= 7.0 % within 5 days", "unknown"),
    ],
)
def test_any_highest_lowest_or_several_readings_of_the_window(criterion: str, expected: str) -> None:
    assert status(criterion, THREE) == expected


def test_two_readings_of_one_day_are_one() -> None:
    twice = "labs: {hba1c: [8.1 % on 2026-08-01, 8.0 % on 2026-08-01]}"
    finding = found(leaf("{lab: hba1c >= 7.0 %, readings: 2}"), twice)
    assert (finding.status, finding.reason) == ("unknown", "missing")
    assert finding.fix == "Obtain another HbA1c: 2 of different days are asked for"


def test_a_day_whose_values_disagree_decides_nothing_by_itself() -> None:
    apart = "labs: {hba1c: [7.1 % on 2026-08-01, 6.9 % on 2026-08-01, 7.2 % on 2026-07-01]}"
    assert found(leaf("any hba1c >= 7.0 % within 40 days"), apart).reason == "conflict"
    assert status("any hba1c >= 7.0 % within 90 days", apart) == "met"
    assert found(leaf("lowest hba1c >= 7.0 %"), apart).reason == "conflict"


def test_a_value_without_a_unit_may_be_the_one_that_is_missing() -> None:
    chart = "labs: [{test: hba1c, value: 9, date: 2026-07-01}, {test: hba1c, value: 6, unit: '%', date: 2026-08-01}]"
    assert found(leaf("any hba1c >= 7.0 %"), chart).reason == "unit"
    assert status("lowest hba1c < 7.0 %", chart) == "met"
    assert found(leaf("lowest hba1c >= 5.0 %"), chart).reason == "unit"


@pytest.mark.parametrize("where", ["", " within 6 months", " at baseline", " at baseline within 90 days"])
@pytest.mark.parametrize("reading", ["any", "highest", "lowest", "several"])
def test_which_readings_are_meant_is_printed(reading: str, where: str) -> None:
    line = f"hba1c >= 7.0 %{where} rounded to tenths"
    node = leaf(f"{{lab: {line}, readings: 3}}" if reading == "several" else f"{reading} {line}")
    says_the_same_in_every_house(node)
    for row in read_by_the_oracle(node):
        assert (row.which, row.results) == (("latest", 3) if reading == "several" else (reading, 1)), row.text
        assert (row.sign, row.value, row.at_start, row.rounded) == (
            ">=",
            Decimal(7),
            "baseline" in where,
            True,
        ), row.text


def test_readings_go_without_a_reading() -> None:
    with pytest.raises(Invalid, match="readings is 2 or more"):
        rule("{lab: any hba1c >= 7, readings: 2}")


@pytest.mark.parametrize("op", [">=", ">", "<=", "<"])
def test_the_oracle_reads_every_operator_of_every_house(op: str) -> None:
    for row in read_by_the_oracle(leaf(f"any hba1c {op} 7.1 % within 6 months")):
        assert (row.sign, row.value) == (op, Decimal("7.1")), row.text
    for row in read_by_the_oracle(leaf(f"age {op} 18")):
        assert (row.kind, row.sign, row.value) == ("age", op, Decimal(18)), row.text


# --- a result after a trial ------------------------------------------------------------------------------

AFTER = "{lab: hba1c >= 7.0 %, after: metformin, for: 90 days}"


@pytest.mark.parametrize(
    ("measured", "course", "expected"),
    [
        ("2026-05-01", "2026-01-31 to 2026-07-01", "met"),
        ("2026-05-01", "2026-01-31 to 2026-05-01", "met"),
        ("2026-05-01", "2026-02-01 to 2026-07-01", "unknown"),  # day 89: the one of day 90 is missing
        ("2026-05-01", "2026-01-31 to 2026-03-01", "not_met"),  # no course was long enough
        ("2026-05-01", "since 2026-06-15", "not_met"),
    ],
)
def test_a_result_counts_from_the_day_on_which_the_trial_had_lasted(
    measured: str, course: str, expected: str
) -> None:
    chart = f"labs: {{hba1c: 7.5 % on {measured}}}, medications: ['metformin 500 mg bid, {course}']"
    assert status(AFTER, chart) == expected


def test_a_lab_may_name_a_trial_of_its_rule() -> None:
    text = "{trial: metformin, days: 60}\n  - {lab: hba1c >= 7.0 %, after: metformin_trial}"
    named = rule(text).criteria.children[1]
    written = leaf("{lab: hba1c >= 7.0 %, after: metformin, for: 60 days}")
    assert bare(named) == bare(written)
    with pytest.raises(
        Invalid, match="unknown trial of this rule in 'after' 'metformn_trial'; did you mean metf"
    ):
        rule(text.replace("after: metformin", "after: metformn"))


def test_a_medicine_that_nobody_knows_may_be_the_trial() -> None:
    chart = "labs: {hba1c: 7.5 % on 2026-08-01}, medications: ['zorbulin 500 mg bid, since 2026-01-01']"
    assert found(leaf(AFTER), chart).reason == "unrecognised"


@pytest.mark.parametrize("where", ["", ", within: 6 months", ", readings: 2, rounded: tenths"])
def test_after_which_treatment_is_printed(where: str) -> None:
    node = leaf(f"{{lab: hba1c >= 7.0 %, after: [metformin, any sulfonylurea], for: 12 weeks{where}}}")
    says_the_same_in_every_house(node)
    assert "measured after at least 12 weeks of metformin or any sulfonylurea" in describe(node)
    for row in read_by_the_oracle(node):
        assert (row.treated, row.drugs, row.classes) == (
            Stretch(12, "week"),
            ("metformin",),
            ("sulfonylurea",),
        )
        assert (row.kind, row.sign, row.value) == ("value", ">=", Decimal(7)), row.text


# --- change since the last renewal -----------------------------------------------------------------------

SINCE = "{change: weight, percent: 5, since: renewal, within: 90 days}"
WEIGHED = "labs: {weight: [100 kg on 2026-01-31, 95 kg on 2026-08-20]}"


def test_a_change_since_the_last_approval_is_counted_from_its_first_day() -> None:
    approvals = (date(2025, 2, 1), date(2026, 2, 1))
    assert status(SINCE, WEIGHED, approvals=approvals) == "met"
    assert status(SINCE, WEIGHED, approvals=approvals[:1]) == "unknown"  # nothing was measured by then


def test_without_an_approval_on_record_the_change_is_unknown() -> None:
    finding = found(leaf(SINCE), WEIGHED, therapy_start=date(2026, 2, 1))
    assert (finding.status, finding.reason) == ("unknown", "missing")
    assert finding.fix == "Record the plan's last approval with its dates"


def test_since_when_a_change_is_counted_is_printed() -> None:
    node = leaf(SINCE)
    says_the_same_in_every_house(node)
    assert describe(node) == "body weight fall of at least 5 % since the last approval within 90 days"
    for row in read_by_the_oracle(node):
        assert (row.kind, row.value, row.since_approval, row.window) == (
            "change",
            Decimal(5),
            True,
            Stretch(90),
        ), row.text


# --- first and later renewals ----------------------------------------------------------------------------

LATER = "renewal: [{change: weight, percent: 5}]\nlater_renewal: [attested: adherent]\n"


@pytest.mark.parametrize(
    ("kind", "approvals", "expected"),
    [
        ("new", 0, "age"),
        ("renewal", 0, "weight_change"),
        ("renewal", 1, "weight_change"),
        ("renewal", 2, "adherent"),
    ],
)
def test_a_later_renewal_asks_its_own_criteria(kind: Any, approvals: int, expected: str) -> None:
    asked = Request(drug="Ozempic", kind=kind, approvals=(date(2025, 1, 1),) * approvals)
    criteria, _ = compiled_criteria(rule("age >= 18", LATER), asked)
    assert [ready.criterion for ready in criteria] == [expected]


def test_a_rule_without_later_criteria_asks_the_same_at_each_renewal() -> None:
    plain = rule("age >= 18", "renewal: [attested: adherent]\n")
    assert plain.criteria_of("renewal", 3) is plain.criteria_of("renewal", 1) is plain.renewal


def test_later_criteria_without_a_renewal_are_refused() -> None:
    with pytest.raises(Invalid, match="later_renewal goes with a renewal"):
        rule("age >= 18", "later_renewal: [attested: adherent]\n")


@pytest.mark.parametrize("plan", HOUSES)
def test_both_kinds_of_renewal_are_printed_and_read_back(plan: str) -> None:
    catalog = our_catalog()
    source, drug = catalog.plans["CASCADE-GOLD"], catalog.drugs["Ozempic"]
    benefit = msgspec.structs.replace(source.benefits["Ozempic"], rules=(rule("age >= 18", LATER),))
    paper = Paper("1", date(2025, 1, 1), None, (), (), ("Appeal.",))
    printed = print_policy(source, benefit, drug, paper, HOUSES[plan])
    said = read_rules(printed.policy, HOUSES[plan])["t2dm"]
    assert said == stated(printed.benefit.rules[0])
    assert said.later_renewal and said.renewal and said.later_renewal != said.renewal
    table = read_policy(printed.policy.text)
    assert [row.kind for row in table.later["t2dm"]] == ["statement"]
    assert [row.kind for row in table.renewal["t2dm"]] == ["change"]


# --- how long a diagnosis has stood, and whose it is ----------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("[E11.9 since 2026-03-01]", "met"),
        ("[E11.9 since 2026-03-02]", "not_met"),
        ("[E11.9]", "unknown"),
        ("[E11.9, E11.65 since 2026-08-01]", "unknown"),
        ("[E11.9 since 2026-08-01, E11.65 since 2020-01-01]", "met"),
        ("[]", "not_met"),
    ],
)
def test_a_diagnosis_stands_since_its_earliest_onset(conditions: str, expected: str) -> None:
    assert status("{condition: t2dm, for: 6 months}", f"conditions: {conditions}") == expected


def test_when_it_will_have_stood_is_said() -> None:
    finding = found(leaf("{condition: t2dm, for: 6 months}"), "conditions: [E11.9 since 2026-03-02]")
    assert finding.fix == "type 2 diabetes will have stood for 6 months on 2026-09-02"


def test_how_long_it_must_stand_is_printed_and_asked() -> None:
    node = leaf("{condition: t2dm, for: 12 weeks, within: 24 months}")
    says_the_same_in_every_house(node)
    assert describe(node) == "type 2 diabetes for at least 12 weeks within 24 months"
    for house in HOUSES.values():
        assert "known for at least 12 weeks" in house.phrases.question(node)
    for row in read_by_the_oracle(node):
        assert (row.kind, row.least, row.window) == ("condition", Stretch(12, "week"), Stretch(24, "month"))


@pytest.mark.parametrize(
    ("relation", "first", "second"),
    [
        ("mother", "met", "met"),
        ("Brother", "met", "met"),
        ("maternal aunt", "not_met", "met"),
        ("half-sister", "not_met", "met"),
        ("cousin", "not_met", "not_met"),
        ("stepmother", "not_met", "not_met"),
        ("relative", "unknown", "unknown"),
        ("family member", "unknown", "unknown"),
    ],
)
def test_only_relatives_of_the_degree_count(relation: str, first: str, second: str) -> None:
    chart = f"conditions: [], family_history: ['{relation}: hypertension']"
    assert status("{condition: hypertension, who: family, degree: first}", chart) == first
    assert status("{condition: hypertension, who: family, degree: second}", chart) == second
    own_blood = "not_met" if relation == "stepmother" else "met"
    assert status("{condition: hypertension, who: family}", chart) == own_blood


def test_the_degree_is_printed() -> None:
    for degree, number in (("first", 1), ("second", 2)):
        node = leaf(f"{{condition: hypertension, who: [self, family], degree: {degree}}}")
        says_the_same_in_every_house(node)
        assert [row.degree for row in read_by_the_oracle(node)] == [number] * 10
        assert all(row.family for row in read_by_the_oracle(node))
    with pytest.raises(Invalid, match="a degree is one of the family"):
        rule("{condition: hypertension, degree: first}")


# --- programs and consultations --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "sessions", "ongoing"),
    [
        ("{start: 2026-01-01, end: 2026-08-01, sessions: 8}", "met", "not_met"),
        ("{start: 2026-01-01, sessions: 7}", "not_met", "met"),
        ("{start: 2026-01-01}", "unknown", "met"),
        ("{start: 2026-01-01, status: completed, sessions: 8}", "unknown", "unknown"),
        ("{start: 2026-01-01, end: 2026-09-02, status: ongoing, sessions: 8}", "met", "met"),
        ("{start: 2026-08-01, sessions: 8}", "not_met", "not_met"),
    ],
)
def test_sessions_and_going_on_are_asked_of_a_program(program: str, sessions: str, ongoing: str) -> None:
    assert status("{program: 6 months, sessions: 8}", f"programs: [{program}]") == sessions
    assert status("{program: 6 months, ongoing: true}", f"programs: [{program}]") == ongoing


def test_sessions_and_going_on_are_printed_and_asked() -> None:
    node = leaf("{program: 12 weeks, within: 2 months, sessions: 8, ongoing: true}")
    says_the_same_in_every_house(node)
    assert describe(node).endswith("12 weeks ended within 2 months, at least 8 sessions, still going on")
    for row in read_by_the_oracle(node):
        assert (row.least, row.sessions, row.going_on) == (Stretch(12, "week"), 8, True), row.text
        assert row.window == Stretch(2, "month")
    for house in HOUSES.values():
        assert "at least 8 of its sessions" in house.phrases.question(node)


def consult(specialty: str, day: str = "2026-08-01", **more: Any) -> str:
    fields = {"title": "Letter", "of": "consult", "specialty": specialty, "date": day, **more}
    return "documents: [{" + ", ".join(f"{key}: {value}" for key, value in fields.items() if value) + "}]"


@pytest.mark.parametrize(
    ("chart", "expected", "reason"),
    [
        (consult("endocrinology", "2025-09-01"), "met", None),
        (consult("Endocrinologist"), "met", None),
        (consult("endocrinology", "2025-08-31"), "unknown", "stale"),
        (consult("cardiology"), "unknown", "missing"),
        (consult(""), "unknown", "ambiguous"),
        (consult("endocrinology", ""), "unknown", "ambiguous"),
        (consult("endocrinology", status="draft"), "unknown", "missing"),
        ("attestations: {specialist_consult: stated}", "unknown", "ambiguous"),
        ("prescriber: endocrinology", "met", None),
        (
            "attestations: [{topic: specialist_consult, present: true, date: 2026-08-01, specialty: endocrinology}]",
            "met",
            None,
        ),
        (
            "attestations: [{topic: specialist_consult, present: false, date: 2026-08-02}], "
            + consult("endocrinology"),
            "unknown",
            "missing",
        ),
    ],
)
def test_a_consultation_is_of_its_specialty_and_window(chart: str, expected: str, reason: str | None) -> None:
    finding = found(leaf("{specialist: endocrinology, within: 12 months}"), chart)
    assert (finding.status, finding.reason) == (expected, reason)


def test_a_denied_consultation_fails_only_a_prescriber_whose_specialty_is_known() -> None:
    denied = "attestations: {specialist_consult: denied}"
    assert status("specialist: endocrinology", denied) == "unknown"
    assert status("specialist: endocrinology", f"{denied}, prescriber: family medicine") == "not_met"


def test_the_prescribers_own_specialty_may_not_be_enough() -> None:
    criterion = "{specialist: endocrinology, prescriber: false}"
    assert status(criterion, "prescriber: endocrinology") == "unknown"
    assert describe(leaf(criterion)) == "in consultation with endocrinology"


def test_which_consultations_count_is_printed() -> None:
    node = leaf("{specialist: [endocrinology, nephrology], within: 12 months, prescriber: false}")
    says_the_same_in_every_house(node)
    for row in read_by_the_oracle(node):
        assert (row.kind, set(row.specialties)) == ("specialist", {"endocrinology", "nephrology"}), row.text
        assert (row.window, row.only_consults) == (Stretch(12, "month"), True)
    with pytest.raises(Invalid, match="unknown specialty 'endocrinolgy'; did you mean endocrinology"):
        rule("specialist: endocrinolgy")


# --- BMI percentile, statements, own terms -----------------------------------------------------------------


def test_a_percentile_is_the_recorded_one_and_a_code_only_suggests_it() -> None:
    criterion = "bmi_percentile >= 95 within 6 months"
    assert status(criterion, "labs: {bmi_percentile: 95 % on 2026-08-20}") == "met"
    assert status(criterion, "labs: {bmi_percentile: 94.9 % on 2026-08-20}") == "not_met"
    hinted = found(leaf(criterion), "conditions: [Z68.54]")
    assert (hinted.status, hinted.reason) == ("unknown", "missing")
    assert hinted.detail == "no BMI percentile on record; Z68.54 suggests one and gives no value"
    assert [seen.value for seen in hinted.evidence] == ["Z68.54"]


def test_a_percentile_is_printed_and_read_by_the_oracle() -> None:
    says_the_same_in_every_house(leaf("bmi_percentile >= 95 within 6 months"))
    for row in read_by_the_oracle(leaf("bmi_percentile >= 95 within 6 months")):
        assert (row.kind, row.tests, row.value) == ("value", ("bmi_percentile",), Decimal(95)), row.text


OWN = "{attested: drives_carefully, statement: drives with care, within: 12 months}"


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ("attestations: [{topic: drives_carefully, present: true, date: 2025-09-01}]", "met"),
        ("attestations: [{topic: drives_carefully, present: false, date: 2026-08-01}]", "not_met"),
        ("attestations: [{topic: drives_carefully, present: true, date: 2025-08-31}]", "unknown"),
        ("attestations: [{topic: adherent, present: true, date: 2026-08-01}]", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_statement_may_be_of_a_payers_own(chart: str, expected: str) -> None:
    assert status(OWN, chart) == expected


def test_a_payers_own_statement_is_printed_asked_and_read() -> None:
    node = leaf(OWN)
    says_the_same_in_every_house(node)
    for house in HOUSES.values():
        assert "drives with care" in house.phrases.question(node)
    for row in read_by_the_oracle(node):
        assert (row.kind, row.topic, row.window) == ("statement", "drives_carefully", Stretch(12, "month"))


TERMS = """\
tests:
  ferritin: {name: ferritin, unit: ng/mL, units: {pmol/L: 0.445}, loinc: ["2276-4"], range: [1, 10000]}
conditions:
  gout: {label: gout, codes: [M10], phrases: [gout], topic: gout}
"""


@pytest.fixture
def own_terms(tmp_path: Path) -> Iterator[Path]:
    """A clinic's folder with terms of its own, which are forgotten after the test."""
    (tmp_path / "terms.yaml").write_text(TERMS)
    known: list[dict[str, Any]] = [TESTS, CONCEPTS, TOPICS, observations.tests()]
    before = [dict(table) for table in known]
    yield tmp_path
    observations._codes.cache_clear()
    for table, kept in zip(known, before, strict=True):
        table.clear()
        table.update(kept)


def test_own_tests_and_conditions_are_judged_and_printed_like_ours(own_terms: Path) -> None:
    catalog = load_catalog(own_terms)
    assert catalog.terms.tests.keys() == {"ferritin"}
    node = leaf("any ferritin < 30 ng/mL within 6 months")
    assert found(node, "labs: {ferritin: 25 ng/mL on 2026-08-01}").status == "met"
    assert found(node, "labs: {ferritin: 80 pmol/L on 2026-08-01}").status == "not_met"
    assert status("{condition: gout, for: 12 months}", "conditions: [M10.9 since 2020-01-01]") == "met"
    assert status("condition: gout", "conditions: [], attestations: {gout: stated}") == "met"
    house = catalog.houses["CASCADE-GOLD"]
    for each in (node, leaf("condition: gout")):
        assert house.phrases.read(house.phrases.clause(each)) == bare(each)


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("  ferritin:", "  hba1c:", "terms.yaml:2: test 'hba1c' is already there and is another one"),
        (
            "name: ferritin",
            "name: HbA1c",
            "terms.yaml:2: test ferritin: 'hba1c' is already the name of hba1c",
        ),
        ("2276-4", "4548-4", "terms.yaml:2: test ferritin: 4548-4 is already the code of hba1c"),
        ("2276-4", "ferritin", "'ferritin' is no LOINC code"),
        ("[1, 10000]", "[10, 1]", "the range begins at 10 and ends at 1"),
        ("range:", "rnage:", "unknown field `rnage`"),
        ("codes: [M10]", "codes: []", "terms.yaml:4: condition gout has no codes"),
        ("label: gout", "label: hypertension", "condition gout: 'hypertension' is already hypertension"),
        ("  gout:", "  t_2dm:", "condition 't_2dm' reads like t2dm"),
    ],
)
def test_own_terms_that_would_be_taken_for_others_are_refused(
    own_terms: Path, right: str, wrong: str, says: str
) -> None:
    (own_terms / "terms.yaml").write_text(TERMS.replace(right, wrong, 1))
    with pytest.raises(Invalid) as caught:
        load_catalog(own_terms)
    assert says in str(caught.value)


def test_own_terms_go_with_the_world_into_the_store(own_terms: Path) -> None:
    out = own_terms / "world"
    generate(Order(count=5, seed=1, out=out, workers=1, catalog=_clinic(own_terms)))
    del TESTS["ferritin"]
    store = Store.create(f"sqlite:///{own_terms / 'store.db'}")
    load(store, out)
    assert "ferritin" in TESTS
    del TESTS["ferritin"]
    Store.open(store.url).close()
    assert TESTS["ferritin"].unit == "ng/mL"
    store.close()


def _clinic(folder: Path) -> Path:
    clinic = folder / "clinic"
    clinic.mkdir()
    (clinic / "terms.yaml").write_text(TERMS)
    return clinic
