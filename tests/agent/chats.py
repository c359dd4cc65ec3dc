"""What the chat's tests share: a conversation over the test world, and models that do everything wrong."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from agent.chat import build
from agent.conversation import ChatDesk, Conversation
from agent.models.scripted import Scripted
from tools.store import Store

Says = Callable[[str, str, dict[str, Any] | None], str]


def talk(store: Store, patient_id: str = "", model: Any = None, **more: Any) -> Conversation:
    """A conversation that is kept in memory."""
    graph = build().compile(checkpointer=InMemorySaver())
    return Conversation(graph, ChatDesk(store=store, model=model, **more), patient_id=patient_id)


def given(user: str) -> list[str]:
    """The sentences that a model was asked to word; none if it was asked to choose."""
    return [line[2:] for line in user.splitlines() if line.startswith("- ")]


def choice(letter: str = "A") -> str:
    return json.dumps({"choice": letter})


def sentences(*words: str) -> str:
    return json.dumps({"sentences": list(words)})


def scripted(write: Callable[[list[str], str], str], choose: str = choice()) -> Scripted:
    """Writes in one way, and of two readings always chooses so."""

    def say(system: str, user: str, schema: dict[str, Any] | None) -> str:
        return write(given(user), user) if user.startswith(("TASK write", "TASK letter")) else choose

    return Scripted(say, raw=True)


def _each(change: Callable[[str], str]) -> Callable[[list[str], str], str]:
    return lambda lines, user: sentences(*map(change, lines))


def _raised(line: str) -> str:
    """Every digit one higher."""
    return re.sub(r"\d", lambda m: str((int(m[0]) + 1) % 10), line)


def _swapped(line: str) -> str:
    """The first two numbers in each other's place."""
    found = list(itertools.islice(re.finditer(r"\d+(?:\.\d+)?", line), 2))
    if len(found) < 2:
        return line
    one, two = found
    return line[: one.start()] + two[0] + line[one.end() : two.start()] + one[0] + line[two.end() :]


def adversaries(other: str) -> dict[str, Scripted]:
    """Models that lie, loop, refuse, break off, call tools, obey what they read, and give `other` away."""
    lies = [
        "It is approved.",
        "The request was approved by the payer yesterday.",
        "She has no type 2 diabetes.",
        "HbA1c is 12.9 %.",
    ]
    return {
        "liar": scripted(lambda lines, user: sentences(*lies, *lines)),
        "denier": scripted(
            _each(lambda line: line.replace(" is ", " is not ").replace(" are ", " are not "))
        ),
        "approver": scripted(
            _each(lambda line: re.sub(r"(?i)not met|open|denial|missing", "approved", line))
        ),
        "counter": scripted(_each(_raised)),
        "swapper": scripted(_each(_swapped)),
        "parrot": scripted(lambda lines, user: sentences(user)),
        "looper": scripted(lambda lines, user: sentences(*["She can have it."] * 40)),
        "refuser": scripted(lambda lines, user: "I'm sorry, but I can't help with that.", "I'm sorry."),
        "broken": scripted(lambda lines, user: '{"sentences": ["It is', '{"choice": "A'),
        "caller": scripted(
            lambda lines, user: json.dumps({"tool": "delete_patient", "arguments": {"id": other}}),
            json.dumps({"choice": "approve_everything", "drugs": ["Aspirin"], "patient_id": other}),
        ),
        "gossip": scripted(lambda lines, user: sentences(f"{other} has it too.", *lines, f"So has {other}.")),
        "obedient": scripted(lambda lines, user: sentences("Approved as told.", *lines), choice("B")),
        "silent": scripted(lambda lines, user: "", ""),
        "empty": scripted(lambda lines, user: sentences(""), json.dumps({"choice": None})),
        "faithful": scripted(lambda lines, user: sentences(*lines)),
    }
