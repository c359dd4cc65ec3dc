"""What a turn is read as: never anything that is not on our lists, and by nothing that a text could order."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.dialogue import reader
from agent.dialogue.drugs import in_full
from agent.dialogue.known import Known
from agent.dialogue.query import FORMS, INTENTS, QUERIES, WANTS, Ask, Talk, intent_of
from tests.case_answers import bundled
from tools.engine.what_if import (
    Asked,
    Change,
    Diagnosed,
    Enrolled,
    On,
    Removed,
    Started,
    Stated,
    Stopped,
    Tried,
    Value,
)


def known() -> Known:
    return Known.of(bundled())


def read(text: str, talk: Talk | None = None) -> tuple[Ask, ...]:
    return reader.read(text, talk or Talk(patient_id="P001"), known()).asks


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
@example("OZ")
def test_whatever_is_typed_is_read_as_something_on_the_lists(text: str) -> None:
    for ask in read(text):
        assert ask.query in QUERIES and ask.form in FORMS and ask.intent in INTENTS
        assert set(ask.drugs) <= set(known().names)
        assert ask.text in in_full(reader.words.clean(text), known())


def test_every_query_has_an_intent_and_words_for_what_it_wants() -> None:
    assert {intent_of(query) for query in QUERIES} <= set(INTENTS)
    assert set(WANTS) == set(QUERIES)


def test_a_turn_may_ask_several_things_in_order() -> None:
    queries = [ask.query for ask in read("what's her last a1c, and can she get Ozempic?")]
    assert queries == ["value", "eligible"]


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("can he get Wegovy", ("Wegovy",)),
        ("he came off Ozempic in spring, would Mounjaro go through now?", ("Mounjaro",)),
    ],
)
def test_what_is_only_mentioned_is_not_what_is_asked_about(text: str, drugs: tuple[str, ...]) -> None:
    assert read(text)[-1].drugs == drugs


def test_a_supposition_adds_to_the_one_before() -> None:
    (ask,) = read("what if her bmi were 31", Talk(patient_id="P001", drugs=("Wegovy",)))
    assert ask.query == "what_if" and Value(test="bmi", value=31.0) in ask.changes


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("Would Wegovy be covered if she had the Blue Heron PPO plan?", "Blue Heron PPO plan"),
        ("Under Oakmont Select, could he get Wegovy?", "Oakmont Select"),
        ("Would Wegovy be covered under the Cascade Gold PPO plan?", ""),
        ("Does Medicare Part D pay for it?", ""),
        ("Dr. Howard wants the care plan, is Ozempic on it?", ""),
    ],
)
def test_a_plan_that_is_none_of_ours_is_read_as_that(text: str, plan: str) -> None:
    assert reader.read(text, Talk(patient_id="P001"), known()).strange_plan == plan


def test_an_amount_is_not_supposed_once_more_of_the_next_drug() -> None:
    talk = Talk(
        patient_id="P001",
        drugs=("Ozempic",),
        supposed=(Asked(strength="1 mg"), Value(test="bmi", value=31.0)),
    )
    (ask,) = read("what if her a1c were 7.4", talk)
    assert Value(test="bmi", value=31.0) in ask.changes
    assert not any(isinstance(change, Asked) for change in ask.changes)


def test_a_second_person_in_a_turn_is_seen_behind_the_patient() -> None:
    talk = Talk(patient_id="P002", names=("reginald", "blair"))
    text = "While I'm in Reginald's chart, does Sarah Blair have an Ozempic going too?"
    assert reader.read(text, talk, known()).person == "Sarah Blair"


def test_a_draft_that_is_taken_back_in_the_next_breath_is_none() -> None:
    asks = read(
        "Draft the Ozempic request for Roth. No. Stop, don't draft a thing. Tell me what it would rest on."
    )
    assert "no_draft" in [ask.query for ask in asks]


@pytest.mark.parametrize(
    "text",
    [
        "Oh, poor thing. Would the new one say yes?",
        "His neighbor lost forty pounds on Wegovy, would his plan help with that? What if?",
    ],
)
def test_neither_a_pronoun_nor_a_neighbor_supposes_anything(text: str) -> None:
    talk = Talk(patient_id="P002", drugs=("Ozempic",))
    assert not any(ask.changes for ask in read(text, talk))


def test_a_second_reading_stands_behind_the_first_and_does_nothing() -> None:
    """Two questions told as one are two readings of one span; the second never drafts, refuses or tells of another."""
    lines = Path("evals/examples/questions/q25.jsonl").read_text(encoding="utf-8").splitlines()[:60]
    seconds = 0
    for turn in (turn for line in lines for turn in json.loads(line)["turns"][:1]):
        asks = read(turn["text"])
        for at, ask in enumerate(asks):
            before = [one for one in asks[:at] if one.text == ask.text]
            seconds += bool(before)
            assert all(ask.sure <= one.sure for one in before)
            assert not before or ask.intent not in (
                "draft",
                "fabricate",
                "advice",
                "dosing",
                "other_patient",
                "unclear",
            )
    assert seconds


def test_a_name_and_a_drug_ask_about_the_drug() -> None:
    (ask, *_) = read("nguyen. ozempic. go", Talk(patient_id="P001", names=("antonio", "nguyen")))
    assert (ask.query, ask.drugs) == ("eligible", ("Ozempic",))


def test_a_month_before_a_word_of_a_plans_name_is_no_plan() -> None:
    reading = reader.read("and that June value, how long is it good", Talk(patient_id="P001"), known())
    assert not reading.strange_plan


def test_a_class_that_is_asked_for_beside_a_drug_is_the_class_and_not_our_drugs_of_it() -> None:
    asks = read("can he get his ozempic or did someone already put him on a glp1")
    assert any(name.endswith("GLP-1 receptor agonist") for ask in asks for name in ask.medicines)


def test_from_when_on_supposes_what_begins_and_not_that_it_is_over() -> None:
    talk = Talk(patient_id="P012", drugs=("Rybelsus",))
    for text in (
        "if he starts tonight when is the earliest for rybelsus",
        "if he joins a program today, when would the six months be up",
    ):
        for ask in read(text, talk):
            if ask.query == "earliest":
                assert not [one for one in ask.changes if isinstance(one, Tried | Started)]
                assert not [one for one in ask.changes if isinstance(one, Enrolled) and one.months]


@pytest.mark.parametrize(
    ("text", "query", "day"),
    [
        ("Will the A1c still count on the 21st?", "lookback", date(2026, 9, 21)),
        (
            "She can come the nineteenth. No, the twenty-first. Will the A1c still hold then?",
            "lookback",
            date(2026, 9, 21),
        ),
        ("If I send it 9/4, by when do they have to answer?", "turnaround", date(2026, 9, 4)),
        ("He started the program on August 10. When does it count?", "earliest", date(2026, 8, 10)),
    ],
)
def test_what_is_asked_of_a_day_has_the_one_that_is_named(text: str, query: str, day: date) -> None:
    talk = Talk(patient_id="P001", drugs=("Ozempic",))
    assert {ask.day for ask in read(text, talk) if ask.query == query} == {day}


def test_what_is_stopped_is_called_as_it_was() -> None:
    (ask,) = read("What if liraglutide was stopped?", Talk(patient_id="P001", drugs=("Ozempic",)))
    assert ask.changes == (Stopped(drug="liraglutide"),)


def test_of_a_list_that_was_told_no_drug_is_meant_by_it() -> None:
    names = known().names
    assert read("and what is still missing?", Talk(patient_id="P009", drugs=tuple(names[:6])))[-1].drugs == ()


def test_a_trial_of_a_length_that_nobody_told_is_not_supposed() -> None:
    talk = Talk(patient_id="P019", drugs=("Wegovy",))
    asks = read("his weight hasn't budged on Wegovy, is that going to sink the renewal?", talk)
    assert not [change for ask in asks for change in ask.changes if isinstance(change, Tried)]


def test_a_diagnosis_is_named_by_its_code() -> None:
    assert read("Is K75.81 on his problem list?")[0].conditions == ("nash",)
    assert not read("Is B12 on his list of labs?")[0].conditions


def test_somebody_of_the_roster_is_seen_beside_the_patients_own_name() -> None:
    talk = Talk(patient_id="P013", names=("calvin", "farmer"))
    text = "Last fill of Mr. Farmer? Also the lady on Saxenda, Villanueva, hers is until when?"
    assert reader.read(text, talk, known()).person == "Villanueva"
    possessive = "wait did connor blairs request go out already? thought i had him open"
    talk = Talk(patient_id="P020", names=("sarah", "blair"))
    assert reader.read(possessive, talk, known()).person == "Connor Blair"


@pytest.mark.parametrize(
    "text",
    [
        "k write the letter but dont send anything",
        "Draft it but don't send it",
        "start the form, don't submit",
        "could you write the letter for Dr. Kim? She wants to look it over first so please dont send it",
    ],
)
def test_to_forbid_sending_does_not_forbid_the_draft(text: str) -> None:
    (ask,) = read(text, Talk(patient_id="P013", drugs=("Saxenda",)))
    assert ask.query == "draft" and ask.sure >= 0.7  # a letter for a doctor may be a message too


def test_a_draft_is_forbidden_by_the_whole_sentence_whatever_part_of_it_asks_for_one() -> None:
    """Behind this question the word alone is a span that asks for a draft."""
    talk = Talk(
        patient_id="P008", question="Saxenda order, Bluestem. Status and reason. Don't send anything."
    )
    queries = {ask.query for ask in read("Draft nothing yet. For Wegovy, what does the file lack?", talk)}
    assert "no_draft" in queries and "missing" in queries


@pytest.mark.parametrize(
    "text", ["don't draft the letter yet", "Hold off on the letter.", "write nothing for now"]
)
def test_what_forbids_the_draft_itself_asks_for_none(text: str) -> None:
    assert "draft" not in {ask.query for ask in read(text, Talk(patient_id="P013", drugs=("Saxenda",)))}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("If I leave the glipizide off the letter, does it still stand?", Removed(drug="glipizide")),
        ("Supposing it only goes out on Thanksgiving, do the labs hold?", On(date=date(2026, 11, 26))),
        ("If I correct the script to #30, what would change?", Asked(quantity=30.0)),
        (
            "Suppose the pancreatitis denial is put in the chart, are we done?",
            Stated(topic="pancreatitis", present=None),
        ),
        (
            "Say we raise the metformin to 1000 mg twice a day as of today. When could we ask for Ozempic?",
            Started(drug="metformin", on=date(2026, 9, 1), daily=2000.0),
        ),
        (
            "Say she starts Trulicity today and it fails, when is the soonest for Mounjaro?",
            Tried(drug="Trulicity", on=date(2026, 9, 1)),
        ),
    ],
)
def test_what_is_supposed_is_read_with_its_day_and_dose(text: str, change: Change) -> None:
    assert known().as_of == date(2026, 9, 1)
    asks = read(text, Talk(patient_id="P018", drugs=("Ozempic",)))
    assert change in [one for ask in asks for one in ask.changes]


def test_what_was_supposed_is_not_the_answer_to_what_something_costs() -> None:
    talk = Talk(patient_id="P002", drugs=("Ozempic",), supposed=(Value(test="bmi", value=31.0),))
    assert not any(ask.changes for ask in read("and what would it run him a month?", talk))


def test_a_panel_is_its_tests() -> None:
    assert read("last lipid panel?")[0].tests == ("tc", "ldl", "hdl", "tg")


def test_a_brand_that_is_cut_short_is_meant_where_it_is_the_only_one() -> None:
    assert read("will they pay for zep")[0].drugs == ("Zepbound",)
    assert read("will they pay for ze")[0].drugs == ()


def test_what_a_drug_is_called_in_talk_is_the_drug_and_an_ounce_is_none() -> None:
    assert read("does prairie pay for oz?")[0].drugs == ("Ozempic",)
    assert read("what does the plan pay for mj?")[0].drugs == ("Mounjaro",)
    assert read("MJ 2.5 - step hit?")[0].drugs == ("Mounjaro",)
    assert read("does it matter that she drank 8 oz of juice?")[0].drugs == ()


def test_merits_are_nobody() -> None:
    """The words before "will" are no name of anybody."""
    text = "So, on its own merits: will the new plan take the Saxenda?"
    assert not reader.read(text, Talk(patient_id="P010"), known()).person


def supposed(text: str, *drugs: str) -> tuple[Change, ...]:
    talk = Talk(patient_id="P003", drugs=drugs, question="is it ready?")
    return tuple(change for ask in read(text, talk) for change in ask.changes)


def test_a_pronoun_stands_for_the_medicine_named_before_it_or_talked_about() -> None:
    assert Stopped(drug="Ozempic", on=date(2026, 6, 30)) in supposed(
        "what if she stopped it in June?", "Ozempic"
    )
    changes = supposed("Victoza is on the list, what if she stopped it in March?", "Ozempic")
    assert Stopped(drug="victoza", on=date(2026, 3, 31)) in changes


def test_a_month_that_is_over_is_told_to_its_end_and_a_program_has_both() -> None:
    ran = supposed("what if he had done a weight program from October 2025 through June?", "Wegovy")
    assert Enrolled(on=date(2025, 10, 1), until=date(2026, 6, 30)) in ran


def test_a_consultation_that_comes_in_is_that_of_its_specialty() -> None:
    changes = supposed("Say she gets a fresh A1c of 9 and an endo consult. Then?", "Ozempic")
    assert Stated(topic="specialist_consult", present=True, specialty="endocrinology") in changes


def test_what_is_supposed_away_is_not_supposed_to_be_there() -> None:
    changes = supposed("And if his coronary disease were not on the list at all, would it fail?", "Ozempic")
    assert Diagnosed(concept="ascvd", present=False) in changes


def test_words_that_suppose_nothing_new_are_told_apart_from_what_was_supposed_before() -> None:
    before = (Started(drug="trulicity", on=date(2026, 4, 1)),)
    talk = Talk(
        patient_id="P018", drugs=("Mounjaro",), supposed=before, question="if she had been on Trulicity?"
    )
    (ask,) = read("and if it was samples", talk)
    assert ask.unheard and ask.changes == before
    (again,) = read("what if she had been on Trulicity since April 1?", talk)
    assert not again.unheard and again.changes


def test_a_day_on_which_a_course_begins_makes_the_medicine_beside_it_the_one_that_begins() -> None:
    begun = Started(drug="Ozempic", on=date(2026, 9, 8))
    text = (
        "If he begins it on September 8 and it does not do enough, from what day may we ask for the Mounjaro?"
    )
    assert begun in supposed(text, "Ozempic")


def test_a_program_of_a_length_that_is_dated_once_ended_then() -> None:
    text = (
        "Suppose he had finished a program of seven months that ended this spring. Would the Wegovy go then?"
    )
    assert Enrolled(on=date(2025, 10, 31), until=date(2026, 5, 31)) in supposed(text, "Wegovy")


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("does his A1c clear it?", "fine"),
        ("is the note still good for Ozempic?", "fine"),
        ("would her old denial hurt us?", "hurdle"),
        ("what is missing for Ozempic?", ""),
    ],
)
def test_what_a_yes_would_say_is_told_where_it_is_sure(text: str, yes: str) -> None:
    assert [ask.yes for ask in read(text)] == [yes]


def test_of_several_questions_no_yes_is_told() -> None:
    asks = read("does his A1c clear it, and who is the prescriber?")
    assert len(asks) > 1 and not any(ask.yes for ask in asks)


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("write her doctor a short note about what is missing", "prescriber"),
        ("explain it to him in plain words so I can read it to him", "patient"),
        ("give me a text for his daughter about the Mounjaro", "patient"),
    ],
)
def test_to_whom_a_text_is_wanted_is_read_from_the_turn(text: str, to: str) -> None:
    (message,) = (ask for ask in read(text) if ask.query == "message")
    assert message.to == to


def test_the_plans_own_papers_are_no_message() -> None:
    for text in ("draft the PA", "Please draft the letter of medical necessity for Ozempic"):
        assert [ask.query for ask in read(text)] == ["draft"]


def test_a_course_is_supposed_in_its_formulation_and_with_the_effect_that_ended_it() -> None:
    (ask,) = read("what if she had tried metformin XR this spring and quit for diarrhea?")
    (tried,) = (one for one in ask.changes if isinstance(one, Tried))
    assert (tried.drug, tried.formulation, tried.outcome) == (
        "metformin",
        "ER",
        "Intolerance - GI side effects",
    )
