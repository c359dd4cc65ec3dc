"""A draft where a conversation asks for one, by the workflow of `pa draft` up to the review that waits for a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from agent.answers.answer import Answer, Said, Source, plain
from agent.answers.eligibility import deciding
from agent.answers.wording import Words
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.common.errors import Refused
from tools.queries.bound import Bound

if TYPE_CHECKING:
    from agent.drafts.drafting import Drafted
    from tools.queries.check import Asked

MOST_GAPS = 4


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
