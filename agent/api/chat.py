"""Chat over HTTP: a turn as JSON or as a stream of events, and the conversations that can be gone on with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from threading import Event as Signal
from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.context import Context, Ctx
from agent.conversation import LONGEST_QUESTION, Conversation, Event, Kept, Turn, find, kept
from agent.runtime.dump import plain
from agent.runtime.settings import read_as_of
from tools.common.errors import Invalid, PaladinError

router = wire.Router(prefix="/api/chat", tags=["chat"])
PATIENCE = 0.2  # seconds between two looks whether the caller is still there


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question, in the conversation that is named or in a new one; a new one may be bound to a patient."""

    question: str
    conversation_id: str = ""
    patient_id: str = ""
    model: str = ""  # a model of the Ollama host, or offline
    as_of: str = ""  # YYYY-MM-DD or today
    plan_id: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its answer, as the list of a conversation keeps them."""

    question: str
    answer: str = ""
    intent: str = ""
    drugs: tuple[str, ...] = ()
    path: str = ""


class ConversationView(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation: whom it is about, and what was said, oldest first."""

    id: str
    patient_id: str
    history: tuple[Said, ...] = ()


@router.write(
    "", "Ask about a patient's eligibility; with `Accept: text/event-stream`, as it is answered",
    Turn,
    "The turn, as `pa chat --json` prints it. As a stream: `understanding`, `checking`, an `answer` for each"
    " sentence that was verified, `citations`, and `done` with the turn, or `error` with a problem.",
    Question, {"question": "Can she get Ozempic?", "patient_id": "P001"},
)  # fmt: skip
async def ask(request: Request, ctx: Ctx, given: Annotated[Question, wire.sent(Question)]) -> Turn | Response:
    if len(given.question) > 16 * LONGEST_QUESTION:
        raise Invalid(f"the question has {len(given.question)} characters; ask in at most {LONGEST_QUESTION}")
    talk = await run_in_threadpool(_conversation, ctx, given)
    if wire.wants_stream(request):
        return wire.stream(_stream(talk, given.question))
    return await _turn(request, talk, given.question)


@router.read(
    "", "The conversations that can be gone on with, newest first", wire.many(Kept), "The conversations."
)
def conversations(ctx: Ctx, limit: int = Query(20, ge=1, le=200)) -> list[Kept]:
    return kept(ctx.talks, limit)


@router.read("/{conversation_id}", "What was said in one conversation", ConversationView, "The conversation.")
def conversation(ctx: Ctx, conversation_id: str) -> dict[str, Any]:
    found = find(ctx.talks, conversation_id)
    ctx.store.note("conversation.read", whose=found.patient_id, of=found.id)
    history = Conversation(ctx.talks, ctx.chat_desk(model="offline"), found.id).history
    return {"id": found.id, "patient_id": found.patient_id, "history": history}


def _conversation(ctx: Context, given: Question) -> Conversation:
    """The conversation that this question belongs to; what is wrong with it is said before anything is begun."""
    kept_id = find(ctx.talks, given.conversation_id).id if given.conversation_id else ""
    plan_id = ctx.store.plan(given.plan_id).id if given.plan_id else ""
    made = ctx.chat_desk(model=given.model, as_of=read_as_of(given.as_of), plan_id=plan_id)
    return Conversation(ctx.talks, made, kept_id, given.patient_id)


async def _turn(request: Request, talk: Conversation, question: str) -> Turn:
    """The whole turn; given up when the caller hangs up, so that the model is free for others."""
    cancelled = Signal()
    asking = asyncio.ensure_future(run_in_threadpool(talk.ask, question, lambda event: None, cancelled))
    while not (await asyncio.wait({asking}, timeout=PATIENCE))[0]:
        if await request.is_disconnected():
            cancelled.set()
    return await asking


async def events_of(talk: Conversation, question: str) -> AsyncIterator[Event | Turn | BaseException]:
    """The turn's events as they come, and at last the turn, or why there is none; given up when the reader goes."""
    cancelled, queue = Signal(), asyncio.Queue[Event | None]()
    loop = asyncio.get_running_loop()

    def put(event: Event | None) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, event)

    asking = asyncio.ensure_future(run_in_threadpool(talk.ask, question, put, cancelled))
    asking.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (event := await queue.get()) is not None:
            yield event
        yield asking.exception() or asking.result()
    finally:
        cancelled.set()


async def _stream(talk: Conversation, question: str) -> AsyncIterator[bytes]:
    async for event in events_of(talk, question):
        if isinstance(event, BaseException):
            problem = wire.problem(event)
            yield format_sse_event(data_str=bytes(problem.body).decode(), event="error")
            if not isinstance(event, PaladinError):
                raise event
        elif isinstance(event, Event):
            data = plain(event.data or {"text": event.text})
            yield format_sse_event(data_str=wire.encoded(data).decode(), event=event.what)
