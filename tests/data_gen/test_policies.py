from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from data_gen.catalog_loader import our_catalog
from tools.common.errors import Invalid
from tools.domain.records import Benefit, Plan, Policy, QuantityLimit
from tools.domain.rules import Age, Lab, Measured, Rule, Trial, window_of
from tools.rulebook.plain import describe
from tools.rulebook.policy_rules import Limit, read_limits, read_renewal_gap, read_rules, stated
from tools.rulebook.policy_text import read_policy
from tools.rulebook.prose import House
from tools.rulebook.wording import plain_number
from tools.terminology.terms import SECTIONS

CATALOG = our_catalog()
ALL = [(plan, benefit) for plan in CATALOG.plans.values() for benefit in plan.benefits.values()]
PA = [(plan, benefit) for plan, benefit in ALL if benefit.pa_required]
OZEMPIC = CATALOG.policies["CASCADE-GOLD-OZEMPIC"]


def nodes(rule: Rule) -> Iterator[Any]:
    """In the order in which they are printed."""
    for top in (rule.criteria, *rule.exclusions, *rule.documents, *rule.renewals):
        yield from _with_children(top)


def _with_children(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", ()):
        yield from _with_children(child)


def parts(plan: Plan, benefit: Benefit) -> tuple[Policy, House]:
    return CATALOG.policies[benefit.policy_id], CATALOG.houses[plan.id]


# --- all hundred cells -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("plan", "benefit"), ALL, ids=lambda value: getattr(value, "id", "") or value.drug)
def test_table_prose_questions_and_rules_of_a_cell_agree(plan: Plan, benefit: Benefit) -> None:
    if not benefit.pa_required:
        assert not benefit.rules and not benefit.step_therapy and not benefit.policy_id
        return
    policy, house = parts(plan, benefit)
    said = read_rules(policy, house)
    assert tuple(said) == benefit.indications == tuple(rule.indication for rule in benefit.rules)
    for rule in benefit.rules:
        assert said[rule.indication] == stated(rule)
    trials = [
        describe(n) for rule in benefit.rules for n in _with_children(rule.criteria) if isinstance(n, Trial)
    ]
    assert list(benefit.step_therapy) == list(dict.fromkeys(trials))
    assert read_limits(policy, house) == limits(benefit)
    assert read_renewal_gap(policy, house) == plan.renewal_gap_days


def limits(benefit: Benefit) -> list[Limit]:
    def one(limit: QuantityLimit, strength: str = "") -> Limit:
        return Limit(limit.quantity, limit.unit, limit.days, strength)

    own = [one(benefit.quantity_limit)] if benefit.quantity_limit else []
    return own + [one(limit, label) for label, limit in benefit.strength_limits.items()]


@pytest.mark.parametrize(("plan", "benefit"), PA, ids=lambda value: getattr(value, "id", "") or value.drug)
def test_every_quote_stands_in_its_document_under_its_number(plan: Plan, benefit: Benefit) -> None:
    policy, _ = parts(plan, benefit)
    clauses = {clause.id: clause.text for clause in policy.clauses}
    cited = [node for rule in benefit.rules for node in nodes(rule)]
    cited += [limit for limit in (benefit.quantity_limit, *benefit.strength_limits.values()) if limit]
    cited += benefit.starting_limits.values()
    for node in cited:
        assert clauses[node.clause_id] == node.quote
        assert f"{node.clause_id}  {node.quote}" in policy.text
    for rule in benefit.rules:
        assert rule.policy_id == policy.id
        assert (rule.version, rule.effective_from) == (policy.version, policy.effective_from)


@pytest.mark.parametrize(("plan", "benefit"), PA, ids=lambda value: getattr(value, "id", "") or value.drug)
def test_the_forms_question_asks_for_the_numbers_of_its_criterion(plan: Plan, benefit: Benefit) -> None:
    for rule in benefit.rules:
        for node in nodes(rule):
            wanted: list[float] = []
            if isinstance(node, Age):
                wanted = [node.years]
            elif isinstance(node, Lab):
                wanted = [float(node.value), *([node.within.count] if node.within else [])]
            elif isinstance(node, Trial):
                wanted = [value for value in (node.min_days, node.min_daily_dose, node.within_days) if value]
            elif isinstance(node, Measured):
                wanted = [node.within.count]
            asked = re.findall(r"\d+(?:\.\d+)?", getattr(node, "question", ""))
            assert {plain_number(w) for w in wanted} <= {plain_number(float(a)) for a in asked}, node


# --- documents -------------------------------------------------------------------------------------------


def test_there_is_a_document_for_every_pa_cell_and_no_other() -> None:
    assert set(CATALOG.policies) == {benefit.policy_id for _, benefit in PA}
    assert CATALOG.policies["CASCADE-GOLD-OZEMPIC"].file == "cascade-gold-ozempic.txt"
    assert len({policy.file for policy in CATALOG.policies.values()}) == len(PA)


@pytest.mark.parametrize("policy", CATALOG.policies.values(), ids=lambda policy: policy.id)
def test_a_document_has_seven_sections_holds_throughout_2026_and_can_be_faxed(policy: Policy) -> None:
    assert {clause.section for clause in policy.clauses} == set(SECTIONS)
    assert policy.effective_from and policy.effective_from < date(2026, 1, 1)
    assert policy.effective_to is None or policy.effective_to >= date(2026, 12, 31)
    assert read_policy(policy.text, policy.file) == policy
    policy.text.encode("cp1252")


def test_ten_payers_number_and_head_their_policies_in_ten_ways() -> None:
    looks = {
        (house.style.number, tuple(house.style.title.values()), house.style.layout["heading"])
        for house in CATALOG.houses.values()
    }
    assert len(looks) == 10
    assert len({house.number((1, 1, 1)) for house in CATALOG.houses.values()}) == 10


def test_rounding_and_windows_are_in_the_words() -> None:
    for plan, benefit in PA:
        rounding = CATALOG.houses[plan.id].style.part["rounding"]
        for rule in benefit.rules:
            for node in nodes(rule):
                if isinstance(node, Lab):
                    assert (
                        (rounding in node.quote)
                        == (node.rounded == "tenths")
                        == (node.test in ("hba1c", "bmi"))
                    )
                within = window_of(node)
                if within is not None:
                    assert str(within.count) in node.quote


# --- a damaged document ----------------------------------------------------------------------------------


def line_of(text: str, part: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("End of policy CASCADE-GOLD-OZEMPIC", "End of", "End of", "cut short"),
        ("1.1.1  The member", "1.1.1 The member", "End of policy", "clauses announced, "),
        ("1.1.2  The", "1.1.1  The", "1.1.2  The", "clause 1.1.1 stands twice"),
        ("Version: 2025.2\n", "", "Cascade", "the header does not name the version"),
        ("Effective date: July 01, 2025", "Effective date: July 41, 2025", "Effective date", "is not a date"),
        ("Policy ID: CASCADE-GOLD-OZEMPIC", "Policy ID: CASCADE-GOLD-WEGOVY", "End of", "but began as"),
        ("7. APPEAL PROCESS", "7. WHAT NEXT", "End of", "no clause under Appeal process"),
    ],
)
def test_damage_is_noticed_with_file_and_line(old: str, new: str, at: str, says: str) -> None:
    assert old in OZEMPIC.text
    broken = OZEMPIC.text.replace(old, new, 1)
    with pytest.raises(Invalid) as caught:
        read_policy(broken, "policies/x.txt")
    line = line_of(OZEMPIC.text, at) - (1 if "\n" in old and at.startswith("End") else 0)
    assert str(caught.value).startswith(f"policies/x.txt:{line}: "), caught.value
    assert says in str(caught.value)


def test_a_document_cut_anywhere_is_refused() -> None:
    lines = OZEMPIC.text.splitlines()
    for end in range(len(lines)):
        with pytest.raises(Invalid):
            read_policy("\n".join(lines[:end]), "x.txt")


def test_a_changed_number_no_longer_matches_the_rule() -> None:
    broken = OZEMPIC.text.replace("at least 6.5 %", "at least 7.5 %", 1)
    policy = read_policy(broken, OZEMPIC.file)
    rule = CATALOG.plans["CASCADE-GOLD"].benefits["Ozempic"].rules[0]
    assert read_rules(policy, CATALOG.houses["CASCADE-GOLD"])["t2dm"] != stated(rule)
