"""What the endpoints share: the store, the settings, and one workflow that works on one case at a time."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import date
from functools import cached_property
from threading import Lock
from typing import Annotated, Any

from fastapi import Depends, Request

from agent.api.fresh import FreshStore
from agent.cases.casefile import CaseDays
from agent.cases.followed import FOLDER
from agent.cases.worklist import Board
from agent.conversation import ChatDesk, conversations
from agent.dialogue.lessons import FILE as LESSONS
from agent.drafts import drafting
from agent.drafts.decision import Decision
from agent.drafts.requests import DraftRequest, complete_request
from agent.models.factory import open_model
from agent.models.model import Model
from agent.models.ollama_model import HostState, OllamaModel
from agent.runtime.home import make_home, make_whole, working_in
from agent.runtime.settings import Settings
from agent.runtime.stores import equip
from tools.graph.asking import current, graph_of
from tools.graph.model import Graph
from tools.store import database
from tools.store.rows import Draft


class Context:
    """Opened when it is first needed, so that a missing store is an answer (503) and not a crash."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closing = ExitStack()
        self._one_at_a_time, self._opening = Lock(), Lock()
        self._models: dict[str, Model] = {}
        self._practices: dict[str, Context] = {}

    def of(self, practice: str) -> Context:
        """The context of a practice, with a store of its own; "" is this one."""
        if not practice:
            return self
        with self._opening:
            if practice not in self._practices:
                self._practices[practice] = Context(self.settings.of_practice(practice))
                self._closing.callback(self._practices[practice].close)
            return self._practices[practice]

    @cached_property
    def store(self) -> FreshStore:
        make_whole(self.settings.home)
        store = FreshStore(self.settings.database_url)
        database.check(store.engine)
        self._closing.enter_context(working_in(self.settings.home))
        equip(store, self.settings)
        self._closing.callback(store.close)
        return store

    @cached_property
    def board(self) -> Board:
        """Every request that waits."""
        return Board(self.store, self.settings.day, self.settings.home / FOLDER)

    @cached_property
    def graph(self) -> Graph:
        """The engine of relationship questions."""
        make_home(self.settings.home)
        opened = graph_of(self.store, self.settings.graph_url, self.settings.home)
        self._closing.callback(opened.close)
        return opened

    @cached_property
    def _workflow(self) -> Any:
        return self._closing.enter_context(drafting.workflow(self.settings))

    @property
    def talks(self) -> Any:
        """The chat graph with its checkpoints."""
        with self._opening:
            return self._talks

    @cached_property
    def _talks(self) -> Any:
        return self._closing.enter_context(conversations(self.settings))

    def chat_desk(self, *, model: str = "", as_of: date | None = None, plan_id: str = "") -> ChatDesk:
        """What a conversation is held with."""
        found, line = self._model(model)
        return ChatDesk(
            store=self.store,
            model=found,
            notice="" if found else line,
            as_of=self.settings.day(as_of),
            plan_id=plan_id,
            draft=lambda asked: self.draft(complete_request(asked)),
            panel=lambda: current(self.store, self.graph, self.settings.day(as_of)),
            lessons=self.settings.home / LESSONS,
            clock=time.perf_counter,
        )

    def _model(self, name: str) -> tuple[Model | None, str]:
        """The model of this name and "", or None and why; it is looked for again as long as it is not there."""
        if name not in self._models:
            found, line = open_model(name, self.settings)
            if found is None:
                return None, line
            self._models[name] = found
        return self._models[name], ""

    def model_hosts(self) -> list[HostState]:
        """How the hosts of the models in use are doing."""
        ours = [model for model in self._models.values() if isinstance(model, OllamaModel)]
        return [state for model in ours for state in model.states()]

    def case_days(self, as_of: date | None = None) -> CaseDays:
        """On which day each case is judged."""
        return CaseDays(self.store, self.settings.day(as_of))

    def draft(self, asking: DraftRequest) -> drafting.Drafted:
        with self._one_at_a_time:
            return drafting.draft(self._workflow, self.store, self.settings, asking)

    def decide(self, draft_id: int, decision: Decision) -> Draft:
        with self._one_at_a_time:
            return drafting.decide(self._workflow, self.store, self.settings, draft_id, decision)

    def close(self) -> None:
        self._closing.close()


def own_context(request: Request) -> Context:
    """Of the server's own home, whatever practice a user is of: it knows who may come in."""
    found: Context = request.app.state.context
    return found


def context_of(request: Request) -> Context:
    """Of the practice of whoever calls, as the identity says; nothing that a caller sends names one."""
    found: Context = request.scope["context"]
    return found


async def _context(request: Request) -> Context:
    return context_of(request)


Ctx = Annotated[Context, Depends(_context)]  # a parameter of an endpoint that needs what all of them share
