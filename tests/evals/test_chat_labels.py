"""The labels of the chat questions are the engine's and the charts', so that they can't rot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from evals.chat.questions import KINDS, SETS, Asking, Expect, Question, read, read_sets
from evals.chat.support import support_of
from evals.scores.conversation import as_regex
from evals.worlds import bundled

QUESTIONS = read_sets(("first", "model", "open"))


def expected() -> Iterator[tuple[Question, Asking, Expect]]:
    for question in QUESTIONS:
        for turn in question.turns:
            if turn.expect:
                yield question, turn, turn.expect


def test_there_are_120_questions_in_each_set_and_every_kind_in_each() -> None:
    for name in SETS:
        chosen = [question for question in QUESTIONS if question.set == name]
        assert len(chosen) >= 120, name
        assert {question.kind for question in chosen} == set(KINDS), name
    assert len(QUESTIONS) >= 360
    assert len(KINDS) >= 16


def test_ids_and_words_are_unique() -> None:
    ids = [question.id for question in QUESTIONS]
    assert len(ids) == len(set(ids))
    talks = [(question.patient, *(turn.ask.casefold() for turn in question.turns)) for question in QUESTIONS]
    assert len(talks) == len(set(talks))


def test_each_question_expects_something_of_its_last_turn() -> None:
    for question in QUESTIONS:
        last = question.turns[-1].expect
        assert last and (last.admissible or last.intents), question.id


def test_every_outcome_is_the_engine_s() -> None:
    wrong = []
    for question, turn, expect in expected():
        who = question.patient or expect.patient_id or ""
        for drug, outcome in expect.outcome.items():
            supposed = question.supposing if turn is question.turns[-1] else None
            found = bundled().judge(who, drug, supposed).outcome
            if found != outcome:
                wrong.append(f"{question.id} {drug}: {outcome}, and the engine says {found}")
    assert not wrong, "\n".join(wrong)


def test_a_supposed_case_changes_something_or_is_asked_of_an_outcome() -> None:
    for question in QUESTIONS:
        if question.kind == "what_if":
            last = question.turns[-1].expect
            assert question.supposing or (last and last.asks_back), question.id


def test_cited_records_and_clauses_are_there() -> None:
    for question, _, expect in expected():
        who = bundled().patients.get(question.patient or expect.patient_id or "", {})
        records = {
            row["id"] for rows in who.values() if isinstance(rows, list) for row in rows if "id" in row
        }
        texts = [
            text
            for name, text in bundled().policies.items()
            if name in {f"{who['plan_id']}-{drug.upper()}" for drug in expect.drugs}
        ]
        for citation in expect.citations:
            there = citation in records or any(
                re.search(rf"^\s*{re.escape(citation)}\s", text, re.MULTILINE) for text in texts
            )
            assert there, f"{question.id}: {citation}"


def test_what_an_answer_must_and_must_not_say_can_be_looked_for() -> None:
    for question, _, expect in expected():
        for pattern in (*expect.says, *expect.never):
            re.compile(as_regex(pattern))
        assert not (set(expect.says) & set(expect.never)), question.id


@pytest.mark.slow
def test_numbers_and_dates_that_an_answer_must_say_stand_in_the_patient_s_world() -> None:
    wrong = []
    for question, _, expect in expected():
        who = question.patient or expect.patient_id
        if not who:
            continue
        world = support_of(bundled(), who, [], {})
        for pattern in expect.says:
            days = {date.fromisoformat(day) for day in re.findall(r"<([^>]*)>", pattern)}
            rest = re.sub(
                r"<[^>]*>|\(\.\{0,\d+\}\)|\(\\\.0\)\?|\d{3}-\d{3}-\d{4}|[A-Z]+\d[\w\\.]*", " ", pattern
            )
            numbers = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", rest.replace("\\.", "."))}
            wrong += [f"{question.id}: {day}" for day in days - world.dates - world.computed]
            wrong += [
                f"{question.id}: {number:g}"
                for number in numbers - world.values - {n for n, _ in world.pairs}
            ]
    assert not wrong, "\n".join(wrong)


def test_a_paraphrase_names_its_seed_and_its_model() -> None:
    from evals.chat.questions import HERE

    seeds = {seed.id: seed for seed in read(HERE / "seeds.yaml")}
    for question in QUESTIONS:
        if question.set == "model":
            seed = seeds[question.seed]
            assert question.by and question.kind == seed.kind and question.patient == seed.patient, (
                question.id
            )
            assert question.turns[-1].expect == seed.turns[-1].expect, question.id
