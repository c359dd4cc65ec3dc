"""What does the chart hold: values with their dates, medicines with their course, diagnoses, allergies, notes.

What is not on record is said to be that, never that it is not so: only a list that is complete, of diagnoses,
medicines or allergies, shows that something is not on it. What a note says is quoted, and is data.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from agent.answers.answer import Answer, Said, Source
from agent.answers.plan import strength_slot
from agent.answers.wording import drug_slot
from agent.ledger import Kind, Ledger
from agent.understanding.known import Known
from agent.understanding.reading import Ask
from tools.bound import Bound
from tools.dates import age_on
from tools.evidence.measurements import Value, values_of
from tools.medicines import medicine
from tools.papers import formats
from tools.records import Allergy, Diagnosis, Medication, Note, Patient, Prescriber
from tools.terms import BRANDS, CLASSES, CONCEPTS, INGREDIENTS, TESTS, TOPICS

MOST_LINES = 8
MOST_VALUES = 6
MOST_SENTENCES = 14  # of the latest note
MOST_QUOTES = 3
LONGEST_QUOTE = 280  # characters of a note that are quoted at once
CHANGING = ("hba1c", "weight", "bmi")  # whose change people speak of
PAIRED = {"sbp": "dbp", "dbp": "sbp"}
GLUCOSE_OR_WEIGHT = frozenset(
    ("biguanide", "sulfonylurea", "tzd", "dpp4", "glp1", "sglt2", "insulin", "anorectic")
)


class Page(NamedTuple):
    """What an answer about a chart is made with."""

    ask: Ask
    asked: str  # its words, in lower case
    bound: Bound
    ledger: Ledger
    reply: Answer

    @property
    def patient(self) -> Patient:
        return self.bound.patient

    def say(self, text: str, *, bullet: bool = False, must: bool = True, verbatim: bool = False) -> None:
        end = "" if text.endswith((".", "”", ":")) else "."
        self.reply.said.append(Said(text=text + end, must=must, bullet=bullet, verbatim=verbatim or bullet))

    def cite(self, record_id: str, what: str, note: bool = False) -> None:
        source = Source(source=f"chart {record_id}", quote=what, kind="note" if note else "chart")
        if source not in self.reply.sources:
            self.reply.sources.append(source)

    def day(self, on: date, attribute: str, source: str) -> str:
        return self.ledger.add("date", on, origin="chart", attribute=attribute, source=source)

    def words(self, text: str, attribute: str, source: str) -> str:
        return self.ledger.add("words", text, origin="chart", attribute=attribute, source=source)

    def number(self, count: int, of: str) -> str:
        return self.ledger.add("count", count, origin="derived", attribute=of, formula=f"{of} counted")


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """What is on record about each thing that is asked for, and what is not."""
    reply = Answer(intent="chart", ledger=ledger, drugs=tuple(ask.drugs))
    page = Page(ask, " ".join(f"{ask.text} {ask.about}".casefold().split()), bound, ledger, reply)
    tests = _tests(page)
    if tests and not _LISTS["notes"][0].search(page.asked):
        for test in tests:
            _test(page, test)
        return reply
    medicines = _medicines(page)
    if medicines and _LISTS["fills"][0].search(page.asked):
        _fills(page)
        return reply
    if medicines and not _LISTS["notes"][0].search(page.asked) and ask.about not in ("allergies", "notes"):
        for name in medicines:
            _course(page, name)
        return reply
    for name, (words, say) in _LISTS.items():
        if ask.about == name or words.search(page.asked):
            say(page)
            return reply
    concepts = _concepts(page)
    if concepts:
        for key in concepts:
            _concept(page, key)
        return reply
    if not _search(page):
        page.say("Nothing about that is on record in this chart.")
    return reply


# --- what is asked for ------------------------------------------------------------------------------------


def _tests(page: Page) -> list[str]:
    known = Known.of(page.bound.store)
    found = [known.tests[match[0]] for match in known.test_pattern.finditer(page.asked)]
    if page.ask.about in TESTS:
        found.insert(0, page.ask.about)
    elif _LABS.search(page.asked) and not found:
        found = [
            test
            for test in ("hba1c", "egfr", "glucose", "ldl", "uacr")
            if page.patient.observations_by_test.get(test)
        ]
    both = {"sbp", "dbp"} & set(found)
    if both:  # one pressure is said with the other
        found = [test for test in found if test not in PAIRED]
        found.append("sbp")
    return list(dict.fromkeys(found))


_LABS = re.compile(r"\blabs?\b|blood ?work|lab (?:results?|values?)|test results?", re.IGNORECASE)


def _medicines(page: Page) -> list[str]:
    """The medicines and classes that are named, as the question or the reader names them."""
    known = Known.of(page.bound.store)
    names = [*known.brands, *known.ingredients, *known.others]
    listed = re.compile(
        rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})(?![\w])"
    )
    found = [match[0] for match in listed.finditer(page.asked)]
    about = page.ask.about.casefold()
    if about and (about in INGREDIENTS or about in BRANDS or about in known.brands) and about not in found:
        found.insert(0, about)
    found = found or list(page.ask.drugs)
    return list(dict.fromkeys(found)) or [key for key, words in _CLASSES.items() if words.search(page.asked)]


_CLASSES = {
    "glp1": re.compile(r"\bglp", re.IGNORECASE),
    "sglt2": re.compile(r"\bsglt|gliflozin", re.IGNORECASE),
    "dpp4": re.compile(r"\bdpp|gliptin", re.IGNORECASE),
    "sulfonylurea": re.compile(r"sulfonylurea|\bsu\b", re.IGNORECASE),
    "tzd": re.compile(r"thiazolidinedione|glitazone|\btzd\b", re.IGNORECASE),
    "insulin": re.compile(r"\binsulin\b", re.IGNORECASE),
    "statin": re.compile(r"\bstatins?\b", re.IGNORECASE),
    "acei_arb": re.compile(r"\bace\b|\barbs?\b|ace inhibitor", re.IGNORECASE),
    "beta_blocker": re.compile(r"beta.?blocker", re.IGNORECASE),
    "anorectic": re.compile(r"weight.loss (?:drug|med|pill)|appetite", re.IGNORECASE),
}


def _concepts(page: Page) -> list[str]:
    known = Known.of(page.bound.store)
    return list(
        dict.fromkeys(known.concepts[match[0]] for match in known.concept_pattern.finditer(page.asked))
    )


# --- values -----------------------------------------------------------------------------------------------


def _test(page: Page, test: str) -> None:
    """The latest value with its date; the one before and how it went, if that is asked."""
    name = _test_name(page, test)
    values = values_of(page.patient, test, page.bound.as_of)
    if not values.usable:
        page.say(f"{_test_name(page, test, capital=True)} is not on record for this patient.")
        for rejected in values.rejected[:1]:
            note = page.words(rejected.evidence.note or rejected.reason, test, rejected.evidence.record_id)
            page.say(f"A value in record {_code(page, rejected.evidence.record_id)} does not count: {note}.")
        return
    latest, *before = values.usable
    pair = PAIRED.get(test, "")
    page.say(
        f"The latest {name} is {_value(page, test, latest)}{_paired(page, pair, latest)}, on {_of(page, test, latest)}."
    )
    if _AGE.search(page.asked):
        days = page.ledger.add(
            "duration", (page.bound.as_of - latest.date).days, unit="days", origin="derived", attribute=test,
            source=_ids(latest), formula=f"{page.bound.as_of} - {latest.date}",
        )  # fmt: skip
        page.say(f"That is {days} before {_as_of(page)}.")
    if before and _TREND.search(page.asked):
        _trend(page, test, latest, before)
    elif before and (_BEFORE.search(page.asked) or test in ("hba1c", "bmi", "weight")):
        page.say(
            f"The {name} before that was {_value(page, test, before[0])}, on {_of(page, test, before[0])}.",
            must=bool(_BEFORE.search(page.asked)),
        )
    newer = [one for one in values.rejected if one.date and one.date >= latest.date]
    for rejected in newer[:1]:
        note = page.words(rejected.evidence.note or rejected.reason, test, rejected.evidence.record_id)
        page.say(f"A later entry, {_code(page, rejected.evidence.record_id)}, does not count: {note}.")


_AGE = re.compile(
    r"how (?:old|recent|fresh|long ago|many days)|too old|stale|outdated|still (?:good|valid|current)",
    re.IGNORECASE,
)
_TREND = re.compile(
    r"trend|over time|history|all (?:of )?(?:the |her |his )?|how has|chang|last (?:two|three|four|few"
    r"|several)|values\b|results\b"
    r"|gone (?:up|down)|lost|gain|improv|readings\b|since\b|compared",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"before|previous|prior|earlier|last time|second.latest|and the one", re.IGNORECASE)


def _trend(page: Page, test: str, latest: Value, before: list[Value]) -> None:
    for value in before[: MOST_VALUES - 1]:
        name = _test_name(page, test, capital=True)
        page.say(f"{name} on {_of(page, test, value)}: {_value(page, test, value)}", bullet=True)
    first = before[: MOST_VALUES - 1][-1]
    change = Decimal(repr(latest.value)) - Decimal(repr(first.value))
    if change and test in CHANGING:
        unit = "points" if TESTS[test].unit == "%" else formats.unit(TESTS[test].unit)
        size = page.ledger.add(
            "value", float(abs(change)), shown=f"{formats.number(abs(change))} {unit}".strip(),
            unit=TESTS[test].unit, origin="derived", attribute=f"change:{test}", source=f"{_ids(first)},{_ids(latest)}",
            formula=f"{latest.value:g} - {first.value:g}",
        )  # fmt: skip
        went, name = "fell" if change < 0 else "rose", _test_name(page, test, capital=True)
        page.say(
            f"{name} {went} by {size} from {_of(page, test, first)} to {_of(page, test, latest)}.",
            verbatim=True,
        )


def _value(page: Page, test: str, value: Value) -> str:
    ids = _ids(value)
    shown = formats.measure(test, value.value)
    page.cite(ids.split(",")[0], f"{TESTS[test].name} {shown}, {value.date.isoformat()}")
    slot = page.ledger.add(
        "value", value.value, shown=shown, unit=TESTS[test].unit, on=value.date,
        origin="derived" if value.derived else "chart", attribute=test, source=ids,
        formula="weight / height²" if value.derived else "",
    )  # fmt: skip
    if test == "weight":
        pounds = float(formats.fixed(formats.pounds(Decimal(repr(value.value))), 1))
        in_pounds = page.ledger.add(
            "value", pounds, unit="lb", on=value.date, origin="derived", attribute=test, source=ids,
            formula=f"{value.value:g} kg / 0.45359237",
        )  # fmt: skip
        return f"{slot} ({in_pounds})"
    return slot


def _paired(page: Page, pair: str, value: Value) -> str:
    """The other blood pressure of the same day."""
    if not pair:
        return ""
    same = next(
        (one for one in values_of(page.patient, pair, page.bound.as_of).usable if one.date == value.date),
        None,
    )
    return f", {_test_name(page, pair)} {_value(page, pair, same)}" if same else ""


def _of(page: Page, test: str, value: Value) -> str:
    return page.day(value.date, test, _ids(value))


def _ids(value: Value) -> str:
    return ",".join(one.id for one in value.seen)


def _test_name(page: Page, test: str, *, capital: bool = False) -> str:
    name = TESTS[test].name
    shown = _capital(name) if capital else name
    return page.ledger.add("words", name, shown=shown, origin="chart", attribute=test, source=f"test:{test}")


def _as_of(page: Page) -> str:
    return page.ledger.add("date", page.bound.as_of, origin="request", attribute="as_of", source="as_of")


def _code(page: Page, record_id: str) -> str:
    return page.ledger.add("code", record_id, origin="chart", attribute="record", source=record_id)


# --- medicines --------------------------------------------------------------------------------------------


def _course(page: Page, name: str) -> None:
    """Every course of this medicine or class; where there is none, what else the chart says of it."""
    said = CLASSES.get(name, _brand(page, name))
    shown = page.ledger.add(
        "drug",
        said,
        shown=_capital(said),
        origin="request",
        attribute="medication",
        source="question",
        aliases=(said,),
    )
    courses = page.patient.medications
    if courses is None:
        page.say(f"{shown}: not known, for the medication list is not on record.")
        return
    wanted = medicine(name, page.bound.drugs)
    kinds = {name} if name in CLASSES else set()
    mine = [
        one for one in courses
        if (kinds and kinds & set(_classes(page, one))) or (not kinds and _same(page, one, name, wanted.ingredients))
    ]  # fmt: skip
    mine.sort(key=lambda one: one.start or date.min)
    for course in mine:
        page.say(f"{_told(page, course)}.")
    if not mine:
        page.say(f"{shown} is not on the medication list.")
        _elsewhere(page, name, shown, wanted.ingredients, kinds)


def _brand(page: Page, name: str) -> str:
    return next((drug.name for drug in page.bound.drugs if drug.name.casefold() == name.casefold()), name)


def _same(page: Page, course: Medication, name: str, ingredients: tuple[str, ...]) -> bool:
    """A brand that is named means that brand or its bare ingredient in the chart; an ingredient any drug that
    has it."""
    charted = course.drug.casefold()
    its = {
        one.casefold() for one in course.ingredients or medicine(course.drug, page.bound.drugs).ingredients
    }
    if charted == name.casefold():
        return True
    branded = {drug.name.casefold() for drug in page.bound.drugs} | set(BRANDS)
    if name.casefold() in branded and charted.split()[0] in branded:
        return charted.split()[0] == name.casefold()
    return bool(its & {one.casefold() for one in ingredients})


def _classes(page: Page, course: Medication) -> tuple[str, ...]:
    return course.classes or medicine(course.drug, page.bound.drugs).classes


def _told(page: Page, course: Medication) -> str:
    """ "metformin IR 500 mg twice daily, from … to …, 21 days; stopped for …" as far as it is charted."""
    page.cite(
        course.id,
        " ".join(
            filter(None, (course.drug, formats.dose(course), str(course.start or ""), str(course.end or "")))
        ),
    )
    ledger, source = page.ledger, course.id
    drug = ledger.add(
        "drug", course.drug, shown=_capital(course.drug), origin="chart", attribute="course", source=source,
        aliases=(course.drug, *course.ingredients),
    )  # fmt: skip
    text = drug + _dose(page, course)
    if course.start:
        text += (
            f", since {page.day(course.start, 'start', source)}"
            if not course.end
            else f", from {page.day(course.start, 'start', source)}"
        )
    if course.end:
        text += (
            f" to {page.day(course.end, 'end', source)}"
            if course.start
            else f", until {page.day(course.end, 'end', source)}"
        )
    ongoing = course.status == "active" and course.end is None
    ours = bool(GLUCOSE_OR_WEIGHT & set(_classes(page, course)))
    last = course.end or (page.bound.as_of if ongoing else None)
    if course.start and last and last >= course.start and ours:
        days = ledger.add(
            "duration", (last - course.start).days, unit="days", origin="derived", attribute="course", source=source,
            formula=f"{last} - {course.start}",
        )  # fmt: skip
        text += f" ({days}{' so far' if ongoing else ''})"
    text += ", taken now" if ongoing else ", stopped" if course.status == "stopped" else ""
    if course.status is None and course.end is None:
        text += "; whether it ended is not on record"
    if course.outcome:
        said = ledger.add(
            "status",
            course.outcome,
            shown=course.outcome[0].lower() + course.outcome[1:],
            origin="chart",
            attribute="response",
            source=source,
        )
        text += f"; outcome: {said}"
    elif not ongoing or ours:
        text += "; its outcome is not on record"
    if course.reason:
        text += f" ({ledger.add('words', course.reason, origin='chart', attribute='reason', source=source)})"
    return text


def _dose(page: Page, course: Medication) -> str:
    """ " 500 mg twice daily (IR)", as far as it is charted."""
    add, source, text = page.ledger.add, course.id, ""
    if course.dose is not None and course.dose_unit:
        shown = f"{formats.number(course.dose)} {course.dose_unit}"
        unit = course.dose_unit
        text += f" {add('value', course.dose, shown=shown, unit=unit, origin='chart', attribute='dose', source=source)}"
    if course.per_day:
        often = formats.how_often(course.per_day)
        text += f" {add('value', course.per_day, shown=often, origin='chart', attribute='per day', source=source)}"
    if course.formulation and course.formulation not in course.drug.split():
        form = course.formulation
        text += f" ({add('words', form, origin='chart', attribute='formulation', source=source)})"
    return text


def _capital(text: str) -> str:
    """With a capital at its beginning, unless it has its own, as eGFR has."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def _elsewhere(page: Page, name: str, shown: str, ingredients: tuple[str, ...], kinds: set[str]) -> None:
    """Fills, allergies and notes that name what the medication list does not."""
    for fill in sorted(page.patient.fills, key=lambda one: one.date, reverse=True):
        its = set(fill.ingredients or medicine(fill.drug, page.bound.drugs).ingredients)
        if its & set(ingredients) and not kinds:
            page.say(f"A pharmacy fill of it is on record, of {page.day(fill.date, 'fill', fill.id)}.")
            page.cite(fill.id, f"fill of {fill.drug}, {fill.date.isoformat()}")
            break
    for allergy in page.patient.allergies or ():
        if set(allergy.ingredients) & set(ingredients):
            page.say(f"The allergy list has it as {_allergy(page, allergy.id)}.")
    words = {name.casefold(), *(one.casefold() for one in ingredients)} if not kinds else set()
    _quote_notes(
        page, lambda sentence: any(word in sentence.casefold() for word in words), "A note mentions it"
    )


