"""The chart's other lists: allergies, programs, procedures, documents and the prescriber's statements."""

from __future__ import annotations

from collections.abc import Sequence

from agent.answers.chart.page import MOST_LINES, Page, capitalised
from agent.ledger import Kind
from tools.domain.records import Allergy, Attestation, Document, Procedure, Program
from tools.terminology.medicines import medicine
from tools.terminology.terms import TOPICS


def say_allergies(page: Page) -> list[Allergy]:
    """The allergies that are asked for, as far as they are told."""
    allergies = page.patient.allergies
    if allergies is None:
        page.say("Allergies are not on record: neither an allergy nor that there is none.")
        return []
    names = page.ask.medicines
    wanted = [one for one in allergies if not names or any(_is_to(page, one, name) for name in names)]
    if names and not wanted:
        page.say(f"{page.asked('drug', page.brand(names[0]), 'allergy')} is not on the allergy list.")
    elif not wanted:
        page.say("The allergy list is on record and empty.")
    for one in wanted[:MOST_LINES]:
        page.say(f"On the allergy list: {allergy_told(page, one.id)}.")
    return wanted[:MOST_LINES]


def _is_to(page: Page, one: Allergy, name: str) -> bool:
    made_of = medicine(name, page.bound.drugs).ingredients
    return bool(set(one.ingredients) & set(made_of)) or name.casefold() in one.substance.casefold()


def allergy_told(page: Page, allergy_id: str) -> str:
    one = next(item for item in page.patient.allergies or () if item.id == allergy_id)
    page.cite(one.id, f"{one.type} to {one.substance}, {one.reaction}".strip(" ,"))
    kind: Kind = "drug" if one.ingredients else "words"
    substance = page.fact(kind, one.substance, one.type, one.id, aliases=one.ingredients)
    reaction = f" ({page.words(one.reaction, 'reaction', one.id)})" if one.reaction else ""
    return f"{one.type} to {substance}{reaction}"


def say_programs(page: Page) -> None:
    if not page.patient.programs:
        page.say("No lifestyle program is on record.")
    for one in page.patient.programs[:MOST_LINES]:
        page.say(program_told(page, one))
    for said in page.patient.attestations:
        if said.topic in ("diet_exercise", "employer_programme") and said.text:
            say_stated(page, said)


def program_told(page: Page, one: Program) -> str:
    page.cite(one.id, f"{one.name} {one.start or ''} {one.end or ''}".strip())
    name = page.words(capitalised(one.name or "lifestyle program"), "program", one.id)
    since = f", from {page.day(one.start, 'start', one.id)}" if one.start else ""
    until = f" to {page.day(one.end, 'end', one.id)}" if one.end else ", ongoing" if one.start else ""
    return f"{name}{since}{until}"


def procedure_told(page: Page, one: Procedure) -> str:
    page.cite(one.id, f"{one.name} {one.result}".strip())
    when = f", {page.day(one.date, 'procedure', one.id)}" if one.date else ""
    result = f": {page.fact('quote', one.result, 'procedure', one.id)}" if one.result else ""
    return f"{page.words(one.name, 'procedure', one.id)}{when}{result}"


def say_documents(page: Page) -> None:
    """The documents, and the procedures."""
    if not page.patient.documents:
        page.say("No document is on file beside the chart's own records.")
    for paper in page.patient.documents[:MOST_LINES]:
        page.say(document_told(page, paper))
    _no_other(page, page.patient.documents, "document is on file")
    for one in page.patient.procedures[:MOST_LINES]:
        page.say(procedure_told(page, one))


def document_told(page: Page, one: Document) -> str:
    page.cite(one.id, one.title)
    when = f", {page.day(one.date, 'document', one.id)}" if one.date else ""
    return f"{page.words(one.title, 'document', one.id)}{when}{_too_early(page, one)}"


def _too_early(page: Page, paper: Document) -> str:
    """That a report is dated before what it reports, which the chart does not explain."""
    done = [one for one in page.patient.observations_by_test.get(paper.about, ()) if one.date]
    first = min(done, key=lambda one: str(one.date), default=None)
    if paper.of != "study" or first is None or not (paper.date and first.date and paper.date < first.date):
        return ""
    day = page.day(first.date, "value", first.id)
    return f" (dated before its study of {day}; the chart does not say why, so have the dates checked)"


def say_statements(page: Page) -> None:
    stated = [one for one in page.patient.attestations if one.text or one.topic in TOPICS]
    if not stated:
        page.say("No statement of the prescriber is on record.")
        return
    page.say("The prescriber's statements on record:")
    page.bullets(stated, statement_told)
    _no_other(page, stated, "statement of the prescriber is on record")


def _no_other(page: Page, told: Sequence[object], what: str) -> None:
    """That a list was told as a whole, so that what is not in it is not there."""
    if 0 < len(told) <= MOST_LINES:
        page.say(f"No other {what}.", must=False)


def statement_told(page: Page, one: Attestation) -> str:
    by = page.words(one.by, "stated by", one.id) if one.by else ""
    day = page.day(one.date, "statement", one.id) if one.date else ""
    when = f" ({', '.join(filter(None, (by, day)))})" if by or day else ""
    if one.text:
        return f"“{_stated(page, one)}”{when}"
    what = page.words(TOPICS[one.topic], "statement", one.id)
    return f"There is {'' if one.present else 'no '}{what}{when}"


def say_stated(page: Page, said: Attestation) -> None:
    when = f" of {page.day(said.date, 'statement', said.id)}" if said.date else ""
    by = f" by {page.words(said.by, 'stated by', said.id)}" if said.by else ""
    page.say(f"The prescriber's statement{when}{by}: “{_stated(page, said)}”", verbatim=True)


def _stated(page: Page, said: Attestation) -> str:
    page.cite(said.id, said.text)
    return page.fact("quote", said.text, "statement", said.id)
