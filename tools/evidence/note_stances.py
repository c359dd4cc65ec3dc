"""What a mention in free text says of a criterion's thing: that it is so, that it is not, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.domain.records import Note
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
from tools.evidence.context import EvaluationContext
from tools.evidence.courses import matches
from tools.evidence.free_text import DENIED, VALUES, lasts
from tools.evidence.listed import agrees, entries_of, goes_on, is_charted, is_of
from tools.evidence.measurements import Value
from tools.evidence.note_details import NEAR, WENT_OTHERWISE, a_day, outcomes_told, reads_as
from tools.language.assertion import Assertion, sentence_at
from tools.language.likelihood import likelihood
from tools.language.mentions import Mention
from tools.language.reading import reading
from tools.language.stance import denied, words
from tools.terminology.conditions import conditions
from tools.terminology.dates import dates_in
from tools.terminology.matcher import medicines_in
from tools.terminology.medicines import medicine
from tools.terminology.observations import tests
from tools.terminology.quantities import convert, quantities_in

_NOT_HERS = 0.4  # likelihood of the patient under which a value is taken to be another person's
_VOID = 0.3  # likelihood from which a value is taken to be taken back
_FEWER = 0.75  # share of the doses on the list under which a drug is not taken as prescribed


def stance_of(
    leaf: Any, mention: Mention, meant: Assertion, note: Note, context: EvaluationContext
) -> bool | None:
    """Does the mention say that the criterion's thing is so, or that it is not? None: it says nothing of it."""
    if isinstance(leaf, VALUES):
        return False if _takes_back(leaf, mention, meant, note, context) else None
    if meant.subject == "other" or meant.sense == "planned" or (mention.how == "result" and not meant.stated):
        return None
    if note.type == "procedure" and meant.sense == "ended":
        meant = meant._replace(sense="current")  # a procedure that is done was done
    if isinstance(leaf, Condition):
        return _of_condition(leaf, mention, meant, note, context)
    if meant.subject != "self":
        return None
    if isinstance(leaf, Attested):
        return (
            None
            if _of_another_drug(mention, note, context)
            else _of_statement(leaf, mention, meant, note, context)
        )
    if isinstance(leaf, Programme):
        return False if meant.sense in ("negated", "never") else None
    return _of_drug(leaf, mention, meant, note, context)


def _takes_back(
    leaf: Lab | Change | Measured, mention: Mention, meant: Assertion, note: Note, context: EvaluationContext
) -> bool:
    """Whether the text takes the newest value back, or gives it to another person. Where no cue says so, its sentence
    must tell the value or its day: "the AHI of 31 is his brother's", "the sleep study of 7/18 is not hers"."""
    known = mention.concept in tests()
    usable = context.values(mention.concept if known else _tested(leaf)).usable
    newest = [value for value in usable if value.date == usable[0].date]
    if not newest or (note.date is not None and note.date < newest[0].date):
        return False
    if meant.sense == "void":
        return True
    start, end = sentence_at(note.text, mention.start)
    if not _tells(note.text[start:end], note, newest):
        return False
    likely = likelihood(note.text, mention.start, mention.end, "test")
    return likely.who["patient"] <= _NOT_HERS or likely.sense["void"] >= _VOID


def _tested(leaf: Lab | Change | Measured) -> str:
    return leaf.tests[0] if isinstance(leaf, Measured) else leaf.test


def _tells(sentence: str, note: Note, values: Sequence[Value]) -> bool:
    """Whether a sentence tells one of the values, or the day that they are from."""
    told = {one.low for one in quantities_in(sentence)}
    if any(seen.value in told for value in values for seen in value.seen):
        return True
    return any(span.day == values[0].date for span in dates_in(sentence, note.date))


def _of_condition(
    leaf: Condition, mention: Mention, meant: Assertion, note: Note, context: EvaluationContext
) -> bool | None:
    if meant.subject not in leaf.who:
        return None
    if meant.sense in DENIED:
        denied_here = _is_itself(leaf, mention) or _is_all_that_is_listed(leaf, mention, note, context)
        return False if denied_here and not _diagnosed_since(leaf, note, context) else None
    if meant.sense == "ended" and leaf.status == "active" and meant.subject == "self":
        return None
    if mention.how == "may_be" and (
        _is_another_kind(leaf, mention, note) or _is_stated(leaf, meant, note, context)
    ):
        return None
    return None if not lasts(leaf) and _stated_since(leaf, note, context) else True


