"""The policy index: found by meaning, confined to one plan and drug, rebuilt or replaced when it is not whole."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests import worlds
from tools.common.errors import NotFound, Unavailable
from tools.domain.records import Policy
from tools.queries import policies
from tools.store import Store, embedding, index
from tools.store.clauses import chunks
from tools.store.load import load


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Each test opens its index itself, as a process of its own would."""
    index.forget()
    yield
    index.forget()


def two_plans(folder: Path) -> Path:
    """The tiny world with a second payer, whose policy says the same of the same drug in the same words."""
    world = worlds.tiny_world()
    gold, said = worlds.plan(), msgspec.json.encode(worlds.plan()).replace(b"CASCADE-GOLD", b"NORTH-PLUS")
    other_plan = msgspec.json.decode(said.replace(b"cascade-pa", b"north-pa"), type=type(gold))
    text = msgspec.json.encode(worlds.policy()).replace(b"CASCADE-GOLD", b"NORTH-PLUS")
    other_policy = msgspec.json.decode(text, type=Policy)
    other_form = msgspec.structs.replace(worlds.tiny_world().forms[0], id="north-pa", plan_id="NORTH-PLUS")
    plans, forms, policies_ = (gold, other_plan), (*world.forms, other_form), (*world.policies, other_policy)
    return worlds.write_world(folder, world._replace(plans=plans, forms=forms, policies=policies_))


def current(store: Store) -> Path:
    home = store.index_dir
    assert home is not None
    return home / index.read_manifest(home).folder


ASK = "Her kidneys failed on Glucophage; how long was the first pill tried?"


def test_a_question_in_other_words_finds_the_clause(tiny: Store) -> None:
    assert index.ensure(tiny) == len(worlds.CLAUSES)
    hits = policies.search(tiny, "cascade-gold", "ozempic", "What average blood sugar is needed?")
    assert len(hits) == 3
    assert hits[0].clause_id == "1.3"
    assert hits[0].text == worlds.CLAUSES[2].text
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert {hit.by for hit in hits} == {"meaning"}


def test_a_search_for_as_many_as_there_are_brings_every_clause_once(tiny: Store) -> None:
    index.ensure(tiny)
    manifest = current(tiny).parent / "current.json"
    for by in ("meaning", "words"):
        hits = policies.search(tiny, "CASCADE-GOLD", "Ozempic", "all of it", k=len(worlds.CLAUSES))
        assert {hit.by for hit in hits} == {by}
        assert sorted(hit.clause_id for hit in hits) == sorted(clause.id for clause in worlds.CLAUSES)
        manifest.unlink(missing_ok=True)


def test_another_payers_clause_in_the_same_words_never_comes_back(store: Store, tmp_path: Path) -> None:
    load(store, two_plans(tmp_path / "two"))
    index.ensure(store)
    for plan_id in ("CASCADE-GOLD", "NORTH-PLUS"):
        hits = policies.search(store, plan_id, "Ozempic", ASK, k=20)
        assert {hit.policy_id for hit in hits} == {f"{plan_id}-OZEMPIC"}


def test_an_index_that_answers_with_another_payers_clause_is_damaged(store: Store, tmp_path: Path) -> None:
    load(store, two_plans(tmp_path / "two"))
    policy = store.policy("CASCADE-GOLD", "Ozempic")
    assert policy is not None
    for stray in ("NORTH-PLUS-OZEMPIC\x1f1.3\x1f0", "CASCADE-GOLD-OZEMPIC\x1f9.9\x1f0", "garbage"):
        with pytest.raises(index.Damaged, match="answered for CASCADE-GOLD-OZEMPIC with clause"):
            index.hits(policy, [(stray, 0.1)], 3)


def test_a_drug_without_a_policy_says_why(tiny: Store) -> None:
    with pytest.raises(NotFound, match="does not cover"):
        policies.search(tiny, "CASCADE-GOLD", "Wegovy", ASK)


# --- missing, stale, damaged ------------------------------------------------------------------------------

HARM: dict[str, Callable[[Path], object]] = {
    "manifest removed": lambda folder: (folder.parent / "current.json").unlink(),
    "manifest is garbage": lambda folder: (folder.parent / "current.json").write_bytes(b"\x00garbage"),
    "manifest cut short": lambda folder: os.truncate(folder.parent / "current.json", 40),
    "database removed": lambda folder: (folder / "chroma.sqlite3").unlink(),
    "database cut short": lambda folder: os.truncate(folder / "chroma.sqlite3", 9000),
    "database is garbage": lambda folder: (folder / "chroma.sqlite3").write_bytes(os.urandom(50_000)),
    "database empty": lambda folder: os.truncate(folder / "chroma.sqlite3", 0),
    "vectors changed": lambda folder: change(folder, "embeddings_queue", "vector", "zeroblob(1536)"),
    "clause changed": lambda folder: change(folder, "embedding_metadata", "string_value", "'9.9'"),
}


