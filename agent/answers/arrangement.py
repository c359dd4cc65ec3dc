"""Which sentences of an answer a turn asks for: those first, what else is worth knowing behind, the rest left out.

    turn, sentences that code made → how likely a specialist wants each → the same sentences, arranged

Learned from sentences of earlier answers that were marked (`evals/examples/lines`); `python -m evals.train arrangement`
makes arrangement.npz. It decides what is shown and in which order, never what is so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, takewhile
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec.structs import replace

from agent.answers import relevance
from agent.answers.answer import Answer, Said, begun_plainly
from agent.answers.relevance import LEAST
from agent.dialogue.query import DECISIONS, Query
from agent.dialogue.turns import Question, Turn, turn_of
from agent.ledger import Ledger
from tools.language.encoder import head

if TYPE_CHECKING:
    from agent.answers.relevance import Pool, Row

WEIGHTS = Path(__file__).with_name("arrangement.npz")
OWN = 8  # things known of a line beside what it shares with the turn
ASKED = 0.4  # likelihood, from which a line is part of the answer
USEFUL = 0.12  # the same, from which it is told behind it
TOGETHER = 0.4  # that a turn asks for it, from which that two drugs do not go together is the answer
SURE = 0.5  # likelihood of a query, from which something is told of it before the rest
# A draft, and what may say of a supposition only what it would bear on: each begins with what it is.
_WHOLE: frozenset[Query] = frozenset(("draft", "draft_appeal", "what_if", "news"))
_BEHIND = Said(text="Also relevant:", verbatim=True)


class Line(NamedTuple):
    """A sentence as it is shown, and the query to which it is an answer."""

    text: str
    query: Query
    first: bool  # of the answer to its query
    bullet: bool


class _Block(NamedTuple):
    """A sentence with what leans on it and the list that it introduces, and how likely it is asked for."""

    said: list[Said]
    likelihood: float


def arranged(question: Question, answers: Sequence[Answer], ledger: Ledger) -> list[Answer]:
    """The answers of a turn with the sentence first that it asks for most; what is refused, supposed, asked back or to
    be pasted stays as it is, and a refusal or a supposition comes before all, but for what must be known beforehand.

    Args:
        question: what was typed now and before.
        answers: in any order.
        ledger: the facts of their sentences.

    Raises:
        Unavailable: the encoder or the weights are not installed.
    """
    said = [one for answer in answers for one in answer.said if one.ahead]
    for answer in answers:
        answer.said = [one for one in answer.said if not one.ahead]
    lines = _lines(answers, ledger)
    likely = iter(likelihoods(question, lines) if len(lines) > 1 else [1.0])
    message = any(answer.closing for answer in answers)
    blocks = [(answer, [*_blocks(answer, likely)]) for answer in answers]
    pairs = sorted(blocks, key=lambda pair: _rank(pair[0], pair[1], message))
    best = max((one for _, own in pairs for one in own), key=attrgetter("likelihood"), default=None)
    behind: list[_Block] = []
    for answer, own in pairs:
        asked, rest = _parted(answer, own, best)
        if not _keeps_its_place(answer):
            asked.sort(key=lambda one: one is not best)
        answer.said = [*said, *chain.from_iterable(one.said for one in asked)]
        said, behind = [], [*behind, *rest]
    _once([answer for answer, _ in pairs if not _keeps_its_place(answer)], ledger)
    told_before = [one for answer, _ in pairs for one in answer.said]
    for answer in answers:
        _begin_plainly(answer)
    useful = _adding(
        told_before,
        [one for block in behind if block.likelihood >= USEFUL for one in _as_items(block)],
        ledger,
    )
    last = Answer(ledger=ledger, said=[_BEHIND, *useful] if useful else [])
    told = [answer for answer, _ in pairs]
    closing = [one for answer in answers for one in answer.closing]
    end = next((at for at, one in enumerate(told) if one.lost or one.offered), len(told))
    return [*told[:end], Answer(ledger=ledger, said=closing), *told[end:], last]


def _begin_plainly(answer: Answer) -> None:
    """Puts yes or no before the sentence that an answer to such a question begins with, if it tells how one criterion
    stands."""
    at = next((at for at, one in enumerate(answer.said) if not one.ahead), None)
    if at is None or _keeps_its_place(answer):
        return
    answer.said[at] = begun_plainly(answer.said[at], answer.yes)


def _parted(
    answer: Answer, blocks: Sequence[_Block], best: _Block | None
) -> tuple[list[_Block], list[_Block]]:
    """What is asked for, and the rest: of an answer to what is surely asked at least its likeliest sentence."""
    to_a_query = answer.query != "unclear" and answer.sure >= SURE
    likeliest = max(blocks, key=attrgetter("likelihood"), default=None) if to_a_query else None

    def is_part(block: _Block) -> bool:
        return block.likelihood >= ASKED or block is likeliest or block is best

    return [one for one in blocks if is_part(one)], [one for one in blocks if not is_part(one)]


def asks_for(question: Question, apart: Answer, others: Sequence[Answer], ledger: Ledger) -> bool:
    """Whether a turn asks for what is said of two drugs together, beside other answers.

    Args:
        question: what was typed now and before.
        apart: of one sentence or none.
        others: the answers to what was understood.
        ledger: the facts of their sentences.
    """
    return bool(apart.said) and likelihoods(question, _lines([*others, apart], ledger))[-1] >= TOGETHER


def _lines(answers: Sequence[Answer], ledger: Ledger) -> list[Line]:
    return [
        Line(ledger.render(one.text), answer.query, at == 0, one.bullet)
        for answer in answers
        for at, one in enumerate(answer.said)
    ]


def _keeps_its_place(answer: Answer) -> bool:
    whole = answer.hypothetical or answer.refused or answer.lost or bool(answer.offered)
    return whole or bool(answer.closing) or answer.query in _WHOLE


def _rank(answer: Answer, blocks: Sequence[_Block], message: bool) -> tuple[int, float]:
    """What is surely refused or supposed first, what asks back last, the others by what is likeliest in them; decisions
    before a message, and facts in it."""
    place = 0 if answer.surely_refused or answer.hypothetical else 4 if answer.lost or answer.offered else 1
    if message and place == 1:
        place = 2 if answer.closing else 1 if answer.query in DECISIONS else 3
    return place, -max((one.likelihood for one in blocks), default=0.0)


def _blocks(answer: Answer, likely: Iterator[float]) -> Iterator[_Block]:
    """Sentences with what stands behind each; their likelihood is the mean of the first one's and the highest."""
    said: list[Said] = []
    scores: list[float] = []
    for one in answer.said:
        if said and not (one.bullet or one.leans):
            yield _Block(said, (scores[0] + max(scores)) / 2)
            said, scores = [], []
        said.append(one)
        scores.append(max(next(likely), ASKED if _keeps_its_place(answer) else 0.0))
    if said:
        yield _Block(said, (scores[0] + max(scores)) / 2)


