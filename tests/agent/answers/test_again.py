"""What was said, said again: shortly, or with what it rests on; and nothing that was not said."""

from __future__ import annotations

from agent.answers import again
from agent.answers.answer import Answer
from agent.answers.registry import ANSWERS
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tests.case_answers import bundled, rendered
from tools.queries.bound import Bound

WHY = Ask(query="why", drugs=("Ozempic",))
VALUE = Ask(query="value", tests=("hba1c",))


def said(*before: Ask, query: str, **named: tuple[str, ...]) -> Answer:
    ledger, bound = Ledger(), Bound(bundled(), "P001")

    def once_more(ask: Ask) -> Answer:
        return ANSWERS[ask.query](ask, bound, ledger)

    if query == "rephrase":
        return again.rephrase(Ask(query="rephrase"), before, once_more, ledger)
    return again.sources(Ask(query="sources", **named), before, once_more, bound, ledger)  # type: ignore[arg-type]


def test_shorter_is_the_first_sentence_of_each_answer() -> None:
    answer = said(WHY, VALUE, query="rephrase")
    first, second = rendered(answer).splitlines()
    assert "Ozempic" in first and second.startswith("The latest HbA1c is 8.4 %")
    assert answer.drugs == ("Ozempic",) and answer.determinations


def test_what_it_rests_on_is_quoted_with_where_it_stands() -> None:
    answer = said(WHY, query="sources")
    text = rendered(answer)
    assert text.startswith("It rests on:\n- ") and 1 < len(answer.said) <= again.MOST_SOURCES + 1
    for source in answer.sources[: again.MOST_SOURCES]:
        assert f"{source.source}: “{source.quote}”" in text


def test_where_nothing_was_said_that_is_said() -> None:
    assert "Nothing was said yet" in rendered(said(query="rephrase"))
    answer = said(query="sources")
    assert "Nothing was said yet" in rendered(answer) and not answer.sources


def test_a_thing_that_is_named_is_traced_to_the_chart_where_nothing_was_said_of_it() -> None:
    answer = said(query="sources", tests=("hba1c",))
    assert "8.4 %" in rendered(answer) and answer.sources[0].source == "chart O28"


def test_who_stated_what_it_rests_on_is_told() -> None:
    ledger, bound = Ledger(), Bound(bundled(), "P019")
    why = Ask(query="why", drugs=("Wegovy",))
    answer = again.sources(
        Ask(query="sources"), (why,), lambda ask: ANSWERS[ask.query](ask, bound, ledger), bound, ledger
    )
    assert "chart T1, by Monica Price, MD: “" in rendered(answer)
