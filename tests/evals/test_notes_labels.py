"""The labelled notes and their scorer."""

from __future__ import annotations

from datetime import date

from evals.notes.gold import SETS, Labelled, load
from evals.notes.score import score
from tools.notes.facts import NoteFact
from tools.notes.reader import read_note
from tools.records import Note


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
    for name, precision, recall in (("dev", 0.98, 0.95), ("generated", 0.97, 0.97), ("heldout", 0.93, 0.85)):
        found = score(load(name), read_note).summary()
        assert found["precision"]["rate"] >= precision, name
        assert found["recall"]["rate"] >= recall, name


def test_a_trap_that_is_read_as_a_fact_counts_against_the_reader() -> None:
    (item,) = [item for item in load("generated") if item.note.id == "g01"]
    at = item.note.text.index("pancreatitis")
    fooled = NoteFact(kind="diagnosis", of="pancreatitis", quote="pancreatitis", start=at, end=at + 12)
    found = score([item], lambda note: [fooled])
    assert (found.right, [wrong.misleads for wrong in found.extra], len(found.missed)) == (0, [True], 1)


def test_words_elsewhere_in_the_note_do_not_count() -> None:
    (item,) = [item for item in load("generated") if item.note.id == "g01"]
    right = read_note(item.note)
    elsewhere = Note(id="x", date=date(2026, 1, 1), text=item.note.text + " Later: " + item.note.text)
    moved = read_note(elsewhere)
    assert score([Labelled(elsewhere, "", item.labels)], lambda note: moved).right == len(right) == 1
