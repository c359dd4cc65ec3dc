"""Both graphs as `langgraph dev` opens them (langgraph.json): the same graphs, with what a door would hand them.

A door hands its graph a context of live objects. Studio can only send words, so here the context is a few words,
from which the live one is made when the first node asks for it. The server that opens them keeps their checkpoints.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from agent import chat as chat_graph
from agent.conversation import ChatDesk, Sitting
from agent.dialogue.lessons import FILE as LESSONS
from agent.drafts import workflow as workflow_graph
from agent.drafts.drafting import drafter
from agent.models.factory import open_model
from agent.runtime.home import now
from agent.runtime.settings import Settings, read_settings
from agent.runtime.stores import open_store
from tools.store.store import Store

if TYPE_CHECKING:
    from langgraph.graph import StateGraph


@dataclass
class ChatContext:
    """What Studio may say of a turn: a model of the Ollama host or `offline`, a day, a plan. The patient is
    `patient_id` of the first input; it stays."""

    model: str = "offline"
    as_of: str = ""
    plan: str = ""

    @cached_property
    def _sitting(self) -> Sitting:
        settings, store = _opened()
        model, _ = open_model(self.model, settings)
        desk = ChatDesk(
            store=store,
            model=model,
            as_of=settings.day(self.as_of),
            plan_id=store.plan(self.plan).id if self.plan else "",
            draft=drafter(store, settings),
            lessons=settings.home / LESSONS,
            clock=time.perf_counter,
        )
        return Sitting(desk, started=time.perf_counter())

    def __getattr__(self, name: str) -> Any:
        """The rest is the sitting's."""
        return getattr(self._sitting, name)


@dataclass
class WorkflowContext:
    """Nothing to say: the desk is this home's. Input is `{"thread": "studio-1", "asking": {"patient_id": "P001",
    "request": {"drug": "Ozempic"}}}`."""

    @cached_property
    def _desk(self) -> workflow_graph.DraftingContext:
        settings, store = _opened()
        return workflow_graph.DraftingContext(store, settings.drafts, now())

    def __getattr__(self, name: str) -> Any:
        """The rest is the desk's."""
        return getattr(self._desk, name)


@cache
def _opened() -> tuple[Settings, Store]:
    settings = read_settings()
    return settings, open_store(settings)


def _in_words(graph: StateGraph[Any, Any, Any, Any], context: type) -> StateGraph[Any, Any, Any, Any]:
    """The graph with this context in place of a door's."""
    graph.context_schema = context
    return graph


chat = _in_words(chat_graph.build(), ChatContext)
workflow = _in_words(workflow_graph.build(), WorkflowContext)
