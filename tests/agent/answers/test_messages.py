"""A message is to whom the words name, says what each is asked to do, and holds what the turn wants in it."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from agent.answers import messages
from agent.answers.answer import Answer, plain
from agent.answers.wording import Sorted
from agent.dialogue.query import Addressee, Ask
from agent.ledger import Ledger
from tests.agent.chats import talk
from tests.case_answers import bound_to, bundled, rendered


def test_a_message_to_the_prescriber_asks_for_what_is_open_each_with_its_clause() -> None:
    bound = bound_to(bundled(), "P011")
    answer = messages.answer(Ask(query="draft", drugs=("Ozempic",)), bound, Ledger())
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
    text = rendered(messages.answer(Ask(query="message", drugs=("Ozempic",)), bound, Ledger()))
    assert bound.patient.name in text and "is ready to submit" in text and "still lacks" not in text


def test_what_nobody_ordered_the_prescriber_is_asked_to_order_and_told_of_what_is() -> None:
    bound = bound_to(bundled(), "P018")
    (ordered,) = {order.drug for order in bound.patient.orders}
    text = rendered(messages.answer(Ask(query="message", drugs=("Trulicity",)), bound, Ledger()))
    assert "Please order Trulicity" in text and f"The order on the chart is for {ordered}." in text
    text = rendered(messages.answer(Ask(query="message", drugs=(ordered,)), bound, Ledger()))
    assert "Please order" not in text


def test_of_what_is_not_covered_the_patient_is_told_just_that() -> None:
    bound = bound_to(bundled(), "P003")
    drugs = [found.drug for found in bound.compare() if found.outcome == "not_covered"]
    ask = Ask(query="message", drugs=(drugs[0],), text=f"a few lines for {bound.patient.family}")
    text = rendered(messages.answer(ask, bound, Ledger()))
    assert f"does not cover {drugs[0]}" in text and "working on" not in text


def test_a_message_goes_to_whom_the_words_name_and_to_both_where_they_name_neither() -> None:
    bound = bound_to(bundled(), "P003")
    patient, doctor = bound.patient, bound.patient.prescriber
    assert doctor is not None

    def to(text: str) -> tuple[bool, bool]:
        said = rendered(messages.answer(Ask(query="message", drugs=("Wegovy",), text=text), bound, Ledger()))
        return f"To {doctor.name}" in said, f"To {patient.name}" in said

    family = doctor.name.partition(",")[0].split()[-1]
    assert to(f"write to Dr. {family}") == (True, False)
    assert to(f"a few lines for Mr. {patient.family}") == (False, True)
    assert to(f"a note to the doctor about Mr. {patient.family}") == (True, False)
    assert to(f"a note on Mr. {patient.family} for Dr. {family}") == (True, True)
    assert to("un mensaje para la doctora") == (True, False)
    assert to("what can I tell the patient?") == (False, True)
    assert to("put that in a message") == (True, True)


def test_a_message_is_of_the_criteria_that_it_speaks_of() -> None:
    bound = bound_to(bundled(), "P011")
    unmet = [one for one in Sorted.of(bound.determination("Ozempic")).unmet if one.clause]
    ask = Ask(query="message", drugs=("Ozempic",), open_ones=(unmet[0].criterion,))
    text = rendered(messages.answer(ask, bound, Ledger()))
    told = [one for one in unmet if one.clause and f"({one.clause.clause_id})" in text]
    assert told == [one for one in unmet if one.criterion == unmet[0].criterion] != unmet
    beside = text.partition("Open too: ")[2].partition(".")[0].split("; ")
    every = Sorted.of(bound.determination("Ozempic")).unmet
    assert len(beside) == len(every) - 1 > 0  # none is kept from who reads it


def test_a_message_about_no_drug_asks_for_none() -> None:
    bound = bound_to(bundled(), "P014")
    answer = messages.answer(Ask(query="message"), bound, Ledger())
    text = rendered(answer)
    assert bound.patient.name in text and "Which drug" not in text and not answer.offered


def test_what_was_said_before_goes_into_a_message_and_the_days_that_it_names() -> None:
    bound, ledger = bound_to(bundled(), "P011"), Ledger()

    def again(ask: Ask) -> Answer:
        return Answer(query=ask.query, ledger=ledger, said=plain(f"As to {ask.query}."))

    before = (Ask(query="value_age"), Ask(query="missing"))
    asked = messages.answer(Ask(query="message", drugs=("Ozempic",)), bound, ledger)
    due = bound.as_of + timedelta(days=3)
    turn = f"put that in a note to the doctor, we need it by {due.month}/{due.day}"
    text = rendered(messages.composed([asked], before, again, turn, bound)[0])
    assert "As to value_age." in text and "As to missing." not in text
    assert f"Date to keep: {due:%b} {due.day}, {due.year}." in text


def test_beside_another_thing_that_is_asked_nothing_is_carried_and_what_is_missing_is_told_once() -> None:
    bound, ledger = bound_to(bundled(), "P011"), Ledger()
    message = messages.answer(Ask(query="message", drugs=("Ozempic",)), bound, ledger)
    copay = Answer(query="copay", ledger=ledger, said=plain("It is $40."))
    missing = Answer(
        query="missing", ledger=ledger, said=plain("Open."), determinations=message.determinations
    )
    told = messages.composed([missing, message, copay], (Ask(query="value"),), lambda ask: copay, "", bound)
    assert told == [message, copay] and "It is $40." not in rendered(message)


def test_a_message_ends_behind_what_else_the_turn_wants_in_it() -> None:
    conversation = talk(bundled(), "P003")
    doctor = conversation.ask("who is the prescriber?").answer
    answer = conversation.ask(
        "what's his BMI? and draft a message to the doctor on the wegovy, please"
    ).answer
    told = answer.partition("Also relevant:")[0].strip()
    assert doctor and told.endswith("Thank you.") and "BMI" in told and "A message to paste" in told


def test_a_message_ends_in_the_language_that_it_is_in() -> None:
    bound = bound_to(bundled(), "P003")

    def end(text: str) -> str:
        said = messages.answer(Ask(query="message", drugs=("Wegovy",), text=text), bound, Ledger()).closing
        return said[0].text

    assert end("escríbame por favor un mensaje para la paciente, en español") == "Muchas gracias."
    assert end("escríbame por favor un mensaje para la doctora") == "Thank you."


def test_of_a_drug_that_the_plan_does_not_list_there_is_no_message() -> None:
    bound, ledger = bound_to(bundled(), "P003"), Ledger()
    bound.__dict__["plan"] = msgspec.structs.replace(bound.plan, benefits={})
    answer = messages.answer(Ask(query="message", drugs=("Wegovy",)), bound, ledger)
    before = (Ask(query="value_age"),)
    told = messages.composed([answer], before, lambda ask: answer, "put that in a note by 9/20", bound)
    assert told == [answer] and not answer.closing and "Date to keep" not in rendered(answer)


def test_a_message_is_said_again_whole_in_another_language_and_to_whom_these_words_name() -> None:
    conversation = talk(bundled(), "P003")
    patient = bundled().patient("P003")
    first = conversation.ask("draft a message to the doctor on the wegovy, please").answer
    again = conversation.ask("in spanish please").answer
    assert "A message to paste" in first and "Please" in first
    assert f"Para {patient.name}:" in again and again.rstrip().endswith("Muchas gracias.")
    assert "La respuesta, en inglés" not in again


def _message(patient_id: str, drug: str, to: Addressee, text: str = "") -> str:
    ask = Ask(query="message", drugs=(drug,), to=to, text=text)
    answer = messages.answer(ask, bound_to(bundled(), patient_id), Ledger())
    return "\n".join(answer.ledger.render(one.text) for one in (*answer.said, *answer.closing))


def test_a_message_to_the_prescriber_has_what_the_chart_has_and_what_the_policy_says() -> None:
    bound = bound_to(bundled(), "P002")
    text = _message("P002", "Ozempic", "prescriber")
    (course,) = (one for one in bound.patient.medications or () if one.drug == "Victoza")
    assert course.start is not None
    since = f"{course.start:%b} {course.start.day}, {course.start.year}"
    assert (
        "Please document whether Victoza was stopped" in text
        and f"The chart has: Victoza 1.8 mg once daily, since {since}" in text
    )
    (open_one,) = (one for one in bound.determination("Ozempic").findings if one.status != "met")
    assert open_one.clause is not None and f"The policy says: “{open_one.clause.quote}”" in text


def test_a_message_on_a_renewal_says_until_when_the_approval_runs() -> None:
    bound = bound_to(bundled(), "P019")
    (approval,) = (one for one in bound.patient.authorizations if one.drug == "Wegovy")
    assert f"to {approval.end:%b} {approval.end.day}, {approval.end.year}" in _message(
        "P019", "Wegovy", "prescriber"
    )


def test_a_message_to_the_patient_says_in_plain_words_what_is_needed_and_what_there_is_instead() -> None:
    text = _message("P018", "Mounjaro", "patient")
    assert "does not pay for Mounjaro yet" in text and "Ozempic or Trulicity for 84 days" in text
    assert "might pay today for" in text and "C-1.5" not in text and "Not met" not in text
    spanish = _message("P018", "Mounjaro", "patient", "escríbalo en español")
    assert "todavía no paga Mounjaro" in spanish and spanish.endswith("Muchas gracias.")


def test_the_patient_is_told_how_long_it_takes_and_what_it_costs_in_the_same_words() -> None:
    bound, ledger = bound_to(bundled(), "P001"), Ledger()
    message = messages.answer(Ask(query="message", drugs=("Ozempic",), to="patient"), bound, ledger)
    copay = Answer(query="copay", ledger=ledger, said=plain("It is $90."))
    step = Answer(query="step", ledger=ledger, said=plain("Metformin first."))
    told = messages.composed([message, copay, step], (), lambda ask: copay, "tell him what he pays", bound)
    text = rendered(message)
    assert told == [message, step] and f"you pay {bound.plan.benefits['Ozempic'].copay}." in text
    assert "everything that" in text and " answers within 15 days" in text


def test_a_paragraph_to_sign_says_what_is_shown_and_what_is_not() -> None:
    text = _message("P014", "Mounjaro", "chart")
    assert "to review and sign" in text and "The chart shows" in text and "HbA1c 8.8 %" in text
    assert text.endswith("To be signed only as far as it holds.")
    open_ones = _message("P005", "Ozempic", "chart")
    assert "Not shown yet, and to be stated as it is: whether she or the family has medullary" in open_ones


def test_one_to_somebody_else_says_how_it_stands_and_asks_the_prescriber_for_nothing() -> None:
    text = _message("P013", "Saxenda", "payer")
    assert "is ready to submit" in text and "Please" not in text


def test_where_the_patient_has_nothing_to_do_a_message_is_to_the_prescriber_alone() -> None:
    bound = bound_to(bundled(), "P001")
    assert f"To {bound.patient.name}" not in _message("P001", "Ozempic", "")
