"""The model's reading of a question: one constrained call, of which nothing is believed that isn't on our lists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent.prompting import prompt
from agent.understanding.reading import INTENTS, Ask, Reading, Talk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.models.model import Model, Reply

LONGEST_QUESTION = 700  # characters that a model is shown; the code reads all of it
MOST_TOKENS = 64


def read(
    question: str,
    talk: Talk,
    drugs: Sequence[str],
    model: Model,
    *,
    temperature: float = 0.0,
    seed: int = 1,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Reading | None, Reply]:
    """The reading, None if the reply was none, and what the call cost. ModelTrouble if the model fails."""
    reply = model.complete(
        prompt("chat"),
        task(question, talk),
        schema=schema(drugs),
        max_tokens=MOST_TOKENS,
        temperature=temperature,
        seed=seed,
        cancelled=cancelled,
    )
    return parse(reply.text, drugs, question), reply


def task(question: str, talk: Talk) -> str:
    """What changes from turn to turn; the system part before it is constant, so that a server's cache holds it."""
    before = "nothing"
    if talk.asks:
        asked = " and ".join(dict.fromkeys(ask.intent for ask in talk.asks))
        before = f"{asked} about {', '.join(talk.drugs[:4])}" if talk.drugs else asked
    shown = " ".join(question.split())
    if len(shown) > LONGEST_QUESTION:
        shown = f"{shown[: LONGEST_QUESTION // 2]} … {shown[-LONGEST_QUESTION // 2 :]}"
    return f"TASK understand\nBefore: {before}\nQuestion: {shown}"


def schema(drugs: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "intents": {"type": "array", "items": {"enum": list(INTENTS)}, "minItems": 1, "maxItems": 2},
            "drugs": {"type": "array", "items": {"enum": list(drugs)}, "maxItems": 4},
        },
        "required": ["intents", "drugs"],
    }


def parse(text: str, drugs: Sequence[str], question: str) -> Reading | None:
    """What the reply says, as far as it is on our lists; None if it is no such JSON."""
    try:
        said = json.loads(text)
        intents = [intent for intent in said["intents"] if intent in INTENTS]
        named = tuple(dict.fromkeys(drug for drug in said["drugs"] if drug in drugs))
    except (ValueError, TypeError, KeyError):
        return None
    if not intents:
        return None
    return Reading(
        asks=tuple(Ask(intent=intent, drugs=named, text=question) for intent in dict.fromkeys(intents)),
        by="model",
    )
