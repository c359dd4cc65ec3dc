"""Trains `tools.language.likelihood`, what the words around a mention tell of how it is meant, from labelled sentences.

Weights are the same for the same examples and the same scikit-learn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from evals.training.examples import authors_of, held_out, lines
from evals.training.linear import hashed, regression
from evals.training.reports import report
from tools.language.assertion import assertion
from tools.language.likelihood import BUCKETS, SENSES, WEIGHTS, WHO, About, features

CUES = {  # how the senses of cues are called in the examples
    "negated": "absent", "never": "absent", "void": "void", "ended": "past", "allergy": "reaction",
    "response": "past", "planned": "planned", "current": "present",
}  # fmt: skip


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
        save(examples)


def read() -> Iterator[Example]:
    """Every mention of every author; the second of two alike in one sentence is the second there."""
    for author, row in lines("notes/*.jsonl"):
        seen = Counter[str]()
        for mention in row["mentions"]:
            start = -1
            for _ in range(seen[mention["thing"]] + 1):
                start = row["text"].find(mention["thing"], start + 1)
            seen[mention["thing"]] += 1
            if start >= 0:
                yield _example(author, row["text"], start, mention)


def _example(author: str, text: str, start: int, mention: dict[str, str]) -> Example:
    end, about = start + len(mention["thing"]), mention["about"]
    meant = assertion(text, start, end, thing=about == "drug")
    subject = {"self": "patient"}.get(meant.subject, meant.subject)
    kind: About = about  # type: ignore[assignment]
    rows = tuple(crc32(feature.encode()) % BUCKETS for feature in features(text, start, end, kind))
    return Example(author, mention["sense"], mention["who"], (CUES[meant.sense], subject), rows)


def score(examples: Sequence[Example]) -> dict[str, Any]:
    """Shares right where each author in turn is left out of the training, beside those of the cues alone."""
    right: Counter[str] = Counter()
    for seen, unseen in held_out(examples):
        for field in ("sense", "who"):
            told = _fitted(seen, field).predict(_matrix(unseen))
            right[field] += sum(getattr(one, field) == said for one, said in zip(unseen, told, strict=True))
    count = len(examples)
    return {
        "authors": len(authors_of(examples)),
        "mentions": count,
        "sense, author held out": round(right["sense"] / count, 3),
        "sense, by cues alone": round(sum(one.sense == one.by_cues[0] for one in examples) / count, 3),
        "who, author held out": round(right["who"] / count, 3),
        "who, by cues alone": round(sum(one.who == one.by_cues[1] for one in examples) / count, 3),
    }


def save(examples: Sequence[Example]) -> None:
    """The weights of both models."""
    np.savez_compressed(WEIGHTS, sense=_rows(examples, "sense", SENSES), who=_rows(examples, "who", WHO))


def _rows(examples: Sequence[Example], field: str, classes: Sequence[str]) -> Any:
    """A row for each bucket and the bias, a column for each class."""
    model = _fitted(examples, field)
    columns = [list(model.classes_).index(name) for name in classes]
    weights = np.vstack([model.coef_.T, model.intercept_])[:, columns]
    weights[np.abs(weights) < 0.01] = 0  # most, and no answer hangs on them
    return np.ascontiguousarray(weights.astype(np.float16))  # as the reader takes it, row by row


def _fitted(examples: Sequence[Example], field: str) -> Any:
    labels = [getattr(example, field) for example in examples]
    return regression(_matrix(examples), labels, strength=1.0, rounds=200, close=1e-3)


def _matrix(examples: Sequence[Example]) -> Any:
    return hashed([example.rows for example in examples], BUCKETS)
