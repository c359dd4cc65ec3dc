"""Whether free text says the opposite of what a criterion's own evidence shows.

Free text may lower certainty and never raises it, so a sentence is looked for only against an answer that has been
given, and a mere mention counts where nothing says that it is denied, over, planned or another's. A text is read only
where it names what the criterion is about: most charts pay for one search of their text.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

from tools.domain.records import Allergy, Evidence, Medication, Note, Procedure
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
from tools.evidence.context import DECIDED, EvaluationContext, LeafResult
from tools.evidence.courses import matches
from tools.evidence.measurements import Value, canonical
from tools.evidence.products import is_product
from tools.language.assertion import Assertion, assertion, cues_around, sentence_at
from tools.language.likelihood import About, likelihood, meant_by_words
from tools.language.mentions import Mention
from tools.language.reading import Reading, reading
from tools.language.stance import denied, words
from tools.terminology.conditions import conditions
from tools.terminology.dates import dates_in
from tools.terminology.matcher import medicines_in
from tools.terminology.medicines import medicine, resolve_medicine, terminology
from tools.terminology.observations import TESTS, tests
from tools.terminology.quantities import Quantity, convert, quantities_in
from tools.terminology.vocabulary import term_of_code, vocabulary

_LEAST = 0.3  # likelihood under which nobody is asked about a sentence
_LEAST_STATED = 0.15  # … where a cue says so
_HERS = 0.3  # likelihood of the patient under which nobody is asked, unless a cue says whose it is
_SURELY_HERS = 0.95  # likelihood of the patient from which a drug is hers, whoever else stands there
_NOT_HERS = 0.4  # likelihood of the patient under which a value is taken to be another person's
_VOID = 0.3  # likelihood from which a value is taken to be taken back
_OVER = 0.85  # likelihood from which a drug is taken to be over, whatever cue is there
_BY_WORDS = 0.6  # likelihood of a sense from which its words say so, whatever cue is there
_NEAR = 24  # characters between a drug and how long it was taken
_APART = 0.01  # share of a value of the day by which another is surely not the same
_IS_SO = 0.5  # likelihood from which a value that a text tells is the patient's of that day
_SPEAKER = re.compile(r"(?:^|(?<=[.?!\n]\s))([A-Z][\w. ]{0,20}):")
_TABLET = "{tablet}"
_WENT_OTHERWISE = frozenset(("failed", "partial", "intolerant"))
_FEWER = 0.75  # share of the doses on the list under which a drug is not taken as prescribed
STATE_DAYS = 365  # what a note says to be so now, it says of the year around it
_DENIED = ("negated", "never", "void")
_VALUES = (Lab, Change, Measured)
_OF_COURSES = (Trial, Intolerance)
_OF_DRUGS = (Taking, Trial, Intolerance, AllergyTo, OnDrug)


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
    topic, texts = leaf.__dict__.get("topic") or _topic(leaf, context), context.day.texts or _texts(context)
    senses = topic.senses if answer.shown else topic.senses_if_not_shown
    if topic.concepts.isdisjoint(texts.named):
        return None
    if not answer.shown and isinstance(leaf, _OF_COURSES) and _is_charted(leaf, context):
        return None  # of what is charted, a note that names it tells no more
    for contradicts in _CONTRADICTIONS.get(type(leaf), ()) if answer.shown else ():
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
            if _is_against(leaf, item, answer.shown) and not _settled(note, item.mention, context)
        ]
        if against:
            return _sentence(note, against[0].mention)
        if said and not topic.lasts:
            return None
    return None


def _is_against(leaf: Any, item: _Said, shown: bool | None) -> bool:
    """A value that a text takes back decides neither way."""
    return item.stance is not shown or isinstance(leaf, _VALUES)


class Texts(NamedTuple):
    """Free text up to the day, newest first, each as it is read, and the concepts that it names."""

    notes: tuple[tuple[Note, Reading], ...]
    named: frozenset[str]
    state_since: date

    def is_recent(self, note: Note) -> bool:
        """Whether what it says to be so is still to be asked about."""
        return note.date is None or note.date >= self.state_since


def _is_likely(leaf: Any, item: _Said, note: Note) -> bool:
    """Whether the words around the mention let it be meant so. Most of all where no cue stands: the patient is then
    said to have now whatever is named, and much of that is planned, over, or another's."""
    if note.type == "procedure" or isinstance(leaf, _VALUES):
        return True
    if isinstance(leaf, AllergyTo) and item.stance and item.meant.stated:
        return True  # "allergic to …" is asked about, however odd the words around it
    least = _LEAST_STATED if item.meant.stated else _LEAST
    likely = likelihood(note.text, item.mention.start, item.mention.end, _about(leaf))
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


