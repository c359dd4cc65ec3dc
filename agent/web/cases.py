"""A case: where it stands, its clocks, what happened and what can; and the letters that the payer sends about it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from agent.api import wire
from agent.api.context import Context, Ctx
from agent.cases import appeals, casefile, denials
from agent.web.kept import keep, kept
from agent.web.page import FRAMED, Form, PageRoute, Sent, go, render
from tools.appeals.letter import Filing
from tools.appeals.records import Strategy
from tools.appeals.sheet import call_sheet
from tools.common import sealed
from tools.common.errors import Correctable, Invalid, NotFound
from tools.denials.codes import REASONS
from tools.denials.papers import SUFFIXES, text_in, text_of
from tools.denials.records import Denial
from tools.domain.records import Channel
from tools.lifecycle.fold import possible
from tools.lifecycle.records import Approval, AuthorizationCase, Call, Facts, Notice, What, standing, undone
from tools.lifecycle.running import clocks_of
from tools.lifecycle.states import REMARKS, full
from tools.papers.letter_pdf import letter_pdf

router = APIRouter(prefix="/cases", route_class=PageRoute, include_in_schema=False)
LETTERS = "/cases/{case_id}/letters"


class Stretch(NamedTuple):
    """A piece of a letter's text; `what` says what was read from it, "" where nothing was."""

    text: str
    what: str = ""


@router.get("/{case_id}")
def case(request: Request, ctx: Ctx, case_id: wire.Number) -> Response:
    return render(request, "case.html", **_shown(ctx, ctx.store.authorization_case(case_id)))


@router.post("/{case_id}/events")
def enter(ctx: Ctx, case_id: wire.Number, form: Sent) -> Response:
    """Enter what happened; what is not possible is refused with what is."""
    what = _what(form.text("what"))
    entry = _entry(ctx, case_id, form)
    if what == "reviewed":
        casefile.review(ctx.store, case_id, entry, draft_id=form.whole("draft"), why=form.text("why"))
    else:
        casefile.record(
            ctx.store, case_id, what, entry, at=form.text("at"), why=form.text("why"), facts=_facts(form)
        )
    return go(f"/cases/{case_id}", entry.by)


# --- letters ---------------------------------------------------------------------------------------------


