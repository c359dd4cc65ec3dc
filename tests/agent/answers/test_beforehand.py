"""What is said before an answer: that two drugs are not paid for together."""

from __future__ import annotations

from agent.answers import beforehand
from agent.answers.answer import Answer
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tests.case_answers import bound_to, bundled, rendered


def beside(patient: str, drug: str, *others: str) -> Answer:
    ask = Ask(query="eligible", drugs=(drug,))
    return beforehand.apart(ask, others, bound_to(bundled(), patient), Ledger())


def test_two_drugs_of_which_a_policy_excludes_one_while_the_other_is_taken_are_told_so() -> None:
    answer = beside("P001", "Wegovy", "Ozempic")
    assert "Not both at once" in rendered(answer) and "§ 2(a)(2)" in rendered(answer) and answer.sources


def test_what_goes_together_or_is_taken_already_needs_no_such_line() -> None:
    assert "Not both" not in rendered(beside("P001", "Ozempic", "Jardiance"))
    assert "Not both" not in rendered(beside("P001", "Ozempic", "Ozempic"))
