"""Several drugs side by side: what can go first, and the one thing that each other lacks."""

from __future__ import annotations

import pytest

from agent.answers import compare
from agent.answers.answer import Answer
from agent.answers.wording import OUTCOMES
from agent.dialogue.query import Ask
from tests.case_answers import another, answered, bundled, check, everyone, rendered
from tools.queries.bound import Bound

ORDER = [*compare._READINESS]


def beside(bound: Bound, *drugs: str, all_drugs: bool = False) -> Answer:
    return answered(compare.answer, bound, Ask(query="compare", drugs=drugs, all_drugs=all_drugs))


@pytest.mark.slow
def test_every_comparison_holds() -> None:
    for bound in (*everyone(bundled()), *everyone(another(7)), *everyone(another(2026))):
        check(beside(bound, all_drugs=True), bound, compare.LONGEST)


def test_lines_are_sorted_by_readiness_and_say_each_outcome() -> None:
    for bound in everyone(bundled()):
        answer = beside(bound, all_drugs=True)
        ranks = [ORDER.index(found.outcome) for found in answer.determinations]
        assert ranks == sorted(ranks) and len(ranks) == len(bound.plan.benefits)
        lines = [answer.ledger.render(one.text) for one in answer.said if one.bullet]
        if answer.determinations[0].outcome == "wrong_plan":
            assert not lines
            continue
        for found, line in zip(answer.determinations, lines, strict=True):
            assert line.startswith(f"{found.drug}: {OUTCOMES[found.outcome]}"), line


def test_the_summary_counts_what_can_go_today() -> None:
    text = rendered(beside(Bound(bundled(), "P001"), all_drugs=True))
    assert text.startswith(
        "Of 10 drugs under Bluestem Community PPO: 4 ready to submit, 3 with no prior authorization required."
    )


def test_two_drugs_named_are_the_two_compared() -> None:
    answer = beside(Bound(bundled(), "P001"), "Wegovy", "Ozempic")
    assert [found.drug for found in answer.determinations] == ["Ozempic", "Wegovy"]
    assert answer.drugs == ("Wegovy", "Ozempic")


def test_one_drug_that_the_turn_names_is_told_in_full() -> None:
    bound = Bound(bundled(), "P007")
    assert [found.drug for found in beside(bound, "Ozempic").determinations] == ["Ozempic"]


def test_one_drug_that_the_talk_is_about_is_set_beside_what_is_met_today() -> None:
    bound = Bound(bundled(), "P007")
    answer = answered(compare.answer, bound, Ask(query="compare", drugs=("Ozempic",), from_talk=True))
    met = {option.drug for option in bound.determination("Ozempic").alternatives}
    assert met and {found.drug for found in answer.determinations} == {"Ozempic", *met}