def _is_itself(leaf: Condition, mention: Mention) -> bool:
    row = conditions().get(mention.concept)
    return mention.how == "named" and row is not None and row.codes == leaf.codes


def _is_all_that_is_listed(leaf: Condition, mention: Mention, note: Note, context: EvaluationContext) -> bool:
    """Whether what is named is a narrower condition, and the problem list has nothing else of the criterion's: no MI is
    not no ASCVD, unless ASCVD rests on an MI."""
    if mention.how != "implied":
        return False
    listed = [entry.code for entry, _ in context.problems() if entry.code.startswith(leaf.codes)]
    here = [
        item for item in reading(note.text).mentions if item.start == mention.start and item.how == "named"
    ]
    codes = [row.codes for item in here if (row := conditions().get(item.concept)) and row.codes]
    return bool(listed) and any(all(code.startswith(one) for code in listed) for one in codes)


def _is_another_kind(leaf: Condition, mention: Mention, note: Note) -> bool:
    """Whether its sentence says of which kind it is: a papillary carcinoma is no medullary one."""
    start, end = sentence_at(note.text, mention.start)
    sentence = note.text[start:end].casefold()
    return any(phrase in sentence for phrase in leaf.not_phrases)


def _is_stated(leaf: Condition, meant: Assertion, note: Note, context: EvaluationContext) -> bool:
    """What only hints at it is settled by what the chart states or denies of that person on its day or after it."""
    if not leaf.topic or meant.subject == "other":
        return False
    stated = context.said(leaf.topic).get(meant.subject, ())
    return any(note.date is None or (item.date is not None and item.date >= note.date) for item in stated)


def _of_another_drug(mention: Mention, note: Note, context: EvaluationContext) -> bool:
    """Whether its sentence names a drug, and not the one asked for."""
    start, end = sentence_at(note.text, mention.start)
    named = {span.key for span in medicines_in(note.text[start:end])}
    return bool(named) and named.isdisjoint({context.request.drug.casefold(), *context.request.ingredients})


def _diagnosed_since(leaf: Condition, note: Note, context: EvaluationContext) -> bool:
    """Whether the diagnosis was first made after the note."""
    onsets = [entry.onset for entry, _ in context.problems() if entry.code.startswith(leaf.codes)]
    return note.date is not None and bool(onsets) and all(onset and onset > note.date for onset in onsets)


def _stated_since(leaf: Condition, note: Note, context: EvaluationContext) -> bool:
    """Whether the chart has stated it, or denied it, after the note."""
    stated = context.said(leaf.topic).get("self", ()) if leaf.topic else ()
    return any(item.date and note.date and item.date > note.date for item in stated)


def _of_statement(
    leaf: Attested, mention: Mention, meant: Assertion, note: Note, context: EvaluationContext
) -> bool | None:
    """False where the text says the contrary of the statement, or denies it, on its day or after it."""
    if mention.concept in context.request.ingredients:
        if not _taken_less_often(mention, note, context):
            return None
    elif (meant.sense in (*DENIED, "ended")) is mention.concept.startswith("contrary:"):
        return None
    stated = [item.date for item in context.said(leaf.topic).get("self", ()) if item.date and item.present]
    return False if note.date is None or not stated or note.date >= max(stated) else None


def _taken_less_often(mention: Mention, note: Note, context: EvaluationContext) -> bool:
    """Whether its sentence tells fewer doses than the list: "has taken it on only two days a week"."""
    listed = [
        item.per_day for item in entries_of(mention, context) if item.per_day and goes_on(item, context.as_of)
    ]
    start, end = sentence_at(note.text, mention.start)
    told = [often for one in quantities_in(note.text[start:end]) if (often := a_day(one)) is not None]
    return bool(listed and told) and max(told) < _FEWER * min(min(listed), 1.0)


def _of_drug(
    leaf: Any, mention: Mention, meant: Assertion, note: Note, context: EvaluationContext
) -> bool | None:
    of_class = not isinstance(leaf, OnDrug) and mention.concept in leaf.classes
    if of_class and not meant.stated:
        return None  # "GLP-1" alone names no medicine that anybody takes
    if isinstance(leaf, AllergyTo):
        return _of_allergy(mention, meant, note, context)
    if isinstance(leaf, Taking | OnDrug):
        return _of_taking(leaf, mention, meant, note, context)
    if meant.sense == "never" or (not meant.stated and reads_as(("absent",), mention, note)):
        return None if _rests_on_others(leaf, mention, context) else False
    if isinstance(leaf, Trial) and _too_short(leaf, mention, meant, note, context):
        return False
    return None if meant.sense in DENIED else True


