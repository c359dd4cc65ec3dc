"""What is said where nothing is looked up: greetings, help, what is out of place, and questions back."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from agent.answers import refusals
from agent.answers.answer import Answer, Said, plain
from agent.answers.wording import drug_slot, joined, plan_slot
from agent.dialogue.known import Known
from agent.dialogue.query import REFUSED, WANTS, Ask, Query, Reading
from agent.ledger import Ledger
from tools.common.errors import nearest
from tools.domain.records import Patient
from tools.queries.bound import Bound

MOST_NEAR = 3
_NO_DRUG: frozenset[Query] = frozenset(("smalltalk", "help", "off_topic"))
CAN = (
    "whether a drug would go through on this plan, and what is missing",
    "why each criterion stands as it does, with the policy's clause",
    "what if something changes: a new result, more days on a drug",
    "what the policy, the plan and the chart say: steps, copay, limits, dates, results",
    "which covered drugs the patient meets today",
    "a draft of the form and the letter for your review",
    "where a request or an appeal stands, and what is due",
    "what worked for similar patients",
)


def answer(
    ask: Ask, bound: Bound | None, ledger: Ledger, reading: Reading, known: Known | None = None
) -> Answer:
    """A short and kind word, or one question back with what is `offered`. `known` gives the names that are near an
    unknown one before a patient is bound."""
    if ask.query in REFUSED:
        return refusals.answer(ask, bound, ledger)
    reply = Answer(ledger=ledger, drugs=ask.drugs)
    if not ask.drugs and ask.query not in _NO_DRUG and (reading.strangers or reading.candidates):
        if reading.strangers:
            _stranger(reply, reading.strangers[0], Known.of(bound.store) if bound is not None else known)
        else:
            reply.said = plain(f"Which one do you mean: {_drugs(reading.candidates, ledger, 'or')}?")
            reply.offered = reading.candidates
        return reply
    match ask.query:
        case "smalltalk":
            reply.said = plain(f"Glad to help. {_invite(bound)}")
        case "help":
            last = "I give no medical advice, submit nothing, and speak of no other patient here."
            lines = [Said(text=line, verbatim=True, bullet=True) for line in CAN]
            reply.said = [*plain("I can tell you:"), *lines, *plain(last if bound else _invite(bound))]
        case "panel":
            add = partial(ledger.add, "words", origin="derived", attribute="command", source="pa")
            whole, count = add("pa screen"), add("pa graph")
            other = f"{whole} goes through a whole panel, {count} counts over it"
            reply.said = plain(f"This conversation is about one patient; {other}.")
        case "no_draft":
            reply.said = plain("Nothing was drafted or sent, and nothing will be until you ask for it.")
        case "off_topic":
            outside = "That is outside what I can help with; I know prior authorization of diabetes and obesity drugs."
            reply.said = plain(outside, _invite(bound))
        case "patient" if bound is not None:
            reply.said = _bound_to(bound.patient, ledger)
        case _:
            _unclear(reply, reading, bound)
    return reply


def _stranger(reply: Answer, word: str, known: Known | None) -> None:
    """A word that stands where a drug would and is none of ours, with what is near."""
    ledger = reply.ledger
    strange = f"I do not know a drug {_named(word, ledger)}"
    spelt = {**{one: one for one in known.names}, **known.brands} if known is not None else {}
    reply.offered = tuple(dict.fromkeys(spelt[one] for one in nearest(word, spelt, MOST_NEAR)))
    if reply.offered:
        reply.said = plain(f"{strange}. Do you mean {_drugs(reply.offered, ledger, 'or')}?")
    elif known is not None:
        reply.said = plain(
            f"{strange}, so I can say nothing about it.", f"I know {_drugs(known.names, ledger)}."
        )
    else:
        reply.said = plain(f"{strange}.")


def _drugs(names: Iterable[str], ledger: Ledger, last: str = "and") -> str:
    return joined([drug_slot(ledger, one) for one in names], last)


def _named(stranger: str, ledger: Ledger) -> str:
    return ledger.add("words", stranger, origin="request", attribute="stranger", source="question")


def _invite(bound: Bound | None) -> str:
    if bound is None:
        return "Which patient is it about? Give a name, a birth date, a member id or a patient id."
    return "Ask me whether a drug would go through, what is missing, or what the policy says."


def _bound_to(patient: Patient, ledger: Ledger) -> list[Said]:
    add = partial(ledger.add, origin="chart", source="patient")
    name, code = _name(patient, ledger), add("code", patient.id, attribute="patient")
    born = f", born {add('date', patient.birth_date, attribute='birth')}" if patient.birth_date else ""
    return plain(
        f"This conversation is about {name} ({code}){born}.",
        "For another patient begin a new conversation: `/patient` with the id.",
    )


def _name(patient: Patient, ledger: Ledger) -> str:
    return ledger.add(
        "name", patient.name or patient.id, origin="chart", attribute="patient", source="patient"
    )


def _unclear(reply: Answer, reading: Reading, bound: Bound | None) -> None:
    """What was not understood, with the two likeliest readings to choose from."""
    reply.lost, unsure = True, "I am not sure what you mean"
    if not reading.asks[0].text.strip():
        reply.said = plain(f"I got no question. {_invite(bound)}")
    elif reading.readings:
        first, second = (WANTS[query] for query in reading.readings)
        reply.said = plain(f"{unsure}: 1. {first}, or 2. {second}?")
        reply.offered = reading.readings
    else:
        reply.said = plain(f"{unsure}. {_invite(bound)}")


def otherwise(query: Query, ledger: Ledger) -> Answer:
    """The other reading of a question that was answered as the likelier one."""
    said = plain(f"If you meant {WANTS[query]}, say yes.")
    return Answer(said=said, ledger=ledger, offered=(query,), lost=True)


def whom(patient: Patient, ledger: Ledger) -> Answer:
    """Whom the answers are about, where a turn may have meant somebody else."""
    text = f"This conversation is about {_name(patient, ledger)} alone, and so is what follows."
    return Answer(said=plain(text), ledger=ledger)


def strange_plan(name: str, ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """That a plan which is named is none of ours, and which are."""
    strange = f"I do not know a plan {_named(name, ledger)}, so I can say nothing about it."
    known = joined([plan_slot(ledger, plan) for plan in bound.store.plans()])
    return Answer(said=plain(strange, f"I know {known}."), ledger=ledger, drugs=ask.drugs)


def too_long(ledger: Ledger) -> Answer:
    """A text that is more than is read at once."""
    text = "That is more than I can read at once. Please ask it in a sentence or two."
    return Answer(said=plain(text), ledger=ledger)
