"""Trains the head of `agent.dialogue.hypotheses`: in which role a thing stands in a turn that supposes something.

It is learned by itself on the rows of the encoder that is written, so that a new role takes a minute and not a day.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from agent.dialogue.hypotheses import ROLES
from evals.training.encoder import suppositions
from evals.training.examples import held_out
from evals.training.linear import regression
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
    right = {}
    for learned, held in held_out(examples):
        guesses = _guessed(_fitted(learned), held)
        hits = [guess == one.role for guess, one in zip(guesses, held, strict=True)]
        right[held[0].author] = round(float(np.mean(hits)), 3)
    report("roles", {"things": len(examples), "right, by author held out": right}, write)
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
    rows, roles = np.array([one.row for one in examples]), [one.role for one in examples]
    return regression(rows, roles, strength=0.1, rounds=500, close=1e-4)


def _guessed(model: Any, examples: list[Example]) -> list[str]:
    """The likeliest role of each thing, of those of its kind."""
    kinds = [str(label).partition(":")[0] for label in model.classes_]
    scores = model.decision_function(np.array([one.row for one in examples]))
    own = [[kind == one.role.partition(":")[0] for kind in kinds] for one in examples]
    return [str(model.classes_[at]) for at in np.where(own, scores, -np.inf).argmax(1)]