def _medications(page: Page) -> None:
    """What was tried and what is taken now; what is asked for of the two, if one is."""
    courses = page.patient.medications
    if courses is None:
        page.say("The medication list is not on record.")
        return
    wanted = [one for one in courses if _wanted(page, one)]
    if not wanted:
        what = "such medication" if courses else "medication"
        page.say(f"No {what} is on the list; the list is complete, as far as the chart says.")
        return
    wanted.sort(key=lambda one: one.start or date.min)
    page.say(f"{_which(page)}:")
    for course in wanted[:MOST_LINES]:
        page.say(_told(page, course), bullet=True)
    if len(wanted) > MOST_LINES:
        page.say(f"{page.number(len(wanted) - MOST_LINES, 'courses not shown')} more", bullet=True)


_NOW = re.compile(
    r"\bnow\b|current|right now|taking|today|active|these days|is (?:she|he) on|at the moment", re.IGNORECASE
)
_TRIED = re.compile(
    r"tried|\btry\b|fail|previous|past|prior|history|before|has (?:she|he) (?:been|had)|so far|stopp",
    re.IGNORECASE,
)
_ALL_OF_THEM = re.compile(r"\ball\b|every|complete|full", re.IGNORECASE)


def _wanted(page: Page, course: Medication) -> bool:
    if _ALL_OF_THEM.search(page.asked):
        return True
    if _TRIED.search(page.asked):
        return bool(GLUCOSE_OR_WEIGHT & set(_classes(page, course)))
    if _NOW.search(page.asked):
        return course.status == "active" and course.end is None
    return True


