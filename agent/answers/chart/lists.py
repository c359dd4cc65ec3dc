"""The chart's other lists: allergies, programs, procedures, documents and the prescriber's statements."""

from __future__ import annotations

from collections.abc import Sequence

from agent.answers.chart.named import brand_named
from agent.answers.chart.page import MOST_LINES, Page, capitalised
from agent.ledger import Kind
from tools.domain.records import Allergy, Attestation, Document, Procedure, Program
from tools.terminology.medicines import medicine
from tools.terminology.terms import TOPICS


def say_allergies(page: Page) -> None:
    allergies = page.patient.allergies
    if allergies is None:
        page.say("Allergies are not on record: neither an allergy nor that there is none.")
        return
    names = page.ask.medicines
    wanted = [one for one in allergies if not names or any(_is_to(page, one, name) for name in names)]
    if names and not wanted:
        drug = page.ledger.add(
            "drug", brand_named(page, names[0]), origin="request", attribute="allergy", source="question"
        )
        page.say(f"{drug} is not on the allergy list.")
    elif not wanted:
        page.say("The allergy list is on record and empty.")
    for one in wanted[:MOST_LINES]:
        page.say(f"On the allergy list: {allergy_told(page, one.id)}.")


def _is_to(page: Page, one: Allergy, name: str) -> bool:
    made_of = medicine(name, page.bound.drugs).ingredients
    return bool(set(one.ingredients) & set(made_of)) or name.casefold() in one.substance.casefold()


def allergy_told(page: Page, allergy_id: str) -> str:
    one = next(item for item in page.patient.allergies or () if item.id == allergy_id)
    page.cite(one.id, f"{one.type} to {one.substance}, {one.reaction}".strip(" ,"))
    kind: Kind = "drug" if one.ingredients else "words"
    substance = page.ledger.add(
        kind, one.substance, origin="chart", attribute=one.type, source=one.id, aliases=one.ingredients
    )
    reaction = f" ({page.words(one.reaction, 'reaction', one.id)})" if one.reaction else ""
    return f"{one.type} to {substance}{reaction}"


def say_programs(page: Page) -> None:
    if not page.patient.programs:
        page.say("No lifestyle program is on record.")
    for one in page.patient.programs[:MOST_LINES]:
        page.say(f"{program_told(page, one)}.")
    for said in page.patient.attestations:
        if said.topic in ("diet_exercise", "employer_programme") and said.text:
            say_stated(page, said.id)


def program_told(page: Page, one: Program) -> str:
    page.cite(one.id, f"{one.name} {one.start or ''} {one.end or ''}".strip())
    name = page.words(capitalised(one.name or "lifestyle program"), "program", one.id)
    since = f", from {page.day(one.start, 'start', one.id)}" if one.start else ""
    until = f" to {page.day(one.end, 'end', one.id)}" if one.end else ", ongoing" if one.start else ""
    return f"{name}{since}{until}"


def say_procedures(page: Page) -> None:
    if not page.patient.procedures:
        page.say("No procedure or study is on record.")
    for one in page.patient.procedures[:MOST_LINES]:
        page.say(f"{procedure_told(page, one)}.")


def procedure_told(page: Page, one: Procedure) -> str:
    page.cite(one.id, f"{one.name} {one.result}".strip())
    when = f", {page.day(one.date, 'procedure', one.id)}" if one.date else ""
    result = ""
    if one.result:
        result = (
            f": {page.ledger.add('quote', one.result, origin='chart', attribute='procedure', source=one.id)}"
        )
    return f"{page.words(one.name, 'procedure', one.id)}{when}{result}"


def say_documents(page: Page) -> None:
    if not page.patient.documents:
        page.say("No document is on file beside the chart's own records.")
    for one in page.patient.documents[:MOST_LINES]:
        page.say(f"{document_told(page, one)}.")
    _no_other(page, page.patient.documents, "document is on file")


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
    for one in stated[:MOST_LINES]:
        page.say(statement_told(page, one), bullet=True)
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
    return (
        f"There is {'' if one.present else 'no '}{page.words(TOPICS[one.topic], 'statement', one.id)}{when}"
    )


def say_stated(page: Page, said_id: str) -> None:
    said = next(one for one in page.patient.attestations if one.id == said_id)
    when = f" of {page.day(said.date, 'statement', said.id)}" if said.date else ""
    by = f" by {page.words(said.by, 'stated by', said.id)}" if said.by else ""
    page.say(f"The prescriber's statement{when}{by}: “{_stated(page, said)}”", verbatim=True)


def _stated(page: Page, said: Attestation) -> str:
    page.cite(said.id, said.text)
    return page.ledger.add("quote", said.text, origin="chart", attribute="statement", source=said.id)