def _as_items(block: _Block) -> list[Said]:
    """Behind the answer: items of one list, each with what leans on it."""
    items: list[Said] = []
    for one in block.said:
        text = f"{items.pop().text} {one.text}" if one.leans and items else one.text
        items.append(replace(one, text=text, bullet=True))
    return items


def _once(answers: Sequence[Answer], ledger: Ledger) -> None:
    """Takes out of each answer the sentences that one before it has, and items of lists that tell the same facts; what
    introduces a list goes with the last of it."""
    said, facts = set[str](), list[set[tuple[str, str]]]()
    for answer in answers:
        texts = [ledger.render(one.text) for one in answer.said]
        own = [_facts(one, ledger) for one in answer.said]
        again = [
            text in said or (one.bullet and len(of) > 1 and of in facts)
            for one, text, of in zip(answer.said, texts, own, strict=True)
        ]
        for at, text in enumerate(texts):
            behind = zip(answer.said[at + 1 :], again[at + 1 :], strict=True)
            items = [told for _, told in takewhile(lambda pair: pair[0].bullet, behind)]
            again[at] = all(items) if items and text.endswith(":") else again[at]
        said |= {*texts}
        facts += own
        answer.said = [one for one, told in zip(answer.said, again, strict=True) if not told]


def _adding(told: Iterable[Said], behind: Iterable[Said], ledger: Ledger) -> list[Said]:
    """Of what is told behind an answer, what holds a fact that was not told yet, or none at all."""
    known = {fact for one in told for fact in _facts(one, ledger)}
    kept: list[Said] = []
    for one in behind:
        own = _facts(one, ledger)
        if not own or own - known:
            kept.append(one)
            known |= own
    return kept


def _facts(said: Said, ledger: Ledger) -> set[tuple[str, str]]:
    """What a sentence tells of whatever source: kinds of facts, and how each is shown."""
    return {(fact.kind, fact.shown) for fact in ledger.used(said.text)}


def likelihoods(question: Question, lines: Sequence[Line]) -> list[float]:
    """Of each line, that who asked wants to read it.

    Raises:
        Unavailable: the encoder or the weights are not installed.
    """
    turn = turn_of(question)
    pool = pool_of(lines)
    return relevance.weighed(WEIGHTS, turn, features(question, turn, pool, lines), pool)


def pool_of(lines: Sequence[Line]) -> Pool:
    """Lines with what is compared of them."""
    return relevance.comparable(
        tuple(map(str, range(len(lines)))),
        tuple("first" if one.first else "bullet" if one.bullet else "more" for one in lines),
        tuple((one.text,) for one in lines),
    )


def features(question: Question, turn: Turn, pool: Pool, lines: Sequence[Line]) -> Row:
    """What a line shares with the turn, how likely its query is asked, where it stands, and how like it is to those
    before it: lines x (18 + 8)."""
    asked = np.log(np.maximum(turn.queries, LEAST)).reshape(2, -1) / 5 + 1
    by_query = dict(zip(head("query").labels, asked.T.tolist(), strict=True))
    alike = np.tril(pool.rows @ pool.rows.T, -1).max(1)
    own = [
        (
            *by_query.get(one.query, (0.0, 0.0)),  # of what is told beside the answers
            one.first,
            one.bullet,
            not at,
            min(at, 10) / 10,
            min(len(one.text), 400) / 400,
            alike[at],
        )
        for at, one in enumerate(lines)
    ]
    return np.concatenate((relevance.shared_of(question, turn, pool), np.array(own, np.float32)), 1)
