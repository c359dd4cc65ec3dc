"""What free text tells otherwise than the lists, where both say that it is so: another dose or value, another outcome,
fewer tablets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from tools.domain.records import Evidence, Note
from tools.domain.rules import (
    Change,
    Intolerance,
    Lab,
    Measured,
    OnDrug,
    Part,
    Trial,
)
from tools.evidence.context import EvaluationContext
from tools.evidence.free_text import DENIED, Topic, evidence_of, mentions_of, settled, texts_of
from tools.evidence.listed import agrees, entries_of, goes_on
from tools.evidence.measurements import canonical
from tools.evidence.products import is_product
from tools.language.assertion import assertion, cues_around, sentence_at
from tools.language.likelihood import likelihood
from tools.language.mentions import Mention
from tools.language.reading import Reading, reading
from tools.language.stance import denied, words
from tools.terminology.matcher import medicines_in
from tools.terminology.observations import TESTS
from tools.terminology.quantities import Quantity, convert, each_quantity, quantities_in

_OVER = 0.85  # likelihood from which a drug is taken to be over, whatever cue is there
NEAR = 24  # characters between a drug and how long it was taken
_APART = 0.01  # share of a value of the day by which another is surely not the same
_IS_SO = 0.5  # likelihood from which a value that a text tells is the patient's of that day
_TABLET = "{tablet}"
WENT_OTHERWISE = frozenset(("failed", "partial", "intolerant"))


def _said_at_another_dose(leaf: OnDrug, topic: Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence of the newest note on the product asked for that denies the dose on the list, or tells others and
    not that one."""
    going = [entry for entry in context.patient.medications or () if goes_on(entry, context.as_of)]
    listed = [entry for entry in going if is_product(entry, context.request) and entry.dose is not None]
    if leaf.min_dose is None or not listed:
        return None
    texts = texts_of(context)
    for note, told in texts.notes:
        if topic.concepts.isdisjoint(told.named):
            continue
        named = told.naming(context.request.ingredients)
        if not named or not texts.is_recent(note) or agrees(listed, False, note):
            return None
        for mention in named:
            doses = _doses_behind(mention, told.mentions, note.text)
            here = [item for item in doses if item[0] in {entry.dose for entry in listed}]
            if any(denied for _, denied in here) or (doses and not here and not all(d for _, d in doses)):
                return None if settled(note, mention, context) else evidence_of(note, mention)
        return None
    return None


def _doses_behind(mention: Mention, every: Sequence[Mention], text: str) -> list[tuple[float, bool]]:
    """Doses in mg between a drug and the next one in its sentence, each with whether it is denied or over."""
    start, end = sentence_at(text, mention.start)
    end = min([item.start for item in every if mention.end <= item.start < end], default=end)
    sentence, found = text[start:end], []
    for one in quantities_in(sentence):
        behind = one.start >= mention.end - start and one.unit == "mg" and one.per is None
        if behind and sentence[one.end : one.end + 1] != "/":
            sense = assertion(sentence, one.start, one.end).sense
            found.append((one.low, sense in (*DENIED, "ended")))
    return found


def a_day(told: Quantity) -> float | None:
    """How often a day, or on what share of the days: "every other week", "two days a week"."""
    if told.unit.startswith("/"):
        span = convert(1.0, told.unit[1:], "d")
        return told.high / span if span else None
    if told.unit == "d" and told.per is not None:
        span = convert(told.per[0], told.per[1], "d")
        return told.high / span if span else None
    return None


def reads_as(senses: Sequence[str], mention: Mention, note: Note) -> bool:
    """Whether the words around a drug are surely those of one that the patient has so: "never picked up the …"."""
    likely = likelihood(note.text, mention.start, mention.end, "drug")
    return likely.of(*senses) >= _OVER and likely.who["patient"] >= _OVER


