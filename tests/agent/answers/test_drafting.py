"""A draft is of the drug that is meant, or it is asked which."""

from __future__ import annotations

from agent.answers import drafting
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tests.case_answers import bound_to, bundled, rendered


def test_where_the_talk_alone_says_of_which_drug_and_another_is_ordered_that_is_asked_back() -> None:
    bound = bound_to(bundled(), "P001")
    (ordered,) = {order.drug for order in bound.patient.orders}
    talked = Ask(query="draft", drugs=("Mounjaro",), from_talk=True)
    answer = drafting.answer(talked, bound, Ledger(), None)
    assert answer.offered == (ordered, "Mounjaro") and rendered(answer).startswith("Which drug")
    named = Ask(query="draft", drugs=("Mounjaro",))
    assert not drafting.answer(named, bound, Ledger(), None).offered


def test_where_none_is_named_the_one_that_is_ordered_is_drafted() -> None:
    bound = bound_to(bundled(), "P001")
    (ordered,) = {order.drug for order in bound.patient.orders}
    assert drafting.answer(Ask(query="draft"), bound, Ledger(), None).drugs == (ordered,)
