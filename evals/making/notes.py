"""Notes: those of evals/notes, and fresh ones put together of sentences with their labels.

A made note says each thing in one of several ways that a clinic would, among things that are of somebody else, planned,
denied or in doubt. A label is right because the sentence was written for it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from data_gen.setting import AS_OF
from evals.notes.gold import SETS, Labelled, _labelled, load
from evals.suites.items import Item


class LabelledSentence(NamedTuple):
    """A sentence and its labels; {n} is a number that is drawn, {d} a date."""

    text: str
    labels: tuple[str, ...]
    low: float = 0.0
    high: float = 0.0
    trap: str = ""


LINES = (
    LabelledSentence(
        "Metformin was stopped because of persistent diarrhea.",
        ("intolerance metformin gi | Metformin was stopped",),
    ),
    LabelledSentence(
        "She could not tolerate glipizide: repeated hypoglycemia.",
        ("intolerance glipizide hypo | could not tolerate glipizide",),
    ),
    LabelledSentence(
        "Currently takes metformin 1000 mg twice daily.", ("taking metformin | takes metformin",)
    ),
    LabelledSentence(
        "Remains on lisinopril and atorvastatin.",
        ("taking lisinopril | on lisinopril", "taking atorvastatin | atorvastatin"),
    ),
    LabelledSentence("HbA1c {n} % on {d}.", ("value hba1c {n} % @{d} | HbA1c {n}",), 6.1, 10.9),
    LabelledSentence("eGFR {n} mL/min on {d}.", ("value egfr {n} @{d} | eGFR {n}",), 25, 95),
    LabelledSentence("BMI today {n} kg/m2.", ("value bmi {n} | BMI today {n}",), 27.1, 41.9),
    LabelledSentence("Known type 2 diabetes.", ("diagnosis t2dm | type 2 diabetes",)),
    LabelledSentence("History of heart failure.", ("diagnosis hf | heart failure",)),
    LabelledSentence(
        "Pioglitazone for half a year brought no adequate response.",
        ("inadequate pioglitazone | Pioglitazone",),
    ),
    LabelledSentence(
        "Mother had type 2 diabetes.", ("diagnosis t2dm family | type 2 diabetes",), trap="family"
    ),
    LabelledSentence(
        "No history of pancreatitis.", ("diagnosis pancreatitis not | pancreatitis",), trap="negated"
    ),
    LabelledSentence(
        "We plan to start empagliflozin next month.",
        ("taking empagliflozin planned | empagliflozin",),
        trap="planned",
    ),
    LabelledSentence("Patient declined insulin.", ("taking insulin declined | insulin",), trap="planned"),
    LabelledSentence(
        "Possible obstructive sleep apnea, to be confirmed.",
        ("diagnosis osa maybe | sleep apnea",),
        trap="hedged",
    ),
    LabelledSentence("Goal HbA1c below 7 %.", (), trap="goal"),
    LabelledSentence("Weight loss was discussed at length.", ()),
    LabelledSentence("Denies pregnancy.", ("diagnosis pregnancy not | pregnancy",), trap="negated"),
)


@cache
def _sets() -> dict[str, Labelled]:
    return {f"{name}/{one.note.id}": one for name in SETS for one in load(name)}


def kept_items() -> Iterator[Item]:
    """The notes that were labelled by hand."""
    for name in _sets():
        yield Item(
            id=f"notes-{name.replace('/', '-')}", suite="notes", kind=name.partition("/")[0], world="bundled",
            set=name.partition("/")[0], note=name, cluster=name, why="labelled by hand (evals/notes/README.md)",
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
    known = _sets().get(item.note)
    if known is not None:
        return known
    day: date = AS_OF
    return _labelled({"id": item.id, "date": day, "text": item.note, "voice": "made", "facts": item.labels})
