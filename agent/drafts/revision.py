"""A draft as a person revises it: one request, of which form, letter, cover, data and packet are all printed.

    change of the request ──→ decided anew ─┐
    what the office knows of itself ────────┼→ the case → all papers
    what only a hand can fill in ───────────┘

What rests on the chart is not written over on a form, where letter and determination would go on to say otherwise: it
is mended in the chart, and the case drafted again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agent.drafts.requests import why_not
from tools.common.errors import Invalid, NotFound, Refused, nearest
from tools.domain.records import FilledField, FormTemplate, PARequest, Patient, Request
from tools.papers.case import Case
from tools.papers.forms import fill, goes_out, lacking
from tools.queries.check import Asked, anew, decide
from tools.store.rows import Edit

if TYPE_CHECKING:
    from agent.drafts.decision import Decision
    from tools.store.rows import Draft
    from tools.store.store import Store

# Parts of the request, by the sources of the fields that show them.
REQUESTED = {
    "drug.strength": "strength",
    "drug.strength_form": "strength",
    "drug.quantity": "quantity",
    "drug.days_supply": "days_supply",
    "drug.kind": "kind",
    "exception.statement": "statement",
    "review.reason": "expedited",
    "review.certification": "expedited",
}
SAID = ("kind", "indication", "exception", "statement", "expedited", "corrects")  # whatever the strength
PARTS = ("strength", "quantity", "days_supply", *SAID[:-1])
# What the office knows of itself and of the member's card, which every paper takes from one place.
OFFICE = (
    *(f"prescriber.{name}" for name in ("name", "npi", "specialty", "practice", "phone", "fax", "contact")),
    *(f"coverage.{name}" for name in ("member_id", "group", "bin", "pcn")),
    "patient.phone",
)
BY_HAND = ("prescriber.completes",)  # the prescriber's own
# Blanks that no other paper speaks of may be filled by hand; those of other sources rest on the chart.
BLANKS = (
    "patient.address",
    "patient.street",
    "patient.city",
    "patient.state",
    "patient.zip",
    "prescriber.address",
    "drug.duration",
    "drug.sig",
)


class Revised(NamedTuple):
    """The case as it is now, its form, where a person's values contradict the chart, and what was asked."""

    case: Case
    form: PARequest
    contradicts: tuple[str, ...]
    asked: Asked


def values_of(form: PARequest, template: FormTemplate, edits: Mapping[str, str]) -> dict[str, str]:
    """A person's edits by part of the request or field id.

    Raises:
        NotFound, Invalid: no such field; a value that the field cannot have.
        Refused: what the field shows rests on the chart.
    """
    sources = _sources(template)
    found: dict[str, str] = {}
    for name, value in edits.items():
        part = name.strip().casefold().replace(" ", "_").replace("'", "")
        if part in PARTS:
            found[part] = value.strip()
            continue
        field = _field(form, name)
        source = sources[_base(field.id)]
        by_hand = not field.value or field.record_id.startswith("review:")
        if source == "review.type":
            found["expedited"] = _standard(_allowed(field, value.strip()))
        elif source in REQUESTED:
            found[REQUESTED[source]] = value.strip()
        elif source in (*OFFICE, *BY_HAND) or (source in BLANKS and by_hand):
            found[field.id] = _allowed(field, value.strip())
        else:
            raise Refused(
                f"{field.label} rests on the chart, and so does what the letter says of it; enter it there (pa chart"
                f" add, pa attach) and draft again: pa draft {form.patient_id} {form.drug}"
            )
    return found


def edit_of(store: Store, draft: Draft, decision: Decision) -> Edit:
    """What a person decided to change in a draft."""
    form = draft.filled_form()
    values = values_of(form, store.form(draft.plan_id, form.form_id), decision.edits)
    return Edit(by=decision.by, when=decision.when, why=decision.reason, values=values)


def revise(store: Store, asked: Asked, edits: Sequence[Edit], *, force: bool = False) -> Revised:
    """The case with all edits, the later ones over the earlier.

    Raises:
        Invalid, NotFound: a strength, quantity, kind or use that cannot be.
        Refused: the request as it would be then is not drafted, with why.
    """
    template = store.form(asked.plan.id, asked.request.form)
    sources, latest = _sources(template), _latest(edits)
    now = anew(asked, _request(asked.request, latest), _patient(asked, latest, sources))
    found = decide(store, now)
    refusal = why_not(now, found, force)
    if refusal:
        raise Refused(refusal)
    case = now.case(found, store.policy(now.plan.id, now.drug.name))
    form = _signed_for(fill(template, case), case, latest, sources)
    return Revised(case, form, tuple(_contradictions(asked, case, latest, sources)), now)


def _standard(review: str) -> str:
    """A standard review has no certification; an expedited one is asked for by it alone."""
    if review == "Expedited":
        raise Refused(
            "an expedited review goes by the prescriber's certification: --set expedited='why it cannot wait'"
        )
    return ""


class _Value(NamedTuple):
    text: str
    by: str


def _latest(edits: Sequence[Edit]) -> dict[str, _Value]:
    return {key: _Value(value, edit.by) for edit in edits for key, value in edit.values.items()}


def _sources(template: FormTemplate) -> dict[str, str]:
    return {field.id: field.source for section in template.sections for field in section.fields}


def _base(field_id: str) -> str:
    """The template's field of a row's or a question's."""
    return field_id.partition(".")[0]


