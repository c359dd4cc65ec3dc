"""Which passages a turn asks for: a linear model over what a passage and a turn share, learned from labelled turns.

    turn, what was said before it, passages → features → likelihood of each that a right answer states it

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
from typing import TYPE_CHECKING, NamedTuple, get_args

from agent.answers.passages import Kind, Passage
from tools.common.errors import Unavailable
from tools.language.encoder import encode, head
from tools.language.stems import stems
from tools.store.embedding import bundled
from tools.terminology.matcher import loose_matches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Row = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("relevance.npz")
KINDS: tuple[Kind, ...] = get_args(Kind)


class Question(NamedTuple):
    """What was typed, what was typed before it, and the keys of the passages that were shown then."""

    text: str
    before: str = ""
    shown: frozenset[str] = frozenset()


class Pool(NamedTuple):
    """Passages with what is compared of them."""

    keys: tuple[str, ...]
    kinds: tuple[Kind, ...]
    words: tuple[frozenset[str], ...]  # stems
    weight: dict[str, float]  # of a word: the rarer among the passages, the more
    concepts: tuple[frozenset[str], ...]
    rows: Row  # texts x 384, unit vectors
    starts: tuple[int, ...]  # the first text of each passage


def likelihoods(question: Question, pool: Pool) -> list[float]:
    """Of each passage, that a right short answer to the turn states it.

    Raises:
        Unavailable: the encoder or the weights are not installed.
    """
    import numpy as np

    weights = _weights()
    scores = features(question, pool) @ weights[:-1] + weights[-1]
    return [float(one) for one in 1 / (1 + np.exp(-scores))]


def pool_of(found: Sequence[Passage], texts: Sequence[tuple[str, ...]]) -> Pool:
    """What is compared of passages, each of which is told in the first of its texts."""
    return _pool(tuple(one.key for one in found), tuple(one.kind for one in found), tuple(texts))


@lru_cache(maxsize=32)
def _pool(keys: tuple[str, ...], kinds: tuple[Kind, ...], texts: tuple[tuple[str, ...], ...]) -> Pool:
    """The same for every turn about the same chart and policies."""
    import numpy as np

    words = tuple(frozenset[str]().union(*map(stems, one)) for one in texts)
    count = Counter(word for one in words for word in one)
    weight = {word: math.log((len(texts) + 1) / (seen + 0.5)) for word, seen in count.items()}
    concepts = tuple(frozenset[str]().union(*map(_concepts, one)) for one in texts)
    rows = np.array([_row(text) for one in texts for text in one])
    starts = (0, *accumulate(len(one) for one in texts[:-1]))
    return Pool(keys, kinds, words, weight, concepts, rows, starts)


@lru_cache(maxsize=8192)  # 12 MB; clauses and what their criteria say are the same for many patients
def _row(text: str) -> Row:
    row: Row = bundled().embed([text])[0]
    return row


def features(question: Question, pool: Pool) -> Row:
    """A row for each passage: what it shares with the turn, alone and by its kind; and by its kind, what is asked.

    Returns:
        passages x `len(KINDS) * (1 + own + queries) + own`, where `own` is the number of things shared.
    """
    import numpy as np

    own = _shared(question, pool)
    asked = encode(question.text, question.before)
    queries = head("query").likelihoods(asked.mean(0, len(question.text))) if asked.offsets else np.zeros(0)
    count = own.shape[1]
    wide = 1 + count + len(queries)
    made = np.zeros((len(own), count + len(KINDS) * wide), np.float32)
    made[:, :count] = own
    for at, kind in enumerate(pool.kinds):
        start = count + KINDS.index(kind) * wide
        made[at, start] = 1
        made[at, start + 1 : start + 1 + count] = own[at]
        made[at, start + 1 + count : start + wide] = queries
    return made


def _shared(question: Question, pool: Pool) -> Row:
    """Likeness in meaning, words and concepts in common, and whether it was shown before."""
    import numpy as np

    alone, in_context = bundled().embed([question.text, f"{question.before} {question.text}"])
    meaning = np.maximum.reduceat(pool.rows @ alone, pool.starts)
    context = np.maximum.reduceat(pool.rows @ in_context, pool.starts)
    told = (pool.rows @ alone)[[*pool.starts]]
    words, named, before = stems(question.text), _concepts(question.text), _concepts(question.before)
    held = Counter(concept for one in pool.concepts for concept in one)
    rare = {one: math.log((len(pool.kinds) + 1) / seen) / 5 for one, seen in held.items()}
    whole = sum(pool.weight.get(word, 0.0) for word in words) or 1.0
    made = np.zeros((len(pool.kinds), 13), np.float32)
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
    return made


def _concepts(text: str) -> frozenset[str]:
    return frozenset(span.concept for span in loose_matches(text))


@cache
def _weights() -> Row:
    try:
        import numpy as np

        with np.load(WEIGHTS) as kept:
            weights: Row = kept["weights"].astype(np.float32)
    except (ImportError, OSError) as error:
        raise Unavailable(f"the weights of {WEIGHTS.name} cannot be read: {error}") from error
    return weights