def _of_allergy(mention: Mention, meant: Assertion, note: Note, context: EvaluationContext) -> bool | None:
    """Allergic to it; or not so, where the text denies it or takes it back, and the list is not younger."""
    if meant.sense == "allergy":
        return True
    listed = [item.date for item in context.patient.allergies or () if is_of(item, mention)]
    younger = any(day and note.date and day > note.date for day in listed)
    taken_back = meant.sense in DENIED and _speaks_of_allergy(mention, meant, note)
    return False if taken_back and not younger else None


def _speaks_of_allergy(mention: Mention, meant: Assertion, note: Note) -> bool:
    """Whether it is an allergy that its sentence takes back, or denies of what is named right beside it."""
    start, end = sentence_at(note.text, mention.start)
    sentence, first, last = note.text[start:end], mention.start - start, mention.end - start
    for word in words(sentence, "course"):
        beside = word.end <= first or not sentence[last : word.start].strip()
        if word.key == "allergic" and (
            meant.sense == "void" or (beside and denied(sentence, word.start, word.end))
        ):
            return True
    return False


def _rests_on_others(leaf: Trial | Intolerance, mention: Mention, context: EvaluationContext) -> bool:
    """Whether the list has courses that the criterion means, and none of the drug named."""
    return (
        is_charted(leaf, context) and mention.concept not in leaf.classes and not entries_of(mention, context)
    )


def _too_short(
    leaf: Trial, mention: Mention, meant: Assertion, note: Note, context: EvaluationContext
) -> bool:
    """Whether a course that the text says to be over may have lasted fewer days than are asked for: the list has it go
    on, and it is not told how it went; or has none so short, and the sentence tells so few."""
    if meant.sense != "ended" or not leaf.min_days:
        return False
    charted, day = entries_of(mention, context), note.date or context.as_of
    goes_on_there = bool(charted) and all(goes_on(entry, day) and entry.end != day for entry in charted)
    if goes_on_there and not outcomes_told(mention, note, reading(note.text)):
        return True
    spans = [(entry.end - entry.start).days for entry in charted if entry.start and entry.end]
    if any(days < leaf.min_days for days in spans):
        return False
    end = sentence_at(note.text, mention.start)[1]
    behind = quantities_in(note.text[mention.end : end])[:1]
    lasted = [convert(one.high, one.unit, "d") for one in behind if one.start <= NEAR]
    return any(days is not None and days < leaf.min_days for days in lasted)


def _of_taking(
    leaf: Taking | OnDrug, mention: Mention, meant: Assertion, note: Note, context: EvaluationContext
) -> bool | None:
    """Taken on the note's day, unless the list agrees about that day. The product asked for is not held against
    itself, and is the only one that keeps it in use."""
    named = medicine(note.text[mention.start : mention.end])
    itself = named.name.casefold() == context.request.drug.casefold() or (
        named.kind != "brand" and mention.concept in context.request.ingredients and not meant.stated
    )
    if itself is isinstance(leaf, Taking):
        return None
    if meant.sense == "response":  # how it went, and not whether it goes on
        return None
    taken, charted = meant.sense == "current", entries_of(mention, context)
    bare = not meant.stated and (
        isinstance(leaf, OnDrug)
        or not reads_as(("present",), mention, note)
        or not WENT_OTHERWISE.isdisjoint(outcomes_told(mention, note, reading(note.text)))
    )
    if (charted and bare) or agrees(charted, taken, note):
        return None
    return taken if taken or _alone(leaf, mention, context) else None


def _alone(leaf: Taking | OnDrug, mention: Mention, context: EvaluationContext) -> bool:
    """Whether what the note says was ended is all that the list shows of the criterion's drugs today."""
    if isinstance(leaf, OnDrug):
        return True
    going = [
        entry
        for entry in context.patient.medications or ()
        if goes_on(entry, context.as_of) and matches(entry, leaf.drugs, leaf.classes, entry.drug)
    ]
    return all(is_of(entry, mention) for entry in going)
