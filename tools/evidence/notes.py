"""Whether free text says the opposite of what a criterion's own evidence shows.

Free text may lower certainty and never raises it, so a sentence is looked for only against an answer that has been
given. Notes are read only where they name what the criterion is about: most charts pay for one search of their text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tools.evidence.judge import DECIDED, Judge, Shown
from tools.records import Evidence, Medication, Note, Procedure
from tools.rules import AllergyTo, Attested, Condition, Intolerance, OnDrug, Programme, Taking, Trial
from tools.terms import CONCEPTS

if TYPE_CHECKING:
    from tools.notes.facts import NoteFact

STATE_DAYS = 365  # what a note says to be so now, it says of the year around it
_TAKEN = ("taking", "effective")
_ENDED = ("stopped", "intolerance")
_COURSE = ("tried", "taking", "stopped", "intolerance", "inadequate", "partial", "effective")
# What also shows a condition, beside the condition itself.
_KINDS_OF = {"ascvd": ("mi", "stroke", "pad"), "mtc_men2": ("thyroid_cancer",)}


def contradicting_sentence(leaf: Any, judge: Judge, answer: Shown) -> Evidence | None:
    """The sentence on record that says the opposite of the answer; None if there is none, or a person has settled it.

    Of several notes the newest that speaks of the thing counts: a later one that agrees with the answer settles it.
    """
    names = _names(leaf, judge)
    if not names:
        return None
    for note in _newest_first(judge):
        if names.isdisjoint(_named(note.text)):
            continue
        speaks = [fact for fact in _read(note) if _applies(leaf, fact, note, judge, answer)]
        against = [fact for fact in speaks if _stance(leaf, fact, judge) is not answer.shown]
        if against and not _settled(note, against[0], judge):
            return _sentence(note, against[0])
        if speaks:
            return None
    return None


def _newest_first(judge: Judge) -> Iterator[Note]:
    """Notes up to the day, and procedures with a result as the one line that they are."""
    known: Sequence[Note] | None = judge.day.texts
    if known is None:
        texts = [note for note in judge.patient.notes if note.date is None or note.date <= judge.as_of]
        texts += [
            _as_note(item)
            for item in judge.patient.procedures
            if item.result and (item.date is None or item.date <= judge.as_of)
        ]
        texts.sort(key=lambda note: note.date or date.max, reverse=True)
        known = judge.day.texts = tuple(texts)
    return iter(known)


def _as_note(item: Procedure) -> Note:
    return Note(id=item.id, date=item.date, type="procedure", text=f"{item.name}: {item.result}")


def _read(note: Note) -> list[NoteFact]:
    from tools.notes.reader import read_note  # a cold start pays for the reader only where a note is read

    return read_note(note)


@lru_cache(maxsize=16384)
def _named(text: str) -> frozenset[str]:
    """Drugs, classes and conditions that the text names."""
    from tools.notes.lexicon import diagnoses_in, drugs_in

    drugs = (name.replace("_", " ") for m in drugs_in(text, 0, len(text)) for name in m.of.split("+"))
    return frozenset([*drugs, *(m.of for m in diagnoses_in(text, 0, len(text)))])


# --- what a criterion is about ----------------------------------------------------------------------------


def _names(leaf: Any, judge: Judge) -> frozenset[str]:
    """The concepts of which a note must name one to be read for the criterion."""
    known: frozenset[str] | None = leaf.__dict__.get("named")
    if known is None:
        known = leaf.__dict__["named"] = frozenset(_concepts(leaf))
    if isinstance(leaf, OnDrug) or (isinstance(leaf, AllergyTo) and leaf.requested):
        return known | {judge.request.drug.casefold(), *judge.request.ingredients}
    return known


def _concepts(leaf: Any) -> Iterator[str]:
    if isinstance(leaf, Condition):
        for key, concept in CONCEPTS.items():
            if leaf.codes == concept.codes or (leaf.topic and leaf.topic == concept.topic):
                yield from (key, *_KINDS_OF.get(key, ()))
    elif isinstance(leaf, Taking | Trial | Intolerance | AllergyTo):
        from tools.terms import BRANDS, INGREDIENTS

        yield from leaf.drugs
        yield from leaf.classes
        for drug in leaf.drugs:
            yield from BRANDS.get(drug, ())
        yield from (name for name, (cls, _) in INGREDIENTS.items() if cls in leaf.classes)


# --- what a fact says of it -------------------------------------------------------------------------------


def _applies(leaf: Any, fact: NoteFact, note: Note, judge: Judge, answer: Shown) -> bool:
    """Whether the fact speaks of the criterion's thing, of its time, and tells more than the answer knows."""
    stance = _stance(leaf, fact, judge)
    if stance is None:
        return False
    if isinstance(leaf, Condition):
        lasting = leaf.status == "ever" or "family" in fact.subjects
        return lasting or _of_now(note, judge)
    if isinstance(leaf, Programme | Attested):
        return _of_now(note, judge)
    if isinstance(leaf, Taking | OnDrug):
        return _of_now(note, judge) and not _listed_then(fact, note, judge)
    if isinstance(leaf, Trial | Intolerance) and stance:
        return not _charted(fact, judge)
    return True


