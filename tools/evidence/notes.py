"""Whether free text says the opposite of what a criterion's own evidence shows.

Free text may lower certainty and never raises it, so a sentence is looked for only against an answer that has been
given, and a mere mention counts where nothing says that it is denied, over, planned or another's. A text is read only
where it names what the criterion is about: most charts pay for one search of their text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from tools.evidence.courses import matches
from tools.evidence.judge import DECIDED, Judge, Shown
from tools.language.assertion import Assertion, assertion, sentence_at
from tools.language.mentions import Mention, concepts, mentions
from tools.records import Evidence, Medication, Note, Procedure
from tools.rules import AllergyTo, Condition, Intolerance, OnDrug, Taking, Trial
from tools.terms import BRANDS, CONCEPTS, INGREDIENTS

STATE_DAYS = 365  # what a note says to be so now, it says of the year around it
# What also shows a condition, or leaves it open, beside the condition itself.
_KINDS_OF = {"ascvd": ("mi", "stroke", "pad"), "mtc_men2": ("thyroid_cancer",)}


class _Said(NamedTuple):
    """A mention, how it is meant, and whether that says of the criterion's thing that it is so."""

    mention: Mention
    meant: Assertion
    stance: bool


def contradicting_sentence(leaf: Any, judge: Judge, answer: Shown) -> Evidence | None:
    """The sentence on record that says the opposite of the answer; None if there is none, or a person has settled it.

    Of what may change, the newest text that speaks of it counts; what lasts (a family history, a condition that
    somebody ever had) may stand in any.
    """
    names = _names(leaf, judge)
    for note in _texts(judge) if names else ():
        if names.isdisjoint(concepts(note.text)):
            continue
        said = _said(leaf, note, judge)
        against = [
            item for item in said if item.stance is not answer.shown and not _settled(note, item, judge)
        ]
        if against:
            return _sentence(note, against[0].mention)
        if said and not _lasts(leaf):
            return None
    return None


def _texts(judge: Judge) -> tuple[Note, ...]:
    """Notes up to the day, newest first, and procedures with a result as the one line that they are."""
    known = judge.day.texts
    if known is None:
        texts = [note for note in judge.patient.notes if note.date is None or note.date <= judge.as_of]
        texts += [
            _as_note(item)
            for item in judge.patient.procedures
            if item.result and (item.date is None or item.date <= judge.as_of)
        ]
        texts.sort(key=lambda note: note.date or date.max, reverse=True)
        known = judge.day.texts = tuple(texts)
    return known


def _as_note(item: Procedure) -> Note:
    return Note(id=item.id, date=item.date, type="procedure", text=f"{item.name}: {item.result}")


def _said(leaf: Any, note: Note, judge: Judge) -> list[_Said]:
    """What the text says of the criterion's thing; of one person the last word counts."""
    every, names, last = mentions(note.text), _names(leaf, judge), dict[str, _Said]()
    spans = [(item.start, item.end) for item in every]
    for mention in every:
        if mention.concept not in names:
            continue
        meant = assertion(note.text, mention.start, mention.end, [s for s in spans if s[0] >= mention.end])
        stance = _stance(leaf, mention, meant, note, judge)
        if stance is not None:
            last[meant.subject] = _Said(mention, meant, stance)
    return list(last.values())


# --- what a criterion is about ----------------------------------------------------------------------------


def _names(leaf: Any, judge: Judge) -> frozenset[str]:
    """The concepts that speak of the criterion's thing."""
    known: frozenset[str] | None = leaf.__dict__.get("named")
    if known is None:
        known = leaf.__dict__["named"] = frozenset(_concepts(leaf))
    if isinstance(leaf, OnDrug) or (isinstance(leaf, AllergyTo) and leaf.requested):
        return known.union(judge.request.ingredients)
    return known


def _concepts(leaf: Any) -> Iterator[str]:
    if isinstance(leaf, Condition):
        for key, concept in CONCEPTS.items():
            if leaf.codes == concept.codes or (leaf.topic and leaf.topic == concept.topic):
                yield from (key, *_KINDS_OF.get(key, ()))
    elif isinstance(leaf, Taking | Trial | Intolerance | AllergyTo):
        yield from leaf.classes
        for drug in leaf.drugs:
            yield from BRANDS.get(drug, (drug,))
        yield from (name for name, (cls, _) in INGREDIENTS.items() if cls in leaf.classes)


def _lasts(leaf: Any) -> bool:
    return isinstance(leaf, Condition) and (leaf.status == "ever" or "family" in leaf.who)


# --- what a mention says of it ----------------------------------------------------------------------------