@router.post("/{case_id}/letters")
def take_letter(ctx: Ctx, case_id: wire.Number, form: Sent) -> Response:
    """Keep a letter that came in, and show what is read of it; nothing is entered yet."""
    ctx.store.authorization_case(case_id)
    name, content = form.file("file")
    if not content and form.words("text"):
        name, content = "letter.txt", form.words("text").encode()
    if not content:
        raise Invalid("choose the letter's file, or paste its text")
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise Invalid(f"{name} is no {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    text_in(content, suffix, name)
    return go(_address(case_id, keep(_letters(ctx), name, content, seal=True), form.day("received")))


@router.get("/{case_id}/letters/{digest}")
def letter(
    request: Request, ctx: Ctx, case_id: wire.Number, digest: str, received: date | None = None
) -> Response:
    """What a letter says, beside its words, and what to do about it."""
    found, file = ctx.store.authorization_case(case_id), _letter(ctx, digest)
    text = text_of(file)
    read = denials.read_for(ctx.store, text, case_id=case_id, received=received)
    notices = [event.facts.notice for event in standing(found) if event.facts.notice]
    return render(
        request,
        "letter.html",
        **_shown(ctx, found),
        file=file,
        digest=digest,
        received=received,
        read=read.denial,
        due=read.due,
        compared=read.compared,
        stretches=_stretches(text, read.denial),
        reasons=REASONS,
        entered=any(notice.letter and notice.letter.sha256 == digest for notice in notices),
        **_advice(ctx, case_id, file, received),
    )


@router.get("/{case_id}/letters/{digest}/file")
def letter_file(ctx: Ctx, case_id: wire.Number, digest: str) -> Response:
    ctx.store.authorization_case(case_id)
    file = _letter(ctx, digest)
    media = wire.MEDIA[".pdf" if file.suffix.lower() == ".pdf" else ".txt"]
    shown = {**FRAMED, "content-disposition": f"inline; filename*=utf-8''{quote(file.name)}"}
    return Response(sealed.read(file), media_type=media, headers=shown)


@router.post("/{case_id}/letters/{digest}/enter")
def enter_letter(ctx: Ctx, case_id: wire.Number, digest: str, form: Sent) -> Response:
    """Enter what the letter decides, with its own deadline."""
    entry, received = _entry(ctx, case_id, form), form.day("received")
    file = _letter(ctx, digest)
    casefile.letter(ctx.store, case_id, file, entry, received=received, why=form.text("why"))
    return go(_address(case_id, digest, received), entry.by)


@router.get("/{case_id}/letters/{digest}/{paper}.pdf")
def appeal_paper(
    ctx: Ctx, case_id: wire.Number, digest: str, paper: str, received: date | None = None
) -> Response:
    """The packet of the appeal, or the sheet for the call; refused, with what to do instead, where none is right."""
    if paper not in ("packet", "sheet"):
        raise NotFound("paper of an appeal", paper, hint="there are packet and sheet")
    made = _look(ctx, case_id, _letter(ctx, digest), received)
    if paper == "packet":
        content = appeals.bind(made, appeals.compose(made, Filing()))
    else:
        content = letter_pdf(call_sheet(made.case, made.denial, made.found))
    return Response(content, media_type=wire.PDF, headers={**FRAMED, "content-disposition": "inline"})


def _address(case_id: int, digest: str, received: date | None) -> str:
    return f"/cases/{case_id}/letters/{digest}" + (f"?received={received}" if received else "")


def _advice(ctx: Context, case_id: int, file: Path, received: date | None) -> dict[str, Any]:
    """The plan of what to do, or why there is none."""
    try:
        found: Strategy | None = _look(ctx, case_id, file, received).found
        return {"strategy": found, "no_strategy": ""}
    except Correctable as why:
        return {"strategy": None, "no_strategy": str(why)}


def _look(ctx: Context, case_id: int, file: Path, received: date | None) -> appeals.AppealAssessment:
    head = ctx.store.authorization_case(case_id).head
    judged = ctx.case_days().of_patient(head.patient_id)
    day = max(judged, received or judged)  # a letter is answered on no day before it came
    asked = appeals.AppealQuery("", "", as_of=day, received=received, case_id=case_id)
    return appeals.assess(ctx.store, asked, appeals.payer_letter(file))


def _letters(ctx: Context) -> Path:
    return ctx.settings.home / "letters"


def _letter(ctx: Context, digest: str) -> Path:
    return kept(_letters(ctx), digest, "letter")


def _stretches(text: str, read: Denial) -> list[Stretch]:
    """The letter's text cut at what was read from it; of quotes that overlap, the first and longest."""
    named = [(one.quote, what) for one, what in _statements(read) if one is not None]
    cut, at = list[Stretch](), 0
    for words, what in sorted(named, key=lambda item: (item[0].start, -item[0].end)):
        if words.start >= at:
            cut += [Stretch(text[at : words.start]), Stretch(text[words.start : words.end], what)]
            at = words.end
    return [one for one in (*cut, Stretch(text[at:])) if one.text]


def _statements(read: Denial) -> list[tuple[Any, str]]:
    """Everything that bears a quote, with what it is."""
    named = ("payer", "member", "member_id", "birth_date", "reference", "dated", "approved", "reply_by")
    words = {"dated": "date"}
    found: list[tuple[Any, str]] = [
        (getattr(read, name), words.get(name, name.replace("_", " "))) for name in named
    ]
    found += [(one, f"reason: {REASONS[one.code].title}") for one in read.reasons]
    found += [(one, f"right: {one.kind.replace('_', ' ')}") for one in read.rights]
    found += [(one, "drug") for one in read.drugs] + [(one, f"clause {one.id}") for one in read.cited]
    return found


# --- what a page needs -----------------------------------------------------------------------------------


def _shown(ctx: Context, found: AuthorizationCase) -> dict[str, Any]:
    alone = casefile.alone(ctx.store, found)
    day = ctx.case_days().of(found)
    plan = casefile.plan_of(ctx.store, found)
    gone = undone(found)
    steps = possible(found)
    notices = [event.facts.notice for event in found.events if event.facts.notice]
    letters = {notice.letter.sha256 for notice in notices if notice.letter}
    return {
        "case": found,
        "state": full(found.state, found.level),
        "as_of": day,
        "alone": alone,
        "patient": None if alone else ctx.store.patient(found.head.patient_id),
        "clocks": () if alone else clocks_of(found, plan, day),
        "steps": [(step.what, step.level if step.what == "appealed" else "") for step in steps],
        "remarks": REMARKS,
        "events": [(event, event.number in gone) for event in found.events],
        "channels": get_args(Channel),
        "plan": plan,
        "kept": {digest for digest in letters if (_letters(ctx) / digest).is_dir()},
    }


def _entry(ctx: Context, case_id: int, form: Form) -> casefile.Entry:
    by, whose = form.by("enters it"), ctx.store.authorization_case(case_id).head.patient_id
    return casefile.entry_of(ctx.case_days(), by, form.day("on"), whose)._replace(seen=form.whole("seen"))


def _what(typed: str) -> What:
    if typed not in get_args(What) or typed == "opened":
        raise NotFound("kind of entry", typed)
    return cast("What", typed)


def _facts(form: Form) -> Facts:
    """What the entry states, of whatever its form has."""
    channel, start, end = form.text("channel"), form.day("start"), form.day("end")
    if channel and channel not in get_args(Channel):
        raise NotFound("channel", channel, hint=f"there are {', '.join(get_args(Channel))}")
    reference, received, dated = form.text("reference"), form.day("received"), form.day("dated")
    approval = notice = call = None
    if start and end:
        amount: Any = {"quantity": form.number("quantity"), "days_supply": form.whole("days_supply")}
        approval = Approval(number=form.text("number"), start=start, end=end, **amount)
    if dated:
        deadline = form.day("deadline")
        notice = Notice(dated=dated, received=received, reference=reference, deadline=deadline)
    if form.text("spoke_with"):
        peer_to_peer = bool(form.text("peer_to_peer"))
        call = Call(spoke_with=form.text("spoke_with"), reference=reference, peer_to_peer=peer_to_peer)
    statement: Any = {"urgency": "expedited", "expedite_reason": form.text("expedited")}
    return Facts(
        channel=channel or None,  # type: ignore[arg-type]
        reference="" if notice or call else reference,
        received=None if notice else received,
        level=form.text("level"),
        approval=approval,
        notice=notice,
        call=call,
        undoes=form.whole("undoes"),
        **(statement if form.text("expedited") else {}),
    )
