"""What of the chart and the policies a turn asks for and its answer leaves out, told behind or instead of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent.answers import relevance
from agent.answers.answer import Answer, Said
from agent.answers.chart.page import Page, capitalised
from agent.answers.passages import WHERE, Kind, Passage, passages, texts
from agent.answers.relevance import Question
from agent.dialogue.query import Ask, Intent
from agent.ledger import Ledger
from tools.queries.bound import Bound

LIKELY = 0.5  # that a right answer states it, from which a passage is told
LIKELY_INSTEAD = 0.35  # the same where a passage stands for a general answer, which tells less
MOST = 3
MOST_DRUGS = 2
_BARE: frozenset[Kind] = frozenset(
    ("diagnosis", "course", "fill", "order", "allergy", "relative", "document", "statement", "authorization")
)  # kinds whose words do not say what kind of thing it is
_TOLD_BY: dict[Intent, tuple[Kind, ...]] = {  # what an answer of the kind has looked through itself
    "policy": ("clause",), "eligibility": ("finding",), "missing": ("finding",), "what_if": ("finding",),
}  # fmt: skip
_TELLING = ("value", "quote", "date")  # kinds of facts by which a passage is known to have been told
_INTENTS: frozenset[Intent] = frozenset(
    ("eligibility", "missing", "why", "what_if", "policy", "chart", "dates", "cases", "unclear")
)


class Focus(NamedTuple):
    """The answers with what they left out, and the keys of the passages that the turn asks for."""

    answers: list[Answer]
    shown: tuple[str, ...] = ()


def with_passages(
    question: Question, asks: Sequence[Ask], answers: Sequence[Answer], bound: Bound, ledger: Ledger
) -> Focus:
    """The answers, and the likeliest passages that they do not tell; those stand for an answer that is general.

    Args:
        question: what was typed now and before.
        asks: what is answered of it.
        answers: the answers, one for each.
        bound: the chart and the plan that they are about.
        ledger: the facts of the answers, to which those of the passages are added.
    """
    if not any(ask.intent in _INTENTS for ask in asks) or not question.text.strip():
        return Focus([*answers])
    found = passages(bound, _drugs(asks, answers, bound))
    left_out = {kind for one in answers if not one.general for kind in _TOLD_BY.get(one.intent, ())}
    found = [one for one in found if one.kind not in left_out]
    likely = relevance.likelihoods(question, relevance.pool_of(found, texts(found, bound)))
    ranked = sorted(zip(likely, found, strict=True), key=lambda one: -one[0])
    general = all(one.general or one.offered for one in answers)
    wanted = [
        passage
        for likelihood, passage in ranked[:MOST]
        if likelihood >= (LIKELY_INSTEAD if general else LIKELY)
    ]
    if not wanted:
        return Focus([*answers])
    particular = [one for one in answers if not (one.general or one.offered)]
    reply = _told(wanted, _facts(particular, ledger), bound, ledger)
    if reply.said:
        lead = "Also relevant:" if particular else "Relevant here:"
        reply.said.insert(0, Said(text=lead, verbatim=True))
        particular.append(reply)
    asked_back = [one for one in answers if one.offered]
    return Focus([*particular, *asked_back], tuple(one.key for one in wanted))


def _told(wanted: Sequence[Passage], said: frozenset[str], bound: Bound, ledger: Ledger) -> Answer:
    """Those of the passages that were not said, a line each."""
    reply = Answer(intent="chart", ledger=ledger)
    page = Page(Ask(query="summary"), bound, ledger, reply)
    for passage in wanted:
        text = passage.tell(page)
        if not _is_told(text, said, ledger):
            lead = f"{capitalised(WHERE[passage.kind])}: " if passage.kind in _BARE else ""
            page.say(f"{lead}{text}", bullet=True)
    return reply


def _drugs(asks: Sequence[Ask], answers: Sequence[Answer], bound: Bound) -> list[str]:
    """The drugs that the talk is about, or else the one that is ordered."""
    named = [drug for answer in answers for drug in answer.drugs] + [
        drug for ask in asks for drug in ask.drugs
    ]
    ordered = [order.drug for order in bound.patient.orders][:1]
    return [drug for drug in dict.fromkeys(named or ordered) if drug in bound.plan.benefits][:MOST_DRUGS]


def _facts(answers: Sequence[Answer], ledger: Ledger) -> frozenset[str]:
    return frozenset(fact.id for one in answers for line in one.said for fact in ledger.used(line.text))


def _is_told(text: str, said: frozenset[str], ledger: Ledger) -> bool:
    """Whether the answers hold what is particular to a passage: its values, quotes and dates."""
    own = ledger.used(text)
    telling = {fact.id for fact in own if fact.kind in _TELLING} or {fact.id for fact in own}
    return telling <= said