def _which(page: Page) -> str:
    if not _ALL_OF_THEM.search(page.asked):
        if _TRIED.search(page.asked):
            return "Tried so far, by the medication list"
        if _NOW.search(page.asked):
            return "Taken now, by the medication list"
    return "On the medication list"


# --- other lists ------------------------------------------------------------------------------------------


def _diagnoses(page: Page) -> None:
    concepts = _concepts(page)
    if concepts:
        for key in concepts:
            _concept(page, key)
        return
    conditions = page.patient.conditions
    if conditions is None:
        page.say("The problem list is not on record.")
        return
    if not conditions:
        page.say("The problem list is on record and empty.")
        return
    page.say(f"The problem list has {page.number(len(conditions), 'diagnoses')} entries:")
    for one in conditions[: MOST_LINES + 4]:
        page.say(_diagnosis(page, one), bullet=True)
    if len(conditions) > MOST_LINES + 4:
        page.say(f"{page.number(len(conditions) - MOST_LINES - 4, 'diagnoses not shown')} more", bullet=True)


def _diagnosis(page: Page, one: Diagnosis) -> str:
    page.cite(one.id, f"{one.code} {one.name}".strip())
    name = page.words(one.name or one.code, "diagnosis", one.id)
    parts = []
    if one.code and one.name:
        parts.append(page.ledger.add("code", one.code, origin="chart", attribute="diagnosis", source=one.id))
    if one.verification != "confirmed":
        parts.append(
            page.ledger.add(
                "status", one.verification, origin="chart", attribute="verification", source=one.id
            )
        )
    if one.onset:
        parts.append(f"since {page.day(one.onset, 'onset', one.id)}")
    if one.abated:
        parts.append(f"until {page.day(one.abated, 'abated', one.id)}")
    return f"{name} ({', '.join(parts)})" if parts else name


