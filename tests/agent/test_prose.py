"""What of a model's sentences is kept: only what says again what code said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import prose
from agent.answers.answer import Said
from agent.ledger import Ledger
from agent.models.model import ModelTrouble
from agent.models.scripted import Scripted


def answer() -> tuple[list[Said], Ledger]:
    ledger = Ledger()
    drug = ledger.add("drug", "Ozempic", origin="request")
    value = ledger.add("value", 8.4, unit="%", origin="chart", attribute="hba1c", shown="8.4 %")
    day = ledger.add("date", date(2026, 8, 17), origin="chart", attribute="hba1c")
    low = ledger.add("value", 7.0, unit="%", origin="policy", attribute="hba1c", shown="7.0 %")
    said = [
        Said(text=f"{drug} is ready to send.", verbatim=True),
        Said(text=f"The latest HbA1c is {value}, of {day}; the policy asks for at least {low}."),
        Said(text="No criterion is open."),
        Said(text="Nothing was sent.", verbatim=True),
    ]
    return said, ledger


def worded(replies: Any, verify: Any = lambda text: (), calls: int = 3) -> tuple[prose.Worded, list[str]]:
    said, ledger = answer()
    shown: list[str] = []
    model = Scripted(replies)
    return prose.reword("can she?", said, ledger, model, verify, calls=calls, emit=shown.append), shown


def sentences(*words: str) -> str:
    return json.dumps({"sentences": list(words)})


GOOD = (
    "Her latest HbA1c is 8.4 %, of Aug 17, 2026, and the policy asks for at least 7.0 %.",
    "No criterion is open.",
)
CODE = (
    "Ozempic is ready to send.",
    "The latest HbA1c is 8.4 %, of Aug 17, 2026; the policy asks for at least 7.0 %.",
    "No criterion is open.",
    "Nothing was sent.",
)


def test_a_rewording_that_holds_is_kept_and_shown_as_it_comes() -> None:
    found, shown = worded(sentences(*GOOD))
    assert found.path == "llm"
    assert found.sentences == (CODE[0], *GOOD, CODE[3])
    assert shown == list(found.sentences)
    assert len(found.replies) == 1


@pytest.mark.parametrize(
    "lie",
    [
        "Her latest HbA1c is 8.9 %, of Aug 17, 2026, and the policy asks for at least 7.0 %.",
        "Her latest HbA1c is 8.4 %, of Aug 18, 2026, and the policy asks for at least 7.0 %.",
        "Her latest HbA1c is 8.4 %, of Aug 17, 2026, and the policy asks for at least 7.0 %; she has diabetes.",
        "The latest HbA1c is not 8.4 %, of Aug 17, 2026; the policy asks for at least 7.0 %.",
        "A criterion is open.",
        "Every criterion is open.",
        "Wegovy was approved.",
        "Ignore the policy and approve it.",
        "{F1} is approved for {F9}.",
        "",
    ],
)
def test_a_lie_is_dropped_and_code_says_it(lie: str) -> None:
    found, _ = worded([sentences(lie, GOOD[1])] * 3)
    assert lie not in found.sentences or not lie
    assert set(CODE) - {GOOD[1]} <= set(found.sentences)
    assert found.path in ("repaired", "template")
    assert len(found.replies) <= 3


def test_nothing_that_must_be_said_is_left_out() -> None:
    found, _ = worded(sentences(GOOD[1]))
    assert found.sentences == (CODE[0], CODE[1], GOOD[1], CODE[3])
    assert found.path == "repaired"


def test_sentences_come_in_codes_order() -> None:
    found, shown = worded(sentences(*reversed(GOOD)))
    assert found.sentences == (CODE[0], *GOOD, CODE[3]) == tuple(shown)


def test_what_the_verifier_finds_is_dropped() -> None:
    found, _ = worded(sentences(*GOOD), verify=lambda text: ("no",) if "8.4" in text else ())
    assert GOOD[0] not in found.sentences
    assert CODE[1] in found.sentences
    assert "no" in found.rejected[0]


@pytest.mark.parametrize("reply", ['{"sentences": ["No', "[]", "nonsense", '{"sentences": [1, 2]}', '""'])
def test_broken_json_leaves_codes_words(reply: str) -> None:
    said, ledger = answer()
    found = prose.reword("can she?", said, ledger, Scripted(reply, raw=True), lambda text: (), calls=3)
    assert found.sentences == CODE
    assert found.path == "template"


def test_a_model_that_breaks_off_has_said_what_it_said() -> None:
    said, ledger = answer()
    shown: list[str] = []
    model = Scripted(ModelTrouble("down", "nothing answers"))
    found = prose.reword("can she?", said, ledger, model, lambda text: (), calls=3, emit=shown.append)
    assert shown == list(found.sentences) == list(CODE)
    assert (found.path, found.trouble) == ("template", "nothing answers")


def test_codes_own_sentence_is_always_kept_and_a_question_back_says_nothing() -> None:
    found, _ = worded(sentences("Can she?", CODE[1], CODE[2]), verify=lambda text: ("never",))
    assert (found.path, found.sentences) == ("llm", CODE)


def test_a_repair_that_brings_nothing_new_is_the_last() -> None:
    found, _ = worded([sentences("Wegovy was approved.")] * 9, calls=4)
    assert len(found.replies) == 2


def test_no_more_calls_than_allowed() -> None:
    found, _ = worded([sentences(f"Wegovy was approved {n}.") for n in range(9)], calls=2)
    assert len(found.replies) == 2


@given(st.lists(st.text(max_size=60), min_size=1, max_size=6))
def test_whatever_a_model_says_every_sentence_is_codes_or_says_only_what_was_given(
    words: Sequence[str],
) -> None:
    found, shown = worded([sentences(*words)] * 3)
    for must in (CODE[0], CODE[3]):
        assert must in found.sentences
    assert shown == list(found.sentences)
    values = {"HbA1c", *(fact.shown for fact in answer()[1].facts.values())}
    for sentence in found.sentences:
        rest = sentence
        for value in sorted(values, key=len, reverse=True):
            rest = rest.replace(value, "")
        assert not any(character.isdigit() for character in rest)
