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
from evals.oracle.reading import read_sentence
from tests.judging import AS_OF, Claim, claims, found
from tools.common.errors import Invalid
from tools.domain.records import Request
from tools.domain.rules import Lab, Period, Rule
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


# --- printed, asked and read -----------------------------------------------------------------------------

AFTER = "{lab: hba1c >= 7.0 %%, after: [metformin, any sulfonylurea], for: 12 weeks%s}"
TREATED = {"treated": Stretch(12, "week"), "drugs": ("metformin",), "classes": ("sulfonylurea",), "kind": "value",
           "sign": ">=", "value": Decimal(7)}  # fmt: skip
DEGREE = "{condition: hypertension, who: [self, family], degree: %s}"
OWN = "{attested: drives_carefully, statement: drives with care, within: 12 months}"
SINCE = "{change: weight, percent: 5, since: renewal, within: 90 days}"


def reading(which: str, where: str) -> tuple[str, str, str, dict[str, Any]]:
    line = f"hba1c >= 7.0 %{where} rounded to tenths"
    row = {"which": "latest" if which == "several" else which, "results": 3 if which == "several" else 1, "sign": ">=",
           "value": Decimal(7), "at_start": "baseline" in where, "rounded": True}  # fmt: skip
    return f"{{lab: {line}, readings: 3}}" if which == "several" else f"{which} {line}", "", "", row


@pytest.mark.parametrize(
    ("criterion", "described", "asked", "row"),
    [
        ("hba1c >= 7.0 % within 6 months", "within 6 months", "", {"window": Stretch(6, "month")}),
        ("bmi >= 30 at baseline within 12 weeks", "within 12 weeks", "", {"window": Stretch(12, "week")}),
        ("{measured: [height, weight], within: 3 months}", "within 3 months", "", {"window": Stretch(3, "month")}),
        ("{attested: adherent, within: 2 weeks}", "within 2 weeks", "", {"window": Stretch(2, "week")}),
        ("{program: 12 weeks, within: 2 months}", "within 2 months", "",
         {"window": Stretch(2, "month"), "least": Stretch(12, "week")}),
        ("{change: weight, percent: 5, within: 3 months}", "within 3 months", "", {"window": Stretch(3, "month")}),
        ("{condition: t2dm, within: 24 months}", "within 24 months", "", {"window": Stretch(24, "month")}),
        *(reading(which, where)
          for which in ("any", "highest", "lowest", "several")
          for where in ("", " within 6 months", " at baseline", " at baseline within 90 days")),
        *((f"any hba1c {op} 7.1 % within 6 months", "", "", {"sign": op, "value": Decimal("7.1")})
          for op in (">=", ">", "<=", "<")),
        *((f"age {op} 18", "", "", {"kind": "age", "sign": op, "value": Decimal(18)}) for op in (">=", ">", "<=", "<")),
        *((AFTER % where, "measured after at least 12 weeks of metformin or any sulfonylurea", "", TREATED)
          for where in ("", ", within: 6 months", ", readings: 2, rounded: tenths")),
        (SINCE, "body weight fall of at least 5 % since the last approval within 90 days", "",
         {"kind": "change", "value": Decimal(5), "since_approval": True, "window": Stretch(90)}),
        ("{condition: t2dm, for: 12 weeks, within: 24 months}",
         "type 2 diabetes for at least 12 weeks within 24 months", "known for at least 12 weeks",
         {"kind": "condition", "least": Stretch(12, "week"), "window": Stretch(24, "month")}),
        (DEGREE % "first", "", "", {"degree": 1, "family": True}),
        (DEGREE % "second", "", "", {"degree": 2, "family": True}),
        ("{program: 12 weeks, within: 2 months, sessions: 8, ongoing: true}",
         "12 weeks ended within 2 months, at least 8 sessions, still going on", "at least 8 of its sessions",
         {"least": Stretch(12, "week"), "sessions": 8, "going_on": True, "window": Stretch(2, "month")}),
        ("{specialist: [endocrinology, nephrology], within: 12 months, prescriber: false}", "", "",
         {"kind": "specialist", "specialties": ("endocrinology", "nephrology"), "window": Stretch(12, "month"),
          "only_consults": True}),
        ("{specialist: endocrinology, prescriber: false}", "in consultation with endocrinology", "", {}),
        ("bmi_percentile >= 95 within 6 months", "", "",
         {"kind": "value", "tests": ("bmi_percentile",), "value": Decimal(95)}),
        (OWN, "", "drives with care",
         {"kind": "statement", "topic": "drives_carefully", "window": Stretch(12, "month")}),
    ],
)  # fmt: skip
def test_every_house_prints_and_asks_a_criterion_so_that_it_is_read_back_also_by_the_oracle(
    criterion: str, described: str, asked: str, row: dict[str, Any]
) -> None:
    node = leaf(criterion)
    assert described in describe(node) and describe(node)
    for house in HOUSES.values():
        said, question = house.phrases.clause(node), house.phrases.question(node)
        assert house.phrases.read(said) == bare(node)
        assert question and asked in question
        read = read_sentence("1", said, "")
        assert {name: getattr(read, name) for name in row} == row, said


