"""What was tried by patients like this one, and how it went: counts with their N, of synthetic charts, and no advice.

The graph counts (tools/graph/pathways.py); nobody but the patient of the conversation is asked about by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agent.answers.answer import Answer, plain
from agent.answers.wording import upper
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.common.errors import PaladinError
from tools.graph.asking import Asked
from tools.graph.pathways import Circle, Pathways, Tried, pathways
from tools.queries.bound import Bound

MOST = 4  # medicines
NO_ADVICE = (
    "These are counts from synthetic charts: they say what was tried, not what would work here; which drug to take is"
    " the clinician's question."
)


def answer(ask: Ask, bound: Bound, ledger: Ledger, panel: Callable[[], Asked] | None) -> Answer:
    """Who is alike and how many they are, then each medicine with how it went; one that was named comes first."""
    reply = Answer(ledger=ledger)
    if panel is None:
        reply.said, reply.lost = plain(_elsewhere(bound, ledger)), True
        return reply
    try:
        found = pathways(panel(), bound.patient.id)
    except PaladinError as error:  # it is stale, away, or nobody can be called alike
        line = ledger.add("words", f"{upper(str(error))}.", origin="derived", source="graph")
        reply.said, reply.lost = plain(line), True
        return reply
    named = [bound.store.drug(name).name for name in ask.drugs]
    told = sorted(found.tried, key=lambda one: one.medicine not in named)[: max(MOST, len(named))]
    reply.say(_who(found, ledger), verbatim=True)
    lines = [_of(one, ledger) for one in told]
    lines += [_unseen(name, ledger) for name in named if name not in {one.medicine for one in told}]
    for line in lines:
        reply.say(line, verbatim=True, bullet=bool(told))
    if not told:
        reply.say("Too few of them took anything after that to say how it went.", verbatim=True)
    reply.say(NO_ADVICE, verbatim=True)
    reply.drugs = tuple(name for name in named if name in bound.plan.benefits)
    return reply


def _who(found: Pathways, ledger: Ledger) -> str:
    circle = found.circles[found.circle]
    if circle.n is None:
        return f"Fewer than {_few(ledger)} patients are alike ({_how(circle)}), too few to tell of."
    count = _count(ledger, circle.n, "patients alike")
    after = ", after that," if circle.same_start and found.taken else ""
    return f"Among {count} synthetic patients alike ({_how(circle)}),{after} these were begun:"


def _how(circle: Circle) -> str:
    conditions = "the same conditions" if circle.same_conditions else "the same main condition"
    payer = "the same payer" if circle.same_payer else "any payer"
    start = "the same first medicines" if circle.same_start else "whatever they took"
    return f"{conditions}, {payer}, {start}"


def _of(one: Tried, ledger: Ledger) -> str:
    medicine = ledger.add("drug", one.medicine, origin="derived", source="graph")
    line = f"{medicine}: begun by {_count(ledger, one.n, one.medicine)}"
    parts = (
        (one.effective, "with a full response"),
        (one.partial, "a partial one"),
        (one.inadequate, "an inadequate one"),
        (one.intolerance, "intolerance"),
    )
    shown = [f"{_count(ledger, n, f'{one.medicine} {what}')} {what}" for n, what in parts if n]
    line += f"; {', '.join(shown)}" if shown else ""
    if one.share is not None and one.interval is not None and one.recorded:
        low, high = one.interval
        share = ledger.add(
            "words", f"{one.share:.0%} (95 % interval {low:.0%} to {high:.0%})", origin="derived", source="graph",
            formula="full responses among recorded ones, Wilson",
        )  # fmt: skip
        recorded = _count(ledger, one.recorded, f"{one.medicine} recorded")
        return f"{line}. A full response in {share} of the {recorded} whose response is recorded."
    return f"{line}. Too few responses are recorded, or too few people had one of them, for a share."


def _unseen(name: str, ledger: Ledger) -> str:
    medicine = ledger.add("drug", name, origin="derived", source="graph")
    return f"{medicine}: begun by none of them, or by fewer than {_few(ledger)}."


def _few(ledger: Ledger) -> str:
    formula = "cells below it are hidden"
    return ledger.add("count", 5, origin="derived", attribute="patients alike", formula=formula)


def _count(ledger: Ledger, n: int, of: str) -> str:
    add = partial(ledger.add, origin="derived", source="graph", formula="counted in the graph")
    return add("count", n, shown=f"{n:,}", attribute=of)


def _elsewhere(bound: Bound, ledger: Ledger) -> str:
    command = ledger.add("words", f"pa graph pathways {bound.patient.id}", origin="derived", source="graph")
    return f"What patients alike tried is counted in the graph of the panel, not at hand here: {command} tells it."
