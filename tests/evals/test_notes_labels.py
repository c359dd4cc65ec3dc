"""The labelled notes and their scorer."""

from __future__ import annotations

from datetime import date

import msgspec

from evals.notes.gold import SETS, Labelled, load
from evals.notes.score import compare
from evals.report.table import summed
from tools.domain.records import Note
from tools.notes.facts import NoteFact
from tools.notes.reader import read_note


def test_there_are_enough_notes_and_a_third_is_held_out() -> None:
    notes = {name: load(name) for name in SETS}
    facts = {name: sum(len(item.labels) for item in items) for name, items in notes.items()}
    traps = sum(bool(label.traps) for items in notes.values() for item in items for label in item.labels)
    assert len(notes["dev"]) + len(notes["heldout"]) >= 60
    assert sum(facts.values()) >= 200
    assert traps >= 150
    assert facts["heldout"] >= 140
    assert len({item.note.id for items in notes.values() for item in items}) == sum(map(len, notes.values()))


def test_the_reader_keeps_what_it_can() -> None:
    """All by the hand that wrote the reader before, whose patterns had been tuned on dev. They read heldout with 0.965
    and 0.952, and strangers' notes with 0.83 and 0.66 (first_sight.md). What is learned reads both alike."""
    for name, precision, recall in (("dev", 0.87, 0.9), ("generated", 0.93, 0.85), ("heldout", 0.85, 0.85)):
        tally = summed(compare(item, read_note(item.note)).tally for item in load(name))
        for what, least in (("facts, precision", precision), ("facts, recall", recall)):
            hits, of = tally[what]
            assert hits / of >= least, (name, what)


def test_a_trap_that_is_read_as_a_fact_counts_against_the_reader() -> None:
    (item,) = [item for item in load("generated") if item.note.id == "g01"]
    at = item.note.text.index("pancreatitis")
    fooled = NoteFact(kind="diagnosis", of="pancreatitis", quote="pancreatitis", start=at, end=at + 12)
    found = compare(item, [fooled])
    assert [wrong.misleads for wrong in found.extra] == [True] and len(found.missed) == 1
    assert found.tally["facts, precision"] == found.tally["facts, recall"] == (0, 1)
    assert found.tally["facts that mislead"] == (1, 1) and found.tally["trap: family"] == (0, 1)


def test_words_elsewhere_in_the_note_do_not_count() -> None:
    (item,) = [item for item in load("generated") if item.note.id == "g01"]
    right = read_note(item.note)
    elsewhere = Note(id="x", date=date(2026, 1, 1), text=item.note.text + " Later: " + item.note.text)
    moved = compare(Labelled(elsewhere, "", item.labels), read_note(elsewhere))
    assert moved.tally["facts, recall"] == (1, 1) and len(right) == 1


def test_a_day_that_was_read_otherwise_is_astray() -> None:
    item = next(
        item for name in SETS for item in load(name) if not (found := compare(item, read_note(item.note))).extra
        and found.tally["days and effects right"][0] and not found.missed
    )  # fmt: skip
    facts = [msgspec.structs.replace(fact, date=None, began=None, detail="") for fact in read_note(item.note)]
    found = compare(item, facts)
    assert found.astray and found.tally["days and effects right"][0] == 0 and not found.missed