def change(folder: Path, table: str, column: str, value: str) -> None:
    import sqlite3

    with sqlite3.connect(folder / "chroma.sqlite3") as connection:
        changed = connection.execute(f"UPDATE {table} SET {column} = {value}").rowcount
    connection.close()
    assert changed > 0


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARM)
def test_a_damaged_index_is_searched_by_words_and_built_again(
    tiny: Store, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    index.ensure(tiny)
    index.forget()
    HARM[harm](current(tiny))
    with caplog.at_level(logging.WARNING):
        hits = policies.search(tiny, "CASCADE-GOLD", "Ozempic", "metformin for 90 days")
    assert hits[0].clause_id == "1.4"
    assert {hit.by for hit in hits} == {"words"}
    assert [record.getMessage().count("\n") for record in caplog.records] == [0]
    assert "searched by words" in caplog.text
    assert "pa index" in caplog.text
    caplog.clear()
    assert index.ensure(tiny) == len(worlds.CLAUSES)
    assert policies.search(tiny, "CASCADE-GOLD", "Ozempic", "metformin for 90 days")[0].by == "meaning"
    assert caplog.records == []


def test_an_index_that_nobody_touched_is_found_whole_without_being_opened(
    tiny: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    client = index._client
    monkeypatch.setattr(index, "_client", lambda folder: opened.append(folder) or client(folder))
    assert index.ensure(tiny) == index.ensure(tiny) == len(worlds.CLAUSES)
    assert opened == [current(tiny)], "it was opened to be built, and not again"
    (current(tiny) / "chroma.sqlite3").touch()
    assert index.ensure(tiny) == index.ensure(tiny) == len(worlds.CLAUSES)
    assert opened == [current(tiny)] * 2, "compared once, as a file looked otherwise"


def test_an_index_of_other_policies_is_stale(tiny: Store, tmp_path: Path) -> None:
    index.ensure(tiny)
    load(tiny, two_plans(tmp_path / "two"), mode="replace")
    assert policies.search(tiny, "CASCADE-GOLD", "Ozempic", "metformin for 90 days")[0].by == "words"
    assert index.ensure(tiny) == 2 * len(worlds.CLAUSES)
    assert policies.search(tiny, "NORTH-PLUS", "Ozempic", "metformin for 90 days")[0].by == "meaning"


def test_more_patients_leave_the_index_current(tiny: Store, tmp_path: Path) -> None:
    index.ensure(tiny)
    before = current(tiny)
    world = worlds.tiny_world()
    fourth = msgspec.structs.replace(worlds.p001(), id="P004")
    more = worlds.write_world(tmp_path / "more", world._replace(patients=(*world.patients, fourth)))
    load(tiny, more, mode="append")
    index.ensure(tiny)
    assert current(tiny) == before


def test_rebuilding_swaps_and_a_reader_goes_on(tiny: Store) -> None:
    index.ensure(tiny)
    before = current(tiny)
    policies.search(tiny, "CASCADE-GOLD", "Ozempic", ASK)
    assert index.rebuild(tiny) == len(worlds.CLAUSES)
    assert current(tiny) != before
    assert before.is_dir(), "another process may still be reading it"
    assert policies.search(tiny, "CASCADE-GOLD", "Ozempic", ASK)[0].by == "meaning"
    index.rebuild(tiny)
    assert not before.exists()


def test_a_rebuild_that_fails_half_way_leaves_the_index_as_it_was(
    tiny: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.ensure(tiny)
    before = current(tiny)

    def broken(self: object, texts: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(embedding.Embedder, "embed", broken)
        with pytest.raises(MemoryError):
            index.rebuild(tiny)
    assert current(tiny) == before
    assert policies.search(tiny, "CASCADE-GOLD", "Ozempic", ASK)[0].by == "meaning"


@pytest.mark.slow
def test_two_processes_that_build_at_once_leave_one_whole_index(tiny: Store) -> None:
    build = "import sys; from tools.store import Store, index; print(index.rebuild(Store.open(sys.argv[1])))"
    order = [sys.executable, "-c", build, tiny.url]
    both = [subprocess.Popen(order, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.communicate()[0].strip() for one in both] == [str(len(worlds.CLAUSES))] * 2
    assert policies.search(tiny, "CASCADE-GOLD", "Ozempic", ASK)[0].by == "meaning"


def test_without_the_model_the_search_is_by_words(tiny: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    index.ensure(tiny)

    def gone() -> embedding.Embedder:
        raise Unavailable("the embedding model is not installed")

    monkeypatch.setattr(embedding, "bundled", gone)
    assert policies.search(tiny, "CASCADE-GOLD", "Ozempic", ASK)[0].by == "words"


def test_a_model_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"another model")
    with pytest.raises(Unavailable, match=r"model\.onnx is not the one that was pinned"):
        embedding.Embedder(tmp_path / "model.onnx", tmp_path / "tokenizer.json")


def test_every_clause_is_one_chunk_with_what_it_is_found_by(tiny: Store) -> None:
    found = list(chunks(tiny))
    assert [chunk.clause_id for chunk in found] == [clause.id for clause in worlds.CLAUSES]
    assert {(chunk.plan_id, chunk.drug, str(chunk.effective_from)) for chunk in found} == {
        ("CASCADE-GOLD", "Ozempic", "2026-01-01")
    }
    by_id = {chunk.clause_id: chunk for chunk in found}
    # what prints no criterion, verbatim; a criterion, as for any payer
    assert by_id["7.1"].views[0] == f"Appeal process: {worlds.CLAUSES[-1].text}"
    assert by_id["1.3"].views[0] == "Coverage criteria: HbA1c ≥ 7.0 % within 90 days"
    assert any("average blood sugar" in view for view in by_id["1.3"].views[1:])
    assert max(len(chunk.views) for chunk in found) <= index.MOST_VIEWS
