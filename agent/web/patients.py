"""Patients: who is meant, and everything that is known of one on a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, get_args

import msgspec
from fastapi import APIRouter, Query, Request, Response

from agent.api import attachments, wire
from agent.api.context import Context, Ctx
from agent.runtime.home import now
from agent.web import plots
from agent.web.page import Form, PageRoute, Sent, go, is_part, render
from tools.charts import additions
from tools.common.errors import Correctable, Invalid, NotFound
from tools.common.printable import one_line
from tools.domain.records import Plan, Signature, TrialOutcome
from tools.queries.bound import Bound
from tools.store.rows import ChartEntry
from tools.store.store import Store
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS

router = APIRouter(prefix="/patients", route_class=PageRoute, include_in_schema=False)
PAGE = 50  # rows
IN_PALETTE = 6
ATTACHMENTS = "/patients/{patient_id}/attachments"
HIDDEN = ("id", "loinc", "sha256", "media_type", "rxnorm", "ingredients", "classes", "source")
KINDS = {  # of papers, as tools.charts.additions.OF has them
    "note": "Chart note",
    "lab": "Lab report",
    "fills": "Pharmacy fills",
    "programme": "Program record",
    "study": "Study report",
    "medication": "Medication list",
    "consult": "Consultation",
}


@router.get("")
def patients(
    request: Request,
    ctx: Ctx,
    q: str = Query("", max_length=200),
    page: int = Query(1, ge=1, le=1_000_000),
) -> Response:
    """Those who are meant, or whoever is the only one; for the palette, the first of them and nobody without words."""
    first, match = (page - 1) * PAGE, _meant(ctx.store, q)
    if is_part(request):
        few = ctx.store.find_patients(**match, limit=IN_PALETTE) if q.strip() else []
        return render(request, "found.html", rows=few)
    found = ctx.store.find_patients(**match, limit=PAGE, offset=first)
    total = ctx.store.count_patients(**match)
    if total == 1 and q and not page > 1:
        return go(f"/patients/{found[0].id}")
    return render(request, "patients.html", rows=found, total=total, q=q, page=page, first=first)


def _meant(store: Store, typed: str) -> dict[str, Any]:
    """What was typed, as a birth date, else a name or an id, else a member id."""
    words = " ".join(typed.split())
    for form in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return {"birth_date": datetime.strptime(words, form).date()}
        except ValueError:
            continue
    if words and not store.count_patients(words) and store.count_patients(member_id=words):
        return {"member_id": words}
    return {"query": words}


@router.get("/{patient_id}")
def patient(request: Request, ctx: Ctx, patient_id: str, as_of: str = Query("", max_length=10)) -> Response:
    bound = Bound(ctx.store, patient_id, as_of=ctx.settings.day(as_of))
    plan = _plan(bound)
    return render(
        request,
        "patient.html",
        patient=bound.patient,
        as_of=bound.as_of,
        plan=plan,
        courses=plots.courses(bound.patient, bound.as_of),
        labs=plots.labs(bound.patient, plan, bound.as_of),
        tests=TESTS,
        topics=TOPICS,
        outcomes=get_args(TrialOutcome),
        signatures=get_args(Signature),
        kinds=KINDS,
        drafts=ctx.store.drafts(patient_id=bound.patient.id, limit=100),
        cases=bound.cases(),
        entries=[(entry, entry_in_words(entry)) for entry in ctx.store.chart_entries(bound.patient.id)],
    )


def _plan(bound: Bound) -> Plan | None:
    """The plan on file, if there is one and this world has it."""
    try:
        return bound.plan
    except Correctable:
        return None


def entry_in_words(entry: ChartEntry) -> str:
    """What an addition says, field by field."""
    record: dict[str, Any] = msgspec.json.decode(entry.record)
    shown = {name.replace("_", " "): value for name, value in record.items() if name not in HIDDEN}
    return one_line(", ".join(f"{name} {_flat(value)}" for name, value in shown.items()))


def _flat(value: Any) -> str:
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)


# --- what a person adds ----------------------------------------------------------------------------------


@router.post("/{patient_id}/chart")
def add(ctx: Ctx, patient_id: str, form: Sent) -> Response:
    """Enter what was learned, by the kind of form that was sent."""
    what = form.text("what")
    if what not in _ADD:
        raise NotFound("kind of entry", what, hint=f"there are {', '.join(_ADD)}")
    to = _entering(ctx, patient_id, form)
    entry = _ADD[what](to, form)
    return go(f"/patients/{patient_id}#{entry.record_id}", to.by)


@router.post("/{patient_id}/chart/{entry_id}/undo")
def undo(ctx: Ctx, patient_id: str, entry_id: wire.Number, form: Sent) -> Response:
    by = form.by("takes it back")
    if all(entry.id != entry_id for entry in ctx.store.chart_entries(patient_id)):
        raise NotFound("addition of this chart", str(entry_id))
    ctx.store.undo_chart_entry(entry_id, by=by, when=now())
    return go(f"/patients/{patient_id}#additions", by)


@router.post("/{patient_id}/attachments")
def attach(ctx: Ctx, patient_id: str, form: Sent) -> Response:
    """Keep a paper; from a draft, go back there."""
    name, content = form.file("file")
    if not content:
        raise Invalid("choose the file: a PDF, TIFF, PNG or JPEG that is not empty")
    to = _entering(ctx, patient_id, form)
    said = {field: form.text(field) for field in ("kind", "title", "about", "status")}
    entry = additions.attach(to, content, form.required_day("date"), name=name, **said)
    draft = form.whole("draft")
    return go(f"/drafts/{draft}#attached" if draft else f"/patients/{patient_id}#{entry.record_id}", to.by)


@router.get("/{patient_id}/papers/{document_id}")
def paper(ctx: Ctx, patient_id: str, document_id: str) -> Response:
    return attachments.attachment(ctx, patient_id, document_id)


def _entering(ctx: Context, patient_id: str, form: Form) -> additions.Entering:
    return additions.Entering(
        store=ctx.store,
        patient_id=ctx.store.patient(patient_id).id,
        by=form.text("by"),
        when=now(),
        complete=bool(form.text("complete")),
    )


def _result(to: additions.Entering, form: Form) -> ChartEntry:
    value = form.number("value")
    if value is None:
        raise Invalid("Value: give the number that was measured")
    day = form.required_day("date")
    return additions.add_observation(to, form.text("test"), value, form.text("unit"), day)


def _trial(to: additions.Entering, form: Form) -> ChartEntry:
    start, end, ongoing = form.day("start"), form.day("end"), bool(form.text("ongoing"))
    said: dict[str, Any] = {name: form.text(name) for name in ("dose", "frequency", "outcome", "reason")}
    return additions.add_trial(to, form.text("drug"), start=start, end=end, ongoing=ongoing, **said)


def _fill(to: additions.Entering, form: Form) -> ChartEntry:
    days = form.whole("days") or 0
    return additions.add_fill(to, form.text("drug"), form.required_day("date"), days, form.number("quantity"))


def _program(to: additions.Entering, form: Form) -> ChartEntry:
    start, end, sessions = form.required_day("start"), form.day("end"), form.whole("sessions")
    return additions.add_program(to, form.text("name"), start, end, sessions)


def _statement(to: additions.Entering, form: Form) -> ChartEntry:
    return additions.add_attestation(
        to,
        form.text("topic"),
        present=form.text("present") == "yes",
        subjects=[who for who in ("self", "family") if form.text(who)] or ["self"],
        on=form.required_day("date"),
        text=form.text("text"),
    )


def _note(to: additions.Entering, form: Form) -> ChartEntry:
    return additions.add_note(to, form.words("text"), form.required_day("date"))


_ADD: dict[str, Callable[[additions.Entering, Form], ChartEntry]] = {
    "result": _result,
    "trial": _trial,
    "fill": _fill,
    "program": _program,
    "statement": _statement,
    "note": _note,
}
