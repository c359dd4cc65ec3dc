"""What is said where nothing is looked up: greetings, help, what is out of place, and questions back."""

from __future__ import annotations

from agent.answers import refusals
from agent.answers.answer import Answer, Said
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
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=tuple(ask.drugs))
    if ask.query in REFUSED:
        return refusals.answer(ask, bound, ledger)
    if reading.strangers and not ask.drugs and ask.query not in _NO_DRUG:
        return _stranger(reply, reading, Known.of(bound.store) if bound is not None else known)
    if reading.candidates and not ask.drugs and ask.query not in _NO_DRUG:
        return _ambiguous(reply, reading)
    if ask.query == "smalltalk":
        _say(reply, f"Glad to help. {_invite(bound)}")
    elif ask.query == "help":
        _help(reply, bound)
    elif ask.query == "panel":
        _panel(reply)
    elif ask.query == "no_draft":
        _say(reply, "Nothing was drafted or sent, and nothing will be until you ask for it.")
    elif ask.query == "off_topic":
        _say(
            reply,
            "That is outside what I can help with; I know prior authorization of diabetes and obesity drugs.",
        )
        _say(reply, _invite(bound))
    elif ask.query == "patient" and bound is not None:
        _bound_to(reply, bound)
    else:
        _unclear(reply, reading, bound)
    return reply


def _stranger(reply: Answer, reading: Reading, known: Known | None) -> Answer:
    """A word that stands where a drug would and is none of ours, with what is near."""
    ledger, word = reply.ledger, reading.strangers[0]
    name = ledger.add("words", word, origin="request", attribute="stranger", source="question")
    near: list[str] = []
    if known is not None:
        spelt = {**{one: one for one in known.names}, **known.brands}
        near = list(dict.fromkeys(spelt[one] for one in nearest(word, spelt, MOST_NEAR)))
    if near:
        offered = [drug_slot(ledger, one) for one in near]
        _say(reply, f"I do not know a drug {name}. Do you mean {joined(offered, 'or')}?")
        reply.offered = tuple(near)
    elif known is not None:
        _say(reply, f"I do not know a drug {name}, so I can say nothing about it.")
        _say(reply, f"I know {joined([drug_slot(ledger, one) for one in known.names])}.")
    else:
        _say(reply, f"I do not know a drug {name}.")
    return reply


def _ambiguous(reply: Answer, reading: Reading) -> Answer:
    names = [drug_slot(reply.ledger, one) for one in reading.candidates]
    _say(reply, f"Which one do you mean: {joined(names, 'or')}?")
    reply.offered = reading.candidates
    return reply


def _invite(bound: Bound | None) -> str:
    if bound is None:
        return "Which patient is it about? Give a name, a birth date, a member id or a patient id."
    return "Ask me whether a drug would go through, what is missing, or what the policy says."


def _help(reply: Answer, bound: Bound | None) -> None:
    _say(reply, "I can tell you:")
    for line in CAN:
        _say(reply, line, bullet=True)
    if bound is None:
        _say(reply, _invite(bound))
    else:
        _say(reply, "I give no medical advice, submit nothing, and speak of no other patient here.")


def _bound_to(reply: Answer, bound: Bound) -> None:
    patient, ledger = bound.patient, reply.ledger
    name = ledger.add(
        "name", patient.name or patient.id, origin="chart", attribute="patient", source="patient"
    )
    code = ledger.add("code", patient.id, origin="chart", attribute="patient", source="patient")
    born = ""
    if patient.birth_date:
        born = f", born {ledger.add('date', patient.birth_date, origin='chart', attribute='birth', source='patient')}"
    _say(reply, f"This conversation is about {name} ({code}){born}.")
    _say(reply, "For another patient begin a new conversation: `/patient` with the id.")


def _panel(reply: Answer) -> None:
    command = reply.ledger.add("words", "pa screen", origin="derived", attribute="command", source="pa")
    more = reply.ledger.add("words", "pa graph", origin="derived", attribute="command", source="pa")
    _say(
        reply,
        f"This conversation is about one patient; {command} goes through a whole panel, {more} counts over it.",
    )


def _unclear(reply: Answer, reading: Reading, bound: Bound | None) -> None:
    """What was not understood, with the two likeliest readings to choose from."""
    ask, reply.lost = reading.asks[0], True
    if not ask.text.strip():
        _say(reply, f"I got no question. {_invite(bound)}")
    elif reading.readings:
        first, second = (WANTS[query] for query in reading.readings)
        _say(reply, f"I am not sure what you mean: 1. {first}, or 2. {second}?")
        reply.offered = reading.readings
    else:
        _say(reply, f"I am not sure what you mean. {_invite(bound)}")


def otherwise(query: Query, ledger: Ledger) -> Answer:
    """The other reading of a question that was answered as the likelier one."""
    text = f"If you meant {WANTS[query]}, say yes."
    said = [Said(text=text, verbatim=True)]
    return Answer(intent="unclear", said=said, ledger=ledger, offered=(query,), lost=True)


def whom(patient: Patient, ledger: Ledger) -> Answer:
    """Whom the answers are about, where a turn may have meant somebody else."""
    name = ledger.add(
        "name", patient.name or patient.id, origin="chart", attribute="patient", source="patient"
    )
    said = [Said(text=f"This conversation is about {name} alone, and so is what follows.", verbatim=True)]
    return Answer(intent="patient", said=said, ledger=ledger)


def strange_plan(name: str, ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """That a plan which is named is none of ours, and which are."""
    said = ledger.add("words", name, origin="request", attribute="stranger", source="question")
    known = joined([plan_slot(ledger, plan) for plan in bound.store.plans()])
    lines = (f"I do not know a plan {said}, so I can say nothing about it.", f"I know {known}.")
    return Answer(
        intent=ask.intent,
        said=[Said(text=text, verbatim=True) for text in lines],
        ledger=ledger,
        drugs=ask.drugs,
    )


def too_long(ledger: Ledger) -> Answer:
    """A text that is more than is read at once."""
    text = "That is more than I can read at once. Please ask it in a sentence or two."
    return Answer(intent="unclear", said=[Said(text=text, verbatim=True)], ledger=ledger)


def _say(reply: Answer, text: str, *, bullet: bool = False) -> None:
    reply.said.append(Said(text=text, verbatim=True, bullet=bullet))
