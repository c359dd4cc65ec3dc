"""Scores facts against labels: precision, recall, what would mislead, per kind and per trap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from evals.notes.gold import Label, Labelled
from evals.stats import wilson
from tools.notes.facts import NoteFact
from tools.records import Note

Reader = Callable[[Note], Sequence[NoteFact]]


class Wrong(NamedTuple):
    """A fact that no label bears out, or a label that no fact answers."""

    note: str
    what: str
    words: str
    misleads: bool = False


class Score(NamedTuple):
    """Counts over a set of notes. `details` are days and adverse effects of the facts that are right."""

    notes: int
    right: int
    extra: list[Wrong]
    missed: list[Wrong]
    found: Counter[str]
    labels: Counter[str]
    predicted: Counter[str]
    trap_labels: Counter[str]
    trap_found: Counter[str]
    details: int
    details_right: int
    wrong_details: list[Wrong]

    def summary(self) -> dict[str, Any]:
        """What is published."""
        predicted, labels = sum(self.predicted.values()), sum(self.labels.values())
        return {
            "notes": self.notes,
            "labelled facts": labels,
            "of them traps": sum(self.trap_labels.values()),
            "facts read": predicted,
            "precision": rate(self.right, predicted),
            "recall": rate(self.right, labels),
            "would mislead": sum(item.misleads for item in self.extra),
            "days and effects right": rate(self.details_right, self.details),
            "per kind": {
                kind: {
                    "labels": self.labels[kind],
                    "precision": rate(self.found[kind], self.predicted[kind]),
                    "recall": rate(self.found[kind], self.labels[kind]),
                }
                for kind in sorted({*self.labels, *self.predicted})
            },
            "per trap": {
                trap: {"labels": many, "read as what it is": rate(self.trap_found[trap], many)}
                for trap, many in sorted(self.trap_labels.items())
            },
        }  # fmt: skip


def rate(part: int, whole: int) -> dict[str, Any]:
    """A share with its Wilson interval at 95 %."""
    if not whole:
        return {"of": 0}
    low, high = wilson(part, whole)
    return {"rate": round(part / whole, 4), "low": round(low, 4), "high": round(high, 4), "of": whole}


def score(notes: Iterable[Labelled], read: Reader) -> Score:
    """Reads every note and compares."""
    total = Score(0, 0, [], [], Counter(), Counter(), Counter(), Counter(), Counter(), 0, 0, [])
    for item in notes:
        total = _add(total, item, read(item.note))
    return total


def _add(total: Score, item: Labelled, facts: Sequence[NoteFact]) -> Score:
    used: set[int] = set()
    right = details = details_right = 0
    extra: list[Wrong] = []
    for fact in facts:
        total.predicted[fact.kind] += 1
        hit = next(
            (i for i, label in enumerate(item.labels) if i not in used and _same(fact, label, item.note)),
            None,
        )
        if hit is None:
            extra.append(Wrong(item.note.id, _told(fact), fact.quote, _misleads(fact, item)))
            continue
        used.add(hit)
        right += 1
        total.found[fact.kind] += 1
        label = item.labels[hit]
        for wanted, is_right in (
            (label.day, label.day in (fact.date, fact.began)),
            (label.detail, label.detail == fact.detail),
        ):
            if wanted:
                details += 1
                details_right += is_right
                if not is_right:
                    total.wrong_details.append(
                        Wrong(
                            item.note.id,
                            f"{_told(fact)} {fact.began} {fact.date} {fact.detail} != {wanted}",
                            fact.quote,
                        )
                    )
    missed = [
        Wrong(item.note.id, _asked(label), label.words)
        for i, label in enumerate(item.labels)
        if i not in used
    ]
    for index, label in enumerate(item.labels):
        total.labels[label.kind] += 1
        for trap in label.traps:
            total.trap_labels[trap] += 1
            total.trap_found[trap] += index in used
    return total._replace(
        notes=total.notes + 1,
        right=total.right + right,
        extra=[*total.extra, *extra],
        missed=[*total.missed, *missed],
        details=total.details + details,
        details_right=total.details_right + details_right,
    )


def _same(fact: NoteFact, label: Label, note: Note) -> bool:
    return (
        fact.kind == label.kind
        and fact.of == label.of
        and fact.present == label.present
        and set(fact.subjects) == set(label.subjects)
        and (fact.status if fact.status in ("planned", "declined") else "") == label.planned
        and fact.hedged == label.hedged
        and fact.value == label.value
        and (
            fact.kind != "diagnosis"
            or "self" not in fact.subjects
            or (fact.status == "history") == label.past
        )
        and _touch(fact, label.words, note.text)
    )


def _touch(fact: NoteFact, words: str, text: str) -> bool:
    at = text.find(words)
    while at != -1:
        if at < fact.end and fact.start < at + len(words):
            return True
        at = text.find(words, at + 1)
    return False


def _misleads(fact: NoteFact, item: Labelled) -> bool:
    """It would show something of the patient that no label says, nor says in other words."""
    if not fact.counts or "self" not in fact.subjects:
        return False
    return not any(
        label.of == fact.of and label.present == fact.present and "self" in label.subjects
        and not label.hedged and not label.planned and label.value == fact.value
        for label in item.labels
    )  # fmt: skip


def _told(fact: NoteFact) -> str:
    words = [
        fact.kind,
        fact.of,
        "" if fact.present else "not",
        "+".join(fact.subjects),
        fact.status,
        "maybe" if fact.hedged else "",
    ]
    return " ".join(word for word in (*words, "" if fact.value is None else f"{fact.value:g}") if word)


def _asked(label: Label) -> str:
    words = [
        label.kind,
        label.of,
        "" if label.present else "not",
        "+".join(label.subjects),
        label.planned,
        "past" if label.past else "",
    ]
    return " ".join(
        word
        for word in (
            *words,
            "maybe" if label.hedged else "",
            "" if label.value is None else f"{label.value:g}",
        )
        if word
    )
