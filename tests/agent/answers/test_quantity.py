"""Whether an amount is within the limit is told before how the request stands."""

from __future__ import annotations

from agent.answers import registry
from agent.dialogue.hypotheses import _supply
from agent.dialogue.query import Ask, Polarity
from agent.ledger import Ledger
from tests.case_answers import bound_to, bundled, rendered
from tools.engine.what_if import Asked
from tools.terminology.quantities import quantities_in


def told(*changes: Asked, yes: Polarity = "fine") -> str:
    ask = Ask(query="quantity", yes=yes, drugs=("Ozempic",), changes=changes)
    return rendered(registry.answer(ask, bound_to(bundled(), "P001"), Ledger()))


def test_the_amount_ordered_is_held_against_the_limit_first() -> None:
    assert told().startswith("Yes. Met: at most 3 mL per 28 days")
    assert told(yes="hurdle").startswith("No. Met: at most 3 mL per 28 days")  # "is that over?"
    assert told(yes="").startswith("Met: at most 3 mL per 28 days")


def test_an_amount_that_is_supposed_is_named_and_then_held_against_it() -> None:
    lines = told(Asked(quantity=6.0, days_supply=28))
    assert lines.startswith("Hypothetical: if 6 mL for 28 days were asked for")
    assert "No. Not met: at most 3 mL per 28 days: 6 mL per 28 days asked for, 3 mL over the limit" in lines


def test_an_amount_its_days_or_both_are_supposed_as_they_are_told() -> None:
    for words, asked in (
        ("3 mL for 28 days", Asked(quantity=3.0, days_supply=28)),
        ("6 mL", Asked(quantity=6.0)),
        ("12 weeks", Asked(days_supply=84)),
    ):
        (quantity,) = quantities_in(words)
        assert _supply(quantity, is_time=False) == asked