def _of_now(note: Note, judge: Judge) -> bool:
    return note.date is None or note.date >= judge.as_of - timedelta(days=STATE_DAYS)


def _listed_then(fact: NoteFact, note: Note, judge: Judge) -> bool:
    """Whether the medication list agrees with the note about the day of the note."""
    if note.date is None:
        return False
    taken = fact.kind in _TAKEN and fact.present
    for entry in _charted(fact, judge):
        end = entry.end or (None if entry.status == "active" else note.date)
        then = (entry.start is None or entry.start <= note.date) and (end is None or note.date <= end)
        if taken and then:
            return True
        if not taken and entry.start is not None and note.date < entry.start:
            return True
    return False


def _charted(fact: NoteFact, judge: Judge) -> list[Medication]:
    ingredients = set(_ingredients(fact))
    return [entry for entry in judge.patient.medications or () if ingredients & set(entry.ingredients)]


def _stance(leaf: Any, fact: NoteFact, judge: Judge) -> bool | None:
    """Does the fact say that the criterion's thing is so, or is not so? None: it says nothing of it."""
    if "other" in fact.subjects or fact.status in ("planned", "declined"):
        return None
    if isinstance(leaf, Condition):
        return _condition(leaf, fact)
    if fact.subjects != ("self",):
        return None
    if isinstance(leaf, Attested):
        return fact.present if fact.kind == "statement" and fact.of == leaf.topic else None
    if isinstance(leaf, Programme):
        return False if fact.kind == "programme" and not fact.present else None
    drugs = (judge.request.drug.casefold(),) if isinstance(leaf, OnDrug) else leaf.drugs
    classes = () if isinstance(leaf, OnDrug) else leaf.classes
    if isinstance(leaf, AllergyTo) and leaf.requested:
        drugs = (*drugs, judge.request.drug.casefold(), *judge.request.ingredients)
    if not _of_drug(fact, drugs, classes):
        return None
    if isinstance(leaf, AllergyTo):
        return True if fact.kind == "allergy" and fact.present else None
    if isinstance(leaf, Taking | OnDrug):
        return _taking(leaf, fact, judge)
    if isinstance(leaf, Intolerance):
        return fact.present if fact.kind == "intolerance" and fact.present else _never(fact)
    return True if fact.kind in _COURSE and fact.present else _never(fact)


def _condition(leaf: Condition, fact: NoteFact) -> bool | None:
    if fact.kind != "diagnosis" or not set(fact.subjects) & set(leaf.who):
        return None
    keys = [key for key in _concepts(leaf) if key == fact.of]
    if not keys:
        return None
    if not fact.present:
        whole = set(leaf.who) <= set(fact.subjects) and CONCEPTS.get(fact.of, None) is not None
        return False if whole and CONCEPTS[fact.of].codes == leaf.codes else None
    if fact.status == "history" and leaf.status == "active":
        return None
    return True


def _taking(leaf: Taking | OnDrug, fact: NoteFact, judge: Judge) -> bool | None:
    """The product asked for does not count against itself."""
    if isinstance(leaf, Taking) and fact.drug.casefold() == judge.request.drug.casefold():
        return None
    if fact.kind in _TAKEN and fact.status == "current":
        return fact.present
    if fact.kind in _ENDED and fact.present and fact.status == "history":
        return False
    return _never(fact)


def _never(fact: NoteFact) -> bool | None:
    return False if fact.kind == "tried" and not fact.present else None


def _of_drug(fact: NoteFact, drugs: Sequence[str], classes: Sequence[str]) -> bool:
    from tools.terms import INGREDIENTS

    ingredients = _ingredients(fact)
    of_class = {INGREDIENTS[name][0] for name in ingredients if name in INGREDIENTS} | {fact.of}
    return bool(set(ingredients) & set(drugs) or fact.drug.casefold() in drugs or of_class & set(classes))


def _ingredients(fact: NoteFact) -> tuple[str, ...]:
    return tuple(name.replace("_", " ") for name in fact.of.split("+"))


# --- settled by a person ----------------------------------------------------------------------------------


def _settled(note: Note, fact: NoteFact, judge: Judge) -> bool:
    """Whether a person has decided about this sentence (`pa confirm`)."""
    decided = {item.topic for item in judge.patient.attestations if item.topic.startswith(DECIDED)}
    if not decided:
        return False
    from tools.notes.leads import lead_id

    parts = ("medications", "conditions", "attestations", "observations", "programs")
    return any(
        DECIDED + lead_id(note.id, fact.start, fact.end, part, fact.kind, fact.of) in decided
        for part in parts
    )


def _sentence(note: Note, fact: NoteFact) -> Evidence:
    from tools.notes.reader import passage_of

    start, end = passage_of(note, fact.start, fact.end)
    kind = "procedure" if note.type == "procedure" else "note"
    return Evidence(
        record_id=note.id, kind=kind, value=" ".join(note.text[start:end].split()), date=note.date
    )
