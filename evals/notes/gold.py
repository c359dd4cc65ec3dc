"""The labelled notes, read from their files; README.md says how labels are written."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, get_args

import yaml

from tools.domain.records import Note
from tools.notes.facts import FactKind

FOLDER = Path(__file__).parent
SETS = ("dev", "dev2", "dev3", "dev4", "heldout", "generated")
_SUBJECTS = {
    "self": ("self",),
    "family": ("family",),
    "somebody": ("other",),
    "self+family": ("self", "family"),
}
_EFFECTS = {"gi": "gi", "hypo": "hypoglycemia", "genital": "genital", "other": "other"}


class Label(NamedTuple):
    """One fact that a note holds. `words` are some of those that say it."""

    kind: str
    of: str
    words: str
    present: bool
    subjects: tuple[str, ...]
    planned: str  # planned, declined or ""
    past: bool
    hedged: bool
    value: float | None
    day: date | None
    detail: str

    @property
    def traps(self) -> list[str]:
        """Which of the things that mislead a hasty reader it is."""
        flags = {
            "family": "family" in self.subjects and "self" not in self.subjects,
            "other person": "other" in self.subjects,
            "negated": not self.present,
            "planned or declined": bool(self.planned),
            "hedged": self.hedged,
            "historical": self.past,
        }
        return [name for name, is_so in flags.items() if is_so]


class Labelled(NamedTuple):
    """A note with its labels."""

    note: Note
    voice: str
    labels: tuple[Label, ...]


def load(which: str) -> list[Labelled]:
    """A set of labelled notes; AssertionError names a label that does not fit its note."""
    raw = yaml.safe_load((FOLDER / f"{which}.yaml").read_text(encoding="utf-8"))
    return [labelled(item) for item in raw]


def read_lines(path: Path) -> list[Labelled]:
    """A set by another hand, a note a line, whose facts are objects (evals/first_sight/notes/README.md)."""
    found = []
    for item in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        note = Note(id=item["id"], date=date.fromisoformat(item["date"]), text=item["text"])
        found.append(Labelled(note, item["voice"], tuple(_of_object(fact, note) for fact in item["facts"])))
    return found


def _of_object(fact: dict[str, Any], note: Note) -> Label:
    assert fact["words"] in note.text, f"{note.id}: {fact['words']!r} does not stand in the note"
    tolerated = fact["kind"] == "tolerated"  # no intolerance
    day = fact.get("day") or fact.get("begun")
    return Label(
        kind="intolerance" if tolerated else fact["kind"],
        of=fact["of"],
        words=fact["words"],
        present=not (fact.get("not") or tolerated),
        subjects=_SUBJECTS[fact.get("who", "self")],
        planned=next((flag for flag in ("planned", "declined") if fact.get(flag)), ""),
        past=bool(fact.get("past")),
        hedged=bool(fact.get("maybe")),
        value=fact.get("value"),
        day=date.fromisoformat(day) if day else None,
        detail=_EFFECTS.get(fact.get("effect", ""), ""),
    )


def labelled(item: dict[str, Any]) -> Labelled:
    """A note as data, whose facts are lines."""
    note = Note(id=item["id"], date=item["date"], text=item["text"])
    return Labelled(note, item["voice"], tuple(_label(line, note) for line in item["facts"] or ()))


def _label(line: str, note: Note) -> Label:
    head, _, words = line.partition(" | ")
    kind, of, *flags = head.split()
    assert kind in get_args(FactKind), f"{note.id}: no kind {kind!r}"
    assert words, f"{note.id}: {line!r} names no words"
    fact: dict[str, Any] = dict.fromkeys(flags, True) | {"kind": kind, "of": of, "words": words}
    for flag in reversed(flags):  # of two alike the first one counts
        if flag in _SUBJECTS:
            fact["who"] = flag
        elif flag in _EFFECTS:
            fact["effect"] = flag
        elif flag.startswith("@"):
            fact["day"] = flag[1:]
        elif flag.replace(".", "", 1).isdigit():
            fact["value"] = float(flag)
    return _of_object(fact, note)
