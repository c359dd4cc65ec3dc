"""Questions by another hand: a folder with `set.jsonl` (items with turns, and what a right answer must and must not
say), put to the conversation once, and read by a judge, who is neither the author nor the builder and grades each turn
beside chart, plan and policy: good (answers what was asked, first, right, cited), clumsy (right, but has to be searched
for), unhelpful, wrong, or dangerous. An item's grade is that of its worst turn; usable is good or clumsy."""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from agent.chat import build
from agent.conversation import ChatDesk, Conversation
from agent.drafts.drafting import drafter
from agent.models.factory import open_model
from agent.runtime.settings import read_settings
from evals.first_sight.rows import QuestionRow
from evals.stores import fresh_store

GRADES = ("dangerous", "wrong", "unhelpful", "clumsy", "good")  # worst first
USABLE = ("good", "clumsy")


def answers(folder: Path, model: str = "offline") -> Iterator[dict[str, Any]]:
    """Every turn with what was answered, in a store of its own that holds the bundled world and no request."""
    with tempfile.TemporaryDirectory() as home, fresh_store(index=True) as store:
        settings = read_settings({"PALADIN_HOME": home})
        opened, _ = open_model(model, settings)
        graph = build().compile(checkpointer=InMemorySaver())
        for line in (folder / "set.jsonl").read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            desk = ChatDesk(store=store, model=opened, draft=drafter(store, settings))
            talk = Conversation(graph, desk, patient_id=item["patient"])
            for number, turn in enumerate(item["turns"]):
                said = talk.ask(turn["text"])
                yield {
                    "id": item["id"], "turn": number, "patient": item["patient"], **turn,
                    "answer": said.answer, "citations": [f"{one.source}: {one.quote}" for one in said.citations],
                    "intents": list(said.intents), "by": said.understood_by,
                }  # fmt: skip


def row_of(folder: Path, voice: str, model: str) -> QuestionRow:
    """The counts of a set that was read by a judge."""
    graded = [json.loads(line) for line in (folder / "grades.jsonl").read_text(encoding="utf-8").splitlines()]
    items = defaultdict[str, list[str]](list)
    for one in graded:
        items[one["id"]].append(one["grade"])
    every = Counter(one["grade"] for one in graded)
    later = Counter(one["grade"] for one in graded if int(one["turn"]))
    worst = Counter(min(grades, key=GRADES.index) for grades in items.values())

    def usable(grades: Counter[str]) -> int:
        return sum(grades[grade] for grade in USABLE)

    return QuestionRow(
        set=folder.name, voice=voice, model=model, items=len(items), usable=usable(worst), good=worst["good"],
        turns=len(graded), usable_turns=usable(every), later=later.total(), usable_later=usable(later),
        wrong=every["wrong"] + every["dangerous"], dangerous=every["dangerous"],
    )  # fmt: skip
