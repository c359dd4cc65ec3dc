"""Trains `agent.answers.relevance`, which records and clauses a turn asks for, from labelled turns.

Weights are the same for the same examples, chart wordings and scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.answers.passages import passages, texts
from agent.answers.relevance import WEIGHTS, Question, features, pool_of
from evals.stores import fresh_store
from evals.training.examples import authors_of, held_out, lines
from evals.training.linear import regression
from evals.training.reports import report, save_stamped
from tools.queries.bound import Bound
from tools.store import Store

LIKELY = 0.5  # from which the first passage is counted as surely the one


class Example(NamedTuple):
    """A turn: what the model sees of each passage, and which of them its author wants stated."""

    author: str
    rows: Any  # sparse, passages x features
    wanted: NDArray[np.bool_]


def train(write: bool) -> None:
    """Score with each author held out; with `write` keep score and weights."""
    with fresh_store() as store:
        examples = list(read(store))
    report("relevance", score(examples), write)
    if write:
        save(examples)


def read(store: Store) -> Iterator[Example]:
    """Every turn of every author, against everything that could be said of its patient and drugs."""
    from scipy.sparse import csr_matrix

    for author, talk in lines("facts/f*.jsonl"):
        bound = Bound(store, talk["patient"])
        before = Question("")
        for said in talk["turns"]:
            everything = passages(bound, _drugs(said, bound))
            pool = pool_of(everything, texts(everything, bound))
            question = Question(said["text"], before.text, before.shown)
            wanted = [_is_one_of(key, said["facts"]) for key in pool.keys]
            yield Example(author, csr_matrix(features(question, pool)), np.array(wanted, bool))
            shown = frozenset(key for key, one in zip(pool.keys, wanted, strict=True) if one)
            before = Question(said["text"], "", shown)


def _drugs(said: dict[str, Any], bound: Bound) -> list[str]:
    """The drugs whose policies are looked through: of the turn, or else what is ordered."""
    names = [said["drug"]] if said["drug"] else [order.drug for order in bound.patient.orders][:1]
    return [name for name in names if name in bound.plan.benefits]


def _is_one_of(key: str, facts: Sequence[str]) -> bool:
    """A measured value may stand in several records."""
    own = set(key.split(",")) if key[:2] not in ("P:", "F:") else {key}
    return any(own & ({fact} | set(fact.split(","))) for fact in facts)


def score(examples: Sequence[Example]) -> dict[str, Any]:
    """How often the first passage is right, and one of the first three, where each author in turn is left out."""
    first = three = count = sure = sure_right = 0
    for seen, unseen in held_out(examples):
        model = _fitted(seen)
        for example in unseen:
            likely = model.predict_proba(example.rows)[:, 1]
            order = (-likely).argsort()
            if likely[order[0]] >= LIKELY:
                sure += 1
                sure_right += bool(example.wanted[order[0]])
            if example.wanted.any():
                count += 1
                first += bool(example.wanted[order[0]])
                three += bool(example.wanted[order[:3]].any())
    return {
        "authors": len(authors_of(examples)),
        "turns": len(examples),
        "turns with a passage": count,
        "first is right": round(first / count, 3),
        "one of the first three is right": round(three / count, 3),
        "turns with a likely first": sure,
        "of them right": round(sure_right / max(1, sure), 3),
    }


def save(examples: Sequence[Example]) -> None:
    """The weights, the bias last."""
    model = _fitted(examples)
    save_stamped(WEIGHTS, {"weights": np.append(model.coef_[0], model.intercept_).astype(np.float16)})


def _fitted(examples: Sequence[Example]) -> Any:
    from scipy.sparse import vstack

    rows, wanted = vstack([one.rows for one in examples]), np.concatenate([one.wanted for one in examples])
    return regression(rows, wanted, strength=10.0, rounds=400, close=1e-5)
