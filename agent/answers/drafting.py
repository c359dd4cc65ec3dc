"""What is written where a conversation asks for it: a draft, by the workflow of `pa draft` up to the review that waits
for a person, or a message to the prescriber or the patient, which is shown and sent by nobody."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from agent.answers.answer import Answer, Said, Source
from agent.answers.eligibility import deciding
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
    ordered = {order.drug for order in bound.patient.orders if order.drug in bound.plan.benefits}
    if not ask.drugs and len(ordered) == 1:
        return answer(msgspec.structs.replace(ask, drugs=(*ordered,)), bound, ledger, draft)
    if not ask.drugs:
        return _ask_back(ask, bound, ledger)
    drug = ask.drugs[0]
    if ask.from_talk and ordered and drug not in ordered:
        return _ask_back(ask, bound, ledger)
    said: list[Said] = []
    reply = Answer(intent="draft", said=said, ledger=ledger, drugs=(drug,))
    name = ledger.add("drug", drug, origin="request", source=f"drug:{drug}")
    if draft is None:
        said.append(
            Said(text=f"Drafts are made with `pa draft`; nothing was drafted for {name} here.", verbatim=True)
        )
        return reply
    found = bound.determination(drug, ask.indication)
    reply.determinations.append(found)
    try:
        made = draft(bound.asked(drug, ask.indication))
    except Refused as refused:
        why = ledger.add(
            "words", str(refused).removeprefix("not drafted. "), origin="determination", source="workflow"
        )
        said.append(Said(text=f"Not drafted: {why}.", verbatim=True))
        return reply
    kept = made.draft
    form = kept.filled_form()
    number = ledger.add(
        "code", str(kept.id), origin="determination", source=f"draft:{kept.id}", attribute="draft"
    )
    verb = "is made and waits" if made.new else "was made before and waits"
    said.append(
        Said(text=f"Draft {number} for {name} {verb} for a person's review; nothing was sent.", verbatim=True)
    )
    if form.missing:
        gaps = [
            ledger.add("words", label.rstrip(" ?.:"), origin="determination", source=f"draft:{kept.id}")
            for label in form.missing
        ]
        more = len(gaps) - MOST_GAPS
        rest = (
            f" and {ledger.add('count', more, origin='derived', formula='missing fields not named')} more"
            if more > 0
            else ""
        )
        said.append(
            Said(text=f"Still missing on the form: {'; '.join(gaps[:MOST_GAPS])}{rest}.", verbatim=True)
        )
    else:
        said.append(Said(text="The form has no gap.", verbatim=True))
    said += [Said(text=text, must=False) for text in deciding(Words(bound, ledger, found))]
    said.append(Said(text=f"Look at it and decide with `pa review {number}`.", verbatim=True))
    reply.draft_id = kept.id
    reply.sources += [
        Source(source=f"draft {kept.id}", quote=name, kind="plan") for name in sorted(kept.files)
    ]
    return reply


def message(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """A text ready to be pasted, to the patient where the words that ask for it name them, else to the prescriber: what
    each is asked to do about the criteria that it speaks of, or how the request stands where nothing is open. In
    another language than ours it is to the patient."""
    drugs = drugs_meant(ask, bound)[:1]
    said = [Said(text="A message to paste; nothing is sent from here.", verbatim=True)]
    if not drugs:  # it is about something of the chart, which is told behind
        doctor = bound.patient.prescriber
        names = [one for one in (doctor.name if doctor else "", bound.patient.name) if one]
        slots = [
            ledger.add("name", one, origin="chart", attribute="person", source="patient") for one in names
        ]
        whom = f"To {slots[0]}: this" if len(slots) > 1 else "This"
        said.append(Said(text=f"{whom} is on {slots[-1]}.", verbatim=True))
        return Answer(intent=ask.intent, query="message", ledger=ledger, said=said)
    if drugs[0] not in bound.plan.benefits:
        return Answer(intent=ask.intent, ledger=ledger, drugs=drugs, said=[unlisted(drugs[0], bound, ledger)])
    found = bound.determination(drugs[0], ask.indication)
    words = Words(bound, ledger, found)
    unmet = Sorted.of(found).unmet
    unmet = [one for one in unmet if one.criterion in ask.open_ones] or unmet
    patient, prescriber = _named(ask, bound)
    spoken = language_named(ask.text) or language_of(ask.text)
    if prescriber or not (patient or spoken):
        said += _to_prescriber(words, unmet)
    if patient or spoken or not prescriber:
        said += to_patient(spoken or LANGUAGE, found, unmet, bound.patient, bound.plan, ledger)
    return Answer(
        intent=ask.intent, query="message", said=said, ledger=ledger, drugs=drugs, determinations=[found]
    )


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
    patient = words.ledger.add(
        "name", words.bound.patient.name, origin="chart", attribute="patient", source="patient"
    )
    ordering = [text for action, text in words.steps(tasks=True) if action.code == "order_drug"]
    asked = [Said(text=f"Please {lower(text)}.") for text in ordering]
    if not unmet:
        steps = "; ".join(map(lower, words.next_steps(MOST_STEPS)))
        said = [Said(text=f"{to}this is on {patient}.", verbatim=True), Said(text=words.headline())]
        if asked:
            return [*said, *asked, *_ordered_instead(words)]
        return [*said, Said(text=f"Next: {steps}.")] if steps else said
    lacks = f"{words.request(capital=True)} for {patient} at {words.plan()} still lacks this:"
    return [Said(text=f"{to}{lacks}", verbatim=True), *(_request(words, one) for one in unmet), *asked]


def _ordered_instead(words: Words) -> Iterator[Said]:
    """How the requests stand that are ordered, where another drug is asked for."""
    bound = words.bound
    for drug in dict.fromkeys(order.drug for order in bound.patient.orders):
        if drug in bound.plan.benefits:
            ordered = Words(bound, words.ledger, bound.determination(drug))
            told = (
                f"The order on the chart is for {ordered.drug()}.",
                ordered.headline(),
                *deciding(ordered)[:1],
            )
            yield Said(text=" ".join(told))


def _request(words: Words, finding: Finding) -> Said:
    """What the prescriber is asked to do about it, where it is theirs to do, and how it stands."""
    told = finding_told(words, finding)
    if words.actor(finding) not in _PRESCRIBERS:
        return told
    task = lower(words.step(finding, form=TASK))
    return msgspec.structs.replace(told, text=f"Please {task}. {told.text}")


def _ready(ask: Ask, bound: Bound, ledger: Ledger, draft: Callable[[Asked], Drafted] | None) -> Answer:
    """The first drug that is ready, with the others named; where none is, that is said and nothing is drafted."""
    ready = [found.drug for found in bound.compare() if found.outcome == "ready"]
    if not ready:
        none = "Nothing was drafted: none of the plan's drugs is ready to submit."
        return Answer(intent="draft", said=[Said(text=none, verbatim=True)], ledger=ledger)
    reply = answer(msgspec.structs.replace(ask, drugs=(ready[0],), all_drugs=False), bound, ledger, draft)
    if ready[1:]:
        names = ", ".join(
            ledger.add("drug", name, origin="plan", source=f"plan:{bound.plan.id}") for name in ready[1:]
        )
        reply.said.append(Said(text=f"Ready too, and not drafted: {names}.", verbatim=True))
    return reply


def _ask_back(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """No drug was named: the ones ordered and the one that was talked of, if any, else every one that needs a PA."""
    ordered = [order.drug for order in bound.patient.orders if order.drug in bound.plan.benefits]
    choice = tuple(dict.fromkeys((*ordered, *ask.drugs))) or tuple(
        name for name, benefit in bound.plan.benefits.items() if benefit.covered and benefit.pa_required
    )
    names = ", ".join(
        ledger.add("drug", name, origin="plan", source=f"plan:{bound.plan.id}") for name in choice
    )
    return Answer(
        intent="draft",
        said=[Said(text=f"Which drug is the form for: {names}?", verbatim=True)],
        ledger=ledger,
        offered=choice,
    )
