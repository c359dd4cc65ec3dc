"""Medicines with their course: what was tried and is taken, and where else the chart names one."""

from __future__ import annotations

from datetime import date

from agent.answers.chart.lists import allergy_told
from agent.answers.chart.named import brand_named, class_key
from agent.answers.chart.notes import quote_notes
from agent.answers.chart.page import MOST_LINES, Page, capitalised
from tools.domain.records import Medication
from tools.papers import formats
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import CLASSES, classes_meant, is_brand, medicine, treating
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

GLUCOSE_OR_WEIGHT = frozenset(
    ("biguanide", "sulfonylurea", "tzd", "dpp4", "glp1", "sglt2", "insulin", "anorectic")
)


def say_course(page: Page, name: str) -> bool:
    """Every course of this medicine or class, and whether there is one; else what the chart says of it elsewhere."""
    of_class = class_key(name)
    said = CLASSES.get(of_class, brand_named(page, name))
    shown = page.ledger.add(
        "drug",
        said,
        shown=capitalised(said),
        origin="request",
        attribute="medication",
        source="question",
        aliases=(said,),
    )
    courses = page.patient.medications
    if courses is None:
        page.say(f"{shown}: not known, for the medication list is not on record.")
        return False
    wanted = medicine(name, page.bound.drugs)
    kinds = classes_meant(of_class) if of_class else frozenset()
    mine = [
        one for one in courses
        if (kinds and kinds & set(classes_of(page, one))) or (not kinds and _same(page, one, name, wanted.ingredients))
    ]  # fmt: skip
    mine.sort(key=lambda one: one.start or date.min)
    for course in mine:
        page.say(f"{course_told(page, course)}.")
    if mine and not kinds:
        words = {name.casefold(), *wanted.ingredients}
        quote_notes(
            page, lambda sentence: any(word in sentence.casefold() for word in words), "A note says of it"
        )
    if not mine:
        page.say(f"{shown} is not on the medication list.")
        _elsewhere(page, name, wanted.ingredients, kinds)
    return bool(mine)


def _same(page: Page, course: Medication, name: str, ingredients: tuple[str, ...]) -> bool:
    """A brand that is named means that brand or its bare ingredient in the chart; an ingredient any drug that
    has it."""
    charted = course.drug.casefold()
    its = {
        one.casefold() for one in course.ingredients or medicine(course.drug, page.bound.drugs).ingredients
    }
    if charted == name.casefold():
        return True
    ours = {drug.name.casefold() for drug in page.bound.drugs}
    if all(one in ours or is_brand(one) for one in (name.casefold(), charted.split()[0])):
        return charted.split()[0] == name.casefold()
    return bool(its & {one.casefold() for one in ingredients})


def _elsewhere(page: Page, name: str, ingredients: tuple[str, ...], kinds: frozenset[str]) -> None:
    """Allergies and notes that name what the medication list does not."""
    allergies = page.patient.allergies
    mine = [one for one in allergies or () if set(one.ingredients) & set(ingredients)]
    for allergy in mine:
        page.say(f"The allergy list has it as {allergy_told(page, allergy.id)}.")
    ours = name in (drug.name for drug in page.bound.drugs)
    if allergies is not None and ingredients and not (mine or ours):
        page.say("Neither an allergy to it nor an intolerance is on the allergy list.")
    words = {name.casefold(), *(one.casefold() for one in ingredients)} if not kinds else set()
    quote_notes(
        page, lambda sentence: any(word in sentence.casefold() for word in words), "A note mentions it"
    )


def say_medications(page: Page) -> None:
    """What is taken and was tried, of a class or for a condition where one is named."""
    courses = page.patient.medications
    if courses is None:
        page.say("The medication list is not on record.")
        return
    purpose, classes = _purpose(page)
    wanted = [one for one in courses if not classes or classes & set(classes_of(page, one))]
    wanted.sort(key=lambda one: (one.status != "active" or one.end is not None, one.start or date.min))
    if not wanted:
        what = f"medication {purpose}".strip() if purpose else "medication"
        page.say(f"No {what} is on the medication list, which is complete as far as the chart says.")
        return
    page.say(f"On the medication list{f' {purpose}' if purpose else ''}:")
    for course in wanted[:MOST_LINES]:
        page.say(course_told(page, course), bullet=True)
    if len(wanted) > MOST_LINES:
        page.say(f"{page.number(len(wanted) - MOST_LINES, 'courses not shown')} more", bullet=True)


def _purpose(page: Page) -> tuple[str, frozenset[str]]:
    """What the medicines are for or of, in words, and the classes that are so; nothing if all are asked for."""
    ask = page.ask
    classes = [key for name in ask.medicines if (key := class_key(name))]
    if classes:
        shown = page.words(" or ".join(CLASSES[key] for key in classes), "class", "question")
        return f"that is {shown}", frozenset[str]().union(*map(classes_meant, classes))
    uses = [*ask.conditions, *ask.tests, *([ask.indication] if ask.indication else [])]
    treated = frozenset(one for use in uses for one in treating(use))
    if not treated:
        return "", frozenset()
    use = uses[0]
    label = (
        CONCEPTS[use].label
        if use in CONCEPTS
        else TESTS[use].name
        if use in TESTS
        else INDICATIONS.get(use, use)
    )
    return f"for {page.words(label, 'purpose', 'question')}", treated


def course_told(page: Page, course: Medication) -> str:
    """ "metformin IR 500 mg twice daily, from … to …, 21 days; stopped for …" as far as it is charted."""
    page.cite(
        course.id,
        " ".join(
            filter(None, (course.drug, formats.dose(course), str(course.start or ""), str(course.end or "")))
        ),
    )
    ledger, source = page.ledger, course.id
    drug = ledger.add(
        "drug", course.drug, shown=capitalised(course.drug), origin="chart", attribute="course", source=source,
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
    ours = bool(GLUCOSE_OR_WEIGHT & set(classes_of(page, course)))
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


def classes_of(page: Page, course: Medication) -> tuple[str, ...]:
    return course.classes or medicine(course.drug, page.bound.drugs).classes
