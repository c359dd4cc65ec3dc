"""Free text on a chart as a criterion asks it: which texts count, what a criterion is about in them, and which of their
sentences a person has settled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

from tools.domain.records import Evidence, Note, Procedure
from tools.domain.rules import (
    AllergyTo,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    OnDrug,
    Programme,
    Taking,
    Trial,
)
from tools.evidence.context import DECIDED, EvaluationContext
from tools.language.assertion import sentence_at
from tools.language.likelihood import About
from tools.language.mentions import Mention
from tools.language.reading import Reading, reading
from tools.terminology.conditions import conditions
from tools.terminology.medicines import resolve_medicine, terminology
from tools.terminology.observations import tests
from tools.terminology.vocabulary import term_of_code, vocabulary

STATE_DAYS = 365  # what a note says to be so now, it says of the year around it
DENIED = ("negated", "never", "void")
VALUES = (Lab, Change, Measured)
OF_COURSES = (Trial, Intolerance)
OF_DRUGS = (Taking, Trial, Intolerance, AllergyTo, OnDrug)


class Texts(NamedTuple):
    """Free text up to the day, newest first, each as it is read, the concepts that it names, and the sentences about
    which a person has decided."""

    notes: tuple[tuple[Note, Reading], ...]
    named: frozenset[str]
    state_since: date
    decided: frozenset[str]

    def is_recent(self, note: Note) -> bool:
        """Whether what it says to be so is still to be asked about."""
        return note.date is None or note.date >= self.state_since


def about_of(leaf: Any) -> About:
    if isinstance(leaf, Condition):
        return "condition"
    if isinstance(leaf, VALUES):
        return "test"
    return "statement" if isinstance(leaf, Attested) else "program" if isinstance(leaf, Programme) else "drug"


def texts_of(context: EvaluationContext) -> Texts:
    """Notes, and procedures as the one line that they are."""
    known: Texts | None = context.day.texts
    if known is None:
        texts = [note for note in context.patient.notes if note.date is None or note.date <= context.as_of]
        texts += [
            _as_note(item)
            for item in context.patient.procedures
            if item.date is None or item.date <= context.as_of
        ]
        texts.sort(key=lambda note: note.date or date.max, reverse=True)
        notes = tuple([(note, reading(note.text)) for note in texts])
        named = frozenset[str]().union(*[told.named for _, told in notes])
        decided = frozenset(
            [entry.topic for entry in context.patient.attestations if entry.topic.startswith(DECIDED)]
        )
        known = context.day.texts = Texts(notes, named, context.as_of - timedelta(days=STATE_DAYS), decided)
    return known


def _as_note(item: Procedure) -> Note:
    """With what its code says, where it says more than the name: "Run (dialysis session): completed"."""
    term = term_of_code("procedures", item.code) if item.code else None
    name = f"{item.name} ({term.label})" if term is not None and term.label not in item.name else item.name
    text = f"{name}: {item.result}" if item.result else name
    return Note(id=item.id, date=item.date, type="procedure", text=text)


class Topic(NamedTuple):
    """What a criterion is about, as free text speaks of it: `senses` are those of which a sentence must hold a cue to
    speak against the answer, none if a bare mention can. Of what `fades` a note says only what is so within
    `STATE_DAYS`; what `lasts` may stand in any note."""

    concepts: frozenset[str]
    senses: frozenset[str]
    senses_if_not_shown: frozenset[str]
    fades: bool
    lasts: bool


def topic_of(leaf: Any, context: EvaluationContext) -> Topic:
    """It stays with the leaf; of one that asks for the product asked for, one for each product."""
    of_request = (
        isinstance(leaf, OnDrug) or _is_of_use(leaf) or (isinstance(leaf, AllergyTo) and leaf.requested)
    )
    place = ("topic", context.request.ingredients) if of_request else "topic"
    known: Topic | None = leaf.__dict__.get(place)
    if known is None:
        concepts = [*_concepts(leaf), *(context.request.ingredients if of_request else ())]
        known = leaf.__dict__[place] = Topic(
            frozenset(concepts),
            frozenset(_senses_against(leaf, True)),
            frozenset(_senses_against(leaf, False)),
            _fades(leaf),
            lasts(leaf),
        )
    return known


def _is_of_use(leaf: Any) -> bool:
    """Whether the prescriber states that the drug asked for is taken as prescribed."""
    return isinstance(leaf, Attested) and leaf.topic == "adherent"


def _senses_against(leaf: Any, shown: bool) -> tuple[str, ...]:
    if isinstance(leaf, AllergyTo):
        return DENIED if shown else ("allergy",)
    if isinstance(leaf, VALUES):
        return "void", "family", "other", "negated"
    if not shown or isinstance(leaf, Attested):
        return ()
    if isinstance(leaf, OF_COURSES):
        return ("never", "ended")
    return DENIED if isinstance(leaf, Condition) else (*DENIED, "ended")


def _concepts(leaf: Any) -> Iterator[str]:
    match leaf:
        case Condition():
            for key, row in conditions().items():
                if leaf.codes == row.codes or (leaf.topic and leaf.topic == row.topic):
                    yield key
        case Lab() | Change():
            yield from _rests_on(leaf.test)
        case Measured():
            for test in leaf.tests:
                yield from _rests_on(test)
        case Attested():
            yield f"contrary:{leaf.topic}"
            yield f"affirms:{leaf.topic}"
        case Programme():
            yield "lifestyle_program"
        case Taking() | Trial() | Intolerance() | AllergyTo():
            yield from leaf.classes
            for drug in leaf.drugs:
                known = resolve_medicine(drug)
                yield from known.ingredients if known else (drug,)
            yield from _members(leaf.classes)


@cache
def _rests_on(test: str) -> tuple[str, ...]:
    """The test and what it is told from, and the studies that measure these."""
    row = tests().get(test)
    measured = (test, *(row.told_from if row else ()))
    shows = {f"test:{key}" for key in measured}
    return (*measured, *(key for key, row in vocabulary("procedures").items() if row.evidence_of in shows))


@cache
def _members(classes: tuple[str, ...]) -> tuple[str, ...]:
    """The medicines of these classes, in lower case."""
    wanted = set(classes)
    rows = terminology().rows() if wanted else ()
    return tuple([row.name.casefold() for row in rows if not wanted.isdisjoint(row.classes)])


def lasts(leaf: Any) -> bool:
    return isinstance(leaf, Condition) and (leaf.status == "ever" or "family" in leaf.who)


def _fades(leaf: Any) -> bool:
    return isinstance(leaf, Attested | Programme | Taking | OnDrug) or (
        isinstance(leaf, Condition) and not lasts(leaf)
    )


def mentions_of(topic: Topic, context: EvaluationContext) -> Iterator[tuple[Mention, Note, Reading]]:
    """Where notes name what the criterion is about, newest first, and no person has settled the sentence."""
    for note, told in texts_of(context).notes:
        for mention in told.naming(topic.concepts):
            if not settled(note, mention, context):
                yield mention, note, told


def settled(note: Note, mention: Mention, context: EvaluationContext) -> bool:
    """Whether a person has decided about this sentence (`pa confirm --reject`)."""
    decided = texts_of(context).decided
    return bool(decided) and DECIDED + sentence_id(note, mention) in decided


def sentence_id(note: Note, mention: Mention) -> str:
    """N and five letters or digits, which stay as long as the note says it there."""
    start, end = sentence_at(note.text, mention.start)
    return "N" + hashlib.sha256(f"{note.id}|{start}|{end}|{mention.concept}".encode()).hexdigest()[:5]


def evidence_of(note: Note, mention: Mention) -> Evidence:
    start, end = sentence_at(note.text, mention.start)
    kind = "procedure" if note.type == "procedure" else "note"
    return Evidence(
        record_id=note.id,
        kind=kind,
        value=" ".join(note.text[start:end].split()),
        date=note.date,
        note=sentence_id(note, mention),
    )
