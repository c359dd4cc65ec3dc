"""Medicines with their course: what was tried and is taken, and where else the chart names one."""

from __future__ import annotations

from datetime import date

from agent.answers.chart.lists import allergy_told
from agent.answers.chart.notes import quote_notes
from agent.answers.chart.page import Page, capitalised
from tools.domain.records import Medication
from tools.papers import formats
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import CLASSES, class_names, classes_meant, is_brand, medicine, treating
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

GLUCOSE_OR_WEIGHT = frozenset(
    ("biguanide", "sulfonylurea", "tzd", "dpp4", "glp1", "sglt2", "insulin", "anorectic")
)


def class_key(name: str) -> str:
    """The key of the class that goes by this name; empty if none does."""
    word, names = name.casefold().removeprefix("an ").removeprefix("a "), class_names()
    return name if name in CLASSES else names.get(word) or names.get(word.removesuffix("s"), "")


def say_course(page: Page, name: str) -> bool:
    """Every course of this medicine or class, and whether there is one; else what the chart says of it elsewhere."""
    of_class = class_key(name)
    said = CLASSES.get(of_class, page.brand(name))
    shown = page.ledger.add(
        "drug", said, shown=capitalised(said), origin="request", attribute="medication", source="question",
        aliases=(said,),
    )  # fmt: skip
    courses = page.patient.medications
    if courses is None:
        page.say(f"{shown}: not known, for the medication list is not on record.")
        return False
    made_of = medicine(name, page.bound.drugs).ingredients
    kinds = classes_meant(of_class) if of_class else frozenset()
    mine = [
        one for one in courses
        if (kinds and kinds & set(classes_of(page, one))) or (not kinds and _same(page, one, name, made_of))
    ]  # fmt: skip
    for course in sorted(mine, key=lambda one: one.start or date.min):
        page.say(f"{course_told(page, course)}.")
    if not mine:
        page.say(f"{shown} is not on the medication list.")
        _say_allergies_to(page, name, made_of)
    if not kinds:
        words = {one.casefold() for one in (name, *made_of)}
        lead = "A note says of it" if mine else "A note mentions it"
        quote_notes(page, lambda sentence: any(word in sentence.casefold() for word in words), lead)
    return bool(mine)


def _same(page: Page, course: Medication, name: str, ingredients: tuple[str, ...]) -> bool:
    """A brand that is named means that brand or its bare ingredient in the chart; an ingredient any drug that
    has it."""
    charted, named = course.drug.casefold(), name.casefold()
    if charted == named:
        return True
    first = charted.split()[0]
    ours = {drug.name.casefold() for drug in page.bound.drugs}
    if all(one in ours or is_brand(one) for one in (named, first)):
        return first == named
    its = course.ingredients or medicine(course.drug, page.bound.drugs).ingredients
    return bool({one.casefold() for one in its} & {one.casefold() for one in ingredients})


def _say_allergies_to(page: Page, name: str, ingredients: tuple[str, ...]) -> None:
    """What the allergy list has of a medicine, or, of one that is none of ours, that it has nothing of it."""
    allergies = page.patient.allergies
    mine = [one for one in allergies or () if set(one.ingredients) & set(ingredients)]
    for allergy in mine:
        page.say(f"The allergy list has it as {allergy_told(page, allergy.id)}.")
    ours = name in (drug.name for drug in page.bound.drugs)
    if allergies is not None and ingredients and not (mine or ours):
        page.say("Neither an allergy to it nor an intolerance is on the allergy list.")


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
        page.say(
            f"No medication{purpose} is on the medication list, which is complete as far as the chart says."
        )
        return
    page.say(f"On the medication list{purpose}:")
    page.bullets(wanted, course_told, rest="courses not shown")


def _purpose(page: Page) -> tuple[str, frozenset[str]]:
    """ " for type 2 diabetes", what the medicines are for or of, and the classes that are so; nothing if all are asked
    for."""
    ask = page.ask
    if classes := [key for name in ask.medicines if (key := class_key(name))]:
        shown = page.words(" or ".join(CLASSES[key] for key in classes), "class", "question")
        return f" that is {shown}", frozenset[str]().union(*map(classes_meant, classes))
    uses = [*ask.conditions, *ask.tests, *([ask.indication] if ask.indication else [])]
    treated = frozenset(one for use in uses for one in treating(use))
    if not treated:
        return "", frozenset()
    use = uses[0]
    if use in CONCEPTS:
        label = CONCEPTS[use].label
    else:
        label = TESTS[use].name if use in TESTS else INDICATIONS.get(use, use)
    return f" for {page.words(label, 'purpose', 'question')}", treated


def course_told(page: Page, course: Medication) -> str:
    """ "metformin IR 500 mg twice daily, from … to …, 21 days; stopped for …" as far as it is charted."""
    start, end, source = course.start, course.end, course.id
    cited = (course.drug, formats.dose(course), str(start or ""), str(end or ""))
    page.cite(source, " ".join(filter(None, cited)))
    aliases = (course.drug, *course.ingredients)
    text = page.fact("drug", course.drug, "course", source, shown=capitalised(course.drug), aliases=aliases)
    text += _dose(page, course)
    if start:
        text += f", {'from' if end else 'since'} {page.day(start, 'start', source)}"
    if end:
        text += f"{' to' if start else ', until'} {page.day(end, 'end', source)}"
    ongoing = course.status == "active" and end is None
    ours = bool(GLUCOSE_OR_WEIGHT & set(classes_of(page, course)))
    last = end or (page.bound.as_of if ongoing else None)
    if start and last and last >= start and ours:
        days = page.ledger.add(
            "duration", (last - start).days, unit="days", origin="derived", attribute="course", source=source,
            formula=f"{last} - {start}",
        )  # fmt: skip
        text += f" ({days}{' so far' if ongoing else ''})"
    text += ", taken now" if ongoing else ", stopped" if course.status == "stopped" else ""
    if course.status is None and end is None:
        text += "; whether it ended is not on record"
    if course.outcome:
        told = course.outcome[0].lower() + course.outcome[1:]
        text += f"; outcome: {page.fact('status', course.outcome, 'response', source, shown=told)}"
    elif not ongoing or ours:
        text += "; its outcome is not on record"
    return text + (f" ({page.words(course.reason, 'reason', source)})" if course.reason else "")


def _dose(page: Page, course: Medication) -> str:
    """ " 500 mg twice daily (IR)", as far as it is charted."""
    source, unit, text = course.id, course.dose_unit, ""
    if course.dose is not None and unit:
        shown = f"{formats.number(course.dose)} {unit}"
        text += f" {page.fact('value', course.dose, 'dose', source, shown=shown, unit=unit)}"
    if course.per_day:
        often = formats.how_often(course.per_day)
        text += f" {page.fact('value', course.per_day, 'per day', source, shown=often)}"
    if course.formulation and course.formulation not in course.drug.split():
        text += f" ({page.words(course.formulation, 'formulation', source)})"
    return text


def classes_of(page: Page, course: Medication) -> tuple[str, ...]:
    return course.classes or medicine(course.drug, page.bound.drugs).classes