def _concept(page: Page, key: str) -> None:
    """Whether a diagnosis is on the problem list, what the prescriber states of it, and the family's history."""
    concept, patient = CONCEPTS[key], page.patient
    label, capital = (
        page.ledger.add(
            "words",
            concept.label,
            shown=shown,
            origin="request",
            attribute=f"condition:{key}",
            source="question",
        )
        for shown in (concept.label, _capital(concept.label))
    )
    mine = [one for one in patient.conditions or () if _means(one, key)]
    for one in mine[:MOST_QUOTES]:
        page.say(f"On the problem list: {_diagnosis(page, one)}.")
    if patient.conditions is None:
        page.say(f"The problem list is not on record, so {label} is neither shown nor ruled out.")
    elif not mine:
        page.say(f"{capital} is not on the problem list.")
    for said in patient.attestations:
        if said.topic and said.topic == concept.topic and said.text:
            _stated(page, said.id)
    words = [*concept.phrases, *concept.suggest_phrases, concept.label.casefold()]
    for member in patient.family_history:
        if any(word in member.condition.casefold() for word in words):
            page.say(f"Family history: {_relative(page, member.id)}.")
    if not mine:
        _quote_notes(
            page,
            lambda s: any(re.search(rf"\b{re.escape(word)}", s.casefold()) for word in words),
            "A note mentions it",
        )


