from __future__ import annotations

import ast
import random
from collections import Counter
from pathlib import Path

import pytest

from evals.grounding import items, mutate
from evals.stores import MOCK_DATA
from tools.papers.letters import letter
from tools.queries.bound import Bound
from tools.store import Store
from tools.store.load import load


def test_the_mutator_shares_nothing_with_the_verifier() -> None:
    tree = ast.parse(Path(mutate.__file__).read_text(encoding="utf-8"))
    imported = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not [name for name in imported if name.startswith(("agent", "evals"))]


def test_same_seed_same_corruptions_and_each_is_one_change(tmp_path: Path) -> None:
    store = Store.create(f"sqlite:///{tmp_path / 'paladin.db'}")
    load(store, MOCK_DATA)
    case = Bound(store, "P001").case("Ozempic")
    text = letter(case).text
    first, again = ([*mutate.corrupt(case, text, random.Random(4), ["Ruth Ellison"])] for _ in range(2))
    assert first == again
    assert [w.kind for w in first] == [k for k in mutate.KINDS if k in {w.kind for w in first}]
    assert len(first) == len(mutate.KINDS)
    for wrong in first:
        assert wrong.text[wrong.start : wrong.end] != wrong.was
    store.close()


def test_hand_written_sentences_are_enough_and_well_formed() -> None:
    lines = {name: [*items.sentences(name)] for name in items.SETS}
    clean = {name: sum(kind == "clean" for kind, *_ in some) for name, some in lines.items()}
    wrong = {name: len(some) - clean[name] for name, some in lines.items()}
    assert sum(clean.values()) >= 120 and sum(wrong.values()) >= 120
    assert clean["held_out"] >= 40 and wrong["held_out"] >= 40
    assert {kind for some in lines.values() for kind, *_ in some} == {"clean", *mutate.KINDS}
    assert not {s for *_, s in lines["known"]} & {s for *_, s in lines["held_out"]}


@pytest.mark.slow
def test_corruptions_are_drawn_evenly_and_stand_where_they_are_said_to() -> None:
    drawn = [*items.drawn(3, 4)]
    assert Counter(item.kind for item in drawn) == dict.fromkeys(mutate.KINDS, 4)
    assert all(item.note[slice(*item.span)] and item.why for item in drawn)
    assert [item.note for item in drawn] == [item.note for item in items.drawn(3, 4)]
