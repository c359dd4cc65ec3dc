"""Trains the head of `agent.dialogue.hypotheses`: in which role a thing stands in a turn that supposes something.

It is learned by itself on the rows of the encoder that is written, so that a new role takes a minute and not a day.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from agent.dialogue.hypotheses import LIKELY_ROLE, ROLES
from evals.training.encoder import suppositions
from evals.training.examples import held_out
from evals.training.reports import report, save_stamped
from tools.language.encoder import encode


class Example(NamedTuple):
    """A thing in a turn: the mean row of its words, and its kind and role."""

    author: str
    row: Any
    role: str


def train(write: bool) -> None:
    """Score on each author held out; with `write` keep score and weights."""
    examples = [
        Example(one.author, encode(one.text).mean(mark.start, mark.end), mark.labels["role"])
        for one in suppositions()
        for mark in one.marks
    ]
    right, kept = {}, Counter[bool]()  # of those that are likely enough to suppose something, which are right
    for learned, held in held_out(examples):
        guesses, likely = _guessed(_fitted(learned), held)
        hits = [guess == one.role for guess, one in zip(guesses, held, strict=True)]
        right[held[0].author] = round(float(np.mean(hits)), 3)
        supposes = [
            sure >= LIKELY_ROLE and not guess.endswith(":mentioned")
            for guess, sure in zip(guesses, likely, strict=True)
        ]
        kept.update(hit for hit, told in zip(hits, supposes, strict=True) if told)
    supposed = {"right": kept[True], "wrong": kept[False], "from a likelihood of": LIKELY_ROLE}
    report(
        "roles", {"things": len(examples), "right, by author held out": right, "supposed": supposed}, write
    )
    if write:
        model = _fitted(examples)
        save_stamped(
            ROLES,
            {
                "role.weights": model.coef_.T.astype(np.float16),
                "role.offset": model.intercept_.astype(np.float32),
                "role.heat": np.float32(1.0),
                "role.labels": np.array(" ".join(model.classes_)),
            },
        )


def _fitted(examples: list[Example]) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.1, max_iter=500, tol=1e-4)
    return model.fit(np.array([one.row for one in examples]), [one.role for one in examples])


def _guessed(model: Any, examples: list[Example]) -> tuple[list[str], list[float]]:
    """The likeliest role of each thing, of those of its kind, and how likely it is."""
    kinds = [str(label).partition(":")[0] for label in model.classes_]
    likely = model.predict_proba(np.array([one.row for one in examples]))
    own = np.where([[kind == one.role.partition(":")[0] for kind in kinds] for one in examples], likely, 0.0)
    return [str(model.classes_[at]) for at in own.argmax(1)], [float(share) for share in own.max(1)]
