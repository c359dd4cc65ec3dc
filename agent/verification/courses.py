"""What is said of drugs: who takes what, how much, since when, and how it went; one course must bear out all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from agent.ledger import spoken_date
from agent.verification.dates import DayMention
from agent.verification.drugs import DrugMention
from agent.verification.index import ChartedCourse, amount
from agent.verification.sentence import Kind, Placed, Sentence, SentencePart, overlaps
from agent.verification.text import TextSpan
from tools.language.stance import Word
from tools.terminology.medicines import CLASSES
from tools.terminology.quantities import Quantity, convert

DOSES = frozenset(("mg", "ug", "g", "[IU]"))
DAYS = {"h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.44, "a": 365.25}
_RESPONSES = {
    "failed": ("Inadequate", "Partial"),
    "partial": ("Partial",),
    "effective": ("Effective",),
    "intolerant": ("Intolerance",),
}
_AFTERWARDS = frozenset((*_RESPONSES, "tolerated", "allergic", "stopped"))  # said of a drug before them
_RANGE = re.compile(r"\s*,?\s*(?:to|until|till|through|thru|and|-)\s*(?:the\s+)?")
_JOINED = re.compile(r"[^;:]*(?:,|\band\b|\bor\b|/|\+)[^;:]*")
_LEADS = 16  # characters between a verb and the drug that it is said of


class CourseClaim(NamedTuple):
    """One thing said of a course, and whether it fits one."""

    kind: Kind
    at: Placed
    fits: Callable[[ChartedCourse], bool]


def check_courses(s: Sentence) -> None:
    """Everything said of the drugs and drug classes of a sentence; what belongs to a course is then taken."""
    for drug, span in _mentions(s):
        _check_drug(s, drug, span)
    _check_classes(s)


def _mentions(s: Sentence) -> Iterator[tuple[DrugMention, TextSpan]]:
    """Every drug with its stretch of the sentence: from the drug before it, or from the beginning of its part, up to
    the next drug, and over parts that name nothing of their own."""
    drugs = s.drugs
    if not drugs and s.before and s.before.drugs and not s.tests and s.words("course"):
        yield s.before.drugs[-1]._replace(start=0, end=0), TextSpan(0, len(s.text))
    for place, drug in enumerate(drugs):
        part = s.part(drug)
        ahead = [d.end for d in drugs[:place] if part.holds(d) and not _same(d, drug)]
        behind = [d.start for d in drugs[place + 1 :] if not _same(d, drug)]
        end = part.end
        for one, other in pairwise(s.parts):
            if one.end == end and not any(map(other.holds, (*s.tests, *s.concepts))):
                end = other.end
        yield drug, TextSpan(drug.start if ahead else part.start, min([end, *behind]))


def _check_drug(s: Sentence, drug: DrugMention, span: TextSpan) -> None:
    index, part = s.index, s.part(drug)
    known = [
        f for name in dict.fromkeys((drug.name, *drug.ingredients)) for f in index.drug_facts.get(name, ())
    ]
    said = _said_of(s, drug, span)
    courses = index.courses_of(drug.name, drug.ingredients, drug.release, drug.brand)
    own = any(drug.name in (str(f.value).lower(), *map(str.lower, f.aliases)) for f in known)
    if not courses and (not known or (drug.brand and not own)):
        in_policy = not part.asserts and any(drug.name in quote for quote, _ in index.quotes)
        if not in_policy and not (said and all(_none(s, word) for word in said)):
            s.wrong("drug", drug, f"{drug.name} is not in the chart, the plan or the request")
        return
    s.support(*(fact.id for fact in known[:1]))
    elements = [*_elements(s, drug, span, courses)]
    if s.supposed:
        return
    if not courses:
        _check_uncharted(s, drug, elements, said)
        return
    best = _bear_out(s, drug, courses, elements)
    if part.asserts:
        for word in said:
            if why := _contradiction(s, drug, best, word):
                s.wrong("negation", word, why)


# --- what belongs to a mention ---------------------------------------------------------------------------------


def _elements(
    s: Sentence, drug: DrugMention, span: TextSpan, courses: Sequence[ChartedCourse]
) -> Iterator[CourseClaim]:
    ordered = [q for q in s.quantities if q.unit in DOSES and _is_ordered(s, drug, q)]
    for q in s.quantities:
        mine = span.start <= q.start < span.end and q[:2] not in s.taken
        if not mine and not _leads(s, q, drug):
            continue
        if q.unit in DOSES and not _after_test(s, q) and (q.start > drug.start or _leads(s, q, drug)):
            s.taken.add(q[:2])
            if q not in ordered:
                yield _dose(q)
            if q.per and courses and not ordered:
                yield _frequency(q, q.per[0] and 1 / (q.per[0] * DAYS.get(q.per[1], 1.0)))
        elif q.dimension == "frequency" and q.unit != "/h" and courses and not ordered:
            s.taken.add(q[:2])
            yield _frequency(q, convert(q.low, q.unit, "/d") or 0.0)
        elif q.unit in DAYS and q.dimension != "age" and courses and _lasted(s, q):
            s.taken.add(q[:2])
            yield _duration(q)
    if courses and not _dates_of_another(s, span):
        for day in s.days:
            if span.start <= day.start < span.end and day[:2] not in s.taken:
                s.taken.add(day[:2])
                yield _day(s, day)


def _leads(s: Sentence, q: Quantity, drug: DrugMention) -> bool:
    """ "500 mg of metformin", unless the drug ahead has the dose."""
    ahead = any(0 <= q.start - other.end < 14 for other in s.drugs)
    return q.end <= drug.start and s.gap(q, drug).strip() in ("", "of", "of oral") and not ahead


def _after_test(s: Sentence, q: Quantity) -> bool:
    return any(0 <= q.start - test.end < 12 for test in s.tests)


def _lasted(s: Sentence, q: Quantity) -> bool:
    """A length of treatment, and no window, supply or duration of an approval."""
    part = s.part(q)
    words = set(s.low[max(0, q.start - 26) : q.end + 14].split())
    asked = part.voices & {"request", "general"} or (q.compare and not part.of_patient)
    return (
        not asked
        and not overlaps(q, s.days)
        and not words & {"per", "within", "every", "supply", "old", "window"}
    )


def _dates_of_another(s: Sentence, span: TextSpan) -> bool:
    """The days belong to a value, a diagnosis or a document, and to no drug."""
    values = [
        q for q in s.quantities if q.unit and q.unit not in DOSES | {*DAYS} and q.dimension != "frequency"
    ]
    named: list[Placed] = [*values, *s.tests, *(c for c in s.concepts if c.kind in ("document", "procedure"))]
    named += [w for w in s.words("day") if w.key == "birth"]
    return any(span.start <= item.start < span.end for item in named) or "request" in s.part(span).voices


def _dose(q: Quantity) -> CourseClaim:
    def fits(course: ChartedCourse) -> bool:
        said = convert(q.low, q.unit, course.unit) if course.dose is not None else None
        return said is not None and abs(said - (course.dose or 0)) < 1e-9

    return CourseClaim("dose", q, fits)


def _frequency(q: Quantity, per_day: float) -> CourseClaim:
    return CourseClaim("dose", q, lambda c: c.per_day is not None and abs(c.per_day - per_day) < 0.01)


def _duration(q: Quantity) -> CourseClaim:
    length = DAYS[q.unit]

    def fits(course: ChartedCourse) -> bool:
        if course.days is None:
            return False
        lasted = course.days / length
        if q.compare:
            return compares(lasted, q.compare, q.low)
        slack = {"d": 0.01, "a": 0.75}.get(q.unit, 1.0)
        return abs(lasted - q.low) < (max(0.12 * lasted, slack, 3 / length) if q.about else slack)

    return CourseClaim("number", q, fits)


def _day(s: Sentence, day: DayMention) -> CourseClaim:
    """A day of a course: its start, its end, or either, by the word before it and by its place in a range."""
    ahead = [d for d in s.days if d.end <= day.start and day.start - d.end < 14]
    behind = [d for d in s.days if d.start >= day.end]
    roles = [w for w in s.words("day") if w.end <= day.start and w.key in ("start", "end")]
    role = roles[-1].key if roles and ";" not in s.gap(roles[-1], day) else ""
    if ahead and _RANGE.fullmatch(s.gap(ahead[-1], day)):
        role = "end"
    elif behind and _RANGE.fullmatch(s.gap(day, behind[0])):
        role = "start"

    def fits(course: ChartedCourse) -> bool:
        begun = course.start is not None and day.has(course.start)
        ended = course.end is not None and day.has(course.end)
        if role:
            return begun if role == "start" else ended
        filled = any(what == "fill" and day.has(on) for on, what, _ in s.index.dates)
        during = not day.exact and course.start is not None and course.start <= day.last
        return begun or ended or filled or (during and (course.end is None or course.end >= day.first))

    return CourseClaim("date", day, fits)


def _said_of(s: Sentence, drug: DrugMention, span: TextSpan) -> list[Word]:
    """What is said of this drug: by a verb ahead of it or of its list, or by what follows it up to the next drug."""
    part = s.part(drug)
    drugs = [d for d in s.drugs if part.holds(d)]
    inside = [
        word
        for word in s.words("course")
        if part.start <= word.start < span.end and not overlaps(word, (*s.drugs, *s.conditions))
    ]
    found = []
    for word in inside:
        before, after = [d for d in drugs if d.end <= word.start], [d for d in drugs if d.start >= word.end]
        near = bool(after) and after[0].start - word.end < _LEADS
        parted = word.key not in _AFTERWARDS or not before or word.start - before[-1].end >= _LEADS
        leads = bool(after) and (not before or (near and parted))
        group = in_list(s, after) if leads else in_list(s, before[::-1]) or [drug]
        if drug in group:
            found.append(word)
    return found


def in_list(s: Sentence, drugs: Sequence[DrugMention]) -> list[DrugMention]:
    """The first of the drugs, and those that follow it in one list; from right to left, if so given."""
    group = [*drugs[:1]]
    for one, other in pairwise(drugs):
        first, second = sorted((one, other))
        if not _JOINED.fullmatch(s.gap(first, second)):
            break
        group.append(other)
    return group


# --- judging -------------------------------------------------------------------------------------------------------


def _bear_out(
    s: Sentence, drug: DrugMention, courses: list[ChartedCourse], elements: list[CourseClaim]
) -> list[ChartedCourse]:
    """The courses that are meant: those that fit everything, or the one that fits most. A mention that sums up several
    courses is judged piece by piece."""
    fitting = [course for course in courses if all(e.fits(course) for e in elements)]
    best = max(courses, key=lambda course: sum(e.fits(course) for e in elements))
    s.support(best.id)
    if fitting or not elements:
        return fitting or courses
    several = sum(e.kind == "dose" for e in elements) > 1 and len(elements) > 2
    wrong = [e for e in elements if not (any(map(e.fits, courses)) if several else e.fits(best))]
    for element in wrong:
        s.wrong(element.kind, element.at, f"the chart: {_shown(best)}")
    return [best]


def _shown(course: ChartedCourse) -> str:
    """ "glipizide 10 mg, 2 a day, from Jul 26, 2025, for 402 days": what of it the chart has."""
    return ", ".join(
        part
        for part in (
            course.drug if course.dose is None else f"{course.drug} {course.dose:g} {course.unit}",
            f"{course.per_day:g} a day" if course.per_day else "",
            f"from {spoken_date(course.start)}" if course.start else "",
            f"to {spoken_date(course.end)}" if course.end else "",
            f"for {course.days} days" if course.days is not None else "",
        )
        if part
    )


def _is_ordered(s: Sentence, drug: DrugMention, q: Quantity) -> bool:
    """The strength that is asked for, or one that the label or the policy names, where these speak."""
    part, asked = s.part(q), drug.name
    names = {asked} | {
        a for a in s.index.asked if not drug.brand and set(drug.ingredients) & set(s.index.lexicon.made_of(a))
    }
    for kind in ("strength", "label strength"):
        for fact in s.index.by_attribute[kind]:
            of = fact.attribute.partition(":")[2].lower()
            open_ = kind == "strength" or not part.of_patient
            if of in names and open_ and amount(q.low, q.unit) == amount(float(fact.value), fact.unit):
                s.support(fact.id)
                return True
    return not part.of_patient and amount(q.low, q.unit) in s.index.policy


def _check_uncharted(s: Sentence, drug: DrugMention, elements: list[CourseClaim], said: list[Word]) -> None:
    """A drug that the chart has no course of: asked for, allergic to, or not this patient's."""
    part, asked = s.part(drug), _is_asked(s, drug)
    for element in elements:
        if element.kind == "dose":
            why = "not the strength that is asked for" if asked else f"no course of {drug.name} in the chart"
            s.wrong("dose" if asked else "drug", element.at if asked else drug, why)
    if not part.asserts or (asked and "request" in part.voices):
        return
    listed = any(name in s.index.allergies for name in (drug.name, *drug.ingredients))
    for word in said:
        if word.key == "allergic" or _none(s, word):
            if why := _contradiction(s, drug, [], word):
                s.wrong("negation", word, why)
        elif not (word.key == "intolerant" and listed) and not (asked and word.key in ("ongoing", "taken")):
            s.wrong("drug", drug, f"no course of {drug.name} in the chart")


