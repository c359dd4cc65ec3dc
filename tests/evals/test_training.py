"""The examples from which the weights are made, the weights as they lie here, and the door that makes them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from typer.testing import CliRunner

from agent.answers import arrangement, relevance
from agent.answers.policy import ranking
from agent.dialogue import hypotheses, linking
from agent.dialogue.query import FORMS, QUERIES
from evals import train
from evals.training import encoder, reports
from evals.training.encoder import KEPT, LABELS, Example, read
from evals.training.examples import FOLDER, held_out, lines
from tools.denials import encoded
from tools.denials.learned import WEIGHTS as LETTERS
from tools.language import encoder as reader
from tools.language.encoder import fingerprint, head


class Sentence(NamedTuple):
    author: str
    text: str


def test_an_author_who_is_held_out_teaches_nothing() -> None:
    examples = [Sentence("a", "one"), Sentence("b", "two"), Sentence("c", "three"), Sentence("a", "four")]
    for learned, unseen in held_out(examples):
        assert {one.author for one in learned}.isdisjoint({one.author for one in unseen})
        assert sorted([*learned, *unseen]) == sorted(examples)
    assert [[one.text for one in unseen] for _, unseen in held_out(examples, ["ab", "c"])] == [
        ["one", "two", "four"],
        ["three"],
    ]


def test_the_plan_names_every_file_of_weights_and_which_were_trained_on_another_encoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = CliRunner().invoke(train.app, []).output
    for name, weights in train.WEIGHTS.items():
        assert weights.file.is_file() and f"{weights.file.relative_to(train.ROOT)}" in told, name
        assert weights.follows in ("", *train.WEIGHTS)
    assert "train them again" not in told
    monkeypatch.setattr(train.reader, "fingerprint", lambda: "of other weights")
    assert CliRunner().invoke(train.app, []).output.count("train them again") == 7


def test_training_without_its_libraries_names_them_and_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(train, "LIBRARIES", ("no_such_library",))
    done = CliRunner().invoke(train.app, ["likelihood"])
    assert done.exit_code == 3
    assert "no_such_library" in done.stderr and "--group train" in done.stderr


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return [*read()]


@pytest.mark.slow
def test_an_author_who_wrote_nothing_cannot_be_held_out(
    examples: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "LIBRARIES", ())
    monkeypatch.setattr(encoder, "read", lambda: examples)
    done = CliRunner().invoke(train.app, ["encoder", "--held", "q03,nobody"])
    assert done.exit_code == 2
    assert "nobody" in done.stderr and "q03" not in done.stderr


def test_stamped_weights_say_on_which_encoder_they_were_trained(tmp_path: Path) -> None:
    reports.save_stamped(tmp_path / "weights.npz", {"weights": np.ones(3)})
    assert reports.stamp(tmp_path / "weights.npz") == fingerprint()
    np.savez_compressed(tmp_path / "others.npz", weights=np.ones(3))
    assert reports.stamp(tmp_path / "others.npz") == ""


def test_the_weights_are_of_the_labels_that_are_read() -> None:
    assert {name: head(name).labels for name in KEPT} == {name: LABELS[name] for name in KEPT}


@pytest.mark.parametrize(
    ("weights", "rests_on"),
    [
        (relevance.WEIGHTS, reader),
        (arrangement.WEIGHTS, reader),
        (ranking.WEIGHTS, reader),
        (linking.WEIGHTS, reader),
        (hypotheses.ROLES, reader),
        (LETTERS, encoded),
    ],
    ids=["relevance", "arrangement", "policy", "linking", "roles", "letters"],
)
def test_what_was_trained_on_an_encoder_was_trained_on_the_one_that_is_here(
    weights: Path, rests_on: Any
) -> None:
    """After `evals.train encoder --write` come those that rest on it, and after `letter-kinds` comes `letters`."""
    assert reports.stamp(weights) == rests_on.fingerprint()


def test_every_span_of_an_example_stands_in_its_turn_and_asks_what_is_on_the_list() -> None:
    for author, talk in (*lines("questions/[qtw]*.jsonl"), *lines("facts/f*.jsonl")):
        for turn in talk["turns"]:
            for ask in turn.get("asks", ()):
                assert ask["span"] in turn["text"], (author, ask)
                assert ask["query"] in (*QUERIES, "context"), (author, ask)
                assert ask["form"] in (*FORMS, ""), (author, ask)


def test_no_two_authors_say_the_same_sentence() -> None:
    said: dict[str, str] = {}
    for author, talk in lines("questions/q*.jsonl"):
        for turn in talk["turns"]:
            text = turn["text"].casefold().strip(" .?!")
            if len(text.split()) > 5:
                assert said.setdefault(text, author) == author, text


def test_every_query_has_examples_by_at_least_ten_authors(examples: list[Example]) -> None:
    authors = Counter(
        (mark.labels["query"], example.author)
        for example in examples
        for mark in example.spans or ()
        if "query" in mark.labels and example.author != "families"
    )
    for query in LABELS["query"]:
        assert sum(1 for one, _ in authors if one == query) >= 10, query


def test_every_author_is_told_of_in_the_readme() -> None:
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    for folder in ("questions", "suppositions", "facts", "letters", "notes"):
        for path in (FOLDER / folder).glob("*.jsonl"):
            assert f"| {path.stem} |" in told, path.name