def test_a_documents_window_may_be_of_months() -> None:
    (paper,) = rule("age >= 18", "documents: [{document: note, within: 6 months}]").documents
    for house in HOUSES.values():
        assert house.phrases.read_document(house.phrases.clause(paper)) == bare(paper)
    assert describe(paper) == "signed chart note within 6 months"


@pytest.mark.parametrize(
    ("criterion", "says"),
    [
        ("{lab: any hba1c >= 7, readings: 2}", "readings is 2 or more"),
        ("{condition: hypertension, degree: first}", "a degree is one of the family"),
        ("specialist: endocrinolgy", "unknown specialty 'endocrinolgy'; did you mean endocrinology"),
    ],
)
def test_what_cannot_be_asked_is_refused(criterion: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        rule(criterion)


def test_a_lab_may_name_a_trial_of_its_rule() -> None:
    text = "{trial: metformin, days: 60}\n  - {lab: hba1c >= 7.0 %, after: metformin_trial}"
    written = leaf("{lab: hba1c >= 7.0 %, after: metformin, for: 60 days}")
    assert bare(rule(text).criteria.children[1]) == bare(written)
    with pytest.raises(
        Invalid, match="unknown trial of this rule in 'after' 'metformn_trial'; did you mean metf"
    ):
        rule(text.replace("after: metformin", "after: metformn"))


# --- judged ----------------------------------------------------------------------------------------------

THREE = "labs: {hba1c: [8.1 % on 2026-05-02, 6.4 % on 2026-07-01, 6.8 % on 2026-08-20]}"
TWICE = "labs: {hba1c: [8.1 % on 2026-08-01, 8.0 % on 2026-08-01]}"
APART = "labs: {hba1c: [7.1 % on 2026-08-01, 6.9 % on 2026-08-01, 7.2 % on 2026-07-01]}"
UNITLESS = (
    "labs: [{test: hba1c, value: 9, date: 2026-07-01}, {test: hba1c, value: 6, unit: '%', date: 2026-08-01}]"
)
AFTER_90 = "{lab: hba1c >= 7.0 %, after: metformin, for: 90 days}"
STOOD = "{condition: t2dm, for: 6 months}"
PERCENTILE = "bmi_percentile >= 95 within 6 months"
CONSULTED = "{specialist: endocrinology, within: 12 months}"
DENIED = "attestations: {specialist_consult: denied}"


def after(course: str) -> str:
    return f"labs: {{hba1c: 7.5 % on 2026-05-01}}, medications: ['metformin 500 mg bid, {course}']"


def consult(specialty: str, day: str = "2026-08-01", **more: Any) -> str:
    fields = {"title": "Letter", "of": "consult", "specialty": specialty, "date": day, **more}
    return "documents: [{" + ", ".join(f"{key}: {value}" for key, value in fields.items() if value) + "}]"


@claims(
    *(Claim(f"within six months counts the calendar's months: {day}", "hba1c >= 7.0 % within 6 months",
            f"labs: {{hba1c: 8 % on {day}}}", answer)
      for day, answer in (("2026-03-01", "met"), ("2026-02-28", "unknown"))),
    Claim("twelve weeks of a program", "{program: 12 weeks}", "programs: [2026-06-09 to 2026-09-01]", "met"),
    Claim("less a day", "{program: 12 weeks}", "programs: [2026-06-10 to 2026-09-01]", "not_met"),
    *(Claim(criterion, criterion, THREE, answer)
      for criterion, answer in {
          "hba1c >= 7.0 % within 6 months": "not_met",
          "any hba1c >= 7.0 % within 6 months": "met",
          "any hba1c >= 7.0 % within 90 days": "not_met",
          "highest hba1c <= 8.1 % within 6 months": "met",
          "highest hba1c < 8.1 % within 6 months": "not_met",
          "lowest hba1c >= 6.4 % within 6 months": "met",
          "lowest hba1c >= 6.5 % within 6 months": "not_met",
          "{lab: hba1c >= 6.5 % within 6 months, readings: 2}": "met",
          "{lab: hba1c >= 7.0 % within 6 months, readings: 2}": "not_met",
          "{lab: hba1c >= 6.5 % within 6 months, readings: 4}": "unknown",
          "any hba1c >= 7.0 % within 5 days": "unknown",
      }.items()),
    Claim("two readings of one day are one", "{lab: hba1c >= 7.0 %, readings: 2}", TWICE, "unknown missing",
          "Obtain another HbA1c: 2 of different days are asked for"),
    Claim("a day whose values disagree is no value", "any hba1c >= 7.0 % within 40 days", APART, "unknown conflict"),
    Claim("beside another day it is none", "any hba1c >= 7.0 % within 90 days", APART, "met"),
    Claim("nor does it as the lowest", "lowest hba1c >= 7.0 %", APART, "unknown conflict"),
    Claim("a value without a unit may be the one that is missing", "any hba1c >= 7.0 %", UNITLESS, "unknown unit"),
    Claim("or is none that matters", "lowest hba1c < 7.0 %", UNITLESS, "met"),
    Claim("or may be the lowest", "lowest hba1c >= 5.0 %", UNITLESS, "unknown unit"),
    Claim("a result counts once the trial had lasted", AFTER_90, after("2026-01-31 to 2026-07-01"), "met"),
    Claim("on its last day", AFTER_90, after("2026-01-31 to 2026-05-01"), "met"),
    Claim("on day 89 the one of day 90 is missing", AFTER_90, after("2026-02-01 to 2026-07-01"), "unknown"),
    Claim("no course was long enough", AFTER_90, after("2026-01-31 to 2026-03-01"), "not_met"),
    Claim("or begun", AFTER_90, after("since 2026-06-15"), "not_met"),
    Claim("a medicine that nobody knows may be the trial", AFTER_90,
          after("since 2026-01-01").replace("metformin", "zorbulin"), "unknown unrecognised"),
    *(Claim(f"a diagnosis stands since its earliest onset: {listed}", STOOD, f"conditions: {listed}", answer)
      for listed, answer in {
          "[E11.9 since 2026-03-01]": "met",
          "[E11.9]": "unknown",
          "[E11.9, E11.65 since 2026-08-01]": "unknown",
          "[E11.9 since 2026-08-01, E11.65 since 2020-01-01]": "met",
          "[]": "not_met",
      }.items()),
    Claim("when it will have stood is said", STOOD, "conditions: [E11.9 since 2026-03-02]", "not_met",
          "type 2 diabetes will have stood for 6 months on 2026-09-02"),
    Claim("a percentile is the recorded one", PERCENTILE, "labs: {bmi_percentile: 95 % on 2026-08-20}", "met"),
    Claim("compared as recorded", PERCENTILE, "labs: {bmi_percentile: 94.9 % on 2026-08-20}", "not_met"),
    Claim("and a code only suggests it", PERCENTILE, "conditions: [Z68.54]", "unknown missing",
          "no BMI percentile on record; Z68.54 suggests one and gives no value", frozenset({"dx-1"})),
    *(Claim(f"a consultation is of its specialty and window: {at}", CONSULTED, chart, answer)
      for at, (chart, answer) in enumerate((
          (consult("endocrinology", "2025-09-01"), "met"),
          (consult("Endocrinologist"), "met"),
          (consult("endocrinology", "2025-08-31"), "unknown stale"),
          (consult("cardiology"), "unknown missing"),
          (consult(""), "unknown ambiguous"),
          (consult("endocrinology", ""), "unknown ambiguous"),
          (consult("endocrinology", status="draft"), "unknown missing"),
          ("attestations: {specialist_consult: stated}", "unknown ambiguous"),
          ("prescriber: endocrinology", "met"),
          ("attestations: [{topic: specialist_consult, present: true, date: 2026-08-01, specialty: endocrinology}]",
           "met"),
          ("attestations: [{topic: specialist_consult, present: false, date: 2026-08-02}], " + consult("endocrinology"),
           "unknown missing"),
      ))),
    Claim("one that is denied fails a prescriber whose specialty is known", "specialist: endocrinology",
          f"{DENIED}, prescriber: family medicine", "not_met"),
    Claim("and no other", "specialist: endocrinology", DENIED, "unknown"),
    Claim("the prescriber's own specialty may not be enough", "{specialist: endocrinology, prescriber: false}",
          "prescriber: endocrinology", "unknown"),
)  # fmt: skip
def test_what_is_asked_beside_the_newest_value(claim: Claim) -> None:
    claim.holds()


WEIGHED = "labs: {weight: [100 kg on 2026-01-31, 95 kg on 2026-08-20]}"


def test_a_change_since_the_last_approval_is_counted_from_its_first_day() -> None:
    approvals = (date(2025, 2, 1), date(2026, 2, 1))
    assert status(SINCE, WEIGHED, approvals=approvals) == "met"
    assert status(SINCE, WEIGHED, approvals=approvals[:1]) == "unknown"  # nothing was measured by then
    finding = found(leaf(SINCE), WEIGHED, therapy_start=date(2026, 2, 1))
    assert (finding.status, finding.reason) == ("unknown", "missing")
    assert finding.fix == "Record the plan's last approval with its dates"


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


# --- whose it is, and how programs are counted --------------------------------------------------------------


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
