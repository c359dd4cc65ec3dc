"""Whether free text says the opposite of what a criterion's own evidence shows.

Free text may lower certainty and never raises it, so a sentence is looked for only against an answer that has been
given, and a mere mention counts where nothing says that it is denied, over, planned or another's. A text is read only
where it names what the criterion is about: most charts pay for one search of their text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from tools.domain.records import Evidence, Note
from tools.domain.rules import (
    AllergyTo,
    Attested,
)
from tools.evidence.context import EvaluationContext, LeafResult
from tools.evidence.free_text import (
    OF_COURSES,
    OF_DRUGS,
    VALUES,
    Topic,
    about_of,
    evidence_of,
    lasts,
    settled,
    texts_of,
    topic_of,
)
from tools.evidence.listed import is_charted
from tools.evidence.note_details import CONTRADICTIONS
from tools.evidence.note_stances import stance_of
from tools.language.assertion import Assertion, sentence_at
from tools.language.likelihood import likelihood, meant_by_words
from tools.language.mentions import Mention
from tools.language.reading import Reading

_LEAST = 0.3  # likelihood under which nobody is asked about a sentence
_LEAST_STATED = 0.15  # … where a cue says so
_HERS = 0.3  # likelihood of the patient under which nobody is asked, unless a cue says whose it is
_SURELY_HERS = 0.95  # likelihood of the patient from which a drug is hers, whoever else stands there
_BY_WORDS = 0.6  # likelihood of a sense from which its words say so, whatever cue is there
_SPEAKER = re.compile(r"(?:^|(?<=[.?!\n]\s))([A-Z][\w. ]{0,20}):")


class _Said(NamedTuple):
    """A mention, how it is meant, and whether that says of the criterion's thing that it is so."""

    mention: Mention
    meant: Assertion
    stance: bool


def contradicting_sentence(leaf: Any, context: EvaluationContext, answer: LeafResult) -> Evidence | None:
    """The sentence on record that says the opposite of the answer; None if there is none, or a person has settled it.

    Of what may change, the newest text that speaks of it counts; what lasts (a family history, a condition that
    somebody ever had) may stand in any.
    """
    topic, texts = (
        leaf.__dict__.get("topic") or topic_of(leaf, context),
        context.day.texts or texts_of(context),
    )
    senses = topic.senses if answer.shown else topic.senses_if_not_shown
    if topic.concepts.isdisjoint(texts.named):
        return None
    if not answer.shown and isinstance(leaf, OF_COURSES) and is_charted(leaf, context):
        return None  # of what is charted, a note that names it tells no more
    for contradicts in CONTRADICTIONS.get(type(leaf), ()) if answer.shown else ():
        sentence = contradicts(leaf, topic, context)
        if sentence is not None:
            return sentence
    for note, told in texts.notes:
        if topic.fades and not texts.is_recent(note):
            return None
        if topic.concepts.isdisjoint(told.named) or (senses and not told.is_cued(topic.concepts, senses)):
            continue
        said = _said(leaf, topic, note, told, context, answer.shown)
        against = [
            item
            for item in said
            if _is_against(leaf, item, answer.shown) and not settled(note, item.mention, context)
        ]
        if against:
            return evidence_of(note, against[0].mention)
        if said and not topic.lasts:
            return None
    return None


def _is_against(leaf: Any, item: _Said, shown: bool | None) -> bool:
    """A value that a text takes back decides neither way."""
    return item.stance is not shown or isinstance(leaf, VALUES)


