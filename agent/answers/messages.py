"""A message to paste, to the prescriber or the patient: whom it greets, what each is asked to do, what of the talk goes
into it, and how it ends. It is shown, and sent by nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from agent.answers import dates
from agent.answers.answer import Answer, Said, plain
from agent.answers.chart.page import Page
from agent.answers.eligibility import alternatives_told, deciding, next_told
from agent.answers.passages import Kind, passages
from agent.answers.translated import for_patient, patient_steps, thanks, to_patient
from agent.answers.wording import (
    LONGEST_QUOTE,
    Sorted,
    Words,
    clause_source,
    deciding_leaf,
    drugs_meant,
    finding_told,
    joined,
    lower,
    unlisted,
)
from agent.dialogue.hypotheses import days_named
from agent.dialogue.query import DECISIONS, Addressee, Ask, Query, intent_of
from agent.dialogue.words import words_of
from agent.ledger import Ledger
from tools.domain.records import Determination, Finding
from tools.engine.documents import walk
from tools.messages import LANGUAGE, PATIENT, TASK, Actor, Effort, language_named, language_of, tells
from tools.queries.bound import Bound
from tools.terminology.vocabulary import term_of_name

MOST_CARRIED = 3  # sentences of one answer before that go into a message
_PRESCRIBERS: tuple[Actor, ...] = ("prescriber", "clinician")
_RECORDS: tuple[Kind, ...] = ("course", "statement", "relative", "program", "order")
_READERS: tuple[Addressee, ...] = ("prescriber", "patient")
_OTHERS: tuple[Addressee, ...] = ("payer", "colleague")
MOST_EXPLAINED = 2  # criteria that are told with what the policy says
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
    read_as = ask.to if ask.to in _READERS and not language_named(ask.text) else ""
    to = reply.to = _recipient(ask.text, bound) or read_as or ("patient" if spoken else "")
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
    words = Words(bound, ledger, found)
    if ask.to == "chart":
        reply.said, reply.closing = _to_sign(words), plain("To be signed only as far as it holds.")
        return reply
    if ask.to in _OTHERS and not to:
        steps = next_told(words, MOST_CARRIED)
        reply.said += [*plain(_about("", _patient(bound, ledger))), Said(text=words.headline())]
        reply.said += [*(Said(text=text, leans=True) for text in deciding(words)), *steps]
        return reply
    if to != "patient":
        beside = [one for one in every if one not in unmet]
        reply.said += _to_prescriber(words, unmet, beside)
        reply.said += alternatives_told(words) if found.outcome == "likely_denial" else []
        reply.said += _clocks(found, bound, ledger)
    if to == "patient" or not (to or _prescribers_alone(unmet)):
        reply.said += to_patient(language, found, unmet, bound.patient, bound.plan, ledger)
    return reply


def _to_sign(words: Words) -> list[Said]:
    """A paragraph for a letter or the chart: what the chart shows for the request, and what it does not show."""
    kinds, who = Sorted.of(words.found), words.prescriber()
    met = [words.against(one) for one in kinds.criteria if one.status == "met"]
    ruled_out = [words.named(one) for one in kinds.exclusions if one.status == "met"]
    unmet = [words.named(one) for one in kinds.unmet if one.kind == "criterion"]
    signs = f", for {who} to review and sign" if who else ", for the prescriber to review and sign"
    said = plain(f"A paragraph to paste{signs}; nothing is entered or sent from here.")
    said += plain(f"{words.request(capital=True)} is asked for {_patient(words.bound, words.ledger)}.")
    said += [Said(text=f"The chart shows {'; '.join(met)}.")] if met else []
    said += [Said(text=f"Ruled out: {'; '.join(ruled_out)}.", must=False)] if ruled_out else []
    said += [Said(text=f"Not shown yet, and to be stated as it is: {'; '.join(unmet)}.")] if unmet else []
    return said if met or unmet else [*said, Said(text=words.headline())]


def _prescribers_alone(unmet: Sequence[Finding]) -> bool:
    """Whether the patient has nothing to do about what is open."""
    return not any(tells(step.code, PATIENT) for one in unmet for step in patient_steps(one))


def _clocks(found: Determination, bound: Bound, ledger: Ledger) -> list[Said]:
    """Until when the approval runs that is to be renewed, and what of the chart lapses first."""
    told = Answer(ledger=ledger)
    dates.granted(bound, found.drug, told, running=True)
    return [*told.said, *dates.lapsing_first(bound, found, ledger)]


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
    if message.to == "patient":
        answers = _in_their_words(message, answers, text, bound)
    message.said += _days(text, bound, message.ledger)
    in_it = DECISIONS if message.to == "patient" else _IN_IT
    repeated = [one for one in answers if one.query in in_it and one.determinations == message.determinations]
    return [one for one in answers if one not in repeated]


def _in_their_words(message: Answer, answers: Sequence[Answer], text: str, bound: Bound) -> Sequence[Answer]:
    """The answers beside a message to the patient but for those that it now tells in the patient's words."""
    language = language_named(text) or language_of(text) or LANGUAGE
    beside: list[Answer] = []
    for one in answers:
        said = [
            line
            for found in message.determinations[:1]
            for line in for_patient(language, one.query, found, bound.patient, bound.plan, message.ledger)
        ]
        told = {line.text for line in message.said}
        message.said += [line for line in said if line.text not in told]
        beside += [] if said else [one]
    return beside


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


