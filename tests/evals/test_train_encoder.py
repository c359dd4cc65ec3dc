"""The examples that the encoder learns from, and that its weights are of the labels that are read."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from agent.answers import relevance
from agent.answers.policy import ranking
from agent.dialogue.query import FORMS, QUERIES
from evals.train_encoder import EXAMPLES, LABELS, read
from tools.language.encoder import fingerprint, head


def test_the_weights_are_of_the_labels_that_are_read() -> None:
    assert {name: head(name).labels for name in LABELS} == LABELS


@pytest.mark.parametrize("weights", [relevance.WEIGHTS, ranking.WEIGHTS], ids=lambda path: path.stem)
def test_what_was_trained_on_its_rows_was_trained_on_these(weights: Path) -> None:
    """After a training of the encoder come `evals.train_relevance --write` and `evals.train_policy --write`."""
    with np.load(weights) as kept:
        assert str(kept["encoder"]) == fingerprint()


def test_every_span_of_an_example_stands_in_its_turn_and_asks_what_is_on_the_list() -> None:
    for path in sorted((EXAMPLES / "questions").glob("q*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for turn in json.loads(line)["turns"]:
                for ask in turn["asks"]:
                    assert ask["span"] in turn["text"], (path.name, ask)
                    assert ask["query"] in (*QUERIES, "context"), (path.name, ask)
                    assert ask["form"] in (*FORMS, ""), (path.name, ask)


def test_no_two_authors_say_the_same_sentence() -> None:
    said: dict[str, str] = {}
    for path in sorted((EXAMPLES / "questions").glob("q*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for turn in json.loads(line)["turns"]:
                text = turn["text"].casefold().strip(" .?!")
                if len(text.split()) > 5:
                    assert said.setdefault(text, path.name) == path.name, text


def test_every_query_has_examples_by_at_least_ten_authors() -> None:
    authors = Counter(
        (mark.labels["query"], example.author)
        for example in read(EXAMPLES)
        for mark in example.spans or ()
        if "query" in mark.labels and example.author != "families"
    )
    for query in LABELS["query"]:
        assert sum(1 for one, _ in authors if one == query) >= 10, query


def test_every_author_is_told_of_in_the_readme() -> None:
    told = (Path(EXAMPLES) / "README.md").read_text(encoding="utf-8")
    for folder in ("questions", "suppositions", "facts", "letters", "notes"):
        for path in (EXAMPLES / folder).glob("*.jsonl"):
            assert f"| {path.stem} |" in told, path.name
