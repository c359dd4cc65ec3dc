"""A message to paste, to the prescriber or the patient: whom it greets, what each is asked to do, what of the talk goes
into it, and how it ends. It is shown, and sent by nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from agent.answers.answer import Answer, Said, plain
from agent.answers.eligibility import deciding
from agent.answers.translated import thanks, to_patient
from agent.answers.wording import Sorted, Words, drugs_meant, finding_told, joined, lower, unlisted
from agent.dialogue.hypotheses import days_named
from agent.dialogue.query import Ask, Query, intent_of
from agent.dialogue.words import words_of
from agent.ledger import Ledger
from tools.domain.records import Finding
from tools.messages import LANGUAGE, TASK, Actor, Effort, language_named, language_of
from tools.queries.bound import Bound
from tools.terminology.vocabulary import term_of_name

MOST_CARRIED = 3  # sentences of one answer before that go into a message
_PRESCRIBERS: tuple[Actor, ...] = ("prescriber", "clinician")
_IN_THE_CHART: tuple[Effort, ...] = ("record", "document", "correct", "confirm")  # which the prescriber signs
# What a message about the same request tells itself.
_IN_IT: frozenset[Query] = frozenset(("missing", "next_step"))
_CARRIED = ("chart", "plan", "dates", "cases")  # intents of which a message can hold what was said


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """A message to whom the words that ask for it name, the prescriber or the patient; to both where they leave that
    open. It says what each is asked to do about the criteria that it speaks of, or how the request stands where nothing
    is open. One to the prescriber is in English; in another language it is to the patient.

    Args:
        ask: the query, with the words that ask it.
        bound: the chart and the plan.
        ledger: gets the facts.

    Returns:
        An answer with a closing; without one if the plan does not list the drug, so that there is no message.
    """
    drugs = drugs_meant(ask, bound)[:1]
    reply = Answer(query="message", ledger=ledger, drugs=drugs)
    reply.said = plain("A message to paste; nothing is sent from here.")
    spoken = language_named(ask.text) or language_of(ask.text)
    to = _recipient(ask.text, bound) or ("patient" if spoken else "")
    language = spoken if spoken and to == "patient" else LANGUAGE
    reply.closing = [thanks(language, bound.patient, ledger)]
    if not drugs:  # it is about something of the chart, which is told behind
        reply.said += plain(_about(_doctor(bound, ledger), _patient(bound, ledger)))
        return reply
    if drugs[0] not in bound.plan.benefits:
        return Answer(ledger=ledger, drugs=drugs, said=[unlisted(drugs[0], bound, ledger)])
    found = bound.determination(drugs[0], ask.indication)
    reply.determinations = [found]
    every = Sorted.of(found).unmet
    unmet = [one for one in every if one.criterion in ask.open_ones] or every
    if to != "patient":
        beside = [one for one in every if one not in unmet]
        reply.said += _to_prescriber(Words(bound, ledger, found), unmet, beside)
    if to != "prescriber":
        reply.said += to_patient(language, found, unmet, bound.patient, bound.plan, ledger)
    return reply


def composed(
    answers: Sequence[Answer], before: Sequence[Ask], again: Callable[[Ask], Answer], text: str, bound: Bound
) -> list[Answer]:
    """The answers of a turn that asks for a message, with what goes into it: the days that the turn names and, where it
    asks for nothing else, what was said before. What the message tells itself is left out beside it.

    Args:
        answers: to the turn, a message among them or none.
        before: what the turn before asked.
        again: answers it once more.
        text: the turn.
        bound: the chart and the plan.
    """
    message = next((one for one in answers if one.closing), None)
    if message is None:
        return [*answers]
    if all(one is message or one.lost or one.offered for one in answers):
        told = {one.text for one in message.said}
        facts = (ask for ask in before if intent_of(ask.query) in _CARRIED or ask.query == "attach")
        carried = (one for ask in facts for one in _facts(again(ask)))
        message.said += [one for one in carried if one.text not in told]
    message.said += _days(text, bound, message.ledger)
    repeated = [
        one for one in answers if one.query in _IN_IT and one.determinations == message.determinations
    ]
    return [one for one in answers if one not in repeated]


def _facts(told: Answer) -> list[Said]:
    if told.refused or told.lost or told.offered:
        return []
    return [one for one in told.said if one.must][:MOST_CARRIED]


def _days(text: str, bound: Bound, ledger: Ledger) -> list[Said]:
    """The days to come that a turn names: "answer by Thursday 9/3"."""
    named = (day for _, day in days_named(text, 0, len(text), bound.as_of))
    days = dict.fromkeys(day for day in named if day >= bound.as_of)
    slots = [
        ledger.add("date", day, origin="request", attribute="asked", source=f"asked {bound.as_of}")
        for day in days
    ]
    return [Said(text=f"{'Date' if len(slots) == 1 else 'Dates'} to keep: {joined(slots)}.")] if slots else []


def _recipient(text: str, bound: Bound) -> str:
    """Whom the words name, by name or by what they are: the prescriber if they come first, the patient if alone, and
    nobody where the patient is named first, of whom a message to the prescriber may be."""
    doctor = bound.patient.prescriber
    prescribers = words_of(doctor.name.partition(",")[0]) if doctor else set()
    patients = words_of(bound.patient.name)
    named: list[str] = []
    for word in text.split():
        plain_word = word.strip('.,;:!?¿¡()"')
        if role := term_of_name("roles", plain_word):
            named.append(role.key)
        elif words_of(plain_word) & prescribers:
            named.append("prescriber")
        elif plain_word.casefold() in patients:  # and not as whose something is
            named.append("patient")
    first = named[0] if named else ""
    return "" if first == "patient" and "prescriber" in named else first


def _about(doctor: str, patient: str) -> str:
    return f"To {doctor}: this is on {patient}." if doctor else f"This is on {patient}."


def _doctor(bound: Bound, ledger: Ledger) -> str:
    doctor = bound.patient.prescriber
    if doctor is None or not doctor.name:
        return ""
    return ledger.add("name", doctor.name, origin="chart", attribute="person", source="patient")


def _patient(bound: Bound, ledger: Ledger) -> str:
    return ledger.add("name", bound.patient.name, origin="chart", attribute="patient", source="patient")


def _to_prescriber(words: Words, open_ones: Sequence[Finding], beside: Sequence[Finding]) -> list[Said]:
    """What is open, with what the prescriber is asked to do, and what is open `beside` it by its name; where nothing
    is, how the request stands, and the order or the signature that it still wants."""
    unmet = [one for one in open_ones if one.clause]
    who, patient = words.prescriber(), _patient(words.bound, words.ledger)
    steps = [(action, text) for action, text in words.steps(tasks=True) if action.actor in _PRESCRIBERS]
    if unmet:
        lacks = f"{words.request(capital=True)} for {patient} at {words.plan()} still lacks this:"
        ordering = [text for action, text in steps if action.code == "order_drug"]
        return [
            *plain(f"To {who}: {lacks}" if who else lacks),
            *(_request(words, one) for one in unmet),
            *([Said(text=f"Open too: {'; '.join(map(words.named, beside))}.")] if beside else []),
            *(_please(text) for text in ordering),
        ]
    said = [
        *plain(_about(who, patient)),
        Said(text=words.headline()),
        *(_please(t) for _, t in steps),
    ]
    if any(action.code == "order_drug" for action, _ in steps):
        return [*said, *_ordered_instead(words)]
    ready = words.found.outcome == "ready" and not steps
    return said + plain("Once the form is drafted it needs your signature." if ready else "")


def _please(task: str) -> Said:
    return Said(text=f"Please {lower(task)}.")


def _ordered_instead(words: Words) -> Iterator[Said]:
    """How the requests stand that are ordered, where another drug is asked for."""
    bound = words.bound
    for drug in dict.fromkeys(order.drug for order in bound.patient.orders):
        if drug in bound.plan.benefits:
            ordered = Words(bound, words.ledger, bound.determination(drug))
            order = f"The order on the chart is for {ordered.drug()}."
            yield Said(text=" ".join((order, ordered.headline(), *deciding(ordered)[:1])))


def _request(words: Words, finding: Finding) -> Said:
    """What the prescriber is asked to do about it, where it is theirs to do, and how it stands."""
    told, action = finding_told(words, finding), finding.action
    theirs = words.actor(finding) in _PRESCRIBERS
    if not theirs and not (action is not None and action.effort in _IN_THE_CHART):
        return told
    task = lower(words.step(finding, form=TASK))
    return msgspec.structs.replace(told, text=f"Please {task}. {told.text}")