def _stance(leaf: Any, mention: Mention, meant: Assertion, note: Note, judge: Judge) -> bool | None:
    """Does the mention say that the criterion's thing is so, or that it is not? None: it says nothing of it."""
    if meant.subject == "other" or meant.sense == "planned":
        return None
    if isinstance(leaf, Condition):
        return _of_condition(leaf, mention, meant, note, judge)
    if meant.subject != "self" or (mention.concept in leaf_classes(leaf) and not meant.stated):
        return None
    if isinstance(leaf, AllergyTo):
        return True if meant.sense == "allergy" else None
    if isinstance(leaf, Taking | OnDrug):
        return _of_taking(leaf, mention, meant, note, judge)
    if meant.sense == "never":
        return False
    if meant.sense == "negated" or _charted(mention, judge):
        return None
    return True


def leaf_classes(leaf: Any) -> tuple[str, ...]:
    """Classes of drugs that the leaf names."""
    return getattr(leaf, "classes", ())


def _of_condition(
    leaf: Condition, mention: Mention, meant: Assertion, note: Note, judge: Judge
) -> bool | None:
    if meant.subject not in leaf.who or not (_lasts(leaf) or _is_recent(note, judge)):
        return None
    if meant.sense in ("negated", "never"):
        exact = mention.concept in CONCEPTS and CONCEPTS[mention.concept].codes == leaf.codes
        return False if exact and not _diagnosed_since(leaf, note, judge) else None
    if meant.sense == "ended" and leaf.status == "active" and meant.subject == "self":
        return None
    return None if not _lasts(leaf) and _stated_since(leaf, note, judge) else True


def _is_recent(note: Note, judge: Judge) -> bool:
    return note.date is None or note.date >= judge.as_of - timedelta(days=STATE_DAYS)


def _diagnosed_since(leaf: Condition, note: Note, judge: Judge) -> bool:
    """Whether the diagnosis was first made after the note."""
    onsets = [entry.onset for entry, _ in judge.problems() if entry.code.startswith(leaf.codes)]
    return note.date is not None and bool(onsets) and all(onset and onset > note.date for onset in onsets)


def _stated_since(leaf: Condition, note: Note, judge: Judge) -> bool:
    """Whether the chart has stated it, or denied it, after the note."""
    stated = judge.said(leaf.topic).get("self", ()) if leaf.topic else ()
    return any(item.date and note.date and item.date > note.date for item in stated)


def _of_taking(
    leaf: Taking | OnDrug, mention: Mention, meant: Assertion, note: Note, judge: Judge
) -> bool | None:
    """Taken on the note's day, unless the list agrees about that day. The product asked for is not held against
    itself, and is the only one that keeps it in use."""
    named = note.text[mention.start : mention.end].casefold()
    itself = named == judge.request.drug.casefold()
    if itself is isinstance(leaf, Taking) or not _is_recent(note, judge):
        return None
    if meant.sense == "response":  # how it went, and not whether it goes on
        return None
    taken = meant.sense == "current"
    charted = _charted(mention, judge)
    if (charted and not meant.stated) or _agrees(charted, taken, note):
        return None
    return taken if taken or _alone(leaf, mention, judge) else None


def _alone(leaf: Taking | OnDrug, mention: Mention, judge: Judge) -> bool:
    """Whether what the note says was ended is all that the list shows of the criterion's drugs today."""
    if isinstance(leaf, OnDrug):
        return True
    going = [
        entry
        for entry in judge.patient.medications or ()
        if _goes_on(entry, judge.as_of) and matches(entry, leaf.drugs, leaf.classes, entry.drug)
    ]
    return bool(going) and all(mention.concept in entry.ingredients for entry in going)


def _agrees(charted: list[Medication], taken: bool, note: Note) -> bool:
    """Whether the medication list says of the note's day what the note says."""
    if note.date is None:
        return False
    if taken:
        return any(_goes_on(entry, note.date) for entry in charted)
    return any(entry.start and entry.start > note.date for entry in charted)


def _goes_on(entry: Medication, day: date) -> bool:
    if entry.start is not None and entry.start > day:
        return False
    return day <= entry.end if entry.end is not None else entry.status == "active"


def _charted(mention: Mention, judge: Judge) -> list[Medication]:
    return [entry for entry in judge.patient.medications or () if mention.concept in entry.ingredients]


# --- settled by a person ----------------------------------------------------------------------------------


def _settled(note: Note, item: _Said, judge: Judge) -> bool:
    """Whether a person has decided about this sentence (`pa confirm --reject`)."""
    topic = DECIDED + sentence_id(note, item.mention)
    return any(entry.topic == topic for entry in judge.patient.attestations)


def sentence_id(note: Note, mention: Mention) -> str:
    """N and five letters or digits, which stay as long as the note says it there."""
    start, end = sentence_at(note.text, mention.start)
    return "N" + hashlib.sha256(f"{note.id}|{start}|{end}|{mention.concept}".encode()).hexdigest()[:5]


def _sentence(note: Note, mention: Mention) -> Evidence:
    start, end = sentence_at(note.text, mention.start)
    kind = "procedure" if note.type == "procedure" else "note"
    return Evidence(
        record_id=note.id,
        kind=kind,
        value=" ".join(note.text[start:end].split()),
        date=note.date,
        note=sentence_id(note, mention),
    )
