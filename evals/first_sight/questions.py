"""Sets of questions by other hands: put to the conversation once, read by a judge, and kept as a row of first sight.

    python -m evals.first_sight.questions ask evals/first_sight/t1 [--model NAME]   # writes answers.jsonl there
    python -m evals.first_sight.questions keep evals/first_sight/t1 --voice "…"     # counts grades.jsonl into a row

A set is a folder with `set.jsonl` (items with turns, and what a right answer must and must not say, written before
anything was run). The judge, who is neither the author nor the builder, reads each turn beside chart, plan and policy:
good (answers what was asked, first, right, cited), clumsy (right, but has to be searched for), unhelpful, wrong, or
dangerous. An item's grade is that of its worst turn; usable is good or clumsy.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from evals.first_sight.rows import RESULTS, append, commit
from evals.pages import described
from evals.stores import fresh_store
from tools.common.statistics import wilson

ROWS = RESULTS / "first_sight_questions.jsonl"
PAGE = RESULTS / "first_sight_questions.md"
GRADES = ("dangerous", "wrong", "unhelpful", "clumsy", "good")  # worst first
USABLE = ("good", "clumsy")


class QuestionRow(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one set at first sight, in items and in turns."""

    set: str
    voice: str
    model: str
    date: str
    commit: str
    items: int
    usable: int  # items
    good: int  # items
    turns: int
    usable_turns: int
    later: int  # turns that are not the first of their item
    usable_later: int
    wrong: int  # turns that are wrong or dangerous
    dangerous: int  # turns


def main() -> None:
    parser = described(argparse.ArgumentParser(), __doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    ask = actions.add_parser("ask", help="put every turn to the conversation and write answers.jsonl")
    ask.add_argument("set", type=Path)
    ask.add_argument("--model", default="offline")
    ask.add_argument("--out", type=Path, help="another file than answers.jsonl beside the set")
    keep = actions.add_parser("keep", help="count grades.jsonl and write the row")
    keep.add_argument("set", type=Path)
    keep.add_argument("--voice", required=True)
    keep.add_argument("--model", default="offline")
    actions.add_parser("report", help="print the page of all rows")
    given = parser.parse_args()
    if given.action == "ask":
        out = given.out or given.set / "answers.jsonl"
        lines = (json.dumps(one, ensure_ascii=False) for one in answers(given.set, given.model))
        out.write_text("".join(f"{line}\n" for line in lines))
        print(out)
        return
    if given.action == "keep":
        row = row_of(given.set, given.voice, given.model)
        if any((one.set, one.model) == (row.set, row.model) for one in rows()):
            raise SystemExit(f"{row.set} was scored before with {row.model}; a first sight is kept once")
        append(row, ROWS)
    PAGE.write_text(page(rows()))
    print(page(rows()))


def answers(folder: Path, model: str = "offline") -> Iterator[dict[str, Any]]:
    """Every turn with what was answered, in a store of its own that holds the bundled world and no request."""
    from langgraph.checkpoint.memory import InMemorySaver

    from agent.chat import build
    from agent.conversation import ChatDesk, Conversation
    from agent.drafts.drafting import drafter
    from agent.models.factory import open_model
    from agent.runtime.settings import read_settings

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
    turns: dict[str, list[tuple[int, str]]] = {}
    for one in graded:
        turns.setdefault(one["id"], []).append((int(one["turn"]), one["grade"]))
    worst = [min((grade for _, grade in item), key=GRADES.index) for item in turns.values()]
    every = [pair for item in turns.values() for pair in item]
    later = [grade for number, grade in every if number]
    usable_later = sum(grade in USABLE for grade in later)
    return QuestionRow(
        set=folder.name, voice=voice, model=model, date=date.today().isoformat(), commit=commit(), items=len(worst),
        usable=sum(grade in USABLE for grade in worst), good=worst.count("good"), turns=len(every),
        usable_turns=sum(grade in USABLE for _, grade in every), later=len(later), usable_later=usable_later,
        wrong=sum(grade in ("wrong", "dangerous") for _, grade in every),
        dangerous=sum(grade == "dangerous" for _, grade in every),
    )  # fmt: skip


def rows() -> list[QuestionRow]:
    """Every first sight of questions so far, oldest first."""
    lines = ROWS.read_bytes().splitlines() if ROWS.exists() else []
    return [msgspec.json.decode(line, type=QuestionRow) for line in lines]


def page(kept: Sequence[QuestionRow]) -> str:
    """The table of first sights of questions as Markdown."""
    lines = [
        "# First sights of questions",
        "",
        "Sets of conversations by authors who saw charts, plans and policies and no code, put to the chat once on",
        "the commit named, and read turn by turn by a judge who is neither author nor builder. A row never changes;",
        "intervals are Wilson's, 95 %. The commits on which t12 and t13 were asked were rebased before their merge;",
        "the rows name what those became. Printed by `python -m evals.first_sight.questions report`.",
        "",
        "| set | author's voice | model | date | commit | items usable | 95 % | items good | turns usable "
        "| later turns usable | turns wrong | of them dangerous |",
        "|---|---|---|---|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in kept:
        low, high = wilson(row.usable, row.items)
        lines.append(
            f"| {row.set} | {row.voice} | {row.model} | {row.date} | {row.commit} | {row.usable}/{row.items} "
            f"({row.usable / row.items:.2f}) | {low:.2f}-{high:.2f} | {row.good}/{row.items} | "
            f"{row.usable_turns}/{row.turns} | {row.usable_later}/{row.later} | {row.wrong} | {row.dangerous} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
