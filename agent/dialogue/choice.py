"""A model's choice between the readings that code holds likeliest: one constrained call, among queries on our list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from agent.dialogue.query import WANTS, Query, Reading, Talk
from agent.prompts import prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.models.model import Model, Reply

LONGEST = 600  # characters of the question that a model is shown
MOST_TOKENS = 16


def choose(
    question: str,
    reading: Reading,
    talk: Talk,
    model: Model,
    *,
    temperature: float = 0.0,
    seed: int = 1,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Reading, Reply]:
    """The reading with the query that the model chose, and what the call cost.

    Raises:
        ModelTrouble: the model failed.
    """
    letters = dict(zip("AB", reading.readings, strict=False))
    reply = model.complete(
        prompt("chat"),
        _task(question, talk, letters),
        schema={
            "type": "object",
            "properties": {"choice": {"enum": list(letters)}},
            "required": ["choice"],
        },
        max_tokens=MOST_TOKENS,
        temperature=temperature,
        seed=seed,
        cancelled=cancelled,
    )
    chosen = _chosen(reply.text, letters)
    if chosen is None:
        return reading, reply
    unsure = min(reading.asks, key=lambda ask: ask.sure)
    asks = tuple(msgspec.structs.replace(ask, query=chosen) if ask is unsure else ask for ask in reading.asks)
    return msgspec.structs.replace(reading, asks=asks, readings=(), sure=1.0, by="model"), reply


def _task(question: str, talk: Talk, letters: dict[str, Query]) -> str:
    """What changes from turn to turn; the system part before it is constant, so that a server's cache holds it."""
    choices = "\n".join(f"{letter}: {WANTS[query]}" for letter, query in letters.items())
    before = f"\nBefore: {talk.question[:LONGEST]}" if talk.question else ""
    return f"TASK choose{before}\nQuestion: {' '.join(question.split())[:LONGEST]}\n{choices}"


def _chosen(text: str, letters: dict[str, Query]) -> Query | None:
    try:
        return letters.get(json.loads(text)["choice"])
    except (ValueError, TypeError, KeyError):
        return None