def _recipient(text: str, bound: Bound) -> Addressee:
    """Whom the words name, by name or by what they are: the prescriber if they come first, the patient if alone, and
    nobody where the patient is named first, of whom a message to the prescriber may be."""
    doctor = bound.patient.prescriber
    prescribers = words_of(doctor.name.partition(",")[0]) if doctor else set()
    patients = words_of(bound.patient.name)
    named: list[Addressee] = []
    for word in text.split():
        plain_word = word.strip('.,;:!?¿¡()"')
        role = term_of_name("roles", plain_word)
        if role is not None and role.key in _READERS:
            named.append(role.key)
        elif words_of(plain_word) & prescribers:
            named.append("prescriber")
        elif plain_word.casefold() in patients:  # and not as whose something is
            named.append("patient")
    first: Addressee = named[0] if named else ""
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
            *(_request(words, one, explained=len(unmet) <= MOST_EXPLAINED) for one in unmet),
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


def _request(words: Words, finding: Finding, *, explained: bool) -> Said:
    """What the prescriber is asked to do about it, where it is theirs to do, how it stands where it is decided, what
    the chart has of it and, if it is to be `explained`, what the policy says."""
    told, action = finding_told(words, finding), finding.action
    theirs = words.actor(finding) in _PRESCRIBERS
    text = told.text
    if theirs or (action is not None and action.effort in _IN_THE_CHART):
        task = f"Please {lower(words.step(finding, form=TASK))}"
        text = f"{task} ({words.clause(finding)})." if finding.status == "unknown" else f"{task}. {text}"
    charted = "; ".join(_on_the_chart(words, finding))
    text += f" The chart has: {charted}." if charted else ""
    leaf = deciding_leaf(finding)
    quote = leaf.clause.quote if explained and leaf.clause is not None else ""
    if quote and len(quote) <= LONGEST_QUOTE:
        source = clause_source(leaf)
        quoted = words.ledger.add(
            "quote", quote, shown=f"“{quote}”", origin="policy", source=source, attribute="clause"
        )
        text += f" The policy says: {quoted}"
    return msgspec.structs.replace(told, text=text)


def _on_the_chart(words: Words, finding: Finding) -> list[str]:
    """The records that a finding which is not met rests on, in the chart's words."""
    ids = {item.record_id for one in walk([finding]) if one.status != "met" for item in one.evidence}
    page = Page(Ask(query="summary"), words.bound, words.ledger, Answer(ledger=words.ledger))
    found = (one for one in passages(words.bound, ()) if one.kind in _RECORDS and one.ref in ids)
    return [one.tell(page) for one in found][:MOST_CARRIED]