def _means(one: Diagnosis, key: str) -> bool:
    concept, name = CONCEPTS[key], one.name.casefold()
    if concept.codes and one.code.startswith(concept.codes):
        return True
    return (
        not one.code
        and any(phrase in name for phrase in concept.phrases)
        and not any(phrase in name for phrase in concept.not_phrases)
    )


def _stated(page: Page, said_id: str) -> None:
    said = next(one for one in page.patient.attestations if one.id == said_id)
    quote = page.ledger.add("quote", said.text, origin="chart", attribute="statement", source=said.id)
    when = f" of {page.day(said.date, 'statement', said.id)}" if said.date else ""
    page.cite(said.id, said.text)
    page.say(f"The prescriber's statement{when}: “{quote}”", verbatim=True)


def _statements(page: Page) -> None:
    stated = [one for one in page.patient.attestations if one.text or one.topic in TOPICS]
    if not stated:
        page.say("No statement of the prescriber is on record.")
        return
    for one in stated[:MOST_LINES]:
        if one.text:
            _stated(page, one.id)
        else:
            topic = page.words(TOPICS[one.topic], "statement", one.id)
            page.say(
                f"The prescriber states that there is {'' if one.present else 'no '}{topic}.", verbatim=True
            )


def _allergies(page: Page) -> None:
    allergies = page.patient.allergies
    if allergies is None:
        page.say("Allergies are not on record: neither an allergy nor that there is none.")
        return
    names = _medicines(page)
    wanted = [one for one in allergies if not names or any(_is_to(page, one, name) for name in names)]
    if names and not wanted:
        drug = page.ledger.add(
            "drug", _brand(page, names[0]), origin="request", attribute="allergy", source="question"
        )
        page.say(f"{drug} is not on the allergy list.")
    elif not wanted:
        page.say("The allergy list is on record and empty.")
    for one in wanted[:MOST_LINES]:
        page.say(f"On the allergy list: {_allergy(page, one.id)}.")


def _is_to(page: Page, one: Allergy, name: str) -> bool:
    made_of = medicine(name, page.bound.drugs).ingredients
    return bool(set(one.ingredients) & set(made_of)) or name.casefold() in one.substance.casefold()


