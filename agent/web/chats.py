"""Chat beside a patient: each answer with what it rests on, as links into the chart and the policy."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from fastapi.sse import format_sse_event

from agent.api import wire
from agent.api.chat import events_of
from agent.api.context import Context, Ctx
from agent.conversation import LONGEST_QUESTION, Conversation, Turn, find, kept
from agent.web.page import PageRoute, Sent, go, is_part, part, render
from tools.common.errors import Invalid, PaladinError
from tools.domain.records import Patient

router = APIRouter(prefix="/patients/{patient_id}/chat", route_class=PageRoute, include_in_schema=False)
RECENT = 100  # conversations that are looked through for this patient's


@router.get("")
def chat(request: Request, ctx: Ctx, patient_id: str) -> Response:
    """A new conversation, and those that can be gone on with."""
    patient = ctx.store.patient(patient_id)
    return render(request, "chat.html", **_page(ctx, patient), talk="", history=())


@router.get("/{talk}")
def conversation(request: Request, ctx: Ctx, patient_id: str, talk: str) -> Response:
    patient = ctx.store.patient(patient_id)
    held = Conversation(ctx.talks, ctx.chat_desk(model="offline"), find(ctx.talks, talk).id, patient.id)
    ctx.store.note("conversation.read", whose=patient.id, of=held.id)
    return render(request, "chat.html", **_page(ctx, patient), talk=held.id, history=held.history)


@router.post("")
def ask(request: Request, ctx: Ctx, patient_id: str, form: Sent) -> Response:
    """One turn: streamed as it is verified where a script reads along, a part of the page for htmx, else a new page."""
    question = form.words("question")
    if not question:
        raise Invalid("write a question")
    if len(question) > LONGEST_QUESTION:
        raise Invalid(f"the question has {len(question)} characters; ask in at most {LONGEST_QUESTION}")
    patient, talk = ctx.store.patient(patient_id), form.text("talk")
    known = find(ctx.talks, talk).id if talk else ""
    held = Conversation(ctx.talks, ctx.chat_desk(), known, patient.id)

    def shown(turn: Turn) -> str:
        return part(request, "turn.html", patient=patient, turn=turn, talk=held.id)

    if wire.wants_stream(request):
        return StreamingResponse(_stream(held, question, shown), media_type=wire.STREAM)
    turn = held.ask(question)
    return (
        HTMLResponse(shown(turn)) if is_part(request) else go(f"/patients/{patient.id}/chat/{held.id}#last")
    )


async def _stream(held: Conversation, question: str, shown: Callable[[Turn], str]) -> AsyncIterator[bytes]:
    """Each sentence once it was verified, then the whole turn as the page shows it."""
    async for event in events_of(held, question):
        if isinstance(event, Turn):
            yield format_sse_event(data_str=json.dumps(shown(event)), event="turn")
        elif isinstance(event, PaladinError):
            yield format_sse_event(data_str=json.dumps(str(event)), event="refusal")
        elif isinstance(event, BaseException):
            raise event
        elif event.what == "answer":
            yield format_sse_event(data_str=json.dumps(event.text), event="sentence")


def _page(ctx: Context, patient: Patient) -> dict[str, Any]:
    others = [one for one in kept(ctx.talks, RECENT) if one.patient_id == patient.id and one.turns]
    return {"patient": patient, "others": others}
