"""Trains `agent.answers.relevance`, which records, criteria, clauses and answers a turn asks for, from labelled turns.

Weights are the same for the same examples, chart wordings and PyTorch.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.answers.focus import MOST, MOST_DRUGS
from agent.answers.passages import passages, texts
from agent.answers.relevance import SHARED, WEIGHTS, Pool, Weights, pool_of, shared_of
from agent.dialogue.turns import Question, Turn, turn_of
from evals.stores import fresh_store
from evals.training.examples import authors_of, held_out, lines
from evals.training.learner import BATCH, SEED, Learner
from evals.training.reports import held_by_the_encoder, report, save_stamped
from tools.queries.bound import Bound
from tools.store import Store

SPACE = 64  # numbers in which the meaning of a turn and of a passage are compared
EPOCHS = 12
LIKELY = 0.5  # from which the first passage is counted as surely the one
# Authors who labelled before whole answers could be told: of those nothing is known for their turns.
WITHOUT_ANSWERS = frozenset(f"f{number:02}" for number in range(1, 10))


class Labelled(NamedTuple):
    """A turn, everything that could be said, and which of it its author wants stated; NaN where not known."""

    author: str
    question: Question
    pool: Pool
    wanted: NDArray[np.float32]


class Example(NamedTuple):
    """A labelled turn in numbers, with what its passages share with it."""

    author: str
    turn: Turn
    pool: Pool
    shared: NDArray[np.float16]
    wanted: NDArray[np.float32]


def train(write: bool) -> None:
    """Score with authors held out; with `write` keep score and weights."""
    with fresh_store() as store:
        examples = list(read(store))
    report("relevance", score(examples), write)
    if write:
        save_stamped(WEIGHTS, PassageLearner(examples).kept())


def read(store: Store) -> Iterator[Example]:
    """Every turn of every author in numbers."""
    for author, question, pool, wanted in labelled(store):
        turn = turn_of(question)
        yield Example(author, turn, pool, shared_of(question, turn, pool).astype(np.float16), wanted)


def labelled(store: Store) -> Iterator[Labelled]:
    """Every turn of every author, against everything that could be said of its patient and drugs."""
    pools: dict[tuple[str, ...], Pool] = {}  # of a patient and drugs: many authors ask about the same
    for author, talk in lines("facts/f*.jsonl"):
        bound = Bound(store, talk["patient"])
        before = Question("")
        for said in talk["turns"]:
            drugs = _drugs(said, bound)
            if (key := (talk["patient"], *drugs)) not in pools:
                everything = passages(bound, drugs)
                pools[key] = pool_of(everything, texts(everything, bound))
            pool = pools[key]
            question = Question(said["text"], before.text, before.shown)
            wanted = np.array([_is_one_of(key, said["facts"]) for key in pool.keys], np.float32)
            if author in WITHOUT_ANSWERS:
                wanted[[key.startswith("A:") for key in pool.keys]] = np.nan
            yield Labelled(author, question, pool, wanted)
            shown = frozenset(key for key, one in zip(pool.keys, wanted, strict=True) if one == 1)
            before = Question(said["text"], "", shown)


def _drugs(said: dict[str, Any], bound: Bound) -> list[str]:
    """The drugs whose policies are looked through: of the turn, or else what is ordered; and those that it names."""
    names = [said["drug"]] if said["drug"] else [order.drug for order in bound.patient.orders][:1]
    named = [name for name in bound.plan.benefits if name.casefold() in said["text"].casefold()]
    return [name for name in dict.fromkeys((*names, *named)) if name in bound.plan.benefits][:MOST_DRUGS]


def _is_one_of(key: str, facts: Sequence[str]) -> bool:
    """A measured value may stand in several records."""
    own = {key} if key[:2] in ("P:", "F:", "A:") else set(key.split(","))
    return any(own & ({fact} | set(fact.split(","))) for fact in facts)


def nearest(torch: Any, near: Any, pool: Pool) -> Any:
    """Of each passage the likeness of its likest text."""
    ends = (*pool.starts[1:], len(near))
    owner = torch.repeat_interleave(torch.tensor([b - a for a, b in zip(pool.starts, ends, strict=True)]))
    return torch.full((len(pool.starts),), -1e9).scatter_reduce(0, owner, near, "amax")


def lost(torch: Any, scores: Any, wanted: NDArray[np.float32]) -> Any:
    """Of each passage by itself, and half as much which of them it is."""
    known = torch.tensor(~np.isnan(wanted))
    scores, right = scores[known], torch.tensor(wanted)[known]
    alone = torch.nn.functional.binary_cross_entropy_with_logits(scores, right, reduction="sum")
    if not right.any():
        return alone
    return alone - 0.5 * (torch.log_softmax(scores, 0) * right).sum() / right.sum()


class PassageLearner(Learner):
    """The weights by which passages, or sentences of an answer, are wanted, fitted to the examples."""

    STEEPEST = 5.0

    def __init__(self, examples: Sequence[Example], columns: int = SHARED, epochs: int = EPOCHS) -> None:
        super().__init__(len(examples), epochs)
        torch = self.torch
        self.random, self.examples = random.Random(SEED), list(examples)
        self.sorts = tuple(sorted({sort for one in examples for sort in one.pool.sorts}))
        self.place = {sort: at for at, sort in enumerate(self.sorts)}
        count, queries, width = len(self.sorts), len(examples[0].turn.queries), len(examples[0].turn.asked)

        def zeros(*shape: int) -> Any:
            return torch.zeros(*shape, requires_grad=True)

        self.bias = torch.full((count,), -3.0, requires_grad=True)
        self.shared, self.shared_by_sort = zeros(columns), zeros(count, columns)
        self.queries, self.asked = zeros(count, queries), zeros(count, width)
        self.turn = (torch.randn(SPACE, 3 * width) * 0.01).requires_grad_()
        self.passage = (torch.randn(SPACE, width) * 0.03).requires_grad_()
        self.fit(
            drawn=[self.turn, self.passage, self.asked, self.queries],
            free=[self.bias, self.shared, self.shared_by_sort],
        )

    def losses(self) -> Iterator[Any]:
        self.random.shuffle(self.examples)
        for at in range(0, len(self.examples), BATCH):
            batch = self.examples[at : at + BATCH]
            yield sum(lost(self.torch, self.scores(one, 0.2), one.wanted) for one in batch) / len(batch)

    def scores(self, one: Example, dropout: float = 0.0) -> Any:
        """As `relevance.likelihoods` has them, before they are likelihoods."""
        torch = self.torch

        def dropped(values: Any) -> Any:
            return torch.nn.functional.dropout(values, dropout, training=dropout > 0)

        shared = torch.tensor(one.shared.astype(np.float32))
        at = torch.tensor([self.place[sort] for sort in one.pool.sorts])
        meaning, asked = torch.tensor(one.turn.meaning), torch.tensor(one.turn.asked)
        by_sort = self.bias + self.queries @ torch.tensor(one.turn.queries) + self.asked @ dropped(asked)
        near = dropped(torch.tensor(one.pool.rows) @ self.passage.T) @ dropped(self.turn @ meaning)
        return (
            shared @ self.shared
            + (shared * self.shared_by_sort[at]).sum(1)
            + by_sort[at]
            + nearest(torch, near, one.pool)
        )

    def kept(self) -> dict[str, Any]:
        """The weights as they are kept."""
        return {"sorts": np.array(" ".join(self.sorts)), **self.arrays(Weights._fields[1:])}


def score(examples: Sequence[Example]) -> dict[str, Any]:
    """How often the first passage is right, and one of the first three, of authors that neither has seen."""
    first = three = whole = count = sure = sure_right = 0
    ((seen, unseen),) = held_out(examples, [held_by_the_encoder()])
    learner = PassageLearner(seen)
    for example in unseen:
        scores = learner.scores(example).detach().numpy()
        wanted = example.wanted == 1
        scores[np.isnan(example.wanted)] = -np.inf
        order = (-scores).argsort()
        if 1 / (1 + np.exp(-scores[order[0]])) >= LIKELY:
            sure += 1
            sure_right += bool(wanted[order[0]])
        if wanted.any():
            count += 1
            first += bool(wanted[order[0]])
            three += bool(wanted[order[:3]].any())
            whole += bool(wanted.sum() == wanted[order[:MOST]].sum())
    return {
        "authors": len(authors_of(examples)),
        "turns": len(examples),
        "turns with a passage": count,
        "first is right": round(first / count, 3),
        "one of the first three is right": round(three / count, 3),
        f"all are among the first {MOST}": round(whole / count, 3),
        "turns with a likely first": sure,
        "of them right": round(sure_right / max(1, sure), 3),
    }
