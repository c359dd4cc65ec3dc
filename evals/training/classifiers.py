"""Trains `agent.dialogue.classifiers` from labelled questions and turns.

Weights are the same for the same examples, the same encoder and the same scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from agent.dialogue.classifiers import Classifier
from evals.training.examples import authors_of, hashed, held_out, lines
from evals.training.reports import report, save_stamped
from tools.language.encoder import encode
from tools.language.ngrams import BUCKETS, features

FOLDS = 10  # of authors, each left out in turn


class Weighing(NamedTuple):
    """How much the encoder's numbers count beside words, and how little large weights are punished."""

    row: float
    loose: float


class Example(NamedTuple):
    """A question or a turn in numbers, and its label."""

    author: str
    columns: list[int]
    values: list[float]
    row: Any
    label: str


def train(classifier: Classifier, weighing: Weighing, write: bool) -> None:
    """Score with authors held out by tenths; with `write` keep score and weights."""
    examples = read(classifier)
    report(classifier.name, score(classifier, examples, weighing), write)
    if not write:
        return
    model = _fitted(examples, weighing)
    order = [list(model.classes_).index(label) for label in classifier.labels]
    weights = model.coef_[order].T
    grams, rows = weights[:BUCKETS], weights[BUCKETS:] * weighing.row
    scale = np.maximum(np.abs(grams).max(0), 1e-6) / 127
    save_stamped(classifier.path, {
        "grams": np.round(grams / scale).astype(np.int8), "scale": scale.astype(np.float32),
        "rows": rows.astype(np.float16), "offset": model.intercept_[order].astype(np.float32),
    })  # fmt: skip


def read(classifier: Classifier) -> list[Example]:
    """Every labelled line; one without a span is of its whole turn."""
    made = []
    for _, one in lines(f"{classifier.name}/*.jsonl"):
        text, before = one["text"], one["before"]
        span = one.get("span", text)
        start = max(0, text.find(span))
        row = encode(text, before).mean(start, start + len(span))
        made.append(Example(one["author"], *features(span, text, before), row, one["label"]))
    return made


def score(classifier: Classifier, examples: Sequence[Example], weighing: Weighing) -> dict[str, Any]:
    """Of authors that were not seen: the share right, and how right it is of what it tells."""
    authors, labels = authors_of(examples), np.array(classifier.labels)
    truth: list[str] = []
    told: list[Any] = []
    for seen, unseen in held_out(examples, [authors[at::FOLDS] for at in range(FOLDS)]):
        model = _fitted(seen, weighing)
        likely = np.zeros((len(unseen), len(labels)))  # of what nobody among those seen wrote
        likely[:, [classifier.labels.index(one) for one in model.classes_]] = model.predict_proba(
            _matrix(unseen, weighing)
        )
        told.append(likely)
        truth += [one.label for one in unseen]
    shares, right = np.concatenate(told), np.array(truth)
    best = labels[shares.argmax(1)]
    sure = (shares.max(1) >= classifier.sure) & (best != "")
    some = 1 - shares[:, 0] >= classifier.sure
    return {
        "authors": len(authors),
        "examples": len(right),
        "right": round(float((best == right).mean()), 3),
        "with a label": int((right != "").sum()),
        "of them told": round(float((sure & (best == right))[right != ""].mean()), 3),
        "told": int(sure.sum()),
        "of them right": round(float((best == right)[sure].mean()), 3),
        "of them another": round(float((sure & (right != "") & (best != right)).sum() / sure.sum()), 3),
        "surely with some label": int(some.sum()),
        "of them with one": round(float((right != "")[some].mean()), 3),
    }  # fmt: skip


def _fitted(examples: Sequence[Example], weighing: Weighing) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=weighing.loose, max_iter=400)
    return model.fit(_matrix(examples, weighing), [one.label for one in examples])


def _matrix(examples: Sequence[Example], weighing: Weighing) -> Any:
    from scipy.sparse import csr_matrix, hstack

    values = np.array([value for one in examples for value in one.values], np.float32)
    grams = hashed([one.columns for one in examples], BUCKETS, values)
    return hstack([grams, csr_matrix(np.array([one.row for one in examples]) * weighing.row)]).tocsr()
