"""What lowers a leaf's certainty after its own evidence has answered: anything on record that says otherwise.

A leaf answers from the records that it asks for. Whatever else the chart holds against that answer makes it unknown,
with both sides shown, and never decides it the other way (design, "Unknown is never proof"): a medicine that nobody
can identify, codes that exclude each other, a pharmacy fill after a recorded stop, entries of one thing that overlap
and disagree, a procedure's result, a sentence in a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import msgspec

from tools.domain.records import Allergy, Diagnosis, Evidence, Fill, Medication, Patient, Program
from tools.domain.rules import (
    AllergyTo,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    OnDrug,
    Part,
    Programme,
    Taking,
    Trial,
)
from tools.evidence import courses, diagnoses, statements
from tools.evidence.context import EvaluationContext, LeafResult
from tools.evidence.listed import goes_on
from tools.evidence.notes import contradicting_sentence
from tools.evidence.products import goes_by_ingredient, is_product
from tools.messages import Message, action, iso, message
from tools.terminology.conditions import CONCEPTS, exclusive_codes
from tools.terminology.matcher import matches
from tools.terminology.medicines import medicine
from tools.terminology.substances import is_substance
from tools.terminology.terms import GENERAL_WORDS

Answer = Callable[[Any, EvaluationContext, bool], LeafResult]
Check = Callable[[Any, EvaluationContext, bool, LeafResult, Answer], LeafResult | None]


def checks_of(kind: type[Part]) -> tuple[Sequence[Check], Sequence[Check]]:
    """What can speak against a leaf of this kind that was not shown, and against one that was.

    Each is given the criterion, the chart with its day and request, whether the criterion asks for absence, what its
    own evidence shows, and the leaf's function, to ask it again of another chart; what it gives is unknown, or nothing.
    """
    return _IF_NOT_SHOWN.get(kind, ()), _IF_SHOWN.get(kind, ())


# --- medicines that nobody can identify -------------------------------------------------------------------


def _unidentified_medicine(
    leaf: Any, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """If one of them were a drug that the leaf means, would the answer be another one?"""
    for entry in context.unidentified():
        name = entry.drug.casefold()
        if name == context.request.drug.casefold():
            continue
        supposed = ask(_if_it_counts(leaf, name), context, exclude)
        if supposed.shown is not False:
            return _who_is(entry.drug, leaf.label, courses.entry_evidence(entry), answer)
    return None


def _unbranded_medicine(
    leaf: Any, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """A brand is meant, and what it contains is charted without a brand's name."""
    brands = _brands(leaf)
    if brands.keys().isdisjoint(context.patient.charted_ingredients):
        return None
    for entry in context.patient.medications or ():
        brand = brands.get(tuple(sorted(entry.ingredients)))
        if brand is None or not goes_by_ingredient(entry):
            continue
        if ask(_if_it_counts(leaf, entry.drug.casefold()), context, exclude).shown is not False:
            found = message("product.unbranded", drug=entry.drug, brand=brand)
            seen = (courses.entry_evidence(entry), *answer.records)
            return LeafResult(None, seen, found, "ambiguous", action("record_which_product", drug=entry.drug))
    return None


def _brands(leaf: Any) -> dict[tuple[str, ...], str]:
    """The brands that the leaf names, by what they contain."""
    known: dict[tuple[str, ...], str] | None = leaf.__dict__.get("brands")
    if known is None:
        meant = [medicine(name) for name in leaf.drugs]
        known = {tuple(sorted(one.ingredients)): one.name for one in meant if one.kind == "brand"}
        leaf.__dict__["brands"] = known
    return known


def _if_it_counts(leaf: Any, name: str) -> Any:
    """The leaf, if the medicine were one that it means; of those to be taken together, any."""
    if isinstance(leaf, Trial) and leaf.together:
        return msgspec.structs.replace(leaf, drugs=(name,), classes=())
    return msgspec.structs.replace(leaf, drugs=(*leaf.drugs, name))


