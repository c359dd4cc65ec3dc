"""Claims about how the days of a trial are counted: gaps, fills, drugs in a row and at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from data_gen.catalog_loader import our_catalog
from tests.judging import evaluate_chart
from tools.common.errors import Invalid
from tools.domain.records import Fill, Finding, Medication, Patient, Request
from tools.domain.rules import AllOf, AtLeast, Node, Trial
from tools.rulebook.criterion_yaml import read_preferred
from tools.rulebook.located import parse_yaml
from tools.rulebook.rule_yaml import Reader

AS_OF = date(2026, 9, 1)
METFORMIN = Trial(id="trial", label="metformin", drugs=("metformin",), min_days=90)


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def course(
    drug: str, first: int, last: int | None, outcome: Any = "Inadequate response", **more: Any
) -> Medication:
    """A course from so many days ago to so many days ago, or going on."""
    return Medication(
        id=f"{drug}-{first}",
        drug=drug,
        ingredients=(drug,),
        classes=(CLASSES[drug],),
        start=ago(first),
        end=None if last is None else ago(last),
        status="active" if last is None else "stopped",
        outcome=outcome,
        **more,
    )


CLASSES = {"metformin": "biguanide", "glipizide": "sulfonylurea", "glimepiride": "sulfonylurea"}


def fill(drug: str, day: int, supply: int = 30) -> Fill:
    return Fill(
        id=f"fill-{drug}-{day}",
        drug=drug,
        ingredients=(drug,),
        classes=(CLASSES[drug],),
        date=ago(day),
        days_supply=supply,
    )


def found(node: Node, *taken: Medication, fills: tuple[Fill, ...] = ()) -> Finding:
    chart = Patient(id="P001", birth_date=date(1970, 1, 1), medications=taken, fills=fills)
    return evaluate_chart(node, chart, Request(drug="Ozempic"), AS_OF)


def status(node: Node, *taken: Medication, fills: tuple[Fill, ...] = ()) -> str:
    return found(node, *taken, fills=fills).status


def but(**changes: Any) -> Trial:
    return msgspec.structs.replace(METFORMIN, **changes)


def read(text: str) -> Node:
    found = parse_yaml(text, "own")
    return Reader().node(found, found.place)


# --- gaps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "expected"), [(6, "not_met"), (7, "met"), (8, "met")])
def test_what_follows_within_the_gap_goes_on_with_the_course(gap: int, expected: str) -> None:
    parts = course("metformin", 200, 150), course("metformin", 143, 100)
    assert status(but(gap_days=gap), *parts) == expected


@pytest.mark.parametrize(("next_day", "expected"), [(150, "met"), (149, "met"), (148, "not_met")])
def test_by_default_nothing_is_bridged_but_the_next_day(next_day: int, expected: str) -> None:
    parts = course("metformin", 200, 150), course("metformin", next_day, 100)
    assert status(METFORMIN, *parts) == expected


def test_a_part_that_begins_before_the_one_before_it_ended_is_of_the_same_course() -> None:
    parts = course("metformin", 200, 150), course("metformin", 170, 100)
    assert status(METFORMIN, *parts) == "met"
    inside = course("metformin", 200, 100), course("metformin", 170, 150)
    assert "metformin for 100 days" in found(METFORMIN, *inside).detail


def test_a_gap_is_not_bridged_to_another_drug() -> None:
    node = but(drugs=(), classes=("sulfonylurea",), gap_days=30)
    assert status(node, course("glipizide", 200, 150), course("glimepiride", 149, 104)) == "not_met"


def test_a_negative_gap_is_refused_with_its_line() -> None:
    with pytest.raises(Invalid, match=r"own:1: gap_days: Expected `int` >= 0"):
        read("{trial: metformin, days: 90, gap_days: -1}")


# --- fills -----------------------------------------------------------------------------------------------

BY_FILLS = but(proof="fills")
YEAR = course("metformin", 365, None)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((300, 270, 240), "met"),
        ((300, 275, 245), "unknown"),
        ((300, 300, 240), "unknown"),
        ((90, 60, 29), "unknown"),
    ],
)
def test_a_day_that_two_fills_cover_counts_once_and_one_to_come_not_at_all(days: Any, expected: str) -> None:
    assert status(BY_FILLS, YEAR, fills=tuple(fill("metformin", day) for day in days)) == expected


def test_too_few_days_are_told_and_leave_it_open() -> None:
    finding = found(BY_FILLS, YEAR, fills=(fill("metformin", 300), fill("metformin", 260)))
    assert (finding.status, finding.reason) == ("unknown", "missing")
    assert "fills cover 60 of 90 days" in finding.detail
    assert finding.fix == "Document for metformin: more pharmacy fills"
    assert {item.kind for item in finding.evidence} == {"medication", "fill"}
    assert found(BY_FILLS, YEAR).fix == "Document for metformin: pharmacy fills"


def test_supply_outside_the_charted_course_does_not_count() -> None:
    taken = course("metformin", 300, 200)
    inside = fill("metformin", 310, 40), fill("metformin", 270, 70)
    assert status(BY_FILLS, taken, fills=inside) == "met"
    assert (
        status(BY_FILLS, taken, fills=(fill("metformin", 315, 40), fill("metformin", 250, 70))) == "unknown"
    )


def test_what_is_left_is_carried_over_only_where_the_rule_says_so() -> None:
    early = tuple(fill("metformin", day) for day in (300, 275, 250))
    assert status(BY_FILLS, YEAR, fills=early) == "unknown"
    assert status(but(proof="fills", carry_over=True), YEAR, fills=early) == "met"


@pytest.mark.parametrize(("gap", "expected"), [(1, "unknown"), (6, "unknown"), (7, "met")])
def test_days_in_a_row_are_broken_by_a_longer_gap(gap: int, expected: str) -> None:
    node = but(proof="fills", continuous=True, gap_days=gap)
    weekly = tuple(fill("metformin", day) for day in (300, 264, 228))
    assert status(node, YEAR, fills=weekly) == expected


def test_fills_of_a_year_are_not_ninety_days_in_a_row() -> None:
    spread = tuple(fill("metformin", day) for day in (350, 260, 170, 80))
    assert status(BY_FILLS, YEAR, fills=spread) == "met"
    assert (
        "fills cover 30 of 90 days in a row"
        in found(but(proof="fills", continuous=True), YEAR, fills=spread).detail
    )


@pytest.mark.parametrize(("supply", "expected"), [(80, "met"), (79, "unknown")])
def test_adherence_is_the_share_of_the_days_of_the_course(supply: int, expected: str) -> None:
    node = but(adherence=80.0)
    assert status(node, course("metformin", 300, 200), fills=(fill("metformin", 300, supply),)) == expected


def test_adherence_of_a_course_without_dates_wants_its_dates() -> None:
    undated = msgspec.structs.replace(YEAR, start=None)
    finding = found(but(adherence=80.0), undated, fills=(fill("metformin", 300, 90),))
    assert (finding.status, finding.fix) == ("unknown", "Document for metformin: start and stop dates")


def test_fills_of_one_day_are_one_time() -> None:
    node = but(min_fills=3)
    taken = course("metformin", 300, 200)
    assert status(node, taken, fills=tuple(fill("metformin", day) for day in (300, 270, 240))) == "met"
    assert status(node, taken, fills=tuple(fill("metformin", day) for day in (300, 270, 270))) == "unknown"


def test_fills_of_another_drug_of_the_class_do_not_count() -> None:
    node = but(drugs=(), classes=("sulfonylurea",), proof="fills")
    taken = course("glipizide", 300, 200)
    assert status(node, taken, fills=(fill("glimepiride", 300, 90),)) == "unknown"
    assert status(node, taken, fills=(fill("glipizide", 300, 90),)) == "met"


def test_the_manual_s_words_for_fills_are_read() -> None:
    node = read(
        "{trial: metformin, days: 90, proof: fills, continuous: true, carry_over: true, fills: 3, adherence: 80}"
    )
    assert isinstance(node, Trial)
    assert (node.continuous, node.carry_over, node.min_fills, node.adherence) == (True, True, 3, 80.0)
    with pytest.raises(Invalid, match="adherence: Expected `float` <= 100"):
        read("{trial: metformin, days: 90, adherence: 101}")


# --- several drugs ---------------------------------------------------------------------------------------

SULFONYLUREA = but(label="any sulfonylurea", drugs=(), classes=("sulfonylurea",))
IN_A_ROW = course("glipizide", 250, 200), course("glimepiride", 199, 154)


def test_each_drug_of_a_class_counts_for_itself() -> None:
    assert status(SULFONYLUREA, *IN_A_ROW) == "not_met"


def test_days_of_several_drugs_are_added_up_where_the_rule_says_so() -> None:
    added = msgspec.structs.replace(SULFONYLUREA, sum=True)
    finding = found(added, *IN_A_ROW)
    assert (finding.status, {item.record_id for item in finding.evidence}) == (
        "met",
        {"glipizide-250", "glimepiride-199"},
    )
    assert "glipizide and glimepiride for 95 days" in finding.detail
    assert status(added, course("glipizide", 650, 600), IN_A_ROW[1]) == "met"
    in_a_row = msgspec.structs.replace(added, continuous=True)
    assert status(in_a_row, *IN_A_ROW) == "met"
    assert status(in_a_row, course("glipizide", 650, 600), IN_A_ROW[1]) == "not_met"


def test_a_day_on_two_drugs_is_added_once() -> None:
    added = msgspec.structs.replace(SULFONYLUREA, sum=True)
    assert status(added, course("glipizide", 250, 200), course("glimepiride", 211, 160)) == "met"
    assert status(added, course("glipizide", 250, 200), course("glimepiride", 211, 161)) == "not_met"


def test_a_course_without_dates_may_add_what_is_lacking() -> None:
    added = msgspec.structs.replace(SULFONYLUREA, sum=True)
    undated = msgspec.structs.replace(IN_A_ROW[1], start=None)
    assert status(added, IN_A_ROW[0], undated) == "unknown"


def test_a_medicine_that_nobody_knows_may_add_what_is_lacking() -> None:
    unknown = msgspec.structs.replace(IN_A_ROW[1], drug="Zanoflex", ingredients=(), classes=())
    added = msgspec.structs.replace(SULFONYLUREA, sum=True)
    assert found(added, IN_A_ROW[0], unknown).reason == "unrecognised"
    assert status(SULFONYLUREA, IN_A_ROW[0], unknown) == "not_met"


BOTH = but(label="metformin and glipizide", drugs=("metformin", "glipizide"), together=True)


@pytest.mark.parametrize(("added", "expected"), [(190, "met"), (189, "not_met")])
def test_together_means_the_same_days(added: int, expected: str) -> None:
    finding = found(BOTH, course("metformin", 300, 100), course("glipizide", added, 50))
    assert finding.status == expected


def test_one_after_the_other_is_not_together() -> None:
    finding = found(BOTH, course("metformin", 300, 200), course("glipizide", 200, 50))
    assert (finding.status, finding.detail) == ("not_met", "metformin and glipizide for 0 of 90 days")


def test_what_was_never_taken_is_named() -> None:
    assert found(BOTH, course("metformin", 300, 100)).detail == "never tried: glipizide"


def test_the_response_to_both_is_that_to_the_one_added_last() -> None:
    node = msgspec.structs.replace(BOTH, responses=("inadequate",))
    partly = course("metformin", 300, 100, "Partial response")
    assert status(node, partly, course("glipizide", 200, 100)) == "met"
    assert status(node, partly, course("glipizide", 200, 100, "Effective")) == "not_met"
    assert status(node, partly, course("glipizide", 200, 100, None)) == "unknown"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("trial: [metformin, glipizide], sum: true, together: true", "not both"),
        ("trial: metformin, together: true", "two drugs or classes"),
        ("trial: [metformin, glipizide], together: true, fills: 3", "asked of one drug"),
        ("trial: metformin, continuous: true", "goes with proof: fills or sum"),
        ("trial: metformin, carry_over: true", "goes with proof: fills or adherence"),
    ],
)
def test_what_could_mean_nothing_is_refused(said: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read(f"{{{said}}}")


def test_drugs_to_be_taken_together_are_joined_by_and() -> None:
    node = read("{trial: [metformin, any sglt2], days: 90, together: true}")
    assert isinstance(node, Trial)
    assert node.label == "metformin and any SGLT2 inhibitor"


# --- preferred drugs -------------------------------------------------------------------------------------

PREFERRED = {"glp1": ("Ozempic", "Trulicity", "Victoza"), "sglt2": ("Jardiance",)}


def preferring(text: str, requested: str = "") -> Node:
    given = parse_yaml(text, "own")
    reader = Reader(preferred=PREFERRED)
    reader.requested = our_catalog().drugs[requested] if requested else None
    return reader.node(given, given.place)


def test_so_many_preferred_drugs_each_have_a_trial_of_their_own() -> None:
    node = preferring("{trial: 2 of preferred glp1, days: 60, proof: fills}", "Mounjaro")
    assert isinstance(node, AtLeast)
    trials = [child for child in node.children if isinstance(child, Trial)]
    assert node.k == 2
    assert [trial.drugs for trial in trials] == [("ozempic",), ("trulicity",), ("victoza",)]
    assert {(trial.min_days, trial.proof) for trial in trials} == {(60, "fills")}


def test_the_drug_asked_for_is_none_of_its_own_preferred_ones() -> None:
    node = preferring("{id: both, trial: 2 of preferred same class}", "Ozempic")
    assert isinstance(node, AllOf)
    assert (node.id, [child.id for child in node.children]) == ("both", ["trulicity_trial", "victoza_trial"])
    other = preferring("{trial: 1 of preferred another class}", "Ozempic")
    assert [child.id for child in getattr(other, "children", ())] == ["jardiance_trial"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("trial: 3 of preferred same class", r"there are 2 \(Trulicity, Victoza\)"),
        ("trial: 0 of preferred glp1", "can not be"),
        ("trial: 1 of preferred glp", "unknown list of preferred drugs 'glp'; did you mean glp1"),
        ("trial: 1 of preferred glp1, label: any", "under its own name"),
    ],
)
def test_a_preferred_list_that_cannot_serve_is_refused(said: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        preferring(f"{{{said}}}", "Ozempic")


@pytest.mark.parametrize(
    ("lists", "why"),
    [
        ("{glp: [Ozempic]}", "unknown drug class 'glp'; did you mean glp1"),
        ("{glp1: [Ozmpic]}", "unknown drug 'Ozmpic'; did you mean Ozempic"),
        ("{glp1: [Januvia]}", "Januvia is not a GLP-1"),
    ],
)
def test_a_plan_s_preferred_drugs_are_checked(lists: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read_preferred(parse_yaml(f"preferred: {lists}", "own"), our_catalog().drugs)


def test_two_of_several_are_asked_for_as_two() -> None:
    node = preferring("{trial: 2 of preferred glp1, days: 60}", "Mounjaro")
    assert (found(node).fix or "").startswith("Two of: try Ozempic for 60 days; try Trulicity for 60 days; ")