def _allergy(page: Page, allergy_id: str) -> str:
    one = next(item for item in page.patient.allergies or () if item.id == allergy_id)
    page.cite(one.id, f"{one.type} to {one.substance}, {one.reaction}".strip(" ,"))
    kind: Kind = "drug" if one.ingredients else "words"
    substance = page.ledger.add(
        kind, one.substance, origin="chart", attribute=one.type, source=one.id, aliases=one.ingredients
    )
    reaction = f" ({page.words(one.reaction, 'reaction', one.id)})" if one.reaction else ""
    return f"{one.type} to {substance}{reaction}"


def _family(page: Page) -> None:
    if not page.patient.family_history:
        page.say("No family history is on record.")
        return
    page.say("Family history on record:")
    for one in page.patient.family_history[:MOST_LINES]:
        page.say(_relative(page, one.id), bullet=True)


def _relative(page: Page, member_id: str) -> str:
    one = next(item for item in page.patient.family_history if item.id == member_id)
    page.cite(one.id, f"{one.relation}: {one.condition}")
    return f"{page.words(one.relation, 'family', one.id)}, {page.words(one.condition, 'family', one.id)}"


def _programs(page: Page) -> None:
    if not page.patient.programs:
        page.say("No lifestyle program is on record.")
    for one in page.patient.programs[:MOST_LINES]:
        page.cite(one.id, f"{one.name} {one.start or ''} {one.end or ''}".strip())
        name = page.words(_capital(one.name or "lifestyle program"), "program", one.id)
        since = f", from {page.day(one.start, 'start', one.id)}" if one.start else ""
        until = f" to {page.day(one.end, 'end', one.id)}" if one.end else ", ongoing" if one.start else ""
        page.say(f"{name}{since}{until}.")
    for said in page.patient.attestations:
        if said.topic in ("diet_exercise", "employer_programme") and said.text:
            _stated(page, said.id)


def _procedures(page: Page) -> None:
    if not page.patient.procedures:
        page.say("No procedure or study is on record.")
    for one in page.patient.procedures[:MOST_LINES]:
        page.cite(one.id, f"{one.name} {one.result}".strip())
        when = f", {page.day(one.date, 'procedure', one.id)}" if one.date else ""
        result = (
            f": {page.ledger.add('quote', one.result, origin='chart', attribute='procedure', source=one.id)}"
            if one.result
            else ""
        )
        page.say(f"{page.words(one.name, 'procedure', one.id)}{when}{result}.")


def _orders(page: Page) -> None:
    if not page.patient.orders:
        page.say("No order is on record.")
    for one in page.patient.orders[:MOST_LINES]:
        page.cite(one.id, f"{one.drug} {one.strength} {one.date or ''}".strip())
        drug = page.ledger.add("drug", one.drug, origin="request", attribute="order", source=one.id)
        strength = ""
        if one.strength:
            strength = " " + strength_slot(page.ledger, one.drug, one.strength, "request", one.id)
        amount = ""
        if one.quantity is not None:
            unit = one.unit or next((drug.unit for drug in page.bound.drugs if drug.name == one.drug), "")
            amount = ", " + page.ledger.add(
                "value", one.quantity, shown=formats.amount(one.quantity, unit), unit=unit, origin="request",
                attribute=f"quantity:{one.drug}", source=one.id,
            )  # fmt: skip
        if one.days_supply:
            amount += " for " + page.ledger.add(
                "duration",
                one.days_supply,
                unit="days",
                origin="request",
                attribute=f"supply:{one.drug}",
                source=one.id,
            )
        when = (
            f", ordered {page.ledger.add('date', one.date, origin='request', attribute='order', source=one.id)}"
            if one.date
            else ""
        )
        page.say(f"{drug}{strength}{amount}{when}.")


def _authorizations(page: Page) -> None:
    if not page.patient.authorizations:
        page.say("No earlier authorization is on record.")
    for one in page.patient.authorizations[:MOST_LINES]:
        page.cite(one.id, f"{one.plan_id} approved {one.drug}, {one.start} to {one.end}")
        plan = page.ledger.add("code", one.plan_id, origin="chart", attribute="plan", source=one.id)
        drug = page.ledger.add("drug", one.drug, origin="chart", attribute="authorization", source=one.id)
        start, end = (
            page.day(one.start, "authorization", one.id),
            page.day(one.end, "authorization end", one.id),
        )
        page.say(f"{plan} approved {drug} from {start} to {end}.")


