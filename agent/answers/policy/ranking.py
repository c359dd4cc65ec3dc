"""How likely each clause of a policy answers a question, and that none does: a linear model, learned from questions.

    question, clauses → what they share, what is asked → one score for each clause and one for silence → softmax

`python -m evals.train policy` makes ranking.npz. A clause's score is of what it shares with the question (likeness in
meaning, words, concepts of the terminology), by its kind too, and of the question's embedding for its section, kind and
topic. Silence is scored by what of the question no clause shares. It decides what is shown, never what is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agent.answers.policy.contents import (
    Compared,
    Contents,
    concepts_of,
    concepts_of_use,
    weight_of,
    wider_of,
)
from tools.common.errors import Unavailable
from tools.language.encoder import WIDTH, encode
from tools.language.stems import stems
from tools.store.embedding import bundled
from tools.store.everyday import in_clinical_words
from tools.terminology.matcher import Span, loose_matches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Row = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("ranking.npz")
GROUPS = ("kind", "section", "topic")  # of clauses, by which the question's embedding is weighed
OWN, NONE = 17, 16  # numbers for what a clause shares, and for what none does
_MUCH = 3.0  # the weight of a rare word; brings it near to one
_RARE = 0.6  # from which a word is more than a turn of phrase
_OF_ENCODER = 2.0  # how much the encoder's row counts beside the search's, by sets and authors held out
_NEXT = 5  # the clause beside which the best one is seen


class Question(NamedTuple):
    """What is compared of a question: its words and what it names, without the drug and the payer."""

    text: str
    words: frozenset[str]
    named: dict[Span, frozenset[str]]  # what each span of the text stands for


class Features(NamedTuple):
    """What the model sees."""

    own: Row  # clauses x OWN
    none: Row  # NONE
    asked: Row  # the question's embedding


class Ranking(NamedTuple):
    """How likely each clause, by its id, or a section as a whole answers; that none does; and the words of the question
    for what no clause is about."""

    clauses: dict[str, float]
    none: float
    lacking: tuple[str, ...]
    held: bool  # whether something is named, and clauses are about all of it


def rank(text: str, held: Contents, likeness: Mapping[str, float]) -> Ranking:
    """How likely each clause answers.

    Args:
        text: the question.
        held: the policy.
        likeness: the cosine of the question with the nearest view of each clause, by its id; empty if no index said it.

    Raises:
        Unavailable: the encoder, the embedding model or the weights are not installed.
    """
    question = read(text, held)
    given = features(question, held.compared, nearness(text, held, likeness), words())
    scores = _scores(given, held.compared)
    likely = np.exp(scores - scores.max())
    likely /= likely.sum()
    lacking = tuple(text[span.start : span.end] for span in unheld(question, held.compared))
    clauses = dict(zip(held.keys, map(float, likely[:-1]), strict=True))
    return Ranking(clauses, float(likely[-1]), lacking, bool(question.named) and not lacking)


def read(text: str, held: Contents) -> Question:
    spans = {span: concepts_of([span]) for span in loose_matches(text)}
    named = {span: found for span, found in spans.items() if found and not found & held.own}
    return Question(text, stems(text) - held.names, named)


def unheld(question: Question, compared: tuple[Compared, ...]) -> list[Span]:
    """What is named that no clause is about: neither it, nor what it is a kind of, nor a kind of it."""
    concepts = frozenset[str]().union(*(one.concepts for one in compared))
    every = concepts.union(*(one.wider for one in compared))
    return [span for span, its in question.named.items() if not (its & every or wider_of(its) & concepts)]


def nearness(text: str, held: Contents, likeness: Mapping[str, float]) -> Row:
    """The cosine of the question with the nearest view of each clause, and with the title of each section."""
    asked = bundled().embed([in_clinical_words(text)])[0]
    known = {key: likeness.get(key, 0.0) for key in held.clauses} if likeness else {}
    rest = {key: one.views for key, one in zip(held.keys, held.compared, strict=True) if key not in known}
    rows = _embedded(tuple(rest.values())) @ asked
    ends = np.cumsum([len(views) for views in rest.values()])
    known |= {key: float(part.max()) for key, part in zip(rest, np.split(rows, ends[:-1]), strict=True)}
    return np.array([known[key] for key in held.keys], np.float32)


@lru_cache(maxsize=16)
def _embedded(views: tuple[tuple[str, ...], ...]) -> Row:
    return bundled().embed([text for one in views for text in one])


def features(
    question: Question, compared: tuple[Compared, ...], near: Row, counts: Mapping[str, float]
) -> Features:
    """What each clause shares with the question, and what of it none does.

    Args:
        question: what is asked.
        compared: the clauses.
        near: the cosine of the question with each clause.
        counts: how rare words are in questions, from 0 to 1; one that is not there is as rare as can be.
    """
    rare = {word: counts.get(word, 1.0) for word in question.words}
    weight = weight_of(compared)
    own = _shared(question, compared, near, {word: weight.get(word, 0.0) * rare[word] for word in rare}, rare)
    whole = sum(rare.values()) or 1.0
    strange = [rare[word] for word in rare if word not in weight and not word.isdigit()]
    lacking = unheld(question, compared)
    kept = [span for span in question.named if span not in lacking]

    def share(spans: list[Span]) -> float:
        inside = (stems(question.text[span.start : span.end]) for span in spans)
        return sum(rare.get(word, 0.0) for words in inside for word in words) / whole

    best = np.sort(near)
    none = np.array(
        [
            1, sum(strange) / whole, max(strange, default=0.0), min(sum(one > _RARE for one in strange), 3),
            bool(lacking), bool(kept) and not lacking, bool(lacking) and not kept, share(lacking), share(kept),
            best[-1], own[:, 2].max(), own[:, 4].max(), best[-1] - best[-_NEXT:][0], len(question.words) / 10,
            best[-1] * bool(lacking), own[:, 4].max() * bool(lacking),
        ],
        np.float32,
    )  # fmt: skip
    return Features(own, none, _asked(question.text))


def _shared(
    question: Question,
    compared: tuple[Compared, ...],
    near: Row,
    weight: Mapping[str, float],
    rare: Mapping[str, float],
) -> Row:
    named = frozenset[str]().union(*question.named.values())
    wider = wider_of(named)
    uses = frozenset[str]().union(*(one.uses for one in compared))
    meant = {use for use in uses if named & concepts_of_use(use)}
    of_use = frozenset[str]().union(*(concepts_of_use(use) for use in uses))
    whole, all_rare = sum(weight.values()) or 1.0, sum(rare.values()) or 1.0
    made = np.zeros((len(compared), OWN), np.float32)
    for at, one in enumerate(compared):
        common = question.words & one.words
        made[at, 0] = near[at]
        made[at, 2] = sum(weight[word] for word in common) / whole
        made[at, 3] = max((weight[word] for word in common), default=0.0) / _MUCH
        made[at, 4] = sum(rare[word] for word in common) / all_rare
        made[at, 5] = any(word.isdigit() for word in question.words & one.stated)
        made[at, 6] = min(len((named & one.concepts) - of_use), 2)
        made[at, 7] = bool((wider & one.concepts) - of_use)
        made[at, 8] = bool((named & one.wider) - of_use)
        made[at, 9] = sum(weight[word] for word in question.words & one.stated) / whole
        made[at, 10] = bool(one.concepts) and not (named | wider) & (one.concepts | one.wider)
        made[at, 11] = bool(named & one.concepts & of_use)
        made[at, 12] = bool(meant & one.uses) and len(uses) > 1
        made[at, 13] = bool(meant and one.uses) and not meant & one.uses
    about = made[:, 6:9].sum(1)
    made[:, 1] = near - near.max()
    made[:, 14] = made[:, 2] - made[:, 2].max()
    made[:, 15] = (near - near.mean()) / (near.std() + 1e-6)
    made[:, 16] = about >= max(about.max(), 1)
    return made


@lru_cache(maxsize=64)
def _asked(text: str) -> Row:
    """The question's embedding: the sentence encoder's, which knows what is asked for, and the search's."""
    tokens = encode(text)
    row = tokens.mean(0, len(text)) if tokens.offsets else np.zeros(WIDTH, np.float32)
    unit = _OF_ENCODER * row / (np.linalg.norm(row) or 1.0)
    joined: Row = np.concatenate((unit, bundled().embed([text])[0])).astype(np.float32)
    return joined