def _is_asked(s: Sentence, drug: DrugMention) -> bool:
    return any(name in s.index.asked for name in (drug.name, *(() if drug.brand else drug.ingredients)))


def _none(s: Sentence, word: Word) -> bool:
    """Does it say that there is no course?"""
    return word.key == "never" or (word.key in ("ongoing", "taken") and s.denied(word))


def _contradiction(s: Sentence, drug: DrugMention, courses: list[ChartedCourse], word: Word) -> str:
    """Why the chart does not bear the word out; "" if it does."""
    told_apart = any(
        s.gap(other, word).strip() == "," for other in s.words("course") if other.end <= word.start
    )
    denied = s.denied(word) and not told_apart  # "not tolerated, stopped in May"
    what, name = word.key, drug.name
    active = any(c.status == "active" for c in courses)
    stopped = any(c.status == "stopped" or c.end for c in courses)
    responses = [c.response for c in courses if c.response]
    listed = any(one in s.index.allergies for one in (name, *drug.ingredients))
    intolerant = any(r.startswith("Intolerance") for r in responses) or listed
    if what == "allergic":
        if denied and listed:
            return f"the allergy list has {name}"
        if not denied and not listed and not intolerant:
            return f"the chart has no reaction to {name}"
    elif what in ("never", "taken"):
        if courses and (what == "never" or denied):
            return f"the chart has a course of {name}"
    elif what in ("stopped", "ongoing"):
        so, other = (stopped, active) if what == "stopped" else (active, stopped)
        if not courses or (not denied and so) or (denied and not (so and not other)):
            return ""
        return f"{name}: {'ongoing' if active else 'stopped' if stopped else 'not known whether it goes on'}"
    elif what == "tolerated":
        if not denied and responses and all(r.startswith("Intolerance") for r in responses):
            return f"{name}: {responses[-1]}"
    elif courses:
        fits = any(r.startswith(_RESPONSES[what]) for r in responses) or (what == "intolerant" and listed)
        if fits == denied:
            return f"{name}: {responses[-1] if responses else 'the chart has no response'}"
    return ""


