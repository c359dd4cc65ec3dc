"""What the plan says, against the plan table, for every drug of every plan."""

from __future__ import annotations

import re

import pytest

from agent.answers import plan
from agent.answers.answer import Answer
from agent.dialogue.query import Ask, Query
from agent.ledger import SLOT, Ledger
from tests.case_answers import bundled, everyone, rendered
from tools.domain.rules import Trial
from tools.queries.bound import Bound
from tools.rulebook.plain import describe
from tools.store.validation import descend


def ask(bound: Bound, query: Query, *drugs: str, plan_id: str = "") -> Answer:
    answer = plan.answer(Ask(query=query, drugs=drugs, plan_id=plan_id), bound, Ledger())
    assert answer.said
    for one in answer.said:
        assert not re.search(r"\d", SLOT.sub("", one.text)), one.text
        assert answer.ledger.render(one.text)[-1] in ".?:" and "None" not in one.text
    return answer


def test_tier_copay_and_limit_are_the_plan_s_for_every_drug() -> None:
    for bound in {bound.plan.id: bound for bound in everyone(bundled())}.values():
        for name, benefit in bound.plan.benefits.items():
            topics: tuple[tuple[Query, str], ...] = (
                ("tier", f"tier {benefit.tier}"),
                ("copay", benefit.copay),
                ("limit", f"in {benefit.quantity_limit.days} days" if benefit.quantity_limit else ""),
            )
            for topic, shown in topics:
                text = rendered(ask(bound, topic, name))
                assert (
                    shown if benefit.covered else f"{name} is not covered by {bound.plan.name}"
                ) in text, text


def test_formulary_says_covered_or_why_not_and_whether_a_pa_is_needed() -> None:
    for bound in {bound.plan.id: bound for bound in everyone(bundled())}.values():
        for name, benefit in bound.plan.benefits.items():
            text = rendered(ask(bound, "coverage", name))
            if not benefit.covered:
                assert benefit.reason in text
            else:
                assert ("without" in text) is not benefit.pa_required


def test_steps_of_one_choice_stand_together_and_all_are_named() -> None:
    for bound in {bound.plan.id: bound for bound in everyone(bundled())}.values():
        for name, benefit in bound.plan.benefits.items():
            if not benefit.covered:
                continue
            text = rendered(ask(bound, "step", name))
            if not benefit.step_therapy:
                assert "names no step therapy" in text
            for rule in benefit.rules:
                for leaf in descend((rule.criteria,)):
                    if isinstance(leaf, Trial) and describe(leaf) in benefit.step_therapy:
                        assert describe(leaf).casefold() in text.casefold()
    text, _, stands = rendered(ask(Bound(bundled(), "P004"), "step", "Ozempic")).partition(
        "For this patient:"
    )
    assert text.count("\n- ") == 2 and "- 1 of: any sulfonylurea" in text
    assert stands.count("\n- ") == 1 and "- Not met: step therapy" in stands


def test_a_step_that_is_met_in_another_way_is_told_as_met() -> None:
    text = rendered(ask(Bound(bundled(), "P001"), "step", "Ozempic"))
    assert "- Met: the preferred drug first: Atherosclerotic heart disease" in text


def test_how_requests_go_in_comes_first_and_whom_to_call_where_that_is_asked() -> None:
    bound = Bound(bundled(), "P012")  # by mail, and no portal
    assert rendered(ask(bound, "submit")).startswith("Prairie Silver 70 takes PA requests by mail to")
    assert rendered(ask(bound, "contact")).startswith("Call Prairie Silver 70 at 800-555-0141.")
    assert "portal" not in rendered(ask(bound, "submit"))


def test_the_numbers_of_the_card_are_those_of_the_enrolment() -> None:
    bound = Bound(bundled(), "P001")
    (card,) = [one for one in bound.patient.coverages if one.plan_id == bound.plan.id]
    text = rendered(ask(bound, "ids"))
    for number in (card.member_id, card.group, card.bin, card.pcn):
        assert number and number in text


def test_a_former_plan_is_said_to_be_former() -> None:
    text = rendered(ask(Bound(bundled(), "P010"), "enrolment"))
    assert "Formerly enrolled in Riverbend Medicaid Managed Care" in text and "no longer active" in text
    assert "Enrolled in Ironwood Employee Medical Plan from Jun 25, 2026 to Dec 31, 2026" in text


def test_another_plan_that_is_named_is_the_one_that_is_looked_at() -> None:
    text = rendered(ask(Bound(bundled(), "P001"), "tier", "Ozempic", plan_id="CASCADE-GOLD"))
    assert text.startswith("Cascade Gold PPO covers Ozempic") and "tier 3" in text


@pytest.mark.parametrize("query", ["tier", "copay"])
def test_without_a_drug_the_one_that_is_ordered_is_meant_and_without_an_order_it_is_asked_which(
    query: Query,
) -> None:
    assert "Ozempic" in rendered(ask(Bound(bundled(), "P001"), query))
    unordered = next(bound for bound in everyone(bundled()) if not bound.patient.orders)
    assert len(ask(unordered, query).offered) > 1


def test_a_threshold_of_the_plan_is_never_a_result() -> None:
    answer = ask(Bound(bundled(), "P001"), "limit", "Wegovy")
    limits = [fact for fact in answer.ledger.facts.values() if fact.attribute == "limit"]
    assert limits and all(fact.origin == "policy" for fact in limits)
    assert all(source.quote in {c.text for c in bundled().policy("BLUESTEM-PPO", "Wegovy").clauses}  # type: ignore[union-attr]
               for source in answer.sources if source.kind == "policy")  # fmt: skip


def test_whether_it_is_covered_is_told_with_how_a_request_would_stand() -> None:
    for bound in everyone(bundled()):
        for name, benefit in bound.plan.benefits.items():
            found = bound.determination(name)
            answer = plan.answer(Ask(query="coverage", drugs=(name,)), bound, Ledger())
            told = benefit.covered and (benefit.pa_required or found.outcome == "quantity_exception")
            assert (found in answer.determinations) is told, (bound.patient.id, name)


def test_one_sentence_tells_all_that_the_table_has_of_a_drug() -> None:
    bound = Bound(bundled(), "P011")
    for query in ("tier", "copay", "limit", "pa_required", "coverage"):
        text = rendered(ask(bound, query, "Januvia"))
        told = "without prior authorization, tier 2, copay of $40, at most 30 tablets in 30 days"
        assert text.startswith(f"Harborlight Select HMO covers Januvia {told}"), text


def test_several_drugs_are_a_list_with_the_difference_of_their_copays() -> None:
    text = rendered(ask(Bound(bundled(), "P018"), "copay", "Mounjaro", "Ozempic"))
    assert text.startswith("Northwind Choice Formulary covers 2 of these 2 drugs:")
    assert "The lowest copay of these is that of Ozempic, $60 less than that of Mounjaro." in text


def test_in_the_place_of_a_drug_stand_those_of_its_class_that_are_covered() -> None:
    text = rendered(ask(Bound(bundled(), "P006"), "coverage", "Trulicity"))
    assert "covers instead:\n- Ozempic: likely denial (with prior" in text and "Januvia" not in text


def test_a_drug_that_is_not_covered_for_the_use_asked_about_is_told_so_first() -> None:
    def told(use: str) -> str:
        about = Ask(query="coverage", drugs=("Wegovy",), indication=use)
        return rendered(plan.answer(about, Bound(bundled(), "P001"), Ledger()))

    none = "Bluestem Community PPO does not cover Wegovy for cardiovascular risk reduction"
    assert told("cv").startswith(none) and "does not cover" not in told("weight")
