"""Notes: those of evals/notes, and fresh ones put together of sentences with their labels.

A made note says each thing in one of several ways that a clinic would, among things that are of somebody else, planned,
denied or in doubt. A label is right because the sentence was written for it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import msgspec

from data_gen.setting import AS_OF
from evals.notes import gold
from evals.notes.gold import SETS, Labelled, load
from evals.suites.items import Item


class LabelledSentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence of notes.yaml and its labels."""

    text: str
    labels: tuple[str, ...]
    low: float = 0.0
    high: float = 0.0
    trap: str = ""


LINES = msgspec.yaml.decode(
    Path(__file__).with_suffix(".yaml").read_bytes(), type=tuple[LabelledSentence, ...]
)


@cache
def _sets() -> dict[str, Labelled]:
    return {f"{name}/{one.note.id}": one for name in SETS for one in load(name)}


def kept_items() -> Iterator[Item]:
    """The notes that were labelled by hand."""
    for name in _sets():
        of, _, note = name.partition("/")
        yield Item(
            id=f"notes-{of}-{note}", suite="notes", kind=of, world="bundled", set=of, note=name, cluster=name,
            why="labelled by hand (evals/notes/README.md)",
        )  # fmt: skip


def made_items(wanted: int, draw: random.Random) -> Iterator[Item]:
    """So many fresh notes, every other one with a trap."""
    for number in range(1, wanted + 1):
        traps = [line for line in LINES if line.trap]
        others = [line for line in LINES if not line.trap]
        chosen = _compatible(draw.sample(others, len(others)), 3) + draw.sample(traps, 1 + number % 2)
        draw.shuffle(chosen)
        texts, labels = [], []
        for line in chosen:
            value = round(draw.uniform(line.low, line.high), 1)
            day = AS_OF - timedelta(days=draw.randint(10, 200))
            fill = {"n": f"{value:.0f}" if line.high > 60 else f"{value:.1f}", "d": day.isoformat()}
            texts.append(line.text.format(**fill))
            labels += [label.format(**fill) for label in line.labels]
        yield Item(
            id=f"notes-made-{number}", suite="notes", kind="made", note=" ".join(texts), labels=labels,
            trap=next(line.trap for line in chosen if line.trap), cluster=f"made-{number}",
            why="every sentence was written for its label",
        )  # fmt: skip


def _compatible(lines: list[LabelledSentence], wanted: int) -> list[LabelledSentence]:
    """The first so many that say nothing of a drug of which another one has spoken."""
    chosen: list[LabelledSentence] = []
    for line in lines:
        words = {word.casefold() for one in chosen for label in one.labels for word in label.split()[1:2]}
        if len(chosen) < wanted and not any(label.split()[1].casefold() in words for label in line.labels):
            chosen.append(line)
    return chosen


def labelled(item: Item) -> Labelled:
    """The note of the item, with its labels."""
    made = {"id": item.id, "date": AS_OF, "text": item.note, "voice": "made", "facts": item.labels}
    return _sets().get(item.note) or gold.labelled(made)
