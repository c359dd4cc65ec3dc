"""Which sentences of an answer stand first, behind the others, and not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.answers import arrangement
from agent.answers.answer import Answer, Said, Standing
from agent.dialogue.query import Polarity, Query
from agent.dialogue.turns import Question
from agent.ledger import Ledger

QUESTION = Question("is it ready, and what does he pay?")


def answer(query: Query, *said: Said | str, hypothetical: bool = False) -> Answer:
    lines = [one if isinstance(one, Said) else Said(text=one) for one in said]
    return Answer(query=query, said=lines, ledger=Ledger(), hypothetical=hypothetical)


@pytest.fixture
def likely(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Of each text how likely it is asked for."""
    by_text: dict[str, float] = {}
    monkeypatch.setattr(arrangement, "likelihoods", lambda _, lines: [by_text[one.text] for one in lines])
    return by_text


def told(*answers: Answer) -> list[str]:
    return [one.text for answer in arrangement.arranged(QUESTION, answers, Ledger()) for one in answer.said]


def test_what_is_asked_stands_first_what_is_useful_behind_and_the_rest_is_left_out(
    likely: dict[str, float],
) -> None:
    likely |= {"Ready.": 0.5, "Rests on it.": 0.3, "$ 60.": 0.9, "Tier 3.": 0.2, "Fax it.": 0.05}
    answers = answer("eligible", "Ready.", "Rests on it."), answer("copay", "Tier 3.", "$ 60.", "Fax it.")
    assert told(*answers) == ["$ 60.", "Ready.", "Also relevant:", "Tier 3.", "Rests on it."]


def test_what_leans_on_a_sentence_and_the_list_that_it_introduces_stay_with_it(
    likely: dict[str, float],
) -> None:
    likely |= {"Paid.": 0.6, "Open:": 0.8, "a note": 0.9, "It was so.": 0.1}
    items = Said(text="Open:"), Said(text="a note", bullet=True), Said(text="It was so.", leans=True)
    assert told(answer("missing", "Paid.", *items)) == ["Open:", "a note", "It was so.", "Paid."]


def test_what_stands_behind_is_one_list_in_which_each_item_has_what_leans_on_it(
    likely: dict[str, float],
) -> None:
    likely |= {"Paid.": 0.9, "Open:": 0.2, "a note": 0.2, "It was so.": 0.1}
    items = Said(text="Open:"), Said(text="a note", bullet=True), Said(text="It was so.", leans=True)
    behind = arrangement.arranged(QUESTION, [answer("copay", "Paid."), answer("unclear", *items)], Ledger())[
        -1
    ]
    assert [(one.text, one.bullet) for one in behind.said] == [
        ("Also relevant:", False), ("Open:", True), ("a note It was so.", True),
    ]  # fmt: skip


def test_what_adds_no_fact_to_the_answer_is_not_told_behind_it(likely: dict[str, float]) -> None:
    ledger = Ledger()
    copay, day, tier = (
        ledger.add("money", 60.0, shown="$60", origin="plan", source="plan:A"),
        ledger.add("date", "2026-09-01", shown="Sep 1, 2026", origin="plan"),
        ledger.add("money", 60.0, shown="$60", origin="plan", source="plan:B"),
    )
    asked, again, more, bare = (
        f"It is {copay}.", f"The copay comes to {tier}.", f"So it was on {day}.", "Ask the plan."
    )  # fmt: skip
    likely |= {ledger.render(asked): 0.9} | {ledger.render(one): 0.2 for one in (again, more, bare)}
    arranged = arrangement.arranged(QUESTION, [answer("copay", asked, again, more, bare)], ledger)
    assert [one.text for told_of in arranged for one in told_of.said] == [asked, "Also relevant:", more, bare]


def test_what_two_answers_have_in_common_is_told_once_and_a_list_keeps_what_introduces_it(
    likely: dict[str, float],
) -> None:
    likely |= dict.fromkeys(("Not ready.", "Open:", "a note", "a test", "Papers:", "On file."), 0.9)
    note, test = (Said(text=text, bullet=True) for text in ("a note", "a test"))
    first = answer("eligible", "Not ready.", "Open:", note)
    second = answer("missing", "Not ready.", "Open:", note, test, "Papers:", note)
    third = answer("attach", "Papers:", note, "On file.")
    assert told(first, second, third) == ["Not ready.", "Open:", "a note", "Open:", "a test", "On file."]


def test_a_supposition_and_a_message_are_told_whole_and_in_their_order(likely: dict[str, float]) -> None:
    likely |= {"Supposed.": 0.1, "If so, ready.": 0.9, "To Dr. Yi:": 0.1, "a note": 0.9, "Paid.": 0.95}
    supposed = answer("what_if", "Supposed.", "If so, ready.", hypothetical=True)
    message = answer("message", "To Dr. Yi:", Said(text="a note"))
    message.closing = [Said(text="Thank you.")]
    assert told(answer("copay", "Paid."), supposed, message) == [
        "Supposed.", "If so, ready.", "To Dr. Yi:", "a note", "Paid.", "Thank you.",
    ]  # fmt: skip


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_the_likeliest_sentence_is_always_told_first_and_nothing_is_made_up(scores: list[float]) -> None:
    texts = [f"Sentence {at}." for at in range(len(scores))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrangement, "likelihoods", lambda _, lines: scores)
        lines = told(answer("summary", *texts))
    assert lines[0] == texts[scores.index(max(scores))]
    assert {*lines} <= {*texts, "Also relevant:"}


def test_a_question_on_two_together_is_answered_by_what_keeps_them_apart() -> None:
    pair = answer("unclear", "Not both at once: the plan excludes Wegovy while Ozempic is taken (X-1.2).")
    ready = answer("eligible", "Ozempic is ready to submit: all 4 criteria are met and no exclusion applies.")
    asked = Question(
        "so could she be on both of them, the Ozempic together with the Wegovy?", "and the Wegovy?"
    )
    assert arrangement.asks_for(asked, pair, [ready], Ledger())
    assert not arrangement.asks_for(Question("what tier is Ozempic?"), pair, [ready], Ledger())


@pytest.mark.parametrize(
    ("yes", "standing", "begins"),
    [
        ("fine", "met", "Yes. It is so."),
        ("fine", "not_met", "No. It is so."),
        ("fine", "unsettled", "Not yet. It is so."),
        ("hurdle", "met", "No. It is so."),
        ("hurdle", "not_met", "Yes. It is so."),
        ("hurdle", "open", "Yes, as it stands. It is so."),
        ("hurdle", "unsettled", "It is so."),  # nothing proves what would exclude it
        ("", "met", "It is so."),
        ("fine", "", "It is so."),
    ],
)
def test_yes_or_no_stands_before_how_a_criterion_stands_by_what_a_yes_would_say(
    yes: Polarity, standing: Standing, begins: str, likely: dict[str, float]
) -> None:
    likely |= {"It is so.": 0.9, "More.": 0.2}
    one = answer("criterion", Said(text="It is so.", standing=standing), "More.")
    one.yes = yes
    assert told(one)[0] == begins


def test_a_supposition_is_told_without_yes_or_no_of_the_chart_as_it_is(likely: dict[str, float]) -> None:
    likely |= {"If so.": 0.9, "More.": 0.2}
    one = answer("what_if", Said(text="If so.", standing="met"), "More.", hypothetical=True)
    one.yes = "fine"
    assert told(one)[0] == "If so."
