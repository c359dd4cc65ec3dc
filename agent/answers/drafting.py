"""What is written where a conversation asks for it: a draft, by the workflow of `pa draft` up to the review that waits
for a person, or a message to the prescriber or the patient, which is shown and sent by nobody."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from agent.answers.answer import Answer, Said, Source, plain
from agent.answers.eligibility import deciding, next_told
from agent.answers.translated import to_patient
from agent.answers.wording import Sorted, Words, drugs_meant, finding_told, lower, unlisted
from agent.dialogue.query import Ask
from agent.dialogue.words import words_of
from agent.ledger import Ledger
from tools.common.errors import Refused
from tools.domain.records import Finding
from tools.messages import LANGUAGE, TASK, Actor, language_named, language_of
from tools.queries.bound import Bound

if TYPE_CHECKING:
    from agent.drafts.drafting import Drafted
    from tools.queries.check import Asked

MOST_GAPS = 4
MOST_STEPS = 3
_PRESCRIBERS: tuple[Actor, ...] = ("prescriber", "clinician")


def answer(ask: Ask, bound: Bound, ledger: Ledger, draft: Callable[[Asked], Drafted] | None) -> Answer:
    """The draft of the first drug named, or of the one that is ordered, and where it waits; why there is none, and what
    to do instead. Where the talk alone says of which drug, and another one is ordered, that is asked back."""
    if ask.all_drugs:
        return _ready(ask, bound, ledger, draft)
    ordered = tuple(
        dict.fromkeys(one.drug for one in bound.patient.orders if one.drug in bound.plan.benefits)
    )
    drugs = ask.drugs or (ordered if len(ordered) == 1 else ())
    if not drugs or (ask.drugs and ask.from_talk and ordered and drugs[0] not in ordered):
        return _ask_back(ask, ordered, bound, ledger)
    drug = drugs[0]
    reply = Answer(ledger=ledger, drugs=(drug,))
    name = ledger.add("drug", drug, origin="request", source=f"drug:{drug}")
    if draft is None:
        reply.said = plain(f"Drafts are made with `pa draft`; nothing was drafted for {name} here.")
        return reply
    found = bound.determination(drug, ask.indication)
    reply.determinations.append(found)
    try:
        made = draft(bound.asked(drug, ask.indication))
    except Refused as refused:
        told = str(refused).removeprefix("not drafted. ")
        why = ledger.add("words", told, origin="determination", source="workflow")
        reply.said = plain(f"Not drafted: {why}.")
        return reply
    kept = made.draft
    missing = kept.filled_form().missing
    add = partial(ledger.add, origin="determination", source=f"draft:{kept.id}")
    number = add("code", str(kept.id), attribute="draft")
    verb = "is made and waits" if made.new else "was made before and waits"
    reply.said = plain(f"Draft {number} for {name} {verb} for a person's review; nothing was sent.")
    gaps = [add("words", label.rstrip(" ?.:")) for label in missing]
    more, rest = len(gaps) - MOST_GAPS, ""
    if more > 0:
        formula = "missing fields not named"
        rest = f" and {ledger.add('count', more, origin='derived', formula=formula)} more"
    still = f"Still missing on the form: {'; '.join(gaps[:MOST_GAPS])}{rest}."
    reply.said += plain(still if gaps else "The form has no gap.")
    reply.said += [Said(text=text, must=False) for text in deciding(Words(bound, ledger, found))]
    reply.said += plain(f"Look at it and decide with `pa review {number}`.")
    reply.draft_id = kept.id
    reply.sources = [
        Source(source=f"draft {kept.id}", quote=name, kind="plan") for name in sorted(kept.files)
    ]
    return reply


def message(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """A text ready to be pasted, to the patient where the words that ask for it name them, else to the prescriber: what
    each is asked to do about the criteria that it speaks of, or how the request stands where nothing is open. In
    another language than ours it is to the patient."""
    drugs = drugs_meant(ask, bound)[:1]
    reply = Answer(query="message", ledger=ledger, drugs=drugs)
    reply.said = plain("A message to paste; nothing is sent from here.")
    if not drugs:  # it is about something of the chart, which is told behind
        doctor = bound.patient.prescriber
        names = [one for one in (doctor.name if doctor else "", bound.patient.name) if one]
        slots = [
            ledger.add("name", one, origin="chart", attribute="person", source="patient") for one in names
        ]
        whom = f"To {slots[0]}: this" if len(slots) > 1 else "This"
        reply.said += plain(f"{whom} is on {slots[-1]}.")
        return reply
    if drugs[0] not in bound.plan.benefits:
        return Answer(ledger=ledger, drugs=drugs, said=[unlisted(drugs[0], bound, ledger)])
    found = bound.determination(drugs[0], ask.indication)
    reply.determinations = [found]
    unmet = Sorted.of(found).unmet
    unmet = [one for one in unmet if one.criterion in ask.open_ones] or unmet
    patient, prescriber = _named(ask, bound)
    spoken = language_named(ask.text) or language_of(ask.text)
    if prescriber or not (patient or spoken):
        reply.said += _to_prescriber(Words(bound, ledger, found), unmet)
    if patient or spoken or not prescriber:
        reply.said += to_patient(spoken or LANGUAGE, found, unmet, bound.patient, bound.plan, ledger)
    return reply


def _named(ask: Ask, bound: Bound) -> tuple[bool, bool]:
    """Whether the words that ask for it name the patient, but not as whose something is, and the prescriber."""
    said, doctor = words_of(ask.text), bound.patient.prescriber
    plain = {word.strip(string.punctuation) for word in ask.text.casefold().split()}
    names = words_of(doctor.name.partition(",")[0]) if doctor else set()
    return bool(plain & words_of(bound.patient.family)), bool(said & names)


def _to_prescriber(words: Words, open_ones: Sequence[Finding]) -> list[Said]:
    unmet = [one for one in open_ones if one.clause]
    who = words.prescriber()
    to = f"To {who}: " if who else ""
    name = words.bound.patient.name
    patient = words.ledger.add("name", name, origin="chart", attribute="patient", source="patient")
    ordering = [text for action, text in words.steps(tasks=True) if action.code == "order_drug"]
    asked = [Said(text=f"Please {lower(text)}.") for text in ordering]
    if not unmet:
        steps = next_told(words, MOST_STEPS)
        said = [*plain(f"{to}this is on {patient}."), Said(text=words.headline())]
        return [*said, *asked, *_ordered_instead(words)] if asked else said + steps
    lacks = f"{words.request(capital=True)} for {patient} at {words.plan()} still lacks this:"
    return [*plain(f"{to}{lacks}"), *(_request(words, one) for one in unmet), *asked]


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
    told = finding_told(words, finding)
    if words.actor(finding) not in _PRESCRIBERS:
        return told
    task = lower(words.step(finding, form=TASK))
    return replace(told, text=f"Please {task}. {told.text}")


def _ready(ask: Ask, bound: Bound, ledger: Ledger, draft: Callable[[Asked], Drafted] | None) -> Answer:
    """The first drug that is ready, with the others named; where none is, that is said and nothing is drafted."""
    ready = [found.drug for found in bound.compare() if found.outcome == "ready"]
    if not ready:
        none = "Nothing was drafted: none of the plan's drugs is ready to submit."
        return Answer(said=plain(none), ledger=ledger)
    reply = answer(replace(ask, drugs=(ready[0],), all_drugs=False), bound, ledger, draft)
    if ready[1:]:
        reply.said += plain(f"Ready too, and not drafted: {_names(ready[1:], bound, ledger)}.")
    return reply


def _ask_back(ask: Ask, ordered: tuple[str, ...], bound: Bound, ledger: Ledger) -> Answer:
    """No drug was named: the ones ordered and the one that was talked of, if any, else every one that needs a PA."""
    choice = tuple(dict.fromkeys((*ordered, *ask.drugs))) or tuple(
        name for name, benefit in bound.plan.benefits.items() if benefit.covered and benefit.pa_required
    )
    said = plain(f"Which drug is the form for: {_names(choice, bound, ledger)}?")
    return Answer(said=said, ledger=ledger, offered=choice)


def _names(drugs: Sequence[str], bound: Bound, ledger: Ledger) -> str:
    add = partial(ledger.add, "drug", origin="plan", source=f"plan:{bound.plan.id}")
    return ", ".join(map(add, drugs))
