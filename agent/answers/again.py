"""What was said, said again: in its shortest form, or with what it rests on."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from agent.answers import chart
from agent.answers.answer import Answer, Said
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.queries.bound import Bound

Again = Callable[[Ask], Answer]
MOST_SOURCES = 6


def _of_the_chart(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """What the chart holds of the things that are named, where nothing was said before that could be traced."""
    queries: list[tuple[Query, bool]] = [
        ("value_age", bool(ask.tests)), ("medication", bool(ask.medicines)), ("allergy", bool(ask.medicines)),
        ("diagnosis", bool(ask.conditions)),
    ]  # fmt: skip
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=ask.drugs)
    for query, named in queries:
        if named:
            told = chart.answer(msgspec.structs.replace(ask, query=query), bound, ledger)
            reply.said += told.said
            reply.sources += told.sources
    return reply


def rephrase(ask: Ask, before: tuple[Ask, ...], again: Again, ledger: Ledger) -> Answer:
    """The first sentence of each of the last answers."""
    reply = Answer(intent=ask.intent, ledger=ledger)
    for one in before:
        told = again(one)
        reply.said += told.said[:1]
        reply.drugs = reply.drugs or told.drugs
        reply.determinations += told.determinations
    if not reply.said:
        reply.general = True
        reply.said = [Said(text="Nothing was said yet that could be said again.", verbatim=True)]
    return reply


def sources(ask: Ask, before: tuple[Ask, ...], again: Again, bound: Bound, ledger: Ledger) -> Answer:
    """The records and clauses that the last answer rests on, each with its words."""
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=ask.drugs)
    for one in before:
        told = again(one)
        reply.drugs = reply.drugs or told.drugs
        reply.sources += [source for source in told.sources if source not in reply.sources]
    if not reply.sources and (ask.medicines or ask.tests or ask.conditions):
        return _of_the_chart(ask, bound, ledger)
    if not reply.sources:
        reply.general = True
        reply.said = [Said(text="Nothing was said yet that rests on a record or a clause.", verbatim=True)]
        return reply
    reply.said = [Said(text="It rests on:", verbatim=True)]
    for source in reply.sources[:MOST_SOURCES]:
        where = ledger.add(
            "code", source.source, origin="determination", attribute="source", source=source.source
        )
        quote = ledger.add(
            "quote", source.quote, origin="determination", attribute="source", source=source.source
        )
        author = _author(source.source.removeprefix("chart "), bound)
        by = (
            f", by {ledger.add('words', author, origin='chart', attribute='author', source=source.source)}"
            if author
            else ""
        )
        reply.said.append(Said(text=f"{where}{by}: “{quote}”", verbatim=True, bullet=True))
    return reply


def _author(record_id: str, bound: Bound) -> str:
    """Who stated or wrote a record of the chart, where that is kept."""
    by = {one.id: one.by for one in bound.patient.attestations}
    return (by | {one.id: one.author for one in bound.patient.notes}).get(record_id, "")
