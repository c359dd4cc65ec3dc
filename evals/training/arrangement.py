"""Trains `agent.answers.arrangement`, which sentences of an answer are wanted, from marked answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from agent.answers.arrangement import ASKED, OWN, USEFUL, WEIGHTS, Line, features, pool_of
from agent.answers.relevance import SHARED
from agent.dialogue.turns import Question, turn_of
from evals.training.examples import authors_of, held_out, lines
from evals.training.relevance import Example, PassageLearner
from evals.training.reports import report, save_stamped

WORTH = (0.0, 0.25, 0.75, 1.0)  # of a mark: clutter, worth knowing, part of the answer, the answer
PART = 0.75
FOLDS = 6
EPOCHS = 16


def train(write: bool) -> None:
    """Score with authors held out; with `write` keep score and weights."""
    examples = list(read())
    report("arrangement", score(examples), write)
    if write:
        save_stamped(WEIGHTS, PassageLearner(examples, SHARED + OWN, epochs=EPOCHS).kept())


def read() -> Iterator[Example]:
    """Every marked answer in numbers."""
    for author, one in lines("lines/*.jsonl"):
        question = Question(one["text"], one["before"])
        turn = turn_of(question)
        shown = [Line(*line) for line in one["lines"]]
        pool = pool_of(shown)
        shared = features(question, turn, pool, shown).astype(np.float16)
        worth = [np.nan if mark is None else WORTH[mark] for mark in one["marks"]]
        yield Example(author, turn, pool, shared, np.array(worth, np.float32))


def score(examples: Sequence[Example]) -> dict[str, Any]:
    """How often the line that stands first is part of the answer, or is it, as it was and as the likeliest does, and
    what is told first, behind and not at all; a sixth of the authors held out at a time."""
    authors = authors_of(examples)
    was: list[float] = []
    now: list[float] = []
    pairs: list[tuple[float, float]] = []  # likelihood and worth of each line
    for seen, unseen in held_out(examples, [set(authors[at::FOLDS]) for at in range(FOLDS)]):
        learner = PassageLearner(seen, SHARED + OWN, epochs=EPOCHS)
        for one in unseen:
            likely = 1 / (1 + np.exp(-learner.scores(one).detach().numpy()))
            if not np.isnan(one.wanted).any():
                was.append(one.wanted[0])
                now.append(one.wanted[likely.argmax()])
            pairs += [pair for pair in zip(likely, one.wanted, strict=True) if not np.isnan(pair[1])]

    def share(holds: Iterable[bool]) -> float:
        return round(float(np.mean([*holds])), 3)

    return {
        "authors": len(authors),
        "answers": len(examples),
        "lines": len(pairs),
        "first line is part of the answer: as it was": share(worth >= PART for worth in was),
        "first line is part of the answer: the likeliest": share(worth >= PART for worth in now),
        "first line is the answer: as it was": share(worth == 1 for worth in was),
        "first line is the answer: the likeliest": share(worth == 1 for worth in now),
        "lines that are part of an answer": share(worth >= PART for _, worth in pairs),
        "of lines told first": share(worth >= PART for likely, worth in pairs if likely >= ASKED),
        "of lines left out": share(worth >= PART for likely, worth in pairs if likely < USEFUL),
        "parts of answers told first": share(likely >= ASKED for likely, worth in pairs if worth >= PART),
        "parts of answers told": share(likely >= USEFUL for likely, worth in pairs if worth >= PART),
    }