def _check_classes(s: Sentence) -> None:
    """ "Takes no DPP-4 inhibitor", "is on a statin"."""
    words = [w for w in s.words("course") if w.key in ("ongoing", "never")]
    for span in s.concepts:
        part: SentencePart = s.part(span)
        ahead = [w for w in words if part.holds(w) and w.end <= span.start]
        if span.kind != "class" or not ahead or s.supposed or not part.asserts:
            continue
        name = CLASSES.get(span.key, span.key)
        denied = s.denied(ahead[-1]) or s.denied(span)
        if ahead[-1].key == "never":
            if span.key in s.index.charted_classes:
                s.wrong("negation", span, f"the chart has {name}")
        elif denied == (span.key in s.index.classes):
            why = f"takes {name}" if denied else f"the medication list has no {name} that is ongoing"
            s.wrong("negation", span, why)


def compares(left: float, how: str, right: float) -> bool:
    """Does `left` stand in this relation to `right`?"""
    return {
        ">": left > right, "<": left < right, ">=": left >= right - 1e-9, "<=": left <= right + 1e-9,
    }.get(how, left == right)  # fmt: skip


def _same(one: DrugMention, other: DrugMention) -> bool:
    return bool(set(one.ingredients) & set(other.ingredients)) and one.release == other.release