def _said_at_another_dose(leaf: OnDrug, topic: _Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence of the newest note on the product asked for that denies the dose on the list, or tells others and
    not that one."""
    going = [entry for entry in context.patient.medications or () if goes_on(entry, context.as_of)]
    listed = [entry for entry in going if is_product(entry, context.request) and entry.dose is not None]
    if leaf.min_dose is None or not listed:
        return None
    texts = _texts(context)
    for note, told in texts.notes:
        if topic.concepts.isdisjoint(told.named):
            continue
        named = told.naming(context.request.ingredients)
        if not named or not texts.is_recent(note) or _agrees(listed, False, note):
            return None
        for mention in named:
            doses = _doses_behind(mention, told.mentions, note.text)
            here = [item for item in doses if item[0] in {entry.dose for entry in listed}]
            if any(denied for _, denied in here) or (doses and not here and not all(d for _, d in doses)):
                return None if _settled(note, mention, context) else _sentence(note, mention)
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
            found.append((one.low, sense in (*_DENIED, "ended")))
    return found


def _about(leaf: Any) -> About:
    if isinstance(leaf, Condition):
        return "condition"
    if isinstance(leaf, _VALUES):
        return "test"
    return "statement" if isinstance(leaf, Attested) else "program" if isinstance(leaf, Programme) else "drug"


def _senses_for(leaf: Any, stance: bool) -> tuple[str, ...]:
    """The senses in which a mention says that the criterion's thing is so, or that it is not."""
    if isinstance(leaf, AllergyTo):
        return ("reaction", "uncertain") if stance else ("absent", "void", "uncertain")
    if isinstance(leaf, Attested):
        return "present", "past", "reaction", "uncertain", "absent"
    if not stance:
        return (
            ("absent", "void", "uncertain")
            if _lasts(leaf)
            else ("absent", "past", "reaction", "planned", "uncertain")
        )
    if isinstance(leaf, _OF_COURSES) or _lasts(leaf):
        return "present", "past", "reaction", "uncertain"
    return "present", "uncertain"


def _texts(context: EvaluationContext) -> Texts:
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
        known = context.day.texts = Texts(notes, named, context.as_of - timedelta(days=STATE_DAYS))
    return known


def _as_note(item: Procedure) -> Note:
    """With what its code says, where it says more than the name: "Run (dialysis session): completed"."""
    term = term_of_code("procedures", item.code) if item.code else None
    name = f"{item.name} ({term.label})" if term is not None and term.label not in item.name else item.name
    text = f"{name}: {item.result}" if item.result else name
    return Note(id=item.id, date=item.date, type="procedure", text=text)


def _said(
    leaf: Any, topic: _Topic, note: Note, told: Reading, context: EvaluationContext, shown: bool | None
) -> list[_Said]:
    """What the text says of the criterion's thing, by its cues and by its words; of one person the last word counts,
    and of one sentence what it says against the answer. What its words do not bear is not said."""
    last = dict[tuple[str, bool], _Said]()
    for mention in told.naming(topic.concepts):
        for by_words, meant in enumerate(_meanings(leaf, mention, note, told)):
            stance = _stance(leaf, mention, meant, note, context)
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
    meant = told.meant(mention, thing=isinstance(leaf, _OF_DRUGS))
    if isinstance(leaf, _OF_DRUGS) and meant.subject != "self" and _is_the_patients(mention, note):
        meant = meant._replace(subject="self")
    yield meant
    if note.type == "procedure" or isinstance(leaf, (*_VALUES, Attested)):
        return
    by_words = meant_by_words(note.text, mention.start, mention.end, _about(leaf), meant, _BY_WORDS)
    if by_words.sense == "allergy" and not isinstance(leaf, AllergyTo):
        by_words = by_words._replace(sense="ended")
    if by_words != meant:
        yield by_words


def _is_the_patients(mention: Mention, note: Note) -> bool:
    """Whether its words are those of a drug of the patient, though another stands there: "wife says he takes it"."""
    return likelihood(note.text, mention.start, mention.end, "drug").who["patient"] >= _SURELY_HERS


# --- what a criterion is about ----------------------------------------------------------------------------


class _Topic(NamedTuple):
    """What a criterion is about, as free text speaks of it: `senses` are those of which a sentence must hold a cue to
    speak against the answer, none if a bare mention can. Of what `fades` a note says only what is so within
    `STATE_DAYS`; what `lasts` may stand in any note."""

    concepts: frozenset[str]
    senses: frozenset[str]
    senses_if_not_shown: frozenset[str]
    fades: bool
    lasts: bool


def _topic(leaf: Any, context: EvaluationContext) -> _Topic:
    """It stays with the leaf; of one that asks for the product asked for, one for each product."""
    of_request = (
        isinstance(leaf, OnDrug) or _is_of_use(leaf) or (isinstance(leaf, AllergyTo) and leaf.requested)
    )
    place = ("topic", context.request.ingredients) if of_request else "topic"
    known: _Topic | None = leaf.__dict__.get(place)
    if known is None:
        concepts = [*_concepts(leaf), *(context.request.ingredients if of_request else ())]
        known = leaf.__dict__[place] = _Topic(
            frozenset(concepts),
            frozenset(_senses_against(leaf, True)),
            frozenset(_senses_against(leaf, False)),
            _fades(leaf),
            _lasts(leaf),
        )
    return known


def _is_of_use(leaf: Any) -> bool:
    """Whether the prescriber states that the drug asked for is taken as prescribed."""
    return isinstance(leaf, Attested) and leaf.topic == "adherent"


def _senses_against(leaf: Any, shown: bool) -> tuple[str, ...]:
    if isinstance(leaf, AllergyTo):
        return _DENIED if shown else ("allergy",)
    if isinstance(leaf, _VALUES):
        return "void", "family", "other", "negated"
    if not shown or isinstance(leaf, Attested):
        return ()
    if isinstance(leaf, _OF_COURSES):
        return ("never", "ended")
    return _DENIED if isinstance(leaf, Condition) else (*_DENIED, "ended")


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


def _lasts(leaf: Any) -> bool:
    return isinstance(leaf, Condition) and (leaf.status == "ever" or "family" in leaf.who)


def _fades(leaf: Any) -> bool:
    return isinstance(leaf, Attested | Programme | Taking | OnDrug) or (
        isinstance(leaf, Condition) and not _lasts(leaf)
    )


# --- what a mention says of it ----------------------------------------------------------------------------


def _stance(
    leaf: Any, mention: Mention, meant: Assertion, note: Note, context: EvaluationContext
) -> bool | None:
    """Does the mention say that the criterion's thing is so, or that it is not? None: it says nothing of it."""
    if isinstance(leaf, _VALUES):
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
    if meant.sense in _DENIED:
        denied_here = _is_itself(leaf, mention) or _is_all_that_is_listed(leaf, mention, note, context)
        return False if denied_here and not _diagnosed_since(leaf, note, context) else None
    if meant.sense == "ended" and leaf.status == "active" and meant.subject == "self":
        return None
    if mention.how == "may_be" and (
        _is_another_kind(leaf, mention, note) or _is_stated(leaf, meant, note, context)
    ):
        return None
    return None if not _lasts(leaf) and _stated_since(leaf, note, context) else True


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
    elif (meant.sense in (*_DENIED, "ended")) is mention.concept.startswith("contrary:"):
        return None
    stated = [item.date for item in context.said(leaf.topic).get("self", ()) if item.date and item.present]
    return False if note.date is None or not stated or note.date >= max(stated) else None


def _taken_less_often(mention: Mention, note: Note, context: EvaluationContext) -> bool:
    """Whether its sentence tells fewer doses than the list: "has taken it on only two days a week"."""
    listed = [
        item.per_day for item in _charted(mention, context) if item.per_day and goes_on(item, context.as_of)
    ]
    start, end = sentence_at(note.text, mention.start)
    told = [often for one in quantities_in(note.text[start:end]) if (often := _a_day(one)) is not None]
    return bool(listed and told) and max(told) < _FEWER * min(min(listed), 1.0)


def _a_day(told: Quantity) -> float | None:
    """How often a day, or on what share of the days: "every other week", "two days a week"."""
    if told.unit.startswith("/"):
        span = convert(1.0, told.unit[1:], "d")
        return told.high / span if span else None
    if told.unit == "d" and told.per is not None:
        span = convert(told.per[0], told.per[1], "d")
        return told.high / span if span else None
    return None


# --- … and of a drug --------------------------------------------------------------------------------------


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
    if meant.sense == "never" or (not meant.stated and _reads_as(("absent",), mention, note)):
        return None if _rests_on_others(leaf, mention, context) else False
    if isinstance(leaf, Trial) and _too_short(leaf, mention, meant, note, context):
        return False
    return None if meant.sense in _DENIED else True


def _of_allergy(mention: Mention, meant: Assertion, note: Note, context: EvaluationContext) -> bool | None:
    """Allergic to it; or not so, where the text denies it or takes it back, and the list is not younger."""
    if meant.sense == "allergy":
        return True
    listed = [item.date for item in context.patient.allergies or () if _is_of(item, mention)]
    younger = any(day and note.date and day > note.date for day in listed)
    taken_back = meant.sense in _DENIED and _speaks_of_allergy(mention, meant, note)
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


def _reads_as(senses: Sequence[str], mention: Mention, note: Note) -> bool:
    """Whether the words around a drug are surely those of one that the patient has so: "never picked up the …"."""
    likely = likelihood(note.text, mention.start, mention.end, "drug")
    return likely.of(*senses) >= _OVER and likely.who["patient"] >= _OVER


def _said_to_be_tolerated(leaf: Intolerance, topic: _Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence that says of the drug that it is tolerated, or denies a reaction for which it is listed, once that
    was over: "tolerated metformin", "no nausea on Mounjaro"."""
    for mention, note, told in _named(topic, context):
        meant = told.meant(mention, thing=True)
        if meant.subject != "self" or meant.sense == "planned":
            continue
        reactions = _listed_reactions(mention.concept, note, context)
        if reactions is None:
            continue
        affirmed, denies = _tolerated(mention, note, told, reactions)
        if affirmed or (denies and meant.sense != "ended"):
            return _sentence(note, mention)
    return None


def _tolerated(mention: Mention, note: Note, told: Reading, reactions: frozenset[str]) -> tuple[bool, bool]:
    """Whether its sentence, which names no other drug, tells that it is tolerated and none of the reactions;
    and whether it denies one of them."""
    start, end = sentence_at(note.text, mention.start)
    here = [other for other in told.mentions if start <= other.start < end]
    senses = {other.concept: told.meant(other, thing=False).sense for other in here}
    contrary = senses.get("contrary:tolerating")
    several = len({span.key for span in medicines_in(note.text[start:end])}) > 1
    if several or contrary not in (None, *_DENIED):
        return False, False
    of_reactions = {senses[reaction] for reaction in reactions & senses.keys()}
    denies = not of_reactions.isdisjoint(("negated", "never")) and not _reads_as(("reaction",), mention, note)
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


def _said_to_be_fewer(leaf: Trial, topic: _Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence that tells fewer tablets a day than the list has of a course that goes on, of which a daily dose is
    asked: "only one metformin a day"."""
    for mention, note, told in _named(topic, context) if leaf.min_daily_dose else ():
        going = [entry for entry in _charted(mention, context) if goes_on(entry, note.date or context.as_of)]
        listed = [entry.per_day for entry in going if entry.per_day]
        taken = _tablets_a_day(mention, note.text)
        if (
            listed
            and taken
            and max(taken) < min(listed)
            and told.meant(mention, thing=True).subject == "self"
        ):
            return _sentence(note, mention)
    return None


def _said_to_have_worked(leaf: Trial, topic: _Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence that says of a course that it did well, and no worse, once it was over or while it goes on, where
    the criterion asks that it did not."""
    if not leaf.responses or "effective" in leaf.responses:
        return None
    for mention, note, told in _named(topic, context):
        meant, day = told.meant(mention, thing=True), note.date
        over = [one for one in _charted(mention, context) if not (one.end and day and one.end > day)]
        counts = over and meant.subject == "self" and meant.sense not in (*_DENIED, "planned")
        if counts and _outcomes_told(mention, note, told) == {"effective"}:
            return _sentence(note, mention)
    return None


def _outcomes_told(mention: Mention, note: Note, told: Reading) -> set[str]:
    """How things went in its sentence; that they went well only if the drug is what is named nearest to it."""
    start, end = sentence_at(note.text, mention.start)
    here = [other for other in told.mentions if start <= other.start < end]
    found = set[str]()
    for word in words(note.text[start:end], "course"):
        nearest = min(
            here, key=lambda other: max(other.start - start - word.end, start + word.start - other.end)
        )
        well = nearest.start == mention.start and not denied(note.text[start:end], word.start, word.end)
        if word.key in _WENT_OTHERWISE or (word.key == "effective" and well):
            found.add(word.key)
    return found


def _said_at_a_lower_dose(leaf: Trial, topic: _Topic, context: EvaluationContext) -> Evidence | None:
    """The sentence that tells a lower daily dose of a course than the list, where a daily dose is asked for: "only ever
    took metformin 500 mg once daily". How often it is taken is as listed where the sentence does not tell it."""
    for mention, note, told in _named(topic, context) if leaf.min_daily_dose else ():
        listed = [
            (one.dose, one.per_day or 1.0) for one in _charted(mention, context) if one.dose is not None
        ]
        meant = told.meant(mention, thing=True)
        if meant.subject != "self" or meant.sense == "planned" or _tablets_a_day(mention, note.text):
            continue
        doses = [dose for dose, over in _doses_behind(mention, told.mentions, note.text) if not over]
        start, end = sentence_at(note.text, mention.start)
        often = [times for one in quantities_in(note.text[start:end]) if (times := _a_day(one)) is not None]
        if (
            doses
            and listed
            and all(max(doses) * max(often, default=many) < dose * many for dose, many in listed)
        ):
            return _sentence(note, mention)
    return None


def _said_to_be_another_value(
    leaf: Lab | Change | Measured, topic: _Topic, context: EvaluationContext
) -> Evidence | None:
    """The sentence of the day of the newest value that tells another one of the same test, which is nowhere listed."""
    for mention, note, told in _named(topic, context):
        usable = context.values(mention.concept).usable if mention.concept in TESTS else []
        if not usable or note.date != usable[0].date or told.meant(mention, thing=False).subject != "self":
            continue
        values = _values_told(mention, note.text)
        listed = [(one.value, _APART if one.date == note.date else 0.0) for one in usable]
        if values and not any(abs(value - one) <= apart * one for value in values for one, apart in listed):
            likely = likelihood(note.text, mention.start, mention.end, "test")
            if likely.of("present") >= _IS_SO and likely.who["patient"] >= _IS_SO:
                return _sentence(note, mention)
    return None


def _values_told(mention: Mention, text: str) -> list[float]:
    """What the number right behind the name of a test may come to in its unit: "A1c today was 6.2 %". One without
    a unit may be in any of the test's, and counts only where it has decimals."""
    behind = text[mention.end : sentence_at(text, mention.start)[1]]
    for one in quantities_in(behind)[:1]:
        if one.start > _NEAR or one.value is None or one.compare or not (one.unit or one.value % 1):
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


def _named(topic: _Topic, context: EvaluationContext) -> Iterator[tuple[Mention, Note, Reading]]:
    """Where notes name what the criterion is about, newest first, and no person has settled the sentence."""
    for note, told in _texts(context).notes:
        for mention in told.naming(topic.concepts):
            if not _settled(note, mention, context):
                yield mention, note, told


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


def _rests_on_others(leaf: Trial | Intolerance, mention: Mention, context: EvaluationContext) -> bool:
    """Whether the list has courses that the criterion means, and none of the drug named."""
    return (
        _is_charted(leaf, context) and mention.concept not in leaf.classes and not _charted(mention, context)
    )


def _too_short(
    leaf: Trial, mention: Mention, meant: Assertion, note: Note, context: EvaluationContext
) -> bool:
    """Whether a course that the text says to be over may have lasted fewer days than are asked for: the list has it go
    on, and it is not told how it went; or has none so short, and the sentence tells so few."""
    if meant.sense != "ended" or not leaf.min_days:
        return False
    charted, day = _charted(mention, context), note.date or context.as_of
    goes_on_there = bool(charted) and all(goes_on(entry, day) and entry.end != day for entry in charted)
    if goes_on_there and not _outcomes_told(mention, note, reading(note.text)):
        return True
    spans = [(entry.end - entry.start).days for entry in charted if entry.start and entry.end]
    if any(days < leaf.min_days for days in spans):
        return False
    end = sentence_at(note.text, mention.start)[1]
    behind = quantities_in(note.text[mention.end : end])[:1]
    lasted = [convert(one.high, one.unit, "d") for one in behind if one.start <= _NEAR]
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
    taken, charted = meant.sense == "current", _charted(mention, context)
    bare = not meant.stated and (
        isinstance(leaf, OnDrug)
        or not _reads_as(("present",), mention, note)
        or not _WENT_OTHERWISE.isdisjoint(_outcomes_told(mention, note, reading(note.text)))
    )
    if (charted and bare) or _agrees(charted, taken, note):
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
    return all(_is_of(entry, mention) for entry in going)


def _agrees(charted: list[Medication], taken: bool, note: Note) -> bool:
    """Whether the medication list says of the note's day what the note says."""
    if note.date is None:
        return False
    if taken:
        return any(goes_on(entry, note.date) for entry in charted)
    return any(entry.start and entry.start > note.date for entry in charted)


def goes_on(entry: Medication, day: date) -> bool:
    """Whether the medication list says that it is taken on that day."""
    if entry.start is not None and entry.start > day:
        return False
    return day <= entry.end if entry.end is not None else entry.status == "active"


def _is_charted(leaf: Trial | Intolerance, context: EvaluationContext) -> bool:
    return any(
        matches(entry, leaf.drugs, leaf.classes, entry.drug) for entry in context.patient.medications or ()
    )


def _charted(mention: Mention, context: EvaluationContext) -> list[Medication]:
    return [entry for entry in context.patient.medications or () if _is_of(entry, mention)]


def _is_of(item: Medication | Allergy, mention: Mention) -> bool:
    """Whether the mention names its ingredient or its class."""
    return mention.concept in item.ingredients or mention.concept in item.classes


# What a note can say against a kind of leaf that was shown, beside the bare opposite.
_CONTRADICTIONS: dict[type[Part], tuple[Callable[[Any, _Topic, EvaluationContext], Evidence | None], ...]] = {
    OnDrug: (_said_at_another_dose,),
    Intolerance: (_said_to_be_tolerated,),
    Trial: (_said_to_be_fewer, _said_at_a_lower_dose, _said_to_have_worked),
    Lab: (_said_to_be_another_value,),
    Change: (_said_to_be_another_value,),
    Measured: (_said_to_be_another_value,),
}


# --- settled by a person ----------------------------------------------------------------------------------


def _settled(note: Note, mention: Mention, context: EvaluationContext) -> bool:
    """Whether a person has decided about this sentence (`pa confirm --reject`)."""
    topic = DECIDED + sentence_id(note, mention)
    return any(entry.topic == topic for entry in context.patient.attestations)


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
