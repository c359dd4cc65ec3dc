"""The oracle judges the hand-made cases from their rules as printed in every house style."""

from __future__ import annotations

import msgspec
import pytest

from data_gen.catalog_loader import our_catalog
from evals.by_hand import cases_by_hand, hand_made, plan_id, world_by_hand
from evals.oracle_agreement import compare
from tools.records import Plan
from tools.rulebook.policy_rules import read_rules, stated
from tools.rulebook.policy_text import read_policy

CATALOG = our_catalog()
FOUND = hand_made(CATALOG)
WORLD = world_by_hand(CATALOG, FOUND)


def test_both_sides_agree_on_every_case_in_every_style_and_around_it() -> None:
    asked = list(cases_by_hand(3, 3 * len(WORLD.plans), FOUND, WORLD))
    apart = [one for one in (compare(case, WORLD) for case in asked) if one.differences and not one.explained]
    assert [(one.case.plan_id, one.case.edits, one.differences) for one in apart] == []
    assert len({case.plan_id for case in asked}) == len(WORLD.plans) == len(FOUND) * len(CATALOG.houses)


@pytest.mark.parametrize("name", FOUND)
def test_the_rules_of_a_hand_made_case_read_back_in_every_style(name: str) -> None:
    drug = FOUND[name].request.drug
    for style, house in CATALOG.houses.items():
        plan = msgspec.convert(WORLD.plans[plan_id(name, style)], Plan)
        benefit = plan.benefits[drug]
        policy = read_policy(WORLD.policies[benefit.policy_id], "case")
        for rule in benefit.rules:
            said = read_rules(policy, house)[rule.indication]
            assert said == stated(rule)
