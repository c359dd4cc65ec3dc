"""The oracle judges the hand-made cases from their rules as printed in every house style."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
import pytest

from data_gen.catalog_loader import our_catalog
from evals.agreement.by_hand import cases_by_hand, hand_made, plan_id, world_by_hand
from evals.agreement.comparing import compare
from tools.domain.records import Outcome, Patient, Plan, Request, StartingLimit
from tools.engine.request import complete_request
from tools.engine.verdict import verdict
from tools.rulebook.policy_rules import read_limits, read_rules, stated
from tools.rulebook.policy_text import read_policy
from tools.screening.panel import Panel

CATALOG = our_catalog()
FOUND = hand_made(CATALOG)
WORLD = world_by_hand(CATALOG, FOUND)


@pytest.mark.slow
def test_both_sides_agree_on_every_case_in_every_style_and_around_it() -> None:
    asked = list(cases_by_hand(3, 3 * len(WORLD.plans), FOUND, WORLD))
    apart = [one for one in (compare(case, WORLD) for case in asked) if one.differences]
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
        printed = [limit for limit in benefit.all_limits() if not isinstance(limit, StartingLimit)]
        read = read_limits(policy, house)
        assert [(one.quantity, one.unit, one.days or None) for one in read] == [
            (one.quantity, one.unit, one.days) for one in printed
        ]
        of_use = [one for rule in benefit.rules for one in (rule.limits.every() if rule.limits else ())]
        assert [bool(one.uses) for one in read] == [one in of_use for one in printed]


@pytest.mark.slow
def test_the_first_day_of_another_outcome_is_found_as_by_walking_day_by_day() -> None:
    asked = cases_by_hand(5, 2 * len(WORLD.plans), FOUND, WORLD)
    turned = 0
    for number, case in enumerate(case for case in asked if case.plan_id.startswith("CASCADE")):
        plan = msgspec.convert(WORLD.plans[case.plan_id], Plan)
        patient = msgspec.convert(case.patient, Patient)
        panel = Panel([plan], CATALOG.drugs.values(), within=30, only=frozenset({case.drug}))
        for day in (case.as_of - timedelta(days=number % 7 + 27 * back) for back in (0, 1, 4, 9)):
            (row,) = panel.screen(patient, plan.id, day)
            other = next(
                (turn for turn in _walked(patient, plan, case.drug, day) if turn[1] != row.outcome), None
            )
            assert (row.changes_on, row.changes_to) == (other or (None, None)), (case.plan_id, case.edits)
            turned += other is not None
    assert turned > 20


def _walked(patient: Patient, plan: Plan, name: str, day: date) -> Iterator[tuple[date, Outcome]]:
    """The outcome of each of the 30 days after the day, in a chart in which nothing has been looked up."""
    request = complete_request(patient, CATALOG.drugs[name], Request(drug=name))
    for later in (day + timedelta(days=days) for days in range(1, 31)):
        yield later, verdict(msgspec.structs.replace(patient), plan, request, later).outcome
