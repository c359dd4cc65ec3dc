"""A draft is of the drug that is meant, or it is asked which."""

from __future__ import annotations

from agent.answers import drafting
from agent.answers.wording import Sorted
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


def test_a_message_to_the_prescriber_asks_for_what_is_open_each_with_its_clause() -> None:
    bound = bound_to(bundled(), "P011")
    answer = drafting.message(Ask(query="draft", drugs=("Ozempic",)), bound, Ledger())
    doctor, unmet = bound.patient.prescriber, Sorted.of(bound.determination("Ozempic")).unmet
    assert doctor is not None
    text = rendered(answer)
    assert (
        text.startswith("A message to paste; nothing is sent from here.")
        and f"To {doctor.name}, phone" in text
    )
    assert bound.patient.name in text and "the prescriber to" not in text
    for one in unmet:
        assert one.clause is not None and f"({one.clause.clause_id})" in text


def test_where_nothing_is_open_the_message_says_so() -> None:
    bound = bound_to(bundled(), "P001")
    text = rendered(drafting.message(Ask(query="message", drugs=("Ozempic",)), bound, Ledger()))
    assert bound.patient.name in text and "is ready to submit" in text and "still lacks" not in text


def test_what_nobody_ordered_the_prescriber_is_asked_to_order_and_told_of_what_is() -> None:
    bound = bound_to(bundled(), "P018")
    (ordered,) = {order.drug for order in bound.patient.orders}
    text = rendered(drafting.message(Ask(query="message", drugs=("Trulicity",)), bound, Ledger()))
    assert "Please order Trulicity" in text and f"The order on the chart is for {ordered}." in text
    text = rendered(drafting.message(Ask(query="message", drugs=(ordered,)), bound, Ledger()))
    assert "Please order" not in text


def test_of_what_is_not_covered_the_patient_is_told_just_that() -> None:
    bound = bound_to(bundled(), "P003")
    drugs = [found.drug for found in bound.compare() if found.outcome == "not_covered"]
    ask = Ask(query="message", drugs=(drugs[0],), text=f"a few lines for {bound.patient.family}")
    text = rendered(drafting.message(ask, bound, Ledger()))
    assert f"does not cover {drugs[0]}" in text and "working on" not in text


def test_a_message_goes_to_whom_the_words_name_and_to_both_where_they_name_neither() -> None:
    bound = bound_to(bundled(), "P003")
    patient, doctor = bound.patient, bound.patient.prescriber
    assert doctor is not None

    def to(text: str) -> tuple[bool, bool]:
        said = rendered(drafting.message(Ask(query="message", drugs=("Wegovy",), text=text), bound, Ledger()))
        return f"To {doctor.name}" in said, f"To {patient.name}" in said

    family = doctor.name.partition(",")[0].split()[-1]
    assert to(f"write to Dr. {family}") == (True, False)
    assert to(f"a few lines for Mr. {patient.family}") == (False, True)
    assert to("put that in a message") == (True, True)


def test_a_message_is_of_the_criteria_that_it_speaks_of() -> None:
    bound = bound_to(bundled(), "P011")
    unmet = [one for one in Sorted.of(bound.determination("Ozempic")).unmet if one.clause]
    ask = Ask(query="message", drugs=("Ozempic",), open_ones=(unmet[0].criterion,))
    text = rendered(drafting.message(ask, bound, Ledger()))
    told = [one for one in unmet if one.clause and f"({one.clause.clause_id})" in text]
    assert told == [one for one in unmet if one.criterion == unmet[0].criterion] != unmet


def test_a_message_about_no_drug_asks_for_none() -> None:
    bound = bound_to(bundled(), "P014")
    answer = drafting.message(Ask(query="message"), bound, Ledger())
    text = rendered(answer)
    assert bound.patient.name in text and "Which drug" not in text and not answer.offered
