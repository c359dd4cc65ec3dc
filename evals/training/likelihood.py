"""Trains `tools.language.likelihood`, what the words around a mention tell of how it is meant, from labelled sentences.

Weights are the same for the same examples and the same scikit-learn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from evals.training.examples import authors_of, hashed, held_out, lines, mentions
from evals.training.reports import report
from tools.language.assertion import assertion
from tools.language.likelihood import BUCKETS, SENSES, WEIGHTS, WHO, About, features

CUES = {  # how the senses of cues are called in the examples
    "negated": "absent", "never": "absent", "void": "void", "ended": "past", "allergy": "reaction",
    "response": "past", "planned": "planned", "current": "present",
}  # fmt: skip


FIELDS = ("sense", "who")  # of an example, that are learned


class Example(NamedTuple):
    """A mention, how its author means it, and what the model sees of it."""

    author: str
    sense: str
    who: str
    by_cues: tuple[str, str]
    rows: tuple[int, ...]


def train(write: bool) -> None:
    """Score with each author held out; with `write` keep score and weights."""
    examples = list(read())
    report("likelihood", score(examples), write)
    if write:
        np.savez_compressed(WEIGHTS, sense=_rows(examples, "sense", SENSES), who=_rows(examples, "who", WHO))


def read() -> Iterator[Example]:
    """Every mention of every author."""
    for author, row in lines("notes/*.jsonl"):
        text = row["text"]
        for start, end, mention in mentions(row):
            about: About = mention["about"]
            meant = assertion(text, start, end, thing=about == "drug")
            cues = CUES[meant.sense], "patient" if meant.subject == "self" else meant.subject
            rows = tuple(crc32(one.encode()) % BUCKETS for one in features(text, start, end, about))
            yield Example(author, mention["sense"], mention["who"], cues, rows)


def score(examples: Sequence[Example]) -> dict[str, Any]:
    """Shares right where each author in turn is left out of the training, beside those of the cues alone."""
    right: Counter[str] = Counter()
    for seen, unseen in held_out(examples):
        for field in FIELDS:
            told = _fitted(seen, field).predict(_matrix(unseen))
            right[field] += sum(getattr(one, field) == said for one, said in zip(unseen, told, strict=True))
    scored: dict[str, Any] = {"authors": len(authors_of(examples)), "mentions": len(examples)}
    for at, field in enumerate(FIELDS):
        by_cues = sum(getattr(one, field) == one.by_cues[at] for one in examples)
        scored[f"{field}, author held out"] = round(right[field] / len(examples), 3)
        scored[f"{field}, by cues alone"] = round(by_cues / len(examples), 3)
    return scored


def _rows(examples: Sequence[Example], field: str, classes: Sequence[str]) -> Any:
    """A row for each bucket and the bias, a column for each class."""
    model = _fitted(examples, field)
    columns = [list(model.classes_).index(name) for name in classes]
    weights = np.vstack([model.coef_.T, model.intercept_])[:, columns]
    weights[np.abs(weights) < 0.01] = 0  # most, and no answer hangs on them
    return np.ascontiguousarray(weights.astype(np.float16))  # as the reader takes it, row by row


def _fitted(examples: Sequence[Example], field: str) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=200, tol=1e-3)
    return model.fit(_matrix(examples), [getattr(example, field) for example in examples])


def _matrix(examples: Sequence[Example]) -> Any:
    return hashed([example.rows for example in examples], BUCKETS)
