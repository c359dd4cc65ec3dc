"""The worklist: every request of the practice by what must happen next, and by when."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from agent.api.context import Ctx, context_of
from agent.cases.renewals import judged
from agent.cases.worklist import VIEWS, Row, counts
from agent.runtime.home import now
from agent.web.page import Form, PageRoute, Sent, go, render
from tools.common.errors import Invalid, NotFound, Refused, Unavailable
from tools.store.store import Store
from tools.store.worklists import RequestKey

router = APIRouter(route_class=PageRoute, include_in_schema=False)
PAGE = 50  # rows
FEW = 25  # approvals on one page: each is judged for every day until it ends
AHEAD = 60  # days within which an approval's end is shown
NOBODY = "-"  # as the owner that is filtered by


Typed = Annotated[str, Query(max_length=100)]


class Filters(BaseModel):
    """Which requests are shown, as the address of the worklist has it."""

    view: Typed = ""
    plan: Typed = ""
    drug: Typed = ""
    owner: Typed = ""

    @property
    def narrow(self) -> bool:
        """Whether they choose among the requests of a view."""
        return bool(self.plan or self.drug or self.owner)

    def admits(self, row: Row) -> bool:
        """Whether they let a row through, whatever its view."""
        owned = self.owner in ("", row.owner) or (self.owner == NOBODY and not row.owner)
        return owned and self.plan in ("", row.plan_id) and self.drug in ("", row.drug)

    def query(self, **changed: str | int) -> str:
        wanted = {key: value for key, value in {**self.model_dump(), **changed}.items() if value}
        return urlencode(wanted)

    def link(self, **changed: str | int) -> str:
        """The worklist with one filter set otherwise, from its first page on."""
        query = self.query(**changed)
        return f"/?{query}" if query else "/"


@router.get("/")
def worklist(
    request: Request,
    ctx: Ctx,
    filters: Annotated[Filters, Query()],
    page: int = Query(1, ge=1, le=10_000),
) -> Response:
    view = filters.view
    if view and view not in VIEWS:
        raise NotFound("view", view, hint=f"there are {', '.join(VIEWS)}")
    work = ctx.board.work()
    chosen = [row for row in work.rows if filters.admits(row)] if filters.narrow else work.rows
    shown = [row for row in chosen if row.is_in(view)] if view else chosen
    first = (page - 1) * PAGE
    rows = shown[first : first + PAGE]
    users = {user.name for user in ctx.store.users()}
    ctx.store.note("requests.listed", of=filters.query(page=page))
    return render(
        request,
        "worklist.html",
        rows=rows,
        missing=ctx.store.lacking([row.draft_id for row in rows if row.draft_id is not None]),
        total=len(shown),
        first=first,
        page=page,
        views=VIEWS,
        nobody=NOBODY,
        counts=counts(chosen) if filters.narrow else work.counts,
        all=len(chosen),
        filters=filters,
        choices=work.choices,
        people=sorted({name for name, _ in work.choices["owner"] if name} | users),
        saved=ctx.store.saved_views(),
        patients=ctx.store.count_patients(),
        as_of=ctx.settings.day() or ctx.store.dataset().as_of,
    )


@router.post("/setup")
def setup(request: Request, form: Sent) -> Response:
    """Bring the demo world into a store that holds nothing, as `pa setup` does, or its plans and policies alone; what
    is there is left as it is."""
    ctx = context_of(request)
    try:
        many = ctx.store.count_patients()
    except Unavailable:
        many = 0
    if many:
        raise Refused(f"the store holds {many} patients; the demo world is made in an empty one")
    bare = bool(form.text("without_patients"))
    command = [sys.executable, "-m", "agent.cli", "setup", *(["--without-patients"] if bare else [])]
    done = subprocess.run(command, env=ctx.settings.environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"the demo world could not be made: {done.stderr.strip()[-300:]}")
    return go("/import" if bare else "/")


@router.post("/assign")
def assign(ctx: Ctx, form: Sent) -> Response:
    """Give the requests that were ticked to somebody, and come back to the same filters."""
    by = form.by("assigns it")
    # Of each its link, and the owner that the page showed.
    ticked = [one.partition(" ") for one in form.every("request")]
    if not ticked:
        raise Invalid("tick the requests that you assign")
    seen = {_key_at(ctx.store, link): owner for link, _, owner in ticked}
    ctx.store.assign(seen, form.text("to"), by=by, when=now(), seen=seen)
    page = form.whole("page") or 0
    return go(_filters(form).link(page=page if page > 1 else 0), by)


@router.post("/views")
def save_view(ctx: Ctx, form: Sent) -> Response:
    """Keep the filters under a name for everybody here, or take a name away."""
    name, filters = form.text("name"), _filters(form)
    if form.text("remove"):
        ctx.store.remove_view(name, filters.query())
    else:
        ctx.store.save_view(name, filters.query(), by=form.text("by"), when=now())
    return go(filters.link())


def _filters(form: Form) -> Filters:
    """The filters of the page that a form stood on."""
    return Filters(**{name: form.text(name)[:100] for name in Filters.model_fields})


def _key_at(store: Store, link: str) -> RequestKey:
    """The request to which a row of the worklist leads."""
    kind, _, number = link.strip("/").partition("/")
    if kind not in ("drafts", "cases") or not number.isdecimal():
        raise NotFound("request", link[:100])
    about = store.draft(int(number)) if kind == "drafts" else store.authorization_case(int(number)).head
    return RequestKey(about.patient_id, about.drug, about.plan_id)


@router.get("/renewals")
def renewals(
    request: Request,
    ctx: Ctx,
    within: int = Query(AHEAD, ge=1, le=366),
    page: int = Query(1, ge=1, le=10_000),
) -> Response:
    first, soon = (page - 1) * FEW, ctx.board.endings(timedelta(days=within))
    return render(
        request,
        "renewals.html",
        rows=judged(ctx.store, soon[first : first + FEW]),
        total=len(soon),
        first=first,
        page=page,
        within=within,
    )
