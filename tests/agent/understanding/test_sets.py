"""How often the code's reading is right, by sets of labelled questions; a third was written before the code."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest

from agent.understanding import code
from agent.understanding.reading import INTENTS
from tests.agent.understanding.sets import known, questions, talk_of, wrong

# The share of questions whose intents and drugs are right, and whose every labelled part is.
FLOORS = {"questions": (0.985, 0.98), "held_out": (0.96, 0.95)}


@lru_cache
def scored(name: str) -> list[tuple[dict[str, Any], list[str], float]]:
    rows = []
    for row in questions(name):
        reading = code.read(row["q"], talk_of(row), known())
        rows.append((row, wrong(row, reading), reading.sure))
    return rows


@pytest.mark.parametrize("name", FLOORS)
def test_a_set_is_read_right(name: str) -> None:
    rows = scored(name)
    core = sum(not {"intents", "drugs"} & set(bad) for _, bad, _ in rows) / len(rows)
    whole = sum(not bad for _, bad, _ in rows) / len(rows)
    missed = "\n".join(f"{bad} {row['q']}" for row, bad, _ in rows if bad)
    assert (core, whole) >= FLOORS[name], f"{core:.3f} {whole:.3f}\n{missed}"


@pytest.mark.parametrize("name", FLOORS)
def test_what_is_sure_is_right(name: str) -> None:
    sure = ["intents" not in bad for _, bad, sure in scored(name) if sure >= 0.6]
    assert sum(sure) / len(sure) >= 0.97


def test_the_sets_hold_every_intent_and_no_question_twice() -> None:
    rows = questions("questions") + questions("held_out")
    assert {intent for row in rows for intent in row["i"]} == set(INTENTS)
    asked = [(row["q"].casefold(), str(row.get("t"))) for row in rows]
    assert len(asked) == len(set(asked))
    assert len(questions("questions")) >= 200 and len(questions("held_out")) >= 100