def _unidentified_substance(
    leaf: AllergyTo | Intolerance, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    kind = "allergy" if isinstance(leaf, AllergyTo) else "intolerance"
    for item in context.patient.allergies or ():
        if item.type == kind and not item.ingredients and not is_substance(item.substance):
            seen = Evidence(record_id=item.id, kind="allergy", value=item.substance, date=item.date)
            return _who_is(item.substance, leaf.label, seen, answer)
    return None


def _who_is(name: str, label: str, seen: Evidence, answer: LeafResult) -> LeafResult:
    return LeafResult(
        None,
        (seen, *answer.records),
        message("doubt.unrecognised", name=name, label=label),
        "unrecognised",
        action("ask_name", name=name),
    )


# --- diagnoses that nobody can identify --------------------------------------------------------------------


def _unidentified_diagnosis(
    leaf: Condition, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """An entry without a code of ICD-10-CM, whose name tells nobody what it is, or shares the condition's own words."""
    uncoded = context.uncoded()
    if not uncoded or context.patient.conditions is None:
        return None
    if leaf.topic and context.said(leaf.topic).get("self"):
        return None
    for entry, term in uncoded:
        if diagnoses.kind_of_match(leaf, term.code, term.name):
            continue
        known = {"condition", "procedure"}.intersection([span.kind for span in matches(term.name)])
        shared = _own_words(leaf).intersection(term.name.replace(",", " ").split())
        denied = shared and diagnoses.denies(term.name, tuple(shared))
        if not known or (shared and not denied):
            seen = (_diagnosis(entry), *answer.records)
            what = _title(entry) or message("doubt.blank_entry", record=entry.id)
            found = message("doubt.diagnosis", what=what, condition=leaf.label)
            return LeafResult(None, seen, found, "unrecognised", action("ask_diagnosis", what=what))
    return None


def _own_words(leaf: Condition) -> frozenset[str]:
    """Words of the condition's names that name it and not how long, how far or where."""
    known: frozenset[str] | None = leaf.__dict__.get("own_words")
    if known is None:
        words = (word for name in (leaf.label, *leaf.phrases) for word in name.casefold().split())
        known = frozenset([word for word in words if len(word) > 4 and word not in GENERAL_WORDS])
        leaf.__dict__["own_words"] = known
    return known


# --- codes that exclude each other ------------------------------------------------------------------------


def _exclusive_codes(
    leaf: Condition, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """Both types of diabetes on one problem list: one of the two is an error."""
    others = _exclusive_of(leaf)
    if not others:
        return None
    against = [entry for entry in context.active() if entry.code.startswith(others)]
    mine = [entry for entry in context.active() if entry.code.startswith(leaf.codes)] if against else []
    if not mine:
        return None
    both = {"one": _title(mine[0]), "other": _title(against[0])}
    return LeafResult(
        None,
        tuple([_diagnosis(entry) for entry in (*mine, *against)]),
        message("doubt.exclusive", **both),
        "conflict",
        action("ask_which_code", **both),
    )


def _refuted_too(
    leaf: Condition, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """One diagnosis that one entry confirms and another, not known to be older, refutes."""
    refuted = context.refuted()
    for one in context.active() if refuted else ():
        for other in refuted:
            same = one.code == other.code if one.code else one.name.casefold() == other.name.casefold()
            older = one.onset is not None and other.onset is not None and other.onset < one.onset
            if same and not older and one.code.startswith(leaf.codes):
                both = {"one": _title(one), "other": f"{_title(other)}, refuted"}
                records = (_diagnosis(one), _diagnosis(other))
                return LeafResult(
                    None,
                    records,
                    message("doubt.exclusive", **both),
                    "conflict",
                    action("ask_which_code", **both),
                )
    return None


def _exclusive_of(leaf: Condition) -> tuple[str, ...]:
    """Code prefixes of the conditions that nobody has beside this one."""
    known: tuple[str, ...] | None = leaf.__dict__.get("exclusive")
    if known is None:
        mine = [key for key, concept in CONCEPTS.items() if leaf.codes == concept.codes]
        known = leaf.__dict__["exclusive"] = tuple([code for key in mine for code in exclusive_codes(key)])
    return known


def _title(entry: Diagnosis) -> str:
    return f"{entry.code} {entry.name}".strip()


def _diagnosis(entry: Diagnosis) -> Evidence:
    return Evidence(record_id=entry.id, kind="diagnosis", value=_title(entry), date=entry.onset)


# --- the list against the pharmacy, and against itself -----------------------------------------------------


def _filled_though_not_taken(
    leaf: Taking, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """Supply at hand of a drug that the list lacks or says was stopped before it was filled."""
    for fill in () if context.names_none(leaf) else context.patient.fills:
        at_hand = fill.date <= context.as_of < fill.date + timedelta(days=fill.days_supply)
        meant = at_hand and courses.matches(fill, leaf.drugs, leaf.classes, fill.drug)
        if not meant or is_product(fill, context.request):
            continue
        stopped = _last_end(context.patient.medications or (), leaf.drugs, leaf.classes)
        if stopped is None or fill.date > stopped:
            code = "doubt.filled_unlisted" if stopped is None else "doubt.filled_after_stop"
            return _conflict(fill, answer, code, stopped, "ask_if_taken")
    return None


def _filled_after_reaction(
    leaf: Intolerance, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """A drug that was not tolerated, and dispensed again after it was stopped, or, where no course is charted that
    ended, after the reaction was recorded."""
    if not context.patient.fills:
        return None
    stopped = _last_end(context.patient.medications or (), leaf.drugs, leaf.classes)
    since = stopped or _last_reaction(leaf, context.patient.allergies or ())
    if since is None:
        return None
    for fill in context.patient.fills:
        again = since < fill.date <= context.as_of
        if again and courses.matches(fill, leaf.drugs, leaf.classes, fill.drug):
            code = "doubt.filled_after_stop" if stopped else "doubt.filled_after_reaction"
            return _conflict(fill, answer, code, since, "ask_if_tolerated")
    return None


def _last_reaction(leaf: Intolerance, listed: Iterable[Allergy]) -> date | None:
    """The last day on which an intolerance of one of the drugs was recorded."""
    days = [
        item.date
        for item in listed
        if item.date is not None
        and item.type == "intolerance"
        and courses.matches(item, leaf.drugs, leaf.classes, item.substance)
    ]
    return max(days, default=None)


def _last_end(entries: Iterable[Medication], drugs: Sequence[str], classes: Sequence[str]) -> date | None:
    ends = [
        entry.end
        for entry in entries
        if entry.end is not None and courses.matches(entry, drugs, classes, entry.drug)
    ]
    return max(ends, default=None)


def _conflict(fill: Fill, answer: LeafResult, code: str, since: date | None, ask: str) -> LeafResult:
    return LeafResult(
        None,
        (*courses.fill_evidence([fill]), *answer.records),
        message(code, drug=fill.drug, day=iso(fill.date), days=fill.days_supply, since=iso(since)),
        "conflict",
        action(ask, drug=fill.drug),
    )


def _overlapping_courses(
    leaf: Any, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """Entries of one drug that began on one day, in one form, and went on or ended otherwise."""
    for pair in _disagreeing(context):
        meant = courses.matches(pair[0], leaf.drugs, leaf.classes, pair[0].drug)
        if meant and len(_without_either(pair, leaf, context, exclude, ask)) > 1:
            return _disagree(pair[0].drug, tuple(map(courses.entry_evidence, pair)))
    return None


def _disagreeing_use(
    leaf: OnDrug, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """The product asked for, told twice of one course, or at two doses now: nobody takes both."""
    taken = [entry for entry in context.patient.medications or () if is_product(entry, context.request)]
    for pair in combinations(taken, 2):
        one, other = pair
        two_doses = one.dose != other.dose and goes_on(one, context.as_of) and goes_on(other, context.as_of)
        disagree = two_doses or (_same_course(one, other) and _went(one) != _went(other))
        if disagree and len(_without_either(pair, leaf, context, exclude, ask)) > 1:
            return _disagree(one.drug, tuple(map(courses.entry_evidence, pair)))
    return None


def _without_either(
    pair: tuple[Medication, Medication], leaf: Any, context: EvaluationContext, exclude: bool, ask: Answer
) -> set[bool | None]:
    """The answers of a chart that lacks the one and of a chart that lacks the other."""
    taken = context.patient.medications or ()
    charts = [_with(context, medications=tuple([item for item in taken if item is not one])) for one in pair]
    return {ask(leaf, chart, exclude).shown for chart in charts}


def _disagreeing(context: EvaluationContext) -> tuple[tuple[Medication, Medication], ...]:
    """Entries of one course that went on or ended otherwise, looked for once a day. Most charts have no two of one
    day."""
    known = context.day.disagreeing
    if known is None:
        taken = context.patient.medications or ()
        pairs = combinations(taken, 2) if len({entry.start for entry in taken}) < len(taken) else ()
        known = context.day.disagreeing = tuple(
            [pair for pair in pairs if _same_course(*pair) and _went(pair[0]) != _went(pair[1])]
        )
    return known


def _went(entry: Medication) -> tuple[object, ...]:
    return entry.dose, entry.per_day, entry.end, entry.status, entry.outcome


def _same_course(one: Medication, other: Medication) -> bool:
    same_form = (one.ingredients, one.formulation) == (other.ingredients, other.formulation)
    return same_form and one.start is not None and one.start == other.start


def _overlapping_programs(
    leaf: Programme, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """Two records of one time that begin or end on other days and would decide differently."""
    for one, other in combinations(context.patient.programs, 2):
        if _overlap(one, other, context.as_of) and (one.start, one.end) != (other.start, other.end):
            starts = [item.start for item in (one, other) if item.start is not None]
            lasts = [item.end or context.as_of for item in (one, other)]
            whole = msgspec.structs.replace(one, start=min(starts), end=max(lasts))
            answers = {
                ask(leaf, _with(context, programs=(item,)), exclude).shown for item in (one, other, whole)
            }
            if len(answers) > 1:
                return _disagree(
                    "the_program",
                    tuple([statements.program_evidence(item, context.as_of) for item in (one, other)]),
                )
    return None


def _overlap(one: Program, other: Program, as_of: date) -> bool:
    """Whether both were on at one time; one that ends before it begins was at none."""
    if one.start is None or other.start is None:
        return False
    ends = (one.end or as_of, other.end or as_of)
    return one.start < ends[1] and other.start < ends[0] and one.start <= ends[0] and other.start <= ends[1]


def _disagree(what: str, records: tuple[Evidence, ...]) -> LeafResult:
    found = message("doubt.records", what=what, sides=tuple([str(record.value) for record in records]))
    return LeafResult(None, records, found, "conflict", action("confirm_record", what=what))


def _with(context: EvaluationContext, **lists: tuple[Any, ...]) -> EvaluationContext:
    """The same question of a chart that holds only these records of a list."""
    patient: Patient = msgspec.structs.replace(context.patient, **lists)
    return EvaluationContext(
        patient, context.request, context.as_of, context.therapy_start, context.policy_id
    )


# --- free text --------------------------------------------------------------------------------------------


def _said_otherwise(
    leaf: Any, context: EvaluationContext, exclude: bool, answer: LeafResult, ask: Answer
) -> LeafResult | None:
    """A sentence of a note, or a procedure's result, that says the opposite."""
    sentence = contradicting_sentence(leaf, context, answer)
    if sentence is None:
        return None
    told = {"where": _where(sentence), "quote": sentence.value}
    records = (sentence, *answer.records)
    return LeafResult(
        None, records, message("doubt.note", **told), "contradicted", action("ask_about_note", **told)
    )


def _where(sentence: Evidence) -> Message:
    if sentence.date is None:
        return message("note.undated", kind=sentence.kind)
    return message("note.dated", kind=sentence.kind, day=iso(sentence.date))


_MEDICINES: tuple[Check, ...] = (_unidentified_medicine, _unbranded_medicine)
# What can speak against a leaf that was shown, and against one that was not.
_IF_SHOWN: dict[type[Part], tuple[Check, ...]] = {
    Condition: (_exclusive_codes, _refuted_too, _said_otherwise),
    Taking: (_overlapping_courses, _said_otherwise),
    Trial: (_overlapping_courses, _said_otherwise),
    Intolerance: (_filled_after_reaction, _overlapping_courses, _said_otherwise),
    OnDrug: (_disagreeing_use, _said_otherwise),
    Programme: (_overlapping_programs, _said_otherwise),
    **dict.fromkeys((AllergyTo, Attested, Lab, Measured, Change), (_said_otherwise,)),
}
_IF_NOT_SHOWN: dict[type[Part], tuple[Check, ...]] = {
    **_IF_SHOWN,
    Condition: (_unidentified_diagnosis, _said_otherwise),
    Taking: (*_MEDICINES, _filled_though_not_taken, _overlapping_courses, _said_otherwise),
    Trial: (*_MEDICINES, _overlapping_courses, _said_otherwise),
    Intolerance: (*_MEDICINES, _unidentified_substance, _overlapping_courses, _said_otherwise),
    AllergyTo: (_unidentified_substance, _said_otherwise),
}
