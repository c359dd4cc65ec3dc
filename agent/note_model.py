"""A model's help in reading notes: it may point at words that the reader passed over, and no more than that.

Everything it proposes goes through the same gate in code (tools/notes/proposals.py): a quote that does not stand in
the note, or that code reads as denied, planned, hedged or somebody else's, is dropped. What a note tells the model to
do can therefore add nothing that the note's own words do not say.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast, get_args

from agent.prompting import prompt
from tools.notes.facts import OF_A_DRUG, FactKind, NoteFact
from tools.notes.proposals import admit
from tools.notes.reader import read_note
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import STEP_CLASSES, medicines_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.models.model import Model, Reply
    from tools.domain.records import Note

LONGEST_NOTE = 4000  # characters that a model is shown
MOST_TOKENS = 300
MOST_FACTS = 12
KINDS: tuple[FactKind, ...] = (
    "taking", "tried", "stopped", "intolerance", "inadequate", "partial", "effective", "diagnosis",
)  # fmt: skip
_CLASSES = (*STEP_CLASSES, "statin", "acei_arb", "beta_blocker", "antiplatelet", "diuretic", "ccb")
TOPICS = tuple(
    sorted(
        {
            *(row.name.replace(" ", "_") for row in medicines_of(_CLASSES) if row.kind == "ingredient"),
            *_CLASSES,
            *CONCEPTS,
        }
    )
)


def read_with(
    note: Note, model: Model, *, seed: int = 1, cancelled: Callable[[], bool] | None = None
) -> tuple[list[NoteFact], Reply]:
    """The reader's facts and those that the model adds to them, in their order, and what the call cost. ModelTrouble
    if the model fails; the reader's own facts never need it."""
    reply = model.complete(
        prompt("read_note"),
        f"Note:\n{note.text[:LONGEST_NOTE]}",
        schema=schema(),
        max_tokens=MOST_TOKENS,
        temperature=0.0,
        seed=seed,
        cancelled=cancelled,
    )
    return merged(note, reply.text), reply


def merged(note: Note, said: str) -> list[NoteFact]:
    """The reader's facts with those of a model's answer that pass the gate; anything else in it is dropped."""
    facts = read_note(note)
    for kind, of, quote in _proposed(said):
        fact = admit(note, kind, of, quote)
        if fact is not None and not any(_says_of(known, fact) for known in facts):
            facts.append(fact)
    return sorted(facts, key=lambda fact: fact.start)


def schema() -> dict[str, Any]:
    """What the answer is constrained to."""
    fact = {
        "type": "object",
        "properties": {
            "kind": {"enum": list(KINDS)},
            "of": {"enum": list(TOPICS)},
            "quote": {"type": "string", "maxLength": 160},
        },
        "required": ["kind", "of", "quote"],
    }
    return {
        "type": "object",
        "properties": {"facts": {"type": "array", "items": fact, "maxItems": MOST_FACTS}},
        "required": ["facts"],
    }


def _says_of(known: NoteFact, fact: NoteFact) -> bool:
    """The note says something of this already, in the reader's own words: of a drug whatever it is."""
    if known.of != fact.of:
        return False
    return known.kind == fact.kind or (known.kind in OF_A_DRUG and fact.kind in OF_A_DRUG)


def _proposed(said: str) -> list[tuple[FactKind, str, str]]:
    """What of the answer has the shape of a fact."""
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        return []
    items = answer.get("facts") if isinstance(answer, dict) else None
    found: list[tuple[FactKind, str, str]] = []
    for item in items[:MOST_FACTS] if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        kind, of, quote = item.get("kind"), item.get("of"), item.get("quote")
        if kind in get_args(FactKind) and kind in KINDS and of in TOPICS and isinstance(quote, str):
            found.append((cast("FactKind", kind), str(of), quote))
    return found
