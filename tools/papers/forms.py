"""Filling a payer's form from one case: every value with the record it comes from, every gap left blank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec

from tools.domain.records import Field, FilledField, Finding, FormTemplate, PARequest, Section
from tools.papers import formats
from tools.papers.attachments import attachments
from tools.papers.case import Case
from tools.papers.form_sources import BLANK, SOURCES, Notation, Value, excepted_by, excepting, ids, rows_of
from tools.papers.questions import Question, questions

YES_NO = ("Yes", "No")
BESIDE = "Beside the payer's form"  # the section of what its paper has no place for
UNPRINTED = "Written by hand: "  # before the label of a field whose value cannot be printed


def fill(template: FormTemplate, case: Case) -> PARequest:
    """The payer's form with what the case shows; what is required and not shown is listed, never guessed."""
    sections = chain.from_iterable(_section(section, case, template) for section in template.sections)
    fields = tuple(map(_clean, (*sections, *_beside(template, case))))
    attached = attachments(case)
    missing = lacking(fields)
    unfulfilled = tuple(f"Document: {a.label}" for a in attached if not a.record_id)
    return PARequest(
        form_id=template.id,
        patient_id=case.patient.id,
        plan_id=case.plan.id,
        payer=case.plan.payer,
        drug=case.drug.name,
        as_of=case.as_of,
        channel=template.channel,
        outcome=case.determination.outcome,
        warning=_warning(case, missing),
        fields=fields,
        missing=missing + unfulfilled,
        ready=goes_out(case) and not missing and not unfulfilled,
        attachments=attached,
        exceptions=tuple(one.kind for one in excepting(case)),
        expedited=bool(case.request.expedited),
    )


def goes_out(case: Case) -> bool:
    """May the request be sent as it is, as far as the determination goes?"""
    if not excepting(case):
        return case.determination.outcome == "ready"
    from tools.papers.exceptions import in_order

    return in_order(case)


def lacking(fields: Sequence[FilledField]) -> tuple[str, ...]:
    """Labels of what is required and empty, and of what a hand has to write because no font of ours can."""
    empty = (f.label for f in fields if f.required and not f.value)
    by_hand = (f"{UNPRINTED}{f.label}" for f in fields if formats.UNSHOWN in formats.printable(f.value))
    return tuple(dict.fromkeys((*empty, *by_hand)))


def _warning(case: Case, missing: Sequence[str]) -> str:
    """What has to be known before the rest is read."""
    said = []
    labels = "; ".join(one.removeprefix(UNPRINTED) for one in missing if one.startswith(UNPRINTED))
    if labels:
        said.append(f"NOT READY - {formats.UNSHOWN} stands for what cannot be printed here: {labels}.")
    excepted = excepted_by(case)
    unmet = (f for f in case.determination.findings if f.status == "not_met")
    failing = [f for f in unmet if f.criterion not in excepted]
    if case.determination.outcome == "likely_denial" and (failing or not excepted):
        named = "; ".join(map(_named, failing))
        said.append(f"DRAFT - DENIAL IS LIKELY. Not met: {named or case.determination.summary}")
    return formats.printable(" ".join(said))


def _named(finding: Finding) -> str:
    clause = finding.clause.clause_id if finding.clause else ""
    return f"clause {clause}, {finding.text}" if clause else finding.text


def _clean(field: FilledField) -> FilledField:
    """Labels and values keep to characters that can be printed."""
    return msgspec.structs.replace(
        field, label=formats.printable(field.label), value=formats.printable(field.value)
    )


# --- sections --------------------------------------------------------------------------------------------


def _section(section: Section, case: Case, template: FormTemplate) -> Iterator[FilledField]:
    if (section.renewal_only and not case.renewal) or not _stands_on(section, case):
        return
    notation = Notation(template.date_format, template.units)
    if section.repeat == "":
        for field in section.fields:
            yield _filled(field, SOURCES[field.source](case, notation), section)
    elif section.repeat == "criteria":
        words = template.yes_no == "words"
        for place, question in enumerate(questions(case), 1):
            for field in section.fields:
                value = _answer(field, question, notation)
                yield _filled(_asked(field, question, place, words), value, section, place)
    else:
        yield from _rows(section, case, notation)


def _beside(template: FormTemplate, case: Case) -> Iterator[FilledField]:
    """What an exception, an expedited review or a correction must say and a payer's own paper has no place for: it
    stands in the addendum, and is missing where it is empty."""
    if template.pdf is None:
        return
    placed = {field.source for section in template.sections for field in section.fields}
    notation, exception = Notation(template.date_format, template.units), bool(excepting(case))
    for source, label, wanted in (
        ("exception.asked", "Exception requested", exception),
        ("exception.statement", "Prescriber's supporting statement", exception),
        ("review.certification", "Prescriber's certification", bool(case.request.expedited)),
        ("request.corrects", "Request that this one corrects", case.request.corrects is not None),
    ):
        if wanted and source not in placed:
            field = Field(id=source, label=label, source=source, type="lines", required=True)
            yield _filled(field, SOURCES[source](case, notation), Section(title=BESIDE, fields=(field,)))


def _stands_on(section: Section, case: Case) -> bool:
    if section.only == "exception":
        return bool(excepting(case))
    if section.only == "expedited":
        return bool(case.request.expedited)
    return section.only != "correction" or case.request.corrects is not None


def _filled(field: Field, value: Value, section: Section, place: int = 0) -> FilledField:
    return FilledField(
        id=f"{field.id}.{place}" if place else field.id,
        section=section.title,
        label=field.label,
        type=field.type,
        value=value.text,
        required=field.required,
        options=field.options,
        record_id=value.record if value.text else "",
        clause_id=value.clause,
    )


def _asked(field: Field, question: Question, place: int, words: bool) -> Field:
    """The field of a question: its answer, in words or by a tick, or the details below it."""
    if field.source != "criterion.answer":
        return msgspec.structs.replace(field, type="lines", required=False, options=())
    label, options = f"{place}. {question.text}", () if words else YES_NO
    return msgspec.structs.replace(field, label=label, type="text" if words else "choice", options=options)


def _answer(field: Field, question: Question, notation: Notation) -> Value:
    """The question, answered as its finding says, unknown stays blank; or its details."""
    records = ids(e.record_id for e in question.finding.evidence) if question.finding else ""
    if field.source == "criterion.answer":
        return Value(question.answer, records or "patient", question.clause_id)
    detail = question.shown(notation.dates, notation.units)
    return Value(detail, records, question.clause_id if detail else "")


def _rows(section: Section, case: Case, notation: Notation) -> Iterator[FilledField]:
    """One row per record; without any, one blank row, or the chart's own statement that there are none."""
    rows, none = rows_of(section.repeat, case, notation)
    fields = section.fields
    if not rows:
        rows = [{fields[0].source: Value(none, "patient")}]
        fields = tuple(msgspec.structs.replace(f, required=f.required and not none) for f in fields)
    for place, row in enumerate(rows, 1):
        for field in fields:
            yield _filled(field, row.get(field.source, BLANK), section, place)
