"""Why it stands so: every criterion with what shows it, or the one that is asked about."""

from __future__ import annotations

from typing import Any

import pytest

from agent.answers import why
from agent.answers.answer import Answer
from agent.answers.wording import Sorted
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tests.case_answers import another, answered, bundled, check, everyone, rendered
from tools.queries.bound import Bound


def because(bound: Bound, drug: str, text: str = "", **named: tuple[str, ...]) -> Answer:
    query: Query = "criterion" if text or named else "why"
    return answered(why.answer, bound, Ask(query=query, drugs=(drug,), text=text, **named))


def test_every_answer_holds() -> None:
    for bound in (*everyone(bundled()), *everyone(another(7))[::3]):
        for drug in bound.plan.benefits:
            check(because(bound, drug), bound)


@pytest.mark.slow
def test_every_answer_about_one_criterion_holds() -> None:
    for at, bound in enumerate(everyone(bundled())[::8]):
        for drug in [*bound.plan.benefits][at % 3 :: 3]:
            for finding in bound.determination(drug).findings:
                check(
                    because(bound, drug, finding.criterion.replace("_", " ")),
                    bound,
                    longest=why.LONGEST_CRITERION,
                )


def test_of_a_criterion_with_several_ways_each_is_told_as_it_stands_and_what_is_within_it() -> None:
    bound = Bound(bundled(), "P003")
    text = rendered(because(bound, "Wegovy", "BMI", tests=("bmi",)))
    assert "Met: the BMI requirement (§ 1(a)(2)); one of these is enough:" in text
    assert "- Not met: baseline BMI at least 30.0 kg/m2" in text
    assert (
        "for which all of these are asked for: baseline BMI at least 27.0 kg/m2 (met); [one of these is enough:"
        in text
    )
    assert "hypertension (met)" in text and "type 2 diabetes (not met)" in text


def test_every_criterion_is_told_until_the_answer_is_full() -> None:
    answer = because(Bound(bundled(), "P001"), "Ozempic")
    lines = [line for line in rendered(answer).splitlines() if line.startswith("- ")]
    assert len([line for line in lines if line.startswith("- Met: ")]) == 5
    assert lines[-1] == "- Ruled out: 5 exclusions."


def test_what_is_in_the_way_comes_first() -> None:
    bound = Bound(bundled(), "P003")
    lines = rendered(because(bound, "Ozempic")).splitlines()
    unmet = Sorted.of(bound.determination("Ozempic")).unmet
    assert lines[1].startswith("- Not met: ") and unmet[0].status == "not_met"


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (
            {"medicines": ("metformin",)},
            "step therapy is met: metformin ER for 441 days, inadequate response",
        ),
        ({"tests": ("hba1c",)}, "HbA1c at least 7.0 % within 90 days is met: HbA1c 8.4 % on Aug 17, 2026"),
        ({"conditions": ("mtc_men2",)}, "medullary thyroid carcinoma history is ruled out"),
        ({"conditions": ("pregnancy",)}, "pregnancy is ruled out"),
        ({"criteria": ("§ 4(a)",)}, "at most 3 mL per 28 days is met"),
    ],
)
def test_a_criterion_is_found_by_what_is_named_or_meant(named: dict[str, Any], told: str) -> None:
    answer = because(Bound(bundled(), "P001"), "Ozempic", **named)
    assert told in rendered(answer)
    assert len([one for one in answer.said if not one.bullet]) <= 6


def test_its_clause_is_quoted_word_for_word() -> None:
    bound = Bound(bundled(), "P001")
    answer = because(bound, "Ozempic", tests=("hba1c",))
    quoted = next(one for one in answer.said if one.text.startswith("The policy says"))
    policy = bound.policy("Ozempic")
    assert quoted.verbatim and policy is not None
    clause = next(clause for clause in policy.clauses if clause.id == "§ 1(a)(3)")
    assert f"“{clause.text}”" in answer.ledger.render(quoted.text)


def test_words_that_name_no_criterion_are_said_to_name_none() -> None:
    answer = because(Bound(bundled(), "P001"), "Ozempic", "shoe size 44 {F1}")
    assert "I found no single criterion that “shoe size 44 {F1}” means, so here are all of them." in rendered(
        answer
    )
    assert len(answer.said) > 3


def test_where_no_criterion_was_judged_none_is_said_to_be_missing() -> None:
    bound = Bound(bundled(), "P010")
    text = rendered(
        why.answer(Ask(query="criterion", drugs=("Mounjaro",), text="step therapy"), bound, Ledger())
    )
    assert "wrong plan" in text.casefold() and "no single criterion" not in text


def test_an_age_that_fails_is_told_beside_what_is_asked_for() -> None:
    bound = Bound(bundled(), "P011")
    text = rendered(why.answer(Ask(query="why", drugs=("Wegovy",)), bound, Ledger()))
    assert "- Not met: age at least 45 years: age 35 (" in text


def test_without_a_drug_one_who_is_in_another_plan_is_told_so() -> None:
    text = rendered(why.answer(Ask(query="why"), Bound(bundled(), "P016"), Ledger()))
    assert text.startswith("Enrolled in Prairie Silver 70 since Mar 23, 2025")
    assert "Formerly enrolled in Bluestem Community PPO" in text


def test_a_criterion_that_is_named_by_its_clause_is_that_one() -> None:
    bound = Bound(bundled(), "P001")
    asked = Ask(query="criterion", drugs=("Ozempic",), text="does he clear 1(a)(5)(iv)?")
    _, part = why.about_criterion(asked, bound.determination("Ozempic")) or (None, None)
    assert part is not None and part.clause is not None and part.clause.clause_id == "§ 1(a)(5)(iv)"


def test_a_clause_is_told_with_how_the_patient_stands_to_it() -> None:
    answer = why.clause(
        Ask(query="policy", drugs=("Ozempic",), text="which A1c does it want"),
        Bound(bundled(), "P001"),
        Ledger(),
    )
    text = rendered(answer)
    assert "For this patient:\n- Met: HbA1c at least 7.0 %" in text


def test_a_drug_that_is_to_be_tried_first_is_a_criterion_of_the_drug_talked_about() -> None:
    """ "Why need he not try Mounjaro first?" asks about Ozempic's step, and not about Mounjaro."""
    bound = Bound(bundled(), "P001")
    asked = why.step_of(Ask(query="policy", drugs=("Mounjaro",)), ("Ozempic",), bound)
    assert (asked.query, asked.drugs, asked.medicines) == ("criterion", ("Ozempic",), ("Mounjaro",))
    text = rendered(answered(why.answer, bound, asked))
    assert text.startswith("For Ozempic") and "no trial of Mounjaro is charted" in text
    alone = Ask(query="policy", drugs=("Mounjaro",))
    assert why.step_of(alone, ("Wegovy",), bound) == alone