def _fills(page: Page) -> None:
    names = _medicines(page)
    wanted = [
        one for one in sorted(page.patient.fills, key=lambda fill: fill.date, reverse=True)
        if not names or any(set(one.ingredients) & set(medicine(name, page.bound.drugs).ingredients) for name in names)
    ]  # fmt: skip
    if not wanted:
        page.say("No pharmacy fill is on record.")
        return
    page.say(f"Pharmacy fills on record: {page.number(len(wanted), 'fills')}; the latest:")
    for one in wanted[:MOST_VALUES]:
        page.cite(one.id, f"fill of {one.drug}, {one.date.isoformat()}, {one.days_supply} days")
        drug = page.ledger.add(
            "drug", one.drug, origin="chart", attribute="fill", source=one.id, aliases=one.ingredients
        )
        days = page.ledger.add(
            "duration", one.days_supply, unit="days", origin="chart", attribute="fill", source=one.id
        )
        page.say(f"{drug}, filled on {page.day(one.date, 'fill', one.id)}, {days} supply", bullet=True)


def _documents(page: Page) -> None:
    if not page.patient.documents:
        page.say("No document is on file beside the chart's own records.")
    for one in page.patient.documents[:MOST_LINES]:
        page.cite(one.id, one.title)
        when = f", {page.day(one.date, 'document', one.id)}" if one.date else ""
        page.say(f"{page.words(one.title, 'document', one.id)}{when}.")


# --- the person -------------------------------------------------------------------------------------------


def _person(page: Page) -> None:
    patient, ledger = page.patient, page.ledger
    name = ledger.add(
        "name", patient.name or patient.id, origin="chart", attribute="patient", source="patient"
    )
    code = ledger.add("code", patient.id, origin="chart", attribute="patient", source="patient")
    born = "birth date not on record"
    if patient.birth_date:
        years = ledger.add(
            "duration", age_on(patient.birth_date, page.bound.as_of), unit="years", origin="derived", attribute="age",
            source="patient", formula=f"whole years from {patient.birth_date} to {page.bound.as_of}",
        )  # fmt: skip
        born = f"born {page.day(patient.birth_date, 'birth', 'patient')}, {years} old"
    sex = page.words(patient.sex, "sex", "patient") if patient.sex != "unknown" else "sex not on record"
    page.say(f"{name} ({code}), {sex}, {born}.")
    page.cite("patient", f"{patient.name}, {patient.sex}, {patient.birth_date or ''}")
    if re.search(r"address|live|phone|contact|zip|city|street", page.asked):
        where = (
            page.words(formats.address(patient.address), "address", "patient")
            if patient.address
            else "address not on record"
        )
        phone = (
            ledger.add("code", patient.phone, origin="chart", attribute="phone", source="patient")
            if patient.phone
            else "not on record"
        )
        page.say(f"{where}; phone {phone}.")


def _prescriber(page: Page) -> None:
    doctor: Prescriber | None = page.patient.prescriber
    if doctor is None:
        page.say("The prescriber is not on record.")
        return
    add = page.ledger.add
    name = add("name", doctor.name, origin="chart", attribute="prescriber", source="prescriber")
    parts = [name]
    if doctor.specialty:
        parts.append(page.words(doctor.specialty, "specialty", "prescriber"))
    if doctor.practice:
        parts.append(add("name", doctor.practice, origin="chart", attribute="practice", source="prescriber"))
    if doctor.npi:
        parts.append(f"NPI {add('code', doctor.npi, origin='chart', attribute='npi', source='prescriber')}")
    for what, number in (("phone", doctor.phone), ("fax", doctor.fax)):
        if number:
            parts.append(f"{what} {add('code', number, origin='chart', attribute=what, source='prescriber')}")
    page.cite("prescriber", doctor.name)
    page.say(f"The prescriber is {', '.join(parts)}.")


def _summary(page: Page) -> None:
    """Who it is, what is ordered, and the values and drugs that requests turn on."""
    _person(page)
    for test in ("hba1c", "bmi"):
        values = values_of(page.patient, test, page.bound.as_of).usable
        if values:
            name, value = _test_name(page, test, capital=True), _value(page, test, values[0])
            page.say(f"{name} {value}, on {_of(page, test, values[0])}.")
    taken = [one for one in page.patient.medications or () if GLUCOSE_OR_WEIGHT & set(_classes(page, one))]
    for course in taken[:MOST_QUOTES]:
        page.say(_told(page, course), bullet=True)
    for order in page.patient.orders[:1]:
        page.say(f"Ordered: {drug_slot(page.ledger, order.drug)}.")


# --- notes ------------------------------------------------------------------------------------------------


def _notes(page: Page) -> None:
    """The last note, or what notes say of something."""
    notes = sorted(page.patient.notes, key=lambda one: one.date or date.min, reverse=True)
    if not notes:
        page.say("No note is on record.")
        return
    if _search(page):
        return
    if _content(page) and not re.search(r"last|latest|newest|most recent|read|visit|show", page.asked):
        page.say(f"None of the {page.number(len(notes), 'notes')} notes mentions that.")
        return
    last = notes[0]
    page.say(f"The latest is {_note_of(page, last)}:")
    for sentence in _sentences(last)[:MOST_SENTENCES]:
        page.say(f"“{_quote(page, last, sentence)}”", bullet=True)
    if len(_sentences(last)) > MOST_SENTENCES:
        page.say(
            f"{page.number(len(_sentences(last)) - MOST_SENTENCES, 'sentences not shown')} more sentences",
            bullet=True,
        )


