"""The gold questions of policy search: every one of them can still be answered by the printed policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from evals.retrieval.gold import Query, answers, read_questions
from evals.stores import generated_store
from evals.suites.sources import policies
from tools.domain.records import Policy
from tools.store import Store, index
from tools.store.clauses import policy_chunks
from tools.store.everyday import fixed_clauses


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with generated_store(20) as made:
        yield made
    index.forget()


def policy_of(store: Store, question: Query) -> Policy:
    policy = store.policy(question.plan_id, question.drug)
    assert policy is not None, question.id
    return policy


def test_every_question_has_clauses_that_answer_it_and_others_that_do_not(store: Store) -> None:
    for question in read_questions():
        policy = policy_of(store, question)
        benefit = store.plan(question.plan_id).benefits[question.drug]
        gold = answers(question.gold[0], benefit, policy, store.drug(question.drug))
        assert gold, f"{question.id}: no clause of {policy.id} answers {question.ask!r}"
        assert len(gold) <= 6 < len(policy.clauses), question.id


def test_a_question_that_has_an_answer_is_answered_by_a_clause() -> None:
    items = [*policies()]
    assert len(items) > 900
    assert [item.id for item in items if bool(item.clauses) != (item.kind == "answerable")] == []


def test_the_questions_cover_payers_drugs_and_sections_evenly() -> None:
    questions = read_questions()
    assert len({question.ask for question in questions}) == len(questions) >= 100
    assert Counter(question.set for question in questions)["held_out"] >= 40
    assert len({question.plan_id for question in questions}) == 10
    assert len({question.drug for question in questions}) == 10
    assert len({question.gold[0].section for question in questions}) == 7


def test_the_clauses_of_fixed_wording_say_the_numbers_of_the_plan(store: Store) -> None:
    """Which clause states a period is known by its place; the number in it shows that the place is right."""
    for plan in store.plans():
        for benefit in plan.benefits.values():
            policy = store.policy(plan.id, benefit.drug)
            if policy is None:
                continue
            texts = {clause.id: clause.text for clause in policy.clauses}
            stated = fixed_clauses(policy, benefit, store.drug(benefit.drug))
            for clause_id, kind in stated.items():
                numbers = {
                    "initial": [str(rule.initial_months) for rule in benefit.rules],
                    "renewal": [str(rule.renewal_months) for rule in benefit.rules],
                    "limit": [f"{limit.quantity:g}" for limit in [benefit.quantity_limit] if limit]
                    + [f"{limit.quantity:g}" for limit in benefit.strength_limits.values()],
                    "starting": [
                        str(s.limit_days) for s in store.drug(benefit.drug).strengths if s.limit_days
                    ],
                }[kind]
                assert any(number in texts[clause_id] for number in numbers), (policy.id, clause_id, kind)


def test_no_question_stands_word_for_word_in_what_clauses_are_found_by(store: Store) -> None:
    asked = {question.ask.casefold() for question in read_questions()}
    for policy in store.policies():
        benefit = store.plan(policy.plan_id).benefits[policy.drug]
        for chunk in policy_chunks(policy, benefit, store.drug(policy.drug)):
            assert not asked & {view.casefold() for view in chunk.views}, chunk.clause_id