def _is_likely(leaf: Any, item: _Said, note: Note) -> bool:
    """Whether the words around the mention let it be meant so. Most of all where no cue stands: the patient is then
    said to have now whatever is named, and much of that is planned, over, or another's."""
    if note.type == "procedure" or isinstance(leaf, VALUES):
        return True
    if isinstance(leaf, AllergyTo) and item.stance and item.meant.stated:
        return True  # "allergic to …" is asked about, however odd the words around it
    least = _LEAST_STATED if item.meant.stated else _LEAST
    likely = likelihood(note.text, item.mention.start, item.mention.end, about_of(leaf))
    if item.meant.subject == "self" and likely.who["patient"] < _HERS:
        return False
    if _asks(note.text, item.mention) and (likely.sense["uncertain"] < least or _is_dialogue(note.text)):
        return False  # it states nothing, and in a dialogue the next sentence answers it
    return likely.of(*_senses_for(leaf, item.stance)) >= least


def _asks(text: str, mention: Mention) -> bool:
    """Whether its sentence is a question."""
    return text[: sentence_at(text, mention.start)[1]].endswith("?")


def _is_dialogue(text: str) -> bool:
    """Whether speakers take turns in it: "DR. X: Any thyroid cancer? PATIENT: No, sir. DR. X: …"."""
    speakers = Counter(_SPEAKER.findall(text))
    return any(turns > 1 for turns in speakers.values())


def _senses_for(leaf: Any, stance: bool) -> tuple[str, ...]:
    """The senses in which a mention says that the criterion's thing is so, or that it is not."""
    if isinstance(leaf, AllergyTo):
        return ("reaction", "uncertain") if stance else ("absent", "void", "uncertain")
    if isinstance(leaf, Attested):
        return "present", "past", "reaction", "uncertain", "absent"
    if not stance:
        return (
            ("absent", "void", "uncertain")
            if lasts(leaf)
            else ("absent", "past", "reaction", "planned", "uncertain")
        )
    if isinstance(leaf, OF_COURSES) or lasts(leaf):
        return "present", "past", "reaction", "uncertain"
    return "present", "uncertain"


def _said(
    leaf: Any, topic: Topic, note: Note, told: Reading, context: EvaluationContext, shown: bool | None
) -> list[_Said]:
    """What the text says of the criterion's thing, by its cues and by its words; of one person the last word counts,
    and of one sentence what it says against the answer. What its words do not bear is not said."""
    last = dict[tuple[str, bool], _Said]()
    for mention in told.naming(topic.concepts):
        for by_words, meant in enumerate(_meanings(leaf, mention, note, told)):
            stance = stance_of(leaf, mention, meant, note, context)
            if stance is None:
                continue
            item, known = _Said(mention, meant, stance), last.get((meant.subject, bool(by_words)))
            against = _is_against(leaf, item, shown)
            if against and not _is_likely(leaf, item, note):
                continue
            if (
                against
                or known is None
                or not (_is_against(leaf, known, shown) and _beside(known, item, note))
            ):
                last[meant.subject, bool(by_words)] = item
    return list(last.values())


def _beside(one: _Said, other: _Said, note: Note) -> bool:
    """Whether both stand in one sentence."""
    return sentence_at(note.text, one.mention.start) == sentence_at(note.text, other.mention.start)


def _meanings(leaf: Any, mention: Mention, note: Note, told: Reading) -> Iterator[Assertion]:
    """How the mention is meant by the cues around it, and by its words where they surely say another thing."""
    meant = told.meant(mention, thing=isinstance(leaf, OF_DRUGS))
    if isinstance(leaf, OF_DRUGS) and meant.subject != "self" and _is_the_patients(mention, note):
        meant = meant._replace(subject="self")
    yield meant
    if note.type == "procedure" or isinstance(leaf, (*VALUES, Attested)):
        return
    by_words = meant_by_words(note.text, mention.start, mention.end, about_of(leaf), meant, _BY_WORDS)
    if by_words.sense == "allergy" and not isinstance(leaf, AllergyTo):
        by_words = by_words._replace(sense="ended")
    if by_words != meant:
        yield by_words


def _is_the_patients(mention: Mention, note: Note) -> bool:
    """Whether its words are those of a drug of the patient, though another stands there: "wife says he takes it"."""
    return likelihood(note.text, mention.start, mention.end, "drug").who["patient"] >= _SURELY_HERS
