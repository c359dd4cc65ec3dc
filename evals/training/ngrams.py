"""Trains `tools.language.ngrams` from labelled turns, and chooses how it joins the encoder on authors held out.

The authors are those whom the encoder has not seen either, so neither knows them. The weights that ship are trained on
all. They are the same for the same examples and the same scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from evals.training.encoder import LABELS, read
from evals.training.examples import hashed
from evals.training.reports import held_by_the_encoder, report
from tools.language.encoder import encode, head
from tools.language.ngrams import BUCKETS, WEIGHTS, NGrams, features

SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
HEATS = tuple(round(0.8 + 0.05 * step, 2) for step in range(25))


class Asked(NamedTuple):
    """A span that asks a query, in its turn."""

    author: str
    span: str
    text: str
    before: str
    query: str

    def likely(self) -> Any:
        """What the encoder's head makes of it, by LABELS."""
        start = self.text.find(self.span)
        row = encode(self.text, self.before).mean(start, start + len(self.span))
        return head("query").likelihoods(row)


def train(write: bool) -> None:
    """Score on authors whom the encoder has not seen; with `write` keep score and weights."""
    spans = [
        Asked(one.author, one.text[mark.start : mark.end], one.text, one.before, mark.labels["query"])
        for one in read()
        for mark in one.spans or ()
        if "query" in mark.labels
    ]
    held = held_by_the_encoder()
    unseen = [one for one in spans if one.author in held]
    scored, share, heat = _chosen(_fitted([one for one in spans if one.author not in held]), unseen)
    report("ngrams", {"held": sorted(held), **scored}, write)
    if write:
        _save(_fitted(spans), share, heat)


def _chosen(model: NGrams, unseen: Sequence[Asked]) -> tuple[dict[str, Any], float, float]:
    """Shares right, and the share and heat under which what was asked is likeliest."""
    truth = np.array([model.labels.index(one.query) for one in unseen])
    of_encoder = np.array([one.likely() for one in unseen])
    own = np.array([model.likelihoods(one.span, one.text, one.before) for one in unseen])
    found = []
    for share in SHARES:
        logs = np.log(np.maximum(of_encoder, 1e-6)) + share * np.log(np.maximum(own, 1e-6))
        for heat in HEATS:
            shares = np.exp(logs / heat - (logs / heat).max(1, keepdims=True))
            likely = (shares / shares.sum(1, keepdims=True))[np.arange(len(truth)), truth]
            found.append((-float(np.log(np.maximum(likely, 1e-9)).mean()), share, heat))
    _, share, heat = min(found)
    logs = np.log(np.maximum(of_encoder, 1e-6)) + share * np.log(np.maximum(own, 1e-6))
    right = {
        "encoder": of_encoder.argmax(1) == truth,
        "n-grams": own.argmax(1) == truth,
        "both": logs.argmax(1) == truth,
    }
    authors = np.array([one.author for one in unseen])
    return {
        "spans": len(unseen),
        **{name: round(float(hits.mean()), 3) for name, hits in right.items()},
        "both, by author": {
            str(author): round(float(right["both"][authors == author].mean()), 3) for author in np.unique(authors)
        },
        "share": share,
        "heat": heat,
    }, share, heat  # fmt: skip


def _fitted(spans: Sequence[Asked]) -> NGrams:
    from sklearn.linear_model import SGDClassifier

    columns, found = zip(*(features(one.span, one.text, one.before) for one in spans), strict=True)
    values = np.array([value for row in found for value in row], np.float32)
    model = SGDClassifier(loss="log_loss", alpha=3e-6, max_iter=25, tol=None, random_state=1)
    model.fit(hashed(columns, BUCKETS, values), [one.query for one in spans])
    labels = LABELS["query"]
    weights = np.zeros((BUCKETS, len(labels)), np.float32)
    offset = np.full(len(labels), -9.0, np.float32)  # of what nobody asked
    for at, name in enumerate(model.classes_):
        weights[:, labels.index(name)] = model.coef_[at]
        offset[labels.index(name)] = model.intercept_[at]
    return NGrams(weights, offset, labels, 1.0, 1.0)


def _save(model: NGrams, share: float, heat: float) -> None:
    """Weights in eight bits, each label with a scale of its own."""
    scale = np.maximum(np.abs(model.weights).max(0), 1e-6) / 127
    np.savez_compressed(
        WEIGHTS, weights=np.round(model.weights / scale).astype(np.int8), scale=scale.astype(np.float32),
        offset=model.offset, labels=np.array(" ".join(model.labels)), share=np.float32(share), heat=np.float32(heat),
    )  # fmt: skip
