"""Running items through arms: one at a time, logged as it is done, so that a run that was killed goes on where it was.

The log is JSON lines, a Row each, under a key of all that decides it: the item, the arm, the model's digest, the seed,
the temperature, the prompts and the code of the evals. What is logged under its key is not asked again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agent.prompts import FOLDER
from evals.arms import alone
from evals.arms.answering import answer, asks
from evals.arms.bench import Bench
from evals.arms.models import NotRecorded
from evals.scores.rows import Arm, Row, read_row
from evals.scores.scoring import score
from evals.suites.items import Item
from tools.common.errors import Unavailable

if TYPE_CHECKING:
    from agent.models.model import Model

HOT = 0.7  # the temperature of repeated tries
CODE = (  # rooms whose code answers or scores
    "tools", "agent", "data_gen", "evals/appeals", "evals/arms", "evals/chat", "evals/denials", "evals/grounding",
    "evals/notes", "evals/retrieval", "evals/scores", "evals/suites",
)  # fmt: skip
LONGEST = 2_000  # characters of an answer that are kept


class Way(NamedTuple):
    """One way of asking: who, which model, and how."""

    arm: Arm
    model: str = "offline"
    digest: str = ""
    temperature: float = 0.0
    epochs: int = 1


class Task(NamedTuple):
    """One sample to be done."""

    item: Item
    way: Way
    epoch: int
    seed: int

    @property
    def key(self) -> str:
        decides = [
            self.item.digest, self.way.arm, self.way.model, self.way.digest, str(self.way.temperature),
            str(self.epoch), str(self.seed), prompts(), code(),
        ]  # fmt: skip
        return hashlib.sha256("\n".join(decides).encode()).hexdigest()[:24]


def ways(arms: Iterable[Arm], model: str, digest: str, epochs: int) -> list[Way]:
    """Once at temperature 0 and, for an arm that asks a model, so many times at 0.7. The engine is the same each time,
    and asked once."""
    found: list[Way] = []
    for arm in arms:
        found.append(Way(arm) if arm == "engine" else Way(arm, model, digest))
        if arm != "engine" and epochs > 1:
            found.append(Way(arm, model, digest, HOT, epochs))
    return found


def tasks_of(items: Sequence[Item], which: Iterable[Way], seed: int) -> Iterator[Task]:
    """Item by item, each arm in turn, so that a run that is stopped has all arms of what it has."""
    every = [*which]
    for item in items:
        for way in every:
            if asks(way.arm, item):
                yield from (Task(item, way, epoch, seed + epoch - 1) for epoch in range(1, way.epochs + 1))


def run(task: Task, bench: Bench, model: Model | None) -> Row:
    """One sample. Whatever breaks is a row; only a recording that lacks a reply ends the run."""
    item, way = task.item, task.way
    row = Row(
        key=task.key, code=code(), suite=item.suite, arm=way.arm, item=item.id, digest=item.digest, kind=item.kind,
        set=item.set, cluster=item.cluster or item.id, epoch=task.epoch, seed=task.seed,
        temperature=way.temperature, why=item.why, drug=item.drug,
        payer=item.payer, difficulty=item.difficulty, trap=item.trap,
        question=" / ".join(asking.ask for asking in item.turns)[:LONGEST] or item.note[:LONGEST],
    )  # fmt: skip
    turns: list[dict[str, Any]] = []
    try:
        turns = answer(row, item, bench, model)
    except NotRecorded:
        raise
    except Exception as error:  # what breaks is what is measured
        row.error = f"{type(error).__name__}: {error}"
        row.infrastructure = row.infrastructure or isinstance(error, Unavailable)
        row.wrong.append(row.error)
    row.answer = "\n".join(str(turn.get("answer", "")) for turn in turns)[:LONGEST]
    score(row, item, bench.of(item).world, turns)
    row.answer = row.answer[:LONGEST]
    return row


class Log:
    """The rows of one run, in a file that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = {row.key: row for row in read_rows(path)}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            with path.open("ab") as file:  # what a kill cut off stays a line of its own
                file.write(b"\n")

    def add(self, row: Row) -> None:
        self.rows[row.key] = row
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")


def read_rows(path: Path) -> list[Row]:
    """What was logged in full; a line that was cut by a kill is none."""
    found: list[Row] = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        with suppress(msgspec.MsgspecError):
            found.append(read_row(line))
    return found


# --- what decides a row, beside the item and the model ------------------------------------------------------


@cache
def prompts() -> str:
    """One hash of all prompts."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))]
    return hashlib.sha256("\n".join([*texts, alone.digest()]).encode()).hexdigest()[:12]


@cache
def code() -> str:
    """One hash of the code that answers and scores, its weights too: a row of other code is another row."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for room in CODE:
        suffixes = (".py", ".yaml", ".npz", ".onnx")
        answering = (path for path in (root / room).rglob("*") if path.suffix in suffixes)
        for path in sorted(answering):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]
