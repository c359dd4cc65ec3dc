"""What was said, said again: in its shortest form, or with what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from agent.answers import chart
from agent.answers.answer import Answer, plain
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.queries.bound import Bound

Again = Callable[[Ask], Answer]
MOST_SOURCES = 6


def _of_the_chart(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """What the chart holds of the things that are named, where nothing was said before that could be traced."""
    queries: tuple[tuple[Query, tuple[str, ...]], ...] = (
        ("value_age", ask.tests), ("medication", ask.medicines), ("allergy", ask.medicines),
        ("diagnosis", ask.conditions),
    )  # fmt: skip
    reply = Answer(ledger=ledger, drugs=ask.drugs)
    for query in (query for query, named in queries if named):
        told = chart.answer(replace(ask, query=query), bound, ledger)
        reply.said += told.said
        reply.sources += told.sources
    return reply


def rephrase(ask: Ask, before: tuple[Ask, ...], again: Again, ledger: Ledger) -> Answer:
    """The first sentence of each of the last answers; a message whole, to whom and in what language this ask wants."""
    reply = Answer(ledger=ledger)
    for one in before:
        told = again(replace(one, text=ask.text) if one.query == "message" else one)
        reply.said += told.said if told.closing else told.said[:1]
        reply.closing += told.closing
        reply.drugs = reply.drugs or told.drugs
        reply.determinations += told.determinations
    if not reply.said:
        reply.general, reply.said = True, plain("Nothing was said yet that could be said again.")
    return reply


def sources(ask: Ask, before: tuple[Ask, ...], again: Again, bound: Bound, ledger: Ledger) -> Answer:
    """The records and clauses that the last answer rests on, each with its words."""
    reply = Answer(ledger=ledger, drugs=ask.drugs)
    for told in map(again, before):
        reply.drugs = reply.drugs or told.drugs
        reply.cite(told.sources)
    if not reply.sources and ask.names_something:
        return _of_the_chart(ask, bound, ledger)
    if not reply.sources:
        reply.general, reply.said = True, plain("Nothing was said yet that rests on a record or a clause.")
        return reply
    reply.said = plain("It rests on:")
    authors = {one.id: one.by for one in bound.patient.attestations}
    authors |= {one.id: one.author for one in bound.patient.notes}
    for source in reply.sources[:MOST_SOURCES]:
        add = partial(ledger.add, source=source.source)
        where = add("code", source.source, origin="determination", attribute="source")
        quote = add("quote", source.quote, origin="determination", attribute="source")
        author = authors.get(source.source.removeprefix("chart "), "")
        by = f", by {add('words', author, origin='chart', attribute='author')}" if author else ""
        reply.say(f"{where}{by}: “{quote}”", verbatim=True, bullet=True)
    return reply