# --- the request and the chart ---------------------------------------------------------------------------


def _request(before: Request, latest: Mapping[str, _Value]) -> Request:
    """What is asked for now. Of another strength the amounts are its own, unless they are said as well."""
    changed = {part: _READ[part](latest[part].text) for part in PARTS if part in latest}
    kept = ("quantity", "days_supply") if "strength" not in changed else ()
    given = {part: getattr(before, part) for part in (*kept, *SAID)}
    strength = "" if before.assumed else before.strength
    return Request(drug=before.drug, form=before.form, **{"strength": strength, **given, **changed})


def _number(what: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            return float(text.split()[0])
        except (ValueError, IndexError):
            raise Invalid(f"{text!r} is no {what}; write a number") from None

    return read


def _days(text: str) -> int:
    days = _number("days' supply")(text)
    if days != int(days):
        raise Invalid(f"{text!r} is no days' supply; write whole days")
    return int(days)


_READ: dict[str, Callable[[str], Any]] = {
    "strength": str,
    "quantity": _number("quantity"),
    "days_supply": _days,
    "kind": lambda text: text.casefold() or None,
    "indication": str.casefold,
    "exception": lambda text: text.casefold() or None,
    "statement": str,
    "expedited": str,
}


def _patient(asked: Asked, latest: Mapping[str, _Value], sources: Mapping[str, str]) -> Patient:
    """The chart with what the office corrected of itself and of the member's card."""
    patient = asked.patient
    for key, value in latest.items():
        source = sources.get(key, "")
        if source not in OFFICE:
            continue
        whose, _, name = source.partition(".")
        changed: Any = {name: value.text}
        if whose == "patient":
            patient = msgspec.structs.replace(patient, **changed)
        elif whose == "prescriber" and patient.prescriber is not None:
            doctor = msgspec.structs.replace(patient.prescriber, **changed)
            patient = msgspec.structs.replace(patient, prescriber=doctor)
        elif whose == "coverage":
            periods = [
                msgspec.structs.replace(one, **changed) if one.plan_id == asked.plan.id else one
                for one in patient.coverages
            ]
            patient = msgspec.structs.replace(patient, coverages=tuple(periods))
    return patient


def _contradictions(
    asked: Asked, case: Case, latest: Mapping[str, _Value], sources: Mapping[str, str]
) -> list[str]:
    """Where what a person said differs from what the chart has."""
    found = []
    order = case.order
    for part in ("strength", "quantity", "days_supply"):
        ordered, requested = getattr(order, part, None), getattr(case.request, part)
        if part in latest and ordered and ordered != requested:
            what = part.replace("_", " ")
            found.append(f"the order says {what} {ordered:g}, the request {requested:g}" if part != "strength"
                         else f"the order says {ordered}, the request {requested}")  # fmt: skip
    if "kind" in latest and asked.request.kind and asked.request.kind != case.request.kind:
        found.append(f"the chart shows a {asked.request.kind} request, this one is {case.request.kind}")
    before = asked.case(case.determination)
    for key, value in latest.items():
        if sources.get(key) in OFFICE:
            charted = _charted(before, sources[key])
            if charted and charted != value.text:
                found.append(f"the chart says {charted}, the form {value.text or 'nothing'}")
    return found


def _charted(case: Case, source: str) -> str:
    whose, _, name = source.partition(".")
    of = {"patient": case.patient, "prescriber": case.patient.prescriber, "coverage": case.coverage}
    return str(getattr(of[whose], name, None) or "")


# --- the form --------------------------------------------------------------------------------------------


def _signed_for(
    form: PARequest, case: Case, latest: Mapping[str, _Value], sources: Mapping[str, str]
) -> PARequest:
    """The form with what a hand fills in, each of a person's values traced to that person."""
    fields = list(form.fields)
    at = {field.id: place for place, field in enumerate(fields)}
    for key, value in latest.items():
        same = [one.id for one in fields if REQUESTED.get(sources.get(_base(one.id), "")) == key]
        for name in same or [key]:
            if name in at:
                changed = {} if same or sources.get(key) in OFFICE else {"value": value.text}
                fields[at[name]] = msgspec.structs.replace(
                    fields[at[name]], record_id=f"review:{value.by}", **changed
                )
            elif name not in PARTS:
                raise Invalid(f"the form of this request has no field {name!r} any more")
    documents = tuple(label for label in form.missing if label.startswith("Document: "))
    missing = lacking(fields) + documents
    ready = goes_out(case) and not missing
    return msgspec.structs.replace(form, fields=tuple(fields), missing=missing, ready=ready)


def _field(form: PARequest, name: str) -> FilledField:
    """The field with this id, or the only one with this label."""
    wanted = name.strip().casefold()
    hits = [field for field in form.fields if field.id.casefold() == wanted]
    hits = hits or [field for field in form.fields if field.label.casefold() == wanted]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise Invalid(
            f"{len(hits)} fields are labelled {name!r}; name one: {', '.join(field.id for field in hits)}"
        )
    known = [*PARTS, *(field.id for field in form.fields), *(field.label for field in form.fields)]
    raise NotFound("field", name, nearest(name, known), "`pa review ID` lists them")


def _allowed(field: FilledField, value: str) -> str:
    for option in field.options:
        if option.casefold() == value.casefold():
            return option
    if field.options and value:
        raise Invalid(f"{field.label} is one of {', '.join(field.options)}, not {value!r}")
    return value