def _search(page: Page) -> bool:
    """Sentences of notes that hold the question's own words, quoted; False if none does."""
    words = _content(page)
    if not words:
        return False
    patterns = [re.compile(rf"\b{re.escape(word)}", re.IGNORECASE) for word in words]
    return _quote_notes(
        page, lambda sentence: all(one.search(sentence) for one in patterns), "A note says"
    ) or _quote_notes(
        page,
        lambda sentence: any(len(one.pattern) > 6 and one.search(sentence) for one in patterns),
        "A note says",
    )


def _quote_notes(page: Page, fits: Callable[[str], bool], lead: str) -> bool:
    found = 0
    for note in sorted(page.patient.notes, key=lambda one: one.date or date.min, reverse=True):
        for sentence in _sentences(note):
            if found < MOST_QUOTES and fits(sentence):
                found += 1
                page.say(f"{lead} ({_note_of(page, note)}): “{_quote(page, note, sentence)}”", verbatim=True)
    return found > 0


def _quote(page: Page, note: Note, sentence: str) -> str:
    page.cite(note.id, sentence, note=True)
    return page.ledger.add("quote", sentence, origin="chart", attribute="note", source=note.id)


def _note_of(page: Page, note: Note) -> str:
    kind = page.words(note.type, "note", note.id)
    when = f" of {page.day(note.date, 'note', note.id)}" if note.date else ""
    by = (
        f" by {page.ledger.add('name', note.author, origin='chart', attribute='author', source=note.id)}"
        if note.author
        else ""
    )
    return f"the {kind}{when}{by}"


def _sentences(note: Note) -> list[str]:
    """A note's sentences, verbatim; a very long one in its first part."""
    parts = re.split(r"\n+|(?<=[.!?;])\s+(?=[A-Z])", note.text)
    return [part.strip()[:LONGEST_QUOTE] for part in parts if part.strip()]


def _content(page: Page) -> list[str]:
    words = re.findall(r"[a-z][a-z'-]{2,}", page.ask.text.casefold())
    return [_root(word) for word in words if word not in _ASKING]


def _root(word: str) -> str:
    return re.sub(r"(?:ing|ed|es|s)$", "", word) if len(word) > 5 else word


_ASKING = frozenset(
    """the and for any are was were did does has have had his her him she they their what when where which who how why
    chart record records note notes mention mentions mentioned say says said anything something about find search look
    show read last latest newest recent visit patient with that this there can could you please tell give from into out
    doctor telephone progress written wrote documented documentation document been being still ever not its it's also
    know see let list all now today pull check whether his's her's telling me my our your office most just more get
    got pt his/her on""".split()  # noqa: SIM905
)
_LISTS: dict[str, tuple[re.Pattern[str], Callable[[Page], None]]] = {
    name: (re.compile(words, re.IGNORECASE), say)
    for name, words, say in (
        ("notes", r"\bnotes?\b|write-?up|documented in|visit (?:summary|on)", _notes),
        ("allergies", r"allerg|intoleran", _allergies),
        ("family", r"family (?:history|hx)|\bmother\b|\bfather\b|\bsister\b|\bbrother\b|relative|runs in", _family),
        ("authorizations", r"(?:earlier|previous|prior|existing|current|old) (?:authori[sz]ation"
                    r"|approval)s?\b|authori[sz]ation (?:on|end|run)|approved before", _authorizations),
        ("fills", r"\bfills?\b|filled|claims|dispens|pharmacy|refill|picked up", _fills),
        ("orders", r"\border(?:s|ed)?\b|prescribed today|was requested", _orders),
        ("programs", r"program|diet\b|exercise|lifestyle|dietitian|weight watchers", _programs),
        ("procedures", r"procedure|sleep study|polysomno|\becho\b|scan\b|biopsy|surger|imaging|studies", _procedures),
        ("statements", r"attest|statement|states?\b", _statements),
        ("documents", r"\bdocuments?\b|\bfiles?\b|attachment|paper", _documents),
        ("prescriber", r"prescriber|doctor|physician|\bnpi\b|provider|specialt|practice"
                         r"|who (?:ordered|presc)", _prescriber),
        ("person", r"how old|\bage\b|birth|\bdob\b|born|\bsex\b|gender|male|address|phone number|demograph"
                   r"|contact info|where does|name\b", _person),
        ("medications", r"\bmeds?\b|medication|medicine|\bdrugs?\b|tried|\btry\b|taking|been on|pills"
                    r"|treatment", _medications),
        ("diagnoses", r"diagnos|problem list|problems?\b|\bicd|conditions?\b|comorbid|codes?\b|history of"
                    r"|\bpmh\b", _diagnoses),
        ("summary", r"summar|overview|chart look|in the chart|tell me about (?:her|him|the patient"
                    r"|this patient)|whole chart", _summary),
    )
}  # fmt: skip
