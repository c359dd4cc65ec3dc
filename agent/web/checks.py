"""A check: criterion by criterion, the evidence in the chart beside the clause of the policy; and what would be if."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple, cast, get_args
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from agent.api.context import Context, Ctx
from agent.drafts.drafting import decided_before
from agent.drafts.request_words import ask_words
from agent.drafts.requests import DraftRequest, coverage, why_not
from agent.runtime.home import now
from agent.runtime.settings import read_as_of
from agent.web.page import PageRoute, Sent, go, is_part, read_number, read_whole, render
from agent.web.wording import language_of
from tools.charts import additions
from tools.common.errors import NotFound
from tools.domain.records import Determination, ExceptionKind, Finding
from tools.domain.records import Request as DrugRequest
from tools.engine.documents import walk
from tools.engine.what_if import Change, changes_of
from tools.messages import voice
from tools.notes import confirming
from tools.queries.bound import Bound
from tools.terminology.conditions import CONCEPTS
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS

router = APIRouter(prefix="/patients/{patient_id}/check", route_class=PageRoute, include_in_schema=False)
SHORT = 60  # characters of a supposition


class Line(NamedTuple):
    """A finding in the list: how deep it stands, and what it was before something was supposed, if that changed it."""

    finding: Finding
    depth: int
    before: str = ""


Typed = Annotated[str, Query(max_length=SHORT)]
Day = Annotated[str, Query(max_length=10)]


class Supposing(BaseModel):
    """What the address says: plan and day, and what the controls hold, as it was typed; their names are those of
    `what_if.changes_of`."""

    plan: Annotated[str, Query(max_length=100)] = ""
    as_of: Day = ""
    test: Typed = ""
    value: Typed = ""
    stopped: Typed = ""
    tried: Typed = ""
    tried_days: Typed = ""
    diagnosis: Typed = ""
    denied: Typed = ""
    programme_months: Typed = ""
    on: Day = ""

    @property
    def any(self) -> bool:
        return any(self.model_dump(exclude={"plan", "as_of", "test", "tried_days"}).values())

    def changes(self) -> list[Change]:
        value = read_number("value", self.value)
        return changes_of(
            test=self.test if value is not None else "",
            value=value,
            stopped=self.stopped,
            tried=self.tried,
            tried_days=read_whole("tried_days", self.tried_days) or 90,
            diagnosis=self.diagnosis,
            denied=self.denied,
            programme_months=read_whole("programme_months", self.programme_months) or 0,
            on=read_as_of(self.on),
        )


@router.get("")
def drugs(
    request: Request,
    ctx: Ctx,
    patient_id: str,
    plan: str = Query("", max_length=100),
    as_of: str = Query("", max_length=10),
) -> Response:
    """All drugs of the plan, side by side."""
    bound = _bound(ctx, patient_id, plan, as_of)
    return render(
        request,
        "drugs.html",
        patient=bound.patient,
        plan=bound.plan,
        as_of=bound.as_of,
        rows=[
            (one, bound.plan.benefits[one.drug], [part for part in one.findings if part.status != "met"])
            for one in bound.compare()
        ],
        query=_query(plan, as_of),
    )


@router.get("/{drug}")
def check(
    request: Request,
    ctx: Ctx,
    patient_id: str,
    drug: str,
    controls: Annotated[Supposing, Query()],
) -> Response:
    """One drug; with suppositions, what it would be, beside what it is."""
    plan, as_of = controls.plan, controls.as_of
    bound = _bound(ctx, patient_id, plan, as_of)
    asked, real = bound.asked(drug), bound.determination(drug)
    supposed = bound.supposed(drug, controls.changes()) if controls.any else None
    shown = supposed or real
    given: dict[str, Any] = {
        "patient": bound.patient,
        "plan": bound.plan,
        "found": shown,
        "real": real if supposed else None,
        "asks": ask_words(shown.request, voice(language_of(request))),
        "lines": list(_lines(shown, real if supposed else None)),
        "refusal": why_not(asked, real),
        "query": _query(plan, as_of),
        "tests": TESTS,
    }
    if is_part(request):
        return render(request, "determination.html", **given)
    return render(
        request,
        "check.html",
        controls=controls,
        others=bound.compare(),
        coverage=coverage(asked),
        as_of=as_of,
        asked_plan=plan,
        topics=TOPICS,
        conditions=CONCEPTS,
        exceptions=get_args(ExceptionKind),
        taken=sorted({one.drug for one in bound.patient.medications or () if one.end is None}),
        **given,
    )


@router.post("/{drug}/draft")
def draft(request: Request, ctx: Ctx, patient_id: str, drug: str, form: Sent) -> Response:
    """Fill the form and write the letter, up to a person's review; the same case finds its draft again, unless another
    one is asked for after it was decided."""
    asking = DraftRequest(
        patient_id=patient_id,
        request=DrugRequest(
            drug=drug,
            exception=_exception(form.text("exception")),
            statement=form.text("statement"),
            expedited=form.text("expedited"),
        ),
        plan_id=form.text("plan"),
        as_of=ctx.settings.day(form.text("as_of")),
        force=bool(form.text("force")),
        attempt=decided_before(ctx.store, patient_id) if form.text("again") else 0,
    )
    return go(f"/drafts/{ctx.draft(asking).draft.id}")


@router.post("/{drug}/leads/{lead_id}")
def decide_lead(ctx: Ctx, patient_id: str, drug: str, lead_id: str, form: Sent) -> Response:
    """Confirm what a note says, so that it becomes a record, or reject it."""
    bound = _bound(ctx, patient_id, form.text("plan"), form.text("as_of"))
    known = {lead.id: lead for lead in bound.determination(drug).leads}
    if lead_id not in known:
        raise NotFound("passage of a note that is open", lead_id, known)
    to = additions.Entering(store=ctx.store, patient_id=bound.patient.id, by=form.text("by"), when=now())
    if form.text("reject"):
        confirming.reject(to, known[lead_id])
    else:
        filled = confirming.Filled(
            form.day("start"), form.day("end"), form.day("date"), form.text("unit"), form.text("code")
        )
        confirming.confirm(to, known[lead_id], filled)
    where = f"/patients/{quote(bound.patient.id)}/check/{quote(drug)}"
    return go(where + _query(form.text("plan"), form.text("as_of")), to.by)


def _exception(typed: str) -> ExceptionKind | None:
    if typed and typed not in get_args(ExceptionKind):
        raise NotFound("kind of exception", typed, hint=f"there are {', '.join(get_args(ExceptionKind))}")
    return cast("ExceptionKind | None", typed or None)


def _bound(ctx: Context, patient_id: str, plan: str, as_of: str) -> Bound:
    return Bound(ctx.store, patient_id, as_of=ctx.settings.day(as_of), plan_id=plan)


def _query(plan: str, as_of: str) -> str:
    """What the address says of plan and day, to be carried on."""
    said = "&".join(f"{name}={quote(value)}" for name, value in (("plan", plan), ("as_of", as_of)) if value)
    return f"?{said}" if said else ""


def _lines(found: Determination, before: Determination | None) -> Iterator[Line]:
    """The findings with their branches, those that are not met first; of what is met, only the branch that shows it."""
    was = {one.criterion: one.status for one in walk(before.findings)} if before else {}
    order = {"not_met": 0, "unknown": 1, "met": 2}
    for top in sorted(found.findings, key=lambda one: (one.exclusion, order[one.status])):
        yield from _branch(top, 0, was, before is not None)


def _branch(finding: Finding, depth: int, was: Mapping[str, str], compared: bool) -> Iterator[Line]:
    old = was.get(finding.criterion, "new") if compared else ""
    yield Line(finding, depth, old if old != finding.status else "")
    for part in finding.parts:
        if finding.status != "met" or part.status == "met":
            yield from _branch(part, depth + 1, was, compared)