def _scores(given: Features, compared: tuple[Compared, ...]) -> Row:
    """A score for each clause, and the last one for none."""
    kept = _kept()
    scores = given.own @ kept["own"]
    for group in GROUPS:
        rows = {key: at for at, key in enumerate(kept[f"{group} keys"].tolist())}
        at = [
            rows.get(getattr(one, group), len(rows)) for one in compared
        ]  # the last row is of keys never seen
        scores += (kept[f"{group} bias"] + kept[f"{group} asked"] @ given.asked)[at]
        if group == "kind":
            scores += (given.own * kept["kind own"][at]).sum(1)
    made: Row = np.append(scores, given.none @ kept["none"] + given.asked @ kept["asked"])
    return made


@cache
def words() -> dict[str, float]:
    """How rare the words of questions are."""
    kept = _kept()
    return dict(zip(kept["words"].tolist(), kept["rare"].tolist(), strict=True))


@cache
def _kept() -> dict[str, Any]:
    """The weights: `own` and `none` of what is shared, `asked` of silence, and of each group its rows."""
    try:
        with np.load(WEIGHTS) as kept:
            return {
                name: row.astype(np.float32) if row.dtype.kind == "f" else row for name, row in kept.items()
            }
    except (ImportError, OSError) as error:
        raise Unavailable(f"the weights of {WEIGHTS.name} cannot be read: {error}") from error
