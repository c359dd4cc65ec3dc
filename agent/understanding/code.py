"""The code's reading of a question: names looked up, suppositions parsed, intents by cue and by learned likelihood.

    plain text → who, plans, drugs, tests → markers → pieces → what each asks → drugs, from the piece or the talk

No model, no I/O but for the store's catalog. Every drug in a reading is one of the catalog's.
"""

from __future__ import annotations

import msgspec

from agent.understanding import people, words
from agent.understanding.asking import things_asked
from agent.understanding.known import Known
from agent.understanding.marking import mark
from agent.understanding.pieces import Found
from agent.understanding.reading import Ask, Reading, Talk
from agent.understanding.replies import reply_to_offer
from agent.understanding.which import settle

LONGEST = 4_000  # characters; more is not read
UNKNOWN_IS_SURE = 0.75  # a drug that nobody knows is looked up: no model makes it one of ours


def read(question: str, talk: Talk, known: Known) -> Reading:
    """What the question says; never raises, whatever the text. `sure` below 0.6 means: ask a model, if there is one."""
    if not any(character.isalnum() for character in question[:LONGEST]):
        return Reading(asks=(Ask(intent="unclear", about="empty"),))
    if len(question) > LONGEST:
        return Reading(asks=(Ask(intent="unclear", about="long"),))
    text = words.plain(question)
    person, plan_id, whole = mark(text, talk, known)
    if talk.offered and (chosen := reply_to_offer(whole, talk, known)):
        return chosen
    found = things_asked(whole, person, talk, known)
    for one in found:
        settle(one, found, talk, known)
    return _reading(found, person, plan_id, talk, known)


def _reading(found: list[Found], person: people.Person, plan_id: str, talk: Talk, known: Known) -> Reading:
    asks: list[Ask] = []
    for one in found:
        if one.again:
            asks += [
                msgspec.structs.replace(
                    ask,
                    drugs=one.drugs,
                    all_drugs=one.all_drugs,
                    about=_about_again(ask, one),
                    indication=one.indication or ask.indication,
                    text=one.piece.typed,
                )
                for ask in one.again
            ]
        else:
            asks.append(
                Ask(
                    intent=one.intent,
                    drugs=one.drugs,
                    all_drugs=one.all_drugs,
                    about="" if one.about == "injection" else one.about,
                    changes=one.changes,
                    indication=one.indication,
                    text=one.piece.typed,
                )
            )
    if _somebody_else(person, talk, known) and asks[0].intent not in (
        "fabricate",
        "off_topic",
        "smalltalk",
        "help",
    ):
        asks = [Ask(intent="other_patient", text=found[0].piece.typed)]
    supposed = any(ask.intent == "what_if" for ask in asks)
    strangers = tuple(dict.fromkeys(word for f in found for word in f.strangers))
    sure = round(min(f.sure for f in found), 2)
    if strangers and not any(ask.drugs for ask in asks):
        sure = max(sure, UNKNOWN_IS_SURE)
    return Reading(
        asks=tuple(asks),
        person=person.said,
        candidates=next((f.candidates for f in found if f.candidates), ()),
        strangers=strangers,
        plan_id="" if supposed else plan_id,
        sure=sure,
    )


def _about_again(ask: Ask, one: Found) -> str:
    if ask.intent == "policy":
        return ask.about
    if ask.intent == "chart" and one.drugs:
        return one.drugs[0]
    return ask.about


def _somebody_else(person: people.Person, talk: Talk, known: Known) -> bool:
    """Whether the person named is another than the bound patient, by id or by a name of which no word is theirs."""
    if not person.said or not talk.patient_id:
        return False
    if person.kind == "id":
        return person.said.startswith("P") and person.said[1:].isdigit() and person.said != talk.patient_id
    if person.kind != "name":
        return False
    theirs = set(known.name_of(talk.patient_id).casefold().split())
    return bool(theirs) and not theirs & set(person.said.split(",")[0].casefold().split())
