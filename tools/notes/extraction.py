"""The facts of a note beside measured values: what it says of the drugs, conditions and procedures that it names, and
what its sentences state. How each is meant is learned (`encoded`); this puts the labels into facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from tools.language.assertion import sentence_at, sentences
from tools.language.likelihood import About
from tools.language.stance import words
from tools.notes.encoded import ORDER, TOPICS, Encoded
from tools.notes.facts import FactKind, Standing, Subject
from tools.terminology.conditions import conditions
from tools.terminology.dates import DateSpan, dates_in
from tools.terminology.matcher import Span, loose_matches
from tools.terminology.medicines import ingredients_of, terminology
from tools.terminology.observations import tests
from tools.terminology.vocabulary import vocabulary

_LEAST = 0.5  # likelihood of a course, or of how a statement stands, from which it is told
_CLEAR = 0.6  # likelihood of a person from which it is clear whose something is
_SHOWN = 0.5  # of the likelihood of a condition, where only what shows it is named
_TOLERATED_TOO = 0.2  # likelihood from which a drug that did something is said to be borne too
_BREATH = 6  # characters between two names of one thing that are one mention: "MTC or MEN 2"
_LEAD = 24  # characters before a day in which a word of beginning may stand
_FORMS = ("er", "xr", "ir")
_JOINTS = ("/", "-", "+", " / ", " + ")  # between the ingredients of a product
_SUBJECTS: dict[str, tuple[Subject, ...]] = {
    "patient": ("self",), "family": ("family",), "other": ("other",), "both": ("self", "family"),
}  # fmt: skip
COURSES: dict[
    str, tuple[FactKind, bool, Standing]
] = {  # what is told of a drug, as kind, whether it is so, and how
    "intolerance": ("intolerance", True, "history"),
    "allergy": ("allergy", True, "current"),
    "inadequate": ("inadequate", True, "history"),
    "partial": ("partial", True, "history"),
    "effective": ("effective", True, "current"),
    "contraindicated": ("contraindicated", True, "current"),
    "declined": ("taking", True, "declined"),
    "stopped": ("stopped", True, "history"),
    "never": ("tried", False, "current"),
    "not_taking": ("taking", False, "current"),
    "taking": ("taking", True, "current"),
    "planned": ("taking", True, "planned"),
    "tried": ("tried", True, "history"),
}  # the most telling first
TOLERATED: tuple[FactKind, bool, Standing] = ("intolerance", False, "current")
_BORNE = ("taking", "effective", "partial", "inadequate")  # courses of which it may be told beside them
_OVER = ("stopped", "intolerance", "inadequate", "partial", "tried")
_UNTOLD = ("planned", "conditional", "mentioned")  # senses in which nothing is said of anybody
_PROCEDURES = {
    "condition:bariatric_status": "bariatric_surgery",
    "test:lvef": "echo",
}  # by what they are evidence of
_STUDIES = ("sleep_study", "liver_biopsy", "thyroidectomy")


class Extract(NamedTuple):
    """A fact at [start, end) of a text: its kind, what it is of, the other fields of a NoteFact, and how likely it is
    meant so."""

    kind: FactKind
    of: str
    start: int
    end: int
    fields: dict[str, Any]
    sure: float = 1.0


def extracts(encoded: Encoded, written: date | None) -> Iterator[Extract]:
    """All that a text says of what it names, and all that it states."""
    for span in drugs_in(encoded.text):
        yield from _of_drug(encoded, span, written)
    yield from _diagnoses(encoded)
    yield from _procedures(encoded, written)
    yield from _statements(encoded, written)


def orders(encoded: Encoded) -> list[tuple[int, int]]:
    """The sentences that give an order to whoever reads them."""
    return [span for span in sentences(encoded.text) if encoded.shares(ORDER, *span)["yes"] >= _LEAST]


def subjects_of(
    encoded: Encoded, start: int, end: int, about: About, present: bool = True
) -> tuple[Subject, ...]:
    """Whose it is, () where that is not clear; only of a denial may it be the patient's and the family's at once."""
    who = encoded.meant("who", start, end, about)
    likely = _best({name: share for name, share in who.items() if not present or name != "both"})
    return _SUBJECTS[likely] if who[likely] >= _CLEAR * sum(who.values()) else ()


def _best(shares: dict[str, float]) -> str:
    return max(shares, key=shares.__getitem__)


# --- drugs ------------------------------------------------------------------------------------------------


def drugs_in(text: str) -> list[Span]:
    """The drugs and classes that a text names; the ingredients of a product in one word, "sitagliptin/metformin", are
    that product."""
    found: list[Span] = []
    for span in loose_matches(text):
        if span.kind not in ("medicine", "class"):
            continue
        if found and text[found[-1].end : span.start] in _JOINTS:
            product = _products().get(frozenset((*_made_of(found[-1]), *_made_of(span))))
            if product is not None:
                found[-1] = Span(found[-1].start, span.end, "medicine", product)
                continue
        found.append(span)
    return found


def _made_of(span: Span) -> tuple[str, ...]:
    return ingredients_of(span.key) if span.kind == "medicine" else ()


@cache
def _products() -> dict[frozenset[str], str]:
    """A concept for each set of several ingredients that is sold as one product."""
    rows = [row for row in terminology().rows() if len(row.ingredients) > 1]
    return {frozenset(row.ingredients): f"medicine:{row.name.casefold()}" for row in reversed(rows)}


def _of_drug(encoded: Encoded, span: Span, written: date | None) -> Iterator[Extract]:
    """What is told of a drug, the most telling thing; and that it is borne, which may be told beside it."""
    text = encoded.text
    shares = encoded.shares("course", span.start, span.end)
    borne = shares.pop("tolerated")
    shares["taking"] += borne  # what is borne is taken
    course = _best(shares)
    if course == "none" or shares[course] < _LEAST:
        return
    began, ended = _days(text, span, course, written)
    name, end = _name(text, span)
    first, last = sentence_at(text, span.start)
    fields = {"subjects": subjects_of(encoded, span.start, span.end, "drug"), "drug": name}
    beside = [TOLERATED] if borne >= _TOLERATED_TOO and course in _BORNE else []
    for told in (COURSES[course], *beside):
        kind, present, status = told
        detail = _best(encoded.shares("effect", span.start, span.end)) if course == "intolerance" else ""
        days = {"began": began, "date": ended} if told is not TOLERATED else {}
        yield Extract(
            kind, drug_named(span), min(first, span.start), max(last, end),
            fields | days | {"present": present, "status": status, "detail": detail}, shares[course],
        )  # fmt: skip


def drug_named(span: Span) -> str:
    """Ingredients joined by +, or a key of CLASSES; "" of what is no drug."""
    if span.kind == "class":
        return span.key
    return "+".join(sorted(one.replace(" ", "_") for one in _made_of(span)))


def _name(text: str, span: Span) -> tuple[str, int]:
    """The drug as the note calls it, with its form, and where that ends."""
    name, following = text[span.start : span.end], text[span.end : span.end + 4].split()
    if following and following[0].casefold() in _FORMS:
        return f"{name} {following[0].upper()}", span.end + 1 + len(following[0])
    return name, span.end


def _days(text: str, span: Span, course: str, written: date | None) -> tuple[date | None, date | None]:
    """When a course began and when it ended, as far as its sentence tells before the next drug; one that goes on has
    only begun."""
    first, last = sentence_at(text, span.start)
    later = [
        one.start for one in loose_matches(text) if one.kind == "medicine" and span.end <= one.start < last
    ]
    about = text[first : min(later, default=last)]
    days = _dated(about, written)
    began, ended = _began_and_ended(about, days)
    return (began, ended) if course in _OVER else (began or ended, None)


def _began_and_ended(text: str, days: list[DateSpan]) -> tuple[date | None, date | None]:
    """Of several days the first and the last; of one the beginning where a word of it stands before, else the end."""
    if not days:
        return None, None
    if len(days) > 1:
        return days[0].day, days[-1].day
    begins = words(text[max(0, days[0].start - _LEAD) : days[0].start], "begins")
    return (days[0].day, None) if begins else (None, days[0].day)


def _dated(text: str, written: date | None) -> list[DateSpan]:
    return [day for day in dates_in(text, written) if not day.relative] if written else []


# --- conditions and procedures ----------------------------------------------------------------------------


def _diagnoses(encoded: Encoded) -> Iterator[Extract]:
    """Conditions that a rule may ask for, and what may be one of them or shows one, less surely than its name; named
    twice in one breath, once."""
    found: list[tuple[str, int, int, bool]] = []
    for span in loose_matches(encoded.text):
        of, named = condition_named(span), span.kind == "condition"
        if of and found and found[-1][0] == of and span.start - found[-1][2] <= _BREATH:
            found[-1] = (of, found[-1][1], span.end, named)
        elif of:
            found.append((of, span.start, span.end, named))
    for of, start, end, named in found:
        senses = encoded.meant("sense", start, end, "condition")
        sense = _best(senses)
        present = sense not in ("absent", "void")
        if sense not in _UNTOLD:
            status = "history" if sense == "past" else "current"
            subjects = subjects_of(encoded, start, end, "condition", present)
            fields = {
                "present": present,
                "subjects": subjects,
                "status": status,
                "hedged": sense == "uncertain",
            }
            yield Extract("diagnosis", of, start, end, fields, senses[sense] * (1.0 if named else _SHOWN))


def condition_named(span: Span) -> str:
    """The condition that a rule may ask for, or that shows one; "" of anything else."""
    if span.kind == "test":
        return tests()[span.key].evidence_of
    row = conditions()[span.key] if span.kind == "condition" else None
    return span.key if row and (row.criterion or (row.codes and row.may_be)) else ""


def _procedures(encoded: Encoded, written: date | None) -> Iterator[Extract]:
    """Studies and operations, done or to come, with the day in their sentence."""
    text = encoded.text
    for span in loose_matches(text):
        of = procedure_named(span)
        senses = encoded.meant("sense", span.start, span.end, "procedure")
        sense = _best(senses)
        if not of or sense in ("conditional", "mentioned", "void"):
            continue
        first, last = sentence_at(text, span.start)
        days = [
            day for day in _dated(text[first:last], written)
            if sense != "planned" or (day.day and written and day.day >= written)
        ]  # fmt: skip
        nearest = min(days, key=lambda day: abs(first + day.start - span.end), default=None)
        present = sense != "absent"
        fields = {
            "present": present, "subjects": subjects_of(encoded, span.start, span.end, "procedure", present),
            "status": "planned" if sense == "planned" else "done", "hedged": sense == "uncertain",
            "date": nearest.day if nearest else None,
        }  # fmt: skip
        yield Extract("procedure", of, span.start, span.end, fields, senses[sense])


def procedure_named(span: Span) -> str:
    """The study or operation that a rule may ask for; "" of anything else."""
    row = vocabulary("procedures").get(span.key) if span.kind == "procedure" else None
    of = _PROCEDURES.get(row.evidence_of, span.key) if row else ""
    return of if of in (*_STUDIES, *_PROCEDURES.values()) else ""


# --- statements -------------------------------------------------------------------------------------------


def _statements(encoded: Encoded, written: date | None) -> Iterator[Extract]:
    """What each sentence states that a prescriber could be asked for, and programs."""
    text = encoded.text
    for start, end in sentences(text):
        for topic in TOPICS:
            shares = encoded.shares(topic, start, end)
            stands = _best(shares)
            if topic == ORDER or stands == "no" or shares[stands] < _LEAST:
                continue
            days = _dated(text[start:end], written)
            fields: dict[str, Any] = {
                "present": stands != "not",
                "subjects": _SUBJECTS[_best(encoded.shares("whose", start, end))],
                "status": "planned" if stands == "planned" else "current",
            }
            if topic == "programme":
                fields["began"], fields["date"] = _began_and_ended(text[start:end], days)
                yield Extract("programme", "lifestyle", *_program(text, start, end), fields, shares[stands])
            else:
                day = days[0].day if days and topic == "specialist_consult" else None
                fields |= {"detail": _specialty(text[start:end]), "date": day}
                yield Extract("statement", topic, start, end, fields, shares[stands])


def _program(text: str, start: int, end: int) -> tuple[int, int]:
    """The words that name the program in its sentence; the sentence, where none do."""
    named = [one for one in loose_matches(text[start:end]) if one.concept == "procedure:lifestyle_program"]
    return (start + named[0].start, start + named[0].end) if named else (start, end)


def _specialty(sentence: str) -> str:
    return next((span.key for span in loose_matches(sentence) if span.kind == "specialty"), "")
