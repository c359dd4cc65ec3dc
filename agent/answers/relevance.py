"""Which passages a turn asks for: a small model over what a passage and a turn share, learned from labelled turns.

    turn, what was said before it, passages → what they share · their sorts · their meanings → likelihood of each

That of a passage is a sum: of what it shares with the turn (words, concepts, meaning), weighed alike for all and by its
sort; of what the turn asks, by its sort; and of how near the meanings of both are in a space that was learned.
`python -m evals.train relevance` makes relevance.npz from evals/examples/facts. It decides what is shown, never what is
so: a passage is told by code from its record or clause.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agent.answers.passages import Passage
from agent.dialogue.turns import Question, Turn, turn_of
from tools.common.errors import Unavailable
from tools.language.encoder import head
from tools.language.stems import stems
from tools.store.embedding import bundled
from tools.terminology.matcher import loose_matches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Row = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("relevance.npz")
SHARED = 18  # things that a passage and a turn share
LEAST = 1e-4  # of a likelihood, before its logarithm


class Pool(NamedTuple):
    """Passages with what is compared of them."""

    keys: tuple[str, ...]
    sorts: tuple[str, ...]
    words: tuple[frozenset[str], ...]  # stems
    weight: dict[str, float]  # of a word: the rarer among the passages, the more
    concepts: tuple[frozenset[str], ...]
    rows: Row  # texts x 384, unit vectors
    starts: tuple[int, ...]  # the first text of each passage


class Weights(NamedTuple):
    """What was learned; `sorts` are the rows of those that are by sort."""

    sorts: tuple[str, ...]
    bias: Row  # sorts
    shared: Row  # SHARED
    shared_by_sort: Row  # sorts x SHARED
    queries: Row  # sorts x 2 queries
    asked: Row  # sorts x 384
    turn: Row  # space x 3 * 384
    passage: Row  # space x 384


def likelihoods(question: Question, pool: Pool) -> list[float]:
    """Of each passage, that a right short answer to the turn states it.

    Raises:
        Unavailable: the encoder or the weights are not installed.
    """
    turn = turn_of(question)
    return weighed(WEIGHTS, turn, shared_of(question, turn, pool), pool)


def weighed(path: Path, turn: Turn, shared: Row, pool: Pool) -> list[float]:
    """The likelihood of each passage of a pool by the weights of a file, from what it shares with the turn.

    Args:
        path: of weights that `evals.training.relevance.PassageLearner` made.
        turn: in numbers.
        shared: passages x what was learned from.
        pool: what is compared.

    Raises:
        Unavailable: the weights are not installed.
    """
    weights = _weights(path)
    place = {sort: at for at, sort in enumerate(weights.sorts)}
    known = np.array([one in place for one in pool.sorts])
    at = [place.get(one, 0) for one in pool.sorts]
    by_sort = weights.bias + weights.queries @ turn.queries + weights.asked @ turn.asked
    near = (pool.rows @ weights.passage.T) @ (weights.turn @ turn.meaning)
    scores = shared @ weights.shared + (shared * weights.shared_by_sort[at]).sum(1) + by_sort[at]
    scores = scores + np.maximum.reduceat(near, pool.starts)
    # what no author ever had before them is not told unasked
    return [float(one) for one in known / (1 + np.exp(-scores))]


def pool_of(found: Sequence[Passage], texts: Sequence[tuple[str, ...]]) -> Pool:
    """What is compared of passages, each of which is told in the first of its texts."""
    return _pool(tuple(one.key for one in found), tuple(one.sort for one in found), tuple(texts))


def comparable(keys: tuple[str, ...], sorts: tuple[str, ...], texts: tuple[tuple[str, ...], ...]) -> Pool:
    """What is compared of things that could be said.

    Args:
        keys: one each.
        sorts: of what sort each is; "answer:" and a query for what tells of that.
        texts: the words in which each is told, the first of them as it would be shown.
    """
    words = tuple(frozenset[str]().union(*map(stems, one)) for one in texts)
    count = Counter(word for one in words for word in one)
    weight = {word: math.log((len(texts) + 1) / (seen + 0.5)) for word, seen in count.items()}
    concepts = tuple(frozenset[str]().union(*map(_concepts, one)) for one in texts)
    rows = np.array([_row(text) for one in texts for text in one])
    starts = (0, *accumulate(len(one) for one in texts[:-1]))
    return Pool(keys, sorts, words, weight, concepts, rows, starts)


_pool = lru_cache(maxsize=32)(comparable)  # the same for every turn about the same chart and policies


@lru_cache(maxsize=8192)  # 12 MB; clauses and what their criteria say are the same for many patients
def _row(text: str) -> Row:
    row: Row = bundled().embed([text])[0]
    return row


def shared_of(question: Question, turn: Turn, pool: Pool) -> Row:
    """Likeness in meaning, words and concepts in common, whether it was shown before, and of whole answers how likely
    their query is asked: passages x SHARED."""
    meaning = np.maximum.reduceat(pool.rows @ turn.alone, pool.starts)
    context = np.maximum.reduceat(pool.rows @ turn.in_context, pool.starts)
    told = (pool.rows @ turn.alone)[[*pool.starts]]
    words, named, before = stems(question.text), _concepts(question.text), _concepts(question.before)
    held = Counter(concept for one in pool.concepts for concept in one)
    rare = {one: math.log((len(pool.sorts) + 1) / seen) / 5 for one, seen in held.items()}
    whole = sum(pool.weight.get(word, 0.0) for word in words) or 1.0
    made = np.zeros((len(pool.sorts), SHARED), np.float32)
    made[:, 0], made[:, 1] = meaning, context
    for at, (own, concepts) in enumerate(zip(pool.words, pool.concepts, strict=True)):
        common = [pool.weight[word] for word in words & own]
        made[at, 2] = sum(common) / whole
        made[at, 3] = max(common, default=0.0) / 5
        made[at, 4] = any(word.isdigit() for word in words & own)
        made[at, 5] = min(len(named & concepts), 2)
        made[at, 6] = max((rare[one] for one in named & concepts), default=0.0)
        made[at, 7] = max((rare[one] for one in before & concepts), default=0.0)
        made[at, 8] = pool.keys[at] in question.shown
    made[:, 9] = meaning - meaning.max()
    made[:, 10] = made[:, 2] - made[:, 2].max()
    made[:, 11] = (meaning - meaning.mean()) / (meaning.std() + 1e-6)
    made[:, 12] = told
    near = np.maximum.reduceat(pool.rows @ turn.parts.T, pool.starts)  # passages x spans
    made[:, 15] = near.max(1)
    made[:, 16] = (near - near.max(0)).max(1)  # 0 of what is the nearest to some span
    made[:, 17] = ((near - near.mean(0)) / (near.std(0) + 1e-6)).max(1)
    labels = head("query").labels
    asked = np.log(np.maximum(turn.queries, LEAST)).reshape(2, -1)
    for at, sort in enumerate(pool.sorts):
        if sort.startswith("answer:"):
            made[at, 13:15] = asked[:, labels.index(sort.removeprefix("answer:"))] / 5 + 1
    return made


def _concepts(text: str) -> frozenset[str]:
    return frozenset(span.concept for span in loose_matches(text))


@cache
def _weights(path: Path = WEIGHTS) -> Weights:
    try:
        with np.load(path) as kept:
            numbers = [kept[name].astype(np.float32) for name in Weights._fields[1:]]
            return Weights(tuple(str(kept["sorts"]).split()), *numbers)
    except (ImportError, OSError, KeyError) as error:
        raise Unavailable(f"the weights of {path.name} cannot be read: {error}") from error
