"""Statements that something is, or is not, so: from observations and from answers to questionnaires.

Whoever wrote it, a statement has a date and an author, and its own words name one of our topics and nothing beside
it; a question that asks for more, or for less, is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from tools.domain.records import Attestation
from tools.fhir.context import Reading
from tools.fhir.elements import Element
from tools.fhir.report import Entry, Ignored
from tools.terminology.conditions import conditions
from tools.terminology.terms import LOINC, TOPICS

Subjects = tuple[Literal["self", "family"], ...]
PREGNANCY = "82810-3"
_YES = {"77386006", "373066001", "52101004", "LA33-6", "LA9633-4", "Y", "yes", "true", "present"}
_NO = {"60001007", "373067005", "2667000", "LA32-8", "LA9634-2", "N", "no", "false", "absent"}
_WORD = re.compile(r"[a-z0-9'-]+")
# Words that a question puts around its topic without changing what is asked.
_FRAME = set(_WORD.findall(
    "a an any are been currently diagnosed diagnosis do does ever family had has have history in is member now of or"
    " patient patient's patients personal status the there this with you your"
))  # fmt: skip
_SELF = {"personal", "patient", "patient's", "you", "member"}


class Topic(NamedTuple):
    """What a question asks. A `part` of a topic proves the topic, and its absence does not disprove it."""

    key: str
    subjects: Subjects
    part: bool


def statement_of(entry: Entry, at: Reading) -> Attestation | None:
    """What an observation states; None where it states nothing of a topic of ours."""
    said = entry.element
    concept = said.concept("code")
    topic = (
        Topic("pregnancy", ("self",), False) if concept.code(LOINC) == PREGNANCY else topic_of(concept.name)
    )
    answer = _answer(said)
    if topic is None or (answer is None and said.one("valueQuantity")):
        return None
    on = said.day("effectiveDateTime") or said.period("effectivePeriod").start
    by = at.first_name(said.references("performer"))
    if why := _unusable(topic, answer, on, by or concept.code(LOINC)):
        raise Ignored(why)
    text = next((note.text("text") for note in said.many("note")), "")
    return _attestation(at.id(entry, Attestation), topic, answer, on, by, text)


def _attestation(
    id: str, topic: Topic, answer: bool | None, on: date | None, by: str, text: str
) -> Attestation:
    return Attestation(
        id=id, topic=topic.key, present=bool(answer), subjects=topic.subjects, date=on, by=by, text=text
    )


def questionnaire(entry: Entry, at: Reading) -> Iterator[Attestation]:
    """The answers to a questionnaire that state one of our topics; the others are listed."""
    said = entry.element
    if said.text("status") not in ("completed", "amended"):
        raise Ignored(f"answers that are {said.text('status') or 'of no status'}")
    on = said.day("authored")
    by = at.name_of(said.reference("author")) or at.name_of(said.reference("source"))
    found = 0
    for item in _items(said):
        question = item.text("text") or re.sub(r"[_-]", " ", item.text("linkId").rpartition("/")[2])
        topic, answers = topic_of(question), [_answer(answer) for answer in item.many("answer")]
        answer = answers[0] if len(answers) == 1 else None
        if why := _unusable(topic, answer, on, by):
            entry.partly(f"{why}: {question[:80] or 'an item without words'}")
        elif topic is not None:
            yield _attestation(at.id(entry, Attestation, found), topic, answer, on, by, question)
            found += 1
    if not found:
        raise Ignored("no answer that states a topic of ours")


def _unusable(topic: Topic | None, answer: bool | None, on: date | None, by: str) -> str:
    if topic is None:
        return "not understood"
    if answer is None:
        return "states neither yes nor no"
    if topic.part and not answer:
        return f"denies only a part of {TOPICS[topic.key]}"
    return "a statement without its day" if on is None else "" if by else "a statement without an author"


@lru_cache(maxsize=4096)
def topic_of(words: str) -> Topic | None:
    """The topic that a question names, and of whom it asks; None if it asks for anything beside it."""
    text = " ".join(_WORD.findall(words.casefold()))
    for phrase, topic, part in _phrases():
        if phrase not in text:
            continue
        rest = set(re.sub(rf"(?<!\S){re.escape(phrase)}(?!\S)", " ", text).split())
        if rest <= _FRAME:
            family, patient = "family" in rest, bool(rest & _SELF)
            subjects: Subjects = ("self",) if not family else ("self", "family") if patient else ("family",)
            return Topic(topic, subjects, part)
    return None


def question_of(topic: str, subjects: Subjects) -> str:
    """A topic as a question names it, so that `topic_of` reads the same."""
    about = {("self", "family"): "personal or family history of ", ("family",): "family history of "}
    return about.get(subjects, "") + TOPICS.get(topic, topic)


@cache
def _phrases() -> tuple[tuple[str, str, bool], ...]:
    """Each topic by its own names and by those of its condition, of which a part is one of two ("MTC or MEN 2");
    longer ones first."""
    rows = [row for row in conditions().values() if row.topic in TOPICS]
    listed = [(name, row.topic, " or " in row.label) for row in rows for name in row.phrases + row.names]
    listed += [
        (name, topic, False) for topic, label in TOPICS.items() for name in (topic.replace("_", " "), label)
    ]
    found = {" ".join(_WORD.findall(name.casefold())): (topic, part) for name, topic, part in listed}
    return tuple((phrase, *found[phrase]) for phrase in sorted(found, key=len, reverse=True))


def _items(said: Element) -> Iterator[Element]:
    for item in said.many("item"):
        if item.raw.get("answer"):
            yield item
        yield from _items(item)
        for answer in item.many("answer"):
            yield from _items(answer)


def _answer(said: Element) -> bool | None:
    """Yes or no, as a flag, a code or a word."""
    if (flag := said.flag("valueBoolean")) is not None:
        return flag
    coding, concept = said.one("valueCoding"), said.concept("valueCodeableConcept")
    words = (said.text("valueString"), concept.text, coding.text("display"))
    given = concept.codes | {coding.text("code")} | {word.casefold().rstrip(".") for word in words}
    yes, no = bool(given & _YES), bool(given & _NO)
    return yes if yes != no else None