def _said_to_be_tolerated(leaf: Intolerance, topic: Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence that says of the drug that it is tolerated, or denies a reaction for which it is listed, once that
    was over: "tolerated metformin", "no nausea on Mounjaro"."""
    for mention, note, told in mentions_of(topic, context):
        meant = told.meant(mention, thing=True)
        if meant.subject != "self" or meant.sense == "planned":
            continue
        reactions = _listed_reactions(mention.concept, note, context)
        if reactions is None:
            continue
        affirmed, denies = _tolerated(mention, note, told, reactions)
        if affirmed or (denies and meant.sense != "ended"):
            return evidence_of(note, mention)
    return None


def _tolerated(mention: Mention, note: Note, told: Reading, reactions: frozenset[str]) -> tuple[bool, bool]:
    """Whether its sentence, which names no other drug, tells that it is tolerated and none of the reactions;
    and whether it denies one of them."""
    start, end = sentence_at(note.text, mention.start)
    here = [other for other in told.mentions if start <= other.start < end]
    senses = {other.concept: told.meant(other, thing=False).sense for other in here}
    contrary = senses.get("contrary:tolerating")
    several = len({span.key for span in medicines_in(note.text[start:end])}) > 1
    if several or contrary not in (None, *DENIED):
        return False, False
    of_reactions = {senses[reaction] for reaction in reactions & senses.keys()}
    denies = not of_reactions.isdisjoint(("negated", "never")) and not reads_as(("reaction",), mention, note)
    affirmed = any(
        other.concept == "affirms:tolerating"
        and senses[other.concept] == "current"
        and all(
            sense != "ended"
            for side, _, sense, _ in cues_around(note.text, other.start, other.end)
            if side == "="
        )
        for other in here
    )
    return (affirmed or contrary is not None) and of_reactions <= {"negated", "never"}, denies


def _said_to_be_fewer(leaf: Trial, topic: Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence that tells fewer tablets a day than the list has of a course that goes on, of which a daily dose is
    asked: "only one metformin a day"."""
    for mention, note, told in mentions_of(topic, context) if leaf.min_daily_dose else ():
        going = [
            entry for entry in entries_of(mention, context) if goes_on(entry, note.date or context.as_of)
        ]
        listed = [entry.per_day for entry in going if entry.per_day]
        taken = _tablets_a_day(mention, note.text)
        if (
            listed
            and taken
            and max(taken) < min(listed)
            and told.meant(mention, thing=True).subject == "self"
        ):
            return evidence_of(note, mention)
    return None


def _said_to_have_worked(leaf: Trial, topic: Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence that says of a course that it did well, and no worse, once it was over or while it goes on, where
    the criterion asks that it did not."""
    if not leaf.responses or "effective" in leaf.responses:
        return None
    for mention, note, told in mentions_of(topic, context):
        day = note.date
        over = [one for one in entries_of(mention, context) if not (one.end and day and one.end > day)]
        if not over or outcomes_told(mention, note, told) != {"effective"}:
            continue
        meant = told.meant(mention, thing=True)
        if meant.subject == "self" and meant.sense not in (*DENIED, "planned"):
            return evidence_of(note, mention)
    return None


def outcomes_told(mention: Mention, note: Note, told: Reading) -> set[str]:
    """How things went in its sentence; that they went well only if the drug is what is named nearest to it."""
    start, end = sentence_at(note.text, mention.start)
    here = [other for other in told.mentions if start <= other.start < end]
    found = set[str]()
    for word in words(note.text[start:end], "course"):
        nearest = min(
            here, key=lambda other: max(other.start - start - word.end, start + word.start - other.end)
        )
        well = nearest.start == mention.start and not denied(note.text[start:end], word.start, word.end)
        if word.key in WENT_OTHERWISE or (word.key == "effective" and well):
            found.add(word.key)
    return found


def _said_at_a_lower_dose(leaf: Trial, topic: Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence that tells a lower daily dose of a course than the list, where a daily dose is asked for: "only ever
    took metformin 500 mg once daily". How often it is taken is as listed where the sentence does not tell it."""
    for mention, note, told in mentions_of(topic, context) if leaf.min_daily_dose else ():
        listed = [
            (one.dose, one.per_day or 1.0) for one in entries_of(mention, context) if one.dose is not None
        ]
        meant = told.meant(mention, thing=True)
        if meant.subject != "self" or meant.sense == "planned" or _tablets_a_day(mention, note.text):
            continue
        doses = [dose for dose, over in _doses_behind(mention, told.mentions, note.text) if not over]
        start, end = sentence_at(note.text, mention.start)
        often = [times for one in quantities_in(note.text[start:end]) if (times := a_day(one)) is not None]
        if (
            doses
            and listed
            and all(max(doses) * max(often, default=many) < dose * many for dose, many in listed)
        ):
            return evidence_of(note, mention)
    return None


def _said_to_be_another_value(
    leaf: Lab | Change | Measured, topic: Topic, context: EvaluationContext
) -> Evidence | None:
    """The sentence of the day of the newest value that tells another one of the same test, which is nowhere listed."""
    for mention, note, told in mentions_of(topic, context):
        usable = context.values(mention.concept).usable if mention.concept in TESTS else []
        if not usable or note.date != usable[0].date:
            continue
        values = _values_told(mention, note.text)
        listed = [(one.value, _APART if one.date == note.date else 0.0) for one in usable]
        if not values or any(abs(value - one) <= apart * one for value in values for one, apart in listed):
            continue
        if told.meant(mention, thing=False).subject == "self":
            likely = likelihood(note.text, mention.start, mention.end, "test")
            if likely.of("present") >= _IS_SO and likely.who["patient"] >= _IS_SO:
                return evidence_of(note, mention)
    return None


def _values_told(mention: Mention, text: str) -> list[float]:
    """What the number right behind the name of a test may come to in its unit: "A1c today was 6.2 %". One without
    a unit may be in any of the test's, and counts only where it has decimals."""
    behind = text[mention.end : sentence_at(text, mention.start)[1]]
    for one in islice(each_quantity(behind), 1):
        if one.start > NEAR or one.value is None or one.compare or not (one.unit or one.value % 1):
            break
        units = (one.unit,) if one.unit else TESTS[mention.concept].units
        values = [canonical(mention.concept, one.value, unit) for unit in units]
        return [value for value in values if value is not None]
    return []


def _tablets_a_day(mention: Mention, text: str) -> list[float]:
    """What its sentence counts a day, where the drug's name may stand for a tablet of it."""
    start, end = sentence_at(text, mention.start)
    counted = quantities_in(f"{text[start : mention.start]}tablet{text[mention.end : end]}")
    spans = [
        (one.low, convert(one.per[0], one.per[1], "d")) for one in counted if one.per and one.unit == _TABLET
    ]
    return [many / days for many, days in spans if days]


def _listed_reactions(ingredient: str, note: Note, context: EvaluationContext) -> frozenset[str] | None:
    """What the medication and allergy lists say the drug did; None if they say so of a day after the note alone."""
    told = [
        (entry.end, entry.reason)
        for entry in context.patient.medications or ()
        if ingredient in entry.ingredients
    ]
    told += [
        (item.date, item.reaction)
        for item in context.patient.allergies or ()
        if ingredient in item.ingredients
    ]
    before = [words for day, words in told if not (day and note.date and note.date < day)]
    return frozenset[str]().union(*[reading(words).named for words in before]) if before else None


# What a note can say against a kind of leaf that was shown, beside the bare opposite.
CONTRADICTIONS: dict[type[Part], tuple[Callable[[Any, Topic, EvaluationContext], Evidence | None], ...]] = {
    OnDrug: (_said_at_another_dose,),
    Intolerance: (_said_to_be_tolerated,),
    Trial: (_said_to_be_fewer, _said_at_a_lower_dose, _said_to_have_worked),
    Lab: (_said_to_be_another_value,),
    Change: (_said_to_be_another_value,),
    Measured: (_said_to_be_another_value,),
}
