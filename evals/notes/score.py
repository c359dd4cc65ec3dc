"""What was read of a note beside its labels: precision, recall, what would mislead, per kind and per trap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from evals.notes.gold import Label, Labelled
from tools.domain.records import Note
from tools.notes.facts import NoteFact

Tally = dict[str, tuple[int, int]]


class Wrong(NamedTuple):
    """A fact that no label bears out, or a label that no fact answers."""

    what: str
    words: str
    misleads: bool = False


class Compared(NamedTuple):
    """The facts of one note beside its labels; `astray` are days and adverse effects of facts that are right."""

    extra: tuple[Wrong, ...]
    missed: tuple[Wrong, ...]
    astray: tuple[Wrong, ...]
    tally: Tally


def compare(item: Labelled, facts: Sequence[NoteFact]) -> Compared:
    """Pair each fact with the first label that it says, and count what is left over on either side."""
    answered: dict[int, NoteFact] = {}
    extra: list[Wrong] = []
    for fact in facts:
        free = (i for i, label in enumerate(item.labels) if i not in answered)
        hit = next((i for i in free if _same(fact, item.labels[i], item.note)), None)
        if hit is None:
            extra.append(Wrong(_told(fact), fact.quote, _misleads(fact, item)))
        else:
            answered[hit] = fact
    missed = [Wrong(_asked(label), label.words) for i, label in enumerate(item.labels) if i not in answered]
    details = [pair for i, fact in answered.items() for pair in _details(fact, item.labels[i])]
    astray = [Wrong(f"{_told(fact)} != {wanted}", fact.quote) for fact, wanted, right in details if not right]
    tally = _tally(item, facts, answered) | {
        "facts that mislead": (sum(one.misleads for one in extra), len(facts)),
        "days and effects right": (len(details) - len(astray), len(details)),
    }
    return Compared(tuple(extra), tuple(missed), tuple(astray), tally)


def _details(fact: NoteFact, label: Label) -> list[tuple[NoteFact, str, bool]]:
    """The day and the effect that the label holds, and whether the fact has them."""
    wanted = ((label.day, label.day in (fact.date, fact.began)), (label.detail, label.detail == fact.detail))
    return [(fact, str(what), right) for what, right in wanted if what]


def _tally(item: Labelled, facts: Sequence[NoteFact], answered: dict[int, NoteFact]) -> Tally:
    found: Counter[str] = Counter(fact.kind for fact in answered.values())
    read: Counter[str] = Counter(fact.kind for fact in facts)
    labels: Counter[str] = Counter(label.kind for label in item.labels)
    tally = {
        "facts, precision": (len(answered), len(facts)),
        "facts, recall": (len(answered), len(item.labels)),
    }
    for kind in {*read, *labels}:
        tally[f"{kind}, precision"] = (found[kind], read[kind])
        tally[f"{kind}, recall"] = (found[kind], labels[kind])
    traps = [(trap, i in answered) for i, label in enumerate(item.labels) for trap in label.traps]
    for trap in {name for name, _ in traps}:
        seen = [as_it_is for name, as_it_is in traps if name == trap]
        tally[f"trap: {trap}"] = (sum(seen), len(seen))
    return tally


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
    return _line(fact.kind, fact.of, fact.present, fact.subjects, fact.status, fact.hedged, fact.value)


def _asked(label: Label) -> str:
    planned = " ".join(filter(None, (label.planned, "past" if label.past else "")))
    return _line(label.kind, label.of, label.present, label.subjects, planned, label.hedged, label.value)


def _line(
    kind: str, of: str, present: bool, who: Sequence[str], status: str, hedged: bool, value: float | None
) -> str:
    words = (kind, of, "" if present else "not", "+".join(who), status, "maybe" if hedged else "")
    return " ".join(word for word in (*words, "" if value is None else f"{value:g}") if word)
