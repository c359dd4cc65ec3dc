"""What is made of a model's words: length, shape, loops; and the model that is scripted."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.models.client import settle
from agent.models.model import ModelTrouble, Reply
from agent.models.scripted import Scripted
from agent.models.text import Loops, estimate, fewest, fitting, repeats

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "intents": {"type": "array", "items": {"enum": ["why", "plan"]}, "minItems": 1, "maxItems": 2},
        "count": {"type": "integer"},
        "sure": {"type": ["number", "null"]},
    },
    "required": ["intents"],
    "additionalProperties": False,
}

# Counted by Qwen2.5's tokenizer in its chat template, on the real server.
SPANISH = (
    "¿Puede recibir Ozempic? ¿Qué falta en su expediente y cómo lo conseguimos?"
    " Ella dejó la metformina en mayo por vómitos. "
)
MEASURED = [(SPANISH * 4, 153)]


@pytest.mark.parametrize(("text", "tokens"), MEASURED)
def test_the_estimate_is_rather_too_high(text: str, tokens: int) -> None:
    assert tokens <= estimate(text) <= 1.5 * tokens


@given(st.text(), st.text())
def test_no_estimate_is_below_the_fewest(system: str, user: str) -> None:
    assert 0 <= fewest(system, user) <= estimate(system, user)


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"intents": ["why"]}, True),
        ({"intents": ["why"], "count": 2, "sure": None}, True),
        ({}, False),
        ([], False),
        ({"intents": "why"}, False),
        ({"intents": []}, False),
        ({"intents": ["why", "plan", "why"]}, False),
        ({"intents": ["what"]}, False),
        ({"intents": ["why"], "count": True}, False),
        ({"intents": ["why"], "count": 1.5}, False),
        ({"intents": ["why"], "sure": "very"}, False),
        ({"intents": ["why"], "id": "P001"}, False),
    ],
)
def test_what_departs_from_a_schema_is_no_answer(value: Any, fits: bool) -> None:
    assert (fitting(json.dumps(value), SCHEMA) is not None) is fits


@pytest.mark.parametrize(
    "text",
    [
        '{"intents": ["why"]}',
        'Here it is:\n```json\n{"intents":\n ["why"]}\n```\nAnything else?',
        'I see {"x": 1} and [ but it is {"intents": ["why"]}',
    ],
)
def test_the_json_that_fits_is_found(text: str) -> None:
    assert json.loads(fitting(text, SCHEMA) or "") == {"intents": ["why"]}


@pytest.mark.parametrize("text", ["", "why", '{"intents": ["why"', "[" * 5000, '{"intents": "why"}'])
def test_no_json_is_none(text: str) -> None:
    assert fitting(text, SCHEMA) is None


@given(st.text(alphabet="abcdef ", min_size=1, max_size=60), st.text(alphabet="xyz", max_size=40))
@settings(max_examples=60)
def test_whatever_comes_again_and_again_is_found(part: str, before: str) -> None:
    period = repeats(before + part * (120 // len(part) + 5))
    assert 0 < period <= len(part)


def test_prose_and_lists_are_no_loops() -> None:
    dice = random.Random(3)
    words = [
        "the",
        "her",
        "latest",
        "result",
        "is",
        "of",
        "and",
        "policy",
        "asks",
        "for",
        "a",
        "trial",
        "stopped",
        "in",
        "may",
        "because",
        "vomiting",
    ]
    text = " ".join(dice.choice(words) for _ in range(2000))
    listed = ", ".join(f'"{n:04d}"' for n in range(300))
    criteria = "".join(f"- {w} is met: {n} %\n" for n, w in enumerate(words * 3))
    for said in (text, listed, criteria):
        loops = Loops()
        assert not any(loops.in_a(said[at : at + 4]) for at in range(0, len(said), 4)), loops.seen


def test_a_loop_is_found_within_a_few_hundred_characters() -> None:
    loops = Loops()
    heard = next(at for at in range(10_000) if loops.in_a("It is met. "))
    assert heard * len("It is met. ") < 300


def test_what_was_streamed_keeps_its_words() -> None:
    said = Reply(text='So: {"intents": ["why"]}')
    assert settle(said, SCHEMA, "it", streamed=True).text == said.text
    assert settle(said, SCHEMA, "it").text == '{"intents": ["why"]}'


# --- the scripted model -----------------------------------------------------------------------------------


def ask(model: Scripted, **more: Any) -> Reply:
    return model.complete("Be short.", "Hi", **({"max_tokens": 64} | more))


def test_replies_come_in_turn_and_the_last_again() -> None:
    model = Scripted(["one", "two"])
    assert [ask(model).text for _ in range(3)] == ["one", "two", "two"]
    assert model.calls[0] == {
        "system": "Be short.", "user": "Hi", "schema": None, "max_tokens": 64, "temperature": 0.0, "seed": 1
    }  # fmt: skip


def test_a_function_is_asked_each_time() -> None:
    assert ask(Scripted(lambda system, user, schema: user[::-1])).text == "iH"


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("", "empty"),
        ("She is eligible. " * 40, "loop"),
        (ModelTrouble("down", "it is down"), "down"),
        ('{"intents": ["steal"]}', "schema"),
        ('{"intents": ["why"', "schema"),
    ],
)
def test_its_faults_are_those_of_a_real_one(said: str | Exception, what: str) -> None:
    with pytest.raises(ModelTrouble) as caught:
        ask(Scripted(said), schema=SCHEMA if "{" in str(said) else None, max_tokens=400)
    assert caught.value.what == what


def test_raw_it_says_anything() -> None:
    assert ask(Scripted('{"intents": ["why"', raw=True), schema=SCHEMA).text == '{"intents": ["why"'


def test_it_keeps_to_its_limit_and_can_be_cancelled_and_left() -> None:
    model = Scripted("a long story, " * 4 + "and more of it", delay=0.001)
    assert ask(model, max_tokens=4).stopped == "length"
    heard: list[str] = []
    reply = ask(model, cancelled=lambda: len(heard) > 0 or bool(heard.append("x")))
    assert reply.stopped == "cancelled" and len(reply.text) < 20
    before = model.closed
    stream = model.stream("", "Hi", max_tokens=64)
    next(stream)
    stream.close()
    assert (model.closed - before, stream.last) == (1, None)


def test_what_does_not_fit_is_a_trouble() -> None:
    with pytest.raises(ModelTrouble, match="do not fit"):
        Scripted("x", num_ctx=64).complete("", "word " * 100, max_tokens=8)
