"""What if: marked as hypothetical, before and after, and nothing kept."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from agent.answers import what_if
from agent.answers.answer import Answer
from agent.answers.wording import OUTCOMES
from agent.dialogue.query import Ask, Query
from tests.case_answers import another, answered, bundled, check, everyone, rendered
from tools.engine.what_if import (
    Aged,
    Asked,
    Change,
    Diagnosed,
    Enrolled,
    Filed,
    Insured,
    Later,
    On,
    Removed,
    Repeated,
    Started,
    Stated,
    Stopped,
    Tried,
    Value,
)
from tools.queries.bound import Bound

EVERY_KIND: tuple[Change, ...] = (
    Value(test="hba1c", value=7.4),
    Value(test="bmi", value=29),
    Later(days=16),
    Later(months=6),
    On(date=date(2027, 1, 15)),
    Started(drug="metformin", days=100),
    Tried(drug="metformin", days=90),
    Diagnosed(concept="hypertension"),
    Diagnosed(concept="t2dm", present=False),
    Stated(topic="mtc_men2", present=False),
    Stated(topic="mtc_men2", present=True),
    Enrolled(months=6),
    Enrolled(on=date(2026, 4, 1)),
    Tried(drug="metformin", on=date(2026, 8, 1)),
    Started(drug="metformin", on=date(2026, 9, 1), daily=2000),
    Removed(drug="metformin"),
    Repeated(test="hba1c"),
    Stated(topic="mtc_men2", present=None),
    Filed(of="note", on=date(2026, 9, 1)),
    Aged(years=17),
    Asked(quantity=60, days_supply=30),
    Asked(kind="renewal"),
    Insured(plan_id="CASCADE-GOLD"),
)


def if_so(bound: Bound, drug: str, *changes: Change, open_ones: tuple[str, ...] = ()) -> Answer:
    ask = Ask(query="what_if", drugs=(drug,) if drug else (), changes=changes, open_ones=open_ones)
    return answered(what_if.answer, bound, ask)


@pytest.mark.parametrize("change", EVERY_KIND, ids=lambda change: type(change).__name__)
def test_every_supposition_of_every_kind_holds(change: Change) -> None:
    for bound in (*everyone(bundled())[::3], *everyone(another(7))[::5]):
        for drug in [*bound.plan.benefits][::2]:
            answer = if_so(bound, drug, change)
            text = check(answer, bound)
            is_so = what_if._is_so(change, bound.asked(drug).request, bound)
            assert answer.hypothetical is text.startswith("Hypothetical: ") and not (
                answer.hypothetical and is_so
            )
            assert is_so or text.startswith(("Hypothetical: ", "That cannot be supposed: ")), text


def test_the_marker_comes_first_and_is_not_to_be_reworded() -> None:
    answer = if_so(Bound(bundled(), "P001"), "Ozempic", Value(test="hba1c", value=6.4))
    assert answer.said[0].verbatim
    assert answer.ledger.render(answer.said[0].text) == (
        "Hypothetical: if HbA1c were 6.4 % (it is 8.4 % of Aug 17, 2026 now); the chart is unchanged."
    )


def test_what_is_supposed_is_a_fact_of_that_origin_and_what_is_so_of_the_charts() -> None:
    answer = if_so(Bound(bundled(), "P001"), "Ozempic", Value(test="hba1c", value=6.4))
    facts = {fact.shown: fact for one in answer.said for fact in answer.ledger.used(one.text)}
    assert facts["6.4 %"].origin == "supposed" and facts["8.4 %"].origin == "chart"
    assert facts["likely denial"].origin == "supposed" and facts["ready to submit"].origin == "determination"


def test_before_and_after_are_the_engines() -> None:
    bound = Bound(bundled(), "P001")
    answer = if_so(bound, "Ozempic", Value(test="hba1c", value=6.4))
    then, now = answer.determinations
    assert (now.outcome, then.outcome) == ("ready", "likely_denial")
    assert now == bound.determination("Ozempic") and then.summary.startswith("Hypothetical: ")
    assert f"from “{OUTCOMES['ready']}” to “{OUTCOMES['likely_denial']}”" in rendered(answer)


def test_what_changes_nothing_says_so_and_why() -> None:
    text = rendered(if_so(Bound(bundled(), "P001"), "Ozempic", Value(test="hba1c", value=8.0)))
    assert "would stay as it is: ready to submit" in text
    assert "If so, HbA1c at least 7.0 % within 90 days stays met, HbA1c 8.0 % on Sep 1, 2026" in text


def test_time_alone_lets_labs_age() -> None:
    text = rendered(if_so(Bound(bundled(), "P001"), "Ozempic", Later(days=120)))
    assert "to “needs documentation”" in text and "It is too old: it counted until Nov 15, 2026" in text


def test_another_plan_names_both() -> None:
    text = rendered(if_so(Bound(bundled(), "P001"), "Saxenda", Insured(plan_id="CASCADE-GOLD")))
    assert (
        "“needs documentation” under Cascade Gold PPO; it is “not covered” under Bluestem Community PPO"
        in text
    )


def test_a_stop_that_is_documented_opens_the_way_and_the_form_asks_how_it_went() -> None:
    text = rendered(if_so(Bound(bundled(), "P002"), "Ozempic", Stopped(drug="Victoza")))
    assert "duplicate therapy (2.a.iii) would be ruled out" in text
    assert "would be met and no exclusion would apply; what is left is the form" in text


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Value(test="hba1c", value=74), "not possible"),
        (Value(test="bmi", value=29, unit="mg"), "no unit"),
        (Stopped(drug="sitagliptin"), "no course of sitagliptin is going on"),
        (Later(days=16, drug="pioglitazone"), "no ongoing course of pioglitazone"),
        (Diagnosed(concept="pregnancy"), "does not apply to a male patient"),
        (Insured(plan_id="NOWHERE"), "NOWHERE"),
        (Tried(drug="sugar pills"), "sugar pills"),
        (Aged(years=300), "300"),
    ],
)
def test_what_cannot_be_supposed_is_said_plainly_and_how_it_stands_without(change: Change, why: str) -> None:
    answer = if_so(Bound(bundled(), "P001"), "Ozempic", change)
    text = rendered(answer)
    assert text.startswith("That cannot be supposed: ") and why in text
    assert "As the chart stands, with nothing supposed:" in text and not answer.hypothetical


def test_where_nothing_is_supposed_it_is_said_how_it_stands_now() -> None:
    bound = Bound(bundled(), "P001")
    answer = if_so(bound, "Ozempic")
    assert rendered(answer).startswith(
        "As the chart stands, with nothing supposed:\nOzempic for type 2 diabetes is ready to submit"
    )
    assert answer.determinations == [bound.determination("Ozempic")] and not answer.hypothetical


def test_the_store_and_the_chart_are_untouched() -> None:
    store = bundled()
    before = msgspec.json.encode(store.patient("P001"))
    bound = Bound(store, "P001")
    found = bound.determination("Ozempic")
    for change in EVERY_KIND:
        if_so(bound, "Ozempic", change)
    assert msgspec.json.encode(bound.patient) == before == msgspec.json.encode(store.patient("P001"))
    assert bound.determination("Ozempic") == found == Bound(store, "P001").determination("Ozempic")


def test_of_several_thresholds_the_one_reached_first_is_told() -> None:
    text = rendered(if_so(Bound(bundled(), "P003"), "Wegovy", Value(test="bmi", value=24)))
    assert "BMI 24.0 kg/m2 on Sep 1, 2026 (the policy asks for at least 27.0 kg/m2, among other ways)" in text
    assert "would do or" not in text


@pytest.mark.parametrize("query", ["what_if", "news", "quantity"])
def test_nothing_is_supposed_that_was_not_said(query: Query) -> None:
    answer = answered(what_if.answer, Bound(bundled(), "P005"), Ask(query=query, drugs=("Ozempic",)))
    assert len(answer.determinations) == 1 and "if the prescriber" not in rendered(answer)


def test_what_names_something_unknown_supposes_nothing_and_says_so() -> None:
    bound = Bound(bundled(), "P005")
    answer = answered(
        what_if.answer, bound, Ask(query="what_if", drugs=("Ozempic",), conditions=("gastroparesis",))
    )
    assert not answer.hypothetical and len(answer.determinations) == 1
    assert rendered(answer).startswith("As the chart stands, with nothing supposed:")


def test_what_is_told_as_it_is_on_record_supposes_nothing() -> None:
    bound = Bound(bundled(), "P001")
    quantity = bound.asked("Ozempic").request.quantity
    answer = if_so(bound, "Ozempic", Asked(quantity=quantity), Insured(plan_id=bound.plan.id))
    assert not answer.hypothetical and [one.outcome for one in answer.determinations] == ["ready"]


def test_what_cannot_be_supposed_is_answered_with_all_that_is_open() -> None:
    """Which holds whatever was meant; never that it would be ready then, for the form may ask for more."""
    text = rendered(if_so(Bound(bundled(), "P002"), "Ozempic"))
    assert "Beside duplicate therapy no criterion or exclusion of the policy stands in its way." in text
    assert "ready to submit" not in text


def test_what_cannot_be_put_into_the_chart_is_said_and_what_would_be_left_if_it_settled_something() -> None:
    bound = Bound(bundled(), "P020")
    text = rendered(if_so(bound, "Jardiance", open_ones=("hba1c", "egfr_start", "lab_egfr")))
    assert text.startswith(
        "What is supposed is not on the chart, and only what is charted can be claimed; it would"
    )
    assert "HbA1c at least 7.0 % within 90 days (II.1.c)" in text.split("\n")[0]
    assert "still open would be whether she has diabetic ketoacidosis for" in text


def test_where_it_may_settle_anything_it_is_told_what_is_left_of_each_person_s_part() -> None:
    bound = Bound(bundled(), "P020")
    unmet = tuple(one.criterion for one in bound.determination("Jardiance").findings if one.status != "met")
    text = rendered(if_so(bound, "Jardiance", open_ones=unmet))
    lines = [one for one in text.split("\n") if one.startswith("- If it settles")]
    assert len(lines) > 1 and any("HbA1c" in one.partition("still open")[0] for one in lines)


def test_the_only_thing_that_is_open_leaves_nothing_once_it_is_settled() -> None:
    bound = Bound(bundled(), "P015")
    text = rendered(if_so(bound, "Zepbound", open_ones=("mtc_men2",)))
    assert "nothing else stands in the way of Zepbound" in text and "a denial for the patient" in text


def test_a_day_to_come_is_told_with_the_last_good_day_of_each_paper_and_result() -> None:
    text = rendered(if_so(Bound(bundled(), "P011"), "Jardiance", On(date=date(2026, 9, 4))))
    assert text.startswith("Hypothetical: on Sep 4, 2026;")
    assert "The latest chart note is of Jul 6, 2026. It is recent enough through Sep 4, 2026" in text
    assert "The HbA1c of Jun 18, 2026 is 8.8 %. It is recent enough through Sep 16, 2026" in text
    late = rendered(
        if_so(Bound(bundled(), "P010", plan_id="IRONWOOD-EMPLOYEE"), "Saxenda", On(date=date(2026, 9, 10)))
    )
    assert "on Sep 10, 2026 one of Aug 11, 2026 or later counts" in late


def test_a_drug_that_is_taken_beside_the_one_asked_for_is_told_with_the_clause_that_excludes_it() -> None:
    text = rendered(if_so(Bound(bundled(), "P018"), "Mounjaro", Started(drug="Ozempic")))
    assert "(X-1.3) would be an exclusion that applies" in text


def test_an_order_that_is_corrected_is_judged_anew() -> None:
    text = rendered(if_so(Bound(bundled(), "P007"), "Januvia", Asked(quantity=30)))
    assert "would go from “over the quantity limit” to “no prior authorization required”" in text


def test_a_course_that_is_not_long_enough_yet_is_told_with_the_day_on_which_it_is() -> None:
    text = rendered(if_so(Bound(bundled(), "P003"), "Wegovy", Enrolled(on=date(2026, 4, 1))))
    assert "From Oct 1, 2026 on, in 30 days" in text
